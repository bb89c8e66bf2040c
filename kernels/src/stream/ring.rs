//! The last values of a column.

/// The last `N` values pushed, a power of two; before there are as many, zeros.
#[derive(Clone)]
pub(super) struct Ring<T, const N: usize> {
    values: [T; N],
    pushed: usize,
}

impl<T: Copy + Default, const N: usize> Ring<T, N> {
    const MASK: usize = {
        assert!(N.is_power_of_two(), "a mask finds the place");
        N - 1
    };

    pub(super) fn new() -> Self {
        Self { values: [T::default(); N], pushed: 0 }
    }

    /// How many values were pushed.
    pub(super) fn pushed(&self) -> usize {
        self.pushed
    }

    #[inline(always)]
    pub(super) fn push(&mut self, value: T) {
        self.values[self.pushed & Self::MASK] = value;
        self.pushed += 1;
    }

    /// The value `by` rows (`1..=N`) before the row that is forming: 1 is the one pushed last.
    #[inline(always)]
    pub(super) fn back(&self, by: usize) -> T {
        self.values[self.pushed.wrapping_sub(by) & Self::MASK]
    }

    /// The last `M <= N` values, oldest first.
    #[inline(always)]
    pub(super) fn last<const M: usize>(&self) -> [T; M] {
        const { assert!(M <= N, "as many are kept") }
        let mut last = [T::default(); M];
        let start = self.pushed.wrapping_sub(M) & Self::MASK;
        let before_the_end = M.min(N - start);
        let (old, new) = last.split_at_mut(before_the_end);
        old.copy_from_slice(&self.values[start..][..before_the_end]);
        new.copy_from_slice(&self.values[..M - before_the_end]);
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_values() {
        let mut ring = Ring::<i32, 8>::new();
        for value in 1..=27 {
            ring.push(value);
            let expected: [i32; 5] = std::array::from_fn(|age| (value - 4 + age as i32).max(0));
            assert_eq!(ring.last::<5>(), expected);
            assert_eq!([5, 4, 3, 2, 1].map(|by| ring.back(by)), expected);
        }
        assert_eq!((ring.pushed(), ring.back(8)), (27, 20));
    }
}
