//! List answers, cut down to what a grant may see, without taking them apart.
//!
//! An answer of 300 tools is 90 KB of which a grant may see nine tools. The answer is scanned once, the entries that
//! may not be seen are left out, and everything else is copied as bytes: schemas, unknown members, `nextCursor`. If
//! nothing changes, nothing is copied.
//!
//! Closed is the default. An entry whose name cannot be read, or that has two keys some client takes for one, is left
//! out as if it were forbidden. An answer that is not a list is an error here, not a list of everything. What is not
//! checked is what an entry contains: that is the upstream's word to the client.
//!
//! A filtered answer belongs to one grant. So `cacheScope` becomes `private` whatever the upstream says, and is added
//! in the modern era when the upstream says nothing (specification 2026-07-28, caching).

use std::borrow::Cow;
use std::ops::Range;

use crate::limits::Limits;
use crate::revision::Era;
use crate::strict::{Kind, Refusal, Rules, Scanner, Zone};

mod splice;

use splice::Splices;

/// What `cacheScope` must say of an answer that was made for one grant.
const PRIVATE: &[u8] = b"\"private\"";

/// The lists that are filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListKind {
    /// `tools/list`, by `name`.
    Tools,
    /// `prompts/list`, by `name`.
    Prompts,
    /// `resources/list`, by `uri`.
    Resources,
    /// `resources/templates/list`, by `uriTemplate`.
    ResourceTemplates,
    /// `completion/complete`, by the proposed value.
    Completions,
}

/// An answer after filtering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filtered<'a> {
    /// The answer to send: the one that came, if nothing had to change.
    pub body: Cow<'a, [u8]>,
    /// Entries that stayed.
    pub kept: usize,
    /// Entries that the caller's decision took out.
    pub hidden: usize,
    /// Entries that could not be read and were taken out for it.
    pub unreadable: usize,
}

/// An answer that cannot be filtered and must not be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// The answer is not JSON, or the objects on the way to the list have no one reading.
    #[error("the upstream's answer cannot be read")]
    Unreadable(#[from] Refusal),
    /// The answer has no `result` and no `error`, or both.
    #[error("the upstream's answer is no JSON-RPC response")]
    NotAResponse,
    /// The result has no such array.
    #[error("the upstream's answer has no list `{member}`")]
    NoList {
        /// The member that should hold the entries.
        member: &'static str,
    },
}

impl ListKind {
    /// The list that a method answers with.
    #[must_use]
    pub fn of_method(method: &str) -> Option<ListKind> {
        match method {
            "tools/list" => Some(ListKind::Tools),
            "prompts/list" => Some(ListKind::Prompts),
            "resources/list" => Some(ListKind::Resources),
            "resources/templates/list" => Some(ListKind::ResourceTemplates),
            "completion/complete" => Some(ListKind::Completions),
            _ => None,
        }
    }

    /// The member of the result (for completions: of `completion`) that holds the entries.
    #[must_use]
    pub fn member(self) -> &'static str {
        match self {
            ListKind::Tools => "tools",
            ListKind::Prompts => "prompts",
            ListKind::Resources => "resources",
            ListKind::ResourceTemplates => "resourceTemplates",
            ListKind::Completions => "values",
        }
    }

    /// The member of an entry that is decided about; `None` where the entry itself is the text.
    fn entry_key(self) -> Option<&'static str> {
        match self {
            ListKind::Tools | ListKind::Prompts => Some("name"),
            ListKind::Resources => Some("uri"),
            ListKind::ResourceTemplates => Some("uriTemplate"),
            ListKind::Completions => None,
        }
    }
}

/// Leaves out of the answer `body` what `allow` does not allow. `allow` is asked once for each readable entry, with
/// the exact text of its name, URI, template or value. An error answer passes as it is.
///
/// # Errors
/// When the answer is not a readable list; it must not be passed on then.
pub fn filter<'a>(
    body: &'a [u8],
    kind: ListKind,
    era: Era,
    limits: Limits,
    mut allow: impl FnMut(ListKind, &str) -> bool,
) -> Result<Filtered<'a>, ListFault> {
    let mut edit = Edit::default();
    let shape = edit.response(body, limits, |edit, scanner, key| match (kind, key) {
        (ListKind::Completions, "completion") => edit.completion(scanner, &mut allow),
        (ListKind::Completions, _) => scanner.skip().map(drop),
        (_, key) if key == kind.member() => edit.list(scanner, kind, &mut allow),
        _ => scanner.skip().map(drop),
    })?;
    if let Shape::Result { end, is_empty } = shape {
        if !edit.found_list {
            return Err(ListFault::NoList { member: kind.member() });
        }
        if kind != ListKind::Completions {
            edit.default_scope(era, end, is_empty);
        }
    }
    Ok(Filtered {
        body: edit.splices.apply(body),
        kept: edit.kept,
        hidden: edit.hidden,
        unreadable: edit.unreadable,
    })
}

/// Makes the answer `body` private to its client and changes nothing else: for `server/discover` and
/// `resources/read`, whose results are cacheable but no lists.
///
/// # Errors
/// When the answer is not a readable response.
pub fn make_private(body: &[u8], era: Era, limits: Limits) -> Result<Cow<'_, [u8]>, ListFault> {
    let mut edit = Edit::default();
    let shape = edit.response(body, limits, |_, scanner, _| scanner.skip().map(drop))?;
    if let Shape::Result { end, is_empty } = shape {
        edit.default_scope(era, end, is_empty);
    }
    Ok(edit.splices.apply(body))
}

/// What kind of response was found.
enum Shape {
    /// An error, which is passed on untouched.
    Error,
    /// A result object.
    Result {
        /// Offset of its closing brace.
        end: usize,
        /// Whether it has no members.
        is_empty: bool,
    },
}

/// What was learnt of an answer on one way through it.
#[derive(Default)]
struct Edit {
    splices: Splices,
    found_list: bool,
    found_scope: bool,
    kept: usize,
    hidden: usize,
    unreadable: usize,
}

impl Edit {
    /// Reads a whole response; `member` is called for each member of the result except `cacheScope`.
    fn response<F>(&mut self, body: &[u8], limits: Limits, mut member: F) -> Result<Shape, ListFault>
    where
        F: FnMut(&mut Self, &mut Scanner<'_>, &str) -> Result<(), Refusal>,
    {
        let mut scanner = Scanner::new(body, Rules::answer(limits))?;
        let mut result = None;
        let mut has_error = false;
        scanner.object(Zone::Protocol, |scanner, key| {
            match &*key {
                "result" => result = Some(self.result(scanner, &mut member)?),
                "error" => {
                    has_error = true;
                    scanner.skip()?;
                }
                _ => drop(scanner.skip()?),
            }
            Ok(())
        })?;
        scanner.finish()?;
        match (result, has_error) {
            (Some(shape), false) => Ok(shape),
            (None, true) => Ok(Shape::Error),
            _ => Err(ListFault::NotAResponse),
        }
    }

    fn result<F>(&mut self, scanner: &mut Scanner<'_>, member: &mut F) -> Result<Shape, Refusal>
    where
        F: FnMut(&mut Self, &mut Scanner<'_>, &str) -> Result<(), Refusal>,
    {
        let mut is_empty = true;
        scanner.object(Zone::Protocol, |scanner, key| {
            is_empty = false;
            if key == "cacheScope" {
                self.found_scope = true;
                let value = scanner.skip()?;
                if value != PRIVATE {
                    let end = scanner.position();
                    self.splices.replace(end - value.len()..end, PRIVATE.into());
                }
                return Ok(());
            }
            member(self, scanner, &key)
        })?;
        Ok(Shape::Result { end: scanner.position() - 1, is_empty })
    }

    /// Adds `cacheScope` at the end of a modern result that has none.
    fn default_scope(&mut self, era: Era, end: usize, is_empty: bool) {
        if era == Era::Modern && !self.found_scope {
            let comma = if is_empty { "" } else { "," };
            self.splices.replace(end..end, format!("{comma}\"cacheScope\":\"private\"").into_bytes());
        }
    }

    fn completion(
        &mut self,
        scanner: &mut Scanner<'_>,
        allow: &mut impl FnMut(ListKind, &str) -> bool,
    ) -> Result<(), Refusal> {
        scanner.object(Zone::Protocol, |scanner, key| match &*key {
            "values" => self.list(scanner, ListKind::Completions, allow),
            _ => scanner.skip().map(drop),
        })
    }

    /// Reads the array of entries and cuts out those that may not be seen.
    fn list(
        &mut self,
        scanner: &mut Scanner<'_>,
        kind: ListKind,
        allow: &mut impl FnMut(ListKind, &str) -> bool,
    ) -> Result<(), Refusal> {
        if scanner.peek()? != Kind::Array {
            return scanner.skip().map(drop);
        }
        self.found_list = true;
        let inside = scanner.position() + 1;
        // Runs of entries that stay, so that what lies between two neighbours is copied with them.
        let mut runs: Vec<Range<usize>> = Vec::new();
        let mut extend = false;
        scanner.array(|scanner| {
            scanner.peek()?;
            let start = scanner.position();
            let stays = match entry(scanner, kind)? {
                None => {
                    self.unreadable += 1;
                    false
                }
                Some(text) if allow(kind, &text) => {
                    self.kept += 1;
                    true
                }
                Some(_) => {
                    self.hidden += 1;
                    false
                }
            };
            if stays {
                let end = scanner.position();
                match runs.last_mut() {
                    Some(run) if extend => run.end = end,
                    _ => runs.push(start..end),
                }
            }
            extend = stays;
            Ok(())
        })?;
        if self.hidden + self.unreadable > 0 {
            self.splices.keep_only(inside..scanner.position() - 1, runs);
        }
        Ok(())
    }
}

/// Reads one entry and returns what is decided about, if it can be read.
fn entry<'a>(scanner: &mut Scanner<'a>, kind: ListKind) -> Result<Option<Cow<'a, str>>, Refusal> {
    let Some(wanted) = kind.entry_key() else { return text(scanner) };
    if scanner.peek()? != Kind::Object {
        scanner.skip()?;
        return Ok(None);
    }
    let mut found = None;
    let fault = scanner.object_or_fault(Zone::Protocol, |scanner, key| {
        if key == wanted {
            found = text(scanner)?;
            return Ok(());
        }
        scanner.skip().map(drop)
    })?;
    Ok(if fault.is_none() { found } else { None })
}

/// Reads one value, and returns its text if it is a string with one reading.
fn text<'a>(scanner: &mut Scanner<'a>) -> Result<Option<Cow<'a, str>>, Refusal> {
    if scanner.peek()? != Kind::String {
        scanner.skip()?;
        return Ok(None);
    }
    let span = scanner.string()?;
    Ok(scanner.decode(span))
}

#[cfg(test)]
mod tests;
