//! The syncer: a second thread that makes written bytes durable in the background, with [`Durability::Written`].
//!
//! It syncs through a handle of its own, so that the writer goes on while the disk is busy. What must stay true: what was
//! written before a sync began, and only that, is published after it; a failed sync ends the log.
//!
//! [`Durability::Written`]: crate::Durability::Written

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use seams::disk::DiskFile;

use crate::{
    error::WriteFailed,
    shared::{Mark, Shared},
};

/// What the writer tells the syncer.
pub(crate) struct Syncer {
    slot: Mutex<Slot>,
    changed: Condvar,
}

type SharedFile = Arc<Mutex<Box<dyn DiskFile>>>;

struct Slot {
    file: SharedFile,
    /// Up to where a sync is wanted.
    wanted: Option<Mark>,
    closing: bool,
}

impl Syncer {
    pub(crate) fn new(file: Box<dyn DiskFile>) -> Self {
        let slot = Slot { file: Arc::new(Mutex::new(file)), wanted: None, closing: false };
        Self { slot: Mutex::new(slot), changed: Condvar::new() }
    }

    /// Wants everything up to `mark` synced.
    pub(crate) fn offer(&self, mark: Mark) {
        self.slot().wanted = Some(mark);
        self.changed.notify_one();
    }

    /// Goes on with a new segment. The writer has synced the old one itself.
    pub(crate) fn retarget(&self, file: Box<dyn DiskFile>) {
        let mut slot = self.slot();
        slot.file = Arc::new(Mutex::new(file));
        slot.wanted = None;
    }

    /// Ends the thread after the sync it is in.
    pub(crate) fn close(&self) {
        self.slot().closing = true;
        self.changed.notify_one();
    }

    /// Works until closed. Syncs at most once in `shared.config.sync_interval`.
    pub(crate) fn run(&self, shared: &Shared) {
        while let Some((file, mark)) = self.next(shared.config.sync_interval) {
            let synced = file.lock().unwrap_or_else(PoisonError::into_inner).sync();
            match synced {
                Ok(()) => shared.publish(&mark),
                Err(source) => {
                    let path = shared.config.dir.join(mark.segment.file_name());
                    shared.fail(WriteFailed { action: "sync", path, source });
                    return;
                }
            }
        }
    }

    /// Waits until a sync is wanted, then lets more gather for `interval`.
    fn next(&self, interval: Duration) -> Option<(SharedFile, Mark)> {
        loop {
            let slot = self.slot();
            let slot = self
                .changed
                .wait_while(slot, |slot| slot.wanted.is_none() && !slot.closing)
                .unwrap_or_else(PoisonError::into_inner);
            let (mut slot, _) = self
                .changed
                .wait_timeout_while(slot, interval, |slot| !slot.closing)
                .unwrap_or_else(PoisonError::into_inner);
            if slot.closing {
                return None;
            }
            // A new segment may have come meanwhile, and taken the wish with it.
            if let Some(mark) = slot.wanted.take() {
                return Some((Arc::clone(&slot.file), mark));
            }
        }
    }

    /// A panic under the lock leaves the slot whole, so a poisoned lock is taken all the same.
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
