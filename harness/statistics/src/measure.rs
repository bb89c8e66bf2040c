//! The figures of the computed columns: modes and features.

use std::collections::BTreeMap;

use data::{
    compute::{ModeColumns, SessionColumns, Wins},
    grid::Grid,
    preset::Scale,
    training_file::Value,
};
use kernels::{
    Break, Profile, Tick,
    features::{FLAG_NAMES, FLOAT_NAMES},
    labels::{LOOK_AHEAD, Output, Specification},
};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    column::Column,
    counts::Counts,
    feature_ranges::{self, Overrides, Ranges},
};

/// How many interquartile ranges from the quartiles a value is an outlier.
const OUTLIER_RANGES: f64 = 3.0;

/// What the columns of one month came out as.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measured {
    /// By name of the mode.
    pub modes: BTreeMap<String, ModeStatistics>,
    /// By name of the feature.
    pub features: BTreeMap<String, FeatureStatistics>,
}

/// Labels and weights of one mode. What needs values that do not exist is `null`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ModeStatistics {
    /// Rows.
    pub rows: u64,
    /// Rows labelled 1.
    pub wins: u64,
    /// Wins by rows; `null` without rows.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub win_rate: Option<f64>,
    /// Training weights of all rows.
    pub weight: WeightStatistics,
    /// Adverse move of the wins in ticks.
    pub mae: WinStatistics,
    /// Seconds from the entry of a win to its target, the night included where it is open over one (profile `rolling`).
    pub seconds_to_target: WinStatistics,
    /// Trades by how they ended; not there unless the outputs have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exits: Option<ExitStatistics>,
    /// Ticks from entry to exit, of every trade; not there unless the outputs have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_move: Option<f64>,
    /// Mean uniqueness of the trades; not there unless the outputs have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_uniqueness: Option<f64>,
    /// Ticks and seconds that do not fit their column of 16 bits: the nearest number that does stands for each.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub saturated: u64,
    /// Every label is 0 or 1.
    pub labels_binary: bool,
    /// Every weight is above 0.
    pub weights_positive: bool,
    /// No weight is NaN or infinite.
    pub finite: bool,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Rows of a mode by how their trades ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ExitStatistics {
    /// No trade: the last row of a session, a row without an ATR, or one that a gap of price affects.
    pub none: u64,
    /// At the target.
    pub target: u64,
    /// At the stop.
    pub stop: u64,
    /// Undecided at the horizon.
    pub horizon: u64,
    /// Undecided at the end of the session, or before a gap of price.
    pub end: u64,
}

/// The weights of one mode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WeightStatistics {
    /// Smallest.
    pub min: Option<f64>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Sample standard deviation.
    pub std: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// 25th percentile (nearest rank, as all of them).
    pub p25: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 75th percentile.
    pub p75: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
}

/// A whole number known of each win; all `null` without one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WinStatistics {
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// 25th percentile (nearest rank, as all of them).
    pub p25: Option<u64>,
    /// Median.
    pub p50: Option<u64>,
    /// 75th percentile.
    pub p75: Option<u64>,
    /// 90th percentile.
    pub p90: Option<u64>,
    /// 95th percentile.
    pub p95: Option<u64>,
}

/// The values of one feature; NaN and infinite ones count for no figure but their shares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FeatureStatistics {
    /// Share of the rows with NaN, 0 to 1; 1 without rows.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub nan_share: f64,
    /// Share of the rows with an infinite value, 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub infinite_share: f64,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Sample standard deviation.
    pub std: Option<f64>,
    /// 1st percentile (nearest rank, as all of them).
    pub p1: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Share of the finite values more than 3 interquartile ranges below the first or above the third quartile, 0 to 1; 0
    /// without values. `null` for columns of two values (the time flags, and the retouches of profile `rolling`): both are
    /// regular, however rare one of them is.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub outliers: Option<f64>,
    /// No value is infinite, and the smallest and the largest are within the feature's usual range; true without values.
    pub in_range: bool,
}

/// A type of features that can be measured. Its function is compiled in this crate, with this crate's optimisation, and not
/// where it is called.
pub trait Measurable: Value {
    /// Measures the columns of a month of an instrument that moves so far beside ES, in parallel over columns. The result does
    /// not depend on the number of threads.
    fn measure(
        grid: &Grid,
        sessions: &[SessionColumns<Self>],
        profile: Profile,
        labels: &Specification,
        of: (Tick, Scale),
        overrides: &Overrides,
    ) -> Measured;
}

macro_rules! measurable {
    ($($float:ty),*) => {$(
        impl Measurable for $float {
            fn measure(
                grid: &Grid,
                sessions: &[SessionColumns<Self>],
                profile: Profile,
                labels: &Specification,
                of: (Tick, Scale),
                overrides: &Overrides,
            ) -> Measured {
                measure(grid, sessions, profile, labels, of, overrides)
            }
        }
    )*};
}
measurable!(f32, f64);

fn measure<F: Value + Into<f64>>(
    grid: &Grid,
    sessions: &[SessionColumns<F>],
    profile: Profile,
    labels: &Specification,
    (tick, scale): (Tick, Scale),
    overrides: &Overrides,
) -> Measured {
    let ranges = Ranges::new(profile, scale, prices(grid, tick), overrides);
    let breaks = match profile {
        // No trade is open over a night.
        Profile::Session => Vec::new(),
        Profile::Rolling => grid.breaks(),
    };
    let columns = FLOAT_NAMES.len() + FLAG_NAMES.len();
    let feature = |index: usize| {
        let name = FLOAT_NAMES.iter().chain(&FLAG_NAMES).nth(index).copied().unwrap_or_default();
        let statistics = match index.checked_sub(FLOAT_NAMES.len()) {
            // Rows of an array made by `compute` are contiguous; one that is not would lack its values here.
            None => feature(
                name,
                &Column::new(sessions.iter().map(|session| row(session.values.row(index).to_slice()))),
                &ranges,
            ),
            Some(flag) => {
                let column = Column::new(sessions.iter().map(|session| row(session.flags.row(flag).to_slice())));
                feature(name, &column, &ranges)
            }
        };
        let outliers = statistics.outliers.filter(|_| !feature_ranges::is_of_two_values(name, profile));
        (name.to_owned(), FeatureStatistics { outliers, ..statistics })
    };
    let (features, modes) = rayon::join(
        || (0..columns).into_par_iter().with_max_len(1).map(feature).collect(),
        || {
            let name = |index: usize| labels.modes()[index].name.to_string();
            (0..labels.modes().len())
                .into_par_iter()
                .with_max_len(1)
                .map(|index| (name(index), mode(sessions, &breaks, labels, index)))
                .collect()
        },
    );
    Measured { modes, features }
}

/// Lowest low and highest high in points.
fn prices(grid: &Grid, tick: Tick) -> Option<(f64, f64)> {
    Some((tick.points(*grid.low.iter().min()?), tick.points(*grid.high.iter().max()?)))
}

fn feature<F: Copy + PartialOrd + Into<f64>>(name: &str, column: &Column<F>, ranges: &Ranges) -> FeatureStatistics {
    let rows = column.len() + column.nans() + column.infinities();
    let share = |count: usize, of: usize| if of == 0 { 0.0 } else { count as f64 / of as f64 };
    let counted = FeatureStatistics {
        nan_share: if rows == 0 { 1.0 } else { share(column.nans(), rows) },
        infinite_share: share(column.infinities(), rows),
        in_range: column.infinities() == 0,
        outliers: Some(0.0),
        ..FeatureStatistics::default()
    };
    let Some(moments) = column.moments() else { return counted };
    let [p1, p25, p50, p75, p99] = column.percentiles(&moments, [1, 25, 50, 75, 99]);
    let margin = OUTLIER_RANGES * (p75 - p25);
    let outliers = column.outside(p25 - margin, p75 + margin);
    FeatureStatistics {
        min: finite(moments.min),
        max: finite(moments.max),
        mean: finite(moments.mean),
        std: moments.std.and_then(finite),
        p1: finite(p1),
        p50: finite(p50),
        p99: finite(p99),
        outliers: Some(share(outliers, column.len())),
        in_range: counted.in_range && ranges.contain(name, moments.min, moments.max),
        ..counted
    }
}

fn mode<F>(sessions: &[SessionColumns<F>], breaks: &[Break], labels: &Specification, index: usize) -> ModeStatistics {
    // An outcome's adverse move has five bits; a trade that is not open over a night lasts less than 900 seconds.
    let (mut maes, mut seconds) = (Counts::<32>::new(), Counts::<{ LOOK_AHEAD }>::new());
    let modes = || sessions.iter().map(|session| &session.modes[index]);
    for session in sessions {
        match &session.modes[index].wins {
            Wins::Outcomes(outcomes) => {
                for (row, outcome) in session.rows.clone().zip(outcomes).filter(|(_, one)| one.is_win()) {
                    maes.add(outcome.mae().into());
                    seconds.add(outcome.seconds(row, breaks));
                }
            }
            Wins::Trades(wins) => {
                for &(row, mae, held) in wins {
                    maes.add(mae.unsigned_abs().into());
                    seconds.add(kernels::labels::seconds(row + 1, held - 1, breaks));
                }
            }
        }
    }
    let count = |wanted: fn(i8) -> bool| -> usize {
        let count = |mode: &ModeColumns| -> usize { mode.label.iter().map(|&label| usize::from(wanted(label))).sum() };
        modes().map(count).sum()
    };
    let rows: usize = modes().map(|mode| mode.label.len()).sum();
    let wins = count(|label| label == 1);
    let column = Column::new(modes().map(|mode| mode.weight.as_slice()));
    let exits = labels.has(Output::Exit).then(|| {
        let count =
            |exit: i8| modes().map(|mode| mode.exit.iter().filter(|&&found| found == exit).count() as u64).sum();
        ExitStatistics { none: count(0), target: count(1), stop: count(2), horizon: count(3), end: count(4) }
    });
    // A row without a trade adds 0.
    let trades: u64 = modes().map(|mode| mode.trades).sum();
    let of_trades = |output: Output, sum: &dyn Fn(&ModeColumns) -> f64| {
        (labels.has(output) && trades > 0).then(|| modes().map(sum).sum::<f64>() / trades as f64)
    };
    ModeStatistics {
        rows: rows as u64,
        wins: wins as u64,
        win_rate: (rows > 0).then(|| wins as f64 / rows as f64),
        weight: weight(&column),
        mae: if labels.has(Output::Weight) || labels.has(Output::Mae) {
            of_wins(&maes)
        } else {
            WinStatistics::default()
        },
        seconds_to_target: of_wins(&seconds),
        mean_move: of_trades(Output::Move, &|mode| mode.moved.iter().map(|&ticks| f64::from(ticks)).sum()),
        mean_uniqueness: of_trades(Output::Uniqueness, &|mode| {
            mode.uniqueness.iter().map(|&share| f64::from(share)).sum()
        }),
        saturated: modes().map(|mode| mode.saturated).sum(),
        exits,
        labels_binary: count(|label| matches!(label, 0 | 1)) == rows,
        weights_positive: modes().all(|mode| mode.weight.iter().all(|&weight| weight > 0.0)),
        finite: column.nans() + column.infinities() == 0,
    }
}

fn weight<F: Copy + PartialOrd + Into<f64>>(column: &Column<F>) -> WeightStatistics {
    let Some(moments) = column.moments() else { return WeightStatistics::default() };
    let [p25, p50, p75, p90, p95] = column.percentiles(&moments, [25, 50, 75, 90, 95]).map(finite);
    let [min, mean, max] = [moments.min, moments.mean, moments.max].map(finite);
    WeightStatistics { min, mean, std: moments.std.and_then(finite), max, p25, p50, p75, p90, p95 }
}

fn of_wins<const SMALL: usize>(counts: &Counts<SMALL>) -> WinStatistics {
    let [p25, p50, p75, p90, p95] = [25, 50, 75, 90, 95].map(|percent| counts.percentile(percent));
    WinStatistics { mean: counts.mean(), p25, p50, p75, p90, p95 }
}

fn row<F>(row: Option<&[F]>) -> &[F] {
    row.unwrap_or_default()
}

/// JSON has no number for what is not finite.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
