//! One call from end to end: what the upstream gets, what the client gets, what the log holds.

use authority::{
    credential, principal,
    record::{Body, Ending},
};
use serde_json::json;

use crate::{
    recording::{UPSTREAM_SESSION, server},
    world::{MODERN, REVISIONS, SECRET, World},
};

#[tokio::test]
async fn an_allowed_call_reaches_the_upstream_with_its_own_bytes_and_the_real_secret() {
    let world = World::start(server).await;
    let grant = world.reader();
    for (count, revision) in REVISIONS.into_iter().enumerate() {
        let message =
            world.message(revision, "tools/call", json!({"name": "read_file", "arguments": {"path": "/a"}}));
        let answer = world.post(&grant, revision, &message).await;
        assert_eq!(answer.status, 200, "{revision}: {answer:?}");
        assert_eq!(answer.json()["result"]["echo"], json!({"path": "/a"}), "{revision}");
        let requests = world.upstream.requests();
        assert_eq!(requests.len(), count + 1);
        assert_eq!(requests[count].body, message.to_string().into_bytes(), "{revision}");
        assert_eq!(requests[count].header("authorization"), Some(&*format!("Bearer {SECRET}")));
    }
}

/// C25, D11: what a client sends beside the protocol never goes on, and neither does its token.
#[tokio::test]
async fn c25_d11_no_header_of_the_client_reaches_the_upstream() {
    let world = World::start(server).await;
    let grant = world.reader();
    for revision in REVISIONS {
        let message = world.message(revision, "tools/call", json!({"name": "read_file", "arguments": {}}));
        let mut headers = World::headers(&grant, revision, &message);
        for (name, value) in [
            ("cookie", "session=client-cookie"),
            ("x-forwarded-user", "root"),
            ("x-forwarded-for", "203.0.113.9"),
            ("mcp-init-host", "evil.example"),
            ("router-key", "client-router-key"),
            ("x-api-key", "client-api-key"),
            ("proxy-authorization", "Basic client-proxy"),
            ("forwarded", "for=203.0.113.9"),
            ("traceparent", "00-11111111111111111111111111111111-2222222222222222-01"),
            ("user-agent", "client-agent/1"),
        ] {
            headers.push((name.into(), value.into()));
        }
        let answer = world.send("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
        assert_eq!(answer.status, 200, "{revision}: {answer:?}");
    }
    let mut known: Vec<String> = world
        .upstream
        .requests()
        .into_iter()
        .flat_map(|request| request.headers)
        .map(|(name, _)| name)
        .collect();
    known.sort_unstable();
    known.dedup();
    let expected = [
        "accept",
        "accept-encoding",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "user-agent",
    ];
    assert_eq!(known, expected);
    for text in [&*grant.token, "client-", "evil.example", "203.0.113.9", "root", "localhost"] {
        assert!(!world.upstream.saw(text), "the upstream saw {text}");
    }
}

/// S2: an upstream's headers reach a client only from a short list, and its session id only sealed.
#[tokio::test]
async fn no_header_of_the_upstream_reaches_the_client() {
    let world = World::start(server).await;
    let grant = world.reader();
    let message = world.message("2025-11-25", "initialize", json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "agent", "version": "3"}}));
    let answer = world.post(&grant, "2025-11-25", &message).await;
    assert_eq!(answer.status, 200);
    let mut names: Vec<_> = answer.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "cache-control",
            "content-length",
            "content-type",
            "date",
            "mcp-session-id",
            "x-content-type-options"
        ]
    );
    let sealed = answer.header("mcp-session-id").expect("a session");
    assert!(!sealed.contains(UPSTREAM_SESSION) && !format!("{answer:?}").contains("10.0.0.7"));
}

#[tokio::test]
async fn each_call_has_one_intent_and_one_outcome_that_say_who_called_what() {
    let world = World::start(server).await;
    let grant = world.reader();
    world.call(&grant, MODERN, "read_file").await;
    world.is_quiet().await;
    let records = world.records().await;
    let [Body::EpochStarted(_), Body::Intent(intent), Body::Outcome(outcome)] = records.as_slice() else {
        panic!("{records:?}");
    };
    let call = &intent.call;
    assert_eq!(call.grants, [grant.id]);
    assert_eq!(
        (call.principal.as_str(), call.owner.as_ref().map(principal::Id::as_str)),
        ("ana-agent", Some("ana"))
    );
    assert_eq!((call.server.as_str(), &*call.mcp_revision, &*call.method), ("files", MODERN, "tools/call"));
    assert_eq!((call.target.as_deref(), &*call.peer), (Some("read_file"), "127.0.0.1"));
    assert_eq!(call.argument_keys, ["path"]);
    assert!(call.arguments_digest.is_some());
    assert_eq!(
        call.client.as_ref().map(|client| (&*client.name, &*client.version)),
        Some(("test-client", "1.2"))
    );
    assert_eq!(intent.credential.as_ref().map(credential::Id::as_str), Some("files"));
    assert_eq!((outcome.ending, outcome.upstream_status), (Ending::Completed, Some(200)));
    assert!(outcome.request_bytes > 0 && outcome.response_bytes > 0);
    assert!(outcome.last_check_at >= call.decided_at);
    assert!(!outcome.late_effect && !outcome.redacted);
}

#[tokio::test]
async fn a_denied_call_has_a_record_with_its_reason_and_rule() {
    let world = World::start(server).await;
    let grant = world.reader();
    world.call(&grant, "2025-11-25", "delete_file").await;
    let records = world.records().await;
    let [Body::EpochStarted(_), Body::Denied(denied)] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(denied.reason, authority::Reason::ToolOutOfScope);
    assert_eq!(denied.rule, format!("grants/{}/scopes", grant.id));
    assert_eq!(denied.call.target.as_deref(), Some("delete_file"));
}

#[tokio::test]
async fn notifications_are_accepted_without_a_body_and_errors_of_the_upstream_keep_their_status() {
    let world = World::start(|request| {
        let body = request.json();
        match body["method"].as_str() {
            Some("tools/call") => crate::recording::Answer::status(429, &json!({"jsonrpc": "2.0", "id": body["id"], "error": {"code": -31999, "message": "slow down"}})),
            Some("ping") => crate::recording::Answer::Whole { status: 503, headers: vec![("content-type", "text/html".into())], body: b"<html>".to_vec() },
            _ => crate::recording::Answer::empty(202),
        }
    })
    .await;
    let grant = world.reader();
    let answer = world
        .post(&grant, "2025-11-25", &json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        .await;
    assert_eq!((answer.status, answer.body.len(), answer.header("content-type")), (202, 0, None));
    let answer = world.call(&grant, "2025-11-25", "read_file").await;
    assert_eq!((answer.status, answer.json()["error"]["code"].as_i64()), (429, Some(-31999)));
    let ping = world.message("2025-11-25", "ping", json!({}));
    let answer = world.post(&grant, "2025-11-25", &ping).await;
    assert_eq!((answer.status, answer.json()["error"]["code"].as_i64()), (503, Some(-31003)));
    assert!(!String::from_utf8_lossy(&answer.body).contains("html"));
}

/// D28: answers of many calls at once are never crossed (CVE-2026-25536).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn d28_two_thousand_tagged_calls_at_once_get_their_own_answers() {
    const CLIENTS: usize = 50;
    const CALLS: usize = 40;
    let world = std::sync::Arc::new(World::start(server).await);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (world, grant) = (std::sync::Arc::clone(&world), world.reader());
            tokio::spawn(async move {
                let mut connection = crate::client::Connection::open(world.address).await;
                for call in 0..CALLS {
                    let tag = format!("{client}/{call}");
                    // The same ids everywhere: only the connection tells the calls apart.
                    let message = json!({"jsonrpc": "2.0", "id": call, "method": "tools/call", "params": {"name": "read_file", "arguments": {"tag": tag}}});
                    let headers = World::headers(&grant, "2025-11-25", &message);
                    connection.write(&crate::world::raw("POST", "/mcp/files", &headers, message.to_string().as_bytes())).await;
                    let answer = connection.response().await.expect("an answer");
                    assert_eq!(answer.status, 200, "{answer:?}");
                    assert_eq!(answer.json()["result"]["echo"]["tag"], tag);
                    assert_eq!(answer.json()["id"], call);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("no answer was crossed");
    }
    assert_eq!(world.upstream.requests().len(), CLIENTS * CALLS);
}
