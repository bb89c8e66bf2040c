//! A sample of published labels, weights and features against the scalar reference.

use std::ops::Range;

use data::Month;
use proptests::{
    Profile,
    features::{NUMBERS, Reference},
};

use super::{
    anew,
    finding::{BrokenRows, Check, RowRule},
    making::Making,
    output::utc,
    table::Rows,
    tape::{Tape, central, local_date},
};

const fn rule(name: &'static str, expected: &'static str) -> RowRule {
    RowRule { check: Check::Data, name, expected }
}

const FEATURE: RowRule = rule("feature", "the value recomputed from the bars");
const FLAG: RowRule = rule("flags", "the Central time of day of the row");

/// Rows that are always in the sample: where a window fills or a look-ahead ends; from a session's start and its end.
const FROM_START: [Range<usize>; 8] = [0..6, 28..36, 58..62, 298..302, 327..332, 597..600, 627..632, 898..902];
const FROM_END: [usize; 6] = [1, 2, 3, 900, 901, 902];

/// What is computed anew.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Random rows of each session.
    pub rows: usize,
    /// Which ones.
    pub seed: u64,
}

/// The reference over one file.
pub struct Anew<'a> {
    tape: &'a Tape,
    making: &'a Making,
    sample: Sample,
    /// Profile `rolling`: the rows of each month, as one series.
    months: Vec<(Range<usize>, proptests::Tape)>,
}

impl<'a> Anew<'a> {
    /// Prepares the path.
    pub fn new(tape: &'a Tape, making: &'a Making, sample: Sample) -> Self {
        let mut months: Vec<(Range<usize>, proptests::Tape)> = Vec::new();
        let rolling = making.profile == kernels::Profile::Rolling;
        for number in (0..tape.sessions.len()).filter(|_| rolling) {
            let rows = tape.month_of(number);
            if months.last().is_none_or(|(known, _)| *known != rows) {
                months.push((rows.clone(), tape.rows(rows)));
            }
        }
        Self { tape, making, sample, months }
    }

    /// Compares sampled rows of session `number`; how many, and what differs.
    pub fn session(&self, number: usize, rows: &Rows) -> (u64, BrokenRows) {
        let own = self.tape.sessions[number].rows.clone();
        let seed = self.sample.seed ^ self.tape.time[own.start].unsigned_abs();
        let picked = pick(own.len(), self.sample.rows, seed);
        let mut broken = BrokenRows::default();
        match self.months.iter().find(|(month, _)| month.contains(&own.start)) {
            Some((month, series)) => self.compare(own.start - month.start, series, rows, &picked, &mut broken),
            None => self.compare(0, &self.tape.rows(own), rows, &picked, &mut broken),
        }
        (picked.len() as u64, broken)
    }

    /// Compares the picked rows of a session that begins at row `first` of a series.
    fn compare(&self, first: usize, series: &proptests::Tape, rows: &Rows, picked: &[usize], broken: &mut BrokenRows) {
        let Making { float64, reference, ref instrument, .. } = *self.making;
        let profile = match self.making.profile {
            kernels::Profile::Session => Profile::Session,
            kernels::Profile::Rolling => Profile::Rolling,
        };
        let features = Reference::new(series, profile, (instrument.tick_nanos, 1_000_000_000));
        let zone = central();
        // Features are rounded to their type, and what is not exact may be off by 2 units in the last place.
        let relative = if float64 { 1e-9 } else { 1e-6 };
        let months = |i: usize| {
            Month::of(local_date(series.time[i], &zone)).map_or(0, |month| reference.index() - month.index())
        };
        anew::Session { series, first, rows, picked }.compare(self.making, &months, broken);
        for &row in picked {
            let i = first + row;
            let at = || utc(series.time[i]);
            for ((name, expected), column) in NUMBERS.iter().zip(features.numbers(i)).zip(&rows.values) {
                let (published, expected) = (column[row], expected.to_f64());
                if !near(published, expected, relative, rounding(name)) {
                    broken.add(&FEATURE, name, || format!("{published} at {}, not {expected}", at()));
                }
            }
            let (expected, published): (_, Vec<i8>) =
                (features.flags(i), rows.flags.iter().map(|flag| flag[row]).collect());
            if published != expected {
                broken.add(&FLAG, "", || format!("{published:?} at {}, not {expected:?}", at()));
            }
        }
    }
}

/// How far sums of this path in f64 may be off where large terms cancel out.
fn rounding(name: &str) -> f64 {
    match name {
        "vwap_slope" | "distance_from_vwap_pct" | "volume_slope_30s" | "volume_slope_5s" => 1e-9,
        _ => 1e-12,
    }
}

fn near(published: f64, expected: f64, relative: f64, absolute: f64) -> bool {
    match (published.is_nan(), expected.is_nan()) {
        (false, false) => (published - expected).abs() <= relative * expected.abs() + absolute,
        (one, other) => one == other,
    }
}

/// Rows of a session to look at, in order: the fixed ones and `count` others.
fn pick(rows: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut state = seed;
    let mut random = || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let mut picked: Vec<usize> = FROM_START.into_iter().flatten().collect();
    picked.extend(FROM_END.iter().filter_map(|back| rows.checked_sub(*back)));
    picked.extend((0..count).map(|_| (random() % rows.max(1) as u64) as usize));
    picked.retain(|&row| row < rows);
    picked.sort_unstable();
    picked.dedup();
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_the_same_for_a_seed_and_holds_the_edges() {
        let picked = pick(27_000, 100, 7);
        assert_eq!(picked, pick(27_000, 100, 7));
        assert_ne!(picked, pick(27_000, 100, 8));
        for row in [0, 29, 30, 33, 299, 300, 328, 899, 900, 26_098, 26_099, 26_100, 26_999] {
            assert!(picked.contains(&row), "{row}");
        }
        assert!(picked.len() > 130 && picked.is_sorted());
        assert_eq!(pick(1, 5, 1), [0]);
    }

    #[test]
    fn nan_is_near_nan_only() {
        assert!(near(f64::NAN, f64::NAN, 0.0, 0.0) && near(1.0 + 1e-9, 1.0, 1e-8, 0.0) && near(1e-13, 0.0, 0.0, 1e-12));
        assert!(!near(f64::NAN, 1.0, 1.0, 1.0) && !near(1.0, f64::NAN, 1.0, 1.0) && !near(1.1, 1.0, 1e-2, 1e-2));
    }
}
