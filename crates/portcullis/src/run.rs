//! `portcullis run`: one node from its configuration file, until it is told to stop.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use rustls::ServerConfig;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{
    certificates,
    config::{Config, Data, Durability, Upstream},
    data_dir::DataDir,
    node::{Host, Node, Settings},
};

/// Starts the node, says on standard output where it listens, and stops it on SIGTERM or SIGINT.
pub async fn run(config: &Config, host: &Host) -> Result<()> {
    let dir = DataDir::new(&config.node.data_dir);
    if !dir.keys().exists() {
        bail!(
            "{} holds no node; make one with `portcullis init --dir {}`",
            dir.root().display(),
            dir.root().display()
        );
    }
    let node = Node::start(settings(config, dir).await?, host).await?;
    let ready = serde_json::json!({
        "ready": true,
        "data_address": node.data_address.to_string(),
        "admin_address": node.admin_address.to_string(),
    });
    println!("{ready}");
    serve_until_stopped(node).await
}

/// Lets a node serve until SIGTERM or SIGINT, and stops it gently; a second signal ends it at once.
pub async fn serve_until_stopped(node: Node) -> Result<()> {
    tokio::select! {
        stopped = wait_for_stop() => stopped?,
        failed = node.failed() => return Err(failed),
    }
    eprintln!(
        "Stopping: open calls have {} s to finish; a second signal ends them at once.",
        node.drain().as_secs()
    );
    tokio::select! {
        stopped = node.stop() => stopped,
        second = wait_for_stop() => {
            second?;
            bail!("stopped at once; calls that were open are named by the next start, because nobody knows how they ended")
        }
    }
}

/// Waits for SIGTERM or SIGINT.
async fn wait_for_stop() -> Result<()> {
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

/// What a configuration says of what is not a listener, read as a node needs it.
struct Understood {
    data_tls: Option<Arc<ServerConfig>>,
    edge: edge::Config,
    upstream: upstream::Config,
}

/// Checks a configuration as [`run`] would, and starts nothing.
pub fn check(config: &Config) -> Result<()> {
    understand(config).map(drop)
}

fn understand(config: &Config) -> Result<Understood> {
    let data_tls = match (&config.data.certificate, &config.data.key) {
        (Some(certificate), Some(key)) => Some(certificates::data_tls(certificate, key)?),
        _ => None,
    };
    Ok(Understood {
        data_tls,
        edge: edge_config(&config.data)?,
        upstream: upstream_config(&config.upstream)?,
    })
}

async fn settings(config: &Config, dir: DataDir) -> Result<Settings> {
    let Understood { data_tls, edge, upstream } = understand(config)?;
    let mut admin_names = vec!["localhost".to_owned(), config.admin.listen.ip().to_string()];
    admin_names.extend(config.admin.hosts.iter().cloned());
    Ok(Settings {
        dir,
        data: bind(config.data.listen, "agents").await?,
        data_tls,
        admin: bind(config.admin.listen, "operators").await?,
        admin_names,
        health: bind(config.health.listen, "probes").await?,
        edge,
        upstream,
        durability: match config.audit.durability {
            Durability::Synced => wal::Durability::Synced,
            Durability::Written => wal::Durability::Written,
        },
        wal_max_bytes: config.audit.max_bytes,
    })
}

fn edge_config(data: &Data) -> Result<edge::Config> {
    let trusted = data.trusted_proxies.iter().map(|text| text.parse());
    Ok(edge::Config {
        hosts: data.hosts.clone(),
        origins: data.origins.clone(),
        trusted_proxies: trusted.collect::<Result<_, _>>().context("[data] trusted_proxies")?,
        ..edge::Config::default()
    })
}

fn upstream_config(upstream: &Upstream) -> Result<upstream::Config> {
    let networks = upstream.private_networks.iter().map(|text| text.parse());
    let extra_roots_pem = match &upstream.extra_ca {
        Some(path) => std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?,
        None => Vec::new(),
    };
    Ok(upstream::Config {
        private_networks: networks.collect::<Result<_, _>>().context("[upstream] private_networks")?,
        extra_roots_pem,
        ..upstream::Config::default()
    })
}
