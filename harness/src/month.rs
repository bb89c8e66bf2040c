//! One month from columns to the rows of a training file.

use data::{
    Month,
    column_file::ColumnFile,
    compute::{self, Computation, SessionColumns},
    grid::Grid,
    session,
    training_file::{TrainingFile, Value},
};

use crate::{config::Settings, progress::Bar};

/// Cuts, labels and computes one month and appends it to `file`; `measure` sees the columns before they are encoded.
pub fn append<F: Value>(
    columns: &ColumnFile,
    settings: &Settings,
    reference: Month,
    file: &mut TrainingFile,
    bar: &Bar,
    measure: impl FnOnce(&Grid, &[SessionColumns<F>]),
) -> anyhow::Result<Grid> {
    let view = columns.view();
    let grid = session::cut(&view, &settings.instrument, settings.choice)?;
    let computation = Computation {
        profile: settings.profile,
        tick: settings.instrument.tick()?,
        gap_ticks: settings.instrument.gap_ticks(),
        decay_months: reference.index() - view.month.index(),
        chunk_rows: settings.chunk_rows,
    };
    bar.stage(&format!("{} compute", view.month), 2 * grid.sessions.len() as u64);
    let sessions = compute::sessions::<F>(&grid, &computation, &|| bar.step())?;
    measure(&grid, &sessions);
    bar.message(&format!("{} encode", view.month));
    file.append(&grid, sessions, &|| bar.step())?;
    Ok(grid)
}
