//! The listener of the admin API: TLS in our own acceptor, so that certificates can be swapped while it runs, and the
//! bounds of what one connection may do. How many there may be is for `places`.

use std::{future::pending, io, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::sleep,
};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;

use crate::{connection::Connection, guard::Peer, parts::Parts, places::Places, services::services};

/// The most requests at once on one connection, streams included.
const MAX_REQUESTS_PER_CONNECTION: u32 = 64;

/// How long a connection may take from its accept to its first request from an operator, the TLS handshake included.
/// Tools ask at once; a slow or silent peer must not hold a place.
const PROBATION: Duration = Duration::from_secs(10);

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
    serve_with(Places::new(PROBATION), listener, tls, parts, stop).await
}

/// Serves on connections that get one of `places`.
pub(crate) async fn serve_with(
    places: Arc<Places>,
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
        accept(places, listener, TlsAcceptor::from(tls), accepted).await;
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
async fn accept(
    places: Arc<Places>,
    listener: TcpListener,
    tls: TlsAcceptor,
    accepted: mpsc::Sender<io::Result<Connection>>,
) {
    loop {
        let next = tokio::select! {
            () = accepted.closed() => return,
            next = listener.accept() => next,
        };
        let (socket, address) = match next {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(%error, "an admin connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (place, probation) = tokio::select! {
            () = accepted.closed() => return,
            taken = places.take(address.ip()) => taken,
        };
        let (tls, accepted) = (tls.clone(), accepted.clone());
        tokio::spawn(async move {
            match Connection::open(socket, tls, Peer { address, place }, probation).await {
                // Nobody takes connections any more when the server is stopping; then this one just closes.
                Ok(connection) => drop(accepted.send(Ok(connection)).await),
                Err(error) => tracing::debug!(peer = %address, %error, "an admin connection did not open"),
            }
        });
    }
}
