//! One reading or a refusal: bodies, mirror headers and the framing of HTTP.

use serde_json::json;

use crate::{
    client::Connection,
    recording::server,
    world::{MODERN, REVISIONS, World, raw},
};

/// C01 to C04, C12, at the door: whatever has two readings is refused with the byte, and nothing goes on.
#[tokio::test]
async fn c01_c02_c03_c04_c12_bodies_with_two_readings_are_refused() {
    let world = World::start(server).await;
    let grant = world.everything();
    let bodies: [&[u8]; 8] = [
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read_file","name":"delete_file"}}"#,
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call","params":{"name":"delete_file"}}"#,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"param\u{17f}\":{\"name\":\"read_file\"},\"params\":{\"name\":\"x\"}}".as_bytes(),
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"n\u0061me":"read_file","name":"delete_file"}}"#,
        b"\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}",
        br#"{"jsonrpc":"2.0","id":1,"method":"ping"} {"jsonrpc":"2.0","id":2,"method":"tools/call"}"#,
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi\xffng\"}",
        br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
    ];
    for body in bodies {
        let headers = World::headers(&grant, "2025-11-25", &json!({}));
        let answer = world.send("POST", "/mcp/files", &headers, body).await;
        assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(body));
        assert!(answer.json()["error"]["data"]["byte"].is_u64(), "{answer:?}");
    }
    assert!(world.upstream.bytes().is_empty());
}

/// C09: a mirror header that tells another story than the body is refused, in every form of disagreement.
#[tokio::test]
async fn c09_mirror_headers_that_disagree_with_the_body_are_refused() {
    let world = World::start(server).await;
    let grant = world.everything();
    let message =
        world.message(MODERN, "tools/call", json!({"name": "read_file", "arguments": {"region": "eu"}}));
    let body = message.to_string();
    let send = async |changes: &[(&str, Option<&str>)], extra: &[(&str, &str)]| {
        let mut headers = World::headers(&grant, MODERN, &message);
        for (name, value) in changes {
            headers.retain(|(own, _)| own != name);
            headers.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
        }
        headers.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        world.send("POST", "/mcp/files", &headers, body.as_bytes()).await
    };
    for (changes, extra) in [
        (&[("mcp-name", Some("delete_file"))][..], &[][..]),
        (&[("mcp-name", None)], &[]),
        (&[("mcp-name", Some("READ_FILE"))], &[]),
        (&[("mcp-name", Some("=?base64?ZGVsZXRlX2ZpbGU=?="))], &[]),
        (&[("mcp-name", Some("=?base64?%%%?="))], &[]),
        (&[], &[("mcp-name", "read_file")]),
        (&[("mcp-method", Some("tools/list"))], &[]),
        (&[("mcp-method", Some("Tools/Call"))], &[]),
        (&[("mcp-method", None)], &[]),
        (&[], &[("mcp-method", "tools/call")]),
        (&[("mcp-protocol-version", Some("2025-11-25"))], &[]),
        (&[], &[("mcp-protocol-version", MODERN)]),
        (&[], &[("mcp-param-region", "us")]),
    ] {
        let answer = send(changes, extra).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["code"].as_i64()),
            (400, Some(-32020)),
            "{changes:?} {extra:?}"
        );
    }
    assert!(world.upstream.bytes().is_empty());

    // The truth in its other spellings goes on, made anew.
    let answer = send(&[("mcp-name", Some("=?base64?cmVhZF9maWxl?="))], &[("mcp-param-region", "eu")]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let request = &world.upstream.requests()[0];
    assert_eq!(request.header("mcp-name"), Some("read_file"));
    assert_eq!(request.header("mcp-method"), Some("tools/call"));
    assert_eq!(request.header("mcp-param-region"), Some("eu"));
}

/// C09: older revisions have no mirrors; one that lies is refused all the same, and none goes on.
#[tokio::test]
async fn c09_older_revisions_forward_no_mirror() {
    let world = World::start(server).await;
    let grant = world.everything();
    for revision in &REVISIONS[..3] {
        let message = world.message(revision, "tools/call", json!({"name": "read_file", "arguments": {}}));
        let mut headers = World::headers(&grant, revision, &message);
        headers.push(("mcp-name".into(), "delete_file".into()));
        let answer = world.send("POST", "/mcp/files", &headers, message.to_string().as_bytes()).await;
        assert_eq!(answer.status, 400, "{revision}");
    }
    assert!(world.upstream.bytes().is_empty());
    world.call(&grant, "2025-11-25", "read_file").await;
    let request = &world.upstream.requests()[0];
    assert_eq!((request.header("mcp-name"), request.header("mcp-method")), (None, None));
    assert_eq!(request.header("mcp-protocol-version"), Some("2025-11-25"));
}

/// C14: a request whose framing has two readings ends the connection, and no byte of what follows goes on.
#[tokio::test]
async fn c14_a_request_with_two_framings_is_refused_and_nothing_behind_it_goes_on() {
    let world = World::start(server).await;
    let grant = world.everything();
    let message = world.message("2025-11-25", "tools/call", json!({"name": "delete_file", "arguments": {}}));
    let headers = World::headers(&grant, "2025-11-25", &message);
    let smuggled = raw("POST", "/mcp/files", &headers, message.to_string().as_bytes());
    let ping = world.message("2025-11-25", "ping", json!({})).to_string();
    let head = |framing: &str| {
        let mut bytes = b"POST /mcp/files HTTP/1.1\r\n".to_vec();
        for (name, value) in &headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(framing.as_bytes());
        bytes.extend_from_slice(b"\r\n");
        bytes
    };
    let length = ping.len();
    let chunked = format!("{length:x}\r\n{ping}\r\n0\r\n\r\n");
    for (framing, body) in [
        (format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"), chunked.clone()),
        (format!("content-length: {length}\r\ncontent-length: {length}\r\n"), ping.clone()),
        (format!("content-length: {length}\r\ncontent-length: 0\r\n"), ping.clone()),
        (format!("content-length: +{length}\r\n"), ping.clone()),
        (format!("content-length: 0x{length:x}\r\n"), ping.clone()),
        (format!("content-length: {length}, {length}\r\n"), ping.clone()),
        ("transfer-encoding: xchunked\r\n".into(), chunked.clone()),
        ("transfer-encoding: chunked, identity\r\n".into(), chunked.clone()),
        ("x: a\r\n content-length: 5\r\n".into(), ping.clone()),
        (format!("x: a\ncontent-length: {length}\r\n"), ping.clone()),
        (format!("content-length : {length}\r\n"), ping.clone()),
        ("transfer-encoding: chunked\r\n".into(), format!("{length:x};x=y\r\n{ping}\r\n0\r\n\r\n")),
        ("transfer-encoding: chunked\r\n".into(), format!("0x{length:x}\r\n{ping}\r\n0\r\n\r\n")),
        ("transfer-encoding: chunked\r\n".into(), format!("{length:x}\n{ping}\r\n0\r\n\r\n")),
        ("transfer-encoding: chunked\r\n".into(), format!("{length:x}\r\n{ping}\r\n0\r\nx: y\r\n\r\n")),
    ] {
        let mut connection = Connection::open(world.address).await;
        connection.write(&[head(&framing), body.into_bytes(), smuggled.clone()].concat()).await;
        let answer = connection.response().await.expect("a refusal");
        assert_eq!(answer.status, 400, "{framing:?}");
        connection.ends().await;
    }
    assert!(world.upstream.bytes().is_empty());
    assert_eq!(world.call(&grant, "2025-11-25", "read_file").await.status, 200);
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_their_order() {
    let world = World::start(server).await;
    let grant = world.everything();
    let mut connection = Connection::open(world.address).await;
    let messages: Vec<_> = (0..3).map(|_| world.message("2025-06-18", "ping", json!({}))).collect();
    let pipelined: Vec<u8> = messages
        .iter()
        .flat_map(|message| {
            raw(
                "POST",
                "/mcp/files",
                &World::headers(&grant, "2025-06-18", message),
                message.to_string().as_bytes(),
            )
        })
        .collect();
    connection.write(&pipelined).await;
    for message in &messages {
        let answer = connection.response().await.expect("an answer");
        assert_eq!((answer.status, &answer.json()["id"]), (200, &message["id"]));
    }
}

#[tokio::test]
async fn a_chunked_body_is_read_whole_and_forwarded_by_its_length() {
    let world = World::start(server).await;
    let grant = world.everything();
    let message = world
        .message("2025-06-18", "tools/call", json!({"name": "read_file", "arguments": {"a": 1}}))
        .to_string();
    let (first, rest) = message.split_at(20);
    let mut headers = World::headers(&grant, "2025-06-18", &json!({}));
    headers.push(("transfer-encoding".into(), "chunked".into()));
    let mut connection = world.begin("PUT", "/mcp/files", &headers, b"").await;
    connection.write(b"0\r\n\r\n").await;
    let refused = connection.response().await.expect("an answer");
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, POST, DELETE")));
    let mut head = b"POST /mcp/files HTTP/1.1\r\n".to_vec();
    for (name, value) in &headers {
        head.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    let chunks = format!("\r\n{:x}\r\n{first}\r\n{:X}\r\n{rest}\r\n0\r\n\r\n", first.len(), rest.len());
    connection.write(&[head, chunks.into_bytes()].concat()).await;
    assert_eq!(connection.response().await.expect("an answer").status, 200);
    assert_eq!(world.upstream.requests()[0].body, message.as_bytes());
}

#[tokio::test]
async fn what_is_no_message_at_all_is_told_what_to_send() {
    let world = World::start(server).await;
    let grant = world.everything();
    let body = world.message("2025-06-18", "ping", json!({})).to_string();
    for (name, value, status) in [
        ("content-type", "text/plain", 415),
        ("accept", "text/html", 406),
        ("accept", "application/json", 406),
        ("mcp-protocol-version", "2024-11-05", 400),
        ("mcp-protocol-version", "2099-01-01", 400),
    ] {
        let mut headers = World::headers(&grant, "2025-06-18", &json!({}));
        headers.retain(|(own, _)| own != name);
        headers.push((name.into(), value.into()));
        let answer = world.send("POST", "/mcp/files", &headers, body.as_bytes()).await;
        assert_eq!(answer.status, status, "{name}: {value}");
        assert!(answer.json()["error"]["message"].is_string());
    }
    let huge = vec![b' '; 4 * 1024 * 1024 + 1];
    let headers = World::headers(&grant, "2025-06-18", &json!({}));
    let mut connection = world.begin("POST", "/mcp/files", &headers, &huge[..1024]).await;
    assert_eq!(connection.response().await.expect("an answer").status, 400);
    let mut connection = Connection::open(world.address).await;
    let announced = raw("POST", "/mcp/files", &headers, &huge);
    let head = announced.len() - huge.len();
    connection.write(&announced[..head]).await;
    assert_eq!(connection.response().await.expect("an answer").status, 413);
    assert!(world.upstream.bytes().is_empty());
}

/// C18: a request target has no fragment, so what stands behind a `#` is nobody's to interpret.
#[tokio::test]
async fn c18_a_fragment_in_the_request_target_is_refused() {
    let world = World::start(server).await;
    let grant = world.everything();
    let message = world.message("2025-06-18", "ping", json!({}));
    let headers = World::headers(&grant, "2025-06-18", &message);
    for target in ["/mcp/files#x", "/mcp/fi#les", "/mcp/files/#", "/mcp/files?a#b", "#"] {
        let answer = world.send("POST", target, &headers, message.to_string().as_bytes()).await;
        assert_eq!(answer.status, 400, "{target}");
    }
    assert!(world.upstream.bytes().is_empty());
}
