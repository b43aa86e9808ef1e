//! Which calls share a connection, and what happens to one that was closed meanwhile.

use std::{sync::Arc, time::Duration};

use authority::credential::Attachment;
use seams::ManualClock;
use tokio::task::JoinSet;
use upstream::{ForwardFailed, Outbound, Sent, dialer::SystemResolver};

use crate::{
    recording_upstream::{Answer, End, Recorded, RecordingUpstream, ok},
    world::{World, loopback, post, read},
};

fn pong() -> Answer {
    Answer::Pieces(vec![ok("application/json", b"{}")])
}

fn connections_of(upstream: &RecordingUpstream) -> Vec<usize> {
    upstream.requests().iter().map(|request| request.connection).collect()
}

/// D26: calls of one principal share a connection; another principal, and another secret, get their own.
#[tokio::test]
async fn d26_a_connection_is_shared_within_one_principal_and_one_secret_only() {
    let upstream = RecordingUpstream::answering(pong()).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let (ana, same, ben) = (world.grant("ana"), world.grant("ana"), world.grant("ben"));
    for granted in [ana, same, ben, ana] {
        world.call(granted).await.expect("it answers");
    }
    world.set_secret(b"the next secret", 2, Attachment::Bearer);
    world.call(ana).await.expect("it answers");
    assert_eq!(connections_of(&upstream), [0, 0, 1, 0, 2]);
}

#[tokio::test]
async fn a_connection_is_used_by_one_call_at_a_time() {
    let upstream = RecordingUpstream::answering(pong()).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let ana = world.grant("ana");
    let (first, second) = tokio::join!(world.call(ana), world.call(ana));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(connections_of(&upstream), [0, 1]);
}

#[tokio::test]
async fn an_idle_connection_is_not_used_after_its_time() {
    let mut upstream = RecordingUpstream::answering(pong()).await;
    let clock = Arc::new(ManualClock::new(0));
    let shared = Arc::<ManualClock>::clone(&clock);
    let mut world = World::with(&upstream.url("/"), loopback(), shared, Arc::new(SystemResolver));
    let ana = world.grant("ana");
    world.call(ana).await.expect("it answers");
    clock.advance(Duration::from_secs(3));
    world.call(ana).await.expect("it answers");
    clock.advance(Duration::from_secs(4));
    world.call(ana).await.expect("it answers");
    assert_eq!(connections_of(&upstream), [0, 0, 1]);
    assert_eq!(upstream.end().await, End::Closed);
}

/// An idle connection is closed also when no call comes any more.
#[tokio::test]
async fn an_idle_connection_is_closed_when_its_time_is_over() {
    let mut upstream = RecordingUpstream::answering(pong()).await;
    let timeouts = upstream::config::Timeouts {
        idle_connection: Duration::from_millis(20),
        ..upstream::config::Timeouts::default()
    };
    let mut world = World::new(&upstream.url("/"), upstream::Config { timeouts, ..loopback() });
    let ana = world.grant("ana");
    world.call(ana).await.expect("it answers");
    assert_eq!(upstream.end().await, End::Closed);
}

/// A server that closes after each answer costs a connection, never a call.
#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_replaced() {
    let upstream = RecordingUpstream::answering(Answer::ThenClose(vec![ok("application/json", b"{}")])).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let ana = world.grant("ana");
    for _ in 0..20 {
        match world.call(ana).await {
            Ok(body) => assert_eq!(body, "{}"),
            // The close and the next request crossed on the wire: it was written, so it is not sent again.
            Err(ForwardFailed::Lost { sent: Sent::Perhaps, .. }) => {}
            Err(failed) => panic!("{failed:?}"),
        }
    }
    let requests = upstream.requests().len();
    assert!(requests <= 20, "no request was sent twice");
}

/// A request that was written is never sent again, also when the connection was an old one.
#[tokio::test]
async fn a_request_that_may_have_been_seen_is_not_repeated() {
    let upstream = RecordingUpstream::scripted(|request| match request.body.as_slice() {
        b"{}" => pong(),
        _ => Answer::ThenClose(Vec::new()),
    })
    .await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let ana = world.grant("ana");
    world.call(ana).await.expect("it answers");
    let failed = world.post(ana, b"{\"die\":1}").await.map(drop).expect_err("it closes");
    assert!(matches!(failed, ForwardFailed::Lost { sent: Sent::Perhaps, .. }), "{failed:?}");
    assert_eq!(connections_of(&upstream), [0, 0]);
}

/// An answer that came before the request was written whole: the rest of the request dies with the connection, and
/// cannot go out under the next call's mark.
#[tokio::test]
async fn a_connection_with_unsent_bytes_is_not_used_again() {
    static LARGE: [u8; 16 * 1024 * 1024] = [b' '; 16 * 1024 * 1024];
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let url = format!("http://{}/", listener.local_addr().expect("it is bound"));
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut early, _) = listener.accept().await.expect("the first call");
        early.read_exact(&mut [0; 16]).await.expect("its beginning");
        early.write_all(&ok("application/json", b"{}")).await.expect("it is read");
        // The next call has to come on a connection of its own, while this one is still open.
        let (mut next, _) = listener.accept().await.expect("the second call");
        next.write_all(&ok("application/json", b"[]")).await.expect("it is read");
        (early, next)
    });
    let mut world = World::new(&url, loopback());
    let ana = world.grant("ana");
    let (reply, _registered) = world.post(ana, &LARGE).await.expect("it answers early");
    assert_eq!(read(reply.body).await.expect("a whole body"), "{}");
    assert_eq!(world.call(ana).await.expect("it answers"), "[]");
    server.await.expect("it saw two connections");
}

/// C08, D06: an answer that nobody asked for, sent behind a good one, is never taken for that of the next call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c08_d06_an_unasked_answer_is_not_given_to_the_next_call() {
    let both = [ok("application/json", b"[1]"), ok("application/json", b"[2]")].concat();
    let upstream = RecordingUpstream::answering(Answer::Pieces(vec![both])).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let ana = world.grant("ana");
    for _ in 0..50 {
        match world.call(ana).await {
            Ok(body) => assert_eq!(body, "[1]"),
            Err(failed) => assert!(matches!(failed, ForwardFailed::Lost { .. }), "{failed:?}"),
        }
    }
}

/// D28: many calls at once over shared connections; each gets the answer to its own request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d28_concurrent_calls_never_get_each_others_answers() {
    const TASKS: usize = 16;
    const CALLS: usize = 40;
    let echo = |request: &Recorded| Answer::Pieces(vec![ok("application/json", &request.body)]);
    let upstream = RecordingUpstream::scripted(echo).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let granted = [world.grant("ana"), world.grant("ben")];
    let world = Arc::new(world);
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (world, granted) = (Arc::clone(&world), granted[task % 2]);
        tasks.spawn(async move {
            for call in 0..CALLS {
                let tag = format!("{{\"task\":{task},\"call\":{call}}}");
                let (permit, _registered) = world.permit(granted);
                let outbound = Outbound { body: tag.clone().into(), ..post(b"") };
                let reply = world.upstreams.forward(permit, outbound).await.expect("it answers");
                assert_eq!(read(reply.body).await.expect("a whole body"), tag);
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.expect("every answer is its own");
    }
    assert_eq!(upstream.requests().len(), TASKS * CALLS);
}
