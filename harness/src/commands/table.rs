//! `table`: the log by which readers of Delta Lake find the published months as one table.

use archive::{
    alive::Process,
    store::Store,
    table::{self, Author, Differs, Fault, Found, Left, Outcome, Synced, Writer},
};
use base::exit;

use crate::{
    cli::{TableArgs, TableCommand},
    settings::Settings,
};

/// Runs the command.
pub fn run(args: &TableArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::existing(settings.text("store"), settings.access)?;
    match args.command {
        TableCommand::Sync { json } => sync(&store, json),
        TableCommand::Verify { json } => verify(&store, json),
    }
}

fn sync(store: &Store, json: bool) -> crate::Result<u8> {
    let Process { host, pid, .. } = Process::this();
    let run = format!("{host}-{pid}-{:08x}", fastrand::u32(..));
    let synced = Writer::new(store, Author { run, host }).sync()?;
    if json {
        println!("{}", serde_json::to_string_pretty(&synced)?);
        return Ok(0);
    }
    let Synced { outcome, version, commits, months } = synced;
    let version = version.map_or_else(String::new, |version| format!(" at version {version}"));
    match outcome {
        Outcome::Made => println!("table made{version}: {months} months"),
        Outcome::Mended => println!("table mended{version}: {months} months, {commits} commits"),
        Outcome::Unchanged => println!("table unchanged{version}: {months} months"),
        Outcome::Empty => {
            println!("no table: no published month has timestamps in microseconds (timestamp_unit = \"us\")")
        }
    }
    Ok(0)
}

fn verify(store: &Store, json: bool) -> crate::Result<u8> {
    let found = table::compare(store)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print(&found);
    }
    Ok(if found.is_whole() { 0 } else { exit::PARTLY })
}

fn print(Found { version, months, log, differs, left_out }: &Found) {
    log.iter().for_each(|Fault { key, error, .. }| println!("{key}  {error}"));
    for Differs { month, error, .. } in differs {
        println!("{}  {error}", month.map_or_else(|| "-".to_owned(), |month| month.to_string()));
    }
    left_out.iter().for_each(|Left { month, why }| println!("{month}  not in the table: {why}"));
    let version = version.map_or_else(|| "no version".to_owned(), |version| format!("version {version}"));
    let faults = format!("{} faults of the log, {} months differ", log.len(), differs.len());
    println!("{version}, {months} months in the table; {faults}, {} left out", left_out.len());
}
