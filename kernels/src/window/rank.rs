//! Rank of a value within its trailing window, by comparing with all of it and counting.
//!
//! A block of rows is ranked at once, in the narrowest lanes that hold its order: only the order of the old values
//! towards the block's own newest values counts, so old values are cut to just outside the range of those. 32 values a
//! comparison then: no sorted structure keeps up at a window of 300. It is the wrong tool for windows of many thousands.

use crate::lanes::{BYTES, Lanes, order};
use crate::level::kernel;

/// Rows ranked at once.
const BLOCK: usize = BYTES;

/// Comparisons whose sum fits the narrowest lane.
const RUN: usize = 100;

/// Ranks within windows of a fixed length. Holds the results and the scratch space.
#[derive(Clone, Debug)]
pub struct Rank {
    window: usize,
    values: Vec<i32>,
    bytes: Vec<i8>,
    words: Vec<i16>,
    scores: Vec<i16>,
}

impl Rank {
    /// Windows of `window` values (below 2^14), at most `rows` of them at once.
    #[must_use]
    pub fn new(window: usize, rows: usize) -> Self {
        let block = window - 1 + BLOCK;
        Self {
            window,
            values: Vec::with_capacity(rows + block),
            bytes: vec![0; block],
            words: vec![0; block],
            scores: Vec::with_capacity(rows + BLOCK),
        }
    }

    /// Takes another column of values not below 0: results for every full window in it.
    pub fn set(&mut self, values: &[i32]) {
        set(self, values);
    }

    /// The body of [`Self::set`].
    #[inline(always)]
    pub(crate) fn take<L: Lanes>(&mut self, values: &[i32]) {
        self.scores.clear();
        let results = (values.len() + 1).saturating_sub(self.window);
        let Some(&last) = values.last() else { return };
        // Whole blocks only: the surplus results are cut off again.
        self.scores.resize(results.next_multiple_of(BLOCK), 0);
        self.values.clear();
        self.values.extend_from_slice(values);
        self.values.resize(self.window - 1 + self.scores.len(), last);

        let (blocks, _) = self.scores.as_chunks_mut::<BLOCK>();
        for (block, out) in blocks.iter_mut().enumerate() {
            let values = &self.values[block * BLOCK..][..self.window - 1 + BLOCK];
            let newest = &values[self.window - 1..];
            let lowest = newest.iter().fold(i32::MAX, |lowest, &value| lowest.min(value));
            let highest = newest.iter().fold(i32::MIN, |highest, &value| highest.max(value));
            // One more on each side for the values outside.
            let (below, above) = (lowest - 1, highest + 1);
            let cut = values.iter().map(|&value| value.clamp(below, above) - below);
            if above - below <= i32::from(u8::MAX) {
                self.bytes.iter_mut().zip(cut).for_each(|(byte, value)| *byte = (value + i32::from(i8::MIN)) as i8);
                *out = bytes::<L>(&self.bytes, self.window);
            } else if above - below <= i32::from(u16::MAX) {
                self.words.iter_mut().zip(cut).for_each(|(word, value)| *word = (value + i32::from(i16::MIN)) as i16);
                *out = words::<L>(&self.words, self.window);
            } else {
                *out = integers::<L>(values, self.window);
            }
        }
        self.scores.truncate(results);
    }

    /// 2 * (values less than the newest) + (values equal to it, itself included) of each window: the rank with ties
    /// averaged is (score + 1)/2.
    #[must_use]
    pub fn scores(&self) -> &[i16] {
        &self.scores
    }
}

/// One body for three lane widths: a function over the values of a block and the windows before them.
macro_rules! block {
    ($name:ident, $lane:ty, $order:expr) => {
        #[inline(always)]
        fn $name<L: Lanes>(values: &[$lane], window: usize) -> [i16; BLOCK] {
            // less + (less or equal) = window + less - greater
            let mut scores = [window as i16; BLOCK];
            let Some(newest) = values[window - 1..].first_chunk::<BLOCK>().copied() else { return scores };
            for start in (0..window).step_by(RUN) {
                let mut run = [0; BLOCK];
                // A window of values for each old one: where `values` is as long as it should be, no index is checked.
                for old in values[start..window.min(start + RUN) + BLOCK - 1].array_windows() {
                    $order(&mut run, &newest, old);
                }
                for lane in 0..BLOCK {
                    scores[lane] += run[lane] as i16;
                }
            }
            scores
        }
    };
}
block!(bytes, i8, L::order);
block!(words, i16, order);
block!(integers, i32, order);

kernel!(avx512 fn set['a]['a](work: &'a mut Rank, values: &'a [i32]) {
    work.take::<L>(values);
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Tape;

    #[test]
    fn by_hand() {
        let mut rank = Rank::new(4, 8);
        rank.set(&[1, 2, 2, 3, 2, 0, 0]);
        // 3 above three; 2 of {2,2,3,2}; 0 of {2,3,2,0}; 0 of {3,2,0,0}.
        assert_eq!(rank.scores(), [7, 3, 1, 2]);
        rank.set(&[5; 3]);
        assert!(rank.scores().is_empty());
    }

    #[test]
    fn all_widths_count_the_same() {
        let tape = Tape::walk(4, 700, 4);
        let expected: Vec<i16> = tape
            .close
            .windows(300)
            .map(|w| w.iter().map(|x| i16::from(*x < w[299]) + i16::from(*x <= w[299])).sum())
            .collect();
        let mut rank = Rank::new(300, 700);
        rank.set(&tape.close);
        assert_eq!(rank.scores(), expected);
        let lowest = *tape.close.iter().min().unwrap();
        for scale in [1, 100, 100_000] {
            let far: Vec<i32> = tape.close.iter().map(|x| (x - lowest) * scale).collect();
            rank.set(&far);
            assert_eq!(rank.scores(), expected, "scale {scale}");
        }
    }

    #[test]
    fn each_width_holds_what_is_counted_in_it() {
        // From 0 to around the largest value a width has room for, in the newest values and in those before.
        for highest in (250..260).chain(65_530..65_540) {
            let values: Vec<i32> = (0..40).map(|row| [0, highest, highest / 2, 1, highest - 1][row % 5]).collect();
            let counted = |w: &[i32]| w.iter().map(|x| i16::from(*x < w[6]) + i16::from(*x <= w[6])).sum();
            let expected: Vec<i16> = values.windows(7).map(counted).collect();
            let mut rank = Rank::new(7, 40);
            rank.set(&values);
            assert_eq!(rank.scores(), expected, "highest {highest}");
        }
    }
}
