//! The proposer: gathers the commands that wait into one Raft entry, and hands every caller its own answer.
//!
//! openraft's leader writes one entry at a time, so while one is on its way to the disk the next ones gather here, and
//! share the next sync. This is also where time enters a command, and where a nearly full disk is noticed before it
//! is full. What must stay true: a caller that got an answer got the one its command was applied with, and a caller
//! that got none is told that it does not know.

mod failed;
mod gathered;

use std::{path::PathBuf, sync::Arc, time::Duration};

use authority::{
    command::{Body, Class, Command, Outcome},
    event::{Actor, Revision},
    request,
    time::Wall,
};
use openraft::error::{ClientWriteError, RaftError};
use seams::{SharedClock, SharedDisk};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time,
};
use tokio_util::sync::CancellationToken;

pub use self::failed::ProposeFailed;
use self::gathered::{Gathered, MAX_ENTRY_BYTES, Waiting};
use crate::{
    config::Config,
    enforced::{Enforced, enforced},
    raft_stopped::RaftStopped,
    type_config::{Answered, Batch, Raft},
};

/// The most proposals that wait in the queue, and as many again where they are put in order: sixteen full entries, some
/// 30 ms of a healthy disk. Past it callers are told to come back, because a longer queue would only make all late.
const MAX_WAITING: usize = 1024;

/// How many of all that wait may be other than narrowing, so that a flood of those leaves room for a revocation in the
/// queue, and never fills the place where it would overtake them.
const MAX_WAITING_OTHERS: usize = MAX_WAITING * 3 / 4;

/// How long a caller waits for its answer. Far above any healthy write; past it the outcome is not known.
const PROPOSE_DEADLINE: Duration = Duration::from_secs(10);

/// A change to propose. The time is not part of it: the proposer stamps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The id by which a retry is known.
    pub request: request::Id,
    /// Who asks.
    pub actor: Actor,
    /// What is asked.
    pub body: Body,
}

/// The answer to a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the authority said. For a retry, what it said the first time.
    pub outcome: Outcome,
    /// The revision at which it said so: every view from there on holds what the answer says.
    pub revision: Revision,
    /// That a narrowing is enforced everywhere; given with every narrowing command that was done.
    pub enforced: Option<Enforced>,
}

/// A handle on the proposer. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Proposer {
    queue: mpsc::Sender<Waiting<Ask>>,
    others: Arc<Semaphore>,
    clock: SharedClock,
}

/// The task that writes entries.
pub(crate) struct ProposerTask {
    queue: mpsc::Receiver<Waiting<Ask>>,
    gathered: Gathered<Ask>,
    raft: Raft,
    clock: SharedClock,
    disk: SharedDisk,
    dir: PathBuf,
    free_space_mark_bytes: u64,
}

/// A proposal and whoever waits for its answer.
struct Ask {
    proposal: Proposal,
    answer: oneshot::Sender<Result<(Answered, Revision), ProposeFailed>>,
    /// Gives its place back when the answer is given.
    _place: Option<OwnedSemaphorePermit>,
}

/// A proposer that writes through `raft`: the handle, and the task to run.
pub(crate) fn proposer(
    raft: Raft,
    clock: SharedClock,
    disk: SharedDisk,
    config: &Config,
) -> (Proposer, ProposerTask) {
    let (sender, queue) = mpsc::channel(MAX_WAITING);
    let others = Arc::new(Semaphore::new(MAX_WAITING_OTHERS));
    let handle = Proposer { queue: sender, others, clock: Arc::clone(&clock) };
    let (dir, free_space_mark_bytes) = (config.dir.clone(), config.free_space_mark_bytes);
    let gathered = Gathered::new();
    (handle, ProposerTask { queue, gathered, raft, clock, disk, dir, free_space_mark_bytes })
}

impl Proposer {
    /// Proposes a change and waits for its answer.
    pub(crate) async fn propose(&self, proposal: Proposal) -> Result<Answer, ProposeFailed> {
        let began = self.clock.boot_nanos();
        let (class, request) = (proposal.body.class(), proposal.request);
        let (answer, answered) = oneshot::channel();
        let waiting = self.waiting(proposal, answer)?;
        self.queue.try_send(waiting).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => ProposeFailed::Busy,
            mpsc::error::TrySendError::Closed(_) => ProposeFailed::stopped(request, RaftStopped::ended()),
        })?;
        let (answered, revision) = match time::timeout(PROPOSE_DEADLINE, answered).await {
            Ok(Ok(answered)) => answered?,
            Ok(Err(_)) => return Err(ProposeFailed::stopped(request, RaftStopped::ended())),
            Err(_) => return Err(ProposeFailed::Unknown { request, waited: PROPOSE_DEADLINE }),
        };
        let elapsed = Duration::from_nanos(self.clock.boot_nanos().saturating_sub(began));
        let enforced = enforced(class, &answered, elapsed);
        Ok(Answer { outcome: answered.outcome, revision, enforced })
    }

    fn waiting(
        &self,
        proposal: Proposal,
        answer: oneshot::Sender<Result<(Answered, Revision), ProposeFailed>>,
    ) -> Result<Waiting<Ask>, ProposeFailed> {
        let narrowing = proposal.body.class() == Class::Narrowing;
        // A node that cannot register its start cannot serve, and so cannot revoke either.
        let may_use_reserve = narrowing || matches!(proposal.body, Body::RegisterIncarnation(_));
        let bytes = size_at_most(&proposal);
        if bytes > MAX_ENTRY_BYTES {
            return Err(ProposeFailed::TooLarge { bytes, most: MAX_ENTRY_BYTES });
        }
        let place = if narrowing {
            None
        } else {
            Some(Arc::clone(&self.others).try_acquire_owned().map_err(|_| ProposeFailed::Busy)?)
        };
        Ok(Waiting { narrowing, may_use_reserve, bytes, value: Ask { proposal, answer, _place: place } })
    }
}

impl ProposerTask {
    /// Writes entries until it is told to stop. What waits then is answered with an error as it is dropped.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = self.write_entries() => {}
        }
    }

    async fn write_entries(&mut self) {
        loop {
            if self.gathered.len() == 0 {
                let Some(first) = self.queue.recv().await else { return };
                self.gathered.push(first);
            }
            while self.gathered.len() < MAX_WAITING {
                let Ok(next) = self.queue.try_recv() else { break };
                self.gathered.push(next);
            }
            // Whoever gave up has been told that it does not know; not writing it is one of the two outcomes.
            drop(self.gathered.take_out(|waiting| waiting.value.answer.is_closed()));
            self.refuse_what_the_disk_has_no_room_for();
            let entry = self.gathered.next_entry();
            if !entry.is_empty() {
                self.write(entry).await;
            }
        }
    }

    /// Below the mark only narrowing commands are proposed. A disk that cannot say what is free counts as full.
    fn refuse_what_the_disk_has_no_room_for(&mut self) {
        let mark = self.free_space_mark_bytes;
        let free = self.disk.free_bytes(&self.dir).unwrap_or_else(|error| {
            tracing::error!(%error, "the free space of the data directory is not known");
            0
        });
        if free >= mark {
            return;
        }
        for ask in self.gathered.take_out(|waiting| !waiting.may_use_reserve) {
            ask.answer_with(Err(ProposeFailed::DiskNearlyFull { free, mark }));
        }
    }

    /// Writes one entry and gives the answers.
    async fn write(&self, entry: Vec<Ask>) {
        let time = Wall(self.clock.wall_millis());
        let commands = entry.iter().map(|ask| ask.proposal.clone().at(time)).collect();
        match self.raft.client_write(Batch(commands)).await {
            Ok(written) => {
                let revision = Revision(written.log_id.index);
                for (ask, answered) in entry.into_iter().zip(written.data.0) {
                    ask.answer_with(Ok((answered, revision)));
                }
            }
            Err(error) => {
                for ask in entry {
                    let failed = failed(ask.proposal.request, &error);
                    ask.answer_with(Err(failed));
                }
            }
        }
    }
}

impl Ask {
    fn answer_with(self, result: Result<(Answered, Revision), ProposeFailed>) {
        // The caller may have reached its deadline; it was told that the outcome is not known, and that is still so.
        let _ = self.answer.send(result);
    }
}

impl Proposal {
    /// The command it becomes.
    fn at(self, time: Wall) -> Command {
        let Self { request, actor, body } = self;
        Command { request, actor, time, body }
    }
}

/// The size of the command at the time whose number is longest.
fn size_at_most(proposal: &Proposal) -> usize {
    let command = proposal.clone().at(Wall(u64::MAX));
    wire::entry::encode(std::slice::from_ref(&command)).len()
}

fn failed(
    request: request::Id,
    error: &RaftError<u64, ClientWriteError<u64, openraft::BasicNode>>,
) -> ProposeFailed {
    match error {
        RaftError::Fatal(fatal) => ProposeFailed::stopped(request, RaftStopped::because(fatal.clone())),
        RaftError::APIError(ClientWriteError::ForwardToLeader(forward)) => {
            ProposeFailed::NotLeader { leader: forward.leader_id.map(authority::node::Id) }
        }
        // Given only to changes of membership, which the proposer never writes.
        RaftError::APIError(ClientWriteError::ChangeMembershipError(_)) => {
            ProposeFailed::NotLeader { leader: None }
        }
    }
}
