//! A body that the strict reader accepts reads the same to exact and to case-folding decoders.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    mcp::fuzzing::jsonrpc_strict(body);
});
