//! `loadtest`: what the gateway costs, measured from outside against floors and a peer in the same run.
//!
//! It drives only public ports and the public command line, and imports none of the gateway's crates, so it can measure
//! any build of it. `docs/performance.md` says how to run it and what the figures mean. The roles that a run starts of
//! this same binary (the upstream, the floors) are hidden commands. What must stay true: everything listens on loopback
//! and ends with the run.

mod client;
mod clock;
mod compare;
mod first_byte;
mod floors;
mod gateway;
mod http1;
mod idle;
mod measure;
mod nginx;
mod program;
mod soak;
mod stage;
mod statistics;
mod table;
mod upstream;
mod work;

use std::{net::SocketAddr, num::NonZeroU64, path::PathBuf, time::Duration};

use anyhow::{Result, bail, ensure};
use clap::{Args, Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::{compare::Plan, stage::Kind, work::Work};

/// Measures what the gateway costs, against floors and nginx in the same run.
#[derive(Parser)]
#[command(name = "loadtest", version, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One table for each kind of work: direct, splice, forwarder, nginx, portcullis written, portcullis synced.
    Compare(Compare),
    /// Memory of open streams that say nothing.
    Idle {
        #[command(flatten)]
        binary: Binary,
        /// How many at once.
        #[arg(long, value_delimiter = ',', default_values_t = [1_000, 5_000])]
        streams: Vec<usize>,
    },
    /// Whether the start of a 1 MB answer is passed on before its end has come.
    FirstByte {
        #[command(flatten)]
        binary: Binary,
    },
    /// Half of what the gateway can do, for a long time; memory, descriptors, and the audit at the end.
    Soak {
        #[command(flatten)]
        binary: Binary,
        /// How long.
        #[arg(long, default_value_t = 30.0)]
        minutes: f64,
        /// Which of the gateway's two kinds.
        #[arg(long, default_value = "synced")]
        target: Kind,
    },
    /// The fake upstream.
    #[command(hide = true)]
    Upstream,
    /// The floor that copies bytes.
    #[command(hide = true)]
    Splice {
        /// Where to.
        #[arg(long)]
        upstream: SocketAddr,
    },
    /// The floor that forwards requests.
    #[command(hide = true)]
    Forwarder {
        /// Where to.
        #[arg(long)]
        upstream: SocketAddr,
    },
}

#[derive(Args)]
struct Binary {
    /// The gateway's binary, built for release.
    #[arg(long, default_value = "target/release/portcullis")]
    binary: PathBuf,
}

#[derive(Args)]
struct Compare {
    #[command(flatten)]
    binary: Binary,
    /// How often each target has its turn; fewer than three have no middle.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long a turn is.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// The kinds of work.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["small", "single", "steady", "sse", "list", "large", "connect"])]
    work: Vec<Work>,
    /// Only these targets.
    #[arg(long, value_enum, value_delimiter = ',')]
    target: Vec<Kind>,
    /// Requests a second of `steady`.
    #[arg(long, default_value = "2000")]
    rate: NonZeroU64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // One thread: the load, the upstream and the floors have a processor each at most, and are compared as such.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        tokio::select! {
            ended = run(arguments.command) => ended,
            interrupted = interruption() => interrupted,
        }
    })
}

/// Waits for SIGINT or SIGTERM. What the run has started ends with it, because dropping a program kills it.
async fn interruption() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    bail!("interrupted")
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Upstream => upstream::serve().await,
        Command::Splice { upstream } => floors::splice::serve(upstream).await,
        Command::Forwarder { upstream } => floors::forwarder::serve(upstream).await,
        Command::Compare(compare) => {
            let binary = prepared(compare.binary).await?;
            let kinds = if compare.target.is_empty() { Kind::ALL.to_vec() } else { compare.target };
            let plan = Plan {
                rounds: compare.rounds.max(1),
                length: Duration::from_secs(compare.seconds.max(1)),
                work: compare.work,
                kinds,
                rate: compare.rate.get(),
            };
            compare::run(&binary, &plan).await
        }
        Command::Idle { binary, streams } => idle::run(&prepared(binary).await?, &streams).await,
        Command::FirstByte { binary } => first_byte::run(&prepared(binary).await?).await,
        Command::Soak { binary, minutes, target } => {
            ensure!(minutes > 0.0 && minutes.is_finite(), "--minutes has to be above 0");
            soak::run(&prepared(binary).await?, Duration::from_secs_f64(minutes * 60.0), target).await
        }
    }
}

/// Readies this process to make load, and finds the gateway's binary.
async fn prepared(Binary { binary }: Binary) -> Result<PathBuf> {
    ensure!(binary.is_file(), "{} is not there; build it, or name it with --binary", binary.display());
    program::allow_descriptors()?;
    program::pin_load().await?;
    Ok(std::path::absolute(binary)?)
}
