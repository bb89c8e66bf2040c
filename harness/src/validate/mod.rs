//! `validate`: what is published, read again and held to docs/spec.md and docs/quality.md.
//!
//! Nothing here is taken from the code that made it but the reading of raw records: labels, weights and features are
//! computed by a path of their own ([`reference`]), fronts and sessions from the records of all contracts, the figures of
//! the statistics from the Parquet.

mod anew;
mod data;
mod file;
mod finding;
mod front;
mod making;
mod month;
mod output;
mod raw;
mod rollover;
mod statistics;
pub mod table;
mod tally;
mod tape;
mod wrong;

use std::{cell::RefCell, path::Path};

use ::data::{Month, input::InputError};
use archive::{published, store::Store};
use base::exit::{self, Usage};
use serde::Serialize;

use self::{
    data::Sample,
    file::Request,
    finding::{Findings, Severity},
    month::{Months, Report},
    raw::Archive,
};
pub use self::{
    finding::Check,
    making::{Making, of_metadata},
    rollover::{Accuracy, against},
    table::{Source, Table},
    tape::Tape,
};
use crate::{
    cli::ValidateArgs,
    progress::Bar,
    run::{cache::Cache, training},
    settings::Settings,
};
use ::statistics::schema;

/// All of it, in the order it is done.
const ALL: [Check; 4] = [Check::Output, Check::Data, Check::Rollover, Check::Statistics];

/// What the command came to.
#[derive(Serialize)]
struct Outcome {
    /// What was looked at.
    checks: Vec<Check>,
    /// Months in order.
    months: Vec<Report>,
    /// Rolls of all months with a truth.
    rolls: Accuracy,
    /// Errors and warnings in all.
    findings: usize,
}

/// Runs the command.
pub fn run(args: &ValidateArgs, settings: &Settings) -> crate::Result<u8> {
    if args.print_schema {
        println!("{}", serde_json::to_string_pretty(&schema::schema())?);
        return Ok(0);
    }
    let checks = args.check.map_or(ALL.to_vec(), |check| vec![check]);
    let sample = Sample { rows: args.sample, seed: args.seed };
    let mut stop: u8 = 0;
    let mut outcome = Outcome { checks, months: Vec::new(), rolls: Accuracy::default(), findings: 0 };
    match &args.file {
        Some(path) => outcome.take(file(path, &outcome.checks, sample, settings)?, args.json),
        None => {
            let store = Store::open(settings.text("store"), settings.access)?;
            let raw = match settings.text("raw") {
                "" => store.clone(),
                name => Store::existing(name, settings.access)?,
            };
            let months = args.months(&store)?;
            let cache = Cache::open(settings)?;
            let files = settings.raw_files(&raw)?;
            let checks = outcome.checks.clone();
            let (here, folder) = (crate::run::raw::Raw::new(&cache), cache.temporary());
            let archive = Archive { store: &raw, files: &files, here, folder, known: RefCell::default() };
            let overrides = settings.feature_ranges();
            let all = Months { store: &store, archive, checks: &checks, sample, overrides };
            let bar = Bar::new();
            bar.task("validate", months.len() as u64);
            for month in months {
                bar.message(&format!("validate {month}"));
                let report = all.report(month);
                stop = stop.max(report.stopped_by);
                bar.suspend(|| outcome.take(report, args.json));
                bar.step();
            }
            bar.finish();
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&outcome)?);
    } else {
        outcome.print();
    }
    let found = if outcome.findings > 0 { exit::PARTLY } else { 0 };
    Ok(if stop > 0 { stop } else { found })
}

/// Checks one file without a store.
fn file(path: &Path, checks: &[Check], sample: Sample, settings: &Settings) -> crate::Result<Report> {
    if checks != [Check::Output] {
        return Err(Usage(format!("{}: a file is checked by `validate output FILE`", path.display())).into());
    }
    let within = |source: InputError| InputError::File { path: path.display().to_string(), source: Box::new(source) };
    let table = Table::open(Source::File(path.to_owned())).map_err(within)?;
    let mut findings = Findings::new(None);
    // For a file that does not say what it was made with.
    let now = training::made_from(Vec::new(), &[], settings, "1970-01".parse()?);
    let making = Making::new(&now).map_err(Usage)?;
    let overrides = settings.feature_ranges();
    let request = Request { checks, sample, overrides, month: None, made_from: None, making: &making };
    let read = request.read(&table, &mut findings);
    let (rows, findings) = (read.map_or(table.rows(), |read| read.tally.rows), findings.into_inner());
    Ok(Report { rows, findings, ..Report::default() })
}

impl ValidateArgs {
    /// The months asked for.
    fn months(&self, store: &Store) -> crate::Result<Vec<Month>> {
        match (self.month, self.months, self.all) {
            (Some(month), None, false) => Ok(vec![month]),
            (None, Some(range), false) => Ok(range.iter().collect()),
            (None, None, true) => match published::months(store)? {
                months if months.is_empty() => {
                    Err(Usage(format!("no month is published in {}: check --store", store.name())).into())
                }
                months => Ok(months),
            },
            _ => Err(Usage("give --month M, --months FIRST..LAST, --all, or `output FILE`".into()).into()),
        }
    }
}

impl Outcome {
    /// Takes in a month; prints it, unless all is printed at the end.
    fn take(&mut self, report: Report, json: bool) {
        self.rolls = self.rolls.and(report.rolls);
        self.findings += report.findings.iter().filter(|finding| finding.severity > Severity::Note).count();
        if !json {
            report.print();
        }
        self.months.push(report);
    }

    fn print(&self) {
        let Self { months, rolls, findings, .. } = self;
        if rolls.months > 0 {
            let Accuracy { happened, found, invented, .. } = rolls;
            println!("rolls: {found} of {happened} found on the right session, {invented} invented");
        }
        let faulty = |report: &&Report| report.findings.iter().any(|finding| finding.severity > Severity::Note);
        match (months.iter().filter(faulty).count(), &months[..]) {
            (0, [one]) => println!("{} validated, nothing found", one.name()),
            (_, [one]) => println!("{} validated, {findings} findings", one.name()),
            (0, _) => println!("{} months validated, nothing found", months.len()),
            (faulty, _) => println!("{} months validated, {findings} findings in {faulty} of them", months.len()),
        }
    }
}

impl Report {
    fn name(&self) -> String {
        self.month.map_or("file".to_owned(), |month| month.to_string())
    }

    fn print(&self) {
        let counts = [
            (self.rows, "rows"),
            (self.computed_anew, "recomputed"),
            (self.findings.len() as u64, "findings and notes"),
        ];
        let counts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let raw = if self.raw { ", against the raw records" } else { "" };
        println!("{}  {}{raw}", self.name(), counts.join(", "));
        for finding in &self.findings {
            println!("  {:8} {} {}: {}", finding.severity.name(), finding.check.name(), finding.rule, finding.found);
            println!("           expected {}", finding.expected);
        }
    }
}
