//! The body of an answer on its way to the client: never collected, always bounded.
//!
//! Each piece is checked against the bounds, counted, and passed through the redactor. What must stay true: nothing
//! passes after the call was cut; a body that breaks off ends in an error and never looks finished; a connection whose
//! body was read to its end goes back to the pool, and any other is aborted, which tells the server as well.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};

use authority::enforcement::{CallMark, CutReason};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use seams::SharedClock;
use tokio::time::{Sleep, sleep};

use crate::{
    config::{Bounds, Timeouts},
    connection::Connection,
    echo_alert::EchoAlert,
    pool::{Key, Pool},
    redactor::Redactor,
    reply::Report,
    stream_bounds::{StreamBounds, StreamRefused},
};

/// The body of an answer. Dropping it before its end aborts the connection.
pub struct ReplyBody {
    incoming: Incoming,
    /// Gone once the body has ended, well or not.
    lender: Option<Lender>,
    mark: Arc<CallMark>,
    redactor: Option<Redactor>,
    bound: Bound,
    received: u64,
    began_nanos: u64,
    /// Runs while there is something to wait for.
    timer: Option<Pin<Box<Sleep>>>,
    clock: SharedClock,
    report: Arc<Report>,
    /// Raised with the end of the body, if its server had a secret to send back.
    _alert: Option<EchoAlert>,
}

/// Where the connection goes back to.
pub(crate) struct Lender {
    pub(crate) connection: Connection,
    pub(crate) pool: Arc<Pool>,
    pub(crate) key: Key,
}

/// What a body needs to know of its call.
pub(crate) struct Course {
    pub(crate) mark: Arc<CallMark>,
    pub(crate) redactor: Option<Redactor>,
    pub(crate) bound: Bound,
    pub(crate) clock: SharedClock,
    pub(crate) report: Arc<Report>,
    pub(crate) alert: Option<EchoAlert>,
}

/// What bounds a body.
pub(crate) enum Bound {
    /// It is finished when its head comes, and only has to arrive.
    Whole { bytes: u64, idle: Duration, in_all: Duration },
    /// It may be silent for long, and ends some day.
    Stream { bytes: u64, age: Duration, events: StreamBounds },
}

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub enum ReplyBroken {
    /// The call was cut.
    #[error("the call was cut")]
    Cut(CutReason),
    /// It is too large.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: u64,
    },
    /// As a stream, it went over a bound of its events.
    #[error(transparent)]
    Stream(#[from] StreamRefused),
    /// Nothing came for too long.
    #[error("the answer stopped for more than {} s", .0.as_secs())]
    Stalled(Duration),
    /// It came too slowly (FAULTS D02).
    #[error("the answer was not whole after {} s", .0.as_secs())]
    TooSlow(Duration),
    /// As a stream, it lasted too long.
    #[error("the stream lasted more than {} s", .0.as_secs())]
    TooOld(Duration),
    /// The connection broke, or what came was no HTTP.
    #[error("the connection to the upstream server broke")]
    Lost(#[source] hyper::Error),
}

impl Bound {
    pub(crate) fn whole(bounds: &Bounds, timeouts: &Timeouts) -> Self {
        Self::Whole { bytes: bounds.body_bytes, idle: timeouts.body_idle, in_all: timeouts.body }
    }

    pub(crate) fn stream(bounds: &Bounds, timeouts: &Timeouts) -> Self {
        let (bytes, age) = (bounds.stream_bytes, timeouts.stream_age);
        Self::Stream { bytes, age, events: StreamBounds::new(*bounds) }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Whole { bytes, .. } | Self::Stream { bytes, .. } => *bytes,
        }
    }
}

impl ReplyBody {
    pub(crate) fn new(incoming: Incoming, lender: Lender, course: Course) -> Self {
        let Course { mark, redactor, bound, clock, report, alert } = course;
        let (lender, began_nanos) = (Some(lender), clock.boot_nanos());
        let mut body = Self {
            incoming,
            lender,
            mark,
            redactor,
            bound,
            received: 0,
            began_nanos,
            timer: None,
            clock,
            report,
            _alert: alert,
        };
        if body.incoming.is_end_stream() {
            body.give_back();
        }
        body
    }

    /// The next bytes that pass. Pieces that the redactor holds whole are not shown.
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, ReplyBroken>> {
        loop {
            if self.mark.poll_cut(cx.waker()) {
                let reason = self.mark.cut_reason().unwrap_or(CutReason::LeaseExpired);
                return Poll::Ready(Err(ReplyBroken::Cut(reason)));
            }
            match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers are dropped: no header of a server passes but from the short list.
                    let Ok(bytes) = frame.into_data() else { continue };
                    let passed = self.take(bytes)?;
                    if !passed.is_empty() {
                        return Poll::Ready(Ok(Some(passed)));
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(ReplyBroken::Lost(error))),
                Poll::Ready(None) => return Poll::Ready(Ok(self.end())),
                Poll::Pending => return self.poll_timer(cx).map(Err),
            }
        }
    }

    fn take(&mut self, bytes: Bytes) -> Result<Bytes, ReplyBroken> {
        self.received += bytes.len() as u64;
        let limit = self.bound.bytes();
        if self.received > limit {
            return Err(ReplyBroken::TooLarge { limit });
        }
        let now = self.clock.boot_nanos();
        match &mut self.bound {
            Bound::Whole { in_all, .. } => {
                let since = Duration::from_nanos(now.saturating_sub(self.began_nanos));
                if since >= *in_all {
                    return Err(ReplyBroken::TooSlow(*in_all));
                }
                self.timer = None;
            }
            Bound::Stream { events, .. } => events.take(&bytes, now)?,
        }
        Ok(self.redacted(|redactor| redactor.push(bytes.clone())).unwrap_or(bytes))
    }

    /// The regular end: what the redactor held passes, and the connection is free for the next call.
    fn end(&mut self) -> Option<Bytes> {
        let rest = self.redacted(Redactor::finish);
        self.give_back();
        rest.filter(|rest| !rest.is_empty())
    }

    fn redacted(&mut self, step: impl FnOnce(&mut Redactor) -> Bytes) -> Option<Bytes> {
        let redactor = self.redactor.as_mut()?;
        let before = redactor.found();
        let passed = step(redactor);
        let found = redactor.found() - before;
        if found > 0 {
            self.report.redactions.fetch_add(found, Ordering::Relaxed);
        }
        Some(passed)
    }

    fn give_back(&mut self) {
        if let Some(Lender { connection, pool, key }) = self.lender.take() {
            pool.put(key, connection);
        }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<ReplyBroken> {
        let patience = match &self.bound {
            Bound::Whole { idle, .. } => *idle,
            Bound::Stream { age, .. } => *age,
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(match &self.bound {
            Bound::Whole { idle, .. } => ReplyBroken::Stalled(*idle),
            Bound::Stream { age, .. } => ReplyBroken::TooOld(*age),
        })
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = ReplyBroken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ReplyBroken>>> {
        let this = self.get_mut();
        if this.lender.is_none() {
            return Poll::Ready(None);
        }
        let next = ready!(this.poll_bytes(cx));
        match &next {
            Ok(Some(bytes)) => {
                this.report.response_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            Ok(None) => {}
            Err(_) => this.lender = None,
        }
        Poll::Ready(next.map(|bytes| bytes.map(Frame::data)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.lender.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        // What the redactor may change has no length before its end.
        if self.redactor.is_some() { SizeHint::default() } else { self.incoming.size_hint() }
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyBody").field("received", &self.received).finish_non_exhaustive()
    }
}
