//! One node, wired: the only place that knows all the parts.
//!
//! ```text
//!   keyring ─┬────────────► upstreams ──┐
//!            │                          ▼
//!   replica ─┴─► gate ◄──────────────  edge ──► wal ──► archiver ──► archive
//!      ▲                                                   │
//!      └───────────── archive heads ◄──────────────────────┘
//! ```
//!
//! Start: keys, state, a fresh epoch, the log under that epoch, then the listeners. Stop: the listeners, the calls, the
//! log, the archive, the state. Nothing is acknowledged after its log is closed.

mod data_plane;
mod joints;

use std::{net::SocketAddr, str::FromStr, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use authority::{enforcement::Gate, name::Name, node, time::Boot};
use edge::Edge;
use keyring::{Keyring, signing::KeyName};
use ledger::{Archiver, store::Store};
use replica::Replica;
use rustls::ServerConfig;
use seams::{SharedClock, SharedDisk, SharedEntropy, SystemClock, SystemDisk, SystemEntropy};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use upstream::Upstreams;
use wal::Wal;

use self::{
    data_plane::DataPlane,
    joints::{EndpointGuard, LogState, ProposeHead},
};
use crate::{
    certificates,
    data_dir::DataDir,
    health::{self, Probed},
    init,
};

/// The id of the one node there is; the cluster gives out others.
pub const FIRST_NODE: node::Id = node::Id(1);

/// How often the node looks whether it still holds its lease: a sixth of one, as often as it is renewed.
const LEASE_WATCH: Duration = Duration::from_millis(500);

/// What the host gives.
#[derive(Clone)]
pub struct Host {
    /// Clocks.
    pub clock: SharedClock,
    /// Randomness.
    pub entropy: SharedEntropy,
    /// Files.
    pub disk: SharedDisk,
}

/// What a node is started with.
pub struct Settings {
    /// Its files.
    pub dir: DataDir,
    /// The listener of agents.
    pub data: TcpListener,
    /// Its TLS.
    pub data_tls: Option<Arc<ServerConfig>>,
    /// The listener of operators.
    pub admin: TcpListener,
    /// Its names, for the certificate.
    pub admin_names: Vec<String>,
    /// The listener of probes.
    pub health: TcpListener,
    /// The data plane.
    pub edge: edge::Config,
    /// What may be reached.
    pub upstream: upstream::Config,
    /// When an intent counts as recorded.
    pub durability: wal::Durability,
    /// How much disk the write-ahead log may take.
    pub wal_max_bytes: u64,
}

/// A running node.
pub struct Node {
    /// Its copy of the authority.
    pub replica: Replica,
    /// Its keys.
    pub keyring: Arc<Keyring>,
    /// Where agents reach it.
    pub data_address: SocketAddr,
    /// Where operators reach it.
    pub admin_address: SocketAddr,
    data_plane: DataPlane,
    upstreams: Upstreams,
    wal: Wal,
    stop: Stop,
    listeners: Vec<JoinHandle<Result<()>>>,
    probing: JoinHandle<Result<()>>,
    archiving: JoinHandle<()>,
    drain: Duration,
    _lock: std::fs::File,
}

impl Host {
    /// The machine this process runs on.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy), disk: Arc::new(SystemDisk) }
    }
}

/// Opens the replica alone, as founding does.
pub async fn open_replica(dir: &DataDir, cluster: &Name, host: &Host) -> Result<Replica> {
    open_replica_with(dir, cluster, host, &Arc::new(Gate::new())).await
}

async fn open_replica_with(dir: &DataDir, cluster: &Name, host: &Host, gate: &Arc<Gate>) -> Result<Replica> {
    let mut config = replica::Config::new(dir.raft(), FIRST_NODE);
    config.cluster = Some(cluster.clone());
    Replica::open(config, Arc::clone(gate), Arc::clone(&host.clock), Arc::clone(&host.entropy))
        .await
        .context("the replicated state could not be opened")
}

impl Node {
    /// Starts a node whose keys are there.
    pub async fn start(settings: Settings, host: &Host) -> Result<Self> {
        let dir = settings.dir.clone();
        let lock = dir.lock()?;
        let keyring = Arc::new(Keyring::open(&dir.keys(), &*host.disk)?);
        let cluster = init::cluster_of(&keyring);
        let gate = Arc::new(Gate::new());
        let replica = open_replica_with(&dir, &cluster, host, &gate).await?;
        let epoch = replica.register_incarnation().await.context("this start could not be registered")?;
        let wal = open_log(&settings, host, epoch)?;
        let upstreams = Upstreams::new(
            settings.upstream.clone(),
            Arc::clone(&gate),
            Arc::clone(&keyring),
            Arc::clone(&host.clock),
        )?;
        let parts = Joined { gate, keyring, replica, wal, upstreams, cluster };
        Self::serve(settings, host, parts, lock)
    }

    fn serve(settings: Settings, host: &Host, parts: Joined, lock: std::fs::File) -> Result<Self> {
        let Joined { gate, keyring, replica, wal, upstreams, cluster } = parts;
        let stop = Stop::default();
        let admin_tls = certificates::admin_tls(&settings.dir, cluster.as_str(), settings.admin_names)?;
        let store = Store::create(&settings.dir.archive())?;
        let archiver = Archiver::new(ledger::archiver::Parts {
            store: store.clone(),
            wal: wal.clone(),
            gate: Arc::clone(&gate),
            commit: Arc::new(ProposeHead { replica: replica.clone(), entropy: Arc::clone(&host.entropy) }),
            signer: keyring.audit_signer(KeyName::from_str(&format!("portcullis/{cluster}"))?),
            cluster,
            entropy: Arc::clone(&host.entropy),
        });
        let admin = admin::Parts {
            replica: replica.clone(),
            gate: Arc::clone(&gate),
            keyring: Arc::clone(&keyring),
            audit: ledger::Reader::new(store, wal.clone(), Arc::clone(&gate)),
            check_endpoint: Arc::new(EndpointGuard(upstreams.clone())),
            recording: Arc::new(LogState(wal.clone())),
            clock: Arc::clone(&host.clock),
            entropy: Arc::clone(&host.entropy),
        };
        let probed = Probed {
            gate: Arc::clone(&gate),
            wal: wal.clone(),
            clock: Arc::clone(&host.clock),
            stopping: stop.listeners.clone(),
        };
        let wipe = wipe_at_lease_loss(
            upstreams.clone(),
            Arc::clone(&gate),
            Arc::clone(&host.clock),
            stop.listeners.clone(),
        );
        let drain = settings.edge.drain;
        let edge = Edge::new(edge::Parts {
            config: settings.edge,
            gate,
            wal: wal.clone(),
            upstreams: upstreams.clone(),
            keyring: Arc::clone(&keyring),
            clock: Arc::clone(&host.clock),
            entropy: Arc::clone(&host.entropy),
        });
        let (data_address, admin_address) = (settings.data.local_addr()?, settings.admin.local_addr()?);
        let data_plane = DataPlane::start(edge, settings.data, settings.data_tls, stop.listeners.clone())?;
        let listeners = vec![
            tokio::spawn(serve_admin(settings.admin, admin_tls, admin, stop.listeners.clone())),
            tokio::spawn(wipe),
        ];
        let probing = tokio::spawn(health::serve(settings.health, Arc::new(probed), stop.probes.clone()));
        let archiving = tokio::spawn(archiver.run(stop.archiver.clone().cancelled_owned()));
        Ok(Self {
            replica,
            keyring,
            data_address,
            admin_address,
            data_plane,
            upstreams,
            wal,
            stop,
            listeners,
            probing,
            archiving,
            drain,
            _lock: lock,
        })
    }

    /// Cancelled when the node begins to stop.
    pub fn stop_signal(&self) -> CancellationToken {
        self.stop.listeners.clone()
    }

    /// How long a stop lets open calls finish.
    pub fn drain(&self) -> Duration {
        self.drain
    }

    /// Waits until the node cannot go on, and says why: after a failure of its disk only a new start knows what it holds.
    pub async fn failed(&self) -> anyhow::Error {
        anyhow::Error::from(self.replica.stopped().await)
            .context("the replicated state stopped; restart the node")
    }

    /// Stops in order: listeners and calls, the log, the archive, the state.
    pub async fn stop(self) -> Result<()> {
        tracing::info!("stopping: no new calls, open ones may finish");
        self.stop.listeners.cancel();
        self.data_plane.finish().await?;
        self.upstreams.wipe();
        for listener in self.listeners {
            listener.await.context("a listener failed")??;
        }
        self.wal.flush().await.context("the write-ahead log could not be written to its end")?;
        self.stop.archiver.cancel();
        self.archiving.await.context("the archiver failed")?;
        self.wal.close().await;
        self.replica.shutdown().await;
        // Probes are answered to the end: not ready, but alive.
        self.stop.probes.cancel();
        self.probing.await.context("the listener of probes failed")??;
        tracing::info!("stopped");
        Ok(())
    }
}

/// The parts that are there before anything listens.
struct Joined {
    gate: Arc<Gate>,
    keyring: Arc<Keyring>,
    replica: Replica,
    wal: Wal,
    upstreams: Upstreams,
    cluster: Name,
}

/// What ends the tasks of a node, in this order.
#[derive(Default)]
struct Stop {
    listeners: CancellationToken,
    archiver: CancellationToken,
    probes: CancellationToken,
}

async fn serve_admin(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    parts: admin::Parts,
    stop: CancellationToken,
) -> Result<()> {
    admin::serve(listener, tls, parts, stop.cancelled_owned()).await.context("the admin listener failed")
}

fn open_log(settings: &Settings, host: &Host, epoch: node::Epoch) -> Result<Wal> {
    let mut config = wal::Config::new(settings.dir.wal(), settings.durability);
    config.max_bytes = settings.wal_max_bytes;
    let (wal, recovery) =
        Wal::open(config, Arc::clone(&host.disk), Arc::clone(&host.clock), FIRST_NODE, epoch)
            .context("the write-ahead log could not be opened")?;
    tracing::info!(
        epoch = epoch.0,
        cut_bytes = recovery.cut_bytes,
        outcome_unknown = recovery.outcome_unknown.len(),
        "the write-ahead log is open"
    );
    Ok(wal)
}

/// Forgets opened secrets when the lease is lost: a node that may not enforce has no business with them.
async fn wipe_at_lease_loss(
    upstreams: Upstreams,
    gate: Arc<Gate>,
    clock: SharedClock,
    stop: CancellationToken,
) -> Result<()> {
    let mut ticks = tokio::time::interval(LEASE_WATCH);
    let mut held = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick() => {}
        }
        let holds = gate.lease().covers(Boot(clock.boot_nanos()));
        if held && !holds {
            tracing::warn!("the lease is lost: opened secrets are forgotten, calls are refused");
            upstreams.wipe();
        }
        held = holds;
    }
    Ok(())
}
