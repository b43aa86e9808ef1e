//! What passes of an answer, and the bounds of bodies and streams.

use std::time::Duration;

use http::StatusCode;
use upstream::{ForwardFailed, ReplyBroken, ReplyKind, Sent, config::Bounds, config::Timeouts};

use crate::{
    recording_upstream::{Answer, End, RecordingUpstream, chunk, chunked, ok},
    world::{World, loopback, post, read},
};

/// Long enough for any machine to send a head, short enough to wait for.
const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn an_answer_passes_with_its_status_its_kind_and_its_session() {
    let answer =
        b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json; charset=utf-8\r\nmcp-session-id: abc\r\n\
        retry-after: 7\r\nset-cookie: a=b\r\nserver: x\r\ncontent-length: 2\r\n\r\n{}";
    let upstream = RecordingUpstream::answering(Answer::Pieces(vec![answer.to_vec()])).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let (reply, _registered) = world.post(granted, b"{\"id\":1}").await.expect("it answers");
    assert_eq!((reply.status, reply.kind), (StatusCode::NOT_FOUND, ReplyKind::Json));
    assert_eq!(reply.session.as_ref().map(http::HeaderValue::as_bytes), Some(&b"abc"[..]));
    assert_eq!(reply.retry_after_seconds, Some(7));
    let report = reply.report;
    assert_eq!(read(reply.body).await.expect("a whole body"), "{}");
    assert_eq!((report.request_bytes(), report.response_bytes(), report.redactions()), (8, 2, 0));
}

#[tokio::test]
async fn an_answer_without_a_body_is_empty() {
    let accepted = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";
    let upstream = RecordingUpstream::answering(Answer::Pieces(vec![accepted.to_vec()])).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let (reply, _registered) = world.post(granted, b"{}").await.expect("it answers");
    assert_eq!((reply.status, reply.kind), (StatusCode::ACCEPTED, ReplyKind::Empty));
    assert_eq!(read(reply.body).await.expect("no body"), "");
}

/// D01: the server takes the request and never answers.
#[tokio::test]
async fn d01_a_server_that_hangs_before_the_head_is_given_up() {
    let mut upstream = RecordingUpstream::answering(Answer::Pieces(Vec::new())).await;
    let timeouts = Timeouts { head: SHORT, ..Timeouts::default() };
    let mut world = World::new(&upstream.url("/"), upstream::Config { timeouts, ..loopback() });
    let granted = world.grant("ana");
    let failed = world.call(granted).await.expect_err("it hangs");
    assert!(matches!(failed, ForwardFailed::HeadTimedOut(limit) if limit == SHORT), "{failed:?}");
    assert_eq!((failed.sent(), upstream.end().await), (Sent::Perhaps, End::Reset));
}

/// D01: the server stops in the middle of the body.
#[tokio::test]
async fn d01_a_server_that_hangs_in_the_body_is_given_up() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{\"a\":";
    let mut upstream = RecordingUpstream::answering(Answer::Pieces(vec![half.to_vec()])).await;
    let timeouts = Timeouts { body_idle: SHORT, ..Timeouts::default() };
    let mut world = World::new(&upstream.url("/"), upstream::Config { timeouts, ..loopback() });
    let granted = world.grant("ana");
    let (reply, _registered) = world.post(granted, b"{}").await.expect("the head comes");
    let broken = read(reply.body).await.expect_err("the rest never comes");
    assert!(matches!(broken, ReplyBroken::Stalled(limit) if limit == SHORT), "{broken:?}");
    assert_eq!(upstream.end().await, End::Reset);
}

/// D02: a body that comes too slowly in all is given up, however regularly it drips.
#[tokio::test]
async fn d02_a_body_that_drips_is_given_up() {
    let dripping = Answer::Endless(chunked("application/json"), chunk(b" "));
    let mut upstream = RecordingUpstream::answering(dripping).await;
    let timeouts = Timeouts { body: SHORT, ..Timeouts::default() };
    let mut world = World::new(&upstream.url("/"), upstream::Config { timeouts, ..loopback() });
    let granted = world.grant("ana");
    let (reply, _registered) = world.post(granted, b"{}").await.expect("the head comes");
    let broken = read(reply.body).await.expect_err("it has no end");
    assert!(matches!(broken, ReplyBroken::TooSlow(limit) if limit == SHORT), "{broken:?}");
    assert_eq!(upstream.end().await, End::Reset);
}

/// D01: a connection that breaks in the body never looks like an end.
#[tokio::test]
async fn d01_a_body_that_breaks_off_is_an_error() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{\"a\":";
    let upstream = RecordingUpstream::answering(Answer::ThenClose(vec![half.to_vec()])).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let (reply, _registered) = world.post(granted, b"{}").await.expect("the head comes");
    assert!(matches!(read(reply.body).await, Err(ReplyBroken::Lost(_))));
}

/// D04: a stream that never ends is ended at its bounds, and the server is told by a reset.
#[tokio::test]
async fn d04_an_endless_stream_ends_at_its_bounds() {
    let bounds = |change: fn(&mut Bounds)| {
        let mut bounds = Bounds { events_per_second: u64::MAX, ..Bounds::default() };
        change(&mut bounds);
        bounds
    };
    for (bounds, event) in [
        (bounds(|bounds| bounds.stream_bytes = 10_000), &b": tick\n\n"[..]),
        (bounds(|bounds| bounds.events = 100), b": tick\n\n"),
        (bounds(|bounds| bounds.events_per_second = 100), b"\n\n"),
        (bounds(|bounds| bounds.event_bytes = 10_000), b"no end of a line"),
    ] {
        let endless = Answer::Endless(chunked("text/event-stream"), chunk(event));
        let mut upstream = RecordingUpstream::answering(endless).await;
        let mut world = World::new(&upstream.url("/"), upstream::Config { bounds, ..loopback() });
        let granted = world.grant("ana");
        let (reply, _registered) = world.post(granted, b"{}").await.expect("the head comes");
        assert_eq!(reply.kind, ReplyKind::EventStream);
        let broken = read(reply.body).await.expect_err("it has no end");
        let known = matches!(broken, ReplyBroken::TooLarge { limit: 10_000 } | ReplyBroken::Stream(_));
        assert!(known, "{broken:?}");
        assert_eq!(upstream.end().await, End::Reset);
    }
}

/// D04: a stream that says nothing ends when it is too old.
#[tokio::test]
async fn d04_a_silent_stream_ends_at_its_age() {
    let mut upstream = RecordingUpstream::answering(Answer::Pieces(vec![chunked("text/event-stream")])).await;
    let timeouts = Timeouts { stream_age: SHORT, body_idle: Duration::ZERO, ..Timeouts::default() };
    let mut world = World::new(&upstream.url("/"), upstream::Config { timeouts, ..loopback() });
    let granted = world.grant("ana");
    let (reply, _registered) = world.post(granted, b"{}").await.expect("the head comes");
    assert!(matches!(read(reply.body).await, Err(ReplyBroken::TooOld(limit)) if limit == SHORT));
    assert_eq!(upstream.end().await, End::Reset);
}

#[tokio::test]
async fn a_body_above_the_bound_is_refused_whether_it_is_announced_or_not() {
    let bounds = Bounds { body_bytes: 10, ..Bounds::default() };
    let announced = ok("application/json", b"[1,2,3,4,5]");
    let mut unannounced = chunked("application/json");
    unannounced.extend(chunk(b"[1,2,3,4,5]"));
    for (answer, is_announced) in [(announced, true), (unannounced, false)] {
        let upstream = RecordingUpstream::answering(Answer::Pieces(vec![answer])).await;
        let mut world = World::new(&upstream.url("/"), upstream::Config { bounds, ..loopback() });
        let granted = world.grant("ana");
        match world.post(granted, b"{}").await {
            Err(failed) => {
                assert!(is_announced);
                assert!(matches!(failed, ForwardFailed::BodyTooLarge { announced: 11, limit: 10 }));
            }
            Ok((reply, _registered)) => {
                assert!(!is_announced);
                assert!(matches!(read(reply.body).await, Err(ReplyBroken::TooLarge { limit: 10 })));
            }
        }
    }
}

/// D04: who goes away tells the upstream.
#[tokio::test]
async fn d04_dropping_a_body_or_the_call_resets_the_connection() {
    let mut upstream = RecordingUpstream::answering(Answer::Pieces(vec![chunked("text/event-stream")])).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let (reply, _registered) = world.post(granted, b"{}").await.expect("the head comes");
    drop(reply);
    assert_eq!(upstream.end().await, End::Reset);

    let mut silent = RecordingUpstream::answering(Answer::Pieces(Vec::new())).await;
    let mut world = World::new(&silent.url("/"), loopback());
    let granted = world.grant("ana");
    let (permit, _registered) = world.permit(granted);
    let (upstreams, outbound) = (world.upstreams.clone(), post(b"{}"));
    let call = tokio::spawn(async move { upstreams.forward(permit, outbound).await.map(drop) });
    silent.arrival().await;
    call.abort();
    assert_eq!(silent.end().await, End::Reset);
}

#[tokio::test]
async fn trailers_do_not_pass() {
    let mut answer = chunked("application/json");
    answer.extend(chunk(b"{}"));
    answer.extend_from_slice(b"0\r\nset-cookie: a=b\r\n\r\n");
    let upstream = RecordingUpstream::answering(Answer::Pieces(vec![answer])).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let (reply, _registered) = world.post(granted, b"{}").await.expect("it answers");
    let collected = http_body_util::BodyExt::collect(reply.body).await.expect("a whole body");
    assert!(collected.trailers().is_none());
    assert_eq!(collected.to_bytes(), "{}");
}
