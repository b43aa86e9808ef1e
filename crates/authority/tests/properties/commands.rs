//! Random commands over a few ids, so that they meet: every invariant is checked after each step.
//!
//! A failing sequence is shrunk and kept by proptest, and replayed at the next run.

use authority::{
    Authority, Event, Happened,
    archive::Head,
    command::{
        AddOperator, AddPrincipal, AddServer, Body, Class, Command, CommitArchiveHead, DisableServer,
        EnableServer, FoundCluster, IssueGrant, Outcome, RegisterIncarnation, RemoveCredential, RemoveServer,
        ResumePrincipal, RevokeGrant, RotateGrantToken, RotateOperatorToken, SetCredential, SuspendPrincipal,
        apply, decide_command,
    },
    credential::{self, Attachment, Credential, Sealed},
    event::{Actor, Number, Revision},
    fold,
    grant::{self, TokenHash},
    invariant,
    name::Name,
    node,
    operator::{self, Operator, Role},
    pattern::Pattern,
    principal::{self, Kind, Principal},
    request::{self, REMEMBERED_MILLIS},
    scope::Scope,
    server::{self, Endpoint},
    snapshot::parts,
    time::Wall,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// One step of a run. What depends on the state is filled in when the step is taken.
#[derive(Clone, Debug)]
enum Step {
    Command(Body),
    /// A credential of the version that is due.
    SetCredential {
        id: u8,
        server: u8,
        origin_of: u8,
    },
    /// A head that holds all events but the last few.
    CommitHead {
        behind: u64,
    },
    /// The command before, once more.
    Retry,
    /// The request of the command before, with another command.
    ReuseRequest(Body),
    /// Time passes, in seconds; it may also be set back.
    Wait(i64),
}

fn principal_id(n: u8) -> principal::Id {
    principal::Id::parse(&format!("p{n}")).expect("a name")
}

fn server_id(n: u8) -> server::Id {
    server::Id::parse(&format!("s{n}")).expect("a name")
}

fn credential_id(n: u8) -> credential::Id {
    credential::Id::parse(&format!("c{n}")).expect("a name")
}

fn operator_id(n: u8) -> operator::Id {
    operator::Id::parse(&format!("o{n}")).expect("a name")
}

fn endpoint(n: u8) -> Endpoint {
    Endpoint::parse(&format!("https://s{n}.example/mcp")).expect("an endpoint")
}

fn grant_id(n: u8) -> grant::Id {
    grant::Id([n; 16])
}

fn token(n: u8) -> TokenHash {
    TokenHash([n; 32])
}

fn principal() -> impl Strategy<Value = Principal> {
    let kind = prop_oneof![
        2 => Just(Kind::Person),
        3 => (0u8..4).prop_map(|owner| Kind::Agent { owner: principal_id(owner) }),
        1 => Just(Kind::Service),
    ];
    (0u8..4, kind, any::<bool>()).prop_map(|(id, kind, suspended)| Principal {
        id: principal_id(id),
        kind,
        display_name: "".into(),
        groups: [].into(),
        suspended,
    })
}

fn scope() -> impl Strategy<Value = Scope> {
    let pattern = select(vec!["*", "get_*", "get_issue", "get_*_x", "delete_repo"])
        .prop_map(|text| Pattern::parse(text).expect("a pattern"));
    (0u8..3, vec(pattern, 0..2)).prop_map(|(server, tools)| Scope {
        server: server_id(server),
        tools,
        prompts: Vec::new(),
        resources: Vec::new(),
    })
}

fn issue() -> impl Strategy<Value = Body> {
    let times = (option::weighted(0.2, 0u64..5_000), option::weighted(0.5, 0u64..5_000_000));
    (1u8..12, 0u8..4, option::weighted(0.7, 0u8..12), vec(scope(), 1..3), times, 0u8..90).prop_map(
        |(grant, principal, parent, scopes, (not_before, expires_at), hash)| {
            Body::IssueGrant(IssueGrant {
                grant: grant_id(grant),
                principal: principal_id(principal),
                label: "".into(),
                parent: parent.map(grant_id),
                scopes,
                not_before: not_before.map(Wall),
                expires_at: expires_at.map(Wall),
                token: token(hash),
            })
        },
    )
}

fn operator_commands() -> impl Strategy<Value = Body> {
    prop_oneof![
        (0u8..3, 0u8..5).prop_map(|(id, hash)| {
            let operator = Operator { id: operator_id(id), role: Role::Granter, token: token(hash) };
            Body::AddOperator(AddOperator { operator })
        }),
        (0u8..3, 0u8..5).prop_map(|(id, hash)| {
            Body::RotateOperatorToken(RotateOperatorToken { operator: operator_id(id), token: token(hash) })
        }),
        (0u64..3, 0u64..6).prop_map(|(id, epoch)| {
            let (node, epoch) = (node::Id(id), node::Epoch(epoch));
            Body::RegisterIncarnation(RegisterIncarnation { node, epoch })
        }),
        (0u8..2).prop_map(|n| {
            let cluster = Name::parse(&format!("cluster-{n}")).expect("a name");
            Body::FoundCluster(FoundCluster { cluster })
        }),
    ]
}

fn server_commands() -> impl Strategy<Value = Body> {
    prop_oneof![
        4 => (0u8..3).prop_map(|n| {
            Body::AddServer(AddServer { server: server_id(n), endpoint: endpoint(n) })
        }),
        2 => (0u8..3).prop_map(|n| Body::DisableServer(DisableServer { server: server_id(n) })),
        2 => (0u8..3).prop_map(|n| Body::EnableServer(EnableServer { server: server_id(n) })),
        1 => (0u8..3).prop_map(|n| Body::RemoveServer(RemoveServer { server: server_id(n) })),
        1 => (0u8..3).prop_map(|n| {
            Body::RemoveCredential(RemoveCredential { credential: credential_id(n) })
        }),
    ]
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        2 => principal().prop_map(|principal| Body::AddPrincipal(AddPrincipal { principal })),
        1 => (0u8..4).prop_map(|n| {
            Body::SuspendPrincipal(SuspendPrincipal { principal: principal_id(n) })
        }),
        1 => (0u8..4).prop_map(|n| Body::ResumePrincipal(ResumePrincipal { principal: principal_id(n) })),
        3 => server_commands(),
        12 => issue(),
        2 => (0u8..12, 0u8..90, 0u64..100_000).prop_map(|(grant, hash, overlap_millis)| {
            let (grant, token) = (grant_id(grant), token(hash));
            Body::RotateGrantToken(RotateGrantToken { grant, token, overlap_millis })
        }),
        2 => (0u8..12).prop_map(|n| Body::RevokeGrant(RevokeGrant { grant: grant_id(n) })),
        2 => operator_commands(),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => body().prop_map(Step::Command),
        2 => (0u8..3, 0u8..3, 0u8..3).prop_map(|(id, server, other)| {
            // Most often the server's own origin.
            let origin_of = if other == 0 { id } else { server };
            Step::SetCredential { id, server, origin_of }
        }),
        2 => (0u64..4).prop_map(|behind| Step::CommitHead { behind }),
        2 => Just(Step::Retry),
        1 => body().prop_map(Step::ReuseRequest),
        2 => prop_oneof![
            4 => -100i64..1_000,
            1 => Just(i64::try_from(REMEMBERED_MILLIS / 1000).expect("a day is short")),
        ]
        .prop_map(Step::Wait),
    ]
}

/// A run: the state, and beside it the fold of all events from nothing.
#[derive(Default)]
struct Run {
    state: Authority,
    folded: Authority,
    events: Vec<Happened>,
    revision: u64,
    requests: u64,
    wall: Wall,
    last: Option<(Command, Outcome)>,
}

impl Run {
    /// A run that begins with people, servers and a grant of everything, so that most commands meet something.
    fn furnished() -> Result<Self, TestCaseError> {
        let mut run = Self { wall: Wall(1_000_000), ..Self::default() };
        for (id, kind) in [(0, Kind::Person), (1, Kind::Agent { owner: principal_id(0) }), (2, Kind::Service)]
        {
            let (id, display_name, groups) = (principal_id(id), "".into(), [].into());
            let principal = Principal { id, kind, display_name, groups, suspended: false };
            run.apply(Body::AddPrincipal(AddPrincipal { principal }))?;
        }
        for n in 0..2 {
            run.apply(Body::AddServer(AddServer { server: server_id(n), endpoint: endpoint(n) }))?;
        }
        run.apply(Body::IssueGrant(IssueGrant {
            grant: grant_id(0),
            principal: principal_id(0),
            label: "".into(),
            parent: None,
            scopes: (0..2).map(|n| Scope::all(server_id(n))).collect(),
            not_before: None,
            expires_at: None,
            token: token(200),
        }))?;
        Ok(run)
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Command(body) => self.apply(body),
            Step::SetCredential { id, server, origin_of } => {
                let version = self.state.next_credential_version(&credential_id(id));
                self.apply(Body::SetCredential(SetCredential {
                    credential: Credential {
                        id: credential_id(id),
                        server: server_id(server),
                        origin: endpoint(origin_of).origin,
                        attachment: Attachment::Bearer,
                        version,
                        sealed: Sealed([0; 40].as_slice().into()),
                    },
                }))
            }
            Step::CommitHead { behind } => {
                let held = self.state.head();
                let through = self.state.last_event().0.saturating_sub(behind).max(held.events_through.0);
                let (height, size) = (held.height + 1, held.size + 1);
                let head = Head { height, size, events_through: Number(through), ..held.clone() };
                self.apply(Body::CommitArchiveHead(CommitArchiveHead { previous_height: held.height, head }))
            }
            Step::Retry => self.retry(),
            Step::ReuseRequest(body) => self.reuse(body),
            Step::Wait(seconds) => {
                self.wall = Wall(self.wall.0.saturating_add_signed(seconds * 1000));
                Ok(())
            }
        }
    }

    fn apply(&mut self, body: Body) -> Result<(), TestCaseError> {
        self.requests += 1;
        let request = request::Id(u128::from(self.requests).to_be_bytes());
        let command = Command { request, actor: Actor::Founder, time: self.wall, body };
        prop_assert!(Body::NAMES.contains(&command.body.name()));
        let decided = decide_command(&self.state, &command);
        let before = self.state.clone();
        self.revision += 1;
        let applied = apply(&mut self.state, &command, Revision(self.revision));
        self.check_step(&before, &command, &applied.events)?;
        match (&decided, &applied.outcome) {
            (Ok(events), Outcome::Done { changed, .. }) => prop_assert_eq!(*changed, !events.is_empty()),
            (Err(rejected), Outcome::Rejected(told)) => prop_assert_eq!(rejected, told),
            (decided, outcome) => prop_assert!(false, "decided {decided:?}, answered {outcome:?}"),
        }
        self.last = Some((command, applied.outcome));
        Ok(())
    }

    /// What holds of every step that emitted events, and of the state after it.
    fn check_step(
        &mut self,
        before: &Authority,
        command: &Command,
        events: &[Happened],
    ) -> Result<(), TestCaseError> {
        let first = before.last_event().0 + 1;
        let numbers: Vec<_> = events.iter().map(|happened| happened.number.0).collect();
        prop_assert_eq!(numbers, (first..).take(events.len()).collect::<Vec<_>>());
        let closes = matches!(events.last().map(|last| &last.event), Some(Event::CommandHandled { .. }));
        prop_assert!(closes, "the last event answers the command");
        prop_assert!(self.state.time() >= before.time(), "time does not go back");
        let mut again = before.clone();
        prop_assert_eq!(&apply(&mut again, command, Revision(self.revision)).events, events);
        for happened in events {
            fold(&mut self.folded, happened);
        }
        self.events.extend_from_slice(events);
        // E1: the state is the fold of its events.
        prop_assert_eq!(parts(&self.folded), parts(&self.state));
        invariant::every(before, &self.state).map_err(TestCaseError::fail)
    }

    fn retry(&mut self) -> Result<(), TestCaseError> {
        let Some((command, outcome)) = self.last.clone() else { return Ok(()) };
        let before = parts(&self.state);
        let later = Command { time: self.wall, ..command };
        let again = apply(&mut self.state, &later, Revision(self.revision + 1));
        prop_assert_eq!((again.outcome, again.events), (outcome, Vec::new()));
        prop_assert_eq!(parts(&self.state), before);
        Ok(())
    }

    fn reuse(&mut self, body: Body) -> Result<(), TestCaseError> {
        let Some((command, _)) = self.last.clone() else { return Ok(()) };
        if command.body.name() == body.name() {
            return Ok(());
        }
        let before = parts(&self.state);
        let other = Command { body, ..command };
        let answer = apply(&mut self.state, &other, Revision(self.revision + 1));
        prop_assert!(matches!(answer.outcome, Outcome::Rejected(_)));
        prop_assert_eq!((answer.events, parts(&self.state)), (Vec::new(), before));
        Ok(())
    }
}

proptest! {
    /// I5 and FAULTS E36 among the invariants: revoked is absorbing, and no id is used again.
    #[test]
    fn e36_every_invariant_holds_after_every_command(steps in vec(step(), 1..120)) {
        let mut run = Run::furnished()?;
        for step in steps {
            run.take(step)?;
        }
        let mut folded = Authority::new();
        run.events.iter().for_each(|happened| fold(&mut folded, happened));
        prop_assert_eq!(parts(&folded), parts(&run.state));
    }

    #[test]
    fn a_command_that_is_not_narrowing_takes_no_token_away(bodies in vec(body(), 1..60)) {
        let mut run = Run::furnished()?;
        for body in bodies {
            let narrowing = body.class() == Class::Narrowing;
            let before = usable(&run.state);
            run.apply(body)?;
            let after = usable(&run.state);
            prop_assert!(narrowing || before.iter().all(|grant| after.contains(grant)));
        }
    }
}

/// The grants that no suspension, revocation or server stands against, as far as commands decide it.
fn usable(state: &Authority) -> Vec<(grant::Id, TokenHash, server::Id)> {
    let parts = parts(state);
    let revoked: Vec<_> =
        parts.grants.iter().filter(|grant| grant.revoked_at.is_some()).map(|grant| grant.id).collect();
    let suspended: Vec<_> =
        parts.principals.iter().filter(|held| held.suspended).map(|held| held.id.clone()).collect();
    let enabled = |id: &server::Id| {
        parts.servers.iter().any(|held| held.id == *id && held.status == server::Status::Enabled)
    };
    let live = parts
        .grants
        .iter()
        .filter(|grant| !revoked.contains(&grant.id) && !suspended.contains(&grant.principal));
    let reached = live.flat_map(|grant| {
        grant.scopes.iter().map(|scope| (grant.id, grant.tokens.current, scope.server.clone()))
    });
    reached.filter(|(_, _, server)| enabled(server)).collect()
}
