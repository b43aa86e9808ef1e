//! What happens when the node itself cannot go on: a disk that stands still or fails, and the end of the process.

use std::time::Duration;

use authority::record::{Body, Ending};
use edge::Config;
use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    disk::TestDisk,
    recording::{Answer, server},
    world::{MODERN, REVISIONS, World},
};

/// A1: until the intent is on disk the upstream sees nothing.
#[tokio::test]
async fn nothing_is_sent_before_the_intent_is_recorded() {
    let disk = TestDisk::new();
    let world = World::on_disk(disk.clone(), server).await;
    let grant = world.reader();
    for revision in REVISIONS {
        let before = world.upstream.bytes().len();
        let message = world.message(revision, "tools/call", json!({"name": "read_file", "arguments": {}}));
        let headers = World::headers(&grant, revision, &message);
        disk.hold();
        let mut connection =
            world.begin("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
        disk.is_reached().await;
        assert_eq!(world.upstream.bytes().len(), before, "{revision}");
        disk.let_go();
        assert_eq!(connection.response().await.expect("an answer").status, 200, "{revision}");
    }
}

/// An edge that cannot record does not forward, and says so in a way that makes clients try again elsewhere.
#[tokio::test]
async fn a_call_that_cannot_be_recorded_is_refused_before_any_byte() {
    let disk = TestDisk::new();
    let world = World::on_disk(disk.clone(), server).await;
    let grant = world.reader();
    disk.break_down();
    for tool in ["read_file", "delete_file"] {
        let answer = world.call(&grant, MODERN, tool).await;
        assert_eq!(answer.status, 503, "{tool}");
        assert!(answer.header("retry-after").is_some(), "{tool}");
        assert_eq!(answer.json()["error"]["code"], -31002, "{tool}");
    }
    assert!(world.upstream.bytes().is_empty());
}

#[tokio::test]
async fn a_shutdown_lets_calls_finish_and_then_cuts_what_is_left() {
    let (opened, mut streams) = mpsc::unbounded_channel();
    let script = move |_: &crate::recording::Request| {
        let (feed, pieces) = mpsc::unbounded_channel();
        opened.send(feed).expect("the test waits");
        Answer::Stream(pieces)
    };
    let config = Config { drain: Duration::from_millis(50), ..Config::default() };
    let world = World::with_config(config, script).await;
    let grant = world.everything();
    let message = world.message("2025-11-25", "tools/call", json!({"name": "read_file", "arguments": {}}));
    let headers = World::headers(&grant, "2025-11-25", &message);
    let mut stays = world.begin("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
    stays.head().await.expect("a head");
    let stays_open = streams.recv().await.expect("the upstream streams");
    // One whose client has gone and that runs on by itself.
    let leaves = world.begin("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
    let runs_on = streams.recv().await.expect("the upstream streams");
    drop(leaves);

    let records = world.shut_down().await;
    stays.ends().await;
    stays_open.closed().await;
    runs_on.closed().await;
    let endings: Vec<_> = records
        .into_iter()
        .filter_map(|body| match body {
            Body::Outcome(outcome) => Some(outcome.ending),
            _ => None,
        })
        .collect();
    assert_eq!(endings, [Ending::Drained, Ending::Drained]);
}
