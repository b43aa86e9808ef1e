//! That the Raft node of this replica has stopped, and why. There is no way back but a new start of the process, which
//! checks what the disk really holds.

use openraft::error::Fatal;

/// The Raft node stopped.
#[derive(Clone, Debug, thiserror::Error)]
#[error("this node's raft has stopped; look at its disk, then start the process again")]
pub struct RaftStopped {
    /// Boxed, because most of what carries it is a `Result` that is good.
    #[source]
    cause: Box<Fatal<u64>>,
}

impl RaftStopped {
    /// It stopped for this reason.
    pub(crate) fn because(cause: Fatal<u64>) -> Self {
        Self { cause: Box::new(cause) }
    }

    /// It ended, as at a shutdown.
    pub(crate) fn ended() -> Self {
        Self::because(Fatal::Stopped)
    }

    /// Whether it was told to stop, as opposed to having failed.
    pub fn was_asked_for(&self) -> bool {
        *self.cause == Fatal::Stopped
    }
}
