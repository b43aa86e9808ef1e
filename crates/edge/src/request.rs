//! From bytes to what is asked: one HTTP request of the data plane, read strictly and held against its headers.
//!
//! `mcp` does the reading; here its answer becomes an [`Action`] for the decision, the facts for the record, and the
//! short list of headers for the upstream, all from the same bytes that will be forwarded. It is the place where the
//! two vocabularies meet, and the only one. What must stay true: a message whose action is not known asks for
//! [`Action::Unknown`], which nobody is granted; a notification asks for the same as the request of that name (C07); a
//! batch asks for each of its messages (C06).

use authority::{action::Action, record::Client};
use bytes::Bytes;
use http::{HeaderMap, header};
use keyring::fingerprint::ArgumentFingerprinter;
use mcp::{
    headers::{HeaderFault, RequestHeaders},
    id::Id,
    limits::Limits,
    message::{self, Message},
    method::{Call, TargetMissing},
    revision::{NotInRevision, Revision, UnsupportedRevision},
    strict::Refusal,
};

use seams::plant::{Plant, is_planted};
use upstream::OutboundHeaders;

use crate::{
    action_of::{action_of, shown_target},
    media_type::{EVENTS, JSON, is_sent_as_json, takes},
    onward,
    session::Session,
};

/// The method that opens a session; an id that comes with it belongs to a session that is over.
const INITIALIZE: &str = "initialize";

/// What one HTTP request asks, not decided yet.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The revision it is judged by.
    pub(crate) revision: Revision,
    /// All that it asks, as one action.
    pub(crate) action: Action,
    /// The messages in it: one, or those of a batch.
    pub(crate) parts: Vec<Part>,
    /// Whether it was an array, so that its answer is one.
    pub(crate) is_batch: bool,
    /// The protocol headers for the upstream, all but the session's.
    pub(crate) headers: OutboundHeaders,
    /// The body, exactly as it came.
    pub(crate) body: Bytes,
}

/// One message, and what of it the record keeps.
#[derive(Debug)]
pub(crate) struct Part {
    /// What kind of message, with the id of a request.
    pub(crate) kind: PartKind,
    /// The method; for a response, and for GET and DELETE, what stands in its place.
    pub(crate) method: String,
    /// What it asks.
    pub(crate) action: Action,
    /// The tool, prompt or resource.
    pub(crate) target: Option<String>,
    /// The top-level keys of its arguments.
    pub(crate) argument_keys: Vec<String>,
    /// The keyed digest of its arguments.
    pub(crate) arguments_digest: Option<[u8; 32]>,
    /// What the client calls itself in it.
    pub(crate) client: Option<Client>,
    /// The trace-id in it.
    pub(crate) trace: Option<String>,
}

/// The kinds of messages, and of HTTP requests that carry none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    /// Wants an answer under this id.
    Request(Id<'static>),
    /// Wants none.
    Notification,
    /// Answers a request of the server.
    Response,
    /// Opens the stream of server messages, by GET.
    Stream,
    /// Ends the session, by DELETE.
    EndSession,
}

/// Why a request was not understood. All are answered with 400, but 415 for the content type and 406 for what the
/// client would accept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotUnderstood {
    /// The body is not announced as JSON.
    #[error("send the body as `content-type: application/json`")]
    ContentType,
    /// The client takes no kind of answer that there is.
    #[error(
        "send `accept: application/json, text/event-stream`, or text/event-stream alone to open a stream"
    )]
    NotAcceptable,
    /// The body has more readings than one, or none.
    #[error("the body is not one strict JSON-RPC message")]
    Body(#[source] Refusal),
    /// The revision is not served.
    #[error("the revision is not served")]
    Revision(#[source] UnsupportedRevision),
    /// The headers cannot be believed.
    #[error("the headers cannot be believed")]
    Headers {
        /// The request they belong to, once it is known.
        id: Option<Id<'static>>,
        /// What is wrong.
        #[source]
        fault: HeaderFault,
    },
    /// The revision does not have this.
    #[error("the revision does not have this")]
    NotInRevision {
        /// The request, if it is one.
        id: Option<Id<'static>>,
        /// What it does not have.
        #[source]
        fault: NotInRevision,
    },
    /// The call does not say what it is for.
    #[error("the call does not say what it is for")]
    Target {
        /// The request, if it is one.
        id: Option<Id<'static>>,
        /// What is missing.
        #[source]
        fault: TargetMissing,
    },
}

/// The protocol's headers of a request, picked out.
pub(crate) fn collect(headers: &HeaderMap) -> Result<RequestHeaders<'_>, NotUnderstood> {
    RequestHeaders::collect(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())))
        .map_err(|fault| NotUnderstood::Headers { id: None, fault })
}

impl Asked {
    /// Reads a POST.
    pub(crate) fn post(
        fingerprinter: &ArgumentFingerprinter,
        headers: &HeaderMap,
        mirrors: &RequestHeaders<'_>,
        body: Bytes,
    ) -> Result<Self, NotUnderstood> {
        if !is_sent_as_json(headers) {
            return Err(NotUnderstood::ContentType);
        }
        if !(takes(headers, JSON) && takes(headers, EVENTS)) {
            return Err(NotUnderstood::NotAcceptable);
        }
        let revision = mirrors.revision().map_err(NotUnderstood::Revision)?;
        let message = message::read(&body, Limits::REQUEST).map_err(NotUnderstood::Body)?;
        let id = || message.request_id().cloned().map(Id::into_owned);
        revision.admit(&message).map_err(|fault| NotUnderstood::NotInRevision { id: id(), fault })?;
        mirrors.agree_with(&message, revision).map_err(|fault| NotUnderstood::Headers { id: id(), fault })?;
        let parts = message.each().map(|message| Part::read(fingerprinter, message));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let is_batch = matches!(message, Message::Batch(_));
        let mut onward = onward::of_message(mirrors, &message, revision);
        if is_planted(Plant::TokenPassedThrough) {
            onward.protocol_version = headers.get(header::AUTHORIZATION).cloned();
        }
        Ok(Self { revision, action: all_of(&parts), parts, is_batch, headers: onward, body })
    }

    /// Reads a GET or a DELETE, which carry no message.
    pub(crate) fn bodyless(
        headers: &HeaderMap,
        mirrors: &RequestHeaders<'_>,
        kind: PartKind,
    ) -> Result<Self, NotUnderstood> {
        let opens_stream = kind == PartKind::Stream;
        if opens_stream && !takes(headers, EVENTS) {
            return Err(NotUnderstood::NotAcceptable);
        }
        let revision = mirrors.revision().map_err(NotUnderstood::Revision)?;
        let part = Part::protocol(kind, if opens_stream { "GET" } else { "DELETE" });
        Ok(Self {
            revision,
            action: Action::Converse,
            parts: vec![part],
            is_batch: false,
            headers: onward::of_stream(mirrors, revision, opens_stream),
            body: Bytes::new(),
        })
    }

    /// The ids that answers have to go to.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &Id<'static>> {
        self.parts.iter().filter_map(Part::id)
    }

    /// Whether it opens a session.
    pub(crate) fn initializes(&self) -> bool {
        self.single().is_some_and(|part| part.method == INITIALIZE)
    }

    /// Whether it opens a GET stream.
    pub(crate) fn is_stream(&self) -> bool {
        self.single().is_some_and(|part| part.kind == PartKind::Stream)
    }

    /// Its one message, unless it is a batch.
    pub(crate) fn single(&self) -> Option<&Part> {
        match self.parts.as_slice() {
            [part] if !self.is_batch => Some(part),
            _ => None,
        }
    }

    /// What the client calls itself: in the message, or when it opened the session.
    pub(crate) fn client_of(&self, part: &Part, session: Option<&Session>) -> Option<Client> {
        part.client.clone().or_else(|| session.and_then(|session| session.client.clone()))
    }
}

impl Part {
    /// The id of a request.
    pub(crate) fn id(&self) -> Option<&Id<'static>> {
        match &self.kind {
            PartKind::Request(id) => Some(id),
            PartKind::Notification | PartKind::Response | PartKind::Stream | PartKind::EndSession => None,
        }
    }

    /// A batch as a whole, for the record of what is forwarded; its messages have records of their own.
    pub(crate) fn batch(parts: &[Self]) -> Self {
        let mut batch = Self::protocol(PartKind::Notification, "batch");
        batch.client = parts.iter().find_map(|part| part.client.clone());
        batch.trace = parts.iter().find_map(|part| part.trace.clone());
        batch
    }

    fn read(fingerprinter: &ArgumentFingerprinter, message: &Message<'_>) -> Result<Self, NotUnderstood> {
        let (kind, call) = match message {
            Message::Request(request) => (PartKind::Request(request.id.clone().into_owned()), &request.call),
            Message::Notification(call) => (PartKind::Notification, call),
            Message::Response(_) | Message::Batch(_) => {
                return Ok(Self::protocol(PartKind::Response, "response"));
            }
        };
        let action = action_of(call).map_err(|fault| NotUnderstood::Target {
            id: message.request_id().cloned().map(Id::into_owned),
            fault,
        })?;
        Ok(Self { action, ..Self::of_call(fingerprinter, kind, call) })
    }

    fn of_call(fingerprinter: &ArgumentFingerprinter, kind: PartKind, call: &Call<'_>) -> Self {
        let mut part = Self::protocol(kind, &call.method);
        part.target = shown_target(call);
        let Some(params) = &call.params else { return part };
        if let Some(arguments) = &params.arguments {
            part.argument_keys = arguments.keys.iter().map(|key| key.clone().into_owned()).collect();
            part.arguments_digest = Some(*fingerprinter.digest(arguments.raw).as_bytes());
        }
        let info = params.client_info.as_ref().or(params.meta.client_info.as_ref());
        part.client = info.map(|info| Client {
            name: info.name.as_deref().unwrap_or_default().to_owned(),
            version: info.version.as_deref().unwrap_or_default().to_owned(),
        });
        part.trace = params.meta.traceparent.as_deref().and_then(trace_id);
        part
    }

    /// A part that reaches nothing a scope could name.
    fn protocol(kind: PartKind, method: &str) -> Self {
        Self {
            kind,
            method: method.to_owned(),
            action: Action::Converse,
            target: None,
            argument_keys: Vec::new(),
            arguments_digest: None,
            client: None,
            trace: None,
        }
    }
}

/// All that several messages ask, flat, since actions do not nest.
fn all_of(parts: &[Part]) -> Action {
    if let [part] = parts {
        return part.action.clone();
    }
    let flat = parts.iter().flat_map(|part| match &part.action {
        Action::Each(actions) => actions.to_vec(),
        single => vec![single.clone()],
    });
    Action::Each(flat.collect())
}

/// The trace-id of a `traceparent` (W3C Trace Context, section 3.2), which must not be all zeros.
fn trace_id(traceparent: &str) -> Option<String> {
    let mut fields = traceparent.split('-');
    let (version, trace) = (fields.next()?, fields.next()?);
    let hexadecimal = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let good = version.len() == 2 && trace.len() == 32 && hexadecimal(version) && hexadecimal(trace);
    (good && trace.bytes().any(|byte| byte != b'0')).then(|| trace.to_owned())
}

#[cfg(test)]
mod tests;
