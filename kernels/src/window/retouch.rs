//! How often a window's price came back to the ends of its range.
//!
//! With H and L the extremes of the window and size = H - L, a row is in a zone when its high is within size/10 of H or
//! its low within size/10 of L. Walking from the oldest row, a row in a zone counts when it is at least [`APART`] rows
//! after the last counted one.
//!
//! The rows in a zone are a bit mask that is kept while the range stands, and the counted rows are a chain of jumps
//! along it. When the oldest counted row leaves the window the chain is walked anew, but only until it meets the old one:
//! from there on both are the same.

use wide::i32x8;

/// Rows between two counted ones, at least.
pub const APART: usize = 30;

const BITS: usize = u64::BITS as usize;

/// Counts retouches. Holds the results and the scratch space.
#[derive(Clone, Debug)]
pub struct Retouch {
    zone: Vec<u64>,
    chain: Chain,
    counts: Vec<i32>,
}

impl Retouch {
    /// Windows of `window` rows, at most `rows` of them at once.
    #[must_use]
    pub fn new(window: usize, rows: usize) -> Self {
        Self {
            zone: Vec::with_capacity((rows + window).div_ceil(BITS)),
            chain: Chain { rows: Vec::with_capacity(rows + window), head: 0 },
            counts: Vec::with_capacity(rows),
        }
    }

    /// Takes another pair of columns of equal length, and the extremes of every full window of `window` rows in them.
    pub fn set(&mut self, window: usize, high: &[i32], low: &[i32], highest: &[i32], lowest: &[i32]) {
        self.counts.clear();
        self.zone.clear();
        self.zone.resize(high.len().div_ceil(BITS), 0);
        let mut threshold = (i32::MAX, i32::MIN);
        // Words of `zone` that hold for the threshold, up to here.
        let mut valid = 0;
        for (start, (&highest, &lowest)) in highest.iter().zip(lowest).enumerate() {
            let end = start + window - 1;
            // high >= H - size/10 exactly when it holds with size/10 rounded down; likewise for lows.
            let tenth = (highest - lowest) / 10;
            let changed = threshold != (highest - tenth, lowest + tenth);
            if changed {
                threshold = (highest - tenth, lowest + tenth);
                valid = start / BITS;
            }
            while valid * BITS <= end {
                let rows = valid * BITS..high.len().min((valid + 1) * BITS);
                self.zone[valid] = zone(&high[rows.clone()], &low[rows], threshold);
                valid += 1;
            }
            if changed {
                self.chain.walk(&self.zone, start, end);
            } else {
                if is_set(&self.zone, end) {
                    self.chain.extend(end);
                }
                // A row in a zone at the start of the last window was its first counted one.
                if is_set(&self.zone, start - 1) {
                    self.chain.advance(&self.zone, start, end);
                }
            }
            self.counts.push(self.chain.len() as i32);
        }
    }

    /// The count of each window.
    #[must_use]
    pub fn counts(&self) -> &[i32] {
        &self.counts
    }
}

#[inline]
fn is_set(zone: &[u64], row: usize) -> bool {
    zone[row / BITS] >> (row % BITS) & 1 == 1
}

/// The first row in a zone from `row` on. Rows past `end` need not be valid.
#[inline]
fn next(zone: &[u64], mut row: usize, end: usize) -> Option<usize> {
    while row <= end {
        let rest = zone[row / BITS] >> (row % BITS);
        if rest != 0 {
            row += rest.trailing_zeros() as usize;
            return (row <= end).then_some(row);
        }
        row = (row / BITS + 1) * BITS;
    }
    None
}

/// The counted rows of a window: `rows` from `head` on.
#[derive(Clone, Debug)]
struct Chain {
    rows: Vec<u32>,
    head: usize,
}

impl Chain {
    fn len(&self) -> usize {
        self.rows.len() - self.head
    }

    /// Starts again for the window from `row` to `end`.
    fn walk(&mut self, zone: &[u64], mut row: usize, end: usize) {
        self.rows.clear();
        self.head = 0;
        while let Some(counted) = next(zone, row, end) {
            self.rows.push(counted as u32);
            row = counted + APART;
        }
    }

    /// Takes the next row in a zone.
    fn extend(&mut self, row: usize) {
        let free = self.rows[self.head..].last().is_none_or(|&last| row >= last as usize + APART);
        if free {
            self.rows.push(row as u32);
        }
    }

    /// Drops the first counted row and walks from `row`. The new chain stays between the old one and the old one without
    /// its first row, so it meets either by standing where that one stands.
    fn advance(&mut self, zone: &[u64], mut row: usize, end: usize) {
        let head = self.head;
        self.head += 1;
        // The old chain's row at the slot that was overwritten last.
        let mut old = self.rows[head];
        for slot in head + 1.. {
            let Some(counted) = next(zone, row, end) else {
                self.rows.truncate(slot);
                return;
            };
            if counted as u32 == old {
                // Met as many rows further on: what was walked moves back to where the old chain had it.
                self.rows.copy_within(head + 1..slot, head);
                self.rows[slot - 1] = old;
                self.head = head;
                return;
            }
            if slot == self.rows.len() {
                self.rows.push(counted as u32);
                // Nothing old is left to meet, and an old chain that ended here leaves no room for another row.
                return;
            }
            old = self.rows[slot];
            if counted as u32 == old {
                return;
            }
            self.rows[slot] = counted as u32;
            row = counted + APART;
        }
    }
}

/// The rows, at most 64, whose high is not below or whose low is not above the threshold, the first in bit 0.
#[inline]
fn zone(high: &[i32], low: &[i32], (upper, lower): (i32, i32)) -> u64 {
    let (high_lanes, high_rest) = high.as_chunks::<8>();
    let (low_lanes, low_rest) = low.as_chunks::<8>();
    let mut bits = 0;
    let (above, below) = (i32x8::splat(upper - 1), i32x8::splat(lower + 1));
    for (lanes, (&high, &low)) in high_lanes.iter().zip(low_lanes).enumerate() {
        let inside = i32x8::new(high).simd_gt(above) | below.simd_gt(i32x8::new(low));
        bits |= u64::from(inside.to_bitmask()) << (8 * lanes);
    }
    let done = 8 * high_lanes.len();
    for (row, (&high, &low)) in high_rest.iter().zip(low_rest).enumerate() {
        bits |= u64::from(high >= upper || low <= lower) << (done + row);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Tape;
    use crate::window::extrema::Extrema;

    fn counts(window: usize, high: &[i32], low: &[i32]) -> Vec<i32> {
        let mut extrema = Extrema::new(window, high.len());
        extrema.set(high, low);
        let mut retouch = Retouch::new(window, high.len());
        retouch.set(window, high, low, extrema.high(), extrema.low());
        retouch.counts().to_vec()
    }

    #[test]
    fn by_hand() {
        // Range 100..=120: zones from 118 up and from 102 down. Rows 0, 29, 31, 59 and 61 are in one.
        let mut price = [110; 62];
        for (row, ticks) in [(0, 120), (29, 118), (31, 100), (59, 102), (61, 118)] {
            price[row] = ticks;
        }
        assert_eq!(counts(62, &price, &price), [3]); // 0, 31, 61
        // Over 60 rows: 0 and 31. Without row 0 the range is 100..=118 with zones from 117 and from 101: 29, then 29 and 61.
        assert_eq!(counts(60, &price, &price), [2, 1, 2]);
        // Flat: every row is in both zones.
        assert_eq!(counts(61, &[7; 70], &[7; 70]), [3; 10]);
    }

    #[test]
    fn definition() {
        for (seed, step) in [(1, 1), (2, 2), (3, 9), (4, 1), (5, 3)] {
            let Tape { high, low, .. } = Tape::walk(seed, 2_000, step);
            for window in [40, 300, 900] {
                let expected: Vec<i32> =
                    high.windows(window).zip(low.windows(window)).map(|(h, l)| naive(h, l)).collect();
                assert_eq!(counts(window, &high, &low), expected);
            }
        }
    }

    fn naive(high: &[i32], low: &[i32]) -> i32 {
        let (h, l) = (*high.iter().max().unwrap(), *low.iter().min().unwrap());
        let (mut count, mut free) = (0, 0);
        for row in 0..high.len() {
            let inside = 10 * high[row] >= 10 * h - (h - l) || 10 * low[row] <= 10 * l + (h - l);
            if inside && row >= free {
                count += 1;
                free = row + APART;
            }
        }
        count
    }
}
