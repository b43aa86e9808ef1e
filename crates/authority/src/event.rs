//! Events: what happened, in the past tense. The state is exactly their fold, and the archive keeps every one.

use std::sync::Arc;

use crate::{
    archive::Head,
    command::Outcome,
    credential::{self, Credential},
    grant::{self, Grant, TokenHash},
    name::Name,
    node::{self, Epoch},
    operator::{self, Operator},
    principal::{self, Principal},
    request,
    server::{self, Endpoint},
    time::Wall,
};

/// The running count of events, from 1. Cursors and deduplication use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Number(pub u64);

/// The index of a Raft entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

/// Who asked for a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An operator, through the admin API.
    Operator(operator::Id),
    /// A node, for what its role lets it propose.
    Node(node::Id),
    /// The founding of the cluster.
    Founder,
}

/// An event and its place in history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Its number.
    pub number: Number,
    /// The entry it came from; an entry can hold many commands.
    pub revision: Revision,
    /// When, on the cluster's clock.
    pub time: Wall,
    /// Who asked.
    pub actor: Actor,
    /// In which request.
    pub request: request::Id,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The cluster came to be.
    ClusterFounded {
        /// Its id, in the SAN of every node and in every position.
        cluster: Name,
    },
    /// A principal was added.
    PrincipalAdded(Principal),
    /// None of its grants is honoured any more, nor those of agents it owns.
    PrincipalSuspended(principal::Id),
    /// Its grants are honoured again.
    PrincipalResumed(principal::Id),
    /// A server was added, enabled.
    ServerAdded {
        /// Its id.
        server: server::Id,
        /// Where it answers.
        endpoint: Endpoint,
    },
    /// No call goes to it any more.
    ServerDisabled(server::Id),
    /// Calls go to it again.
    ServerEnabled(server::Id),
    /// It is gone for good, with its credential.
    ServerRemoved(server::Id),
    /// A credential was set or given a new value.
    CredentialSet(Credential),
    /// A credential was removed.
    CredentialRemoved(credential::Id),
    /// A grant was issued.
    GrantIssued(Grant),
    /// A grant got a new token; the one before is honoured until then.
    GrantTokenRotated {
        /// Which grant.
        grant: grant::Id,
        /// The hash of the new token.
        token: TokenHash,
        /// Until when the one before is honoured.
        previous_until: Wall,
    },
    /// A grant, and with it the tree below it, is not honoured any more, ever.
    GrantRevoked(grant::Id),
    /// An operator was added.
    OperatorAdded(Operator),
    /// An operator got a new token; the one before ended at once.
    OperatorTokenRotated {
        /// Which operator.
        operator: operator::Id,
        /// The hash of the new token.
        token: TokenHash,
    },
    /// A node's process started.
    IncarnationRegistered {
        /// Which node.
        node: node::Id,
        /// Which start.
        epoch: Epoch,
    },
    /// The archive grew to here.
    ArchiveHeadCommitted(Head),
    /// A command was answered. Always the last event of its command, so that a retry gets the same answer.
    CommandHandled {
        /// Which kind of command it was.
        command: &'static str,
        /// The resource it was about.
        subject: Arc<str>,
        /// The answer.
        outcome: Outcome,
    },
}

impl Event {
    /// The stable name of the event's kind, as the archive, subscriptions and `audit list` show it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ClusterFounded { .. } => "cluster.founded",
            Self::PrincipalAdded(_) => "principal.added",
            Self::PrincipalSuspended(_) => "principal.suspended",
            Self::PrincipalResumed(_) => "principal.resumed",
            Self::ServerAdded { .. } => "server.added",
            Self::ServerDisabled(_) => "server.disabled",
            Self::ServerEnabled(_) => "server.enabled",
            Self::ServerRemoved(_) => "server.removed",
            Self::CredentialSet(_) => "credential.set",
            Self::CredentialRemoved(_) => "credential.removed",
            Self::GrantIssued(_) => "grant.issued",
            Self::GrantTokenRotated { .. } => "grant.token_rotated",
            Self::GrantRevoked(_) => "grant.revoked",
            Self::OperatorAdded(_) => "operator.added",
            Self::OperatorTokenRotated { .. } => "operator.token_rotated",
            Self::IncarnationRegistered { .. } => "node.incarnation_registered",
            Self::ArchiveHeadCommitted(_) => "archive.head_committed",
            Self::CommandHandled { .. } => "command.handled",
        }
    }

    /// Whether the event only keeps the archive's own books. Such events are archived with the next head that
    /// something else causes; by themselves they cause none, or heads would never end.
    pub fn is_archive_bookkeeping(&self) -> bool {
        match self {
            Self::ArchiveHeadCommitted(_) => true,
            Self::CommandHandled { command, .. } => *command == crate::command::COMMIT_ARCHIVE_HEAD,
            _ => false,
        }
    }
}
