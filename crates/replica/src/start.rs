//! A start: the parts of a replica, put together in the order in which each may rely on the one before.
//!
//! ```text
//!   log (checked) ─► identity ─► snapshot ─► raft ─► leadership ─► founding ─► lease keeper, compaction
//! ```
//!
//! A start that fails anywhere leaves nothing running. One that succeeds has a view published that holds everything
//! that was ever acknowledged here; the lease comes a moment later, from its keeper.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use authority::{
    command::{Body, FoundCluster, Outcome},
    enforcement::Gate,
    event::Actor,
    name::Name,
};
use openraft::{
    BasicNode, SnapshotPolicy,
    error::{Fatal, RaftError},
};
use seams::{SharedClock, SharedDisk, SharedEntropy};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    compaction::Compaction,
    config::Config,
    data_dir::DataDir,
    founding::recognise,
    fresh_request::fresh_request,
    identity::Identity,
    leadership::Leadership,
    lease_keeper::LeaseKeeper,
    log_store::{Contents, LogStore},
    network::NoPeers,
    open_failed::OpenFailed,
    proposer::{Proposal, Proposer, proposer},
    raft_stopped::RaftStopped,
    snapshot_store::{Loaded, SnapshotStore},
    state_machine::StateMachine,
    type_config::Raft,
};

/// What a start is given.
pub(crate) struct Given {
    pub(crate) disk: SharedDisk,
    pub(crate) config: Config,
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
}

/// What a start leaves running.
pub(crate) struct Started {
    pub(crate) raft: Raft,
    pub(crate) leadership: Arc<Leadership>,
    pub(crate) proposer: Proposer,
    pub(crate) stop: CancellationToken,
    /// What ends when `stop` is cancelled.
    pub(crate) tasks: Vec<JoinHandle<()>>,
}

/// What a start has found on the disk.
struct Storage {
    log: LogStore,
    identity: Identity,
    snapshots: Arc<SnapshotStore>,
    loaded: Option<Loaded>,
}

/// Starts on the log that was opened in `dir`.
pub(crate) async fn start(
    given: Given,
    dir: &DataDir,
    log: LogStore,
    contents: &Contents,
) -> Result<Started, OpenFailed> {
    let storage = read_storage(&given, dir, log, contents).await?;
    let Given { disk, config, gate, clock, entropy } = given;
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
    let keeper = LeaseKeeper::new(Arc::clone(&leadership), gate, clock, &config);
    let keeper = tokio::spawn(keeper.run(stop.clone()));
    Ok(Started { raft, leadership, proposer, stop, tasks: vec![keeper, proposing, compaction] })
}

async fn read_storage(
    given: &Given,
    dir: &DataDir,
    log: LogStore,
    contents: &Contents,
) -> Result<Storage, OpenFailed> {
    let Given { disk, config, entropy, .. } = given;
    let identity = recognise(dir, &**disk, &log, contents, config, &**entropy).await?;
    let (snapshots, loaded) = SnapshotStore::open(dir.snapshots(), Arc::clone(disk))?;
    let last = loaded.as_ref().and_then(|loaded| loaded.meta.last_log_id);
    let (snapshot_next, log_first) = (last.map_or(0, |last| last.index + 1), contents.purged_next());
    if snapshot_next < log_first {
        return Err(OpenFailed::Gap { snapshot_next, log_first });
    }
    Ok(Storage { log, identity, snapshots: Arc::new(snapshots), loaded })
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
    let raft_config =
        Arc::new(raft_config.validate().map_err(|error| OpenFailed::RaftConfig(Box::new(error)))?);
    let node = config.node.0;
    let raft = Raft::new(node, raft_config, NoPeers, log, machine).await.map_err(RaftStopped::because)?;
    match initialize(&raft, node).await {
        Ok(()) => Ok(raft),
        Err(fatal) => Err(stop_raft(&raft, RaftStopped::because(fatal).into()).await),
    }
}

/// Makes the node the only voter, unless an earlier start has: openraft would refuse a second time, and call it an error.
async fn initialize(raft: &Raft, node: u64) -> Result<(), Fatal<u64>> {
    if raft.is_initialized().await? {
        return Ok(());
    }
    let members = BTreeMap::from([(node, BasicNode::default())]);
    match raft.initialize(members).await {
        Ok(()) | Err(RaftError::APIError(_)) => Ok(()),
        Err(RaftError::Fatal(fatal)) => Err(fatal),
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
    let proposal = Proposal { request: fresh_request(&**entropy), actor: Actor::Founder, body };
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
