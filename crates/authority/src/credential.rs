//! Credentials by reference: which secret belongs to which origin, and how it is attached.
//!
//! The secret itself is here only as a sealed text that nothing in this crate can open.

use std::sync::Arc;

use crate::{
    name::name_id,
    server::{self, Origin},
};

name_id! {
    /// The id of a credential.
    Id
}

/// The longest sealed text, in bytes: a secret of 8 KiB and its envelope.
pub const MAX_SEALED_BYTES: usize = 10 * 1024;

/// A sealed secret and where it may go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credential {
    /// Its id.
    pub id: Id,
    /// The server it is for.
    pub server: server::Id,
    /// The one origin it may be sent to; part of what the sealing binds.
    pub origin: Origin,
    /// How it is attached.
    pub attachment: Attachment,
    /// Counts the values this credential has had; part of what the sealing binds.
    pub version: u32,
    /// The sealed secret.
    pub sealed: Sealed,
}

/// How a secret is attached to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// `Authorization: Bearer <secret>` (RFC 6750, section 2.1).
    Bearer,
    /// A header of its own, for example `x-api-key`.
    Header {
        /// The name, lower-case.
        name: HeaderName,
    },
}

/// The name of a header a secret may travel in: lower-case token characters (RFC 9110, section 5.1), and none of the
/// names that the gateway or HTTP itself writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderName(Arc<str>);

/// Why a text is no header name for a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} cannot carry a credential: name one header of 1 to 64 letters, digits and hyphens that HTTP and MCP do not use themselves"
)]
pub struct NotAHeaderName {
    /// The refused text, cut to 80 characters.
    pub text: String,
}

/// A sealed secret: ciphertext as the keyring made it. Its `Debug` form shows only the length.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(pub Arc<[u8]>);

/// Names that a credential may not take over: framing, routing, and what the gateway generates for MCP.
const RESERVED_HEADERS: [&str; 17] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "last-event-id",
    "origin",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

impl HeaderName {
    /// Checks and lower-cases `text`.
    pub fn parse(text: &str) -> Result<Self, NotAHeaderName> {
        let lower = text.to_ascii_lowercase();
        let token = (1..=64).contains(&lower.len())
            && lower.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        let taken = RESERVED_HEADERS.contains(&lower.as_str())
            || lower.starts_with("mcp-")
            || lower.starts_with("x-forwarded-")
            || lower.starts_with("proxy-");
        if token && !taken {
            return Ok(Self(lower.into()));
        }
        Err(NotAHeaderName { text: text.chars().take(80).collect() })
    }

    /// The name as text, lower-case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sealed {} bytes", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_cannot_take_over_a_header_of_http_or_mcp() {
        for text in
            ["Host", "mcp-session-id", "Transfer-Encoding", "x-forwarded-for", "a b", "", "x:y", "x\r\ny"]
        {
            assert!(HeaderName::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(
            HeaderName::parse("X-Api-Key").map(|name| name.as_str().to_owned()).as_deref(),
            Ok("x-api-key")
        );
        assert!(HeaderName::parse("authorization").is_ok());
    }
}
