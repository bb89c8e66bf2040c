//! What is usual for each feature: its NaN ceiling and its range, by its row of the registry.

use std::collections::BTreeMap;

use data::preset::Scale;
use kernels::{
    Profile,
    features::{FEATURES, Feature, Kind, Unit},
};

/// Rounding to float32 moves a bound by at most half an ulp; a few ulps of the larger bound cover a division as well.
const TOLERANCE: f64 = 4.0 * f32::EPSILON as f64;

/// Names of the features in the order of the output.
pub fn names() -> impl Iterator<Item = &'static str> {
    FEATURES.iter().map(|feature| feature.name)
}

fn of_name(name: &str) -> Option<&'static Feature> {
    FEATURES.iter().find(|feature| feature.name == name)
}

/// Largest usual share of NaNs of a feature; `None` for a name that is none.
///
/// ```
/// assert_eq!(statistics::feature_ranges::nan_ceiling("atr_30s"), Some(0.35));
/// ```
pub fn nan_ceiling(name: &str) -> Option<f64> {
    of_name(name).map(|feature| match (feature.kind, feature.first) {
        (Kind::Flag, _) => 0.01,
        // Known from a session's first row on.
        (Kind::Float(_), 0) => 0.10,
        (Kind::Float(_), _) => 0.35,
    })
}

/// Whether a feature needs a full window, so that a session begins with NaNs.
pub fn needs_window(name: &str) -> bool {
    of_name(name).is_some_and(|feature| feature.first > 0)
}

/// Whether a feature has two values and no others, so that quartiles say nothing of it.
pub fn is_of_two_values(name: &str, profile: Profile) -> bool {
    of_name(name).is_some_and(|feature| match feature.unit {
        Unit::Bars => profile == Profile::Rolling,
        unit => unit == Unit::Flag,
    })
}

/// Lowest and highest value by feature; rows given here replace those of the registry.
pub type Overrides = BTreeMap<String, (f64, f64)>;

/// The ranges in force for one month.
#[derive(Clone, Debug)]
pub struct Ranges {
    bounds: BTreeMap<&'static str, (f64, f64)>,
}

impl Ranges {
    /// Those of a profile and of an instrument that moves so far beside ES; `prices` are the month's lowest low and
    /// highest high in points, `None` without rows.
    pub fn new(profile: Profile, scale: Scale, prices: Option<(f64, f64)>, overrides: &Overrides) -> Self {
        let usual = |feature: &Feature| {
            let (low, high) = feature.usual;
            match feature.unit {
                // A price lies within the prices it is taken from.
                Unit::Price => prices,
                Unit::Points | Unit::PointsPerBar => Some((low * scale.points, high * scale.points)),
                Unit::PercentOfPrice => Some((low * scale.percent, high * scale.percent)),
                Unit::Bars if profile == Profile::Rolling => Some((0.0, 1.0)),
                _ => Some((low, high)),
            }
        };
        let in_force =
            |feature: &Feature| Some((feature.name, overrides.get(feature.name).copied().or_else(|| usual(feature))?));
        Self { bounds: FEATURES.iter().filter_map(in_force).collect() }
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
    fn every_feature_is_in_order_with_a_range_that_is_one() {
        assert!(names().eq(FLOAT_NAMES.into_iter().chain(FLAG_NAMES)));
        for feature in FEATURES {
            let (low, high) = feature.usual;
            assert!(low < high && (low.is_finite() && high.is_finite() || feature.unit == Unit::Price), "{feature:?}");
        }
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
