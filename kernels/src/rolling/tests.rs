//! Every function against exact arithmetic: windows of whole numbers, which floats hold exactly, summed in 128 bits.
//! `WINDOWS=10000000` looks at as many.

use super::*;
use crate::Level;

/// 2^-53.
const U: f64 = f64::EPSILON / 2.0;

/// Random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % limit
    }

    /// A column of one of the kinds of market and of malice.
    fn column(&mut self, rows: usize) -> Vec<i64> {
        let (kind, mut level) = (self.below(7), 20_000);
        let mut next = || match kind {
            0 => self.below(500),
            1 => 4_503_599_627,
            // Small differences of large values.
            2 => (1 << 50) + self.below(3),
            // Now and then a value that is a million times as large.
            3 => self.below(9) + if self.below(40) == 0 { 1 << 40 } else { 0 },
            4 => self.below(2) * (1 << 30),
            5 => -(1 << 49) + self.below(1 << 20),
            _ => {
                level += self.below(5) - 2;
                level
            }
        };
        (0..rows).map(|_| next()).collect()
    }
}

/// Exact totals of a window: of the values, of their squares, of k times the k-th, and of the absolute values; all but the last
/// of the distances from the first value.
struct Exact {
    rows: f64,
    first: i64,
    sum: i128,
    squares: i128,
    moment: i128,
    absolute: f64,
    reach: f64,
}

impl Exact {
    fn of(window: &[i64]) -> Self {
        let first = window[0];
        let (mut sum, mut squares, mut moment, mut absolute) = (0, 0, 0, 0.0);
        for (k, &value) in window.iter().enumerate() {
            let distance = i128::from(value - first);
            sum += distance;
            squares += distance * distance;
            moment += distance * k as i128;
            absolute += value.abs() as f64;
        }
        let reach = window.iter().max().unwrap() - window.iter().min().unwrap();
        Self { rows: window.len() as f64, first, sum, squares, moment, absolute, reach: reach as f64 }
    }

    fn mean(&self) -> f64 {
        (self.sum + i128::from(self.first) * self.rows as i128) as f64 / self.rows
    }

    fn std(&self) -> f64 {
        let w = self.rows as i128;
        ((w * self.squares - self.sum * self.sum) as f64 / (self.rows * (self.rows - 1.0))).sqrt()
    }

    fn slope(&self) -> f64 {
        let w = self.rows as i128;
        6.0 * (2 * self.moment - (w - 1) * self.sum) as f64 / (self.rows * (self.rows * self.rows - 1.0))
    }
}

/// A function of one column.
type Rolling<T> = fn(&[T], usize, &mut [f64]) -> Result<usize, Error>;

fn of<T: Number>(values: &[T], window: usize, f: Rolling<T>) -> Vec<f64> {
    let mut out = vec![7.0; values.len()];
    let first = f(values, window, &mut out).unwrap();
    assert_eq!(first, (window - 1).min(values.len()));
    assert!(out[..first].iter().all(|value| value.is_nan()));
    out
}

/// `found` within `bound` and the few roundings of the expectation itself.
#[track_caller]
fn near(found: f64, expected: f64, bound: f64, what: &str) {
    let slack = 4.0 * U * expected.abs();
    assert!((found - expected).abs() <= bound + slack, "{what}: {found:e}, expected {expected:e} within {bound:e}");
}

#[test]
fn within_the_stated_bounds_at_every_level() {
    let wanted: usize = std::env::var("WINDOWS").map_or(30_000, |windows| windows.parse().unwrap());
    let _forcing = crate::level::tests::FORCING.lock();
    let (mut random, mut seen) = (Random(1), 0);
    let levels: Vec<_> = Level::available().collect();
    while seen < wanted {
        levels[seen % levels.len()].force().unwrap();
        let window = [1, 2, 3, 5, 11, 12, 13, 16, 30, 47, 64, 100, 300, 1_000][random.below(14) as usize];
        let rows = window + random.below(3 * window as i64 + 40) as usize;
        let column = random.column(rows);
        let floats: Vec<f64> = column.iter().map(|&value| value as f64).collect();
        seen += bounds(&column, &floats, window);
    }
    Level::available().last().unwrap().force().unwrap();
}

fn bounds(column: &[i64], floats: &[f64], window: usize) -> usize {
    let mut sums = vec![0.0; floats.len()];
    sum(floats, window, &mut sums).unwrap();
    let mut totals = vec![0; column.len()];
    sum(column, window, &mut totals).unwrap();
    let (means, whole_means) = (of(floats, window, mean), of(column, window, mean));
    let (stds, whole_stds) = (of(floats, window, std), of(column, window, std));
    let (slopes, whole_slopes) = (of(floats, window, slope), of(column, window, slope));
    let w = window as f64;
    for (row, values) in (window - 1..).zip(column.windows(window)) {
        let exact = Exact::of(values);
        let total = exact.sum + i128::from(exact.first) * window as i128;
        assert_eq!(totals[row], total);
        let of_sum = (w / 8.0 + 10.0) * U * exact.absolute;
        near(sums[row], total as f64, of_sum, "sum");
        near(means[row], exact.mean(), of_sum / w + 2.0 * U * exact.mean().abs(), "mean");
        near(whole_means[row], exact.mean(), 3.0 * U * exact.mean().abs(), "mean of integers");
        if window == 1 {
            assert!([stds[row], whole_stds[row], slopes[row], whole_slopes[row]].iter().all(|value| value.is_nan()));
            continue;
        }
        near(stds[row], exact.std(), (w / 4.0 + 20.0) * w * U * exact.std(), "std");
        near(whole_stds[row], exact.std(), 3.0 * U * exact.std(), "std of integers");
        near(slopes[row], exact.slope(), (8.0 + 400.0 / w) * U * exact.reach, "slope");
        near(whole_slopes[row], exact.slope(), 4.0 * U * exact.slope().abs(), "slope of integers");
    }
    column.len() + 1 - window
}

#[test]
fn narrow_numbers_are_the_wide_ones() {
    let mut random = Random(3);
    for window in [1, 4, 30, 300] {
        let column: Vec<i32> = (0..900).map(|_| random.below(1 << 20) as i32 - (1 << 19)).collect();
        let (wide, narrow): (Vec<i64>, Vec<f32>) = column.iter().map(|&value| (i64::from(value), value as f32)).unzip();
        let floats: Vec<f64> = column.iter().map(|&value| f64::from(value)).collect();
        let same = |a: Vec<f64>, b: Vec<f64>| assert!(a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()));
        same(of(&column, window, mean), of(&wide, window, mean));
        same(of(&column, window, std), of(&wide, window, std));
        same(of(&column, window, slope), of(&wide, window, slope));
        same(of(&column, window, rank), of(&floats, window, rank));
        same(of(&narrow, window, mean), of(&floats, window, mean));
        same(of(&narrow, window, std), of(&floats, window, std));
        same(of(&narrow, window, slope), of(&floats, window, slope));
    }
}

#[test]
fn extremes_and_ranks_by_their_definition() {
    let mut random = Random(5);
    for (window, values) in
        [(1, 10), (2, 3), (7, 5), (12, 9), (13, 9), (40, 1_000), (256, 50), (257, 50), (400, 1 << 40)]
    {
        let column: Vec<i64> = (0..1_000).map(|_| random.below(values) - values / 2).collect();
        let floats: Vec<f64> = column.iter().map(|&value| value as f64 / 8.0).collect();
        let (mut least, mut largest) = (vec![7; 1_000], vec![7; 1_000]);
        min_max(&column, window, &mut least, &mut largest).unwrap();
        let (mut low, mut high) = (vec![7.0; 1_000], vec![7.0; 1_000]);
        min_max(&floats, window, &mut low, &mut high).unwrap();
        let (ranks, float_ranks) = (of(&column, window, rank), of(&floats, window, rank));
        for (row, rows) in (window - 1..).zip(column.windows(window)) {
            let (min, max) = (*rows.iter().min().unwrap(), *rows.iter().max().unwrap());
            assert_eq!((least[row], largest[row]), (min, max), "window {window}");
            assert_eq!((low[row], high[row]), (min as f64 / 8.0, max as f64 / 8.0));
            let newest = column[row];
            let less = rows.iter().filter(|&&value| value < newest).count() as f64;
            let equal = rows.iter().filter(|&&value| value == newest).count() as f64;
            assert_eq!((ranks[row], float_ranks[row]), (less + (equal + 1.0) / 2.0, ranks[row]), "window {window}");
        }
        assert!(low[..window - 1].iter().all(|value| value.is_nan()) && least[..window - 1].iter().all(|&v| v == 0));
    }
}

#[test]
fn weighted_means_and_returns() {
    let mut random = Random(7);
    for window in [1, 3, 12, 13, 100] {
        let prices: Vec<i64> = (0..500).map(|_| 1 + random.below(1 << 22)).collect();
        let volumes: Vec<i64> = (0..500).map(|row| if row / 60 == 3 { 0 } else { random.below(1 << 12) }).collect();
        let floats = |column: &[i64]| column.iter().map(|&value| value as f64).collect::<Vec<_>>();
        let (mut whole, mut float) = (vec![7.0; 500], vec![7.0; 500]);
        vwap(&prices, &volumes, window, &mut whole).unwrap();
        vwap(&floats(&prices), &floats(&volumes), window, &mut float).unwrap();
        let mut changes = vec![7.0; 500];
        assert_eq!(returns(&prices, window, &mut changes), Ok(window));
        let w = window as f64;
        for row in window - 1..500 {
            let rows = row + 1 - window..=row;
            let total: i64 = volumes[rows.clone()].iter().sum();
            let turnover: i64 = rows.map(|k| prices[k] * volumes[k]).sum();
            if total == 0 {
                assert!(whole[row].is_nan() && float[row].is_nan());
            } else {
                let expected = turnover as f64 / total as f64;
                near(whole[row], expected, 3.0 * U * expected, "vwap of integers");
                near(float[row], expected, (w / 4.0 + 24.0) * U * expected, "vwap");
            }
            if row >= window {
                let before = prices[row - window];
                assert_eq!(changes[row], (prices[row] - before) as f64 / before as f64);
            }
        }
    }
}

/// What leaves a window leaves nothing behind.
#[test]
fn large_values_and_nans_are_forgotten() {
    for window in [5, 12, 13, 30, 100] {
        for odd in [1e300, f64::INFINITY, f64::NAN] {
            let mut values = vec![3.0; 400];
            values[150] = odd;
            for f in [mean::<f64>, std::<f64>, slope::<f64>] {
                let (with, without) = (of(&values, window, f), of(&[3.0; 400], window, f));
                for row in (window - 1..150).chain(150 + window..400) {
                    assert_eq!(with[row], without[row], "window {window}, row {row}, {odd}");
                }
                assert!(odd.is_finite() || !with[150].is_finite());
            }
        }
    }
}

/// Where 64 bits, and 128 bits, do not hold the totals.
#[test]
fn the_largest_integers() {
    let values: Vec<i64> = (0..50).map(|row| [i64::MAX, i64::MIN, 0, 7][row % 4]).collect();
    let mut sums = vec![0; 50];
    sum(&values, 4, &mut sums).unwrap();
    assert!(sums[3..].iter().all(|&sum| sum == 6));
    let floats: Vec<f64> = values.iter().map(|&value| value as f64).collect();
    for window in [2, 4, 20] {
        let (whole, float) = (of(&values, window, std), of(&floats, window, std));
        for (a, b) in whole.iter().zip(&float).skip(window - 1) {
            near(*a, *b, 1e-12 * b, "std");
        }
        let (whole, float) = (of(&values, window, slope), of(&floats, window, slope));
        for (a, b) in whole.iter().zip(&float).skip(window - 1) {
            near(*a, *b, 1e-12 * 2.0_f64.powi(64), "slope");
        }
    }
    let mut out = vec![0.0; 50];
    vwap(&[i64::MAX; 50], &[i64::MAX; 50], 30, &mut out).unwrap();
    near(out[49], i64::MAX as f64, 1e6, "vwap");
    returns(&[i64::MIN, i64::MAX], 1, &mut out[..2]).unwrap();
    assert_eq!(out[1], -2.0);
}

#[test]
fn what_cannot_be_asked() {
    let mut out = [1.0; 3];
    assert_eq!(mean(&[1, 2, 3], 0, &mut out), Err(Error::Window));
    assert_eq!(mean(&[1, 2], 1, &mut out), Err(Error::Lengths));
    assert_eq!(vwap(&[1, 2, 3], &[1, 2], 1, &mut out), Err(Error::Lengths));
    assert_eq!(min_max(&[1, 2], 1, &mut [0; 2], &mut [0; 3]), Err(Error::Lengths));
    // No window is full.
    assert_eq!(std(&[1, 2, 3], 4, &mut out), Ok(3));
    assert!(out.iter().all(|value| value.is_nan()));
    assert_eq!(rank::<f32>(&[], 5, &mut []), Ok(0));
    assert_eq!(returns(&[1, 2, 3], usize::MAX, &mut out), Ok(3));
}
