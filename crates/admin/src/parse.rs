//! Texts and numbers of a request become values that cannot be wrong, here at the border; inside nothing checks again.
//! Each function takes the name of the field it reads, so that the refusal names it.

use authority::{
    credential::{HeaderName, NotAHeaderName},
    grant::{self, NotAGrantId},
    name::{Name, NotAName},
    operator,
    pattern::{NotAPattern, Pattern},
    principal, request,
    server::{self, Endpoint, NotAnEndpoint},
    time::Wall,
};
use keyring::secret_value::HeaderValueRefused;
use ledger::cursor::NotACursor;

const MILLIS_PER_SECOND: u64 = 1_000;
const NANOS_PER_MILLI: u32 = 1_000_000;

/// The longest label or display name is the authority's business; this is how much of a refused text is repeated, in
/// characters.
const SHOWN_CHARS: usize = 80;

/// A field of a request that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {why}")]
pub(crate) struct Invalid {
    /// Where it stands in the request.
    pub(crate) field: &'static str,
    /// What is wrong with it.
    #[source]
    pub(crate) why: Why,
}

/// What is wrong with a field.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Why {
    /// It has to be there.
    #[error("is missing")]
    Missing,
    /// An enum has the value that says nothing, or one that this release does not know.
    #[error("is not said, or has a value that this release does not know")]
    Unspecified,
    /// It is not the resource name of what is asked for.
    #[error("{text:?} is not the name of such a resource: write `{prefix}` and its name")]
    Prefix {
        /// How such names begin.
        prefix: &'static str,
        /// The refused text, cut.
        text: String,
    },
    /// It is no name.
    #[error(transparent)]
    Name(#[from] NotAName),
    /// It is no id of a grant.
    #[error(transparent)]
    GrantId(#[from] NotAGrantId),
    /// It is no pattern.
    #[error(transparent)]
    Pattern(#[from] NotAPattern),
    /// It is no URL of a server.
    #[error(transparent)]
    Endpoint(#[from] NotAnEndpoint),
    /// It is no header for a credential.
    #[error(transparent)]
    HeaderName(#[from] NotAHeaderName),
    /// No header can carry it.
    #[error(transparent)]
    HeaderValue(#[from] HeaderValueRefused),
    /// It is no request id.
    #[error("is not a UUID such as `7f1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6c`; leave it empty to have one drawn")]
    RequestId,
    /// It is no page token of this list.
    #[error("was not given out by this list; leave it empty to begin at the first page")]
    PageToken,
    /// It is no cursor.
    #[error(transparent)]
    Cursor(#[from] NotACursor),
    /// It is no point in time.
    #[error("is not a point in time after 1970")]
    Time,
    /// It is no usable length of time.
    #[error("is negative, too long, or not a length of time")]
    Duration,
    /// It was given beside another field that says the same.
    #[error("does not go together with {other}; set one of them")]
    Conflict {
        /// The other field.
        other: &'static str,
    },
    /// It is too long.
    #[error("has more than {most} bytes")]
    TooLong {
        /// The most bytes it may have.
        most: usize,
    },
    /// A principal that is no agent has no owner.
    #[error("is only for an agent")]
    OnlyForAgents,
}

impl Why {
    /// This, about `field`.
    pub(crate) fn of(self, field: &'static str) -> Invalid {
        Invalid { field, why: self }
    }
}

/// `principals/<name>`.
pub(crate) fn principal(field: &'static str, text: &str) -> Result<principal::Id, Invalid> {
    let name = last_part(field, "principals/", text)?;
    principal::Id::parse(name).map_err(|error| Why::Name(error).of(field))
}

/// `servers/<name>`.
pub(crate) fn server(field: &'static str, text: &str) -> Result<server::Id, Invalid> {
    let name = last_part(field, "servers/", text)?;
    server::Id::parse(name).map_err(|error| Why::Name(error).of(field))
}

/// `credentials/<name>`.
pub(crate) fn credential(field: &'static str, text: &str) -> Result<authority::credential::Id, Invalid> {
    let name = last_part(field, "credentials/", text)?;
    authority::credential::Id::parse(name).map_err(|error| Why::Name(error).of(field))
}

/// `operators/<name>`.
pub(crate) fn operator(field: &'static str, text: &str) -> Result<operator::Id, Invalid> {
    let name = last_part(field, "operators/", text)?;
    operator::Id::parse(name).map_err(|error| Why::Name(error).of(field))
}

/// `grants/<id>`.
pub(crate) fn grant(field: &'static str, text: &str) -> Result<grant::Id, Invalid> {
    let id = last_part(field, "grants/", text)?;
    id.parse().map_err(|error| Why::GrantId(error).of(field))
}

/// A bare name, for what is not there yet.
pub(crate) fn name<T>(
    field: &'static str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, NotAName>,
) -> Result<T, Invalid> {
    if text.is_empty() {
        return Err(Why::Missing.of(field));
    }
    parse(text).map_err(|error| Why::Name(error).of(field))
}

/// The names of groups.
pub(crate) fn groups<C: FromIterator<Name>>(field: &'static str, texts: &[String]) -> Result<C, Invalid> {
    texts.iter().map(|text| name(field, text, Name::parse)).collect()
}

/// Patterns over names.
pub(crate) fn patterns(field: &'static str, texts: &[String]) -> Result<Vec<Pattern>, Invalid> {
    texts.iter().map(|text| Pattern::parse(text).map_err(|error| Why::Pattern(error).of(field))).collect()
}

/// The URL of a server.
pub(crate) fn endpoint(field: &'static str, text: &str) -> Result<Endpoint, Invalid> {
    if text.is_empty() {
        return Err(Why::Missing.of(field));
    }
    Endpoint::parse(text).map_err(|error| Why::Endpoint(error).of(field))
}

/// The header that a credential travels in.
pub(crate) fn header_name(field: &'static str, text: &str) -> Result<HeaderName, Invalid> {
    HeaderName::parse(text).map_err(|error| Why::HeaderName(error).of(field))
}

/// A UUID (RFC 9562, section 4), in the form with hyphens.
pub(crate) fn request_id(field: &'static str, text: &str) -> Result<request::Id, Invalid> {
    let id = request::Id(uuid(text).ok_or_else(|| Why::RequestId.of(field))?);
    if id.to_string() == text.to_ascii_lowercase() { Ok(id) } else { Err(Why::RequestId.of(field)) }
}

/// A point in time, to the millisecond.
pub(crate) fn instant(field: &'static str, time: &prost_types::Timestamp) -> Result<Wall, Invalid> {
    let millis = millis(time.seconds, time.nanos).ok_or_else(|| Why::Time.of(field))?;
    Ok(Wall(millis))
}

/// A length of time in milliseconds.
pub(crate) fn duration_millis(field: &'static str, time: &prost_types::Duration) -> Result<u64, Invalid> {
    millis(time.seconds, time.nanos).ok_or_else(|| Why::Duration.of(field))
}

fn millis(seconds: i64, nanos: i32) -> Option<u64> {
    let seconds = u64::try_from(seconds).ok()?;
    let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000 * NANOS_PER_MILLI)?;
    seconds.checked_mul(MILLIS_PER_SECOND)?.checked_add(u64::from(nanos / NANOS_PER_MILLI))
}

fn last_part<'t>(field: &'static str, prefix: &'static str, text: &'t str) -> Result<&'t str, Invalid> {
    if text.is_empty() {
        return Err(Why::Missing.of(field));
    }
    let shown = || text.chars().take(SHOWN_CHARS).collect();
    text.strip_prefix(prefix).ok_or_else(|| Why::Prefix { prefix, text: shown() }.of(field))
}

fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let mut bytes = [0; 16];
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C18 and E32: a name of the API is one canonical ASCII spelling, in the place it belongs to.
    #[test]
    fn c18_e32_a_resource_name_has_one_spelling() {
        assert_eq!(server("name", "servers/github").map(|id| id.to_string()).ok().as_deref(), Some("github"));
        for text in [
            "",
            "github",
            "servers/",
            "servers/GitHub",
            "servers/a/b",
            "servers/../a",
            "principals/a",
            "servers/a ",
        ] {
            assert!(server("name", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_request_id_is_a_uuid_with_its_hyphens_in_place() {
        let text = "7F1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6c";
        assert_eq!(
            request_id("request_id", text).map(|id| id.to_string()).ok(),
            Some(text.to_ascii_lowercase())
        );
        for text in [
            "7f1c2a9e5c1b4c399a7e2f4d1f0b8a6c",
            "7f1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6",
            "7f1c2a9-e5c1b-4c39-9a7e-2f4d1f0b8a6c",
            "7f1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6g",
            "+f1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6c",
            "é1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6c",
        ] {
            assert!(request_id("request_id", text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_before_1970_or_with_odd_nanoseconds_is_refused() {
        let time = |seconds, nanos| prost_types::Timestamp { seconds, nanos };
        assert_eq!(instant("t", &time(2, 5_999_999)).ok(), Some(Wall(2_005)));
        for bad in [time(-1, 0), time(0, -1), time(0, 1_000_000_000), time(i64::MAX, 0)] {
            assert!(instant("t", &bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_what_to_write() {
        let refused = principal("grant.principal", "ana").expect_err("no prefix");
        assert_eq!(
            refused.to_string(),
            "grant.principal: \"ana\" is not the name of such a resource: write `principals/` and its name"
        );
    }
}
