//! Contexts: how the command line finds an admin API and proves who asks. One small TOML file; the token stands in a
//! file of its own, so that a context can be shown and shared.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::{certificates::write_private, data_dir::DataDir};

/// How to reach one admin API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// `https://host:port`.
    pub admin_url: String,
    /// Where agents reach the gateway, `https://host:port`, if whoever wrote the context knew it.
    pub data_url: Option<String>,
    /// The certificate authority to trust, PEM. Relative to the context's own file.
    pub ca_file: PathBuf,
    /// The file that holds the operator token. Relative to the context's own file.
    pub operator_token_file: PathBuf,
}

impl Context {
    /// Reads the context at `explicit`, or the first that is there: `./.portcullis-dev/context.toml`, then
    /// `~/.config/portcullis/context.toml`.
    pub fn find(explicit: Option<&Path>) -> Result<Self> {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let places =
            [PathBuf::from(".portcullis-dev/context.toml"), home.join(".config/portcullis/context.toml")];
        let path = match explicit {
            Some(path) => path,
            None => match places.iter().find(|path| path.exists()) {
                Some(path) => path,
                None => bail!(
                    "no gateway to talk to: start one with `portcullis dev` in this directory, \
                     or name a context file with --context or PORTCULLIS_CONTEXT"
                ),
            },
        };
        Self::load(path)
    }

    fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the context {}", path.display()))?;
        let mut context: Self =
            toml::from_str(&text).with_context(|| format!("{} is not a context", path.display()))?;
        let base = path.parent().unwrap_or(Path::new("."));
        context.ca_file = base.join(context.ca_file);
        context.operator_token_file = base.join(context.operator_token_file);
        Ok(context)
    }

    /// Writes the context of the node in `dir`, whose admin listener is at `admin_url` and whose data listener, if that
    /// is known, at `data_url`.
    pub fn write(dir: &DataDir, admin_url: &str, data_url: Option<&str>) -> Result<()> {
        let quoted = |url: &str| toml::Value::String(url.to_owned());
        let mut text = format!(
            "admin_url = {}\nca_file = \"tls/ca.pem\"\noperator_token_file = \"operator-token\"\n",
            quoted(admin_url)
        );
        if let Some(data_url) = data_url {
            text.push_str(&format!("data_url = {}\n", quoted(data_url)));
        }
        write_private(&dir.context(), text.as_bytes())
    }

    /// The operator token: of the environment, or of the file.
    pub fn operator_token(&self) -> Result<String> {
        if let Ok(token) = std::env::var("PORTCULLIS_OPERATOR_TOKEN") {
            return Ok(token);
        }
        let path = &self.operator_token_file;
        let token = std::fs::read_to_string(path).with_context(|| {
            format!(
                "no operator token: put the one that `portcullis init` printed into {}, \
                 or into PORTCULLIS_OPERATOR_TOKEN",
                path.display()
            )
        })?;
        Ok(token.trim().to_owned())
    }
}
