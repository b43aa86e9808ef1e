//! The upper floor: a plain HTTP/1.1 forwarder on the library the gateway uses, with pooled upstream connections.
//!
//! It reads and writes HTTP and does nothing else: no token, no JSON, no record. What the gateway costs above it is what
//! the gateway does. A connection goes back to the pool when the last byte of its answer has been passed on.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{self, Poll},
};

use anyhow::{Context, Result};
use hyper::{
    Request, Response,
    body::{Body, Bytes, Frame, Incoming, SizeHint},
    client::conn::http1::SendRequest,
    header::CONNECTION,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// Idle connections kept; more than the load has connections.
const MAX_IDLE: usize = 64;

/// The idle connections to the upstream, the last used first.
struct Pool {
    upstream: SocketAddr,
    idle: Mutex<Vec<SendRequest<Incoming>>>,
}

/// An answer on its way, with the connection it comes from.
struct Passing {
    body: Incoming,
    from: Option<SendRequest<Incoming>>,
    pool: Arc<Pool>,
}

/// Listens on loopback, prints the address, and forwards until it is killed.
pub async fn serve(upstream: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?);
    let pool = Arc::new(Pool { upstream, idle: Mutex::default() });
    loop {
        let (client, _) = listener.accept().await.context("the forwarder cannot accept")?;
        client.set_nodelay(true)?;
        let pool = Arc::clone(&pool);
        tokio::spawn(async move {
            let service = service_fn(move |request| forward(Arc::clone(&pool), request));
            let http = hyper::server::conn::http1::Builder::new();
            if let Err(error) = http.serve_connection(TokioIo::new(client), service).await {
                eprintln!("forwarder: {error}");
            }
        });
    }
}

async fn forward(pool: Arc<Pool>, mut request: Request<Incoming>) -> Result<Response<Passing>> {
    let mut connection = pool.take().await?;
    // It speaks for the hop it came over (RFC 9110, section 7.6.1).
    request.headers_mut().remove(CONNECTION);
    let answer = connection.send_request(request).await.context("the upstream did not answer")?;
    Ok(answer.map(|body| Passing { body, from: Some(connection), pool }))
}

impl Pool {
    async fn take(&self) -> Result<SendRequest<Incoming>> {
        while let Some(mut connection) = self.pop() {
            if connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
        let socket = TcpStream::connect(self.upstream).await.context("cannot reach the upstream")?;
        socket.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("forwarder: {error}");
            }
        });
        Ok(sender)
    }

    fn pop(&self) -> Option<SendRequest<Incoming>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put(&self, connection: SendRequest<Incoming>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let ended = match &polled {
            Poll::Ready(None) => true,
            Poll::Ready(Some(Ok(_))) => self.body.is_end_stream(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        if ended && let Some(connection) = self.from.take() {
            self.pool.put(connection);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
