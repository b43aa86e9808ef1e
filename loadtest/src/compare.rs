//! `loadtest compare`: the same work on everything in turn, in rounds, and one table for each kind of work.
//!
//! Rounds go through all targets before the next begins, and each begins with another one, so that whatever else the
//! machine does falls on all of them alike. What must stay true: a target is asked once before it is loaded, so that a
//! wrong setting shows as the refusal it is and not as a strange figure.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail};

use crate::{
    client::{Outcome, closed, connection::Connection, open},
    stage::{Kind, Stage, Target},
    table::{Row, comparison},
    work::{Pace, Work},
};

/// How long a target is loaded before its cost counts: pools fill, code becomes warm.
const WARM_UP: Duration = Duration::from_secs(1);

/// How a comparison is run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How often each target has its turn.
    pub rounds: usize,
    /// How long a turn is.
    pub length: Duration,
    /// What is asked.
    pub work: Vec<Work>,
    /// Of what.
    pub kinds: Vec<Kind>,
    /// Requests a second of the work with a constant rate.
    pub rate: u64,
}

/// Runs a comparison and prints its tables.
pub async fn run(binary: &Path, plan: &Plan) -> Result<()> {
    let stage = Stage::with(binary, &plan.kinds).await?;
    for target in &stage.targets {
        eprintln!("{} is process {}", target.kind.name(), target.pid);
    }
    let mut wrong = Vec::new();
    for work in &plan.work {
        for target in &stage.targets {
            ask_once(target, *work).await?;
        }
        let rows = all_rounds(&stage.targets, *work, plan).await?;
        println!("\n{}", work.describe());
        print!("{}", comparison(&rows, matches!(work, Work::Single | Work::Steady)));
        wrong.extend(rows.iter().flat_map(failures));
    }
    println!();
    for (kind, reason) in &stage.skipped {
        println!("{}: {reason}", kind.name());
    }
    println!("Compare ratios within this run only: absolute figures move with the machine and the day.");
    stage.close().await?;
    if let Some(first) = wrong.first() {
        bail!("some answers were wrong or missing; the first: {first}");
    }
    Ok(())
}

/// One turn of one target.
pub async fn turn(target: &Target, work: Work, rate: u64, length: Duration) -> Result<Outcome> {
    match work.pace() {
        Pace::Closed | Pace::Connecting => closed::run(target, work, WARM_UP, length).await,
        Pace::Open => open::run(target, work, rate, WARM_UP, length).await,
    }
}

/// Asks once, over a connection of its own.
pub async fn ask_once(target: &Target, work: Work) -> Result<()> {
    let mut connection = Connection::open(target.address).await?;
    let answered = connection.succeed(&work.request(target), work.least_body_bytes()).await;
    answered.with_context(|| format!("{} cannot do {work:?}", target.kind.name()))?;
    Ok(())
}

async fn all_rounds(targets: &[Target], work: Work, plan: &Plan) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> =
        targets.iter().map(|target| Row { kind: target.kind, rounds: Vec::new() }).collect();
    for round in 0..plan.rounds {
        for turn_of in 0..targets.len() {
            let at = (round + turn_of) % targets.len();
            let outcome = turn(&targets[at], work, plan.rate, plan.length).await?;
            eprintln!("round {}, {}: {:.0}/s", round + 1, targets[at].kind.name(), outcome.rate());
            rows[at].rounds.push(outcome);
        }
    }
    Ok(rows)
}

fn failures(row: &Row) -> impl Iterator<Item = String> {
    let name = row.kind.name();
    row.rounds.iter().filter_map(move |outcome| Some(format!("{name}: {}", outcome.first_failure.as_ref()?)))
}
