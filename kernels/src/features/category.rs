//! The categories the float columns come in.

use std::ops::Range;

use super::registry::span;

/// Float columns that are computed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Volume beside its own past.
    Volume,
    /// Price beside the vwap and the day's extremes.
    PriceContext,
    /// The range of the last 5 and 15 minutes.
    Consolidation,
    /// Returns and how steady they are.
    Returns,
    /// Average true range and its past.
    Volatility,
    /// The size and direction of single bars.
    Microstructure,
}

impl Category {
    /// All of them, in the order of the columns.
    pub const ALL: [Self; 6] =
        [Self::Volume, Self::PriceContext, Self::Consolidation, Self::Returns, Self::Volatility, Self::Microstructure];

    /// In words, for tables and plots.
    ///
    /// ```
    /// assert_eq!(kernels::features::Category::PriceContext.name(), "price context");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::PriceContext => "price context",
            Self::Consolidation => "consolidation",
            Self::Returns => "returns",
            Self::Volatility => "volatility",
            Self::Microstructure => "microstructure",
        }
    }

    /// Columns of the largest category.
    #[cfg(feature = "ndarray")]
    pub(super) const MOST: usize = {
        let (mut most, mut index) = (0, 0);
        while index < Self::ALL.len() {
            let (_, columns) = span(Self::ALL[index]);
            most = if columns > most { columns } else { most };
            index += 1;
        }
        most
    };

    /// Its columns among [`super::FLOAT_NAMES`].
    ///
    /// ```
    /// use kernels::features::{Category, FLOAT_NAMES};
    ///
    /// assert_eq!(FLOAT_NAMES[Category::Returns.columns()][0], "return_30s");
    /// ```
    #[must_use]
    pub const fn columns(self) -> Range<usize> {
        let (first, count) = span(self);
        first..first + count
    }
}
