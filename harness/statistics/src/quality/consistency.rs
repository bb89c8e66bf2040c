//! Whether a month is like the archive's others: figures within robust bounds of the archive's median, the price level
//! within those of the months around.

use std::collections::{BTreeMap, BTreeSet};

use data::Month;
use serde::{Deserialize, Serialize};

use crate::Statistics;

/// Months from which an archive has a usual value.
const ENOUGH: usize = 6;
/// Half the width of the bounds in robust standard deviations.
const DEVIATIONS: f64 = 5.0;
/// The median distance from the median, of a normal distribution, in standard deviations.
const MAD: f64 = 1.4826;
/// Months on each side whose price level a month is compared with, and how many times above or below it may be.
const AROUND: usize = 3;
const LEVEL: f64 = 1.5;

/// A figure of one month that is unlike the others'.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unlike {
    /// The month.
    pub month: Month,
    /// The figure.
    pub figure: String,
    /// Its value.
    pub value: f64,
    /// Lowest usual value.
    pub low: f64,
    /// Highest usual value.
    pub high: f64,
}

/// What of a month is held to the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    rows_per_session: Option<f64>,
    filled_share: Option<f64>,
    /// By mode.
    win_rates: BTreeMap<String, Option<f64>>,
    /// Median price, points.
    level: Option<f64>,
}

impl Likeness {
    /// That of a month.
    pub fn of(month: &Statistics) -> Self {
        let (sessions, rows) = (month.sessions.len(), month.rows());
        let filled: u64 = month.sessions.iter().map(|session| session.filled_rows).sum();
        Self {
            rows_per_session: (sessions > 0).then(|| rows as f64 / sessions as f64),
            filled_share: (rows > 0).then(|| filled as f64 / rows as f64),
            win_rates: month.modes.iter().map(|(name, mode)| (name.clone(), mode.win_rate)).collect(),
            level: month.features.get("vwap").and_then(|vwap| vwap.p50),
        }
    }
}

/// One figure: its name, its value in a month, and how far from the median every month may be.
struct Figure {
    name: String,
    value: fn(&Likeness, &str) -> Option<f64>,
    /// What `value` is asked for.
    mode: String,
    /// Share of the median, and in itself.
    floor: (f64, f64),
}

/// The figures that are much alike from month to month.
fn figures(archive: &[(Month, Likeness)]) -> Vec<Figure> {
    let plain = |name: &str, value, floor| Figure { name: name.to_owned(), value, mode: String::new(), floor };
    let mut figures = vec![
        plain("rows per session", |month, _| month.rows_per_session, (0.05, 0.0)),
        plain("share of filled seconds", |month, _| month.filled_share, (0.0, 0.15)),
    ];
    let modes: BTreeSet<&String> = archive.iter().flat_map(|(_, month)| month.win_rates.keys()).collect();
    figures.extend(modes.into_iter().map(|mode| Figure {
        name: format!("win rate of {mode}"),
        value: |month, mode| month.win_rates.get(mode).copied().flatten(),
        mode: mode.clone(),
        floor: (0.0, 0.05),
    }));
    figures
}

/// What is unlike the archive in the months `wanted`; `archive` is in order of month.
pub fn unlike(archive: &[(Month, Likeness)], wanted: &dyn Fn(Month) -> bool) -> Vec<Unlike> {
    let mut unlike = Vec::new();
    for Figure { name, value, mode, floor } in figures(archive) {
        let values: Vec<(Month, f64)> =
            archive.iter().filter_map(|(month, likeness)| Some((*month, value(likeness, &mode)?))).collect();
        if values.len() < ENOUGH {
            continue;
        }
        let middle = median(values.iter().map(|(_, value)| *value));
        let spread = MAD * median(values.iter().map(|(_, value)| (value - middle).abs()));
        let half = (DEVIATIONS * spread).max(floor.0 * middle + floor.1);
        let (low, high) = (middle - half, middle + half);
        let outside = values.iter().filter(|(month, value)| wanted(*month) && !(low..=high).contains(value));
        unlike.extend(outside.map(|&(month, value)| Unlike { month, figure: name.clone(), value, low, high }));
    }
    let levels: Vec<(Month, f64)> =
        archive.iter().filter_map(|(month, likeness)| Some((*month, likeness.level?))).collect();
    for (number, &(month, value)) in levels.iter().enumerate() {
        let (before, after) = (&levels[number.saturating_sub(AROUND)..number], &levels[number + 1..]);
        let around: Vec<f64> = before.iter().chain(after.iter().take(AROUND)).map(|(_, level)| *level).collect();
        if around.len() < AROUND {
            continue;
        }
        let middle = median(around.into_iter());
        let (low, high) = (middle / LEVEL, middle * LEVEL);
        if wanted(month) && !(low..=high).contains(&value) {
            unlike.push(Unlike { month, figure: "median price".into(), value, low, high });
        }
    }
    unlike.sort_by(|a, b| (a.month, &a.figure).cmp(&(b.month, &b.figure)));
    unlike
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// A year of months that are alike but for a little noise.
    fn archive() -> Vec<Statistics> {
        let range: data::MonthRange = "2013-01..2013-12".parse().unwrap();
        let month = |(number, month): (usize, Month)| {
            let mut statistics = Statistics { month, ..fixtures::statistics() };
            for mode in statistics.modes.values_mut() {
                mode.win_rate = Some(0.3 + 0.001 * (number % 5) as f64);
            }
            let vwap = statistics.features.get_mut("vwap").unwrap();
            vwap.p50 = Some(1600.0 + 40.0 * number as f64);
            statistics
        };
        range.iter().enumerate().map(month).collect()
    }

    fn of(archive: &[Statistics], wanted: &dyn Fn(Month) -> bool) -> Vec<Unlike> {
        let archive: Vec<_> = archive.iter().map(|month| (month.month, Likeness::of(month))).collect();
        unlike(&archive, wanted)
    }

    fn after(change: impl Fn(&mut Statistics)) -> Vec<(String, String)> {
        let mut archive = archive();
        change(&mut archive[7]);
        of(&archive, &|_| true).into_iter().map(|unlike| (unlike.month.to_string(), unlike.figure)).collect()
    }

    #[test]
    fn a_month_like_the_others_is_not_named() {
        assert_eq!(after(|_| {}), []);
        assert_eq!(after(|month| month.modes.get_mut("low_vol_long").unwrap().win_rate = Some(0.34)), []);
        assert_eq!(after(|month| month.features.get_mut("vwap").unwrap().p50 = Some(2600.0)), []);
    }

    #[test]
    fn each_figure_names_the_month_and_no_other() {
        let one = |figure: &str| vec![("2013-08".to_owned(), figure.to_owned())];
        let rate = |month: &mut Statistics| month.modes.get_mut("high_vol_short").unwrap().win_rate = Some(0.4);
        assert_eq!(after(rate), one("win rate of high_vol_short"));
        assert_eq!(after(|month| month.sessions[0].filled_rows = 9), one("share of filled seconds"));
        assert_eq!(after(|month| month.sessions[0].rows = 8), one("rows per session"));
        for level in [18_800.0, 18.8] {
            assert_eq!(after(|month| month.features.get_mut("vwap").unwrap().p50 = Some(level)), one("median price"));
        }
    }

    #[test]
    fn only_months_that_are_asked_for_are_named_and_few_months_are_no_archive() {
        let mut archive = archive();
        archive[7].sessions[0].rows = 8;
        assert!(of(&archive, &|month| month.to_string() != "2013-08").is_empty());
        assert!(of(&archive[5..9], &|_| true).is_empty());
    }
}
