//! A modern client at an upstream of the older era: it is told so in the one way on which it falls back.

use serde_json::{Value, json};

use crate::{
    recording::Answer,
    world::{MODERN, World},
};

/// An answer to the probe with this id, and what it is called.
type Older = (&'static str, fn(&Value) -> Answer);

/// What servers of the older era have been seen to answer to `server/discover`.
fn older_answers() -> Vec<Older> {
    fn page(status: u16) -> Answer {
        Answer::Whole {
            status,
            headers: vec![("content-type", "text/html".into())],
            body: b"<html>no</html>".to_vec(),
        }
    }
    vec![
        ("400 no session", |id| {
            Answer::status(
                400,
                &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32000, "message": "no session"}}),
            )
        }),
        ("400 bad request", |_| {
            Answer::status(
                400,
                &json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "no"}}),
            )
        }),
        ("404 unknown session", |_| {
            Answer::status(
                404,
                &json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32001, "message": "no"}}),
            )
        }),
        ("405 page", |_| page(405)),
        ("406 page", |_| page(406)),
        ("404 page", |_| page(404)),
        ("400 nothing", |_| Answer::empty(400)),
        ("200 with -32601", |id| {
            Answer::json(
                &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "Method not found"}}),
            )
        }),
        ("200 with -32602", |id| {
            Answer::json(&json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32602, "message": "no"}}))
        }),
    ]
}

#[tokio::test]
async fn a_probe_at_an_older_upstream_gets_400_with_method_not_found() {
    for (name, answer) in older_answers() {
        let world = World::start(move |request| answer(&request.json()["id"])).await;
        let grant = world.everything();
        let message = world.message(MODERN, "server/discover", json!({}));
        let answer = world.post(&grant, MODERN, &message).await;
        assert_eq!(answer.status, 400, "{name}");
        let body = answer.json();
        assert_eq!((&body["error"]["code"], &body["id"]), (&json!(-32601), &message["id"]), "{name}");
    }
}

#[tokio::test]
async fn a_modern_call_that_an_older_upstream_does_not_even_answer_in_json_gets_the_same() {
    let world = World::start(|_| Answer::empty(406)).await;
    let grant = world.everything();
    let answer = world.call(&grant, MODERN, "read_file").await;
    assert_eq!((answer.status, answer.json()["error"]["code"].as_i64()), (400, Some(-32601)));
}

#[tokio::test]
async fn what_a_modern_upstream_says_to_do_differently_reaches_its_client() {
    for code in [-32020, -32021, -32022] {
        let world = World::start(move |request| {
            let id = &request.json()["id"];
            Answer::status(400, &json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": "m", "data": {"supported": ["2027-01-01"]}}}))
        })
        .await;
        let grant = world.everything();
        for method in ["server/discover", "ping"] {
            let answer = world.post(&grant, MODERN, &world.message(MODERN, method, json!({}))).await;
            assert_eq!(
                (answer.status, answer.json()["error"]["code"].as_i64()),
                (400, Some(code)),
                "{method}"
            );
            assert_eq!(answer.json()["error"]["data"]["supported"][0], "2027-01-01");
        }
    }
}

#[tokio::test]
async fn an_upstream_that_refuses_the_gateway_or_points_elsewhere_becomes_502() {
    for status in [401, 403, 301, 302, 307, 308] {
        let world = World::start(move |_| Answer::Whole {
            status,
            headers: vec![
                ("www-authenticate", "Bearer resource_metadata=\"https://upstream.example\"".into()),
                ("location", "https://elsewhere.example/".into()),
            ],
            body: Vec::new(),
        })
        .await;
        let grant = world.everything();
        for revision in crate::world::REVISIONS {
            let answer = world.call(&grant, revision, "read_file").await;
            assert_eq!(
                (answer.status, answer.json()["error"]["code"].as_i64()),
                (502, Some(-31003)),
                "{status}"
            );
            assert!(answer.header("www-authenticate").is_none() && answer.header("location").is_none());
            assert!(!format!("{answer:?}").contains("example"));
        }
    }
}

#[tokio::test]
async fn an_upstream_that_cannot_be_reached_becomes_502() {
    let world = World::start(|_| Answer::Never).await;
    let grant = world.grant(vec![authority::scope::Scope::all(crate::world::server_id("gone"))], None);
    let message = world.message("2025-11-25", "ping", json!({}));
    let headers = World::headers(&grant, "2025-11-25", &message);
    let answer = world.send("POST", "/mcp/gone", &headers, message.to_string().as_bytes()).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(!format!("{answer:?}").contains("127.0.0.1"), "the address of an upstream is nobody's business");
}

#[tokio::test]
async fn a_get_without_a_stream_is_405() {
    for answer in [405, 200] {
        let world = World::start(move |_| Answer::Whole {
            status: answer,
            headers: vec![("content-type", "application/json".into())],
            body: b"{}".to_vec(),
        })
        .await;
        let grant = world.everything();
        let headers = World::headers(&grant, "2025-11-25", &Value::Null);
        let answer = world.send("GET", "/mcp/files/", &headers, b"").await;
        assert_eq!(answer.status, 405);
        assert!(answer.header("allow").is_some());
    }
}
