//! What lies outside a grant: absent from every list, refused by every way of naming it, and never heard of upstream.

use serde_json::{Value, json};

use crate::{
    client::Response,
    recording::{Answer, server},
    world::{MODERN, REVISIONS, World, server_id},
};

/// The names that the answer's lists hold.
fn names(answer: &Response) -> Vec<String> {
    let result = &answer.json()["result"];
    let lists =
        ["tools", "prompts", "resources", "resourceTemplates"].map(|list| result[list].as_array().cloned());
    let name = |entry: Value| {
        ["uri", "uriTemplate", "name"].iter().find_map(|key| Some(entry[key].as_str()?.to_owned()))
    };
    lists.into_iter().flatten().flatten().filter_map(name).collect()
}

/// A tool outside the scope is absent from `tools/list`, refused by name, and no byte of it reaches the upstream.
#[tokio::test]
async fn a_tool_outside_the_scope_does_not_exist_in_any_revision() {
    let world = World::start(server).await;
    let grant = world.reader();
    for revision in REVISIONS {
        let list = world.message(revision, "tools/list", json!({}));
        let answer = world.post(&grant, revision, &list).await;
        assert_eq!(names(&answer), ["read_file", "list_files"], "{revision}");
        assert_eq!(answer.json()["result"]["nextCursor"], "page-2", "{revision}");

        let before = world.upstream.bytes().len();
        let answer = world.call(&grant, revision, "delete_file").await;
        assert_eq!(answer.status, 200, "{revision}");
        assert_eq!(answer.json()["result"]["isError"], true, "{revision}");
        let text = answer.text();
        assert!(text.starts_with("[denied] tool_out_of_scope"), "{revision}: {text}");
        assert!(text.contains(&format!("rule grants/{}/scopes", grant.id)), "{revision}: {text}");
        assert!(text.contains("ask for a grant with a wider scope"), "{revision}: {text}");
        assert_eq!(world.upstream.bytes().len(), before, "{revision}");
    }
    assert!(!world.upstream.saw("delete_file"));
}

/// C23: each method that names something is decided by that name.
#[tokio::test]
async fn c23_every_method_is_decided_by_what_it_names() {
    let world = World::start(server).await;
    let grant = world.reader();
    let hidden = [
        ("tools/call", json!({"name": "delete_file"})),
        ("prompts/get", json!({"name": "admin_reset"})),
        ("resources/read", json!({"uri": "file:///etc/shadow"})),
        ("resources/read", json!({"uri": "file:///docs/../etc/shadow"})),
        ("resources/read", json!({"uri": "file:///docs/%2e%2e/etc/shadow"})),
        ("resources/subscribe", json!({"uri": "file:///etc/shadow"})),
        ("resources/unsubscribe", json!({"uri": "file:///etc/shadow"})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "admin_reset"}, "argument": {"name": "a", "value": ""}}),
        ),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/resource", "uri": "file:///etc/{name}"}, "argument": {"name": "name", "value": ""}}),
        ),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/resource", "uri": "file:///etc/shadow"}, "argument": {"name": "name", "value": ""}}),
        ),
        (
            "subscriptions/listen",
            json!({"notifications": {"resourceSubscriptions": ["file:///docs/a", "file:///etc/shadow"]}}),
        ),
        ("tasks/get", json!({"taskId": "somebody-elses-task"})),
        ("admin/anything", json!({})),
    ];
    for revision in REVISIONS {
        for (method, params) in &hidden {
            let message = world.message(revision, method, params.clone());
            let answer = world.post(&grant, revision, &message).await;
            let text = answer.text();
            assert!(text.starts_with("[denied]"), "{revision} {method} {params}: {text}");
            assert_eq!(answer.json()["id"], message["id"], "{revision} {method}");
        }
    }
    assert!(world.upstream.bytes().is_empty(), "nothing of what is hidden goes on");
}

/// C23: what the scope names is reachable by the same methods, and lists show exactly that.
#[tokio::test]
async fn c23_what_is_in_scope_works_and_lists_show_nothing_else() {
    let world = World::start(server).await;
    let grant = world.reader();
    for revision in REVISIONS {
        for (method, params) in [
            ("prompts/get", json!({"name": "review"})),
            ("resources/read", json!({"uri": "file:///docs/a"})),
            ("resources/subscribe", json!({"uri": "file:///docs/a"})),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/prompt", "name": "review"}, "argument": {"name": "a", "value": ""}}),
            ),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/resource", "uri": "file:///docs/{name}"}, "argument": {"name": "name", "value": ""}}),
            ),
        ] {
            let message = world.message(revision, method, params);
            let answer = world.post(&grant, revision, &message).await;
            assert_eq!(answer.json()["result"]["method"], method, "{revision}");
        }
        for (method, shown) in [
            ("prompts/list", "review"),
            ("resources/list", "file:///docs/a"),
            ("resources/templates/list", "file:///docs/{name}"),
        ] {
            let answer = world.post(&grant, revision, &world.message(revision, method, json!({}))).await;
            assert_eq!(names(&answer), [shown], "{revision} {method}");
        }
    }
}

/// C23: the URL of a server says nothing about the right to use it.
#[tokio::test]
async fn c23_a_server_outside_the_grant_is_out_of_reach_whatever_the_method() {
    let world = World::start(server).await;
    let grant = world.grant(vec![authority::scope::Scope::all(server_id("other"))], None);
    for revision in REVISIONS {
        for method in ["initialize", "ping", "tools/list", "server/discover", "tools/call"] {
            let message = world.message(revision, method, json!({"name": "read_file"}));
            // `Mcp-Name` mirrors nothing but the methods that have a name.
            let mut headers = World::headers(&grant, revision, &message);
            headers.retain(|(name, _)| name != "mcp-name" || method == "tools/call");
            let answer = world.send("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
            assert!(
                answer.text().starts_with("[denied] server_out_of_scope"),
                "{revision} {method}: {answer:?}"
            );
        }
    }
    let mut headers = World::headers(&grant, "2025-11-25", &Value::Null);
    headers.retain(|(name, _)| name != "content-type");
    for verb in ["GET", "DELETE"] {
        let answer = world.send(verb, "/mcp/files", &headers, b"").await;
        assert_eq!(answer.status, 403, "{verb}: {answer:?}");
    }
    assert!(world.upstream.bytes().is_empty());
}

/// C07: a call without an id is decided like one with an id.
#[tokio::test]
async fn c07_a_notification_that_calls_a_tool_is_decided_like_a_request() {
    let world = World::start(server).await;
    let grant = world.reader();
    for revision in REVISIONS {
        let mut message =
            world.message(revision, "tools/call", json!({"name": "delete_file", "arguments": {}}));
        message.as_object_mut().expect("an object").remove("id");
        let answer = world.post(&grant, revision, &message).await;
        assert_eq!(answer.status, 403, "{revision}: {answer:?}");
        assert!(answer.text().starts_with("[denied] tool_out_of_scope"), "{revision}");
    }
    assert!(world.upstream.bytes().is_empty());
}

/// C06: a batch is decided message by message and goes as a whole or not at all.
#[tokio::test]
async fn c06_a_batch_with_one_denied_message_sends_nothing() {
    let world = World::start(server).await;
    let grant = world.reader();
    let call = |id: u32, tool: &str| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": {}}});
    let mixed = json!([call(1, "read_file"), call(2, "delete_file"), {"jsonrpc": "2.0", "method": "notifications/initialized"}]);
    let answer = world.post(&grant, "2025-03-26", &mixed).await;
    assert_eq!(answer.status, 200);
    let answers = answer.json();
    assert_eq!(answers.as_array().map(Vec::len), Some(2));
    assert_eq!((&answers[0]["id"], &answers[1]["id"]), (&json!(1), &json!(2)));
    assert!(answers[0]["error"]["message"].as_str().is_some_and(|text| text.contains("not sent")));
    assert_eq!(answers[1]["result"]["isError"], true);
    assert!(world.upstream.bytes().is_empty());

    let good = json!([call(1, "read_file"), {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}]);
    let answer = world.post(&grant, "2025-03-26", &good).await;
    let answers = answer.json();
    assert_eq!(answers[0]["id"], 1);
    let tools = answers[1]["result"]["tools"].as_array().expect("a list");
    assert_eq!(tools.len(), 2, "the list of a batch is filtered too");
    world.is_quiet().await;
    let intents = world
        .records()
        .await
        .iter()
        .filter(|body| matches!(body, authority::record::Body::Intent(_)))
        .count();
    assert_eq!(intents, 3, "one for each message and one for the whole");
}

/// C06: where the revision has no batches, an array is no message.
#[tokio::test]
async fn c06_a_batch_is_refused_where_the_revision_has_none() {
    let world = World::start(server).await;
    let grant = world.everything();
    let batch = json!([{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "read_file"}}]);
    for revision in &REVISIONS[1..] {
        let answer = world.post(&grant, revision, &batch).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["code"].as_i64()),
            (400, Some(-32600)),
            "{revision}"
        );
    }
    assert!(world.upstream.bytes().is_empty());
}

/// Closed is the default: of two lists under one name a client might take either.
#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_passed_on() {
    let world = World::start(|_| Answer::Whole {
        status: 200,
        headers: vec![("content-type", "application/json".into())],
        body: br#"{"jsonrpc":"2.0","id":0,"result":{"tools":[{"name":"delete_file"}],"tools":[]}}"#.to_vec(),
    })
    .await;
    let grant = world.reader();
    for revision in REVISIONS {
        let answer = world.post(&grant, revision, &world.message(revision, "tools/list", json!({}))).await;
        assert_eq!(answer.status, 502, "{revision}: {answer:?}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("delete_file"), "{revision}");
    }
}

/// What was made for one grant is not kept for others.
#[tokio::test]
async fn modern_lists_and_discoveries_are_private() {
    let world = World::start(server).await;
    let grant = world.reader();
    for method in
        ["server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list"]
    {
        let answer = world.post(&grant, MODERN, &world.message(MODERN, method, json!({}))).await;
        assert_eq!(answer.json()["result"]["cacheScope"], "private", "{method}");
    }
    let read = world.message(MODERN, "resources/read", json!({"uri": "file:///docs/a"}));
    assert_eq!(world.post(&grant, MODERN, &read).await.json()["result"]["cacheScope"], "private");
}
