//! `loadtest soak`: half of what the gateway can do, for a long time, and then its record is verified.
//!
//! Memory has to stay flat and descriptors have to come back. What must stay true: the verdict compares the run with
//! itself, early against late, so it holds on any machine.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    client::{closed, open},
    clock::{SECOND, now_nanos},
    measure,
    stage::{Kind, Stage, Target},
    statistics::middle,
    work::Work,
};

/// How long the target is filled to find out what it can do.
const FULL: Duration = Duration::from_secs(5);

/// Readings over a run.
const READINGS: u32 = 60;

/// The shortest time between two readings.
const SHORTEST: Duration = Duration::from_millis(500);

/// How much more memory the last third may hold than the first, as a share; allocators breathe.
const GROWTH: f64 = 0.10;

/// What is always allowed on top, in KiB: a share of a small process would be noise.
const GROWTH_KIB: f64 = 4.0 * 1024.0;

/// How many more descriptors there may be at the end than when the load had begun.
const MORE_DESCRIPTORS: usize = 8;

/// What the process held at one moment.
#[derive(Clone, Copy, Debug)]
struct Reading {
    after: Duration,
    resident_kib: u64,
    descriptors: usize,
}

/// Runs for `length`, prints what the process holds meanwhile, and says whether it stayed flat and verifies.
pub async fn run(binary: &Path, length: Duration, kind: Kind) -> Result<()> {
    ensure!(matches!(kind, Kind::Written | Kind::Synced), "only the gateway has a record to verify");
    let stage = Stage::with(binary, &[kind]).await?;
    let target = stage.targets.first().context("the gateway was started")?.clone();
    let full = closed::run(&target, Work::Small, FULL, FULL).await?;
    let rate = full.answers / FULL.as_secs() / 2;
    println!("{}: {:.0}/s at most, so {rate}/s for {} s", kind.name(), full.rate(), length.as_secs());

    let load = open::run(&target, Work::Small, rate, Duration::ZERO, length);
    let (outcome, readings) = tokio::join!(load, watch(&target, length));
    let (outcome, readings) = (outcome?, readings?);
    println!(
        "{} answers, {} failed, {:.0}/s; latency from when due: p50 {:.0} µs, p99 {:.0} µs, p99.9 {:.0} µs",
        outcome.answers,
        outcome.failures,
        outcome.rate(),
        outcome.latency_micros(0.5),
        outcome.latency_micros(0.99),
        outcome.latency_micros(0.999)
    );
    let (stopped, _root) = stage.close().await?;
    let stopped = stopped.first().context("one gateway was started")?;
    ensure!(stopped.status.success(), "the gateway did not stop well: {}", stopped.status);
    let verified = stopped.verify_audit().await.context("the audit does not verify")?;
    println!("audit: {}", verified.trim());
    judge(&readings)?;
    if let Some(failure) = outcome.first_failure {
        bail!("{} calls failed; the first: {failure}", outcome.failures);
    }
    println!("flat: memory and descriptors at the end are those of the beginning");
    Ok(())
}

/// Reads what the process holds, over `length`.
async fn watch(target: &Target, length: Duration) -> Result<Vec<Reading>> {
    let mut ticks = interval((length / READINGS).max(SHORTEST));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let began = now_nanos();
    let mut readings = Vec::new();
    ticks.tick().await; // the first is at once, before there is any load
    loop {
        ticks.tick().await;
        let after = Duration::from_nanos(now_nanos() - began);
        if after >= length {
            return Ok(readings);
        }
        let (resident_kib, descriptors) =
            (measure::resident_kib(target.pid)?, measure::descriptors(target.pid)?);
        let minutes = (now_nanos() - began) as f64 / (60.0 * SECOND as f64);
        println!(
            "{minutes:>7.2} min  {:>8.1} MiB  {descriptors:>5} descriptors",
            resident_kib as f64 / 1024.0
        );
        readings.push(Reading { after, resident_kib, descriptors });
    }
}

/// Compares the late readings with the early ones.
fn judge(readings: &[Reading]) -> Result<()> {
    let third = readings.len() / 3;
    ensure!(third > 0, "too short to judge: {} readings", readings.len());
    let (early, late) = (&readings[..third], &readings[readings.len() - third..]);
    let memory = |part: &[Reading]| middle(part.iter().map(|reading| reading.resident_kib as f64));
    let (before, after) = memory(early).zip(memory(late)).context("a third of the readings is not empty")?;
    let allowed = before.median * (1.0 + GROWTH) + GROWTH_KIB;
    let since = late[0].after.as_secs();
    ensure!(
        after.median <= allowed,
        "memory grows: {:.0} KiB at first, {:.0} KiB since second {since}",
        before.median,
        after.median
    );
    let most = |part: &[Reading]| part.iter().map(|reading| reading.descriptors).max().unwrap_or_default();
    ensure!(
        most(late) <= most(early) + MORE_DESCRIPTORS,
        "descriptors leak: {} at first, {} since second {since}",
        most(early),
        most(late)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(resident_kib: impl Fn(u64) -> u64, descriptors: impl Fn(u64) -> usize) -> Vec<Reading> {
        let reading = |second| Reading {
            after: Duration::from_secs(second),
            resident_kib: resident_kib(second),
            descriptors: descriptors(second),
        };
        (0..60).map(reading).collect()
    }

    #[test]
    fn what_breathes_is_flat_and_what_grows_is_not() {
        judge(&readings(|second| 20_000 + second % 7 * 300, |_| 70)).unwrap();
        let grows = judge(&readings(|second| 20_000 + second * 300, |_| 70)).unwrap_err();
        assert!(grows.to_string().contains("memory grows"), "{grows}");
    }

    #[test]
    fn a_descriptor_lost_every_second_is_a_leak() {
        let leaks = judge(&readings(|_| 20_000, |second| 70 + usize::try_from(second).unwrap())).unwrap_err();
        assert!(leaks.to_string().contains("descriptors leak"), "{leaks}");
    }

    #[test]
    fn two_readings_are_too_few_to_judge() {
        assert!(judge(&readings(|_| 1, |_| 1)[..2]).is_err());
    }
}
