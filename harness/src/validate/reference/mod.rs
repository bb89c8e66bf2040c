//! Labels, weights and features once more, one row at a time, as docs/spec.md reads: integer ticks, windows summed from their
//! first row to their last, trades followed bar by bar. Shares no line with `kernels`, so that a wrong kernel is found and
//! not repeated; 1,000 times slower, which is why `validate` takes a sample.

mod features;
mod labels;
#[cfg(test)]
mod tests;

pub use self::{
    features::{Features, flags},
    labels::{MODES, outcome, weight},
};

/// Rows of one session (profile `session`) or of one month (`rolling`), prices in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// UTC seconds.
    pub time: &'a [i64],
    /// First price.
    pub open: &'a [i64],
    /// Highest price.
    pub high: &'a [i64],
    /// Lowest price.
    pub low: &'a [i64],
    /// Last price.
    pub close: &'a [i64],
    /// Contracts traded.
    pub volume: &'a [i64],
}
