//! Cutting answers down to what the grant may see, page by page and event by event.
//!
//! The view is loaded anew for each answer, so that a change which came while the upstream worked counts. A list answer
//! does not only come where a list was asked for: a resumed GET stream brings answers to earlier requests, and a batch
//! brings several. There the answer is known by its shape, and closed is the default: what cannot be read as one is not
//! passed on. What must stay true: no list of tools, prompts, resources or templates reaches a client unfiltered.

use std::{borrow::Cow, sync::Arc};

use authority::{action::Kind, decision::may_see, enforcement::Gate, grant, server};
use mcp::{
    limits::Limits,
    lists::{self, ListFault, ListKind},
    message::{self, Message, Outcome, Response},
    reply,
    revision::Era,
    strict::{self, Refusal, Rules, Scanner, Zone},
};

use crate::{request::Asked, upstream_error};

/// The lists whose entries a grant's scopes name.
const SCOPED: [ListKind; 4] =
    [ListKind::Tools, ListKind::Prompts, ListKind::Resources, ListKind::ResourceTemplates];

/// What has to be done to the answers of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    /// The answer is this list, or an error.
    List(ListKind),
    /// Any answer may be any list.
    ByShape,
    /// The answer is no list, but must not be kept for others.
    Private,
}

/// The filter of one request.
pub(crate) struct Filter {
    plan: Plan,
    era: Era,
    limits: Limits,
    gate: Arc<Gate>,
    grant: grant::Id,
    server: server::Id,
}

impl Filter {
    /// The filter that the answers to `asked` need, if they need one.
    pub(crate) fn of(
        asked: &Asked,
        gate: &Arc<Gate>,
        (grant, server): (grant::Id, &server::Id),
        max_page_bytes: usize,
    ) -> Option<Self> {
        Some(Self {
            plan: plan_of(asked)?,
            era: asked.revision.era(),
            limits: Limits { bytes: max_page_bytes, ..Limits::RESPONSE },
            gate: Arc::clone(gate),
            grant,
            server: server.clone(),
        })
    }

    /// The most bytes of an answer that this filter reads.
    pub(crate) fn max_bytes(&self) -> usize {
        self.limits.bytes
    }

    /// A whole answer, without what the grant may not see.
    pub(crate) fn answer<'a>(&self, body: &'a [u8]) -> Result<Cow<'a, [u8]>, ListFault> {
        match self.plan {
            Plan::List(kind) => match message::read_answer(body, self.limits)? {
                Message::Response(Response { id, outcome: Outcome::Error(error) }) => {
                    upstream_error::anew(id.as_ref(), error).map(Cow::Owned).ok_or(ListFault::NotAResponse)
                }
                _ => self.list(body, kind),
            },
            Plan::ByShape | Plan::Private => self.message(body),
        }
    }

    /// Whether the answers are, or could be, lists, so that an error among them must not carry one.
    pub(crate) fn is_of_lists(&self) -> bool {
        self.plan != Plan::Private
    }

    /// One message of a stream, without what the grant may not see. Beside the answer a stream carries requests and
    /// notifications of the server, so here too the shape tells.
    pub(crate) fn message<'a>(&self, data: &'a [u8]) -> Result<Cow<'a, [u8]>, ListFault> {
        if data.trim_ascii().is_empty() {
            return Ok(Cow::Borrowed(data));
        }
        let mut scanner = Scanner::new(data, Rules::answer(self.limits))?;
        if scanner.peek()? != strict::Kind::Array {
            return self.single(data);
        }
        let mut elements = Vec::new();
        scanner.array(|scanner| {
            elements.push(scanner.skip()?);
            Ok(())
        })?;
        scanner.finish()?;
        let filtered: Vec<_> =
            elements.into_iter().map(|element| self.single(element)).collect::<Result<_, _>>()?;
        Ok(Cow::Owned(reply::batch(&filtered)))
    }

    fn single<'a>(&self, data: &'a [u8]) -> Result<Cow<'a, [u8]>, ListFault> {
        let Message::Response(response) = message::read_answer(data, self.limits)? else {
            return Ok(Cow::Borrowed(data));
        };
        let result = match response.outcome {
            Outcome::Result(result) => result,
            Outcome::Error(error) if self.may_carry_a_list(error)? => {
                let anew = upstream_error::anew(response.id.as_ref(), error);
                return anew.map(Cow::Owned).ok_or(ListFault::NotAResponse);
            }
            Outcome::Error(_) => return Ok(Cow::Borrowed(data)),
        };
        let mut filtered = Cow::Borrowed(data);
        for kind in lists_in(result, self.limits)? {
            filtered = Cow::Owned(self.list(&filtered, kind)?.into_owned());
        }
        if self.plan == Plan::Private {
            filtered = Cow::Owned(lists::make_private(&filtered, self.era, self.limits)?.into_owned());
        }
        Ok(filtered)
    }

    /// Whether an error's `data` could be a list. Where any answer may come, errors that ask the client for something
    /// in their `data` come too, so there the shape of it tells.
    fn may_carry_a_list(&self, error: &[u8]) -> Result<bool, ListFault> {
        let error = upstream_error::read(error).ok_or(ListFault::NotAResponse)?;
        let Some(data) = error.data else { return Ok(false) };
        Ok(match self.plan {
            Plan::List(_) => true,
            Plan::ByShape => data.starts_with(b"[") || !lists_in(data, self.limits)?.is_empty(),
            Plan::Private => false,
        })
    }

    fn list<'a>(&self, body: &'a [u8], kind: ListKind) -> Result<Cow<'a, [u8]>, ListFault> {
        let view = self.gate.view();
        let seen = |kind: ListKind, name: &str| match (&view, scoped(kind)) {
            (Some(view), Some(kind)) => may_see(view, self.grant, &self.server, kind, name),
            (None, _) | (_, None) => false,
        };
        let filtered = lists::filter(body, kind, self.era, self.limits, seen)?;
        tracing::debug!(
            kept = filtered.kept,
            hidden = filtered.hidden,
            unreadable = filtered.unreadable,
            list = kind.member(),
            "a list was filtered"
        );
        Ok(filtered.body)
    }
}

fn plan_of(asked: &Asked) -> Option<Plan> {
    let list = |method: &str| ListKind::of_method(method).filter(|kind| SCOPED.contains(kind));
    let Some(part) = asked.single() else {
        return asked.parts.iter().any(|part| list(&part.method).is_some()).then_some(Plan::ByShape);
    };
    if asked.is_stream() {
        return Some(Plan::ByShape);
    }
    let cacheable = matches!(&*part.method, "server/discover" | "resources/read");
    let private = cacheable && asked.revision.era() == Era::Modern;
    list(&part.method).map(Plan::List).or(private.then_some(Plan::Private))
}

/// What of a grant's scopes an entry of the list is judged by. A completion proposes values, not things a scope could
/// name; it was decided by what it completes, and is not filtered.
fn scoped(kind: ListKind) -> Option<Kind> {
    match kind {
        ListKind::Tools => Some(Kind::Tool),
        ListKind::Prompts => Some(Kind::Prompt),
        ListKind::Resources => Some(Kind::Resource),
        ListKind::ResourceTemplates => Some(Kind::ResourceTemplate),
        ListKind::Completions => None,
    }
}

/// The lists that a result holds.
fn lists_in(result: &[u8], limits: Limits) -> Result<Vec<ListKind>, Refusal> {
    let mut found = Vec::new();
    let mut scanner = Scanner::new(result, Rules::answer(limits))?;
    if scanner.peek()? != strict::Kind::Object {
        return Ok(found);
    }
    scanner.object(Zone::Protocol, |scanner, key| {
        let is_array = scanner.peek()? == strict::Kind::Array;
        found.extend(SCOPED.into_iter().filter(|kind| is_array && *key == *kind.member()));
        scanner.skip().map(drop)
    })?;
    Ok(found)
}
