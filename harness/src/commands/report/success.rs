//! What became of each success criterion, by the readings of its alert rules.

use report::{
    success::{Line, Verdict},
    table::Cell,
    text,
};

use crate::{
    rules::Rule,
    watch::criteria::{self, CRITERIA, Criterion, Reading, Without},
};

/// Every criterion by these readings.
pub fn lines(readings: &[Reading]) -> Vec<Line> {
    CRITERIA.iter().map(|criterion| line(criterion, readings)).collect()
}

fn line(criterion: &Criterion, readings: &[Reading]) -> Line {
    let worst: Vec<(Rule, &Reading)> =
        criterion.limits.iter().filter_map(|&(rule, _)| Some((rule, criteria::worst(rule, readings)?))).collect();
    let limits = criterion.limits.iter().map(|&(rule, limit)| {
        let (word, number) = limit.parts();
        format!("{word} {}", shown(rule, number))
    });
    // Of a criterion with two figures both are shown; a number that can be reckoned with is that of one.
    let measured = match worst[..] {
        [] => Cell::number(None, |_| String::new()),
        // In the unit of its metric, which is that of the statistics.
        [(rule, reading)] => Cell::number(Some(reading.value * rule.metric().1), |_| shown(rule, reading.value)),
        _ => Cell::text(joined(worst.iter().map(|(rule, reading)| shown(*rule, reading.value)))),
    };
    let note = match worst[..] {
        [] => nothing(criterion).to_owned(),
        _ => joined(worst.iter().map(|(_, reading)| reading.note.clone())),
    };
    Line { name: criterion.name, limit: joined(limits), measured, verdict: verdict(criterion, readings), note }
}

fn verdict(criterion: &Criterion, readings: &[Reading]) -> Verdict {
    let mut verdict = None;
    for &(rule, limit) in criterion.limits {
        let Some(reading) = criteria::worst(rule, readings) else { continue };
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
