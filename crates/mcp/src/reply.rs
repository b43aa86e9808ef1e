//! The bytes that the gateway itself answers with: errors of JSON-RPC and denials.
//!
//! What an answer says is decided elsewhere; here it becomes JSON that is always valid, always bounded, and of the
//! shape that the client's era expects. Messages are written for the person or model that reads them. The HTTP status
//! is the edge's; every code says which one its specification gives it.
//!
//! A refused `tools/call` is a *result* with `isError`, because models read results and hosts hide errors; everything
//! else is refused with an error.

use std::borrow::Cow;

use crate::headers::HeaderFault;
use crate::id::Id;
use crate::limits::MAX_REPLY_TEXT_BYTES;
use crate::revision::{Era, NotInRevision, Revision, UnsupportedRevision};
use crate::strict::Refusal;

/// The error codes in use. Codes from -32099 to -32000 belong to JSON-RPC servers and the specification, so our own
/// lie outside of the reserved range.
pub mod code {
    /// The body is no JSON (HTTP 400).
    pub const PARSE_ERROR: i32 = -32700;
    /// The body is JSON but no message (HTTP 400).
    pub const INVALID_REQUEST: i32 = -32600;
    /// The method is not there (HTTP 404 in the modern era, 200 in the legacy one).
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// A parameter is missing or wrong (HTTP 400 where `_meta` is at fault).
    pub const INVALID_PARAMS: i32 = -32602;
    /// Headers and body disagree (HTTP 400, specification 2026-07-28).
    pub const HEADER_MISMATCH: i32 = -32020;
    /// The revision is not served (HTTP 400, specification 2026-07-28).
    pub const UNSUPPORTED_REVISION: i32 = -32022;
    /// Our own: the grant does not reach this.
    pub const DENIED: i32 = -31001;
    /// Our own: the gateway cannot decide, record or reach the upstream now; trying again later may help.
    pub const UNAVAILABLE: i32 = -31002;
    /// Our own: the upstream answered with something that cannot be passed on.
    pub const BAD_UPSTREAM: i32 = -31003;
}

/// What a denial begins with, so that a model and a person see who refused.
pub const DENIED_MARK: &str = "[denied]";

/// An error as `{"jsonrpc":"2.0","id":…,"error":{"code":…,"message":…}}`. Without an id it is `null`, which says that
/// the request could not be read.
#[must_use]
pub fn error(id: Option<&Id<'_>>, code: i32, message: &str) -> Vec<u8> {
    error_with(id, code, message, |_| {})
}

/// The answer to a body that was refused; the id is not known.
#[must_use]
pub fn unreadable(refusal: &Refusal) -> Vec<u8> {
    let code = if refusal.reason.is_syntax() { code::PARSE_ERROR } else { code::INVALID_REQUEST };
    error_with(None, code, &refusal.to_string(), |out| {
        out.extend_from_slice(b",\"data\":{\"reason\":");
        write_string(out, refusal.reason.code());
        out.extend_from_slice(b",\"byte\":");
        out.extend_from_slice(refusal.at.to_string().as_bytes());
        out.push(b'}');
    })
}

/// The answer to headers that cannot be believed: -32020, or -32602 where a member of `_meta` is missing, or -32022.
#[must_use]
pub fn header_fault(id: Option<&Id<'_>>, fault: &HeaderFault) -> Vec<u8> {
    match fault {
        HeaderFault::Unsupported(unsupported) => unsupported_revision(id, unsupported, &Revision::SERVED),
        HeaderFault::MetaMissing { .. } => error(id, code::INVALID_PARAMS, &fault.to_string()),
        HeaderFault::Repeated { .. }
        | HeaderFault::TooLong { .. }
        | HeaderFault::TooManyParams
        | HeaderFault::Missing { .. }
        | HeaderFault::Undecodable { .. }
        | HeaderFault::Mismatch { .. } => error(id, code::HEADER_MISMATCH, &fault.to_string()),
    }
}

/// The answer to a revision that is not served, with `data.supported` and `data.requested` for the client to choose.
#[must_use]
pub fn unsupported_revision(
    id: Option<&Id<'_>>,
    unsupported: &UnsupportedRevision,
    supported: &[Revision],
) -> Vec<u8> {
    error_with(id, code::UNSUPPORTED_REVISION, &unsupported.to_string(), |out| {
        out.extend_from_slice(b",\"data\":{\"supported\":[");
        for (index, revision) in supported.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_string(out, revision.as_str());
        }
        out.extend_from_slice(b"],\"requested\":");
        write_string(out, &unsupported.requested);
        out.push(b'}');
    })
}

/// The answer to a message that the revision does not have.
#[must_use]
pub fn not_in_revision(id: Option<&Id<'_>>, fault: &NotInRevision) -> Vec<u8> {
    error(id, code::INVALID_REQUEST, &fault.to_string())
}

/// The answer to a method that the other side does not have. A modern client that probes a legacy upstream gets it
/// with HTTP 400 and falls back to `initialize`.
#[must_use]
pub fn method_not_found(id: Option<&Id<'_>>, method: &str) -> Vec<u8> {
    error(id, code::METHOD_NOT_FOUND, &format!("method not found: {method}"))
}

/// The refusal of a call that is no `tools/call`: an error whose message begins with [`DENIED_MARK`].
#[must_use]
pub fn denied(id: &Id<'_>, why: &str) -> Vec<u8> {
    error(Some(id), code::DENIED, &format!("{DENIED_MARK} {why}"))
}

/// The refusal of a `tools/call`: a result with `isError` whose text begins with [`DENIED_MARK`].
#[must_use]
pub fn denied_tool_call(id: &Id<'_>, why: &str, era: Era) -> Vec<u8> {
    let mut out = opening(Some(id), "result");
    out.push(b'{');
    if era == Era::Modern {
        out.extend_from_slice(b"\"resultType\":\"complete\",");
    }
    out.extend_from_slice(b"\"content\":[{\"type\":\"text\",\"text\":");
    write_string(&mut out, &cut(&format!("{DENIED_MARK} {why}")));
    out.extend_from_slice(b"}],\"isError\":true}}");
    out
}

/// Several answers as the answer to a batch.
#[must_use]
pub fn batch<A: AsRef<[u8]>>(answers: &[A]) -> Vec<u8> {
    let mut out = vec![b'['];
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(answer.as_ref());
    }
    out.push(b']');
    out
}

/// Appends `text` as a JSON string. Besides what JSON demands, the line separators are escaped that end a line in
/// scripts, and the delete character.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\0'..='\u{1f}' | '\u{7f}' | '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", u32::from(character)).as_bytes());
            }
            plain => out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

fn error_with(id: Option<&Id<'_>>, code: i32, message: &str, data: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = opening(id, "error");
    out.extend_from_slice(b"{\"code\":");
    out.extend_from_slice(code.to_string().as_bytes());
    out.extend_from_slice(b",\"message\":");
    write_string(&mut out, &cut(message));
    data(&mut out);
    out.extend_from_slice(b"}}");
    out
}

fn opening(id: Option<&Id<'_>>, member: &str) -> Vec<u8> {
    let mut out = b"{\"jsonrpc\":\"2.0\",\"id\":".to_vec();
    match id {
        Some(id) => id.write_json(&mut out),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"");
    out.extend_from_slice(member.as_bytes());
    out.extend_from_slice(b"\":");
    out
}

/// The text, or as much of it as [`MAX_REPLY_TEXT_BYTES`] allow and an ellipsis.
fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_REPLY_TEXT_BYTES {
        return text.into();
    }
    let mut end = MAX_REPLY_TEXT_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end]).into()
}

#[cfg(test)]
mod tests;
