//! How far a month's figure is from what the archive's months usually have.

/// Makes the median of absolute deviations a standard deviation, where values are normal.
const OF_MEDIAN: f64 = 1.4826;
/// The same of the mean of absolute deviations.
const OF_MEAN: f64 = 1.2533;

/// The median; `None` without values.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// Robust z of each value: its distance from the median by the median of all distances. Where most values are one and
/// the same, by the mean of all distances; where all are, each is 0.
pub fn robust_z(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let known = || values.iter().flatten().copied().filter(|value| value.is_finite());
    let Some(middle) = median(known()) else { return vec![None; values.len()] };
    let distances = || known().map(|value| (value - middle).abs());
    let spread = match median(distances()) {
        Some(spread) if spread > 0.0 => OF_MEDIAN * spread,
        _ => OF_MEAN * distances().sum::<f64>() / known().count() as f64,
    };
    let z = |value: f64| if spread > 0.0 { (value - middle) / spread } else { 0.0 };
    values.iter().map(|value| value.filter(|value| value.is_finite()).map(z)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median([3.0, f64::NAN, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0].into_iter()), Some(2.5));
        assert_eq!(median(std::iter::empty()), None);
    }

    #[test]
    fn distances_from_the_median_by_their_median() {
        // Median 3, distances 2 1 0 1 97, of which the median is 1.
        let z = robust_z(&[Some(1.0), Some(2.0), None, Some(3.0), Some(4.0), Some(100.0)]);
        let expected = [Some(-2.0), Some(-1.0), None, Some(0.0), Some(1.0), Some(97.0)];
        assert_eq!(z, expected.map(|distance| distance.map(|distance| distance / OF_MEDIAN)));
    }

    #[test]
    fn one_that_differs_from_all_others_is_far_away_and_equal_ones_are_not() {
        let z = robust_z(&[Some(0.0), Some(0.0), Some(0.0), Some(1.0)]);
        assert_eq!(z, [Some(0.0), Some(0.0), Some(0.0), Some(4.0 / OF_MEAN)]);
        assert_eq!(robust_z(&[Some(7.0); 3]), [Some(0.0); 3]);
        assert_eq!(robust_z(&[None, Some(f64::NAN)]), [None, None]);
    }
}
