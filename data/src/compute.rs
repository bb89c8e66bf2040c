//! Labels, weights and features of one session's rows, chunk by chunk.

use std::{
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use kernels::{
    Error, Profile, Series, Tick,
    features::{Carry, FLAGS, FLOATS, Features, Float},
    labels::Specification,
    weights,
};
use ndarray::{Array2, s};

use crate::{central, grid::Grid, labelled::Labels, month::Month};

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

    let decays = decays(grid.sessions[number].first_second, rows.len(), grid.month, computation.decay_reference);
    let modes = labels.finish(&series, start, &decays, rows.start)?;
    Ok(SessionColumns { rows, modes, values, flags })
}

/// The labels alone of rows `rows` of a series, which is one session (profile `session`) or a month (`rolling`). `decays` are
/// those of the rows, as [`decays`] finds them.
///
/// # Errors
/// [`Error::Rows`] when `rows` lie outside the series or the decays outside `rows`.
pub fn labels(
    series: &Series<'_>,
    rows: Range<usize>,
    computation: &Computation,
    decays: &[(f64, Range<usize>)],
) -> Result<Vec<ModeColumns>, Error> {
    let Computation { profile, gap_ticks, chunk_rows, .. } = *computation;
    let (start, len) = (rows.start, rows.len());
    let chunk_rows = chunk_rows.clamp(1, len.max(1));
    let mut labels = Labels::new(&computation.labels, (profile, gap_ticks), chunk_rows, len);
    for first in (0..len).step_by(chunk_rows) {
        let chunk = first..(first + chunk_rows).min(len);
        labels.take(series, start + chunk.start..start + chunk.end, chunk)?;
    }
    labels.finish(series, start, decays, 0)
}

/// How much the weights of a session's rows decay, by parts of them: one, or two where the session's zone is another and the
/// Central month ends in it. The rows follow second by second from a UTC second on; times that no [`Month`] holds are of
/// `of_grid`.
#[must_use]
pub fn decays(first_second: i64, rows: usize, of_grid: Month, reference: Month) -> Vec<(f64, Range<usize>)> {
    let (mut parts, mut start) = (Vec::new(), 0);
    while start < rows {
        let (month, next) = central::month(first_second + start as i64).unwrap_or((of_grid, i64::MAX));
        let end = usize::try_from(next.saturating_sub(first_second)).unwrap_or(usize::MAX).min(rows);
        parts.push((weights::decay(reference.index() - month.index()), start..end));
        start = end;
    }
    parts
}
