//! Snapshots: the whole state as a stream of small items.
//!
//! ```text
//!   magic │ header │ principals, servers, … events, each an item │ end
//!         └─ every item: length (4 bytes, little-endian) │ CRC-32C of length and item (4 bytes) │ item ─┘
//! ```
//!
//! A state of a million grants never is one message, and a reader holds one item at a time beside the state it builds.
//! What must stay true: a snapshot that is cut short, has a flipped bit, a missing or repeated item or anything behind
//! its end is refused; and the same state always gives the same bytes.

mod assembly;
mod frame;
mod items;

use std::io::{self, Read, Write};

use authority::snapshot::Parts;

use self::assembly::Assembly;
use crate::{canonical, malformed::Malformed, pb::replica::v1 as pb};

pub use self::frame::MAX_ITEM_BYTES;

/// What every snapshot begins with, whatever its version.
pub const MAGIC: &[u8; 8] = b"pcsnap\r\n";

/// A snapshot could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailed {
    /// Reading from the source failed.
    #[error("the snapshot could not be read")]
    Io(#[from] io::Error),
    /// It does not begin with [`MAGIC`].
    #[error("this is not a snapshot")]
    NotASnapshot,
    /// It has a version this one does not know.
    #[error("the snapshot has format {format}, which this version cannot read")]
    UnknownFormat {
        /// The format its header names.
        format: u32,
    },
    /// It ends before its end item.
    #[error("the snapshot is cut short after {items} items")]
    CutShort {
        /// How many whole items there are, the header included.
        items: u64,
    },
    /// An item is longer than [`MAX_ITEM_BYTES`].
    #[error("item {item} of the snapshot has {bytes} bytes, more than {MAX_ITEM_BYTES}")]
    TooLong {
        /// Which item; the header is 0.
        item: u64,
        /// How many bytes it says it has.
        bytes: u32,
    },
    /// The checksum of an item is another one.
    #[error("item {item} of the snapshot is damaged: its checksum does not match")]
    Checksum {
        /// Which item; the header is 0.
        item: u64,
    },
    /// An item cannot be understood.
    #[error("item {item} of the snapshot is malformed")]
    Item {
        /// Which item; the header is 0.
        item: u64,
        /// What is wrong with it.
        #[source]
        malformed: Malformed,
    },
    /// An item does not stand where it should: its kind or its id is not greater than the one before.
    #[error("item {item} of the snapshot is out of place")]
    OutOfPlace {
        /// Which item; the header is 0.
        item: u64,
    },
    /// The end item counts other items than there are.
    #[error("the snapshot has {items} items, its end says {counted}")]
    Count {
        /// How many there are between header and end.
        items: u64,
        /// How many the end says.
        counted: u64,
    },
    /// There is something behind the end item.
    #[error("there is something behind the end of the snapshot")]
    Trailing,
}

/// Writes `parts` to `out`, in many small writes; give it a buffered writer. Fails with `InvalidData` if an item is
/// beyond [`MAX_ITEM_BYTES`], which no state that came from commands has.
pub fn write(parts: &Parts, out: &mut impl Write) -> io::Result<()> {
    out.write_all(MAGIC)?;
    let mut frame = Vec::new();
    let mut items = 0;
    frame::write(out, &mut frame, &items::header(parts))?;
    for item in items::all(parts) {
        items += 1;
        frame::write(out, &mut frame, &item)?;
    }
    let end = pb::snapshot_item::Item::End(pb::SnapshotEnd { items });
    frame::write(out, &mut frame, &pb::SnapshotItem { item: Some(end) })
}

/// Reads a snapshot, which must end where `input` ends, in many small reads; give it a buffered reader.
pub fn read(input: &mut impl Read) -> Result<Parts, ReadFailed> {
    let mut magic = [0; MAGIC.len()];
    if frame::fill(input, &mut magic)? != magic.len() || magic != *MAGIC {
        return Err(ReadFailed::NotASnapshot);
    }
    let mut bytes = Vec::new();
    frame::read(input, &mut bytes, 0)?;
    let mut assembly = Assembly::begin(item(&bytes, 0)?)?;
    loop {
        let number = assembly.items() + 1;
        frame::read(input, &mut bytes, number)?;
        if let Some(parts) = assembly.take(item(&bytes, number)?)? {
            let more = frame::fill(input, &mut [0])?;
            return if more == 0 { Ok(parts) } else { Err(ReadFailed::Trailing) };
        }
    }
}

fn item(bytes: &[u8], number: u64) -> Result<pb::SnapshotItem, ReadFailed> {
    canonical::decode("snapshot_item", bytes)
        .map_err(|malformed| ReadFailed::Item { item: number, malformed })
}

#[cfg(test)]
mod tests;
