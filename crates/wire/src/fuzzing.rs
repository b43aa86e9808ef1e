//! Fuzz targets as plain functions: each takes arbitrary bytes and panics when a promise of this crate is broken.
//!
//! The same functions run under libFuzzer (`fuzz/`) and, over the committed corpus and bounded mutations, in
//! `tests/stored/corpus.rs`. They are compiled into the library so that both reach them; nothing else calls them. Each
//! returns whether the bytes could be read, so that a driver can tell a corpus that tests something from one that is
//! refused at the door.

use crate::{
    entry,
    snapshot::{self, MAGIC},
};

/// Bytes that read as commands are exactly the bytes those commands are written as.
pub fn raft_command_decode(bytes: &[u8]) -> bool {
    let Ok(commands) = entry::decode(bytes) else { return false };
    assert_eq!(entry::encode(&commands), bytes, "an entry has one encoding");
    true
}

/// Bytes that read as a snapshot are exactly the bytes that state is written as. The bytes are tried as they are and
/// with the checksums put right, since no mutation would get past those.
pub fn snapshot_decode(bytes: &[u8]) -> bool {
    let as_they_are = reads_as_written(bytes);
    reads_as_written(&with_checksums(bytes)) || as_they_are
}

fn reads_as_written(bytes: &[u8]) -> bool {
    let Ok(parts) = snapshot::read(&mut &*bytes) else { return false };
    let mut written = Vec::new();
    snapshot::write(&parts, &mut written).expect("what was read is within its bounds, and a vector takes it");
    assert_eq!(written, bytes, "a snapshot has one encoding");
    true
}

/// Puts the checksum of every whole item right.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = MAGIC.len();
    while let Some(length) = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>).copied() {
        let Some(end) =
            usize::try_from(u32::from_le_bytes(length)).ok().and_then(|item| item.checked_add(at + 8))
        else {
            break;
        };
        let Some(item) = bytes.get(at + 8..end) else { break };
        let sum = crc32c::crc32c_append(crc32c::crc32c(&length), item);
        bytes[at + 4..at + 8].copy_from_slice(&sum.to_le_bytes());
        at = end;
    }
    bytes
}
