//! One node's control plane, put together from the real parts in a directory that goes away.

use std::{sync::Arc, time::Duration};

use authority::{
    command::{AddOperator, Body, Outcome},
    enforcement::{Call, Gate, Registered},
    event::Actor,
    grant::TokenHash,
    name::Name,
    node,
    operator::{self, Operator, Role},
    request,
    server::Endpoint,
};
use keyring::{
    Keyring,
    token::{self, TokenKind},
};
use ledger::{Reader, store::Store};
use replica::{Proposal, Replica};
use seams::{Entropy, SystemClock, SystemDisk, SystemEntropy, entropy};
use tempfile::TempDir;
use tokio::sync::watch;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, Routes, interceptor::InterceptedService},
};
use tonic_types::StatusExt;
use wal::{Durability, Wal};
use wire::pb::{
    admin::v1::{
        self as pb, cluster_service_client::ClusterServiceClient,
        credential_service_client::CredentialServiceClient, grant_service_client::GrantServiceClient,
        operator_service_client::OperatorServiceClient, principal_service_client::PrincipalServiceClient,
        server_service_client::ServerServiceClient,
    },
    audit::v1::audit_service_client::AuditServiceClient,
};

use crate::{
    guard::Guard,
    parts::{CheckEndpoint, EndpointRefused, Parts, Recording},
    services::services,
};

/// A host that the test's check of endpoints refuses, as the dialer's would refuse a metadata address.
pub(super) const REFUSED_HOST: &str = "169.254.169.254";

/// A running control plane.
pub(super) struct Site {
    pub(super) parts: Parts,
    pub(super) wal: Wal,
    pub(super) service: Guard<Routes>,
    /// The token of the operator `root`, an owner.
    pub(super) owner: String,
    /// Ends streams.
    pub(super) stop: watch::Sender<bool>,
    _dir: TempDir,
}

/// Puts a token into every request.
#[derive(Clone)]
pub(super) struct Bearer(MetadataValue<Ascii>);

pub(super) type Channel = InterceptedService<Guard<Routes>, Bearer>;

struct NoMetadataAddress;
struct Always;

#[derive(Debug, thiserror::Error)]
#[error("{REFUSED_HOST} is a metadata address; no server may be there")]
struct MetadataAddress;

impl CheckEndpoint for NoMetadataAddress {
    fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), EndpointRefused> {
        if endpoint.origin.host() == REFUSED_HOST {
            return Err(EndpointRefused { reason: Box::new(MetadataAddress) });
        }
        Ok(())
    }
}

impl Recording for Always {
    fn is_recording(&self) -> bool {
        true
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

impl Site {
    pub(super) async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let keyring =
            Keyring::open_or_create(&dir.path().join("keys"), &SystemDisk, &*entropy).expect("keys");
        let gate = Arc::new(Gate::new());
        let mut config = replica::Config::new(dir.path().join("raft"), node::Id(1));
        config.cluster = Some(Name::parse("test").expect("a name"));
        let replica = Replica::open(config, Arc::clone(&gate), clock.clone(), entropy.clone()).await;
        let replica = replica.expect("the replica opens");
        let epoch = replica.register_incarnation().await.expect("it registers");
        let config = wal::Config::new(dir.path().join("wal"), Durability::Written);
        let opened = Wal::open(config, Arc::new(SystemDisk), clock.clone(), node::Id(1), epoch);
        let (wal, _) = opened.expect("the log opens");
        let store = Store::create(&dir.path().join("archive")).expect("the archive is made");
        let parts = Parts {
            audit: Reader::new(store, wal.clone(), Arc::clone(&gate)),
            keyring: Arc::new(keyring),
            check_endpoint: Arc::new(NoMetadataAddress),
            recording: Arc::new(Always),
            replica,
            gate,
            clock,
            entropy,
        };
        let (stop, stopping) = watch::channel(false);
        let service = services(parts.clone(), stopping);
        let mut site = Self { parts, wal, service, owner: String::new(), stop, _dir: dir };
        site.owner = site.operator("root", Role::Owner).await;
        site
    }

    /// Adds an operator, past the API, and answers its token.
    pub(super) async fn operator(&self, name: &str, role: Role) -> String {
        let token = token::mint(TokenKind::Operator, &SystemEntropy);
        let hash = TokenHash(self.parts.keyring.pepper().hash(&token));
        let id = operator::Id::parse(name).expect("a name");
        let body = Body::AddOperator(AddOperator { operator: Operator { id, role, token: hash } });
        let request = request::Id(entropy::array(&SystemEntropy as &dyn Entropy));
        let answer = self.parts.replica.propose(Proposal { request, actor: Actor::Founder, body }).await;
        assert!(matches!(answer.expect("it is proposed").outcome, Outcome::Done { .. }));
        token.reveal().to_owned()
    }

    pub(super) fn channel(&self, token: &str) -> Channel {
        let value = format!("Bearer {token}").parse().expect("a token is ASCII");
        InterceptedService::new(self.service.clone(), Bearer(value))
    }

    pub(super) fn principals(&self) -> PrincipalServiceClient<Channel> {
        PrincipalServiceClient::new(self.channel(&self.owner))
    }

    pub(super) fn servers(&self) -> ServerServiceClient<Channel> {
        ServerServiceClient::new(self.channel(&self.owner))
    }

    pub(super) fn credentials(&self) -> CredentialServiceClient<Channel> {
        CredentialServiceClient::new(self.channel(&self.owner))
    }

    pub(super) fn grants(&self) -> GrantServiceClient<Channel> {
        GrantServiceClient::new(self.channel(&self.owner))
    }

    pub(super) fn operators(&self) -> OperatorServiceClient<Channel> {
        OperatorServiceClient::new(self.channel(&self.owner))
    }

    pub(super) fn cluster(&self) -> ClusterServiceClient<Channel> {
        ClusterServiceClient::new(self.channel(&self.owner))
    }

    pub(super) fn audit(&self) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(self.channel(&self.owner))
    }

    /// Adds the person `ana` and the server `files`.
    pub(super) async fn furnish(&self) {
        self.principals().create_principal(person("ana")).await.expect("ana is added");
        let request = server("files", "https://files.example.com/mcp");
        self.servers().create_server(request).await.expect("files is added");
    }

    /// Issues a grant for `ana` to the tools of `files` that match, and answers it with its token.
    pub(super) async fn issue(&self, tools: &[&str]) -> pb::IssueGrantResponse {
        self.grants().issue_grant(grant(tools)).await.expect("it is issued").into_inner()
    }

    /// A call under the grant of `token`, as it is in flight.
    pub(super) fn call(&self, token: &str, tool: &str) -> Registered {
        use authority::action::{Action, Kind};
        let parsed = token::parse(token.as_bytes()).expect("a token");
        let token = TokenHash(self.parts.keyring.pepper().hash(&parsed));
        let view = self.parts.gate.view().expect("a view");
        let grant = view.grant_of_token(&token, authority::time::Wall(0)).expect("a grant has it").id;
        let server = authority::server::Id::parse("files").expect("a name");
        let action = Action::Use { kind: Kind::Tool, name: tool.into() };
        self.parts.gate.in_flight().register(Call { token, grant, server, action })
    }
}

pub(super) fn person(name: &str) -> pb::CreatePrincipalRequest {
    let principal = pb::Principal { kind: pb::PrincipalKind::Person.into(), ..Default::default() };
    pb::CreatePrincipalRequest {
        principal_id: name.into(),
        principal: Some(principal),
        request_id: String::new(),
    }
}

pub(super) fn server(name: &str, url: &str) -> pb::CreateServerRequest {
    let server = Some(pb::Server { url: url.into(), ..Default::default() });
    pb::CreateServerRequest { server_id: name.into(), server, request_id: String::new() }
}

/// A request for a grant of `ana` to the tools of `files` that match.
pub(super) fn grant(tools: &[&str]) -> pb::IssueGrantRequest {
    let scope = pb::Scope {
        server: "servers/files".into(),
        tools: tools.iter().map(|tool| (*tool).to_owned()).collect(),
        ..Default::default()
    };
    let grant = pb::Grant { principal: "principals/ana".into(), scopes: vec![scope], ..Default::default() };
    pb::IssueGrantRequest { grant: Some(grant), ..Default::default() }
}

/// The published reason of a refusal.
pub(super) fn reason(status: &Status) -> String {
    let info = status.get_details_error_info().unwrap_or_else(|| panic!("no reason in {status:?}"));
    assert_eq!(info.domain, "portcullis");
    info.reason
}

/// The reason of a call that has to be refused.
pub(super) fn refused<T: std::fmt::Debug>(answer: Result<tonic::Response<T>, Status>) -> String {
    reason(&answer.expect_err("it is refused"))
}

/// A length of time as a message.
pub(super) fn seconds(seconds: u64) -> Option<prost_types::Duration> {
    Some(crate::instants::duration(Duration::from_secs(seconds)))
}
