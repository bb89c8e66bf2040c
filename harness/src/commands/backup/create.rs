//! `backup create`: every published month to another store, its manifest last.

use archive::{
    holdings::Holdings,
    manifest::{self, Item, Manifest, ManifestError, State, Version},
    naming::Name,
    publish::{self, Made},
    store::{Exclusive, Store, Tag},
    sweep::Strays,
};
use base::{exit, interrupt, schedule};
use bytes::Bytes;
use data::Month;
use serde::Serialize;

use super::{Create, Outcome, bar, bytes, carry, distinct, look, raw};
use crate::{cli::CreateArgs, run::cache::Cache, settings::Settings};

/// Months that are copied at a time: one arrives while another leaves.
const AT_ONCE: usize = 2;
/// Times a month is begun anew because it was published again meanwhile.
const ATTEMPTS: usize = 10;

/// What was done.
#[derive(Debug, Serialize)]
struct Created<'a> {
    /// The months in order.
    months: &'a [Line],
    /// The raw files, with `--include-raw`.
    raw_files: &'a [raw::Line],
}

/// One month of a backup.
#[derive(Debug, Serialize)]
struct Line {
    /// The month.
    month: Month,
    /// What became of it.
    outcome: Outcome,
    /// Objects copied.
    objects: usize,
    /// Their bytes.
    bytes: u64,
    /// Why it is not in the backup, or what of its history is not.
    errors: Vec<String>,
}

/// Runs the command.
pub fn run(args: &CreateArgs, settings: &Settings) -> crate::Result<u8> {
    let from = Store::existing(settings.text("store"), settings.access)?;
    let to = Store::create(&args.to, settings.access)?;
    distinct(&from, &to)?;
    let cache = Cache::open(settings)?;
    let months = Holdings::of(&from)?.published(args.months);
    let raw = if args.raw_files { raw::Raw::find(&from, settings, args.months)? } else { raw::Raw::default() };
    // A manifest that cannot be read counts for nothing here, and is said below.
    let size = |&month: &Month| -> Option<u64> {
        let (manifest, _) = manifest::read(&from, month).ok()??;
        Some(manifest.versions().map(bytes).sum())
    };
    let bar = bar("backup", months.iter().filter_map(size).sum::<u64>() + raw.bytes());
    let create = Create { from: &from, to: &to, folder: cache.temporary().to_owned(), full: args.full, bar: &bar };
    let (mut lines, mut stopped) = (Vec::new(), None);
    schedule::in_order(
        &months,
        AT_ONCE,
        |&month| create.month(month),
        |(line, error)| {
            bar.suspend(|| line.errors.iter().for_each(|error| tracing::error!("{}: {error}", line.month)));
            lines.push(line);
            stopped = stopped.take().or(error);
            stopped.is_none()
        },
    );
    let files = match stopped {
        None => raw.copy(&create)?,
        Some(_) => Vec::new(),
    };
    bar.finish();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&Created { months: &lines, raw_files: &files })?);
    } else {
        lines.iter().for_each(Line::print);
        files.iter().for_each(raw::Line::print);
        let copied = lines.iter().map(|line| (line.objects, line.bytes));
        let copied = copied.chain(files.iter().map(raw::Line::copied));
        let (objects, bytes) = copied.fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
        println!("{objects} objects copied, {bytes} bytes; months: {}, raw files: {}", lines.len(), files.len());
    }
    if let Some(error) = stopped {
        return Err(error);
    }
    let whole = lines.iter().all(|line| line.errors.is_empty()) && files.iter().all(raw::Line::whole);
    Ok(if whole { 0 } else { exit::PARTLY })
}

impl Create<'_> {
    /// Copies a month: what became of it, and the error that must stop the backup.
    fn month(&self, month: Month) -> (Line, Option<crate::Error>) {
        self.bar.message(&format!("{month} backup"));
        let mut line = Line { month, outcome: Outcome::Failed, objects: 0, bytes: 0, errors: Vec::new() };
        for attempt in 1.. {
            let (read, done) = self.attempt(month, &mut line);
            let Err(error) = done else { break };
            if attempt < ATTEMPTS && read.is_some_and(|read| self.changed(month, &read)) {
                continue;
            }
            line.errors.push(exit::sentence(&error));
            let stop = !error.class().is_of_one_month();
            return (line, stop.then(|| error.context(month.to_string())));
        }
        (line, None)
    }

    /// The state of the manifest that was read, and what came of it.
    fn attempt(&self, month: Month, line: &mut Line) -> (Option<Tag>, crate::Result<()>) {
        match self.from.read(&manifest::key(month)) {
            Ok(Some((json, tag))) => {
                let parsed = manifest::parse(month, &json).map_err(crate::Error::from);
                let done = parsed.and_then(|manifest| self.copy(month, &manifest, json, &tag, line));
                (Some(tag), done)
            }
            Ok(None) => {
                line.outcome = Outcome::Gone;
                (None, Ok(()))
            }
            Err(error) => (None, Err(error.into())),
        }
    }

    /// Whether the month was published again, or removed, since its manifest was read.
    fn changed(&self, month: Month, read: &Tag) -> bool {
        self.from.read(&manifest::key(month)).is_ok_and(|now| now.is_none_or(|(_, tag)| tag != *read))
    }

    fn copy(&self, month: Month, manifest: &Manifest, json: Bytes, read: &Tag, line: &mut Line) -> crate::Result<()> {
        let right = self.to.exclusive(&month.to_string())?;
        let _interrupt = {
            let (to, manifest) = (self.to.clone(), manifest.clone());
            interrupt::on_exit(move || {
                let _ = cut_short(&to, &manifest);
            })
        };
        let copied = self.objects_then_manifest(month, manifest, (json, read), &right, line);
        match copied {
            Ok(()) => Ok(tidy(self.to, manifest, &right)?),
            error => {
                cut_short(self.to, manifest)?;
                error
            }
        }
    }

    fn objects_then_manifest(
        &self,
        month: Month,
        manifest: &Manifest,
        (json, read): (Bytes, &Tag),
        right: &Exclusive,
        line: &mut Line,
    ) -> crate::Result<()> {
        let key = manifest::key(month);
        let before = self.to.read(&key)?;
        // One that cannot be read says nothing about what is there, and is replaced.
        let known = before.as_ref().and_then(|(json, _)| manifest::parse(month, json).ok());
        let mut copy = |version: &Version| {
            version.items().iter().try_for_each(|item| self.object(month, item, known.as_ref(), line))
        };
        copy(&manifest.current)?;
        let (mut history, mut damaged) = (Vec::new(), Vec::new());
        for version in &manifest.history {
            match copy(version) {
                Ok(()) => history.push(version.clone()),
                // What was replaced does not keep the current version from its backup.
                Err(error) if error.class().is_of_one_month() && !self.changed(month, read) => {
                    damaged.push(exit::sentence(&error))
                }
                Err(error) => return Err(error),
            }
        }
        let copied: Vec<&Version> = history.iter().chain([&manifest.current]).collect();
        let only_here = self.only_here(manifest, &copied, known.as_ref());
        history.extend(only_here);
        let merged = history != manifest.history;
        let json = if merged { manifest::json(&key, &Manifest { history, ..manifest.clone() })? } else { json };
        let same = before.as_ref().is_some_and(|(before, _)| *before == json);
        if !same {
            self.to.put_if(right, &key, json, before.as_ref().map(|(_, tag)| tag))?;
        }
        line.outcome = if same && line.objects == 0 { Outcome::Unchanged } else { Outcome::Copied };
        line.errors.extend(damaged);
        Ok(())
    }

    /// Versions of the backup that the store has lost: they stay, in the history.
    fn only_here(&self, manifest: &Manifest, copied: &[&Version], known: Option<&Manifest>) -> Vec<Version> {
        let lost = |version: &&Version| copied.iter().all(|copied| copied.version != version.version);
        let history = manifest::history_folder(manifest.month);
        // Of the generation after the store's: so no other backup takes it for what is past.
        let made = Made::after(self.to, manifest.month, manifest.generation, true);
        let keep = |version: &Version| {
            let whole = || version.items().iter().all(|item| look(self.to, item, self.full).is_ok());
            if version.data.key.starts_with(&history) && whole() {
                Some(version.clone())
            } else {
                publish::keep(self.to, version, &made).ok()
            }
        };
        known.into_iter().flat_map(Manifest::versions).filter(lost).filter_map(keep).collect()
    }

    /// Copies an object, unless the manifest of the backup says it is there.
    fn object(&self, month: Month, item: &Item, known: Option<&Manifest>, line: &mut Line) -> crate::Result<()> {
        let mut named = known.into_iter().flat_map(Manifest::versions).flat_map(|version| version.items());
        if named.any(|named| named == item) && look(self.to, item, self.full).is_ok() {
            self.bar.steps(item.bytes);
            return Ok(());
        }
        carry(self.from, self.to, item, &self.folder.join(format!("{month}.backup")))?;
        self.bar.steps(item.bytes);
        line.objects += 1;
        line.bytes += item.bytes;
        Ok(())
    }
}

/// Removes from a backup what neither its manifest names nor that of the store, and no backup of the store will ask for
/// again: what is of a later generation than the store's month may be on its way.
fn tidy(to: &Store, from: &Manifest, right: &Exclusive) -> Result<(), ManifestError> {
    let state = State::read(to, from.month)?;
    let strays = Strays::of(to, from.month, &state, true)?;
    let named = |key: &str| from.versions().flat_map(Version::items).any(|item| item.key == key);
    let past =
        |key: &str| !to.is_remote() || Name::of(from.month, key).is_some_and(|name| name.generation <= from.generation);
    for object in strays.all().filter(|object| past(&object.key) && !named(&object.key) && right.holds()) {
        to.delete(&object.key)?;
    }
    Ok(())
}

/// Removes what was copied for a manifest that did not come. From a bucket another backup may be doing the same, with the
/// same keys: there it goes with the next one.
fn cut_short(to: &Store, from: &Manifest) -> Result<(), ManifestError> {
    if to.is_remote() {
        return Ok(());
    }
    let state = State::read(to, from.month)?;
    let strays = Strays::of(to, from.month, &state, true)?;
    Ok(strays.all().try_for_each(|object| to.delete(&object.key))?)
}

impl Line {
    fn print(&self) {
        let Self { month, outcome, objects, bytes, errors } = self;
        match outcome {
            Outcome::Copied => println!("{month}  copied, {objects} objects, {bytes} bytes"),
            Outcome::Unchanged => println!("{month}  unchanged"),
            Outcome::Gone => println!("{month}  removed from the store meanwhile"),
            Outcome::Failed => println!("{month}  not copied"),
        }
        errors.iter().for_each(|error| println!("         {error}"));
    }
}
