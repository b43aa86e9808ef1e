//! The gate under threads: the promises R1 and R2 in small. A call and a revocation meet in every order, and either
//! the call is denied or it is cut before another byte of it goes out.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use authority::{
    Authority, Reason, View,
    action::Action,
    command::{
        AddPrincipal, AddServer, Body, Command, IssueGrant, RemoveCredential, RevokeGrant, SetCredential,
        apply,
    },
    credential::{self, Attachment, Credential, Sealed},
    enforcement::{Call, Cut, CutReason, Gate, Lease},
    event::{Actor, Revision},
    grant::{self, TokenHash},
    principal::{self, Kind, Principal},
    request,
    scope::Scope,
    server::{self, Endpoint},
    time::{Boot, Now, Wall},
};

const GRANT: grant::Id = grant::Id([1; 16]);
const TOKEN: TokenHash = TokenHash([2; 32]);
const NOW: Now = Now { wall: Wall(1_000), boot: Boot(1_000) };

fn server_id() -> server::Id {
    server::Id::parse("demo").expect("a name")
}

/// A state with one grant, and the same state after its revocation.
fn states() -> [Authority; 2] {
    let principal = principal::Id::parse("ana").expect("a name");
    let person = Principal {
        id: principal.clone(),
        kind: Kind::Person,
        display_name: "".into(),
        groups: [].into(),
        suspended: false,
    };
    let endpoint = Endpoint::parse("https://demo.example/mcp").expect("an endpoint");
    let bodies = [
        Body::AddPrincipal(AddPrincipal { principal: person }),
        Body::AddServer(AddServer { server: server_id(), endpoint }),
        Body::IssueGrant(IssueGrant {
            grant: GRANT,
            principal,
            label: "".into(),
            parent: None,
            scopes: vec![Scope::all(server_id())],
            not_before: None,
            expires_at: None,
            token: TOKEN,
        }),
        Body::RevokeGrant(RevokeGrant { grant: GRANT }),
    ];
    let mut state = Authority::new();
    let mut states = Vec::new();
    for (number, body) in (1..).zip(bodies) {
        let request = request::Id(u128::from(number).to_be_bytes());
        let command = Command { request, actor: Actor::Founder, time: Wall(1), body };
        apply(&mut state, &command, Revision(number));
        states.push(state.clone());
    }
    [states[2].clone(), states[3].clone()]
}

fn call() -> Call {
    Call { token: TOKEN, grant: GRANT, server: server_id(), action: Action::Converse }
}

/// A gate with a lease that has published the live grant, and the view to publish next.
fn gate() -> (Gate, View) {
    let [live, revoked] = states();
    let gate = Gate::new();
    gate.lease_cell().extend(Lease::until(Boot(2_000)));
    gate.publish(View::new(live, Revision(3)), NOW.wall);
    (gate, View::new(revoked, Revision(4)))
}

#[test]
fn a_gate_without_a_view_or_a_lease_denies() {
    let empty = Gate::new();
    assert_eq!(empty.admit(call(), || NOW).map(drop).map_err(|denial| denial.reason), Err(Reason::NoView));
    assert!(empty.in_flight().is_empty(), "a denied call leaves the table");
    let (gate, _) = gate();
    gate.lease_cell().drop_lease();
    let denied = gate.admit(call(), || NOW).map(drop).map_err(|denial| denial.reason);
    assert_eq!(denied, Err(Reason::LeaseExpired));
}

/// The call is held between its load of the view and its decision, the revocation runs to its end, and the call goes
/// on: its decision is by the old view, and nothing of it goes out.
#[test]
fn a_call_that_loaded_the_view_before_the_revocation_is_cut_before_its_first_write() {
    let (gate, revoked) = gate();
    let (loaded, published) = (Barrier::new(2), Barrier::new(2));
    thread::scope(|scope| {
        let caller = scope.spawn(|| {
            let admitted = gate.admit(call(), || {
                loaded.wait();
                published.wait();
                NOW
            });
            let admitted = admitted.expect("the old view allows it");
            let mark = admitted.permit.mark();
            assert_eq!(mark.enter_write(gate.lease(), NOW.boot).map(drop), Err(Cut));
            assert_eq!(mark.cut_reason(), Some(CutReason::Narrowed(Reason::GrantRevoked)));
        });
        loaded.wait();
        let cut = gate.publish(revoked, NOW.wall);
        assert_eq!(cut.iter().map(|call| call.grant).collect::<Vec<_>>(), [GRANT]);
        published.wait();
        caller.join().expect("the caller ends");
    });
    let denied = gate.admit(call(), || NOW).map(drop).map_err(|denial| denial.reason);
    assert_eq!(denied, Err(Reason::GrantRevoked));
}

/// A write that was entered before the revocation holds it up until it returns; the next one is refused.
#[test]
fn a_revocation_waits_for_the_write_that_is_under_way_and_for_nothing_else() {
    let (gate, revoked) = gate();
    let admitted = gate.admit(call(), || NOW).expect("it is allowed");
    let mark = admitted.permit.mark();
    let enforced = AtomicBool::new(false);
    thread::scope(|scope| {
        let write = mark.enter_write(gate.lease(), NOW.boot).expect("nothing is cut yet");
        let revoker = scope.spawn(|| {
            gate.publish(revoked, NOW.wall);
            enforced.store(true, Ordering::SeqCst);
        });
        // The revoker marks the call before it waits for the write.
        while mark.cut_reason().is_none() {
            thread::yield_now();
        }
        assert!(!enforced.load(Ordering::SeqCst), "it does not answer while a write is under way");
        drop(write);
        revoker.join().expect("the revoker ends");
    });
    assert_eq!(mark.enter_write(gate.lease(), NOW.boot).map(drop), Err(Cut));
}

#[test]
fn the_end_of_the_lease_cuts_everything_in_flight() {
    let (gate, _) = gate();
    let calls: Vec<_> = (0..40).map(|_| gate.admit(call(), || NOW).expect("it is allowed")).collect();
    assert_eq!(gate.cut_everything(CutReason::LeaseExpired).len(), calls.len());
    for admitted in &calls {
        assert_eq!(admitted.permit.mark().cut_reason(), Some(CutReason::LeaseExpired));
    }
    assert!(gate.cut_everything(CutReason::Draining).is_empty(), "what is cut is not cut again");
    drop(calls);
    assert!(gate.in_flight().is_empty());
}

/// How many times callers and a revocation race; each round is some microseconds.
const ROUNDS: usize = 300;
const CALLERS: usize = 4;

/// Callers admit and write as fast as they can while the grant is revoked under them. After the revocation has
/// returned, no check succeeds (R1) and no write is entered (R2).
#[test]
fn nothing_passes_once_the_revocation_has_returned() {
    let [live, revoked] = states();
    let written = AtomicU64::new(0);
    for _ in 0..ROUNDS {
        let (gate, _) = gate();
        let before = written.load(Ordering::Relaxed);
        let (enforced, start) = (AtomicBool::new(false), Barrier::new(CALLERS + 1));
        thread::scope(|scope| {
            for _ in 0..CALLERS {
                scope.spawn(|| {
                    start.wait();
                    call_until_denied(&gate, &enforced, &written);
                });
            }
            start.wait();
            // A view that changes nothing first: it cuts nobody.
            assert!(gate.publish(View::new(live.clone(), Revision(3)), NOW.wall).is_empty());
            while written.load(Ordering::Relaxed) == before {
                thread::yield_now(); // the race is run while writes pass
            }
            gate.publish(View::new(revoked.clone(), Revision(4)), NOW.wall);
            enforced.store(true, Ordering::SeqCst);
        });
        assert!(gate.in_flight().is_empty());
    }
}

fn call_until_denied(gate: &Gate, enforced: &AtomicBool, written: &AtomicU64) {
    loop {
        // Read before the check begins: a check that begins after the revocation returned has to deny.
        let was_enforced = enforced.load(Ordering::SeqCst);
        let Ok(admitted) = gate.admit(call(), || NOW) else { return };
        assert!(!was_enforced, "a check that began after the revocation allowed the call");
        let mark = Arc::clone(admitted.permit.mark());
        for _ in 0..8 {
            match mark.enter_write(gate.lease(), NOW.boot) {
                Ok(write) => {
                    assert!(!enforced.load(Ordering::SeqCst), "a write passed after the revocation");
                    written.fetch_add(1, Ordering::Relaxed);
                    drop(write);
                }
                Err(Cut) => break,
            }
        }
    }
}

/// R2: a call that ends without a cut leaves nothing behind that could still write, because nobody could cut it later.
#[test]
fn r2_a_call_that_left_the_table_writes_no_more() {
    let (gate, _) = gate();
    let admitted = gate.admit(call(), || NOW).expect("allowed");
    let mark = Arc::clone(admitted.permit.mark());
    drop(mark.enter_write(gate.lease(), NOW.boot).expect("in flight, it may write"));
    drop(admitted);
    assert_eq!(mark.enter_write(gate.lease(), NOW.boot).map(drop), Err(Cut));
    assert_eq!(mark.cut_reason(), None, "it ended, nobody cut it");
}

/// A closed gate admits nothing, and a call that was in flight is cut.
#[test]
fn a_gate_that_closed_for_a_shutdown_admits_no_call_and_cuts_those_in_flight() {
    let (gate, _) = gate();
    let admitted = gate.admit(call(), || NOW).expect("allowed");
    assert_eq!(gate.close(CutReason::Draining).len(), 1);
    assert_eq!(admitted.permit.mark().cut_reason(), Some(CutReason::Draining));
    let denied = gate.admit(call(), || NOW).map(drop).expect_err("closed");
    assert_eq!(denied.reason, Reason::Draining);
    gate.lease_cell().extend(Lease::until(Boot(u64::MAX)));
    assert!(gate.admit(call(), || NOW).is_err(), "a renewed lease does not open it again");
}

/// A removed credential is sent by no call that was decided with it.
#[test]
fn the_removal_of_a_credential_cuts_the_calls_that_carry_it() {
    let [mut state, _] = states();
    let id = credential::Id::parse("key").expect("a name");
    let endpoint = Endpoint::parse("https://demo.example/mcp").expect("an endpoint");
    let credential = Credential {
        id: id.clone(),
        server: server_id(),
        origin: endpoint.origin,
        attachment: Attachment::Bearer,
        version: 1,
        sealed: Sealed([].into()),
    };
    let mut change = |number: u64, body| {
        let request = request::Id(u128::from(number).to_be_bytes());
        let command = Command { request, actor: Actor::Founder, time: Wall(1), body };
        apply(&mut state, &command, Revision(number));
        View::new(state.clone(), Revision(number))
    };
    let (gate, _) = gate();
    gate.publish(change(10, Body::SetCredential(SetCredential { credential })), NOW.wall);
    let admitted = gate.admit(call(), || NOW).expect("allowed");
    assert!(admitted.permit.credential().is_some());
    let removed = change(11, Body::RemoveCredential(RemoveCredential { credential: id }));
    assert_eq!(gate.publish(removed, NOW.wall).len(), 1);
    let reason = admitted.permit.mark().cut_reason();
    assert_eq!(reason, Some(CutReason::Narrowed(Reason::CredentialRemoved)));
    assert!(gate.admit(call(), || NOW).expect("allowed without one").permit.credential().is_none());
}
