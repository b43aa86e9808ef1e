//! Intents and denials, and the facts of a call that they share.

use authority::{
    credential,
    event::Revision,
    principal,
    record::{CallFacts, Client, Denied, Intent},
    time::Boot,
};

use super::codes;
use crate::{field, malformed::Malformed, pb::audit::v1 as pb, server};

pub(super) fn intent_to_pb(intent: &Intent) -> pb::Intent {
    let credential = intent.credential.as_ref().map(|id| id.as_str().to_owned());
    pb::Intent { call: Some(facts_to_pb(&intent.call)), credential }
}

pub(super) fn intent_from_pb(intent: pb::Intent) -> Result<Intent, Malformed> {
    let credential = intent.credential.as_deref();
    Ok(Intent {
        call: facts_from_pb(intent.call)?,
        credential: credential
            .map(|id| field::name("intent.credential", id, credential::Id::parse))
            .transpose()?,
    })
}

pub(super) fn denied_to_pb(denied: &Denied) -> pb::Denied {
    pb::Denied {
        call: Some(facts_to_pb(&denied.call)),
        reason: codes::reason_to_pb(denied.reason).into(),
        rule: denied.rule.clone(),
    }
}

pub(super) fn denied_from_pb(denied: pb::Denied) -> Result<Denied, Malformed> {
    Ok(Denied { call: facts_from_pb(denied.call)?, reason: codes::reason(denied.reason)?, rule: denied.rule })
}

fn facts_to_pb(facts: &CallFacts) -> pb::CallFacts {
    let client = |client: &Client| pb::Client { name: client.name.clone(), version: client.version.clone() };
    pb::CallFacts {
        revision: facts.revision.0,
        grants: facts.grants.iter().map(|grant| grant.0.to_vec()).collect(),
        principal: facts.principal.as_str().to_owned(),
        owner: facts.owner.as_ref().map(|owner| owner.as_str().to_owned()),
        client: facts.client.as_ref().map(client),
        peer: facts.peer.clone(),
        server: facts.server.as_str().to_owned(),
        mcp_revision: facts.mcp_revision.clone(),
        method: facts.method.clone(),
        target: facts.target.clone(),
        argument_keys: facts.argument_keys.clone(),
        arguments_digest: facts.arguments_digest.map(|digest| digest.to_vec()),
        trace: facts.trace.clone(),
        decided_at_ns: facts.decided_at.0,
    }
}

fn facts_from_pb(facts: Option<pb::CallFacts>) -> Result<CallFacts, Malformed> {
    let facts = field::required("call", facts)?;
    let grants = facts.grants.iter().map(|grant| field::grant("call.grants", grant));
    let owner = facts.owner.as_deref();
    let digest = facts.arguments_digest.as_deref();
    Ok(CallFacts {
        revision: Revision(facts.revision),
        grants: grants.collect::<Result<_, _>>()?,
        principal: field::name("call.principal", &facts.principal, principal::Id::parse)?,
        owner: owner.map(|owner| field::name("call.owner", owner, principal::Id::parse)).transpose()?,
        client: facts.client.map(|client| Client { name: client.name, version: client.version }),
        peer: facts.peer,
        server: server::id("call.server", &facts.server)?,
        mcp_revision: facts.mcp_revision,
        method: facts.method,
        target: facts.target,
        argument_keys: facts.argument_keys,
        arguments_digest: digest.map(|digest| field::array("call.arguments_digest", digest)).transpose()?,
        trace: facts.trace,
        decided_at: Boot(facts.decided_at_ns),
    })
}
