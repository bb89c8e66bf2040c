//! The true range: how far a bar reached, the close before it included.

/// max(h - l, |h - c|, |l - c|) of each row, c being the close before it, as many as the shortest column has; h - l on
/// the first row. With l <= h that is max(h, c) - min(l, c).
#[inline]
pub fn true_ranges<'a>(high: &'a [i32], low: &'a [i32], close: &'a [i32]) -> impl Iterator<Item = i32> + Clone + 'a {
    let first = high.iter().zip(low).take(1).map(|(high, low)| high - low);
    let rows = high.iter().zip(low).skip(1).zip(close);
    first.chain(rows.map(|((&high, &low), &before)| high.max(before) - low.min(before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // Above, below and around the close before.
        let (high, low, close) = ([10, 14, 9, 12], [8, 13, 7, 4], [9, 13, 8, 5]);
        assert_eq!(true_ranges(&high, &low, &close).collect::<Vec<_>>(), [2, 5, 6, 8]);
        assert_eq!(true_ranges(&[], &[], &[]).count(), 0);
    }
}
