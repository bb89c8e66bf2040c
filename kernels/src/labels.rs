//! What followed each entry: win or loss, when and how the trade ended, how far it went.
//!
//! [`Specification`] says which trades, [`Labeller`] finds what became of them: any modes, distances in ticks or in
//! multiples of the row's ATR, trailing stops. [`Trades`] are its answer, a column a figure, from which the columns of the
//! output are made; [`Uniqueness`] needs those of the rows around as well. [`Six`] is the same for the six modes of the
//! default specification alone, label and weight, in a third of the time.
//!
//! Both read a touch table: for every price level, the nearest row ahead that reaches it.

mod block;
mod decide;
mod entries;
mod extrema;
mod gaps;
mod labeller;
mod plan;
mod six;
mod specification;
mod study;
mod terms;
mod touches;
mod trades;
mod trailing;
mod uniqueness;

pub use self::labeller::Labeller;
pub use self::six::{FixedMode, LOOK_AHEAD, MODES, Outcome, Six};
pub use self::specification::{
    Direction, Distance, Entry, MAX_HORIZON, MAX_MODES, MAX_TICKS, Mode, Multiple, Output, Specification, Tie, Wrong,
};
pub use self::study::{Pair, Study};
pub(crate) use self::terms::{VELOCITY, clip};
pub use self::trades::{Exit, Trades};
pub use self::uniqueness::Uniqueness;

use crate::Break;

/// Seconds from row `entry` to the row so many `rows` after it, in a series with these breaks.
///
/// ```
/// use kernels::Break;
///
/// assert_eq!(kernels::labels::seconds(7, 3, &[Break { row: 9, seconds: 100 }]), 102);
/// ```
#[must_use]
pub fn seconds(entry: usize, rows: u16, breaks: &[Break]) -> u64 {
    let decided = entry + usize::from(rows);
    let after = &breaks[breaks.partition_point(|at| at.row <= entry)..];
    // Each break takes the place of the one second between two rows.
    let added = |at: &Break| i64::from(at.seconds) - 1;
    let broken: i64 = after.iter().take_while(|at| at.row <= decided).map(added).sum();
    u64::from(rows).saturating_add_signed(broken)
}
