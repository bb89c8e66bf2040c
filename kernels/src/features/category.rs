//! The categories the float columns come in.

use std::ops::Range;

/// Float columns that are computed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// volume_ratio_30s to volume_exhaustion.
    Volume,
    /// vwap to distance_from_rth_low.
    PriceContext,
    /// short_range_high to medium_range_retouches.
    Consolidation,
    /// return_30s to momentum_consistency.
    Returns,
    /// atr_30s to atr_percentile.
    Volatility,
    /// bar_range to directional_strength.
    Microstructure,
}

impl Category {
    /// All of them, in the order of the columns.
    pub const ALL: [Self; 6] =
        [Self::Volume, Self::PriceContext, Self::Consolidation, Self::Returns, Self::Volatility, Self::Microstructure];

    /// Its columns among [`super::FLOAT_NAMES`].
    #[must_use]
    pub fn columns(self) -> Range<usize> {
        match self {
            Self::Volume => 0..4,
            Self::PriceContext => 4..9,
            Self::Consolidation => 9..19,
            Self::Returns => 19..24,
            Self::Volatility => 24..30,
            Self::Microstructure => 30..36,
        }
    }
}
