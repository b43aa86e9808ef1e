//! Where the eras meet: what a modern client is told at an upstream of the older era.
//!
//! Nothing is translated between the eras yet. But a modern client probes with `server/discover` and falls back to
//! `initialize` when the probe fails in a way it understands: HTTP 400 with a JSON-RPC error that is none of the modern
//! era's own (-32020 to -32022). Older servers fail in many other ways: 404, 405, 406, a page of text, HTTP 200 with
//! -32601. All of them become that one. What must stay true: an error of the modern era reaches the client as it is,
//! since it says what the client has to do differently.

use http::StatusCode;
use mcp::{
    limits::Limits,
    message::{self, Message, Outcome},
    reply::{self, code},
    revision::Era,
};

use crate::{
    answer::{self, Answer},
    request::Asked,
};

/// The probe of a modern client.
const PROBE: &str = "server/discover";

/// Codes by which the modern era says what to do differently (specification 2026-07-28).
const MODERN_CODES: std::ops::RangeInclusive<i32> = code::UNSUPPORTED_REVISION..=code::HEADER_MISMATCH;

/// What an error answer with this body becomes, if it is not passed on. Without a body it was no JSON.
pub(crate) fn of_error(asked: &Asked, body: Option<&[u8]>) -> Option<Answer> {
    if asked.revision.era() != Era::Modern {
        return None;
    }
    match body.and_then(error_code) {
        Some(code) if MODERN_CODES.contains(&code) => None,
        // Another error of JSON-RPC is the upstream's word on anything but a probe.
        Some(_) if !probes(asked) => None,
        Some(_) | None => Some(method_not_found(asked)),
    }
}

/// What a good answer with this body becomes, if it is not passed on: a probe that is answered by an error.
pub(crate) fn of_answer(asked: &Asked, body: &[u8]) -> Option<Answer> {
    let failed = probes(asked) && error_code(body).is_some_and(|code| !MODERN_CODES.contains(&code));
    failed.then(|| method_not_found(asked))
}

fn probes(asked: &Asked) -> bool {
    asked.revision.era() == Era::Modern && asked.single().is_some_and(|part| part.method == PROBE)
}

fn method_not_found(asked: &Asked) -> Answer {
    let part = asked.single();
    let (id, method) = (part.and_then(|part| part.id()), part.map_or("", |part| &part.method));
    answer::json(StatusCode::BAD_REQUEST, reply::method_not_found(id, method))
}

/// The code of a body that is one JSON-RPC error.
fn error_code(body: &[u8]) -> Option<i32> {
    let Ok(Message::Response(response)) = message::read_answer(body, Limits::RESPONSE) else { return None };
    let Outcome::Error(error) = response.outcome else { return None };
    let error: serde_json::Value = serde_json::from_slice(error).ok()?;
    error.get("code")?.as_i64().and_then(|code| i32::try_from(code).ok())
}
