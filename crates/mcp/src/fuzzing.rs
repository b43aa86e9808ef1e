//! Fuzz targets as plain functions: each takes arbitrary bytes and panics when a promise of this crate is broken.
//!
//! The same functions run under libFuzzer (`fuzz/`) and, over the committed corpus and bounded mutations, in
//! `tests/corpus.rs`. They are compiled into the library so that both reach them; nothing else calls them. Each
//! returns whether the input got past the first check, so that a driver can tell a corpus that tests something from
//! one that is refused at the door.

mod differential;
mod folding;
mod headers;
mod stream;

pub use differential::jsonrpc_strict;
pub use headers::mcp_headers;
pub use stream::sse_stream;
