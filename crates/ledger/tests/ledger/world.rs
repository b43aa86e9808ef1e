//! A node for the archive's tests: an authority that is applied on the spot, a log on a simulated disk, an archive in a
//! temporary directory, and ways to lose an answer or a life in the middle of a step.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use authority::{
    Authority, Permit, View,
    action::Action,
    archive::Head,
    command::{
        AddPrincipal, AddServer, Body, Command, CommitArchiveHead, FoundCluster, IssueGrant, Outcome,
        RevokeGrant, apply,
    },
    enforcement::{Call, Gate, Lease},
    event::{Actor, Revision},
    grant::{self, TokenHash},
    name::Name,
    node::{Epoch, Id},
    principal::{self, Kind, Principal},
    record::{self, CallFacts, Ending, Intent, Seq},
    request,
    scope::Scope,
    server::{self, Endpoint},
    time::{Boot, Now, Wall},
};
use keyring::{
    Keyring,
    signing::{AuditSigner, VerifyingKey},
};
use ledger::{
    Archiver, Reader,
    archiver::{CommitHead, HeadNotCommitted, Parts},
    store::Store,
    verify::{Anchor, Broken, Report, verify},
};
use seams::{ManualClock, SeededEntropy, SharedEntropy, SimulatedDisk};
use wal::{Config, Durability, Wal};

pub const EDGE: Id = Id(1);
pub const GRANT: grant::Id = grant::Id([7; 16]);
pub const TOKEN: TokenHash = TokenHash([0xa5; 32]);

/// What happens to the next commit of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is committed and answered.
    Answered,
    /// It is not committed.
    Lost,
    /// It is committed, and the answer is lost.
    Unanswered,
}

/// The authority of the tests, applied on the spot.
pub struct Cluster {
    pub gate: Arc<Gate>,
    state: Mutex<(Authority, u64)>,
    clock: Arc<ManualClock>,
    pub fate: Mutex<Fate>,
}

pub struct World {
    pub dir: tempfile::TempDir,
    pub store: Store,
    pub cluster: Arc<Cluster>,
    pub clock: Arc<ManualClock>,
    pub disk: SimulatedDisk,
    pub entropy: SharedEntropy,
    pub wal: Wal,
    epoch: u64,
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::create(dir.path()).expect("an archive");
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let (cluster, disk) = (Arc::new(Cluster::found(&clock)), SimulatedDisk::new());
        let wal = open_log(&disk, &clock, 1);
        let entropy = Arc::new(SeededEntropy::new(3));
        Self { dir, store, cluster, clock, disk, entropy, wal, epoch: 1 }
    }

    /// The process dies, or the power fails, and the log starts its next epoch.
    pub fn restart(&mut self, power_cut: bool) {
        if power_cut {
            self.disk.power_cut();
        } else {
            self.disk.kill();
        }
        self.epoch += 1;
        self.wal = open_log(&self.disk, &self.clock, self.epoch);
    }

    pub fn archiver(&self) -> Archiver {
        Archiver::new(Parts {
            store: self.store.clone(),
            wal: self.wal.clone(),
            gate: Arc::clone(&self.cluster.gate),
            commit: Arc::clone(&self.cluster) as Arc<dyn CommitHead>,
            signer: signer(1),
            cluster: cluster_name(),
            entropy: Arc::clone(&self.entropy),
        })
    }

    /// Archives until there is nothing left to archive.
    pub async fn archive(&self) {
        let mut archiver = self.archiver();
        while archiver.step().await.expect("the archive grows") {}
    }

    pub fn reader(&self) -> Reader {
        Reader::new(self.store.clone(), self.wal.clone(), Arc::clone(&self.cluster.gate))
    }

    pub async fn verify(&self) -> Result<Report, Broken> {
        verify(&self.store, &key(), None).await
    }

    pub async fn verify_up_to(&self, head: &Head) -> Result<Report, Broken> {
        verify(&self.store, &key(), Some(&Anchor::from(head))).await
    }

    pub fn head(&self) -> Head {
        self.cluster.gate.view().expect("a view").authority().head()
    }

    /// Records the intent of a call of `tool`, a little later than what came before.
    pub async fn intent(&self, tool: &str) -> Seq {
        self.pass_time(5);
        let permit = self.cluster.permit();
        let intent = Intent { call: facts(tool), credential: None };
        self.wal.intent(permit, intent).await.expect("recorded").intent()
    }

    pub async fn outcome(&self, intent: Seq) {
        self.pass_time(5);
        self.wal.outcome(outcome(intent));
        self.wal.flush().await.expect("synced");
    }

    pub async fn call(&self, tool: &str) -> Seq {
        let intent = self.intent(tool).await;
        self.outcome(intent).await;
        intent
    }

    pub fn pass_time(&self, millis: u64) {
        self.clock.advance(std::time::Duration::from_millis(millis));
    }

    pub fn files(&self, folder: &str) -> Vec<std::path::PathBuf> {
        let listed = std::fs::read_dir(self.dir.path().join(folder)).expect("the folder is there");
        let mut files: Vec<_> = listed.map(|entry| entry.expect("it lists").path()).collect();
        files.sort();
        files
    }
}

impl Cluster {
    fn found(clock: &Arc<ManualClock>) -> Self {
        let gate = Arc::new(Gate::new());
        gate.lease_cell().extend(Lease::until(Boot(u64::MAX)));
        let (state, clock) = (Mutex::new((Authority::new(), 0)), Arc::clone(clock));
        let cluster = Self { gate, state, clock, fate: Mutex::new(Fate::Answered) };
        let principal = Principal {
            id: ana(),
            kind: Kind::Person,
            display_name: "Ana".into(),
            groups: BTreeSet::new(),
            suspended: false,
        };
        let endpoint = Endpoint::parse("https://files.example/mcp").expect("an endpoint");
        cluster.apply(Body::FoundCluster(FoundCluster { cluster: cluster_name() }));
        cluster.apply(Body::AddPrincipal(AddPrincipal { principal }));
        cluster.apply(Body::AddServer(AddServer { server: files(), endpoint }));
        cluster.issue(GRANT, TOKEN);
        cluster
    }

    pub fn issue(&self, id: grant::Id, token: TokenHash) {
        self.apply(Body::IssueGrant(IssueGrant {
            grant: id,
            principal: ana(),
            label: "laptop".into(),
            parent: None,
            scopes: vec![Scope::all(files())],
            not_before: None,
            expires_at: None,
            token,
        }));
    }

    pub fn revoke(&self, id: grant::Id) {
        self.apply(Body::RevokeGrant(RevokeGrant { grant: id }));
    }

    pub fn apply(&self, body: Body) -> Outcome {
        let mut state = self.state.lock().expect("no test panics under the lock");
        let (authority, revision) = &mut *state;
        *revision += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&revision.to_be_bytes());
        let time = Wall(seams::Clock::wall_millis(&*self.clock));
        let command = Command { request: request::Id(id), actor: Actor::Founder, time, body };
        let applied = apply(authority, &command, Revision(*revision));
        self.gate.publish(View::new(authority.clone(), Revision(*revision)), Wall(0));
        applied.outcome
    }

    fn permit(&self) -> Permit {
        let call = Call { token: TOKEN, grant: GRANT, server: files(), action: Action::Converse };
        let now = || Now { wall: Wall(1), boot: Boot(1) };
        self.gate.admit(call, now).expect("the grant allows everything").permit
    }
}

#[async_trait]
impl CommitHead for Cluster {
    async fn commit_head(&self, previous_height: u64, head: Head) -> Result<(), HeadNotCommitted> {
        let fate = *self.fate.lock().expect("no test panics under the lock");
        if fate == Fate::Lost {
            return Err(HeadNotCommitted("the leader is gone".into()));
        }
        let outcome = self.apply(Body::CommitArchiveHead(CommitArchiveHead { previous_height, head }));
        match outcome {
            Outcome::Rejected(rejected) => Err(HeadNotCommitted(Box::new(rejected))),
            Outcome::Done { .. } if fate == Fate::Unanswered => {
                Err(HeadNotCommitted("the answer is lost".into()))
            }
            Outcome::Done { .. } => Ok(()),
        }
    }
}

pub fn signer(seed: u64) -> AuditSigner {
    let keyring =
        Keyring::open_or_create(Path::new("/keys"), &SimulatedDisk::new(), &SeededEntropy::new(seed));
    keyring.expect("a keyring").audit_signer("portcullis/test".parse().expect("a key name"))
}

pub fn key() -> VerifyingKey {
    signer(1).verifying_key()
}

pub fn cluster_name() -> Name {
    Name::parse("test").expect("a name")
}

pub fn outcome(intent: Seq) -> record::Outcome {
    record::Outcome {
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

fn open_log(disk: &SimulatedDisk, clock: &Arc<ManualClock>, epoch: u64) -> Wal {
    let mut config = Config::new("/data/wal", Durability::Synced);
    config.segment_bytes = 2_000;
    let (disk, clock) = (Arc::new(disk.clone()), Arc::clone(clock));
    Wal::open(config, disk, clock, EDGE, Epoch(epoch)).expect("the log opens").0
}

fn facts(tool: &str) -> CallFacts {
    CallFacts {
        revision: Revision(4),
        grants: vec![GRANT],
        principal: ana(),
        owner: None,
        client: None,
        peer: "127.0.0.1:5000".into(),
        server: files(),
        mcp_revision: "2025-11-25".into(),
        method: "tools/call".into(),
        target: Some(tool.into()),
        argument_keys: vec!["path".into()],
        arguments_digest: Some([3; 32]),
        trace: None,
        decided_at: Boot(1),
    }
}

fn ana() -> principal::Id {
    principal::Id::parse("ana").expect("a name")
}

fn files() -> server::Id {
    server::Id::parse("files").expect("a name")
}
