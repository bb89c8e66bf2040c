//! Whole numbers, counted.

use std::collections::BTreeMap;

use super::column::rank;

/// How many there are of each whole number. Those below `SMALL`, which most are, cost an addition.
pub struct Counts<const SMALL: usize> {
    small: [u64; SMALL],
    large: BTreeMap<u64, u64>,
}

impl<const SMALL: usize> Counts<SMALL> {
    /// None yet.
    pub fn new() -> Self {
        Self { small: [0; SMALL], large: BTreeMap::new() }
    }

    /// Counts a number.
    #[inline]
    pub fn add(&mut self, value: u64) {
        match self.small.get_mut(value as usize) {
            Some(count) => *count += 1,
            None => *self.large.entry(value).or_default() += 1,
        }
    }

    /// Each number and how many there are of it, in order.
    fn pairs(&self) -> impl Iterator<Item = (u64, u64)> {
        let small = (0..).zip(self.small);
        small.chain(self.large.iter().map(|(&value, &count)| (value, count)))
    }

    fn total(&self) -> u64 {
        self.pairs().map(|(_, count)| count).sum()
    }

    /// A percentile; `None` without any.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let total = self.total();
        let mut left = rank(percent, total);
        for (value, count) in self.pairs() {
            if left <= count {
                return (total > 0).then_some(value);
            }
            left -= count;
        }
        None
    }

    /// The mean; `None` without any.
    pub fn mean(&self) -> Option<f64> {
        let total = self.total();
        let sum: u64 = self.pairs().map(|(value, count)| value * count).sum();
        (total > 0).then(|| sum as f64 / total as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_mean_by_hand() {
        let mut counts = Counts::<3>::new();
        assert_eq!((counts.percentile(50), counts.mean()), (None, None));
        for value in [0, 2, 63_000, 2, 0, 2, 900] {
            counts.add(value);
        }
        // 0, 0, 2, 2, 2, 900, 63000.
        let percentiles = [0, 28, 29, 71, 72, 85, 86, 100].map(|percent| counts.percentile(percent));
        assert_eq!(percentiles, [0, 0, 2, 2, 900, 900, 63_000, 63_000].map(Some));
        assert_eq!(counts.mean(), Some(63_906.0 / 7.0));
    }
}
