//! `months history`: the versions of a month.

use archive::{
    manifest::{self, MadeFrom, Version},
    publish,
    rollback::unknown,
    store::{Store, StoreError},
};
use base::exit;
use data::Month;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::quality;
use crate::{cli::HistoryArgs, output::time, settings::Settings};

/// What is known of a month's versions.
#[derive(Serialize)]
struct History {
    /// The month.
    month: Month,
    /// Rolled back, and kept so.
    pinned: bool,
    /// When it was taken out.
    removed: Option<Timestamp>,
    /// Its versions, the latest first.
    versions: Vec<Line>,
}

/// One version.
#[derive(Serialize)]
struct Line {
    /// Checksum of its Parquet.
    version: String,
    /// Whether it is what readers see.
    current: bool,
    /// When it became current.
    published: Timestamp,
    /// When it was replaced, or removed.
    replaced: Option<Timestamp>,
    /// Its rows.
    rows: u64,
    /// Its quality score.
    score: f64,
    /// What it was built from.
    made_from: MadeFrom,
    /// How its objects are.
    objects: Objects,
    /// What is wrong with them.
    fault: Option<String>,
}

/// The Parquet and the statistics of a version.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Objects {
    /// There, with the right sizes.
    Present,
    /// Read back, with the right checksums.
    Intact,
    /// Missing or altered.
    Damaged,
}

/// Runs the command.
pub fn run(args: &HistoryArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::existing(settings.text("store"), settings.access)?;
    let history = History::of(&store, args.month, args.verify)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&history)?);
    } else {
        history.print();
    }
    let damaged = history.versions.iter().any(|line| line.objects == Objects::Damaged);
    Ok(if damaged { exit::PARTLY } else { 0 })
}

impl History {
    fn of(store: &Store, month: Month, verify: bool) -> crate::Result<Self> {
        let line = |replaced, version| Line::of(store, replaced, version, verify);
        if let Some((manifest, _)) = manifest::read(store, month)? {
            let mut versions = vec![line(None, &manifest.current)?];
            for (replaced, version) in manifest.replaced() {
                versions.push(line(Some(replaced), version)?);
            }
            return Ok(Self { month, pinned: manifest.pinned, removed: None, versions });
        }
        let (removed, _) = manifest::read_removed(store, month)?.ok_or_else(|| unknown(store, month))?;
        let versions = removed.replaced().map(|(replaced, version)| line(Some(replaced), version));
        let versions = versions.collect::<Result<_, _>>()?;
        Ok(Self { month, pinned: false, removed: Some(removed.removed), versions })
    }

    fn print(&self) {
        let Self { month, pinned, removed, versions } = self;
        let what = match removed {
            Some(removed) => format!("removed at {}", time(*removed)),
            None if *pinned => "published; rolled back: run keeps it until --force".into(),
            None => "published".into(),
        };
        println!("{month}  {what}");
        versions.iter().for_each(Line::print);
    }
}

impl Line {
    fn of(store: &Store, replaced: Option<Timestamp>, version: &Version, verify: bool) -> Result<Self, StoreError> {
        let (objects, fault) = if verify {
            match publish::check(store, version) {
                Ok(()) => (Objects::Intact, None),
                Err(error) => (Objects::Damaged, Some(exit::sentence(&error.into()))),
            }
        } else if publish::present(store, version)? {
            (Objects::Present, None)
        } else {
            (Objects::Damaged, Some("an object is missing or has another size".into()))
        };
        let Version { version, rows, score, published, made_from, .. } = version.clone();
        Ok(Self { version, current: replaced.is_none(), published, replaced, rows, score, made_from, objects, fault })
    }

    fn print(&self) {
        let Self { version, published, replaced, rows, score, made_from, objects, fault, .. } = self;
        let since = match replaced {
            None => format!("since {}  current", time(*published)),
            Some(replaced) => format!("{} to {}", time(*published), time(*replaced)),
        };
        let objects = match objects {
            Objects::Present => "present",
            Objects::Intact => "intact",
            Objects::Damaged => "DAMAGED",
        };
        println!("  {version}  {rows} rows  {}  {objects:7}  {since}", quality(*score));
        let MadeFrom { program, settings, decay_reference, inputs, .. } = made_from;
        println!("    harness {program}, decay reference {decay_reference}, {}", flat(settings));
        for input in inputs {
            println!("    from {}", input.name);
        }
        if let Some(fault) = fault {
            println!("    {fault}");
        }
    }
}

/// Settings in one line.
fn flat(settings: &Value) -> String {
    match settings {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| match value {
                Value::Object(_) => flat(value),
                _ => format!("{name} {}", flat(value)),
            });
            fields.collect::<Vec<_>>().join(", ")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
