//! `portcullis credential`: the secrets of upstream servers.

use std::{io::Read, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use keyring::Secret;
use serde_json::{Value, json};
use wire::pb::admin::v1::{
    self as api, attachment::Form, credential_service_client::CredentialServiceClient,
};

use super::{
    Change, Global, connection,
    output::{self, Column},
};

const COLUMNS: [Column; 5] = [
    ("credential", "credential"),
    ("server", "server"),
    ("origin", "origin"),
    ("attachment", "attachment"),
    ("version", "version"),
];

/// The longest secret, in bytes.
const MAX_SECRET_BYTES: u64 = 8 * 1024;

/// The verbs.
#[derive(Subcommand)]
pub enum Command {
    /// Set the secret of a server, or replace it. The secret comes from a file or from standard input, never from an
    /// argument, and no command shows it again.
    Set {
        /// The server.
        server: String,
        /// The credential's own name; by default that of the server.
        #[arg(long)]
        name: Option<String>,
        /// Send it as `Authorization: Bearer`. This is the default.
        #[arg(long, conflicts_with = "header")]
        bearer: bool,
        /// Send it in this header instead, for example x-api-key.
        #[arg(long)]
        header: Option<String>,
        /// The file to read it from; by default standard input.
        #[arg(long)]
        from_file: Option<PathBuf>,
        #[command(flatten)]
        change: Change,
    },
    /// List the credentials, without their secrets.
    List,
    /// Remove a credential. Its server gets calls without one.
    Remove {
        /// The credential's name.
        name: String,
        #[command(flatten)]
        change: Change,
    },
}

/// Runs a verb.
pub async fn run(command: Command, global: &Global) -> Result<()> {
    match command {
        Command::Set { server, name, bearer: _, header, from_file, change } => {
            let secret = read_secret(from_file)?;
            let form = match header {
                Some(name) => Form::Header(api::HeaderAttachment { name }),
                None => Form::Bearer(api::BearerAttachment {}),
            };
            let request = api::SetCredentialRequest {
                credential_id: name.unwrap_or_else(|| server.clone()),
                server: format!("servers/{server}"),
                attachment: Some(api::Attachment { form: Some(form) }),
                secret: secret.expose().to_vec(),
                request_id: change.id(),
            };
            let mut client = CredentialServiceClient::new(connection::open(global).await?);
            let set = client.set_credential(request).await?.into_inner().credential.unwrap_or_default();
            output::object(&shown(&set), &COLUMNS, global.output)
        }
        Command::List => list(global).await,
        Command::Remove { name, change } => {
            let mut client = CredentialServiceClient::new(connection::open(global).await?);
            let request =
                api::DeleteCredentialRequest { name: format!("credentials/{name}"), request_id: change.id() };
            client.delete_credential(request).await?;
            eprintln!("Removed {name}. Its server gets calls without a credential now.");
            Ok(())
        }
    }
}

async fn list(global: &Global) -> Result<()> {
    let mut client = CredentialServiceClient::new(connection::open(global).await?);
    let (mut credentials, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = api::ListCredentialsRequest { page_token, ..Default::default() };
        let page = client.list_credentials(request).await?.into_inner();
        credentials.extend(page.credentials.iter().map(shown));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return output::list(&credentials, &COLUMNS, global.output);
        }
    }
}

/// Reads the secret, without the line feed that an editor or `echo` puts behind it.
fn read_secret(from_file: Option<PathBuf>) -> Result<Secret> {
    let mut bytes = Vec::new();
    match from_file {
        Some(path) => std::fs::File::open(&path)
            .and_then(|file| file.take(MAX_SECRET_BYTES + 1).read_to_end(&mut bytes))
            .with_context(|| format!("cannot read the secret from {}", path.display()))?,
        None => {
            if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
                eprintln!(
                    "Type or paste the secret, then a line feed and Ctrl-D. It will be visible as you type."
                );
            }
            std::io::stdin().lock().take(MAX_SECRET_BYTES + 1).read_to_end(&mut bytes)?
        }
    };
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    if bytes.is_empty() || bytes.len() as u64 > MAX_SECRET_BYTES {
        bail!("the secret has {} bytes; it needs 1 to {MAX_SECRET_BYTES}", bytes.len());
    }
    Ok(Secret::new(bytes))
}

fn shown(credential: &api::Credential) -> Value {
    let attachment = match credential.attachment.as_ref().and_then(|attachment| attachment.form.as_ref()) {
        Some(Form::Bearer(_)) => "authorization: Bearer".to_owned(),
        Some(Form::Header(header)) => header.name.clone(),
        None => String::new(),
    };
    json!({
        "credential": credential.name.trim_start_matches("credentials/"),
        "server": credential.server.trim_start_matches("servers/"),
        "origin": credential.origin,
        "attachment": attachment,
        "version": credential.version,
    })
}
