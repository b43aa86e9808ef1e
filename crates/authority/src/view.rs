//! The view: the authority as a reader sees it, whole and unchanging. Readers take it from a cell and never wait.

use std::sync::Arc;

use crate::{
    authority::Authority,
    credential::{self, Credential},
    event::Revision,
    grant::{self, Grant, TokenHash},
    node::{self, Node},
    operator::{self, Operator},
    principal::{self, Principal},
    server::{self, Server},
    time::Wall,
};

/// The state at one revision.
#[derive(Clone, Debug)]
pub struct View {
    state: Authority,
    revision: Revision,
}

/// A token opens a grant.
pub(crate) struct Opened {
    /// Until when, for the token before a rotation; the current one has no end of its own.
    pub(crate) until: Option<Wall>,
}

impl View {
    /// The view of `state` after the entry `revision` was applied.
    pub fn new(state: Authority, revision: Revision) -> Self {
        Self { state, revision }
    }

    /// The index of the last applied entry.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The state behind the view.
    pub fn authority(&self) -> &Authority {
        &self.state
    }

    /// The grant that a token opens now: its current token, or the one before while that is still honoured.
    pub fn grant_of_token(&self, token: &TokenHash, wall: Wall) -> Option<&Arc<Grant>> {
        let grant = self.state.grants.get(self.state.tokens.get(token)?)?;
        self.opens(token, grant, wall).is_some().then_some(grant)
    }

    /// Whether a token opens this grant now, and until when it will.
    pub(crate) fn opens(&self, token: &TokenHash, grant: &Grant, wall: Wall) -> Option<Opened> {
        if grant.tokens.current == *token {
            return Some(Opened { until: None });
        }
        let (_, until) = grant.tokens.previous.filter(|(hash, _)| hash == token)?;
        (self.judged_at(wall) < until).then_some(Opened { until: Some(until) })
    }

    /// The time expiry is judged against: the later of the cluster's and the local clock, so that a local clock that
    /// was set back brings nothing back to life.
    pub fn judged_at(&self, wall: Wall) -> Wall {
        self.state.time.max(wall)
    }

    /// One grant.
    pub fn grant(&self, id: &grant::Id) -> Option<&Arc<Grant>> {
        self.state.grants.get(id)
    }

    /// The path from a grant to its root, the grant first.
    pub fn path(&self, id: grant::Id) -> impl Iterator<Item = &Arc<Grant>> {
        self.state.path(id)
    }

    /// All grants, in no particular order.
    pub fn grants(&self) -> impl Iterator<Item = &Arc<Grant>> {
        self.state.grants.values()
    }

    /// The path from a grant that was looked up already to its root.
    pub(crate) fn path_from<'view>(
        &'view self,
        grant: &'view Arc<Grant>,
    ) -> impl Iterator<Item = &'view Arc<Grant>> {
        self.state.path_from(Some(grant))
    }

    /// One principal.
    pub fn principal(&self, id: &principal::Id) -> Option<&Arc<Principal>> {
        self.state.principals.get(id)
    }

    /// All principals, by id.
    pub fn principals(&self) -> impl Iterator<Item = &Arc<Principal>> {
        self.state.principals.values()
    }

    /// One server; also a removed one, whose id stays taken.
    pub fn server(&self, id: &server::Id) -> Option<&Arc<Server>> {
        self.state.servers.get(id)
    }

    /// All servers, by id; also removed ones.
    pub fn servers(&self) -> impl Iterator<Item = &Arc<Server>> {
        self.state.servers.values()
    }

    /// One credential.
    pub fn credential(&self, id: &credential::Id) -> Option<&Arc<Credential>> {
        self.state.credentials.get(id)
    }

    /// All credentials, by id.
    pub fn credentials(&self) -> impl Iterator<Item = &Arc<Credential>> {
        self.state.credentials.values()
    }

    /// The operator a token belongs to. There are few of them.
    pub fn operator_of_token(&self, token: &TokenHash) -> Option<&Arc<Operator>> {
        self.state.operators.values().find(|operator| operator.token == *token)
    }

    /// One operator.
    pub fn operator(&self, id: &operator::Id) -> Option<&Arc<Operator>> {
        self.state.operators.get(id)
    }

    /// All operators, by id.
    pub fn operators(&self) -> impl Iterator<Item = &Arc<Operator>> {
        self.state.operators.values()
    }

    /// One node.
    pub fn node(&self, id: node::Id) -> Option<&Node> {
        self.state.nodes.get(&id)
    }
}
