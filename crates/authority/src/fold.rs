//! Folding an event into the state: total and deterministic. An event was decided already, so nothing is checked here
//! again; one that speaks of what is not there changes nothing of it.

use std::sync::Arc;

use crate::{
    authority::{Authority, Remembered},
    credential::{self, Credential},
    event::{Event, Happened},
    grant::{self, Grant, TokenHash},
    node::Node,
    request,
    server::{self, Server, Status},
    time::Wall,
};

/// Folds one event.
pub fn fold(state: &mut Authority, happened: &Happened) {
    state.time = state.time.max(happened.time);
    state.revision = happened.revision;
    state.last_event = happened.number;
    state.unarchived.push_back(Arc::new(happened.clone()));
    match &happened.event {
        Event::ClusterFounded { cluster } => state.cluster = Some(cluster.clone()),
        Event::PrincipalAdded(principal) => {
            state.principals.insert(principal.id.clone(), Arc::new(principal.clone()));
            state.judge(&principal.id);
        }
        Event::PrincipalSuspended(id) => suspend(state, id, true),
        Event::PrincipalResumed(id) => suspend(state, id, false),
        Event::ServerAdded { server, endpoint } => {
            let added = Server {
                id: server.clone(),
                endpoint: endpoint.clone(),
                status: Status::Enabled,
                credential: None,
            };
            state.servers.insert(server.clone(), Arc::new(added));
        }
        Event::ServerDisabled(id) => change_server(state, id, |server| server.status = Status::Disabled),
        Event::ServerEnabled(id) => change_server(state, id, |server| server.status = Status::Enabled),
        Event::ServerRemoved(id) => remove_server(state, id),
        Event::CredentialSet(credential) => set_credential(state, credential),
        Event::CredentialRemoved(id) => remove_credential(state, id),
        Event::GrantIssued(grant) => state.insert_grant(grant),
        Event::GrantTokenRotated { grant, token, previous_until } => {
            rotate(state, *grant, *token, *previous_until);
        }
        Event::GrantRevoked(id) => {
            change_grant(state, *id, |grant| grant.revoked_at = grant.revoked_at.or(Some(happened.time)));
        }
        Event::OperatorAdded(operator) => {
            state.operators.insert(operator.id.clone(), Arc::new(operator.clone()));
        }
        Event::OperatorTokenRotated { operator, token } => {
            if let Some(operator) = state.operators.get_mut(operator) {
                Arc::make_mut(operator).token = *token;
            }
        }
        Event::IncarnationRegistered { node, epoch } => {
            state.nodes.insert(*node, Node { id: *node, epoch: *epoch });
        }
        Event::ArchiveHeadCommitted(head) => {
            while state.unarchived.front().is_some_and(|oldest| oldest.number <= head.events_through) {
                state.unarchived.pop_front();
            }
            state.head = Some(Arc::new(head.clone()));
        }
        Event::CommandHandled { command, subject, outcome } => {
            let (subject, outcome, time) = (Arc::clone(subject), outcome.clone(), happened.time);
            remember(state, happened.request, Remembered { command, subject, outcome, time });
        }
    }
}

fn suspend(state: &mut Authority, id: &crate::principal::Id, suspended: bool) {
    if let Some(principal) = state.principals.get_mut(id) {
        Arc::make_mut(principal).suspended = suspended;
    }
    state.judge_with_agents(id);
}

fn change_server(state: &mut Authority, id: &server::Id, change: impl FnOnce(&mut Server)) {
    if let Some(server) = state.servers.get_mut(id) {
        change(Arc::make_mut(server));
    }
}

fn remove_server(state: &mut Authority, id: &server::Id) {
    let of_server: Vec<_> =
        state.credentials.values().filter(|held| held.server == *id).map(|held| held.id.clone()).collect();
    of_server.iter().for_each(|credential| remove_credential(state, credential));
    change_server(state, id, |server| {
        server.status = Status::Removed;
        server.credential = None;
    });
}

/// A server has one credential. Another one that was set before it goes, and with it its secret.
fn set_credential(state: &mut Authority, credential: &Credential) {
    let before = state.servers.get(&credential.server).and_then(|server| server.credential.clone());
    if let Some(other) = before.filter(|before| *before != credential.id) {
        remove_credential(state, &other);
    }
    change_server(state, &credential.server, |server| server.credential = Some(credential.id.clone()));
    state.credentials.insert(credential.id.clone(), Arc::new(credential.clone()));
}

fn remove_credential(state: &mut Authority, id: &credential::Id) {
    let Some(gone) = state.credentials.remove(id) else { return };
    state.gone_credential_version = state.gone_credential_version.max(gone.version);
    change_server(state, &gone.server, |server| {
        server.credential.take_if(|attached| attached == id);
    });
}

fn change_grant(state: &mut Authority, id: grant::Id, change: impl FnOnce(&mut Grant)) {
    if let Some(grant) = state.grants.get_mut(&id) {
        change(Arc::make_mut(grant));
    }
}

/// The token before moves to second place; one that stood there already is forgotten, and opens nothing any more.
fn rotate(state: &mut Authority, id: grant::Id, token: TokenHash, previous_until: Wall) {
    let mut forgotten = None;
    change_grant(state, id, |grant| {
        forgotten = grant.tokens.previous.map(|(hash, _)| hash);
        grant.tokens.previous = Some((grant.tokens.current, previous_until));
        grant.tokens.current = token;
    });
    if let Some(hash) = forgotten {
        state.tokens.remove(&hash);
    }
    state.tokens.insert(token, id);
}

/// Keeps the answer, and forgets the oldest ones that are past their time or their number.
fn remember(state: &mut Authority, request: request::Id, kept: Remembered) {
    let now = kept.time;
    state.requests.insert(request, kept);
    state.request_order.push_back(request);
    while let Some(oldest) = state.request_order.front() {
        let expired = state
            .requests
            .get(oldest)
            .is_none_or(|kept| kept.time.plus_millis(request::REMEMBERED_MILLIS) <= now);
        if !expired && state.request_order.len() <= request::MAX_REMEMBERED {
            break;
        }
        let oldest = *oldest;
        state.requests.remove(&oldest);
        state.request_order.pop_front();
    }
}
