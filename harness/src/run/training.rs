//! Months of decoded columns to one training file.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use archive::manifest::{MadeFrom, Source};
use base::error::Context;
use data::{
    Instrument, Month,
    column_file::ColumnFile,
    columns::{Columns, ColumnsView},
    compute::Computation,
    contract::Fronts,
    fault::Fault,
    input::{InputError, Seen},
    merge::{self, Part},
    records::Records,
    session,
    training_file::TrainingFile,
    window::Windows,
    write::{Precision, Watch, WriteError},
};
use kernels::Profile;

use super::{decode::Decoded, memory, named::Named};
use crate::{
    reporter::{self, Reporter},
    settings::Settings,
};
use statistics::{Durations, Head, Input, Level, Measurable, Performance, Stage, Statistics, quality};

/// Decoded columns of one month.
pub enum MonthColumns {
    /// Mapped from the cache.
    Mapped(Box<ColumnFile>),
    /// Several files of the month as one.
    Merged(Box<Columns>),
}

impl MonthColumns {
    /// Opens the columns of a month that one or several inputs hold, with the hours of its first and last date that lie in
    /// inputs of the months beside it.
    pub fn open(inputs: &[Decoded], month: Month, instrument: &Instrument) -> crate::Result<Self> {
        let (holding, others): (Vec<&Decoded>, Vec<&Decoded>) =
            inputs.iter().partition(|input| input.months.contains(&month));
        for (at, a) in inputs.iter().enumerate() {
            inputs[at + 1..]
                .iter()
                .try_for_each(|b| a.info.splits_no_second(&b.info).and_then(|()| b.info.splits_no_second(&a.info)))?;
        }
        let mut files = holding.iter().map(|input| input.open(month)).collect::<crate::Result<Vec<_>>>()?;
        let mut edges: Vec<(&str, Columns)> = Vec::new();
        let beyond = Windows::new(instrument)?.beyond_the_files(month);
        for (span, neighbour) in beyond.into_iter().zip([month.previous(), month.next()]) {
            let (Some(span), Some(neighbour)) = (span, neighbour) else { continue };
            for input in others.iter().filter(|input| input.months.contains(&neighbour)) {
                let columns = merge::between(&input.open(neighbour)?.view(), month, span.clone());
                edges.push((&input.info.name, columns));
            }
        }
        if let ([_], true) = (&files[..], edges.is_empty()) {
            return Ok(Self::Mapped(Box::new(files.remove(0))));
        }
        let parts = holding.iter().zip(&files).map(|(input, file)| Part {
            name: &input.info.name,
            columns: file.view(),
            records: file.records(),
        });
        let edges =
            edges.iter().map(|(name, columns)| Part { name, columns: columns.view(), records: &columns.records });
        Ok(Self::Merged(Box::new(merge::merge(month, &parts.chain(edges).collect::<Vec<_>>())?)))
    }

    /// The records of all contracts.
    pub fn view(&self) -> ColumnsView<'_> {
        match self {
            Self::Mapped(file) => file.view(),
            Self::Merged(columns) => columns.view(),
        }
    }

    /// Records of all contracts.
    pub fn rows(&self) -> usize {
        self.view().time.len()
    }

    /// What was read and dropped.
    pub fn records(&self) -> &Records {
        match self {
            Self::Mapped(file) => file.records(),
            Self::Merged(columns) => &columns.records,
        }
    }
}

/// A month before anything is computed.
pub struct Prepared {
    /// Its records.
    pub columns: MonthColumns,
    /// Its front contracts.
    pub fronts: Fronts,
    /// What a careful user should know of its files.
    pub warnings: Vec<String>,
}

/// What decoding the input took; a month's share is that of its records.
#[derive(Clone, Copy, Debug)]
pub struct Decoding {
    /// When it began.
    pub began: Instant,
    /// Busy seconds.
    pub seconds: f64,
    /// Records of all months.
    pub records: u64,
    /// Bytes read.
    pub bytes: u64,
}

impl Decoding {
    /// The stage of a month with so many of the records.
    fn stage(&self, records: u64) -> Stage {
        let share = records as f64 / self.records.max(1) as f64;
        Stage::new("decode", self.seconds * share, records, (self.bytes as f64 * share) as u64)
    }
}

/// What decides the bytes of a file made from these inputs, with what lies beside them.
pub fn made_from(inputs: Vec<Source>, named: &[Named], settings: &Settings, reference: Month) -> MadeFrom {
    let program = env!("CARGO_PKG_VERSION").into();
    let symbology: BTreeSet<String> = named.iter().filter_map(Named::checksum).map(str::to_owned).collect();
    let (settings, symbology) = (settings.of_output(), symbology.into_iter().collect());
    MadeFrom { program, settings, decay_reference: reference, inputs, symbology, fronts: None }
}

/// What a training file is made with, whatever its months.
pub struct Training<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// What goes into its metadata.
    pub made_from: &'a MadeFrom,
    /// Its inputs, as the statistics name them.
    pub inputs: &'a [Input],
    /// What reading them took.
    pub decoding: Decoding,
    /// Price levels of other months, as far as they are known.
    pub levels: &'a dyn Fn() -> crate::Result<Vec<Level>>,
    /// The columns of a month, for the price gap of a roll that only the month before has.
    pub columns_of: &'a dyn Fn(Month) -> crate::Result<Option<MonthColumns>>,
    /// Moves on by [`STEPS`] a month.
    pub reporter: &'a dyn Reporter,
}

/// A month before it is held to the others: what it came out as, what its sessions show, and what scoring needs besides.
type Unjudged = (Statistics, Vec<Fault>, quality::Context);

/// Steps of the progress for computing and writing one month.
pub const STEPS: u64 = 100;

impl Training<'_> {
    /// Writes months, in order, as one Parquet; one at a time is open. Returns the statistics of those with rows.
    ///
    /// # Errors
    /// Among others [`InputError::NoSession`] when not one row comes out.
    pub fn write(
        &self,
        path: &Path,
        months: &mut dyn Iterator<Item = crate::Result<Prepared>>,
    ) -> crate::Result<Vec<Statistics>> {
        if self.settings.float64 { self.write_as::<f64>(path, months) } else { self.write_as::<f32>(path, months) }
    }

    fn write_as<F: Precision + Measurable>(
        &self,
        path: &Path,
        months: &mut dyn Iterator<Item = crate::Result<Prepared>>,
    ) -> crate::Result<Vec<Statistics>> {
        let failed = || format!("{}: cannot be written", path.display());
        let tick = self.settings.instrument.tick()?;
        let Settings { labels, timestamps, .. } = self.settings;
        let mut file =
            TrainingFile::create::<F>(path, tick, &labels.specification, *timestamps, &metadata(self.made_from))
                .map_err(WriteError::from)
                .with_context(failed)?;
        let (mut made, mut began, mut empty) = (Vec::new(), self.decoding.began, Seen::default());
        for month in months {
            let month = month?;
            match self.month::<F>(&mut file, &month, began)? {
                Some(statistics) => made.push(statistics),
                None => empty = empty.and(&month.columns.view(), month.columns.records()),
            }
            began = Instant::now();
        }
        if file.finish().map_err(WriteError::from).with_context(failed)? == 0 {
            return Err(self.refused(empty.no_session(&self.settings.instrument)));
        }
        let mut known = (self.levels)()?;
        known.extend(made.iter().filter_map(|(month, ..): &Unjudged| month.level()));
        let judged = made.into_iter().map(|(mut statistics, faults, context)| {
            quality::judge(&mut statistics, &faults, &known, &context);
            statistics
        });
        Ok(judged.collect())
    }

    /// What is wrong with the inputs together.
    fn refused(&self, why: InputError) -> crate::Error {
        let names: Vec<&str> = self.inputs.iter().map(|input| input.key.as_str()).collect();
        InputError::File { path: names.join(", "), source: Box::new(why) }.into()
    }

    /// Appends one month; a stray hour of a neighbouring month has no rows and no statistics.
    fn month<F: Precision + Measurable>(
        &self,
        file: &mut TrainingFile,
        Prepared { columns, fronts, warnings }: &Prepared,
        began: Instant,
    ) -> crate::Result<Option<Unjudged>> {
        let Self { settings, made_from, .. } = *self;
        let (tick, gap_ticks) = (settings.instrument.tick()?, settings.instrument.gap_ticks());
        let view = columns.view();
        let month = view.month;
        memory::check(&memory::Month::of(columns.rows(), settings), settings)?;

        let cutting = Instant::now();
        let mut grid = session::cut(&view, &settings.instrument, fronts)?;
        grid.warnings.extend_from_slice(warnings);
        if grid.rollovers.iter().any(|roll| roll.price_gap.is_none())
            && let Some(before) = month.previous().filter(|_| fronts.before.is_some())
            && let Some(before) = (self.columns_of)(before)?
        {
            session::price_gaps_before(&mut grid, &before.view(), &settings.instrument, fronts)?;
        }
        let rows = grid.rows() as u64;
        let cut = Stage::new("sessions", cutting.elapsed().as_secs_f64(), rows, 0);

        let computation = Computation {
            profile: settings.profile,
            tick,
            gap_ticks,
            labels: Arc::clone(&settings.labels.specification),
            decay_reference: made_from.decay_reference,
            chunk_rows: settings.chunk_rows,
        };
        let times = Times::new(self.reporter, grid.sessions.len() as u64);
        self.reporter.stage(month, reporter::Stage::Compute);
        let sessions = F::month(file, &grid, &computation, rayon::current_num_threads(), &times);
        let sessions = sessions.map_err(|error| match error {
            WriteError::Input(why) => self.refused(why),
            error => crate::Error::from(error).context("the training file cannot be written"),
        })?;

        self.reporter.stage(month, reporter::Stage::Measure);
        let measuring = Instant::now();
        let measured = F::measure(
            &grid,
            &sessions,
            settings.profile,
            &settings.labels.specification,
            (tick, settings.instrument.scale()),
            settings.feature_ranges(),
        );
        let measure = Stage::new("measure", measuring.elapsed().as_secs_f64(), rows, 0);
        if rows == 0 {
            return Ok(None);
        }
        let stages = vec![
            self.decoding.stage(columns.records().total),
            cut,
            Stage::of("compute", &times.computed, rows, 0),
            Stage::of("encode", &times.encoded, rows, 0),
            measure,
        ];
        let performance = Performance {
            chunk_latency: times.chunks.latency(),
            ..Performance::new(began.elapsed().as_secs_f64(), rows, stages, memory::peak(), 0)
        };
        let excluded_share = match settings.profile {
            Profile::Session => 0.0,
            Profile::Rolling => quality::excluded_share(&grid, gap_ticks),
        };
        let least_win_rate = settings.instrument.least_win_rate();
        let context = quality::Context { zone: settings.instrument.zone()?, excluded_share, least_win_rate };
        let mut of_output = made_from.settings.clone();
        of_output["decay_reference"] = made_from.decay_reference.to_string().into();
        let head = Head {
            month,
            profile: settings.text("profile").to_owned(),
            settings: of_output,
            inputs: self.inputs.to_vec(),
        };
        let records = columns.records().clone();
        let statistics = Statistics::new(head, records, (fronts, &grid, tick), measured, performance);
        Ok(Some((statistics, grid.faults, context)))
    }
}

/// The times of one month's pieces, and its part of the progress bar.
struct Times<'a> {
    chunks: Durations,
    computed: Durations,
    encoded: Durations,
    reporter: &'a dyn Reporter,
    sessions: u64,
    done: AtomicU64,
}

impl<'a> Times<'a> {
    fn new(reporter: &'a dyn Reporter, sessions: u64) -> Self {
        let [chunks, computed, encoded] = [(); 3].map(|()| Durations::new());
        Self { chunks, computed, encoded, reporter, sessions, done: AtomicU64::new(0) }
    }
}

impl Watch for Times<'_> {
    fn chunk(&self, took: Duration) {
        self.chunks.record(took);
    }

    fn computed(&self, took: Duration) {
        self.computed.record(took);
    }

    fn encoded(&self, took: Duration) {
        self.encoded.record(took);
        let done = self.done.fetch_add(1, Ordering::Relaxed);
        let steps = |sessions: u64| STEPS * sessions / self.sessions.max(1);
        self.reporter.steps(steps(done + 1) - steps(done));
    }
}

/// What the Parquet file says of its making; nothing in it depends on when or where.
fn metadata(made_from: &MadeFrom) -> Vec<(String, String)> {
    let MadeFrom { program, settings, decay_reference, inputs, symbology, .. } = made_from;
    let mut pairs = vec![("harness.version".to_owned(), program.clone())];
    for (name, value) in settings.as_object().into_iter().flatten() {
        pairs.push((format!("harness.{name}"), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    }
    pairs.push(("harness.decay_reference".into(), decay_reference.to_string()));
    pairs.push(("harness.inputs".into(), serde_json::json!(inputs).to_string()));
    if !symbology.is_empty() {
        pairs.push(("harness.symbology".into(), serde_json::json!(symbology).to_string()));
    }
    pairs
}
