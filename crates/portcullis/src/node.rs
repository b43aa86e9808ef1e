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

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use authority::{enforcement::Gate, name::Name, node};
use edge::Edge;
use keyring::Keyring;
use ledger::Archiver;
use replica::Replica;
use rustls::ServerConfig;
use seams::{SharedClock, SharedDisk, SharedEntropy, SystemClock, SystemDisk, SystemEntropy};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use upstream::Upstreams;
use wal::Wal;

use crate::{archive_head::ProposeHead, data_dir::DataDir, health, init};

/// The id of the one node there is; the cluster gives out others.
pub const FIRST_NODE: node::Id = node::Id(1);

/// How long a stop waits for calls before it cuts them.
const DRAIN: Duration = Duration::from_secs(30);

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
    edge: Arc<Edge>,
    wal: Wal,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
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
    let config = replica::Config::new(dir.raft(), FIRST_NODE, cluster.clone());
    Replica::open(config, Arc::clone(gate), Arc::clone(&host.clock), Arc::clone(&host.entropy))
        .await
        .context("the replicated state could not be opened")
}
