//! What waits for the writer: the only way into its thread.
//!
//! Callers that wait for their record stand in a bounded queue and are refused above the bound; outcomes never wait and
//! are bounded by the intents that are open. What must stay true: nothing is taken into a queue that nobody will empty,
//! and an intent that was recorded for a caller who has gone gets an outcome all the same.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use authority::{
    archive::Position,
    record::{Body, Ending, Outcome, Seq},
    time::Boot,
};
use tokio::sync::oneshot;

use crate::{
    config::{MAX_OPEN_INTENTS, MAX_WAITING},
    error::NotRecorded,
    shared::Shared,
};

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

/// An intent or a denial, and who waits for it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) body: Body,
    pub(crate) answer: Answer,
}

/// Where a request is answered.
pub(crate) type Answer = oneshot::Sender<Result<Recorded, NotRecorded>>;

/// The answer to a request. Dropped unclaimed, it ends its intent: the caller has gone and will send nothing.
pub(crate) struct Recorded {
    seq: Seq,
    unclaimed: Option<Weak<Shared>>,
}

/// Everything the writer takes at one time.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) requests: VecDeque<Request>,
    pub(crate) outcomes: VecDeque<Outcome>,
    pub(crate) flushes: Vec<oneshot::Sender<Result<(), NotRecorded>>>,
    pub(crate) trim_to: Option<Position>,
    pub(crate) closing: bool,
}

#[derive(Debug, Default)]
struct Waiting {
    work: Work,
    /// The writer has ended: nothing is taken any more.
    closed: bool,
}

impl Queue {
    /// Takes a request in, or refuses it at once.
    pub(crate) fn push(&self, request: Request) -> Result<(), NotRecorded> {
        let mut waiting = self.lock();
        if waiting.closed || waiting.work.closing {
            return Err(NotRecorded::Closed);
        }
        if waiting.work.requests.len() >= MAX_WAITING {
            return Err(NotRecorded::Busy);
        }
        waiting.work.requests.push_back(request);
        self.changed.notify_one();
        Ok(())
    }

    /// Takes an outcome in. Outcomes are bounded by the open intents, so one above the bound belongs to none of them.
    pub(crate) fn push_outcome(&self, outcome: Outcome) {
        let mut waiting = self.lock();
        if waiting.closed {
            // The intent stays without an outcome, and the next start records that it is unknown.
            return;
        }
        if waiting.work.outcomes.len() >= MAX_OPEN_INTENTS {
            tracing::error!(intent = outcome.intent.0, "an outcome beyond every open intent is dropped");
            return;
        }
        waiting.work.outcomes.push_back(outcome);
        self.changed.notify_one();
    }

    /// Asks for a sync of everything that came before.
    pub(crate) fn push_flush(&self) -> Result<oneshot::Receiver<Result<(), NotRecorded>>, NotRecorded> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(NotRecorded::Closed);
        }
        let (answer, answered) = oneshot::channel();
        waiting.work.flushes.push(answer);
        self.changed.notify_one();
        Ok(answered)
    }

    /// Asks for the removal of segments at or below `position`.
    pub(crate) fn push_trim(&self, position: Position) {
        let mut waiting = self.lock();
        waiting.work.trim_to = Some(position);
        self.changed.notify_one();
    }

    /// Lets the writer end when it has written what waits. Nothing new is taken.
    pub(crate) fn begin_close(&self) {
        self.lock().work.closing = true;
        self.changed.notify_one();
    }

    /// Refuses what waits and everything after; the writer has ended.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        let abandoned = std::mem::take(&mut waiting.work);
        drop(waiting);
        // Dropping the answers tells those who wait that the log is closed.
        drop(abandoned);
    }

    /// Waits for work, at most `timeout`, and takes all of it.
    pub(crate) fn take(&self, timeout: Duration) -> Work {
        let waiting = self.lock();
        let (mut waiting, _) = self
            .changed
            .wait_timeout_while(waiting, timeout, |waiting| waiting.work.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let closing = waiting.work.closing;
        Work { closing, ..std::mem::replace(&mut waiting.work, Work { closing, ..Work::default() }) }
    }

    /// A panic under the lock leaves the queues whole, so a poisoned lock is taken all the same.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work {
    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.requests.is_empty()
            && self.outcomes.is_empty()
            && self.flushes.is_empty()
            && self.trim_to.is_none()
            && !self.closing
    }
}

impl Recorded {
    /// The answer for a denial, which nothing has to follow.
    pub(crate) fn denial(seq: Seq) -> Self {
        Self { seq, unclaimed: None }
    }

    /// The answer for an intent, which an outcome has to follow.
    pub(crate) fn intent(seq: Seq, shared: Weak<Shared>) -> Self {
        Self { seq, unclaimed: Some(shared) }
    }

    /// Takes the answer: from here on the caller sees to the outcome.
    pub(crate) fn claim(mut self) -> Seq {
        self.unclaimed = None;
        self.seq
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        if let Some(shared) = self.unclaimed.take().and_then(|shared| shared.upgrade()) {
            shared.queue.push_outcome(nothing_sent(self.seq));
        }
    }
}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Recorded").field(&self.seq).finish()
    }
}

/// The outcome of an intent whose caller went away before it had its permit.
fn nothing_sent(intent: Seq) -> Outcome {
    Outcome {
        intent,
        ending: Ending::ClientGone,
        upstream_status: None,
        latency_micros: 0,
        request_bytes: 0,
        response_bytes: 0,
        redacted: false,
        late_effect: false,
        last_check_at: Boot(0),
    }
}
