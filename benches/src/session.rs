//! The computed columns of one session, with room for all of them.

use std::ops::Range;

use kernels::{
    Profile, Series,
    features::{Carry, FLAGS, FLOATS, Features},
    labels::{MODES, Outcome, Six},
    weights,
};
use ndarray::{Array2, s};
use proptests::exact::ulps;

use crate::{
    kernel::{CHUNK, chunks},
    tape::{GAP, Tape},
};

/// Calendar months to the reference month.
const MONTHS: i32 = 7;

/// Scratch space and columns of one session in one profile.
pub struct Session {
    tape: &'static Tape,
    series: Series<'static>,
    profile: Profile,
    labeller: Six,
    features: Features,
    outcomes: [Vec<Outcome>; MODES.len()],
    labels: [Vec<i8>; MODES.len()],
    weights: [Vec<f32>; MODES.len()],
    values: Array2<f32>,
    flags: Array2<i8>,
}

impl Session {
    /// Room for the columns of a tape.
    #[must_use]
    pub fn new(tape: &'static Tape, profile: Profile) -> Self {
        let series = tape.series();
        let rows = series.len();
        Self {
            tape,
            series,
            profile,
            labeller: Six::new(profile, GAP, CHUNK),
            features: Features::new(profile, tape.tick, CHUNK),
            outcomes: std::array::from_fn(|_| vec![Outcome::LOSS; rows]),
            labels: std::array::from_fn(|_| vec![9; rows]),
            weights: std::array::from_fn(|_| vec![f32::NAN; rows]),
            values: Array2::from_elem((FLOATS, rows), -7.0),
            flags: Array2::from_elem((FLAGS, rows), 9),
        }
    }

    /// Outcomes of all six modes.
    pub fn outcomes(&mut self) {
        for chunk in chunks(self.series.len()) {
            let out = self.outcomes.each_mut().map(|column| &mut column[chunk.clone()]);
            self.labeller.outcomes(&self.series, chunk, out).unwrap();
        }
    }

    /// The outcomes, for who finds them otherwise.
    pub(crate) fn outcomes_mut(&mut self) -> &mut [Vec<Outcome>; MODES.len()] {
        &mut self.outcomes
    }

    /// Labels and weights of all six modes, from the outcomes.
    pub fn weights(&mut self) {
        for chunk in chunks(self.series.len()) {
            self.weigh(chunk.clone(), chunk);
        }
    }

    /// Outcomes, labels and weights chunk by chunk, all outcomes in the same place: they stay in the first cache.
    pub fn labels_and_weights(&mut self) {
        for chunk in chunks(self.series.len()) {
            let out = self.outcomes.each_mut().map(|column| &mut column[..chunk.len()]);
            self.labeller.outcomes(&self.series, chunk.clone(), out).unwrap();
            self.weigh(0..chunk.len(), chunk);
        }
    }

    /// Labels and weights of `rows` from the outcomes at `at`.
    fn weigh(&mut self, at: Range<usize>, rows: Range<usize>) {
        let decay = weights::decay(MONTHS);
        for (mode, outcomes) in self.outcomes.iter().enumerate() {
            let outcomes = &outcomes[at.clone()];
            weights::labels(outcomes, &mut self.labels[mode][rows.clone()]).unwrap();
            let out = &mut self.weights[mode][rows.clone()];
            weights::weights(&self.series, rows.clone(), &MODES[mode], outcomes, decay, out).unwrap();
        }
    }

    /// The features.
    pub fn features(&mut self) {
        let mut carry = Carry::start();
        for chunk in chunks(self.series.len()) {
            let part = s![.., chunk.clone()];
            let (values, flags) = (self.values.slice_mut(part), self.flags.slice_mut(part));
            self.features.compute_array(&self.series, chunk, &mut carry, values, flags).unwrap();
        }
    }

    /// Labels, weights and features.
    pub fn all(&mut self) {
        self.labels_and_weights();
        self.features();
    }

    /// Asserts the outcomes.
    pub fn check_outcomes(&self) {
        for (row, expected) in self.tape.outcomes(self.profile).iter().enumerate() {
            for (mode, win) in expected.iter().enumerate() {
                let outcome = self.outcomes[mode][row];
                let found = outcome.is_win().then(|| (i64::from(outcome.mae()), i64::from(outcome.rows())));
                assert_eq!(found, win.map(|win| (win.mae, win.seconds)), "mode {mode}, row {row}");
            }
        }
    }

    /// Asserts labels and weights.
    pub fn check_weights(&self) {
        for (row, expected) in self.tape.outcomes(self.profile).iter().enumerate() {
            for (mode, &win) in expected.iter().enumerate() {
                assert_eq!(self.labels[mode][row], i8::from(win.is_some()), "mode {mode}, row {row}");
                let weight = proptests::labels::weight(win, mode, MONTHS) as f32;
                assert!(ulps(self.weights[mode][row], weight) <= 1, "mode {mode}, row {row}");
            }
        }
    }

    /// Asserts the features.
    pub fn check_features(&self) {
        for (row, expected) in self.tape.numbers(self.profile).iter().enumerate() {
            for (feature, expected) in expected.iter().enumerate() {
                let value = self.values[[feature, row]];
                assert!(expected.admits_f32(value), "feature {feature}, row {row}: {value}");
            }
        }
        for (row, expected) in self.tape.flags().iter().enumerate() {
            for (flag, expected) in expected.iter().enumerate() {
                assert_eq!(self.flags[[flag, row]], *expected, "flag {flag}, row {row}");
            }
        }
    }
}
