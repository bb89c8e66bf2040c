//! docs/spec.md 4 and docs/columns.md: the features, each from its line there.

use crate::{
    exact::Exact,
    tape::{Profile, Tape},
};

/// Names of the features that are numbers, in the order of docs/columns.md.
pub const NUMBERS: &[&str] = &[
    "volume_ratio_30s",
    "volume_slope_30s",
    "volume_slope_5s",
    "volume_exhaustion",
    "vwap",
    "distance_from_vwap_pct",
    "vwap_slope",
    "distance_from_rth_high",
    "distance_from_rth_low",
    "short_range_high",
    "short_range_low",
    "short_range_size",
    "position_in_short_range",
    "medium_range_high",
    "medium_range_low",
    "medium_range_size",
    "range_compression_ratio",
    "short_range_retouches",
    "medium_range_retouches",
    "return_30s",
    "return_60s",
    "return_300s",
    "momentum_acceleration",
    "momentum_consistency",
    "atr_30s",
    "atr_300s",
    "volatility_regime",
    "volatility_acceleration",
    "volatility_breakout",
    "atr_percentile",
    "bar_range",
    "relative_bar_size",
    "uptick_pct_30s",
    "uptick_pct_60s",
    "bar_flow_consistency",
    "directional_strength",
];

/// Names of the flags, in the order of docs/columns.md.
pub const FLAGS: &[&str] =
    &["is_eth", "is_pre_open", "is_rth_open", "is_morning", "is_lunch", "is_afternoon", "is_rth_close"];

/// Checksums of all features of three tapes in both profiles, for `tests/it/bits.rs`: no instruction set and no change of a
/// kernel may change a bit.
pub const BITS: [[u64; 2]; 3] = [
    [671_132_243_540_282_118, 12_931_752_377_201_376_959],
    [11_692_082_788_826_225_051, 13_267_094_598_976_688_641],
    [13_214_622_237_803_463_860, 3_678_114_760_088_473_997],
];

/// Fractional bits of numbers that are not fractions of manageable size.
const FIXED: u32 = 56;

/// Share of the way a price went up and down to which its slope may be off where that is all cancellation, and the ticks a
/// second up to which the fixed point does not tell.
const CANCELLED: f64 = 4.0 * f64::EPSILON;
const NEARLY_FLAT: f64 = 1e-17;

/// Computes features of the rows of one tape.
pub struct Reference<'a> {
    tape: &'a Tape,
    profile: Profile,
    tick: (i64, i64),
    /// Sum of close times volume, and of volume, over all rows up to each.
    turnover: Vec<i128>,
    volume: Vec<i128>,
    /// Highest and lowest price of all rows up to each.
    highest: Vec<i64>,
    lowest: Vec<i64>,
    true_range: Vec<i64>,
    /// Sum of the true range over 30 rows, where there are as many.
    true_range_30: Vec<Option<i128>>,
}

/// The rows of a window of `w` rows that ends at row `i`, when it is full.
fn window(i: usize, w: usize) -> Option<std::ops::RangeInclusive<usize>> {
    (i + 1 >= w).then(|| i + 1 - w..=i)
}

/// Ordinary least squares over values that are fractions of `denominator`: exact.
fn slope(values: &[i128], denominator: i128) -> Exact {
    let w = values.len() as i128;
    let (mut sx, mut sxx, mut sy, mut sxy) = (0, 0, 0, 0);
    for (x, y) in values.iter().enumerate() {
        let x = x as i128;
        sx += x;
        sxx += x * x;
        sy += y;
        sxy += x * y;
    }
    Exact::ratio(w * sxy - sx * sy, (w * sxx - sx * sx) * denominator)
}

impl<'a> Reference<'a> {
    /// Features of a tape whose tick is `tick.0 / tick.1` points.
    #[must_use]
    pub fn new(tape: &'a Tape, profile: Profile, tick: (i64, i64)) -> Self {
        let mut reference = Self {
            tape,
            profile,
            tick,
            turnover: Vec::new(),
            volume: Vec::new(),
            highest: Vec::new(),
            lowest: Vec::new(),
            true_range: Vec::new(),
            true_range_30: Vec::new(),
        };
        let (mut turnover, mut volume, mut highest, mut lowest) = (0, 0, i64::MIN, i64::MAX);
        for i in 0..tape.len() {
            turnover += i128::from(tape.close[i]) * i128::from(tape.volume[i]);
            volume += i128::from(tape.volume[i]);
            highest = highest.max(tape.high[i]);
            lowest = lowest.min(tape.low[i]);
            reference.turnover.push(turnover);
            reference.volume.push(volume);
            reference.highest.push(highest);
            reference.lowest.push(lowest);
            reference.true_range.push(reference.true_range(i));
            reference.true_range_30.push(reference.sum_true_range(i, 30));
        }
        reference
    }

    /// All numbers of row `i`, in the order of [`NUMBERS`].
    #[must_use]
    pub fn numbers(&self, i: usize) -> [Exact; NUMBERS.len()] {
        let points = |value: Option<i64>| value.map_or(Exact::Nan, |value| Exact::whole(value).points(self.tick));
        let Self { tape, .. } = self;
        let close = tape.close[i];
        let range = tape.high[i] - tape.low[i];
        let ((short_high, short_low), (medium_high, medium_low)) = (self.extremes(i, 300), self.extremes(i, 900));
        let size = |high: Option<i64>, low: Option<i64>| Some(high? - low?);
        let (short_size, medium_size) = (size(short_high, short_low), size(medium_high, medium_low));
        let (rth_high, rth_low) = self.running(i);
        let (volume_ratio, volume_slope) = (self.volume_ratio(i), self.volume_slope_5s(i));
        let fraction = |top: Option<i64>, bottom: Option<i64>| match (top, bottom) {
            (Some(top), Some(bottom)) => Exact::ratio(i128::from(top), i128::from(bottom)),
            _ => Exact::Nan,
        };
        [
            volume_ratio,
            self.volume_slope_30s(i),
            volume_slope,
            product(volume_ratio, volume_slope).in_steps(),
            self.vwap(i).points(self.tick).in_steps(),
            self.distance_from_vwap(i).in_steps(),
            self.vwap_slope(i),
            points(rth_high.map(|high| close - high)),
            points(rth_low.map(|low| close - low)),
            points(short_high),
            points(short_low),
            points(short_size),
            fraction(short_low.map(|low| close - low), short_size),
            points(medium_high),
            points(medium_low),
            points(medium_size),
            fraction(short_size, medium_size),
            self.retouches(i, 300),
            self.retouches(i, 900),
            self.change(i, 30),
            self.change(i, 60),
            self.change(i, 300),
            self.momentum_acceleration(i),
            self.momentum_consistency(i),
            self.atr(i, 30).points(self.tick),
            self.atr(i, 300).points(self.tick),
            quotient(self.atr(i, 30), self.atr(i, 300)),
            quotient(difference(self.atr(i, 30), self.atr(i, 60)), self.atr(i, 60)),
            self.volatility_breakout(i),
            self.atr_percentile(i),
            points(Some(range)),
            quotient(Exact::whole(range), self.atr(i, 30)),
            self.uptick_pct(i, 30),
            self.uptick_pct(i, 60),
            absolute(difference(self.uptick_pct(i, 30), self.uptick_pct(i, 60))),
            product(absolute(difference(self.uptick_pct(i, 30), Exact::whole(50))), Exact::whole(2)),
        ]
    }

    /// All flags of row `i`, in the order of [`FLAGS`].
    #[must_use]
    pub fn flags(&self, i: usize) -> [i8; FLAGS.len()] {
        let time = |hour: u32, minute: u32| hour * 3600 + minute * 60;
        let second = self.tape.second[i];
        let starts = [time(7, 30), time(8, 30), time(9, 15), time(11, 0), time(13, 0), time(14, 30), time(15, 0)];
        let mut flags = [0; FLAGS.len()];
        let eth = second < starts[0] || second >= starts[6];
        let period = starts.iter().filter(|&&start| second >= start).count();
        flags[if eth { 0 } else { period }] = 1;
        flags
    }

    fn sum_volume(&self, i: usize, w: usize) -> Option<i128> {
        Some(window(i, w)?.map(|k| i128::from(self.tape.volume[k])).sum())
    }

    fn volume_ratio(&self, i: usize) -> Exact {
        self.sum_volume(i, 30).map_or(Exact::Nan, |sum| Exact::ratio(i128::from(self.tape.volume[i]) * 30, sum))
    }

    fn volume_slope_30s(&self, i: usize) -> Exact {
        let means = window(i, 30).and_then(|rows| rows.map(|k| self.sum_volume(k, 5)).collect::<Option<Vec<_>>>());
        means.map_or(Exact::Nan, |means| slope(&means, 5))
    }

    fn volume_slope_5s(&self, i: usize) -> Exact {
        let volumes = window(i, 5).map(|rows| rows.map(|k| i128::from(self.tape.volume[k])).collect::<Vec<_>>());
        volumes.map_or(Exact::Nan, |volumes| slope(&volumes, 1))
    }

    /// Volume-weighted mean close, in ticks.
    fn vwap(&self, i: usize) -> Exact {
        let close = Exact::whole(self.tape.close[i]);
        let (mut turnover, mut volume) = (0, 0);
        match (self.profile, window(i, 300)) {
            (Profile::Session, _) => (turnover, volume) = (self.turnover[i], self.volume[i]),
            (Profile::Rolling, None) => return close,
            (Profile::Rolling, Some(rows)) => {
                for k in rows {
                    turnover += i128::from(self.tape.close[k]) * i128::from(self.tape.volume[k]);
                    volume += i128::from(self.tape.volume[k]);
                }
            }
        }
        if volume == 0 { close } else { Exact::ratio(turnover, volume) }
    }

    fn distance_from_vwap(&self, i: usize) -> Exact {
        let vwap = self.vwap(i);
        if !above_0(vwap) {
            return Exact::Nan;
        }
        product(quotient(difference(Exact::whole(self.tape.close[i]), vwap), vwap), Exact::whole(100))
    }

    fn vwap_slope(&self, i: usize) -> Exact {
        let Some(rows) = window(i, 30) else { return Exact::Nan };
        let fixed = |k: usize| match self.vwap(k) {
            Exact::Ratio(numerator, denominator) => (numerator << FIXED) / denominator,
            _ => 0,
        };
        let values: Vec<i128> = rows.map(fixed).collect();
        match slope(&values, 1 << FIXED).points(self.tick) {
            ratio @ Exact::Ratio(..) => {
                let way: i128 = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
                let way = way as f64 / (1_i128 << FIXED) as f64;
                let error = CANCELLED * way + NEARLY_FLAT;
                Exact::Real(ratio.to_f64(), error * self.tick.0 as f64 / self.tick.1 as f64)
            }
            other => other,
        }
    }

    fn extremes(&self, i: usize, w: usize) -> (Option<i64>, Option<i64>) {
        let Some(rows) = window(i, w) else { return (None, None) };
        (self.tape.high[rows.clone()].iter().max().copied(), self.tape.low[rows].iter().min().copied())
    }

    fn running(&self, i: usize) -> (Option<i64>, Option<i64>) {
        match self.profile {
            Profile::Session => (Some(self.highest[i]), Some(self.lowest[i])),
            Profile::Rolling => self.extremes(i, 1800),
        }
    }

    fn retouches(&self, i: usize, w: usize) -> Exact {
        let Self { tape, .. } = self;
        let (Some(rows), (Some(high), Some(low))) = (window(i, w), self.extremes(i, w)) else {
            return match self.profile {
                Profile::Session => Exact::Nan,
                Profile::Rolling => Exact::whole(0),
            };
        };
        let size = high - low;
        if self.profile == Profile::Rolling {
            let close = 20 * tape.close[i];
            return Exact::whole(i64::from(close >= 20 * high - size || close <= 20 * low + size));
        }
        let (mut count, mut last) = (0, None);
        for k in rows {
            let zone = 10 * tape.high[k] >= 10 * high - size || 10 * tape.low[k] <= 10 * low + size;
            if zone && last.is_none_or(|last| k - last >= 30) {
                count += 1;
                last = Some(k);
            }
        }
        Exact::whole(count)
    }

    fn change(&self, i: usize, w: usize) -> Exact {
        let Some(before) = i.checked_sub(w) else { return Exact::Nan };
        let (now, before) = (i128::from(self.tape.close[i]), i128::from(self.tape.close[before]));
        if before > 0 { Exact::ratio(now - before, before) } else { Exact::Nan }
    }

    fn momentum_acceleration(&self, i: usize) -> Exact {
        difference(self.change(i, 30), self.change(i, 60))
    }

    fn momentum_consistency(&self, i: usize) -> Exact {
        let Some(rows) = window(i, 30).filter(|_| i >= 30) else { return Exact::Nan };
        // In steps of 2^-90: deviations from the mean are then known to far below a unit in the last place.
        let fixed = |k: usize| match self.change(k, 1) {
            Exact::Ratio(numerator, denominator) => Some((numerator << 90) / denominator),
            _ => None,
        };
        let Some(returns) = rows.map(fixed).collect::<Option<Vec<i128>>>() else { return Exact::Nan };
        let sum: i128 = returns.iter().sum();
        let squares: f64 =
            returns.iter().map(|value| (30 * value - sum) as f64 / 30.0).map(|value| value * value).sum();
        Exact::Real((squares / 29.0).sqrt() * 2_f64.powi(-90), 0.0)
    }

    fn true_range(&self, i: usize) -> i64 {
        let Self { tape, .. } = self;
        let range = tape.high[i] - tape.low[i];
        if i == 0 {
            return range;
        }
        let before = tape.close[i - 1];
        range.max((tape.high[i] - before).abs()).max((tape.low[i] - before).abs())
    }

    /// Sum of the true ranges, in ticks.
    fn sum_true_range(&self, i: usize, w: usize) -> Option<i128> {
        Some(window(i, w)?.map(|k| i128::from(self.true_range[k])).sum())
    }

    /// In ticks.
    fn atr(&self, i: usize, w: usize) -> Exact {
        self.sum_true_range(i, w).map_or(Exact::Nan, |sum| Exact::ratio(sum, w as i128))
    }

    /// The last 300 sums of the true range over 30 rows.
    fn last_atrs(&self, i: usize) -> Option<Vec<i128>> {
        self.true_range_30[window(i, 300)?].iter().copied().collect()
    }

    fn volatility_breakout(&self, i: usize) -> Exact {
        let Some(sums) = self.last_atrs(i) else { return Exact::Nan };
        let (sum, squares) = (sums.iter().sum::<i128>(), sums.iter().map(|value| value * value).sum::<i128>());
        let spread = 300 * squares - sum * sum;
        if spread == 0 {
            return Exact::Nan;
        }
        let deviation = (300 * sums[299] - sum) as f64 / 300.0;
        Exact::Real(deviation / (spread as f64 / (300.0 * 299.0)).sqrt(), 0.0)
    }

    fn atr_percentile(&self, i: usize) -> Exact {
        let Some(sums) = self.last_atrs(i) else { return Exact::Nan };
        let less = sums.iter().filter(|&&value| value < sums[299]).count() as i128;
        let equal = sums.iter().filter(|&&value| value == sums[299]).count() as i128;
        // Average rank of the ties, 1 to 300, as a percentage of 300.
        Exact::ratio(100 * (2 * less + equal + 1), 2 * 300)
    }

    fn uptick_pct(&self, i: usize, w: usize) -> Exact {
        let Some(rows) = window(i, w) else { return Exact::Nan };
        let ups = rows.filter(|&k| k > 0 && self.tape.close[k] > self.tape.close[k - 1]).count();
        Exact::ratio(100 * ups as i128, w as i128)
    }
}

/// Whether a price is above 0.
fn above_0(price: Exact) -> bool {
    match price {
        Exact::Ratio(numerator, denominator) => (numerator > 0) == (denominator > 0) && numerator != 0,
        _ => false,
    }
}

fn with(a: Exact, b: Exact, combine: impl Fn((i128, i128), (i128, i128)) -> Exact) -> Exact {
    match (a, b) {
        (Exact::Ratio(an, ad), Exact::Ratio(bn, bd)) => combine((an, ad), (bn, bd)),
        _ => Exact::Nan,
    }
}

fn product(a: Exact, b: Exact) -> Exact {
    with(a, b, |(an, ad), (bn, bd)| Exact::ratio(an * bn, ad * bd))
}

fn quotient(a: Exact, b: Exact) -> Exact {
    with(a, b, |(an, ad), (bn, bd)| Exact::ratio(an * bd, ad * bn))
}

fn difference(a: Exact, b: Exact) -> Exact {
    with(a, b, |(an, ad), (bn, bd)| Exact::ratio(an * bd - bn * ad, ad * bd))
}

fn absolute(a: Exact) -> Exact {
    with(a, Exact::whole(1), |(n, d), _| Exact::ratio(n.abs(), d.abs()))
}
