//! Labels, weights and features of one session's rows, chunk by chunk.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use kernels::{
    Error, Profile, Tick,
    features::{Carry, FLAGS, FLOATS, Features, Float},
    labels::Specification,
    weights,
};
use ndarray::{Array2, s};

use crate::{
    central,
    grid::{Grid, Session},
    labelled::Labels,
    month::Month,
};

pub use crate::labelled::{ModeColumns, Wins};

/// How the columns are computed.
#[derive(Clone, Debug)]
pub struct Computation {
    /// What windows do at a session's edge.
    pub profile: Profile,
    /// Price increment.
    pub tick: Tick,
    /// Largest change of close, in ticks, that is not a gap (profile `rolling`).
    pub gap_ticks: i32,
    /// Which trades are labelled, and what is said of them.
    pub labels: Arc<Specification>,
    /// Month that weights decay to.
    pub decay_reference: Month,
    /// Rows of one kernel call; changes nothing in the output.
    pub chunk_rows: usize,
}

/// The computed columns of one session.
#[derive(Clone, Debug)]
pub struct SessionColumns<F> {
    /// Its rows in the grid.
    pub rows: Range<usize>,
    /// The columns of each mode of the specification.
    pub modes: Vec<ModeColumns>,
    /// The float features, shape ([`FLOATS`], rows).
    pub values: Array2<F>,
    /// The time flags, shape ([`FLAGS`], rows).
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
    let Computation { profile, tick, chunk_rows, .. } = *computation;
    let breaks = grid.breaks();
    // A series is the session alone, or the whole month with the session's rows inside it.
    let (series, start) = match profile {
        Profile::Session => (grid.series(rows.clone())?, 0),
        Profile::Rolling => (grid.series(0..grid.rows())?.with_breaks(&breaks)?, rows.start),
    };
    let chunk_rows = chunk_rows.clamp(1, rows.len().max(1));
    let mut labels = Labels::new(&computation.labels, (profile, computation.gap_ticks), chunk_rows, rows.len());
    let mut features = Features::new(profile, tick, chunk_rows);
    let mut carry = Carry::at(&series, start);

    let mut values = Array2::<F>::default((FLOATS, rows.len()));
    let mut flags = Array2::<i8>::default((FLAGS, rows.len()));
    for first in (0..rows.len()).step_by(chunk_rows) {
        let begin = Instant::now();
        let chunk = first..(first + chunk_rows).min(rows.len());
        let of_series = start + chunk.start..start + chunk.end;
        labels.take(&series, of_series.clone(), chunk.clone())?;
        let values = values.slice_mut(s![.., chunk.clone()]);
        features.compute_array(&series, of_series, &mut carry, values, flags.slice_mut(s![.., chunk]))?;
        took(begin.elapsed());
    }

    let months = by_month(&grid.sessions[number], grid.month);
    let decay = |month: Month| weights::decay(computation.decay_reference.index() - month.index());
    let decays: Vec<_> = months.into_iter().map(|(month, part)| (decay(month), part)).collect();
    let modes = labels.finish(&series, start, &decays, rows.start)?;
    Ok(SessionColumns { rows, modes, values, flags })
}

/// The rows of a session, counted from its first, by Central month: one part, or two where the session's zone is another
/// and the Central month ends in it. Times that no [`Month`] holds are of the grid's month.
fn by_month(session: &Session, of_grid: Month) -> Vec<(Month, Range<usize>)> {
    let (mut parts, mut start) = (Vec::new(), 0);
    while start < session.rows.len() {
        let second = session.first_second + start as i64;
        let (month, next) = central::month(second).unwrap_or((of_grid, i64::MAX));
        let rows = usize::try_from(next.saturating_sub(session.first_second)).unwrap_or(usize::MAX);
        let end = rows.min(session.rows.len());
        parts.push((month, start..end));
        start = end;
    }
    parts
}
