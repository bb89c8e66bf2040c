//! `parity`: what was served beside what the batch made of the same dates.

mod log;
mod month;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use archive::{manifest, published, store::Store};
use base::{error::Context, exit::Usage};
use data::{Month, window::Windows};
use jiff::civil::Date;
use serde::Serialize;

use self::{
    log::Log,
    month::{Batch, Figure},
};
use crate::{cli::ParityArgs, output, settings::Settings, validate::table::Source};

/// How many differences of a kind are named.
const NAMED: usize = 20;

/// What the comparison comes to.
#[derive(Debug, Default, Serialize)]
struct Parity {
    /// Rows of the log.
    served: u64,
    /// Rows that the batch has of the log's dates.
    batch: u64,
    /// Columns compared.
    columns: Vec<String>,
    /// Quiet rows at the end of a session that closed early: the batch has none of them.
    after_early_close: u64,
    /// Rows of the batch that were not served.
    missing: Rows,
    /// Rows that were served and the batch does not have.
    unexpected: Rows,
    /// Rows that were served more than once.
    repeated: Rows,
    /// How many values are other ones.
    differing: u64,
    /// The first 20 of them.
    differences: Vec<Difference>,
}

/// Rows that one side alone has.
#[derive(Debug, Default, Serialize)]
struct Rows {
    /// How many.
    rows: u64,
    /// The times of the first 20.
    first: Vec<String>,
}

impl Rows {
    fn add(&mut self, second: i64) {
        self.rows += 1;
        if self.first.len() < NAMED {
            self.first.push(output::second(second));
        }
    }
}

/// A value that is another in the batch.
#[derive(Debug, Serialize)]
struct Difference {
    /// Time of the row.
    timestamp: String,
    /// Its column, or `contract`.
    column: String,
    /// What was served.
    served: Figure,
    /// What the batch has.
    batch: Figure,
}

impl Parity {
    fn is_equal(&self) -> bool {
        self.missing.rows + self.unexpected.rows + self.repeated.rows + self.differing == 0
    }
}

/// Runs the command.
pub fn run(args: &ParityArgs, settings: &Settings) -> crate::Result<u8> {
    let log = Log::read(&args.log)?;
    let (batch, of) = match (args.month, &args.file) {
        (Some(month), _) => (published_month(month, &log.columns, settings)?, month.to_string()),
        (None, Some(file)) => {
            let batch = Batch::read(Source::File(file.clone()), &log.columns);
            (batch.with_context(|| file.display().to_string())?, file.display().to_string())
        }
        (None, None) => return Err(Usage("expected --month or --file".into()).into()),
    };
    let parity = compare(&log, &batch, settings)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&parity)?);
    } else {
        print(&parity, &args.log, &of);
    }
    Ok(u8::from(!parity.is_equal()))
}

/// A published month, with the contracts of its sessions.
fn published_month(month: Month, columns: &[String], settings: &Settings) -> crate::Result<Batch> {
    let store = Store::existing(settings.text("store"), settings.access)?;
    let Some((manifest, _)) = manifest::read(&store, month)? else {
        let store = settings.text("store");
        return Err(Usage(format!("{month} is not published in {store}: run --month {month} first")).into());
    };
    let object = published::object(&store, &manifest.current.data)?;
    let mut batch = Batch::read(Source::Object(object), columns).with_context(|| month.to_string())?;
    let statistics = published::statistics(&store, &manifest.current)?;
    batch.contracts = statistics.sessions.into_iter().map(|session| (session.date, session.contract)).collect();
    Ok(batch)
}

fn compare(log: &Log, batch: &Batch, settings: &Settings) -> crate::Result<Parity> {
    let windows = Windows::new(&settings.instrument)?;
    let date = |second: i64| windows.date(second);
    let mut parity = Parity { served: log.rows.len() as u64, columns: batch.columns.clone(), ..Parity::default() };
    let dates: BTreeSet<Date> = log.rows.iter().map(|row| date(row.second)).collect();
    let mut served = BTreeMap::new();
    for row in &log.rows {
        if served.insert(row.second, row).is_some() {
            parity.repeated.add(row.second);
        }
    }
    let mut last = BTreeMap::new();
    for (&second, expected) in batch.rows.iter().filter(|(second, _)| dates.contains(&date(**second))) {
        parity.batch += 1;
        last.insert(date(second), second);
        let Some(row) = served.get(&second) else {
            parity.missing.add(second);
            continue;
        };
        let contract = batch.contracts.get(&date(second)).filter(|contract| **contract != row.contract);
        if let Some(contract) = contract {
            parity.differ(second, "contract", Figure::Text(row.contract.clone()), Figure::Text(contract.clone()));
        }
        for ((column, kind), (found, expected)) in
            batch.columns.iter().zip(&batch.kinds).zip(row.values.iter().zip(expected))
        {
            if !kind.same(*found, *expected) {
                parity.differ(second, column, (*found).into(), (*expected).into());
            }
        }
    }
    for (&second, row) in served.iter().filter(|(second, _)| !batch.rows.contains_key(second)) {
        // Of a date without any row in the batch the whole session was quiet, or there was none.
        let over = last.get(&date(second)).is_none_or(|last| *last < second);
        if over && row.quiet {
            parity.after_early_close += 1;
        } else {
            parity.unexpected.add(second);
        }
    }
    Ok(parity)
}

impl Parity {
    fn differ(&mut self, second: i64, column: &str, served: Figure, batch: Figure) {
        self.differing += 1;
        if self.differences.len() < NAMED {
            self.differences.push(Difference {
                timestamp: output::second(second),
                column: column.to_owned(),
                served,
                batch,
            });
        }
    }
}

fn print(parity: &Parity, log: &Path, of: &str) {
    let Parity { served, batch, columns, after_early_close, differing, .. } = parity;
    println!("{}: {served} rows beside {batch} rows of {of}, {} columns", log.display(), columns.len());
    if *after_early_close > 0 {
        println!("{after_early_close} quiet rows after an early close, which the batch does not have");
    }
    let kinds =
        [("missing", &parity.missing), ("not in the batch", &parity.unexpected), ("served twice", &parity.repeated)];
    for (kind, Rows { rows, first }) in kinds.into_iter().filter(|(_, rows)| rows.rows > 0) {
        let more = if *rows > first.len() as u64 { ", ..." } else { "" };
        println!("{rows} rows {kind}: {}{more}", first.join(", "));
    }
    for Difference { timestamp, column, served, batch } in &parity.differences {
        println!("{timestamp} {column}: served {served}, the batch has {batch}");
    }
    if *differing > parity.differences.len() as u64 {
        println!("... {differing} values differ");
    }
    println!("{}", if parity.is_equal() { "equal to the bit" } else { "NOT equal" });
}
