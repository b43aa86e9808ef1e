//! Events and comments that the gateway writes into a stream.

/// A comment that keeps an idle stream alive; also the first bytes of a stream, because some HTTP/2 hops hold the
/// headers back until there is data.
pub const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

/// An event to be written. All parts are optional; one without data is not dispatched by clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event<'e> {
    /// The id with which a client resumes; one line.
    pub id: Option<&'e [u8]>,
    /// The type; one line.
    pub event: Option<&'e [u8]>,
    /// The payload; each of its lines becomes a `data` line.
    pub data: Option<&'e [u8]>,
    /// After how many milliseconds a client reconnects.
    pub retry_ms: Option<u64>,
}

/// An id or type that cannot be one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {field} of an event must be one line, and an id must not hold NUL")]
pub struct NotAField {
    /// `id` or `event`.
    pub field: &'static str,
}

/// Appends an event.
///
/// # Errors
/// When id or type would break the framing; nothing is written then.
pub fn write(out: &mut Vec<u8>, event: &Event<'_>) -> Result<(), NotAField> {
    let lines = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if event.id.is_some_and(|id| id.iter().any(|byte| lines(byte) || *byte == 0)) {
        return Err(NotAField { field: "id" });
    }
    if event.event.is_some_and(|kind| kind.iter().any(lines)) {
        return Err(NotAField { field: "event" });
    }
    if let Some(id) = event.id {
        field(out, b"id", id);
    }
    if let Some(kind) = event.event {
        field(out, b"event", kind);
    }
    if let Some(retry_ms) = event.retry_ms {
        field(out, b"retry", retry_ms.to_string().as_bytes());
    }
    if let Some(data) = event.data {
        let mut rest = data;
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            field(out, b"data", &rest[..end]);
            rest = &rest[end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 }..];
        }
        field(out, b"data", rest);
    }
    out.push(b'\n');
    Ok(())
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.push(b'\n');
}
