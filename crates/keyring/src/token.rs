//! Bearer tokens: their making, their form, and the check of the form that comes before anything else.
//!
//! `pcl_` + 43 base 62 characters (256 random bits) + 6 base 62 characters of CRC-32 over all that precedes them. The
//! prefix lets scanners find a leaked token; the checksum refuses a mistyped or invented one for a few instructions,
//! before any hash or lookup (FAULTS E03). The form is no secret and its check need not be constant in time: what it
//! tells, the documentation tells too. What must stay true: a token is shown once, through [`Token::reveal`], and is
//! stored only as [`Pepper::hash`](crate::pepper::Pepper::hash) gives it.

use seams::Entropy;
use seams::entropy;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::crc32::crc32;
use crate::secret::Secret;

mod base62;

use base62::{BODY_CHARS, CHECKSUM_CHARS, Undecodable};

/// The length of the longest token, in bytes. Callers with longer input have no token (FAULTS E05).
pub const MAX_TOKEN_BYTES: usize = 5 + BODY_CHARS + CHECKSUM_CHARS;

const LAST_SHOWN: usize = 4;

/// What a token is for. Each kind has a prefix of its own, so that one cannot be taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// An agent's or a person's right to call (`pcl_`).
    Grant,
    /// An operator of the admin API (`pcla_`).
    Operator,
    /// A node that joins the cluster, once (`pclj_`).
    Join,
}

/// A token of the right form. That it is of the right form says nothing of whether anybody issued it.
pub struct Token {
    kind: TokenKind,
    /// The whole text, ASCII by construction.
    text: Secret,
}

/// Why some bytes are not a token. Carries nothing of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenRefused {
    /// The length is not that of a token of its kind.
    #[error("a token has {MAX_TOKEN_BYTES} characters or one less")]
    Length,
    /// The beginning is none of the known prefixes.
    #[error("a token begins with `pcl_`, `pcla_` or `pclj_`")]
    Prefix,
    /// There is a character that no token has.
    #[error("a token has only digits and ascii letters after its prefix")]
    Alphabet,
    /// The characters stand for a number above 2^256 − 1, which nothing encodes to.
    #[error("the token is not one that could have been issued")]
    OutOfRange,
    /// The checksum does not belong to the rest: mistyped, cut, or invented.
    #[error("the token's checksum does not match; check that it was copied whole")]
    Checksum,
}

impl TokenKind {
    const ALL: [Self; 3] = [Self::Grant, Self::Operator, Self::Join];

    /// The characters that a token of this kind begins with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Grant => "pcl_",
            Self::Operator => "pcla_",
            Self::Join => "pclj_",
        }
    }
}

impl Token {
    /// What it is for.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The token itself, to be shown once to the one who gets it. The only way to see it.
    pub fn reveal(&self) -> &str {
        std::str::from_utf8(self.text.expose()).expect("mint and parse let only ascii through")
    }

    /// The last four characters, by which people tell their tokens apart. They belong to the checksum, and tell too
    /// little of the 256 bits before it to matter.
    pub fn last_four(&self) -> &str {
        let text = self.reveal();
        &text[text.len() - LAST_SHOWN..]
    }

    /// The bytes that are hashed; inside the crate only.
    pub(crate) fn expose(&self) -> &[u8] {
        self.text.expose()
    }
}

/// Makes a fresh token.
pub fn mint(kind: TokenKind, entropy: &dyn Entropy) -> Token {
    let number = Zeroizing::new(entropy::array::<32>(entropy));
    let prefix = kind.prefix().as_bytes();
    // The whole capacity at once: a vector that grows leaves its old bytes behind unwiped.
    let mut text = Vec::with_capacity(MAX_TOKEN_BYTES);
    text.extend_from_slice(prefix);
    text.extend_from_slice(&base62::encode(&number)[..]);
    let checksum = base62::encode_checksum(crc32(&text));
    text.extend_from_slice(&checksum);
    Token { kind, text: Secret::new(text) }
}

/// Reads a token, with the work bounded by [`MAX_TOKEN_BYTES`] however long the input is, and without any hash.
///
/// # Errors
/// [`TokenRefused`], with the first reason that holds.
pub fn parse(bytes: &[u8]) -> Result<Token, TokenRefused> {
    if bytes.len() > MAX_TOKEN_BYTES {
        return Err(TokenRefused::Length);
    }
    let known = TokenKind::ALL.into_iter().find(|kind| bytes.starts_with(kind.prefix().as_bytes()));
    let kind = known.ok_or(TokenRefused::Prefix)?;
    let (checked, checksum) = bytes.split_last_chunk::<CHECKSUM_CHARS>().ok_or(TokenRefused::Length)?;
    let body = checked.get(kind.prefix().len()..).ok_or(TokenRefused::Length)?;
    let body: &[u8; BODY_CHARS] = body.try_into().map_err(|_| TokenRefused::Length)?;
    base62::check(body).map_err(|undecodable| match undecodable {
        Undecodable::Alphabet => TokenRefused::Alphabet,
        Undecodable::TooLarge => TokenRefused::OutOfRange,
    })?;
    if base62::encode_checksum(crc32(checked)) != *checksum {
        return Err(TokenRefused::Checksum);
    }
    Ok(Token { kind, text: Secret::new(bytes.to_vec()) })
}

#[cfg(test)]
mod tests;
