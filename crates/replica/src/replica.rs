//! The handle on this node's copy of the authority.

use std::{sync::Arc, time::Duration};

use authority::{
    View,
    command::{Body, Class, Outcome, RegisterIncarnation, Rejected},
    enforcement::Gate,
    event::Actor,
    node::{self, Epoch},
};
use parking_lot::Mutex;
use seams::{SharedClock, SharedDisk, SharedEntropy, SystemDisk};
use tokio::{task::JoinHandle, time};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    data_dir::DataDir,
    fresh_request::fresh_request,
    leadership::{Leadership, NotConfirmed},
    log_store::{self, StoreThread},
    open_failed::OpenFailed,
    proposer::{Answer, Proposal, ProposeFailed, Proposer},
    raft_stopped::RaftStopped,
    start::{Given, Started, start},
    type_config::Raft,
};

/// How long a read waits for the confirmation of the leadership.
const READ_DEADLINE: Duration = Duration::from_secs(5);

/// This node's copy of the authority. Cheap to clone.
#[derive(Clone)]
pub struct Replica {
    inner: Arc<Inner>,
}

struct Inner {
    node: node::Id,
    raft: Raft,
    gate: Arc<Gate>,
    entropy: SharedEntropy,
    leadership: Arc<Leadership>,
    proposer: Proposer,
    stop: CancellationToken,
    running: Mutex<Option<Running>>,
}

/// What a shutdown has to wait for, in this order, and gives back.
struct Running {
    tasks: Vec<JoinHandle<()>>,
    store: StoreThread,
    dir: DataDir,
}

/// Why a read could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum ViewFailed {
    /// The leadership was not confirmed.
    #[error(transparent)]
    NotConfirmed(#[from] NotConfirmed),
    /// It was not confirmed in time.
    #[error("this node could not confirm within {} seconds that it leads; try again", READ_DEADLINE.as_secs())]
    TooLate,
}

/// Why a start of this node could not be registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterFailed {
    /// What is registered could not be read.
    #[error(transparent)]
    View(#[from] ViewFailed),
    /// It could not be proposed.
    #[error(transparent)]
    Propose(#[from] ProposeFailed),
    /// The authority refused it.
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

impl Replica {
    /// Opens the replica on the disk of the operating system, and founds the cluster if the directory is empty.
    /// Returns when an entry of this leadership is applied, and the gate has a view that holds all before it.
    pub async fn open(
        config: Config,
        gate: Arc<Gate>,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, OpenFailed> {
        Self::open_on(Arc::new(SystemDisk), config, gate, clock, entropy).await
    }

    /// Opens the replica on `disk`. The raft log's own files are sled's, on the operating system's disk in any case;
    /// of those, `disk` does the syncs.
    pub async fn open_on(
        disk: SharedDisk,
        config: Config,
        gate: Arc<Gate>,
        clock: SharedClock,
        entropy: SharedEntropy,
    ) -> Result<Self, OpenFailed> {
        config.check_times()?;
        let dir = DataDir::lock(&config.dir, &*disk)?;
        let (log, store, contents) = log_store::open(dir.log(), Arc::clone(&disk)).await?;
        let (node, entropy_of_node, gate_of_node) = (config.node, Arc::clone(&entropy), Arc::clone(&gate));
        let given = Given { disk, config, gate, clock, entropy };
        let Started { raft, leadership, proposer, stop, tasks } =
            match start(given, &dir, log, &contents).await {
                Ok(started) => started,
                Err(error) => {
                    store.close().await;
                    return Err(error);
                }
            };
        let inner = Inner {
            node,
            raft,
            gate: gate_of_node,
            entropy: entropy_of_node,
            leadership,
            proposer,
            stop,
            running: Mutex::new(Some(Running { tasks, store, dir })),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Proposes a change and waits for its answer, at most ten seconds. The answer to a narrowing command comes when
    /// it is enforced everywhere.
    pub async fn propose(&self, proposal: Proposal) -> Result<Answer, ProposeFailed> {
        let view = self.inner.gate.view();
        let full = view.is_some_and(|view| view.authority().is_full_of_unarchived_events());
        if full && proposal.body.class() == Class::Widening {
            return Err(ProposeFailed::ArchiveBehind);
        }
        self.inner.proposer.propose(proposal).await
    }

    /// Registers this start of the process: the epoch that its leases and its write-ahead log carry.
    pub async fn register_incarnation(&self) -> Result<Epoch, RegisterFailed> {
        let node = self.node();
        let registered = self.view().await?.node(node).map_or(Epoch(0), |node| node.epoch);
        let epoch = Epoch(registered.0 + 1);
        let body = Body::RegisterIncarnation(RegisterIncarnation { node, epoch });
        let request = fresh_request(&*self.inner.entropy);
        let answer = self.propose(Proposal { request, actor: Actor::Node(node), body }).await?;
        match answer.outcome {
            Outcome::Done { .. } => Ok(epoch),
            Outcome::Rejected(rejected) => Err(rejected.into()),
        }
    }

    /// Which node this is.
    pub fn node(&self) -> node::Id {
        self.inner.node
    }

    /// A view that holds every change that was acknowledged before this was called.
    pub async fn view(&self) -> Result<Arc<View>, ViewFailed> {
        let confirmed = time::timeout(READ_DEADLINE, self.inner.leadership.confirm()).await;
        confirmed.map_err(|_| ViewFailed::TooLate)??;
        Ok(self.inner.gate.view().expect("a leadership is established only after a view was published"))
    }

    /// Waits until Raft stops, and says why: after a failure of the disk the process must end, because only a new start
    /// knows what the disk holds.
    pub async fn stopped(&self) -> RaftStopped {
        let mut metrics = self.inner.raft.metrics();
        match metrics.wait_for(|metrics| metrics.running_state.is_err()).await {
            Ok(stopped) => match &stopped.running_state {
                Err(fatal) => RaftStopped::because(fatal.clone()),
                Ok(()) => RaftStopped::ended(),
            },
            Err(_) => RaftStopped::ended(),
        }
    }

    /// Gives the lease up, stops, and returns when every file is closed. Proposals that wait are answered with an error.
    pub async fn shutdown(&self) {
        let Some(running) = self.inner.running.lock().take() else { return };
        self.inner.stop.cancel();
        let Running { tasks, store, dir } = running;
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the replica did not end well");
            }
        }
        if let Err(error) = self.inner.raft.shutdown().await {
            tracing::error!(%error, "raft did not end well");
        }
        store.close().await;
        drop(dir);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[cfg(test)]
mod tests;
