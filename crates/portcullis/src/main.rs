//! `portcullis`: the gateway between agents and MCP servers, and its command line.
//!
//! Thin on purpose: it reads arguments, sets up logging, hardens the process and hands over. What must stay true: the
//! process is hardened before the first secret is read, and only data goes to standard output.

mod certificates;
mod cli;
mod config;
mod connect;
mod context;
mod data_dir;
mod demo;
mod dev;
mod health;
mod init;
mod node;
mod run;
mod telemetry;

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use rustix::fs::Mode;

use crate::{
    cli::{ClientCommand, Global},
    node::Host,
};

/// The gateway between agents and MCP servers: every caller has a scoped, revocable grant, and only the gateway holds
/// the real secrets.
#[derive(Parser)]
#[command(name = "portcullis", version, max_term_width = 110)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start one node on loopback with everything embedded, a demo server and a first grant, and print what to try.
    Dev(DevArguments),
    /// Make the keys and the first operator of a new cluster, and print the operator's token once.
    Init(InitArguments),
    /// Start the node that a configuration file describes.
    Run(RunArguments),
    /// Check a configuration file without starting anything.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Connect a client of MCP to a server behind the gateway: show what its file needs, or merge it in.
    Connect(connect::Arguments),
    #[command(flatten)]
    Client(ClientCommand),
}

/// What `dev` takes.
#[derive(clap::Args)]
pub struct DevArguments {
    /// Where keys, state, log and archive go. A second start goes on where the first stopped.
    #[arg(long, default_value = "./.portcullis-dev", env = "PORTCULLIS_DATA_DIR")]
    pub data_dir: PathBuf,
    /// Where agents reach the gateway: a loopback address, with port 0 for any.
    #[arg(long, default_value = "127.0.0.1:7450")]
    pub listen: SocketAddr,
    /// Where operators reach the gateway: a loopback address, with port 0 for any.
    #[arg(long, default_value = "127.0.0.1:7451")]
    pub admin_listen: SocketAddr,
}

#[derive(clap::Args)]
struct InitArguments {
    /// The data directory to make; it must not hold a node yet.
    #[arg(long, default_value = "/var/lib/portcullis")]
    dir: PathBuf,
    /// The URL at which operators will reach the node's admin API.
    #[arg(long, default_value = "https://127.0.0.1:7451")]
    admin_url: String,
    /// The URL at which agents will reach the node; `portcullis connect` needs it.
    #[arg(long)]
    data_url: Option<String>,
}

#[derive(clap::Args)]
struct RunArguments {
    /// The node's configuration file.
    #[arg(long, env = "PORTCULLIS_CONFIG")]
    config: PathBuf,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Read a configuration file, with the overrides of the environment, and say whether it is usable.
    Check(RunArguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match dispatch(arguments) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: Arguments) -> Result<ExitCode> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another TLS provider is installed already"))?;
    // Whatever a library creates for us, other users of the machine may not read it.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    for failed in seams::process::harden() {
        eprintln!("warning: {failed}");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no async runtime")?;
    runtime.block_on(perform(arguments))
}

async fn perform(arguments: Arguments) -> Result<ExitCode> {
    match arguments.command {
        Command::Dev(dev) => {
            telemetry::start();
            dev::run(&dev, arguments.global.output, &Host::system()).await?;
        }
        Command::Init(init) => {
            init::run(&init.dir, &init.admin_url, init.data_url.as_deref(), &Host::system()).await?;
        }
        Command::Run(run) => {
            telemetry::start();
            run::run(&config::Config::load(&run.config)?, &Host::system()).await?;
        }
        Command::Config(ConfigCommand::Check(check)) => {
            run::check(&config::Config::load(&check.config)?)?;
            println!("{} is usable", check.config.display());
        }
        Command::Connect(connect) => connect::run(&connect, &arguments.global)?,
        Command::Client(command) => return cli::run(command, &arguments.global).await,
    }
    Ok(ExitCode::SUCCESS)
}
