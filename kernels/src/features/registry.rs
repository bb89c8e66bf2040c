//! The feature columns: one row a column, in the order of the output. Names, counts and shapes follow from it.

use super::{Category, RUNNING};
use crate::Profile;

/// One feature column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feature {
    /// Name of the column.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What its values count.
    pub unit: Unit,
    /// First row of a session that has a value, counted from 0: the rows before it are NaN in profile `session`.
    pub first: usize,
    /// Lowest and highest usual value in profile `session`, of ES at 500 to 10,000 points; of a price, any. The unit says what
    /// scales with the instrument.
    pub usual: (f64, f64),
    /// How it is computed, in the terms of section 4 of `docs/spec.md`: its specification; of a flag, its Central time of day.
    pub definition: &'static str,
}

impl Feature {
    /// First row of a [`crate::Series`] that has a value, counted from 0: the rows before it are NaN.
    ///
    /// ```
    /// use kernels::{Profile, features::FEATURES};
    ///
    /// let low = FEATURES.iter().find(|feature| feature.name == "distance_from_rth_low").unwrap();
    /// assert_eq!((low.first_of(Profile::Session), low.first_of(Profile::Rolling)), (0, 1799));
    /// ```
    #[must_use]
    pub fn first_of(&self, profile: Profile) -> usize {
        match (profile, self.name) {
            (Profile::Rolling, "distance_from_rth_high" | "distance_from_rth_low") => RUNNING - 1,
            (Profile::Rolling, "short_range_retouches" | "medium_range_retouches") => 0,
            _ => self.first,
        }
    }
}

/// What a feature column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Floats, computed together with the others of the category.
    Float(Category),
    /// 0 or 1 by the time of day.
    Flag,
}

/// What the values of a column count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Price in points.
    Price,
    /// Difference of prices in points.
    Points,
    /// Points a bar.
    PointsPerBar,
    /// Contracts a bar more with each bar.
    ContractsPerBar,
    /// Hundredths.
    Percent,
    /// Hundredths of a price.
    PercentOfPrice,
    /// Quotient of two values of one unit.
    Ratio,
    /// Standard deviations.
    Deviations,
    /// Bars counted; 0 or 1 in profile `rolling`.
    Bars,
    /// 0 or 1.
    Flag,
}

impl Unit {
    /// In words, for tables and plots.
    ///
    /// ```
    /// assert_eq!(kernels::features::Unit::PointsPerBar.name(), "points/bar");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Price | Self::Points => "points",
            Self::PointsPerBar => "points/bar",
            Self::ContractsPerBar => "contracts/bar",
            Self::Percent | Self::PercentOfPrice => "percent",
            Self::Ratio => "ratio",
            Self::Deviations => "standard deviations",
            Self::Bars => "bars",
            Self::Flag => "0 or 1",
        }
    }
}

const fn float(
    category: Category,
    name: &'static str,
    unit: Unit,
    first: usize,
    usual: (f64, f64),
    definition: &'static str,
) -> Feature {
    Feature { name, kind: Kind::Float(category), unit, first, usual, definition }
}

const fn flag(name: &'static str, definition: &'static str) -> Feature {
    Feature { name, kind: Kind::Flag, unit: Unit::Flag, first: 0, usual: (0.0, 1.0), definition }
}

use Category::{Consolidation, Microstructure, PriceContext, Returns, Volatility, Volume};
use Unit::{Bars, ContractsPerBar, Deviations, Percent, PercentOfPrice, Points, PointsPerBar, Price, Ratio};

/// The usual range of a price.
const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// All feature columns: the floats by category, then the flags.
///
/// ```
/// use kernels::features::FEATURES;
///
/// let atr = FEATURES.iter().find(|feature| feature.name == "atr_30s").unwrap();
/// assert_eq!((atr.first, atr.unit.name()), (29, "points"));
/// ```
pub const FEATURES: &[Feature] = &[
    float(Volume, "volume_ratio_30s", Ratio, 29, (0.0, 30.0), "v / mean(v, 30); NaN if the mean is 0"),
    float(Volume, "volume_slope_30s", ContractsPerBar, 33, (-300.0, 300.0), "slope(mean(v, 5), 30)"),
    float(Volume, "volume_slope_5s", ContractsPerBar, 4, (-6000.0, 6000.0), "slope(v, 5)"),
    float(
        Volume,
        "volume_exhaustion",
        ContractsPerBar,
        29,
        (-35_000.0, 35_000.0),
        "volume_ratio_30s x volume_slope_5s",
    ),
    float(
        PriceContext,
        "vwap",
        Price,
        0,
        ANY,
        "volume-weighted mean of c: of the session so far, or of 300 rows (`rolling`)",
    ),
    float(
        PriceContext,
        "distance_from_vwap_pct",
        PercentOfPrice,
        0,
        (-5.0, 5.0),
        "100 (c - vwap) / vwap; NaN unless vwap is above 0",
    ),
    float(PriceContext, "vwap_slope", PointsPerBar, 29, (-12.0, 12.0), "slope(vwap, 30)"),
    float(
        PriceContext,
        "distance_from_rth_high",
        Points,
        0,
        (-300.0, 0.0),
        "c less the highest h of the session so far, or of 1,800 rows (`rolling`)",
    ),
    float(
        PriceContext,
        "distance_from_rth_low",
        Points,
        0,
        (0.0, 300.0),
        "c less the lowest l of the session so far, or of 1,800 rows (`rolling`)",
    ),
    float(Consolidation, "short_range_high", Price, 299, ANY, "max(h, 300)"),
    float(Consolidation, "short_range_low", Price, 299, ANY, "min(l, 300)"),
    float(Consolidation, "short_range_size", Points, 299, (0.0, 300.0), "short_range_high - short_range_low"),
    float(
        Consolidation,
        "position_in_short_range",
        Ratio,
        299,
        (0.0, 1.0),
        "(c - short_range_low) / short_range_size; NaN if the size is 0",
    ),
    float(Consolidation, "medium_range_high", Price, 899, ANY, "max(h, 900)"),
    float(Consolidation, "medium_range_low", Price, 899, ANY, "min(l, 900)"),
    float(Consolidation, "medium_range_size", Points, 899, (0.0, 300.0), "medium_range_high - medium_range_low"),
    float(
        Consolidation,
        "range_compression_ratio",
        Ratio,
        899,
        (0.0, 1.0),
        "short_range_size / medium_range_size; NaN if the latter is 0",
    ),
    float(
        Consolidation,
        "short_range_retouches",
        Bars,
        299,
        (0.0, 10.0),
        "visits to the edges of the range of 300 rows, or 1 near an edge (`rolling`)",
    ),
    float(
        Consolidation,
        "medium_range_retouches",
        Bars,
        899,
        (0.0, 30.0),
        "visits to the edges of the range of 900 rows, or 1 near an edge (`rolling`)",
    ),
    float(Returns, "return_30s", Ratio, 30, (-0.1, 0.1), "c[i] / c[i-30] - 1; NaN unless c[i-30] is above 0"),
    float(Returns, "return_60s", Ratio, 60, (-0.1, 0.1), "c[i] / c[i-60] - 1; NaN unless c[i-60] is above 0"),
    float(Returns, "return_300s", Ratio, 300, (-0.2, 0.2), "c[i] / c[i-300] - 1; NaN unless c[i-300] is above 0"),
    float(Returns, "momentum_acceleration", Ratio, 60, (-0.2, 0.2), "return_30s - return_60s"),
    float(Returns, "momentum_consistency", Ratio, 30, (0.0, 0.05), "std of the returns over one row, 30"),
    float(Volatility, "atr_30s", Points, 29, (0.0, 50.0), "mean of the true range, 30"),
    float(Volatility, "atr_300s", Points, 299, (0.0, 50.0), "mean of the true range, 300"),
    float(Volatility, "volatility_regime", Ratio, 299, (0.0, 10.0), "atr_30s / atr_300s; NaN if the latter is 0"),
    float(
        Volatility,
        "volatility_acceleration",
        Ratio,
        59,
        (-1.0, 1.0),
        "(atr_30s - atr_60s) / atr_60s; NaN if the latter is 0",
    ),
    float(
        Volatility,
        "volatility_breakout",
        Deviations,
        328,
        (-17.3, 17.3),
        "(atr_30s - mean(atr_30s, 300)) / std(atr_30s, 300); NaN if all 300 are equal",
    ),
    float(
        Volatility,
        "atr_percentile",
        Percent,
        328,
        (0.0, 100.0),
        "percentile rank of atr_30s among its last 300 values, ties averaged, 0 to 100",
    ),
    float(Microstructure, "bar_range", Points, 0, (0.0, 50.0), "h - l"),
    float(Microstructure, "relative_bar_size", Ratio, 29, (0.0, 30.0), "bar_range / atr_30s; NaN if the latter is 0"),
    float(
        Microstructure,
        "uptick_pct_30s",
        Percent,
        29,
        (0.0, 100.0),
        "100 mean(c[i] > c[i-1], 30); the first row counts as not up",
    ),
    float(
        Microstructure,
        "uptick_pct_60s",
        Percent,
        59,
        (0.0, 100.0),
        "100 mean(c[i] > c[i-1], 60); the first row counts as not up",
    ),
    float(Microstructure, "bar_flow_consistency", Percent, 59, (0.0, 50.0), "abs(uptick_pct_30s - uptick_pct_60s)"),
    float(Microstructure, "directional_strength", Percent, 29, (0.0, 100.0), "2 abs(uptick_pct_30s - 50)"),
    flag("is_eth", "before 07:30 or from 15:00"),
    flag("is_pre_open", "07:30 to 08:30"),
    flag("is_rth_open", "08:30 to 09:15"),
    flag("is_morning", "09:15 to 11:00"),
    flag("is_lunch", "11:00 to 13:00"),
    flag("is_afternoon", "13:00 to 14:30"),
    flag("is_rth_close", "14:30 to 15:00"),
];

/// Float columns.
pub const FLOATS: usize = {
    let mut count = 0;
    while count < FEATURES.len() && matches!(FEATURES[count].kind, Kind::Float(_)) {
        count += 1;
    }
    count
};

/// Flag columns, after the floats.
pub const FLAGS: usize = FEATURES.len() - FLOATS;

/// Names of the float columns, in the order of the output.
pub const FLOAT_NAMES: [&str; FLOATS] = names(0);

/// Names of the flag columns, in the order of the output.
pub const FLAG_NAMES: [&str; FLAGS] = names(FLOATS);

const fn names<const N: usize>(first: usize) -> [&'static str; N] {
    let mut names = [""; N];
    let mut index = 0;
    while index < N {
        names[index] = FEATURES[first + index].name;
        index += 1;
    }
    names
}

/// How many columns a category has.
pub(crate) const fn count(category: Category) -> usize {
    span(category).1
}

/// Columns of a category: how many come before it, and how many it has.
pub(super) const fn span(category: Category) -> (usize, usize) {
    let (mut first, mut index, mut count) = (FLOATS, 0, 0);
    while index < FLOATS {
        if let Kind::Float(of) = FEATURES[index].kind
            && of as usize == category as usize
        {
            if count == 0 {
                first = index;
            }
            count += 1;
        }
        index += 1;
    }
    (first, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Floats before flags, those of a category beside each other, the categories in their order, every name once.
    #[test]
    fn the_order_of_the_columns() {
        assert!(FEATURES[FLOATS..].iter().all(|feature| feature.kind == Kind::Flag));
        let mut next = 0;
        for category in Category::ALL {
            let columns = category.columns();
            assert_eq!(columns.start, next, "{category:?}");
            assert!(FEATURES[columns.clone()].iter().all(|feature| feature.kind == Kind::Float(category)));
            next = columns.end;
        }
        assert_eq!(next, FLOATS);
        for (index, feature) in FEATURES.iter().enumerate() {
            assert!(FEATURES[..index].iter().all(|other| other.name != feature.name), "{}", feature.name);
        }
    }
}
