//! How long one decision takes, and how much memory a grant takes, with 1, 1,000 and 1,000,000 grants.
//!
//! The budget: a median below 1 µs and less than 1 KiB a grant (`cargo bench -p authority -- --verbose` prints medians; give
//! it an idle machine, since what it measures is mostly the reach into memory). The state is built by folding events,
//! as a node does, and heads are committed as it goes, so that no event waits for the archive. Memory is what the process
//! holds resident after minus before. `decide` asks about a grant that was just authenticated, anywhere among them, as
//! every call does; `decide_on_cold_memory` about one that nobody touched for long, which no call meets.

use std::{fs, hint::black_box, sync::Arc};

use authority::{
    Authority, Event, Happened, View,
    action::{Action, Kind},
    archive::Head,
    decision::decide,
    enforcement::{Call, InFlight, Lease, Registered},
    event::{Actor, Number, Revision},
    fold,
    grant::{self, Grant, TokenHash, Tokens},
    pattern::Pattern,
    principal::{self, Principal},
    request,
    scope::Scope,
    server::{self, Endpoint},
    time::{Boot, Now, Wall},
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// A principal for this many grants.
const GRANTS_PER_PRINCIPAL: u64 = 50;

/// How many principals are suspended, none of which calls: what a decision has to tell the others from.
const SUSPENDED: u64 = 200;

/// How many different lists of scopes the grants have: one for each hundred of a million.
const SCOPE_LISTS: u64 = 10_000;

/// How many events may wait for the archive while the state is built.
const HEAD_EVERY: u64 = 10_000;

/// How many calls are made ready before they are decided: about as many as are in flight at a time on a busy node.
const CALLS_AT_ONCE: u64 = 100;

const NOW: Now = Now { wall: Wall(1_700_000_000_000), boot: Boot(1_000) };

/// Builds a state by folding events.
struct Builder {
    state: Authority,
    number: u64,
}

impl Builder {
    fn fold(&mut self, event: Event) {
        self.number += 1;
        let number = Number(self.number);
        let (actor, request) = (Actor::Founder, request::Id(u128::from(self.number).to_be_bytes()));
        let revision = Revision(self.number);
        fold(&mut self.state, &Happened { number, revision, time: NOW.wall, actor, request, event });
        if self.number.is_multiple_of(HEAD_EVERY) {
            self.commit_head();
        }
    }

    fn commit_head(&mut self) {
        let head = Head { events_through: Number(self.number), ..Head::empty() };
        self.fold(Event::ArchiveHeadCommitted(head));
    }
}

fn view(grants: u64) -> View {
    let mut builder = Builder { state: Authority::new(), number: 0 };
    for n in 0..10 {
        let endpoint = Endpoint::parse("https://upstream.example/mcp").expect("an endpoint");
        builder.fold(Event::ServerAdded { server: server_id(n), endpoint });
    }
    for n in 0..grants.div_ceil(GRANTS_PER_PRINCIPAL) {
        let owner = (n % 2 == 1).then(|| principal_id(n - 1));
        builder.fold(Event::PrincipalAdded(Principal {
            id: principal_id(n),
            kind: owner.map_or(principal::Kind::Person, |owner| principal::Kind::Agent { owner }),
            display_name: "".into(),
            groups: [].into(),
            suspended: false,
        }));
    }
    for n in 0..SUSPENDED {
        let id = principal::Id::parse(&format!("gone-{n}")).expect("a name");
        let (kind, display_name, groups) = (principal::Kind::Person, "".into(), [].into());
        builder.fold(Event::PrincipalAdded(Principal { id, kind, display_name, groups, suspended: true }));
    }
    for n in 0..grants {
        builder.fold(Event::GrantIssued(grant(n)));
    }
    builder.commit_head();
    View::new(builder.state, Revision(builder.number))
}

/// A grant as it comes off the log: it shares no memory with another one.
fn grant(n: u64) -> Grant {
    let pattern = |text: &str| Pattern::parse(text).expect("a pattern");
    let scope = Scope {
        server: server_id(n % 10),
        tools: vec![pattern("get_*"), pattern("list_issues"), pattern("create_issue")],
        prompts: Vec::new(),
        resources: vec![pattern(&format!("file:///srv/docs/{}/*", n % SCOPE_LISTS))],
    };
    Grant {
        id: grant_id(n),
        principal: principal_id(n / GRANTS_PER_PRINCIPAL),
        label: "laptop".into(),
        parent: None,
        scopes: [scope].into(),
        issued_at: Wall(1_600_000_000_000),
        not_before: Wall(1_600_000_000_000),
        expires_at: Some(Wall(1_800_000_000_000)),
        tokens: Tokens { current: token(n), previous: None },
        revoked_at: None,
    }
}

fn principal_id(n: u64) -> principal::Id {
    principal::Id::parse(&format!("principal-{n}")).expect("a name")
}

fn server_id(n: u64) -> server::Id {
    server::Id::parse(&format!("server-{n}")).expect("a name")
}

/// Ids and token hashes are uniformly random in life; this spreads a counter the same way (splitmix64).
fn spread(n: u64) -> [u8; 8] {
    let mixed = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)).to_le_bytes()
}

fn grant_id(n: u64) -> grant::Id {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&spread(2 * n));
    id[8..].copy_from_slice(&n.to_le_bytes());
    grant::Id(id)
}

fn token(n: u64) -> TokenHash {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&spread(2 * n + 1));
    hash[24..].copy_from_slice(&n.to_le_bytes());
    TokenHash(hash)
}

/// A call as the edge has it: the token was looked up just before, which is how its grant is known.
fn authenticated(view: &View, table: &Arc<InFlight>, n: u64) -> Registered {
    let grant = view.grant_of_token(&token(n), NOW.wall).expect("the token is current").id;
    register(table, n, grant)
}

fn register(table: &Arc<InFlight>, n: u64, grant: grant::Id) -> Registered {
    let action = Action::Use { kind: Kind::Tool, name: "create_issue".into() };
    table.register(Call { token: token(n), grant, server: server_id(n % 10), action })
}

/// Bytes this process holds resident, from `/proc/self/statm`.
fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux tells a process its memory");
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("the second figure");
    pages * 4096
}

fn bench(criterion: &mut Criterion) {
    let table = Arc::new(InFlight::default());
    for grants in [1u64, 1_000, 1_000_000] {
        let before = resident_bytes();
        let view = view(grants);
        let bytes = resident_bytes().saturating_sub(before);
        println!("decide/{grants}: {} bytes resident a grant, {} MiB in all", bytes / grants, bytes >> 20);
        // Another grant each time, anywhere among them, as calls come.
        let mut asked = 0u64;
        let mut next = || {
            asked += 1;
            u64::from_le_bytes(spread(asked)) % grants
        };
        measure(criterion, &format!("decide/{grants}"), &view, || authenticated(&view, &table, next()));
        let cold = || {
            let n = next();
            register(&table, n, grant_id(n))
        };
        measure(criterion, &format!("decide_on_cold_memory/{grants}"), &view, cold);
    }
}

fn measure(criterion: &mut Criterion, name: &str, view: &View, mut call: impl FnMut() -> Registered) {
    criterion.bench_function(name, |bencher| {
        bencher.iter_batched_ref(
            &mut call,
            |call| decide(view, black_box(call), NOW, Lease::until(Boot(2_000))).expect("it is allowed"),
            BatchSize::NumIterations(CALLS_AT_ONCE),
        );
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
