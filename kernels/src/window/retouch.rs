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

use std::hint::select_unpredictable;
use std::marker::PhantomData;

use crate::lanes::{Lanes, ROWS};
use crate::level::kernel;

/// Rows between two counted ones, at least.
pub const APART: usize = 30;

/// Ticks from the lowest to the highest price for which 16 bits have room.
const WIDEST: i32 = u16::MAX as i32 - 2;

/// Counts retouches. Holds the results and the scratch space.
#[derive(Clone, Debug)]
pub struct Retouch {
    high: Vec<i16>,
    low: Vec<i16>,
    zone: Zone,
    counts: Vec<i32>,
}

impl Retouch {
    /// Windows of `window` rows, at most `rows` of them at once.
    #[must_use]
    pub fn new(window: usize, rows: usize) -> Self {
        let words = (rows + window).div_ceil(ROWS);
        let column = || Vec::with_capacity(words * ROWS);
        // A word of ones before the first and one after the last.
        let others = || Vec::with_capacity(words + 2);
        let zone = Zone { words: Vec::with_capacity(words + 2), later: others(), earlier: others() };
        Self { high: column(), low: column(), zone, counts: Vec::with_capacity(rows) }
    }

    /// Takes another pair of columns of equal length, and the extremes of every full window of `window` rows in them.
    pub fn set(&mut self, window: usize, high: &[i32], low: &[i32], highest: &[i32], lowest: &[i32]) {
        set(self, window, high, low, highest, lowest);
    }

    /// The body of [`Self::set`].
    #[inline(always)]
    pub(crate) fn take<L: Lanes>(&mut self, window: usize, high: &[i32], low: &[i32], highest: &[i32], lowest: &[i32]) {
        self.counts.resize(highest.len(), 0);
        if highest.is_empty() {
            return;
        }
        // Folds, unlike `min` and `max`, are vectorised.
        let bottom = lowest.iter().fold(i32::MAX, |bottom, &lowest| bottom.min(lowest));
        let top = highest.iter().fold(i32::MIN, |top, &highest| top.max(highest));
        let words = high.len().div_ceil(ROWS);
        let Self { high: highs, low: lows, zone, counts } = self;
        zone.words.clear();
        zone.words.resize(words + 2, u64::MAX);
        zone.later.resize(words + 2, 0);
        zone.earlier.resize(words + 2, 0);
        if top - bottom <= WIDEST {
            for (column, narrowed) in [(high, &mut *highs), (low, &mut *lows)] {
                narrowed.resize(words * ROWS, 0);
                narrowed.iter_mut().zip(column).for_each(|(narrowed, &ticks)| *narrowed = narrow(ticks, bottom));
            }
            let ((high, _), (low, _)) = (highs.as_chunks(), lows.as_chunks());
            zone.runs(window, highest, lowest, &Narrow::<L> { high, low, bottom, lanes: PhantomData }, counts);
        } else {
            zone.runs(window, highest, lowest, &Wide { high, low }, counts);
        }
    }

    /// The count of each window.
    #[must_use]
    pub fn counts(&self) -> &[i32] {
        &self.counts
    }
}

kernel!(fn set['a]['a](
    work: &'a mut Retouch, window: usize, high: &'a [i32], low: &'a [i32], highest: &'a [i32], lowest: &'a [i32]
) {
    work.take::<L>(window, high, low, highest, lowest);
});

/// The lowest high and the highest low that are in a zone of the range from `bottom` to `top`.
#[inline(always)]
pub(crate) fn zones(top: i32, bottom: i32) -> (i32, i32) {
    // high >= H - size/10 exactly when it holds with size/10 rounded down; likewise for lows.
    let tenth = (top - bottom) / 10;
    (top - tenth, bottom + tenth)
}

/// The columns, as the zones look at them. No closures: one that stays a call is compiled for no level.
trait Bars {
    /// Word `word` of the zones: whether the high is not below `upper` or the low not above `lower`.
    fn word(&self, word: usize, upper: i32, lower: i32) -> u64;
}

/// One more than the distance from the lowest price: the threshold below that one fits, too.
#[inline(always)]
fn narrow(ticks: i32, bottom: i32) -> i16 {
    (ticks - bottom + 1 + i32::from(i16::MIN)) as i16
}

/// Prices that lie within [`WIDEST`] ticks.
struct Narrow<'a, L> {
    high: &'a [[i16; ROWS]],
    low: &'a [[i16; ROWS]],
    bottom: i32,
    lanes: PhantomData<L>,
}

impl<L: Lanes> Bars for Narrow<'_, L> {
    #[inline(always)]
    fn word(&self, word: usize, upper: i32, lower: i32) -> u64 {
        let (above, below) = (narrow(upper - 1, self.bottom), narrow(lower + 1, self.bottom));
        L::outside(&self.high[word], &self.low[word], above, below)
    }
}

/// Any prices.
struct Wide<'a> {
    high: &'a [i32],
    low: &'a [i32],
}

impl Bars for Wide<'_> {
    #[inline(always)]
    fn word(&self, word: usize, upper: i32, lower: i32) -> u64 {
        let mut bits = 0;
        let rows = self.high[word * ROWS..].iter().zip(&self.low[word * ROWS..]).take(ROWS);
        for (row, (&high, &low)) in rows.enumerate() {
            bits |= u64::from(high >= upper || low <= lower) << row;
        }
        bits
    }
}

/// The rows in a zone, row k in bit k % 64 of word k / 64 + 1. Searches end at the words of ones around those that were set.
#[derive(Clone, Debug)]
struct Zone {
    words: Vec<u64>,
    /// For each word the next one that is not 0, and the one before.
    later: Vec<u32>,
    earlier: Vec<u32>,
}

impl Zone {
    /// The count of every window, from its extremes.
    #[inline(always)]
    fn runs(&mut self, window: usize, highest: &[i32], lowest: &[i32], bars: &impl Bars, counts: &mut [i32]) {
        let mut start = 0;
        while let (Some(&top), Some(&bottom)) = (highest.get(start), lowest.get(start)) {
            let ranges = highest[start..].iter().zip(&lowest[start..]);
            let stands = ranges.take_while(|&(&highest, &lowest)| highest == top && lowest == bottom).count();
            let (upper, lower) = zones(top, bottom);
            let words = start / ROWS..(start + stands + window - 1).div_ceil(ROWS);
            let (before, after) = (words.start, words.end + 1);
            for end in [before, after] {
                (self.words[end], self.earlier[end], self.later[end]) = (u64::MAX, end as u32, end as u32);
            }
            let mut earlier = before;
            for place in words.clone() {
                self.earlier[place + 1] = earlier as u32;
                self.words[place + 1] = bars.word(place, upper, lower);
                earlier = select_unpredictable(self.words[place + 1] != 0, place + 1, earlier);
            }
            let mut later = after;
            for place in words.rev() {
                self.later[place + 1] = later as u32;
                later = select_unpredictable(self.words[place + 1] != 0, place + 1, later);
            }
            self.count(start, window, &mut counts[start..start + stands]);
            start += stands;
        }
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
        let (mut count, mut last) = (0, first);
        let mut place = self.previous(end - 1 + ROWS);
        while place >= first + ROWS {
            (count, last) = (count + 1, place - ROWS);
            place = self.previous(place - APART);
        }
        (count, last)
    }

    /// The first row in a zone from `row` on, or one beyond the rows that were set.
    #[inline(always)]
    fn next(&self, row: usize) -> usize {
        let word = row / ROWS + 1;
        let rest = self.words[word] & (u64::MAX << (row % ROWS));
        let later = self.later[word] as usize;
        let all = self.words[later];
        // As likely here as there: a branch would be mistaken half of the time.
        let (word, rest) = (select_unpredictable(rest != 0, word, later), select_unpredictable(rest != 0, rest, all));
        (word - 1) * ROWS + rest.trailing_zeros() as usize
    }

    /// The last row in a zone up to `row`; one before the first word that was set may be any. In places of `ROWS` rows more,
    /// so that there is one before row 0.
    #[inline(always)]
    fn previous(&self, place: usize) -> usize {
        let word = place / ROWS;
        let rest = self.words[word] & (u64::MAX >> (ROWS - 1 - place % ROWS));
        let earlier = self.earlier[word] as usize;
        let all = self.words[earlier];
        let (word, rest) = (select_unpredictable(rest != 0, word, earlier), select_unpredictable(rest != 0, rest, all));
        word * ROWS + ROWS - 1 - rest.leading_zeros() as usize
    }
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

    /// Distances just within 16 bits, and beyond.
    #[test]
    fn far_apart() {
        for span in [WIDEST - 1, WIDEST, WIDEST + 1, WIDEST + 2, 1 << 20] {
            let Tape { mut high, mut low, .. } = Tape::walk(6, 500, 3);
            (low[100], high[300]) = (5, 5 + span);
            let expected: Vec<i32> = high.windows(240).zip(low.windows(240)).map(|(h, l)| naive(h, l)).collect();
            assert_eq!(counts(240, &high, &low), expected, "span {span}");
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
