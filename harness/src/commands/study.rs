//! `study barriers`: what every pair of a stop and a target comes to, to choose distances by.

use std::path::Path;

use archive::{manifest, published, store::Store};
use base::{
    error::{Class, Context},
    exit::Usage,
};
use data::{
    Instrument, Month, MonthRange, column_file::ColumnFile, contract::Fronts, grid::Grid, input::InputError, session,
    volumes::Volumes,
};
use kernels::{
    Columns, Profile, Series,
    labels::{Direction, Pair, Specification, Study},
};
use rayon::prelude::*;
use report::barriers::{self, Line, Side, Studied};
use serde::Serialize;

use super::bring::bring;
use crate::{
    cli::{BarriersArgs, StudyArgs, StudyCommand},
    run::{cache::Cache, decode, named::Named, training::MonthColumns},
    settings::Settings,
    validate::{self, Making, Source, Table, Tape},
};

/// Runs the command.
pub fn run(args: &StudyArgs, settings: &Settings) -> crate::Result<u8> {
    match &args.command {
        StudyCommand::Barriers(args) => run_barriers(args, settings),
    }
}

/// What every pair came to.
#[derive(Serialize)]
pub struct Found {
    /// The input as it was named.
    input: String,
    /// Rows of all its sessions.
    rows: usize,
    /// Rows after the signal bar on which a trade may be decided.
    horizon: usize,
    /// One or both.
    sides: Vec<FoundSide>,
}

/// The pairs of one side.
#[derive(Serialize)]
struct FoundSide {
    /// `long` or `short`.
    side: String,
    /// By stop, then by target.
    pairs: Vec<FoundPair>,
}

/// One stop and one target.
#[derive(Serialize)]
struct FoundPair {
    /// Ticks.
    stop: u16,
    /// Ticks.
    target: u16,
    /// Rows with a trade.
    trades: u64,
    /// Trades that reach the target first.
    wins: u64,
    /// Wins by trades; `null` without trades, as the figures after it.
    win_rate: Option<f64>,
    /// Mean ticks from entry to exit, in the trade's direction.
    expected_move: Option<f64>,
    /// Median of the seconds from entry to exit.
    median_seconds: Option<u64>,
    /// Share of the trades that nothing decides within the horizon.
    undecided: Option<f64>,
    /// Whether the win rate is within the usual band.
    usual: bool,
}

/// Rows that windows and look-ahead run over.
struct Rows {
    prices: [Vec<i32>; 4],
    /// Where look-ahead ends: sessions, or months in profile `rolling`.
    series: Vec<std::ops::Range<usize>>,
}

fn run_barriers(args: &BarriersArgs, settings: &Settings) -> crate::Result<u8> {
    let (stops, targets) = (args.stops.ticks(), args.targets.ticks());
    let cache = Cache::open(settings)?;
    let input = args.input.to_string_lossy();
    let months: Vec<Rows> = match input.parse::<MonthRange>() {
        Ok(range) if !args.input.exists() => of_store(range, settings)?,
        _ => of_file(&bring(&args.input, cache.temporary(), settings)?, &cache, settings)?,
    };
    let rows: usize = months.iter().map(|rows| rows.prices[0].len()).sum();
    let specification = &*settings.labels.specification;
    let mut sides = Vec::new();
    for (name, direction) in args.side.directions() {
        let pairs = pairs(&months, specification, direction, (&stops, &targets), settings)?;
        let least = settings.instrument.least_win_rate();
        sides.push(Side { name, pairs: pairs.iter().map(|pair| line(pair, least)).collect() });
    }
    let studied = Studied {
        input: &input,
        facts: vec![
            ("Rows", rows.to_string()),
            ("Horizon, rows", specification.horizon().to_string()),
            ("Profile", settings.text("profile").to_owned()),
            ("Root", settings.instrument.root.clone()),
            ("Tick, points", crate::settings::points(settings.instrument.tick_nanos)),
        ],
        stops: &stops,
        targets: &targets,
        sides: &sides,
    };
    if let Some(path) = &args.out {
        let page = barriers::page(&studied);
        std::fs::write(path, page).with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    if args.json {
        let horizon = specification.horizon();
        let sides = sides.iter().map(|Side { name, pairs }| FoundSide {
            side: (*name).to_owned(),
            pairs: pairs.iter().map(found).collect(),
        });
        let found = Found { input: input.to_string(), rows, horizon, sides: sides.collect() };
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else if let Some(path) = &args.out {
        println!("{}", path.display());
    } else {
        println!("{}", barriers::plain(&studied));
    }
    Ok(0)
}

fn found(line: &Line) -> FoundPair {
    let Line { stop, target, trades, wins, win_rate, expected_move, median_seconds, undecided, usual } = *line;
    FoundPair { stop, target, trades, wins, win_rate, expected_move, median_seconds, undecided, usual }
}

fn line(pair: &Pair, least: f64) -> Line {
    let win_rate = pair.win_rate();
    Line {
        stop: pair.stop,
        target: pair.target,
        trades: pair.trades,
        wins: pair.wins,
        win_rate,
        expected_move: pair.expected_move(),
        median_seconds: pair.median_rows(),
        undecided: pair.undecided_share(),
        usual: win_rate.is_some_and(|rate| (least..=data::labels::MOST_WIN_RATE).contains(&rate)),
    }
}

/// The pairs over all series, which are counted side by side.
fn pairs(
    months: &[Rows],
    specification: &Specification,
    direction: Direction,
    distances: (&[u16], &[u16]),
    settings: &Settings,
) -> crate::Result<Vec<Pair>> {
    let gap = (settings.profile, settings.instrument.gap_ticks());
    let new = || Study::new(specification, direction, distances, gap);
    let series: Vec<(&Rows, std::ops::Range<usize>)> =
        months.iter().flat_map(|rows| rows.series.iter().map(move |series| (rows, series.clone()))).collect();
    let count = |mut study: Study, (rows, range): &(&Rows, std::ops::Range<usize>)| -> crate::Result<Study> {
        let [open, high, low, close] = rows.prices.each_ref().map(|prices| &prices[range.clone()]);
        let none = vec![0; range.len()];
        let columns = Columns { open, high, low, close, volume: &none, second: &none };
        let series = Series::new(columns).map_err(refused)?;
        study.take(&series, 0..range.len()).map_err(refused)?;
        Ok(study)
    };
    let counted = series.par_iter().try_fold(new, count).collect::<crate::Result<Vec<Study>>>()?;
    let mut pairs = new().pairs().to_vec();
    for study in &counted {
        pairs.iter_mut().zip(study.pairs()).for_each(|(pair, more)| pair.add(more));
    }
    Ok(pairs)
}

fn refused(error: kernels::Error) -> crate::Error {
    crate::Error::new(Class::Input, format!("the bars cannot be studied: {error}"))
}

/// The published months of a range.
fn of_store(range: MonthRange, settings: &Settings) -> crate::Result<Vec<Rows>> {
    let store = Store::open(settings.text("store"), settings.access)?;
    let mut months = Vec::new();
    for month in range.iter() {
        let Some((manifest, _)) = manifest::read(&store, month)? else { continue };
        let making = Making::new(&manifest.current.made_from).map_err(|error: String| published_as(month, &error))?;
        let bytes = published::object(&store, &manifest.current.data)
            .map_err(|error| published_as(month, &error.to_string()))?;
        months.push(of_table(&Table::open(Source::Object(bytes))?, &making, settings)?);
    }
    if months.is_empty() {
        return Err(Usage(format!("{range}: none of these months is published in {}", store.name())).into());
    }
    Ok(months)
}

fn published_as(month: Month, why: &str) -> crate::Error {
    crate::Error::new(Class::Published, format!("{month}: {why}; validate it"))
}

/// A training file, or raw bars.
fn of_file(path: &Path, cache: &Cache, settings: &Settings) -> crate::Result<Vec<Rows>> {
    if let Ok(table) = Table::open(Source::File(path.to_owned()))
        && let Ok(making) = validate::of_metadata(table.pairs()).and_then(|made_from| Making::new(&made_from))
    {
        return Ok(vec![of_table(&table, &making, settings)?]);
    }
    let instrument = &settings.instrument;
    if let Ok((_, file)) = ColumnFile::open_any(path) {
        let fronts = Fronts::alone(file.view().month, &Volumes::of(&file.view(), instrument)?, settings.choice);
        return Ok(vec![of_grid(session::cut(&file.view(), instrument, &fronts)?, settings.profile)]);
    }
    let decoded =
        decode::decode(|| Ok(path), &decode::source(path)?, &Named::beside(path)?, instrument, cache.temporary())?;
    let volumes = decoded.volumes(instrument)?;
    let all = [decoded];
    let mut months = Vec::new();
    for &month in &all[0].months {
        let fronts = Fronts::choose(month, &volumes, |month| all[0].months.contains(&month), settings.choice);
        let columns = MonthColumns::open(&all, month, instrument)?;
        months.push(of_grid(session::cut(&columns.view(), instrument, &fronts)?, settings.profile));
    }
    if months.iter().all(|rows| rows.series.is_empty()) {
        return Err(InputError::Empty.into());
    }
    Ok(months)
}

fn of_grid(grid: Grid, profile: Profile) -> Rows {
    let series = match profile {
        Profile::Session => grid.sessions.iter().map(|session| session.rows.clone()).collect(),
        Profile::Rolling => std::iter::once(0..grid.rows()).filter(|rows| !rows.is_empty()).collect(),
    };
    Rows { prices: [grid.open, grid.high, grid.low, grid.close], series }
}

/// The bars of a training file, in ticks of its own instrument, which must be the one in force.
fn of_table(table: &Table, making: &Making, settings: &Settings) -> crate::Result<Rows> {
    let Instrument { root, tick_nanos, .. } = &settings.instrument;
    if making.instrument.tick_nanos != *tick_nanos {
        let theirs = crate::settings::points(making.instrument.tick_nanos);
        return Err(Usage(format!(
            "the file has a tick of {theirs} points ({}), the settings one of {root}: set root = {}",
            making.instrument.root, making.instrument.root
        ))
        .into());
    }
    let tape = Tape::read(table, making)?;
    let narrow = |column: &Vec<i64>| column.iter().map(|&price| i32::try_from(price).unwrap_or(i32::MAX)).collect();
    let series = match settings.profile {
        Profile::Session => tape.sessions.iter().map(|session| session.rows.clone()).collect(),
        Profile::Rolling => std::iter::once(0..tape.time.len()).filter(|rows| !rows.is_empty()).collect(),
    };
    Ok(Rows { prices: tape.prices.each_ref().map(narrow), series })
}
