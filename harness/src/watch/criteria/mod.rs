//! The success criteria of the runbook: one table, from which the report, the alert rules and the metrics follow.

mod guide;
mod measure;

pub use self::measure::{Reading, Sight};
use crate::rules::{Rule, Thresholds};

/// What a figure has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Less than this.
    Under(f64),
    /// This or less.
    Most(f64),
    /// This or more.
    Least(f64),
    /// More than this.
    Above(f64),
}

use Limit::{Above, Least, Most, Under};

impl Limit {
    /// Whether a figure keeps it.
    pub fn keeps(self, value: f64) -> bool {
        match self {
            Under(limit) => value < limit,
            Most(limit) => value <= limit,
            Least(limit) => value >= limit,
            Above(limit) => value > limit,
        }
    }

    /// It in a word, and its number.
    pub fn parts(self) -> (&'static str, f64) {
        match self {
            Under(limit) => ("under", limit),
            Most(limit) => ("at most", limit),
            Least(limit) => ("at least", limit),
            Above(limit) => ("above", limit),
        }
    }
}

/// One criterion: its figures are those of its alert rules, in their units.
#[derive(Debug)]
pub struct Criterion {
    /// Its name.
    pub name: &'static str,
    /// Its figures and their limits.
    pub limits: &'static [(Rule, Limit)],
    /// What it means that there is nothing to measure.
    pub without: Without,
}

/// What it means that there is nothing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// Nothing is published: the criterion is missed.
    Missed,
    /// Nothing that could have gone wrong has happened: it is met.
    Met,
    /// Nobody knows.
    Unknown,
}

const fn criterion(name: &'static str, limits: &'static [(Rule, Limit)], without: Without) -> Criterion {
    Criterion { name, limits, without }
}

/// All of them.
pub const CRITERIA: [Criterion; 12] = [
    criterion("Peak memory", &[(Rule::MemoryGb, Under(8.0))], Without::Missed),
    criterion("Time of a month", &[(Rule::MonthMinutes, Under(30.0))], Without::Missed),
    criterion(
        "Win rates, all modes",
        &[(Rule::WinRateLow, Least(0.05)), (Rule::WinRateHigh, Most(0.5))],
        Without::Missed,
    ),
    criterion("Quality", &[(Rule::Quality, Above(0.8))], Without::Missed),
    criterion("NaN share, features with a window", &[(Rule::NanShare, Under(0.35))], Without::Missed),
    criterion("Error rate", &[(Rule::FailureRate, Under(0.02))], Without::Missed),
    criterion("Roll detection", &[(Rule::RollDetection, Above(0.95))], Without::Met),
    criterion("Availability", &[(Rule::Availability, Least(0.995))], Without::Missed),
    criterion("Consistency", &[(Rule::ScoreDeviation, Most(0.05)), (Rule::MonthsUnlike, Most(0.0))], Without::Missed),
    criterion("Automatic recovery", &[(Rule::Recovery, Least(0.95))], Without::Met),
    criterion("Coverage", &[(Rule::Coverage, Least(1.0))], Without::Missed),
    criterion("Documentation", &[(Rule::Documentation, Least(1.0))], Without::Unknown),
];

/// Of the criteria, those with an alert rule in force for each of their figures. A rule has a metric.
fn covered(thresholds: &Thresholds) -> usize {
    let covered = |criterion: &&Criterion| criterion.limits.iter().all(|&(rule, _)| thresholds.in_force(rule));
    CRITERIA.iter().filter(covered).count()
}

/// The readings of a rule: the worst.
pub fn worst(rule: Rule, readings: &[Reading]) -> Option<&Reading> {
    let of_rule = readings.iter().filter(|reading| reading.rule == rule);
    of_rule.reduce(|worst, next| if rule.worse(next.value, worst.value) { next } else { worst })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_a_criterion_is_where_its_alert_begins() {
        let thresholds = Thresholds::default();
        for criterion in &CRITERIA {
            for &(rule, limit) in criterion.limits {
                let (_, number) = limit.parts();
                assert_eq!(thresholds.of(rule).warning, Some(number), "{}: {rule:?}", criterion.name);
                let floor = matches!(limit, Least(_) | Above(_));
                assert_eq!(rule.is_floor(), floor, "{}: {rule:?}", criterion.name);
            }
        }
    }

    #[test]
    fn a_rule_that_is_switched_off_leaves_its_criterion_uncovered() {
        let of = |text: &str| covered(&toml::from_str(text).unwrap());
        assert_eq!([of(""), of("availability = {}"), of("disk_gb = {}")], [12, 11, 12]);
        assert_eq!(of("win_rate_low = {}\nwin_rate_high = {}\nmonths_unlike = {}"), 10);
    }

    #[test]
    fn a_limit_is_kept_on_the_side_it_names() {
        for (limit, kept) in [(Under(1.0), [true, false, false]), (Most(1.0), [true, true, false])] {
            assert_eq!([0.9, 1.0, 1.1].map(|value| limit.keeps(value)), kept, "{limit:?}");
        }
        for (limit, kept) in [(Least(1.0), [false, true, true]), (Above(1.0), [false, false, true])] {
            assert_eq!([0.9, 1.0, 1.1].map(|value| limit.keeps(value)), kept, "{limit:?}");
        }
    }
}
