//! What an upstream answers: one response to the request that was asked, or an error of ours, whatever its status.

use authority::record::{Body, Ending};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    client::{Connection, Response},
    recording::{Answer, Request},
    world::{Granted, MODERN, REVISIONS, World},
};

/// Longer than what is looked at whole, so that it goes on while it is read.
const LONG: usize = 200 * 1024;

/// A JSON answer made of raw bytes.
fn body(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    let headers = vec![("content-type", "application/json".into())];
    Answer::Whole { status, headers, body: body.into() }
}

/// A list with a tool that no test's grant may see.
fn hidden_list() -> Value {
    json!({"tools": [{"name": "delete_file"}, {"name": "read_file"}]})
}

async fn last_ending(world: &World) -> Ending {
    world.is_quiet().await;
    match world.records().await.pop() {
        Some(Body::Outcome(outcome)) => outcome.ending,
        other => panic!("{other:?}"),
    }
}

async fn lists(world: &World, granted: &Granted, revision: &str) -> Response {
    world.post(granted, revision, &world.message(revision, "tools/list", json!({}))).await
}

/// C23: a list is not an error because its status says so.
#[tokio::test]
async fn c23_a_list_under_an_error_status_is_not_passed_on() {
    for status in [400, 404, 409, 500, 503] {
        let world = World::start(move |request| {
            let id = &request.json()["id"];
            Answer::status(status, &json!({"jsonrpc": "2.0", "id": id, "result": hidden_list()}))
        })
        .await;
        let grant = world.reader();
        for revision in REVISIONS {
            let answer = lists(&world, &grant, revision).await;
            assert!(answer.status >= 400, "{status} {revision}");
            assert!(answer.json()["error"].is_object(), "{status} {revision}: {answer:?}");
            assert!(!String::from_utf8_lossy(&answer.body).contains("delete_file"), "{status} {revision}");
        }
    }
}

/// C23: nor does a list reach the client beside an error or inside of one.
#[tokio::test]
async fn c23_an_error_that_answers_a_list_carries_no_list() {
    for status in [200, 400] {
        let world = World::start(move |request| {
            let id = &request.json()["id"];
            let error =
                json!({"code": -32000, "message": "no", "data": hidden_list(), "tools": hidden_list()});
            Answer::status(
                status,
                &json!({"jsonrpc": "2.0", "id": id, "error": error, "tools": hidden_list()}),
            )
        })
        .await;
        let grant = world.reader();
        for revision in REVISIONS {
            let answer = lists(&world, &grant, revision).await;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!(
                (answer.status, answer.json()["error"]["code"].as_i64()),
                (status, Some(-32000)),
                "{text}"
            );
            assert!(!text.contains("delete_file"), "{status} {revision}: {text}");
        }
    }
}

/// The status of an error is what older clients act upon, and some servers give their errors an id of their own.
#[tokio::test]
async fn an_error_under_an_error_status_answers_the_request_whatever_id_it_has() {
    for id in [json!("server-error"), json!(null), json!(77)] {
        let world = World::start(move |_| {
            Answer::status(
                404,
                &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32600, "message": "gone"}}),
            )
        })
        .await;
        let grant = world.reader();
        let message = world.message("2025-11-25", "ping", json!({}));
        let answer = world.post(&grant, "2025-11-25", &message).await;
        assert_eq!((answer.status, answer.text()), (404, "gone".to_owned()));
        assert_eq!(answer.json()["id"], message["id"]);
    }
}

/// D06: an answer that is not the one response to the request is not passed on and not recorded as completed.
#[tokio::test]
async fn d06_an_answer_that_is_no_response_to_the_request_becomes_502() {
    let bad: [fn(&Value) -> String; 8] = [
        |_| json!({"jsonrpc": "2.0", "id": 4711, "result": {"marker": 1}}).to_string(),
        |id| json!({"jsonrpc": "2.0", "id": id.to_string(), "result": {"marker": 1}}).to_string(),
        |id| format!(r#"{{"jsonrpc":"2.0","id":{id},"id":4711,"result":{{"marker":1}}}}"#),
        |id| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}},"result":{{"marker":1}}}}"#),
        |id| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"marker":1}}}} {{}}"#),
        |id| json!([{"jsonrpc": "2.0", "id": id, "result": {"marker": 1}}]).to_string(),
        |id| {
            json!({"jsonrpc": "2.0", "id": id, "method": "sampling/createMessage", "params": {"marker": 1}})
                .to_string()
        },
        |_| "marker, and not JSON".to_owned(),
    ];
    for bad in bad {
        let world = World::start(move |request| body(200, bad(&request.json()["id"]))).await;
        let grant = world.reader();
        for revision in REVISIONS {
            let answer = world.call(&grant, revision, "read_file").await;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert_eq!(
                (answer.status, answer.json()["error"]["code"].as_i64()),
                (502, Some(-31003)),
                "{text}"
            );
            assert!(!text.contains("marker"), "{revision}: {text}");
            assert_eq!(last_ending(&world).await, Ending::UpstreamFailed, "{revision}");
        }
    }
}

/// Makes an answer with the id given.
type Made = Box<dyn Fn(String) -> String + Send + Sync>;

/// D06: an answer too long to be looked at whole is held to the same while it goes on.
#[tokio::test]
async fn d06_a_long_answer_is_passed_on_only_if_it_is_the_response() {
    let long: fn() -> String = || "\\\"}{".repeat(LONG / 4);
    let last =
        move |id: String| format!(r#"{{"result":{{"id":0,"text":"{}"}},"jsonrpc":"2.0","id":{id}}}"#, long());
    let first =
        move |id: String| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"text":"{}"}}}}"#, long());
    for made in [Box::new(last) as Made, Box::new(first)] {
        let world = World::start(move |request| {
            let body_of = request.json();
            let foreign = body_of["params"]["name"] == "list_foreign";
            body(200, made(if foreign { "4711".into() } else { body_of["id"].to_string() }))
        })
        .await;
        let grant = world.reader();
        let answer = world.call(&grant, "2025-11-25", "read_file").await;
        assert_eq!(answer.json()["result"]["text"].as_str().map(str::len), Some(LONG / 4 * 3));
        assert_eq!(last_ending(&world).await, Ending::Completed);

        let message =
            world.message("2025-11-25", "tools/call", json!({"name": "list_foreign", "arguments": {}}));
        let headers = World::headers(&grant, "2025-11-25", &message);
        let mut connection =
            world.begin("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
        let whole = connection.response().await;
        assert!(whole.is_err() || whole.is_ok_and(|answer| answer.status == 502), "it ends visibly");
        assert_eq!(last_ending(&world).await, Ending::UpstreamFailed);
    }
}

type Feeds = mpsc::UnboundedReceiver<mpsc::UnboundedSender<Vec<u8>>>;

fn streaming() -> (impl Fn(&Request) -> Answer + Send + Sync + 'static, Feeds) {
    let (opened, streams) = mpsc::unbounded_channel();
    let script = move |_: &Request| {
        let (feed, pieces) = mpsc::unbounded_channel();
        opened.send(feed).expect("the test waits");
        Answer::Stream(pieces)
    };
    (script, streams)
}

/// Calls a tool, feeds the stream that answers, and reads what the client gets of it until it ends in order or not.
async fn streamed(
    world: &World,
    streams: &mut Feeds,
    (grant, revision): (&Granted, &str),
    events: impl Fn(&Value) -> Vec<String>,
) -> (String, bool, mpsc::UnboundedSender<Vec<u8>>, Connection) {
    let message = world.message(revision, "tools/call", json!({"name": "read_file", "arguments": {}}));
    let headers = World::headers(grant, revision, &message);
    let mut connection = world.begin("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
    assert_eq!(connection.head().await.expect("a head").status, 200);
    let feed = streams.recv().await.expect("the upstream streams");
    for event in events(&message["id"]) {
        feed.send(format!("data: {event}\n\n").into_bytes()).expect("it is open");
    }
    // What the modern era ends by itself, older ones leave to the upstream.
    let (kept, ended) = match revision {
        MODERN => (feed, mpsc::unbounded_channel().0),
        _ => (mpsc::unbounded_channel().0, feed),
    };
    drop(ended);
    let mut read = String::new();
    let in_order = loop {
        match connection.chunk().await {
            Ok(Some(chunk)) => read.push_str(&String::from_utf8(chunk).expect("text")),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    (read, in_order, kept, connection)
}

/// D06: of a stream the client gets its own response, once, and no message that is not for it.
#[tokio::test]
async fn d06_foreign_and_extra_events_of_a_stream_are_left_out() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let grant = world.reader();
    for revision in REVISIONS {
        let events = |id: &Value| {
            vec![
                json!({"jsonrpc": "2.0", "id": 4711, "result": {"marker": "foreign"}}).to_string(),
                json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}).to_string(),
                "marker, and not JSON".to_owned(),
                json!({"marker": "no message"}).to_string(),
                json!({"jsonrpc": "2.0", "id": 1, "method": "roots/list"}).to_string(),
                json!({"jsonrpc": "2.0", "id": id, "result": {"own": true}}).to_string(),
                json!({"jsonrpc": "2.0", "id": id, "result": {"marker": "second"}}).to_string(),
            ]
        };
        let (read, in_order, kept, _connection) =
            streamed(&world, &mut streams, (&grant, revision), events).await;
        assert!(in_order, "{revision}: {read}");
        assert!(read.contains("notifications/progress") && read.contains("own"), "{revision}: {read}");
        assert!(!read.contains("marker"), "{revision}: {read}");
        assert_eq!(read.contains("roots/list"), revision != MODERN, "{revision}: {read}");
        assert_eq!(last_ending(&world).await, Ending::Completed, "{revision}");
        drop(kept);
    }
}

/// D06: a stream that brought only what was not for the client has not answered.
#[tokio::test]
async fn d06_a_stream_of_foreign_responses_is_not_recorded_as_completed() {
    let (script, mut streams) = streaming();
    let world = World::start(script).await;
    let grant = world.reader();
    for revision in &REVISIONS[..3] {
        let events =
            |_: &Value| vec![json!({"jsonrpc": "2.0", "id": 4711, "result": {"marker": 1}}).to_string()];
        let (read, in_order, _kept, _connection) =
            streamed(&world, &mut streams, (&grant, revision), events).await;
        assert!(!in_order && !read.contains("marker"), "{revision}: {read}");
        assert_eq!(last_ending(&world).await, Ending::UpstreamFailed, "{revision}");
    }
}
