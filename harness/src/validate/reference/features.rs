//! docs/spec.md 4: the features of one row, each from its line of the table.

use std::ops::Range;

use kernels::Profile;

use super::Series;

/// The features of a series' rows.
pub struct Features<'a> {
    series: Series<'a>,
    profile: Profile,
    /// Points in a tick.
    tick: f64,
    /// Sums over all rows up to each: close times volume, volume. For the vwap since the first row.
    turnover: Vec<i128>,
    volume: Vec<i128>,
    /// Extremes of all rows up to each.
    highest: Vec<i64>,
    lowest: Vec<i64>,
}

impl<'a> Features<'a> {
    /// Prepares a series whose tick is `tick_nanos` units of 1e-9 points.
    pub fn new(series: Series<'a>, profile: Profile, tick_nanos: i64) -> Self {
        let rows = series.close.len();
        let mut features = Self {
            series,
            profile,
            tick: tick_nanos as f64 / 1e9,
            turnover: Vec::with_capacity(rows),
            volume: Vec::with_capacity(rows),
            highest: Vec::with_capacity(rows),
            lowest: Vec::with_capacity(rows),
        };
        let (mut turnover, mut volume, mut highest, mut lowest) = (0, 0, i64::MIN, i64::MAX);
        for i in 0..rows {
            turnover += i128::from(series.close[i]) * i128::from(series.volume[i]);
            volume += i128::from(series.volume[i]);
            highest = highest.max(series.high[i]);
            lowest = lowest.min(series.low[i]);
            features.turnover.push(turnover);
            features.volume.push(volume);
            features.highest.push(highest);
            features.lowest.push(lowest);
        }
        features
    }

    /// The 36 features of row `i` that are numbers, in the order of the columns.
    pub fn values(&self, i: usize) -> [f64; 36] {
        let Series { high, low, close, volume, .. } = self.series;
        let points = |ticks: Option<i64>| ticks.map_or(f64::NAN, |ticks| ticks as f64 * self.tick);
        let range = high[i] - low[i];

        let volume_ratio = window(i, 30)
            .map_or(f64::NAN, |rows| ratio((30 * volume[i]) as f64, volume[rows].iter().sum::<i64>() as f64));
        let slope_5 = window(i, 5).map_or(f64::NAN, |rows| slope(rows.map(|k| volume[k] as f64)));
        let mean_5 = |k: usize| (volume[k - 4..=k].iter().sum::<i64>()) as f64 / 5.0;
        let slope_30 = window(i, 34).map_or(f64::NAN, |_| slope((i - 29..i + 1).map(mean_5)));

        let (turnover, traded) = self.traded(i);
        let vwap = self.vwap(i);
        let distance = match traded {
            0 => 0.0,
            _ => (i128::from(close[i]) * traded - turnover) as f64 / turnover as f64 * 100.0,
        };
        let vwap_slope = window(i, 30).map_or(f64::NAN, |rows| slope(rows.map(|k| self.vwap(k))));
        let (rth_high, rth_low) = match self.profile {
            Profile::Session => (Some(self.highest[i]), Some(self.lowest[i])),
            Profile::Rolling => self.extremes(i, 1800),
        };

        let ((short_high, short_low), (medium_high, medium_low)) = (self.extremes(i, 300), self.extremes(i, 900));
        let size = |high: Option<i64>, low: Option<i64>| Some(high? - low?);
        let (short, medium) = (size(short_high, short_low), size(medium_high, medium_low));
        let number = |ticks: Option<i64>| ticks.map_or(f64::NAN, |ticks| ticks as f64);

        let [change_30, change_60, change_300] = [30, 60, 300].map(|w| self.change(i, w));
        let consistency =
            window(i, 31).map_or(f64::NAN, |_| deviation(&(i - 29..=i).map(|k| self.change(k, 1)).collect::<Vec<_>>()));
        let [atr_30, atr_60, atr_300] = [30, 60, 300].map(|w| self.true_ranges(i, w).map(|sum| sum as f64 / w as f64));
        let [atr_30, atr_60, atr_300] = [atr_30, atr_60, atr_300].map(|atr| atr.unwrap_or(f64::NAN));
        let (breakout, percentile) = self.last_atrs(i).map_or((f64::NAN, f64::NAN), |sums| (score(&sums), rank(&sums)));
        let [up_30, up_60] = [30, 60].map(|w| self.uptick(i, w));

        [
            volume_ratio,
            slope_30,
            slope_5,
            volume_ratio * slope_5,
            vwap * self.tick,
            distance,
            vwap_slope * self.tick,
            points(rth_high.map(|high| close[i] - high)),
            points(rth_low.map(|low| close[i] - low)),
            points(short_high),
            points(short_low),
            points(short),
            ratio(number(short_low.map(|low| close[i] - low)), number(short)),
            points(medium_high),
            points(medium_low),
            points(medium),
            ratio(number(short), number(medium)),
            self.retouches(i, 300),
            self.retouches(i, 900),
            change_30,
            change_60,
            change_300,
            change_30 - change_60,
            consistency,
            atr_30 * self.tick,
            atr_300 * self.tick,
            ratio(atr_30, atr_300),
            ratio(atr_30 - atr_60, atr_60),
            breakout,
            percentile,
            points(Some(range)),
            ratio(range as f64, atr_30),
            up_30,
            up_60,
            (up_30 - up_60).abs(),
            (up_30 - 50.0).abs() * 2.0,
        ]
    }

    /// Close times volume, and volume, of the rows the vwap of row `i` is over.
    fn traded(&self, i: usize) -> (i128, i128) {
        let before = |sums: &[i128]| match i.checked_sub(300) {
            Some(before) if self.profile == Profile::Rolling => sums[before],
            _ => 0,
        };
        if self.profile == Profile::Rolling && i < 299 {
            return (0, 0);
        }
        (self.turnover[i] - before(&self.turnover), self.volume[i] - before(&self.volume))
    }

    /// In ticks.
    fn vwap(&self, i: usize) -> f64 {
        match self.traded(i) {
            (_, 0) => self.series.close[i] as f64,
            (turnover, volume) => turnover as f64 / volume as f64,
        }
    }

    fn extremes(&self, i: usize, w: usize) -> (Option<i64>, Option<i64>) {
        let Some(rows) = window(i, w) else { return (None, None) };
        let Series { high, low, .. } = self.series;
        (high[rows.clone()].iter().max().copied(), low[rows].iter().min().copied())
    }

    fn retouches(&self, i: usize, w: usize) -> f64 {
        let (Some(top), Some(bottom)) = self.extremes(i, w) else {
            return if self.profile == Profile::Session { f64::NAN } else { 0.0 };
        };
        let Series { high, low, close, .. } = self.series;
        let size = top - bottom;
        if self.profile == Profile::Rolling {
            let near = 20 * (top - close[i]) <= size || 20 * (close[i] - bottom) <= size;
            return f64::from(u8::from(near));
        }
        let (mut count, mut next) = (0.0, 0);
        for k in i + 1 - w..=i {
            if (10 * (top - high[k]) <= size || 10 * (low[k] - bottom) <= size) && k >= next {
                (count, next) = (count + 1.0, k + 30);
            }
        }
        count
    }

    fn change(&self, i: usize, w: usize) -> f64 {
        let close = self.series.close;
        i.checked_sub(w).map_or(f64::NAN, |before| (close[i] - close[before]) as f64 / close[before] as f64)
    }

    fn true_range(&self, i: usize) -> i64 {
        let Series { high, low, close, .. } = self.series;
        let range = high[i] - low[i];
        match i.checked_sub(1) {
            None => range,
            Some(before) => range.max((high[i] - close[before]).abs()).max((low[i] - close[before]).abs()),
        }
    }

    /// Their sum in ticks.
    fn true_ranges(&self, i: usize, w: usize) -> Option<i64> {
        Some(window(i, w)?.map(|k| self.true_range(k)).sum())
    }

    /// The last 300 sums of the true range over 30 rows.
    fn last_atrs(&self, i: usize) -> Option<Vec<i64>> {
        window(i, 300)?.map(|k| self.true_ranges(k, 30)).collect()
    }

    fn uptick(&self, i: usize, w: usize) -> f64 {
        let close = self.series.close;
        let ups = |rows: Range<usize>| rows.filter(|&k| k > 0 && close[k] > close[k - 1]).count();
        window(i, w).map_or(f64::NAN, |rows| 100.0 * ups(rows) as f64 / w as f64)
    }
}

/// The seven flags of a Central second of the day, in the order of the columns.
pub fn flags(second: u32) -> [i8; 7] {
    let at = |hour: u32, minute: u32| hour * 3600 + minute * 60;
    let starts = [at(7, 30), at(8, 30), at(9, 15), at(11, 0), at(13, 0), at(14, 30), at(15, 0)];
    let begun = starts.iter().filter(|&&start| second >= start).count();
    let mut flags = [0; 7];
    flags[begun % 7] = 1;
    flags
}

/// The rows of a window of `w` rows ending at `i`, when it is full.
fn window(i: usize, w: usize) -> Option<Range<usize>> {
    (i + 1 >= w).then(|| i + 1 - w..i + 1)
}

fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { f64::NAN } else { a / b }
}

/// Ordinary least squares against 0, 1, 2 ..
fn slope(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let middle = (values.len() - 1) as f64 / 2.0;
    let (mut xy, mut xx) = (0.0, 0.0);
    for (k, y) in values.enumerate() {
        let x = k as f64 - middle;
        xy += x * y;
        xx += x * x;
    }
    xy / xx
}

/// Sample standard deviation.
fn deviation(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

/// How many deviations the last value lies above the mean.
fn score(sums: &[i64]) -> f64 {
    let values: Vec<f64> = sums.iter().map(|&sum| sum as f64).collect();
    if sums.iter().all(|sum| *sum == sums[0]) {
        return f64::NAN;
    }
    let mean = sums.iter().sum::<i64>() as f64 / sums.len() as f64;
    (values[values.len() - 1] - mean) / deviation(&values)
}

/// Percentile rank of the last value among all, ties averaged.
fn rank(sums: &[i64]) -> f64 {
    let last = sums[sums.len() - 1];
    let count = |wanted: fn(&i64, &i64) -> bool| sums.iter().filter(|sum| wanted(sum, &last)).count() as f64;
    let (less, equal) = (count(|sum, last| sum < last), count(|sum, last| sum == last));
    100.0 * (less + (equal + 1.0) / 2.0) / sums.len() as f64
}
