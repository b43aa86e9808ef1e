//! The table of a run: one row a target, medians over the rounds with their spread, ratios within the run.
//!
//! Only the ratios carry over to another machine, or to another day on the same one; the page that explains the figures
//! says so, and so does the last line of every run.

use crate::{
    client::Outcome,
    stage::Kind,
    statistics::{Middle, middle},
};

/// A target with what each round came to.
#[derive(Debug)]
pub struct Row {
    /// The target.
    pub kind: Kind,
    /// One outcome a round.
    pub rounds: Vec<Outcome>,
}

/// The columns of a comparison.
const HEADINGS: [&str; 12] = [
    "target",
    "CPU µs",
    "spread",
    "x nginx",
    "x forwarder",
    "requests/s",
    "p50 µs",
    "p99 µs",
    "p99.9 µs",
    "+p50 µs",
    "RSS MiB",
    "failed",
];

/// The table of one kind of work. With `added`, the median latency above that of the splice is shown, which means
/// something only where nothing queues.
pub fn comparison(rows: &[Row], added: bool) -> String {
    let cpu = |kind| rows.iter().find(|row| row.kind == kind).and_then(|row| row.middle(Outcome::cpu_micros));
    let (nginx, forwarder) = (cpu(Kind::Nginx), cpu(Kind::Forwarder));
    let splice =
        rows.iter().find(|row| row.kind == Kind::Splice).and_then(|row| row.latency(0.5)).filter(|_| added);
    let mut lines = vec![HEADINGS.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(|row| row.cells(nginx, forwarder, splice)));
    aligned(&lines)
}

impl Row {
    fn cells(&self, nginx: Option<Middle>, forwarder: Option<Middle>, splice: Option<f64>) -> Vec<String> {
        let cpu = self.middle(Outcome::cpu_micros);
        // The upstream's own cost is shown for orientation; it does another job, so it has no ratio.
        let ratio = |to: Option<Middle>| match (cpu, to) {
            (Some(cpu), Some(to)) if self.kind != Kind::Direct && to.median > 0.0 => {
                Some(cpu.median / to.median)
            }
            _ => None,
        };
        let above = splice.zip(self.latency(0.5)).map(|(splice, own)| own - splice);
        let resident =
            self.middle(|outcome| outcome.resident_kib as f64 / 1024.0).map(|resident| resident.median);
        let failed: u64 = self.rounds.iter().map(|outcome| outcome.failures).sum();
        vec![
            self.kind.name().to_owned(),
            figure(cpu.map(|cpu| cpu.median), 1),
            cpu.map_or_else(missing, |cpu| format!("{:.0} %", cpu.spread * 100.0)),
            figure(ratio(nginx), 2),
            figure(ratio(forwarder), 2),
            figure(self.middle(Outcome::rate).map(|rate| rate.median), 0),
            figure(self.latency(0.5), 0),
            figure(self.latency(0.99), 0),
            figure(self.latency(0.999), 0),
            figure(above, 0),
            figure(resident, 1),
            failed.to_string(),
        ]
    }

    /// The middle over the rounds that had an answer.
    fn middle(&self, value: impl Fn(&Outcome) -> f64) -> Option<Middle> {
        middle(self.rounds.iter().filter(|outcome| outcome.answers > 0).map(value))
    }

    fn latency(&self, share: f64) -> Option<f64> {
        self.middle(|outcome| outcome.latency_micros(share)).map(|latency| latency.median)
    }
}

/// Lines of cells as columns: the first to the left, the others to the right.
pub fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
            text += &if column == 0 { format!("  {cell:<width$}") } else { format!("  {cell:>width$}") };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

fn figure(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(missing, |value| format!("{value:.digits$}"))
}

fn missing() -> String {
    "-".to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::histogram;

    fn row(kind: Kind, cpu_micros: [u64; 3], latency_micros: u64) -> Row {
        let outcome = |cpu_micros: u64| {
            let mut latency = histogram();
            latency.saturating_record(latency_micros * 1_000);
            Outcome {
                answers: 1_000,
                failures: 0,
                first_failure: None,
                elapsed: Duration::from_secs(1),
                cpu: Duration::from_millis(cpu_micros),
                resident_kib: 2_048,
                latency,
            }
        };
        Row { kind, rounds: cpu_micros.map(outcome).into() }
    }

    #[test]
    fn ratios_are_of_medians_in_the_same_run() {
        let rows = [
            row(Kind::Direct, [5, 5, 5], 40),
            row(Kind::Splice, [10, 10, 10], 50),
            row(Kind::Forwarder, [16, 16, 99], 60),
            row(Kind::Nginx, [20, 19, 21], 70),
            row(Kind::Written, [24, 25, 26], 80),
        ];
        let text = comparison(&rows, true);
        let cells = |name: &str| {
            let line = text.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.trim_start().strip_prefix(name).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(cells("portcullis written"), "25.0 8 % 1.25 1.56 1000 80 80 80 30 2.0 0");
        assert_eq!(cells("direct"), "5.0 0 % - - 1000 40 40 40 -10 2.0 0");
    }

    #[test]
    fn a_target_without_an_answer_has_no_figures() {
        let mut refused = row(Kind::Synced, [1, 1, 1], 1);
        for outcome in &mut refused.rounds {
            (outcome.answers, outcome.failures) = (0, 7);
        }
        let text = comparison(&[refused], false);
        let cells: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(cells, ["portcullis", "synced", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "21"]);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let lines = [vec!["a".to_owned(), "µs".to_owned()], vec!["bcd".to_owned(), "1".to_owned()]];
        assert_eq!(aligned(&lines), "  a    µs\n  bcd   1\n");
    }
}
