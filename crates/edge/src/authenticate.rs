//! From a request to the grant whose token it carries. Nothing here is allowed yet: what comes out is a claim that the
//! decision judges anew, so that a token which was rotated away or a grant which was revoked between the two is seen.
//!
//! One way in: exactly one `Authorization` header with one bearer token (RFC 6750, section 2.1). A token in the query is
//! refused even if it is valid, because queries end up in logs (FAULTS E01). The form and the checksum are checked
//! before anything is hashed (E03), and the lookup is by keyed hash, so its time tells nothing (E02). What must stay
//! true: there is no default caller, and no error carries a byte of what was sent (C24).

use authority::{View, grant, time::Wall};
use http::{HeaderMap, Uri, header};
use keyring::{
    pepper::Pepper,
    token::{self, MAX_TOKEN_BYTES, TokenKind, TokenRefused},
};

/// The scheme, with the space that ends it.
const SCHEME: &[u8] = b"bearer ";

/// Spaces that may stand between scheme and token (RFC 9110, section 11.4), so that the header has a bound.
const MAX_SPACES: usize = 8;

/// What a query must not carry: the beginnings of our tokens, and the names under which clients send tokens.
const TOKEN_PREFIXES: [&str; 3] =
    [TokenKind::Grant.prefix(), TokenKind::Operator.prefix(), TokenKind::Join.prefix()];
const TOKEN_KEYS: [&str; 4] = ["access_token", "token", "authorization", "api_key"];

/// The grant that a token opened when it was looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    /// The hash of the token.
    pub(crate) token: grant::TokenHash,
    /// The grant.
    pub(crate) grant: grant::Id,
}

/// Why a request has no grant. All are answered with 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unauthenticated {
    /// No `Authorization`.
    #[error("send the grant token as `Authorization: Bearer pcl_…`")]
    Missing,
    /// Two of them, or one that holds two.
    #[error("send exactly one Authorization header with one token")]
    Ambiguous,
    /// Another scheme, or something that is no token.
    #[error("the Authorization header is not `Bearer` and one token")]
    NotBearer,
    /// A token in the query.
    #[error(
        "a token must not stand in the URL: send it as `Authorization: Bearer pcl_…`, and rotate this one"
    )]
    InQuery,
    /// Not of the form of a token.
    #[error("the token is not valid: {0}")]
    Malformed(TokenRefused),
    /// A token, but not one of a grant.
    #[error("this is not a grant token: grant tokens begin with `pcl_`")]
    WrongKind,
    /// A token of the right form that opens nothing.
    #[error("no grant has this token: it was never issued here, or was rotated away")]
    Unknown,
}

impl Unauthenticated {
    /// The code under which refusals are counted.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Ambiguous => "token_ambiguous",
            Self::NotBearer => "token_not_bearer",
            Self::InQuery => "token_in_query",
            Self::Malformed(_) => "token_malformed",
            Self::WrongKind => "token_wrong_kind",
            Self::Unknown => "token_unknown",
        }
    }
}

/// The grant whose token the request carries.
pub(crate) fn authenticate(
    pepper: &Pepper,
    view: &View,
    wall: Wall,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Claim, Unauthenticated> {
    if uri.query().is_some_and(carries_token) {
        return Err(Unauthenticated::InQuery);
    }
    let token = token::parse(bearer(headers)?).map_err(Unauthenticated::Malformed)?;
    if token.kind() != TokenKind::Grant {
        return Err(Unauthenticated::WrongKind);
    }
    let token = grant::TokenHash(pepper.hash(&token));
    let grant = view.grant_of_token(&token, wall).ok_or(Unauthenticated::Unknown)?;
    Ok(Claim { token, grant: grant.id })
}

/// The bytes after the scheme of the one `Authorization` header.
fn bearer(headers: &HeaderMap) -> Result<&[u8], Unauthenticated> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let value = all.next().ok_or(Unauthenticated::Missing)?.as_bytes();
    if all.next().is_some() {
        return Err(Unauthenticated::Ambiguous);
    }
    if value.len() > SCHEME.len() + MAX_SPACES + MAX_TOKEN_BYTES {
        return Err(if value.contains(&b',') {
            Unauthenticated::Ambiguous
        } else {
            Unauthenticated::NotBearer
        });
    }
    let (scheme, token) = value.split_at_checked(SCHEME.len()).ok_or(Unauthenticated::NotBearer)?;
    let token = token.trim_ascii_start();
    if !scheme.eq_ignore_ascii_case(SCHEME) || token.is_empty() {
        return Err(Unauthenticated::NotBearer);
    }
    if token.contains(&b',') {
        return Err(Unauthenticated::Ambiguous);
    }
    Ok(token)
}

/// Whether a query seems to carry a token, however it is escaped.
fn carries_token(query: &str) -> bool {
    let plain = unescaped(query);
    let mut keys = plain.split('&').map(|pair| pair.split_once('=').map_or(pair, |(key, _)| key));
    TOKEN_PREFIXES.iter().any(|prefix| plain.contains(prefix)) || keys.any(|key| TOKEN_KEYS.contains(&key))
}

/// The query in lower case with its percent escapes resolved. For this check only; nothing is routed by it.
fn unescaped(query: &str) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = query.as_bytes();
    let (mut plain, mut at) = (String::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        let escape = (digit(bytes.get(at + 1)), digit(bytes.get(at + 2)));
        let (byte, length) = match (byte, escape) {
            (b'%', (Some(high), Some(low))) => (u8::try_from(high * 16 + low).unwrap_or(b'?'), 3),
            _ => (*byte, 1),
        };
        plain.push(char::from(byte.to_ascii_lowercase()));
        at += length;
    }
    plain
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn bearer_of(values: &[&str]) -> Result<String, Unauthenticated> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).expect("a value"));
        }
        bearer(&headers).map(|token| String::from_utf8_lossy(token).into_owned())
    }

    #[test]
    fn e05_exactly_one_bearer_token_is_taken() {
        for scheme in ["Bearer pcl_x", "bearer pcl_x", "BEARER   pcl_x"] {
            assert_eq!(bearer_of(&[scheme]).as_deref(), Ok("pcl_x"), "{scheme}");
        }
        let long = format!("Bearer {}", "a".repeat(64 * 1024));
        for (values, refused) in [
            (&[][..], Unauthenticated::Missing),
            (&["Bearer a", "Bearer b"], Unauthenticated::Ambiguous),
            (&["Bearer a, Bearer b"], Unauthenticated::Ambiguous),
            (&["Bearer a,b"], Unauthenticated::Ambiguous),
            (&["Basic YTpi"], Unauthenticated::NotBearer),
            (&["Bearer"], Unauthenticated::NotBearer),
            (&["Bearer "], Unauthenticated::NotBearer),
            (&["pcl_x"], Unauthenticated::NotBearer),
            (&[&long], Unauthenticated::NotBearer),
        ] {
            assert_eq!(bearer_of(values), Err(refused), "{values:?}");
        }
    }

    #[test]
    fn e01_a_token_in_the_query_is_seen_however_it_is_escaped() {
        for query in [
            "access_token=x",
            "a=b&token=x",
            "x=pcl_abc",
            "x=PCL_abc",
            "x=pcl%5Fabc",
            "%61ccess_token=x",
            "x=%70%63%6c%5fabc",
            "pcla_abc",
        ] {
            assert!(carries_token(query), "{query}");
        }
        for query in ["", "a=b", "tokens=3", "x=%", "x=%zz"] {
            assert!(!carries_token(query), "{query}");
        }
    }
}
