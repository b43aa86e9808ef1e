//! Fuzz targets as plain functions: each takes arbitrary bytes and panics when a promise of this crate is broken.
//!
//! The same functions run under libFuzzer (`fuzz/`) and, over the committed corpus and bounded mutations, in
//! `tests/corpus.rs`. They are compiled into the library so that both reach them; nothing else calls them. Each returns
//! whether the bytes could be read, so that a driver can tell a corpus that tests something from one that is
//! refused at the door.

use crate::{entry, snapshot};

/// Bytes that read as commands are exactly the bytes those commands are written as.
pub fn raft_command_decode(bytes: &[u8]) -> bool {
    let Ok(commands) = entry::decode(bytes) else { return false };
    assert_eq!(entry::encode(&commands), bytes, "an entry has one encoding");
    true
}

/// Bytes that read as a snapshot are exactly the bytes that state is written as.
pub fn snapshot_decode(bytes: &[u8]) -> bool {
    let Ok(parts) = snapshot::read(&mut &*bytes) else { return false };
    let mut written = Vec::new();
    snapshot::write(&parts, &mut written).expect("what was read is within its bounds, and a vector takes it");
    assert_eq!(written, bytes, "a snapshot has one encoding");
    true
}
