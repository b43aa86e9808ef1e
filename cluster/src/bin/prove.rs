//! `prove <promise>`: tries to break one promise on real processes, and says whether it held.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, ValueEnum};
use cluster::proofs::{a1, r3, s1, s2};
use seams::{SystemEntropy, entropy};

/// Tries to break one promise of Portcullis on real processes.
#[derive(Parser)]
struct Arguments {
    /// The promise.
    promise: Promise,
    /// The built `portcullis` binary.
    #[arg(long)]
    binary: PathBuf,
    /// A short run, as part of the tests.
    #[arg(long)]
    short: bool,
    /// The seed of an earlier run, to repeat its choices.
    #[arg(long)]
    seed: Option<u64>,
    /// A planted bug, which the proof has to find; `binary` is then the second build.
    #[arg(long)]
    plant: Option<String>,
}

/// The promises that have a proof.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Promise {
    /// No call without a durable intent.
    #[value(name = "A1")]
    A1,
    /// Open streams are cut before a revocation returns, and nothing of the grant runs after.
    #[value(name = "R3")]
    R3,
    /// An upstream secret stays where it belongs.
    #[value(name = "S1")]
    S1,
    /// Nothing of the client's reaches an upstream but its call.
    #[value(name = "S2")]
    S2,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| u64::from_le_bytes(entropy::array(&SystemEntropy)));
    println!("proof {:?}, seed {seed}", arguments.promise);
    let (binary, plant) = (arguments.binary.as_path(), arguments.plant);
    let verdict = match arguments.promise {
        Promise::A1 if arguments.short => {
            a1::prove(binary, a1::Size { rounds: 5, calls: 50 }, seed, plant).await?
        }
        Promise::A1 => a1::prove(binary, a1::Size { rounds: 50, calls: 200 }, seed, plant).await?,
        Promise::R3 if arguments.short => r3::prove(binary, 5, seed, plant).await?,
        Promise::R3 => r3::prove(binary, 50, seed, plant).await?,
        Promise::S1 => s1::prove(binary, seed, plant).await?,
        Promise::S2 => s2::prove(binary, seed, plant).await?,
    };
    Ok(verdict.conclude())
}
