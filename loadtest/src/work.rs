//! The work: what is asked, over how many connections, at which pace.
//!
//! Requests are made once and sent as they are. All of them are of revision 2026-07-28, so that there is no session to
//! set up and each stands alone.

use clap::ValueEnum;
use serde_json::json;

use crate::stage::Target;

/// Connections of all work but that which says otherwise.
const CONNECTIONS: usize = 32;

/// One kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// A tool call answered with 1 KB of JSON, over 32 connections.
    Small,
    /// The same over one connection: the time a call takes when nothing else runs.
    Single,
    /// The same at a constant rate, measured from the moment each call was due.
    Steady,
    /// A tool call answered with a stream of one event.
    Sse,
    /// A list of 300 tools, of which the grant leaves out every tenth.
    List,
    /// A tool call answered with 1 MB in chunks.
    Large,
    /// The small call, each on a new connection.
    Connect,
}

/// When requests go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Each connection sends when its last answer is whole.
    Closed,
    /// As `Closed`, with a new connection for each request.
    Connecting,
    /// At a constant rate, whatever the answers do.
    Open,
}

impl Work {
    /// One line that says what it is.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Small => "small: tools/call, 1 KB of JSON back, 32 connections",
            Self::Single => "single: the same, one connection",
            Self::Steady => {
                "steady: the same, 32 connections at a constant rate, latency from when each call was due"
            }
            Self::Sse => "sse: tools/call, one event back, 32 connections",
            Self::List => "list: tools/list, 300 tools (90 KB), 270 of them granted, 32 connections",
            Self::Large => "large: tools/call, 1 MB in chunks back, 32 connections",
            Self::Connect => "connect: tools/call, 1 KB back, a new connection each, 32 at once",
        }
    }

    /// How many connections there are at once.
    pub fn connections(self) -> usize {
        if self == Self::Single { 1 } else { CONNECTIONS }
    }

    /// When its requests go out.
    pub fn pace(self) -> Pace {
        match self {
            Self::Small | Self::Single | Self::Sse | Self::List | Self::Large => Pace::Closed,
            Self::Connect => Pace::Connecting,
            Self::Steady => Pace::Open,
        }
    }

    /// The least a right answer has in its body; a refusal has less. Of the list, a filter may leave out a tenth.
    pub fn least_body_bytes(self) -> u64 {
        match self {
            Self::Small | Self::Single | Self::Steady | Self::Sse | Self::Connect => 950,
            Self::List => 75_000,
            Self::Large => 1_048_576,
        }
    }

    /// The request, as it goes to the socket.
    pub fn request(self, target: &Target) -> Vec<u8> {
        let closing = self.pace() == Pace::Connecting;
        match self {
            Self::Small | Self::Single | Self::Steady | Self::Connect => call(target, "small", closing),
            Self::Sse => call(target, "events", closing),
            Self::Large => call(target, "large", closing),
            Self::List => request(target, "tools/list", None, closing),
        }
    }
}

/// A call of a tool of the upstream.
pub fn call(target: &Target, tool: &str, closing: bool) -> Vec<u8> {
    request(target, "tools/call", Some(tool), closing)
}

/// A request for a stream that stays open.
pub fn subscription(target: &Target) -> Vec<u8> {
    request(target, "subscriptions/listen", None, false)
}

fn request(target: &Target, method: &str, tool: Option<&str>, closing: bool) -> Vec<u8> {
    let mut params = json!({"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {}
    }});
    let mut named = String::new();
    if let Some(tool) = tool {
        params["name"] = tool.into();
        params["arguments"] = json!({"id": "c-1042", "limit": 25});
        named = format!("Mcp-Name: {tool}\r\n");
    }
    if method == "subscriptions/listen" {
        params["notifications"] = json!({"toolsListChanged": true});
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let connection = if closing { "Connection: close\r\n" } else { "" };
    let Target { address, path, bearer, .. } = target;
    format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {bearer}\r\n\
         Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n{named}{connection}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http1::Head, stage::Kind};

    #[test]
    fn a_request_says_the_same_in_its_headers_and_in_its_body() {
        let target = Target {
            kind: Kind::Nginx,
            address: "127.0.0.1:1".parse().unwrap(),
            path: "/mcp".to_owned(),
            bearer: "t".to_owned(),
            pid: 1,
        };
        let bytes = Work::Connect.request(&target);
        let head = Head::read(&bytes).unwrap();
        let body: serde_json::Value = serde_json::from_slice(&bytes[head.len()..]).unwrap();
        assert_eq!(head.content_length(), Some((bytes.len() - head.len()) as u64));
        assert_eq!(head.header("mcp-name"), Some(&b"small"[..]));
        assert_eq!(head.header("connection"), Some(&b"close"[..]));
        assert_eq!(body["params"]["name"], "small");
    }
}
