//! The price level of a month.

use data::Month;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::drift::median;

/// The price level of one month in points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Level {
    /// The month.
    pub month: Month,
    /// Median of the sessions' last closes.
    pub median: f64,
    /// The first of them.
    pub first: f64,
    /// The last.
    pub last: f64,
}

impl Level {
    /// Of the last closes of a month's sessions in order, in points; `None` without any. A price that is not above 0 is no
    /// multiple of another, and no level.
    pub fn of(month: Month, closes: &[f64]) -> Option<Self> {
        let closes: Vec<f64> = closes.iter().copied().filter(|close| *close > 0.0).collect();
        let median = median(closes.iter().copied())?;
        Some(Self { month, median, first: *closes.first()?, last: *closes.last()? })
    }
}
