//! What a command asks, one arm for each kind.

use authority::{
    command::{
        AddOperator, AddPrincipal, AddServer, Body, CommitArchiveHead, DisableServer, EnableServer,
        FoundCluster, IssueGrant, RegisterIncarnation, RemoveCredential, RemoveServer, ResumePrincipal,
        RevokeGrant, RotateGrantToken, RotateOperatorToken, SetCredential, SuspendPrincipal,
    },
    credential::Id as CredentialId,
    node,
    operator::Id as OperatorId,
    principal::Id as PrincipalId,
    time::Wall,
};

use crate::{
    credential, field, head,
    malformed::Malformed,
    operator,
    pb::events::v1::{self as pb, command::Body as Pb},
    principal, scope, server,
};

pub(crate) fn to_pb(body: &Body) -> Pb {
    match body {
        Body::FoundCluster(FoundCluster { cluster }) => {
            Pb::FoundCluster(pb::FoundCluster { cluster: cluster.as_str().to_owned() })
        }
        Body::AddPrincipal(AddPrincipal { principal }) => {
            Pb::AddPrincipal(pb::AddPrincipal { principal: Some(principal::to_pb(principal)) })
        }
        Body::SuspendPrincipal(SuspendPrincipal { principal }) => {
            Pb::SuspendPrincipal(pb::SuspendPrincipal { principal: principal.as_str().to_owned() })
        }
        Body::ResumePrincipal(ResumePrincipal { principal }) => {
            Pb::ResumePrincipal(pb::ResumePrincipal { principal: principal.as_str().to_owned() })
        }
        Body::AddServer(AddServer { server, endpoint }) => {
            Pb::AddServer(pb::AddServer { server: server.as_str().to_owned(), url: endpoint.url() })
        }
        Body::DisableServer(DisableServer { server }) => {
            Pb::DisableServer(pb::DisableServer { server: server.as_str().to_owned() })
        }
        Body::EnableServer(EnableServer { server }) => {
            Pb::EnableServer(pb::EnableServer { server: server.as_str().to_owned() })
        }
        Body::RemoveServer(RemoveServer { server }) => {
            Pb::RemoveServer(pb::RemoveServer { server: server.as_str().to_owned() })
        }
        Body::SetCredential(SetCredential { credential }) => {
            Pb::SetCredential(pb::SetCredential { credential: Some(credential::to_pb(credential)) })
        }
        Body::RemoveCredential(RemoveCredential { credential }) => {
            Pb::RemoveCredential(pb::RemoveCredential { credential: credential.as_str().to_owned() })
        }
        Body::IssueGrant(issue) => Pb::IssueGrant(issue_to_pb(issue)),
        Body::RotateGrantToken(RotateGrantToken { grant, token, overlap_millis }) => {
            let (grant, token) = (grant.0.to_vec(), token.0.to_vec());
            Pb::RotateGrantToken(pb::RotateGrantToken { grant, token, overlap_ms: *overlap_millis })
        }
        Body::RevokeGrant(RevokeGrant { grant }) => {
            Pb::RevokeGrant(pb::RevokeGrant { grant: grant.0.to_vec() })
        }
        Body::AddOperator(AddOperator { operator }) => {
            Pb::AddOperator(pb::AddOperator { operator: Some(operator::to_pb(operator)) })
        }
        Body::RotateOperatorToken(RotateOperatorToken { operator, token }) => {
            let (operator, token) = (operator.as_str().to_owned(), token.0.to_vec());
            Pb::RotateOperatorToken(pb::RotateOperatorToken { operator, token })
        }
        Body::RegisterIncarnation(RegisterIncarnation { node, epoch }) => {
            Pb::RegisterIncarnation(pb::RegisterIncarnation { node: node.0, epoch: epoch.0 })
        }
        Body::CommitArchiveHead(CommitArchiveHead { previous_height, head }) => {
            let head = Some(head::to_pb(head));
            Pb::CommitArchiveHead(pb::CommitArchiveHead { previous_height: *previous_height, head })
        }
    }
}

pub(crate) fn from_pb(body: Pb) -> Result<Body, Malformed> {
    let principal_id = |what, id: &str| field::name(what, id, PrincipalId::parse);
    Ok(match body {
        Pb::FoundCluster(it) => Body::FoundCluster(FoundCluster {
            cluster: field::cluster("found_cluster.cluster", &it.cluster)?,
        }),
        Pb::AddPrincipal(it) => {
            Body::AddPrincipal(AddPrincipal { principal: principal::from_pb(it.principal)? })
        }
        Pb::SuspendPrincipal(it) => Body::SuspendPrincipal(SuspendPrincipal {
            principal: principal_id("suspend_principal.principal", &it.principal)?,
        }),
        Pb::ResumePrincipal(it) => Body::ResumePrincipal(ResumePrincipal {
            principal: principal_id("resume_principal.principal", &it.principal)?,
        }),
        Pb::AddServer(it) => Body::AddServer(AddServer {
            server: server::id("add_server.server", &it.server)?,
            endpoint: server::endpoint("add_server.url", &it.url)?,
        }),
        Pb::DisableServer(it) => {
            Body::DisableServer(DisableServer { server: server::id("disable_server.server", &it.server)? })
        }
        Pb::EnableServer(it) => {
            Body::EnableServer(EnableServer { server: server::id("enable_server.server", &it.server)? })
        }
        Pb::RemoveServer(it) => {
            Body::RemoveServer(RemoveServer { server: server::id("remove_server.server", &it.server)? })
        }
        Pb::SetCredential(it) => {
            Body::SetCredential(SetCredential { credential: credential::from_pb(it.credential)? })
        }
        Pb::RemoveCredential(it) => Body::RemoveCredential(RemoveCredential {
            credential: field::name("remove_credential.credential", &it.credential, CredentialId::parse)?,
        }),
        Pb::IssueGrant(it) => Body::IssueGrant(issue_from_pb(it)?),
        Pb::RotateGrantToken(it) => Body::RotateGrantToken(RotateGrantToken {
            grant: field::grant("rotate_grant_token.grant", &it.grant)?,
            token: field::token("rotate_grant_token.token", &it.token)?,
            overlap_millis: it.overlap_ms,
        }),
        Pb::RevokeGrant(it) => {
            Body::RevokeGrant(RevokeGrant { grant: field::grant("revoke_grant.grant", &it.grant)? })
        }
        Pb::AddOperator(it) => Body::AddOperator(AddOperator { operator: operator::from_pb(it.operator)? }),
        Pb::RotateOperatorToken(it) => Body::RotateOperatorToken(RotateOperatorToken {
            operator: field::name("rotate_operator_token.operator", &it.operator, OperatorId::parse)?,
            token: field::token("rotate_operator_token.token", &it.token)?,
        }),
        Pb::RegisterIncarnation(it) => Body::RegisterIncarnation(RegisterIncarnation {
            node: node::Id(it.node),
            epoch: node::Epoch(it.epoch),
        }),
        Pb::CommitArchiveHead(it) => Body::CommitArchiveHead(CommitArchiveHead {
            previous_height: it.previous_height,
            head: head::from_pb(it.head)?,
        }),
    })
}

fn issue_to_pb(issue: &IssueGrant) -> pb::IssueGrant {
    pb::IssueGrant {
        grant: issue.grant.0.to_vec(),
        principal: issue.principal.as_str().to_owned(),
        label: issue.label.as_ref().to_owned(),
        parent: issue.parent.map(|parent| parent.0.to_vec()),
        scopes: issue.scopes.iter().map(scope::to_pb).collect(),
        not_before_ms: issue.not_before.map(|time| time.0),
        expires_at_ms: issue.expires_at.map(|time| time.0),
        token: issue.token.0.to_vec(),
    }
}

fn issue_from_pb(issue: pb::IssueGrant) -> Result<IssueGrant, Malformed> {
    Ok(IssueGrant {
        grant: field::grant("issue_grant.grant", &issue.grant)?,
        principal: field::name("issue_grant.principal", &issue.principal, PrincipalId::parse)?,
        label: issue.label.into(),
        parent: issue.parent.map(|parent| field::grant("issue_grant.parent", &parent)).transpose()?,
        scopes: issue.scopes.into_iter().map(scope::from_pb).collect::<Result<_, _>>()?,
        not_before: issue.not_before_ms.map(Wall),
        expires_at: issue.expires_at_ms.map(Wall),
        token: field::token("issue_grant.token", &issue.token)?,
    })
}
