//! Promises R2 and R3 over real sockets: what a revocation does to calls at every point of their way.

use std::{net::SocketAddr, sync::Arc};

use authority::{Reason, enforcement::CutReason};
use tokio::{io::AsyncReadExt, sync::Semaphore};
use upstream::{
    ForwardFailed, ReplyBroken, Sent,
    dialer::{Resolve, Resolving},
};

use crate::{
    recording_upstream::{Answer, End, RecordingUpstream, chunk, chunked, ok},
    world::{World, loopback, post, read},
};

const REVOKED: CutReason = CutReason::Narrowed(Reason::GrantRevoked);

/// A resolver that holds every call until the test lets one go: the point between the decision and the first byte.
struct HeldResolver {
    address: SocketAddr,
    asked: Semaphore,
    let_go: Semaphore,
}

impl Resolve for HeldResolver {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        Box::pin(async {
            self.asked.add_permits(1);
            self.let_go.acquire().await.expect("it is never closed").forget();
            Ok(vec![self.address])
        })
    }
}

/// Acceptance 3, R2: a call that had decided, was recorded, and stood just before its first byte when the grant was
/// revoked sends nothing.
#[tokio::test]
async fn r2_a_call_that_had_decided_but_not_yet_written_sends_nothing() {
    let upstream = RecordingUpstream::answering(Answer::Pieces(Vec::new())).await;
    let held = Arc::new(HeldResolver {
        address: upstream.address(),
        asked: Semaphore::new(0),
        let_go: Semaphore::new(0),
    });
    let url = format!("http://held.example:{}/", upstream.address().port());
    let clock = Arc::new(seams::SystemClock);
    let mut world = World::with(&url, loopback(), clock, Arc::<HeldResolver>::clone(&held));
    let ana = world.grant("ana");
    let (permit, _registered) = world.permit(ana);
    let (upstreams, outbound) = (world.upstreams.clone(), post(b"{}"));
    let call = tokio::spawn(async move { upstreams.forward(permit, outbound).await.map(drop) });
    held.asked.acquire().await.expect("it is never closed").forget();

    world.revoke(ana);
    held.let_go.add_permits(1);

    let failed = call.await.expect("it ends").expect_err("it is cut");
    assert!(
        matches!(failed, ForwardFailed::Cut { reason, sent: Sent::Nothing } if reason == REVOKED),
        "{failed:?}"
    );
    assert_eq!((upstream.bytes(), upstream.requests()), (Vec::new(), Vec::new()));
}

/// R2: the same with a connection that waits ready in the pool.
#[tokio::test]
async fn r2_a_cut_call_sends_nothing_on_an_idle_connection() {
    let upstream = RecordingUpstream::answering(Answer::Pieces(vec![ok("application/json", b"{}")])).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let ana = world.grant("ana");
    world.call(ana).await.expect("it answers");
    let before = upstream.bytes();

    let (permit, _registered) = world.permit(ana);
    world.revoke(ana);
    let failed = world.upstreams.forward(permit, post(b"{}")).await.expect_err("it is cut");
    assert!(matches!(failed, ForwardFailed::Cut { sent: Sent::Nothing, .. }), "{failed:?}");

    // A call of another grant on the same connection shows that nothing was left in it.
    let other = world.grant("ana");
    world.call(other).await.expect("it answers");
    assert_eq!((upstream.connections(), upstream.bytes().len()), (1, before.len() * 2));
}

/// R3: an open stream ends, and the upstream is told by a reset.
#[tokio::test]
async fn r3_an_open_stream_is_cut() {
    let first = [chunked("text/event-stream"), chunk(b"data: 1\n\n")].concat();
    let mut upstream = RecordingUpstream::answering(Answer::Pieces(vec![first])).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let (ana, ben) = (world.grant("ana"), world.grant("ben"));
    let (mut cut, _registered) = world.post(ana, b"{}").await.expect("it answers");
    let (mut kept, _kept_registered) = world.post(ben, b"{}").await.expect("it answers");
    for reply in [&mut cut, &mut kept] {
        http_body_util::BodyExt::frame(&mut reply.body).await.expect("a frame").expect("a good one");
    }
    let reader = tokio::spawn(read(cut.body));

    world.revoke(ana);

    let broken = reader.await.expect("it ends").expect_err("it is cut");
    assert!(matches!(broken, ReplyBroken::Cut(reason) if reason == REVOKED), "{broken:?}");
    assert_eq!(upstream.end().await, End::Reset);
    assert!(!http_body::Body::is_end_stream(&kept.body), "another grant's stream goes on");
}

/// R3: a stream that nobody reads is cut as well, although hyper waits for its reader and not for its socket.
#[tokio::test]
async fn r3_a_stream_that_nobody_reads_is_cut() {
    let endless = Answer::Endless(chunked("text/event-stream"), chunk(&[b'x'; 4096]));
    let mut upstream = RecordingUpstream::answering(endless).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let ana = world.grant("ana");
    let (_unread, _registered) = world.post(ana, b"{}").await.expect("it answers");
    // One thread runs all tasks in turn: after these the gateway has taken what it buffers, and waits for a reader.
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    world.revoke(ana);
    assert_eq!(upstream.end().await, End::Reset);
}

/// R3: a call that waits for its answer.
#[tokio::test]
async fn r3_a_call_that_waits_for_its_answer_is_cut() {
    let mut upstream = RecordingUpstream::answering(Answer::Pieces(Vec::new())).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let ana = world.grant("ana");
    let (permit, _registered) = world.permit(ana);
    let (upstreams, outbound) = (world.upstreams.clone(), post(b"{}"));
    let call = tokio::spawn(async move { upstreams.forward(permit, outbound).await.map(drop) });
    upstream.arrival().await;
    world.revoke(ana);
    let failed = call.await.expect("it ends").expect_err("it is cut");
    assert!(
        matches!(failed, ForwardFailed::Cut { reason, sent: Sent::Perhaps } if reason == REVOKED),
        "{failed:?}"
    );
    assert_eq!(upstream.end().await, End::Reset);
}

/// R3: a request whose server takes nothing: the revocation waits for no peer, and what the kernel queued dies.
#[tokio::test]
async fn r3_a_request_stuck_in_writing_is_cut_without_waiting_for_the_peer() {
    static LARGE: [u8; 16 * 1024 * 1024] = [b' '; 16 * 1024 * 1024];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let mut world =
        World::new(&format!("http://{}/", listener.local_addr().expect("it is bound")), loopback());
    let ana = world.grant("ana");
    let (permit, _registered) = world.permit(ana);
    let (upstreams, outbound) = (world.upstreams.clone(), post(&LARGE));
    let call = tokio::spawn(async move { upstreams.forward(permit, outbound).await.map(drop) });
    let (mut peer, _) = listener.accept().await.expect("it connects");
    peer.read_exact(&mut [0; 16]).await.expect("the beginning of the request");

    world.revoke(ana);

    let failed = call.await.expect("it ends").expect_err("it is cut");
    assert!(matches!(failed, ForwardFailed::Cut { sent: Sent::Perhaps, .. }), "{failed:?}");
    let mut received = Vec::new();
    let end = peer.read_to_end(&mut received).await;
    assert_eq!(end.map_err(|error| error.kind()), Err(std::io::ErrorKind::ConnectionReset));
    assert!(received.len() < LARGE.len());
}

/// The lease ends while a stream is open: the gate cuts everything.
#[tokio::test]
async fn r1_the_loss_of_the_lease_cuts_what_is_open() {
    let mut upstream = RecordingUpstream::answering(Answer::Pieces(vec![chunked("text/event-stream")])).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let ana = world.grant("ana");
    let (reply, _registered) = world.post(ana, b"{}").await.expect("it answers");
    world.gate.lease_cell().drop_lease();
    world.gate.cut_everything(CutReason::LeaseExpired);
    assert!(matches!(read(reply.body).await, Err(ReplyBroken::Cut(CutReason::LeaseExpired))));
    assert_eq!(upstream.end().await, End::Reset);
}
