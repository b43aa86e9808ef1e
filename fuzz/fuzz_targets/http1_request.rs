//! What goes on of HTTP/1.1 has one reading, however its bytes arrive.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    edge::fuzzing::http1_request(bytes);
});
