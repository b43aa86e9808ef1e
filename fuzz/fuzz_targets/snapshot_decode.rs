//! Bytes that read as a snapshot are the bytes that state is written as.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    wire::fuzzing::snapshot_decode(bytes);
});
