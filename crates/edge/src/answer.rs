//! Building what goes back to the client: a status, a short list of headers made here, and a body.
//!
//! No header is copied from an upstream's answer; what a client may see of it is named, one by one, in
//! `exchange/pass.rs`. Errors are always JSON with its content type, because clients have been seen to break on anything
//! else. What must stay true: an answer that holds what one grant may see is never stored on the way.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;

/// Pieces of an answer that wait for the client, above which the upstream is read no further. One is enough to keep
/// both sides busy; four even out bursts of small events.
const PIECES_WAITING: usize = 4;

/// An answer to a client.
pub(crate) type Answer = Response<Body>;

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it.
    Whole(Option<Bytes>),
    /// As the call hands it on.
    Piped {
        /// The pieces.
        pieces: mpsc::Receiver<Bytes>,
        /// How far the sending end has come.
        progress: Arc<AtomicU8>,
    },
}

/// The sending end of a piped body. Dropped before [`Pipe::complete`], it aborts the body at once: what still waits in it
/// is not handed on, and the client's stream ends visibly.
#[derive(Debug)]
pub(crate) struct Pipe {
    pieces: mpsc::Sender<Bytes>,
    progress: Arc<AtomicU8>,
}

const RUNNING: u8 = 0;
const COMPLETE: u8 = 1;
const ABORTED: u8 = 2;

/// The answer ended before its time. hyper closes the connection or resets the stream, so that the client sees that it
/// has not got all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer was aborted")]
pub(crate) struct Aborted;

/// The client takes no more of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientGone;

/// A body whose pieces are still to come, and its sending end.
pub(crate) fn pipe() -> (Pipe, Body) {
    let (sender, pieces) = mpsc::channel(PIECES_WAITING);
    let progress = Arc::new(AtomicU8::new(RUNNING));
    (Pipe { pieces: sender, progress: Arc::clone(&progress) }, Body::Piped { pieces, progress })
}

impl Pipe {
    /// Hands a piece on, waiting while the client is slow.
    pub(crate) async fn send(&self, piece: Bytes) -> Result<(), ClientGone> {
        self.pieces.send(piece).await.map_err(|_| ClientGone)
    }

    /// Waits until the client takes no more.
    pub(crate) async fn closed(&self) {
        self.pieces.closed().await;
    }

    /// Ends the body in order, after the pieces that wait.
    pub(crate) fn complete(self) {
        self.progress.store(COMPLETE, Ordering::SeqCst);
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // Whether it was complete already is the one thing a failed exchange says, and both is right.
        let _was = self.progress.compare_exchange(RUNNING, ABORTED, Ordering::SeqCst, Ordering::SeqCst);
    }
}

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = with(status, Body::Whole(Some(body.into())));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// An answer without a body, as a notification gets.
pub(crate) fn empty(status: StatusCode) -> Answer {
    with(status, Body::Whole(None))
}

/// An answer that streams events. The headers keep boxes on the way from collecting, changing or storing it.
pub(crate) fn event_stream(body: Body) -> Answer {
    let mut answer = with(StatusCode::OK, body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    answer
}

/// A JSON answer whose body is still coming.
pub(crate) fn json_piped(status: StatusCode, body: Body) -> Answer {
    let mut answer = json(status, Bytes::new());
    *answer.body_mut() = body;
    answer
}

fn with(status: StatusCode, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        match &mut *self {
            Self::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Self::Piped { pieces, progress } => {
                if progress.load(Ordering::SeqCst) == ABORTED {
                    return Poll::Ready(Some(Err(Aborted)));
                }
                match ready!(pieces.poll_recv(cx)) {
                    Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
                    None if progress.load(Ordering::SeqCst) == COMPLETE => Poll::Ready(None),
                    None => Poll::Ready(Some(Err(Aborted))),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.as_ref().is_none_or(Bytes::is_empty),
            Self::Piped { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, |body| body.len() as u64)),
            Self::Piped { .. } => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn next(body: &mut Body) -> Option<Result<Bytes, Aborted>> {
        body.frame().await.map(|frame| frame.map(|frame| frame.into_data().expect("there are no trailers")))
    }

    #[tokio::test]
    async fn a_completed_body_ends_in_order_after_what_waits() {
        let (pipe, mut body) = pipe();
        assert_eq!(pipe.send(Bytes::from_static(b"a")).await, Ok(()));
        pipe.complete();
        assert_eq!(next(&mut body).await, Some(Ok(Bytes::from_static(b"a"))));
        assert_eq!(next(&mut body).await, None);
    }

    #[tokio::test]
    async fn an_aborted_body_ends_at_once_and_visibly() {
        let (pipe, mut body) = pipe();
        assert_eq!(pipe.send(Bytes::from_static(b"a")).await, Ok(()));
        drop(pipe);
        assert_eq!(next(&mut body).await, Some(Err(Aborted)));
    }

    #[tokio::test]
    async fn a_client_that_is_gone_is_noticed() {
        let (pipe, body) = pipe();
        drop(body);
        pipe.closed().await;
        assert_eq!(pipe.send(Bytes::from_static(b"a")).await, Err(ClientGone));
    }
}
