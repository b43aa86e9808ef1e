//! The log on a disk: sled, a sync that sled does not do, and the watermark. Everything here blocks and is called from
//! one thread.
//!
//! The rules that make sled sound for this: one writer; no flusher thread of its own; a batch, then `flush`, then a
//! sync of sled's file through a second handle (on Linux `flush` ends in `sync_file_range`, which neither writes the
//! file's metadata nor empties the disk's cache); values below 64 KiB; a checksum in every record. What must stay
//! true: nothing is acknowledged before that sync, and after a failed write or sync nothing is acknowledged any more
//! (the kernel forgets the pages that it failed to write, so a second sync would lie).

use std::{io, path::Path};

use seams::{Disk, DiskFile};

use super::{
    check::{self, Contents},
    damage::Damage,
    key::{Key, committed, entry, identity, purged, vote},
    record,
    sled_files::{self, SledFiles},
    watermark::{self, Mark, Watermark},
};
use crate::{
    identity::Identity,
    type_config::{Entry, LogId, Vote},
};

/// sled's directory inside the log's.
const SLED_DIR: &str = "sled";

/// The most records that are written or removed in one sled batch: with records below 64 KiB at most 4 MiB.
const MAX_BATCH_RECORDS: usize = 64;

/// The log, open.
pub(super) struct DiskLog {
    db: SledFiles,
    file: Box<dyn DiskFile>,
    watermark: Watermark,
    contents: Contents,
    failed: bool,
}

/// Why the log did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenLogFailed {
    /// It is not what was acknowledged.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// A file operation failed.
    #[error("cannot open the raft log; check the disk and the permissions of the data directory")]
    Io(#[from] io::Error),
}

/// Why an operation on the log failed. Each of them ends the Raft node.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogFailed {
    /// sled could not write.
    #[error("the raft log could not be written")]
    Write(#[source] sled::Error),
    /// The disk did not take it.
    #[error("the raft log could not be synced to the disk")]
    Sync(#[source] io::Error),
    /// The watermark could not be written.
    #[error("the watermark of the raft log could not be written")]
    Watermark(#[source] io::Error),
    /// An earlier operation failed.
    #[error(
        "an earlier write of the raft log failed, and what the disk holds is not known; restart the process"
    )]
    AfterFailure,
    /// An entry does not follow the last one.
    #[error("entry {index} does not follow entry {last}, the last of the raft log")]
    NotNext {
        /// The index of the entry.
        index: u64,
        /// The last index.
        last: u64,
    },
    /// An entry is too large to be stored in one piece.
    #[error(
        "entry {index} has {bytes} bytes, and the raft log holds at most {} in one",
        record::MAX_RECORD_BYTES
    )]
    TooLarge {
        /// The index of the entry.
        index: u64,
        /// Its size.
        bytes: usize,
    },
    /// The log was damaged while it was open.
    #[error(transparent)]
    Damaged(#[from] Damage),
}

impl DiskLog {
    /// Opens the log in `dir`, or makes an empty one, and checks all of it.
    pub(super) fn open(dir: &Path, disk: &dyn Disk) -> Result<Self, OpenLogFailed> {
        let sled_dir = dir.join(SLED_DIR);
        let sled_file = sled_files::main_file(&sled_dir);
        disk.create_dir_all(&sled_dir)?;
        let (watermark, mark) = open_watermark(dir, &sled_file)?;
        let db = SledFiles::open(&sled_dir).map_err(Damage::from)?;
        db.flush().map_err(Damage::from)?;
        let mut file = disk.open_append(&sled_file)?;
        file.sync()?;
        disk.sync_dir(&sled_dir)?;
        disk.sync_dir(dir)?;
        let contents = check::check(&db, &mark)?;
        Ok(Self { db, file, watermark, contents, failed: false })
    }

    /// What the log holds.
    pub(super) fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Writes whose log it is. Durable when it returns.
    pub(super) fn save_identity(&mut self, identity: &Identity) -> Result<(), LogFailed> {
        self.guarded(|log| {
            log.put(Key::Identity, &identity::encode(identity))?;
            log.contents.identity = Some(identity.clone());
            log.acknowledge()
        })
    }

    /// Writes the vote. Durable when it returns.
    pub(super) fn save_vote(&mut self, vote: &Vote) -> Result<(), LogFailed> {
        self.guarded(|log| {
            log.put(Key::Vote, &vote::encode(vote))?;
            log.contents.vote = Some(*vote);
            log.acknowledge()
        })
    }

    /// Writes how far the log is known to be committed, without a sync.
    pub(super) fn save_committed(&mut self, committed: &LogId) -> Result<(), LogFailed> {
        self.guarded(|log| log.put(Key::Committed, &committed::encode(committed)))
    }

    /// How far the log was known to be committed.
    pub(super) fn committed(&self) -> Result<Option<LogId>, LogFailed> {
        Ok(check::read(&self.db, Key::Committed, "last committed entry", committed::decode)?)
    }

    /// Appends entries, which must follow the last one. Durable when it returns.
    pub(super) fn append(&mut self, entries: &[Entry]) -> Result<(), LogFailed> {
        self.guarded(|log| {
            for chunk in entries.chunks(MAX_BATCH_RECORDS) {
                let mut batch = sled::Batch::default();
                for entry in chunk {
                    log.add(entry, &mut batch)?;
                }
                log.db.apply_batch(batch).map_err(LogFailed::Write)?;
            }
            log.acknowledge()
        })
    }

    /// Removes the entry `first` and all after it, from the last to the first, so that no crash leaves a hole.
    pub(super) fn truncate(&mut self, first: u64) -> Result<(), LogFailed> {
        self.guarded(|log| {
            let next = log.contents.next();
            let last = match first.checked_sub(1) {
                Some(index) if log.contents.purged.is_none_or(|purged| purged.index < index) => {
                    log.entries(index, first)?.pop().map(|entry| entry.log_id)
                }
                _ => log.contents.purged,
            };
            log.contents.last = last;
            // Lowered before anything is removed, or a crash in between would look like damage.
            log.watermark.write(&log.contents.mark()).map_err(LogFailed::Watermark)?;
            log.watermark.sync().map_err(LogFailed::Watermark)?;
            log.remove((first..next).rev())?;
            log.acknowledge()
        })
    }

    /// Removes the entries up to and with `upto`, which a snapshot holds.
    pub(super) fn purge(&mut self, upto: &LogId) -> Result<(), LogFailed> {
        let first = self.contents.purged_next();
        if upto.index < first {
            return Ok(());
        }
        self.guarded(|log| {
            let next = log.contents.next();
            log.contents.purged = Some(*upto);
            if upto.index >= next {
                log.contents.last = Some(*upto);
            }
            log.put(Key::Purged, &purged::encode(upto))?;
            log.remove(first..next.min(upto.index + 1))?;
            log.acknowledge()
        })
    }

    /// The entries from `start` up to and without `end` that are there.
    pub(super) fn entries(&self, start: u64, end: u64) -> Result<Vec<Entry>, LogFailed> {
        let start = start.max(self.contents.purged_next());
        if start >= end {
            return Ok(Vec::new());
        }
        let mut entries = Vec::new();
        for item in self.db.range(Key::Entry(start).bytes()..Key::Entry(end).bytes()) {
            let (key, value) = item.map_err(Damage::from)?;
            let Some(index) = entry::index(&key) else { continue };
            entries.push(check::entry_of(index, &key, &value)?);
        }
        Ok(entries)
    }

    fn add(&mut self, entry: &Entry, batch: &mut sled::Batch) -> Result<(), LogFailed> {
        let index = entry.log_id.index;
        if index < self.contents.purged_next() {
            // A snapshot holds it already.
            return Ok(());
        }
        // openraft's storage suite begins logs anywhere; the check at start is what holds a real log to 0.
        if let Some(last) = self.contents.last.filter(|last| last.index + 1 != index) {
            return Err(LogFailed::NotNext { index, last: last.index });
        }
        let key = Key::Entry(index).bytes();
        let value = record::seal(key.as_ref(), &entry::encode(entry));
        if value.len() > record::MAX_RECORD_BYTES {
            return Err(LogFailed::TooLarge { index, bytes: value.len() });
        }
        batch.insert(key.as_ref(), value);
        self.contents.last = Some(entry.log_id);
        Ok(())
    }

    fn put(&mut self, key: Key, payload: &[u8]) -> Result<(), LogFailed> {
        let key = key.bytes();
        self.db.insert(key, record::seal(key.as_ref(), payload)).map_err(LogFailed::Write)?;
        Ok(())
    }

    fn remove(&mut self, indexes: impl Iterator<Item = u64>) -> Result<(), LogFailed> {
        let mut indexes = indexes.peekable();
        while indexes.peek().is_some() {
            let mut batch = sled::Batch::default();
            for index in indexes.by_ref().take(MAX_BATCH_RECORDS) {
                batch.remove(Key::Entry(index).bytes().as_ref());
            }
            self.db.apply_batch(batch).map_err(LogFailed::Write)?;
        }
        Ok(())
    }

    /// Makes what was written durable, and then remembers that it may be acknowledged.
    fn acknowledge(&mut self) -> Result<(), LogFailed> {
        self.db.flush().map_err(LogFailed::Write)?;
        self.file.sync().map_err(LogFailed::Sync)?;
        self.watermark.write(&self.contents.mark()).map_err(LogFailed::Watermark)
    }

    /// Runs a write, unless one failed before; if this one fails, it is the last.
    fn guarded(&mut self, write: impl FnOnce(&mut Self) -> Result<(), LogFailed>) -> Result<(), LogFailed> {
        if self.failed {
            return Err(LogFailed::AfterFailure);
        }
        let result = write(self);
        self.failed = result.is_err();
        result
    }
}

/// Opens the watermark, or creates it before there is a log. One without the other is damage.
fn open_watermark(dir: &Path, sled_file: &Path) -> Result<(Watermark, Mark), OpenLogFailed> {
    let path = dir.join(watermark::FILE_NAME);
    match (path.try_exists()?, sled_file.try_exists()?) {
        (false, false) => Ok((Watermark::create(&path)?, Mark::nothing())),
        (false, true) => Err(Damage::Watermark { path }.into()),
        (true, has_log) => {
            let opened = Watermark::open(&path)?;
            let (watermark, mark) = opened.ok_or(Damage::Watermark { path })?;
            if !has_log && mark != Mark::nothing() {
                return Err(Damage::Gone { path: sled_file.to_owned() }.into());
            }
            Ok((watermark, mark))
        }
    }
}
