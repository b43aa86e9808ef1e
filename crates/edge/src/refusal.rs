//! Why a request never became a call: everything that is wrong before the decision, in one value, so that it is counted
//! once and answered once ([`crate::rescue`]).
//!
//! None of these has an intent or a denial in the log, because no grant was asked for anything yet: they are counted in
//! the ring for refusals, by the code that [`Refusal::code`] gives.

use crate::{
    authenticate::Unauthenticated, body::BodyRefused, host_origin::HostRefused, request::NotUnderstood,
    session::SessionUnknown, slots::Busy,
};

/// Why a request never became a call.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Its host or origin is not listed.
    #[error(transparent)]
    Host(#[from] HostRefused),
    /// Its path means nothing.
    #[error("nothing is served at this path; upstream servers are at /mcp/<server>/")]
    Nowhere,
    /// Its HTTP method means nothing there.
    #[error("this path takes POST, and GET and DELETE in revisions that have sessions")]
    Verb {
        /// The value of `Allow`.
        allow: &'static str,
    },
    /// This node has not loaded its state yet.
    #[error("this node is catching up with its cluster; try again in a moment")]
    NoView,
    /// It has no grant.
    #[error(transparent)]
    Unauthenticated(#[from] Unauthenticated),
    /// Its body was not read.
    #[error(transparent)]
    Body(#[from] BodyRefused),
    /// It was not understood.
    #[error(transparent)]
    NotUnderstood(#[from] NotUnderstood),
    /// Its session is not one the grant can continue.
    #[error(transparent)]
    Session(#[from] SessionUnknown),
    /// Too much is going on.
    #[error(transparent)]
    Busy(#[from] Busy),
}

impl Refusal {
    /// The stable code under which it is counted.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Host(HostRefused::Invalid) => "host_invalid",
            Self::Host(HostRefused::HostNotListed) => "host_not_listed",
            Self::Host(HostRefused::OriginNotListed) => "origin_not_listed",
            Self::Nowhere => "path_unknown",
            Self::Verb { .. } => "verb_not_allowed",
            Self::NoView => "no_view",
            Self::Unauthenticated(unauthenticated) => unauthenticated.code(),
            Self::Body(BodyRefused::TooLarge { .. }) => "body_too_large",
            Self::Body(BodyRefused::TooSlow) => "body_too_slow",
            Self::Body(BodyRefused::Broken) => "body_broken",
            Self::NotUnderstood(not_understood) => code_of(not_understood),
            Self::Session(SessionUnknown) => "session_unknown",
            Self::Busy(Busy::Grant { .. }) => "grant_busy",
            Self::Busy(Busy::Node { .. }) => "node_busy",
        }
    }
}

fn code_of(not_understood: &NotUnderstood) -> &'static str {
    match not_understood {
        NotUnderstood::ContentType => "content_type",
        NotUnderstood::NotAcceptable => "not_acceptable",
        NotUnderstood::Body(refusal) => refusal.reason.code(),
        NotUnderstood::Revision(_) => "revision_not_served",
        NotUnderstood::Headers { .. } => "header_mismatch",
        NotUnderstood::NotInRevision { .. } => "not_in_revision",
        NotUnderstood::Target { .. } => "target_missing",
    }
}
