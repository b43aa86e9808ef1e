//! The barrier of promise R2 at its own place: a pair of real sockets, one of them gated, and a clock that the test
//! owns.

use std::sync::atomic::{AtomicU64, Ordering};

use authority::enforcement::{CallMark, CutReason, Lease};
use seams::{Clock, ManualClock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// When the lease of these tests ends.
const LEASE_END: Boot = Boot(1_000);

/// A clock that is one step further at every reading, as if the thread had been paused between any two.
struct PausingClock {
    next: AtomicU64,
    step: u64,
}

impl Clock for PausingClock {
    fn boot_nanos(&self) -> u64 {
        self.next.fetch_add(self.step, Ordering::SeqCst)
    }

    fn wall_millis(&self) -> u64 {
        0
    }
}

struct Pair {
    gated: GatedSocket,
    peer: TcpStream,
    slot: Arc<CallSlot>,
    mark: Arc<CallMark>,
}

/// A gated socket that a call holds, under a lease until [`LEASE_END`], and its peer.
async fn pair(clock: SharedClock) -> Pair {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("it is bound");
    let (stream, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (slot, gate, mark) = (Arc::<CallSlot>::default(), Arc::new(Gate::new()), Arc::new(CallMark::new()));
    gate.lease_cell().extend(Lease::until(LEASE_END));
    slot.begin(Arc::clone(&mark));
    let stream = stream.expect("it listens");
    let gated = GatedSocket::new(stream, Arc::clone(&slot), gate, clock);
    Pair { gated, peer: accepted.expect("it connects").0, slot, mark }
}

/// All that the peer receives until the connection ends, and whether it ended by a reset.
async fn received(mut peer: TcpStream) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let end = peer.read_to_end(&mut bytes).await;
    (bytes, end.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset))
}

#[tokio::test]
async fn a_call_in_flight_writes_and_its_check_is_noted() {
    let clock = Arc::new(ManualClock::new(0));
    clock.set_boot_nanos(7);
    let mut pair = pair(clock).await;
    pair.gated.write_all(b"bytes").await.expect("it may write");
    assert_eq!((pair.slot.written(), pair.mark.last_check()), (5, Boot(7)));
    assert!(!pair.mark.had_late_effect());
    pair.slot.note_body_taken();
    pair.slot.note_flushed();
    assert!(pair.slot.end());
    drop(pair.gated);
    assert_eq!(received(pair.peer).await, (b"bytes".to_vec(), false));
}

/// R2: the call had decided, and was held just before its write; after the cut not one byte leaves.
#[tokio::test]
async fn r2_a_call_that_was_cut_before_its_write_sends_nothing() {
    let mut pair = pair(Arc::new(ManualClock::new(0))).await;
    pair.mark.cut(CutReason::ClientGone);
    pair.mark.wait_for_writes();
    let refused = pair.gated.write_all(b"bytes").await.expect_err("it is cut");
    assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    assert!(pair.slot.was_refused());
    drop(pair.gated);
    assert_eq!(received(pair.peer).await, (Vec::new(), true));
}

/// R2: the lease ended without anybody cutting the call, as on a node that was cut off.
#[tokio::test]
async fn r2_a_call_whose_lease_ended_sends_nothing() {
    let clock = Arc::new(ManualClock::new(0));
    let mut pair = pair(Arc::<ManualClock>::clone(&clock)).await;
    clock.set_boot_nanos(LEASE_END.0);
    assert!(pair.gated.write_all(b"bytes").await.is_err());
    drop(pair.gated);
    assert_eq!(received(pair.peer).await, (Vec::new(), true));
}

/// R2: a thread paused between its check and its write sends what it had checked, and the record will say so.
#[tokio::test]
async fn r2_a_write_that_returns_after_its_lease_is_a_late_effect() {
    let clock = PausingClock { next: AtomicU64::new(0), step: LEASE_END.0 };
    let mut pair = pair(Arc::new(clock)).await;
    pair.gated.write_all(b"bytes").await.expect("it was checked in time");
    assert!(pair.mark.had_late_effect());
}

#[tokio::test]
async fn a_socket_that_no_call_holds_writes_nothing() {
    let mut pair = pair(Arc::new(ManualClock::new(0))).await;
    pair.slot.note_body_taken();
    pair.slot.note_flushed();
    assert!(pair.slot.end());
    assert!(pair.gated.write_all(b"bytes").await.is_err());
    drop(pair.gated);
    assert_eq!(received(pair.peer).await, (Vec::new(), false));
}

/// R3: a reader of a silent peer is woken by the cut.
#[tokio::test]
async fn r3_a_cut_ends_a_read_that_waits() {
    let mut pair = pair(Arc::new(ManualClock::new(0))).await;
    let mark = Arc::clone(&pair.mark);
    let mut into = [0; 8];
    let cut = async {
        tokio::task::yield_now().await;
        mark.cut(CutReason::LeaseExpired);
    };
    let (read, ()) = tokio::join!(pair.gated.read(&mut into), cut);
    assert_eq!(read.expect_err("it is cut").kind(), io::ErrorKind::PermissionDenied);
}

/// R3: a writer whose peer takes nothing is woken by the cut, and what the kernel queued dies with the reset.
#[tokio::test]
async fn r3_a_cut_ends_a_write_that_waits_for_its_peer() {
    let Pair { mut gated, peer, mark, .. } = pair(Arc::new(ManualClock::new(0))).await;
    let writer = tokio::spawn(async move {
        let block = [0; 64 * 1024];
        loop {
            if let Err(error) = gated.write_all(&block).await {
                return error.kind();
            }
        }
    });
    tokio::task::yield_now().await;
    mark.cut(CutReason::LeaseExpired);
    assert_eq!(writer.await.expect("it ends"), io::ErrorKind::PermissionDenied);
    assert!(received(peer).await.1, "the connection was reset");
}
