//! Servers that show the injected secret to whoever calls (FAULTS D08).

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    alerts::{Alerts, Fields},
    recording_upstream::{Answer, RecordingUpstream, chunk, chunked, ok},
    world::{SECRET, World, loopback, read},
};

/// What a client reads of an answer made of these pieces, and how often the secret was taken out.
async fn seen_by_client(pieces: Vec<Vec<u8>>) -> (String, u64) {
    let (text, redactions, _) = observed(pieces).await;
    (text, redactions)
}

/// As [`seen_by_client`], and the alerts.
async fn observed(pieces: Vec<Vec<u8>>) -> (String, u64, Vec<Fields>) {
    let alerts = Alerts::collect();
    let upstream = RecordingUpstream::answering(Answer::Pieces(pieces)).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let (reply, _registered) = world.post(granted, b"{}").await.expect("it answers");
    assert_eq!(reply.session, None);
    let body = read(reply.body).await.expect("a whole body");
    (String::from_utf8(body.to_vec()).expect("text"), reply.report.redactions(), alerts.seen())
}

/// D08: plainly, and with the length that the server announced for it.
#[tokio::test]
async fn d08_a_plain_echo_is_redacted() {
    let body = format!("{{\"headers\":{{\"authorization\":\"Bearer {SECRET}\"}}}}");
    let (seen, redactions) = seen_by_client(vec![ok("application/json", body.as_bytes())]).await;
    assert_eq!(seen, r#"{"headers":{"authorization":"Bearer [redacted]"}}"#);
    assert_eq!(redactions, 1);
}

/// D08: in base64 together with what stood before it, split over events of a stream wherever it can be split.
#[tokio::test]
async fn d08_an_echo_in_base64_split_over_chunks_is_redacted() {
    let encoded = STANDARD.encode(format!("Bearer {SECRET}"));
    for at in 0..encoded.len() {
        let (first, second) = encoded.split_at(at);
        let mut pieces = vec![chunked("text/event-stream")];
        pieces.push(chunk(format!("data: {first}").as_bytes()));
        if !second.is_empty() {
            pieces.push(chunk(second.as_bytes()));
        }
        pieces.push([chunk(b"\n\n"), b"0\r\n\r\n".to_vec()].concat());
        let (seen, redactions) = seen_by_client(pieces).await;
        assert!(
            seen.starts_with("data: ") && seen.contains("[redacted]") && seen.ends_with("\n\n"),
            "{seen}"
        );
        assert_eq!(redactions, 1, "split at {at}");
    }
}

/// D08: with the escapes that .NET writes in JSON, split wherever they can be split.
#[tokio::test]
async fn d08_an_echo_in_escaped_json_split_over_chunks_is_redacted() {
    let escaped = SECRET.replace('+', r"\u002B").replace('/', r"\/");
    for at in 1..escaped.len() {
        let (first, second) = escaped.split_at(at);
        let pieces = vec![
            chunked("application/json"),
            chunk(format!("{{\"a\":\"{first}").as_bytes()),
            [chunk(format!("{second}\"}}").as_bytes()), b"0\r\n\r\n".to_vec()].concat(),
        ];
        assert_eq!(seen_by_client(pieces).await, (r#"{"a":"[redacted]"}"#.to_owned(), 1), "split at {at}");
    }
}

/// D08: in headers, the session id among them.
#[tokio::test]
async fn d08_an_echo_in_headers_does_not_pass() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nmcp-session-id: {SECRET}\r\nx-echo: Bearer {SECRET}\r\n\
         content-length: 2\r\n\r\n{{}}"
    );
    assert_eq!(seen_by_client(vec![answer.into_bytes()]).await, ("{}".to_owned(), 2));
}

/// D08: somebody is told, once for a call however often the secret was found, and not told the secret.
#[tokio::test]
async fn d08_an_echo_raises_one_alert_for_the_call() {
    let (_, _, alerts) = observed(vec![ok("application/json", b"{}")]).await;
    assert_eq!(alerts, Vec::<Fields>::new());
    let head = chunked("text/event-stream");
    let event = || chunk(format!("data: {SECRET}\n\n").as_bytes());
    let (_, _, alerts) = observed(vec![head, event(), event(), b"0\r\n\r\n".to_vec()]).await;
    let fields = [("server", "files"), ("credential", "files"), ("redactions", "2")];
    assert_eq!(alerts, [fields.map(|(name, value)| (name, value.to_owned())).to_vec()]);
}

/// D08: a client that leaves in the middle of the answer does not spare the server the alert.
#[tokio::test]
async fn d08_an_echo_raises_its_alert_also_when_the_body_is_not_read_to_its_end() {
    let alerts = Alerts::collect();
    let pieces = vec![chunked("text/event-stream"), chunk(format!("data: {SECRET}\n\n").as_bytes())];
    let upstream = RecordingUpstream::answering(Answer::Pieces(pieces)).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let (mut reply, _registered) = world.post(granted, b"{}").await.expect("it answers");
    http_body_util::BodyExt::frame(&mut reply.body).await.expect("a frame").expect("a good one");
    assert_eq!(alerts.seen().len(), 0);
    drop(reply.body);
    assert_eq!(alerts.seen().len(), 1);
}

/// An event passes while the server is still silent about the next: redaction delays nothing.
#[tokio::test]
async fn an_event_passes_before_the_next_one_comes() {
    let first = [chunked("text/event-stream"), chunk(b"data: 1\n\n")].concat();
    let upstream = RecordingUpstream::answering(Answer::Pieces(vec![first])).await;
    let mut world = World::with_secret(&upstream.url("/"), loopback());
    let granted = world.grant("ana");
    let (mut reply, _registered) = world.post(granted, b"{}").await.expect("it answers");
    let event = http_body_util::BodyExt::frame(&mut reply.body).await.expect("a frame").expect("a good one");
    assert_eq!(event.into_data().expect("data"), "data: 1\n\n");
}
