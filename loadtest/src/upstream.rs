//! The fake upstream: an MCP server of revision 2026-07-28 that does nothing but answer, as fast as it can.
//!
//! Its answers are made once, at the start. It reads only as much of a request as tells them apart: the headers that
//! mirror the body, which that revision demands. It runs as a process of its own on the load's processor, so that its
//! work is never counted as the gateway's. What must stay true: it refuses a request that does not carry its secret, so
//! that no proxy looks fast by leaving out the credential.

mod answers;

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use self::answers::Answers;
use crate::http1::Head;

/// What the upstream asks for in `Authorization`. It guards nothing; it shows that the credential was attached.
pub const SECRET: &str = "loadtest-upstream-secret-8f21c7d0";

/// Where it answers.
pub const PATH: &str = "/mcp";

/// The largest request it reads: the work's are below 1 KiB.
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// What all connections share.
struct Shared {
    answers: Answers,
    /// Lets one held answer go on.
    release: Notify,
}

/// What a request asks for.
enum Wanted {
    /// Whole answers, as they go to the socket.
    Bytes(Vec<u8>),
    /// One of the answers that were made at the start.
    Ready(for<'a> fn(&'a Answers) -> &'a [u8]),
    /// A large answer whose second half waits until it is released.
    Held,
    /// That the held answer goes on.
    Release,
    /// A stream that stays open and silent.
    Stream,
}

/// Listens on loopback, prints the address, and answers until it is killed.
pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?);
    let shared = Arc::new(Shared { answers: Answers::new(), release: Notify::new() });
    loop {
        let (socket, _) = listener.accept().await.context("the upstream cannot accept")?;
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            if let Err(error) = answer_all(socket, &shared).await {
                eprintln!("upstream: {error:#}");
            }
        });
    }
}

/// Answers the requests of one connection, one after the other.
async fn answer_all(mut socket: TcpStream, shared: &Shared) -> Result<()> {
    socket.set_nodelay(true)?;
    let mut buffer = vec![0; MAX_REQUEST_BYTES];
    let mut filled = 0;
    loop {
        let Some(wanted) = read(&buffer[..filled])? else {
            if filled == buffer.len() {
                bail!("a request is larger than {MAX_REQUEST_BYTES} bytes");
            }
            // A reset is how a measured proxy may let go of a connection; nothing is lost by it.
            let Ok(more @ 1..) = socket.read(&mut buffer[filled..]).await else { return Ok(()) };
            filled += more;
            continue;
        };
        filled = 0;
        let written = match wanted {
            Wanted::Bytes(bytes) => socket.write_all(&bytes).await,
            Wanted::Ready(answer) => socket.write_all(answer(&shared.answers)).await,
            Wanted::Held => held(&mut socket, shared).await,
            Wanted::Release => {
                // A permit is kept if the held answer does not wait yet, so the order of the two does not matter.
                shared.release.notify_one();
                socket.write_all(&shared.answers.released).await
            }
            Wanted::Stream => {
                // The stream is over when the other side says so; until then it holds no buffer.
                drop(std::mem::take(&mut buffer));
                return stream(socket, shared).await;
            }
        };
        if written.is_err() {
            return Ok(());
        }
    }
}

/// What the whole request in `bytes` asks for; nothing yet, if it is not whole.
fn read(bytes: &[u8]) -> Result<Option<Wanted>> {
    let Some(head) = Head::read(bytes) else { return Ok(None) };
    if !head.is_post() {
        return Ok(Some(Wanted::Bytes(answers::status("405 Method Not Allowed"))));
    }
    let length = head.content_length().context("a request without Content-Length")?;
    let body = &bytes[head.len()..];
    if (body.len() as u64) < length {
        return Ok(None);
    }
    let secret = head.header("authorization").and_then(|value| value.strip_prefix(b"Bearer "));
    if secret != Some(SECRET.as_bytes()) {
        return Ok(Some(Wanted::Bytes(answers::status("401 Unauthorized"))));
    }
    Ok(Some(wanted(&head, body)))
}

fn wanted(head: &Head<'_>, body: &[u8]) -> Wanted {
    let name = |name| head.header(name).unwrap_or_default();
    match (name("mcp-method"), name("mcp-name")) {
        (b"tools/call", b"small") => Wanted::Ready(|answers| &answers.small),
        (b"tools/call", b"events") => Wanted::Ready(|answers| &answers.events),
        (b"tools/call", b"large") => Wanted::Ready(|answers| &answers.large),
        (b"tools/call", b"held") => Wanted::Held,
        (b"tools/call", b"release") => Wanted::Release,
        (b"tools/list", _) => Wanted::Ready(|answers| &answers.list),
        (b"subscriptions/listen", _) => Wanted::Stream,
        (method, _) => Wanted::Bytes(answers::rare(method, body)),
    }
}

/// Sends half of a large answer, and the rest once somebody who saw the first of it says so.
async fn held(socket: &mut TcpStream, shared: &Shared) -> std::io::Result<()> {
    let (first, rest) = shared.answers.large.split_at(shared.answers.large.len() / 2);
    socket.write_all(first).await?;
    shared.release.notified().await;
    socket.write_all(rest).await
}

async fn stream(mut socket: TcpStream, shared: &Shared) -> Result<()> {
    socket.write_all(&shared.answers.stream).await?;
    let mut byte = [0];
    // The end and a reset both end the stream, and neither is an error of the upstream.
    while let Ok(1..) = socket.read(&mut byte).await {}
    Ok(())
}
