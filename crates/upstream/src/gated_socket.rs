//! The socket under TLS and hyper, and the last check before each write: the place where promise R2 is kept.
//!
//! ```text
//!   hyper ─► TLS ─► poll_write ─► whose call? cut? lease at this instant? ─► write(2) ─► lease still there?
//! ```
//!
//! A write that is entered is one non-blocking system call, and a cut waits for it; a write after the cut is refused.
//! So when the cut returns, no further byte of the call leaves. What must stay true: there is no way to the stream but
//! through these methods; a socket that no call holds writes nothing, not even a farewell; and a socket that is
//! dropped while a call holds it is reset, so that what the kernel still queues dies with it.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use authority::{
    enforcement::{Cut, Gate},
    time::Boot,
};
use seams::SharedClock;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::call_slot::CallSlot;

/// A socket that writes only under the mark of the call that holds it.
pub(crate) struct GatedSocket {
    stream: TcpStream,
    slot: Arc<CallSlot>,
    gate: Arc<Gate>,
    clock: SharedClock,
}

/// A write between calls.
#[derive(Debug, thiserror::Error)]
#[error("no call holds the connection")]
struct NoCall;

impl GatedSocket {
    pub(crate) fn new(stream: TcpStream, slot: Arc<CallSlot>, gate: Arc<Gate>, clock: SharedClock) -> Self {
        Self { stream, slot, gate, clock }
    }

    fn now(&self) -> Boot {
        Boot(self.clock.boot_nanos())
    }

    /// The last check, the write, and the look back.
    fn gated(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Some(mark) = self.slot.mark() else {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::PermissionDenied, NoCall)));
        };
        // Asked first, so that a cut wakes this task also while the peer takes nothing.
        let already_cut = mark.poll_cut(cx.waker());
        let lease = self.gate.lease();
        let entered = match mark.enter_write(lease, self.now()) {
            Ok(entered) if !already_cut => entered,
            _ => {
                self.slot.note_refused();
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::PermissionDenied, Cut)));
            }
        };
        let written = write(Pin::new(&mut self.stream), cx);
        if let Poll::Ready(Ok(bytes @ 1..)) = &written {
            self.slot.note_written(*bytes);
            // The lease that was checked is the one that counts: under a later one a newer view may have decided.
            if !lease.covers(self.now()) {
                mark.note_late_effect();
            }
        }
        drop(entered);
        written
    }
}

impl AsyncWrite for GatedSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().gated(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().gated(cx, |stream, cx| stream.poll_write_vectored(cx, parts))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.slot.is_held() {
            // A call that breaks off must not look finished to the server; the drop resets.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for GatedSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.slot.poll_cut(cx.waker()) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::PermissionDenied, Cut)));
        }
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl Drop for GatedSocket {
    fn drop(&mut self) {
        if self.slot.is_held() {
            // If the option cannot be set the socket is closed all the same; only the reset is lost, and a socket
            // whose option cannot be set is one the kernel has given up already.
            let _ = self.stream.set_zero_linger();
        }
    }
}

#[cfg(test)]
mod tests;
