//! What the handles, the writer and the syncer of one log share.
//!
//! What must stay true: the durable position and the synced length of a segment only grow, and only after a sync; the
//! first failure is kept and is final.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use authority::{
    archive::Position,
    node::{Epoch, Id},
};
use seams::{clock::SharedClock, disk::Disk};
use tokio::sync::watch;

use crate::{
    config::Config,
    error::{NotRecorded, WriteFailed},
    queue::Queue,
    refusals::Ring,
    segment::{Name, Place, Segment},
};

/// What the parts of one log share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: SharedClock,
    pub(crate) edge: Id,
    pub(crate) epoch: Epoch,
    pub(crate) queue: Queue,
    pub(crate) durable: watch::Sender<Position>,
    ring: Mutex<Ring>,
    segments: Mutex<Vec<Segment>>,
    failure: OnceLock<Arc<WriteFailed>>,
    full: AtomicBool,
}

/// How far a segment has been written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) segment: Name,
    pub(crate) bytes: u64,
    pub(crate) last: Position,
}

impl Shared {
    pub(crate) fn new(
        config: Config,
        disk: Arc<dyn Disk>,
        clock: SharedClock,
        segments: Vec<Segment>,
        started: Position,
    ) -> Self {
        Self {
            config,
            disk,
            clock,
            edge: started.edge,
            epoch: started.epoch,
            queue: Queue::default(),
            durable: watch::Sender::new(started),
            ring: Mutex::default(),
            segments: Mutex::new(segments),
            failure: OnceLock::new(),
            full: AtomicBool::new(false),
        }
    }

    /// Makes everything up to `mark` readable. An older mark than the last changes nothing.
    pub(crate) fn publish(&self, mark: &Mark) {
        {
            let mut segments = self.segments();
            let Some(segment) = segments.iter_mut().rev().find(|segment| segment.name == mark.segment) else {
                return;
            };
            if segment.synced >= mark.bytes {
                return;
            }
            segment.synced = mark.bytes;
            segment.last = Some(mark.last);
        }
        self.durable.send_if_modified(|durable| {
            let newer = mark.last.place() > durable.place();
            if newer {
                *durable = mark.last;
            }
            newer
        });
    }

    /// Ends the log: from here on nothing is recorded.
    pub(crate) fn fail(&self, failed: WriteFailed) -> NotRecorded {
        tracing::error!(
            action = failed.action,
            path = %failed.path.display(),
            error = %failed.source,
            "the write-ahead log failed; this node refuses calls until it is restarted"
        );
        // A second failure adds nothing to the first.
        NotRecorded::Failed(Arc::clone(self.failure.get_or_init(|| Arc::new(failed))))
    }

    /// Why nothing is recorded any more, if that is so.
    pub(crate) fn failure(&self) -> Option<NotRecorded> {
        self.failure.get().map(|failed| NotRecorded::Failed(Arc::clone(failed)))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    pub(crate) fn set_full(&self, full: bool) {
        if self.full.swap(full, Ordering::Relaxed) != full {
            tracing::warn!(full, "the room of the write-ahead log for calls has changed");
        }
    }

    /// A panic under one of these locks leaves the values whole, so a poisoned lock is taken all the same.
    pub(crate) fn segments(&self) -> MutexGuard<'_, Vec<Segment>> {
        self.segments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("edge", &self.edge).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}
