//! The newest segment, the only one that is written: appending, syncing, and beginning its successor.
//!
//! Only the writer holds it. What must stay true: a segment gets a successor only when all of it is synced, and the
//! successor's name is durable before a record stands in it, so that a torn tail can be in the newest segment only.

use std::{collections::BTreeSet, io, sync::Arc};

use authority::{archive::Position, record::Seq};
use seams::disk::DiskFile;

use crate::{
    error::{NotRecorded, WriteFailed},
    frame,
    group::{Group, Tail},
    preface::Preface,
    segment::{Name, Segment},
    shared::{Mark, Shared},
    syncer::Syncer,
};

/// The newest segment.
pub(crate) struct Newest {
    shared: Arc<Shared>,
    file: Box<dyn DiskFile>,
    segment: Segment,
    /// The end of the chain.
    tail: Tail,
    /// Whether bytes were written since the last sync.
    dirty: bool,
    syncer: Option<Arc<Syncer>>,
}

impl Newest {
    /// Goes on after what `segment` holds, all of it synced.
    pub(crate) fn new(
        shared: Arc<Shared>,
        file: Box<dyn DiskFile>,
        segment: Segment,
        tail: Tail,
        syncer: Option<Arc<Syncer>>,
    ) -> Self {
        Self { shared, file, segment, tail, dirty: false, syncer }
    }

    pub(crate) fn tail(&self) -> Tail {
        self.tail
    }

    pub(crate) fn syncer(&self) -> Option<&Arc<Syncer>> {
        self.syncer.as_ref()
    }

    /// Writes a group. A disk that is full keeps none of it; any other failure ends the log.
    pub(crate) fn append(&mut self, group: &Group) -> Result<(), NotRecorded> {
        let begin = self.segment.written;
        if let Err(error) = self.file.append(&group.bytes) {
            let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
            if !full {
                return Err(self.failed("write", error));
            }
            // Nothing of the group was synced or acknowledged; what the disk took of it must not stay.
            self.shared
                .disk
                .truncate(&self.segment.path, begin)
                .map_err(|error| self.failed("cut", error))?;
            return Err(NotRecorded::Full);
        }
        self.dirty = true;
        self.tail = group.tail;
        self.segment.written = begin + group.bytes.len() as u64;
        let mut segments = self.shared.segments();
        let shown = segments.last_mut().expect("the newest segment is always shown");
        shown.written = self.segment.written;
        for (seq, place) in &group.places {
            shown.note(*seq, begin + *place as u64);
        }
        Ok(())
    }

    /// Makes everything written durable, and readable.
    pub(crate) fn sync(&mut self) -> Result<(), NotRecorded> {
        if self.dirty {
            self.file.sync().map_err(|error| self.failed("sync", error))?;
            self.dirty = false;
        }
        self.shared.publish(&self.mark());
        Ok(())
    }

    /// Lets the syncer do so.
    pub(crate) fn sync_in_background(&self) {
        if let Some(syncer) = &self.syncer {
            syncer.offer(self.mark());
        }
    }

    /// Begins a new segment if this one is long enough. `open` are the intents without an outcome.
    pub(crate) fn rotate_if_long(&mut self, open: &BTreeSet<Seq>) -> Result<(), WriteFailed> {
        if self.segment.written < self.shared.config.segment_bytes {
            return Ok(());
        }
        let after = self.position();
        let preface = Preface { edge: after.edge, after: Some(after), open: open.iter().copied().collect() };
        let mut bytes = Vec::new();
        frame::push(&mut bytes, &preface.encode());
        if self.shared.room().reserve < bytes.len() as u64 {
            // The old segment grows on; a disk this full has no room for a new one.
            return Ok(());
        }
        self.file.sync().map_err(|source| self.write_failed("sync", source))?;
        self.shared.publish(&self.mark());
        let name = Name { epoch: after.epoch, first: Seq(after.seq + 1) };
        let segment = Segment::new(name, &self.shared.config.dir, Some(after));
        self.begin(segment, &bytes)
    }

    fn begin(&mut self, mut segment: Segment, preface: &[u8]) -> Result<(), WriteFailed> {
        self.segment.path.clone_from(&segment.path);
        let disk = Arc::clone(&self.shared.disk);
        self.file = disk.create_new(&segment.path).map_err(|source| self.write_failed("create", source))?;
        self.file.append(preface).map_err(|source| self.write_failed("write", source))?;
        self.file.sync().map_err(|source| self.write_failed("sync", source))?;
        let dir = &self.shared.config.dir;
        disk.sync_dir(dir).map_err(|source| self.write_failed("make durable the name of", source))?;
        if let Some(syncer) = &self.syncer {
            let file = disk.open_append(&segment.path);
            syncer.retarget(file.map_err(|source| self.write_failed("open", source))?);
        }
        segment.written = preface.len() as u64;
        segment.synced = segment.written;
        self.shared.segments().push(segment.clone());
        self.segment = segment;
        self.dirty = false;
        Ok(())
    }

    fn mark(&self) -> Mark {
        Mark { segment: self.segment.name, bytes: self.segment.written, last: self.position() }
    }

    fn position(&self) -> Position {
        let Shared { edge, epoch, .. } = *self.shared;
        Position { edge, epoch, seq: self.tail.seq.0, hash: self.tail.hash }
    }

    fn failed(&self, action: &'static str, source: io::Error) -> NotRecorded {
        self.shared.fail(self.write_failed(action, source))
    }

    fn write_failed(&self, action: &'static str, source: io::Error) -> WriteFailed {
        WriteFailed { action, path: self.segment.path.clone(), source }
    }
}
