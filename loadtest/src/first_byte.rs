//! `loadtest first-byte`: whether the start of a large answer is passed on before its end has come.
//!
//! The upstream sends half of 1 MB and holds the rest back until somebody who saw the first byte says so, which decides
//! the question without a clock: a proxy that collects the answer never shows it. Times are measured beside that, on
//! answers that are not held.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tokio::time::timeout;

use crate::{
    client::connection::Connection,
    clock::now_nanos,
    stage::{Kind, Stage, Target},
    statistics::middle,
    table::aligned,
    work::{self, Work},
};

/// How long the first byte of a held answer may take before the target is taken to collect it.
const FIRST_BYTE: Duration = Duration::from_secs(10);

/// How many answers are timed.
const TIMED: usize = 50;

/// Asks every target for a held answer and for some that are not, and prints a table.
pub async fn run(binary: &Path) -> Result<()> {
    let stage = Stage::with(binary, &Kind::ALL).await?;
    let headings = ["target", "first byte while the rest is held", "first byte µs", "last byte µs"];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    let mut collecting = Vec::new();
    for target in &stage.targets {
        let passed_on = is_passed_on(target, &stage.upstream()).await?;
        let (first, last) = times(target).await?;
        if !passed_on {
            collecting.push(target.kind.name());
        }
        let verdict = if passed_on { "passed on" } else { "not passed on" };
        lines.push(vec![
            target.kind.name().into(),
            verdict.into(),
            format!("{first:.0}"),
            format!("{last:.0}"),
        ]);
    }
    print!("{}", aligned(&lines));
    for (kind, reason) in &stage.skipped {
        println!("{}: {reason}", kind.name());
    }
    stage.close().await?;
    if !collecting.is_empty() {
        bail!("the first byte waits for the last at: {}", collecting.join(", "));
    }
    Ok(())
}

/// Whether the first byte comes while the upstream holds the rest back.
async fn is_passed_on(target: &Target, upstream: &Target) -> Result<bool> {
    let mut connection = Connection::open(target.address).await?;
    connection.send(&work::call(target, "held", false)).await?;
    let passed_on = match timeout(FIRST_BYTE, connection.first_byte()).await {
        Ok(status) => {
            let (status, name) = (status?, target.kind.name());
            ensure!(status == 200, "{name} refuses the held answer with status {status}");
            true
        }
        Err(_) => false,
    };
    // Released in any case, so that the upstream's connection is free again.
    let mut releasing = Connection::open(upstream.address).await?;
    releasing.succeed(&work::call(upstream, "release", false), 1).await?;
    Ok(passed_on)
}

/// The median times to the first and to the last byte, in microseconds.
async fn times(target: &Target) -> Result<(f64, f64)> {
    let request = Work::Large.request(target);
    let mut connection = Connection::open(target.address).await?;
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for _ in 0..TIMED {
        let sent = now_nanos();
        let answer = connection.succeed(&request, Work::Large.least_body_bytes()).await?;
        first.push((answer.first_byte_nanos - sent) as f64 / 1e3);
        last.push((now_nanos() - sent) as f64 / 1e3);
    }
    let median = |values: Vec<f64>| middle(values).map(|middle| middle.median).context("nothing was timed");
    Ok((median(first)?, median(last)?))
}
