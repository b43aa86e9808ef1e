//! What the edge asks to be sent: the verb, the short list of protocol headers, the body.
//!
//! There is no place in it for anything else of the client's, which is how its token, its cookies and whatever else it
//! sent cannot reach an upstream (promise S2; FAULTS C25, D11). What must stay true: a field here is a header the
//! protocol defines, and its value is one the edge made from the body it checked.

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

/// One request to an upstream server.
#[derive(Debug)]
pub struct Outbound {
    /// The HTTP method.
    pub verb: Verb,
    /// The protocol headers.
    pub headers: OutboundHeaders,
    /// The body, already read strictly; empty for [`Verb::Get`] and [`Verb::Delete`].
    pub body: Bytes,
}

/// The HTTP methods of the Streamable HTTP transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A message to the server.
    Post,
    /// The server's own stream.
    Get,
    /// The end of a session.
    Delete,
}

/// The headers of the Model Context Protocol that a request may carry (Streamable HTTP transport).
#[derive(Clone, Debug, Default)]
pub struct OutboundHeaders {
    /// `MCP-Protocol-Version`.
    pub protocol_version: Option<HeaderValue>,
    /// `Mcp-Session-Id`: the upstream's own id, unsealed by the edge.
    pub session: Option<HeaderValue>,
    /// `Last-Event-ID`.
    pub last_event_id: Option<HeaderValue>,
    /// `Mcp-Method`.
    pub method: Option<HeaderValue>,
    /// `Mcp-Name`.
    pub name: Option<HeaderValue>,
    /// `Mcp-Param-…`.
    pub params: Vec<ParamHeader>,
}

/// One `Mcp-Param-…` header.
#[derive(Clone, Debug)]
pub struct ParamHeader {
    name: HeaderName,
    value: HeaderValue,
}

impl ParamHeader {
    const PREFIX: &'static str = "mcp-param-";

    /// A header whose name begins with `mcp-param-`; nothing for any other name.
    pub fn new(name: HeaderName, value: HeaderValue) -> Option<Self> {
        name.as_str().starts_with(Self::PREFIX).then_some(Self { name, value })
    }

    pub(crate) fn into_parts(self) -> (HeaderName, HeaderValue) {
        (self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C25: a header of another name cannot be smuggled in among the parameters.
    #[test]
    fn c25_only_parameters_are_parameters() {
        let header = |name| ParamHeader::new(HeaderName::from_static(name), HeaderValue::from_static("x"));
        assert!(header("mcp-param-city").is_some());
        for name in ["authorization", "cookie", "x-forwarded-user", "mcp-session-id", "host"] {
            assert!(header(name).is_none(), "{name}");
        }
    }
}
