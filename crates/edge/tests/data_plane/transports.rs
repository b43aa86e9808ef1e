//! HTTP/2 and TLS: the same calls over other transports.

use std::sync::Arc;

use bytes::Bytes;
use edge::Config;
use http::{Request, Version};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
};
use seams::SystemDisk;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::mpsc,
};
use tokio_rustls::TlsConnector;

use crate::{
    recording::{Answer, server},
    world::{Granted, MODERN, World},
};

async fn http2<S>(stream: S) -> SendRequest<Full<Bytes>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    tokio::spawn(connection);
    sender
}

/// A request as an HTTP/2 client sends it: the host in `:authority`.
fn request(world: &World, grant: &Granted, message: &Value) -> Request<Full<Bytes>> {
    let mut request = Request::post(format!("http://localhost:{}/mcp/files", world.address.port()));
    for (name, value) in World::headers(grant, MODERN, message) {
        if name != "host" {
            request = request.header(name, value);
        }
    }
    let body = Full::new(Bytes::from(message.to_string()));
    request.version(Version::HTTP_2).body(body).expect("a request")
}

async fn json_of(body: Incoming) -> Value {
    let body = body.collect().await.expect("a whole body").to_bytes();
    serde_json::from_slice(&body).expect("JSON")
}

#[tokio::test]
async fn calls_and_denials_go_over_http_2() {
    let world = World::start(server).await;
    let grant = world.reader();
    let mut client = http2(TcpStream::connect(world.address).await.expect("it listens")).await;
    let calls = ["read_file", "delete_file", "list_files"].map(|tool| {
        let message = world.message(MODERN, "tools/call", json!({"name": tool, "arguments": {}}));
        client.send_request(request(&world, &grant, &message))
    });
    let [read, delete, list] = calls;
    let (read, delete, list) = tokio::join!(read, delete, list);
    for allowed in [read, list] {
        let allowed = allowed.expect("an answer");
        assert_eq!(allowed.status(), 200);
        assert!(json_of(allowed.into_body()).await["result"]["echo"].is_object());
    }
    let denied = json_of(delete.expect("an answer").into_body()).await;
    assert!(denied["result"]["content"][0]["text"].as_str().is_some_and(|text| text.starts_with("[denied]")));
    assert!(!world.upstream.saw("delete_file"));
}

/// A cut resets the one stream; the connection, which carries others, stays.
#[tokio::test]
async fn a_cut_over_http_2_ends_the_stream_and_no_other() {
    let (opened, mut streams) = mpsc::unbounded_channel();
    let world = World::start(move |_| {
        let (feed, pieces) = mpsc::unbounded_channel();
        opened.send(feed).expect("the test waits");
        Answer::Stream(pieces)
    })
    .await;
    let (cut, stays) = (world.everything(), world.everything());
    let mut client = http2(TcpStream::connect(world.address).await.expect("it listens")).await;
    let mut bodies = Vec::new();
    for grant in [&cut, &stays] {
        let message = world.message(MODERN, "tools/call", json!({"name": "read_file", "arguments": {}}));
        let answer = client.send_request(request(&world, grant, &message)).await.expect("an answer");
        bodies.push((answer.into_body(), streams.recv().await.expect("the upstream streams")));
    }
    let (mut other, other_feed) = bodies.pop().expect("two");
    let (mut body, feed) = bodies.pop().expect("two");
    assert!(body.frame().await.expect("a comment").is_ok());
    assert!(other.frame().await.expect("a comment").is_ok());
    world.revoke(&cut);
    assert!(body.frame().await.expect("not an orderly end").is_err());
    feed.closed().await;
    let event = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n";
    other_feed.send(event.into()).expect("it is open");
    let frame = other.frame().await.expect("the stream goes on").expect("it is not cut");
    assert_eq!(frame.into_data().expect("data"), event);
}

#[tokio::test]
async fn calls_go_over_tls() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let mut tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("they belong together");
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let world = World::made_of(Config::default(), Arc::new(SystemDisk), Some(Arc::new(tls)), server).await;
    let grant = world.reader();

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a certificate");
    let mut trust = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    trust.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = TcpStream::connect(world.address).await.expect("it listens");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsConnector::from(Arc::new(trust)).connect(name, tcp).await.expect("TLS");
    let mut client = http2(stream).await;
    let message = world.message(MODERN, "tools/call", json!({"name": "read_file", "arguments": {}}));
    let answer = client.send_request(request(&world, &grant, &message)).await.expect("an answer");
    assert_eq!(answer.status(), 200);
}
