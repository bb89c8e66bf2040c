//! Stretches of a month at another price level than the rest. A market that falls by half in a month goes through the
//! prices between; a file in another unit jumps.

use std::ops::Range;

use jiff::civil::Date;
use kernels::Tick;

use super::list;
use crate::{
    fault::{Fault, FaultKind},
    grid::{Grid, SHORT_SECONDS},
};

/// Ticks between two prices at most that are of one level whatever their ratio: close to 0 it says nothing.
const NEAR: i64 = 20;

/// Names the sessions whose prices jumped to more than 1.5 times above or below those of most of the month.
pub(super) fn sessions(grid: &Grid, tick: Tick) -> Option<Fault> {
    let jump = |&row: &usize| beyond(grid.close[row - 1], grid.open[row]);
    let mut ends: Vec<usize> = (1..grid.rows()).filter(jump).collect();
    if ends.is_empty() {
        return None;
    }
    ends.push(grid.rows());
    let mut begin = 0;
    // A few odd bars are no level: each of them is warned of.
    let stretches: Vec<(Range<usize>, i32)> = ends
        .into_iter()
        .map(|end| std::mem::replace(&mut begin, end)..end)
        .filter(|rows| rows.len() >= SHORT_SECONDS as usize)
        .map(|rows| (rows.clone(), median(&grid.close[rows])))
        .collect();
    let at = |level: i32| -> usize {
        stretches.iter().filter(|(_, other)| !beyond(level, *other)).map(|(rows, _)| rows.len()).sum()
    };
    let (_, usual) = stretches.iter().max_by_key(|(_, level)| at(*level))?;
    let other: Vec<&(Range<usize>, i32)> = stretches.iter().filter(|(_, level)| beyond(*usual, *level)).collect();
    let (_, level) = other.first()?;
    let within =
        |rows: &Range<usize>| other.iter().any(|(stretch, _)| stretch.start < rows.end && rows.start < stretch.end);
    let dates: Vec<Date> =
        grid.sessions.iter().filter(|session| within(&session.rows)).map(|session| session.date).collect();
    let [level, usual] = [*level, *usual].map(|ticks| tick.points(ticks));
    let found =
        format!("prices around {level} beside {usual} in the month's other sessions: {}", list(dates.into_iter()));
    Some(Fault { kind: FaultKind::SessionLevel, found })
}

/// Whether one price is more than 1.5 times the other, and more than a few ticks away. A price that is not above 0 is no
/// multiple of another.
fn beyond(a: i32, b: i32) -> bool {
    let (low, high) = (i64::from(a.min(b)), i64::from(a.max(b)));
    low > 0 && high - low > NEAR && 2 * high > 3 * low
}

fn median(closes: &[i32]) -> i32 {
    let mut closes = closes.to_vec();
    let middle = closes.len() / 2;
    if closes.is_empty() { 0 } else { *closes.select_nth_unstable(middle).1 }
}
