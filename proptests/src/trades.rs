//! docs/labels.md: trades of any specification, by looking at every row of the look-ahead.

use crate::tape::{Profile, Tape};

/// What is labelled.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Rows after the signal bar that are looked at.
    pub horizon: usize,
    /// Whether the entry is the signal bar's close instead of the next open.
    pub at_close: bool,
    /// Whether a row that reaches both barriers wins.
    pub tie_wins: bool,
    /// The modes.
    pub modes: Vec<Mode>,
}

/// One kind of trade.
#[derive(Clone, Debug, PartialEq)]
pub struct Mode {
    /// Its name.
    pub name: String,
    /// Whether it wins when the price rises.
    pub long: bool,
    /// Where it loses.
    pub stop: Distance,
    /// Where it wins.
    pub target: Distance,
    /// Whether the stop follows the best price of earlier rows.
    pub trailing: bool,
}

/// How far from the entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distance {
    /// Ticks.
    Ticks(i64),
    /// Millionths of atr_300s of the signal row, rounded to whole ticks, half away from zero, at least 1.
    Atr(i64),
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trade {
    /// 0 no trade, 1 target, 2 stop, 3 horizon, 4 end of the session.
    pub exit: i64,
    /// From the entry row to the deciding row by their timestamps; -1 without a trade.
    pub seconds: i64,
    /// Worst move in ticks.
    pub mae: i64,
    /// Best move in ticks.
    pub mfe: i64,
    /// From entry to exit in the trade's direction, in ticks.
    pub moved: i64,
    /// Rows of the trade; 0 without one.
    pub rows: usize,
    /// Distance of the stop in ticks; 0 without a trade.
    pub stop: i64,
}

/// Sum of the last 300 true ranges up to row `i`: 300 times atr_300s, in ticks.
#[must_use]
pub fn atr_sum(tape: &Tape, i: usize) -> Option<i64> {
    let true_range = |j: usize| {
        let (h, l) = (tape.high[j], tape.low[j]);
        if j == 0 {
            return h - l;
        }
        let c = tape.close[j - 1];
        (h - l).max((h - c).abs()).max((l - c).abs())
    };
    (i >= 299).then(|| (i - 299..=i).map(true_range).sum())
}

impl Distance {
    /// In ticks at a row with this sum of true ranges.
    fn ticks(self, atr_sum: Option<i64>) -> Option<i64> {
        match self {
            Self::Ticks(ticks) => Some(ticks),
            Self::Atr(millionths) => {
                let (n, d) = (i128::from(millionths) * i128::from(atr_sum?), 300_000_000_i128);
                // The nearest whole number; the greater one of two.
                let (whole, rest) = (n / d, n % d);
                let nearest = if 2 * rest >= d { whole + 1 } else { whole };
                Some(i64::try_from(nearest.max(1)).unwrap_or(i64::MAX))
            }
        }
    }
}

/// The rows that gaps of price affect: one between rows g - 1 and g those from g - 1 to g + 5 (profile `rolling`). `gap` is the
/// largest change of close, in ticks, that is none.
#[must_use]
pub fn affected_rows(tape: &Tape, profile: Profile, gap: i64) -> Vec<bool> {
    let is_gap = |g: usize| profile == Profile::Rolling && (tape.close[g] - tape.close[g - 1]).abs() > gap;
    let mut rows = vec![false; tape.len()];
    for g in (1..tape.len()).filter(|&g| is_gap(g)) {
        rows[g - 1..tape.len().min(g + 6)].fill(true);
    }
    rows
}

/// What becomes of the entry that row `i` signals. `affected` has the rows that gaps affect, `atr_sum` the sum of true ranges
/// of row `i`.
#[must_use]
pub fn trade(tape: &Tape, i: usize, spec: &Spec, mode: &Mode, affected: &[bool], atr_sum: Option<i64>) -> Trade {
    let none = Trade { seconds: -1, ..Trade::default() };
    let (Some(stop), Some(target)) = (mode.stop.ticks(atr_sum), mode.target.ticks(atr_sum)) else { return none };
    if i + 1 >= tape.len() || affected[i] || affected[i + 1] {
        return none;
    }
    let side = if mode.long { 1 } else { -1 };
    let entry = if spec.at_close { tape.close[i] } else { tape.open[i + 1] };
    // Moves in the trade's direction: of the best price, of the worst, of any.
    let best_of = |j: usize| if mode.long { tape.high[j] - entry } else { entry - tape.low[j] };
    let worst_of = |j: usize| if mode.long { tape.low[j] - entry } else { entry - tape.high[j] };
    let move_of = |price: i64| side * (price - entry);
    let (mut mae, mut mfe, mut best) = (0, 0, 0);
    let ends = |j: usize, exit, mae, mfe, moved| {
        let (seconds, rows) = (tape.time[j] - tape.time[i + 1], j - i);
        Trade { exit, seconds, mae, mfe, moved, rows, stop }
    };
    let mut j = i + 1;
    loop {
        let at_stop = if mode.trailing { best - stop } else { -stop };
        (mae, mfe) = (mae.max(-worst_of(j)), mfe.max(best_of(j)));
        let (stopped, reached) = (worst_of(j) <= at_stop, best_of(j) >= target);
        if reached && (!stopped || spec.tie_wins) {
            return ends(j, 1, mae, mfe, target.max(move_of(tape.open[j])));
        }
        if stopped {
            return ends(j, 2, mae, mfe, at_stop.min(move_of(tape.open[j])));
        }
        best = best.max(best_of(j));
        if j == i + spec.horizon {
            return ends(j, 3, mae, mfe, move_of(tape.close[j]));
        }
        if j + 1 == tape.len() || affected[j + 1] {
            return ends(j, 4, mae, mfe, move_of(tape.close[j]));
        }
        j += 1;
    }
}

/// All trades of a tape, by mode.
#[must_use]
pub fn trades(tape: &Tape, spec: &Spec, profile: Profile, gap: i64) -> Vec<Vec<Trade>> {
    let affected = affected_rows(tape, profile, gap);
    let sums: Vec<_> = (0..tape.len()).map(|i| atr_sum(tape, i)).collect();
    let of = |mode| (0..tape.len()).map(|i| trade(tape, i, spec, mode, &affected, sums[i])).collect();
    spec.modes.iter().map(of).collect()
}

/// The weight of a row: `decay` where it is no win.
#[must_use]
pub fn weight(trade: &Trade, months: i32) -> f64 {
    let decay = (-0.05 * f64::from(months)).exp();
    if trade.exit != 1 {
        return decay;
    }
    let clip = |value: f64| value.clamp(0.5, 2.0);
    let quality = clip(2.0 - 1.5 * trade.mae as f64 / trade.stop as f64);
    let velocity = clip(2.0 - 1.5 * (trade.seconds as f64 - 300.0) / 600.0);
    quality * velocity * decay
}

/// How many of a mode's trades are open on each row.
#[must_use]
pub fn open(trades: &[Trade]) -> Vec<usize> {
    let rows = trades.iter().enumerate().map(|(i, trade)| i + 1 + trade.rows).max().unwrap_or(0);
    let mut open = vec![0; rows];
    for (i, trade) in trades.iter().enumerate() {
        open[i + 1..i + 1 + trade.rows].iter_mut().for_each(|count| *count += 1);
    }
    open
}

/// Uniqueness of the trade that row `i` signals among all `trades` of its mode, of which so many are `open` on each row, as the
/// nearest f32; 0 without a trade.
#[must_use]
pub fn uniqueness(trades: &[Trade], open: &[usize], i: usize) -> f32 {
    mean_share(&open[i + 1..i + 1 + trades[i].rows])
}

/// The mean of 1 / count over `counts`, as the nearest f32; 0 of none.
#[must_use]
pub fn mean_share(counts: &[usize]) -> f32 {
    if counts.is_empty() {
        return 0.0;
    }
    // How many rows have each count: the sum is a fraction over the product of the different counts.
    let mut different: Vec<(u32, u32)> = Vec::new();
    for &count in counts {
        match different.iter_mut().find(|(known, _)| *known as usize == count) {
            Some((_, rows)) => *rows += 1,
            None => different.push((u32::try_from(count).unwrap_or(u32::MAX), 1)),
        }
    }
    let (mut numerator, mut denominator) = (Big::of(0), Big::of(1));
    for &(count, rows) in &different {
        numerator = numerator.times(count).plus(&denominator.times(rows));
        denominator = denominator.times(count);
    }
    denominator = denominator.times(u32::try_from(counts.len()).unwrap_or(u32::MAX));
    // Binary digits by long division: 24 from the first 1 on, one more, and whether there is a rest. At most 1.
    let (mut digits, mut places, mut rest) = (u64::from(!numerator.below(&denominator)), 0, numerator);
    if digits == 1 {
        rest = rest.minus(&denominator);
    }
    while digits < 1 << 24 {
        rest = rest.times(2);
        digits *= 2;
        if !rest.below(&denominator) {
            rest = rest.minus(&denominator);
            digits += 1;
        }
        places += 1;
    }
    let (float, half) = (digits >> 1, digits & 1 == 1);
    let up = half && (rest != Big::of(0) || float & 1 == 1);
    ((float + u64::from(up)) as f64 * 2_f64.powi(1 - places)) as f32
}

/// A whole number of any size: digits to the base of 2^32, the lowest first, without zeros at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Big(Vec<u32>);

impl Big {
    fn of(number: u32) -> Self {
        Self(vec![number]).trimmed()
    }

    fn trimmed(mut self) -> Self {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    fn times(&self, factor: u32) -> Self {
        let (mut digits, mut carry) = (Vec::new(), 0);
        for &digit in &self.0 {
            let product = u64::from(digit) * u64::from(factor) + carry;
            digits.push(product as u32);
            carry = product >> 32;
        }
        digits.push(carry as u32);
        Self(digits).trimmed()
    }

    fn plus(&self, other: &Self) -> Self {
        let (mut digits, mut carry) = (Vec::new(), 0);
        for place in 0..self.0.len().max(other.0.len()) {
            let digit = |number: &Self| u64::from(number.0.get(place).copied().unwrap_or(0));
            let sum = digit(self) + digit(other) + carry;
            digits.push(sum as u32);
            carry = sum >> 32;
        }
        digits.push(carry as u32);
        Self(digits).trimmed()
    }

    /// The difference from a number that is not greater.
    fn minus(&self, other: &Self) -> Self {
        let (mut digits, mut borrow) = (Vec::new(), 0);
        for (place, &digit) in self.0.iter().enumerate() {
            let taken = i64::from(other.0.get(place).copied().unwrap_or(0)) + borrow;
            let rest = i64::from(digit) - taken;
            borrow = i64::from(rest < 0);
            digits.push((rest + (borrow << 32)) as u32);
        }
        Self(digits).trimmed()
    }

    fn below(&self, other: &Self) -> bool {
        let order = |number: &Self| (number.0.len(), number.0.iter().rev().copied().collect::<Vec<_>>());
        order(self) < order(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_by_hand() {
        assert_eq!(mean_share(&[1]), 1.0);
        assert_eq!(mean_share(&[1, 2]), 0.75);
        assert_eq!(mean_share(&[3]), 1.0 / 3.0);
        assert_eq!(mean_share(&[3, 6, 2]), 1.0 / 3.0);
        assert_eq!(mean_share(&[3600; 3600]), (1.0 / 3600.0) as f32);
        assert_eq!(mean_share(&[7, 11, 13]), ((1.0 / 7.0 + 1.0 / 11.0 + 1.0 / 13.0) / 3.0) as f32);
        assert_eq!(mean_share(&[]), 0.0);
    }

    #[test]
    fn big_numbers_by_hand() {
        let big = |number: u128| Big((0..4).map(|digit| (number >> (32 * digit)) as u32).collect()).trimmed();
        let (a, b) = (u128::MAX / 3, u128::MAX / 7 + 5);
        assert_eq!(big(a).minus(&big(b)), big(a - b));
        assert_eq!(big(a).plus(&big(b)), big(a + b));
        assert_eq!(big(a / 1000).times(999), big(a / 1000 * 999));
        assert!(big(b).below(&big(a)) && !big(a).below(&big(b)) && !big(a).below(&big(a)));
        assert_eq!(big(a).minus(&big(a)), Big::of(0));
    }
}
