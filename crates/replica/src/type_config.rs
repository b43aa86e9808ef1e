//! The types that openraft is told to work with. openraft itself is named nowhere outside this crate, so that another
//! version of it, or another library, is a change of this crate alone.

use std::sync::Arc;

use authority::command::Command;

use crate::{cut_attribution::CutCalls, snapshot_store::SnapshotFile};

openraft::declare_raft_types!(
    /// The types of this replica's Raft.
    pub(crate) TypeConfig:
        D = Batch,
        R = Reply,
        NodeId = u64,
        Node = openraft::BasicNode,
        SnapshotData = SnapshotFile,
);

/// The Raft node of this replica.
pub(crate) type Raft = openraft::Raft<TypeConfig>;
/// A log entry.
pub(crate) type Entry = openraft::Entry<TypeConfig>;
/// The place of an entry: the leadership that wrote it, and its index.
pub(crate) type LogId = openraft::LogId<u64>;
/// What this node has voted for.
pub(crate) type Vote = openraft::Vote<u64>;
/// The members, and the entry that made them so.
pub(crate) type StoredMembership = openraft::StoredMembership<u64, openraft::BasicNode>;
/// What a snapshot holds.
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<u64, openraft::BasicNode>;
/// A failure of storage, which ends the Raft node.
pub(crate) type StorageError = openraft::StorageError<u64>;

/// The commands of one entry, in the order in which they are applied. Empty for the entry by which a new leadership
/// finds its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Batch(pub(crate) Arc<[Command]>);

/// What applying one entry answered, one answer for each command.
#[derive(Debug, Default)]
pub(crate) struct Reply(pub(crate) Vec<Answered>);

/// The answer to one command, given when the view that holds it is published and what it cut is cut.
#[derive(Debug)]
pub(crate) struct Answered {
    /// What the authority said.
    pub(crate) outcome: authority::command::Outcome,
    /// Whether the command was a narrowing one.
    pub(crate) narrowing: bool,
    /// The calls in flight that this command cut on this node.
    pub(crate) cut: CutCalls,
}
