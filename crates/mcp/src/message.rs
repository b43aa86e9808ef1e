//! One message of JSON-RPC, or a batch of them, as it stands in a body.
//!
//! [`read`] takes what a client sent and applies every rule of [`crate::strict`]; [`read_answer`] takes what an
//! upstream server sent and asks less of it. Neither knows grants, and neither knows revisions: whether a batch or a
//! response may be sent at all is [`Revision::admit`](crate::revision::Revision::admit)'s question. A notification
//! carries the same [`Call`] as a request, so that a `tools/call` without an id is decided like any other (C07).

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::id::Id;
use crate::limits::{Limits, MAX_BATCH, MAX_METHOD_BYTES};
use crate::method::Call;
use crate::params::{self, Params};
use crate::strict::{Kind, Reason, Refusal, Rules, Scanner, Zone};

/// A body that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Somebody asks and waits for an answer.
    Request(Request<'a>),
    /// Somebody tells and waits for nothing.
    Notification(Call<'a>),
    /// The answer to a request that the other side sent.
    Response(Response<'a>),
    /// Several messages in an array, in their order; never a batch within a batch, never empty.
    Batch(Vec<Message<'a>>),
}

/// A call with the id under which its answer goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The id.
    pub id: Id<'a>,
    /// What is asked.
    pub call: Call<'a>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// The id of the request; `None` only for an error of a server that could not read it.
    pub id: Option<Id<'a>>,
    /// What was answered.
    pub outcome: Outcome<'a>,
}

/// The two kinds of answer, as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// `result`.
    Result(&'a [u8]),
    /// `error`.
    Error(&'a [u8]),
}

impl<'a> Message<'a> {
    /// The messages in it: the elements of a batch, or itself.
    pub fn each(&self) -> std::slice::Iter<'_, Message<'a>> {
        match self {
            Message::Batch(messages) => messages.iter(),
            single => std::slice::from_ref(single).iter(),
        }
    }

    /// What is called, for a request or a notification.
    #[must_use]
    pub fn call(&self) -> Option<&Call<'a>> {
        match self {
            Message::Request(request) => Some(&request.call),
            Message::Notification(call) => Some(call),
            Message::Response(_) | Message::Batch(_) => None,
        }
    }

    /// The id of a request.
    #[must_use]
    pub fn request_id(&self) -> Option<&Id<'a>> {
        match self {
            Message::Request(request) => Some(&request.id),
            Message::Notification(_) | Message::Response(_) | Message::Batch(_) => None,
        }
    }
}

/// Reads what a client sent: one reading, or a refusal.
///
/// # Errors
/// The first fault, with its byte.
pub fn read(body: &[u8], limits: Limits) -> Result<Message<'_>, Refusal> {
    read_under(body, Rules::request(limits))
}

/// Reads what an upstream server sent: strict about the message itself, lenient about what it carries.
///
/// # Errors
/// The first fault, with its byte.
pub fn read_answer(body: &[u8], limits: Limits) -> Result<Message<'_>, Refusal> {
    read_under(body, Rules::answer(limits))
}

fn read_under(body: &[u8], rules: Rules) -> Result<Message<'_>, Refusal> {
    let mut scanner = Scanner::new(body, rules)?;
    let message = match scanner.peek()? {
        Kind::Array => batch(&mut scanner, rules)?,
        _ => single(&mut scanner, rules)?,
    };
    scanner.finish()?;
    Ok(message)
}

fn batch<'a>(scanner: &mut Scanner<'a>, rules: Rules) -> Result<Message<'a>, Refusal> {
    let start = scanner.position();
    let mut messages = Vec::new();
    let mut ids = BTreeSet::new();
    scanner.array(|scanner| {
        scanner.peek()?;
        let at = scanner.position();
        if messages.len() == MAX_BATCH {
            return Err(Reason::BatchTooLong.at(at));
        }
        let message = single(scanner, rules)?;
        if let Message::Request(request) = &message
            && !ids.insert(request.id.clone())
        {
            return Err(Reason::DuplicateId.at(at));
        }
        messages.push(message);
        Ok(())
    })?;
    if messages.is_empty() { Err(Reason::EmptyBatch.at(start)) } else { Ok(Message::Batch(messages)) }
}

fn single<'a>(scanner: &mut Scanner<'a>, rules: Rules) -> Result<Message<'a>, Refusal> {
    if scanner.peek()? != Kind::Object {
        return Err(Reason::WrongType { member: "message" }.at(scanner.position()));
    }
    let start = scanner.position();
    let mut envelope = Envelope::default();
    scanner.object(Zone::Protocol, |scanner, key| envelope.member(scanner, &key, rules))?;
    envelope.into_message().map_err(|reason| reason.at(start))
}

/// The members of a message before it is known which kind it is.
#[derive(Default)]
struct Envelope<'a> {
    is_json_rpc: bool,
    id: Option<Id<'a>>,
    method: Option<Cow<'a, str>>,
    params: Option<Params<'a>>,
    has_params: bool,
    result: Option<&'a [u8]>,
    error: Option<&'a [u8]>,
    null_id: bool,
}

impl<'a> Envelope<'a> {
    fn member(&mut self, scanner: &mut Scanner<'a>, key: &str, rules: Rules) -> Result<(), Refusal> {
        match key {
            "jsonrpc" => {
                let start = scanner.position();
                let version = params::text(scanner, "jsonrpc", usize::MAX)?;
                self.is_json_rpc = version == "2.0";
                if !self.is_json_rpc {
                    return Err(Reason::NotJsonRpc.at(start));
                }
            }
            "id" if rules.is_answer() && scanner.peek()? == Kind::Null => {
                self.null_id = true;
                scanner.skip()?;
            }
            "id" => self.id = Some(Id::read(scanner)?),
            "method" => self.method = Some(params::text(scanner, "method", MAX_METHOD_BYTES)?),
            "params" => {
                self.has_params = true;
                self.params = Params::read(scanner)?;
            }
            "result" => self.result = Some(scanner.skip()?),
            "error" => self.error = Some(error(scanner)?),
            _ if rules.is_answer() => drop(scanner.skip()?),
            _ => return Err(Reason::UnknownMember.at(scanner.position())),
        }
        Ok(())
    }

    fn into_message(self) -> Result<Message<'a>, Reason> {
        if !self.is_json_rpc {
            return Err(Reason::NotJsonRpc);
        }
        let outcome = match (self.method, self.result, self.error) {
            (Some(method), None, None) => {
                let call = Call { method, params: self.params };
                return match self.id {
                    Some(id) => Ok(Message::Request(Request { id, call })),
                    None if self.null_id => Err(Reason::BadId),
                    None => Ok(Message::Notification(call)),
                };
            }
            (None, Some(result), None) if !self.has_params => Outcome::Result(result),
            (None, None, Some(error)) if !self.has_params => Outcome::Error(error),
            _ => return Err(Reason::NeitherRequestNorResponse),
        };
        let unread_request = self.null_id && matches!(outcome, Outcome::Error(_));
        if self.id.is_none() && !unread_request {
            return Err(if self.null_id { Reason::BadId } else { Reason::Missing { member: "id" } });
        }
        Ok(Message::Response(Response { id: self.id, outcome }))
    }
}

fn error<'a>(scanner: &mut Scanner<'a>) -> Result<&'a [u8], Refusal> {
    if scanner.peek()? == Kind::Object {
        return scanner.skip();
    }
    Err(Reason::WrongType { member: "error" }.at(scanner.position()))
}

#[cfg(test)]
mod tests;
