//! What is attached to a request, and what is not.

use authority::credential::{Attachment, HeaderName};
use bytes::Bytes;
use http::HeaderValue;
use keyring::secret_value::HeaderValueRefused;
use upstream::{ForwardFailed, Outbound, OutboundHeaders, Sent, Verb};

use crate::{
    recording_upstream::{Answer, RecordingUpstream, ok},
    world::{SECRET, World, every_text, loopback},
};

fn pong() -> Answer {
    Answer::Pieces(vec![ok("application/json", b"{}")])
}

/// S2, C25, D11: the whole request, as the upstream sees it.
#[tokio::test]
async fn s2_c25_d11_the_upstream_sees_the_secret_the_body_and_a_short_list() {
    let upstream = RecordingUpstream::answering(pong()).await;
    let mut world = World::with_secret(&upstream.url("/mcp?x=1"), loopback());
    let granted = world.grant("ana");
    let (permit, _registered) = world.permit(granted);
    let headers = OutboundHeaders {
        protocol_version: Some(HeaderValue::from_static("2025-11-25")),
        session: Some(HeaderValue::from_static("upstream-session")),
        ..OutboundHeaders::default()
    };
    let body = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    let outbound = Outbound { verb: Verb::Post, headers, body: body.clone() };
    world.upstreams.forward(permit, outbound).await.expect("it answers");

    let [request] = &upstream.requests()[..] else { panic!("one request") };
    assert_eq!(request.body, body);
    let mut lines: Vec<&str> = request.head.trim_end().lines().collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "POST /mcp?x=1 HTTP/1.1",
            "accept-encoding: identity",
            "accept: application/json, text/event-stream",
            &format!("authorization: Bearer {SECRET}"),
            "content-length: 40",
            "content-type: application/json",
            &format!("host: {}", upstream.address()),
            "mcp-protocol-version: 2025-11-25",
            "mcp-session-id: upstream-session",
            concat!("user-agent: portcullis/", env!("CARGO_PKG_VERSION")),
        ]
    );
}

#[tokio::test]
async fn a_secret_can_travel_in_a_header_of_its_own() {
    let upstream = RecordingUpstream::answering(pong()).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let name = HeaderName::parse("X-Api-Key").expect("a name");
    world.set_secret(b"key", 1, Attachment::Header { name });
    let granted = world.grant("ana");
    world.call(granted).await.expect("it answers");
    let head = &upstream.requests()[0].head;
    assert!(head.contains("x-api-key: key\r\n") && !head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn a_server_without_a_credential_gets_none() {
    let upstream = RecordingUpstream::answering(pong()).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    world.call(granted).await.expect("it answers");
    assert!(!upstream.requests()[0].head.contains("authorization"));
}

/// D10: a value that would begin another header is refused at the last moment too, whoever stored it.
#[tokio::test]
async fn d10_a_stored_value_with_a_line_break_is_never_sent() {
    let upstream = RecordingUpstream::answering(pong()).await;
    let mut world = World::new(&upstream.url("/"), loopback());
    world.set_secret(b"token\r\nx-evil: 1", 1, Attachment::Bearer);
    let granted = world.grant("ana");
    let failed = world.call(granted).await.expect_err("it cannot be sent");
    assert!(matches!(failed, ForwardFailed::NotAttached(_)), "{failed:?}");
    let reason = HeaderValueRefused::ForbiddenByte { position: 6 };
    assert!(every_text(&failed).contains(&reason.to_string()));
    assert_eq!((failed.sent(), upstream.connections()), (Sent::Nothing, 0));
}

/// D09: neither the secret nor the path, which may hold another, stands in any error.
#[tokio::test]
async fn d09_errors_carry_neither_the_secret_nor_the_url() {
    const PATH_SECRET: &str = "path-s3cret";
    for answer in [
        "HTTP/1.1 401 Unauthorized",
        "HTTP/1.1 302 Found\r\nlocation: /x",
        "nonsense",
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip",
    ] {
        let answer = format!("{answer}\r\nx-echo: {SECRET}\r\ncontent-length: 0\r\n\r\n");
        let upstream = RecordingUpstream::answering(Answer::ThenClose(vec![answer.into_bytes()])).await;
        let url = upstream.url(&format!("/mcp?key={PATH_SECRET}"));
        let mut world = World::with_secret(&url, loopback());
        let granted = world.grant("ana");
        let failed = world.call(granted).await.expect_err("it is not a good answer");
        let text = every_text(&failed);
        assert!(!text.contains(SECRET) && !text.contains(PATH_SECRET), "{text}");
        assert_eq!(failed.sent(), Sent::Perhaps);
    }
}

#[tokio::test]
async fn opened_secrets_and_idle_connections_are_forgotten_at_the_loss_of_the_lease() {
    let mut upstream = RecordingUpstream::answering(pong()).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    world.call(granted).await.expect("it answers");
    world.upstreams.wipe();
    upstream.end().await;
    world.call(granted).await.expect("the secret is opened again");
    assert_eq!(upstream.connections(), 2);
}

#[tokio::test]
async fn without_a_lease_nothing_is_sent() {
    let upstream = RecordingUpstream::answering(pong()).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let (permit, _registered) = world.permit(granted);
    world.gate.lease_cell().drop_lease();
    let failed = world.upstreams.forward(permit, crate::world::post(b"{}")).await.expect_err("no lease");
    assert!(matches!(failed, ForwardFailed::Cut { sent: Sent::Nothing, .. }), "{failed:?}");
    assert_eq!(upstream.connections(), 0);
}
