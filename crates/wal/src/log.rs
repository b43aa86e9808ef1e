//! The handle: what the rest of the node calls.

use std::sync::Arc;

use authority::{
    Permit, RecordedPermit,
    archive::Position,
    node::{Epoch, Id},
    record::{Body, Denied, Intent, Outcome, Seq},
};
use seams::{clock::SharedClock, disk::Disk};
use tokio::sync::{oneshot, watch};

use crate::{
    config::Config,
    error::{NotRecorded, OpenFailed, ReadFailed},
    open,
    queue::{Recorded, Request},
    read::Stored,
    recovery::Recovery,
    segment::position_of,
    shared::Shared,
};

/// A handle on the log of this process's epoch. Clones are handles on the same log; it is closed when the last one is
/// dropped, or by [`Wal::close`].
#[derive(Clone, Debug)]
pub struct Wal {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Wal {
    /// Recovers the log of `edge` and begins `epoch`, which must be newer than every epoch the log holds. Blocks while it
    /// reads every segment.
    ///
    /// # Errors
    /// [`OpenFailed`]: the node must not serve, because it could not record.
    pub fn open(
        config: Config,
        disk: Arc<dyn Disk>,
        clock: SharedClock,
        edge: Id,
        epoch: Epoch,
    ) -> Result<(Self, Recovery), OpenFailed> {
        let (shared, recovery) = open::open(config, disk, clock, edge, epoch)?;
        Ok((Self { handle: Arc::new(Handle { shared }) }, recovery))
    }

    /// Records that a call is about to be sent, and answers when that is as durable as configured. The caller sees to the
    /// outcome from then on; if it goes away while it waits, the log records that nothing was sent.
    ///
    /// # Errors
    /// [`NotRecorded`]: the call must not be sent.
    pub async fn intent(&self, permit: Permit, intent: Intent) -> Result<RecordedPermit, NotRecorded> {
        let seq = self.record(Body::Intent(Box::new(intent))).await?;
        Ok(RecordedPermit::new(permit, seq))
    }

    /// Records that a call was refused, and answers when that is as durable as configured. It may use the reserve.
    ///
    /// # Errors
    /// [`NotRecorded`]; the call is refused all the same.
    pub async fn denied(&self, denied: Denied) -> Result<Seq, NotRecorded> {
        self.record(Body::Denied(Box::new(denied))).await
    }

    /// Records how a call ended. Never waits: it is written with the next group and synced soon after. An outcome that
    /// does not reach the disk leaves its intent, which the next start calls unknown.
    pub fn outcome(&self, outcome: Outcome) {
        self.handle.shared.queue.push_outcome(outcome);
    }

    /// Counts a request that was refused before a grant was known; `reason` is a short code, `peer` an address. Never
    /// waits, never syncs; the count is exact, of the peers only a few are kept.
    pub fn refused(&self, reason: &str, peer: &str) {
        let shared = &self.handle.shared;
        shared.ring().count(reason, peer, &*shared.clock);
    }

    /// Writes and syncs everything that was handed over before, counts of refusals included.
    ///
    /// # Errors
    /// [`NotRecorded`] if the log has failed, is closed, or is so full that an outcome waits for room.
    pub async fn flush(&self) -> Result<(), NotRecorded> {
        if let Some(failed) = self.handle.shared.failure() {
            return Err(failed);
        }
        let answered = self.handle.shared.queue.push_flush()?;
        answered.await.unwrap_or(Err(NotRecorded::Closed))
    }

    /// Writes and syncs what was handed over before, and ends the log. Records that come after are refused.
    pub async fn close(&self) {
        let queue = &self.handle.shared.queue;
        let flushed = queue.push_flush();
        queue.begin_close();
        if let Ok(flushed) = flushed {
            // Whatever it answers, there is nothing more to be done here: the next start reads what the disk holds.
            let _ = flushed.await;
        }
    }

    /// The last synced record: up to here [`Wal::read_after`] reads. Changes with every sync.
    pub fn durable(&self) -> watch::Receiver<Position> {
        self.handle.shared.durable.subscribe()
    }

    /// Whether a call could be recorded now: the log has neither failed nor run out of room.
    pub fn is_writable(&self) -> bool {
        let shared = &self.handle.shared;
        shared.failure().is_none() && !shared.is_full()
    }

    /// At most `limit` synced records after the position of this edge among `positions`, over all epochs, in order; from
    /// the very first if there is none. Reads files: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`ReadFailed`]; there is never a gap in what is answered.
    pub fn read_after(&self, positions: &[Position], limit: usize) -> Result<Vec<Stored>, ReadFailed> {
        let shared = &self.handle.shared;
        shared.read_after(position_of(shared.edge, positions), limit)
    }

    /// Lets the log remove whole segments at or below the position of this edge among `positions`, which the cluster has
    /// agreed the archive holds. Never waits.
    pub fn trim(&self, positions: &[Position]) {
        let shared = &self.handle.shared;
        if let Some(position) = position_of(shared.edge, positions) {
            shared.queue.push_trim(position);
        }
    }

    /// Whose log it is.
    pub fn edge(&self) -> Id {
        self.handle.shared.edge
    }

    /// The epoch of this start.
    pub fn epoch(&self) -> Epoch {
        self.handle.shared.epoch
    }

    async fn record(&self, body: Body) -> Result<Seq, NotRecorded> {
        let shared = &self.handle.shared;
        if let Some(failed) = shared.failure() {
            return Err(failed);
        }
        let (answer, answered) = oneshot::channel();
        shared.queue.push(Request { body, answer })?;
        answered.await.unwrap_or(Err(NotRecorded::Closed)).map(Recorded::claim)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.queue.begin_close();
    }
}
