//! What is there after a restart.

use std::fs;

use super::*;

/// A04, A36 in part: a retry gets the first answer, before and after a restart, and nothing happens twice.
#[tokio::test]
async fn a04_a_retry_gets_the_first_answer_also_after_a_restart() {
    let node = Node::founded().await;
    let first = node.propose(1, add_principal("ana")).await;
    assert!(is_done(&first));
    let retried = node.propose(1, add_principal("ana")).await;
    assert_eq!(retried.outcome, first.outcome);
    let node = node.restarted().await;
    let later = node.propose(1, add_principal("ana")).await;
    assert_eq!(later.outcome, first.outcome);
    assert!(later.revision > first.revision);
    assert_eq!(node.kinds(), ["cluster.founded", "principal.added"]);
    node.stopped().await;
}

#[tokio::test]
async fn a_restart_keeps_the_state() {
    let node = Node::founded().await;
    node.with_grants(&[1, 2]).await;
    node.propose(1, revoke(1)).await;
    let before = node.parts();
    let node = node.restarted().await;
    assert_eq!(node.parts(), before);
    node.admitted(2).await;
    assert!(node.gate.admit(call(1), || node.now()).is_err());
    node.stopped().await;
}

#[tokio::test]
async fn a_restart_goes_on_from_a_snapshot_and_the_log_after_it() {
    let node = compacted().await;
    let before = node.parts();
    let node = node.restarted().await;
    assert_eq!(node.parts(), before);
    node.stopped().await;
}

/// A29: the newest snapshot is damaged; the one before and the log have everything.
#[tokio::test]
async fn a29_a_damaged_newest_snapshot_costs_nothing() {
    let node = compacted().await;
    let before = node.parts();
    let dir = node.stopped().await;
    flip_a_bit_of_the_newest_snapshots(1, dir.path());
    let node = Node::open(dir, |config| config).await.expect("it starts from the snapshot before");
    assert_eq!(node.parts(), before);
    node.stopped().await;
}

/// A29: without a good snapshot there is no start, and no state with a gap in it.
#[tokio::test]
async fn a29_two_damaged_snapshots_refuse_the_start_every_time() {
    let dir = compacted().await.stopped().await;
    flip_a_bit_of_the_newest_snapshots(2, dir.path());
    let config = || config(dir.path());
    let refused = start(config()).await;
    assert!(matches!(refused, Err(OpenFailed::Snapshots(_))), "{:?}", refused.map(drop));
    let refused = start(config()).await;
    assert!(matches!(refused, Err(OpenFailed::Gap { snapshot_next: 0, .. })), "{:?}", refused.map(drop));
}

#[tokio::test]
async fn every_start_registers_an_incarnation_of_its_own() {
    let node = Node::founded().await;
    assert_eq!(node.replica.register_incarnation().await.expect("it registers"), Epoch(1));
    let node = node.restarted().await;
    assert_eq!(node.replica.register_incarnation().await.expect("it registers"), Epoch(2));
    let view = node.replica.view().await.expect("there is one");
    assert_eq!(view.node(node::Id(1)).map(|node| node.epoch), Some(Epoch(2)));
    node.stopped().await;
}

/// A node with two snapshots and a log that was cut.
async fn compacted() -> Node {
    let node = Node::with(|config| Config { entries_per_snapshot: 5, ..config }).await;
    let mut metrics = node.replica.inner.raft.metrics();
    for id in 1..=u8::MAX {
        node.propose(id, add_principal(&format!("p{id}"))).await;
        if metrics.borrow_and_update().purged.is_some() {
            return node;
        }
    }
    metrics.wait_for(|metrics| metrics.purged.is_some()).await.expect("raft runs");
    node
}

fn flip_a_bit_of_the_newest_snapshots(count: usize, dir: &Path) {
    let mut snapshots: Vec<_> = fs::read_dir(dir.join("snapshots"))
        .expect("it is listed")
        .map(|entry| entry.expect("it is listed").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "snapshot"))
        .collect();
    snapshots.sort_unstable();
    assert_eq!(snapshots.len(), 2);
    for path in snapshots.into_iter().rev().take(count) {
        let mut bytes = fs::read(&path).expect("it is read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("it is written");
    }
}
