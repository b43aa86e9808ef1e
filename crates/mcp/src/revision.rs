//! The revisions of the protocol and what each of them allows on the wire.
//!
//! There are two eras. In the *legacy* one a connection is shaken hands over, has a session, a GET stream, and
//! requests from the server. In the *modern* one, from 2026-07-28 on, every POST stands alone and says everything in
//! its body. A request is judged by the revision its header names; without a header it is judged by 2025-03-26, as
//! the specification asks and as one widespread client needs, which never sends the header at all.

use std::fmt;

use crate::message::Message;

/// A published revision of the Model Context Protocol. Ordered by date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// 2024-11-05: HTTP with a separate SSE endpoint. Known, so that it can be named; not served yet.
    V2024_11_05,
    /// 2025-03-26: Streamable HTTP, the only revision with batches.
    V2025_03_26,
    /// 2025-06-18: no batches, version header.
    V2025_06_18,
    /// 2025-11-25: resumable POST streams.
    V2025_11_25,
    /// 2026-07-28: no sessions, mirrored headers, multi-round-trip results.
    V2026_07_28,
}

/// The two ways of speaking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Era {
    /// Handshake, sessions, server requests: up to 2025-11-25.
    Legacy,
    /// Every request stands alone: from 2026-07-28.
    Modern,
}

/// A revision that is unknown or not served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("protocol revision {requested:?} is not supported, use one of {}", Served)]
pub struct UnsupportedRevision {
    /// What was asked for, cut to [`UnsupportedRevision::MAX_SHOWN`] characters, visible ASCII only.
    pub requested: String,
}

/// A message that the revision does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotInRevision {
    /// Batches came with 2025-03-26 and went with 2025-06-18.
    #[error("revision {revision} has no batches, send one message in each request")]
    Batch {
        /// The revision the request names.
        revision: Revision,
    },
    /// A modern server sends no requests, so a client has none to answer.
    #[error("in revision {revision} a client sends no responses")]
    Response {
        /// The revision the request names.
        revision: Revision,
    },
    /// `initialize` must stand alone (specification 2025-03-26, lifecycle).
    #[error("`initialize` must not be part of a batch")]
    InitializeInBatch,
}

impl Revision {
    /// The revisions this gateway serves, newest first.
    pub const SERVED: [Revision; 4] =
        [Revision::V2026_07_28, Revision::V2025_11_25, Revision::V2025_06_18, Revision::V2025_03_26];

    /// What a request without a version header is judged by (specification 2025-06-18 and later, transports).
    pub const WITHOUT_HEADER: Revision = Revision::V2025_03_26;

    /// The revision with this name, served or not. Compared exactly.
    #[must_use]
    pub fn named(name: &str) -> Option<Revision> {
        match name {
            "2024-11-05" => Some(Revision::V2024_11_05),
            "2025-03-26" => Some(Revision::V2025_03_26),
            "2025-06-18" => Some(Revision::V2025_06_18),
            "2025-11-25" => Some(Revision::V2025_11_25),
            "2026-07-28" => Some(Revision::V2026_07_28),
            _ => None,
        }
    }

    /// The revision of a request whose `MCP-Protocol-Version` header has this value, or is absent.
    ///
    /// # Errors
    /// When it is not one of [`Revision::SERVED`].
    pub fn of_header(value: Option<&[u8]>) -> Result<Revision, UnsupportedRevision> {
        let Some(value) = value else { return Ok(Revision::WITHOUT_HEADER) };
        let named = std::str::from_utf8(value).ok().and_then(Revision::named);
        named.filter(|revision| revision.is_served()).ok_or_else(|| UnsupportedRevision::new(value))
    }

    /// Its name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Revision::V2024_11_05 => "2024-11-05",
            Revision::V2025_03_26 => "2025-03-26",
            Revision::V2025_06_18 => "2025-06-18",
            Revision::V2025_11_25 => "2025-11-25",
            Revision::V2026_07_28 => "2026-07-28",
        }
    }

    /// Its era.
    #[must_use]
    pub fn era(self) -> Era {
        if self >= Revision::V2026_07_28 { Era::Modern } else { Era::Legacy }
    }

    /// Whether this gateway serves it.
    #[must_use]
    pub fn is_served(self) -> bool {
        Revision::SERVED.contains(&self)
    }

    /// Whether one body may hold several messages.
    #[must_use]
    pub fn has_batches(self) -> bool {
        self == Revision::V2025_03_26
    }

    /// Whether there are sessions, and DELETE to end one.
    #[must_use]
    pub fn has_sessions(self) -> bool {
        self.era() == Era::Legacy
    }

    /// Whether GET opens a stream of server messages.
    #[must_use]
    pub fn has_get_stream(self) -> bool {
        self.era() == Era::Legacy
    }

    /// Whether a server sends requests of its own, which the client answers by POST.
    #[must_use]
    pub fn has_server_requests(self) -> bool {
        self.era() == Era::Legacy
    }

    /// Whether a client that closes its stream cancels the call. Where it does not, the call runs on.
    #[must_use]
    pub fn disconnect_cancels(self) -> bool {
        self.era() == Era::Modern
    }

    /// Whether a client may send this message at all.
    ///
    /// # Errors
    /// When the revision does not have it. A request for an unknown method is not an error here.
    pub fn admit(self, message: &Message<'_>) -> Result<(), NotInRevision> {
        match message {
            Message::Batch(_) if !self.has_batches() => Err(NotInRevision::Batch { revision: self }),
            Message::Batch(messages) => {
                let shakes_hands =
                    |message: &Message<'_>| message.call().is_some_and(|call| call.method == "initialize");
                if messages.iter().any(shakes_hands) { Err(NotInRevision::InitializeInBatch) } else { Ok(()) }
            }
            Message::Response(_) if !self.has_server_requests() => {
                Err(NotInRevision::Response { revision: self })
            }
            Message::Request(_) | Message::Notification(_) | Message::Response(_) => Ok(()),
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl UnsupportedRevision {
    /// How much of a wrong name is repeated.
    pub const MAX_SHOWN: usize = 32;

    /// For the header value `requested`.
    #[must_use]
    pub fn new(requested: &[u8]) -> Self {
        let visible = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { '?' };
        UnsupportedRevision { requested: requested.iter().take(Self::MAX_SHOWN).map(visible).collect() }
    }
}

/// Prints the served revisions, for messages.
struct Served;

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, revision) in Revision::SERVED.iter().enumerate() {
            write!(f, "{}{revision}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Era, Revision};
    use crate::limits::Limits;
    use crate::message;

    #[test]
    fn each_revision_allows_what_its_specification_says() {
        let row = |revision: Revision| {
            let yes = |flag, name| if flag { name } else { "-" };
            format!(
                "{revision} {:?} {} {} {} {} {}",
                revision.era(),
                yes(revision.is_served(), "served"),
                yes(revision.has_batches(), "batches"),
                yes(revision.has_sessions(), "sessions"),
                yes(revision.has_get_stream(), "get"),
                yes(revision.disconnect_cancels(), "disconnect-cancels"),
            )
        };
        assert_eq!(row(Revision::V2024_11_05), "2024-11-05 Legacy - - sessions get -");
        assert_eq!(row(Revision::V2025_03_26), "2025-03-26 Legacy served batches sessions get -");
        assert_eq!(row(Revision::V2025_06_18), "2025-06-18 Legacy served - sessions get -");
        assert_eq!(row(Revision::V2025_11_25), "2025-11-25 Legacy served - sessions get -");
        assert_eq!(row(Revision::V2026_07_28), "2026-07-28 Modern served - - - disconnect-cancels");
    }

    #[test]
    fn the_header_names_the_revision_and_its_absence_means_2025_03_26() {
        assert_eq!(Revision::of_header(None), Ok(Revision::V2025_03_26));
        assert_eq!(Revision::of_header(Some(b"2026-07-28")).map(Revision::era), Ok(Era::Modern));
        for wrong in
            [&b"2024-11-05"[..], b"2099-01-01", b" 2025-06-18", b"2025-06-18,2025-06-18", b"", b"\xff"]
        {
            let error = Revision::of_header(Some(wrong)).unwrap_err();
            assert!(error.to_string().ends_with("2026-07-28, 2025-11-25, 2025-06-18, 2025-03-26"), "{error}");
        }
    }

    /// C06: an array of calls is no message outside 2025-03-26, whatever its elements would be allowed.
    #[test]
    fn c06_batches_are_refused_where_the_revision_has_none() {
        let body =
            br#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"},{"jsonrpc":"2.0","id":2,"method":"ping"}]"#;
        let batch = message::read(body, Limits::REQUEST).unwrap();
        for revision in Revision::SERVED {
            assert_eq!(revision.admit(&batch).is_ok(), revision == Revision::V2025_03_26, "{revision}");
        }
        let body = br#"[{"jsonrpc":"2.0","id":1,"method":"initialize"}]"#;
        let batch = message::read(body, Limits::REQUEST).unwrap();
        assert!(Revision::V2025_03_26.admit(&batch).is_err(), "a handshake stands alone");
    }

    #[test]
    fn a_modern_client_has_no_requests_to_answer() {
        let response = message::read(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Limits::REQUEST).unwrap();
        assert!(Revision::V2025_11_25.admit(&response).is_ok());
        assert!(Revision::V2026_07_28.admit(&response).is_err());
    }
}
