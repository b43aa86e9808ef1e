//! The lease of the one voter.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use authority::enforcement::{CutReason, Lease};

use super::*;

fn until(nanos: u64) -> Lease {
    Lease::until(Boot(nanos))
}

#[tokio::test]
async fn a_renewal_extends_the_lease_to_its_own_beginning_and_l_less_the_drift() {
    let node = Node::founded().await;
    node.keeper().renew().await;
    assert_eq!(node.gate.lease(), until(1_000_000_000 + 2_997_000_000));
    node.clock.set_boot_nanos(2_000_000_000);
    node.keeper().renew().await;
    assert_eq!(node.gate.lease(), until(2_000_000_000 + 2_997_000_000));
    node.stopped().await;
}

/// The keeper of a node whose Raft has failed renews nothing, so the lease runs out.
#[tokio::test]
async fn a_stopped_replica_renews_no_lease() {
    let node = Node::founded().await;
    node.keeper().renew().await;
    let held = node.gate.lease();
    node.disk.fail_syncs(true);
    assert!(node.replica.propose(proposal(1, add_principal("ana"))).await.is_err());
    node.clock.set_boot_nanos(2_000_000_000);
    node.keeper().renew().await;
    assert_eq!(node.gate.lease(), held);
    node.stopped().await;
}

/// A16, A18 in part: a node that slept past its lease cuts what the lease covered before it takes a new one.
#[tokio::test]
async fn a_lease_that_lapsed_meanwhile_cuts_its_calls_before_it_is_renewed() {
    let node = Node::founded().await;
    node.with_grants(&[1]).await;
    let call = node.admitted(1).await;
    node.clock.set_boot_nanos(60_000_000_000);
    assert!(node.gate.admit(super::call(1), || node.now()).is_err());
    node.keeper().renew().await;
    assert_eq!(call.registered.mark().cut_reason(), Some(CutReason::LeaseExpired));
    assert!(node.gate.lease().covers(node.now().boot));
    node.stopped().await;
}

/// A25, seen from a call: a node whose disk failed serves until its lease runs out, and then cuts by itself.
#[tokio::test]
async fn a_node_whose_disk_failed_cuts_its_calls_when_its_lease_runs_out() {
    let short = |config| Config {
        lease: Duration::from_millis(1_500),
        heartbeat: Duration::from_millis(40),
        election_min: Duration::from_millis(150),
        election_max: Duration::from_millis(300),
        ..config
    };
    let node = Node::with(short).await;
    node.with_grants(&[1]).await;
    let call = node.admitted(1).await;
    node.disk.fail_syncs(true);
    assert!(node.replica.propose(proposal(1, add_principal("bo"))).await.is_err());
    node.clock.advance(Duration::from_secs(60));
    let mark = call.registered.mark();
    let cut = |context: &mut Context<'_>| {
        if mark.poll_cut(context.waker()) { Poll::Ready(()) } else { Poll::Pending }
    };
    poll_fn(cut).await;
    assert_eq!(mark.cut_reason(), Some(CutReason::LeaseExpired));
    assert_eq!(node.gate.lease(), Lease::NONE);
    node.stopped().await;
}

#[tokio::test]
async fn a_shutdown_gives_the_lease_up_and_cuts_what_is_open() {
    let node = Node::founded().await;
    node.with_grants(&[1]).await;
    let call = node.admitted(1).await;
    node.replica.shutdown().await;
    assert_eq!(node.gate.lease(), Lease::NONE);
    assert_eq!(call.registered.mark().cut_reason(), Some(CutReason::Draining));
}
