//! Handing one answer on: which of the ways of [`super`]'s table it takes, and the way itself.
//!
//! Nothing is collected that need not be read: a list, a probe, an error. What must stay true: what is handed on is the
//! upstream's body, filtered, or an answer of ours, and never a header of the upstream's.

use std::{borrow::Cow, future::ready};

use authority::time::Wall;
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode, header};
use upstream::{Reply, ReplyBody, ReplyKind};

use super::Exchange;
use crate::{
    answer::{self, Answer},
    bridge,
    broke::Broke,
    filter::Filter,
    refusal::Refusal,
    relay::Within,
    request::PartKind,
    rescue,
    session::Session,
    stream,
};

/// Bytes of the body of an error answer. Real ones are a line of JSON.
const MAX_ERROR_BYTES: usize = 64 * 1024;

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

    /// A JSON answer as it is: whole if it is there already, else piece by piece.
    async fn pass_json(&mut self, mut reply: Reply, session: Option<HeaderValue>) -> Result<(), Broke> {
        let status = reply.status;
        let first = self.relay.next(&mut reply.body).await?.ok_or(Broke::NotAnAnswer)?;
        let mut piece = match self.relay.next_within(&mut reply.body, ready(())).await? {
            Within::Next(Some(piece)) => piece,
            Within::Next(None) => {
                self.relay.answer(with_session(answer::json(status, first), session));
                return Ok(());
            }
            Within::Silence => Bytes::new(),
        };
        self.relay.begin(|body| with_session(answer::json_piped(status, body), session));
        self.relay.send(first).await?;
        loop {
            self.relay.send(piece).await?;
            match self.relay.next(&mut reply.body).await? {
                Some(next) => piece = next,
                None => break,
            }
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
        stream::pass(&mut self.relay, &mut reply.body, filter.as_ref(), keep_alive).await?;
        self.relay.complete();
        Ok(())
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
        while let Some(piece) = self.relay.next(body).await? {
            if first.len() + joined.len() + piece.len() > limit {
                return Err(Broke::TooLarge);
            }
            if first.is_empty() && joined.is_empty() {
                first = piece;
            } else {
                joined.extend_from_slice(&std::mem::take(&mut first));
                joined.extend_from_slice(&piece);
            }
        }
        Ok(if joined.is_empty() { first } else { joined.freeze() })
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
