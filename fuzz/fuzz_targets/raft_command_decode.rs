//! Bytes that read as the commands of a log entry are the bytes those commands are written as.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    wire::fuzzing::raft_command_decode(bytes);
});
