//! What a call reaches: the method and the one member of `params` that names its target.
//!
//! This is the table that `authority` is asked about. Methods are compared exactly; a method that is not in the
//! table is [`Target::Unknown`], which nobody is granted. Server-to-client methods (`sampling/createMessage` and its
//! like) are not in it, because a client has no business calling them.

use std::borrow::Cow;

use crate::lists::ListKind;
use crate::params::Params;

/// A method and what it was called with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<'a> {
    /// The method, exactly as sent.
    pub method: Cow<'a, str>,
    /// Its parameters, if there are any.
    pub params: Option<Params<'a>>,
}

/// What a call reaches, in the words that a grant's scopes use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'c> {
    /// Nothing a scope could name: handshake, liveness, log level, progress, cancellation.
    Protocol,
    /// A page of a list; its entries are filtered on the way back.
    List(ListKind),
    /// `tools/call` of this tool.
    Tool(&'c str),
    /// `prompts/get` or a completion for this prompt.
    Prompt(&'c str),
    /// Reading, following or completing this resource (for a completion it may be a template).
    Resource(&'c str),
    /// `subscriptions/listen` to these resources, besides list changes.
    Resources(&'c [Cow<'c, str>]),
    /// A method this gateway does not know.
    Unknown,
}

/// A call that does not say what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`params.{member}` is missing")]
pub struct TargetMissing {
    /// The member that would have named the target.
    pub member: &'static str,
}

impl Call<'_> {
    /// What the call reaches.
    ///
    /// # Errors
    /// When the method needs a name or URI and none is given: there is nothing to decide about.
    pub fn target(&self) -> Result<Target<'_>, TargetMissing> {
        let params = self.params.as_ref();
        let name = || named(params.and_then(|params| params.name.as_ref()), "name");
        let uri = || named(params.and_then(|params| params.uri.as_ref()), "uri");
        match ListKind::of_method(&self.method) {
            Some(ListKind::Completions) => return self.completion_target(),
            Some(kind) => return Ok(Target::List(kind)),
            None => {}
        }
        match &*self.method {
            "tools/call" => Ok(Target::Tool(name()?)),
            "prompts/get" => Ok(Target::Prompt(name()?)),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
                Ok(Target::Resource(uri()?))
            }
            "subscriptions/listen" => {
                Ok(Target::Resources(params.map_or(&[], |params| params.subscriptions.as_slice())))
            }
            "initialize"
            | "server/discover"
            | "ping"
            | "logging/setLevel"
            | "notifications/initialized"
            | "notifications/cancelled"
            | "notifications/progress"
            | "notifications/roots/list_changed" => Ok(Target::Protocol),
            _ => Ok(Target::Unknown),
        }
    }

    /// The value that `Mcp-Name` mirrors (specification 2026-07-28, Streamable HTTP).
    #[must_use]
    pub fn mirrored_name(&self) -> Option<&str> {
        let params = self.params.as_ref()?;
        match &*self.method {
            "tools/call" | "prompts/get" => params.name.as_deref(),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => params.uri.as_deref(),
            _ => None,
        }
    }

    /// `completion/complete` reaches what its `ref` names.
    fn completion_target(&self) -> Result<Target<'_>, TargetMissing> {
        let reference = self.params.as_ref().and_then(|params| params.reference.as_ref());
        let Some(reference) = reference else { return Err(TargetMissing { member: "ref" }) };
        match reference.kind.as_deref() {
            Some("ref/prompt") => Ok(Target::Prompt(named(reference.name.as_ref(), "ref.name")?)),
            Some("ref/resource") => Ok(Target::Resource(named(reference.uri.as_ref(), "ref.uri")?)),
            _ => Err(TargetMissing { member: "ref.type" }),
        }
    }
}

fn named<'c>(value: Option<&'c Cow<'_, str>>, member: &'static str) -> Result<&'c str, TargetMissing> {
    value.map(|text| &**text).ok_or(TargetMissing { member })
}
