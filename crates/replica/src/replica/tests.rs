//! A whole replica on a real directory: what it answers, and what it still knows after a restart.

mod disk;
mod enforcement;
mod leases;
mod recognition;
mod restarts;

use std::path::Path;

use authority::{
    action::{Action, Kind},
    command::{AddPrincipal, AddServer, IssueGrant, RevokeGrant},
    enforcement::{Admitted, Call},
    event::Event,
    grant::{self, TokenHash},
    name::Name,
    operator, principal, request,
    scope::Scope,
    server::{self, Endpoint},
    time::{Boot, Now, Wall},
};
use seams::{Clock, ManualClock, SeededEntropy};
use tempfile::TempDir;

use super::*;
use crate::{lease_keeper::LeaseKeeper, test_disk::TestDisk};

/// A replica, and all it was given.
struct Node {
    dir: TempDir,
    disk: TestDisk,
    gate: Arc<Gate>,
    clock: Arc<ManualClock>,
    replica: Replica,
}

impl Node {
    /// A new cluster of one.
    async fn founded() -> Self {
        Self::with(|config| config).await
    }

    /// A new cluster of one, configured otherwise.
    async fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self::open(dir, change).await.expect("it is founded")
    }

    /// Starts in `dir`, with a fresh gate and a fresh clock.
    async fn open(dir: TempDir, change: impl FnOnce(Config) -> Config) -> Result<Self, OpenFailed> {
        let (disk, gate) = (TestDisk::default(), Arc::new(Gate::new()));
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        // A lease that ends at 0 is none.
        clock.set_boot_nanos(1_000_000_000);
        let config = change(config(dir.path()));
        let shared: (SharedDisk, SharedClock) = (Arc::new(disk.clone()), Arc::clone(&clock) as _);
        let entropy = Arc::new(SeededEntropy::new(7));
        let replica = Replica::open_on(shared.0, config, Arc::clone(&gate), shared.1, entropy).await?;
        Ok(Self { dir, disk, gate, clock, replica })
    }

    /// Stops it and starts it again.
    async fn restarted(self) -> Self {
        let dir = self.stopped().await;
        Self::open(dir, |config| Config { cluster: None, ..config }).await.expect("it starts again")
    }

    /// Stops it.
    async fn stopped(self) -> TempDir {
        self.replica.shutdown().await;
        self.dir
    }

    async fn propose(&self, id: u8, body: Body) -> Answer {
        self.replica.propose(proposal(id, body)).await.expect("there is an answer")
    }

    /// Does what has to be done before a call can be allowed: a principal, a server, a grant for each of `grants`.
    /// Once for each node.
    async fn with_grants(&self, grants: &[u8]) {
        let grants = grants.iter().map(|grant| issue(*grant));
        for (id, body) in (200..).zip([add_principal("ana"), add_server()].into_iter().chain(grants)) {
            let answer = self.propose(id, body).await;
            assert!(is_done(&answer), "{answer:?}");
        }
    }

    /// A keeper beside the one that runs, whose renewals the test makes itself.
    fn keeper(&self) -> LeaseKeeper {
        let clock: SharedClock = Arc::clone(&self.clock) as _;
        let leadership = Arc::clone(&self.replica.inner.leadership);
        LeaseKeeper::new(leadership, Arc::clone(&self.gate), clock, &config(self.dir.path()))
    }

    /// Lets a call of `grant` in, under a fresh lease.
    async fn admitted(&self, grant: u8) -> Admitted {
        self.keeper().renew().await;
        self.gate.admit(call(grant), || self.now()).expect("it is allowed")
    }

    fn now(&self) -> Now {
        Now { wall: Wall(self.clock.wall_millis()), boot: Boot(self.clock.boot_nanos()) }
    }

    /// The state as values.
    fn parts(&self) -> authority::snapshot::Parts {
        authority::snapshot::parts(self.gate.view().expect("there is one").authority())
    }

    /// The bodies of the events since the founding, by kind.
    fn kinds(&self) -> Vec<&'static str> {
        let handled = |event: &Event| matches!(event, Event::CommandHandled { .. });
        let parts = self.parts();
        parts.unarchived.iter().filter(|held| !handled(&held.event)).map(|held| held.event.kind()).collect()
    }
}

/// A start that is expected to fail.
async fn start(config: Config) -> Result<Replica, OpenFailed> {
    let (gate, clock) = (Arc::new(Gate::new()), Arc::new(ManualClock::new(0)));
    Replica::open(config, gate, clock, Arc::new(SeededEntropy::new(7))).await
}

fn config(dir: &Path) -> Config {
    let cluster = Some(Name::parse("test").expect("a name"));
    Config { cluster, ..Config::new(dir, node::Id(1)) }
}

fn proposal(id: u8, body: Body) -> Proposal {
    let actor = Actor::Operator(operator::Id::parse("root").expect("a name"));
    Proposal { request: request::Id([id; 16]), actor, body }
}

fn add_principal(id: &str) -> Body {
    Body::AddPrincipal(AddPrincipal {
        principal: principal::Principal {
            id: principal::Id::parse(id).expect("a name"),
            kind: principal::Kind::Person,
            display_name: "".into(),
            groups: std::collections::BTreeSet::new(),
            suspended: false,
        },
    })
}

fn server_id() -> server::Id {
    server::Id::parse("demo").expect("a name")
}

fn add_server() -> Body {
    let endpoint = Endpoint::parse("https://demo.example/mcp").expect("an endpoint");
    Body::AddServer(AddServer { server: server_id(), endpoint })
}

fn issue(grant: u8) -> Body {
    Body::IssueGrant(IssueGrant {
        grant: grant::Id([grant; 16]),
        principal: principal::Id::parse("ana").expect("a name"),
        label: "".into(),
        parent: None,
        scopes: vec![Scope::all(server_id())],
        not_before: None,
        expires_at: None,
        token: TokenHash([grant; 32]),
    })
}

fn revoke(grant: u8) -> Body {
    Body::RevokeGrant(RevokeGrant { grant: grant::Id([grant; 16]) })
}

fn call(grant: u8) -> Call {
    let action = Action::Use { kind: Kind::Tool, name: "echo".into() };
    Call { token: TokenHash([grant; 32]), grant: grant::Id([grant; 16]), server: server_id(), action }
}

fn is_done(answer: &Answer) -> bool {
    matches!(answer.outcome, Outcome::Done { .. })
}
