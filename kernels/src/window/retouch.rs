//! How often a window's price came back to the ends of its range.
//!
//! With H and L the extremes of the window and size = H - L, a row is in a zone when its high is within size/10 of H or
//! its low within size/10 of L. Walking from the oldest row, a row in a zone counts when it is at least [`APART`] rows
//! after the last counted one: that is the largest number of rows in a zone that lie so far apart, and walking back from
//! the newest row finds as many.
//!
//! While the range stands, so do the zones, a bit a row, and the count changes by one at a time. It grows once the row
//! after the last counted one, walking forward, has come into the window, and falls once the last counted row, walking
//! back, has left it. Both rows only ever move forward with the window. So each walk says until when the count stands,
//! and nothing is done in between.

use std::ops::Range;

use wide::i32x8;

use crate::level::kernel;

/// Rows between two counted ones, at least.
pub const APART: usize = 30;

const BITS: usize = u64::BITS as usize;

/// Counts retouches. Holds the results and the scratch space.
#[derive(Clone, Debug)]
pub struct Retouch {
    zone: Zone,
    counts: Vec<i32>,
}

impl Retouch {
    /// Windows of `window` rows, at most `rows` of them at once.
    #[must_use]
    pub fn new(window: usize, rows: usize) -> Self {
        // A word of ones before the first and one after the last.
        let words = Vec::with_capacity((rows + window).div_ceil(BITS) + 2);
        Self { zone: Zone { words }, counts: Vec::with_capacity(rows) }
    }

    /// Takes another pair of columns of equal length, and the extremes of every full window of `window` rows in them.
    pub fn set(&mut self, window: usize, high: &[i32], low: &[i32], highest: &[i32], lowest: &[i32]) {
        set(self, window, high, low, highest, lowest);
    }

    /// The body of [`Self::set`].
    #[inline(always)]
    pub(crate) fn take(&mut self, window: usize, high: &[i32], low: &[i32], highest: &[i32], lowest: &[i32]) {
        self.counts.resize(highest.len(), 0);
        self.zone.words.clear();
        self.zone.words.resize(high.len().div_ceil(BITS) + 2, u64::MAX);
        let mut start = 0;
        while let (Some(&top), Some(&bottom)) = (highest.get(start), lowest.get(start)) {
            let ranges = highest[start..].iter().zip(&lowest[start..]);
            let stands = ranges.take_while(|&(&highest, &lowest)| highest == top && lowest == bottom).count();
            // high >= H - size/10 exactly when it holds with size/10 rounded down; likewise for lows.
            let tenth = (top - bottom) / 10;
            self.zone.set(high, low, start..start + stands + window - 1, (top - tenth, bottom + tenth));
            self.zone.count(start, window, &mut self.counts[start..start + stands]);
            start += stands;
        }
    }

    /// The count of each window.
    #[must_use]
    pub fn counts(&self) -> &[i32] {
        &self.counts
    }
}

kernel!(avx512 fn set['a]['a](
    work: &'a mut Retouch, window: usize, high: &'a [i32], low: &'a [i32], highest: &'a [i32], lowest: &'a [i32]
) {
    work.take(window, high, low, highest, lowest);
});

/// The rows in a zone, row k in bit k % 64 of word k / 64 + 1. Searches end at the words of ones around those that were set.
#[derive(Clone, Debug)]
struct Zone {
    words: Vec<u64>,
}

impl Zone {
    /// Looks at `rows` and at what else is in their words.
    #[inline(always)]
    fn set(&mut self, high: &[i32], low: &[i32], rows: Range<usize>, thresholds: (i32, i32)) {
        let words = rows.start / BITS..rows.end.div_ceil(BITS);
        for word in words.clone() {
            let rows = word * BITS..high.len().min((word + 1) * BITS);
            self.words[word + 1] = zone(&high[rows.clone()], &low[rows], thresholds);
        }
        self.words[words.end + 1] = u64::MAX;
    }

    /// The count of each of the windows that start from `start` on.
    #[inline(always)]
    fn count(&self, start: usize, window: usize, counts: &mut [i32]) {
        let mut done = 0;
        let (mut count, mut falls, mut grows) = self.forward(start, start + window);
        loop {
            // The count stands while a window starts no later than at `falls` and ends before `grows`.
            let until = (falls + 1 - start).min(grows + 1 - window - start);
            if until >= counts.len() {
                counts[done..].fill(count);
                return;
            }
            counts[done..until].fill(count);
            done = until;
            let first = start + done;
            let end = first + window;
            if first > falls {
                let found = self.back(first, end);
                if found.0 < count {
                    count = found.0;
                    grows = self.next(end);
                }
                falls = found.1;
            }
            if end > grows {
                let found = self.forward(first, end);
                if found.0 > count {
                    count = found.0;
                    falls = found.1;
                }
                grows = found.2;
            }
        }
    }

    /// The count of the window `first..end`, its first counted row, and the row that would be counted next after its end.
    #[inline(always)]
    fn forward(&self, first: usize, end: usize) -> (i32, usize, usize) {
        let oldest = self.next(first);
        let (mut count, mut row) = (0, oldest);
        while row < end {
            count += 1;
            row = self.next(row + APART);
        }
        (count, oldest, row)
    }

    /// The count of the window `first..end` and its last counted row, from the newest row back.
    #[inline(always)]
    fn back(&self, first: usize, end: usize) -> (i32, usize) {
        let (mut count, mut last, mut row) = (0, first, self.previous(end - 1));
        // Rows before the first one are found too, at the latest that of the word of ones.
        while let Some(counted) = row.filter(|&row| row >= first) {
            (count, last) = (count + 1, counted);
            row = counted.checked_sub(APART).and_then(|row| self.previous(row));
        }
        (count, last)
    }

    /// The first row in a zone from `row` on, or one beyond the rows that were set.
    #[inline(always)]
    fn next(&self, row: usize) -> usize {
        let mut word = row / BITS + 1;
        let mut rest = self.words[word] & (u64::MAX << (row % BITS));
        while rest == 0 {
            word += 1;
            rest = self.words[word];
        }
        (word - 1) * BITS + rest.trailing_zeros() as usize
    }

    /// The last row in a zone up to `row`.
    #[inline(always)]
    fn previous(&self, row: usize) -> Option<usize> {
        let mut word = row / BITS + 1;
        let mut rest = self.words[word] & (u64::MAX >> (BITS - 1 - row % BITS));
        while rest == 0 {
            word -= 1;
            rest = self.words[word];
        }
        (word * BITS + BITS - 1 - rest.leading_zeros() as usize).checked_sub(BITS)
    }
}

/// The rows, at most 64, whose high is not below or whose low is not above the threshold, the first in bit 0.
#[inline(always)]
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
