//! The listener: sockets in, hyper on top, everything bounded, and an orderly end.
//!
//! ```text
//!  accept ─► ClientSocket ─► TLS, if configured ─► StrictHttp ─► hyper (HTTP/1.1 or HTTP/2) ─► Edge::respond
//! ```
//!
//! What must stay true: a connection is counted from its accept to its end; no wait of it is without a bound; and once
//! the shutdown is asked for, every call was finished or cut when [`Edge::serve`] returns.

use std::{
    convert::Infallible,
    future::pending,
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use authority::enforcement::CutReason;
use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    config::Config,
    places::{PeerPlace, PeerPlaces},
    service::{Connected, Edge},
    socket::ClientSocket,
    strict_http::StrictHttp,
};

/// How long a TLS handshake may take: two round trips of a slow mobile network, many times over.
const TLS_TIMEOUT: Duration = Duration::from_secs(10);

/// After how long accepting is tried again when the process has no descriptors left.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// How long a connection may go on without a request that carries a grant. In HTTP/1.1 the first refusal closes it; this
/// is for HTTP/2, whose pings keep it open. 60 s: connections that clients open before they need them wait less.
const UNKNOWN_TIMEOUT: Duration = Duration::from_secs(60);

/// How long connections may take to end after their calls were cut, before they are dropped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Under which code a connection is counted that was closed because its peer has too many.
const PEER_BUSY: &str = "peer_busy";

/// hyper's buffer of one HTTP/1.1 connection, which also bounds a head. It grows only as needed.
const HTTP1_BUFFER_BYTES: usize = 64 * 1024;

/// Requests at once on one HTTP/2 connection: an agent's tools in parallel, and its streams.
const HTTP2_STREAMS: u32 = 128;

/// Bytes of one head in HTTP/2, as in HTTP/1.1 (CONTINUATION floods, RUSTSEC-2024-0332).
const HTTP2_HEADER_LIST_BYTES: u32 = 32 * 1024;

/// Streams that a peer may reset before we have looked at them (rapid reset, CVE-2023-44487).
const HTTP2_PENDING_RESETS: usize = 20;

/// Streams that a peer may make us reset (MadeYouReset, CVE-2025-8671).
const HTTP2_LOCAL_RESETS: usize = 1_024;

/// Bytes that one HTTP/2 stream may send before it is read; a body of 4 MiB comes in 64 steps.
const HTTP2_STREAM_WINDOW: u32 = 64 * 1024;

/// Bytes that all streams of one HTTP/2 connection may send before they are read.
const HTTP2_CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Bytes of answers that one HTTP/2 stream may have waiting.
const HTTP2_SEND_BUFFER_BYTES: usize = 64 * 1024;

/// How often an HTTP/2 peer is asked whether it is still there, and how long it may take to say so.
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);

/// What each connection of one listener shares.
struct Shared {
    edge: Arc<Edge>,
    tls: Option<TlsAcceptor>,
    http: Builder<TokioExecutor>,
    on_loopback: bool,
}

impl Edge {
    /// Serves the data plane on `listener` until `shutdown`, then lets calls finish for as long as the configuration
    /// allows, cuts the rest, and returns.
    ///
    /// # Errors
    /// The listener has no local address, so it is not bound.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> io::Result<()> {
        let shared = Arc::new(Shared {
            on_loopback: listener.local_addr()?.ip().is_loopback(),
            tls: tls.map(TlsAcceptor::from),
            http: http(&self.config),
            edge: Arc::clone(&self),
        });
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let limit = usize::try_from(self.config.max_connections.get()).unwrap_or(usize::MAX);
        let places = Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        let peers = PeerPlaces::new(self.config.max_connections_per_peer);
        tokio::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = accept(&listener, &places) => accepted,
            };
            let (permit, tcp, peer) = accepted;
            if let Some(place) = self.place_of(&peers, peer.ip()) {
                let held = (permit, place);
                connections.spawn(connection(Arc::clone(&shared), held, tcp, peer, graceful.watcher()));
            }
            while connections.try_join_next().is_some() {}
        }
        drop(listener);
        self.drain(graceful, connections).await;
        Ok(())
    }

    /// The place of a connection from `peer` among those of its address; a trusted proxy needs none. `None` if all are
    /// taken: the connection is closed at once, because waiting would be for the other peers to do.
    fn place_of(&self, peers: &Arc<PeerPlaces>, peer: IpAddr) -> Option<Option<PeerPlace>> {
        if self.config.trusts(peer) {
            return Some(None);
        }
        let place = peers.take(peer);
        if place.is_none() {
            tracing::debug!(%peer, "a connection was closed because its peer has too many");
            self.wal.refused(PEER_BUSY, &peer.to_string());
        }
        place.map(Some)
    }

    /// Ends what is left: first in order, then by cutting, which also reaches calls that run on without a client.
    async fn drain(&self, graceful: GracefulShutdown, mut connections: JoinSet<()>) {
        if timeout(self.config.drain, graceful.shutdown()).await.is_err() {
            tracing::info!("not all calls finished in time; they are cut because the node shuts down");
        }
        self.gate.close(CutReason::Draining);
        let ended = async {
            self.all_calls_ended().await;
            while connections.join_next().await.is_some() {}
        };
        if timeout(CLOSE_TIMEOUT, ended).await.is_err() {
            tracing::info!("connections were dropped because their clients did not close them");
        }
    }
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (OwnedSemaphorePermit, TcpStream, SocketAddr) {
    let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => return (place, tcp, peer),
            Err(error) => {
                // A peer that has gone again, or no descriptor left. Both pass, and a listener must outlast them.
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// One connection from its accept to its end.
async fn connection(
    shared: Arc<Shared>,
    held: (OwnedSemaphorePermit, Option<PeerPlace>),
    tcp: TcpStream,
    peer: SocketAddr,
    watcher: Watcher,
) {
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%error, %peer, "the connection ended before it began");
        return;
    }
    let socket = ClientSocket::new(tcp, shared.edge.config.stall_timeout);
    let connected = Connected {
        peer: peer.ip(),
        on_loopback: shared.on_loopback,
        reset: socket.reset(),
        known: Arc::default(),
    };
    match &shared.tls {
        None => http_connection(&shared, socket, connected, watcher).await,
        Some(tls) => match timeout(TLS_TIMEOUT, tls.accept(socket)).await {
            Ok(Ok(stream)) => http_connection(&shared, stream, connected, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, %peer, "a TLS handshake failed"),
            Err(_elapsed) => tracing::debug!(%peer, "a TLS handshake took too long"),
        },
    }
    drop(held);
}

async fn http_connection<S>(shared: &Arc<Shared>, stream: S, connected: Connected, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = connected.peer;
    let io = TokioIo::new(StrictHttp::new(stream, shared.edge.config.head_timeout));
    let (edge, known) = (Arc::clone(&shared.edge), Arc::clone(&connected.known));
    let service = service_fn(move |request: Request<Incoming>| {
        let (edge, connected) = (Arc::clone(&edge), connected.clone());
        async move { Ok::<_, Infallible>(edge.respond(&connected, request).await) }
    });
    let served = watcher.watch(shared.http.serve_connection(io, service).into_owned());
    tokio::select! {
        served = served => if let Err(error) = served {
            tracing::debug!(%error, %peer, "a connection ended early");
        },
        () = stays_unknown(&known) => tracing::debug!(%peer, "a connection ended that nobody authenticated on"),
    }
}

/// Waits until a connection has had its time and nobody has authenticated on it; for ever if somebody has.
async fn stays_unknown(known: &AtomicBool) {
    sleep(UNKNOWN_TIMEOUT).await;
    if known.load(Ordering::SeqCst) {
        pending::<()>().await;
    }
}

/// hyper, with every bound it has.
fn http(config: &Config) -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .half_close(false)
        .header_read_timeout(config.idle_timeout)
        .max_buf_size(HTTP1_BUFFER_BYTES);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(HTTP2_HEADER_LIST_BYTES)
        .max_pending_accept_reset_streams(HTTP2_PENDING_RESETS)
        .max_local_error_reset_streams(HTTP2_LOCAL_RESETS)
        .initial_stream_window_size(HTTP2_STREAM_WINDOW)
        .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
        .max_send_buf_size(HTTP2_SEND_BUFFER_BYTES)
        .keep_alive_interval(HTTP2_PING_INTERVAL)
        .keep_alive_timeout(HTTP2_PING_TIMEOUT);
    http
}
