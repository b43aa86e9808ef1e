//! The recording upstream: an MCP server on loopback that keeps every byte it was sent, with the boot time at which the
//! first byte of each request arrived, and answers what the proof tells it to.
//!
//! It reads HTTP/1.1 by itself, over a plain socket, so that nothing a library normalises is lost from the record. It
//! shares the machine's boot clock with the gateway, so that times can be compared without an error.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result};
use seams::{Clock, SystemClock};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The largest request that is kept.
const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Boot time of its first byte, in nanoseconds.
    pub first_byte_nanos: u64,
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What to answer: pieces that are written one by one, each flushed.
pub type Answer = Vec<Vec<u8>>;

type Script = dyn Fn(&Request) -> Answer + Send + Sync;

/// The running server. Dropping it ends it.
pub struct RecordingUpstream {
    /// Where it listens.
    pub address: SocketAddr,
    kept: Arc<Kept>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    requests: Mutex<Vec<Request>>,
    bytes: Mutex<Vec<u8>>,
}

impl RecordingUpstream {
    /// Starts one that answers by `script`.
    pub async fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Result<Self> {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.context("no loopback port for the recording upstream")?;
        let address = listener.local_addr()?;
        let (kept, script) = (Arc::new(Kept::default()), Arc::new(script) as Arc<Script>);
        let task = tokio::spawn(accept(listener, Arc::clone(&kept), script));
        Ok(Self { address, kept, task })
    }

    /// The URL to register.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.kept.requests).clone()
    }

    /// Every byte so far, of whole requests and of broken ones.
    pub fn bytes(&self) -> Vec<u8> {
        lock(&self.kept.bytes).clone()
    }
}

impl Drop for RecordingUpstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Request {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A whole JSON answer.
pub fn json_answer(body: &Value, headers: &str) -> Answer {
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    vec![(head + &body).into_bytes()]
}

/// A JSON answer in chunks, cut where the proof wants it.
pub fn chunked_answer(content_type: &str, pieces: &[&[u8]]) -> Answer {
    let head =
        format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = |piece: &&[u8]| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
    let mut answer = vec![head.into_bytes()];
    answer.extend(pieces.iter().filter(|piece| !piece.is_empty()).map(chunk));
    answer.push(b"0\r\n\r\n".to_vec());
    answer
}

/// The answer to a notification.
pub fn accepted() -> Answer {
    vec![b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec()]
}

async fn accept(listener: TcpListener, kept: Arc<Kept>, script: Arc<Script>) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                tokio::spawn(serve(socket, Arc::clone(&kept), Arc::clone(&script)));
            }
            Err(error) => eprintln!("the recording upstream could not accept: {error}"),
        }
    }
}

/// Serves one connection until the gateway ends it; a broken request ends it too, after it was kept.
async fn serve(mut socket: TcpStream, kept: Arc<Kept>, script: Arc<Script>) -> Option<()> {
    let mut waiting = Vec::new();
    loop {
        let request = read_request(&mut socket, &mut waiting, &kept).await?;
        lock(&kept.requests).push(request.clone());
        for piece in script(&request) {
            socket.write_all(&piece).await.ok()?;
            socket.flush().await.ok()?;
        }
    }
}

async fn read_request(socket: &mut TcpStream, waiting: &mut Vec<u8>, kept: &Kept) -> Option<Request> {
    let mut first_byte_nanos = SystemClock.boot_nanos();
    let mut piece = vec![0; 64 * 1024];
    loop {
        if let Some(request) = take_request(waiting, first_byte_nanos) {
            return Some(request);
        }
        let begins = waiting.is_empty();
        let count = socket.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        if begins {
            first_byte_nanos = SystemClock.boot_nanos();
        }
        lock(&kept.bytes).extend_from_slice(&piece[..count]);
        waiting.extend_from_slice(&piece[..count]);
        if waiting.len() > MAX_REQUEST_BYTES {
            return None;
        }
    }
}

/// Takes one whole request off the front of `waiting`.
fn take_request(waiting: &mut Vec<u8>, first_byte_nanos: u64) -> Option<Request> {
    let end = waiting.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&waiting[..end]).into_owned();
    let length = header(&head, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    if waiting.len() < end + length {
        return None;
    }
    let body = waiting[end..end + length].to_vec();
    waiting.drain(..end + length);
    Some(Request { first_byte_nanos, head, body })
}

/// One header of a head, by its lower-case name.
pub fn header<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A panic under the lock leaves the list whole, so a poisoned lock is taken all the same.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
