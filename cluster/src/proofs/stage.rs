//! What every proof sets up: a founded gateway, one server with a credential, one person, one agent, grants.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{command_line::CommandLine, gateway::Site, mcp_client::McpClient};

/// The server every proof calls.
pub const SERVER: &str = "recorder";

/// Registers `url` with `secret`, and a person with an agent.
pub async fn set_up(site: &Site, url: &str, secret: &str, attachment: &[&str]) -> Result<()> {
    let cli = site.command_line();
    cli.run(&["server", "add", SERVER, "--url", url], None).await?;
    let set = [&["credential", "set", SERVER], attachment].concat();
    cli.run(&set, Some(secret.as_bytes())).await?;
    cli.run(&["principal", "add", "ana", "--kind", "person"], None).await?;
    cli.run(&["principal", "add", "ana-agent", "--kind", "agent", "--owner", "ana"], None).await?;
    Ok(())
}

/// Issues a grant to the agent for `tool`, and answers its id and a client that uses it.
pub async fn issue(site: &Site, cli: &CommandLine, tool: &str) -> Result<(String, McpClient)> {
    let arguments = ["grant", "issue", "--principal", "ana-agent", "--server", SERVER, "--tool", tool];
    let issued = cli.json(&arguments, None).await?;
    let text =
        |key: &str| issued[key].as_str().map(str::to_owned).with_context(|| format!("no {key} in {issued}"));
    let client = McpClient { gateway: site.data, server: SERVER.to_owned(), token: text("token")? };
    Ok((text("grant")?, client))
}

/// Every entry of the audit, oldest first: the archive and what it does not hold yet.
pub async fn audit(cli: &CommandLine) -> Result<Vec<Value>> {
    let said = cli.run(&["audit", "list", "--limit", "0", "-o", "jsonl"], None).await?;
    said.stdout.lines().map(|line| serde_json::from_str(line).context("an audit line is not JSON")).collect()
}
