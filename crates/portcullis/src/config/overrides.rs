//! Overrides of the node's file by environment variables: one line a field, so that the list can be read and none is
//! found by accident.

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

use super::Config;

/// The sections of the file, as a variable names them.
const SECTIONS: [&str; 6] = ["NODE", "DATA", "ADMIN", "HEALTH", "AUDIT", "UPSTREAM"];

/// The variables that override a field.
const NAMES: [&str; 15] = [
    "PORTCULLIS_NODE_DATA_DIR",
    "PORTCULLIS_DATA_LISTEN",
    "PORTCULLIS_DATA_CERTIFICATE",
    "PORTCULLIS_DATA_KEY",
    "PORTCULLIS_DATA_BEHIND_TLS_PROXY",
    "PORTCULLIS_DATA_HOSTS",
    "PORTCULLIS_DATA_ORIGINS",
    "PORTCULLIS_DATA_TRUSTED_PROXIES",
    "PORTCULLIS_ADMIN_LISTEN",
    "PORTCULLIS_ADMIN_HOSTS",
    "PORTCULLIS_HEALTH_LISTEN",
    "PORTCULLIS_AUDIT_DURABILITY",
    "PORTCULLIS_AUDIT_MAX_BYTES",
    "PORTCULLIS_UPSTREAM_PRIVATE_NETWORKS",
    "PORTCULLIS_UPSTREAM_EXTRA_CA",
];

/// Variables of other commands that begin like one of a section.
const OTHERS: [&str; 1] = ["PORTCULLIS_DATA_DIR"];

/// Refuses variables that look like an override and are none: a typing error must not leave a protection off.
pub fn refuse_unknown(variables: impl Iterator<Item = String>) -> Result<()> {
    let of_section = |name: &str| {
        let rest = name.strip_prefix("PORTCULLIS_").unwrap_or_default();
        SECTIONS.iter().any(|section| rest.strip_prefix(section).is_some_and(|rest| rest.starts_with('_')))
    };
    for name in variables {
        if of_section(&name) && !NAMES.contains(&name.as_str()) && !OTHERS.contains(&name.as_str()) {
            bail!(
                "the environment variable {name} overrides no field; docs/operations.md lists those that do"
            );
        }
    }
    Ok(())
}

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

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::BTreeSet};

    use super::*;

    #[test]
    fn every_listed_variable_is_looked_up_and_no_other() {
        let asked = RefCell::new(BTreeSet::new());
        let mut config: Config = toml::from_str("[node]\ndata_dir = \"/x\"\n").expect("a file");
        let environment = |name: &str| {
            asked.borrow_mut().insert(name.to_owned());
            None
        };
        apply(&mut config, environment).expect("nothing is overridden");
        assert_eq!(asked.into_inner(), NAMES.map(str::to_owned).into());
    }

    #[test]
    fn a_mistyped_override_is_refused() {
        let check = |name: &str| refuse_unknown([name.to_owned()].into_iter());
        assert!(check("PORTCULLIS_AUDIT_DURABLITY").is_err());
        for fine in ["PORTCULLIS_AUDIT_DURABILITY", "PORTCULLIS_DATA_DIR", "PORTCULLIS_CONTEXT", "HOME"] {
            assert!(check(fine).is_ok(), "{fine}");
        }
    }
}
