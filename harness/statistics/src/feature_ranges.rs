//! What is usual for each feature: its NaN ceiling and its range.

use std::collections::BTreeMap;

use data::preset::Scale;
use kernels::{
    Profile,
    features::{FLAGS, FLOATS},
};

/// What kind of value a feature is; decides how many NaNs it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Needs a full window, so a session begins with NaNs.
    Windowed,
    /// Known from a session's first row on.
    Immediate,
    /// One of the seven flags of the time of day.
    Flag,
}

impl Kind {
    /// Largest usual share of NaNs.
    pub fn nan_ceiling(self) -> f64 {
        match self {
            Self::Windowed => 0.35,
            Self::Immediate => 0.10,
            Self::Flag => 0.01,
        }
    }
}

/// Where a feature's range comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bounds {
    /// These two numbers.
    Fixed(f64, f64),
    /// These two numbers of points of ES, or what does the same in another root.
    Points(f64, f64),
    /// Likewise, of percent of a price.
    Percent(f64, f64),
    /// 0 to this count, or a 0/1 value in profile `rolling`.
    Retouches(f64),
    /// A price that lies within the prices it is taken from.
    Price,
}

use self::{
    Bounds::{Fixed, Percent, Points, Price, Retouches},
    Kind::{Flag, Immediate, Windowed},
};

/// Every feature, for ES at 500 to 10,000 points.
const TABLE: [(&str, Kind, Bounds); FLOATS + FLAGS] = [
    ("volume_ratio_30s", Windowed, Fixed(0.0, 30.0)),
    ("volume_slope_30s", Windowed, Fixed(-300.0, 300.0)),
    ("volume_slope_5s", Windowed, Fixed(-6000.0, 6000.0)),
    ("volume_exhaustion", Windowed, Fixed(-35_000.0, 35_000.0)),
    ("vwap", Immediate, Price),
    ("distance_from_vwap_pct", Immediate, Percent(-5.0, 5.0)),
    ("vwap_slope", Windowed, Points(-12.0, 12.0)),
    ("distance_from_rth_high", Immediate, Points(-300.0, 0.0)),
    ("distance_from_rth_low", Immediate, Points(0.0, 300.0)),
    ("short_range_high", Windowed, Price),
    ("short_range_low", Windowed, Price),
    ("short_range_size", Windowed, Points(0.0, 300.0)),
    ("position_in_short_range", Windowed, Fixed(0.0, 1.0)),
    ("medium_range_high", Windowed, Price),
    ("medium_range_low", Windowed, Price),
    ("medium_range_size", Windowed, Points(0.0, 300.0)),
    ("range_compression_ratio", Windowed, Fixed(0.0, 1.0)),
    ("short_range_retouches", Windowed, Retouches(10.0)),
    ("medium_range_retouches", Windowed, Retouches(30.0)),
    ("return_30s", Windowed, Fixed(-0.1, 0.1)),
    ("return_60s", Windowed, Fixed(-0.1, 0.1)),
    ("return_300s", Windowed, Fixed(-0.2, 0.2)),
    ("momentum_acceleration", Windowed, Fixed(-0.2, 0.2)),
    ("momentum_consistency", Windowed, Fixed(0.0, 0.05)),
    ("atr_30s", Windowed, Points(0.0, 50.0)),
    ("atr_300s", Windowed, Points(0.0, 50.0)),
    ("volatility_regime", Windowed, Fixed(0.0, 10.0)),
    ("volatility_acceleration", Windowed, Fixed(-1.0, 1.0)),
    ("volatility_breakout", Windowed, Fixed(-17.3, 17.3)),
    ("atr_percentile", Windowed, Fixed(0.0, 100.0)),
    ("bar_range", Immediate, Points(0.0, 50.0)),
    ("relative_bar_size", Windowed, Fixed(0.0, 30.0)),
    ("uptick_pct_30s", Windowed, Fixed(0.0, 100.0)),
    ("uptick_pct_60s", Windowed, Fixed(0.0, 100.0)),
    ("bar_flow_consistency", Windowed, Fixed(0.0, 50.0)),
    ("directional_strength", Windowed, Fixed(0.0, 100.0)),
    ("is_eth", Flag, Fixed(0.0, 1.0)),
    ("is_pre_open", Flag, Fixed(0.0, 1.0)),
    ("is_rth_open", Flag, Fixed(0.0, 1.0)),
    ("is_morning", Flag, Fixed(0.0, 1.0)),
    ("is_lunch", Flag, Fixed(0.0, 1.0)),
    ("is_afternoon", Flag, Fixed(0.0, 1.0)),
    ("is_rth_close", Flag, Fixed(0.0, 1.0)),
];

/// Rounding to float32 moves a bound by at most half an ulp; a few ulps of the larger bound cover a division as well.
const TOLERANCE: f64 = 4.0 * f32::EPSILON as f64;

/// Names of the 43 features in the order of the output.
pub fn names() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|(name, _, _)| *name)
}

/// Largest usual share of NaNs of a feature; `None` for a name that is none.
pub fn nan_ceiling(name: &str) -> Option<f64> {
    TABLE.iter().find(|(known, _, _)| *known == name).map(|(_, kind, _)| kind.nan_ceiling())
}

/// Whether a feature has two values and no others, so that quartiles say nothing of it.
pub fn is_of_two_values(name: &str, profile: Profile) -> bool {
    let of = |(_, kind, bounds): &(&str, Kind, Bounds)| match bounds {
        Retouches(_) => profile == Profile::Rolling,
        _ => *kind == Flag,
    };
    TABLE.iter().find(|(known, ..)| *known == name).is_some_and(of)
}

/// Lowest and highest value by feature; rows given here replace those of the table.
pub type Overrides = BTreeMap<String, (f64, f64)>;

/// The ranges in force for one month.
#[derive(Clone, Debug)]
pub struct Ranges {
    bounds: BTreeMap<&'static str, (f64, f64)>,
}

impl Ranges {
    /// The table of a profile and of an instrument that moves so far beside ES; `prices` are the month's lowest low and highest high in points, `None` without rows.
    pub fn new(profile: Profile, scale: Scale, prices: Option<(f64, f64)>, overrides: &Overrides) -> Self {
        let bound = |bounds: Bounds| match (bounds, profile) {
            (Fixed(low, high), _) => Some((low, high)),
            (Points(low, high), _) => Some((low * scale.points, high * scale.points)),
            (Percent(low, high), _) => Some((low * scale.percent, high * scale.percent)),
            (Retouches(_), Profile::Rolling) => Some((0.0, 1.0)),
            (Retouches(most), Profile::Session) => Some((0.0, most)),
            (Price, _) => prices,
        };
        let in_force = |(name, _, bounds): &(&'static str, Kind, Bounds)| {
            Some((*name, overrides.get(*name).copied().or_else(|| bound(*bounds))?))
        };
        Self { bounds: TABLE.iter().filter_map(in_force).collect() }
    }

    /// Lowest and highest usual value of a feature; `None` where nothing is known of it.
    pub fn of(&self, name: &str) -> Option<(f64, f64)> {
        self.bounds.get(name).copied()
    }

    /// Whether values from `min` to `max` are within the feature's range, rounding aside.
    pub fn contain(&self, name: &str, min: f64, max: f64) -> bool {
        self.of(name).is_none_or(|(low, high)| {
            let tolerance = TOLERANCE * low.abs().max(high.abs());
            min >= low - tolerance && max <= high + tolerance
        })
    }
}

#[cfg(test)]
mod tests {
    use kernels::features::{FLAG_NAMES, FLOAT_NAMES};

    use super::*;

    #[test]
    fn the_table_has_every_feature_in_order() {
        assert!(names().eq(FLOAT_NAMES.into_iter().chain(FLAG_NAMES)));
    }

    #[test]
    fn nan_ceilings() {
        assert_eq!(nan_ceiling("atr_30s"), Some(0.35));
        assert_eq!(nan_ceiling("is_lunch"), Some(0.01));
        let immediate: Vec<&str> = names().filter(|name| nan_ceiling(name) == Some(0.10)).collect();
        let expected =
            ["vwap", "distance_from_vwap_pct", "distance_from_rth_high", "distance_from_rth_low", "bar_range"];
        assert_eq!(immediate, expected);
        assert_eq!(nan_ceiling("volume"), None);
    }

    #[test]
    fn ranges_depend_on_the_profile_the_prices_and_the_overrides() {
        let session = Ranges::new(Profile::Session, Scale::ES, Some((1600.0, 1700.25)), &Overrides::new());
        assert_eq!(session.of("short_range_retouches"), Some((0.0, 10.0)));
        assert_eq!(session.of("medium_range_retouches"), Some((0.0, 30.0)));
        for name in ["vwap", "short_range_high", "short_range_low", "medium_range_high", "medium_range_low"] {
            assert_eq!(session.of(name), Some((1600.0, 1700.25)));
        }
        let overrides = Overrides::from([("vwap".to_owned(), (1.0, 2.0)), ("bar_range".to_owned(), (0.0, 9.0))]);
        let rolling = Ranges::new(Profile::Rolling, Scale { points: 0.5, percent: 2.0 }, None, &overrides);
        assert_eq!(rolling.of("short_range_retouches"), Some((0.0, 1.0)));
        assert_eq!(rolling.of("medium_range_retouches"), Some((0.0, 1.0)));
        assert_eq!(rolling.of("vwap"), Some((1.0, 2.0)));
        assert_eq!(rolling.of("bar_range"), Some((0.0, 9.0)));
        assert_eq!(rolling.of("short_range_high"), None);
        // Points are those of the instrument, and a row of the user's is as it stands.
        assert_eq!((rolling.of("atr_30s"), session.of("atr_30s")), (Some((0.0, 25.0)), Some((0.0, 50.0))));
        assert_eq!(rolling.of("distance_from_vwap_pct"), Some((-10.0, 10.0)));
        assert_eq!((rolling.of("vwap_slope"), rolling.of("return_30s")), (Some((-6.0, 6.0)), Some((-0.1, 0.1))));
        assert!(rolling.contain("short_range_high", -1e9, 1e9));
    }

    #[test]
    fn rounding_to_float32_is_no_fault() {
        let ranges = Ranges::new(Profile::Session, Scale::ES, None, &Overrides::new());
        let above = |value: f32| f64::from(f32::from_bits(value.to_bits() + 1));
        assert!(ranges.contain("return_30s", f64::from(-0.1_f32), above(0.1)));
        assert!(ranges.contain("uptick_pct_30s", 0.0, above(100.0)));
        assert!(!ranges.contain("uptick_pct_30s", 0.0, 100.001));
        assert!(!ranges.contain("distance_from_rth_high", -1.0, 0.25));
        assert!(!ranges.contain("return_30s", f64::NAN, 0.0));
    }
}
