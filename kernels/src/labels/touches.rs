//! One direction of the touch table at any row: the nearest row from there on that reaches a level.
//!
//! Rows are taken in from right to left. A cell is written when its level leaves the bar, so that a row costs only the levels
//! between two neighbouring bars; the cells of levels within the bar last taken in are stale. A level is a distance from the
//! lowest price or, for lows, from the highest, so that what has yet to be reached lies above it.

use super::six::touch::{LEVELS, NEVER, WRITTEN};

#[derive(Clone, Debug)]
pub(super) struct Touches {
    /// The cell of level 0 is `WRITTEN - 1`.
    cells: Box<[i16]>,
    /// Levels in use; the cell of this one is never written.
    levels: usize,
    /// Extreme of the row last taken in.
    extreme: usize,
}

impl Touches {
    pub(super) fn new() -> Self {
        Self { cells: vec![NEVER; WRITTEN + LEVELS].into_boxed_slice(), levels: 0, extreme: 0 }
    }

    /// Forgets all rows; from here on there are so many levels.
    pub(super) fn start(&mut self, levels: usize) {
        self.cells[..WRITTEN + levels].fill(NEVER);
        (self.levels, self.extreme) = (levels, 0);
    }

    /// Takes in a row that reaches the levels up to `extreme`.
    #[inline(always)]
    pub(super) fn take(&mut self, extreme: usize, row: usize) {
        let mut top = self.extreme;
        loop {
            self.cells[top..][..WRITTEN].copy_from_slice(&[row as i16 + 1; WRITTEN]);
            if top <= extreme + WRITTEN {
                break;
            }
            top -= WRITTEN;
        }
        self.extreme = extreme;
    }

    /// The nearest row from `row`, which was taken in last, that reaches `level`, which is above 0.
    #[inline(always)]
    pub(super) fn first(&self, level: usize, row: usize) -> i16 {
        let cell = self.cells[WRITTEN - 1 + level.min(self.levels)];
        if level <= self.extreme { row as i16 } else { cell }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_row_of_every_level() {
        let highs = [3, 90, 3, 7, 200, 0, 120, 7, 7, 64];
        let mut touches = Touches::new();
        touches.start(201);
        for row in (0..highs.len()).rev() {
            touches.take(highs[row], row);
            for level in 1..=300 {
                let expected = (row..highs.len()).find(|&later| highs[later] >= level);
                assert_eq!(touches.first(level, row), expected.map_or(NEVER, |row| row as i16), "{row} {level}");
            }
        }
    }
}
