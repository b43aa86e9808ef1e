//! A naive model of the decision, written from the design and not from the code: every rule is asked of every grant on
//! the path, and all that speak against a call are collected.

use std::collections::BTreeSet;

use authority::{
    Reason,
    action::{Action, Kind},
    grant::{Grant, TokenHash},
    principal::Principal,
    scope::Scope,
    server::{Server, Status},
    time::Wall,
};

/// Everything the decision may look at, as plain lists.
#[derive(Clone, Debug)]
pub struct World {
    pub principals: Vec<Principal>,
    pub servers: Vec<Server>,
    pub grants: Vec<Grant>,
    pub time: Wall,
}

/// A call, and when it is decided.
#[derive(Clone, Debug)]
pub struct Question {
    pub token: TokenHash,
    /// The place of its grant in the list.
    pub grant: usize,
    pub server: authority::server::Id,
    pub action: Action,
    pub wall: Wall,
    pub leased: bool,
}

impl World {
    /// Every reason to deny; none means allow.
    pub fn reasons(&self, question: &Question) -> BTreeSet<Reason> {
        let now = self.time.max(question.wall);
        let grant = &self.grants[question.grant];
        let mut reasons = BTreeSet::new();
        let mut deny_if = |denied: bool, reason| {
            if denied {
                reasons.insert(reason);
            }
        };
        deny_if(!question.leased, Reason::LeaseExpired);
        let previous =
            grant.tokens.previous.is_some_and(|(hash, until)| hash == question.token && now < until);
        deny_if(grant.tokens.current != question.token && !previous, Reason::TokenNotCurrent);
        for step in self.path(grant) {
            deny_if(step.revoked_at.is_some(), Reason::GrantRevoked);
            deny_if(step.expires_at.is_some_and(|ends| now >= ends), Reason::GrantExpired);
            deny_if(now < step.not_before, Reason::GrantNotYetValid);
            let principal = self.principals.iter().find(|held| held.id == step.principal);
            deny_if(principal.is_none_or(|held| held.suspended), Reason::PrincipalSuspended);
            if let Some(owner) = principal.and_then(Principal::owner) {
                let owner = self.principals.iter().find(|held| held.id == *owner);
                deny_if(owner.is_none_or(|held| held.suspended), Reason::OwnerSuspended);
            }
            let scopes: Vec<_> = step.scopes.iter().filter(|scope| scope.server == question.server).collect();
            deny_if(scopes.is_empty(), Reason::ServerOutOfScope);
            for action in singles(&question.action) {
                if let Some(reason) = refuses(&scopes, action) {
                    deny_if(true, reason);
                }
            }
        }
        let enabled =
            self.servers.iter().any(|held| held.id == question.server && held.status == Status::Enabled);
        deny_if(!enabled, Reason::ServerDisabled);
        reasons
    }

    fn path<'world>(&'world self, grant: &'world Grant) -> Vec<&'world Grant> {
        let mut path = vec![grant];
        while let Some(parent) = path.last().and_then(|last| last.parent) {
            path.push(self.grants.iter().find(|held| held.id == parent).expect("parents come first"));
        }
        path
    }
}

fn singles(action: &Action) -> Vec<&Action> {
    match action {
        Action::Each(actions) => actions.iter().collect(),
        single => vec![single],
    }
}

/// Why the scopes of one grant on one server do not let an action pass.
fn refuses(scopes: &[&Scope], action: &Action) -> Option<Reason> {
    let (kind, name) = match action {
        Action::List(_) | Action::Converse => return None,
        Action::Unknown | Action::Each(_) => return Some(Reason::MethodNotKnown),
        Action::Use { kind, name } => (*kind, name),
    };
    let normal = kind != Kind::Resource || authority::resource_uri::is_normal(name);
    let patterns = scopes.iter().flat_map(|scope| match kind {
        Kind::Tool => &scope.tools,
        Kind::Prompt => &scope.prompts,
        Kind::Resource | Kind::ResourceTemplate => &scope.resources,
    });
    let mut reaching = patterns.filter(|pattern| matches(pattern.as_str().as_bytes(), name.as_bytes()));
    let reached =
        reaching.any(|pattern| normal || pattern.as_str() == "*" || !pattern.as_str().contains('*'));
    match (reached, normal, kind) {
        (true, _, _) => None,
        (false, false, _) => Some(Reason::ResourceUriNotNormal),
        (false, true, Kind::Tool) => Some(Reason::ToolOutOfScope),
        (false, true, Kind::Prompt) => Some(Reason::PromptOutOfScope),
        (false, true, Kind::Resource | Kind::ResourceTemplate) => Some(Reason::ResourceOutOfScope),
    }
}

/// The definition of a glob, word for word.
pub fn matches(glob: &[u8], text: &[u8]) -> bool {
    match glob.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|taken| matches(rest, &text[taken..])),
        Some((byte, rest)) => text.first() == Some(byte) && matches(rest, &text[1..]),
    }
}
