//! The window kernels alone: against their definition, in a straight loop over every seventh window.

use kernels::window::{
    deviation::Deviation,
    extrema::Extrema,
    rank::Rank,
    retouch::{APART, Retouch},
    score::Score,
    slope::{STEPS_30, Slope, of_steps_30},
    sum::{Sums, float},
    true_range::true_ranges,
};

use crate::{kernel::Kernel, tape::Tape};

/// Rows from one checked window to the next.
const EVERY: usize = 7;

/// Asserts `found`, whose elements belong to the windows of `window` rows of `column`.
fn compare<T: Copy>(column: &[T], window: usize, found: &[f64], tolerance: f64, definition: impl Fn(&[T]) -> f64) {
    assert_eq!(found.len(), column.len() + 1 - window);
    for (row, (found, rows)) in found.iter().zip(column.windows(window)).enumerate().step_by(EVERY) {
        let expected = definition(rows);
        let same = (found - expected).abs() <= tolerance * expected.abs().max(1.0);
        assert!(same || found.is_nan() && expected.is_nan(), "window {row}: {found}, expected {expected}");
    }
}

fn floats<T: Copy + Into<f64>>(column: &[T]) -> Vec<f64> {
    column.iter().map(|&value| value.into()).collect()
}

/// A loop, not `for_each`: only that vectorises.
pub(crate) fn fill<T>(out: &mut [T], values: impl Iterator<Item = T>) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = value;
    }
}

pub(crate) fn kernels(tape: &'static Tape) -> Vec<Kernel> {
    let mut kernels = vec![true_range(tape), sums(tape)];
    kernels.extend([300, 900, 1800].map(|window| extrema(tape, window)));
    kernels.extend([300, 900].map(|window| retouches(tape, window)));
    kernels.extend([rank(tape), score(tape), slopes(tape), step_slopes(tape), deviations(tape)]);
    kernels
}

/// What rank and score look at: sums of the true range over 30 rows.
pub(crate) fn atr(tape: &Tape) -> Vec<i32> {
    ranges(tape).windows(30).map(|rows| rows.iter().sum()).collect()
}

/// The true range, h - l in the first row.
pub(crate) fn ranges(tape: &Tape) -> Vec<i32> {
    let series = tape.series();
    let mut ranges = vec![series.high()[0] - series.low()[0]];
    ranges.extend(true_ranges(series.high(), series.low(), series.close()));
    ranges
}

fn true_range(tape: &'static Tape) -> Kernel {
    let series = tape.series();
    let (high, low, close) = (series.high(), series.low(), series.close());
    Kernel::new(
        "true range",
        [12, 4],
        vec![0; series.len() - 1],
        move |out| fill(out, true_ranges(high, low, close)),
        move |out| {
            for row in 1..high.len() {
                let before = close[row - 1];
                let expected = (high[row] - low[row]).max((high[row] - before).abs()).max((low[row] - before).abs());
                assert_eq!(out[row - 1], expected, "row {row}");
            }
        },
    )
}

fn sums(tape: &'static Tape) -> Kernel {
    const WINDOW: usize = 300;
    let volume = tape.series().volume();
    Kernel::new(
        "sums, 300",
        [4, 8],
        (Sums::new(volume.len()), vec![0.0; volume.len() + 1 - WINDOW]),
        move |(sums, out)| {
            sums.set(volume.iter().map(|&volume| i64::from(volume)));
            fill(out, sums.over(WINDOW, WINDOW - 1..volume.len()).map(float));
        },
        move |(_, out)| compare(volume, WINDOW, out, 0.0, |rows| rows.iter().map(|&value| f64::from(value)).sum()),
    )
}

fn extrema(tape: &'static Tape, window: usize) -> Kernel {
    let series = tape.series();
    Kernel::new(
        format!("extrema, {window}"),
        [8, 8],
        Extrema::new(window, series.len()),
        move |extrema| extrema.set(series.high(), series.low()),
        move |extrema| {
            let highest = |rows: &[i32]| rows.iter().fold(f64::MIN, |highest, &high| highest.max(high.into()));
            let lowest = |rows: &[i32]| rows.iter().fold(f64::MAX, |lowest, &low| lowest.min(low.into()));
            compare(series.high(), window, &floats(extrema.high()), 0.0, highest);
            compare(series.low(), window, &floats(extrema.low()), 0.0, lowest);
        },
    )
}

fn retouches(tape: &'static Tape, window: usize) -> Kernel {
    let series = tape.series();
    let mut extrema = Extrema::new(window, series.len());
    extrema.set(series.high(), series.low());
    Kernel::new(
        format!("retouches, {window}"),
        [16, 4],
        Retouch::new(window, series.len()),
        move |retouch| retouch.set(window, series.high(), series.low(), extrema.high(), extrema.low()),
        move |retouch| {
            let bars: Vec<(i32, i32)> = series.high().iter().copied().zip(series.low().iter().copied()).collect();
            compare(&bars, window, &floats(retouch.counts()), 0.0, |rows| {
                let highest = rows.iter().fold(i32::MIN, |highest, bar| highest.max(bar.0));
                let lowest = rows.iter().fold(i32::MAX, |lowest, bar| lowest.min(bar.1));
                let size = highest - lowest;
                let (mut count, mut free) = (0.0, 0);
                for (row, (high, low)) in rows.iter().enumerate() {
                    let inside = 10 * high >= 10 * highest - size || 10 * low <= 10 * lowest + size;
                    if inside && row >= free {
                        (count, free) = (count + 1.0, row + APART);
                    }
                }
                count
            });
        },
    )
}

fn rank(tape: &'static Tape) -> Kernel {
    let atr = atr(tape);
    let values = atr.clone();
    Kernel::new(
        "rank, 300",
        [4, 2],
        Rank::new(300, atr.len()),
        move |rank| rank.set(&atr),
        move |rank| {
            compare(&values, 300, &floats(rank.scores()), 0.0, |rows| {
                let score = |value: &i32| i32::from(*value < rows[299]) + i32::from(*value <= rows[299]);
                rows.iter().map(score).sum::<i32>().into()
            });
        },
    )
}

fn score(tape: &'static Tape) -> Kernel {
    let atr = atr(tape);
    let values = atr.clone();
    Kernel::new(
        "score, 300",
        [4, 8],
        Score::new(300, atr.len()),
        move |score| score.set(&atr),
        move |score| {
            compare(&values, 300, score.scores(), 1e-9, |rows| {
                let mean = rows.iter().map(|&value| f64::from(value)).sum::<f64>() / 300.0;
                let squares: f64 = rows.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum();
                if squares == 0.0 { f64::NAN } else { (f64::from(rows[299]) - mean) / (squares / 299.0).sqrt() }
            });
        },
    )
}

fn slope_of(rows: &[f64]) -> f64 {
    let middle = (rows.len() - 1) as f64 / 2.0;
    let terms = rows.iter().enumerate().map(|(k, y)| (k as f64 - middle, y - rows[0]));
    let (xy, xx) = terms.fold((0.0, 0.0), |(xy, xx), (x, y)| (xy + x * y, xx + x * x));
    xy / xx
}

fn slopes(tape: &'static Tape) -> Kernel {
    let volume = tape.series().volume();
    Kernel::new(
        "slopes, 30",
        [4, 8],
        (Slope::new(volume.len()), vec![0.0; volume.len() - 29]),
        move |(slope, out)| {
            slope.set(volume.iter().map(|&volume| i64::from(volume)));
            fill(out, slope.over(30, 29..volume.len()).map(|twice| float(twice) / 4495.0));
        },
        move |(_, out)| compare(&floats(volume), 30, out, 1e-10, slope_of),
    )
}

fn step_slopes(tape: &'static Tape) -> Kernel {
    let close: Vec<f64> = tape.series().close().iter().map(|&close| f64::from(close)).collect();
    let steps: Vec<f64> = close.windows(2).map(|pair| pair[1] - pair[0]).collect();
    Kernel::new(
        "slopes of steps, 30",
        [8, 8],
        vec![0.0; close.len() - STEPS_30],
        move |out| of_steps_30(&steps, out),
        move |out| compare(&close, 30, out, 1e-10, slope_of),
    )
}

fn deviations(tape: &'static Tape) -> Kernel {
    let returns = returns(tape);
    let values = returns.clone();
    Kernel::new(
        "deviations, 30",
        [8, 8],
        Deviation::new(returns.len()),
        move |deviation| deviation.set(&returns),
        move |deviation| {
            compare(&values, 30, deviation.deviations(), 1e-12, |rows| {
                let mean = rows.iter().sum::<f64>() / 30.0;
                (rows.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 29.0).sqrt()
            });
        },
    )
}

/// Returns of one row.
pub(crate) fn returns(tape: &Tape) -> Vec<f64> {
    let change = |pair: &[i32]| f64::from(pair[1] - pair[0]) / f64::from(pair[0]);
    tape.series().close().windows(2).map(change).collect()
}
