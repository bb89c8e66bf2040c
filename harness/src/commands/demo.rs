//! `demo`: the tour without any data. Makes a month, runs it through the store, shows what came out.

use archive::{manifest, store::Store};
use base::{
    error::{Class, Context, Met},
    exit::{self, Usage},
};
use data::synth::{Plan, write_months};

use super::{run::watched, summary};
use crate::{
    cli::DemoArgs,
    commands::report,
    progress::Bar,
    run::{outcome::Outcome, request::RunRequest},
    settings::Settings,
};

/// ES trades since this month.
const FIRST: &str = "1997-09";
/// The made prices grow from year to year; a little later they are out of the range of a bar.
const LAST: &str = "2059-12";

/// Runs the command.
pub fn run(args: &DemoArgs, settings: &Settings) -> crate::Result<u8> {
    if !(FIRST..=LAST).contains(&args.month.to_string().as_str()) {
        let month = args.month;
        return Err(Usage(format!("--month {month}: expected {FIRST} to {LAST}, the months of the price model")).into());
    }
    let (raw, store) = (args.out.join("raw"), args.out.join("store"));
    std::fs::create_dir_all(&raw).with_context(|| format!("{}: cannot create the folder", raw.display()))?;
    let plan = Plan { seed: args.seed, ..Plan::of(settings.instrument.clone()) };
    let months = data::MonthRange::new(args.month, args.month).ok_or_else(|| crate::Error::program("no such month"))?;
    let bar = Bar::new();
    bar.task("synth", 1);
    let truth = write_months(&plan, months, &raw, &mut |_| bar.step())?;
    bar.finish();
    let file = raw.join(&truth.months[0].file);
    if !args.json {
        println!("1. generated a month {} ({} records)", file.display(), truth.months[0].records);
    }

    let settings = settings.at(&store, &raw);
    let request = RunRequest { force: true, ..RunRequest::of(months) };
    let mut statistics = None;
    let run = watched(&request, &settings, &mut |new| statistics = Some(new.clone()))?;
    if let Some(error) = run.stopped {
        return Err(error);
    }
    let results = run.results;
    let result = &results[0];
    let there = Store::existing(settings.text("store"), settings.access)?;
    let published = manifest::read(&there, args.month)?.filter(|_| result.outcome != Outcome::Failed);
    let Some((manifest, _)) = published else {
        eprintln!("error: {}", result.error.as_deref().unwrap_or("the month was not published"));
        return Ok(exit::PARTLY);
    };
    let [parquet, json] = manifest.current.items().map(|item| item.key.clone());
    // A second tour finds its month published: then its statistics are those in the store.
    let statistics = match statistics {
        Some(statistics) => statistics,
        None => serde_json::from_slice(&std::fs::read(store.join(&json))?)
            .met_as(Class::Published)
            .with_context(|| format!("{json}: the published statistics"))?,
    };
    let html = args.out.join("report.html");
    report::write(&statistics, &store.join(&parquet), &html)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&results)?);
        return Ok(0);
    }
    println!("2. processed it\n");
    summary::print(&statistics);
    let performance = &statistics.performance;
    println!("\n   {:16} {:>9} {:>12}", "stage", "seconds", "ns per row");
    for stage in &performance.stages {
        println!("   {:16} {:>9.3} {:>12.1}", stage.name, stage.seconds, stage.ns_per_row.unwrap_or(f64::NAN));
    }
    println!(
        "   {:16} {:>9.3} {:>12.1}",
        "all, wall clock",
        performance.seconds,
        1e9 * performance.seconds / statistics.rows() as f64
    );
    println!("   peak memory      {:>9} MiB\n", performance.peak_rss_bytes.unwrap_or(0) >> 20);
    println!("3. published         {}", store.join(&parquet).display());
    println!("   statistics        {}", store.join(&json).display());
    println!("   manifest          {}", store.join(manifest::key(args.month)).display());
    println!("   report            {}", html.display());
    println!(
        "\nNext: read the Parquet (pandas, Polars, DuckDB), open the report, and see README.md for your own data."
    );
    Ok(0)
}
