//! Rejections: the authority refuses a command. A normal result, alike on every voter, kept and given again to
//! retries.

use std::{fmt, sync::Arc};

/// The longest subject of a rejection, in bytes; a longer one is cut.
pub const MAX_SUBJECT_BYTES: usize = 256;

/// A rejection and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The reason.
    pub rejection: Rejection,
    /// The resource it is about, such as `principals/ana`.
    pub subject: Arc<str>,
}

/// Why a command is refused. The codes are published and never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejection {
    /// There is no cluster yet.
    ClusterNotFounded,
    /// The cluster exists already.
    ClusterExists,
    /// The id is taken.
    AlreadyExists,
    /// There is no such resource.
    NotFound,
    /// The server was removed; its id stays taken.
    ServerRemoved,
    /// The owner of an agent is a person or a service, not another agent.
    OwnerIsAgent,
    /// The credential is bound to another server or origin.
    OriginMismatch,
    /// The version of a credential is not the next one.
    VersionMismatch,
    /// The grant is revoked, which is final.
    GrantRevoked,
    /// The token is in use.
    TokenInUse,
    /// A sub-grant would reach more than its parent.
    WiderThanParent,
    /// The path to the root would be too long.
    TooDeep,
    /// A value is beyond its bound.
    OutOfBounds,
    /// The times contradict each other.
    TimesContradict,
    /// The node registered this or a later incarnation already.
    EpochNotNewer,
    /// The archive's head is another one.
    HeadMismatch,
    /// Too many events wait for the archive; only narrowing commands are accepted.
    ArchiveBehind,
    /// The request id belongs to another command.
    RequestIdReused,
}

impl Rejection {
    /// Every rejection, in the order of the list.
    pub const ALL: [Self; 18] = [
        Self::ClusterNotFounded,
        Self::ClusterExists,
        Self::AlreadyExists,
        Self::NotFound,
        Self::ServerRemoved,
        Self::OwnerIsAgent,
        Self::OriginMismatch,
        Self::VersionMismatch,
        Self::GrantRevoked,
        Self::TokenInUse,
        Self::WiderThanParent,
        Self::TooDeep,
        Self::OutOfBounds,
        Self::TimesContradict,
        Self::EpochNotNewer,
        Self::HeadMismatch,
        Self::ArchiveBehind,
        Self::RequestIdReused,
    ];

    /// This rejection, about `subject`.
    pub fn about(self, subject: impl fmt::Display) -> Rejected {
        let mut subject = subject.to_string();
        subject.truncate(subject.floor_char_boundary(MAX_SUBJECT_BYTES));
        Rejected { rejection: self, subject: subject.into() }
    }

    /// The published code.
    pub fn code(self) -> &'static str {
        match self {
            Self::ClusterNotFounded => "CLUSTER_NOT_FOUNDED",
            Self::ClusterExists => "CLUSTER_EXISTS",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::NotFound => "NOT_FOUND",
            Self::ServerRemoved => "SERVER_REMOVED",
            Self::OwnerIsAgent => "OWNER_IS_AGENT",
            Self::OriginMismatch => "ORIGIN_MISMATCH",
            Self::VersionMismatch => "VERSION_MISMATCH",
            Self::GrantRevoked => "GRANT_REVOKED",
            Self::TokenInUse => "TOKEN_IN_USE",
            Self::WiderThanParent => "WIDER_THAN_PARENT",
            Self::TooDeep => "TOO_DEEP",
            Self::OutOfBounds => "OUT_OF_BOUNDS",
            Self::TimesContradict => "TIMES_CONTRADICT",
            Self::EpochNotNewer => "EPOCH_NOT_NEWER",
            Self::HeadMismatch => "HEAD_MISMATCH",
            Self::ArchiveBehind => "ARCHIVE_BEHIND",
            Self::RequestIdReused => "REQUEST_ID_REUSED",
        }
    }

    /// What is wrong and what to do, to be read after the subject.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::ClusterNotFounded => "does not exist yet; found the cluster first with `portcullis init`",
            Self::ClusterExists => "exists already",
            Self::AlreadyExists => "exists already; choose another name, or use the one that is there",
            Self::NotFound => "does not exist",
            Self::ServerRemoved => {
                "was removed, and its name stays taken because grants named it; choose another name"
            }
            Self::OwnerIsAgent => "is an agent; an agent is owned by a person or a service",
            Self::OriginMismatch => "is bound to another server or origin; set a credential of another name",
            Self::VersionMismatch => "was changed meanwhile; try again",
            Self::GrantRevoked => "is revoked, which is final; issue a new grant",
            Self::TokenInUse => "has this token already; try again with a fresh one",
            Self::WiderThanParent => "would reach more, or longer, than its parent",
            Self::TooDeep => "stands too deep: a grant has at most 8 on its path to the root",
            Self::OutOfBounds => {
                "is beyond its bound: 7 days for an overlap, 200 bytes for a label or a display name, 64 scopes with 256 \
                 patterns of a kind in each, 64 groups"
            }
            Self::TimesContradict => "would end before it begins, or has ended already",
            Self::EpochNotNewer => {
                "has registered this or a later start already; is its data directory a copy?"
            }
            Self::HeadMismatch => "is not the head that was built upon; read it again",
            Self::ArchiveBehind => {
                "is too far behind: only revocations and other narrowing changes are accepted until it catches up"
            }
            Self::RequestIdReused => "belongs to another request; use a fresh request id",
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject, self.rejection.explanation())
    }
}

impl std::error::Error for Rejected {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        grant::{MAX_DEPTH, MAX_LABEL_BYTES, MAX_ROTATION_OVERLAP_MILLIS},
        principal::{MAX_DISPLAY_NAME_BYTES, MAX_GROUPS},
        scope::{MAX_PATTERNS, MAX_SCOPES},
    };

    #[test]
    fn the_bounds_are_told_as_they_are() {
        let told = Rejection::OutOfBounds.explanation();
        let days = MAX_ROTATION_OVERLAP_MILLIS / (24 * 3_600_000);
        assert_eq!(MAX_LABEL_BYTES, MAX_DISPLAY_NAME_BYTES, "they are told as one");
        for bound in [
            format!("{days} days for an overlap"),
            format!("{MAX_LABEL_BYTES} bytes for a label"),
            format!("{MAX_SCOPES} scopes with {MAX_PATTERNS} patterns"),
            format!("{MAX_GROUPS} groups"),
        ] {
            assert!(told.contains(&bound), "{bound}: {told}");
        }
        assert!(Rejection::TooDeep.explanation().contains(&format!("at most {MAX_DEPTH} ")));
    }
}
