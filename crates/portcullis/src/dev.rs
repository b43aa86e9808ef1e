//! `portcullis dev`: one node on loopback with everything embedded, for the first ten minutes with the gateway.
//!
//! It is the real thing with choices made: real keys, real state, real log and archive under one directory, and a demo
//! server that demands a secret. Only two things are weaker than `run`: it trusts loopback, and its log is `written`,
//! not `synced`. It refuses any address that another machine could reach.

mod first_start;
mod welcome;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, bail};
use authority::server;
use keyring::seal::Aad;
use tokio::net::TcpListener;
use upstream::private_network::PrivateNetwork;

use self::welcome::Welcome;
use crate::{
    DevArguments,
    cli::Output,
    config::is_loopback,
    context::Context,
    data_dir::DataDir,
    demo::Demo,
    node::{Host, Node, Settings},
    run::{bind, serve_until_stopped},
};

/// The name of the demo server.
pub const DEMO: &str = "demo";

/// How much disk the write-ahead log of `dev` may take.
const WAL_MAX_BYTES: u64 = 1 << 30;

/// The command.
pub async fn run(arguments: &DevArguments, output: Output, host: &Host) -> Result<()> {
    for address in [arguments.listen, arguments.admin_listen] {
        if !is_loopback(address.ip()) {
            bail!(
                "`dev` listens on loopback only, and {address} is not: use `portcullis init` and `portcullis run` \
                 for a gateway that other machines reach"
            );
        }
    }
    let dir = DataDir::new(&arguments.data_dir);
    {
        let _lock = dir.lock()?;
        crate::init::prepare(&dir, &*host.entropy)?;
    }
    let node = Node::start(settings(arguments, dir.clone()).await?, host).await?;
    let (admin_url, data_url) =
        (format!("https://{}", node.admin_address), format!("http://{}", node.data_address));
    Context::write(&dir, &admin_url, Some(&data_url))?;

    let first = first_start::ensure(&node, &dir, host).await?;
    let demo = Demo::new(demo_secret(&node).await?);
    let serving = tokio::spawn(demo.serve(first.demo_listener, node.stop_signal()));
    let welcome = Welcome {
        url: format!("{data_url}/mcp/{DEMO}/"),
        admin_url,
        data_dir: dir,
        grant: first.grant,
        token: first.token,
    };
    welcome.print(output);
    serve_until_stopped(node).await?;
    serving.await.context("the demo server failed")
}

async fn settings(arguments: &DevArguments, dir: DataDir) -> Result<Settings> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Ok(Settings {
        dir,
        data: bind(arguments.listen, "agents").await?,
        data_tls: None,
        admin: bind(arguments.admin_listen, "operators").await?,
        admin_names: vec!["localhost".to_owned(), arguments.admin_listen.ip().to_string()],
        health: TcpListener::bind(SocketAddr::new(loopback, 0)).await?,
        edge: edge::Config::default(),
        upstream: upstream::Config {
            private_networks: vec![PrivateNetwork::loopback()],
            ..upstream::Config::default()
        },
        durability: wal::Durability::Written,
        wal_max_bytes: WAL_MAX_BYTES,
    })
}

/// The secret the demo demands: what the gateway holds for it, opened with the keys of this very process.
async fn demo_secret(node: &Node) -> Result<keyring::Secret> {
    let view = node.replica.view().await?;
    let server = view.server(&server::Id::parse(DEMO)?).context("the demo server is not registered")?;
    let id = server.credential.as_ref().context("the demo server has no credential")?;
    let credential = view.credential(id).context("the demo's credential is gone")?;
    let aad = Aad {
        kind: "credential",
        id: credential.id.as_str(),
        origin: credential.origin.as_str(),
        version: u64::from(credential.version),
    };
    let sealed = keyring::seal::Sealed::from_bytes(&credential.sealed.0)?;
    Ok(node.keyring.open_sealed(&aad, &sealed)?)
}
