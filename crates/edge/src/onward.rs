//! The protocol headers for the upstream, made from what was read and from nothing else (FAULTS C09, C25, D11).
//!
//! The mirrors of the body are made anew from the body. What has no mirror in it, the parameters of a tool and the last
//! event of a resumed stream, was checked as far as it can be and goes on as it came. The session's id is not made
//! here: the client's is sealed, and [`crate::session`] opens it.

use http::{HeaderName, HeaderValue};
use mcp::{
    headers::{METHOD, PARAM_PREFIX, PROTOCOL_VERSION, RequestHeaders, mirror},
    message::Message,
    revision::Revision,
};
use upstream::{OutboundHeaders, outbound::ParamHeader};

/// The headers of a POST that carries `message`.
pub(crate) fn of_message(
    mirrors: &RequestHeaders<'_>,
    message: &Message<'_>,
    revision: Revision,
) -> OutboundHeaders {
    let mut headers = OutboundHeaders::default();
    let Some(call) = message.call() else {
        headers.protocol_version = version(revision);
        return headers;
    };
    for (name, value) in mirror::of_call(call, revision) {
        let value = HeaderValue::from_str(&value).expect("a mirror is made of printable ASCII");
        let slot = match name {
            PROTOCOL_VERSION => &mut headers.protocol_version,
            METHOD => &mut headers.method,
            // There is no fourth mirror; the tests hold that each lands where it belongs.
            _ => &mut headers.name,
        };
        *slot = Some(value);
    }
    headers.params = mirrors.params.iter().filter_map(|(rest, value)| param(rest, value)).collect();
    headers
}

/// The headers of a GET or a DELETE; only a stream can be resumed.
pub(crate) fn of_stream(
    mirrors: &RequestHeaders<'_>,
    revision: Revision,
    opens_stream: bool,
) -> OutboundHeaders {
    let last_event_id = mirrors.last_event_id.filter(|_| opens_stream);
    OutboundHeaders {
        protocol_version: version(revision),
        last_event_id: last_event_id.and_then(|id| HeaderValue::from_bytes(id).ok()),
        ..OutboundHeaders::default()
    }
}

/// The version header, which came with 2025-06-18.
fn version(revision: Revision) -> Option<HeaderValue> {
    (revision >= Revision::V2025_06_18).then(|| HeaderValue::from_static(revision.as_str()))
}

fn param(rest: &str, value: &[u8]) -> Option<ParamHeader> {
    let name = HeaderName::try_from(format!("{PARAM_PREFIX}{rest}")).ok()?;
    ParamHeader::new(name, HeaderValue::from_bytes(value).ok()?)
}
