//! The writer: one thread that owns the newest segment, numbers the records and makes them durable in groups.
//!
//! While one group is written and synced, the next gathers in the queue, so the number of syncs does not grow with the
//! number of callers. What must stay true: an answer goes out only after the whole group is safe; a failed sync is never
//! tried again; a disk that is merely full loses nothing, because the part of a group that it took is cut off before
//! anybody is refused.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use authority::{
    record::{Body, Outcome, Seq},
    time::Wall,
};
use seams::plant::{Plant, is_planted};

use crate::{
    config::{Durability, MAX_OPEN_INTENTS, REFUSALS_INTERVAL},
    error::NotRecorded,
    group::{Group, Stamp, Waiting},
    newest::Newest,
    queue::{Recorded, Request, Work},
    shared::Shared,
    space::Room,
    syncer::Syncer,
};

/// Less room than this is none: a record of a call is seldom longer.
const LOW_WATER_BYTES: u64 = 4 << 10;

/// How long the planted bug of the second build leaves an acknowledged group unwritten.
const PLANTED_PAUSE: Duration = Duration::from_millis(50);

/// The writer and what only it knows.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    newest: Newest,
    /// Intents of this epoch without an outcome.
    open: BTreeSet<Seq>,
    /// Outcomes that wait for room.
    outcomes: VecDeque<Outcome>,
    /// The boot time, in nanoseconds, of the last record of refusals.
    refusals_at: u64,
    /// The boot time, in nanoseconds, since when a written outcome waits for a sync.
    unsynced_since: Option<u64>,
}

/// Closes the queue when the writer ends, also by a panic, so that nobody waits for it for ever.
struct CloseAtEnd {
    shared: Arc<Shared>,
    syncer: Option<Arc<Syncer>>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, newest: Newest) -> Self {
        let refusals_at = shared.clock.boot_nanos();
        let (open, outcomes) = (BTreeSet::new(), VecDeque::new());
        Self { shared, newest, open, outcomes, refusals_at, unsynced_since: None }
    }

    /// Works until the log is closed.
    pub(crate) fn run(mut self) {
        let _close = CloseAtEnd { shared: Arc::clone(&self.shared), syncer: self.newest.syncer().cloned() };
        let mut closing = false;
        while !closing {
            let wait = match self.unsynced_since {
                Some(_) => self.shared.config.sync_interval,
                None => REFUSALS_INTERVAL,
            };
            let work = self.shared.queue.take(wait);
            closing = work.closing;
            self.turn(work);
        }
    }

    /// Does everything in `work`.
    fn turn(&mut self, work: Work) {
        let idle = work.is_empty();
        let Work { mut requests, outcomes, flushes, trim_to, closing } = work;
        self.outcomes.extend(outcomes);
        if let Some(position) = trim_to {
            self.shared.trim_below(&position);
        }
        let must_sync = closing || !flushes.is_empty() || self.outcomes_waited_enough(idle);
        let result = loop {
            let result = self.one_group(&mut requests, must_sync);
            if requests.is_empty() && (result.is_err() || self.outcomes.is_empty()) {
                break result;
            }
        };
        for flush in flushes {
            // Whoever asked may have gone; the sync was made all the same.
            let _ = flush.send(result.clone());
        }
    }

    /// Gathers, writes and answers one group.
    fn one_group(&mut self, requests: &mut VecDeque<Request>, must_sync: bool) -> Result<(), NotRecorded> {
        if let Some(failed) = self.shared.failure() {
            requests.drain(..).for_each(|request| refuse(request, &failed));
            return Err(failed);
        }
        if let Err(failed) = self.newest.rotate_if_long(&self.open) {
            return Err(self.shared.fail(failed));
        }
        let room = self.shared.room();
        self.shared.set_full(room.calls < LOW_WATER_BYTES);
        let mut group = Group::new(self.stamp(), self.newest.tail());
        let outcomes = self.gather_outcomes(&mut group, room);
        self.gather_requests(&mut group, room, requests);
        self.gather_refusals(&mut group, room, must_sync);
        if is_planted(Plant::AcknowledgeBeforeWrite) {
            self.answer(&mut group);
            std::thread::park_timeout(PLANTED_PAUSE);
        }
        let written = self.write(&group, must_sync);
        self.settle(group, &written);
        written.and(outcomes)
    }

    /// Moves outcomes into the group, as far as there is room. What has none keeps its place.
    fn gather_outcomes(&mut self, group: &mut Group, room: Room) -> Result<(), NotRecorded> {
        while !group.is_full() {
            let Some(outcome) = self.outcomes.pop_front() else { break };
            if !self.open.remove(&outcome.intent) {
                tracing::error!(intent = outcome.intent.0, "an outcome without an open intent is dropped");
                continue;
            }
            if let Err(full) = group.add(Body::Outcome(Box::new(outcome.clone())), room.reserve) {
                self.open.insert(outcome.intent);
                self.outcomes.push_front(outcome);
                return Err(full);
            }
            group.ended.push(outcome);
        }
        Ok(())
    }

    /// Moves intents and denials into the group, and refuses those that have no place.
    fn gather_requests(&self, group: &mut Group, room: Room, requests: &mut VecDeque<Request>) {
        let mut intents = 0;
        while !group.is_full() {
            let Some(Request { body, answer }) = requests.pop_front() else { return };
            let is_intent = matches!(body, Body::Intent(_));
            let added = if is_intent && self.open.len() + intents >= MAX_OPEN_INTENTS {
                Err(NotRecorded::Busy)
            } else {
                group.add(body, if is_intent { room.calls } else { room.reserve })
            };
            match added {
                Ok(seq) => {
                    intents += usize::from(is_intent);
                    group.waiting.push(Waiting { seq, is_intent, answer });
                }
                // The caller may have gone; then nobody is left to be refused.
                Err(why) => drop(answer.send(Err(why))),
            }
        }
    }

    /// Adds the counts of refusals, at most once an interval, or when everything has to be written. Without room they
    /// are counted on.
    fn gather_refusals(&mut self, group: &mut Group, room: Room, now: bool) {
        let boot = self.shared.clock.boot_nanos();
        let since = Duration::from_nanos(boot.saturating_sub(self.refusals_at));
        if !now && since < REFUSALS_INTERVAL {
            return;
        }
        let Some(refusals) = self.shared.ring().take() else { return };
        match group.add(Body::Refusals(refusals.clone()), room.calls) {
            Ok(_) => {
                group.refusals = Some(refusals);
                self.refusals_at = boot;
            }
            Err(_) => self.shared.ring().put_back(refusals),
        }
    }

    /// Writes the group, and syncs it if the durability or `must_sync` asks for it.
    fn write(&mut self, group: &Group, must_sync: bool) -> Result<(), NotRecorded> {
        if !group.is_empty() {
            self.newest.append(group)?;
        }
        let synced = self.shared.config.durability == Durability::Synced;
        if must_sync || (synced && !group.waiting.is_empty()) {
            self.newest.sync()?;
            self.unsynced_since = None;
        } else if synced && group.is_awaited() {
            self.unsynced_since.get_or_insert(self.shared.clock.boot_nanos());
        } else if group.is_awaited() {
            self.newest.sync_in_background();
        }
        Ok(())
    }

    /// Answers those who wait, or puts everything back where it was before the group.
    fn settle(&mut self, mut group: Group, written: &Result<(), NotRecorded>) {
        let Err(why) = written else {
            self.open.extend(group.waiting.iter().filter(|waiting| waiting.is_intent).map(|it| it.seq));
            self.answer(&mut group);
            return;
        };
        for outcome in group.ended.into_iter().rev() {
            self.open.insert(outcome.intent);
            self.outcomes.push_front(outcome);
        }
        if let Some(refusals) = group.refusals {
            self.shared.ring().put_back(refusals);
        }
        for waiting in group.waiting {
            // The caller may have gone; then nobody is left to be refused.
            let _ = waiting.answer.send(Err(why.clone()));
        }
    }

    /// Tells those who wait that their record is safe. An intent whose caller has gone comes back as an outcome, because
    /// the answer, dropped unclaimed, puts one into the queue.
    fn answer(&self, group: &mut Group) {
        for Waiting { seq, is_intent, answer } in group.waiting.drain(..) {
            let recorded = if is_intent {
                Recorded::intent(seq, Arc::downgrade(&self.shared))
            } else {
                Recorded::denial(seq)
            };
            drop(answer.send(Ok(recorded)));
        }
    }

    /// Whether written outcomes have waited for company long enough and are synced alone.
    fn outcomes_waited_enough(&self, idle: bool) -> bool {
        let Some(since) = self.unsynced_since else { return false };
        let waited = Duration::from_nanos(self.shared.clock.boot_nanos().saturating_sub(since));
        idle || waited >= self.shared.config.sync_interval
    }

    fn stamp(&self) -> Stamp {
        let time = Wall(self.shared.clock.wall_millis());
        Stamp { edge: self.shared.edge, epoch: self.shared.epoch, time }
    }
}

/// Refuses one request.
fn refuse(request: Request, why: &NotRecorded) {
    // The caller may have gone; then nobody is left to be refused.
    let _ = request.answer.send(Err(why.clone()));
}

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        self.shared.queue.close();
        if let Some(syncer) = &self.syncer {
            syncer.close();
        }
    }
}
