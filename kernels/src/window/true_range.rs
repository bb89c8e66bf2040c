//! The true range: how far a bar reached, the close before it included.

/// max(h - l, |h - c|, |l - c|), c being the close `before`. With l <= h that is max(h, c) - min(l, c).
#[inline(always)]
pub(crate) fn true_range(high: i32, low: i32, before: i32) -> i32 {
    high.max(before) - low.min(before)
}

/// The true range of each row from the second on; a first row has h - l.
#[inline(always)]
pub fn true_ranges<'a>(high: &'a [i32], low: &'a [i32], close: &'a [i32]) -> impl Iterator<Item = i32> + Clone + 'a {
    let rows = high.get(1..).unwrap_or_default().iter().zip(low.get(1..).unwrap_or_default()).zip(close);
    rows.map(|((&high, &low), &before)| true_range(high, low, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Above, below and around the close before.
        let (high, low, close) = ([10, 14, 9, 12], [8, 13, 7, 4], [9, 13, 8, 5]);
        assert_eq!(true_ranges(&high, &low, &close).collect::<Vec<_>>(), [5, 6, 8]);
        assert_eq!(true_ranges(&[], &[], &[]).count(), 0);
    }
}
