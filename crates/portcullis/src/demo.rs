//! The demo server: a small MCP server behind `portcullis dev`, so that a newcomer has something real to call.
//!
//! It speaks both eras, demands a secret that only the gateway holds, reports progress and asks the client back. It is
//! not part of the gateway: it runs on a loopback port of its own, and the gateway treats it like any upstream.

mod answer;
mod legacy;
mod modern;
mod tools;

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use keyring::Secret;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::answer::{Body, empty, json_error};

/// The tool that the grant of `dev` leaves out, so that there is something to be refused.
pub const HIDDEN_TOOL: &str = "delete_everything";

/// The largest request the demo reads.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;

/// The demo server's state.
pub struct Demo {
    secret: Secret,
    sessions: legacy::Sessions,
}

impl Demo {
    /// A demo that answers only requests which carry `secret` as a bearer token.
    pub fn new(secret: Secret) -> Arc<Self> {
        Arc::new(Self { secret, sessions: legacy::Sessions::default() })
    }

    /// Serves `listener` until `stop`.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: CancellationToken) {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((socket, peer)) => self.serve_one(socket, peer, &stop),
                Err(error) => tracing::warn!(%error, "the demo server could not accept a connection"),
            }
        }
    }

    fn serve_one(
        self: &Arc<Self>,
        socket: tokio::net::TcpStream,
        peer: SocketAddr,
        stop: &CancellationToken,
    ) {
        let demo = Arc::clone(self);
        let stop = stop.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let demo = Arc::clone(&demo);
                async move { Ok::<_, std::convert::Infallible>(demo.answer(request).await) }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            let connection = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(socket), service);
            let ended = tokio::select! {
                () = stop.cancelled() => return,
                ended = connection => ended,
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "a connection to the demo server broke");
            }
        });
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if !self.is_authorized(&request) {
            return json_error(
                StatusCode::UNAUTHORIZED,
                &Value::Null,
                -32_000,
                "the demo server wants its secret",
            );
        }
        if request.uri().path() != "/mcp" {
            return empty(StatusCode::NOT_FOUND);
        }
        let header =
            |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let modern = header("mcp-protocol-version").as_deref() == Some(modern::REVISION);
        let session = header("mcp-session-id");
        match (request.method().clone(), modern) {
            (Method::POST, modern) => {
                let Ok(body) = read(request).await else {
                    return json_error(StatusCode::BAD_REQUEST, &Value::Null, -32_700, "not a JSON body");
                };
                if modern { modern::post(&body) } else { self.sessions.post(session.as_deref(), &body) }
            }
            (Method::GET, false) => self.sessions.stream(session.as_deref()),
            (Method::DELETE, false) => self.sessions.end(session.as_deref()),
            _ => empty(StatusCode::METHOD_NOT_ALLOWED),
        }
    }

    fn is_authorized(&self, request: &Request<Incoming>) -> bool {
        let value = request.headers().get(http::header::AUTHORIZATION);
        let token = value.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        token.is_some_and(|token| self.secret.same_as(token))
    }
}

async fn read(request: Request<Incoming>) -> anyhow::Result<Value> {
    let limited = Limited::new(request.into_body(), MAX_REQUEST_BYTES);
    let body: Bytes = limited.collect().await.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
    Ok(serde_json::from_slice(&body)?)
}
