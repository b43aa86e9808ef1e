//! A URL that is accepted for a server names no address inside, also to a browser's parser.
#![no_main]

libfuzzer_sys::fuzz_target!(|url: &[u8]| {
    upstream::fuzzing::url_ssrf_guard(url);
});
