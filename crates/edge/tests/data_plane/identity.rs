//! Who may speak at all: tokens, sessions, hosts and origins.

use std::sync::Arc;

use authority::record::Body;
use keyring::token::{self, TokenKind};
use seams::SystemEntropy;
use serde_json::{Value, json};

use crate::{
    client::Response,
    recording::{Request, UPSTREAM_SESSION, server},
    world::{Granted, REVISIONS, World},
};

const LEGACY: &str = "2025-11-25";

/// Posts a ping with the `Authorization` headers given.
async fn ping(world: &World, path: &str, authorization: &[&str]) -> Response {
    let message = world.message(LEGACY, "ping", json!({}));
    let mut headers = World::headers(&world.nobody(), LEGACY, &message);
    headers.retain(|(name, _)| name != "authorization");
    headers.extend(authorization.iter().map(|value| ("authorization".to_owned(), (*value).to_owned())));
    world.send("POST", path, &headers, message.to_string().as_bytes()).await
}

/// How often each reason stands in the log's counts of refusals.
async fn refusals(world: &World) -> Vec<(String, u64)> {
    let counts = world.records().await.into_iter().filter_map(|body| match body {
        Body::Refusals(refusals) => Some(refusals.counts),
        _ => None,
    });
    counts.flatten().collect()
}

/// E01: a token in the query is refused even if it is valid, and counted without its value.
#[tokio::test]
async fn e01_a_valid_token_in_the_query_is_refused_and_counted() {
    let world = World::start(server).await;
    let grant = world.reader();
    let bearer = format!("Bearer {}", grant.token);
    for query in [format!("access_token={}", grant.token), format!("x={}", grant.token), "token=x".into()] {
        for authorization in [&[][..], &[bearer.as_str()]] {
            let answer = ping(&world, &format!("/mcp/files?{query}"), authorization).await;
            assert_eq!(answer.status, 401, "{query}");
            assert!(!String::from_utf8_lossy(&answer.body).contains(&grant.token));
        }
    }
    assert_eq!(ping(&world, "/mcp/files?x=y", &[&bearer]).await.status, 200);
    assert_eq!(refusals(&world).await, [("token_in_query".to_owned(), 6)]);
    let records = format!("{:?}", world.records().await);
    assert!(!records.contains(&grant.token));
}

/// E03: what is no token by its form is refused before anything is hashed or looked up, each with its own code.
#[tokio::test]
async fn e03_a_token_with_a_bad_checksum_or_prefix_is_refused_by_its_form() {
    let world = World::start(server).await;
    let grant = world.reader();
    let changed = {
        let (head, last) = grant.token.split_at(grant.token.len() - 1);
        format!("Bearer {head}{}", if last == "a" { "b" } else { "a" })
    };
    let operator = format!("Bearer {}", token::mint(TokenKind::Operator, &SystemEntropy).reveal());
    let unknown = format!("Bearer {}", token::mint(TokenKind::Grant, &SystemEntropy).reveal());
    for (authorization, code) in [
        (changed, "token_malformed"),
        ("Bearer sk-live-1234".to_owned(), "token_malformed"),
        (operator, "token_wrong_kind"),
        (unknown, "token_unknown"),
    ] {
        let answer = ping(&world, "/mcp/files", &[&authorization]).await;
        assert_eq!(answer.status, 401, "{code}");
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("Bearer ") && !challenge.contains("resource_metadata"), "{challenge}");
        assert!(refusals(&world).await.iter().any(|(reason, _)| reason == code), "{code}");
    }
    assert!(world.upstream.bytes().is_empty());
}

/// E05: exactly one header with one token.
#[tokio::test]
async fn e05_one_authorization_header_with_one_token_is_taken_in_any_case_of_the_scheme() {
    let world = World::start(server).await;
    let grant = world.reader();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(ping(&world, "/mcp/files", &[&format!("{scheme} {}", grant.token)]).await.status, 200);
    }
    let good = format!("Bearer {}", grant.token);
    let joined = format!("{good}, {good}");
    let long = format!("Bearer {}", "a".repeat(20 * 1024));
    for authorization in
        [&[][..], &[&*good, &*good], &[&*joined], &[&*long], &["Basic YTpi"], &[&*grant.token]]
    {
        let answer = ping(&world, "/mcp/files", authorization).await;
        assert_eq!(answer.status, 401, "{authorization:?}");
    }
    // 64 KB are more than a head may have.
    let huge = format!("Bearer {}", "a".repeat(64 * 1024));
    assert_eq!(ping(&world, "/mcp/files", &[&huge]).await.status, 400);
}

/// Opens a session and answers its id.
async fn initialize(world: &World, grant: &Granted) -> String {
    let params = json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "agent", "version": "3"}});
    let answer = world.post(grant, LEGACY, &world.message(LEGACY, "initialize", params)).await;
    answer.header("mcp-session-id").expect("a session").to_owned()
}

async fn with_session(world: &World, grant: &Granted, revision: &str, path: &str, session: &str) -> Response {
    let message = world.message(revision, "tools/call", json!({"name": "read_file", "arguments": {}}));
    let mut headers = World::headers(grant, revision, &message);
    headers.push(("mcp-session-id".into(), session.into()));
    world.send("POST", path, &headers, message.to_string().as_bytes()).await
}

fn sessions_of(requests: &[Request]) -> Vec<Option<&str>> {
    requests.iter().map(|request| request.header("mcp-session-id")).collect()
}

#[tokio::test]
async fn a_session_is_continued_under_its_upstream_id() {
    let world = World::start(server).await;
    let grant = world.reader();
    let session = initialize(&world, &grant).await;
    for revision in &REVISIONS[..3] {
        let answer = with_session(&world, &grant, revision, "/mcp/files", &session).await;
        assert_eq!(answer.status, 200, "{revision}");
    }
    let mut headers = World::headers(&grant, LEGACY, &Value::Null);
    headers.push(("mcp-session-id".into(), session.clone()));
    assert_eq!(world.send("DELETE", "/mcp/files", &headers, b"").await.status, 202);
    let requests = world.upstream.requests();
    let own = Some(UPSTREAM_SESSION);
    assert_eq!(sessions_of(&requests), [None, own, own, own, own]);
    assert!(!world.upstream.saw(&session));
    // The client named itself when it opened the session, and every later call is recorded under that name.
    world.is_quiet().await;
    let clients = world.records().await.into_iter().filter_map(|body| match body {
        Body::Intent(intent) => intent.call.client.map(|client| client.name),
        _ => None,
    });
    assert_eq!(clients.collect::<Vec<_>>(), ["agent"; 5]);
}

/// E06: a session of another grant, or at another server, is unknown, and 404 says so.
#[tokio::test]
async fn e06_a_session_belongs_to_its_grant_and_server() {
    let world = World::start(server).await;
    let (grant, thief) = (world.reader(), world.everything());
    let session = initialize(&world, &grant).await;
    let before = world.upstream.bytes().len();
    assert_eq!(with_session(&world, &thief, LEGACY, "/mcp/files", &session).await.status, 404);
    assert_eq!(with_session(&world, &grant, LEGACY, "/mcp/other", &session).await.status, 404);
    let mut headers = World::headers(&thief, LEGACY, &Value::Null);
    headers.push(("mcp-session-id".into(), session.clone()));
    for verb in ["GET", "DELETE"] {
        assert_eq!(world.send(verb, "/mcp/files", &headers, b"").await.status, 404, "{verb}");
    }
    assert_eq!(world.upstream.bytes().len(), before);
    assert_eq!(with_session(&world, &grant, LEGACY, "/mcp/files", &session).await.status, 200);
}

/// E07: an id that a client made up, changed, or saw upstream is unknown.
#[tokio::test]
async fn e07_a_session_id_of_the_clients_choice_is_unknown() {
    let world = World::start(server).await;
    let grant = world.reader();
    let session = initialize(&world, &grant).await;
    let before = world.upstream.bytes().len();
    let changed = format!("{}A", &session[..session.len() - 1]);
    let shifted = format!("{}B", &session[..session.len() - 1]);
    let forged = if session == changed { shifted } else { changed };
    for id in [&*forged, UPSTREAM_SESSION, "chosen", "", "00000000-0000-0000-0000-000000000000"] {
        assert_eq!(with_session(&world, &grant, LEGACY, "/mcp/files", id).await.status, 404, "{id:?}");
    }
    assert_eq!(world.upstream.bytes().len(), before);
    // `initialize` opens a new one whatever id comes with it.
    let message = world.message(LEGACY, "initialize", json!({"protocolVersion": LEGACY, "capabilities": {}}));
    let mut headers = World::headers(&grant, LEGACY, &message);
    headers.push(("mcp-session-id".into(), "chosen".into()));
    let answer = world.send("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
    assert!(answer.header("mcp-session-id").is_some_and(|id| id != "chosen" && id != session));
}

/// E10: a stream is resumed inside of the session that the id opens, so the event ids of another are out of reach.
#[tokio::test]
async fn e10_the_last_event_id_of_anothers_stream_is_out_of_reach() {
    let world = World::start(server).await;
    let (grant, thief) = (world.reader(), world.reader());
    let session = initialize(&world, &grant).await;
    let before = world.upstream.bytes().len();
    let mut headers = World::headers(&thief, LEGACY, &Value::Null);
    headers.push(("mcp-session-id".into(), session));
    headers.push(("last-event-id".into(), "event-of-the-victim".into()));
    assert_eq!(world.send("GET", "/mcp/files", &headers, b"").await.status, 404);
    assert_eq!(world.upstream.bytes().len(), before);
}

/// A modern request has no session, whatever it sends.
#[tokio::test]
async fn a_modern_request_has_no_session() {
    let world = World::start(server).await;
    let grant = world.reader();
    let answer = with_session(&world, &grant, crate::world::MODERN, "/mcp/files", "chosen").await;
    assert_eq!((answer.status, answer.header("mcp-session-id")), (200, None));
    assert_eq!(sessions_of(&world.upstream.requests()), [None]);
    for verb in ["GET", "DELETE"] {
        let headers = World::headers(&grant, crate::world::MODERN, &Value::Null);
        let answer = world.send(verb, "/mcp/files", &headers, b"").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{verb}");
    }
}

/// E13: a name or an origin that nobody listed is refused before the token is looked at.
#[tokio::test]
async fn e13_foreign_hosts_and_origins_are_refused() {
    let world = World::start(server).await;
    let grant = world.reader();
    let send = async |replaced: &[(&str, &str)]| {
        let message = world.message(LEGACY, "ping", json!({}));
        let mut headers = World::headers(&grant, LEGACY, &message);
        headers.retain(|(name, _)| !replaced.iter().any(|(other, _)| other == name));
        headers.extend(replaced.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        world.send("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await.status
    };
    let port = world.address.port();
    for host in
        ["localhost", "127.0.0.1", "[::1]", &format!("127.0.0.1:{port}"), &format!("localhost:{port}")]
    {
        assert_eq!(send(&[("host", host)]).await, 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "169.254.169.254", "0.0.0.0"] {
        assert_eq!(send(&[("host", host)]).await, 403, "{host}");
    }
    for host in ["a/../x?#", "a@b", "localhost:x"] {
        assert_eq!(send(&[("host", host)]).await, 400, "{host}");
    }
    assert_eq!(send(&[("origin", &format!("http://localhost:{port}"))]).await, 200);
    for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
        assert_eq!(send(&[("origin", origin)]).await, 403, "{origin}");
    }
    let seen = world.upstream.requests().len();
    assert_eq!(seen, 6);
}

/// Nothing but the servers' paths is served, and no OAuth metadata: clients then use the token they were given.
#[tokio::test]
async fn c18_other_paths_are_a_clean_404() {
    let world = World::start(server).await;
    let grant = world.everything();
    let headers = World::headers(&grant, LEGACY, &Value::Null);
    for path in [
        "/",
        "/mcp",
        "/mcp/",
        "/mcp/../admin",
        "/mcp/%2e%2e",
        "/mcp/files;x",
        "/mcp/Files",
        "/mcp/files%00",
        "/mcp/files/../other",
        "/mcp/%66iles",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp/files",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp/files",
    ] {
        for verb in ["GET", "POST"] {
            let answer = world.send(verb, path, &headers, b"").await;
            assert_eq!(answer.status, 404, "{verb} {path}");
            assert!(answer.json()["error"]["message"].is_string(), "{path}");
        }
    }
    assert!(world.upstream.bytes().is_empty());
}

/// A rotation: the old token ends at once, and a session goes on under the new one.
#[tokio::test]
async fn a_rotated_token_ends_and_its_sessions_do_not() {
    let world = Arc::new(World::start(server).await);
    let grant = world.reader();
    let session = initialize(&world, &grant).await;
    let rotated = world.rotate(&grant);
    assert_eq!(with_session(&world, &grant, LEGACY, "/mcp/files", &session).await.status, 401);
    assert_eq!(with_session(&world, &rotated, LEGACY, "/mcp/files", &session).await.status, 200);
}
