//! The one translation of refusals and failures into gRPC statuses: each carries a code, an `ErrorInfo` whose reason
//! is published and never changes its meaning, and a message that says what to do (AIP-193).
//!
//! Every match is exhaustive, so that a new refusal cannot be forgotten here. What must stay true: no message repeats
//! a secret, which holds because no refusal carries one.

use std::{collections::HashMap, fmt, time::Duration};

use authority::{
    command::{Rejected, Rejection},
    node,
};
use ledger::reader::ReadRefused;
use replica::{NotConfirmed, ProposeFailed, ViewFailed};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{
    authenticate::Refused,
    parse::{Invalid, Why},
    parts::EndpointRefused,
    roles::{self, NotAllowed},
};

/// Who publishes the reasons.
pub(crate) const DOMAIN: &str = "portcullis";

/// When to try again what failed for a passing cause: longer than a leader change takes.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// There is no such resource.
#[derive(Debug, thiserror::Error)]
#[error("{name} does not exist")]
pub(crate) struct Absent {
    name: String,
}

impl Absent {
    pub(crate) fn of(name: impl fmt::Display) -> Self {
        Self { name: name.to_string() }
    }
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        let (code, reason) = match refused {
            Refused::NoToken => (Code::Unauthenticated, "TOKEN_MISSING"),
            Refused::SeveralTokens => (Code::Unauthenticated, "TOKEN_AMBIGUOUS"),
            Refused::NotBearer => (Code::Unauthenticated, "TOKEN_NOT_BEARER"),
            Refused::Malformed(_) => (Code::Unauthenticated, "TOKEN_MALFORMED"),
            Refused::AnotherKind => (Code::Unauthenticated, "TOKEN_OF_ANOTHER_KIND"),
            Refused::Unknown => (Code::Unauthenticated, "TOKEN_UNKNOWN"),
            Refused::TooMany { wait } => {
                return passing_in(wait, Code::ResourceExhausted, "TOO_MANY_FAILED_ATTEMPTS", &refused);
            }
            Refused::NoView => return passing(Code::Unavailable, "NO_VIEW", &refused),
        };
        answer(code, reason, &refused, &[])
    }
}

impl From<NotAllowed> for Status {
    fn from(refused: NotAllowed) -> Self {
        match &refused {
            NotAllowed::MethodNotKnown { .. } => {
                answer(Code::Unimplemented, "METHOD_NOT_KNOWN", &refused, &[])
            }
            NotAllowed::Role { role, .. } => {
                answer(Code::PermissionDenied, "ROLE_MAY_NOT", &refused, &[("role", roles::name(*role))])
            }
        }
    }
}

impl From<Invalid> for Status {
    fn from(invalid: Invalid) -> Self {
        let reason = match &invalid.why {
            Why::Missing => "FIELD_MISSING",
            Why::Unspecified => "VALUE_UNSPECIFIED",
            Why::Prefix { .. } | Why::Name(_) | Why::GrantId(_) => "NAME_INVALID",
            Why::Pattern(_) => "PATTERN_INVALID",
            Why::Endpoint(_) => "URL_INVALID",
            Why::HeaderName(_) => "HEADER_NAME_INVALID",
            Why::HeaderValue(_) => "SECRET_INVALID",
            Why::RequestId => "REQUEST_ID_INVALID",
            Why::PageToken | Why::Cursor(_) => "PAGE_TOKEN_INVALID",
            Why::Time | Why::Duration => "TIME_INVALID",
            Why::Conflict { .. } => "FIELDS_CONFLICT",
            Why::TooLong { .. } => "VALUE_TOO_LONG",
            Why::OnlyForAgents => "OWNER_ONLY_FOR_AGENTS",
        };
        let mut details = ErrorDetails::with_bad_request_violation(invalid.field, invalid.why.to_string());
        details.set_error_info(reason, DOMAIN, [("field".to_owned(), invalid.field.to_owned())]);
        Self::with_error_details(Code::InvalidArgument, invalid.to_string(), details)
    }
}

impl From<Absent> for Status {
    fn from(absent: Absent) -> Self {
        answer(Code::NotFound, "NOT_FOUND", &absent, &[("subject", &absent.name)])
    }
}

impl From<EndpointRefused> for Status {
    fn from(refused: EndpointRefused) -> Self {
        answer(Code::InvalidArgument, "ENDPOINT_REFUSED", &refused, &[("field", "server.url")])
    }
}

/// The authority refused the command. Its own code is the reason.
pub(crate) fn rejected(rejected: &Rejected) -> Status {
    let code = match rejected.rejection {
        Rejection::ClusterExists | Rejection::AlreadyExists => Code::AlreadyExists,
        Rejection::NotFound => Code::NotFound,
        Rejection::OutOfBounds | Rejection::TimesContradict => Code::InvalidArgument,
        Rejection::VersionMismatch | Rejection::TokenInUse | Rejection::HeadMismatch => Code::Aborted,
        Rejection::ArchiveBehind => Code::ResourceExhausted,
        Rejection::ClusterNotFounded
        | Rejection::ServerRemoved
        | Rejection::OwnerIsAgent
        | Rejection::OriginMismatch
        | Rejection::GrantRevoked
        | Rejection::WiderThanParent
        | Rejection::TooDeep
        | Rejection::EpochNotNewer
        | Rejection::RequestIdReused => Code::FailedPrecondition,
    };
    answer(code, rejected.rejection.code(), rejected, &[("subject", &rejected.subject)])
}

/// The proposal got no answer from the authority.
pub(crate) fn not_proposed(failed: &ProposeFailed) -> Status {
    match failed {
        ProposeFailed::Busy => passing(Code::ResourceExhausted, "BUSY", failed),
        ProposeFailed::TooLarge { .. } => answer(Code::InvalidArgument, "CHANGE_TOO_LARGE", failed, &[]),
        ProposeFailed::DiskNearlyFull { .. } => {
            answer(Code::ResourceExhausted, "DISK_NEARLY_FULL", failed, &[])
        }
        ProposeFailed::ArchiveBehind => answer(Code::ResourceExhausted, "ARCHIVE_BEHIND", failed, &[]),
        ProposeFailed::NotLeader { leader } => not_leader(*leader, failed),
        ProposeFailed::Unknown { request, .. } => {
            answer(Code::DeadlineExceeded, "OUTCOME_UNKNOWN", failed, &[("request_id", &request.to_string())])
        }
        ProposeFailed::Stopped { request, .. } => {
            answer(Code::Unavailable, "OUTCOME_UNKNOWN", failed, &[("request_id", &request.to_string())])
        }
    }
}

/// A linearizable view could not be had.
pub(crate) fn not_read(failed: &ViewFailed) -> Status {
    match failed {
        ViewFailed::NotConfirmed(NotConfirmed::NotLeader { leader }) => not_leader(*leader, failed),
        ViewFailed::NotConfirmed(NotConfirmed::NoQuorum) => passing(Code::Unavailable, "NO_QUORUM", failed),
        ViewFailed::NotConfirmed(NotConfirmed::Renewed) => {
            passing(Code::Unavailable, "LEADERSHIP_RENEWED", failed)
        }
        ViewFailed::NotConfirmed(NotConfirmed::Stopped(_)) => {
            answer(Code::Unavailable, "NODE_STOPPED", failed, &[])
        }
        ViewFailed::TooLate => passing(Code::Unavailable, "NOT_CONFIRMED_IN_TIME", failed),
    }
}

/// The record could not be read.
pub(crate) fn not_listed(refused: &ReadRefused) -> Status {
    match refused {
        ReadRefused::NoView => passing(Code::Unavailable, "NO_VIEW", refused),
        ReadRefused::Store(_) | ReadRefused::Log(_) => {
            answer(Code::Internal, "AUDIT_UNREADABLE", refused, &[])
        }
        ReadRefused::Leaf { .. } => answer(Code::DataLoss, "AUDIT_DAMAGED", refused, &[]),
        ReadRefused::Stopping => passing(Code::Unavailable, "NODE_STOPPING", refused),
    }
}

/// There are as many subscriptions as there may be.
pub(crate) fn too_many_subscriptions() -> Status {
    let message = "as many subscriptions as a node takes are open already; end one, or try again later";
    passing(Code::ResourceExhausted, "TOO_MANY_SUBSCRIPTIONS", &message)
}

/// A subscriber did not take its answers in time.
pub(crate) fn too_slow() -> Status {
    let message = "the subscriber did not keep up and was cut; resume from its last cursor, nothing is lost";
    answer(Code::ResourceExhausted, "SUBSCRIBER_TOO_SLOW", &message, &[])
}

/// The node stops.
pub(crate) fn stopping() -> Status {
    passing(
        Code::Unavailable,
        "NODE_STOPPING",
        &"this node is stopping; resume from the last cursor elsewhere",
    )
}

fn not_leader(leader: Option<node::Id>, failed: &dyn fmt::Display) -> Status {
    let leader = leader.map(|leader| format!("nodes/{leader}")).unwrap_or_default();
    answer(Code::Unavailable, "NOT_LEADER", failed, &[("leader", &leader)])
}

/// A failure that passes by itself; the answer says when to try again.
fn passing(code: Code, reason: &str, message: &dyn fmt::Display) -> Status {
    passing_in(RETRY_AFTER, code, reason, message)
}

fn passing_in(wait: Duration, code: Code, reason: &str, message: &dyn fmt::Display) -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(wait));
    details.set_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, message.to_string(), details)
}

fn answer(code: Code, reason: &str, message: &dyn fmt::Display, facts: &[(&str, &str)]) -> Status {
    let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let details = ErrorDetails::with_error_info(reason, DOMAIN, facts.collect::<HashMap<_, _>>());
    Status::with_error_details(code, message.to_string(), details)
}
