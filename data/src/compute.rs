//! Labels, weights and features of one session's rows, chunk by chunk.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use kernels::{
    Error, Profile, Tick,
    features::{Carry, FLAGS, FLOATS, Features, Float},
    labels::{Labeller, MODES, Outcome},
    weights,
};
use ndarray::{Array2, s};

use crate::grid::Grid;

/// How the 55 columns are computed.
#[derive(Clone, Copy, Debug)]
pub struct Computation {
    /// What windows do at a session's edge.
    pub profile: Profile,
    /// Price increment.
    pub tick: Tick,
    /// Largest change of close, in ticks, that is not a gap (profile `rolling`).
    pub gap_ticks: i32,
    /// Calendar months from the grid's month to the reference month.
    pub decay_months: i32,
    /// Rows of one kernel call; changes nothing in the output.
    pub chunk_rows: usize,
}

/// The computed columns of one session.
#[derive(Clone, Debug)]
pub struct SessionColumns<F> {
    /// Its rows in the grid.
    pub rows: Range<usize>,
    /// What followed each entry, by mode.
    pub outcomes: [Vec<Outcome>; 6],
    /// 1 = win, by mode.
    pub labels: [Vec<i8>; 6],
    /// Training weight, by mode.
    pub weights: [Vec<f32>; 6],
    /// The 36 float features, shape (36, rows).
    pub values: Array2<F>,
    /// The 7 time flags, shape (7, rows).
    pub flags: Array2<i8>,
}

/// Computes session `number` of the grid; `took` hears how long each chunk took.
///
/// # Errors
/// What [`kernels::Series::new`] refuses.
pub fn session<F: Float + Default>(
    grid: &Grid,
    number: usize,
    computation: &Computation,
    took: &dyn Fn(Duration),
) -> Result<SessionColumns<F>, Error> {
    let rows = grid.sessions[number].rows.clone();
    let Computation { profile, tick, gap_ticks, decay_months, chunk_rows } = *computation;
    // A series is the session alone, or the whole month with the session's rows inside it.
    let (series, start) = match profile {
        Profile::Session => (grid.series(rows.clone())?, 0),
        Profile::Rolling => (grid.series(0..grid.rows())?, rows.start),
    };
    let chunk_rows = chunk_rows.clamp(1, rows.len().max(1));
    let mut labeller = Labeller::new(profile, gap_ticks, chunk_rows);
    let mut features = Features::new(profile, tick, chunk_rows);
    let mut carry = Carry::at(&series, start);

    let mut outcomes: [Vec<Outcome>; 6] = std::array::from_fn(|_| vec![Outcome::LOSS; rows.len()]);
    let mut values = Array2::<F>::default((FLOATS, rows.len()));
    let mut flags = Array2::<i8>::default((FLAGS, rows.len()));
    for first in (0..rows.len()).step_by(chunk_rows) {
        let begin = Instant::now();
        let chunk = first..(first + chunk_rows).min(rows.len());
        let of_series = start + chunk.start..start + chunk.end;
        labeller.outcomes(&series, of_series.clone(), outcomes.each_mut().map(|mode| &mut mode[chunk.clone()]))?;
        let values = values.slice_mut(s![.., chunk.clone()]);
        features.compute(&series, of_series, &mut carry, values, flags.slice_mut(s![.., chunk]))?;
        took(begin.elapsed());
    }

    let decay = weights::decay(decay_months);
    let mut labels: [Vec<i8>; 6] = std::array::from_fn(|_| vec![0; rows.len()]);
    let mut weight: [Vec<f32>; 6] = std::array::from_fn(|_| vec![0.0; rows.len()]);
    for (mode, outcomes) in outcomes.iter().enumerate() {
        weights::labels(outcomes, &mut labels[mode])?;
        weights::weights(&MODES[mode], outcomes, decay, &mut weight[mode])?;
    }
    Ok(SessionColumns { rows, outcomes, labels, weights: weight, values, flags })
}
