//! The demo server in the era without sessions (2026-07-28).

use http::{Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    answer::{Body, empty, event_stream, json_error, json_result},
    tools::{self, Called},
};

/// The revision this file speaks.
pub const REVISION: &str = "2026-07-28";

/// A POST: one request.
pub fn post(message: &Value) -> Response<Body> {
    let (id, params) = (&message["id"], &message["params"]);
    if id.is_null() {
        return empty(StatusCode::ACCEPTED);
    }
    match message["method"].as_str().unwrap_or_default() {
        "server/discover" => json_result(id, &discovered()),
        "tools/list" => json_result(
            id,
            &complete(json!({"tools": tools::list(), "ttlMs": 60_000, "cacheScope": "public"})),
        ),
        "tools/call" => call(id, params),
        "subscriptions/listen" => listen(id, params),
        _ => json_error(StatusCode::NOT_FOUND, id, -32_601, "the demo server knows only tools"),
    }
}

fn discovered() -> Value {
    complete(json!({
        "supportedVersions": [REVISION],
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "portcullis-demo", "version": env!("CARGO_PKG_VERSION")},
        "instructions": "Call echo, add or count.",
        "ttlMs": 60_000,
        "cacheScope": "public"
    }))
}

fn call(id: &Value, params: &Value) -> Response<Body> {
    match tools::call(params) {
        Called::Result(result) => json_result(id, &complete(result)),
        Called::Unknown => json_error(StatusCode::BAD_REQUEST, id, -32_602, "no such tool"),
        Called::Count(to) => {
            let (stream, response) = event_stream();
            let (id, params) = (id.clone(), params.clone());
            tokio::spawn(async move { count(&stream, &id, &params, to).await });
            response
        }
        // The multi-round-trip form: the question is a result, and the answer comes with the next call.
        Called::AskName => match params["inputResponses"].get("name") {
            Some(answer) => json_result(id, &complete(tools::greeting(answer))),
            None => {
                let question = json!({"method": "elicitation/create", "params": tools::name_question()});
                let result = json!({
                    "resultType": "input_required", "inputRequests": {"name": question}, "requestState": "asked-name"
                });
                json_result(id, &result)
            }
        },
    }
}

/// Counts up. A client that went away ends it.
async fn count(stream: &mpsc::Sender<Value>, id: &Value, params: &Value, to: u64) -> Option<()> {
    for done in 1..=to {
        if let Some(progress) = tools::progress(params, done, to) {
            stream.send(progress).await.ok()?;
        }
    }
    let result = complete(tools::text(&format!("counted to {to}")));
    stream.send(json!({"jsonrpc": "2.0", "id": id, "result": result})).await.ok()
}

/// A subscription: acknowledged at once, and then quiet, because the demo's list never changes.
fn listen(id: &Value, params: &Value) -> Response<Body> {
    let (stream, response) = event_stream();
    let acknowledged = json!({
        "jsonrpc": "2.0",
        "method": "notifications/subscriptions/acknowledged",
        "params": {
            "_meta": {"io.modelcontextprotocol/subscriptionId": id},
            "notifications": params["notifications"]
        }
    });
    tokio::spawn(async move {
        if stream.send(acknowledged).await.is_ok() {
            stream.closed().await;
        }
    });
    response
}

/// Marks a result as the final one, as this revision demands.
fn complete(mut result: Value) -> Value {
    result["resultType"] = "complete".into();
    result
}
