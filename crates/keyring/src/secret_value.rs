//! The check a credential's value passes before it is stored: it must be one that a header can carry.
//!
//! It is here and not at the place that sends, because a value with a line break in it is an attack or a mistake, and
//! either must be found by the person who enters it and not by a call weeks later (FAULTS D10). What must stay true:
//! every accepted value is one header value under every reading of RFC 9110 section 5.5. A value that is entered now
//! must also be long enough to be told from ordinary text, which values stored earlier need not be.

use thiserror::Error;

/// The longest value accepted, in bytes. Signed tokens of a few KiB exist; common servers refuse a whole head above
/// 8 KiB, so a longer value could never be used.
pub const MAX_HEADER_VALUE_BYTES: usize = 8 * 1024;

/// The fewest bytes of a value that is entered. Whatever an upstream server sends back is searched for the value, and
/// one of a few letters would be found, and taken out, in ordinary text; nor is it a secret to somebody who guesses.
pub const MIN_SECRET_BYTES: usize = 8;

/// Why a value cannot be a credential. Carries positions and lengths, never a byte of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderValueRefused {
    /// There is nothing to send.
    #[error("the value is empty")]
    Empty,
    /// Fewer than [`MIN_SECRET_BYTES`].
    #[error(
        "the value has {len} bytes and needs at least {MIN_SECRET_BYTES}: answers are searched for it, and a shorter \
         one would be found and taken out where ordinary text has it by chance; have the server issue a longer one"
    )]
    TooShort {
        /// The length in bytes.
        len: usize,
    },
    /// More than [`MAX_HEADER_VALUE_BYTES`].
    #[error("the value has {len} bytes, and a header carries at most {MAX_HEADER_VALUE_BYTES}")]
    TooLong {
        /// The length in bytes.
        len: usize,
    },
    /// It begins or ends with a space, which every receiver strips, so that another value would arrive.
    #[error("the value begins or ends with a space; remove it")]
    SpaceAtTheEdge,
    /// A byte that is neither visible ASCII nor a space inside the value.
    #[error(
        "byte {position} of the value is a line break, a control character or not ascii, which no header may carry; \
         check the end of the file for a line break"
    )]
    ForbiddenByte {
        /// Counted from 1.
        position: usize,
    },
}

/// Accepts visible ASCII (0x21 to 0x7E) with single or repeated spaces inside, and nothing else.
///
/// # Errors
/// [`HeaderValueRefused`], with the first reason that holds.
pub fn check_header_value(value: &[u8]) -> Result<(), HeaderValueRefused> {
    let (Some(first), Some(last)) = (value.first(), value.last()) else {
        return Err(HeaderValueRefused::Empty);
    };
    if value.len() > MAX_HEADER_VALUE_BYTES {
        return Err(HeaderValueRefused::TooLong { len: value.len() });
    }
    if let Some(index) = value.iter().position(|byte| !matches!(byte, 0x20..=0x7e)) {
        return Err(HeaderValueRefused::ForbiddenByte { position: index + 1 });
    }
    if *first == b' ' || *last == b' ' {
        return Err(HeaderValueRefused::SpaceAtTheEdge);
    }
    Ok(())
}

/// As [`check_header_value`], and for a value that is entered now: at least [`MIN_SECRET_BYTES`].
///
/// # Errors
/// [`HeaderValueRefused`], with the first reason that holds.
pub fn check_new_secret(value: &[u8]) -> Result<(), HeaderValueRefused> {
    check_header_value(value)?;
    if value.len() < MIN_SECRET_BYTES {
        return Err(HeaderValueRefused::TooShort { len: value.len() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_credentials_are_accepted() {
        for value in [&b"x"[..], b"ghp_0123456789abcdef", b"Basic dXNlcjpwYXNz", b"a=b; c~d"] {
            assert_eq!(check_header_value(value), Ok(()));
        }
        assert_eq!(check_header_value(&[b'x'; MAX_HEADER_VALUE_BYTES]), Ok(()));
    }

    /// D10: a value that would end its header and begin another is refused when it is stored.
    #[test]
    fn d10_values_that_no_single_header_carries_are_refused() {
        use HeaderValueRefused::{Empty, ForbiddenByte, SpaceAtTheEdge, TooLong};
        for (value, reason) in [
            (&b""[..], Empty),
            (b"token\r\nX-Evil: 1", ForbiddenByte { position: 6 }),
            (b"token\n", ForbiddenByte { position: 6 }),
            (b"\rtoken", ForbiddenByte { position: 1 }),
            (b"to\0ken", ForbiddenByte { position: 3 }),
            (b"to\tken", ForbiddenByte { position: 3 }),
            (b"to\x7fken", ForbiddenByte { position: 3 }),
            ("to\u{2028}ken".as_bytes(), ForbiddenByte { position: 3 }),
            (b"to\x85ken", ForbiddenByte { position: 3 }),
            (b" token", SpaceAtTheEdge),
            (b"token ", SpaceAtTheEdge),
            (&[b'x'; MAX_HEADER_VALUE_BYTES + 1], TooLong { len: MAX_HEADER_VALUE_BYTES + 1 }),
        ] {
            assert_eq!(check_header_value(value), Err(reason), "{value:?}");
        }
    }

    /// D08: what cannot be told from ordinary text is refused by the person's own command, with the reason.
    #[test]
    fn d08_a_secret_too_short_to_be_searched_for_is_refused_when_it_is_entered() {
        use HeaderValueRefused::{Empty, TooShort};
        assert_eq!(check_new_secret(b""), Err(Empty));
        assert_eq!(check_new_secret(b"v"), Err(TooShort { len: 1 }));
        assert_eq!(check_new_secret(b"7 bytes"), Err(TooShort { len: 7 }));
        assert_eq!(check_new_secret(b"8  bytes"), Ok(()));
        assert_eq!(check_header_value(b"v"), Ok(()), "one stored earlier is still sent");
    }

    proptest! {
        /// D10: whatever is accepted is printable from end to end.
        #[test]
        fn d10_an_accepted_value_has_only_visible_bytes_and_inner_spaces(
            value in proptest::collection::vec(prop_oneof![4 => 0x20_u8..0x7f, 1 => any::<u8>()], 0..40)
        ) {
            let clean = value.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
            let trimmed = value.trim_ascii() == value && !value.is_empty();
            prop_assert_eq!(check_header_value(&value).is_ok(), clean && trimmed);
        }
    }
}
