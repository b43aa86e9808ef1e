//! Overrides of the node's file by environment variables: one line a field, so that the list can be read and none is
//! found by accident.

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

use super::Config;

/// Overrides what `environment` names.
pub fn apply(config: &mut Config, environment: impl Fn(&str) -> Option<String>) -> Result<()> {
    let from = |name: &'static str| environment(name).map(|text| (name, text));
    set(&mut config.node.data_dir, from("PORTCULLIS_NODE_DATA_DIR"))?;
    set(&mut config.data.listen, from("PORTCULLIS_DATA_LISTEN"))?;
    set(&mut config.data.certificate, from("PORTCULLIS_DATA_CERTIFICATE"))?;
    set(&mut config.data.key, from("PORTCULLIS_DATA_KEY"))?;
    set(&mut config.data.behind_tls_proxy, from("PORTCULLIS_DATA_BEHIND_TLS_PROXY"))?;
    set(&mut config.data.hosts, from("PORTCULLIS_DATA_HOSTS"))?;
    set(&mut config.data.origins, from("PORTCULLIS_DATA_ORIGINS"))?;
    set(&mut config.data.trusted_proxies, from("PORTCULLIS_DATA_TRUSTED_PROXIES"))?;
    set(&mut config.admin.listen, from("PORTCULLIS_ADMIN_LISTEN"))?;
    set(&mut config.admin.hosts, from("PORTCULLIS_ADMIN_HOSTS"))?;
    set(&mut config.health.listen, from("PORTCULLIS_HEALTH_LISTEN"))?;
    set(&mut config.audit.durability, from("PORTCULLIS_AUDIT_DURABILITY"))?;
    set(&mut config.audit.max_bytes, from("PORTCULLIS_AUDIT_MAX_BYTES"))?;
    set(&mut config.upstream.private_networks, from("PORTCULLIS_UPSTREAM_PRIVATE_NETWORKS"))?;
    set(&mut config.upstream.extra_ca, from("PORTCULLIS_UPSTREAM_EXTRA_CA"))?;
    Ok(())
}

/// A value is written as in the file, a text without its quotes; a list as in the file, or its items with commas.
fn set<T: DeserializeOwned>(field: &mut T, value: Option<(&'static str, String)>) -> Result<()> {
    #[derive(serde::Deserialize)]
    struct One<T> {
        value: T,
    }
    let Some((name, text)) = value else { return Ok(()) };
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let list = text.split(',').map(|item| quoted(item.trim())).collect::<Vec<_>>().join(", ");
    let written = [text.clone(), quoted(&text), format!("[{list}]")];
    let read = written.iter().find_map(|text| toml::from_str::<One<T>>(&format!("value = {text}")).ok());
    *field = read.map(|read| read.value).with_context(|| format!("{name} = {text:?} is not usable"))?;
    Ok(())
}
