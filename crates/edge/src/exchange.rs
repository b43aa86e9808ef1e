//! One call and its upstream: send, take the answer, decide what of it the client gets.
//!
//! | the upstream answers | the client gets |
//! |---|---|
//! | JSON | the same bytes, at once as they come; a list cut down to what the grant may see |
//! | a stream of events | the same events, unbuffered, with comments while it is silent |
//! | nothing, to a notification or a response | 202 |
//! | an error status with a JSON-RPC body | the same, unless [`crate::bridge`] has to translate it |
//! | anything else | an error of ours, because nothing else of an upstream's reaches a client |
//!
//! What must stay true: each way out of here gives the client an answer or visibly aborts the one that began, and says
//! how the call ended, so that its outcome can be recorded.

use std::{
    future::{pending, ready},
    sync::Arc,
};

use authority::{RecordedPermit, enforcement::CutReason, record::Ending, time::Wall};
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode, header};
use upstream::{ForwardFailed, Outbound, Reply, ReplyBody, ReplyBroken, ReplyKind, Report, Verb};

use crate::{
    answer::{self, Answer},
    bridge,
    cutoff::Stop,
    facts::Caller,
    filter::Filter,
    relay::{Next, Relay},
    request::{Asked, PartKind},
    rescue,
    service::Edge,
    session::Session,
    stream::{self, StreamEnded},
};

/// Bytes of the body of an error answer. Real ones are a line of JSON.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// The header of a session's id.
const SESSION_ID: &str = mcp::headers::SESSION_ID;

/// How a call ended, for its outcome.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How.
    pub(crate) ending: Ending,
    /// The status of the upstream, if it answered.
    pub(crate) upstream_status: Option<u16>,
    /// The figures of the answer, if there was one.
    pub(crate) report: Option<Arc<Report>>,
}

impl Ended {
    fn without_answer(ending: Ending) -> Self {
        Self { ending, upstream_status: None, report: None }
    }
}

/// Why the answer of an upstream did not reach the client whole.
#[derive(Debug)]
enum Broke {
    /// The call had to stop.
    Stopped(Stop),
    /// The body broke off, or went over a bound of the upstream side.
    Reply(ReplyBroken),
    /// It is larger than what may be read whole.
    TooLarge,
    /// It cannot be filtered, so it is not passed on.
    Unreadable,
    /// It is nothing that answers the request.
    NotAnAnswer,
    /// Its session id cannot be sealed.
    SessionId,
}

impl From<Stop> for Broke {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

/// One exchange.
struct Exchange<'call> {
    edge: &'call Edge,
    caller: &'call Caller,
    asked: &'call Asked,
    relay: Relay,
}

/// Sends the call and hands its answer to the client.
pub(crate) async fn exchange(
    edge: &Edge,
    caller: &Caller,
    asked: &Asked,
    permit: RecordedPermit,
    relay: Relay,
) -> Ended {
    let mut exchange = Exchange { edge, caller, asked, relay };
    let outbound = outbound(caller, asked);
    let forward = edge.upstreams.forward(permit, outbound);
    match exchange.relay.until(forward).await {
        Ok(Ok(reply)) => exchange.answer(reply).await,
        Ok(Err(failed)) => exchange.failed(&failed),
        Err(stop) => Ended::without_answer(exchange.stopped(stop)),
    }
}

fn outbound(caller: &Caller, asked: &Asked) -> Outbound {
    let mut headers = asked.headers.clone();
    headers.session = caller.session.as_ref().map(|session| session.upstream.clone());
    let verb = match asked.single().map(|part| &part.kind) {
        Some(PartKind::Stream) => Verb::Get,
        Some(PartKind::EndSession) => Verb::Delete,
        Some(PartKind::Request(_) | PartKind::Notification | PartKind::Response) | None => Verb::Post,
    };
    Outbound { verb, headers, body: asked.body.clone() }
}

impl Exchange<'_> {
    /// Hands the answer on and says how that ended.
    async fn answer(&mut self, reply: Reply) -> Ended {
        let upstream_status = Some(reply.status.as_u16());
        let report = Some(Arc::clone(&reply.report));
        let good = reply.status.is_success();
        let ending = match self.pass(reply).await {
            Ok(()) if good => Ending::Completed,
            Ok(()) => Ending::UpstreamError,
            Err(broke) => self.broke(&broke),
        };
        Ended { ending, upstream_status, report }
    }

    async fn pass(&mut self, mut reply: Reply) -> Result<(), Broke> {
        let wants_answer = self.asked.ids().next().is_some();
        if !reply.status.is_success() {
            return self.pass_error(reply).await;
        }
        match reply.kind {
            ReplyKind::EventStream if wants_answer || self.asked.is_stream() => self.pass_stream(reply).await,
            _ if self.asked.is_stream() => {
                // A stream was asked for and is not there, which clients understand only as 405.
                self.relay.answer(rescue::refused(&crate::refusal::Refusal::Verb { allow: "POST, DELETE" }));
                Ok(())
            }
            ReplyKind::Json if wants_answer => {
                let session = self.sealed_session(reply.session.take())?;
                match self.filter() {
                    None => self.pass_json(reply, session).await,
                    Some(filter) => self.pass_filtered(reply, &filter).await,
                }
            }
            _ if !wants_answer => {
                let ends_session = self.asked.single().is_some_and(|part| part.kind == PartKind::EndSession);
                let status = if ends_session { reply.status } else { StatusCode::ACCEPTED };
                self.relay.answer(answer::empty(status));
                Ok(())
            }
            ReplyKind::Json | ReplyKind::EventStream | ReplyKind::Empty | ReplyKind::Other => {
                Err(Broke::NotAnAnswer)
            }
        }
    }

    /// A JSON answer as it is: whole if it is there already, else piece by piece.
    async fn pass_json(&mut self, mut reply: Reply, session: Option<HeaderValue>) -> Result<(), Broke> {
        let status = reply.status;
        let first = match self.relay.next(&mut reply.body, pending()).await? {
            Next::Piece(piece) => piece,
            Next::End => return Err(Broke::NotAnAnswer),
            Next::Broken(broken) => return Err(Broke::Reply(broken)),
            Next::Silence => unreachable!("nobody waits for silence here"),
        };
        let mut next = self.relay.next(&mut reply.body, ready(())).await?;
        if matches!(next, Next::End) {
            self.relay.answer(with_session(answer::json(status, first), session));
            return Ok(());
        }
        self.relay.begin(|body| with_session(answer::json_piped(status, body), session));
        self.relay.send(first).await?;
        loop {
            match next {
                Next::Piece(piece) => self.relay.send(piece).await?,
                Next::Silence => {}
                Next::Broken(broken) => return Err(Broke::Reply(broken)),
                Next::End => break,
            }
            next = self.relay.next(&mut reply.body, pending()).await?;
        }
        self.relay.complete();
        Ok(())
    }

    /// A JSON answer without what the grant may not see.
    async fn pass_filtered(&mut self, mut reply: Reply, filter: &Filter) -> Result<(), Broke> {
        let body = self.collect(&mut reply.body, filter.max_bytes()).await?;
        let filtered = filter.answer(&body).map_err(|fault| {
            tracing::warn!(%fault, server = %self.caller.server, "a list of an upstream could not be filtered");
            Broke::Unreadable
        })?;
        let filtered = match filtered {
            std::borrow::Cow::Borrowed(_) => body.clone(),
            std::borrow::Cow::Owned(filtered) => filtered.into(),
        };
        self.relay.answer(match bridge::of_answer(self.asked, &filtered) {
            Some(translated) => translated,
            None => answer::json(reply.status, filtered),
        });
        Ok(())
    }

    async fn pass_stream(&mut self, mut reply: Reply) -> Result<(), Broke> {
        let session = self.sealed_session(reply.session.take())?;
        let filter = self.filter();
        self.relay.begin(|body| with_session(answer::event_stream(body), session));
        let keep_alive = self.edge.config.keep_alive;
        match stream::pass(&mut self.relay, &mut reply.body, filter.as_ref(), keep_alive).await {
            Ok(()) => {
                self.relay.complete();
                Ok(())
            }
            Err(StreamEnded::Stopped(stop)) => Err(Broke::Stopped(stop)),
            Err(StreamEnded::Broken(broken)) => Err(Broke::Reply(broken)),
            Err(StreamEnded::Overrun) => Err(Broke::TooLarge),
            Err(StreamEnded::Unreadable(fault)) => {
                tracing::warn!(%fault, server = %self.caller.server, "an event of an upstream could not be filtered");
                Err(Broke::Unreadable)
            }
        }
    }

    /// An error status. Its body goes on if it is JSON, and else stays where it is: clients break on any other.
    async fn pass_error(&mut self, mut reply: Reply) -> Result<(), Broke> {
        let body = match reply.kind {
            ReplyKind::Json => Some(self.collect(&mut reply.body, MAX_ERROR_BYTES).await?),
            ReplyKind::EventStream | ReplyKind::Empty | ReplyKind::Other => None,
        };
        let mut answer = match (bridge::of_error(self.asked, body.as_deref()), body) {
            (Some(translated), _) => translated,
            (None, Some(body)) => answer::json(reply.status, body),
            (None, None) => {
                let text = format!("the upstream server answered with HTTP status {}", reply.status.as_u16());
                rescue::bad_upstream(self.asked, reply.status, &text)
            }
        };
        if reply.status == StatusCode::METHOD_NOT_ALLOWED {
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        if let Some(seconds) = reply.retry_after_seconds {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        self.relay.answer(answer);
        Ok(())
    }

    /// Reads a body that has to be looked at whole.
    async fn collect(&mut self, body: &mut ReplyBody, limit: usize) -> Result<Bytes, Broke> {
        let (mut first, mut joined) = (Bytes::new(), BytesMut::new());
        loop {
            match self.relay.next(body, pending()).await? {
                Next::Piece(piece) if first.len() + joined.len() + piece.len() > limit => {
                    return Err(Broke::TooLarge);
                }
                Next::Piece(piece) if first.is_empty() && joined.is_empty() => first = piece,
                Next::Piece(piece) => {
                    joined.extend_from_slice(&std::mem::take(&mut first));
                    joined.extend_from_slice(&piece);
                }
                Next::End => return Ok(if joined.is_empty() { first } else { joined.freeze() }),
                Next::Broken(broken) => return Err(Broke::Reply(broken)),
                Next::Silence => unreachable!("nobody waits for silence here"),
            }
        }
    }

    fn filter(&self) -> Option<Filter> {
        let whose = (self.caller.claim.grant, &self.caller.server);
        Filter::of(self.asked, &self.edge.gate, whose, self.edge.config.max_page_bytes.get())
    }

    /// The sealed id of the session that this answer opens.
    fn sealed_session(&self, upstream: Option<HeaderValue>) -> Result<Option<HeaderValue>, Broke> {
        let opens = self.asked.initializes() && self.asked.revision.has_sessions();
        let Some(upstream) = upstream.filter(|_| opens) else { return Ok(None) };
        let lifetime = u64::try_from(self.edge.config.session_lifetime.as_millis()).unwrap_or(u64::MAX);
        let session = Session {
            grant: self.caller.claim.grant,
            server: self.caller.server.clone(),
            expires_at: Wall(self.edge.clock.wall_millis()).plus_millis(lifetime),
            client: self.asked.single().and_then(|part| part.client.clone()),
            upstream,
        };
        session.seal(&self.edge.keyring, &*self.edge.entropy).map(Some).map_err(|_| Broke::SessionId)
    }

    /// The upstream gave no answer that could be passed on.
    fn failed(&mut self, failed: &ForwardFailed) -> Ended {
        if let ForwardFailed::Cut { reason, .. } = failed {
            return Ended::without_answer(self.cut(*reason));
        }
        tracing::warn!(
            error = failed as &dyn std::error::Error,
            server = %self.caller.server,
            "a call failed at its upstream"
        );
        let (status, ending) = rescue::forward_failed(failed);
        self.relay.answer(rescue::bad_upstream(self.asked, status, &failed.to_string()));
        Ended { ending, upstream_status: failed.upstream_status(), report: None }
    }

    fn stopped(&mut self, stop: Stop) -> Ending {
        match stop {
            Stop::Abandoned => Ending::LimitReached,
            // Whoever cuts gives the reason before the mark shows the cut.
            Stop::Cut => self.cut(self.relay.mark().cut_reason().unwrap_or(CutReason::LeaseExpired)),
        }
    }

    /// Answers a cut call if its answer has not begun, and aborts one that has.
    fn cut(&mut self, reason: CutReason) -> Ending {
        self.relay.answer_or_abort(|| rescue::cut(self.asked, self.caller.claim.grant, reason));
        match reason {
            CutReason::Narrowed(_) => Ending::Cut,
            CutReason::LeaseExpired => Ending::LeaseLost,
            CutReason::ClientGone => Ending::ClientGone,
            CutReason::Draining => Ending::Drained,
        }
    }

    /// The answer broke. The client is told if nothing of it went out, and sees an abort if something did.
    fn broke(&mut self, broke: &Broke) -> Ending {
        let (text, ending) = match broke {
            Broke::Stopped(stop) => return self.stopped(*stop),
            Broke::Reply(ReplyBroken::Cut(reason)) => return self.cut(*reason),
            Broke::Reply(ReplyBroken::Lost(_)) => {
                ("the connection to the upstream server broke", Ending::UpstreamFailed)
            }
            Broke::Reply(
                ReplyBroken::TooLarge { .. }
                | ReplyBroken::Stream(_)
                | ReplyBroken::Stalled(_)
                | ReplyBroken::TooOld(_)
                | ReplyBroken::TooSlow(_),
            )
            | Broke::TooLarge => ("the upstream server's answer went over a bound", Ending::LimitReached),
            Broke::Unreadable => ("the upstream server's list cannot be read", Ending::UpstreamFailed),
            Broke::NotAnAnswer => (
                "the upstream server's answer is neither JSON nor a stream of events",
                Ending::UpstreamFailed,
            ),
            Broke::SessionId => ("the upstream server's session id cannot be used", Ending::UpstreamFailed),
        };
        self.relay.answer(rescue::bad_upstream(self.asked, StatusCode::BAD_GATEWAY, text));
        ending
    }
}

fn with_session(mut answer: Answer, session: Option<HeaderValue>) -> Answer {
    if let Some(session) = session {
        answer.headers_mut().insert(SESSION_ID, session);
    }
    answer
}
