//! Every float column once more, row by row in plain f64 as its definition reads, for the tests.

use crate::Profile;
use crate::random::Tape;

const TICK: f64 = 0.25;

/// Column -> row -> value.
pub(super) fn values(tape: &Tape, profile: Profile) -> Vec<Vec<f64>> {
    let n = tape.close.len();
    let column = |prices: &[i32]| prices.iter().map(|&p| f64::from(p) * TICK).collect::<Vec<_>>();
    let (h, l, c) = (column(&tape.high), column(&tape.low), column(&tape.close));
    let v: Vec<f64> = tape.volume.iter().map(|&v| f64::from(v)).collect();
    let map = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<_>>();
    let session = profile == Profile::Session;

    let mean_5 = rolling(&v, 5, mean);
    let ratio_30: Vec<f64> = zip(&v, &rolling(&v, 30, mean), ratio);
    let slope_5 = rolling(&v, 5, slope);
    let exhaustion = zip(&ratio_30, &slope_5, |a, b| a * b);

    let vwap = map(&|i| {
        let from = if session { 0 } else { (i + 1).max(300) - 300 };
        let sum: f64 = v[from..=i].iter().sum();
        let turnover: f64 = (from..=i).map(|k| c[k] * v[k]).sum();
        if sum == 0.0 || (!session && i < 299) { c[i] } else { turnover / sum }
    });
    let running_high = if session { map(&|i| max(&h[..=i])) } else { rolling(&h, 1800, max) };
    let running_low = if session { map(&|i| min(&l[..=i])) } else { rolling(&l, 1800, min) };

    let range = |w| {
        let (high, low) = (rolling(&h, w, max), rolling(&l, w, min));
        let size = zip(&high, &low, |a, b| a - b);
        let retouches = map(&|i| match (i + 1 < w, session) {
            (true, true) => f64::NAN,
            (true, false) => 0.0,
            (false, true) => retouches(&h[i + 1 - w..=i], &l[i + 1 - w..=i]),
            (false, false) => {
                let near = 20.0 * c[i] >= 20.0 * high[i] - size[i] || 20.0 * c[i] <= 20.0 * low[i] + size[i];
                f64::from(u8::from(near))
            }
        });
        (high, low, size, retouches)
    };
    let (short_high, short_low, short_size, short_retouches) = range(300);
    let (high, low, size, medium_retouches) = range(900);
    let position = zip(&zip(&c, &short_low, |a, b| a - b), &short_size, ratio);
    let compression = zip(&short_size, &size, ratio);

    let change = |w: usize| map(&|i| if i < w { f64::NAN } else { (c[i] - c[i - w]) / c[i - w] });
    let acceleration = zip(&change(30), &change(60), |a, b| a - b);

    let true_range = map(&|i| match i {
        0 => h[0] - l[0],
        i => (h[i] - l[i]).max((h[i] - c[i - 1]).abs()).max((l[i] - c[i - 1]).abs()),
    });
    let [atr_30, atr_60, atr_300] = [30, 60, 300].map(|w| rolling(&true_range, w, mean));
    let breakout =
        rolling(
            &atr_30,
            300,
            |w| {
                if w.iter().all(|x| *x == w[0]) { f64::NAN } else { (w[299] - mean(w)) / deviation(w) }
            },
        );
    let percentile = rolling(&atr_30, 300, |w| {
        let (less, equal) = (w.iter().filter(|x| **x < w[299]).count(), w.iter().filter(|x| **x == w[299]).count());
        (less as f64 + (equal as f64 + 1.0) / 2.0) / 300.0 * 100.0
    });

    let bar_range = zip(&h, &l, |a, b| a - b);
    let up = map(&|i| if i > 0 && c[i] > c[i - 1] { 100.0 } else { 0.0 });
    let (up_30, up_60) = (rolling(&up, 30, mean), rolling(&up, 60, mean));

    vec![
        ratio_30,
        rolling(&mean_5, 30, slope),
        slope_5,
        exhaustion,
        vwap.clone(),
        zip(&c, &vwap, |c, vwap| (c - vwap) / vwap * 100.0),
        rolling(&vwap, 30, slope),
        zip(&c, &running_high, |a, b| a - b),
        zip(&c, &running_low, |a, b| a - b),
        short_high,
        short_low,
        short_size,
        position,
        high,
        low,
        size,
        compression,
        short_retouches,
        medium_retouches,
        change(30),
        change(60),
        change(300),
        acceleration,
        rolling(&change(1), 30, deviation),
        atr_30.clone(),
        atr_300.clone(),
        zip(&atr_30, &atr_300, ratio),
        zip(&zip(&atr_30, &atr_60, |a, b| a - b), &atr_60, ratio),
        breakout,
        percentile,
        bar_range.clone(),
        zip(&bar_range, &atr_30, ratio),
        up_30.clone(),
        up_60.clone(),
        zip(&up_30, &up_60, |a, b| (a - b).abs()),
        up_30.iter().map(|up| (up - 50.0).abs() * 2.0).collect(),
    ]
}

fn rolling(y: &[f64], w: usize, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let full = |i: usize| i + 1 >= w && y[i + 1 - w..=i].iter().all(|value| !value.is_nan());
    (0..y.len()).map(|i| if full(i) { f(&y[i + 1 - w..=i]) } else { f64::NAN }).collect()
}

fn zip(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect()
}

fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { f64::NAN } else { a / b }
}

fn mean(y: &[f64]) -> f64 {
    y.iter().sum::<f64>() / y.len() as f64
}

fn max(y: &[f64]) -> f64 {
    y.iter().copied().fold(f64::MIN, f64::max)
}

fn min(y: &[f64]) -> f64 {
    y.iter().copied().fold(f64::MAX, f64::min)
}

fn deviation(y: &[f64]) -> f64 {
    let mean = mean(y);
    (y.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / (y.len() - 1) as f64).sqrt()
}

fn slope(y: &[f64]) -> f64 {
    let middle = (y.len() - 1) as f64 / 2.0;
    let (mut xy, mut xx) = (0.0, 0.0);
    for (k, y_k) in y.iter().enumerate() {
        let x = k as f64 - middle;
        xy += x * (y_k - y[0]);
        xx += x * x;
    }
    xy / xx
}

fn retouches(high: &[f64], low: &[f64]) -> f64 {
    let (top, bottom) = (max(high), min(low));
    let (mut count, mut free) = (0.0, 0);
    for k in 0..high.len() {
        let zone = 10.0 * high[k] >= 10.0 * top - (top - bottom) || 10.0 * low[k] <= 10.0 * bottom + (top - bottom);
        if zone && k >= free {
            count += 1.0;
            free = k + 30;
        }
    }
    count
}
