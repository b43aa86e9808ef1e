//! A revocation that bites: the next call, a stream that is open, a call that waits, and one that was decided and not
//! yet written.

use authority::{
    command::{self, DisableServer},
    enforcement::CutReason,
    record::{Body, Ending},
    time::Wall,
};
use seams::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    client::Connection,
    disk::TestDisk,
    recording::{Answer, Request, server},
    world::{Granted, REVISIONS, World, raw},
};

/// A script whose streams the test feeds, and what it feeds them with.
fn streaming() -> (
    impl Fn(&Request) -> Answer + Send + Sync + 'static,
    mpsc::UnboundedReceiver<mpsc::UnboundedSender<Vec<u8>>>,
) {
    let (opened, streams) = mpsc::unbounded_channel();
    let script = move |request: &Request| {
        let streams = request.verb == "GET" || request.json()["params"]["name"] == "read_file";
        if !streams {
            return server(request);
        }
        let (feed, pieces) = mpsc::unbounded_channel();
        opened.send(feed).expect("the test waits");
        Answer::Stream(pieces)
    };
    (script, streams)
}

async fn open_stream(world: &World, granted: &Granted, revision: &str) -> Connection {
    let message = world.message(revision, "tools/call", json!({"name": "read_file", "arguments": {}}));
    let headers = World::headers(granted, revision, &message);
    let mut connection = world.begin("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
    let head = connection.head().await.expect("a head");
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")), "{revision}");
    connection
}

#[tokio::test]
async fn the_next_call_after_a_revocation_is_refused_in_every_revision() {
    let world = World::start(server).await;
    for revision in REVISIONS {
        let grant = world.reader();
        assert_eq!(world.call(&grant, revision, "read_file").await.status, 200, "{revision}");
        let before = world.upstream.bytes().len();
        world.revoke(&grant);
        let answer = world.call(&grant, revision, "read_file").await;
        assert_eq!(answer.status, 401, "{revision}");
        assert!(answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")));
        assert!(answer.text().starts_with("[denied] grant_revoked"), "{revision}: {}", answer.text());
        assert_eq!(world.upstream.bytes().len(), before, "{revision}");
    }
}

#[tokio::test]
async fn a_stream_open_at_the_revocation_ends_on_both_sides() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    for (count, revision) in REVISIONS.into_iter().enumerate() {
        let grant = world.reader();
        let mut connection = open_stream(&world, &grant, revision).await;
        let feed = streams.recv().await.expect("the upstream streams");
        feed.send(b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n".to_vec())
            .expect("it is open");
        connection.until("notifications/progress").await.expect("the event passes");

        let cut = world.revoke(&grant);
        assert_eq!(cut.len(), 1, "{revision}: the revocation names the call it cut");
        connection.ends().await;
        world.upstream.has_lost(count + 1).await;
        world.is_quiet().await;
        let records = world.records().await;
        let Some(Body::Outcome(outcome)) = records.last() else { panic!("{records:?}") };
        assert_eq!(outcome.ending, Ending::Cut, "{revision}");
    }
}

#[tokio::test]
async fn a_get_stream_is_a_call_like_any_other_and_is_cut() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let grant = world.reader();
    let headers = World::headers(&grant, "2025-11-25", &Value::Null);
    let mut connection = world.begin("GET", "/mcp/files", &headers, b"").await;
    assert_eq!(connection.head().await.expect("a head").status, 200);
    let feed = streams.recv().await.expect("the upstream streams");
    assert_eq!(world.gate.in_flight().len(), 1);
    world.revoke(&grant);
    connection.ends().await;
    feed.closed().await;
    world.is_quiet().await;
    let records = world.records().await;
    let [.., Body::Intent(intent), Body::Outcome(outcome)] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!((&*intent.call.method, outcome.ending), ("GET", Ending::Cut));
}

#[tokio::test]
async fn a_call_that_waits_for_its_answer_is_told_of_the_revocation() {
    let world = World::start(|_| Answer::Never).await;
    let grant = world.reader();
    let message = world.message("2025-11-25", "tools/call", json!({"name": "read_file", "arguments": {}}));
    let headers = World::headers(&grant, "2025-11-25", &message);
    let mut connection = world.begin("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
    world.upstream.has_seen(1).await;
    world.revoke(&grant);
    let answer = connection.response().await.expect("an answer");
    assert_eq!(answer.status, 401);
    assert!(answer.text().starts_with("[denied] grant_revoked"));
    world.upstream.has_lost(1).await;
}

/// The call is held after its decision and before its first byte, at the write of its intent: the revocation returns
/// although the disk stands still, and when the disk goes on nothing is sent.
#[tokio::test]
async fn a_call_that_was_decided_and_not_yet_written_sends_nothing() {
    let disk = TestDisk::new();
    let world = World::on_disk(disk.clone(), server).await;
    for revision in REVISIONS {
        let grant = world.reader();
        let message = world.message(revision, "tools/call", json!({"name": "read_file", "arguments": {}}));
        let headers = World::headers(&grant, revision, &message);
        disk.hold();
        let mut connection =
            world.begin("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
        disk.is_reached().await;
        assert_eq!(world.gate.in_flight().len(), 1, "{revision}");
        assert_eq!(world.revoke(&grant).len(), 1, "{revision}");
        disk.let_go();
        let answer = connection.response().await.expect("an answer");
        assert_eq!(answer.status, 401, "{revision}");
        assert!(answer.text().starts_with("[denied] grant_revoked"), "{revision}: {}", answer.text());
        world.is_quiet().await;
        let records = world.records().await;
        let [.., Body::Intent(_), Body::Outcome(outcome)] = records.as_slice() else { panic!("{records:?}") };
        assert_eq!(
            (outcome.ending, outcome.last_check_at.0),
            (Ending::Cut, 0),
            "{revision}: no write was even tried"
        );
    }
    assert!(world.upstream.bytes().is_empty());
}

/// The same race without a held point: wherever the revocation meets the call, nothing is sent after it has returned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_at_any_moment_of_a_call_lets_nothing_out_after_it_returned() {
    let world = World::start(server).await;
    for _ in 0..100 {
        let grant = world.reader();
        let tag = grant.id.to_string();
        let message =
            world.message("2025-11-25", "tools/call", json!({"name": "read_file", "arguments": {"of": tag}}));
        let headers = World::headers(&grant, "2025-11-25", &message);
        let mut connection = Connection::open(world.address).await;
        connection.write(&raw("POST", "/mcp/files", &headers, message.to_string().as_bytes())).await;
        while world.gate.in_flight().is_empty() && !world.upstream.saw(&tag) {
            tokio::task::yield_now().await;
        }
        let was_cut = !world.revoke(&grant).is_empty();
        let answer = connection.response().await.expect("an answer");
        let seen = world.upstream.saw(&tag);
        // A call that ended before the revocation was answered; one that was cut was told so.
        assert!(
            if was_cut { answer.status != 200 || seen } else { answer.status == 200 && seen },
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_grant_expires() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let expires_at = Wall(SystemClock.wall_millis()).plus_millis(3_000);
    let scope = authority::scope::Scope::all(crate::world::server_id("files"));
    let grant = world.grant(vec![scope], Some(expires_at));
    let mut connection = open_stream(&world, &grant, "2025-06-18").await;
    let feed = streams.recv().await.expect("the upstream streams");
    connection.ends().await;
    feed.closed().await;
    assert!(SystemClock.wall_millis() >= expires_at.0);
    let answer = world.call(&grant, "2025-06-18", "read_file").await;
    assert!(answer.text().starts_with("[denied] grant_expired"));
}

#[tokio::test]
async fn the_loss_of_the_lease_cuts_and_refuses() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let grant = world.reader();
    let mut connection = open_stream(&world, &grant, "2025-06-18").await;
    let feed = streams.recv().await.expect("the upstream streams");
    world.gate.lease_cell().drop_lease();
    world.gate.cut_everything(CutReason::LeaseExpired);
    connection.ends().await;
    feed.closed().await;
    let answer = world.call(&grant, "2025-06-18", "read_file").await;
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    assert!(answer.text().starts_with("[denied] lease_expired"));
}

/// A cut reaches a client that has stopped reading: its connection is reset, and what waited for it is gone.
#[tokio::test]
async fn a_client_that_does_not_read_is_cut_too() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let grant = world.reader();
    let mut connection = open_stream(&world, &grant, "2025-11-25").await;
    let feed = streams.recv().await.expect("the upstream streams");
    let notice = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "x".repeat(512 * 1024)}});
    let event = format!("data: {notice}\n\n").into_bytes();
    for _ in 0..32 {
        feed.send(event.clone()).expect("it is open");
    }
    world.revoke(&grant);
    feed.closed().await;
    world.is_quiet().await;
    connection.ends().await;
}

/// A denial names the same rule whether the change met the call before its decision or after it.
#[tokio::test]
async fn a_call_cut_by_a_disabled_server_is_told_the_rule_that_refuses_the_next() {
    let world = World::start(|_| Answer::Never).await;
    let grant = world.reader();
    let message = world.message("2025-11-25", "tools/call", json!({"name": "read_file", "arguments": {}}));
    let headers = World::headers(&grant, "2025-11-25", &message);
    let mut connection = world.begin("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
    world.upstream.has_seen(1).await;
    world.apply(command::Body::DisableServer(DisableServer { server: crate::world::server_id("files") }));
    let cut = connection.response().await.expect("an answer").text();
    let refused = world.call(&grant, "2025-11-25", "read_file").await.text();
    assert!(refused.starts_with("[denied] server_disabled (rule servers/files)"), "{refused}");
    assert_eq!(cut, refused);
}
