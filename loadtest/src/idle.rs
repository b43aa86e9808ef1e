//! `loadtest idle`: what an open stream costs that says nothing.
//!
//! The streams are subscriptions, as clients of revision 2026-07-28 hold them. Each target is started anew for each
//! number, so that memory that an earlier number left behind is in none. What must stay true: a stream counts as open
//! only when its first event was there.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    client::{closed, connection::Connection},
    measure,
    stage::{Kind, Stage, Target},
    table::aligned,
    work::{self, Work},
};

/// What is compared: what holds streams of its own.
const KINDS: [Kind; 3] = [Kind::Forwarder, Kind::Nginx, Kind::Synced];

/// Streams of one grant; an agent has a few, and gateways bound them.
const STREAMS_PER_GRANT: usize = 50;

/// Load before the first reading, so that what a process allocates once is not charged to the streams.
const WARM_UP: Duration = Duration::from_secs(2);

/// How long the first event of a stream may take. A gateway that is at its bound of connections leaves the next one
/// waiting, and this is how that shows.
const FIRST_EVENT: Duration = Duration::from_secs(10);

/// How often memory is looked at until it rests.
const LOOKS: u32 = 20;

/// How long between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// Memory rests when it has moved less than this between two looks, in KiB.
const RESTING_KIB: u64 = 64;

/// What a number of streams came to.
struct Held {
    opened: usize,
    refused: Option<String>,
    before_kib: u64,
    after_kib: u64,
    descriptors: usize,
}

/// Holds each number of streams open on each target, and prints a table.
pub async fn run(binary: &Path, numbers: &[usize]) -> Result<()> {
    let headings = ["target", "streams", "open", "KiB each", "RSS before MiB", "RSS with MiB", "descriptors"];
    let mut lines = vec![headings.map(str::to_owned).to_vec()];
    let mut notes = Vec::new();
    for number in numbers {
        for kind in KINDS {
            let stage = Stage::with(binary, &[kind]).await?;
            notes.extend(stage.skipped.iter().map(|(kind, reason)| format!("{}: {reason}", kind.name())));
            if let Some(target) = stage.targets.first() {
                let held = hold(&stage, target, *number).await?;
                lines.push(held.cells(kind, *number));
                notes.extend(
                    held.refused
                        .map(|why| format!("{}, {number} streams: one did not open: {why}", kind.name())),
                );
            }
            stage.close().await?;
        }
    }
    print!("{}", aligned(&lines));
    notes.dedup();
    for note in notes {
        println!("{note}");
    }
    Ok(())
}

/// Opens `number` streams, and reads what they cost once the process rests.
async fn hold(stage: &Stage, target: &Target, number: usize) -> Result<Held> {
    closed::run(target, Work::Small, Duration::ZERO, WARM_UP).await?;
    let before_kib = resting_kib(target.pid).await?;
    let tokens = stage.tokens(target, number.div_ceil(STREAMS_PER_GRANT)).await?;
    let (mut streams, mut refused) = (Vec::with_capacity(number), None);
    for at in 0..number {
        let holder = Target { bearer: tokens[at / STREAMS_PER_GRANT].clone(), ..target.clone() };
        match open(&holder).await {
            Ok(stream) => streams.push(stream),
            Err(error) => {
                refused = Some(format!("{error:#}"));
                break;
            }
        }
    }
    let after_kib = resting_kib(target.pid).await?;
    let descriptors = measure::descriptors(target.pid)?;
    Ok(Held { opened: streams.len(), refused, before_kib, after_kib, descriptors })
}

/// Opens a stream and waits for its first event.
async fn open(target: &Target) -> Result<TcpStream> {
    let mut connection = Connection::open(target.address).await?;
    connection.send(&work::subscription(target)).await?;
    let first = timeout(FIRST_EVENT, connection.first_byte()).await;
    let status = first
        .context("no first event in time: the target may be at its bound of connections or streams")??;
    anyhow::ensure!(status == 200, "status {status}");
    Ok(connection.into_socket())
}

/// The resident memory of a process once it stays, in KiB.
async fn resting_kib(pid: u32) -> Result<u64> {
    let mut last = measure::resident_kib(pid)?;
    for _ in 0..LOOKS {
        sleep(LOOK).await;
        let now = measure::resident_kib(pid)?;
        if now.abs_diff(last) < RESTING_KIB {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

impl Held {
    fn cells(&self, kind: Kind, number: usize) -> Vec<String> {
        let mib = |kib: u64| format!("{:.1}", kib as f64 / 1024.0);
        let each = self.after_kib.saturating_sub(self.before_kib) as f64 / self.opened.max(1) as f64;
        vec![
            kind.name().to_owned(),
            number.to_string(),
            self.opened.to_string(),
            format!("{each:.1}"),
            mib(self.before_kib),
            mib(self.after_kib),
            self.descriptors.to_string(),
        ]
    }
}
