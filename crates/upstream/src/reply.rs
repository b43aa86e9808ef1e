//! What comes back from an upstream server: a status, a few facts of the head, the body, and the figures for the
//! record.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderValue, StatusCode};

use crate::reply_body::ReplyBody;

/// An answer. Its status is none of 1xx, 3xx, 401 and 403: those are [`crate::ForwardFailed`].
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// What the body is.
    pub kind: ReplyKind,
    /// The upstream's session id, which only the edge may see: it seals it for the client.
    pub session: Option<HeaderValue>,
    /// How long the server asks to wait before a retry, at most an hour.
    pub retry_after_seconds: Option<u32>,
    /// The body: bounded, aware of the cut, and without the injected secret. Where a secret was attached its length is
    /// not known before its end, because the redactor may change it.
    pub body: ReplyBody,
    /// The figures, which grow while the body is read.
    pub report: Arc<Report>,
}

/// What a body is, by the type the server gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyKind {
    /// `application/json`.
    Json,
    /// `text/event-stream`.
    EventStream,
    /// There is no body.
    Empty,
    /// Anything else, or no type at all.
    Other,
}

/// The figures of one call, for its outcome record. They may be read at any time, also after the body was dropped.
#[derive(Debug, Default)]
pub struct Report {
    pub(crate) request_bytes: AtomicU64,
    pub(crate) response_bytes: AtomicU64,
    pub(crate) redactions: AtomicU64,
}

impl Report {
    /// Bytes of the request's body.
    pub fn request_bytes(&self) -> u64 {
        self.request_bytes.load(Ordering::Relaxed)
    }

    /// Bytes of the response's body that were passed on, after redaction.
    pub fn response_bytes(&self) -> u64 {
        self.response_bytes.load(Ordering::Relaxed)
    }

    /// How often the injected secret was taken out of the head or the body. Above zero, somebody should be told: the
    /// server shows its credential to whoever calls it.
    pub fn redactions(&self) -> u64 {
        self.redactions.load(Ordering::Relaxed)
    }
}
