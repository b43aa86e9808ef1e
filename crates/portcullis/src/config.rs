//! The node's file: one TOML file, read whole, checked whole, before anything starts.
//!
//! An unknown field is an error with its line and column, so that a typing error never silently leaves a protection
//! off. Every value can be overridden by an environment variable, `PORTCULLIS_<SECTION>_<FIELD>`. Resources (servers,
//! principals, grants) are not here: they belong to the cluster.

mod overrides;

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The whole file.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// This node.
    pub node: Node,
    /// The listener of agents.
    #[serde(default)]
    pub data: Data,
    /// The listener of operators.
    #[serde(default)]
    pub admin: Admin,
    /// The listener of probes.
    #[serde(default)]
    pub health: Health,
    /// The record.
    #[serde(default)]
    pub audit: Audit,
    /// What the node may reach.
    #[serde(default)]
    pub upstream: Upstream,
}

/// This node.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Where `portcullis init` put its files, and where state, log and archive go.
    pub data_dir: PathBuf,
}

/// The listener of agents.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The certificate chain, PEM.
    pub certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// Whether a proxy in front speaks TLS, so that this listener may go without beyond loopback.
    pub behind_tls_proxy: bool,
    /// Host names clients use, beside the listener's own address and, on loopback, `localhost`.
    pub hosts: Vec<String>,
    /// Origins of browser pages that may call; others get 403.
    pub origins: Vec<String>,
    /// Networks of proxies whose `X-Forwarded-For` is believed, as CIDR.
    pub trusted_proxies: Vec<String>,
}

/// The listener of operators: always TLS.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Host names operators use, beside the listener's own address and `localhost`.
    pub hosts: Vec<String>,
}

/// The listener of probes.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// Where to listen.
    pub listen: SocketAddr,
}

/// The record.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// When a call may go on after its intent was written.
    pub durability: Durability,
    /// How much disk the write-ahead log may take before calls are refused, in bytes.
    pub max_bytes: u64,
}

/// When a call may go on after its intent was written.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// When a power loss cannot take it back.
    Synced,
    /// When a kill of the process cannot take it back.
    Written,
}

/// What the node may reach.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// Private networks that servers may be in, as CIDR. Metadata addresses are refused whatever stands here.
    pub private_networks: Vec<String>,
    /// More certificate authorities to trust, PEM.
    pub extra_ca: Option<PathBuf>,
}

impl Default for Data {
    fn default() -> Self {
        Self {
            listen: loopback(7450),
            certificate: None,
            key: None,
            behind_tls_proxy: false,
            hosts: Vec::new(),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: loopback(7451), hosts: Vec::new() }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self { listen: loopback(7452) }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self { durability: Durability::Synced, max_bytes: 8 * 1024 * 1024 * 1024 }
    }
}

impl Config {
    /// Reads and checks a file, with the overrides of the environment.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the configuration {}", path.display()))?;
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        overrides::refuse_unknown(names)?;
        let config = Self::parse(&text, |name| std::env::var(name).ok())
            .with_context(|| format!("{} is not usable", path.display()))?;
        Ok(config)
    }

    /// Reads and checks a text, with overrides looked up by `environment`.
    pub fn parse(text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let mut config: Self = toml::from_str(text)?;
        overrides::apply(&mut config, environment)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        let data = &self.data;
        if data.certificate.is_some() != data.key.is_some() {
            bail!("[data] certificate and key go together: set both, or neither");
        }
        let plain = data.certificate.is_none() && !data.behind_tls_proxy;
        if plain && !is_loopback(data.listen.ip()) {
            bail!(
                "[data] listen = {} is reachable from other machines without TLS: set certificate and key, \
                 or behind_tls_proxy = true when a proxy in front speaks TLS",
                data.listen
            );
        }
        let listeners = [("data", data.listen), ("admin", self.admin.listen), ("health", self.health.listen)];
        for (at, (section, address)) in listeners.iter().enumerate() {
            let same = listeners[..at].iter().find(|(_, other)| other == address && address.port() != 0);
            if let Some((other, _)) = same {
                bail!("[{section}] and [{other}] both listen on {address}: give each its own port");
            }
        }
        if self.audit.max_bytes < MIN_AUDIT_BYTES {
            bail!("[audit] max_bytes is at least {MIN_AUDIT_BYTES}, room for one segment and the reserve");
        }
        Ok(())
    }
}

/// The least room the write-ahead log works in.
const MIN_AUDIT_BYTES: u64 = 256 * 1024 * 1024;

/// Whether only this machine can reach an address.
pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "[node]\ndata_dir = \"/var/lib/portcullis\"\n";

    fn parse(text: &str) -> Result<Config> {
        Config::parse(text, |_| None)
    }

    #[test]
    fn a_minimal_file_is_closed_by_default() {
        let config = parse(MINIMAL).expect("usable");
        assert_eq!(config.audit.durability, Durability::Synced);
        assert!(config.upstream.private_networks.is_empty());
        assert!(is_loopback(config.data.listen.ip()) && is_loopback(config.admin.listen.ip()));
    }

    #[test]
    fn an_unknown_field_is_an_error_with_line_and_column() {
        let error = parse(&format!("{MINIMAL}[data]\nlitsen = \"127.0.0.1:1\"\n")).expect_err("unknown");
        let text = format!("{error:#}");
        assert!(text.contains("line 4, column 1") && text.contains("litsen"), "{text}");
    }

    #[test]
    fn a_listener_beyond_loopback_without_tls_is_refused() {
        let open = format!("{MINIMAL}[data]\nlisten = \"0.0.0.0:7450\"\n");
        assert!(parse(&open).is_err());
        assert!(parse(&format!("{open}behind_tls_proxy = true\n")).is_ok());
        assert!(parse(&format!("{open}certificate = \"a\"\nkey = \"b\"\n")).is_ok());
        assert!(parse(&format!("{open}certificate = \"a\"\n")).is_err());
    }

    #[test]
    fn two_listeners_on_one_address_are_refused() {
        let error = parse(&format!("{MINIMAL}[admin]\nlisten = \"127.0.0.1:7450\"\n")).expect_err("taken");
        assert!(format!("{error:#}").contains("[admin] and [data] both listen on 127.0.0.1:7450"));
    }

    #[test]
    fn the_environment_overrides_the_file() {
        let from = |name: &str| (name == "PORTCULLIS_DATA_LISTEN").then(|| "127.0.0.1:9999".to_owned());
        assert_eq!(Config::parse(MINIMAL, from).expect("usable").data.listen.port(), 9999);
        let wrong = |name: &str| (name == "PORTCULLIS_AUDIT_DURABILITY").then(|| "sometimes".to_owned());
        let text = format!("{:#}", Config::parse(MINIMAL, wrong).expect_err("no such durability"));
        assert!(text.contains("PORTCULLIS_AUDIT_DURABILITY"), "{text}");
    }
}
