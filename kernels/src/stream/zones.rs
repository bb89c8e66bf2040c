//! The retouches of a window that ends at the row that is forming: [`crate::window::retouch`] says what they are.

use super::past::{Past, Traded};
use crate::features::consolidation::MEDIUM;
use crate::lanes::ROWS;
use crate::level::kernel;
use crate::window::retouch::{APART, zones};

/// Rows of the words of the longest window.
const LONGEST: usize = MEDIUM.next_multiple_of(ROWS);

/// Which of the last rows are in a zone: the newest in bit 0 of word 0, the one before it in bit 1, and so on.
#[derive(Clone, Copy)]
pub(super) struct Zones<const WORDS: usize> {
    window: usize,
    /// The lowest high and the highest low in a zone.
    upper: i32,
    lower: i32,
    rows: [u64; WORDS],
}

impl<const WORDS: usize> Zones<WORDS> {
    /// Of windows of `window` rows: more than `WORDS - 1` words, at most `WORDS`.
    pub(super) fn new(window: usize) -> Self {
        // No bar is beyond these.
        Self { window, upper: i32::MAX, lower: 0, rows: [0; WORDS] }
    }

    /// The zones of the window that ends with `now`, whose extremes are these. As long as they stand, its row is one more
    /// bit; else the rows before are looked at anew.
    #[inline(always)]
    pub(super) fn with(&self, past: &Past, now: &Traded, highest: i32, lowest: i32) -> Self {
        let (upper, lower) = zones(highest, lowest);
        let mut rows = self.rows;
        if (upper, lower) != (self.upper, self.lower) {
            look(past, upper, lower, &mut rows);
        }
        let mut carried = u64::from(now.high >= upper || now.low <= lower);
        for word in &mut rows {
            (*word, carried) = (*word << 1 | carried, *word >> (ROWS - 1));
        }
        rows[WORDS - 1] &= u64::MAX >> (WORDS * ROWS - self.window);
        Self { window: self.window, upper, lower, rows }
    }

    /// The most rows in a zone that lie [`APART`], walking back from the newest.
    #[inline(always)]
    pub(super) fn count(&self) -> i32 {
        let (mut count, mut age) = (0, 0);
        while let Some(next) = self.next(age) {
            count += 1;
            age = next + APART;
        }
        count
    }

    /// The age of the newest row in a zone that is at least `age` old.
    #[inline(always)]
    fn next(&self, age: usize) -> Option<usize> {
        let (mut word, mut rest) = (age / ROWS, self.rows.get(age / ROWS)? & u64::MAX << (age % ROWS));
        while rest == 0 {
            word += 1;
            rest = *self.rows.get(word)?;
        }
        Some(word * ROWS + rest.trailing_zeros() as usize)
    }
}

kernel!(fn look['a, const WORDS: usize]['a, WORDS](past: &'a Past, upper: i32, lower: i32, rows: &'a mut [u64; WORDS]) {
    let (high, low) = (past.high.last::<LONGEST>(), past.low.last::<LONGEST>());
    let ((high, _), (low, _)) = (high.as_chunks(), low.as_chunks());
    for (word, (high, low)) in rows.iter_mut().zip(high.iter().zip(low).rev()) {
        *word = of_word(high, low, upper, lower);
    }
});

/// A bit for each row in a zone, the last of the rows in bit 0.
#[inline(always)]
fn of_word(high: &[i32; ROWS], low: &[i32; ROWS], upper: i32, lower: i32) -> u64 {
    let mut bytes = [0_u8; ROWS];
    for row in 0..ROWS {
        bytes[row] = u8::from(high[row] >= upper) | u8::from(low[row] <= lower);
    }
    // The product moves the lowest bits of eight bytes into the highest one, the first of them lowest.
    let (eights, _) = bytes.as_chunks::<8>();
    let byte = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().enumerate().fold(0, |word, (place, eight)| word | byte(eight) << (8 * place)).reverse_bits()
}
