//! Reading records out, for whoever copies them elsewhere, and trimming what the cluster agreed is safe there.
//!
//! Readers work beside the writer, on files that only grow. What must stay true: a reader sees synced bytes only, in the
//! order of the chain, beginning right after the position it names; where that is not possible it gets an error and
//! never a gap.

use std::{io, path::Path};

use authority::{
    archive::Position,
    record::{Record, Seq},
};
use bytes::Bytes;

use crate::{
    chain::{self, Chain},
    config::MAX_RECORD_BYTES,
    error::ReadFailed,
    frame::{self, Defect, Read},
    preface,
    segment::{Place, Segment},
    shared::Shared,
};

/// The most bytes that are read from a file at once; any frame fits.
const CHUNK_BYTES: usize = 2 << 20;

/// The most bytes of records one call answers, so that a large limit cannot take all memory.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The record.
    pub record: Record,
    /// Its encoded bytes, as `wire` wrote them when it was recorded.
    pub bytes: Bytes,
    /// SHA-256 of the bytes: what the next record names.
    pub hash: [u8; 32],
}

impl Stored {
    /// Its place in the chain.
    pub fn position(&self) -> Position {
        let Record { edge, epoch, seq, .. } = self.record;
        Position { edge, epoch, seq: seq.0, hash: self.hash }
    }
}

/// The records that follow a position.
struct Collect {
    after: Option<Position>,
    chain: Chain,
    limit: usize,
    bytes: usize,
    found: Vec<Stored>,
}

impl Shared {
    /// At most `limit` synced records after `after`, in order; from the beginning if there is none.
    pub(crate) fn read_after(
        &self,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<Stored>, ReadFailed> {
        let durable = *self.durable.borrow();
        if let Some(after) = after.filter(|after| after.place() > durable.place()) {
            return Err(ReadFailed::Behind { epoch: after.epoch, seq: after.seq });
        }
        let segments = self.segments_from(after)?;
        let chain = after.map_or(Chain::new(self.edge), Chain::after);
        let mut collect = Collect { after, chain, limit, bytes: 0, found: Vec::new() };
        for (segment, offset) in &segments {
            if collect.is_full() {
                break;
            }
            self.read_segment(segment, *offset, &mut collect)?;
        }
        Ok(collect.found)
    }

    /// The segments that hold records after `after`, and where to begin in each.
    fn segments_from(&self, after: Option<Position>) -> Result<Vec<(Segment, u64)>, ReadFailed> {
        let segments = self.segments();
        let before = |segment: &&Segment| match after {
            Some(after) => segment.is_below(&after),
            None => false,
        };
        // The newest segment may hold nothing durable yet; it is never below a position.
        let skipped = segments.iter().take_while(before).count();
        let oldest = segments.get(skipped);
        let reaches_back = oldest.is_none_or(|oldest| match (oldest.after, after) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(begins), Some(after)) => begins.place() <= after.place(),
        });
        if !reaches_back {
            return Err(ReadFailed::Trimmed);
        }
        let begin = |segment: &Segment| match after {
            Some(after) if after.epoch == segment.name.epoch => segment.offset_before(Seq(after.seq)),
            _ => 0,
        };
        Ok(segments[skipped..].iter().map(|segment| (segment.clone(), begin(segment))).collect())
    }

    fn read_segment(&self, segment: &Segment, begin: u64, collect: &mut Collect) -> Result<(), ReadFailed> {
        let mut at = begin;
        while at < segment.synced && !collect.is_full() {
            let want = usize::try_from(segment.synced - at).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
            let chunk = self
                .disk
                .read_range(&segment.path, at, want)
                .map_err(|source| gone(&segment.path, source))?;
            let taken = take_frames(segment, at, &chunk, collect)?;
            if taken == 0 {
                let what = Defect::CutShort.into();
                return Err(ReadFailed::Damaged { path: segment.path.clone(), offset: at, what });
            }
            at += taken as u64;
        }
        Ok(())
    }

    /// Removes the segments whose every record is at or before `position`. Never the newest.
    pub(crate) fn trim_below(&self, position: &Position) {
        let mut removed = false;
        loop {
            let oldest = {
                let segments = self.segments();
                segments.first().filter(|oldest| segments.len() > 1 && oldest.is_below(position)).cloned()
            };
            let Some(oldest) = oldest else { break };
            match self.disk.remove(&oldest.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    // It is tried again with the next position.
                    tracing::warn!(path = %oldest.path.display(), %error, "cannot remove an archived segment");
                    break;
                }
                Ok(()) | Err(_) => {
                    self.segments().remove(0);
                    removed = true;
                }
            }
        }
        if removed && let Err(error) = self.disk.sync_dir(&self.config.dir) {
            // After a power cut the segment is there again, and is trimmed again.
            tracing::warn!(%error, "cannot make durable that archived segments are gone");
        }
    }
}

impl Collect {
    fn is_full(&self) -> bool {
        self.found.len() >= self.limit || self.bytes >= MAX_ANSWER_BYTES
    }

    /// Takes a record if it comes after the position.
    fn take(&mut self, payload: &[u8], record: Record, at: &Spot<'_>) -> Result<(), ReadFailed> {
        let place = (record.epoch, record.seq.0);
        let hash = chain::hash(payload);
        if let Some(after) = self.after.filter(|after| place <= after.place()) {
            if place == after.place() && hash != after.hash {
                return Err(ReadFailed::Diverged { epoch: after.epoch, seq: after.seq });
            }
            return Ok(());
        }
        self.chain.follow(&record, hash).map_err(|source| ReadFailed::Chain {
            path: at.path.to_owned(),
            offset: at.offset,
            source,
        })?;
        self.bytes += payload.len();
        self.found.push(Stored { record, bytes: Bytes::copy_from_slice(payload), hash });
        Ok(())
    }
}

/// Takes the whole frames of `chunk`, which begins at `begin` of the segment, and tells how many bytes they had.
fn take_frames(
    segment: &Segment,
    begin: u64,
    chunk: &[u8],
    collect: &mut Collect,
) -> Result<usize, ReadFailed> {
    let mut at = 0;
    while !collect.is_full() {
        let offset = begin + at as u64;
        let damaged = |what: Box<dyn std::error::Error + Send + Sync>| ReadFailed::Damaged {
            path: segment.path.clone(),
            offset,
            what,
        };
        let max = if offset == 0 { preface::MAX_BYTES } else { MAX_RECORD_BYTES };
        match frame::read(chunk, at, max) {
            Read::End | Read::Bad(Defect::CutShort) => break,
            Read::Bad(defect) => return Err(damaged(defect.into())),
            Read::Whole { end, .. } if offset == 0 => at = end,
            Read::Whole { payload, end } => {
                let record = wire::record::decode(payload).map_err(|malformed| damaged(malformed.into()))?;
                collect.take(payload, record, &Spot { path: &segment.path, offset })?;
                at = end;
            }
        }
    }
    Ok(at)
}

/// Where a record stands, for an error.
struct Spot<'a> {
    path: &'a Path,
    offset: u64,
}

/// A segment that is gone was trimmed between the look at the list and the reading.
fn gone(path: &Path, source: io::Error) -> ReadFailed {
    if source.kind() == io::ErrorKind::NotFound {
        return ReadFailed::Trimmed;
    }
    ReadFailed::Disk { path: path.to_owned(), source }
}
