//! Issues a grant, or a sub-grant of one. Widening.

use std::sync::Arc;

use super::{Class, Handle, Rejected, Rejection};
use crate::{
    authority::Authority,
    event::Event,
    grant::{self, Grant, MAX_DEPTH, MAX_LABEL_BYTES, TokenHash, Tokens},
    principal,
    scope::{MAX_PATTERNS, MAX_SCOPES, Scope},
    server::Status,
    time::Wall,
};

/// Issues a grant, or a sub-grant of one. Widening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueGrant {
    /// The id, drawn at the border.
    pub grant: grant::Id,
    /// Whose right it is.
    pub principal: principal::Id,
    /// What people call it.
    pub label: Arc<str>,
    /// The grant it is made from.
    pub parent: Option<grant::Id>,
    /// What it reaches.
    pub scopes: Vec<Scope>,
    /// Not honoured before; `None` means at once.
    pub not_before: Option<Wall>,
    /// Not honoured from here on.
    pub expires_at: Option<Wall>,
    /// The hash of its token.
    pub token: TokenHash,
}

impl Handle for IssueGrant {
    fn class(&self) -> Class {
        Class::Widening
    }

    fn name(&self) -> &'static str {
        "issue_grant"
    }

    fn subject(&self) -> String {
        format!("grants/{}", self.grant)
    }

    fn decide(&self, state: &Authority, now: Wall) -> Result<Vec<Event>, Rejected> {
        let about = format_args!("grants/{}", self.grant);
        if state.grants.contains_key(&self.grant) {
            return Err(Rejection::AlreadyExists.about(about));
        }
        if state.tokens.contains_key(&self.token) {
            return Err(Rejection::TokenInUse.about(about));
        }
        if !state.principals.contains_key(&self.principal) {
            return Err(Rejection::NotFound.about(format_args!("principals/{}", self.principal)));
        }
        self.scopes_are_good(state)?;
        let not_before = self.not_before.unwrap_or(now);
        if self.expires_at.is_some_and(|expires_at| expires_at <= not_before.max(now)) {
            return Err(Rejection::TimesContradict.about(about));
        }
        if let Some(parent) = self.parent {
            self.is_within(state, parent, now)?;
        }
        Ok(vec![Event::GrantIssued(Grant {
            id: self.grant,
            principal: self.principal.clone(),
            label: Arc::clone(&self.label),
            parent: self.parent,
            scopes: self.scopes.clone().into(),
            issued_at: now,
            not_before,
            expires_at: self.expires_at,
            tokens: Tokens { current: self.token, previous: None },
            revoked_at: None,
        })])
    }
}

impl IssueGrant {
    fn scopes_are_good(&self, state: &Authority) -> Result<(), Rejected> {
        let many = |scope: &Scope| {
            [&scope.tools, &scope.prompts, &scope.resources].iter().any(|list| list.len() > MAX_PATTERNS)
        };
        if self.label.len() > MAX_LABEL_BYTES
            || self.scopes.len() > MAX_SCOPES
            || self.scopes.iter().any(many)
        {
            return Err(Rejection::OutOfBounds.about("the label, the scopes or the patterns of the grant"));
        }
        for scope in &self.scopes {
            let server = state.servers.get(&scope.server).filter(|server| server.status != Status::Removed);
            if server.is_none() {
                return Err(Rejection::NotFound.about(format_args!("servers/{}", scope.server)));
            }
        }
        Ok(())
    }

    /// A sub-grant reaches nothing its parent does not, ends no later, and hangs on a live grant. The decision
    /// intersects along the path anyway; this tells the issuer at once.
    fn is_within(&self, state: &Authority, parent: grant::Id, now: Wall) -> Result<(), Rejected> {
        let about = format_args!("grants/{parent}");
        let held = state.grants.get(&parent).ok_or_else(|| Rejection::NotFound.about(about))?;
        if state.path(parent).any(|grant| grant.revoked_at.is_some()) {
            return Err(Rejection::GrantRevoked.about(about));
        }
        if state.path(parent).count() >= MAX_DEPTH {
            return Err(Rejection::TooDeep.about(format_args!("grants/{}", self.grant)));
        }
        let ends_later = held.expires_at.is_some_and(|ends| self.expires_at.is_none_or(|own| own > ends));
        let covered = |scope: &Scope| held.scopes.iter().any(|wide| wide.covers(scope));
        if ends_later || !self.scopes.iter().all(covered) {
            return Err(Rejection::WiderThanParent.about(format_args!("grants/{}", self.grant)));
        }
        match held.expires_at {
            Some(ends) if ends <= now => Err(Rejection::TimesContradict.about(about)),
            _ => Ok(()),
        }
    }
}
