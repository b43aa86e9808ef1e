//! The segment file: some leaves of the archive, in order, with what they continue.
//!
//! ```text
//!   "portcullis segment 1\n"
//!   header   frame: number of hashes (u8), the frontier of the tree before, the head before (`wire::head`)
//!   leaf     frame: kind (1 event, 2 record) and the encoded bytes, as their writer made them
//!   …
//!   end      frame: kind 0xff and the number of leaves (u64, little-endian), so that a truncated file is seen
//! ```
//!
//! Frames are those of the write-ahead log ([`wal::frame`]). A checksum tells damage from intent; what makes the file
//! trustworthy is the signed tree over its leaves. Because the header holds the head before, as the cluster agreed on it,
//! segments are a chain that can be walked back, a reader finds its place by searching heights, and an archiver goes on
//! from the newest segment alone. A file is made once, with create-only, and never changed.

use authority::archive::Head;
use bytes::Bytes;
use wal::frame::{self, Defect, Read};

use crate::merkle::{MAX_FRONTIER, Tree};

/// What every segment begins with.
const MAGIC: &[u8] = b"portcullis segment 1\n";

/// The kind of an event.
const EVENT: u8 = 1;

/// The kind of a record.
const RECORD: u8 = 2;

/// The kind byte of the last frame.
const END: u8 = 0xff;

/// The longest frame, in bytes: twice the longest record of a write-ahead log, and more than any event, which came
/// through an entry of 64 KiB, or any head.
const MAX_FRAME_BYTES: usize = 2 << 20;

/// What a segment continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The head before; [`Head::empty`] for the first segment.
    pub before: Head,
    /// The tree of that head.
    pub tree: Tree,
}

/// One leaf: the bytes the tree is made over, which are a kind and an encoded value, so that no event can stand for a
/// record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    bytes: Bytes,
}

/// What a leaf holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoded<'leaf> {
    /// An event, as `wire::event` encodes it.
    Event(&'leaf [u8]),
    /// A record, as `wire::record` encodes it.
    Record(&'leaf [u8]),
}

/// A whole segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it continues.
    pub header: Header,
    /// Its leaves, in order.
    pub leaves: Vec<Leaf>,
}

/// Reads the leaves of a segment one after the other.
pub struct Leaves {
    file: Bytes,
    at: usize,
    read: u64,
    ended: bool,
}

/// Why bytes are no segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// It does not begin as a segment does.
    #[error("the file is no segment of a version this program knows")]
    Magic,
    /// There is no whole frame.
    #[error("there is no whole frame at byte {offset}")]
    Frame {
        /// Where it should be.
        offset: usize,
        /// Why.
        #[source]
        source: Defect,
    },
    /// A frame holds what no writer writes.
    #[error("the frame at byte {offset} holds no {expected}")]
    Content {
        /// Where the frame begins.
        offset: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// There are bytes after the end, or another number of leaves than it counts.
    #[error("the end of the file does not match its leaves")]
    End,
}

impl Leaf {
    /// The leaf of an event, from its encoded bytes.
    pub fn event(encoded: &[u8]) -> Self {
        Self { bytes: [&[EVENT], encoded].concat().into() }
    }

    /// The leaf of a record, from its encoded bytes.
    pub fn record(encoded: &[u8]) -> Self {
        Self { bytes: [&[RECORD], encoded].concat().into() }
    }

    /// The bytes the tree hashes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it holds.
    pub fn encoded(&self) -> Encoded<'_> {
        let (kind, encoded) = self.bytes.split_first().expect("a leaf is made with its kind");
        if *kind == EVENT { Encoded::Event(encoded) } else { Encoded::Record(encoded) }
    }

    fn read(bytes: Bytes) -> Option<Self> {
        matches!(bytes.first(), Some(&(EVENT | RECORD))).then_some(Self { bytes })
    }
}

impl Segment {
    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        frame::push(&mut file, &self.header.encode());
        for leaf in &self.leaves {
            frame::push(&mut file, leaf.bytes());
        }
        let count = (self.leaves.len() as u64).to_le_bytes();
        frame::push(&mut file, &[&[END], count.as_slice()].concat());
        file
    }

    /// Reads the bytes of a whole file.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn decode(file: Bytes) -> Result<Self, Malformed> {
        let (header, mut rest) = open(file)?;
        let mut leaves = Vec::new();
        while let Some(leaf) = rest.read_next()? {
            leaves.push(leaf);
        }
        Ok(Self { header, leaves })
    }
}

/// Reads what the bytes of a file continue; its leaves come one by one.
///
/// # Errors
/// [`Malformed`].
pub fn open(file: Bytes) -> Result<(Header, Leaves), Malformed> {
    if !file.starts_with(MAGIC) {
        return Err(Malformed::Magic);
    }
    let mut leaves = Leaves { file, at: MAGIC.len(), read: 0, ended: false };
    let content = Malformed::Content { offset: MAGIC.len(), expected: "header" };
    let header = Header::decode(&leaves.frame()?).ok_or(content)?;
    Ok((header, leaves))
}

impl Leaves {
    /// The next leaf; none behind the last, when the end of the file has been checked too.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read_next(&mut self) -> Result<Option<Leaf>, Malformed> {
        if self.ended {
            return Ok(None);
        }
        let offset = self.at;
        let payload = self.frame()?;
        if let Some((&END, count)) = payload.split_first() {
            self.ended = *count == self.read.to_le_bytes() && self.at == self.file.len();
            return if self.ended { Ok(None) } else { Err(Malformed::End) };
        }
        self.read += 1;
        Leaf::read(payload).map(Some).ok_or(Malformed::Content { offset, expected: "leaf" })
    }

    fn frame(&mut self) -> Result<Bytes, Malformed> {
        let offset = self.at;
        match frame::read(&self.file, offset, MAX_FRAME_BYTES) {
            Read::Whole { payload, end } => {
                let payload = self.file.slice_ref(payload);
                self.at = end;
                Ok(payload)
            }
            Read::Bad(source) => Err(Malformed::Frame { offset, source }),
            Read::End => Err(Malformed::Frame { offset, source: Defect::CutShort }),
        }
    }
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let frontier = self.tree.frontier();
        let mut payload = vec![u8::try_from(frontier.len()).expect("a frontier has at most 64 hashes")];
        payload.extend(frontier.as_flattened());
        payload.extend(wire::head::encode(&self.before));
        payload
    }

    fn decode(payload: &[u8]) -> Option<Self> {
        let (count, rest) = payload.split_first()?;
        let count = usize::from(*count);
        if count > MAX_FRONTIER {
            return None;
        }
        let (frontier, head) = rest.split_at_checked(32 * count)?;
        let (hashes, _) = frontier.as_chunks::<32>();
        let before = wire::head::decode(head).ok()?;
        let tree = Tree::from_frontier(before.size, hashes.to_vec())?;
        // The root is what the cluster agreed on, so a frontier that gives it is the right one.
        (tree.root() == before.root).then_some(Self { before, tree })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment() -> Segment {
        let mut tree = Tree::new();
        (0..13_u8).for_each(|at| tree.append(&[at]));
        let before = Head {
            height: 3,
            size: tree.size(),
            root: tree.root(),
            segment: "segments/2".to_owned(),
            ..Head::empty()
        };
        Segment {
            header: Header { before, tree },
            leaves: vec![Leaf::event(b"event"), Leaf::record(b"record"), Leaf::record(b"")],
        }
    }

    #[test]
    fn a_segment_reads_back() {
        let first =
            Segment { header: Header { before: Head::empty(), tree: Tree::new() }, leaves: Vec::new() };
        for segment in [segment(), first] {
            assert_eq!(Segment::decode(segment.encode().into()), Ok(segment));
        }
        let leaves = segment().leaves;
        assert_eq!(leaves[0].encoded(), Encoded::Event(b"event"));
        assert_eq!(leaves[2].encoded(), Encoded::Record(b""));
    }

    /// Archives are read for ever: the bytes of version 1 never change. Beside the head before, whose bytes `wire` keeps
    /// golden, they are these.
    #[test]
    fn the_bytes_of_a_segment_are_fixed() {
        let leaves = vec![Leaf::event(b"e"), Leaf::record(b"r")];
        let header = Header { before: Head::empty(), tree: Tree::new() };
        let head = [&[0], wire::head::encode(&header.before).as_slice()].concat();
        let file = Segment { header, leaves }.encode();
        let mut expected = b"portcullis segment 1\n".to_vec();
        frame::push(&mut expected, &head);
        let leaf = |bytes: &[u8], sum: [u8; 4]| [&[2, 0, 0, 0], &sum[..], bytes].concat();
        expected.extend(leaf(b"\x01e", [64, 195, 51, 203]));
        expected.extend(leaf(b"\x02r", [93, 200, 64, 59]));
        expected.extend([9, 0, 0, 0, 156, 102, 41, 10, 0xff, 2, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(file, expected);
    }

    #[test]
    fn every_changed_missing_or_added_byte_is_seen() {
        let file = segment().encode();
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(Segment::decode(changed.into()).is_err(), "byte {at} changed");
            assert!(Segment::decode(file[..at].to_vec().into()).is_err(), "cut to {at} bytes");
        }
        assert_eq!(Segment::decode([file.as_slice(), b"x"].concat().into()), Err(Malformed::End));
    }

    #[test]
    fn a_frontier_that_is_not_the_heads_is_refused() {
        let mut forged = segment();
        forged.header.before.root = [9; 32];
        let refused = Malformed::Content { offset: MAGIC.len(), expected: "header" };
        assert_eq!(Segment::decode(forged.encode().into()), Err(refused));
    }
}
