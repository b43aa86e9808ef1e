//! Streams: passed on as they come, kept alive, filtered where they carry lists, and ended as their revision has it.

use std::time::Duration;

use authority::record::{Body, Ending};
use edge::Config;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    client::Connection,
    recording::{Answer, Request, server},
    world::{Granted, MODERN, REVISIONS, World},
};

type Feeds = mpsc::UnboundedReceiver<mpsc::UnboundedSender<Vec<u8>>>;

/// A script that answers everything with a stream the test feeds.
fn streaming() -> (impl Fn(&Request) -> Answer + Send + Sync + 'static, Feeds) {
    let (opened, streams) = mpsc::unbounded_channel();
    let script = move |_: &Request| {
        let (feed, pieces) = mpsc::unbounded_channel();
        opened.send(feed).expect("the test waits");
        Answer::Stream(pieces)
    };
    (script, streams)
}

async fn begin(world: &World, granted: &Granted, revision: &str, message: &Value) -> Connection {
    let headers = World::headers(granted, revision, message);
    let mut connection = world.begin("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
    let head = connection.head().await.expect("a head");
    assert_eq!(head.status, 200, "{head:?}");
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("cache-control"), Some("no-cache, no-transform"));
    assert_eq!(head.header("x-accel-buffering"), Some("no"));
    connection
}

#[tokio::test]
async fn a_stream_begins_with_a_comment_and_passes_events_as_they_come() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let grant = world.everything();
    for revision in REVISIONS {
        let message = world.message(revision, "tools/call", json!({"name": "read_file", "arguments": {}}));
        let mut connection = begin(&world, &grant, revision, &message).await;
        let feed = streams.recv().await.expect("the upstream streams");
        let first = connection.chunk().await.expect("a chunk").expect("the stream goes on");
        assert!(first.starts_with(b":") && first.ends_with(b"\n\n"), "{revision}");
        // Each event goes on before the next exists, and half of one only with its other half.
        let notice = r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#;
        feed.send(format!("id: 7\ndata: {notice}\n\nid: 8\ndata: {{\"jsonrpc\":").into_bytes())
            .expect("it is open");
        let read = connection.until("progress").await.expect("it passes");
        assert_eq!(read, format!("id: 7\ndata: {notice}\n\n"), "{revision}");
        feed.send(format!("\"2.0\",\"id\":{},\"result\":{{}}}}\n\n", message["id"]).into_bytes())
            .expect("it is open");
        let read = connection.until("\n\n").await.expect("it passes");
        assert!(read.starts_with("id: 8\ndata: {\"jsonrpc\":\"2.0\""), "{revision}: {read}");
        drop(feed);
        assert_eq!(connection.chunk().await.expect("an orderly end"), None, "{revision}");
    }
    world.is_quiet().await;
    let completed =
        |body: &Body| matches!(body, Body::Outcome(outcome) if outcome.ending == Ending::Completed);
    assert_eq!(world.records().await.iter().filter(|body| completed(body)).count(), REVISIONS.len());
}

#[tokio::test]
async fn a_silent_stream_is_kept_alive_between_events_only() {
    let (script, mut streams) = streaming();
    let config = Config { keep_alive: Duration::from_millis(5), ..Config::default() };
    let world = World::with_config(config, script).await;
    let grant = world.everything();
    let message = world.message(MODERN, "tools/call", json!({"name": "read_file", "arguments": {}}));
    let mut connection = begin(&world, &grant, MODERN, &message).await;
    let feed = streams.recv().await.expect("the upstream streams");
    for _ in 0..3 {
        let comment = connection.chunk().await.expect("a chunk").expect("the stream goes on");
        assert_eq!(comment, b": keep-alive\n\n");
    }
    feed.send(b"data: {\"jsonrpc\":\"2.0\",".to_vec()).expect("it is open");
    // Several silences long the event has not ended, and comments stand before it, not in it.
    connection.until(": keep-alive").await.expect("it passes");
    feed.send(b"\"method\":\"notifications/progress\"}\n\n".to_vec()).expect("it is open");
    let read = connection.until("progress").await.expect("it passes");
    assert!(
        read.ends_with("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n"),
        "{read}"
    );
    connection.until(": keep-alive").await.expect("it passes");
}

#[tokio::test]
async fn lists_that_come_as_events_are_filtered() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let grant = world.reader();
    for revision in REVISIONS {
        let message = world.message(revision, "tools/list", json!({}));
        let mut connection = begin(&world, &grant, revision, &message).await;
        let feed = streams.recv().await.expect("the upstream streams");
        let result = json!({"jsonrpc": "2.0", "id": message["id"], "result": {"tools": [{"name": "delete_file"}, {"name": "read_file"}]}});
        let notice =
            json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "tools"}});
        feed.send(
            format!("event: message\ndata: {notice}\n\nid: 9\nevent: message\ndata: {result}\n\n")
                .into_bytes(),
        )
        .expect("it is open");
        drop(feed);
        let read = connection.until("read_file").await.expect("the answer passes");
        assert!(read.contains("notifications/message") && read.contains("id: 9"), "{revision}: {read}");
        assert!(!read.contains("delete_file"), "{revision}: {read}");
        assert_eq!(connection.chunk().await.expect("an orderly end"), None, "{revision}");
    }
}

/// E10: events are numbered per session; without one, an id could name an event of somebody else's stream.
#[tokio::test]
async fn e10_a_stream_is_resumed_only_within_a_session() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let grant = world.reader();
    let mut headers = World::headers(&grant, "2025-11-25", &Value::Null);
    headers.push(("last-event-id".into(), "stream-1-event-4".into()));
    let mut connection = world.begin("GET", "/mcp/files", &headers, b"").await;
    assert_eq!(connection.head().await.expect("a head").status, 200);
    streams.recv().await.expect("the upstream streams");
    assert_eq!(world.upstream.requests()[0].header("last-event-id"), None);
}

/// A resumed GET stream brings answers to earlier requests, also to `tools/list`.
#[tokio::test]
async fn lists_on_a_resumed_stream_are_filtered() {
    let (script, mut streams) = streaming();
    let world = World::start(move |request| match request.verb.as_str() {
        "POST" => server(request),
        _ => script(request),
    })
    .await;
    let grant = world.reader();
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "agent", "version": "3"}});
    let initialize = world.message("2025-11-25", "initialize", params);
    let opened = world.post(&grant, "2025-11-25", &initialize).await;
    let session = opened.header("mcp-session-id").expect("a session").to_owned();
    let mut headers = World::headers(&grant, "2025-11-25", &Value::Null);
    headers.push(("mcp-session-id".into(), session));
    headers.push(("last-event-id".into(), "stream-1-event-4".into()));
    let mut connection = world.begin("GET", "/mcp/files", &headers, b"").await;
    assert_eq!(connection.head().await.expect("a head").status, 200);
    let feed = streams.recv().await.expect("the upstream streams");
    world.upstream.has_seen(1).await;
    assert_eq!(world.upstream.requests()[1].header("last-event-id"), Some("stream-1-event-4"));
    feed.send(b"id: 5\ndata:\n\n".to_vec()).expect("it is open");
    let result = json!({"jsonrpc": "2.0", "id": 3, "result": {"tools": [{"name": "delete_file"}, {"name": "read_file"}], "prompts": [{"name": "admin_reset"}]}});
    feed.send(format!("data: {result}\n\n").into_bytes()).expect("it is open");
    let read = connection.until("read_file").await.expect("the answer passes");
    assert!(read.contains("id: 5\ndata:\n\n"), "{read}");
    assert!(!read.contains("delete_file") && !read.contains("admin_reset"), "{read}");
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_in_the_modern_revision() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let grant = world.everything();
    let message = world.message(MODERN, "tools/call", json!({"name": "read_file", "arguments": {}}));
    let connection = begin(&world, &grant, MODERN, &message).await;
    let feed = streams.recv().await.expect("the upstream streams");
    drop(connection);
    feed.closed().await;
    world.is_quiet().await;
    let records = world.records().await;
    let Some(Body::Outcome(outcome)) = records.last() else { panic!("{records:?}") };
    assert_eq!(outcome.ending, Ending::ClientGone);
}

#[tokio::test]
async fn a_call_of_an_older_revision_runs_on_without_its_client() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let grant = world.everything();
    for revision in &REVISIONS[..3] {
        let message = world.message(revision, "tools/call", json!({"name": "read_file", "arguments": {}}));
        let connection = begin(&world, &grant, revision, &message).await;
        let feed = streams.recv().await.expect("the upstream streams");
        drop(connection);
        // The upstream goes on as if the client were there, and ends in order.
        for _ in 0..20 {
            let notice = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x".repeat(64 * 1024)}});
            feed.send(format!("data: {notice}\n\n").into_bytes()).expect("it is open");
        }
        drop(feed);
        world.is_quiet().await;
        let records = world.records().await;
        let Some(Body::Outcome(outcome)) = records.last() else { panic!("{records:?}") };
        assert_eq!(outcome.ending, Ending::Completed, "{revision}");
    }
}

#[tokio::test]
async fn a_call_that_runs_on_without_its_client_does_so_for_a_bounded_time() {
    let (script, mut streams) = streaming();
    let config = Config { abandoned_call: Duration::from_millis(5), ..Config::default() };
    let world = World::with_config(config, script).await;
    let grant = world.everything();
    let message = world.message("2025-11-25", "tools/call", json!({"name": "read_file", "arguments": {}}));
    let connection = begin(&world, &grant, "2025-11-25", &message).await;
    let feed = streams.recv().await.expect("the upstream streams");
    drop(connection);
    feed.closed().await;
    world.is_quiet().await;
    let records = world.records().await;
    let Some(Body::Outcome(outcome)) = records.last() else { panic!("{records:?}") };
    assert_eq!(outcome.ending, Ending::LimitReached);
}

/// E11: the streams of one grant are bounded, and others are served.
#[tokio::test]
async fn e11_a_grant_has_its_own_bound_of_streams() {
    let (script, mut streams) = streaming();
    let one = std::num::NonZeroU32::MIN;
    let config = Config { max_streams_per_grant: one, ..Config::default() };
    let world = World::with_config(config, script).await;
    let (grant, other) = (world.reader(), world.reader());
    let headers = World::headers(&grant, "2025-11-25", &Value::Null);
    let mut first = world.begin("GET", "/mcp/files", &headers, b"").await;
    assert_eq!(first.head().await.expect("a head").status, 200);
    assert_eq!(world.send("GET", "/mcp/files", &headers, b"").await.status, 429);
    let others = World::headers(&other, "2025-11-25", &Value::Null);
    let mut second = world.begin("GET", "/mcp/files", &others, b"").await;
    assert_eq!(second.head().await.expect("a head").status, 200);
    drop((streams.recv().await, streams.recv().await));
}
