//! The largest value of any run of rows, and the first row that reaches a value: maxima over 1, 2, 4, .. rows.

#[derive(Clone, Debug, Default)]
pub(super) struct Extrema {
    /// Maxima over 2^k rows from each row on, one k after the other.
    maxima: Vec<i32>,
    rows: usize,
    powers: usize,
}

impl Extrema {
    /// Room for so many rows, and runs of at most `longest`.
    pub(super) fn new(rows: usize, longest: usize) -> Self {
        let powers = longest.ilog2() as usize + 1;
        Self { maxima: vec![0; powers * rows], rows: 0, powers }
    }

    /// Takes other rows, as many as there is room for at most.
    #[inline(always)]
    pub(super) fn set(&mut self, values: impl Iterator<Item = i32>, rows: usize) {
        self.rows = rows;
        for (maximum, value) in self.maxima[..rows].iter_mut().zip(values) {
            *maximum = value;
        }
        for power in 1..self.powers {
            let half = 1 << (power - 1);
            let (known, rest) = self.maxima.split_at_mut(power * rows);
            let known = &known[(power - 1) * rows..];
            // The last rows have no such run; what stands there is not read.
            let runs = (rows + 1).saturating_sub(2 * half);
            let (first, second) = (&known[..runs], &known[half.min(rows)..]);
            for ((maximum, first), second) in rest[..runs].iter_mut().zip(first).zip(second) {
                *maximum = *first.max(second);
            }
        }
    }

    /// The values.
    #[inline(always)]
    pub(super) fn values(&self) -> &[i32] {
        &self.maxima[..self.rows]
    }

    /// The largest value of `rows` rows from `row` on; at least one.
    #[inline(always)]
    pub(super) fn max(&self, row: usize, rows: usize) -> i32 {
        let power = (usize::BITS - 1 - (rows | 1).leading_zeros()) as usize;
        let first = power * self.rows + row;
        self.maxima[first].max(self.maxima[first + rows - (1 << power)])
    }

    /// The first row from `row` on whose value is at least `level`. Beyond the longest run it may be overlooked.
    #[inline(always)]
    pub(super) fn first(&self, mut row: usize, level: i32) -> Option<usize> {
        for power in (0..self.powers).rev() {
            if row + (1 << power) <= self.rows && self.maxima[power * self.rows + row] < level {
                row += 1 << power;
            }
        }
        self.values().get(row).is_some_and(|&value| value >= level).then_some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_and_every_level() {
        let values: Vec<i32> = (0..100_i32).map(|row| (row * row * 7919 + 13 * row) % 101).collect();
        for longest in [1, 2, 7, 64, 90] {
            let mut extrema = Extrema::new(120, longest);
            extrema.set(values.iter().copied(), values.len());
            for row in 0..values.len() {
                for rows in 1..=longest.min(values.len() - row) {
                    assert_eq!(Some(extrema.max(row, rows)), values[row..row + rows].iter().copied().max());
                }
                for level in 0..=102 {
                    let found = extrema.first(row, level);
                    let expected = (row..values.len()).find(|&later| values[later] >= level);
                    if expected.is_some_and(|expected| expected < row + longest) {
                        assert_eq!(found, expected, "row {row}, level {level}, longest {longest}");
                    }
                    assert!(found.is_none_or(|found| expected == Some(found)));
                }
            }
        }
    }
}
