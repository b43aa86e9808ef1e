//! One HTTP/1.1 connection: made for a call, driven by a task of its own, aborted when dropped.
//!
//! The call that makes it holds it from before the TLS handshake, so the handshake needs a permit as well. What must
//! stay true: the task ends as soon as the holding call is cut, whatever hyper waits for at that moment, and dropping
//! the connection closes the socket: with a reset while a call holds it, quietly otherwise.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use authority::{
    enforcement::{CallMark, Gate},
    server::Origin,
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::InvalidDnsNameError;
use seams::SharedClock;
use tokio::{net::TcpStream, task::AbortHandle, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{
    call_slot::CallSlot,
    config::{Bounds, Timeouts},
    dialer::{DialFailed, Dialer},
    gated_socket::GatedSocket,
    request_body::RequestBody,
    tls,
    transport::{HeadBounds, Transport},
};

/// What hyper buffers of one connection in each direction: several reads of the kernel's usual size. Bodies of
/// requests are not copied into it.
const BUFFER_BYTES: usize = 128 * 1024;

/// Makes connections for calls.
pub(crate) struct Connector {
    pub(crate) dialer: Dialer,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: SharedClock,
    pub(crate) timeouts: Timeouts,
    pub(crate) bounds: Bounds,
}

/// A connection that carries one call at a time.
pub(crate) struct Connection {
    pub(crate) sender: http1::SendRequest<RequestBody>,
    pub(crate) slot: Arc<CallSlot>,
    driver: AbortHandle,
}

/// Why there is no connection to an upstream server.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFailed {
    /// No TCP connection.
    #[error(transparent)]
    Dial(#[from] DialFailed),
    /// The host is no name that a certificate could carry.
    #[error("the host is not a name that a certificate can carry")]
    Name(#[source] InvalidDnsNameError),
    /// The TLS handshake failed; the certificate is named by the cause.
    #[error("the TLS handshake failed")]
    Tls(#[source] std::io::Error),
    /// The TLS handshake took too long.
    #[error("the TLS handshake took more than {} s", .0.as_secs())]
    TlsTimedOut(Duration),
    /// The call was cut, or its lease ended, while it connected.
    #[error("the call was cut while it connected")]
    Cut,
    /// hyper refused the connection.
    #[error("the connection could not be set up for HTTP/1.1")]
    Http(#[source] hyper::Error),
}

impl Connector {
    /// A fresh connection to `origin`, held by the call of `mark`.
    pub(crate) async fn connect(
        &self,
        origin: &Origin,
        mark: &Arc<CallMark>,
    ) -> Result<Connection, ConnectFailed> {
        let stream = self.dialer.dial(origin).await?;
        let slot = Arc::<CallSlot>::default();
        slot.begin(Arc::clone(mark));
        let transport = self.transport(origin, stream, &slot).await;
        if slot.was_refused() {
            return Err(ConnectFailed::Cut);
        }
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(BUFFER_BYTES.max(self.bounds.head_bytes))
            .max_header_size(self.bounds.head_bytes)
            .handshake(TokioIo::new(transport?))
            .await
            .map_err(ConnectFailed::Http)?;
        let driver = Driver { connection, slot: Arc::clone(&slot) };
        Ok(Connection { sender, slot, driver: tokio::spawn(driver).abort_handle() })
    }

    async fn transport(
        &self,
        origin: &Origin,
        stream: TcpStream,
        slot: &Arc<CallSlot>,
    ) -> Result<Transport, ConnectFailed> {
        let (gate, clock) = (Arc::clone(&self.gate), Arc::clone(&self.clock));
        let socket = GatedSocket::new(stream, Arc::clone(slot), gate, clock);
        let bounds = HeadBounds::new(self.bounds.head_bytes, self.timeouts.head_rest);
        if !origin.is_tls() {
            return Ok(Transport::plain(socket, Arc::clone(slot), bounds));
        }
        let name = tls::server_name(origin).map_err(ConnectFailed::Name)?;
        let limit = self.timeouts.tls;
        match timeout(limit, TlsConnector::from(Arc::clone(&self.tls)).connect(name, socket)).await {
            Ok(Ok(stream)) => Ok(Transport::tls(stream, Arc::clone(slot), bounds)),
            Ok(Err(error)) => Err(ConnectFailed::Tls(error)),
            Err(_) => Err(ConnectFailed::TlsTimedOut(limit)),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The task that reads and writes for hyper until the connection ends or its call is cut.
struct Driver {
    connection: http1::Connection<TokioIo<Transport>, RequestBody>,
    slot: Arc<CallSlot>,
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // hyper does not read while nobody takes the body, and would not learn of the cut; so it is asked here. A
        // call that begins later wakes this task with its request.
        if self.slot.poll_cut(cx.waker()) {
            return Poll::Ready(());
        }
        Pin::new(&mut self.connection).poll(cx).map(|ended| {
            if let Err(error) = ended {
                // Whoever holds the connection gets the error too, and decides what it means.
                tracing::debug!(%error, "an upstream connection ended");
            }
        })
    }
}
