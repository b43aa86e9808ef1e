//! Disks that are nearly full, or fail.

use super::*;

/// A24 in part: on a nearly full disk a revocation, and the registration of a start, are still taken.
#[tokio::test]
async fn a24_a_nearly_full_disk_takes_only_narrowing_commands() {
    let node = Node::founded().await;
    node.with_grants(&[1]).await;
    node.disk.be_full(true);
    let refused = node.replica.propose(proposal(1, add_principal("bo"))).await;
    assert!(matches!(refused, Err(ProposeFailed::DiskNearlyFull { free: 0, .. })), "{refused:?}");
    assert!(node.propose(2, revoke(1)).await.enforced.is_some());
    assert_eq!(node.replica.register_incarnation().await.expect("it registers"), Epoch(1));
    node.disk.be_full(false);
    assert!(is_done(&node.propose(1, add_principal("bo")).await));
    node.stopped().await;
}

/// At the bound of events that no archive holds, a widening is refused before it is proposed: its rejection would be one
/// event more, and nothing would be bounded.
#[tokio::test]
async fn while_the_archive_is_behind_a_widening_leaves_no_event() {
    let node = Node::founded().await;
    node.with_grants(&[1]).await;
    let view = node.replica.view().await.expect("it leads");
    let mut parts = authority::snapshot::parts(view.authority());
    let event = parts.unarchived.first().cloned().expect("nothing was archived");
    parts.unarchived = vec![event; 100_000];
    node.gate.publish(View::new(authority::snapshot::from_parts(parts), view.revision()), Wall(0));
    let refused = node.replica.propose(proposal(1, add_principal("bo"))).await;
    assert!(matches!(refused, Err(ProposeFailed::ArchiveBehind)), "{refused:?}");
    assert!(node.propose(2, revoke(1)).await.enforced.is_some());
    let state = node.replica.view().await.expect("it leads");
    assert!(state.authority().remembered(&proposal(1, add_principal("bo")).request).is_none());
    node.stopped().await;
}

/// No snapshot is begun on a nearly full disk, and the node goes on.
#[tokio::test]
async fn a_nearly_full_disk_gets_no_snapshot() {
    let node = Node::with(|config| Config { entries_per_snapshot: 5, ..config }).await;
    node.with_grants(&[1]).await;
    node.disk.be_full(true);
    for id in 1..20 {
        assert!(is_done(&node.propose(id, revoke(1)).await));
    }
    let dir = node.stopped().await;
    let snapshots = std::fs::read_dir(dir.path().join("snapshots")).expect("it is listed").count();
    // The founding and the grant may have been enough for one before the disk was full.
    assert!(snapshots <= 1, "{snapshots}");
}

/// A25: a sync that fails once ends the Raft node; the write is not acknowledged, and the restart tells what is there.
#[tokio::test]
async fn a25_a_failed_sync_stops_the_replica_and_acknowledges_nothing() {
    let node = Node::founded().await;
    node.propose(1, add_principal("ana")).await;
    node.disk.fail_syncs(true);
    let failed = node.replica.propose(proposal(2, add_principal("bo"))).await;
    assert!(
        matches!(&failed, Err(ProposeFailed::Stopped { source, .. }) if !source.was_asked_for()),
        "{failed:?}"
    );
    node.disk.fail_syncs(false);
    assert!(!node.replica.stopped().await.was_asked_for());
    let later = node.replica.propose(proposal(3, add_principal("cy"))).await;
    assert!(matches!(later, Err(ProposeFailed::Stopped { .. })), "{later:?}");
    assert!(node.replica.view().await.is_err());
    let node = node.restarted().await;
    assert!(is_done(&node.propose(2, add_principal("bo")).await));
    assert_eq!(node.kinds(), ["cluster.founded", "principal.added", "principal.added"]);
    node.stopped().await;
}

#[tokio::test]
async fn a_change_that_fits_into_no_entry_is_refused_at_once() {
    let node = Node::founded().await;
    node.with_grants(&[]).await;
    let Body::IssueGrant(mut issue) = issue(1) else { unreachable!("it issues a grant") };
    let name = |at: usize| authority::pattern::Pattern::parse(&format!("{at:0>240}")).expect("a pattern");
    issue.scopes[0].tools = (0..400).map(name).collect();
    let refused = node.replica.propose(proposal(1, Body::IssueGrant(issue))).await;
    assert!(matches!(refused, Err(ProposeFailed::TooLarge { .. })), "{refused:?}");
    node.stopped().await;
}

#[tokio::test]
async fn a_proposal_after_the_shutdown_is_answered_with_an_error() {
    let node = Node::founded().await;
    node.replica.shutdown().await;
    let refused = node.replica.propose(proposal(1, add_principal("bo"))).await;
    assert!(
        matches!(&refused, Err(ProposeFailed::Stopped { source, .. }) if source.was_asked_for()),
        "{refused:?}"
    );
    assert!(node.replica.stopped().await.was_asked_for());
}
