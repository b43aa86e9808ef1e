//! How a text travels in a mirror header: as it is, or wrapped as `=?base64?…?=` (specification 2026-07-28,
//! Streamable HTTP, value encoding).
//!
//! Wrapped is what a header line would lose or change: anything but printable ASCII, white space at the edges, and
//! texts that look wrapped already. The markers are lower case and exact, the payload is standard base64 with padding
//! of the UTF-8 bytes. Decoding and encoding are each other's inverse; a test over arbitrary text holds that.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

/// The text that a header value stands for; `None` when it has bytes no value may have or its wrapping is broken.
#[must_use]
pub fn decode(value: &[u8]) -> Option<Cow<'_, str>> {
    if !value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?;
    let Some(payload) = text.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX)) else {
        return Some(Cow::Borrowed(text));
    };
    let bytes = STANDARD.decode(payload).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// The header value for a text.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, str> {
    let printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let edges = text.starts_with(' ') || text.ends_with(' ');
    let looks_wrapped = text.starts_with(PREFIX) && text.ends_with(SUFFIX);
    if printable && !edges && !looks_wrapped {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{decode, encode};

    #[test]
    fn values_travel_as_the_specification_shows() {
        for (text, header) in [
            ("us-west1", "us-west1"),
            ("two words", "two words"),
            ("", ""),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("=?BASE64?x?=", "=?BASE64?x?="),
        ] {
            assert_eq!(encode(text), header);
            assert_eq!(decode(header.as_bytes()).as_deref(), Some(text));
        }
    }

    #[test]
    fn c09_broken_wrappings_are_no_value() {
        for header in [
            &b"=?base64?%%%?="[..],
            b"=?base64?YQ?=",
            b"=?base64?YR==?=",
            b"=?base64?//4=?=",
            b"caf\xc3\xa9",
            b"a\x7f",
            b"a\nb",
        ] {
            assert_eq!(decode(header), None, "{}", String::from_utf8_lossy(header));
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(text in any::<String>()) {
            let header = encode(&text).into_owned();
            prop_assert!(header.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            let decoded = decode(header.as_bytes());
            prop_assert_eq!(decoded.as_deref(), Some(text.as_str()));
        }
    }
}
