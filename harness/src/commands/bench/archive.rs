//! `bench --months`: a whole archive of synthetic months, with the memory held while it is made.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use base::error::Context;
use data::{Month, MonthRange};
use serde::Serialize;

use super::synthesise;
use crate::{
    cli::BenchArgs,
    commands::run::watched,
    machine::Machine,
    progress::Bar,
    run::{memory, outcome::Outcome, request::RunRequest},
    settings::Settings,
};

/// Time between two looks at the memory.
const LOOK: Duration = Duration::from_millis(50);
/// Months after which memory must no longer grow.
const WARM_UP: usize = 10;

/// What an archive took.
#[derive(Clone, Debug, Serialize)]
struct Archive {
    /// Program and version.
    program: String,
    /// Where.
    machine: Machine,
    /// Threads.
    jobs: usize,
    /// How many months were built.
    months: usize,
    /// How many failed.
    failed: usize,
    /// Records read.
    records: u64,
    /// Rows written.
    rows: u64,
    /// Wall-clock seconds.
    seconds: f64,
    /// Rows by second of them.
    rows_per_second: f64,
    /// Busy nanoseconds by row (by record for `decode`), all months together.
    stages: Vec<(String, f64)>,
    /// Largest resident memory.
    peak_rss_bytes: u64,
    /// Largest resident memory while the first ten months were built.
    peak_rss_first_months: u64,
    /// The same, after them.
    peak_rss_later_months: u64,
    /// Exponent of time in rows, fitted over a ninth, a third and all of the months; `null` below nine months.
    exponent: Option<f64>,
    /// Seconds since the start at which each month was published, and the memory held by then since the one before.
    by_month: Vec<(Month, f64, u64)>,
}

/// Runs the command.
pub fn run(args: &BenchArgs, months: MonthRange, settings: &Settings) -> crate::Result<u8> {
    let temporary;
    let folder: PathBuf = match &args.dir {
        Some(folder) => folder.clone(),
        None => {
            temporary = tempfile::tempdir().context("the folder of the benchmark cannot be created")?;
            temporary.path().into()
        }
    };
    let (raw, store) = (folder.join("raw"), folder.join("store"));
    let list: Vec<Month> = months.iter().collect();
    let bar = Bar::new();
    bar.task("synth", list.len() as u64);
    for &month in &list {
        if !exists(&raw, month)? {
            synthesise(
                settings,
                MonthRange::new(month, month).ok_or_else(|| crate::Error::program("no such month"))?,
                &raw,
            )?;
        }
        bar.step();
    }
    bar.finish();
    if store.exists() {
        fs::remove_dir_all(&store)?;
    }
    let mut settings = settings.at(&store, &raw);
    settings.cache_bytes = 0;
    settings.set_temp_dir(&folder.join("temp"));
    let archive = measure(&list, months, &settings)?;
    if let Some(chart) = &args.chart {
        draw(&archive, chart).with_context(|| format!("{}: cannot be drawn", chart.display()))?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&archive)?);
    } else {
        print(&archive);
    }
    Ok(u8::from(archive.failed > 0))
}

/// Whether the month's file is in the folder; its name is that of the first and last day.
fn exists(raw: &Path, month: Month) -> crate::Result<bool> {
    let name = format!("-{}-", month.first_day().strftime("%Y%m%d"));
    let Ok(entries) = fs::read_dir(raw) else { return Ok(false) };
    for entry in entries {
        if entry?.file_name().to_string_lossy().contains(&name) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn measure(list: &[Month], months: MonthRange, settings: &Settings) -> crate::Result<Archive> {
    let request = RunRequest { months: list.to_vec(), ..RunRequest::of(months) };
    let (stop, held) = (AtomicBool::new(false), Mutex::new(0_u64));
    let (mut by_month, mut stages, mut records, mut rows) = (Vec::new(), Vec::<(String, f64, u64)>::new(), 0, 0);
    let begin = Instant::now();
    let run = thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let now = memory::held().unwrap_or(0);
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                *held = now.max(*held);
                drop(held);
                thread::sleep(LOOK);
            }
        });
        let run = watched(&request, settings, &mut |statistics| {
            let most = std::mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner));
            let most = most.max(memory::held().unwrap_or(0));
            by_month.push((statistics.month, begin.elapsed().as_secs_f64(), most));
            records += statistics.records.total;
            rows += statistics.rows();
            for stage in &statistics.performance.stages {
                let of = if stage.name == "decode" { statistics.records.total } else { statistics.rows() };
                match stages.iter_mut().find(|(name, ..)| *name == stage.name) {
                    Some((_, seconds, rows)) => {
                        *seconds += stage.seconds;
                        *rows += of;
                    }
                    None => stages.push((stage.name.clone(), stage.seconds, of)),
                }
            }
        });
        stop.store(true, Ordering::Relaxed);
        run
    })?;
    if let Some(error) = run.stopped {
        return Err(error);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let failed = run.results.iter().filter(|result| result.outcome != Outcome::Published).count();
    let most = |months: &[(Month, f64, u64)]| months.iter().map(|&(.., bytes)| bytes).max().unwrap_or(0);
    let (first, later) = by_month.split_at(by_month.len().min(WARM_UP));
    Ok(Archive {
        program: concat!("harness ", env!("CARGO_PKG_VERSION")).into(),
        machine: Machine::this(),
        jobs: rayon::current_num_threads(),
        months: list.len(),
        failed,
        records,
        rows,
        seconds,
        rows_per_second: rows as f64 / seconds,
        stages: stages.into_iter().map(|(name, seconds, rows)| (name, 1e9 * seconds / rows as f64)).collect(),
        peak_rss_bytes: memory::peak().unwrap_or(0),
        peak_rss_first_months: most(first),
        peak_rss_later_months: most(later),
        exponent: exponent(&by_month.iter().map(|&(_, seconds, _)| seconds).collect::<Vec<_>>()),
        by_month,
    })
}

/// Slope of log(time) in log(months) over a ninth, a third and all of the months, by least squares.
fn exponent(finished: &[f64]) -> Option<f64> {
    let all = finished.len();
    let points = [all / 9, all / 3, all].map(|months| {
        let seconds = finished.get(months.checked_sub(1)?)?;
        Some(((months as f64).ln(), seconds.ln()))
    });
    let [Some(a), Some(b), Some(c)] = points else { return None };
    let points = [a, b, c];
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / 3.0;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let (mut both, mut square) = (0.0, 0.0);
    for point in points {
        both += (point.0 - x) * (point.1 - y);
        square += (point.0 - x) * (point.0 - x);
    }
    Some(both / square)
}

fn print(archive: &Archive) {
    let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
    println!("{}, {} threads, on {}\n", archive.program, archive.jobs, archive.machine);
    println!("months              {:>14}", archive.months);
    println!("failed              {:>14}", archive.failed);
    println!("records             {:>14}", archive.records);
    println!("rows                {:>14}", archive.rows);
    println!("seconds             {:>14.1}", archive.seconds);
    println!("rows a second       {:>14.0}", archive.rows_per_second);
    for (name, nanos) in &archive.stages {
        println!("{:19} {nanos:>14.1}", format!("{name}, ns/row"));
    }
    println!("peak memory         {:>14}", mib(archive.peak_rss_bytes));
    println!("  first {WARM_UP} months   {:>14}", mib(archive.peak_rss_first_months));
    println!("  after them        {:>14}", mib(archive.peak_rss_later_months));
    if let Some(exponent) = archive.exponent {
        println!("time ~ rows^        {exponent:>14.3}");
    }
}

/// Memory over the seconds since the start, a point where a month was published.
fn draw(archive: &Archive, path: &Path) -> crate::Result<()> {
    let points: Vec<(f64, f64)> =
        archive.by_month.iter().map(|&(_, seconds, bytes)| (seconds, bytes as f64 / f64::from(1 << 20))).collect();
    let title = format!("Resident memory over {} months, MiB", archive.months);
    let drawing = report::charts::curve::curve(&title, "seconds since the start", &points);
    fs::write(path, drawing)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_by_hand() {
        let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12;
        let linear: Vec<f64> = (1..=27).map(|month| 0.5 * f64::from(month)).collect();
        assert!(near(exponent(&linear), 1.0));
        let square: Vec<f64> = (1..=27).map(|month| f64::from(month * month)).collect();
        assert!(near(exponent(&square), 2.0));
        assert_eq!(exponent(&linear[..8]), None);
    }
}
