//! Highest high and lowest low of a trailing window, after van Herk (1992) and Gil and Werman (1993).
//!
//! The column is cut into blocks of the window's length. A window then is the end of one block and the start of the
//! next: the maximum of a suffix and a prefix. Three comparisons a row whatever the window.

use crate::level::kernel;

/// Extremes of windows of a fixed length. Holds the results and the scratch space.
#[derive(Clone, Debug)]
pub struct Extrema {
    window: usize,
    high: Vec<i32>,
    low: Vec<i32>,
    suffix_high: Vec<i32>,
    suffix_low: Vec<i32>,
}

impl Extrema {
    /// Windows of `window` rows, at most `rows` of them at once.
    #[must_use]
    pub fn new(window: usize, rows: usize) -> Self {
        let scratch = || vec![0; window];
        let result = || Vec::with_capacity(rows);
        Self { window, high: result(), low: result(), suffix_high: scratch(), suffix_low: scratch() }
    }

    /// Rows of a window.
    #[must_use]
    pub fn window(&self) -> usize {
        self.window
    }

    /// Takes another pair of columns of equal length: results for every full window in them.
    pub fn set(&mut self, high: &[i32], low: &[i32]) {
        set(self, high, low);
    }

    /// The body of [`Self::set`].
    #[inline(always)]
    pub(crate) fn take(&mut self, high: &[i32], low: &[i32]) {
        let results = (high.len() + 1).saturating_sub(self.window);
        self.high.resize(results, 0);
        self.low.resize(results, 0);
        for start in (0..results).step_by(self.window) {
            let end = start + self.window;
            suffixes(&high[start..end], &low[start..end], &mut self.suffix_high, &mut self.suffix_low);

            // The window starting at `start` is the block itself; each further one takes a row of the next block.
            let windows = self.window.min(results - start);
            let (highs, lows) = (&mut self.high[start..][..windows], &mut self.low[start..][..windows]);
            (highs[0], lows[0]) = (self.suffix_high[0], self.suffix_low[0]);
            let next = high[end..][..windows - 1].iter().zip(&low[end..][..windows - 1]);
            let suffix = self.suffix_high[1..].iter().zip(&self.suffix_low[1..]);
            let out = highs[1..].iter_mut().zip(&mut lows[1..]);
            let (mut highest, mut lowest) = (i32::MIN, i32::MAX);
            for ((out, next), suffix) in out.zip(next).zip(suffix) {
                highest = highest.max(*next.0);
                lowest = lowest.min(*next.1);
                (*out.0, *out.1) = (highest.max(*suffix.0), lowest.min(*suffix.1));
            }
        }
    }

    /// Highest high of the windows ending at rows `window - 1`, `window`, ..
    #[must_use]
    pub fn high(&self) -> &[i32] {
        &self.high
    }

    /// Lowest low of the same windows.
    #[must_use]
    pub fn low(&self) -> &[i32] {
        &self.low
    }
}

/// The extremes from each row of a block to its end.
#[inline(always)]
fn suffixes(high: &[i32], low: &[i32], highest: &mut [i32], lowest: &mut [i32]) {
    let (mut top, mut bottom) = (i32::MIN, i32::MAX);
    let out = highest.iter_mut().zip(lowest);
    for ((highest, lowest), (&high, &low)) in out.zip(high.iter().zip(low)).rev() {
        (top, bottom) = (top.max(high), bottom.min(low));
        (*highest, *lowest) = (top, bottom);
    }
}

kernel!(fn set['a]['a](work: &'a mut Extrema, high: &'a [i32], low: &'a [i32]) {
    work.take(high, low);
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Tape;

    #[test]
    fn by_hand() {
        let mut extrema = Extrema::new(3, 8);
        extrema.set(&[5, 3, 4, 4, 9, 1, 1], &[5, 2, 4, 3, 8, 1, 0]);
        assert_eq!(extrema.high(), [5, 4, 9, 9, 9]);
        assert_eq!(extrema.low(), [2, 2, 3, 1, 0]);
        extrema.set(&[1, 2], &[1, 2]);
        assert!(extrema.high().is_empty());
    }

    #[test]
    fn every_length() {
        let tape = Tape::walk(9, 200, 3);
        for window in [1, 2, 7, 64] {
            let mut extrema = Extrema::new(window, 200);
            for rows in 0..200 {
                extrema.set(&tape.high[..rows], &tape.low[..rows]);
                let high: Vec<i32> = tape.high[..rows].windows(window).map(|w| *w.iter().max().unwrap()).collect();
                let low: Vec<i32> = tape.low[..rows].windows(window).map(|w| *w.iter().min().unwrap()).collect();
                assert_eq!((extrema.high(), extrema.low()), (&high[..], &low[..]));
            }
        }
    }
}
