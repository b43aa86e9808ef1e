//! Who may keep a connection: everybody some, and only those who have shown a grant for longer than one answer.

use std::num::NonZeroU32;

use authority::record::Body;
use edge::Config;
use serde_json::json;

use crate::{
    client::Connection,
    recording::server,
    world::{World, raw},
};

const LEGACY: &str = "2025-11-25";

fn one_connection() -> Config {
    Config { max_connections_per_peer: NonZeroU32::MIN, ..Config::default() }
}

/// A ping of the given caller, as bytes.
fn ping(world: &World, token: &crate::world::Granted) -> Vec<u8> {
    let message = world.message(LEGACY, "ping", json!({}));
    raw("POST", "/mcp/files", &World::headers(token, LEGACY, &message), message.to_string().as_bytes())
}

/// E11: one host cannot take every place that the listener has.
#[tokio::test]
async fn e11_a_peer_has_its_own_bound_of_connections() {
    let world = World::with_config(one_connection(), server).await;
    let grant = world.reader();
    let request = ping(&world, &grant);
    let mut first = Connection::open(world.address).await;
    first.write(&request).await;
    assert_eq!(first.response().await.expect("an answer").status, 200);
    Connection::open(world.address).await.ends().await;
    first.write(&request).await;
    assert_eq!(first.response().await.expect("the first goes on").status, 200);
    let counted = |body: &Body| matches!(body, Body::Refusals(refusals) if refusals.counts.iter().any(|(code, _)| code == "peer_busy"));
    assert!(world.records().await.iter().any(counted));
}

#[tokio::test]
async fn a_trusted_proxy_is_not_counted_as_one_peer() {
    let config =
        Config { trusted_proxies: vec!["127.0.0.0/8".parse().expect("a network")], ..one_connection() };
    let world = World::with_config(config, server).await;
    let grant = world.reader();
    let mut connections = Vec::new();
    for _ in 0..3 {
        let mut connection = Connection::open(world.address).await;
        connection.write(&ping(&world, &grant)).await;
        assert_eq!(connection.response().await.expect("an answer").status, 200);
        connections.push(connection);
    }
}

#[tokio::test]
async fn a_connection_on_which_nobody_has_shown_a_grant_ends_with_its_answer() {
    let world = World::start(server).await;
    let mut connection = Connection::open(world.address).await;
    connection.write(&ping(&world, &world.nobody())).await;
    let answer = connection.response().await.expect("an answer");
    assert_eq!((answer.status, answer.header("connection")), (401, Some("close")));
    connection.ends().await;

    let grant = world.reader();
    let mut connection = Connection::open(world.address).await;
    for (caller, status) in [(&grant, 200), (&world.nobody(), 401), (&grant, 200)] {
        connection.write(&ping(&world, caller)).await;
        assert_eq!(connection.response().await.expect("an answer").status, status);
    }
}
