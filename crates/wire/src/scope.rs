//! The scopes of a grant and their patterns.

use authority::{pattern::Pattern, scope::Scope};

use crate::{
    field,
    malformed::{Flaw, Malformed},
    pb::events::v1::{self as pb, pattern::Form},
    server,
};

pub(crate) fn to_pb(scope: &Scope) -> pb::Scope {
    let patterns = |list: &[Pattern]| list.iter().map(pattern_to_pb).collect();
    pb::Scope {
        server: scope.server.as_str().to_owned(),
        tools: patterns(&scope.tools),
        prompts: patterns(&scope.prompts),
        resources: patterns(&scope.resources),
    }
}

pub(crate) fn from_pb(scope: pb::Scope) -> Result<Scope, Malformed> {
    let patterns = |list: Vec<pb::Pattern>| list.into_iter().map(pattern).collect::<Result<_, _>>();
    Ok(Scope {
        server: server::id("scope.server", &scope.server)?,
        tools: patterns(scope.tools)?,
        prompts: patterns(scope.prompts)?,
        resources: patterns(scope.resources)?,
    })
}

fn pattern_to_pb(pattern: &Pattern) -> pb::Pattern {
    let form = match pattern {
        Pattern::Exact(text) => Form::Exact(text.as_ref().to_owned()),
        Pattern::Glob(text) => Form::Glob(text.as_ref().to_owned()),
    };
    pb::Pattern { form: Some(form) }
}

/// The form says how the text is meant; a text that would be read the other way is refused.
fn pattern(pattern: pb::Pattern) -> Result<Pattern, Malformed> {
    let parse = |what, text: &str| Pattern::parse(text).map_err(|error| Flaw::Pattern(error).of(what));
    match field::required("pattern.form", pattern.form)? {
        Form::Exact(text) => match parse("pattern.exact", &text)? {
            exact @ Pattern::Exact(_) => Ok(exact),
            Pattern::Glob(_) => Err(Flaw::NotNormal.of("pattern.exact")),
        },
        Form::Glob(text) => match parse("pattern.glob", &text)? {
            glob @ Pattern::Glob(_) => Ok(glob),
            Pattern::Exact(_) => Err(Flaw::NotNormal.of("pattern.glob")),
        },
    }
}
