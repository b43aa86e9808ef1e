//! Why the log could not be opened, a record not recorded, or records not read: one enum for each operation.

use std::{io, path::PathBuf, sync::Arc};

use authority::node::{Epoch, Id};

use crate::chain::Break;

/// Why a log does not open. A node that gets it must not serve: it could not record.
#[derive(Debug, thiserror::Error)]
pub enum OpenFailed {
    /// The settings contradict each other.
    #[error("the write-ahead log's settings contradict each other: {what}")]
    Config {
        /// What contradicts what.
        what: &'static str,
    },
    /// The disk did not do what recovery asked of it.
    #[error("could not {action} {}", path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The log belongs to another node.
    #[error(
        "{} is the log of node {found}, and this is node {expected}: give each node its own data directory",
        path.display()
    )]
    OtherNode {
        /// The segment.
        path: PathBuf,
        /// This node.
        expected: Id,
        /// The node that wrote it.
        found: Id,
    },
    /// The epoch is not newer than what the log holds: another process with the same registration wrote it.
    #[error(
        "epoch {epoch} is not newer than epoch {found} of the log: another process used this data directory or a \
         copy of it"
    )]
    EpochNotNewer {
        /// The epoch to start.
        epoch: Epoch,
        /// The newest epoch on disk.
        found: Epoch,
    },
    /// Bytes that were once right are wrong now.
    #[error(
        "{} is damaged at byte {offset} (epoch {epoch}, after sequence number {after_seq}): {what}; \
         keep the file, and restore it from a copy or the archive before this node starts again",
        path.display()
    )]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// The epoch of the segment.
        epoch: Epoch,
        /// The last good record before the damage; 0 if there is none in this epoch.
        after_seq: u64,
        /// What is wrong there.
        what: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The writer's thread did not start.
    #[error("could not start a thread for the write-ahead log")]
    Thread(#[source] io::Error),
}

/// Why a record is not recorded. The call it stands for must not be forwarded.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotRecorded {
    /// The log, or the disk below it, has no room but its reserve.
    #[error(
        "the write-ahead log is full: free disk space, or let the archive catch up so that it can be trimmed"
    )]
    Full,
    /// Too many records wait, or too many calls are open.
    #[error("the write-ahead log has too many records waiting; try again")]
    Busy,
    /// The record is longer than the log takes.
    #[error("a record of {bytes} bytes is longer than the write-ahead log takes")]
    TooLong {
        /// Its encoded length.
        bytes: usize,
    },
    /// A write or sync failed: nothing is recorded until the node is started again.
    #[error("the write-ahead log failed and this node has to be restarted")]
    Failed(#[source] Arc<WriteFailed>),
    /// The log was closed: the node is shutting down.
    #[error("the write-ahead log is closed: this node is shutting down")]
    Closed,
}

/// The write or sync that ended the log.
#[derive(Debug, thiserror::Error)]
#[error("could not {action} {}", path.display())]
pub struct WriteFailed {
    /// What was tried.
    pub action: &'static str,
    /// On which file.
    pub path: PathBuf,
    /// What the operating system says.
    #[source]
    pub source: io::Error,
}

/// Why records are not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailed {
    /// The records after the given position were trimmed: the cluster has agreed that the archive holds them.
    #[error("the write-ahead log begins after the position asked for; the archive holds what was before")]
    Trimmed,
    /// The log does not reach the given position: it has lost synced records.
    #[error("the write-ahead log ends before epoch {epoch}, sequence number {seq}, which the archive holds")]
    Behind {
        /// The epoch asked for.
        epoch: Epoch,
        /// The sequence number asked for.
        seq: u64,
    },
    /// The record at the given position is another one here.
    #[error("epoch {epoch}, sequence number {seq} is another record here than in the archive")]
    Diverged {
        /// The epoch asked for.
        epoch: Epoch,
        /// The sequence number asked for.
        seq: u64,
    },
    /// Synced bytes are wrong.
    #[error("{} is damaged at byte {offset}: {what}", path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A record does not continue the chain.
    #[error("{} at byte {offset}: the record does not follow the one before", path.display())]
    Chain {
        /// The segment.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is broken.
        #[source]
        source: Break,
    },
    /// The disk did not give the bytes.
    #[error("could not read {}", path.display())]
    Disk {
        /// The segment.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}
