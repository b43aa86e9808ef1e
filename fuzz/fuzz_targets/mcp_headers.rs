//! Headers that are accepted, and the mirrors made from the body, tell what the body tells.
#![no_main]

libfuzzer_sys::fuzz_target!(|request: &[u8]| {
    mcp::fuzzing::mcp_headers(request);
});
