//! A stream is read as the same frames however it is cut into chunks.
#![no_main]

libfuzzer_sys::fuzz_target!(|stream: &[u8]| {
    mcp::fuzzing::sse_stream(stream);
});
