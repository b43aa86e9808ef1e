//! The whole state as plain lists, for snapshots and comparison. `wire` gives them bytes; this crate knows none.
//!
//! What must stay true: `from_parts(parts(state))` is the same state, and equal states have equal parts, whatever
//! order their hash maps hold.

use std::sync::Arc;

use crate::{
    archive::Head,
    authority::{Authority, Remembered},
    credential::Credential,
    event::{Happened, Number, Revision},
    grant::Grant,
    name::Name,
    node::Node,
    operator::Operator,
    principal::Principal,
    request,
    server::Server,
    time::Wall,
};

/// The state as lists, each in the order of its ids.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Parts {
    /// The id of the cluster.
    pub cluster: Option<Name>,
    /// The greatest cluster time.
    pub time: Wall,
    /// The entry of the last event.
    pub revision: Revision,
    /// The number of the last event.
    pub last_event: Number,
    /// Principals.
    pub principals: Vec<Arc<Principal>>,
    /// Servers.
    pub servers: Vec<Arc<Server>>,
    /// Credentials.
    pub credentials: Vec<Arc<Credential>>,
    /// The greatest version of any credential that is gone.
    pub gone_credential_version: u32,
    /// Grants.
    pub grants: Vec<Arc<Grant>>,
    /// Operators.
    pub operators: Vec<Arc<Operator>>,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// The head of the archive.
    pub head: Option<Arc<Head>>,
    /// Kept answers, oldest first.
    pub requests: Vec<(request::Id, Remembered)>,
    /// Events the archive does not hold yet, oldest first.
    pub unarchived: Vec<Arc<Happened>>,
}

/// Takes a state apart.
pub fn parts(state: &Authority) -> Parts {
    let mut grants: Vec<_> = state.grants.values().cloned().collect();
    grants.sort_unstable_by_key(|grant| grant.id);
    let answer = |id: &request::Id| Some((*id, state.requests.get(id)?.clone()));
    Parts {
        cluster: state.cluster.clone(),
        time: state.time,
        revision: state.revision,
        last_event: state.last_event,
        gone_credential_version: state.gone_credential_version,
        principals: state.principals.values().cloned().collect(),
        servers: state.servers.values().cloned().collect(),
        credentials: state.credentials.values().cloned().collect(),
        grants,
        operators: state.operators.values().cloned().collect(),
        nodes: state.nodes.values().cloned().collect(),
        head: state.head.clone(),
        requests: state.request_order.iter().filter_map(answer).collect(),
        unarchived: state.unarchived.iter().cloned().collect(),
    }
}

/// Puts a state together. The indexes follow from what it holds.
pub fn from_parts(parts: Parts) -> Authority {
    let mut state = Authority {
        cluster: parts.cluster,
        time: parts.time,
        revision: parts.revision,
        gone_credential_version: parts.gone_credential_version,
        last_event: parts.last_event,
        principals: parts.principals.into_iter().map(|held| (held.id.clone(), held)).collect(),
        servers: parts.servers.into_iter().map(|held| (held.id.clone(), held)).collect(),
        credentials: parts.credentials.into_iter().map(|held| (held.id.clone(), held)).collect(),
        operators: parts.operators.into_iter().map(|held| (held.id.clone(), held)).collect(),
        nodes: parts.nodes.into_iter().map(|held| (held.id, held)).collect(),
        head: parts.head,
        request_order: parts.requests.iter().map(|(id, _)| *id).collect(),
        requests: parts.requests.into_iter().collect(),
        unarchived: parts.unarchived.into(),
        ..Authority::new()
    };
    state.find_halted();
    for grant in &parts.grants {
        state.insert_grant(grant);
    }
    state
}
