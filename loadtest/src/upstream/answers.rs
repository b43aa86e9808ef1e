//! The bytes of the upstream's answers, head and body.
//!
//! All but the rare ones carry the id 1, which every request of the load has. What must stay true: the sizes are those
//! that `docs/performance.md` names.

use serde_json::{Value, json};

/// Bytes of text in a small answer; with what is around it the body has about 1 KB.
const SMALL_TEXT: usize = 900;

/// Bytes of text in a large answer.
const LARGE_TEXT: usize = 1024 * 1024;

/// Bytes of a chunk of a large answer.
const LARGE_CHUNK: usize = 16 * 1024;

/// Tools in the list.
pub const TOOLS: usize = 300;

/// Every tenth tool is one that the grant of the load leaves out, so that a list has to be filtered.
const HIDDEN: usize = 10;

/// Bytes of a tool's description; 300 tools then make about 90 KB.
const DESCRIPTION: usize = 145;

/// The answers that are made once.
pub struct Answers {
    /// 1 KB of JSON.
    pub small: Vec<u8>,
    /// The same in one event of a stream that then ends.
    pub events: Vec<u8>,
    /// 300 tools, about 90 KB of JSON.
    pub list: Vec<u8>,
    /// 1 MB of JSON, in chunks.
    pub large: Vec<u8>,
    /// To whoever released a held answer.
    pub released: Vec<u8>,
    /// The start of a stream: its head and the event that acknowledges the subscription.
    pub stream: Vec<u8>,
}

impl Answers {
    /// Makes all of them.
    pub fn new() -> Self {
        let small = called(SMALL_TEXT).to_string();
        let tools = json!({
            "tools": (0..TOOLS).map(tool).collect::<Vec<_>>(),
            "resultType": "complete", "ttlMs": 60_000, "cacheScope": "public"
        });
        let acknowledged = json!({
            "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
            "params": {"_meta": {"io.modelcontextprotocol/subscriptionId": 1}, "notifications": {"toolsListChanged": true}}
        });
        Self {
            events: in_chunks("text/event-stream", event(&small).as_bytes(), usize::MAX, true),
            small: sized("200 OK", &small),
            list: sized("200 OK", &result(&json!(1), &tools).to_string()),
            large: in_chunks(
                "application/json",
                called(LARGE_TEXT).to_string().as_bytes(),
                LARGE_CHUNK,
                true,
            ),
            released: sized("200 OK", &called(0).to_string()),
            stream: in_chunks(
                "text/event-stream",
                event(&acknowledged.to_string()).as_bytes(),
                usize::MAX,
                false,
            ),
        }
    }
}

/// An answer to what the load does not measure: discovery, notifications, and whatever else a gateway may ask.
pub fn rare(method: &[u8], body: &[u8]) -> Vec<u8> {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let id = &message["id"];
    if id.is_null() {
        return status("202 Accepted");
    }
    if method == b"server/discover" {
        let discovered = json!({
            "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {"listChanged": true}},
            "serverInfo": {"name": "loadtest", "version": env!("CARGO_PKG_VERSION")},
            "resultType": "complete", "ttlMs": 60_000, "cacheScope": "public"
        });
        return sized("200 OK", &result(id, &discovered).to_string());
    }
    let error = json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32_601, "message": "not a method of this server"}});
    sized("404 Not Found", &error.to_string())
}

/// An answer without a body.
pub fn status(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

fn tool(number: usize) -> Value {
    let kind = if number.is_multiple_of(HIDDEN) { "admin" } else { "read" };
    json!({
        "name": format!("{kind}_{number:03}"),
        "description": "d".repeat(DESCRIPTION),
        "inputSchema": {"type": "object", "properties": {"id": {"type": "string"}, "limit": {"type": "integer"}}, "required": ["id"]}
    })
}

fn called(text: usize) -> Value {
    result(
        &json!(1),
        &json!({"content": [{"type": "text", "text": "t".repeat(text)}], "resultType": "complete"}),
    )
}

fn result(id: &Value, result: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

fn event(message: &str) -> String {
    format!("event: message\r\ndata: {message}\r\n\r\n")
}

fn sized(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// A body in chunks of `chunk` bytes; without `ends` the last chunk is left out, and the body goes on.
fn in_chunks(kind: &str, body: &[u8], chunk: usize, ends: bool) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes();
    for part in body.chunks(chunk) {
        bytes.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        bytes.extend_from_slice(part);
        bytes.extend_from_slice(b"\r\n");
    }
    if ends {
        bytes.extend_from_slice(b"0\r\n\r\n");
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::Head;

    /// The length of the body of a whole answer.
    fn body_bytes(answer: &[u8]) -> u64 {
        let head = Head::read(answer).unwrap();
        let mut body = head.body().unwrap();
        body.take(&answer[head.len()..]).unwrap();
        assert!(body.is_whole());
        body.seen()
    }

    #[test]
    fn the_answers_have_the_sizes_the_page_names() {
        let answers = Answers::new();
        assert!((950..1_100).contains(&body_bytes(&answers.small)));
        assert!((1_000..1_200).contains(&body_bytes(&answers.events)));
        assert!((85_000..95_000).contains(&body_bytes(&answers.list)), "{}", body_bytes(&answers.list));
        assert!((1_048_576..1_050_000).contains(&body_bytes(&answers.large)));
    }

    #[test]
    fn a_gateway_that_asks_is_answered_under_its_own_id() {
        let answer = String::from_utf8(rare(b"server/discover", br#"{"id":"probe"}"#)).unwrap();
        assert!(answer.contains(r#""id":"probe""#) && answer.contains("2026-07-28"));
        assert!(rare(b"x/y", br#"{"id":7}"#).starts_with(b"HTTP/1.1 404"));
        assert!(rare(b"notifications/x", b"{}").starts_with(b"HTTP/1.1 202"));
    }
}
