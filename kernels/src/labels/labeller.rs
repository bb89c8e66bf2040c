//! Trades of any specification, a chunk of rows at a time.

use std::ops::Range;

use super::decide::Deciding;
use super::entries::{BLOCK, Entries};
use super::plan::Plan;
use super::trades::{Figures, Mae, Trades};
use super::{Output, Specification};
use crate::{Error, Profile, Series};

/// Finds what became of the entries of a series, a chunk of rows at a time. Holds the scratch space.
///
/// ```
/// use kernels::labels::{Exit, Labeller, Specification, Trades};
/// use kernels::{Columns, Profile, Series};
///
/// // A price that rises by a tick a second.
/// let close: Vec<i32> = (20_000..20_100).collect();
/// let (volume, second) = (vec![10; 100], (30_600..30_700).collect::<Vec<u32>>());
/// let (open, high, low) = (&close[..], &close[..], &close[..]);
/// let series = Series::new(Columns { open, high, low, close: &close, volume: &volume, second: &second })?;
///
/// let mut labeller = Labeller::new(&Specification::default(), Profile::Session, 80, 100);
/// let mut trades = vec![Trades::default(); 6];
/// labeller.trades(&series, 0..100, &mut trades)?;
/// let low_vol_long = &trades[0];
/// assert_eq!(low_vol_long.exit[..87], [Exit::Target as i8; 87]);
/// assert_eq!(low_vol_long.held[0], 13); // the entry's row, and twelve until it is up twelve ticks
/// assert_eq!((low_vol_long.exit[90], low_vol_long.exit[99]), (Exit::End as i8, Exit::None as i8));
/// # Ok::<(), kernels::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Labeller {
    specification: Specification,
    plan: Plan,
    figures: Figures,
    chunk_rows: usize,
    entries: Entries,
}

impl Labeller {
    /// Scratch space for at most `chunk_rows` rows a call. Only profile `rolling` knows gaps: a change of close of more than
    /// `gap_ticks` between two rows.
    #[must_use]
    pub fn new(specification: &Specification, profile: Profile, gap_ticks: i32, chunk_rows: usize) -> Self {
        let plan = Plan::new(specification.modes());
        let weight = specification.has(Output::Weight);
        let figures = Figures {
            stop: weight,
            mae: match (specification.has(Output::Mae), weight) {
                (true, _) => Mae::All,
                (false, true) => Mae::Wins,
                (false, false) => Mae::None,
            },
            mfe: specification.has(Output::Mfe),
            moved: specification.has(Output::Move),
        };
        let (horizon, entry) = (specification.horizon(), specification.entry());
        let entries = Entries::new(&plan, horizon, entry, (profile, gap_ticks), chunk_rows);
        Self { specification: specification.clone(), plan, figures, chunk_rows, entries }
    }

    /// The trades of signal rows `rows` of `series`, by mode. They depend on the series alone, not on how it is cut into
    /// calls. `out` takes memory in its first call only.
    ///
    /// # Errors
    /// [`Error::Rows`] when `rows` lie outside the series or exceed the chunk size, or `out` is not as long as there are modes.
    pub fn trades(&mut self, series: &Series<'_>, rows: Range<usize>, out: &mut [Trades]) -> Result<(), Error> {
        let fits = rows.start <= rows.end && rows.end <= series.len() && rows.len() <= self.chunk_rows;
        if !fits || out.len() != self.plan.modes.len() {
            return Err(Error::Rows { rows, len: series.len() });
        }
        out.iter_mut().for_each(|trades| trades.room(rows.len(), self.figures));
        for start in rows.clone().step_by(BLOCK) {
            let block = start..rows.end.min(start + BLOCK);
            let mut decide = Deciding {
                specification: &self.specification,
                plan: &self.plan,
                figures: self.figures,
                out: &mut *out,
                at: start - rows.start,
                rows: block.len(),
            };
            self.entries.run(&self.plan, series, block, &mut decide);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
