//! What became of the months of a run.

use std::time::Instant;

use data::Month;
use serde::Serialize;

use statistics::Statistics;

/// What became of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Published now.
    Published,
    /// Published before from the same input and settings.
    Unchanged,
    /// Published by another worker meanwhile.
    ByAnother,
    /// Kept aside: its score is under the threshold (`--gate`).
    Withheld,
    /// Rolled back, and kept so.
    Pinned,
    /// Would be made (`--dry-run`).
    Planned,
    /// No raw file of it was found.
    NoInput,
    /// See the error.
    Failed,
}

/// One line of the result.
#[derive(Clone, Debug, Serialize)]
pub struct MonthResult {
    /// The month.
    pub month: Month,
    /// What became of it.
    pub outcome: Outcome,
    /// Its raw files.
    pub inputs: Vec<String>,
    /// Version that is current in the store, or withheld.
    pub version: Option<String>,
    /// Its rows.
    pub rows: Option<u64>,
    /// Quality score.
    pub score: Option<f64>,
    /// Requests to the store that were repeated.
    pub retries: u64,
    /// Why it failed or was withheld.
    pub error: Option<String>,
    /// What makes it wrong, where it was made now.
    pub wrong: Vec<String>,
}

/// One line a month, for those who see no bar.
pub fn log(result: &MonthResult, statistics: Option<&Statistics>, done: usize, of: usize, began: Instant) {
    let elapsed = began.elapsed();
    let left = elapsed.mul_f64((of - done) as f64 / done as f64);
    let MonthResult { month, outcome, .. } = result;
    let what = statistics.map_or_else(String::new, |statistics| {
        format!(
            ": {} rows, quality {:.3}, {:.2} s",
            statistics.rows(),
            statistics.quality.score,
            statistics.performance.seconds
        )
    });
    tracing::info!(
        "{month} {}{what}; {done} of {of}, {:.0} s elapsed, {:.0} s left",
        outcome.text(),
        elapsed.as_secs_f64(),
        left.as_secs_f64()
    );
}

/// How many months came to what.
pub fn tally(results: &[MonthResult]) -> String {
    let all = [
        Outcome::Published,
        Outcome::Unchanged,
        Outcome::ByAnother,
        Outcome::Withheld,
        Outcome::Pinned,
        Outcome::Planned,
        Outcome::NoInput,
        Outcome::Failed,
    ];
    let count = |outcome: Outcome| results.iter().filter(|result| result.outcome == outcome).count();
    let parts = all.into_iter().filter(|&outcome| count(outcome) > 0);
    let parts: Vec<String> = parts.map(|outcome| format!("{} {}", count(outcome), outcome.text())).collect();
    format!("{} months: {}", results.len(), parts.join(", "))
}

impl Outcome {
    /// In words.
    fn text(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
            Self::ByAnother => "published by another worker",
            Self::Withheld => "withheld",
            Self::Pinned => "rolled back, kept; --force replaces it",
            Self::Planned => "would be built",
            Self::NoInput => "no input",
            Self::Failed => "failed",
        }
    }
}

impl MonthResult {
    /// What is current of it now.
    pub fn note(&mut self, outcome: Outcome, version: &str, rows: u64, score: f64) {
        self.outcome = outcome;
        self.version = Some(version.to_owned());
        self.rows = Some(rows);
        self.score = Some(score);
    }
}

/// One line of the result, for people.
pub fn print(result: &MonthResult) {
    let MonthResult { month, outcome, inputs, version, rows, score, error, wrong, .. } = result;
    let outcome = outcome.text();
    // A withheld month says so itself.
    for wrong in wrong.iter().filter(|_| error.is_none()) {
        println!("{month}  {wrong}");
    }
    match (version, rows, score, error) {
        (Some(version), Some(rows), Some(score), None) => {
            println!("{month}  {outcome}  {rows} rows  quality {score:.3}  {version}")
        }
        (.., Some(error)) => println!("{month}  {outcome}: {error}"),
        _ => println!("{month}  {outcome} from {}", inputs.join(", ")),
    }
}
