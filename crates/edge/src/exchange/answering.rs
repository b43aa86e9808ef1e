//! Whether what an upstream sent answers what was asked (FAULTS D06): one response, to the id of the request.
//!
//! An upstream that mixes its callers up, or is made to, must not reach a client with another's answer, and a call that
//! got none must not stand in the record as completed. It knows ids and shapes only; what may be seen of a list is
//! [`crate::filter`]'s. What must stay true: each request is answered at most once, and never by another's response.

use mcp::{
    id::Id,
    limits::Limits,
    message::{self, Message, Outcome},
    revision::{Era, Revision},
};

use crate::{request::Asked, upstream_error};

/// Levels of nesting of an answer. Requests have 64; results of tools are somebody's data, so they get what the
/// shallowest common parser takes.
const MAX_ANSWER_DEPTH: usize = 128;

/// The requests of one call that wait for their responses.
#[derive(Debug)]
pub(crate) struct Answering {
    open: Vec<Id<'static>>,
    revision: Revision,
    limits: Limits,
    /// Responses that were left out.
    foreign: usize,
    /// Other messages that were left out.
    unfit: usize,
}

/// What becomes of one message of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// It goes on.
    Passes,
    /// It is a response that nobody asked for.
    Foreign,
    /// It is no message, or none that the revision has here.
    Unfit,
}

/// Limits of an answer of at most `bytes` bytes.
pub(crate) fn limits(bytes: usize) -> Limits {
    Limits { bytes, depth: MAX_ANSWER_DEPTH, ..Limits::RESPONSE }
}

/// The body to pass on for `body`, a whole JSON answer to the request `id`; `None` if it does not answer it. An error
/// of an upstream that could not read the id is given it.
pub(crate) fn whole(id: &Id<'_>, body: bytes::Bytes, limits: Limits) -> Option<bytes::Bytes> {
    let Ok(Message::Response(response)) = message::read_answer(&body, limits) else { return None };
    match (&response.id, response.outcome) {
        (Some(own), _) if own == id => Some(body),
        (None, Outcome::Error(error)) => upstream_error::anew(Some(id), error).map(Into::into),
        (None, Outcome::Result(_)) | (Some(_), _) => None,
    }
}

impl Answering {
    pub(crate) fn of(asked: &Asked, event_bytes: usize) -> Self {
        Self {
            open: asked.ids().cloned().collect(),
            revision: asked.revision,
            limits: limits(event_bytes),
            foreign: 0,
            unfit: 0,
        }
    }

    /// Whether the data of one event goes on. Events without any keep a stream alive or name its place.
    pub(crate) fn passes(&mut self, data: &[u8]) -> bool {
        if data.trim_ascii().is_empty() {
            return true;
        }
        let fit = match message::read_answer(data, self.limits) {
            Ok(message) => self.fit(&message),
            Err(_no_message) => Fit::Unfit,
        };
        match fit {
            Fit::Passes => {}
            Fit::Foreign => self.foreign += 1,
            Fit::Unfit => self.unfit += 1,
        }
        fit == Fit::Passes
    }

    /// Whether nothing can follow: the modern era ends a stream with its response.
    pub(crate) fn is_over(&self) -> bool {
        self.revision.era() == Era::Modern && self.open.is_empty()
    }

    /// Whether the stream, now at its end, brought responses and not the one that was waited for.
    pub(crate) fn was_missed(&self) -> bool {
        self.foreign > 0 && !self.open.is_empty()
    }

    /// How many responses and how many other messages were left out.
    pub(crate) fn left_out(&self) -> (usize, usize) {
        (self.foreign, self.unfit)
    }

    fn fit(&mut self, message: &Message<'_>) -> Fit {
        match message {
            Message::Notification(_) => Fit::Passes,
            Message::Request(_) if self.revision.has_server_requests() => Fit::Passes,
            Message::Request(_) => Fit::Unfit,
            Message::Response(response) => {
                let open = response.id.as_ref().and_then(|id| self.open.iter().position(|own| own == id));
                open.map(|open| self.open.swap_remove(open)).map_or(Fit::Foreign, |_answered| Fit::Passes)
            }
            // One message that does not belong there spoils all of them, so none of them answered anything.
            Message::Batch(messages) if self.revision.has_batches() => {
                let before = self.open.clone();
                let spoilt = messages.iter().map(|message| self.fit(message)).find(|fit| *fit != Fit::Passes);
                if spoilt.is_some() {
                    self.open = before;
                }
                spoilt.unwrap_or(Fit::Passes)
            }
            Message::Batch(_) => Fit::Unfit,
        }
    }
}

#[cfg(test)]
mod tests;
