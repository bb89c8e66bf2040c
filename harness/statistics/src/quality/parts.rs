//! The deductions of each part.

use data::grid::Grid;
use jiff::civil::Date;

use super::regular;
use crate::{
    FeatureStatistics, Statistics, feature_ranges,
    score::{Deduction, Part},
};

/// Features with a larger share of outliers count as faulty.
const MOST_OUTLIERS: f64 = 0.05;

/// Names spelt out in one reason.
const NAMED: usize = 5;

const GB: f64 = 1e9;

fn deduct(deductions: &mut Vec<Deduction>, part: Part, amount: f64, reason: String) {
    if amount > 0.0 {
        deductions.push(Deduction { part, amount, reason });
    }
}

/// The last step whose limit `value` exceeds, steps in rising order: (limit, amount).
fn step(value: f64, steps: &[(f64, f64)]) -> Option<(f64, f64)> {
    steps.iter().rev().find(|(limit, _)| value > *limit).copied()
}

/// A few names in words.
pub fn list(names: &[String]) -> String {
    match names.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", names[..NAMED].join(", ")),
        _ => names.join(", "),
    }
}

/// M: the mean over the modes.
pub fn modes(statistics: &Statistics, least: f64, deductions: &mut Vec<Deduction>) {
    let labels = statistics.labels();
    let count = labels.specification.modes().len() as f64;
    let mut deduct = |amount: f64, reason: String| deduct(deductions, Part::Modes, amount / count, reason);
    for name in labels.specification.modes().iter().map(|mode| &*mode.name) {
        let Some(mode) = statistics.modes.get(name) else {
            deduct(1.0, format!("{name}: not measured"));
            continue;
        };
        let (least, most) = labels.win_rate(name, least);
        if !regular(mode.win_rate, (least, most)) {
            let rate = mode.win_rate.map_or("no win rate, having no rows".into(), |rate| format!("win rate {rate:.3}"));
            deduct(0.5, format!("{name}: {rate}, outside {least} to {most}"));
        }
        if !mode.finite {
            deduct(0.3, format!("{name}: a weight is NaN or infinite"));
        }
        if !mode.labels_binary {
            deduct(0.2, format!("{name}: a label is neither 0 nor 1"));
        }
        if !mode.weights_positive {
            deduct(0.2, format!("{name}: a weight is not above 0"));
        }
    }
}

/// D: what was read.
pub fn data(statistics: &Statistics, missing: &[Date], deductions: &mut Vec<Deduction>) {
    let mut deduct = |amount: f64, reason: String| deduct(deductions, Part::Data, amount, reason);
    let rows = statistics.rows().max(1) as f64;
    let filled = statistics.sessions.iter().map(|session| session.filled_rows).sum::<u64>() as f64 / rows;
    if let Some((limit, amount)) = step(filled, &[(0.3, 0.1), (0.5, 0.3), (0.7, 0.5)]) {
        deduct(amount, format!("{filled:.3} of the session seconds are filled, more than {limit}"));
    }
    let records = &statistics.records;
    let dropped = records.dropped() as f64 / records.total.max(1) as f64;
    if let Some((limit, amount)) = step(dropped, &[(0.001, 0.1), (0.01, 0.3)]) {
        deduct(amount, format!("{dropped:.4} of the records were dropped by cleaning, more than {limit}"));
    }
    if !missing.is_empty() {
        let dates: Vec<String> = missing.iter().map(Date::to_string).collect();
        deduct(0.05 * missing.len() as f64, format!("weekdays without a session: {}", list(&dates)));
    }
    for warning in &statistics.warnings {
        deduct(0.05, format!("warning: {warning}"));
    }
}

/// F: a mean of four, less what the NaN ceilings cost. A feature without a value is not there, and all NaN.
pub fn features(statistics: &Statistics, deductions: &mut Vec<Deduction>) {
    let mut deduct = |amount: f64, reason: String| deduct(deductions, Part::Features, amount, reason);
    let features: Vec<_> = feature_ranges::names().map(|name| (name, statistics.features.get(name))).collect();
    let count = features.len() as f64;
    let share = |names: &[String]| names.len() as f64 / count / 4.0;
    let nan_share = |found: &Option<_>| found.map_or(1.0, |found: &FeatureStatistics| found.nan_share);
    let which = |faulty: &dyn Fn(&FeatureStatistics) -> bool| -> Vec<String> {
        let faulty = features.iter().filter(|(_, found)| found.is_some_and(faulty));
        faulty.map(|(name, _)| (*name).to_owned()).collect()
    };

    let absent = features.iter().filter(|(_, found)| found.is_none_or(|found| found.nan_share >= 1.0));
    let absent: Vec<String> = absent.map(|(name, _)| (*name).to_owned()).collect();
    deduct(share(&absent), format!("features without a value: {}", list(&absent)));

    let mean = features.iter().map(|(_, found)| nan_share(found)).sum::<f64>() / count;
    let most = features.iter().map(|(name, found)| (nan_share(found), *name));
    let most = most.reduce(|most, next| if next.0 > most.0 { next } else { most });
    if let Some((most, name)) = most {
        deduct(mean / 4.0, format!("mean NaN share {mean:.4}, the most in {name} ({most:.4})"));
    }

    let outliers = which(&|feature| feature.outliers.is_some_and(|share| share > MOST_OUTLIERS));
    deduct(share(&outliers), format!("more than {MOST_OUTLIERS} outliers: {}", list(&outliers)));
    let out_of_range = which(&|feature| !feature.in_range);
    deduct(share(&out_of_range), format!("out of range: {}", list(&out_of_range)));

    let ceiling = |name: &str| feature_ranges::nan_ceiling(name).unwrap_or(1.0);
    let above = features.iter().filter(|(name, found)| nan_share(found) > ceiling(name));
    let above: Vec<String> = above.map(|(name, _)| (*name).to_owned()).collect();
    if let Some((limit, amount)) = step(above.len() as f64, &[(2.0, 0.1), (5.0, 0.2)]) {
        deduct(amount, format!("more than {limit} features above their NaN ceiling: {}", list(&above)));
    }
}

/// P: time and memory.
pub fn performance(statistics: &Statistics, deductions: &mut Vec<Deduction>) {
    let mut deduct = |amount: f64, reason: String| deduct(deductions, Part::Performance, amount, reason);
    let minutes = statistics.performance.seconds / 60.0;
    if let Some((limit, amount)) = step(minutes, &[(30.0, 0.2), (45.0, 0.4)]) {
        deduct(amount, format!("the month took {minutes:.1} minutes, more than {limit}"));
    }
    let memory = statistics.performance.peak_rss_bytes.unwrap_or(0) as f64 / GB;
    if let Some((limit, amount)) = step(memory, &[(6.0, 0.1), (8.0, 0.3)]) {
        deduct(amount, format!("peak memory {memory:.1} GB, more than {limit}"));
    }
}

/// R: rolls and gaps of price.
pub fn rolls(statistics: &Statistics, excluded_share: f64, deductions: &mut Vec<Deduction>) {
    let mut deduct = |amount: f64, reason: String| deduct(deductions, Part::Rolls, amount, reason);
    // A roll found as a gap of price has no contracts.
    let unexpected = statistics.rollovers.iter().filter(|roll| roll.expected == Some(false));
    let (by_gap, by_contract): (Vec<_>, Vec<_>) = unexpected.partition(|roll| roll.is_gap());
    for roll in by_contract {
        deduct(0.3, format!("{}: rollover {} -> {} outside the expected window", roll.date, roll.from, roll.to));
    }
    let dates: Vec<String> = by_gap.iter().map(|roll| roll.date.to_string()).collect();
    let reason = format!("{} rollovers by gaps of price outside the expected window: {}", dates.len(), list(&dates));
    deduct(0.3 * dates.len() as f64, reason);
    if let Some((limit, amount)) = step(excluded_share, &[(0.05, 0.1), (0.10, 0.3), (0.15, 0.5)]) {
        deduct(amount, format!("{excluded_share:.3} of the rows are excluded around gaps, more than {limit}"));
    }
}

/// Share of a month's rows from one before to five after a change of close of more than `gap_ticks`: those profile
/// `rolling` does not label.
pub fn excluded_share(grid: &Grid, gap_ticks: i32) -> f64 {
    let (mut excluded, mut next) = (0, 0);
    for gap in (1..grid.rows()).filter(|&row| (grid.close[row] - grid.close[row - 1]).abs() > gap_ticks) {
        // Rows two gaps share count once.
        let rows = (gap - 1).max(next)..(gap + 6).min(grid.rows());
        next = rows.end;
        excluded += rows.len();
    }
    excluded as f64 / grid.rows().max(1) as f64
}
