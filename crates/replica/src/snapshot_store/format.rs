//! The bytes of a snapshot file: eight bytes that say what it is, the length and the message of what it is of
//! (`replica.v1.SnapshotMeta`) with its CRC-32C, then the state as `wire::snapshot` writes it, to the end of the file.
//!
//! ```text
//!   "pclsnap" 01 | length u32 LE | SnapshotMeta | CRC-32C u32 LE | items of wire::snapshot …
//! ```
//!
//! Every byte is under a checksum or has one right value, and the state ends with an item of its own, so a flipped bit
//! and a missing end are both seen.

use std::io::{self, Read, Write};

use authority::snapshot::Parts;

use crate::{
    raft_message::{self, NotAMessage},
    type_config::SnapshotMeta,
};

/// What a snapshot file begins with: its name and the version of its form.
const MAGIC: [u8; 8] = *b"pclsnap\x01";

/// The longest message of what a snapshot is of: room for some thousand members.
const MAX_META_BYTES: u32 = 1024 * 1024;

/// Why a file is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum BadSnapshot {
    /// It could not be read.
    #[error("it cannot be read")]
    Io(#[from] io::Error),
    /// It does not begin as a snapshot of a known version does.
    #[error("it does not begin as a snapshot that this version can read")]
    Magic,
    /// What it is of is damaged.
    #[error("the description of what it holds is damaged")]
    Meta,
    /// What it is of cannot be understood.
    #[error("the description of what it holds cannot be read")]
    UnreadableMeta(#[source] NotAMessage),
    /// The state in it is damaged.
    #[error("the state in it is damaged")]
    State(#[source] wire::snapshot::ReadFailed),
    /// There is something after its end.
    #[error("there are bytes after its end")]
    Overlong,
}

/// Writes a snapshot.
pub(super) fn write(meta: &SnapshotMeta, parts: &Parts, file: &mut impl Write) -> io::Result<()> {
    let meta = raft_message::encode_snapshot_meta(meta);
    let length = u32::try_from(meta.len()).ok().filter(|length| *length <= MAX_META_BYTES);
    let length = length.ok_or_else(|| io::Error::other("a snapshot of too many members"))?;
    file.write_all(&MAGIC)?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(&meta)?;
    file.write_all(&crc32c::crc32c(&meta).to_le_bytes())?;
    wire::snapshot::write(parts, file)
}

/// Reads a snapshot, all of it.
pub(super) fn read(file: &mut impl Read) -> Result<(SnapshotMeta, Parts), BadSnapshot> {
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(BadSnapshot::Magic);
    }
    let length = read_u32(file)?;
    if length > MAX_META_BYTES {
        return Err(BadSnapshot::Meta);
    }
    let mut meta = Vec::new();
    file.by_ref().take(length.into()).read_to_end(&mut meta)?;
    if read_u32(file)? != crc32c::crc32c(&meta) {
        return Err(BadSnapshot::Meta);
    }
    let meta = raft_message::decode_snapshot_meta(&meta).map_err(BadSnapshot::UnreadableMeta)?;
    let parts = wire::snapshot::read(file).map_err(BadSnapshot::State)?;
    match file.read(&mut [0])? {
        0 => Ok((meta, parts)),
        _ => Err(BadSnapshot::Overlong),
    }
}

fn read_u32(file: &mut impl Read) -> io::Result<u32> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}
