//! What hyper writes to: the gated socket, with TLS or without.
//!
//! Beside carrying bytes it tells the call's slot when everything hyper gave was handed to the kernel. hyper flushes
//! its own buffer whole before it asks us to flush, and TLS does the same with its records, so a flush that is ready
//! up here means that nothing is left above the socket.
//!
//! Here is also where the way to the head of an answer is bounded, because hyper swallows interim answers (1xx) and
//! waits for a begun head for ever: the bytes before the head is whole, and the time from its first byte.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};
use tokio_rustls::client::TlsStream;

use crate::{call_slot::CallSlot, gated_socket::GatedSocket, response_headers::HeadRefused};

/// Bytes of interim answers before a head: some thousand reports of progress, or a hundred early hints. The bytes that
/// one read brings beyond the head count as well, and are fewer than hyper's buffer has.
const MAX_INTERIM_BYTES: u64 = 192 * 1024;

/// A connection to a server, as hyper sees it.
pub(crate) struct Transport {
    stream: Stream,
    slot: Arc<CallSlot>,
    bounds: HeadBounds,
    /// Runs while the rest of a head is awaited.
    head_timer: Option<Pin<Box<Sleep>>>,
}

/// What bounds the way to the head of an answer.
#[derive(Clone, Copy)]
pub(crate) struct HeadBounds {
    bytes: u64,
    rest: Duration,
}

enum Stream {
    Plain(GatedSocket),
    Tls(Box<TlsStream<GatedSocket>>),
}

impl HeadBounds {
    /// So many bytes for the head itself, and so long for it once it has begun.
    pub(crate) fn new(head_bytes: usize, rest: Duration) -> Self {
        Self { bytes: head_bytes as u64 + MAX_INTERIM_BYTES, rest }
    }
}

impl Transport {
    pub(crate) fn plain(socket: GatedSocket, slot: Arc<CallSlot>, bounds: HeadBounds) -> Self {
        Self { stream: Stream::Plain(socket), slot, bounds, head_timer: None }
    }

    pub(crate) fn tls(stream: TlsStream<GatedSocket>, slot: Arc<CallSlot>, bounds: HeadBounds) -> Self {
        Self { stream: Stream::Tls(Box::new(stream)), slot, bounds, head_timer: None }
    }

    /// Whether more may be read; also wakes this task when the time of a begun head is over.
    fn judge_head(&mut self, cx: &mut Context<'_>) -> Result<(), HeadRefused> {
        if self.slot.head_bytes() > self.bounds.bytes {
            return Err(HeadRefused::TooMuchBefore);
        }
        if !self.slot.awaits_rest_of_head() {
            self.head_timer = None;
            return Ok(());
        }
        let rest = self.bounds.rest;
        let timer = self.head_timer.get_or_insert_with(|| Box::pin(sleep(rest)));
        if timer.as_mut().poll(cx).is_ready() { Err(HeadRefused::TooSlow) } else { Ok(()) }
    }
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Err(refused) = this.judge_head(cx) {
            this.slot.refuse_head(refused);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, refused)));
        }
        let before = into.filled().len();
        ready!(match &mut this.stream {
            Stream::Plain(socket) => Pin::new(socket).poll_read(cx, into),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, into),
        })?;
        this.slot.note_received(into.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.slot.note_unflushed();
        match &mut this.stream {
            Stream::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.slot.note_unflushed();
        match &mut this.stream {
            Stream::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, parts),
            Stream::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(socket) => socket.is_write_vectored(),
            Stream::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(match &mut this.stream {
            Stream::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        })?;
        this.slot.note_flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().stream {
            Stream::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
