//! The listener of the admin API: TLS in our own acceptor, so that certificates can be swapped while it runs, and every
//! bound of a connection in one place.

use std::{
    future::pending,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Server, server::Connected};

use crate::{guard::Peer, parts::Parts, services::services};

/// The most connections at once, handshakes included: operators and their tools, not agents. Further ones wait in the
/// listener's backlog.
const MAX_CONNECTIONS: usize = 256;

/// The most requests at once on one connection, streams included.
const MAX_REQUESTS_PER_CONNECTION: u32 = 64;

/// How long a TLS handshake may take; a slow or silent peer must not hold a place.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long one request may take until its answer begins. A narrowing answer waits for at most about two leases and a
/// leader change, far below this.
const REQUEST: Duration = Duration::from_secs(30);

/// How often a silent connection is asked whether it is still there, and how long it has to say so.
const KEEPALIVE: Duration = Duration::from_secs(60);
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(20);

/// The largest set of headers of one request, in bytes. A token has 54.
const MAX_HEADER_BYTES: u32 = 16 * 1024;

/// How long requests under way may go on once the listener stops.
const DRAIN: Duration = Duration::from_secs(10);

/// How long the acceptor rests after it could not accept, as when the process is out of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How many accepted connections may wait to be served: none needs to, they are picked up at once.
const ACCEPTED_AHEAD: usize = 16;

/// The admin API could not be served.
#[derive(Debug, thiserror::Error)]
#[error("the admin API could not be served")]
pub struct ServeFailed {
    #[source]
    source: tonic::transport::Error,
}

/// Serves the admin API on `listener` until `stop`; then open streams are ended and requests under way get ten seconds.
///
/// # Errors
/// [`ServeFailed`] if the server itself breaks; a broken connection is only logged.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    parts: Parts,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), ServeFailed> {
    let (tell, stopping) = watch::channel(false);
    let (accepted, connections) = mpsc::channel(ACCEPTED_AHEAD);
    let stopped = async {
        stop.await;
        tell.send_replace(true);
    };
    let mut drained = stopping.clone();
    let serving = Server::builder()
        .timeout(REQUEST)
        .concurrency_limit_per_connection(MAX_REQUESTS_PER_CONNECTION as usize)
        .max_concurrent_streams(MAX_REQUESTS_PER_CONNECTION)
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
        .serve_with_incoming_shutdown(services(parts, stopping), ReceiverStream::new(connections), stopped);
    let out_of_patience = async {
        let told = drained.wait_for(|stopping| *stopping).await;
        told.expect("the sender lives as long as the server");
        sleep(DRAIN).await;
    };
    let accepting = async {
        accept(listener, TlsAcceptor::from(tls), accepted).await;
        pending::<()>().await;
    };
    tokio::select! {
        () = accepting => Ok(()),
        served = serving => served.map_err(|source| ServeFailed { source }),
        () = out_of_patience => {
            tracing::warn!("admin requests still under way were cut off");
            Ok(())
        }
    }
}

/// Accepts connections until nobody wants them any more. Each handshake runs beside the others, in the place its
/// connection will keep.
async fn accept(listener: TcpListener, tls: TlsAcceptor, accepted: mpsc::Sender<io::Result<Connection>>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
        let next = tokio::select! {
            () = accepted.closed() => return,
            next = listener.accept() => next,
        };
        let (socket, peer) = match next {
            Ok((socket, peer)) => (socket, Peer(peer)),
            Err(error) => {
                tracing::warn!(%error, "an admin connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (tls, accepted) = (tls.clone(), accepted.clone());
        tokio::spawn(async move {
            match handshake(socket, tls).await {
                // Nobody takes connections any more when the server is stopping; then this one just closes.
                Ok(tls) => drop(accepted.send(Ok(Connection { tls, peer, _place: place })).await),
                Err(error) => tracing::debug!(peer = %peer.0, %error, "a TLS handshake failed"),
            }
        });
    }
}

async fn handshake(socket: TcpStream, tls: TlsAcceptor) -> io::Result<TlsStream<TcpStream>> {
    // Answers are small and their reader waits for each.
    socket.set_nodelay(true)?;
    timeout(HANDSHAKE, tls.accept(socket)).await?
}

/// A connection and the place it holds.
struct Connection {
    tls: TlsStream<TcpStream>,
    peer: Peer,
    _place: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        pin!(&mut self.tls).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        pin!(&mut self.tls).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        pin!(&mut self.tls).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.tls).poll_shutdown(context)
    }
}
