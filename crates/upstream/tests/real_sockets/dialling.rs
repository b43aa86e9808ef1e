//! Where connections go: judged on the address, at each connection (FAULTS D12, D13).

use std::{net::SocketAddr, sync::Arc};

use parking_lot::Mutex;
use seams::SystemClock;
use upstream::{
    Config, ForwardFailed, Sent,
    dialer::{Resolve, Resolving},
};

use crate::{
    recording_upstream::{Answer, RecordingUpstream, ok},
    world::{World, every_text, loopback},
};

/// A resolver under an attacker's control: each answer it gives is another one, and none may be kept.
struct RebindingResolver {
    /// The answers to come, the next one last.
    answers: Mutex<Vec<Vec<SocketAddr>>>,
}

impl Resolve for RebindingResolver {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        let answer = self.answers.lock().pop().expect("it is asked once for each connection");
        Box::pin(async { Ok(answer) })
    }
}

fn closing_pong() -> Answer {
    let answer = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}";
    Answer::ThenClose(vec![answer.to_vec()])
}

fn metadata(port: u16) -> SocketAddr {
    SocketAddr::from(([169, 254, 169, 254], port))
}

/// A world whose server is a name that resolves to these addresses, one list for each connection.
fn named(port: u16, config: Config, answers: &[&[SocketAddr]]) -> World {
    let answers = answers.iter().rev().map(|answer| answer.to_vec()).collect();
    let resolver = Arc::new(RebindingResolver { answers: Mutex::new(answers) });
    World::with(&format!("http://rebinding.example:{port}/"), config, Arc::new(SystemClock), resolver)
}

/// D12: a name that resolves to this machine is refused unless the node's file opens it.
#[tokio::test]
async fn d12_a_name_that_resolves_inside_is_refused() {
    let upstream = RecordingUpstream::answering(closing_pong()).await;
    let (address, port) = (upstream.address(), upstream.address().port());
    let opened =
        Config { private_networks: vec!["10.0.0.0/8".parse().expect("a network")], ..Config::default() };
    let mut world = named(port, opened, &[&[address]]);
    let ana = world.grant("ana");
    let failed = world.call(ana).await.expect_err("it is inside");
    assert!(matches!(failed, ForwardFailed::NotConnected(_)), "{failed:?}");
    assert!(every_text(&failed).contains("this machine itself"));
    assert_eq!((failed.sent(), upstream.connections()), (Sent::Nothing, 0));
}

/// D12: other spellings of addresses of this machine, resolved by the system's own resolver.
#[tokio::test]
async fn d12_other_spellings_of_this_machine_are_refused() {
    let upstream = RecordingUpstream::answering(closing_pong()).await;
    let port = upstream.address().port();
    for host in ["localhost", "127.1", "0x7f000001", "2130706433", "017700000001", "0"] {
        let opened =
            Config { private_networks: vec!["10.0.0.0/8".parse().expect("a network")], ..Config::default() };
        let mut world = World::new(&format!("http://{host}:{port}/"), opened);
        let ana = world.grant("ana");
        let failed = world.call(ana).await.expect_err("it is this machine");
        assert!(matches!(failed, ForwardFailed::NotConnected(_)), "{host} {failed:?}");
    }
    assert_eq!(upstream.connections(), 0);
}

/// D13: the name answered well when it was first used, and points at the metadata service afterwards.
#[tokio::test]
async fn d13_a_name_that_is_rebound_later_is_refused_then() {
    let upstream = RecordingUpstream::answering(closing_pong()).await;
    let (address, port) = (upstream.address(), upstream.address().port());
    let mut world = named(port, loopback(), &[&[address], &[metadata(port)]]);
    let ana = world.grant("ana");
    world.call(ana).await.expect("it answers");
    let failed = world.call(ana).await.expect_err("it points inside");
    assert!(every_text(&failed).contains("metadata"), "{failed:?}");
    assert_eq!(upstream.requests().len(), 1);
}

/// D13: of several addresses only those that may be dialled are.
#[tokio::test]
async fn d13_an_address_that_is_refused_is_not_tried_before_a_good_one() {
    let upstream = RecordingUpstream::answering(Answer::Pieces(vec![ok("application/json", b"{}")])).await;
    let (address, port) = (upstream.address(), upstream.address().port());
    let mut world = named(port, loopback(), &[&[metadata(port), address]]);
    let ana = world.grant("ana");
    world.call(ana).await.expect("the good one answers");
}

/// D13: a resolver cannot move a secret to another port of the same host.
#[tokio::test]
async fn d13_the_port_is_that_of_the_origin() {
    let upstream = RecordingUpstream::answering(Answer::Pieces(vec![ok("application/json", b"{}")])).await;
    let other = RecordingUpstream::answering(Answer::Pieces(Vec::new())).await;
    let port = upstream.address().port();
    let mut world = named(port, loopback(), &[&[other.address()]]);
    let ana = world.grant("ana");
    world.call(ana).await.expect("the origin's port answers");
    assert_eq!(other.connections(), 0);
}

/// Plain http never leaves the private networks.
#[tokio::test]
async fn plain_http_to_a_public_address_is_refused() {
    let mut world = named(80, loopback(), &[&[SocketAddr::from(([93, 184, 216, 34], 80))]]);
    let ana = world.grant("ana");
    let failed = world.call(ana).await.expect_err("it is public");
    assert!(every_text(&failed).contains("in the clear"), "{failed:?}");
}

#[tokio::test]
async fn a_name_without_addresses_and_a_port_without_a_listener_are_told_apart() {
    let mut world = named(80, loopback(), &[&[]]);
    let ana = world.grant("ana");
    assert!(every_text(&world.call(ana).await.expect_err("no address")).contains("no address"));

    let gone = RecordingUpstream::answering(closing_pong()).await.address();
    // The listener lives in a task of this runtime; a port nobody listens on is had by binding and dropping one.
    let port = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback")
        .local_addr()
        .expect("bound")
        .port();
    assert_ne!(gone.port(), port);
    let mut world = World::new(&format!("http://127.0.0.1:{port}/"), loopback());
    let ana = world.grant("ana");
    assert!(
        every_text(&world.call(ana).await.expect_err("no listener")).contains("does not accept connections")
    );
}
