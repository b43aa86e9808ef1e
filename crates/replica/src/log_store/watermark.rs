//! The watermark: a small file beside the log that remembers how much was acknowledged.
//!
//! sled takes the first record it cannot read for the torn end of its log and clears what follows, because it cannot
//! know what its user was told. So a flipped bit in the middle would come back as a shorter log that looks whole, and
//! a vote could go back. The watermark is what tells the two apart: everything up to it was acknowledged, so a log
//! that ends before it is damaged, and one that goes on after it holds writes nobody was told of.
//!
//! It is written after every sync of the log and is not synced itself (except before a truncation): it never promises
//! what is not durable, and after a power cut it may promise a little less than was acknowledged, which weakens the
//! check of the last seconds and nothing else. Two slots are written in turn, each with its own checksum, so that a
//! torn write leaves the one before.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
};

use crate::type_config::Vote;

/// The name of the file.
pub(super) const FILE_NAME: &str = "watermark";

/// How far apart the slots are: in different sectors of any disk.
const SLOT_STRIDE: u64 = 4096;

/// What a slot begins with, and the version of its form.
const MAGIC: [u8; 8] = *b"pclwmk\0\x01";

/// The bytes of a slot: magic, sequence, term, node, committed, last, purged, checksum.
const SLOT_BYTES: usize = 8 + 8 + 8 + 8 + 1 + 8 + 8 + 4;

/// What was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The vote.
    pub(super) vote: Vote,
    /// How many entries the log has had: one more than the last index.
    pub(super) next: u64,
    /// How many of them were purged.
    pub(super) purged_next: u64,
}

/// The file, open for writing.
#[derive(Debug)]
pub(super) struct Watermark {
    file: File,
    sequence: u64,
}

impl Mark {
    /// That nothing was acknowledged.
    pub(super) fn nothing() -> Self {
        Self { vote: Vote::default(), next: 0, purged_next: 0 }
    }
}

impl Watermark {
    /// Creates the file, which must not exist, with nothing acknowledged. The caller syncs the directory.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).read(true).create_new(true).mode(0o600).open(path)?;
        let mut created = Self { file, sequence: 0 };
        created.write(&Mark::nothing())?;
        created.write(&Mark::nothing())?;
        created.file.sync_all()?;
        Ok(created)
    }

    /// Opens the file and reads the newer of its slots; nothing if neither can be read.
    pub(super) fn open(path: &Path) -> io::Result<Option<(Self, Mark)>> {
        let file = OpenOptions::new().write(true).read(true).open(path)?;
        let mut newest: Option<(u64, Mark)> = None;
        for slot in 0..2 {
            let mut bytes = [0; SLOT_BYTES];
            match file.read_exact_at(&mut bytes, slot * SLOT_STRIDE) {
                Ok(()) => {
                    let read = decode(&bytes);
                    if read.map(|(sequence, _)| sequence) > newest.map(|(sequence, _)| sequence) {
                        newest = read;
                    }
                }
                // A slot that was never written whole is like one that is torn.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(error),
            }
        }
        Ok(newest.map(|(sequence, mark)| (Self { file, sequence }, mark)))
    }

    /// Remembers `mark`, in the older slot.
    pub(super) fn write(&mut self, mark: &Mark) -> io::Result<()> {
        self.sequence += 1;
        let slot = self.sequence % 2;
        self.file.write_all_at(&encode(self.sequence, mark), slot * SLOT_STRIDE)
    }

    /// Makes what was remembered durable. Needed only before a truncation, which takes acknowledged entries away.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn encode(sequence: u64, mark: &Mark) -> [u8; SLOT_BYTES] {
    let Mark { vote, next, purged_next } = mark;
    let mut bytes = [0; SLOT_BYTES];
    let (content, sum) = bytes.split_at_mut(SLOT_BYTES - 4);
    let fields = [
        &MAGIC[..],
        &sequence.to_le_bytes(),
        &vote.leader_id.term.to_le_bytes(),
        &vote.leader_id.node_id.to_le_bytes(),
        &[u8::from(vote.committed)],
        &next.to_le_bytes(),
        &purged_next.to_le_bytes(),
    ];
    content.copy_from_slice(&fields.concat());
    sum.copy_from_slice(&crc32c::crc32c(content).to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; SLOT_BYTES]) -> Option<(u64, Mark)> {
    let (content, sum) = bytes.split_at(SLOT_BYTES - 4);
    let fields = content.strip_prefix(&MAGIC)?;
    if crc32c::crc32c(content).to_le_bytes() != sum {
        return None;
    }
    let (sequence, fields) = number(fields)?;
    let (term, fields) = number(fields)?;
    let (node, fields) = number(fields)?;
    let (&committed, fields) = fields.split_first()?;
    let (next, fields) = number(fields)?;
    let (purged_next, _) = number(fields)?;
    let vote = if committed == 1 { Vote::new_committed(term, node) } else { Vote::new(term, node) };
    Some((sequence, Mark { vote, next, purged_next }))
}

fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(next: u64) -> Mark {
        Mark { vote: Vote::new_committed(7, 3), next, purged_next: 2 }
    }

    #[test]
    fn the_last_mark_reads_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(FILE_NAME);
        let mut written = Watermark::create(&path).expect("it is created");
        for next in 1..6 {
            written.write(&mark(next)).expect("it is written");
            let (_, read) = Watermark::open(&path).expect("it is read").expect("a slot is whole");
            assert_eq!(read, mark(next));
        }
    }

    #[test]
    fn a_torn_write_leaves_the_mark_before() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(FILE_NAME);
        let mut written = Watermark::create(&path).expect("it is created");
        written.write(&mark(4)).expect("it is written");
        written.write(&mark(5)).expect("it is written");
        let newest_slot = (written.sequence % 2) * SLOT_STRIDE;
        written.file.write_all_at(&[0xff; 20], newest_slot + 10).expect("it is torn");
        let (_, read) = Watermark::open(&path).expect("it is read").expect("a slot is whole");
        assert_eq!(read, mark(4));
        written.file.write_all_at(&[0xff; 20], SLOT_STRIDE - newest_slot + 10).expect("it is torn");
        assert!(Watermark::open(&path).expect("it is read").is_none());
    }

    /// What version 1 wrote is on disks; these bytes are never edited.
    #[test]
    fn the_bytes_of_version_1_are_fixed() {
        let bytes = [
            &b"pclwmk\0\x01"[..],
            &[9, 0, 0, 0, 0, 0, 0, 0],
            &[7, 0, 0, 0, 0, 0, 0, 0],
            &[3, 0, 0, 0, 0, 0, 0, 0],
            &[1],
            &[0x34, 0x12, 0, 0, 0, 0, 0, 0],
            &[2, 0, 0, 0, 0, 0, 0, 0],
        ]
        .concat();
        let written = encode(9, &mark(0x1234));
        assert_eq!(written[..SLOT_BYTES - 4], bytes);
        assert_eq!(decode(&written), Some((9, mark(0x1234))));
    }
}
