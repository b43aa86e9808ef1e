//! Events, as the archive, snapshots and other nodes keep them.

use authority::{
    credential::Id as CredentialId,
    event::{Event, Happened, Number, Revision},
    node,
    operator::Id as OperatorId,
    principal::Id as PrincipalId,
    time::Wall,
};
use prost::Message;

use crate::{
    actor, canonical, credential, field, grant, head,
    malformed::Malformed,
    operator, outcome,
    pb::events::v1::{self as pb, event::What},
    principal, server,
};

/// Writes an event.
pub fn encode(happened: &Happened) -> Vec<u8> {
    to_pb(happened).encode_to_vec()
}

/// Reads an event.
pub fn decode(bytes: &[u8]) -> Result<Happened, Malformed> {
    from_pb(canonical::decode("event", bytes)?)
}

pub(crate) fn to_pb(happened: &Happened) -> pb::Event {
    pb::Event {
        number: happened.number.0,
        revision: happened.revision.0,
        time_ms: happened.time.0,
        actor: Some(actor::to_pb(&happened.actor)),
        request: happened.request.0.to_vec(),
        what: Some(what_to_pb(&happened.event)),
    }
}

pub(crate) fn from_pb(event: pb::Event) -> Result<Happened, Malformed> {
    Ok(Happened {
        number: Number(event.number),
        revision: Revision(event.revision),
        time: Wall(event.time_ms),
        actor: actor::from_pb(event.actor)?,
        request: field::request("event.request", &event.request)?,
        event: what_from_pb(field::required("event.what", event.what)?)?,
    })
}

fn what_to_pb(event: &Event) -> What {
    match event {
        Event::ClusterFounded { cluster } => {
            What::ClusterFounded(pb::ClusterFounded { cluster: cluster.as_str().to_owned() })
        }
        Event::PrincipalAdded(principal) => {
            What::PrincipalAdded(pb::PrincipalAdded { principal: Some(principal::to_pb(principal)) })
        }
        Event::PrincipalSuspended(id) => {
            What::PrincipalSuspended(pb::PrincipalSuspended { principal: id.as_str().to_owned() })
        }
        Event::PrincipalResumed(id) => {
            What::PrincipalResumed(pb::PrincipalResumed { principal: id.as_str().to_owned() })
        }
        Event::ServerAdded { server, endpoint } => {
            What::ServerAdded(pb::ServerAdded { server: server.as_str().to_owned(), url: endpoint.url() })
        }
        Event::ServerDisabled(id) => {
            What::ServerDisabled(pb::ServerDisabled { server: id.as_str().to_owned() })
        }
        Event::ServerEnabled(id) => What::ServerEnabled(pb::ServerEnabled { server: id.as_str().to_owned() }),
        Event::ServerRemoved(id) => What::ServerRemoved(pb::ServerRemoved { server: id.as_str().to_owned() }),
        Event::CredentialSet(credential) => {
            What::CredentialSet(pb::CredentialSet { credential: Some(credential::to_pb(credential)) })
        }
        Event::CredentialRemoved(id) => {
            What::CredentialRemoved(pb::CredentialRemoved { credential: id.as_str().to_owned() })
        }
        Event::GrantIssued(grant) => What::GrantIssued(pb::GrantIssued { grant: Some(grant::to_pb(grant)) }),
        Event::GrantTokenRotated { grant, token, previous_until } => {
            let (grant, token) = (grant.0.to_vec(), token.0.to_vec());
            let previous_until_ms = previous_until.0;
            What::GrantTokenRotated(pb::GrantTokenRotated { grant, token, previous_until_ms })
        }
        Event::GrantRevoked(id) => What::GrantRevoked(pb::GrantRevoked { grant: id.0.to_vec() }),
        Event::OperatorAdded(operator) => {
            What::OperatorAdded(pb::OperatorAdded { operator: Some(operator::to_pb(operator)) })
        }
        Event::OperatorTokenRotated { operator, token } => {
            let (operator, token) = (operator.as_str().to_owned(), token.0.to_vec());
            What::OperatorTokenRotated(pb::OperatorTokenRotated { operator, token })
        }
        Event::IncarnationRegistered { node, epoch } => {
            What::IncarnationRegistered(pb::IncarnationRegistered { node: node.0, epoch: epoch.0 })
        }
        Event::ArchiveHeadCommitted(head) => {
            What::ArchiveHeadCommitted(pb::ArchiveHeadCommitted { head: Some(head::to_pb(head)) })
        }
        Event::CommandHandled { command, subject, outcome } => {
            let (command, subject) = ((*command).to_owned(), subject.to_string());
            let outcome = Some(outcome::to_pb(outcome));
            What::CommandHandled(pb::CommandHandled { command, outcome, subject })
        }
    }
}

fn what_from_pb(what: What) -> Result<Event, Malformed> {
    let principal_id = |what, id: &str| field::name(what, id, PrincipalId::parse);
    Ok(match what {
        What::ClusterFounded(it) => {
            Event::ClusterFounded { cluster: field::cluster("cluster_founded.cluster", &it.cluster)? }
        }
        What::PrincipalAdded(it) => Event::PrincipalAdded(principal::from_pb(it.principal)?),
        What::PrincipalSuspended(it) => {
            Event::PrincipalSuspended(principal_id("principal_suspended.principal", &it.principal)?)
        }
        What::PrincipalResumed(it) => {
            Event::PrincipalResumed(principal_id("principal_resumed.principal", &it.principal)?)
        }
        What::ServerAdded(it) => Event::ServerAdded {
            server: server::id("server_added.server", &it.server)?,
            endpoint: server::endpoint("server_added.url", &it.url)?,
        },
        What::ServerDisabled(it) => Event::ServerDisabled(server::id("server_disabled.server", &it.server)?),
        What::ServerEnabled(it) => Event::ServerEnabled(server::id("server_enabled.server", &it.server)?),
        What::ServerRemoved(it) => Event::ServerRemoved(server::id("server_removed.server", &it.server)?),
        What::CredentialSet(it) => Event::CredentialSet(credential::from_pb(it.credential)?),
        What::CredentialRemoved(it) => Event::CredentialRemoved(field::name(
            "credential_removed.credential",
            &it.credential,
            CredentialId::parse,
        )?),
        What::GrantIssued(it) => Event::GrantIssued(grant::from_pb(it.grant)?),
        What::GrantTokenRotated(it) => Event::GrantTokenRotated {
            grant: field::grant("grant_token_rotated.grant", &it.grant)?,
            token: field::token("grant_token_rotated.token", &it.token)?,
            previous_until: Wall(it.previous_until_ms),
        },
        What::GrantRevoked(it) => Event::GrantRevoked(field::grant("grant_revoked.grant", &it.grant)?),
        What::OperatorAdded(it) => Event::OperatorAdded(operator::from_pb(it.operator)?),
        What::OperatorTokenRotated(it) => Event::OperatorTokenRotated {
            operator: field::name("operator_token_rotated.operator", &it.operator, OperatorId::parse)?,
            token: field::token("operator_token_rotated.token", &it.token)?,
        },
        What::IncarnationRegistered(it) => {
            Event::IncarnationRegistered { node: node::Id(it.node), epoch: node::Epoch(it.epoch) }
        }
        What::ArchiveHeadCommitted(it) => Event::ArchiveHeadCommitted(head::from_pb(it.head)?),
        What::CommandHandled(it) => Event::CommandHandled {
            command: field::command("command_handled.command", &it.command)?,
            subject: it.subject.into(),
            outcome: outcome::from_pb(it.outcome)?,
        },
    })
}
