//! Handing one answer on: which of the ways of [`super`]'s table it takes, and the way itself.
//!
//! Nothing is collected that need not be read: a list, a probe, an error, a short answer. What must stay true: what is
//! handed on is the upstream's response to this request, filtered, or an answer of ours, and never a header of the
//! upstream's.

use std::borrow::Cow;

use authority::time::Wall;
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode, header};
use mcp::message::{self, Message, Outcome, Response};
use upstream::{Reply, ReplyBody, ReplyKind};

use super::{
    Exchange,
    answering::{self, Answering},
    long_answer::LongAnswer,
};
use crate::{
    answer::{self, Answer},
    bridge,
    broke::Broke,
    filter::Filter,
    refusal::Refusal,
    request::{Part, PartKind},
    rescue,
    session::Session,
    stream, upstream_error,
};

/// Bytes of the body of an error answer. Real ones are a line of JSON.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// Bytes of an answer that are read whole before any goes on; a longer one is looked at while it does. Most answers of
/// tools are shorter, and 4,096 of them at once are 256 MiB.
const MAX_WHOLE_BYTES: usize = 64 * 1024;

/// The header of a session's id.
const SESSION_ID: &str = mcp::headers::SESSION_ID;

impl Exchange<'_> {
    /// Hands an answer on, as it is or as the grant may see it.
    pub(super) async fn pass(&mut self, mut reply: Reply) -> Result<(), Broke> {
        let wants_answer = self.asked.ids().next().is_some();
        if !reply.status.is_success() {
            return self.pass_error(reply).await;
        }
        match reply.kind {
            ReplyKind::EventStream if wants_answer || self.asked.is_stream() => self.pass_stream(reply).await,
            _ if self.asked.is_stream() => {
                // A stream was asked for and is not there, which clients understand only as 405.
                self.relay.answer(rescue::refused(&Refusal::Verb { allow: "POST, DELETE" }));
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

    /// A JSON answer as it is: whole, or piece by piece if it is long.
    async fn pass_json(&mut self, mut reply: Reply, session: Option<HeaderValue>) -> Result<(), Broke> {
        let (begun, is_whole) = self.gather(&mut reply.body, MAX_WHOLE_BYTES).await?;
        if !is_whole {
            return self.pass_long(reply, begun, session).await;
        }
        let body = self.own_answer(begun)?;
        self.relay.answer(with_session(answer::json(reply.status, body), session));
        Ok(())
    }

    /// A long JSON answer, of which `begun` is there. It is aborted where it turns out to be none to the request.
    async fn pass_long(
        &mut self,
        mut reply: Reply,
        begun: Bytes,
        session: Option<HeaderValue>,
    ) -> Result<(), Broke> {
        // An answer to a batch is several, and which of them answers what is left to the client.
        let mut envelope = self.asked.single().and_then(Part::id).map(LongAnswer::to);
        let mut take = |piece: &Bytes| match &mut envelope {
            Some(envelope) => envelope.take(piece).map_err(|_| Broke::NotAnAnswer),
            None => Ok(()),
        };
        take(&begun)?;
        self.relay.begin(|body| with_session(answer::json_piped(reply.status, body), session));
        self.relay.send(begun).await?;
        while let Some(piece) = self.relay.next(&mut reply.body).await? {
            take(&piece)?;
            self.relay.send(piece).await?;
        }
        if envelope.is_some_and(|envelope| !envelope.is_complete()) {
            return Err(Broke::NotAnAnswer);
        }
        self.relay.complete();
        Ok(())
    }

    /// A JSON answer without what the grant may not see.
    async fn pass_filtered(&mut self, mut reply: Reply, filter: &Filter) -> Result<(), Broke> {
        let body = self.collect(&mut reply.body, filter.max_bytes()).await?;
        let body = self.own_answer(body)?;
        let filtered = filter.answer(&body).map_err(|fault| {
            tracing::warn!(%fault, server = %self.caller.server, "a list of an upstream could not be filtered");
            Broke::Unreadable
        })?;
        let filtered = match filtered {
            Cow::Borrowed(_) => body.clone(),
            Cow::Owned(filtered) => filtered.into(),
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
        let max_bytes = self.edge.config.max_page_bytes.get();
        // What a GET stream brings answers other requests, or none.
        let mut answering = (!self.asked.is_stream()).then(|| Answering::of(self.asked, max_bytes));
        let events = stream::Events { filter: filter.as_ref(), answering: answering.as_mut(), max_bytes };
        let passed = stream::pass(&mut self.relay, &mut reply.body, events, keep_alive).await;
        if let Some((foreign, unfit)) =
            answering.as_ref().map(Answering::left_out).filter(|out| *out != (0, 0))
        {
            tracing::warn!(foreign, unfit, server = %self.caller.server, "events of an upstream were left out");
        }
        passed?;
        if answering.is_some_and(|answering| answering.was_missed()) {
            return Err(Broke::NotAnAnswer);
        }
        self.relay.complete();
        Ok(())
    }

    /// An error status. Its body goes on if it is an error of JSON-RPC, and else stays where it is: clients break on any
    /// other, and a result would be one that nothing has looked at.
    async fn pass_error(&mut self, mut reply: Reply) -> Result<(), Broke> {
        let body = match reply.kind {
            ReplyKind::Json => Some(self.collect(&mut reply.body, MAX_ERROR_BYTES).await?),
            ReplyKind::EventStream | ReplyKind::Empty | ReplyKind::Other => None,
        };
        let own = match bridge::of_error(self.asked, body.as_deref()) {
            Some(translated) => Some(translated),
            None => {
                let error = body.map(|body| self.own_error(body)).transpose()?.flatten();
                error.map(|error| answer::json(reply.status, error))
            }
        };
        let mut answer = own.unwrap_or_else(|| {
            let text = format!("the upstream server answered with HTTP status {}", reply.status.as_u16());
            rescue::bad_upstream(self.asked, reply.status, &text)
        });
        if reply.status == StatusCode::METHOD_NOT_ALLOWED {
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        if let Some(seconds) = reply.retry_after_seconds {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        self.relay.answer(answer);
        Ok(())
    }

    /// The whole answer `body`, if it is the response to the request. An answer to a batch is not looked at.
    fn own_answer(&self, body: Bytes) -> Result<Bytes, Broke> {
        let Some(id) = self.asked.single().and_then(Part::id) else { return Ok(body) };
        let limits = answering::limits(self.edge.config.max_page_bytes.get().max(MAX_WHOLE_BYTES));
        answering::whole(id, body, limits).ok_or(Broke::NotAnAnswer)
    }

    /// The error in `body`, under the id of the request; `None` if it is no message of JSON-RPC at all. Under an error
    /// status an error can be meant for nothing else, and servers have been seen to make up an id for it.
    fn own_error(&self, body: Bytes) -> Result<Option<Bytes>, Broke> {
        let own = self.asked.single().and_then(Part::id);
        let Ok(message) = message::read_answer(&body, answering::limits(MAX_ERROR_BYTES)) else {
            return Ok(None);
        };
        let Message::Response(Response { id, outcome: Outcome::Error(error) }) = message else {
            return Err(Broke::NotAnAnswer);
        };
        let is_of_lists = self.filter().is_some_and(|filter| filter.is_of_lists());
        if id.as_ref() == own && !is_of_lists && upstream_error::read(error).is_some() {
            return Ok(Some(body));
        }
        upstream_error::anew(own, error).map(|anew| Some(anew.into())).ok_or(Broke::NotAnAnswer)
    }

    /// Reads a body that has to be looked at whole.
    async fn collect(&mut self, body: &mut ReplyBody, limit: usize) -> Result<Bytes, Broke> {
        let (collected, is_whole) = self.gather(body, limit).await?;
        if is_whole { Ok(collected) } else { Err(Broke::TooLarge) }
    }

    /// Reads a body until it ends or is longer than `limit`, and says whether it ended. One piece is not copied.
    async fn gather(&mut self, body: &mut ReplyBody, limit: usize) -> Result<(Bytes, bool), Broke> {
        let (mut first, mut joined, mut length) = (Bytes::new(), BytesMut::new(), 0);
        let mut is_whole = true;
        while let Some(piece) = self.relay.next(body).await? {
            length += piece.len();
            if first.is_empty() && joined.is_empty() {
                first = piece;
            } else {
                joined.extend_from_slice(&std::mem::take(&mut first));
                joined.extend_from_slice(&piece);
            }
            if length > limit {
                is_whole = false;
                break;
            }
        }
        Ok((if joined.is_empty() { first } else { joined.freeze() }, is_whole))
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
}

fn with_session(mut answer: Answer, session: Option<HeaderValue>) -> Answer {
    if let Some(session) = session {
        answer.headers_mut().insert(SESSION_ID, session);
    }
    answer
}
