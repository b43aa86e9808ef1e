//! Recovery: reading what the disk holds when the log opens.
//!
//! Every segment is read from its first byte to its last: frames, checksums, chain, and that nothing is missing between.
//! Only the newest segment may end in the rest of a write that a crash cut short; that rest was never acknowledged, and
//! is cut off. What must stay true: nothing is skipped, repaired or guessed; what is not understood is refused.

use std::{
    collections::BTreeSet,
    error::Error,
    io,
    path::{Path, PathBuf},
};

use authority::{
    archive::Position,
    node::{Epoch, Id},
    record::{Body, Seq},
};
use seams::disk::Disk;

use crate::{
    chain::{self, Chain},
    config::MAX_SEGMENT_BYTES,
    error::OpenFailed,
    preface::Preface,
    scan::{Next, Scan},
    segment::{Name, Segment},
};

/// What recovery found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The last record recovered; none in a new log.
    pub previous: Option<Position>,
    /// How many bytes of a torn, never acknowledged tail were cut.
    pub cut_bytes: u64,
    /// Intents of the epoch before that have no outcome.
    pub outcome_unknown: Vec<Seq>,
    /// The first record of the new epoch.
    pub started: Position,
}

/// What the disk holds.
pub(crate) struct Recovered {
    pub(crate) segments: Vec<Segment>,
    pub(crate) last: Option<Position>,
    pub(crate) newest_epoch: Option<Epoch>,
    pub(crate) cut_bytes: u64,
    pub(crate) open: BTreeSet<Seq>,
}

/// Follows the log through its segments.
struct Walk<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    edge: Id,
    chain: Option<Chain>,
    found: Recovered,
}

/// One segment that is being read.
struct Reading<'a> {
    segment: Segment,
    bytes: &'a [u8],
    is_newest: bool,
}

/// A record that stands where its segment's name does not allow it.
#[derive(Debug, thiserror::Error)]
#[error("the first record is not the one the file is named for")]
struct Misnamed;

/// A segment that continues something else than what is there.
#[derive(Debug, thiserror::Error)]
#[error("the segment does not continue the one before it: a segment is missing or was replaced")]
struct Discontinuous;

/// A segment that ends where only the newest may end.
#[derive(Debug, thiserror::Error)]
#[error("the segment is torn, but newer ones follow it")]
struct TornInside;

/// A segment that no setting makes so long.
#[derive(Debug, thiserror::Error)]
#[error("the segment is longer than any this log writes")]
struct TooLong;

/// Reads the log of `edge` in `dir`, and cuts its torn tail.
pub(crate) fn recover(disk: &dyn Disk, dir: &Path, edge: Id) -> Result<Recovered, OpenFailed> {
    let listed = disk.list(dir).map_err(|source| disk_failed("list", dir, source))?;
    // Names sort as their contents do. Files of other names are not the log's.
    let names: Vec<Name> = listed.iter().filter_map(|text| Name::parse(text)).collect();
    let found = Recovered {
        segments: Vec::new(),
        last: None,
        newest_epoch: names.last().map(|name| name.epoch),
        cut_bytes: 0,
        open: BTreeSet::new(),
    };
    let mut walk = Walk { disk, dir, edge, chain: None, found };
    for (at, name) in names.iter().enumerate() {
        walk.segment(*name, at + 1 == names.len())?;
    }
    walk.found.last = walk.chain.and_then(|chain| chain.last());
    if let Some(newest) = walk.found.segments.last() {
        // A process that was killed may have left records that only the operating system holds. The new epoch builds on
        // them, so they must be durable before it is.
        let synced = disk.open_append(&newest.path).and_then(|mut file| file.sync());
        synced.map_err(|source| disk_failed("sync", &newest.path, source))?;
    }
    Ok(walk.found)
}

impl Walk<'_> {
    fn segment(&mut self, name: Name, is_newest: bool) -> Result<(), OpenFailed> {
        let segment = Segment::new(name, self.dir, None);
        let path = segment.path.clone();
        let length = self.disk.len(&path).map_err(|source| disk_failed("measure", &path, source))?;
        let bytes = if length > MAX_SEGMENT_BYTES {
            return Err(self.damaged(&segment, MAX_SEGMENT_BYTES, TooLong));
        } else {
            self.disk.read(&path).map_err(|source| disk_failed("read", &path, source))?
        };
        let begun = Scan::begin(&bytes).map_err(|what| self.damaged(&segment, 0, what))?;
        let reading = Reading { segment, bytes: &bytes, is_newest };
        match begun {
            Some((preface, scan)) => self.records(reading, preface, scan),
            None => self.torn(reading, 0),
        }
    }

    fn records(
        &mut self,
        mut reading: Reading<'_>,
        preface: Preface,
        mut scan: Scan<'_>,
    ) -> Result<(), OpenFailed> {
        if preface.edge != self.edge {
            let path = reading.segment.path;
            return Err(OpenFailed::OtherNode { path, expected: self.edge, found: preface.edge });
        }
        reading.segment.after = preface.after;
        self.goes_on(&reading.segment, &preface)?;
        self.found.open = preface.open.into_iter().collect();
        let first = scan.at();
        loop {
            match scan.next() {
                Next::Record(record) => {
                    let offset = record.offset as u64;
                    self.record(&mut reading.segment, offset, record.bytes, &record.record)?;
                }
                Next::End if scan.at() == first => return self.torn(reading, 0),
                Next::End => {
                    self.keep(reading.segment, reading.bytes.len());
                    return Ok(());
                }
                Next::Torn { .. } if scan.at() == first => return self.torn(reading, 0),
                Next::Torn { offset } => return self.torn(reading, offset),
                Next::Damaged { offset, what } => {
                    return Err(self.damaged(&reading.segment, offset as u64, what));
                }
            }
        }
    }

    /// Checks that the segment continues the log. The oldest that is left says itself what it continues.
    fn goes_on(&mut self, segment: &Segment, preface: &Preface) -> Result<(), OpenFailed> {
        let start = || preface.after.map_or(Chain::new(self.edge), Chain::after);
        let chain = *self.chain.get_or_insert_with(start);
        if chain.last() == preface.after { Ok(()) } else { Err(self.damaged(segment, 0, Discontinuous)) }
    }

    fn record(
        &mut self,
        segment: &mut Segment,
        offset: u64,
        bytes: &[u8],
        record: &authority::record::Record,
    ) -> Result<(), OpenFailed> {
        let is_first = segment.last.is_none();
        if record.epoch != segment.name.epoch || (is_first && record.seq != segment.name.first) {
            return Err(self.damaged(segment, offset, Misnamed));
        }
        let chain = self.chain.as_mut().expect("the preface began the chain");
        let followed = chain.follow(record, chain::hash(bytes));
        segment.last = Some(followed.map_err(|what| self.damaged(segment, offset, what))?);
        segment.note(record.seq, offset);
        match &record.body {
            Body::EpochStarted(_) => self.found.open.clear(),
            Body::Intent(_) => {
                self.found.open.insert(record.seq);
            }
            Body::Outcome(outcome) => {
                self.found.open.remove(&outcome.intent);
            }
            Body::Denied(_) | Body::Refusals(_) => {}
        }
        Ok(())
    }

    fn keep(&mut self, mut segment: Segment, length: usize) {
        segment.written = length as u64;
        segment.synced = length as u64;
        self.found.segments.push(segment);
    }

    /// Cuts the newest segment at `offset`. One that holds no whole record goes as a whole.
    fn torn(&mut self, reading: Reading<'_>, offset: usize) -> Result<(), OpenFailed> {
        let Reading { segment, bytes, is_newest } = reading;
        if !is_newest {
            return Err(self.damaged(&segment, offset as u64, TornInside));
        }
        let cut = (bytes.len() - offset) as u64;
        tracing::warn!(path = %segment.path.display(), offset, cut, "cutting the torn tail of the write-ahead log");
        self.found.cut_bytes = cut;
        if offset == 0 {
            self.disk.remove(&segment.path).map_err(|source| disk_failed("remove", &segment.path, source))?;
            return self.disk.sync_dir(self.dir).map_err(|source| disk_failed("sync", self.dir, source));
        }
        let truncated = self.disk.truncate(&segment.path, offset as u64);
        truncated.map_err(|source| disk_failed("cut", &segment.path, source))?;
        self.keep(segment, offset);
        Ok(())
    }

    fn damaged(
        &self,
        segment: &Segment,
        offset: u64,
        what: impl Error + Send + Sync + 'static,
    ) -> OpenFailed {
        let after_seq = segment.last.or(segment.after).filter(|last| last.epoch == segment.name.epoch);
        OpenFailed::Damaged {
            path: segment.path.clone(),
            offset,
            epoch: segment.name.epoch,
            after_seq: after_seq.map_or(0, |last| last.seq),
            what: what.into(),
        }
    }
}

pub(crate) fn disk_failed(action: &'static str, path: &Path, source: io::Error) -> OpenFailed {
    OpenFailed::Disk { action, path: PathBuf::from(path), source }
}
