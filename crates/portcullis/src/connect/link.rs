//! The encodings of install links. A link carries no token: it ends up in histories, logs and chats.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What stands in the query of a link as it is (RFC 3986, section 2.3); all else is percent-encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `text` for the query of a link.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// `value` as JSON in base64 for the query of a link.
pub fn base64_of(value: &Value) -> String {
    encoded(&STANDARD.encode(value.to_string()))
}
