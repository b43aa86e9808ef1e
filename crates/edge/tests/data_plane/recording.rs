//! The recording upstream: an MCP server on loopback that keeps every byte it is sent, per connection and before it
//! understands any of it, and answers by a script.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    task::JoinHandle,
};

/// A request as the upstream understood it.
#[derive(Clone, Debug)]
pub struct Request {
    pub verb: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What the upstream answers.
pub enum Answer {
    /// At once and whole.
    Whole { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// A stream of events: what the test sends, until it drops the sender.
    Stream(mpsc::UnboundedReceiver<Vec<u8>>),
    /// Nothing, ever.
    Never,
}

type Script = dyn Fn(&Request) -> Answer + Send + Sync;

/// The running upstream.
pub struct Upstream {
    pub address: SocketAddr,
    seen: Arc<Seen>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    bytes: Mutex<Vec<u8>>,
    requests: Mutex<Vec<Request>>,
    closed: AtomicUsize,
    changed: Notify,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

impl Answer {
    /// A JSON body under 200.
    pub fn json(body: &Value) -> Self {
        Self::status(200, body)
    }

    pub fn status(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".into())];
        Self::Whole { status, headers, body: body.to_string().into_bytes() }
    }

    pub fn empty(status: u16) -> Self {
        Self::Whole { status, headers: Vec::new(), body: Vec::new() }
    }
}

impl Upstream {
    pub async fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::new(Seen::default());
        let script: Arc<Script> = Arc::new(script);
        let kept = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let (seen, script) = (Arc::clone(&kept), Arc::clone(&script));
                tokio::spawn(async move {
                    serve(tcp, &seen, &*script).await;
                    seen.closed.fetch_add(1, Ordering::SeqCst);
                    seen.changed.notify_waiters();
                });
            }
        });
        Self { address, seen, task }
    }

    /// Everything it was sent, of all connections.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen.bytes.lock().expect("no test panics in it").clone()
    }

    /// Whether `text` was among it.
    pub fn saw(&self, text: &str) -> bool {
        self.bytes().windows(text.len()).any(|window| window == text.as_bytes())
    }

    pub fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().expect("no test panics in it").clone()
    }

    /// Waits until it understood `count` requests.
    pub async fn has_seen(&self, count: usize) {
        self.wait(|| self.requests().len() >= count).await;
    }

    /// Waits until `count` of its connections have ended.
    pub async fn has_lost(&self, count: usize) {
        self.wait(|| self.seen.closed.load(Ordering::SeqCst) >= count).await;
    }

    async fn wait(&self, done: impl Fn() -> bool) {
        loop {
            let changed = self.seen.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if done() {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut tcp: TcpStream, seen: &Seen, script: &Script) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut tcp, &mut buffer, seen).await {
        let answer = script(&request);
        seen.requests.lock().expect("no test panics in it").push(request);
        seen.changed.notify_waiters();
        if write_answer(&mut tcp, answer, seen).await.is_none() {
            return;
        }
    }
}

/// Reads on, keeping every byte. `None` at the end of the connection.
async fn read_more(tcp: &mut TcpStream, buffer: &mut Vec<u8>, seen: &Seen) -> Option<()> {
    let before = buffer.len();
    tcp.read_buf(buffer).await.ok().filter(|count| *count > 0)?;
    seen.bytes.lock().expect("no test panics in it").extend_from_slice(&buffer[before..]);
    seen.changed.notify_waiters();
    Some(())
}

async fn read_request(tcp: &mut TcpStream, buffer: &mut Vec<u8>, seen: &Seen) -> Option<Request> {
    let end = loop {
        match buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(end) => break end,
            None => read_more(tcp, buffer, seen).await?,
        }
    };
    let head = String::from_utf8(buffer[..end].to_vec()).expect("the gateway sends ASCII heads");
    let mut lines = head.split("\r\n");
    let verb = lines.next()?.split(' ').next()?.to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    buffer.drain(..end + 4);
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().expect("the gateway frames by length"));
    while buffer.len() < length {
        read_more(tcp, buffer, seen).await?;
    }
    let body = buffer.drain(..length).collect();
    Some(Request { verb, headers, body })
}

async fn write_answer(tcp: &mut TcpStream, answer: Answer, seen: &Seen) -> Option<()> {
    match answer {
        Answer::Whole { status, headers, body } => {
            let mut bytes = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len()).into_bytes();
            for (name, value) in headers {
                bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
            }
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(&body);
            tcp.write_all(&bytes).await.ok()
        }
        Answer::Stream(mut pieces) => {
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
            tcp.write_all(head.as_bytes()).await.ok()?;
            let mut ignored = Vec::new();
            loop {
                tokio::select! {
                    piece = pieces.recv() => match piece {
                        Some(piece) => {
                            let size = format!("{:x}\r\n", piece.len());
                            let chunk = [size.as_bytes(), &piece, b"\r\n"].concat();
                            tcp.write_all(&chunk).await.ok()?;
                        }
                        None => return tcp.write_all(b"0\r\n\r\n").await.ok(),
                    },
                    more = read_more(tcp, &mut ignored, seen) => more?,
                }
            }
        }
        Answer::Never => {
            let mut ignored = Vec::new();
            loop {
                read_more(tcp, &mut ignored, seen).await?;
            }
        }
    }
}

/// The upstream's own id of the session that [`server`] opens.
pub const UPSTREAM_SESSION: &str = "upstream-session-7f3a";

/// An MCP server of every era: three tools, two prompts, two resources, one template.
pub fn server(request: &Request) -> Answer {
    let body = request.json();
    if let Some(batch) = body.as_array() {
        let answers: Vec<_> =
            batch.iter().filter(|message| message.get("id").is_some()).map(result_of).collect();
        return Answer::json(&Value::Array(answers));
    }
    if request.verb == "DELETE" || body.get("id").is_none() || body.get("method").is_none() {
        return Answer::empty(if request.verb == "GET" { 405 } else { 202 });
    }
    let mut answer = Answer::json(&result_of(&body));
    if let (Answer::Whole { headers, .. }, Some("initialize")) = (&mut answer, body["method"].as_str()) {
        headers.push(("mcp-session-id", UPSTREAM_SESSION.into()));
        headers.push(("set-cookie", "upstream=secret".into()));
        headers.push(("x-upstream-internal", "10.0.0.7".into()));
    }
    answer
}

fn result_of(message: &Value) -> Value {
    let named = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
    let result = match message["method"].as_str().unwrap_or_default() {
        "initialize" => {
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "recorder", "version": "1"}})
        }
        "server/discover" => {
            json!({"supportedVersions": ["2026-07-28"], "capabilities": {}, "cacheScope": "public", "ttlMs": 1})
        }
        "tools/list" => {
            json!({"tools": named(&["read_file", "list_files", "delete_file"]), "nextCursor": "page-2"})
        }
        "prompts/list" => json!({"prompts": named(&["review", "admin_reset"])}),
        "resources/list" => {
            json!({"resources": [{"uri": "file:///docs/a", "name": "a"}, {"uri": "file:///etc/shadow", "name": "s"}]})
        }
        "resources/templates/list" => {
            json!({"resourceTemplates": [{"uriTemplate": "file:///docs/{name}", "name": "d"}, {"uriTemplate": "file:///etc/{name}", "name": "e"}]})
        }
        "tools/call" => {
            json!({"content": [{"type": "text", "text": format!("done {}", message["params"]["name"])}], "echo": message["params"]["arguments"]})
        }
        method => json!({"method": method}),
    };
    json!({"jsonrpc": "2.0", "id": message["id"], "result": result})
}
