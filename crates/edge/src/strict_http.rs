//! One reading of HTTP/1.1 or none: what a client sends is held against the strict grammar before hyper sees it.
//!
//! hyper reads leniently where RFC 9112 lets a server choose: it prefers `Transfer-Encoding` to a `Content-Length`
//! beside it, ends lines at a bare LF, joins folded lines and skips chunk extensions. A box in front of us that chooses
//! otherwise sees other requests in the same bytes, which is request smuggling. So this wrapper keeps the head of each
//! request back until it is whole and has exactly one reading ([`framing`]), and lets body bytes through as they come,
//! counting. What it refuses hyper never sees: hyper is handed a line that is no HTTP, answers 400 once the answers
//! before it are written, and closes. A body that breaks its framing half-way ends the connection.
//!
//! It is no parser of requests: hyper reads them again and is the only one that says what they mean. HTTP/2 has binary
//! framing and passes untouched. What must stay true: no byte behind a refused one reaches hyper.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use framing::{Fault, Framing};

pub(crate) mod framing;

/// What hyper is handed in place of a refused head: no method begins so, and it answers 400.
const NOT_HTTP: &[u8] = b"\x00refused\r\n\r\n";

/// How much is read at once while a head is incomplete. Most heads arrive whole and never come here.
const HEAD_READ_BYTES: usize = 2 * 1024;

/// A connection whose requests have one reading.
pub(crate) struct StrictHttp<S> {
    inner: S,
    framing: Framing,
    /// Bytes that were read and not handed on: those before `released` may go, the others belong to an incomplete head.
    held: Vec<u8>,
    released: usize,
    head_timeout: Duration,
    /// Runs while a head is incomplete, and from the start until the first byte. Between requests it is hyper's to say
    /// how long a connection may idle.
    head_deadline: Option<Pin<Box<Sleep>>>,
    /// Set once the first byte was read.
    begun: bool,
    /// Set once something was refused: nothing more of the peer is read.
    refused: Option<Fault>,
    /// Set once hyper was handed what stands for the refused bytes.
    answered: bool,
}

impl<S> StrictHttp<S> {
    pub(crate) fn new(inner: S, head_timeout: Duration) -> Self {
        Self {
            inner,
            framing: Framing::new(),
            held: Vec::new(),
            released: 0,
            head_timeout,
            head_deadline: None,
            begun: false,
            refused: None,
            answered: false,
        }
    }

    /// Hands on what may go, as far as it fits.
    fn release(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.released.min(buf.remaining());
        buf.put_slice(&self.held[..count]);
        self.held.drain(..count);
        self.released -= count;
    }

    /// What hyper gets in place of refused bytes, once all before them has gone on: a broken body, or a head that it
    /// answers with 400. After that, the end.
    fn refuse(&mut self, fault: Fault) -> io::Result<()> {
        self.answered = true;
        self.head_deadline = None;
        tracing::debug!(%fault, "what a client sent was refused");
        if self.framing.is_in_body() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, fault));
        }
        self.held = NOT_HTTP.to_vec();
        self.released = self.held.len();
        Ok(())
    }

    /// Judges what is held anew after more of it came.
    fn judge_held(&mut self) {
        let (released, fault) = self.framing.advance(&self.held);
        self.released = released;
        self.refused = fault.err();
    }

    /// Judges what was read straight into `buf` from `start` on, and takes back what may not go yet.
    fn judge_fresh(&mut self, buf: &mut ReadBuf<'_>, start: usize) {
        let fresh = &buf.filled()[start..];
        let (released, fault) = self.framing.advance(fresh);
        self.refused = fault.err();
        if self.refused.is_none() {
            self.held.extend_from_slice(&fresh[released..]);
        }
        buf.set_filled(start + released);
    }
}

impl<S: AsyncRead + Unpin> StrictHttp<S> {
    /// Whether a head is late; if not, the task is woken when it is.
    fn poll_head_deadline(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let timeout = self.head_timeout;
        let deadline = self.head_deadline.get_or_insert_with(|| Box::pin(sleep(timeout)));
        if deadline.as_mut().poll(cx).is_ready() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }

    /// Reads what may go on at once straight into `buf`. Answers whether the peer has ended.
    fn poll_read_fresh(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<bool>> {
        let start = buf.filled().len();
        if Pin::new(&mut self.inner).poll_read(cx, buf)?.is_pending() {
            if !self.begun {
                self.poll_head_deadline(cx)?;
            }
            return Poll::Pending;
        }
        self.begun = true;
        self.head_deadline = None;
        let ended = buf.filled().len() == start;
        self.judge_fresh(buf, start);
        Poll::Ready(Ok(ended))
    }

    /// Reads more of an incomplete head, for as long as its deadline allows.
    fn poll_read_held(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.poll_head_deadline(cx)?;
        let mut bytes = [0; HEAD_READ_BYTES];
        let mut buf = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf))?;
        self.held.extend_from_slice(buf.filled());
        Poll::Ready(Ok(buf.filled().len()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StrictHttp<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.released > 0 {
                this.release(buf);
                return Poll::Ready(Ok(()));
            }
            if let Some(fault) = this.refused {
                if this.answered {
                    return Poll::Ready(Ok(()));
                }
                this.refuse(fault)?;
                continue;
            }
            if this.held.is_empty() {
                let start = buf.filled().len();
                if ready!(this.poll_read_fresh(cx, buf))? || buf.filled().len() > start {
                    return Poll::Ready(Ok(()));
                }
            } else if ready!(this.poll_read_held(cx))? == 0 {
                // The peer left in the middle of a head: to hyper it never began.
                this.held.clear();
                return Poll::Ready(Ok(()));
            } else {
                this.judge_held();
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StrictHttp<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const GOOD: &[u8] = b"POST /mcp/a HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello";

    /// What hyper would read of `pieces`, each written when the one before was taken.
    async fn read_through(pieces: &[&[u8]]) -> io::Result<Vec<u8>> {
        let (mut client, server) = duplex(64);
        let mut strict = StrictHttp::new(server, Duration::from_secs(10));
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
        let writer = tokio::spawn(async move {
            for piece in pieces {
                // The reader stops at a refusal, and then nobody takes the rest.
                if client.write_all(&piece).await.is_err() {
                    return;
                }
            }
        });
        let mut read = Vec::new();
        let result = strict.read_to_end(&mut read).await;
        drop(strict);
        writer.await.expect("the writer does not panic");
        result.map(|_| read)
    }

    #[tokio::test]
    async fn requests_pass_unchanged_however_they_are_cut() {
        let two = [GOOD, GOOD].concat();
        assert_eq!(read_through(&[&two]).await.expect("it is well-formed"), two);
        let bytes: Vec<&[u8]> = two.chunks(1).collect();
        assert_eq!(read_through(&bytes).await.expect("it is well-formed"), two);
    }

    #[tokio::test]
    async fn c14_nothing_behind_a_refused_head_goes_on() {
        let smuggled =
            b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        let read = read_through(&[GOOD, smuggled, GOOD]).await.expect("hyper is handed its 400");
        assert_eq!(read, [GOOD, NOT_HTTP].concat());
    }

    #[tokio::test]
    async fn c14_a_body_that_breaks_its_framing_ends_the_connection() {
        let head = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
        let error =
            read_through(&[head, b"0x5\r\nhello\r\n0\r\n\r\n"]).await.expect_err("0x5 is no chunk size");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_head_that_is_never_finished_or_never_begun_times_out() {
        let (mut client, server) = duplex(64);
        let mut strict = StrictHttp::new(server, Duration::from_millis(1));
        client.write_all(b"POST / HT").await.expect("there is room");
        let error = strict.read_u8().await.expect_err("the head is late");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let (_silent, server) = duplex(64);
        let error =
            StrictHttp::new(server, Duration::from_millis(1)).read_u8().await.expect_err("nothing came");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
