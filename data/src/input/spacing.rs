//! How far bars are apart: those of a minute or an hour are no bars of a second.

use super::InputError;

/// Bars from which it can be told. That so many seconds with trades are all even has a chance of one in 2^100.
const ENOUGH: u64 = 100;

/// The greatest number of seconds of which all distances between bars are multiples.
#[derive(Default)]
pub(super) struct Spacing {
    first: Option<u64>,
    bars: u64,
    seconds: u64,
}

impl Spacing {
    /// Takes one more bar.
    pub(super) fn add(&mut self, nanos: u64) {
        self.bars += 1;
        if self.seconds == 1 {
            return;
        }
        let second = nanos / 1_000_000_000;
        let (mut a, mut b) = (second.abs_diff(*self.first.get_or_insert(second)), self.seconds);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        self.seconds = a;
    }

    /// Refuses bars of more than a second.
    pub(super) fn check(&self) -> Result<(), InputError> {
        if self.bars < ENOUGH || self.seconds <= 1 {
            return Ok(());
        }
        Err(InputError::Spacing { bars: self.bars, seconds: self.seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bars: impl Iterator<Item = u64>) -> Option<u64> {
        let mut spacing = Spacing::default();
        bars.for_each(|second| spacing.add(second * 1_000_000_000));
        match spacing.check() {
            Err(InputError::Spacing { seconds, .. }) => Some(seconds),
            _ => None,
        }
    }

    #[test]
    fn bars_of_a_minute_are_known_wherever_in_the_minute_they_are_stamped() {
        assert_eq!(check((0..100).map(|bar| 59 + 60 * bar)), Some(60));
        assert_eq!(check((0..100).map(|bar| 3600 * bar * bar)), Some(3600));
        assert_eq!(check((0..99).map(|bar| 60 * bar)), None);
        assert_eq!(check((0..100).chain([61]).map(|bar| 60 * bar + 1)), Some(60));
        assert_eq!(check((0..100).map(|bar| 60 * bar).chain([61])), None);
        // All of one second: contracts beside each other.
        assert_eq!(check((0..100).map(|_| 7)), None);
    }
}
