//! Why a replica did not start. Each of these says what to do; none of them is worth trying again unchanged.

use authority::{command::Rejected, name::Name};

use crate::{
    config::BadTimes, data_dir::LockFailed, founding::NotRecognised, leadership::NotEstablished,
    log_store::OpenLogFailed, proposer::ProposeFailed, raft_stopped::RaftStopped,
    snapshot_store::OpenSnapshotsFailed,
};

/// Why a replica did not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    /// The configured times contradict each other.
    #[error(transparent)]
    Times(#[from] BadTimes),
    /// The data directory could not be locked.
    #[error(transparent)]
    Lock(#[from] LockFailed),
    /// The log did not open.
    #[error(transparent)]
    Log(#[from] OpenLogFailed),
    /// The data directory is not this node's.
    #[error(transparent)]
    NotRecognised(#[from] NotRecognised),
    /// The snapshots did not open.
    #[error(transparent)]
    Snapshots(#[from] OpenSnapshotsFailed),
    /// The log does not go back to the newest good snapshot.
    #[error(
        "the newest good snapshot ends before entry {snapshot_next}, and the raft log begins at entry {log_first}; keep \
         the directory for inspection and restore a backup into an empty one, or, if other voters are healthy, let this \
         node join them again under a new id"
    )]
    Gap {
        /// The first entry that no snapshot holds.
        snapshot_next: u64,
        /// The first entry of the log.
        log_first: u64,
    },
    /// The state is that of another cluster than the directory.
    #[error(
        "the state in the data directory is that of cluster {found}, and the directory is one of {expected}; restore the directory from one copy"
    )]
    OtherCluster {
        /// Of which cluster the state is.
        found: Name,
        /// Of which cluster the directory is.
        expected: Name,
    },
    /// Raft did not start.
    #[error(transparent)]
    Raft(#[from] RaftStopped),
    /// Raft was not given this configuration.
    #[error("raft refuses its configuration")]
    RaftConfig(#[source] Box<openraft::ConfigError>),
    /// This node did not come to lead.
    #[error(transparent)]
    NotEstablished(#[from] NotEstablished),
    /// The cluster could not be founded.
    #[error("the cluster could not be founded")]
    Founding(#[source] ProposeFailed),
    /// The authority refused to found the cluster.
    #[error("the cluster could not be founded")]
    FoundingRejected(#[source] Rejected),
}
