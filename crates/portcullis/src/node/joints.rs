//! The joints: where one crate asks for another's service through a narrow trait, joined here.

use admin::{CheckEndpoint, EndpointRefused, Recording};
use async_trait::async_trait;
use authority::{
    archive::Head,
    command::{Body, CommitArchiveHead, Outcome},
    event::Actor,
    request,
    server::Endpoint,
};
use ledger::archiver::{CommitHead, HeadNotCommitted};
use replica::{Proposal, Replica};
use seams::{SharedEntropy, entropy};
use upstream::Upstreams;
use wal::Wal;

/// The archiver's heads go through the replica, like every change.
pub struct ProposeHead {
    /// This node's replica.
    pub replica: Replica,
    /// For request ids.
    pub entropy: SharedEntropy,
}

/// What the admin API asks of `upstream`.
pub struct EndpointGuard(pub Upstreams);

/// What the admin API asks of `wal`.
pub struct LogState(pub Wal);

#[async_trait]
impl CommitHead for ProposeHead {
    async fn commit_head(&self, previous_height: u64, head: Head) -> Result<(), HeadNotCommitted> {
        let proposal = Proposal {
            request: request::Id(entropy::array(&*self.entropy)),
            actor: Actor::Node(self.replica.node()),
            body: Body::CommitArchiveHead(CommitArchiveHead { previous_height, head }),
        };
        let answer =
            self.replica.propose(proposal).await.map_err(|error| HeadNotCommitted(Box::new(error)))?;
        match answer.outcome {
            Outcome::Done { .. } => Ok(()),
            Outcome::Rejected(rejected) => Err(HeadNotCommitted(Box::new(rejected))),
        }
    }
}

impl CheckEndpoint for EndpointGuard {
    fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), EndpointRefused> {
        self.0.check_endpoint(endpoint).map_err(|reason| EndpointRefused { reason: Box::new(reason) })
    }
}

impl Recording for LogState {
    fn is_recording(&self) -> bool {
        self.0.is_writable()
    }
}
