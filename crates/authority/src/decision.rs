//! The decision about one call: who may call what.
//!
//! It is silent: it reads a view and answers. Recording, logging and counting are the edge's. Every way out but the
//! last is a denial with its own reason, so that forgetting a case can only deny.

use std::sync::Arc;

use crate::{
    action::{Action, Kind},
    denial::{Denial, Reason, Rule},
    enforcement::{Call, Lease, Registered},
    grant::{self, Grant},
    halted::Halt,
    permit::{Facts, Permit},
    resource_uri,
    server::{self, Server, Status},
    time::{Now, Wall},
    view::View,
};

/// Decides a call that is registered in flight. A permit comes from here only.
///
/// `view` must have been loaded, and `now` and `lease` read, after the call was registered: then either the decision
/// sees a change or the change's cut sees the call. [`crate::enforcement::Gate::admit`] keeps that order.
pub fn decide(view: &View, registered: &Registered, now: Now, lease: Lease) -> Result<Permit, Denial> {
    if !lease.covers(now.boot) {
        return Err(Denial { reason: Reason::LeaseExpired, rule: Rule::Node });
    }
    let call = registered.call();
    let reached = reach(view, call, now.wall)?;
    let credential = reached.server.credential.as_ref().and_then(|id| view.credential(id));
    registered.attach(credential.map(|credential| credential.id.clone()));
    Ok(Permit::new(Facts {
        grant: call.grant,
        principal: reached.grant.principal.clone(),
        server: Arc::clone(reached.server),
        credential: credential.cloned(),
        revision: view.revision(),
        decided_at: now.boot,
        expires_at: reached.expires_at,
        mark: Arc::clone(registered.mark()),
    }))
}

/// Whether a call in flight would still be allowed. This is what a newly published view cuts by.
pub fn still_allowed(view: &View, call: &Call, wall: Wall) -> Result<(), Denial> {
    reach(view, call, wall).map(drop)
}

/// Whether a grant may see one named thing in a list: exactly whether it may use it.
pub fn may_see(view: &View, grant: grant::Id, server: &server::Id, kind: Kind, name: &str) -> bool {
    let mut at_root = false;
    for grant in view.path(grant) {
        if !reaches(grant, server, kind, name) {
            return false;
        }
        at_root = grant.parent.is_none();
    }
    at_root
}

/// What an allowed call reaches.
struct Reached<'view> {
    grant: &'view Arc<Grant>,
    server: &'view Arc<Server>,
    expires_at: Option<Wall>,
}

fn reach<'view>(view: &'view View, call: &Call, wall: Wall) -> Result<Reached<'view>, Denial> {
    let not_current = Denial { reason: Reason::TokenNotCurrent, rule: Rule::Grant(call.grant) };
    // The call knows its grant, and the grant its tokens: no second look into the index of tokens.
    let found = view.grant(&call.grant);
    let opened = found.and_then(|grant| Some((grant, view.opens(&call.token, grant, wall)?)));
    let (grant, opened) = opened.ok_or(not_current)?;
    let now = view.judged_at(wall);
    let (mut expires_at, mut at_root) = (opened.until, false);
    for step in view.path_from(grant) {
        grant_is_live(step, now)?;
        principal_is_active(view, step)?;
        scope_reaches(step, call)?;
        expires_at = earlier(expires_at, step.expires_at);
        at_root = step.parent.is_none();
    }
    // No command leaves a path without its root; should a state have one all the same, nothing vouches for the rest.
    if !at_root {
        return Err(Denial { reason: Reason::GrantRevoked, rule: Rule::Grant(call.grant) });
    }
    let server = view.server(&call.server).filter(|server| server.status == Status::Enabled);
    let disabled = || Denial { reason: Reason::ServerDisabled, rule: Rule::Server(call.server.clone()) };
    Ok(Reached { grant, server: server.ok_or_else(disabled)?, expires_at })
}

fn grant_is_live(grant: &Grant, now: Wall) -> Result<(), Denial> {
    let reason = if grant.revoked_at.is_some() {
        Reason::GrantRevoked
    } else if grant.expires_at.is_some_and(|expires_at| expires_at <= now) {
        Reason::GrantExpired
    } else if now < grant.not_before {
        Reason::GrantNotYetValid
    } else {
        return Ok(());
    };
    Err(Denial { reason, rule: Rule::Grant(grant.id) })
}

fn principal_is_active(view: &View, grant: &Grant) -> Result<(), Denial> {
    let Some(halt) = view.authority().halt_of(&grant.principal) else { return Ok(()) };
    Err(match halt {
        Halt::Itself => {
            Denial { reason: Reason::PrincipalSuspended, rule: Rule::Principal(grant.principal.clone()) }
        }
        Halt::Owner(owner) => Denial { reason: Reason::OwnerSuspended, rule: Rule::Principal(owner.clone()) },
    })
}

fn scope_reaches(grant: &Grant, call: &Call) -> Result<(), Denial> {
    let denied = |reason| Denial { reason, rule: Rule::Scopes(grant.id) };
    if !grant.scopes.iter().any(|scope| scope.server == call.server) {
        return Err(denied(Reason::ServerOutOfScope));
    }
    match &call.action {
        Action::Each(actions) => {
            actions.iter().try_for_each(|action| action_is_in_scope(grant, &call.server, action))
        }
        single => action_is_in_scope(grant, &call.server, single),
    }
}

fn action_is_in_scope(grant: &Grant, server: &server::Id, action: &Action) -> Result<(), Denial> {
    let denied = |reason| Denial { reason, rule: Rule::Scopes(grant.id) };
    match action {
        Action::Converse | Action::List(_) => Ok(()),
        // A nested list of actions is made by nobody, so it is refused like whatever is not known.
        Action::Unknown | Action::Each(_) => Err(denied(Reason::MethodNotKnown)),
        Action::Use { kind, name } if reaches(grant, server, *kind, name) => Ok(()),
        Action::Use { kind: Kind::Resource, name } if !resource_uri::is_normal(name) => {
            Err(denied(Reason::ResourceUriNotNormal))
        }
        Action::Use { kind, .. } => Err(denied(Reason::out_of_scope(*kind))),
    }
}

fn reaches(grant: &Grant, server: &server::Id, kind: Kind, name: &str) -> bool {
    grant.scopes.iter().any(|scope| scope.server == *server && scope.reaches(kind, name))
}

fn earlier(a: Option<Wall>, b: Option<Wall>) -> Option<Wall> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Scope;

    fn reads_only() -> (Grant, server::Id) {
        let server = server::Id::parse("files").expect("a name");
        let reads = crate::pattern::Pattern::parse("read*").expect("a pattern");
        let scope =
            Scope { server: server.clone(), tools: vec![reads], prompts: Vec::new(), resources: Vec::new() };
        let tokens = grant::Tokens { current: grant::TokenHash([0; 32]), previous: None };
        let grant = Grant {
            id: grant::Id([0; 16]),
            principal: crate::principal::Id::parse("ana").expect("a name"),
            label: "".into(),
            parent: None,
            scopes: [scope].into(),
            issued_at: Wall(0),
            not_before: Wall(0),
            expires_at: None,
            tokens,
            revoked_at: None,
        };
        (grant, server)
    }

    #[test]
    fn c06_several_actions_at_once_are_allowed_only_if_each_is() {
        let (grant, server) = reads_only();
        let tool = |name: &str| Action::Use { kind: Kind::Tool, name: name.into() };
        let decided = |actions: &[Action]| {
            let (token, server) = (grant.tokens.current, server.clone());
            let call = Call { token, grant: grant.id, server, action: Action::Each(actions.into()) };
            scope_reaches(&grant, &call).map_err(|denial| denial.reason)
        };
        assert_eq!(decided(&[tool("read_a"), Action::Converse, tool("read_b")]), Ok(()));
        assert_eq!(decided(&[tool("read_a"), tool("write_a")]), Err(Reason::ToolOutOfScope));
        assert_eq!(decided(&[tool("write_a"), tool("read_a")]), Err(Reason::ToolOutOfScope));
        assert_eq!(decided(&[Action::Each([].into())]), Err(Reason::MethodNotKnown));
    }

    #[test]
    fn a_grant_whose_path_has_no_root_is_denied() {
        let (orphan, server) = reads_only();
        let orphan = Arc::new(Grant { parent: Some(grant::Id([9; 16])), ..orphan });
        let ana = crate::principal::Principal {
            id: orphan.principal.clone(),
            kind: crate::principal::Kind::Person,
            display_name: "".into(),
            groups: std::collections::BTreeSet::new(),
            suspended: false,
        };
        let parts = crate::snapshot::Parts {
            principals: vec![ana.into()],
            grants: vec![Arc::clone(&orphan)],
            ..Default::default()
        };
        let view = View::new(crate::snapshot::from_parts(parts), crate::event::Revision(1));
        let call = Call {
            token: orphan.tokens.current,
            grant: orphan.id,
            server: server.clone(),
            action: Action::Use { kind: Kind::Tool, name: "read_a".into() },
        };
        let denied = still_allowed(&view, &call, Wall(1)).expect_err("nothing vouches for it");
        assert_eq!(denied.reason, Reason::GrantRevoked);
        assert!(!may_see(&view, orphan.id, &server, Kind::Tool, "read_a"));
    }
}
