//! What the answer to a narrowing command promises.

use authority::{
    command::{Rejection, SuspendPrincipal},
    enforcement::CutReason,
};

use super::*;

/// When the answer to a revocation is out, its calls are cut and no new one is allowed.
#[tokio::test]
async fn a_revocation_answers_after_its_calls_are_cut() {
    let node = Node::founded().await;
    node.with_grants(&[1, 2]).await;
    let (revoked, other) = (node.admitted(1).await, node.admitted(2).await);
    let answer = node.propose(1, revoke(1)).await;
    assert!(matches!(revoked.registered.mark().cut_reason(), Some(CutReason::Narrowed(_))));
    assert_eq!(other.registered.mark().cut_reason(), None);
    assert!(node.gate.admit(call(1), || node.now()).is_err());
    assert!(node.gate.admit(call(2), || node.now()).is_ok());
    let enforced = answer.enforced.expect("a revocation says that it is enforced");
    assert_eq!((enforced.calls_cut, &*enforced.first_cut[0]), (1, &call(1)));
    assert_eq!(node.gate.view().expect("there is one").revision(), answer.revision);
    node.stopped().await;
}

#[tokio::test]
async fn each_revocation_of_one_entry_names_its_own_calls() {
    let node = Node::founded().await;
    node.with_grants(&[1, 2]).await;
    let calls = [node.admitted(1).await, node.admitted(2).await, node.admitted(2).await];
    let held = hold_an_entry_back(&node).await;
    let (one, two, ()) = tokio::join!(biased; node.propose(1, revoke(1)), node.propose(2, revoke(2)), async { node.disk.release_syncs() });
    held.await.expect("it does not panic");
    assert_eq!(one.revision, two.revision);
    let count = |answer: &Answer| answer.enforced.as_ref().map(|enforced| enforced.calls_cut);
    assert_eq!((count(&one), count(&two)), (Some(1), Some(2)));
    assert!(calls.iter().all(|call| call.registered.mark().cut_reason().is_some()));
    node.stopped().await;
}

/// Narrowing commands are applied before the others that waited with them, whoever came first.
#[tokio::test]
async fn narrowing_commands_go_into_an_entry_first() {
    let node = Node::founded().await;
    node.propose(1, add_principal("ana")).await;
    let held = hold_an_entry_back(&node).await;
    let suspend = SuspendPrincipal { principal: principal::Id::parse("ana").expect("a name") };
    let suspend = node.propose(3, Body::SuspendPrincipal(suspend));
    let (added, suspended, ()) = tokio::join!(biased; node.propose(2, add_principal("bo")), suspend, async { node.disk.release_syncs() });
    held.await.expect("it does not panic");
    assert_eq!(added.revision, suspended.revision);
    assert_eq!(node.kinds()[3..], ["principal.suspended", "principal.added"]);
    node.stopped().await;
}

#[tokio::test]
async fn a_repeated_revocation_states_that_it_is_enforced_and_a_rejected_one_does_not() {
    let node = Node::founded().await;
    node.with_grants(&[1]).await;
    let first = node.propose(1, revoke(1)).await;
    let (retried, again) = (node.propose(1, revoke(1)).await, node.propose(2, revoke(1)).await);
    assert_eq!(retried.outcome, first.outcome);
    assert!(matches!(again.outcome, Outcome::Done { changed: false, .. }));
    assert!([first, retried, again].iter().all(|answer| answer.enforced.is_some()));
    let unknown = node.propose(3, revoke(9)).await;
    assert!(
        matches!(&unknown.outcome, Outcome::Rejected(rejected) if rejected.rejection == Rejection::NotFound)
    );
    assert_eq!(unknown.enforced, None);
    assert_eq!(node.propose(4, add_principal("bo")).await.enforced, None);
    node.stopped().await;
}

/// Begins an entry of its own and returns when it hangs in the sync of the log.
async fn hold_an_entry_back(node: &Node) -> tokio::task::JoinHandle<()> {
    node.disk.hold_syncs();
    let replica = node.replica.clone();
    let held = tokio::spawn(async move {
        replica.propose(proposal(100, add_principal("held"))).await.expect("there is an answer");
    });
    node.disk.a_sync_waits().await;
    held
}
