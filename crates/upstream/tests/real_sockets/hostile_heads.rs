//! Heads that are refused, and what the upstream is told then: nothing.

use std::time::Duration;

use http::StatusCode;
use upstream::{ForwardFailed, HeadRefused, Sent, config::Timeouts};

use crate::{
    recording_upstream::{Answer, End, RecordingUpstream},
    world::{World, loopback},
};

async fn failure(head: String) -> (ForwardFailed, RecordingUpstream) {
    let answer = format!("{head}content-length: 0\r\n\r\n");
    let upstream = RecordingUpstream::answering(Answer::Pieces(vec![answer.into_bytes()])).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let failed = world.call(granted).await.expect_err("it is refused");
    assert_eq!(failed.sent(), Sent::Perhaps);
    (failed, upstream)
}

/// D03: a header line of a megabyte, and ten thousand headers.
#[tokio::test]
async fn d03_a_head_that_is_too_large_is_refused() {
    let line = format!("HTTP/1.1 200 OK\r\nx: {}\r\n", "y".repeat(1024 * 1024));
    let many = format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(10_000));
    for head in [line, many] {
        let (failed, mut upstream) = failure(head).await;
        assert!(matches!(failed, ForwardFailed::HeadTooLarge), "{failed:?}");
        assert_eq!(upstream.end().await, End::Reset);
    }
}

/// D02: interim answers are swallowed, but not without end.
#[tokio::test]
async fn d02_interim_answers_without_end_are_refused() {
    let interim = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(100);
    let mut upstream = RecordingUpstream::answering(Answer::Endless(interim.clone(), interim)).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let failed = world.call(granted).await.expect_err("it is refused");
    assert!(matches!(failed, ForwardFailed::HeadRefused(HeadRefused::TooMuchBefore)), "{failed:?}");
    assert_eq!((failed.sent(), upstream.end().await), (Sent::Perhaps, End::Reset));
}

/// D02: a head that has begun is not waited for as long as a tool that works.
#[tokio::test]
async fn d02_a_head_that_drips_is_refused_and_interim_answers_are_no_drip() {
    const SHORT: Duration = Duration::from_millis(100);
    for (piece, begun) in [("HTTP/1.1 20", true), ("HTTP/1.1 102 Processing\r\n\r\n", false)] {
        let mut upstream = RecordingUpstream::answering(Answer::Pieces(vec![piece.into()])).await;
        let timeouts = Timeouts { head: 3 * SHORT, head_rest: SHORT, ..Timeouts::default() };
        let mut world = World::new(&upstream.url("/"), upstream::Config { timeouts, ..loopback() });
        let granted = world.grant("ana");
        let failed = world.call(granted).await.expect_err("no head comes");
        match failed {
            ForwardFailed::HeadRefused(HeadRefused::TooSlow) if begun => {}
            ForwardFailed::HeadTimedOut(_) if !begun => {}
            other => panic!("{piece:?}: {other:?}"),
        }
        assert_eq!(upstream.end().await, End::Reset);
    }
}

/// D07: no redirect is followed, to wherever it points, and the secret goes to nobody else.
#[tokio::test]
async fn d07_a_redirect_is_never_followed() {
    let elsewhere = RecordingUpstream::answering(Answer::Pieces(Vec::new())).await;
    for status in [301, 302, 303, 307, 308] {
        let head = format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {}\r\n", elsewhere.url("/mcp"));
        let (failed, upstream) = failure(head).await;
        let expected = StatusCode::from_u16(status).expect("a status");
        assert!(matches!(failed, ForwardFailed::Redirected(status) if status == expected), "{failed:?}");
        assert_eq!(failed.upstream_status(), Some(status));
        assert_eq!(upstream.requests().len(), 1);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_refusal_of_the_credential_is_told_apart_from_one_of_the_call() {
    let (failed, _) = failure("HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer\r\n".into()).await;
    assert!(matches!(failed, ForwardFailed::Unauthorized));
    let (failed, _) = failure("HTTP/1.1 403 Forbidden\r\n".into()).await;
    assert!(matches!(failed, ForwardFailed::Forbidden));
}

/// D05: an answer that is compressed all the same is refused before a byte of it is looked at.
#[tokio::test]
async fn d05_a_compressed_answer_is_refused() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\n";
    assert!(matches!(failure(head.into()).await.0, ForwardFailed::HeadRefused(_)));
}

#[tokio::test]
async fn what_is_no_http_and_what_switches_protocols_is_refused() {
    let (failed, _) =
        failure("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n".into()).await;
    assert!(matches!(failed, ForwardFailed::Upgraded), "{failed:?}");
    for head in ["SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nx : y\r\n", "HTTP/1.1 200 OK\r\nx: y\r\n folded\r\n"] {
        let (failed, _) = failure(head.into()).await;
        assert!(matches!(failed, ForwardFailed::Lost { .. }), "{head:?} {failed:?}");
    }
}
