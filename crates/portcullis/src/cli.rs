//! The client half of the command line: noun and verb, over the gRPC admin API and nothing else, so that whatever it can
//! do another program can do too.
//!
//! Data goes to standard output, messages to standard error. An error ends with what to do next, and the exit status
//! tells a script what kind it was.

mod audit;
mod connection;
mod credential;
mod failure;
mod grant;
mod instant;
mod output;
mod principal;
mod server;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Subcommand};

use self::failure::Attempt;
pub use self::output::Output;

/// What every command takes.
#[derive(Args)]
pub struct Global {
    /// The context file that says how to reach the gateway. Without it: ./.portcullis-dev/context.toml, then
    /// ~/.config/portcullis/context.toml.
    #[arg(long, global = true, env = "PORTCULLIS_CONTEXT", help_heading = "Global options")]
    pub context: Option<PathBuf>,
    /// The form of what is printed.
    #[arg(short, long, global = true, value_enum, default_value_t = Output::Table, help_heading = "Global options")]
    pub output: Output,
}

/// What every command takes that changes something.
#[derive(Args, Clone, Debug, Default)]
pub struct Change {
    /// The id of a change whose answer was lost, as the error named it. The gateway makes a change of one id once at
    /// most, and answers a repetition like the first time, but without a token.
    #[arg(long, value_name = "UUID", hide_short_help = true)]
    request_id: Option<String>,
}

impl Change {
    /// The id to send; empty lets the gateway draw one.
    fn id(self) -> String {
        self.request_id.unwrap_or_default()
    }
}

/// The commands that talk to a running gateway.
#[derive(Subcommand)]
pub enum ClientCommand {
    /// Upstream MCP servers behind the gateway.
    #[command(subcommand)]
    Server(server::Command),
    /// The secrets of upstream servers. They can be set and never read.
    #[command(subcommand)]
    Credential(credential::Command),
    /// People, agents and services that may hold grants.
    #[command(subcommand)]
    Principal(principal::Command),
    /// Grants: who may use which tools of which servers.
    #[command(subcommand)]
    Grant(grant::Command),
    /// The record of every call and every change.
    #[command(subcommand)]
    Audit(audit::Command),
}

impl ClientCommand {
    /// Whether it is of use to look for what a failed command may have done all the same.
    fn attempt(&self) -> Attempt {
        let changes = match self {
            Self::Server(command) => !matches!(command, server::Command::List | server::Command::Show { .. }),
            Self::Credential(command) => !matches!(command, credential::Command::List),
            Self::Principal(command) => !matches!(command, principal::Command::List),
            Self::Grant(command) => {
                !matches!(command, grant::Command::List { .. } | grant::Command::Show { .. })
            }
            Self::Audit(_) => false,
        };
        if changes { Attempt::Change } else { Attempt::Read }
    }
}

/// Runs a command and answers the exit status.
pub async fn run(command: ClientCommand, global: &Global) -> Result<ExitCode> {
    let attempt = command.attempt();
    let done = match command {
        ClientCommand::Server(command) => server::run(command, global).await,
        ClientCommand::Credential(command) => credential::run(command, global).await,
        ClientCommand::Principal(command) => principal::run(command, global).await,
        ClientCommand::Grant(command) => grant::run(command, global).await,
        ClientCommand::Audit(command) => audit::run(command, global).await,
    };
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Ok(failure::report(&error, attempt)),
    }
}
