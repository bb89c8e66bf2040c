//! How good a month is: a score from its statistics, every deduction with its reason, and whether to make it again.
//!
//! A deduction's amount is what its part loses. A part is 1 less its deductions, which fall below 0 when many things are
//! wrong at once: the score counts that, and is held to 0 to 1 itself; what is shown of a part stops at 0.

pub mod consistency;
mod dates;
pub mod levels;
mod parts;
#[cfg(test)]
mod tests;
pub mod trend;
pub mod wrong;

use data::fault::Fault;
use jiff::tz::TimeZone;

use self::levels::Verdict;
pub use self::parts::{excluded_share, list};
use crate::{
    Level, Statistics,
    score::{Band, LEAST_SCORE, Part, Parts, Priority, Quality, Reprocess, below, rounded},
};

/// What scoring needs beyond the month's own figures.
#[derive(Clone, Debug)]
pub struct Context {
    /// Time zone of the trading dates.
    pub zone: TimeZone,
    /// Share of the rows excluded around gaps of price ([`excluded_share`]); 0 in profile `session`.
    pub excluded_share: f64,
    /// Below this share of wins a mode is suspect that has no band of its own.
    pub least_win_rate: f64,
}

/// Scores a month, once: by its figures, by what its grid shows (`faults`), and by the price levels of the months around, as
/// far as they are `known`.
pub fn judge(statistics: &mut Statistics, faults: &[Fault], known: &[Level], context: &Context) {
    statistics.levels_around = levels::around(statistics.month, known);
    let level = statistics.level();
    let faults = [faults, &wrong::contracts(statistics)].concat();
    statistics.errors = wrong::list(&faults, &statistics.records, level.as_ref(), &statistics.levels_around);
    if let Some(Verdict::Doubtful(found)) = level.map(|level| levels::judge(&level, &statistics.levels_around)) {
        statistics.warnings.push(found);
    }
    statistics.quality = assess(statistics, context);
}

/// The score of a month, also once warnings, errors or performance were added. `statistics.quality` is not read.
pub fn assess(statistics: &Statistics, context: &Context) -> Quality {
    let mut deductions = Vec::new();
    parts::modes(statistics, context.least_win_rate, &mut deductions);
    parts::data(statistics, &dates::missing_of(statistics, &context.zone), &mut deductions);
    parts::features(statistics, &mut deductions);
    parts::performance(statistics, &mut deductions);
    parts::rolls(statistics, context.excluded_share, &mut deductions);
    let left = |part: Part| {
        let lost: f64 =
            deductions.iter().filter(|deduction| deduction.part == part).map(|deduction| deduction.amount).sum();
        rounded(1.0 - lost)
    };
    let parts = Parts {
        modes: left(Part::Modes),
        data: left(Part::Data),
        features: left(Part::Features),
        performance: left(Part::Performance),
        rolls: left(Part::Rolls),
    };
    let (score, parts) = (parts.score(), parts.shown());
    let reprocess = reprocess(statistics, &parts, score, context.least_win_rate);
    let score = if statistics.errors.is_empty() { score } else { score.min(wrong::MOST_SCORE) };
    Quality { score, parts, band: Band::of(score), reprocess, deductions }
}

/// Whether a mode wins neither too rarely nor too often; no rows are no regular mode.
fn regular(win_rate: Option<f64>, (least, most): (f64, f64)) -> bool {
    win_rate.is_some_and(|rate| (least..=most).contains(&rate))
}

/// A wrong month comes out the same once more: it says itself what to do about it.
fn reprocess(statistics: &Statistics, parts: &Parts, score: f64, least_win_rate: f64) -> Reprocess {
    if !statistics.errors.is_empty() {
        return Reprocess::default();
    }
    let mut reasons = Vec::new();
    for (name, value, least) in [
        ("score", score, LEAST_SCORE),
        ("features", parts.features, 0.6),
        ("data", parts.data, 0.5),
        ("rolls", parts.rolls, 0.5),
    ] {
        reasons.extend(below(name, value, least));
    }
    let labels = statistics.labels();
    for (name, mode) in &statistics.modes {
        let (least, most) = labels.win_rate(name, least_win_rate);
        if regular(mode.win_rate, (least, most)) {
            continue;
        }
        let rate = mode.win_rate.map_or("without rows".into(), |rate| format!("win rate {rate:.3}"));
        reasons.push(format!("{name}: {rate}, outside {least} to {most}"));
    }
    Reprocess::because(reasons, Priority::of(score))
}
