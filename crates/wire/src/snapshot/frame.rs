//! One item on disk: its length, a checksum over length and item, and the item.

use std::io::{self, Read, Write};

use prost::Message;

use super::ReadFailed;
use crate::pb::replica::v1::SnapshotItem;

/// The longest item, in bytes. The largest value the authority's bounds admit is a grant of 64 scopes with 768 patterns
/// of 512 bytes each, some 25 MB; a reader takes memory only for bytes that are there.
pub const MAX_ITEM_BYTES: u32 = 32 * 1024 * 1024;

/// Length and checksum, 4 bytes each, little-endian.
const PREFIX_BYTES: usize = 8;

/// Writes one item. `frame` is room that is used again from item to item.
pub(super) fn write(out: &mut impl Write, frame: &mut Vec<u8>, item: &SnapshotItem) -> io::Result<()> {
    let bytes = u32::try_from(item.encoded_len()).ok().filter(|bytes| *bytes <= MAX_ITEM_BYTES);
    let bytes = bytes.ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidData, "an item of the snapshot is beyond its bound")
    })?;
    frame.clear();
    frame.extend_from_slice(&bytes.to_le_bytes());
    frame.extend_from_slice(&[0; 4]);
    item.encode(frame).expect("a vector grows as needed");
    let sum = checksum(bytes, &frame[PREFIX_BYTES..]);
    frame[4..PREFIX_BYTES].copy_from_slice(&sum.to_le_bytes());
    out.write_all(frame)
}

/// Reads the bytes of item `number` into `item`, and checks them.
pub(super) fn read(input: &mut impl Read, item: &mut Vec<u8>, number: u64) -> Result<(), ReadFailed> {
    let mut prefix = [0; PREFIX_BYTES];
    if fill(input, &mut prefix)? != PREFIX_BYTES {
        return Err(ReadFailed::CutShort { items: number });
    }
    let [l0, l1, l2, l3, s0, s1, s2, s3] = prefix;
    let (bytes, sum) = (u32::from_le_bytes([l0, l1, l2, l3]), u32::from_le_bytes([s0, s1, s2, s3]));
    if bytes > MAX_ITEM_BYTES {
        return Err(ReadFailed::TooLong { item: number, bytes });
    }
    item.clear();
    let read = input.by_ref().take(bytes.into()).read_to_end(item)?;
    if u64::try_from(read).ok() != Some(bytes.into()) {
        return Err(ReadFailed::CutShort { items: number });
    }
    if checksum(bytes, item) != sum {
        return Err(ReadFailed::Checksum { item: number });
    }
    Ok(())
}

/// Reads until `buffer` is full or the input ends; answers how many bytes were read.
pub(super) fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn checksum(bytes: u32, item: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes.to_le_bytes()), item)
}
