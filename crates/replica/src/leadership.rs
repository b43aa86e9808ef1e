//! One leadership of this node: a committed vote, held by this process, from the first entry of its own on.
//!
//! openraft makes a restarted leader leader again at once, without an election and with the old end of its log in
//! mind; what it says then about "how far to read" can be older than what it has acknowledged. So a leadership counts
//! here only once an entry that this process proposed under it is applied: everything its log held before is applied
//! then, too. Reads and leases ask [`Leadership::confirm`] and nothing else.

use std::time::Duration;

use authority::node;
use openraft::{
    ServerState,
    error::{CheckIsLeaderError, ClientWriteError, RaftError},
};
use tokio::{sync::watch, time};

use crate::{
    raft_stopped::RaftStopped,
    type_config::{Batch, Raft, Vote},
};

/// How long a start waits for a leadership: many elections, and a replay of a long log.
const ESTABLISH_DEADLINE: Duration = Duration::from_secs(60);

/// A leadership of this node that has an entry of its own applied.
pub(crate) struct Leadership {
    raft: Raft,
    published: watch::Receiver<Option<u64>>,
    vote: Vote,
    own_entry: u64,
}

/// Why a leadership could not be established.
#[derive(Debug, thiserror::Error)]
pub enum NotEstablished {
    /// No leader was elected in time.
    #[error("this node did not become the leader within {} seconds; are enough voters running?", ESTABLISH_DEADLINE.as_secs())]
    TooLate,
    /// Another node leads.
    #[error("another node leads this cluster")]
    OtherLeader,
    /// The Raft node stopped.
    #[error(transparent)]
    Stopped(#[from] RaftStopped),
}

/// Why a leadership could not be confirmed.
#[derive(Debug, thiserror::Error)]
pub enum NotConfirmed {
    /// Another node leads, or none.
    #[error("this node is not the leader; ask {}", leader_name(*leader))]
    NotLeader {
        /// Who leads, if it is known.
        leader: Option<node::Id>,
    },
    /// Too few voters answered.
    #[error("too few voters answered to say that this node still leads; try again when they are back")]
    NoQuorum,
    /// This node leads again, but has not found its place yet.
    #[error("this node has just become the leader again; try again")]
    Renewed,
    /// The Raft node stopped.
    #[error(transparent)]
    Stopped(#[from] RaftStopped),
}

impl Leadership {
    /// Waits until `node` leads, and has applied an entry of its own.
    pub(crate) async fn establish(
        raft: Raft,
        node: node::Id,
        published: watch::Receiver<Option<u64>>,
    ) -> Result<Self, NotEstablished> {
        time::timeout(ESTABLISH_DEADLINE, Self::establish_in_time(raft, node, published))
            .await
            .unwrap_or(Err(NotEstablished::TooLate))
    }

    async fn establish_in_time(
        raft: Raft,
        node: node::Id,
        mut published: watch::Receiver<Option<u64>>,
    ) -> Result<Self, NotEstablished> {
        let mut metrics = raft.metrics();
        let leads = metrics.wait_for(|metrics| {
            let elected = metrics.state == ServerState::Leader && metrics.current_leader == Some(node.0);
            elected || metrics.running_state.is_err()
        });
        let running = leads.await.map_err(|_| RaftStopped::ended())?.running_state.clone();
        running.map_err(RaftStopped::because)?;
        let written = raft.client_write(Batch::default()).await.map_err(|error| match error {
            RaftError::Fatal(fatal) => NotEstablished::Stopped(RaftStopped::because(fatal)),
            RaftError::APIError(
                ClientWriteError::ForwardToLeader(_) | ClientWriteError::ChangeMembershipError(_),
            ) => NotEstablished::OtherLeader,
        })?;
        let own_entry = written.log_id.index;
        wait_until_published(&mut published, own_entry).await?;
        let leader = written.log_id.leader_id;
        Ok(Self { raft, published, vote: Vote::new_committed(leader.term, leader.node_id), own_entry })
    }

    /// Confirms the leadership by a quorum round that begins after this is called, and returns once the view holds
    /// everything that was known to be committed when the round began.
    pub(crate) async fn confirm(&self) -> Result<(), NotConfirmed> {
        let (read, _applied) = self.raft.get_read_log_id().await.map_err(|error| match error {
            RaftError::Fatal(fatal) => NotConfirmed::Stopped(RaftStopped::because(fatal)),
            RaftError::APIError(CheckIsLeaderError::ForwardToLeader(forward)) => {
                NotConfirmed::NotLeader { leader: forward.leader_id.map(node::Id) }
            }
            RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(_)) => NotConfirmed::NoQuorum,
        })?;
        let read = read.filter(|read| read.leader_id == self.vote.leader_id).ok_or(NotConfirmed::Renewed)?;
        let mut published = self.published.clone();
        wait_until_published(&mut published, read.index.max(self.own_entry)).await?;
        Ok(())
    }
}

async fn wait_until_published(
    published: &mut watch::Receiver<Option<u64>>,
    index: u64,
) -> Result<(), RaftStopped> {
    let reached = published.wait_for(|published| *published >= Some(index)).await;
    reached.map(drop).map_err(|_| RaftStopped::ended())
}

fn leader_name(leader: Option<node::Id>) -> String {
    leader.map_or_else(|| "again when there is one".to_owned(), |leader| format!("node {leader}"))
}
