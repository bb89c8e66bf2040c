//! The success criteria: what an archive has to keep, what it kept, and where it was worst.

use super::{
    document::Section,
    table::{Cell, Table, table},
    text,
};
use crate::{
    rules::Rule,
    watch::criteria::{self, CRITERIA, Criterion, Reading, Without},
};

const TEXT: bool = false;
const NUMBER: bool = true;

/// What became of a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Met,
    Missed,
    Unknown,
}

/// The criteria of an archive.
pub struct Success(Vec<Reading>);

impl Success {
    /// Those that these readings keep.
    pub fn of(readings: Vec<Reading>) -> Self {
        Self(readings)
    }

    /// Whether none is missed.
    pub fn passed(&self) -> bool {
        CRITERIA.iter().all(|criterion| self.verdict(criterion) != Verdict::Missed)
    }

    fn verdict(&self, criterion: &Criterion) -> Verdict {
        let mut verdict = None;
        for &(rule, limit) in criterion.limits {
            let Some(reading) = criteria::worst(rule, &self.0) else { continue };
            if !limit.keeps(reading.value) {
                return Verdict::Missed;
            }
            verdict = Some(Verdict::Met);
        }
        verdict.unwrap_or(match criterion.without {
            Without::Missed => Verdict::Missed,
            Without::Met => Verdict::Met,
            Without::Unknown => Verdict::Unknown,
        })
    }

    /// They as a part of a report.
    pub fn section(&self) -> Section {
        let count = |verdict| CRITERIA.iter().filter(|criterion| self.verdict(criterion) == verdict).count();
        let (missed, unknown, all) = (count(Verdict::Missed), count(Verdict::Unknown), CRITERIA.len());
        let mut said = match (missed, unknown) {
            (0, 0) => format!("All {all} are met."),
            (0, _) => format!("{} of {all} are met.", all - unknown),
            _ => format!("{missed} of {all} are missed."),
        };
        let unknown = CRITERIA.iter().filter(|criterion| self.verdict(criterion) == Verdict::Unknown);
        let names: Vec<String> = unknown.map(|criterion| criterion.name.to_lowercase()).collect();
        if !names.is_empty() {
            said += &format!(" Not measured: {}.", names.join(", "));
        }
        Section::new("success", "Success criteria", self.table()).saying([said])
    }

    fn table(&self) -> Table {
        let headers =
            [("Criterion", TEXT), ("Limit", TEXT), ("Measured", NUMBER), ("Met", TEXT), ("Worst, or of what", TEXT)];
        table(headers, CRITERIA.iter().map(|criterion| self.row(criterion)), "")
    }

    fn row(&self, criterion: &Criterion) -> Vec<Cell> {
        let verdict = self.verdict(criterion);
        let readings: Vec<(Rule, &Reading)> =
            criterion.limits.iter().filter_map(|&(rule, _)| Some((rule, criteria::worst(rule, &self.0)?))).collect();
        let limits = criterion.limits.iter().map(|&(rule, limit)| {
            let (word, number) = limit.parts();
            format!("{word} {}", shown(rule, number))
        });
        // Of a criterion with two figures both are shown; a number that can be reckoned with is that of one.
        let measured = match readings[..] {
            [] => Cell::number(None, |_| String::new()),
            // In the unit of its metric, which is that of the statistics.
            [(rule, reading)] => Cell::number(Some(reading.value * rule.metric().1), |_| shown(rule, reading.value)),
            _ => Cell::text(joined(readings.iter().map(|(rule, reading)| shown(*rule, reading.value)))),
        };
        let met = match verdict {
            Verdict::Met => Cell::must(true),
            Verdict::Missed => Cell::must(false),
            Verdict::Unknown => Cell::text("not measured"),
        };
        let note = match readings[..] {
            [] => nothing(criterion).to_owned(),
            _ => joined(readings.iter().map(|(_, reading)| reading.note.clone())),
        };
        vec![
            Cell::text(criterion.name),
            Cell::text(joined(limits)),
            measured.faulty_if(verdict == Verdict::Missed),
            met,
            Cell::text(note),
        ]
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

/// Why a criterion has no figure.
fn nothing(criterion: &Criterion) -> &'static str {
    match (criterion.without, criterion.name) {
        (Without::Missed, _) => "no month is published",
        (Without::Unknown, _) => "scripts/guide was not run with these sources",
        (Without::Met, "Roll detection") => "no roll",
        (Without::Met, _) => "no month has failed",
    }
}

/// A value of a rule in its unit.
fn shown(rule: Rule, value: f64) -> String {
    match rule {
        Rule::MemoryGb => text::bytes((value * 1e9) as u64),
        Rule::MonthMinutes if value < 1.0 => format!("{:.2} s", 60.0 * value),
        Rule::MonthMinutes => format!("{value:.1} min"),
        Rule::Quality | Rule::ScoreDeviation => text::fixed(value, 3),
        Rule::MonthsUnlike => format!("{value:.0}"),
        Rule::Documentation => if value >= 1.0 { "passed" } else { "failed" }.to_owned(),
        _ => text::percent(value, 1),
    }
}
