//! What the header check accepts, an upstream that trusts the headers made from it cannot read differently.

use crate::headers::{RequestHeaders, mirror, value};
use crate::limits::Limits;
use crate::message;
use crate::revision::{Era, Revision};

/// Takes header lines (`name: value`), an empty line and a body. If headers and body agree, the mirrors made from the
/// body must agree with it too, and a modern request's own `Mcp-Name` must decode to the same text.
///
/// # Panics
/// When an accepted request has mirrors that say something else.
pub fn mcp_headers(input: &[u8]) -> bool {
    let (head, body) = match input.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&input[..at], &input[at + 2..]),
        None => (input, &b""[..]),
    };
    let lines = head.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = std::str::from_utf8(&line[..colon]).ok()?;
        Some((name, line[colon + 1..].trim_ascii()))
    });
    let Ok(headers) = RequestHeaders::collect(lines) else { return false };
    let Ok(revision) = headers.revision() else { return false };
    let Ok(message) = message::read(body, Limits::REQUEST) else { return false };
    if revision.admit(&message).is_err() || headers.agree_with(&message, revision).is_err() {
        return false;
    }
    for message in message.each() {
        let Some(call) = message.call() else { continue };
        let made: Vec<_> = mirror::of_call(call, revision).collect();
        let pairs = made.iter().map(|(name, value)| (*name, value.as_bytes()));
        let remade = RequestHeaders::collect(pairs).expect("mirrors are short and single");
        if revision.era() == Era::Modern && message.request_id().is_some() {
            assert_eq!(remade.revision(), Ok(Revision::V2026_07_28));
            assert_eq!(remade.agree_with(message, revision), Ok(()), "a mirror differs from its body");
            let theirs = headers.name.and_then(value::decode);
            assert_eq!(theirs.as_deref(), call.mirrored_name(), "an accepted name differs from the body");
        }
    }
    true
}
