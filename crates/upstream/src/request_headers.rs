//! The headers of a request to an upstream server: generated, never copied.
//!
//! The list is closed: `host`, `user-agent`, `accept`, `accept-encoding`, `content-type`, the protocol's own, and the
//! one that carries the secret. hyper adds `content-length`. What must stay true: nothing else is ever on it, whatever
//! the client sent (promise S2; FAULTS C25, D11), and nothing here can take the place of the secret's header.

use std::sync::Arc;

use authority::server::{Endpoint, Origin};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Uri,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT},
    uri::InvalidUri,
};

use crate::{
    call_slot::CallSlot,
    credential::Attached,
    outbound::{Outbound, OutboundHeaders, Verb},
    request_body::RequestBody,
};

/// How the gateway names itself to a server.
const AGENT: &str = concat!("portcullis/", env!("CARGO_PKG_VERSION"));

/// The request to `endpoint`, for the call that holds `slot`.
///
/// # Errors
/// The path of the endpoint has a character that no request line may carry.
pub(crate) fn request(
    endpoint: &Endpoint,
    outbound: &Outbound,
    attached: Option<&Attached>,
    slot: &Arc<CallSlot>,
) -> Result<Request<RequestBody>, InvalidUri> {
    let mut request = Request::new(RequestBody::new(outbound.body.clone(), Arc::clone(slot)));
    *request.method_mut() = match outbound.verb {
        Verb::Post => Method::POST,
        Verb::Get => Method::GET,
        Verb::Delete => Method::DELETE,
    };
    *request.uri_mut() = Uri::try_from(&*endpoint.path)?;
    *request.headers_mut() = headers(&endpoint.origin, outbound.verb, &outbound.headers, attached);
    Ok(request)
}

fn headers(
    origin: &Origin,
    verb: Verb,
    protocol: &OutboundHeaders,
    attached: Option<&Attached>,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(HOST, host(origin));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    match verb {
        Verb::Post => {
            headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Verb::Get => {
            headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        }
        Verb::Delete => {}
    }
    for (name, value) in [
        ("mcp-protocol-version", &protocol.protocol_version),
        ("mcp-session-id", &protocol.session),
        ("last-event-id", &protocol.last_event_id),
        ("mcp-method", &protocol.method),
        ("mcp-name", &protocol.name),
    ] {
        if let Some(value) = value {
            headers.insert(HeaderName::from_static(name), value.clone());
        }
    }
    for param in &protocol.params {
        let (name, value) = param.clone().into_parts();
        headers.insert(name, value);
    }
    if let Some(attached) = attached {
        headers.insert(attached.name.clone(), attached.value.clone());
    }
    headers
}

/// The host as the server knows itself: with the port only if it is not the scheme's own (RFC 9110, section 7.2).
fn host(origin: &Origin) -> HeaderValue {
    let own = if origin.is_tls() { ":443" } else { ":80" };
    let authority = origin.authority();
    let host = authority.strip_suffix(own).unwrap_or(authority);
    HeaderValue::from_str(host).expect("an origin's host is visible ASCII")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::outbound::ParamHeader;

    fn names(verb: Verb, protocol: OutboundHeaders) -> Vec<String> {
        let endpoint = Endpoint::parse("https://api.example.com/mcp?x=1").expect("an endpoint");
        let outbound = Outbound { verb, headers: protocol, body: Bytes::from_static(b"{}") };
        let request = request(&endpoint, &outbound, None, &Arc::default()).expect("a good path");
        assert_eq!(request.uri(), "/mcp?x=1");
        request.headers().iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    /// C25, D11: the whole list, as it is sent.
    #[test]
    fn c25_d11_the_list_is_closed() {
        let value = |text: &'static str| Some(HeaderValue::from_static(text));
        let param =
            ParamHeader::new(HeaderName::from_static("mcp-param-city"), HeaderValue::from_static("Rome"));
        let protocol = OutboundHeaders {
            protocol_version: value("2026-07-28"),
            session: value("s"),
            last_event_id: value("7"),
            method: value("tools/call"),
            name: value("add"),
            params: vec![param.expect("a parameter")],
        };
        let mut sent = names(Verb::Post, protocol);
        sent.sort();
        assert_eq!(
            sent,
            [
                "accept-encoding: identity",
                "accept: application/json, text/event-stream",
                "content-type: application/json",
                "host: api.example.com",
                "last-event-id: 7",
                "mcp-method: tools/call",
                "mcp-name: add",
                "mcp-param-city: Rome",
                "mcp-protocol-version: 2026-07-28",
                "mcp-session-id: s",
                concat!("user-agent: portcullis/", env!("CARGO_PKG_VERSION")),
            ]
        );
        assert_eq!(names(Verb::Delete, OutboundHeaders::default()).len(), 3);
    }

    #[test]
    fn the_host_is_the_servers_own_and_names_only_an_unusual_port() {
        for (url, expected) in [
            ("https://a.example/", "a.example"),
            ("https://a.example:8443/", "a.example:8443"),
            ("http://127.0.0.1:80/", "127.0.0.1"),
            ("http://[::1]:443/", "[::1]:443"),
        ] {
            assert_eq!(host(&Endpoint::parse(url).expect(url).origin), expected);
        }
    }
}
