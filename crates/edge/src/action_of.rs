//! The action that a call asks for: the words of the wire turned into the words of a grant.

use authority::action::{Action, Kind};
use mcp::{
    lists::ListKind,
    method::{Call, Target, TargetMissing},
};

/// What `call` asks for.
///
/// # Errors
/// When the call does not name what it is for, so that there is nothing to decide about.
pub(crate) fn action_of(call: &Call<'_>) -> Result<Action, TargetMissing> {
    Ok(match call.target()? {
        Target::Protocol => Action::Converse,
        Target::List(ListKind::Tools) => Action::List(Kind::Tool),
        Target::List(ListKind::Prompts) => Action::List(Kind::Prompt),
        Target::List(ListKind::Resources) => Action::List(Kind::Resource),
        Target::List(ListKind::ResourceTemplates) => Action::List(Kind::ResourceTemplate),
        // A completion is decided by what it completes, and `Call::target` answers that.
        Target::List(ListKind::Completions) | Target::Unknown => Action::Unknown,
        Target::Tool(name) => using(Kind::Tool, name),
        Target::Prompt(name) => using(Kind::Prompt, name),
        Target::Resource(uri) => using(resource_kind(call, uri), uri),
        Target::Resources([]) => Action::Converse,
        Target::Resources(uris) => Action::Each(uris.iter().map(|uri| using(Kind::Resource, uri)).collect()),
    })
}

/// What a record shows as the target of `call`.
pub(crate) fn shown_target(call: &Call<'_>) -> Option<String> {
    match call.target().ok()? {
        Target::Tool(name) | Target::Prompt(name) | Target::Resource(name) => Some(name.to_owned()),
        Target::Resources(uris) if !uris.is_empty() => Some(uris.join(" ")),
        Target::Resources(_) | Target::Protocol | Target::List(_) | Target::Unknown => None,
    }
}

/// A completion may name a template by its text; everything else names a resource.
fn resource_kind(call: &Call<'_>, uri: &str) -> Kind {
    let is_template = call.method == "completion/complete" && uri.contains('{');
    if is_template { Kind::ResourceTemplate } else { Kind::Resource }
}

fn using(kind: Kind, name: &str) -> Action {
    Action::Use { kind, name: name.into() }
}
