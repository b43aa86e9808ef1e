//! The decision against its naive model, over worlds with sub-grants, rotations, suspensions and removals.

use std::sync::Arc;

use authority::{
    Reason, View,
    action::{Action, Kind},
    decision::{decide, may_see, still_allowed},
    enforcement::{Call, InFlight, Lease},
    event::Revision,
    grant::{self, Grant, TokenHash, Tokens},
    pattern::Pattern,
    principal::{self, Principal},
    scope::Scope,
    server::{self, Endpoint, Server, Status},
    snapshot::{Parts, from_parts},
    time::{Boot, Now, Wall},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::model::{Question, World, matches};

const PRINCIPALS: u8 = 3;
const SERVERS: u8 = 2;
const GRANTS: usize = 6;
/// Times are small numbers, so that they meet.
const TIMES: u64 = 6;

fn principal_id(n: u8) -> principal::Id {
    principal::Id::parse(&format!("p{n}")).expect("a name")
}

fn server_id(n: u8) -> server::Id {
    server::Id::parse(&format!("s{n}")).expect("a name")
}

/// The token of a grant: its current one, the one before, or one that was rotated away.
fn token(grant: usize, age: u8) -> TokenHash {
    let grant = u8::try_from(grant).expect("few grants");
    TokenHash([grant * 3 + age; 32])
}

fn mostly_not() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.1)
}

fn principals() -> impl Strategy<Value = Vec<Principal>> {
    vec((option::of(0..PRINCIPALS), mostly_not()), usize::from(PRINCIPALS)).prop_map(|drawn| {
        let principal = |(id, (owner, suspended)): (u8, (Option<u8>, bool))| Principal {
            id: principal_id(id),
            kind: owner.filter(|owner| *owner != id).map_or(principal::Kind::Person, |owner| {
                principal::Kind::Agent { owner: principal_id(owner) }
            }),
            display_name: "".into(),
            groups: [].into(),
            suspended,
        };
        (0..).zip(drawn).map(principal).collect()
    })
}

fn servers() -> impl Strategy<Value = Vec<Server>> {
    let statuses = vec![Status::Enabled, Status::Enabled, Status::Enabled, Status::Disabled, Status::Removed];
    vec(select(statuses), usize::from(SERVERS)).prop_map(|drawn| {
        let server = |(id, status)| Server {
            id: server_id(id),
            endpoint: Endpoint::parse("https://upstream.example/mcp").expect("an endpoint"),
            status,
            credential: None,
        };
        (0..).zip(drawn).map(server).collect()
    })
}

const NAMES: [&str; 9] = [
    "echo",
    "get_issue",
    "get_",
    "forget",
    "file:///srv/docs/a",
    "file:///srv/docs/../a",
    "file:///srv/other",
    "",
    "file:///srv/docs/{name}",
];

fn patterns() -> impl Strategy<Value = Vec<Pattern>> {
    let texts = [
        "*",
        "*",
        "get_*",
        "echo",
        "*get*",
        "file:///srv/docs/*",
        "file:///srv/docs/../a",
        "file:///srv/docs/{name}",
    ];
    let texts = texts.map(|text| Pattern::parse(text).expect("a pattern"));
    vec(select(texts.to_vec()), 0..4)
}

fn scope() -> impl Strategy<Value = Scope> {
    (0..SERVERS, patterns(), patterns(), patterns()).prop_map(|(server, tools, prompts, resources)| Scope {
        server: server_id(server),
        tools,
        prompts,
        resources,
    })
}

/// The grant in place `at`; its parent, if it has one, is any before it, so that the paths are trees.
fn grant(at: usize) -> impl Strategy<Value = Grant> {
    let parent = if at == 0 { Just(None).boxed() } else { option::of(0..at).boxed() };
    let times = (0..2u64, option::weighted(0.4, 2..TIMES), mostly_not(), option::of(0..TIMES));
    (0..PRINCIPALS, parent, vec(scope(), 1..4), times).prop_map(move |(principal, parent, scopes, times)| {
        let (not_before, expires_at, revoked, previous_until) = times;
        let id = |at: usize| grant::Id([u8::try_from(at).expect("few grants"); 16]);
        Grant {
            id: id(at),
            principal: principal_id(principal),
            label: "".into(),
            parent: parent.map(id),
            scopes: scopes.into(),
            issued_at: Wall(0),
            not_before: Wall(not_before),
            expires_at: expires_at.map(Wall),
            tokens: Tokens {
                current: token(at, 0),
                previous: previous_until.map(|until| (token(at, 1), Wall(until))),
            },
            revoked_at: revoked.then_some(Wall(0)),
        }
    })
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    (0..GRANTS).map(grant).collect::<Vec<_>>()
}

fn world() -> impl Strategy<Value = World> {
    (principals(), servers(), grants(), 0..TIMES).prop_map(|(principals, servers, grants, time)| World {
        principals,
        servers,
        grants,
        time: Wall(time),
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    select(vec![Kind::Tool, Kind::Prompt, Kind::Resource, Kind::ResourceTemplate])
}

fn single() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => (kind(), select(NAMES.to_vec()))
            .prop_map(|(kind, name)| Action::Use { kind, name: name.into() }),
        2 => kind().prop_map(Action::List),
        1 => Just(Action::Converse),
        1 => Just(Action::Unknown),
    ]
}

fn question() -> impl Strategy<Value = Question> {
    let action =
        prop_oneof![4 => single(), 1 => vec(single(), 0..4).prop_map(|all| Action::Each(all.into()))];
    let age = prop_oneof![6 => Just(0u8), 2 => Just(1u8), 1 => Just(2u8)];
    (0..GRANTS, age, 0..=SERVERS, action, 0..TIMES, prop::bool::weighted(0.95)).prop_map(
        |(grant, age, server, action, wall, leased)| Question {
            token: token(grant, age),
            grant,
            server: server_id(server),
            action,
            wall: Wall(wall),
            leased,
        },
    )
}

fn view(world: &World) -> View {
    let state = from_parts(Parts {
        time: world.time,
        principals: world.principals.iter().cloned().map(Arc::new).collect(),
        servers: world.servers.iter().cloned().map(Arc::new).collect(),
        grants: world.grants.iter().cloned().map(Arc::new).collect(),
        ..Parts::default()
    });
    View::new(state, Revision(1))
}

fn call(world: &World, question: &Question) -> Call {
    Call {
        token: question.token,
        grant: world.grants[question.grant].id,
        server: question.server.clone(),
        action: question.action.clone(),
    }
}

fn decided(view: &View, call: &Call, wall: Wall, leased: bool) -> Result<(), Reason> {
    let registered = Arc::new(InFlight::default()).register(call.clone());
    let lease = if leased { Lease::until(Boot(10)) } else { Lease::NONE };
    let permit = decide(view, &registered, Now { wall, boot: Boot(5) }, lease);
    permit.map(drop).map_err(|denial| denial.reason)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// The shape of FAULTS C21 before there are policies: whatever speaks against a call wins over what speaks for it.
    #[test]
    fn c21_the_decision_is_that_of_the_model(world in world(), questions in vec(question(), 1..20)) {
        let view = view(&world);
        for question in questions {
            let reasons = world.reasons(&question);
            match decided(&view, &call(&world, &question), question.wall, question.leased) {
                Ok(()) => prop_assert!(reasons.is_empty(), "allowed {question:?} against {reasons:?}"),
                Err(reason) => prop_assert!(reasons.contains(&reason), "{reason:?} is not of {reasons:?}"),
            }
        }
    }

    #[test]
    fn a_call_in_flight_is_cut_exactly_when_it_would_be_denied(world in world(), question in question()) {
        let (view, call) = (view(&world), call(&world, &question));
        let decided = decided(&view, &call, question.wall, true);
        let still = still_allowed(&view, &call, question.wall).map_err(|denial| denial.reason);
        prop_assert_eq!(decided, still);
    }

    #[test]
    fn a_grant_sees_in_a_list_what_it_may_use_and_no_more_than_its_parents(world in world(), question in question()) {
        let view = view(&world);
        let Action::Use { kind, name } = &question.action else { return Ok(()) };
        let grant = &world.grants[question.grant];
        let sees = |id| may_see(&view, id, &question.server, *kind, name);
        if decided(&view, &call(&world, &question), question.wall, true).is_ok() {
            prop_assert!(sees(grant.id));
        }
        if let Some(parent) = grant.parent {
            prop_assert!(!sees(grant.id) || sees(parent), "a sub-grant reaches what its parent does not");
        }
    }

    #[test]
    fn c05_a_glob_matches_by_its_definition(glob in "[ab*]{1,8}", text in "[ab]{0,10}") {
        let pattern = Pattern::parse(&glob).expect("a pattern");
        prop_assert_eq!(pattern.matches(&text), matches(glob.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn a_pattern_that_covers_another_matches_all_that_it_matches(
        wide in "[ab*]{1,6}",
        narrow in "[ab*]{1,6}",
        text in "[ab]{0,8}",
    ) {
        let (wide, narrow) = (Pattern::parse(&wide), Pattern::parse(&narrow));
        let (wide, narrow) = (wide.expect("a pattern"), narrow.expect("a pattern"));
        prop_assert!(!wide.covers(&narrow) || !narrow.matches(&text) || wide.matches(&text));
    }
}

/// FAULTS C23 in the decision: every kind of action is decided, and a server that the grant does not name is refused
/// for each of them.
#[test]
fn c23_no_action_reaches_a_server_outside_the_grant() {
    let scope = Scope::all(server_id(0));
    let tokens = Tokens { current: token(0, 0), previous: None };
    let grant = Grant {
        id: grant::Id([0; 16]),
        principal: principal_id(0),
        label: "".into(),
        parent: None,
        scopes: [scope].into(),
        issued_at: Wall(0),
        not_before: Wall(0),
        expires_at: None,
        tokens,
        revoked_at: None,
    };
    let person = Principal {
        id: principal_id(0),
        kind: principal::Kind::Person,
        display_name: "".into(),
        groups: [].into(),
        suspended: false,
    };
    let server = |n| Server {
        id: server_id(n),
        endpoint: Endpoint::parse("https://upstream.example/mcp").expect("an endpoint"),
        status: Status::Enabled,
        credential: None,
    };
    let world = World {
        principals: vec![person],
        servers: vec![server(0), server(1)],
        grants: vec![grant],
        time: Wall(0),
    };
    let view = view(&world);
    let kinds = [Kind::Tool, Kind::Prompt, Kind::Resource, Kind::ResourceTemplate];
    let uses = kinds.map(|kind| Action::Use { kind, name: "demo://a".into() });
    let known = kinds.map(Action::List).into_iter().chain(uses).chain([Action::Converse]);
    let asked = |server, action: &Action| {
        let (token, grant) = (token(0, 0), world.grants[0].id);
        decided(&view, &Call { token, grant, server, action: action.clone() }, Wall(0), true)
    };
    for action in known {
        assert_eq!(asked(server_id(0), &action), Ok(()), "{action:?}");
        assert_eq!(asked(server_id(1), &action), Err(Reason::ServerOutOfScope), "{action:?}");
        assert_eq!(asked(server_id(7), &action), Err(Reason::ServerOutOfScope), "{action:?}");
    }
    assert_eq!(asked(server_id(0), &Action::Unknown), Err(Reason::MethodNotKnown));
    assert_eq!(asked(server_id(1), &Action::Unknown), Err(Reason::ServerOutOfScope));
}
