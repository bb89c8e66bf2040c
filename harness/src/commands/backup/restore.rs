//! `backup restore`: the current versions of a backup, published in the store.

use std::{fs, path::Path};

use archive::{
    holdings::Holdings,
    manifest::{self, Item, Manifest, ManifestError},
    publications,
    publish::{self, Draft, Origin, Part, Published},
    store::Store,
    table::{Follow, Follower},
};
use base::exit::{self, Usage};
use data::Month;
use serde::Serialize;

use super::{bar, bytes, distinct, fetch};
use crate::{cli::RestoreArgs, run::cache::Cache, settings::Settings};

/// What became of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Restored,
    /// The store has this version, intact.
    Unchanged,
    /// Published by another worker meanwhile.
    ByAnother,
    Failed,
}

/// A month of the backup.
#[derive(Debug, Serialize)]
struct Line {
    /// The month.
    month: Month,
    /// What became of it.
    outcome: Outcome,
    /// The version that is current now.
    version: Option<String>,
    /// Why it is not restored.
    error: Option<String>,
}

/// Runs the command.
pub fn run(args: &RestoreArgs, settings: &Settings) -> crate::Result<u8> {
    let from = Store::existing(&args.from, settings.access)?;
    let months = Holdings::of(&from)?.published(args.months);
    if months.is_empty() {
        let range = args.months.map_or_else(String::new, |months| format!(" of {months}"));
        return Err(Usage(format!("{}: no published month{range} is in this backup", args.from)).into());
    }
    let store = Store::create(settings.text("store"), settings.access)?;
    distinct(&store, &from)?;
    let follower = Follower::new(&store);
    let cache = Cache::open(settings)?;
    let size =
        |&month: &Month| manifest::read(&from, month).ok().flatten().map(|(manifest, _)| bytes(&manifest.current));
    let bar = bar("restore", months.iter().filter_map(size).sum());
    let (mut lines, mut stopped) = (Vec::new(), None);
    for month in months {
        bar.message(&format!("{month} restore"));
        let mut line = Line { month, outcome: Outcome::Failed, version: None, error: None };
        if let Err(error) = restore(&from, (&store, &follower), &mut line, cache.temporary(), |bytes| bar.steps(bytes))
        {
            let sentence = exit::sentence(&error);
            bar.suspend(|| tracing::error!("{month}: {sentence}"));
            line.error = Some(sentence);
            if !error.class().is_of_one_month() {
                stopped = Some(error.context(month.to_string()));
            }
        }
        lines.push(line);
        if stopped.is_some() {
            break;
        }
    }
    bar.finish();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        lines.iter().for_each(Line::print);
    }
    if let Some(error) = stopped {
        return Err(error);
    }
    let failed = lines.iter().any(|line| line.outcome == Outcome::Failed);
    Ok(if failed { exit::PARTLY } else { 0 })
}

fn restore(
    from: &Store,
    (store, follower): (&Store, &Follower),
    line: &mut Line,
    folder: &Path,
    done: impl Fn(u64),
) -> crate::Result<()> {
    let month = line.month;
    let Some((Manifest { current, pinned, history, .. }, _)) = manifest::read(from, month)? else {
        return Err(Usage(format!("{month} was removed from {} meanwhile", from.name())).into());
    };
    line.version = Some(current.version.clone());
    let found = match manifest::read(store, month) {
        Ok(found) => Ok(found),
        Err(error @ ManifestError::Layout { .. }) => Err(error),
        Err(error) => return Err(error.into()),
    };
    if let Ok(Some((manifest, _))) = &found
        && manifest.current.version == current.version
        && publish::check(store, &manifest.current).is_ok()
    {
        line.outcome = Outcome::Unchanged;
        done(bytes(&current));
        return Ok(());
    }
    let fetched = |item: &Item, name: &str| {
        let path = folder.join(name);
        fetch(from, item, &path)?;
        done(item.bytes);
        Ok::<_, crate::Error>(path)
    };
    let (data, statistics) = (fetched(&current.data, "restored")?, fetched(&current.statistics, "statistics")?);
    let found = match found {
        Ok(found) => found,
        // The backup is good, the manifest in the store is not.
        Err(error) => {
            tracing::warn!("{month}: restored over a manifest that cannot be read: {}", exit::sentence(&error.into()));
            publish::discard_damaged(store, month)?;
            None
        }
    };
    if publications::may_be_in_the_table(&current) {
        follower.look(month);
    }
    let draft = Draft {
        month,
        data: Part::of_item(&current.data, Origin::File(&data)),
        statistics: Part::of_item(&current.statistics, Origin::File(&statistics)),
        rows: current.rows,
        made_from: current.made_from,
        raw: current.raw,
        score: current.score,
        pinned,
        earlier: &history,
    };
    line.outcome = match publish::publish(store, &draft, found)? {
        Published::New(new) => {
            follower.published(&new);
            Outcome::Restored
        }
        Published::Unchanged => Outcome::Unchanged,
        Published::ByAnother => Outcome::ByAnother,
    };
    [data, statistics].iter().try_for_each(fs::remove_file)?;
    Ok(())
}

impl Line {
    fn print(&self) {
        let Self { month, outcome, version, error } = self;
        let version = version.as_deref().unwrap_or("-");
        match (outcome, error) {
            (_, Some(error)) => println!("{month}  not restored: {error}"),
            (Outcome::Restored, _) => println!("{month}  restored as {version}"),
            (Outcome::Unchanged, _) => println!("{month}  unchanged: {version} is there"),
            _ => println!("{month}  published by another worker meanwhile"),
        }
    }
}
