//! The session of an older revision, sealed into the id that the client sees.
//!
//! The upstream's own id never leaves the gateway: what a client gets is a sealed text that holds it together with the
//! grant and the server it belongs to, so any edge continues the session and an id is worthless under another grant
//! (FAULTS E06), at another server, or if a client made it up (E07). Since everything that is resumable upstream hangs
//! on the upstream's id, a `Last-Event-ID` of somebody else's stream cannot be reached either (E10). What must stay
//! true: whatever is wrong with an id, the client is told the same, and 404 is what makes it start a new session.

use authority::{grant, record::Client, server, time::Wall};
use http::HeaderValue;
use keyring::Keyring;
use seams::Entropy;

/// Version of the content below.
const FORMAT: u8 = 1;

/// The most that is kept of a client's name and of its version, so that a long one leaves room for the upstream's id.
const MAX_CLIENT_BYTES: usize = 64;

/// The longest id of an upstream session; ids are usually a UUID.
const MAX_UPSTREAM_ID_BYTES: usize = 512;

/// What a session id stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// The grant that opened it.
    pub(crate) grant: grant::Id,
    /// The server it was opened at.
    pub(crate) server: server::Id,
    /// From when on it is not honoured.
    pub(crate) expires_at: Wall,
    /// What the client called itself when it opened it.
    pub(crate) client: Option<Client>,
    /// The upstream's id of it.
    pub(crate) upstream: HeaderValue,
}

/// The session is not one the grant can continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this session is not known here; start a new one with `initialize`")]
pub(crate) struct SessionUnknown;

/// The upstream's session id does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the upstream's session id is longer than {MAX_UPSTREAM_ID_BYTES} bytes or not visible ASCII")]
pub(crate) struct UnusableUpstreamId;

impl Session {
    /// The id for the client.
    pub(crate) fn seal(
        &self,
        keyring: &Keyring,
        entropy: &dyn Entropy,
    ) -> Result<HeaderValue, UnusableUpstreamId> {
        let upstream = self.upstream.as_bytes();
        let visible = upstream.iter().all(u8::is_ascii_graphic);
        if upstream.is_empty() || upstream.len() > MAX_UPSTREAM_ID_BYTES || !visible {
            return Err(UnusableUpstreamId);
        }
        let mut content = vec![FORMAT];
        content.extend_from_slice(&self.grant.0);
        content.extend_from_slice(&self.expires_at.0.to_be_bytes());
        let (name, version) = self.client.as_ref().map_or(("", ""), |client| (&client.name, &client.version));
        for text in [self.server.as_str(), cut(name), cut(version)] {
            content.push(u8::try_from(text.len()).expect("names and cut texts are at most 64 bytes long"));
            content.extend_from_slice(text.as_bytes());
        }
        content.extend_from_slice(upstream);
        let id = keyring.seal_session(&content, entropy).expect("the parts above stay below the bound");
        Ok(HeaderValue::try_from(id).expect("a session id is visible ASCII"))
    }

    /// The session that `id` stands for, if `grant` may continue it at `server` now.
    pub(crate) fn open(
        keyring: &Keyring,
        id: &[u8],
        grant: grant::Id,
        server: &server::Id,
        now: Wall,
    ) -> Result<Self, SessionUnknown> {
        let id = std::str::from_utf8(id).map_err(|_| SessionUnknown)?;
        let content = keyring.open_session(id).map_err(|_| SessionUnknown)?;
        let session = Self::parse(content.expose()).ok_or(SessionUnknown)?;
        let continues = session.grant == grant && session.server == *server && now < session.expires_at;
        if continues { Ok(session) } else { Err(SessionUnknown) }
    }

    fn parse(content: &[u8]) -> Option<Self> {
        let rest = content.strip_prefix(&[FORMAT])?;
        let (grant, rest) = rest.split_first_chunk()?;
        let (expires_at, rest) = rest.split_first_chunk()?;
        let (server, rest) = text(rest)?;
        let (name, rest) = text(rest)?;
        let (version, upstream) = text(rest)?;
        let client = Client { name: name.into(), version: version.into() };
        Some(Self {
            grant: grant::Id(*grant),
            server: server::Id::parse(server).ok()?,
            expires_at: Wall(u64::from_be_bytes(*expires_at)),
            client: (!name.is_empty()).then_some(client),
            upstream: HeaderValue::from_bytes(upstream).ok()?,
        })
    }
}

/// A text with its length before it.
fn text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_CLIENT_BYTES)]
}

#[cfg(test)]
mod tests {
    use seams::SeededEntropy;

    use super::*;
    use crate::fixture::keyring;

    fn session(upstream: &str) -> Session {
        Session {
            grant: grant::Id([1; 16]),
            server: server::Id::parse("files").expect("a name"),
            expires_at: Wall(1_000),
            client: Some(Client { name: "agent".into(), version: "3".into() }),
            upstream: HeaderValue::from_str(upstream).expect("a value"),
        }
    }

    fn sealed(session: &Session) -> HeaderValue {
        session.seal(&keyring(), &SeededEntropy::new(7)).expect("it can be sealed")
    }

    fn opened(id: &HeaderValue, grant: u8, server: &str, now: u64) -> Result<Session, SessionUnknown> {
        let server = server::Id::parse(server).expect("a name");
        Session::open(&keyring(), id.as_bytes(), grant::Id([grant; 16]), &server, Wall(now))
    }

    #[test]
    fn a_session_opens_as_it_was_sealed_until_it_expires() {
        for client in [None, Some(Client { name: "agent".into(), version: String::new() })] {
            let session = Session { client, ..session("up-1") };
            assert_eq!(opened(&sealed(&session), 1, "files", 999), Ok(session.clone()));
            assert_eq!(opened(&sealed(&session), 1, "files", 1_000), Err(SessionUnknown));
        }
    }

    /// E06: it belongs to one grant at one server.
    #[test]
    fn e06_a_session_opens_for_nobody_else() {
        let id = sealed(&session("up-1"));
        assert_eq!(opened(&id, 2, "files", 0), Err(SessionUnknown));
        assert_eq!(opened(&id, 1, "other", 0), Err(SessionUnknown));
    }

    #[test]
    fn the_longest_parts_fit_and_an_unusable_upstream_id_is_refused() {
        let long = "é".repeat(500);
        let client = Some(Client { name: long.clone(), version: long });
        let longest = Session { client, ..session(&"x".repeat(MAX_UPSTREAM_ID_BYTES)) };
        let reopened = opened(&sealed(&longest), 1, "files", 0).expect("it opens");
        assert_eq!(reopened.client.map(|client| client.name.len()), Some(MAX_CLIENT_BYTES));
        for id in ["", "a b", &"x".repeat(MAX_UPSTREAM_ID_BYTES + 1)] {
            let refused = session(id).seal(&keyring(), &SeededEntropy::new(7));
            assert_eq!(refused, Err(UnusableUpstreamId), "{id:?}");
        }
    }
}
