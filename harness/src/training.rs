//! Months of decoded columns to one training file.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use data::{
    Month,
    column_file::ColumnFile,
    columns::{Columns, ColumnsView},
    compute::{self, Computation},
    contract::Chooser,
    grid::Grid,
    input::InputError,
    merge,
    records::Records,
    session,
    training_file::{TrainingFile, Value},
};

use hdrhistogram::Histogram;
use kernels::Profile;

use crate::{
    config::Settings,
    decode::Decoded,
    manifest::{MadeFrom, Source},
    memory,
    progress::Bar,
    quality,
    statistics::{self, ChunkLatency, Head, Input, Measured, Performance, Stage, Statistics},
};

/// Decoded columns of one month.
pub enum MonthColumns {
    /// Mapped from the cache.
    Mapped(ColumnFile),
    /// Several files of the month as one.
    Merged(Box<Columns>),
}

impl MonthColumns {
    /// Opens the columns of a month that one or several inputs hold.
    pub fn open(inputs: &[Decoded], month: Month) -> anyhow::Result<Self> {
        let holding = inputs.iter().filter(|input| input.months.contains(&month));
        let mut files = holding.map(|input| input.open(month)).collect::<anyhow::Result<Vec<_>>>()?;
        if let [_] = files[..] {
            return Ok(Self::Mapped(files.remove(0)));
        }
        let parts: Vec<(ColumnsView<'_>, &Records)> = files.iter().map(|file| (file.view(), file.records())).collect();
        Ok(Self::Merged(Box::new(merge::merge(month, &parts)?)))
    }

    fn view(&self) -> ColumnsView<'_> {
        match self {
            Self::Mapped(file) => file.view(),
            Self::Merged(columns) => columns.view(),
        }
    }

    /// Records of all contracts.
    pub fn rows(&self) -> usize {
        self.view().time.len()
    }

    fn records(&self) -> &Records {
        match self {
            Self::Mapped(file) => file.records(),
            Self::Merged(columns) => &columns.records,
        }
    }
}

/// A month as it was written.
pub struct MadeMonth {
    /// Its rows.
    pub grid: Grid,
    /// What was read and dropped.
    pub records: Records,
    /// Figures of its columns.
    pub measured: Measured,
    /// Where the time went.
    pub stages: Vec<Stage>,
    /// How long each kernel call took, in nanoseconds.
    pub chunks: Histogram<u64>,
}

impl MadeMonth {
    /// The statistics of the month, with its score.
    pub fn statistics(self, inputs: &[Input], settings: &Settings, made_from: &MadeFrom) -> anyhow::Result<Statistics> {
        let Self { grid, records, measured, stages, chunks } = self;
        let excluded_share = match settings.profile {
            Profile::Session => 0.0,
            Profile::Rolling => quality::excluded_share(&grid, settings.instrument.gap_ticks()),
        };
        let context = quality::Context { zone: settings.instrument.zone()?, excluded_share };
        let head = Head {
            month: grid.month,
            profile: settings.text("profile").to_owned(),
            settings: made_from.settings.clone(),
            inputs: inputs.to_vec(),
        };
        let seconds = stages.iter().map(|stage| stage.seconds).sum();
        let performance = Performance::new(seconds, grid.rows() as u64, stages, memory::peak(), 0).with_chunks(&chunks);
        Ok(Statistics::new(head, records, &grid, measured, performance, &context))
    }
}

/// What decides the bytes of a file made from these inputs.
pub fn made_from(inputs: Vec<Source>, settings: &Settings, reference: Month) -> MadeFrom {
    let program = env!("CARGO_PKG_VERSION").into();
    MadeFrom { program, settings: settings.of_output(), decay_reference: reference, inputs }
}

/// Writes months, in order, as one Parquet.
///
/// # Errors
/// Among others [`InputError::NoSession`] when not one row comes out.
pub fn write(
    months: &[MonthColumns],
    made_from: &MadeFrom,
    settings: &Settings,
    path: &Path,
    bar: &Bar,
) -> anyhow::Result<Vec<MadeMonth>> {
    if settings.float64 {
        write_as::<f64>(months, made_from, settings, path, bar)
    } else {
        write_as::<f32>(months, made_from, settings, path, bar)
    }
}

fn write_as<F: Value + Into<f64>>(
    months: &[MonthColumns],
    made_from: &MadeFrom,
    settings: &Settings,
    path: &Path,
    bar: &Bar,
) -> anyhow::Result<Vec<MadeMonth>> {
    let failed = || format!("{}: cannot be written", path.display());
    let tick = settings.instrument.tick()?;
    let mut file = TrainingFile::create::<F>(path, tick, &metadata(made_from)).with_context(failed)?;
    let mut made = Vec::new();
    let mut chooser = Chooser::new(settings.choice);
    for columns in months {
        let view = columns.view();
        let month = view.month;
        let mut clock = Clock::new();
        let grid = session::cut(&view, &settings.instrument, &mut chooser)?;
        let rows = grid.rows() as u64;
        clock.stage("sessions", rows, 0);
        let computation = Computation {
            profile: settings.profile,
            tick,
            gap_ticks: settings.instrument.gap_ticks(),
            decay_months: made_from.decay_reference.index() - month.index(),
            chunk_rows: settings.chunk_rows,
        };
        bar.stage(&format!("{month} compute"), 2 * grid.sessions.len() as u64);
        let chunks = Mutex::new(ChunkLatency::histogram());
        let chunk = |took: Duration| {
            // A poisoned lock or a value beyond the histogram costs a figure, not the month.
            let _ = chunks.lock().map(|mut chunks| chunks.record(took.as_nanos() as u64));
        };
        let sessions = compute::sessions::<F>(&grid, &computation, &chunk, &|| bar.step())?;
        let chunks = chunks.into_inner().unwrap_or_else(PoisonError::into_inner);
        clock.stage("compute", rows, 0);
        let measured = statistics::measure(&grid, &sessions, settings.profile, tick, settings.feature_ranges());
        clock.stage("measure", rows, 0);
        bar.message(&format!("{month} encode"));
        file.append(&grid, sessions, &|| bar.step()).with_context(failed)?;
        clock.stage("encode", rows, 0);
        made.push(MadeMonth { grid, records: columns.records().clone(), measured, stages: clock.stages, chunks });
    }
    if file.finish().with_context(failed)? == 0 {
        let root = settings.instrument.root.clone();
        let names: Vec<&str> = made_from.inputs.iter().map(|input| input.name.as_str()).collect();
        anyhow::bail!(InputError::File { path: names.join(", "), source: Box::new(InputError::NoSession { root }) });
    }
    Ok(made)
}

/// What the Parquet file says of its making; nothing in it depends on when or where.
fn metadata(made_from: &MadeFrom) -> Vec<(String, String)> {
    let MadeFrom { program, settings, decay_reference, inputs } = made_from;
    let mut pairs = vec![("harness.version".to_owned(), program.clone())];
    for (name, value) in settings.as_object().into_iter().flatten() {
        pairs.push((format!("harness.{name}"), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    pairs.push(("harness.decay_reference".into(), decay_reference.to_string()));
    pairs.push(("harness.inputs".into(), serde_json::json!(inputs).to_string()));
    pairs
}

/// Times the stages of a month.
pub struct Clock {
    last: Instant,
    /// The stages so far.
    pub stages: Vec<Stage>,
}

impl Clock {
    /// Starts now.
    pub fn new() -> Self {
        Self { last: Instant::now(), stages: Vec::new() }
    }

    /// A stage over `rows` rows or records and `bytes` bytes ends now.
    pub fn stage(&mut self, name: &str, rows: u64, bytes: u64) {
        let now = Instant::now();
        self.stages.push(Stage::new(name, now.duration_since(self.last).as_secs_f64(), rows, bytes));
        self.last = now;
    }
}
