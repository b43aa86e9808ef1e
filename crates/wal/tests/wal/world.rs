//! A node for the log's tests: a simulated disk and clock, one grant that allows everything, and restarts.

use std::{collections::BTreeSet, pin::Pin, sync::Arc, task::Poll, time::Duration};

use authority::{
    Authority, Permit, Reason, RecordedPermit, View,
    action::Action,
    archive::Position,
    command::{AddPrincipal, AddServer, Body, Command, FoundCluster, IssueGrant, apply},
    enforcement::{Call, Gate, Lease},
    event::{Actor, Revision},
    grant::{self, TokenHash},
    name::Name,
    node::{Epoch, Id},
    principal::{self, Kind, Principal},
    record::{CallFacts, Denied, Ending, Intent, Outcome, Seq},
    request,
    scope::Scope,
    server::{self, Endpoint},
    time::{Boot, Now, Wall},
};
use seams::{Disk, ManualClock, SimulatedDisk};
use wal::{Config, Durability, NotRecorded, OpenFailed, Recovery, Stored, Wal, chain::Chain};

pub const EDGE: Id = Id(1);
pub const DIR: &str = "/data/wal";

const GRANT: grant::Id = grant::Id([7; 16]);
const TOKEN: TokenHash = TokenHash([8; 32]);

pub struct World {
    pub disk: SimulatedDisk,
    pub clock: Arc<ManualClock>,
    pub config: Config,
    pub gate: Gate,
    pub epoch: u64,
}

impl World {
    pub fn new(durability: Durability) -> Self {
        let mut config = Config::new(DIR, durability);
        // Small, so that a few records fill a segment.
        config.segment_bytes = 1_000;
        // Long, so that nothing is synced in the background unless a test asks for it.
        config.sync_interval = Duration::from_secs(3_600);
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        Self { disk: SimulatedDisk::new(), clock, config, gate: gate(), epoch: 0 }
    }

    /// Starts the process anew, with the next epoch.
    pub fn start(&mut self) -> (Wal, Recovery) {
        self.try_start().expect("the log opens")
    }

    pub fn try_start(&mut self) -> Result<(Wal, Recovery), OpenFailed> {
        self.epoch += 1;
        self.open_on(Arc::new(self.disk.clone()))
    }

    pub fn open_on(&self, disk: Arc<dyn Disk>) -> Result<(Wal, Recovery), OpenFailed> {
        Wal::open(self.config.clone(), disk, self.clock.clone(), EDGE, Epoch(self.epoch))
    }

    pub fn permit(&self) -> Permit {
        let action = Action::Converse;
        let call = Call { token: TOKEN, grant: GRANT, server: server_id(), action };
        let now = || Now { wall: Wall(1), boot: Boot(1) };
        self.gate.admit(call, now).expect("the grant allows everything").permit
    }

    pub async fn intent(&self, wal: &Wal) -> Result<RecordedPermit, NotRecorded> {
        wal.intent(self.permit(), intent("read_file")).await
    }

    /// Records `count` intents at once, as concurrent calls do.
    pub async fn intents(&self, wal: &Wal, count: usize) -> Vec<Seq> {
        let mut waiting = Vec::new();
        for _ in 0..count {
            let (wal, permit) = (wal.clone(), self.permit());
            waiting.push(tokio::spawn(async move { wal.intent(permit, intent("read_file")).await }));
        }
        let mut recorded = Vec::new();
        for intent in waiting {
            recorded.push(intent.await.expect("no panic").expect("recorded").intent());
        }
        recorded.sort_unstable();
        recorded
    }

    /// The path of the newest segment.
    pub fn newest(&self) -> std::path::PathBuf {
        let names = self.disk.list(DIR.as_ref()).expect("the directory exists");
        std::path::Path::new(DIR).join(names.last().expect("a log has a segment"))
    }
}

pub fn intent(tool: &str) -> Intent {
    Intent { call: facts(tool), credential: None }
}

pub fn denied() -> Denied {
    Denied { call: facts("write_file"), reason: Reason::ToolOutOfScope, rule: "grants/x/scopes".into() }
}

pub fn outcome(intent: Seq) -> Outcome {
    Outcome {
        intent,
        ending: Ending::Completed,
        upstream_status: Some(200),
        latency_micros: 1_500,
        request_bytes: 100,
        response_bytes: 2_000,
        redacted: false,
        late_effect: false,
        last_check_at: Boot(5),
    }
}

/// Everything the log reads out, checked to be one chain from its beginning.
pub fn read_all(wal: &Wal) -> Vec<Stored> {
    let mut all = Vec::new();
    let mut chain = Chain::new(EDGE);
    loop {
        let positions: Vec<Position> = chain.last().into_iter().collect();
        let page = wal.read_after(&positions, 3).expect("the log reads");
        if page.is_empty() {
            return all;
        }
        for stored in page {
            assert_eq!(stored.hash, wal::chain::hash(&stored.bytes));
            chain.follow(&stored.record, stored.hash).expect("one chain");
            all.push(stored);
        }
    }
}

pub fn seqs_of(stored: &[Stored], epoch: u64) -> BTreeSet<Seq> {
    let of_epoch = stored.iter().filter(|stored| stored.record.epoch == Epoch(epoch));
    of_epoch.map(|stored| stored.record.seq).collect()
}

fn facts(tool: &str) -> CallFacts {
    CallFacts {
        revision: Revision(4),
        grants: vec![GRANT],
        principal: ana(),
        owner: None,
        client: None,
        peer: "127.0.0.1:5000".into(),
        server: server_id(),
        mcp_revision: "2025-11-25".into(),
        method: "tools/call".into(),
        target: Some(tool.into()),
        argument_keys: vec!["path".into()],
        arguments_digest: Some([3; 32]),
        trace: None,
        decided_at: Boot(1),
    }
}

/// A gate whose view holds one grant for one server.
fn gate() -> Gate {
    let principal = Principal {
        id: ana(),
        kind: Kind::Person,
        display_name: "Ana".into(),
        groups: BTreeSet::new(),
        suspended: false,
    };
    let grant = IssueGrant {
        grant: GRANT,
        principal: ana(),
        label: "".into(),
        parent: None,
        scopes: vec![Scope::all(server_id())],
        not_before: None,
        expires_at: None,
        token: TOKEN,
    };
    let endpoint = Endpoint::parse("https://files.example/mcp").expect("an endpoint");
    let bodies = [
        Body::FoundCluster(FoundCluster { cluster: Name::parse("test").expect("a name") }),
        Body::AddPrincipal(AddPrincipal { principal }),
        Body::AddServer(AddServer { server: server_id(), endpoint }),
        Body::IssueGrant(grant),
    ];
    let mut state = Authority::new();
    for (revision, body) in (1..).zip(bodies) {
        let mut id = [0; 16];
        id[0] = u8::try_from(revision).expect("four commands");
        let command = Command { request: request::Id(id), actor: Actor::Founder, time: Wall(0), body };
        apply(&mut state, &command, Revision(revision));
    }
    let gate = Gate::new();
    gate.publish(View::new(state, Revision(4)), Wall(0));
    gate.lease_cell().extend(Lease::until(Boot(u64::MAX)));
    gate
}

fn ana() -> principal::Id {
    principal::Id::parse("ana").expect("a name")
}

fn server_id() -> server::Id {
    server::Id::parse("files").expect("a name")
}

/// Polls a future once: what it submits when it is polled first is then in the log's queue.
pub async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}
