//! Why a proposal got no answer from the authority, and whether that says anything about what happened to it.

use std::time::Duration;

use authority::{node, request};

use crate::raft_stopped::RaftStopped;

/// Why a proposal got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProposeFailed {
    /// Too many proposals wait. It was not proposed.
    #[error("too many changes are waiting to be written; try again in a moment")]
    Busy,
    /// It does not fit into an entry. It was not proposed.
    #[error(
        "the change has {bytes} bytes, and at most {most} fit; split it, or use fewer or shorter patterns"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        most: usize,
    },
    /// Little space is free. It was not proposed.
    #[error(
        "the disk of the data directory has {free} bytes free, and below {mark} only revocations and other narrowing \
         changes are accepted; make room on it"
    )]
    DiskNearlyFull {
        /// How many bytes are free.
        free: u64,
        /// The mark below which it is refused.
        mark: u64,
    },
    /// The state holds as many events that no archive has as it may. It was not proposed, since even its rejection would be
    /// one more.
    #[error(
        "the archive is too far behind: only revocations and other narrowing changes are accepted until it catches up; \
         make room where it stands"
    )]
    ArchiveBehind,
    /// This node does not lead.
    #[error("this node is not the leader; send the change to the leader, with the same request id")]
    NotLeader {
        /// Who leads, if it is known.
        leader: Option<node::Id>,
    },
    /// There was no answer in time: it may have happened, it may still happen, or it may never.
    #[error(
        "no answer within {} seconds, so it is not known whether the change was made; send it again with the same \
         request id ({request}), which makes it once at most", waited.as_secs()
    )]
    Unknown {
        /// The request to repeat.
        request: request::Id,
        /// How long was waited.
        waited: Duration,
    },
    /// Raft stopped meanwhile: whether it happened is not known.
    #[error(
        "this node stopped before there was an answer, so it is not known whether the change was made; send it again \
         with the same request id ({request}) when the node is back"
    )]
    Stopped {
        /// The request to repeat.
        request: request::Id,
        /// Why it stopped.
        #[source]
        source: RaftStopped,
    },
}

impl ProposeFailed {
    pub(super) fn stopped(request: request::Id, source: RaftStopped) -> Self {
        Self::Stopped { request, source }
    }
}
