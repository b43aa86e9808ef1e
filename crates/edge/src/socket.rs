//! The client's socket: ends a connection whose peer takes nothing, and resets one whose call was cut.
//!
//! A cut has to reach the client too, also one that reads slowly: what is queued for it belongs to a call that is no
//! longer allowed. An HTTP/1.1 connection carries one call at a time, so it is reset as a whole and the queue dies with
//! it. An HTTP/2 connection carries others, so there hyper resets the one stream and this file does nothing.
//!
//! What must stay true: whoever waits in a read or a write of this socket is woken by [`Reset::order`].

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

/// A client's connection, below TLS.
pub(crate) struct ClientSocket {
    tcp: TcpStream,
    reset: Arc<Reset>,
    stall_timeout: Duration,
    /// Runs while the peer takes nothing of what is to be written.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// The order to reset a connection, shared between the socket and the calls it carries.
#[derive(Debug, Default)]
pub(crate) struct Reset {
    ordered: AtomicBool,
    /// The task that drives the connection; there is one.
    waker: Mutex<Option<Waker>>,
}

impl Reset {
    /// Ends the connection with a reset.
    pub(crate) fn order(&self) {
        self.ordered.store(true, Ordering::SeqCst);
        if let Some(waker) = self.waker.lock().take() {
            waker.wake();
        }
    }

    fn is_ordered(&self) -> bool {
        self.ordered.load(Ordering::SeqCst)
    }

    /// Waits for the order; answers whether it was given already.
    fn poll_ordered(&self, cx: &Context<'_>) -> bool {
        let mut waker = self.waker.lock();
        if !waker.as_ref().is_some_and(|kept| kept.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        self.is_ordered()
    }
}

impl ClientSocket {
    pub(crate) fn new(tcp: TcpStream, stall_timeout: Duration) -> Self {
        Self { tcp, reset: Arc::default(), stall_timeout, stalled: None }
    }

    /// The order by which a call ends this connection.
    pub(crate) fn reset(&self) -> Arc<Reset> {
        Arc::clone(&self.reset)
    }

    /// What a write came to, watching for the order and for a peer that takes nothing.
    fn watch(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let timeout = self.stall_timeout;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(timeout)));
        if self.reset.poll_ordered(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if stalled.as_mut().poll(cx).is_ready() {
            // The peer's window is closed, so an orderly end would wait for it once more.
            self.reset.order();
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl AsyncRead for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if read.is_pending() && self.reset.poll_ordered(cx) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        read
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.reset.is_ordered() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let written = Pin::new(&mut self.tcp).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.reset.is_ordered() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let written = Pin::new(&mut self.tcp).poll_write_vectored(cx, slices);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl Drop for ClientSocket {
    fn drop(&mut self) {
        if self.reset.is_ordered()
            && let Err(error) = self.tcp.set_zero_linger()
        {
            // The peer has closed already, and then there is no queue to lose.
            tracing::debug!(%error, "a client's connection could not be reset");
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    async fn connected(stall_timeout: Duration) -> (TcpStream, ClientSocket) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let client = TcpStream::connect(address).await.expect("it listens");
        let (server, _) = listener.accept().await.expect("the client connects");
        (client, ClientSocket::new(server, stall_timeout))
    }

    #[tokio::test]
    async fn an_ordered_reset_ends_a_blocked_write_and_the_peer_sees_a_reset() {
        let (mut client, mut server) = connected(Duration::from_secs(60)).await;
        let reset = server.reset();
        let writer = tokio::spawn(async move {
            loop {
                if let Err(error) = server.write_all(&[0; 65_536]).await {
                    return error.kind();
                }
            }
        });
        client.readable().await.expect("the server writes");
        reset.order();
        assert_eq!(writer.await.expect("it does not panic"), io::ErrorKind::ConnectionAborted);
        let end = client.read_to_end(&mut Vec::new()).await.expect_err("the connection is reset");
        assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn an_ordered_reset_ends_a_waiting_read() {
        let (_client, mut server) = connected(Duration::from_secs(60)).await;
        let reset = server.reset();
        let reader = tokio::spawn(async move { server.read_u8().await.map_err(|error| error.kind()) });
        reset.order();
        assert_eq!(reader.await.expect("it does not panic"), Err(io::ErrorKind::ConnectionAborted));
    }

    #[tokio::test]
    async fn d02_a_client_that_takes_nothing_is_let_go() {
        let (_client, mut server) = connected(Duration::from_millis(20)).await;
        let error = loop {
            if let Err(error) = server.write_all(&[0; 65_536]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
