//! Random tapes and how the crates under test are called on them.
#![allow(dead_code)]

use std::{ops::Range, sync::Mutex};

use kernels::{
    Break, Columns, Error, Level, Series, Tick,
    features::{Carry, FLAGS, FLOATS, Features, Float},
    labels::{MODES, Outcome, Six},
};
use ndarray::{Array2, s};
use proptest::{collection::vec, prelude::*};
use proptests::{Profile, Tape};

/// ES: a gap of 20 points is 80 ticks.
pub const GAP: i64 = 80;

/// 100 cases, or `PROPTEST_CASES`.
pub fn cases() -> ProptestConfig {
    let set = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: set.unwrap_or(100),
        max_shrink_iters: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Runs a test at every level the processor has, and one such test after the other.
pub fn for_every_level(test: impl Fn(Level)) {
    static FORCING: Mutex<()> = Mutex::new(());
    let _forcing = FORCING.lock();
    for level in Level::available() {
        level.force().unwrap();
        test(level);
    }
}

/// What the market does for a while.
#[derive(Clone, Debug)]
struct Stretch {
    rows: usize,
    /// Largest move from row to row, and within a row, in ticks.
    step: i64,
    span: i64,
    /// Chance of a quiet second, of 256.
    quiet: u8,
    /// Move at the stretch's start.
    jump: i64,
    volume: i64,
    seed: u64,
}

fn stretch(longest: usize) -> impl Strategy<Value = Stretch> {
    let volume = prop_oneof![Just(1_i64), Just(50), Just(5000), Just(i64::from(u32::MAX))];
    let jump = prop_oneof![4 => Just(0_i64), 1 => -GAP - 2..=GAP + 2, 1 => prop_oneof![Just(GAP), Just(GAP + 1), Just(-GAP - 1)]];
    let (step, span) =
        (prop_oneof![Just(0_i64), Just(1), Just(3), Just(25)], prop_oneof![Just(0_i64), Just(2), Just(30)]);
    (1..=longest, step, span, prop_oneof![Just(0_u8), Just(40), Just(230), Just(255)], jump, volume, any::<u64>())
        .prop_map(|(rows, step, span, quiet, jump, volume, seed)| Stretch {
            rows,
            step,
            span,
            quiet,
            jump,
            volume,
            seed,
        })
}

/// A tape of 1 row to six stretches of at most `longest` rows.
pub fn tape(longest: usize) -> impl Strategy<Value = Tape> {
    let start = prop_oneof![4 => 3000_i64..40_000, 1 => -50_i64..300, 1 => 4_000_000_i64..4_150_000, 1 => -1_048_500_i64..-1_000];
    (vec(stretch(longest), 1..=6), start, 0_u32..86_400).prop_map(|(stretches, mut price, mut second)| {
        let (lowest, highest) = (i64::from(kernels::series::MIN_TICKS), i64::from(kernels::series::MAX_TICKS));
        let mut tape = Tape::default();
        for Stretch { rows, step, span, quiet, jump, volume, seed } in stretches {
            let mut state = seed;
            let mut below = |limit: i64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                ((state >> 33) as i64) % limit
            };
            price = (price + jump).clamp(lowest, highest);
            for row in 0..rows {
                if row > 0 && below(256) < i64::from(quiet) {
                    tape.push([price; 4], 0, second % 86_400);
                } else {
                    let open = (price + below(2 * step + 1) - step).clamp(lowest, highest);
                    let close = (open + below(2 * span + 1) - span).clamp(lowest, highest);
                    let high = (open.max(close) + below(span + 1)).clamp(lowest, highest);
                    let low = (open.min(close) - below(span + 1)).clamp(lowest, highest);
                    tape.push([open, high, low, close], 1 + below(volume), second % 86_400);
                    price = close;
                }
                second += 1;
            }
        }
        tape
    })
}

/// A tape with up to five nights in it, some of a few seconds.
pub fn month(longest: usize) -> impl Strategy<Value = Tape> {
    let seconds = prop_oneof![0_u32..3, 1_u32..2000, Just(63_000_u32), Just(343_800)];
    (tape(longest), vec((any::<prop::sample::Index>(), seconds), 0..=5)).prop_map(|(mut tape, nights)| {
        for (row, seconds) in nights {
            let row = row.index(tape.len());
            tape.night(row, seconds);
        }
        tape
    })
}

/// The same rows as the kernels take them.
pub struct Ticks {
    prices: [Vec<i32>; 4],
    volume: Vec<u32>,
    second: Vec<u32>,
    breaks: Vec<Break>,
}

impl Ticks {
    /// Narrows a tape.
    pub fn of(tape: &Tape) -> Self {
        let narrow = |column: &[i64]| column.iter().map(|&value| i32::try_from(value).unwrap()).collect::<Vec<_>>();
        Self {
            prices: [narrow(&tape.open), narrow(&tape.high), narrow(&tape.low), narrow(&tape.close)],
            volume: tape.volume.iter().map(|&value| u32::try_from(value).unwrap()).collect(),
            second: tape.second.clone(),
            breaks: (1..tape.len())
                .map(|row| Break { row, seconds: u32::try_from(tape.time[row] - tape.time[row - 1]).unwrap() })
                .filter(|at| at.seconds != 1)
                .collect(),
        }
    }

    /// As a series.
    pub fn series(&self) -> Series<'_> {
        self.try_series().unwrap()
    }

    /// As a series, if its turnover fits one.
    pub fn try_series(&self) -> Result<Series<'_>, Error> {
        self.part(0..self.volume.len())?.with_breaks(&self.breaks)
    }

    /// These rows as a series of their own, without breaks.
    pub fn part(&self, rows: Range<usize>) -> Result<Series<'_>, Error> {
        let [open, high, low, close] = self.prices.each_ref().map(|column| &column[rows.clone()]);
        Series::new(Columns { open, high, low, close, volume: &self.volume[rows.clone()], second: &self.second[rows] })
    }
}

/// The profile as the kernels name it.
pub fn named(profile: Profile) -> kernels::Profile {
    match profile {
        Profile::Session => kernels::Profile::Session,
        Profile::Rolling => kernels::Profile::Rolling,
    }
}

/// Outcomes of all rows, in chunks.
pub fn outcomes(series: &Series<'_>, profile: Profile, chunk: usize) -> [Vec<Outcome>; MODES.len()] {
    let chunk = chunk.min(series.len());
    let mut labeller = Six::new(named(profile), i32::try_from(GAP).unwrap(), chunk);
    let mut out: [Vec<Outcome>; MODES.len()] = std::array::from_fn(|_| vec![Outcome::LOSS; series.len()]);
    for start in (0..series.len()).step_by(chunk) {
        let rows = start..series.len().min(start + chunk);
        labeller.outcomes(series, rows.clone(), out.each_mut().map(|column| &mut column[rows.clone()])).unwrap();
    }
    out
}

/// Features of all rows, in chunks.
pub fn features<F: Float + Default>(
    series: &Series<'_>,
    profile: Profile,
    tick: Tick,
    chunk: usize,
) -> (Array2<F>, Array2<i8>) {
    let chunk = chunk.min(series.len());
    let mut features = Features::new(named(profile), tick, chunk);
    let mut carry = Carry::start();
    let mut values = Array2::<F>::default((FLOATS, series.len()));
    let mut flags = Array2::<i8>::default((FLAGS, series.len()));
    for start in (0..series.len()).step_by(chunk) {
        let rows = start..series.len().min(start + chunk);
        let values = values.slice_mut(s![.., rows.clone()]);
        let flags = flags.slice_mut(s![.., rows.clone()]);
        features.compute_array(series, rows, &mut carry, values, flags).unwrap();
    }
    (values, flags)
}
