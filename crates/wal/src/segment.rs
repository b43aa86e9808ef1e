//! Segments: the files of the log, their names, and what readers know of them while the writer goes on.
//!
//! What must stay true: names sort as their contents do; a reader looks only at the synced prefix of a segment; a
//! segment is trimmed whole or not at all, and the newest one never, so that a log always knows its last record.

use std::path::{Path, PathBuf};

use authority::{
    archive::Position,
    node::{self, Epoch},
    record::Seq,
};

/// A place in the index every so many bytes: what a reader scans at most before the record it looks for.
const INDEX_BYTES: u64 = 64 << 10;

const PREFIX: &str = "wal-";
const SUFFIX: &str = ".log";

/// The name of a segment: the epoch and the sequence number of its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) epoch: Epoch,
    pub(crate) first: Seq,
}

/// One segment, as readers see it.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) name: Name,
    pub(crate) path: PathBuf,
    /// The last record before the segment.
    pub(crate) after: Option<Position>,
    /// Up to here its bytes are durable.
    pub(crate) synced: u64,
    /// The whole length, as far as it is written.
    pub(crate) written: u64,
    /// The last durable record in it.
    pub(crate) last: Option<Position>,
    /// Where some of its records begin, in order.
    index: Vec<(Seq, u64)>,
}

impl Name {
    /// Reads a file name; none for the name of anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (epoch, first) = text.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-')?;
        Some(Self { epoch: Epoch(digits(epoch)?), first: Seq(digits(first)?) })
    }

    /// The file name, padded so that names sort as numbers do.
    pub(crate) fn file_name(self) -> String {
        format!("{PREFIX}{:020}-{:020}{SUFFIX}", self.epoch.0, self.first.0)
    }
}

impl Segment {
    pub(crate) fn new(name: Name, dir: &Path, after: Option<Position>) -> Self {
        let path = dir.join(name.file_name());
        Self { name, path, after, synced: 0, written: 0, last: None, index: Vec::new() }
    }

    /// Notes that the record `seq` begins at `offset`; kept if the last kept place is far enough back.
    pub(crate) fn note(&mut self, seq: Seq, offset: u64) {
        let last = self.index.last().map(|(_, at)| *at);
        if last.is_none_or(|last| offset >= last + INDEX_BYTES) {
            self.index.push((seq, offset));
        }
    }

    /// Where to begin reading to find `seq`: at it or a little before.
    pub(crate) fn offset_before(&self, seq: Seq) -> u64 {
        let beyond = self.index.partition_point(|(indexed, _)| *indexed <= seq);
        beyond.checked_sub(1).map_or(0, |at| self.index[at].1)
    }

    /// Whether every record in the segment is at or before `position`.
    pub(crate) fn is_below(&self, position: &Position) -> bool {
        self.last.is_some_and(|last| last.place() <= position.place())
    }
}

/// The order of positions of one edge.
pub(crate) trait Place {
    /// Epoch, then sequence number.
    fn place(&self) -> (Epoch, u64);
}

impl Place for Position {
    fn place(&self) -> (Epoch, u64) {
        (self.epoch, self.seq)
    }
}

/// The position of `edge` among `positions`.
pub(crate) fn position_of(edge: node::Id, positions: &[Position]) -> Option<Position> {
    positions.iter().find(|position| position.edge == edge).copied()
}

/// Twenty digits, which hold any `u64`, and nothing else.
fn digits(text: &str) -> Option<u64> {
    (text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_sorts_as_its_numbers() {
        let names = [(1, 1), (1, 900), (2, 1), (10, 1), (u64::MAX, u64::MAX)]
            .map(|(epoch, first)| Name { epoch: Epoch(epoch), first: Seq(first) });
        let texts = names.map(Name::file_name);
        assert!(texts.is_sorted());
        assert_eq!(texts.map(|text| Name::parse(&text)), names.map(Some));
    }

    #[test]
    fn other_files_have_no_segment_name() {
        for text in ["wal-1-1.log", "wal-00000000000000000001.log", "lock", "wal-0000000000000000000+-x.log"]
        {
            assert_eq!(Name::parse(text), None);
        }
    }

    #[test]
    fn the_index_finds_a_place_at_or_before_a_record() {
        let name = Name { epoch: Epoch(1), first: Seq(1) };
        let mut segment = Segment::new(name, Path::new("d"), None);
        for (seq, offset) in [(1, 100), (2, 200), (3, 100 + INDEX_BYTES), (4, 3 * INDEX_BYTES)] {
            segment.note(Seq(seq), offset);
        }
        let found = [0, 1, 2, 3, 4, 9].map(|seq| segment.offset_before(Seq(seq)));
        assert_eq!(found, [0, 100, 100, 100 + INDEX_BYTES, 3 * INDEX_BYTES, 3 * INDEX_BYTES]);
    }
}
