//! Grants: the right of one principal to reach tools of one or more servers, and the tokens that use it.
//!
//! A grant is absent, then live, then revoked; revoked is absorbing and ids are never reused. What a grant may do is
//! the intersection of the scopes along its path to the root, so revoking a grant revokes the tree below it without
//! touching one of its descendants.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{principal, scope::Scope, time::Wall};

/// The longest label, in bytes.
pub const MAX_LABEL_BYTES: usize = 200;

/// The longest path from a grant to its root, the grant itself included. A decision walks it.
pub const MAX_DEPTH: usize = 8;

/// The longest time for which the token before a rotation is still honoured: a week, in milliseconds.
pub const MAX_ROTATION_OVERLAP_MILLIS: u64 = 7 * 24 * 3_600_000;

/// The id of a grant: 128 random bits, written `gr_` and 26 characters of lower-case base32 (RFC 4648, section 6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; 16]);

/// The keyed hash of a token (HMAC-SHA-256 under the cluster's pepper). Reveals nothing of the token, and is still
/// printed nowhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: Id,
    /// Whose right it is.
    pub principal: principal::Id,
    /// What people call it; may be empty.
    pub label: Arc<str>,
    /// The grant it was made from.
    pub parent: Option<Id>,
    /// What it reaches, before the intersection with its ancestors.
    pub scopes: Arc<[Scope]>,
    /// When it was issued.
    pub issued_at: Wall,
    /// Not honoured before.
    pub not_before: Wall,
    /// Not honoured from here on.
    pub expires_at: Option<Wall>,
    /// What opens it.
    pub tokens: Tokens,
    /// When it was revoked.
    pub revoked_at: Option<Wall>,
}

/// The tokens of a grant: one, or two during a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// The one to use.
    pub current: TokenHash,
    /// The one before, and until when it is honoured.
    pub previous: Option<(TokenHash, Wall)>,
}

/// Why a text is no grant id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a grant id is `gr_` and 26 characters of a-z and 2-7; `portcullis grant list` shows them")]
pub struct NotAGrantId;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 26];
        let value = u128::from_be_bytes(self.0);
        // 26 characters hold 130 bits: the two lowest bits of the last one are padding, as in RFC 4648.
        for (at, slot) in text.iter_mut().enumerate() {
            let shifted = if at == 25 { value << 2 } else { value >> (123 - 5 * at) };
            *slot = ALPHABET[usize::try_from(shifted & 31).expect("five bits fit")];
        }
        write!(f, "gr_{}", std::str::from_utf8(&text).expect("the alphabet is ASCII"))
    }
}

impl FromStr for Id {
    type Err = NotAGrantId;

    fn from_str(text: &str) -> Result<Self, NotAGrantId> {
        let digits = text.strip_prefix("gr_").filter(|digits| digits.len() == 26).ok_or(NotAGrantId)?;
        let mut value = 0u128;
        for (at, byte) in digits.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|letter| *letter == byte).ok_or(NotAGrantId)? as u128;
            value = match at {
                25 if digit & 3 != 0 => return Err(NotAGrantId),
                25 => (value << 3) | (digit >> 2),
                _ => (value << 5) | digit,
            };
        }
        Ok(Self(value.to_be_bytes()))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("token hash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_id_reads_back_and_has_one_spelling() {
        for bytes in [[0; 16], [255; 16], *b"0123456789abcdef"] {
            let text = Id(bytes).to_string();
            assert_eq!(text.parse(), Ok(Id(bytes)));
            assert_eq!(text.len(), 29);
        }
        assert_eq!(Id([0; 16]).to_string(), format!("gr_{}", "a".repeat(26)));
        let padded = format!("gr_{}b", "a".repeat(25));
        assert_eq!(padded.parse::<Id>(), Err(NotAGrantId));
    }
}
