//! Strategies for arbitrary values of the authority. They yield what the types allow, not only what commands would.

use std::sync::Arc;

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
use proptest::{
    collection::{btree_map, btree_set, vec},
    option,
    prelude::*,
    sample::select,
};

const NAME: &str = "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?";

fn name() -> impl Strategy<Value = Name> {
    NAME.prop_map(|text| Name::parse(&text).expect("a name"))
}

fn principal_id() -> impl Strategy<Value = principal::Id> {
    NAME.prop_map(|text| principal::Id::parse(&text).expect("a name"))
}

fn server_id() -> impl Strategy<Value = server::Id> {
    NAME.prop_map(|text| server::Id::parse(&text).expect("a name"))
}

fn credential_id() -> impl Strategy<Value = credential::Id> {
    NAME.prop_map(|text| credential::Id::parse(&text).expect("a name"))
}

fn operator_id() -> impl Strategy<Value = operator::Id> {
    NAME.prop_map(|text| operator::Id::parse(&text).expect("a name"))
}

fn grant_id() -> impl Strategy<Value = grant::Id> {
    any::<[u8; 16]>().prop_map(grant::Id)
}

fn token() -> impl Strategy<Value = TokenHash> {
    any::<[u8; 32]>().prop_map(TokenHash)
}

fn wall() -> impl Strategy<Value = Wall> {
    any::<u64>().prop_map(Wall)
}

fn request_id() -> impl Strategy<Value = request::Id> {
    any::<[u8; 16]>().prop_map(request::Id)
}

fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        operator_id().prop_map(Actor::Operator),
        any::<u64>().prop_map(|id| Actor::Node(node::Id(id))),
        Just(Actor::Founder),
    ]
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    "https?://(\\[::1\\]|[a-z0-9]{1,10}(\\.[a-z]{2,5})?)(:[1-9][0-9]{0,3})?(/[!-!$-;=?-\\[\\]-~]{0,20})?"
        .prop_filter_map("an endpoint", |url| Endpoint::parse(&url).ok())
}

fn principal() -> impl Strategy<Value = Principal> {
    let kind = prop_oneof![
        Just(Kind::Person),
        principal_id().prop_map(|owner| Kind::Agent { owner }),
        Just(Kind::Service),
    ];
    (principal_id(), kind, ".{0,20}", btree_set(name(), 0..4), any::<bool>()).prop_map(
        |(id, kind, display_name, groups, suspended)| Principal {
            id,
            kind,
            display_name: display_name.into(),
            groups,
            suspended,
        },
    )
}

fn credential() -> impl Strategy<Value = Credential> {
    let header =
        "x-[a-eg-z0-9_][a-z0-9_-]{0,20}".prop_map(|text| HeaderName::parse(&text).expect("a header"));
    let attachment =
        prop_oneof![Just(Attachment::Bearer), header.prop_map(|name| Attachment::Header { name })];
    let sealed = vec(any::<u8>(), 0..50).prop_map(|bytes| Sealed(bytes.into()));
    (credential_id(), server_id(), endpoint(), attachment, any::<u32>(), sealed).prop_map(
        |(id, server, endpoint, attachment, version, sealed)| {
            let origin = endpoint.origin;
            Credential { id, server, origin, attachment, version, sealed }
        },
    )
}

fn pattern() -> impl Strategy<Value = Pattern> {
    prop_oneof!["[a-z_*]{1,12}", "\\PC{1,12}"].prop_map(|text| Pattern::parse(&text).expect("a pattern"))
}

fn scope() -> impl Strategy<Value = Scope> {
    let patterns = || vec(pattern(), 0..4);
    (server_id(), patterns(), patterns(), patterns()).prop_map(|(server, tools, prompts, resources)| Scope {
        server,
        tools,
        prompts,
        resources,
    })
}

fn tokens() -> impl Strategy<Value = Tokens> {
    (token(), option::of((token(), wall()))).prop_map(|(current, previous)| Tokens { current, previous })
}

fn grant() -> impl Strategy<Value = Grant> {
    let what = (grant_id(), principal_id(), ".{0,20}", option::of(grant_id()), vec(scope(), 0..3));
    let when = (wall(), wall(), option::of(wall()), option::of(wall()));
    (what, when, tokens()).prop_map(|(what, when, tokens)| Grant {
        id: what.0,
        principal: what.1,
        label: what.2.into(),
        parent: what.3,
        scopes: what.4.into(),
        issued_at: when.0,
        not_before: when.1,
        expires_at: when.2,
        tokens,
        revoked_at: when.3,
    })
}

fn operator() -> impl Strategy<Value = Operator> {
    let role = select(vec![
        Role::Owner,
        Role::SecurityAdmin,
        Role::ServerAdmin,
        Role::Granter,
        Role::Approver,
        Role::Auditor,
        Role::Operator,
    ]);
    (operator_id(), role, token()).prop_map(|(id, role, token)| Operator { id, role, token })
}

pub fn head() -> impl Strategy<Value = Head> {
    let position = any::<(u64, u64, u64, [u8; 32])>().prop_map(|(edge, epoch, seq, hash)| Position {
        edge: node::Id(edge),
        epoch: node::Epoch(epoch),
        seq,
        hash,
    });
    let root = any::<[u8; 32]>();
    (any::<u64>(), any::<u64>(), root, ".{0,20}", any::<u64>(), vec(position, 0..4)).prop_map(
        |(height, size, root, segment, through, positions)| Head {
            height,
            size,
            root,
            segment,
            events_through: Number(through),
            positions,
        },
    )
}

pub fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        any::<(u64, bool)>()
            .prop_map(|(revision, changed)| Outcome::Done { revision: Revision(revision), changed }),
        (select(Rejection::ALL.to_vec()), ".{0,20}")
            .prop_map(|(rejection, subject)| Outcome::Rejected(rejection.about(subject))),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    let issue = (grant(), option::of(wall())).prop_map(|(grant, not_before)| {
        Body::IssueGrant(IssueGrant {
            grant: grant.id,
            principal: grant.principal,
            label: grant.label,
            parent: grant.parent,
            scopes: grant.scopes.to_vec(),
            not_before,
            expires_at: grant.expires_at,
            token: grant.tokens.current,
        })
    });
    let rotate = (grant_id(), token(), any::<u64>()).prop_map(|(grant, token, overlap_millis)| {
        Body::RotateGrantToken(RotateGrantToken { grant, token, overlap_millis })
    });
    let register = any::<(u64, u64)>().prop_map(|(node, epoch)| {
        Body::RegisterIncarnation(RegisterIncarnation { node: node::Id(node), epoch: node::Epoch(epoch) })
    });
    let commit = (any::<u64>(), head()).prop_map(|(previous_height, head)| {
        Body::CommitArchiveHead(CommitArchiveHead { previous_height, head })
    });
    prop_oneof![
        name().prop_map(|cluster| Body::FoundCluster(FoundCluster { cluster })),
        principal().prop_map(|principal| Body::AddPrincipal(AddPrincipal { principal })),
        principal_id().prop_map(|principal| Body::SuspendPrincipal(SuspendPrincipal { principal })),
        principal_id().prop_map(|principal| Body::ResumePrincipal(ResumePrincipal { principal })),
        (server_id(), endpoint())
            .prop_map(|(server, endpoint)| Body::AddServer(AddServer { server, endpoint })),
        server_id().prop_map(|server| Body::DisableServer(DisableServer { server })),
        server_id().prop_map(|server| Body::EnableServer(EnableServer { server })),
        server_id().prop_map(|server| Body::RemoveServer(RemoveServer { server })),
        credential().prop_map(|credential| Body::SetCredential(SetCredential { credential })),
        credential_id().prop_map(|credential| Body::RemoveCredential(RemoveCredential { credential })),
        issue,
        rotate,
        grant_id().prop_map(|grant| Body::RevokeGrant(RevokeGrant { grant })),
        operator().prop_map(|operator| Body::AddOperator(AddOperator { operator })),
        (operator_id(), token()).prop_map(|(operator, token)| {
            Body::RotateOperatorToken(RotateOperatorToken { operator, token })
        }),
        register,
        commit,
    ]
}

pub fn command() -> impl Strategy<Value = Command> {
    (request_id(), actor(), wall(), body()).prop_map(|(request, actor, time, body)| Command {
        request,
        actor,
        time,
        body,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let rotated = (grant_id(), token(), wall())
        .prop_map(|(grant, token, previous_until)| Event::GrantTokenRotated { grant, token, previous_until });
    prop_oneof![
        name().prop_map(|cluster| Event::ClusterFounded { cluster }),
        principal().prop_map(Event::PrincipalAdded),
        principal_id().prop_map(Event::PrincipalSuspended),
        principal_id().prop_map(Event::PrincipalResumed),
        (server_id(), endpoint()).prop_map(|(server, endpoint)| Event::ServerAdded { server, endpoint }),
        server_id().prop_map(Event::ServerDisabled),
        server_id().prop_map(Event::ServerEnabled),
        server_id().prop_map(Event::ServerRemoved),
        credential().prop_map(Event::CredentialSet),
        credential_id().prop_map(Event::CredentialRemoved),
        grant().prop_map(Event::GrantIssued),
        rotated,
        grant_id().prop_map(Event::GrantRevoked),
        operator().prop_map(Event::OperatorAdded),
        (operator_id(), token())
            .prop_map(|(operator, token)| Event::OperatorTokenRotated { operator, token }),
        any::<(u64, u64)>().prop_map(|(node, epoch)| {
            Event::IncarnationRegistered { node: node::Id(node), epoch: node::Epoch(epoch) }
        }),
        head().prop_map(Event::ArchiveHeadCommitted),
        (select(Body::NAMES.to_vec()), "[a-z/]{0,20}", outcome()).prop_map(|(command, subject, outcome)| {
            Event::CommandHandled { command, subject: subject.into(), outcome }
        }),
    ]
}

pub fn happened() -> impl Strategy<Value = Happened> {
    (any::<(u64, u64)>(), wall(), actor(), request_id(), event()).prop_map(
        |((number, revision), time, actor, request, event)| Happened {
            number: Number(number),
            revision: Revision(revision),
            time,
            actor,
            request,
            event,
        },
    )
}

fn facts() -> impl Strategy<Value = CallFacts> {
    let client = option::of((".{0,9}", ".{0,9}"))
        .prop_map(|client| client.map(|(name, version)| Client { name, version }));
    let who = (vec(grant_id(), 0..4), principal_id(), option::of(principal_id()), client, ".{0,9}");
    let what = (server_id(), ".{0,9}", ".{0,9}", option::of(".{0,9}"), vec(".{0,9}", 0..4));
    let rest = any::<(u64, Option<[u8; 32]>, Option<String>, u64)>();
    (who, what, rest).prop_map(|(who, what, rest)| CallFacts {
        revision: Revision(rest.0),
        grants: who.0,
        principal: who.1,
        owner: who.2,
        client: who.3,
        peer: who.4,
        server: what.0,
        mcp_revision: what.1,
        method: what.2,
        target: what.3,
        argument_keys: what.4,
        arguments_digest: rest.1,
        trace: rest.2,
        decided_at: Boot(rest.3),
    })
}

fn call_outcome() -> impl Strategy<Value = record::Outcome> {
    let numbers = any::<(u64, u64, u64, u64, u64)>();
    (numbers, select(Ending::ALL.to_vec()), any::<(Option<u16>, bool, bool)>()).prop_map(
        |(numbers, ending, (upstream_status, redacted, late_effect))| record::Outcome {
            intent: Seq(numbers.0),
            ending,
            upstream_status,
            latency_micros: numbers.1,
            request_bytes: numbers.2,
            response_bytes: numbers.3,
            redacted,
            late_effect,
            last_check_at: Boot(numbers.4),
        },
    )
}

fn record_body() -> impl Strategy<Value = record::Body> {
    let started = any::<(Option<u64>, u64, u64, Vec<u64>)>().prop_map(|(epoch, seq, cut_bytes, unknown)| {
        record::EpochStarted {
            previous_epoch: epoch.map(node::Epoch),
            previous_seq: Seq(seq),
            cut_bytes,
            outcome_unknown: unknown.into_iter().map(Seq).collect(),
        }
    });
    let sample =
        (wall(), ".{0,9}", ".{0,9}").prop_map(|(time, reason, peer)| RefusalSample { time, reason, peer });
    let refusals = (vec((".{0,9}", any::<u64>()), 0..4), vec(sample, 0..4))
        .prop_map(|(counts, samples)| record::Refusals { counts, samples });
    let intent = (facts(), option::of(credential_id()))
        .prop_map(|(call, credential)| record::Intent { call, credential });
    let denied = (facts(), select(Reason::ALL.to_vec()), ".{0,9}")
        .prop_map(|(call, reason, rule)| record::Denied { call, reason, rule });
    prop_oneof![
        started.prop_map(record::Body::EpochStarted),
        intent.prop_map(|intent| record::Body::Intent(Box::new(intent))),
        call_outcome().prop_map(|outcome| record::Body::Outcome(Box::new(outcome))),
        denied.prop_map(|denied| record::Body::Denied(Box::new(denied))),
        refusals.prop_map(record::Body::Refusals),
    ]
}

pub fn record() -> impl Strategy<Value = Record> {
    (any::<(u64, u64, u64, [u8; 32])>(), wall(), record_body()).prop_map(
        |((edge, epoch, seq, previous), time, body)| Record {
            edge: node::Id(edge),
            epoch: node::Epoch(epoch),
            seq: Seq(seq),
            previous,
            time,
            body,
        },
    )
}

/// Values in the order of their keys, each key once, as a state holds them.
fn ordered<T: std::fmt::Debug, K: Ord + std::fmt::Debug>(
    values: impl Strategy<Value = T>,
    key: impl Fn(&T) -> K + Clone,
) -> impl Strategy<Value = Vec<Arc<T>>> {
    let pair = values.prop_map(move |value| (key(&value), value));
    vec(pair, 0..4).prop_map(|pairs| {
        let map: std::collections::BTreeMap<K, T> = pairs.into_iter().collect();
        map.into_values().map(Arc::new).collect()
    })
}

fn server() -> impl Strategy<Value = Server> {
    let status = select(vec![Status::Enabled, Status::Disabled, Status::Removed]);
    (server_id(), endpoint(), status, option::of(credential_id()))
        .prop_map(|(id, endpoint, status, credential)| Server { id, endpoint, status, credential })
}

pub fn parts() -> impl Strategy<Value = Parts> {
    let remembered = (select(Body::NAMES.to_vec()), "[a-z/]{0,20}", outcome(), wall()).prop_map(
        |(command, subject, outcome, time)| Remembered { command, subject: subject.into(), outcome, time },
    );
    let nodes = btree_map(any::<u64>(), any::<u64>(), 0..4).prop_map(|nodes| {
        nodes.into_iter().map(|(id, epoch)| Node { id: node::Id(id), epoch: node::Epoch(epoch) }).collect()
    });
    let people = (
        ordered(principal(), |it| it.id.clone()),
        ordered(server(), |it| it.id.clone()),
        ordered(credential(), |it| it.id.clone()),
        ordered(grant(), |it| it.id),
        ordered(operator(), |it| it.id.clone()),
    );
    let books = (
        nodes,
        option::of(head().prop_map(Arc::new)),
        vec((request_id(), remembered), 0..4),
        ordered(happened(), |it| it.number),
    );
    (option::of(name()), any::<(u64, u64, u64)>(), people, books).prop_map(|(cluster, at, people, books)| {
        Parts {
            cluster,
            time: Wall(at.0),
            revision: Revision(at.1),
            last_event: Number(at.2),
            gone_credential_version: u32::try_from(at.2 >> 32).expect("half of it fits"),
            principals: people.0,
            servers: people.1,
            credentials: people.2,
            grants: people.3,
            operators: people.4,
            nodes: books.0,
            head: books.1,
            requests: books.2,
            unarchived: books.3,
        }
    })
}
