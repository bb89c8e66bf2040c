//! The feature columns: one row a column, in the order of the output. Names, counts and shapes follow from it.

use super::Category;

/// One feature column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Name of the column.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What its values count.
    pub unit: Unit,
    /// First row of a session that has a value, counted from 0: the rows before it are NaN in profile `session`.
    pub first: usize,
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
            Self::Percent => "percent",
            Self::Ratio => "ratio",
            Self::Deviations => "standard deviations",
            Self::Bars => "bars",
            Self::Flag => "0 or 1",
        }
    }
}

const fn float(category: Category, name: &'static str, unit: Unit, first: usize) -> Feature {
    Feature { name, kind: Kind::Float(category), unit, first }
}

const fn flag(name: &'static str) -> Feature {
    Feature { name, kind: Kind::Flag, unit: Unit::Flag, first: 0 }
}

use Category::{Consolidation, Microstructure, PriceContext, Returns, Volatility, Volume};
use Unit::{Bars, ContractsPerBar, Deviations, Percent, Points, PointsPerBar, Price, Ratio};

/// All feature columns: the floats by category, then the flags.
///
/// ```
/// use kernels::features::FEATURES;
///
/// let atr = FEATURES.iter().find(|feature| feature.name == "atr_30s").unwrap();
/// assert_eq!((atr.first, atr.unit.name()), (29, "points"));
/// ```
pub const FEATURES: &[Feature] = &[
    float(Volume, "volume_ratio_30s", Ratio, 29),
    float(Volume, "volume_slope_30s", ContractsPerBar, 33),
    float(Volume, "volume_slope_5s", ContractsPerBar, 4),
    float(Volume, "volume_exhaustion", ContractsPerBar, 29),
    float(PriceContext, "vwap", Price, 0),
    float(PriceContext, "distance_from_vwap_pct", Percent, 0),
    float(PriceContext, "vwap_slope", PointsPerBar, 29),
    float(PriceContext, "distance_from_rth_high", Points, 0),
    float(PriceContext, "distance_from_rth_low", Points, 0),
    float(Consolidation, "short_range_high", Price, 299),
    float(Consolidation, "short_range_low", Price, 299),
    float(Consolidation, "short_range_size", Points, 299),
    float(Consolidation, "position_in_short_range", Ratio, 299),
    float(Consolidation, "medium_range_high", Price, 899),
    float(Consolidation, "medium_range_low", Price, 899),
    float(Consolidation, "medium_range_size", Points, 899),
    float(Consolidation, "range_compression_ratio", Ratio, 899),
    float(Consolidation, "short_range_retouches", Bars, 299),
    float(Consolidation, "medium_range_retouches", Bars, 899),
    float(Returns, "return_30s", Ratio, 30),
    float(Returns, "return_60s", Ratio, 60),
    float(Returns, "return_300s", Ratio, 300),
    float(Returns, "momentum_acceleration", Ratio, 60),
    float(Returns, "momentum_consistency", Ratio, 30),
    float(Volatility, "atr_30s", Points, 29),
    float(Volatility, "atr_300s", Points, 299),
    float(Volatility, "volatility_regime", Ratio, 299),
    float(Volatility, "volatility_acceleration", Ratio, 59),
    float(Volatility, "volatility_breakout", Deviations, 328),
    float(Volatility, "atr_percentile", Percent, 328),
    float(Microstructure, "bar_range", Points, 0),
    float(Microstructure, "relative_bar_size", Ratio, 29),
    float(Microstructure, "uptick_pct_30s", Percent, 29),
    float(Microstructure, "uptick_pct_60s", Percent, 59),
    float(Microstructure, "bar_flow_consistency", Percent, 59),
    float(Microstructure, "directional_strength", Percent, 29),
    flag("is_eth"),
    flag("is_pre_open"),
    flag("is_rth_open"),
    flag("is_morning"),
    flag("is_lunch"),
    flag("is_afternoon"),
    flag("is_rth_close"),
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
pub(super) const fn count(category: Category) -> usize {
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
