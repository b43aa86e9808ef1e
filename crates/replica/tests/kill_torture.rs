//! `kill -9` at random: a process that makes changes and says which were acknowledged is killed again and again, and
//! nothing that it said was acknowledged may be missing afterwards.
//!
//! The process is this test binary itself, started with a variable that names its directory; what it acknowledges it
//! writes to its standard error, which is a pipe, so that a line that was written is not lost with the process. The
//! seed is printed; `PORTCULLIS_TORTURE_SEED` sets it and `PORTCULLIS_TORTURE_KILLS` makes the run longer.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use authority::{
    View,
    command::{AddPrincipal, Body, Outcome, SuspendPrincipal},
    enforcement::Gate,
    event::Actor,
    name::Name,
    node, operator,
    principal::{self, Kind, Principal},
    request,
};
use replica::{Config, Proposal, Replica};
use seams::{Entropy, SeededEntropy, SystemClock, SystemEntropy, entropy};

/// Names the directory, and makes the process the one that is killed.
const DIR: &str = "PORTCULLIS_TORTURE_DIR";
/// The number of the first change that the process makes.
const FIRST: &str = "PORTCULLIS_TORTURE_FIRST";
const SEED: &str = "PORTCULLIS_TORTURE_SEED";
const KILLS: &str = "PORTCULLIS_TORTURE_KILLS";

/// How many kills a run of the tests makes.
const KILLS_BY_DEFAULT: u64 = 15;
/// How many changes are under way at a time, so that a kill meets several.
const WRITERS: u64 = 8;
/// A process is killed after it acknowledged at most so many changes: enough for a few snapshots and purges.
const MAX_ACKNOWLEDGED: u64 = 120;
/// So many entries lie between two snapshots, so that kills meet their writing, too.
const ENTRIES_PER_SNAPSHOT: u64 = 15;
/// Every so many changes one takes rights away.
const NARROWING_EVERY: u64 = 5;

/// A01, A02, A03, A04, A07 for one voter: whatever the process was doing when it was killed, an acknowledged change is
/// there afterwards, and one whose outcome was not known is made exactly once by a retry.
#[test]
fn a01_to_a04_and_a07_kill_9_loses_nothing_that_was_acknowledged() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse().expect("a number"));
    let seed = number(SEED).unwrap_or_else(|| u64::from_le_bytes(entropy::array(&SystemEntropy)));
    let kills = number(KILLS).unwrap_or(KILLS_BY_DEFAULT);
    println!("{SEED}={seed} {KILLS}={kills}");
    let random = SeededEntropy::new(seed);
    let dir = tempfile::tempdir().expect("a directory");
    let mut acknowledged = BTreeSet::new();
    let mut next = 0;
    for kill in 0..kills {
        let enough = 1 + below(&random, MAX_ACKNOWLEDGED);
        let lines = run_and_kill(dir.path(), next, enough, below(&random, 400));
        assert!(!lines.is_empty(), "kill {kill}: the process acknowledged nothing");
        acknowledged.extend(lines);
        // Whatever was under way is among the numbers after the greatest acknowledged one.
        let under_way = next..acknowledged.last().map_or(0, |last| last + 1) + WRITERS;
        next = under_way.end;
        verify_and_retry(dir.path(), &acknowledged, under_way.clone());
        acknowledged.extend(under_way);
    }
    println!("{kills} kills, {} changes acknowledged, 0 lost", acknowledged.len());
}

/// The process that is killed. Without the variable, as in a plain run of the tests, there is nothing to do.
#[test]
fn the_process_that_is_killed() {
    let Ok(dir) = env::var(DIR) else { return };
    let first: u64 = env::var(FIRST).expect("it is set with the directory").parse().expect("a number");
    runtime().block_on(async {
        let replica = open(Path::new(&dir)).await;
        let writers = (0..WRITERS).map(|writer| {
            let replica = replica.clone();
            tokio::spawn(async move {
                for number in (first + writer..).step_by(usize::try_from(WRITERS).expect("it is small")) {
                    make(&replica, number).await;
                    eprintln!("{number}");
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.expect("it writes until the process is killed");
        }
    });
}

/// Starts the process and kills it some time after it has acknowledged `enough` changes.
fn run_and_kill(dir: &Path, first: u64, enough: u64, micros_more: u64) -> Vec<u64> {
    let mut child = Command::new(env::current_exe().expect("this binary has a path"))
        .args(["--exact", "the_process_that_is_killed", "--nocapture"])
        .env(DIR, dir)
        .env(FIRST, first.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let pipe = child.stderr.take().expect("it is piped");
    let mut lines = BufReader::new(pipe).lines().map(|line| line.expect("it is read"));
    let read = |line: String| line.parse().unwrap_or_else(|_| panic!("the process says: {line}"));
    let mut acknowledged: Vec<u64> =
        lines.by_ref().take(usize::try_from(enough).expect("it is small")).map(read).collect();
    spin(Duration::from_micros(micros_more));
    kill(&mut child);
    acknowledged.extend(lines.map(read));
    acknowledged
}

fn kill(child: &mut Child) {
    child.kill().expect("it is killed");
    child.wait().expect("it has ended");
}

/// Waits so shortly that a timer would be too coarse: it only moves the instant of the kill.
fn spin(time: Duration) {
    use seams::Clock;
    let until = SystemClock.boot_nanos() + u64::try_from(time.as_nanos()).expect("it is short");
    while SystemClock.boot_nanos() < until {
        std::hint::spin_loop();
    }
}

/// Opens what the killed process left, looks for everything that was acknowledged, and retries the rest.
fn verify_and_retry(dir: &Path, acknowledged: &BTreeSet<u64>, under_way: std::ops::Range<u64>) {
    runtime().block_on(async {
        let replica = open(dir).await;
        let view = replica.view().await.expect("it leads");
        let held = changes(&view);
        let lost: Vec<_> = acknowledged.iter().filter(|number| !is_made(&held, **number)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        let numbers: Vec<_> =
            view.authority().unarchived(authority::event::Number(0)).map(|held| held.number.0).collect();
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "the events have a hole");
        for number in under_way {
            make(&replica, number).await;
        }
        replica.shutdown().await;
    });
}

/// Makes the change `number`: it adds a principal, or suspends one that was added before. A retry makes it once: what
/// is there already is answered with "done", because the request id is the same.
async fn make(replica: &Replica, number: u64) {
    let body = match narrowed(number) {
        Some(earlier) => Body::SuspendPrincipal(SuspendPrincipal { principal: name(earlier) }),
        None => Body::AddPrincipal(AddPrincipal {
            principal: Principal {
                id: name(number),
                kind: Kind::Person,
                display_name: "".into(),
                groups: BTreeSet::new(),
                suspended: false,
            },
        }),
    };
    let mut request = [0; 16];
    request[8..].copy_from_slice(&number.to_be_bytes());
    let actor = Actor::Operator(operator::Id::parse("root").expect("a name"));
    let proposal = Proposal { request: request::Id(request), actor, body };
    let answer = replica.propose(proposal).await.expect("there is an answer");
    assert!(matches!(answer.outcome, Outcome::Done { .. }), "change {number}: {answer:?}");
}

/// Whom the change `number` suspends, if it is one that narrows: somebody whom the same writer added before, so that
/// it is there whatever the others did.
fn narrowed(number: u64) -> Option<u64> {
    let round = number / WRITERS;
    let earlier = number.checked_sub(WRITERS)?;
    (round % NARROWING_EVERY == NARROWING_EVERY - 1).then_some(earlier)
}

/// Every principal and whether it is suspended.
fn changes(view: &View) -> BTreeMap<principal::Id, bool> {
    view.principals().map(|held| (held.id.clone(), held.suspended)).collect()
}

fn is_made(held: &BTreeMap<principal::Id, bool>, number: u64) -> bool {
    match narrowed(number) {
        Some(earlier) => held.get(&name(earlier)) == Some(&true),
        None => held.contains_key(&name(number)),
    }
}

fn name(number: u64) -> principal::Id {
    principal::Id::parse(&format!("p{number}")).expect("a name")
}

async fn open(dir: &Path) -> Replica {
    let mut config = Config::new(dir, node::Id(1));
    config.cluster = Some(Name::parse("torture").expect("a name"));
    config.entries_per_snapshot = ENTRIES_PER_SNAPSHOT;
    let gate = Arc::new(Gate::new());
    Replica::open(config, gate, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.expect("it opens")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn below(random: &SeededEntropy, bound: u64) -> u64 {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    u64::from_le_bytes(bytes) % bound
}
