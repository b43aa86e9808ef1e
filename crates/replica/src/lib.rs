//! This node's copy of the authority: openraft on sled, the proposer, leases.
//!
//! ```text
//!   propose ─► proposer ─► openraft ─► log_store (sled, sync) ─► committed
//!                                         │
//!                            state_machine (fold, publish, cut) ─► answers
//!                                         │
//!   view ◄─ leadership (confirm) ─► lease_keeper ─► the gate's lease
//! ```
//!
//! There is one voter for now, and one write path for ever: what a single node does here is what the leader of a
//! cluster will do. openraft is named nowhere else in the workspace. What must stay true: nothing is answered before it
//! is durable and published; a narrowing is answered only when it is enforced everywhere; a node enforces only under
//! a lease whose confirmation began after the lease did; a disk that lost or changed something acknowledged is
//! noticed, and the node does not start from it.

mod compaction;
mod config;
mod cut_attribution;
mod data_dir;
mod enforced;
mod founding;
mod fresh_request;
mod identity;
mod leadership;
mod lease_keeper;
mod log_store;
mod network;
mod open_failed;
mod proposer;
mod raft_message;
mod raft_stopped;
mod replica;
mod snapshot_store;
mod start;
mod state_machine;
#[cfg(test)]
mod test_disk;
mod type_config;

pub use self::{
    config::{
        BadTimes, Config, DEFAULT_ENTRIES_PER_SNAPSHOT, DEFAULT_FREE_SPACE_MARK_BYTES, DRIFT_PER_MILLE,
        RENEWALS_PER_LEASE,
    },
    cut_attribution::MAX_NAMED_CALLS,
    data_dir::LockFailed,
    enforced::Enforced,
    founding::NotRecognised,
    identity::NotAnIdentity,
    leadership::{NotConfirmed, NotEstablished},
    log_store::{Damage, OpenLogFailed},
    open_failed::OpenFailed,
    proposer::{Answer, Proposal, ProposeFailed},
    raft_message::NotAMessage,
    raft_stopped::RaftStopped,
    replica::{RegisterFailed, Replica, ViewFailed},
    snapshot_store::{BadSnapshot, OpenSnapshotsFailed},
};
