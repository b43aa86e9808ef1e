//! The handle on this node's copy of the authority, and how its parts are put together at a start.
//!
//! ```text
//!   lock ─► log (checked) ─► identity ─► snapshot ─► raft ─► leadership ─► proposer, lease keeper, compaction
//! ```
//!
//! A start that fails anywhere leaves nothing running. A start that succeeds has a view published that holds
//! everything that was ever acknowledged here; the lease comes a moment later, from its keeper.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use authority::{
    View,
    command::{Body, FoundCluster, Outcome, RegisterIncarnation, Rejected},
    enforcement::Gate,
    event::Actor,
    name::Name,
    node::{self, Epoch},
    request,
};
use openraft::{BasicNode, SnapshotPolicy, error::RaftError};
use parking_lot::Mutex;
use seams::{SharedClock, SharedDisk, SharedEntropy, SystemDisk, entropy};
use tokio::{task::JoinHandle, time};
use tokio_util::sync::CancellationToken;

use crate::{
    compaction::Compaction,
    config::Config,
    data_dir::DataDir,
    founding::recognise,
    identity::Identity,
    leadership::{Leadership, NotConfirmed},
    lease_keeper::LeaseKeeper,
    log_store::{self, Contents, LogStore, StoreThread},
    network::NoPeers,
    open_failed::OpenFailed,
    proposer::{Answer, Proposal, ProposeFailed, Proposer, proposer},
    raft_stopped::RaftStopped,
    snapshot_store::{Loaded, SnapshotStore},
    state_machine::StateMachine,
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
    keeper: JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
    store: StoreThread,
    dir: DataDir,
}

/// What a start has found on the disk.
struct Storage {
    log: LogStore,
    identity: Identity,
    snapshots: Arc<SnapshotStore>,
    loaded: Option<Loaded>,
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
        let started = async {
            let storage = Storage::open(&dir, &disk, log, &contents, &config, &entropy).await?;
            Parts { disk, config, gate, clock, entropy }.start(storage).await
        };
        match started.await {
            Ok((inner, tasks)) => {
                let (keeper, tasks) = tasks;
                *inner.running.lock() = Some(Running { keeper, tasks, store, dir });
                Ok(Self { inner: Arc::new(inner) })
            }
            Err(error) => {
                store.close().await;
                Err(error)
            }
        }
    }

    /// Proposes a change and waits for its answer, at most ten seconds. The answer to a narrowing command comes when
    /// it is enforced everywhere.
    pub async fn propose(&self, proposal: Proposal) -> Result<Answer, ProposeFailed> {
        self.inner.proposer.propose(proposal).await
    }

    /// Registers this start of the process: the epoch that its leases and its write-ahead log carry.
    pub async fn register_incarnation(&self) -> Result<Epoch, RegisterFailed> {
        let node = self.node();
        let registered = self.view().await?.node(node).map_or(Epoch(0), |node| node.epoch);
        let epoch = Epoch(registered.0 + 1);
        let body = Body::RegisterIncarnation(RegisterIncarnation { node, epoch });
        let request = fresh_request(&self.inner.entropy);
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
        let stopped = metrics.wait_for(|metrics| metrics.running_state.is_err()).await;
        match stopped.map(|metrics| metrics.running_state.clone()) {
            Ok(Err(fatal)) => RaftStopped::because(fatal),
            Ok(Ok(())) | Err(_) => RaftStopped::ended(),
        }
    }

    /// Gives the lease up, stops, and returns when every file is closed. Proposals that wait are answered with an error.
    pub async fn shutdown(&self) {
        let Some(running) = self.inner.running.lock().take() else { return };
        self.inner.stop.cancel();
        let Running { keeper, tasks, store, dir } = running;
        for task in std::iter::once(keeper).chain(tasks) {
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

impl Storage {
    async fn open(
        dir: &DataDir,
        disk: &SharedDisk,
        log: LogStore,
        contents: &Contents,
        config: &Config,
        entropy: &SharedEntropy,
    ) -> Result<Self, OpenFailed> {
        let identity = recognise(dir, &**disk, &log, contents, config, &**entropy).await?;
        let (snapshots, loaded) = SnapshotStore::open(dir.snapshots(), Arc::clone(disk))?;
        let last = loaded.as_ref().and_then(|loaded| loaded.meta.last_log_id);
        let (snapshot_next, log_first) = (last.map_or(0, |last| last.index + 1), contents.purged_next());
        if snapshot_next < log_first {
            return Err(OpenFailed::Gap { snapshot_next, log_first });
        }
        Ok(Self { log, identity, snapshots: Arc::new(snapshots), loaded })
    }
}

/// What a start is given.
struct Parts {
    disk: SharedDisk,
    config: Config,
    gate: Arc<Gate>,
    clock: SharedClock,
    entropy: SharedEntropy,
}

impl Parts {
    async fn start(
        self,
        storage: Storage,
    ) -> Result<(Inner, (JoinHandle<()>, Vec<JoinHandle<()>>)), OpenFailed> {
        let Self { disk, config, gate, clock, entropy } = self;
        let Storage { log, identity, snapshots, loaded } = storage;
        let last_snapshot =
            loaded.as_ref().and_then(|loaded| loaded.meta.last_log_id).map_or(0, |last| last.index);
        let spare = snapshots.log_spare_through();
        let machine = StateMachine::new(loaded, Arc::clone(&gate), Arc::clone(&clock), snapshots);
        let published = machine.published();
        let raft = start_raft(&config, log, machine).await?;
        let leadership = match Leadership::establish(raft.clone(), config.node, published.clone()).await {
            Ok(leadership) => Arc::new(leadership),
            Err(error) => return Err(stop_raft(&raft, error.into()).await),
        };
        let stop = CancellationToken::new();
        let (proposer, proposing) = proposer(raft.clone(), Arc::clone(&clock), Arc::clone(&disk), &config);
        let proposing = tokio::spawn(proposing.run(stop.clone()));
        if let Err(error) = found(&proposer, &gate, &identity, &entropy).await {
            stop.cancel();
            return Err(stop_raft(&raft, error).await);
        }
        let compaction = Compaction::new(raft.clone(), disk, &config, published, spare, last_snapshot);
        let compaction = tokio::spawn(compaction.run(stop.clone()));
        let keeper = LeaseKeeper::new(Arc::clone(&leadership), Arc::clone(&gate), clock, &config);
        let keeper = tokio::spawn(keeper.run(stop.clone()));
        let running = Mutex::new(None);
        let inner = Inner { node: config.node, raft, gate, entropy, leadership, proposer, stop, running };
        Ok((inner, (keeper, vec![proposing, compaction])))
    }
}

async fn start_raft(config: &Config, log: LogStore, machine: StateMachine) -> Result<Raft, OpenFailed> {
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let raft_config = openraft::Config {
        cluster_name: "portcullis".to_owned(),
        heartbeat_interval: millis(config.heartbeat),
        election_timeout_min: millis(config.election_min),
        election_timeout_max: millis(config.election_max),
        // Both are `compaction`'s.
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: u64::MAX,
        ..openraft::Config::default()
    };
    let raft_config = Arc::new(raft_config.validate().map_err(OpenFailed::RaftConfig)?);
    let node = config.node.0;
    let raft = Raft::new(node, raft_config, NoPeers, log, machine).await.map_err(RaftStopped::because)?;
    let members = BTreeMap::from([(node, BasicNode::default())]);
    match raft.initialize(members).await {
        // It was initialized at an earlier start.
        Ok(()) | Err(RaftError::APIError(_)) => Ok(raft),
        Err(RaftError::Fatal(fatal)) => Err(stop_raft(&raft, RaftStopped::because(fatal).into()).await),
    }
}

async fn stop_raft(raft: &Raft, error: OpenFailed) -> OpenFailed {
    if let Err(join) = raft.shutdown().await {
        tracing::error!(error = %join, "raft did not end well");
    }
    error
}

/// Founds the cluster if that has not happened yet, and holds the state against the directory.
async fn found(
    proposer: &Proposer,
    gate: &Gate,
    identity: &Identity,
    entropy: &SharedEntropy,
) -> Result<(), OpenFailed> {
    let view = gate.view().expect("a leadership is established only after a view was published");
    if let Some(found) = view.authority().cluster() {
        return held_against(found, &identity.cluster);
    }
    let cluster = identity.cluster.clone();
    let body = Body::FoundCluster(FoundCluster { cluster });
    let proposal = Proposal { request: fresh_request(entropy), actor: Actor::Founder, body };
    let answer = proposer.propose(proposal).await.map_err(OpenFailed::Founding)?;
    match answer.outcome {
        Outcome::Done { .. } => Ok(()),
        Outcome::Rejected(rejected) => Err(OpenFailed::FoundingRejected(rejected)),
    }
}

fn held_against(found: &Name, expected: &Name) -> Result<(), OpenFailed> {
    if found == expected {
        return Ok(());
    }
    Err(OpenFailed::OtherCluster { found: found.clone(), expected: expected.clone() })
}

/// A fresh request id: a random UUID (RFC 9562, section 5.4).
fn fresh_request(entropy: &SharedEntropy) -> request::Id {
    let mut id: [u8; 16] = entropy::array(&**entropy);
    id[6] = (id[6] & 0x0f) | 0x40;
    id[8] = (id[8] & 0x3f) | 0x80;
    request::Id(id)
}
