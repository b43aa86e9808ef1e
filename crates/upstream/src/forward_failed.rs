//! Why a call got no answer that could be passed on, and whether the upstream may have seen it.
//!
//! What must stay true: no message here carries a URL, a header's value or a byte of a body, so none can carry a secret
//! (FAULTS D09); and what may have been seen is never said not to have been.

use std::time::Duration;

use authority::enforcement::CutReason;
use http::{StatusCode, uri::InvalidUri};

use crate::{connection::ConnectFailed, credential::AttachRefused, response_headers::HeadRefused};

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ForwardFailed {
    /// It was cut, or the node's lease ended.
    #[error("the call was cut")]
    Cut {
        /// Why.
        reason: CutReason,
        /// What the upstream may have seen.
        sent: Sent,
    },
    /// Its credential could not be attached.
    #[error("the credential of the server could not be attached")]
    NotAttached(#[from] AttachRefused),
    /// The path of the server's URL cannot be sent.
    #[error("the path of the server's url has a character that http does not carry")]
    Path(#[from] InvalidUri),
    /// There was no connection.
    #[error("the upstream server cannot be reached")]
    NotConnected(#[source] ConnectFailed),
    /// The connection broke, or what came back was no HTTP/1.1.
    #[error("the upstream server broke the connection or the protocol")]
    Lost {
        /// What the upstream may have seen.
        sent: Sent,
        /// What broke.
        #[source]
        source: hyper::Error,
    },
    /// No head of an answer came in time.
    #[error("the upstream server did not answer within {} s", .0.as_secs())]
    HeadTimedOut(Duration),
    /// The head of the answer is too large (FAULTS D03).
    #[error("the head of the upstream server's answer is too large")]
    HeadTooLarge,
    /// The head of the answer is one that is not passed on.
    #[error("the upstream server's answer is refused")]
    HeadRefused(#[from] HeadRefused),
    /// The answer announces a body that is too large.
    #[error("the upstream server's answer has {announced} bytes, and at most {limit} are passed on")]
    BodyTooLarge {
        /// The length it announced.
        announced: u64,
        /// The bound.
        limit: u64,
    },
    /// The upstream does not accept the gateway's credential.
    #[error(
        "the upstream server does not accept the credential: enter a new one with `portcullis credential set`"
    )]
    Unauthorized,
    /// The upstream accepts the credential and refuses the call.
    #[error("the upstream server refuses the call although it accepts the credential")]
    Forbidden,
    /// The upstream points elsewhere, and a redirect is never followed (FAULTS D07).
    #[error("the upstream server answers {} and points elsewhere; enter the url it really has", .0.as_u16())]
    Redirected(StatusCode),
    /// The upstream wants to speak another protocol on the connection.
    #[error("the upstream server switches protocols, which nobody asked for")]
    Upgraded,
}

/// What of a request the upstream may have seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Not a byte of it left the node.
    Nothing,
    /// Some or all of it left: whether it took effect is not known.
    Perhaps,
}

impl ForwardFailed {
    /// What of the request the upstream may have seen.
    pub fn sent(&self) -> Sent {
        match self {
            Self::Cut { sent, .. } | Self::Lost { sent, .. } => *sent,
            Self::NotAttached(_) | Self::Path(_) | Self::NotConnected(_) => Sent::Nothing,
            Self::HeadTimedOut(_)
            | Self::HeadTooLarge
            | Self::HeadRefused(_)
            | Self::BodyTooLarge { .. }
            | Self::Unauthorized
            | Self::Forbidden
            | Self::Redirected(_)
            | Self::Upgraded => Sent::Perhaps,
        }
    }

    /// The status the upstream answered with, for the record, where that is what failed.
    pub fn upstream_status(&self) -> Option<u16> {
        match self {
            Self::Unauthorized => Some(401),
            Self::Forbidden => Some(403),
            Self::Redirected(status) => Some(status.as_u16()),
            Self::Upgraded => Some(101),
            Self::Cut { .. }
            | Self::NotAttached(_)
            | Self::Path(_)
            | Self::NotConnected(_)
            | Self::Lost { .. }
            | Self::HeadTimedOut(_)
            | Self::HeadTooLarge
            | Self::HeadRefused(_)
            | Self::BodyTooLarge { .. } => None,
        }
    }
}
