//! The segment file: some leaves of the archive, in order, with what they continue.
//!
//! ```text
//!   "portcullis segment 1\n"
//!   header   frame: height, previous size, previous root, name of the previous segment
//!   leaf     frame: kind (1 event, 2 record) and the encoded bytes, as their writer made them
//!   …
//!   end      frame: kind 0xff and the number of leaves, so that a truncated file is seen
//!
//!   frame = length (u32, big-endian) · CRC-32C (u32, big-endian) of the payload · payload
//! ```
//!
//! A checksum tells damage from intent; what makes the file trustworthy is the signed tree over its leaves. A file is
//! made once, with create-only, and never changed.

use crate::merkle::Hash;

/// What every segment begins with.
const MAGIC: &[u8] = b"portcullis segment 1\n";

/// The kind byte of the last frame.
const END: u8 = 0xff;

/// The largest leaf, in bytes: far above the largest record the write-ahead log takes.
pub const MAX_LEAF_BYTES: usize = 1024 * 1024;

/// The most leaves of one segment.
pub const MAX_LEAVES: usize = 100_000;

/// The longest name of a segment, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// What a segment continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The height of the head this segment belongs to.
    pub height: u64,
    /// The size of the tree before it.
    pub previous_size: u64,
    /// The root of the tree before it.
    pub previous_root: Hash,
    /// The name of the segment before it; empty for the first.
    pub previous_segment: String,
}

/// One leaf: the bytes the tree is made over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// An event, as `wire::event` encodes it.
    Event(Vec<u8>),
    /// A record, as `wire::record` encodes it.
    Record(Vec<u8>),
}

/// A whole segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it continues.
    pub header: Header,
    /// Its leaves, in order.
    pub leaves: Vec<Leaf>,
}

/// Why bytes are no segment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It does not begin as a segment does.
    #[error("the file is no segment of a version this program knows")]
    Magic,
    /// A frame is cut short.
    #[error("the file ends inside the frame at byte {offset}")]
    Truncated {
        /// Where the frame begins.
        offset: usize,
    },
    /// A frame does not match its checksum.
    #[error("the frame at byte {offset} does not match its checksum")]
    Checksum {
        /// Where the frame begins.
        offset: usize,
    },
    /// A frame holds what no writer writes.
    #[error("the frame at byte {offset} holds no {expected}")]
    Frame {
        /// Where the frame begins.
        offset: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// There are bytes after the end, or fewer leaves than it counts.
    #[error("the end of the file does not match its leaves")]
    End,
}

impl Leaf {
    /// The bytes the tree hashes: the kind and the encoded value, so that no event can stand for a record.
    pub fn bytes(&self) -> Vec<u8> {
        let (kind, encoded) = match self {
            Self::Event(encoded) => (1, encoded),
            Self::Record(encoded) => (2, encoded),
        };
        [&[kind], encoded.as_slice()].concat()
    }

    fn read(payload: &[u8]) -> Option<Self> {
        match payload.split_first()? {
            (1, encoded) => Some(Self::Event(encoded.to_vec())),
            (2, encoded) => Some(Self::Record(encoded.to_vec())),
            _ => None,
        }
    }
}

impl Segment {
    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        push_frame(&mut file, &self.header.encode());
        for leaf in &self.leaves {
            push_frame(&mut file, &leaf.bytes());
        }
        let count = u64::try_from(self.leaves.len()).expect("a length fits 64 bits");
        push_frame(&mut file, &[&[END], count.to_be_bytes().as_slice()].concat());
        file
    }

    /// Reads the bytes of a file.
    pub fn decode(file: &[u8]) -> Result<Self, Malformed> {
        let mut at = file.strip_prefix(MAGIC).map(|_| MAGIC.len()).ok_or(Malformed::Magic)?;
        let header = Header::decode(take_frame(file, &mut at)?)
            .ok_or(Malformed::Frame { offset: MAGIC.len(), expected: "header" })?;
        let mut leaves = Vec::new();
        loop {
            let offset = at;
            let payload = take_frame(file, &mut at)?;
            if let Some((&END, count)) = payload.split_first() {
                let counted = u64::try_from(leaves.len()).expect("a length fits 64 bits");
                let whole = at == file.len() && *count == counted.to_be_bytes();
                return if whole { Ok(Self { header, leaves }) } else { Err(Malformed::End) };
            }
            if leaves.len() == MAX_LEAVES {
                return Err(Malformed::Frame { offset, expected: "end" });
            }
            leaves.push(Leaf::read(payload).ok_or(Malformed::Frame { offset, expected: "leaf" })?);
        }
    }
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut payload = self.height.to_be_bytes().to_vec();
        payload.extend(self.previous_size.to_be_bytes());
        payload.extend(self.previous_root);
        payload.extend(self.previous_segment.as_bytes());
        payload
    }

    fn decode(payload: &[u8]) -> Option<Self> {
        let (height, rest) = payload.split_first_chunk::<8>()?;
        let (previous_size, rest) = rest.split_first_chunk::<8>()?;
        let (previous_root, name) = rest.split_first_chunk::<32>()?;
        if name.len() > MAX_NAME_BYTES {
            return None;
        }
        Some(Self {
            height: u64::from_be_bytes(*height),
            previous_size: u64::from_be_bytes(*previous_size),
            previous_root: *previous_root,
            previous_segment: std::str::from_utf8(name).ok()?.to_owned(),
        })
    }
}

fn push_frame(file: &mut Vec<u8>, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("leaves are bounded far below 4 GiB");
    file.extend(length.to_be_bytes());
    file.extend(crc32c::crc32c(payload).to_be_bytes());
    file.extend(payload);
}

fn take_frame<'file>(file: &'file [u8], at: &mut usize) -> Result<&'file [u8], Malformed> {
    let offset = *at;
    let truncated = Malformed::Truncated { offset };
    let (length, rest) = file[offset..].split_first_chunk::<4>().ok_or_else(|| truncated.clone())?;
    let (checksum, rest) = rest.split_first_chunk::<4>().ok_or_else(|| truncated.clone())?;
    let length = usize::try_from(u32::from_be_bytes(*length)).expect("32 bits fit");
    if length > MAX_LEAF_BYTES + 1 {
        return Err(Malformed::Frame { offset, expected: "length within bounds" });
    }
    let payload = rest.get(..length).ok_or(truncated)?;
    if crc32c::crc32c(payload) != u32::from_be_bytes(*checksum) {
        return Err(Malformed::Checksum { offset });
    }
    *at = offset + 8 + length;
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment() -> Segment {
        Segment {
            header: Header {
                height: 3,
                previous_size: 17,
                previous_root: [9; 32],
                previous_segment: "segments/2".to_owned(),
            },
            leaves: vec![
                Leaf::Event(b"event".to_vec()),
                Leaf::Record(b"record".to_vec()),
                Leaf::Record(Vec::new()),
            ],
        }
    }

    #[test]
    fn a_segment_reads_back() {
        assert_eq!(Segment::decode(&segment().encode()), Ok(segment()));
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_seen() {
        let file = segment().encode();
        for length in 0..file.len() {
            assert!(Segment::decode(&file[..length]).is_err(), "cut to {length}");
        }
        for at in 0..file.len() {
            let mut flipped = file.clone();
            flipped[at] ^= 1;
            assert!(Segment::decode(&flipped).is_err(), "flipped at {at}");
        }
        assert_eq!(Segment::decode(&[file.as_slice(), b"x"].concat()), Err(Malformed::End));
    }

    #[test]
    fn an_event_never_has_the_leaf_bytes_of_a_record() {
        assert_ne!(Leaf::Event(b"x".to_vec()).bytes(), Leaf::Record(b"x".to_vec()).bytes());
    }
}
