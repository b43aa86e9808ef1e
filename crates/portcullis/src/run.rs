//! `portcullis run`: one node from its configuration file, until it is told to stop.

use anyhow::{Context as _, Result, bail};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{
    certificates,
    config::{Config, Durability},
    data_dir::DataDir,
    node::{Host, Node, Settings},
};

/// Starts the node, says on standard output where it listens, and stops it on SIGTERM or SIGINT.
pub async fn run(config: &Config, host: &Host) -> Result<()> {
    let dir = DataDir::new(&config.node.data_dir);
    if !dir.keys().exists() {
        bail!("{} holds no node; make one with `portcullis init --dir {}`", dir.root().display(), dir.root().display());
    }
    let node = Node::start(settings(config, dir).await?, host).await?;
    let ready = serde_json::json!({
        "ready": true,
        "data_address": node.data_address.to_string(),
        "admin_address": node.admin_address.to_string(),
    });
    println!("{ready}");
    wait_for_stop().await?;
    node.stop().await
}

/// Waits for SIGTERM or SIGINT.
pub async fn wait_for_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Binds a listener, with an error that names what it was for.
pub async fn bind(address: std::net::SocketAddr, purpose: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} for {purpose}: is another gateway running? Choose another port, or stop it")
    })
}

async fn settings(config: &Config, dir: DataDir) -> Result<Settings> {
    let data_tls = match (&config.data.certificate, &config.data.key) {
        (Some(certificate), Some(key)) => Some(certificates::data_tls(certificate, key)?),
        _ => None,
    };
    let mut admin_names = vec!["localhost".to_owned(), config.admin.listen.ip().to_string()];
    admin_names.extend(config.admin.hosts.iter().cloned());
    Ok(Settings {
        dir,
        data: bind(config.data.listen, "agents").await?,
        data_tls,
        admin: bind(config.admin.listen, "operators").await?,
        admin_names,
        health: bind(config.health.listen, "probes").await?,
        edge: edge_config(config)?,
        upstream: upstream_config(config)?,
        durability: match config.audit.durability {
            Durability::Synced => wal::Durability::Synced,
            Durability::Written => wal::Durability::Written,
        },
        wal_max_bytes: config.audit.max_bytes,
    })
}
