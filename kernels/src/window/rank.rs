//! Rank of a value within its trailing window, by comparing with all of it and counting.
//!
//! Sixteen values a comparison: no sorted structure keeps up at a window of 300. It is the wrong tool for windows of
//! many thousands of rows.

/// Rows ranked at once: two registers of 16-bit lanes.
const BLOCK: usize = 32;

/// Ranks within windows of a fixed length. Holds the results and the scratch space.
#[derive(Clone, Debug)]
pub struct Rank {
    window: usize,
    narrow: Vec<i16>,
    wide: Vec<i32>,
    scores: Vec<i16>,
}

impl Rank {
    /// Windows of `window` values (below 2^14), at most `rows` of them at once.
    #[must_use]
    pub fn new(window: usize, rows: usize) -> Self {
        let values = rows + window - 1 + BLOCK;
        Self {
            window,
            narrow: Vec::with_capacity(values),
            wide: Vec::with_capacity(values),
            scores: Vec::with_capacity(rows + BLOCK),
        }
    }

    /// Takes another column: results for every full window in it.
    pub fn set(&mut self, values: &[i32]) {
        let results = (values.len() + 1).saturating_sub(self.window);
        // Whole blocks only: the surplus results are cut off again.
        let padding = results.next_multiple_of(BLOCK) - results;
        self.scores.clear();
        self.scores.resize(results + padding, 0);
        let lowest = values.iter().fold(i32::MAX, |lowest, &value| lowest.min(value));
        let highest = values.iter().fold(i32::MIN, |highest, &value| highest.max(value));
        // Only the order counts, so the distance from the lowest serves as well and nearly always fits 16 bits.
        if i64::from(highest) - i64::from(lowest) <= i64::from(i16::MAX) {
            self.narrow.clear();
            self.narrow.extend(values.iter().map(|value| (value - lowest) as i16));
            self.narrow.resize(values.len() + padding, 0);
            scores(&self.narrow, self.window, &mut self.scores);
        } else {
            self.wide.clear();
            self.wide.extend_from_slice(values);
            self.wide.resize(values.len() + padding, 0);
            scores(&self.wide, self.window, &mut self.scores);
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

#[inline(always)]
fn scores<T: Copy + PartialOrd>(values: &[T], window: usize, out: &mut [i16]) {
    let (blocks, _) = out.as_chunks_mut::<BLOCK>();
    for (block, out) in blocks.iter_mut().enumerate() {
        let values = &values[block * BLOCK..][..window - 1 + BLOCK];
        let newest = &values[window - 1..][..BLOCK];
        // less + (less or equal) = window + less - greater
        let mut score = [window as i16; BLOCK];
        for old in values.windows(BLOCK).take(window) {
            for lane in 0..BLOCK {
                score[lane] += i16::from(newest[lane] > old[lane]) - i16::from(newest[lane] < old[lane]);
            }
        }
        *out = score;
    }
}

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
    fn both_widths_count_the_same() {
        let tape = Tape::walk(4, 700, 4);
        let expected: Vec<i16> = tape
            .close
            .windows(300)
            .map(|w| w.iter().map(|x| i16::from(*x < w[299]) + i16::from(*x <= w[299])).sum())
            .collect();
        let mut rank = Rank::new(300, 700);
        rank.set(&tape.close);
        assert_eq!(rank.scores(), expected);
        let far: Vec<i32> = tape.close.iter().map(|x| (x - 20_000) * 100_000).collect();
        rank.set(&far);
        assert_eq!(rank.scores(), expected);
    }
}
