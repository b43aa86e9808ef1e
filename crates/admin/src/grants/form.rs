//! A grant as the API writes it, and a scope as it reads one. Whether a grant is honoured is told by the same rules as
//! a call is decided by: along the whole path to the root, at the later of the cluster's and the local clock.

use authority::{View, grant::Grant, scope::Scope, time::Wall};
use wire::pb::admin::v1 as pb;

use crate::{
    instants::timestamp,
    parse::{self, Invalid},
};

/// What a grant is to reach on one server.
pub(super) fn scope(said: &pb::Scope) -> Result<Scope, Invalid> {
    Ok(Scope {
        server: parse::server("grant.scopes.server", &said.server)?,
        tools: parse::patterns("grant.scopes.tools", &said.tools)?,
        prompts: parse::patterns("grant.scopes.prompts", &said.prompts)?,
        resources: parse::patterns("grant.scopes.resources", &said.resources)?,
    })
}

/// A grant as it is now, without its token.
pub(super) fn form(view: &View, grant: &Grant, wall: Wall) -> pb::Grant {
    let now = view.judged_at(wall);
    let previous = grant.tokens.previous.map(|(_, until)| until).filter(|until| now < *until);
    pb::Grant {
        name: format!("grants/{}", grant.id),
        principal: format!("principals/{}", grant.principal),
        label: grant.label.to_string(),
        parent: grant.parent.map(|id| format!("grants/{id}")).unwrap_or_default(),
        scopes: grant.scopes.iter().map(scope_form).collect(),
        issue_time: Some(timestamp(grant.issued_at)),
        start_time: Some(timestamp(grant.not_before)),
        expire_time: grant.expires_at.map(timestamp),
        revoke_time: grant.revoked_at.map(timestamp),
        previous_token_expire_time: previous.map(timestamp),
        state: honoured(view, grant, now).into(),
    }
}

/// Whether the grant is honoured. What is final comes first: revoked, then expired.
fn honoured(view: &View, grant: &Grant, now: Wall) -> pb::GrantState {
    let any = |holds: &dyn Fn(&Grant) -> bool| view.path(grant.id).any(|step| holds(step));
    if any(&|step| step.revoked_at.is_some()) {
        pb::GrantState::Revoked
    } else if any(&|step| step.expires_at.is_some_and(|ends| ends <= now)) {
        pb::GrantState::Expired
    } else if any(&|step| is_suspended(view, step)) {
        pb::GrantState::Suspended
    } else if any(&|step| now < step.not_before) {
        pb::GrantState::Pending
    } else {
        pb::GrantState::Live
    }
}

fn is_suspended(view: &View, grant: &Grant) -> bool {
    let Some(principal) = view.principal(&grant.principal) else { return true };
    let owner_is = |owner| view.principal(owner).is_none_or(|owner| owner.suspended);
    principal.suspended || principal.owner().is_some_and(owner_is)
}

fn scope_form(scope: &Scope) -> pb::Scope {
    let texts = |patterns: &[authority::pattern::Pattern]| patterns.iter().map(ToString::to_string).collect();
    pb::Scope {
        server: format!("servers/{}", scope.server),
        tools: texts(&scope.tools),
        prompts: texts(&scope.prompts),
        resources: texts(&scope.resources),
    }
}
