//! `portcullis server`: upstream servers.

use std::io::{BufRead, IsTerminal};

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use wire::pb::admin::v1::{self as api, ServerState, server_service_client::ServerServiceClient};

use super::{
    Change, Global,
    connection::{self, Connection},
    failure::Usage,
    output::{self, Column},
};

const COLUMNS: [Column; 4] =
    [("server", "server"), ("url", "url"), ("status", "status"), ("credential", "credential")];

/// The verbs.
#[derive(Subcommand)]
pub enum Command {
    /// Put an MCP server (Streamable HTTP) behind the gateway.
    Add {
        /// The name clients use in /mcp/NAME/: lower-case letters, digits and hyphens. It can never be used again.
        name: String,
        /// Where the server answers, exactly as it wants to be called.
        #[arg(long, value_name = "URL")]
        url: String,
        #[command(flatten)]
        change: Change,
    },
    /// List the servers.
    List,
    /// Show one server.
    Show {
        /// Its name.
        name: String,
    },
    /// Let no call through to a server, until it is enabled again.
    Disable {
        /// Its name.
        name: String,
        #[command(flatten)]
        change: Change,
    },
    /// Let calls through to a disabled server again.
    Enable {
        /// Its name.
        name: String,
        #[command(flatten)]
        change: Change,
    },
    /// Remove a server for good, with its credential. Its name stays taken.
    Remove {
        /// Its name.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        change: Change,
    },
}

/// Runs a verb.
pub async fn run(command: Command, global: &Global) -> Result<()> {
    if let Command::Remove { name, yes: false, .. } = &command {
        confirm_removal(name)?;
    }
    let mut client = ServerServiceClient::new(connection::open(global).await?);
    let server = match command {
        Command::Add { name, url, change } => {
            let server = Some(api::Server { url, ..api::Server::default() });
            let request = api::CreateServerRequest { server_id: name, server, request_id: change.id() };
            client.create_server(request).await?.into_inner().server
        }
        Command::List => return list(&mut client, global).await,
        Command::Show { name } => {
            client.get_server(api::GetServerRequest { name: resource(&name) }).await?.into_inner().server
        }
        Command::Disable { name, change } => {
            let request = api::DisableServerRequest { name: resource(&name), request_id: change.id() };
            client.disable_server(request).await?.into_inner().server
        }
        Command::Enable { name, change } => {
            let request = api::EnableServerRequest { name: resource(&name), request_id: change.id() };
            client.enable_server(request).await?.into_inner().server
        }
        Command::Remove { name, change, .. } => {
            let request = api::DeleteServerRequest { name: resource(&name), request_id: change.id() };
            client.delete_server(request).await?;
            eprintln!("Removed {name}. No call goes to it any more.");
            return Ok(());
        }
    };
    output::object(&shown(&server.unwrap_or_default()), &COLUMNS, global.output)
}

async fn list(client: &mut ServerServiceClient<Connection>, global: &Global) -> Result<()> {
    let (mut servers, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = api::ListServersRequest { page_token, ..Default::default() };
        let page = client.list_servers(request).await?.into_inner();
        servers.extend(page.servers.iter().map(shown));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return output::list(&servers, &COLUMNS, global.output);
        }
    }
}

fn shown(server: &api::Server) -> Value {
    let status = match server.state() {
        ServerState::Unspecified => "unknown",
        ServerState::Enabled => "enabled",
        ServerState::Disabled => "disabled",
        ServerState::Removed => "removed",
    };
    json!({
        "server": server.name.trim_start_matches("servers/"),
        "url": server.url,
        "status": status,
        "credential": server.credential.trim_start_matches("credentials/"),
    })
}

fn confirm_removal(name: &str) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        let unasked = format!("removing a server cannot be undone; say --yes to remove {name}");
        return Err(Usage::of(unasked).into());
    }
    eprintln!(
        "Removing {name} cannot be undone, and its name can never be used again. Type the name to go on:"
    );
    let mut typed = String::new();
    std::io::stdin().lock().read_line(&mut typed)?;
    if typed.trim() != name {
        return Err(Usage::of(format!("that is not {name}; nothing was removed")).into());
    }
    Ok(())
}

fn resource(name: &str) -> String {
    format!("servers/{name}")
}
