//! `/livez` and `/readyz`, on a listener of their own that says nothing else: no names, no figures, no actions.

use std::{convert::Infallible, sync::Arc};

use anyhow::Result;
use authority::{enforcement::Gate, time::Boot};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use seams::SharedClock;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use wal::Wal;

/// The most probes served at once; further ones wait in the listener's backlog.
const MAX_PROBES: usize = 32;

/// What readiness depends on.
pub struct Probed {
    /// The lease and the view.
    pub gate: Arc<Gate>,
    /// The record.
    pub wal: Wal,
    /// The clock the lease runs on.
    pub clock: SharedClock,
    /// Whether the node takes no more calls.
    pub stopping: CancellationToken,
}

impl Probed {
    /// Whether calls can be decided and recorded now; if not, what is missing.
    fn readiness(&self) -> Result<(), &'static str> {
        if self.stopping.is_cancelled() {
            return Err("stopping");
        }
        if self.gate.view().is_none() {
            return Err("no view yet");
        }
        if !self.gate.lease().covers(Boot(self.clock.boot_nanos())) {
            return Err("no lease");
        }
        if !self.wal.is_writable() {
            return Err("the write-ahead log takes no records");
        }
        Ok(())
    }
}

/// Serves probes until `stop`.
pub async fn serve(listener: TcpListener, probed: Arc<Probed>, stop: CancellationToken) -> Result<()> {
    let places = Arc::new(Semaphore::new(MAX_PROBES));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
        let accepted = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let socket = match accepted {
            Ok((socket, _)) => socket,
            Err(error) => {
                tracing::warn!(%error, "could not accept a probe");
                continue;
            }
        };
        let probed = Arc::clone(&probed);
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request| {
                let answer = answer(&probed, &request);
                async move { Ok::<_, Infallible>(answer) }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            let http = http.timer(TokioTimer::new()).keep_alive(false);
            if let Err(error) = http.serve_connection(TokioIo::new(socket), service).await {
                tracing::debug!(%error, "a probe broke off");
            }
        });
    }
}

fn answer(probed: &Probed, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let (status, text) = match request.uri().path() {
        "/livez" => (StatusCode::OK, "ok\n".to_owned()),
        "/readyz" => match probed.readiness() {
            Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
            Err(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {missing}\n")),
        },
        _ => (StatusCode::NOT_FOUND, "try /livez or /readyz\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
}
