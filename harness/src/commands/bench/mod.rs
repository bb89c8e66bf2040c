//! `bench`: how fast a month is here, stage by stage, and whether that is slower than before.

mod against;
mod archive;

use std::{fs, path::Path, time::Instant};

use base::{error::Context, exit::Usage};
use data::{
    Month, MonthRange,
    synth::{Plan, write_months},
};
use serde::{Deserialize, Serialize};

use super::run::watched;
use crate::{
    cli::BenchArgs,
    machine::Machine,
    progress::Bar,
    run::{memory, request::RunRequest},
    settings::Settings,
};
use statistics::{Latency, Statistics};

/// What was measured. Times are those of the fastest repeat of each stage: a busy machine only ever adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Result {
    /// Version of this object's schema.
    pub schema_version: u32,
    /// Program and version.
    pub program: String,
    /// Where.
    pub machine: Machine,
    /// The settings that decide what is computed, and how many rows a kernel call has.
    pub settings: serde_json::Value,
    /// Threads.
    pub jobs: usize,
    /// Records read.
    pub records: u64,
    /// Rows written.
    pub rows: u64,
    /// Times it was run.
    pub repeats: usize,
    /// Wall-clock seconds from nothing to the published month.
    pub cold_seconds: f64,
    /// The same with the decoded columns in the cache.
    pub warm_seconds: f64,
    /// Rows by second of `cold_seconds`.
    pub rows_per_second: f64,
    /// Stages in order.
    pub stages: Vec<Stage>,
    /// Kernel calls, in nanoseconds.
    pub chunk_latency: Option<Latency>,
    /// Largest resident memory of the process.
    pub peak_rss_bytes: Option<u64>,
}

/// One stage of the fastest repeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// As in the statistics.
    pub name: String,
    /// Busy nanoseconds by row, by record for `decode`.
    pub ns_per_row: f64,
    /// Megabytes (10^6) by busy second, of the stages that read or write.
    pub mb_per_second: Option<f64>,
    /// Percentiles over its pieces, in nanoseconds.
    pub latency: Option<Latency>,
}

const SCHEMA_VERSION: u32 = 1;

/// Runs the command.
pub fn run(args: &BenchArgs, settings: &Settings) -> crate::Result<u8> {
    if let Some(months) = args.months {
        return archive::run(args, months, settings);
    }
    let result = measure(args, settings)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&result)?);
    } else {
        print(&result);
    }
    match &args.against {
        Some(path) => against::compare(path, &result, args.tolerance, args.json),
        None => Ok(0),
    }
}

fn measure(args: &BenchArgs, settings: &Settings) -> crate::Result<Result> {
    if args.repeat == 0 {
        return Err(Usage("--repeat 0: expected 1 or more".into()).into());
    }
    let folder = tempfile::tempdir().context("the folder of the benchmark cannot be created")?;
    let raw = folder.path().join("raw");
    let bar = Bar::new();
    bar.task("synth", 1);
    synthesise(
        settings,
        MonthRange::new(args.month, args.month).ok_or_else(|| crate::Error::program("no such month"))?,
        &raw,
    )?;
    bar.finish();

    let (mut cold, mut warm) = (f64::INFINITY, f64::INFINITY);
    let mut fastest: Option<Statistics> = None;
    for repeat in 0..args.repeat {
        let store = folder.path().join(format!("store-{repeat}"));
        let mut settings = settings.at(&store, &raw);
        settings.set_temp_dir(&folder.path().join(format!("temp-{repeat}")));
        settings.cache_bytes = settings.cache_bytes.max(1 << 30);
        let (seconds, statistics) = one(args.month, &settings)?;
        cold = cold.min(seconds);
        fastest = Some(match fastest {
            None => statistics,
            Some(fastest) => faster(fastest, statistics),
        });
        // The month is in the cache now: a fresh store makes it again without reading the raw file's records.
        let again = folder.path().join(format!("store-{repeat}-warm"));
        let mut warm_settings = settings.at(&again, &raw);
        warm_settings.cache_bytes = settings.cache_bytes;
        warm = warm.min(one(args.month, &warm_settings)?.0);
        fs::remove_dir_all(&store)?;
        fs::remove_dir_all(&again)?;
    }
    let statistics = fastest.ok_or_else(|| crate::Error::program("nothing was measured"))?;
    let rows = statistics.rows();
    let stages = statistics.performance.stages.iter().map(|stage| Stage {
        name: stage.name.clone(),
        ns_per_row: stage.ns_per_row.unwrap_or_default(),
        mb_per_second: (stage.bytes > 0).then(|| stage.bytes as f64 / 1e6 / stage.seconds),
        latency: stage.latency,
    });
    let mut of_settings = settings.of_output();
    of_settings["chunk_rows"] = settings.chunk_rows.into();
    Ok(Result {
        schema_version: SCHEMA_VERSION,
        program: concat!("harness ", env!("CARGO_PKG_VERSION")).into(),
        machine: Machine::this(),
        settings: of_settings,
        jobs: rayon::current_num_threads(),
        records: statistics.records.total,
        rows,
        repeats: args.repeat,
        cold_seconds: cold,
        warm_seconds: warm,
        rows_per_second: rows as f64 / cold,
        stages: stages.collect(),
        chunk_latency: statistics.performance.chunk_latency,
        peak_rss_bytes: memory::peak(),
    })
}

/// Makes the months that are not in the folder yet.
fn synthesise(settings: &Settings, months: MonthRange, raw: &Path) -> crate::Result<()> {
    fs::create_dir_all(raw).with_context(|| format!("{}: cannot create the folder", raw.display()))?;
    let plan = Plan::of(settings.instrument.clone());
    write_months(&plan, months, raw, &mut |_| ())?;
    Ok(())
}

/// Seconds and statistics of one month made from nothing.
fn one(month: Month, settings: &Settings) -> crate::Result<(f64, Statistics)> {
    let range = MonthRange::new(month, month).ok_or_else(|| crate::Error::program("no such month"))?;
    let request = RunRequest::of(range);
    let mut statistics = None;
    let begin = Instant::now();
    let run = watched(&request, settings, &mut |new| statistics = Some(new.clone()))?;
    let seconds = begin.elapsed().as_secs_f64();
    if let Some(error) = run.stopped {
        return Err(error);
    }
    let why = || run.results[0].error.clone().unwrap_or_else(|| "the month was not built".into());
    Ok((seconds, statistics.ok_or_else(|| crate::Error::program(why()))?))
}

/// The stages of whichever took less time.
fn faster(a: Statistics, b: Statistics) -> Statistics {
    let mut fastest = a;
    for (stage, other) in fastest.performance.stages.iter_mut().zip(b.performance.stages) {
        if other.seconds < stage.seconds {
            *stage = other;
        }
    }
    let median = |latency: &Option<Latency>| latency.map_or(u64::MAX, |latency| latency.p50);
    if median(&b.performance.chunk_latency) < median(&fastest.performance.chunk_latency) {
        fastest.performance.chunk_latency = b.performance.chunk_latency;
    }
    fastest
}

fn print(result: &Result) {
    let Result { machine, rows, records, repeats, jobs, .. } = result;
    println!("{records} records -> {rows} rows, {jobs} threads, fastest of {repeats}, on {machine}\n");
    let micros = |nanos: u64| format!("{:.1}", nanos as f64 / 1e3);
    let row = |name: &str, ns: f64, mb: Option<f64>, latency: Option<Latency>| {
        let latency = latency.map_or([const { String::new() }; 4], |l| [l.p50, l.p90, l.p99, l.max].map(micros));
        let mb = mb.map_or_else(String::new, |mb| format!("{mb:.0}"));
        let [p50, p90, p99, max] = latency;
        println!("{name:10} {ns:>12.1} {mb:>8} {p50:>12} {p90:>12} {p99:>12} {max:>12}");
    };
    println!(
        "{:10} {:>12} {:>8} {:>12} {:>12} {:>12} {:>12}",
        "stage", "ns per row", "MB/s", "µs p50", "p90", "p99", "longest"
    );
    for stage in &result.stages {
        row(&stage.name, stage.ns_per_row, stage.mb_per_second, stage.latency);
    }
    let chunk_rows = result.settings["chunk_rows"].as_u64().unwrap_or(1).min(*rows) as f64;
    if let Some(latency) = result.chunk_latency {
        row("chunk", latency.p50 as f64 / chunk_rows, None, Some(latency));
    }
    println!(
        "\none month: {:.3} s ({:.0} rows/s), {:.3} s from cached columns; peak memory {} MiB",
        result.cold_seconds,
        result.rows_per_second,
        result.warm_seconds,
        result.peak_rss_bytes.unwrap_or(0) >> 20
    );
    println!("Stages are busy time summed over threads; decode is per record. Percentiles are over sessions.");
}
