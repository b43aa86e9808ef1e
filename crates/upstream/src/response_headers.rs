//! The headers of an answer: read into a few values, the rest dropped.
//!
//! What passes: the kind of the body, the upstream's session id (for the edge to seal), and how long to wait before a
//! retry. Nothing else of a server's head reaches a client (promise S2): no cookie, no `www-authenticate`, no
//! `location`, no cache or cross-origin rule, no name of a server. What must stay true: a head with two readings is
//! refused, and a value in which the injected secret stands does not pass (FAULTS D08).

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER},
};

use crate::{reply::ReplyKind, secret_forms::SecretForms};

/// The longest session id of an upstream: with the edge's own fields it has to fit the id that the client gets.
pub const MAX_UPSTREAM_SESSION_BYTES: usize = 512;

/// The longest time a client is asked to wait: an hour.
const MAX_RETRY_AFTER_SECONDS: u32 = 3600;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// What is kept of a head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: ReplyKind,
    pub(crate) session: Option<HeaderValue>,
    pub(crate) retry_after_seconds: Option<u32>,
    /// The length the server announced, for checking only.
    pub(crate) length: Option<u64>,
    /// How many values were dropped because the secret stood in them.
    pub(crate) redacted: u64,
}

/// Why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadRefused {
    /// A header that may stand once stands twice.
    #[error("the header {0} stands more than once")]
    Repeated(&'static str),
    /// The body is compressed although none was asked for (FAULTS D05).
    #[error("the body is compressed although the request refused that")]
    Compressed,
    /// The session id is no id (Streamable HTTP: visible ASCII).
    #[error("the session id has more than {MAX_UPSTREAM_SESSION_BYTES} bytes or is not visible ascii")]
    SessionId,
    /// Interim answers (1xx) without end (FAULTS D02).
    #[error("the server sent too many interim answers before the head")]
    TooMuchBefore,
    /// A head that had begun and did not become whole in time (FAULTS D02).
    #[error("the head began and did not end in time")]
    TooSlow,
}

/// Reads a head. `forms` are those of the secret that was attached.
pub(crate) fn read(headers: &HeaderMap, forms: Option<&SecretForms>) -> Result<Head, HeadRefused> {
    refuse_encoding(headers)?;
    let carries_secret = |value: &&HeaderValue| forms.is_some_and(|forms| forms.stand_in(value.as_bytes()));
    let redacted = headers.values().filter(carries_secret).count() as u64;
    let session = once(headers, &SESSION, "mcp-session-id")?;
    let visible = |id: &&HeaderValue| {
        (1..=MAX_UPSTREAM_SESSION_BYTES).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    if session.is_some_and(|id| !visible(&id)) {
        return Err(HeadRefused::SessionId);
    }
    Ok(Head {
        kind: kind(once(headers, &CONTENT_TYPE, "content-type")?),
        session: session.filter(|id| !carries_secret(id)).cloned(),
        retry_after_seconds: retry_after(once(headers, &RETRY_AFTER, "retry-after")?),
        length: headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()),
        redacted,
    })
}

fn once<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    shown: &'static str,
) -> Result<Option<&'h HeaderValue>, HeadRefused> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(HeadRefused::Repeated(shown)),
    }
}

fn refuse_encoding(headers: &HeaderMap) -> Result<(), HeadRefused> {
    let identity = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
    if headers.get_all(CONTENT_ENCODING).iter().all(identity) { Ok(()) } else { Err(HeadRefused::Compressed) }
}

/// The kind, by the type alone: parameters and case say nothing (RFC 9110, section 8.3.1).
fn kind(content_type: Option<&HeaderValue>) -> ReplyKind {
    let Some(value) = content_type else { return ReplyKind::Other };
    let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") {
        ReplyKind::Json
    } else if essence.eq_ignore_ascii_case(b"text/event-stream") {
        ReplyKind::EventStream
    } else {
        ReplyKind::Other
    }
}

/// Whole seconds only: a date would have to be judged against a clock that is not the server's.
fn retry_after(value: Option<&HeaderValue>) -> Option<u32> {
    let seconds: u64 = value?.to_str().ok()?.parse().ok()?;
    u32::try_from(seconds.min(u64::from(MAX_RETRY_AFTER_SECONDS))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).expect("a value"))
        };
        list.iter().map(pair).collect()
    }

    fn read_plain(list: &[(&'static str, &str)]) -> Result<Head, HeadRefused> {
        read(&headers(list), None)
    }

    #[test]
    fn the_kind_follows_the_type_whatever_its_case_and_parameters() {
        for (text, kind) in [
            ("application/json", ReplyKind::Json),
            ("Application/JSON ; charset=UTF-8", ReplyKind::Json),
            ("text/event-stream;charset=utf-8", ReplyKind::EventStream),
            ("text/html", ReplyKind::Other),
            ("application/json-seq", ReplyKind::Other),
            ("", ReplyKind::Other),
        ] {
            assert_eq!(read_plain(&[("content-type", text)]).map(|head| head.kind), Ok(kind), "{text}");
        }
    }

    #[test]
    fn a_head_with_two_readings_is_refused() {
        let twice = [("content-type", "application/json"), ("content-type", "text/event-stream")];
        assert_eq!(read_plain(&twice), Err(HeadRefused::Repeated("content-type")));
        let twice = [("mcp-session-id", "a"), ("mcp-session-id", "b")];
        assert_eq!(read_plain(&twice), Err(HeadRefused::Repeated("mcp-session-id")));
        for id in ["", "a b", "\u{e9}", &"x".repeat(MAX_UPSTREAM_SESSION_BYTES + 1)] {
            assert_eq!(read_plain(&[("mcp-session-id", id)]), Err(HeadRefused::SessionId), "{id:?}");
        }
    }

    /// D05: nothing is ever decompressed.
    #[test]
    fn d05_a_compressed_body_is_refused() {
        for coding in ["gzip", "br", "zstd", "deflate", "identity, gzip", "x"] {
            assert_eq!(read_plain(&[("content-encoding", coding)]), Err(HeadRefused::Compressed), "{coding}");
        }
        assert!(read_plain(&[("content-encoding", "Identity")]).is_ok());
        let nested = [("content-encoding", "identity"), ("content-encoding", "gzip")];
        assert_eq!(read_plain(&nested), Err(HeadRefused::Compressed));
    }

    /// D08: a server that echoes the secret in a header.
    #[test]
    fn d08_a_header_that_carries_the_secret_does_not_pass() {
        let forms = SecretForms::new(b"upstream-secret");
        let list = [
            ("mcp-session-id", "x-upstream-secret"),
            ("set-cookie", "a=dXBzdHJlYW0tc2VjcmV0"),
            ("x-ok", "1"),
        ];
        let head = read(&headers(&list), Some(&forms)).expect("a good head");
        assert_eq!((head.session, head.redacted), (None, 2));
    }

    #[test]
    fn a_retry_is_asked_for_in_whole_seconds_and_not_for_ever() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("30", Some(30)),
            ("99999999999", Some(MAX_RETRY_AFTER_SECONDS)),
            ("-1", None),
            ("Fri, 31 Dec 1999 23:59:59 GMT", None),
        ] {
            let head = read_plain(&[("retry-after", text)]).expect("a good head");
            assert_eq!(head.retry_after_seconds, seconds, "{text}");
        }
    }
}
