//! One value of each kind that is stored, with no field left at its default where that can be. The golden bytes are
//! theirs, so a value here never changes; a new kind of message gets a new value.

use authority::{
    Event, Happened, Reason, Remembered,
    archive::{Head, Position},
    command::{
        AddOperator, AddPrincipal, AddServer, Body, Command, CommitArchiveHead, DisableServer, EnableServer,
        FoundCluster, IssueGrant, Outcome, RegisterIncarnation, Rejection, RemoveCredential, RemoveServer,
        ResumePrincipal, RevokeGrant, RotateGrantToken, RotateOperatorToken, SetCredential, SuspendPrincipal,
    },
    credential::{self, Attachment, Credential, HeaderName, Sealed},
    event::{Actor, Number, Revision},
    grant::{self, Grant, TokenHash, Tokens},
    name::Name,
    node::{self, Node},
    operator::{self, Operator, Role},
    pattern::Pattern,
    principal::{self, Kind, Principal},
    record::{self, CallFacts, Client, Ending, Record, RefusalSample, Seq},
    request,
    scope::Scope,
    server::{self, Endpoint, Server, Status},
    snapshot::Parts,
    time::{Boot, Wall},
};

pub fn name(text: &str) -> Name {
    Name::parse(text).expect("a name")
}

pub fn principal_id(text: &str) -> principal::Id {
    principal::Id::parse(text).expect("a name")
}

pub fn server_id(text: &str) -> server::Id {
    server::Id::parse(text).expect("a name")
}

pub fn credential_id(text: &str) -> credential::Id {
    credential::Id::parse(text).expect("a name")
}

fn operator_id(text: &str) -> operator::Id {
    operator::Id::parse(text).expect("a name")
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).expect("a pattern")
}

fn endpoint() -> Endpoint {
    Endpoint::parse("https://api.example.com/mcp?tenant=1").expect("an endpoint")
}

fn agent() -> Principal {
    Principal {
        id: principal_id("ana-agent"),
        kind: Kind::Agent { owner: principal_id("ana") },
        display_name: "Ana's agent".into(),
        groups: [name("staff"), name("dev")].into(),
        suspended: true,
    }
}

fn credential() -> Credential {
    Credential {
        id: credential_id("github"),
        server: server_id("github"),
        origin: endpoint().origin,
        attachment: Attachment::Header { name: HeaderName::parse("x-api-key").expect("a header") },
        version: 3,
        sealed: Sealed([7; 60].as_slice().into()),
    }
}

fn scopes() -> Vec<Scope> {
    let some = Scope {
        server: server_id("github"),
        tools: vec![pattern("get_issue"), pattern("list_*")],
        prompts: vec![pattern("review")],
        resources: vec![pattern("file:///srv/docs/*")],
    };
    vec![some, Scope::all(server_id("demo"))]
}

fn grant() -> Grant {
    Grant {
        id: grant::Id([1; 16]),
        principal: principal_id("ana-agent"),
        label: "laptop".into(),
        parent: Some(grant::Id([2; 16])),
        scopes: scopes().into(),
        issued_at: Wall(1_700_000_000_000),
        not_before: Wall(1_700_000_000_001),
        expires_at: Some(Wall(1_700_000_000_002)),
        tokens: Tokens {
            current: TokenHash([3; 32]),
            previous: Some((TokenHash([4; 32]), Wall(1_700_000_000_003))),
        },
        revoked_at: Some(Wall(1_700_000_000_004)),
    }
}

fn operator() -> Operator {
    Operator { id: operator_id("root"), role: Role::Owner, token: TokenHash([5; 32]) }
}

pub fn head() -> Head {
    let position = Position { edge: node::Id(1), epoch: node::Epoch(2), seq: 300, hash: [8; 32] };
    Head {
        height: 4,
        size: 500,
        root: [9; 32],
        segment: "segments/00000004-7f3a".into(),
        events_through: Number(60),
        positions: vec![position, Position { epoch: node::Epoch(3), ..position }],
    }
}

pub fn bodies() -> Vec<Body> {
    let (principal, server) = (principal_id("ana-agent"), server_id("github"));
    let (grant, token) = (grant::Id([1; 16]), TokenHash([3; 32]));
    vec![
        Body::FoundCluster(FoundCluster { cluster: name("prod-1") }),
        Body::AddPrincipal(AddPrincipal { principal: agent() }),
        Body::SuspendPrincipal(SuspendPrincipal { principal: principal.clone() }),
        Body::ResumePrincipal(ResumePrincipal { principal: principal.clone() }),
        Body::AddServer(AddServer { server: server.clone(), endpoint: endpoint() }),
        Body::DisableServer(DisableServer { server: server.clone() }),
        Body::EnableServer(EnableServer { server: server.clone() }),
        Body::RemoveServer(RemoveServer { server }),
        Body::SetCredential(SetCredential { credential: credential() }),
        Body::RemoveCredential(RemoveCredential { credential: credential_id("github") }),
        Body::IssueGrant(IssueGrant {
            grant,
            principal,
            label: "laptop".into(),
            parent: Some(grant::Id([2; 16])),
            scopes: scopes(),
            not_before: Some(Wall(1_700_000_000_001)),
            expires_at: Some(Wall(1_700_000_000_002)),
            token,
        }),
        Body::RotateGrantToken(RotateGrantToken { grant, token, overlap_millis: 3_600_000 }),
        Body::RevokeGrant(RevokeGrant { grant }),
        Body::AddOperator(AddOperator { operator: operator() }),
        Body::RotateOperatorToken(RotateOperatorToken { operator: operator_id("root"), token }),
        Body::RegisterIncarnation(RegisterIncarnation { node: node::Id(1), epoch: node::Epoch(2) }),
        Body::CommitArchiveHead(CommitArchiveHead { previous_height: 3, head: head() }),
    ]
}

pub fn command(body: Body) -> Command {
    Command {
        request: request::Id([0xab; 16]),
        actor: Actor::Operator(operator_id("root")),
        time: Wall(1_700_000_000_000),
        body,
    }
}

pub fn events() -> Vec<Happened> {
    let (principal, server) = (principal_id("ana-agent"), server_id("github"));
    let (grant_id, token) = (grant::Id([1; 16]), TokenHash([3; 32]));
    let rejected = Outcome::Rejected(Rejection::NotFound.about("servers/github"));
    let what = [
        Event::ClusterFounded { cluster: name("prod-1") },
        Event::PrincipalAdded(agent()),
        Event::PrincipalSuspended(principal.clone()),
        Event::PrincipalResumed(principal),
        Event::ServerAdded { server: server.clone(), endpoint: endpoint() },
        Event::ServerDisabled(server.clone()),
        Event::ServerEnabled(server.clone()),
        Event::ServerRemoved(server),
        Event::CredentialSet(credential()),
        Event::CredentialRemoved(credential_id("github")),
        Event::GrantIssued(grant()),
        Event::GrantTokenRotated { grant: grant_id, token, previous_until: Wall(1_700_000_000_003) },
        Event::GrantRevoked(grant_id),
        Event::OperatorAdded(operator()),
        Event::OperatorTokenRotated { operator: operator_id("root"), token },
        Event::IncarnationRegistered { node: node::Id(1), epoch: node::Epoch(2) },
        Event::ArchiveHeadCommitted(head()),
        Event::CommandHandled { command: "remove_server", subject: "".into(), outcome: rejected },
    ];
    let happened = |(number, event)| Happened {
        number: Number(number),
        revision: Revision(10),
        time: Wall(1_700_000_000_000),
        actor: Actor::Node(node::Id(1)),
        request: request::Id([0xab; 16]),
        event,
    };
    (1..).zip(what).map(happened).collect()
}

fn facts() -> CallFacts {
    CallFacts {
        revision: Revision(10),
        grants: vec![grant::Id([1; 16]), grant::Id([2; 16])],
        principal: principal_id("ana-agent"),
        owner: Some(principal_id("ana")),
        client: Some(Client { name: "claude-code".into(), version: "2.1.0".into() }),
        peer: "192.0.2.7:50000".into(),
        server: server_id("github"),
        mcp_revision: "2025-11-25".into(),
        method: "tools/call".into(),
        target: Some("get_issue".into()),
        argument_keys: vec!["owner".into(), "repo".into()],
        arguments_digest: Some([6; 32]),
        trace: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
        decided_at: Boot(5_000_000_000),
    }
}

/// Each kind of record, with the name of its golden file.
pub fn records() -> Vec<(&'static str, Record)> {
    let bodies = [
        (
            "epoch_started",
            record::Body::EpochStarted(record::EpochStarted {
                previous_epoch: Some(node::Epoch(1)),
                previous_seq: Seq(99),
                cut_bytes: 17,
                outcome_unknown: vec![Seq(97), Seq(98)],
            }),
        ),
        (
            "intent",
            record::Body::Intent(Box::new(record::Intent {
                call: facts(),
                credential: Some(credential_id("github")),
            })),
        ),
        (
            "outcome",
            record::Body::Outcome(Box::new(record::Outcome {
                intent: Seq(2),
                ending: Ending::Cut,
                upstream_status: Some(200),
                latency_micros: 1234,
                request_bytes: 321,
                response_bytes: 654,
                redacted: true,
                late_effect: true,
                last_check_at: Boot(5_000_000_001),
            })),
        ),
        (
            "denied",
            record::Body::Denied(Box::new(record::Denied {
                call: facts(),
                reason: Reason::ToolOutOfScope,
                rule: "grants/gr_aeaqcaibaeaqcaibaeaqcaibae/scopes".into(),
            })),
        ),
        (
            "refusals",
            record::Body::Refusals(record::Refusals {
                counts: vec![("token_unknown".into(), 12)],
                samples: vec![RefusalSample {
                    time: Wall(1_700_000_000_000),
                    reason: "token_unknown".into(),
                    peer: "192.0.2.7:50000".into(),
                }],
            }),
        ),
    ];
    let place = |(seq, (name, body))| {
        let (edge, epoch, time) = (node::Id(1), node::Epoch(2), Wall(1_700_000_000_000));
        (name, Record { edge, epoch, seq: Seq(seq), previous: [0xcd; 32], time, body })
    };
    (1..).zip(bodies).map(place).collect()
}

/// A state with one or two of everything.
pub fn parts() -> Parts {
    let person = Principal { id: principal_id("ana"), kind: Kind::Person, suspended: false, ..agent() };
    let service = Principal { id: principal_id("ci"), kind: Kind::Service, ..person.clone() };
    let server = Server {
        id: server_id("github"),
        endpoint: endpoint(),
        status: Status::Disabled,
        credential: Some(credential_id("github")),
    };
    let removed =
        Server { id: server_id("old"), status: Status::Removed, credential: None, ..server.clone() };
    let root = Grant { id: grant::Id([2; 16]), parent: None, revoked_at: None, ..grant() };
    let done = Outcome::Done { revision: Revision(9), changed: true };
    let kept =
        |command, outcome| Remembered { command, subject: "".into(), outcome, time: Wall(1_700_000_000_000) };
    Parts {
        cluster: Some(name("prod-1")),
        time: Wall(1_700_000_000_000),
        revision: Revision(10),
        last_event: Number(18),
        gone_credential_version: 0,
        principals: vec![person.into(), agent().into(), service.into()],
        servers: vec![server.into(), removed.into()],
        credentials: vec![credential().into()],
        grants: vec![grant().into(), root.into()],
        operators: vec![operator().into()],
        nodes: vec![Node { id: node::Id(1), epoch: node::Epoch(2) }],
        head: Some(head().into()),
        requests: vec![
            (request::Id([0xab; 16]), kept("add_server", done)),
            (request::Id([0x0a; 16]), kept("revoke_grant", Outcome::Rejected(Rejection::NotFound.about("")))),
        ],
        unarchived: events().into_iter().map(Into::into).collect(),
    }
}
