//! Highest values of trailing windows, in a bounded time.
//!
//! A row counts until a later one is as high. Those that count are falling, so the first of them within a window is its
//! highest, and what a new value ends is found by bisection: at most eleven comparisons a row, whatever the prices did.

use crate::features::RUNNING;
use crate::features::consolidation::{MEDIUM, SHORT};

/// Rows of the windows, the longest last.
const WINDOWS: [usize; 3] = [SHORT, MEDIUM, RUNNING];

/// Places for the rows of the longest window.
const PLACES: usize = RUNNING.next_power_of_two();

/// The rows that count, each at a place of its own; places are numbered through and come round after [`PLACES`].
#[derive(Clone)]
pub(super) struct Highest {
    /// Row modulo 2^32.
    rows: [u32; PLACES],
    values: [i32; PLACES],
    /// Place of each window's highest row, or the end.
    first: Places,
    end: usize,
}

/// A place for each window.
pub(super) type Places = [usize; WINDOWS.len()];

impl Highest {
    pub(super) fn new() -> Self {
        Self { rows: [0; PLACES], values: [0; PLACES], first: [0; WINDOWS.len()], end: 0 }
    }

    /// The highest of each window that ends at row `row`, which comes after those taken and has `value`; and the first place
    /// of each that is not before its window.
    #[inline(always)]
    pub(super) fn with(&self, row: usize, value: i32) -> ([i32; WINDOWS.len()], Places) {
        let mut highest = [value; WINDOWS.len()];
        let mut first = self.first;
        for ((highest, first), window) in highest.iter_mut().zip(&mut first).zip(WINDOWS) {
            // A window moves by a row at a time, so at most one row leaves it.
            let left = row.wrapping_sub(window) as u32;
            if *first != self.end && self.rows[*first % PLACES] == left {
                *first += 1;
            }
            if *first != self.end {
                *highest = (*highest).max(self.values[*first % PLACES]);
            }
        }
        (highest, first)
    }

    /// Takes row `row` with `value`, of which [`Self::with`] said `first`.
    #[inline(always)]
    pub(super) fn take(&mut self, row: usize, value: i32, first: Places) {
        let [.., oldest] = first;
        // The first place whose value is not above the new one.
        let (mut place, mut rest) = (oldest, self.end - oldest);
        while rest > 0 {
            let half = rest / 2;
            if self.values[(place + half) % PLACES] > value {
                place += half + 1;
                rest -= half + 1;
            } else {
                rest = half;
            }
        }
        self.rows[place % PLACES] = row as u32;
        self.values[place % PLACES] = value;
        self.first = first.map(|first| first.min(place));
        self.end = place + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Tape;

    #[test]
    fn every_window_at_every_row() {
        let falling = (0..4_000).map(|row| if row % 2_500 == 2_499 { 9_000 } else { 8_000 - row }).collect();
        let rising = (0..4_000).collect();
        for values in [Tape::walk(3, 6_000, 3).high, falling, rising, vec![7; 4_000]] {
            let mut highest = Highest::new();
            for (row, &value) in values.iter().enumerate() {
                let (found, first) = highest.with(row, value);
                let of = |window: usize| *values[(row + 1).saturating_sub(window)..=row].iter().max().unwrap();
                assert_eq!(found, WINDOWS.map(of), "row {row}");
                highest.take(row, value, first);
            }
        }
    }
}
