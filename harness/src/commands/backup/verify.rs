//! `backup verify`: everything in a backup against its manifests.

use std::collections::BTreeSet;

use archive::{
    discover, failures,
    holdings::Holdings,
    manifest::{self, Item, ManifestError, State, Version},
    store::Store,
    sweep, table,
};
use base::{exit, schedule};
use data::Month;
use serde::Serialize;

use super::{Fault, bar, distinct, look, raw};
use crate::{cli::VerifyArgs, settings::Settings};

/// Objects that are read at a time.
const AT_ONCE: usize = 2;

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    /// Objects read back, manifests included.
    objects: usize,
    /// Their bytes, without those of the manifests.
    bytes: u64,
    /// Objects that a manifest names and that are not there.
    missing: Vec<String>,
    /// Objects that are not as their manifest says.
    altered: Vec<Altered>,
    /// What no manifest names.
    extra: Vec<String>,
    /// Months that are not as in the store, where that was asked for.
    months: Vec<Differs>,
}

/// A month that the backup and the store have not alike.
#[derive(Debug, Serialize)]
struct Differs {
    /// The month.
    month: Month,
    /// What is not alike.
    what: What,
    /// Why, and what to do.
    error: String,
}

/// What is not alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum What {
    /// Published, and not in the backup.
    NotInBackup,
    /// In the backup, and neither published nor removed.
    NotInStore,
    /// Another version is current.
    OtherVersion,
    /// One of the manifests cannot be read.
    Unreadable,
}

/// An object that is not as its manifest says.
#[derive(Debug, Serialize)]
struct Altered {
    /// Its key.
    key: String,
    /// What is wrong with it.
    error: String,
}

/// Runs the command.
pub fn run(args: &VerifyArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::existing(&args.at, settings.access)?;
    let (mut findings, named, items) = Findings::of_manifests(&store)?;
    findings.read(&store, &items);
    findings.extra.retain(|key| !named.contains(key));
    if args.against_store {
        let published = Store::existing(settings.text("store"), settings.access)?;
        distinct(&published, &store)?;
        findings.compare(&published, &store)?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        findings.print(args);
    }
    let Findings { missing, altered, extra, months, .. } = &findings;
    let whole = missing.is_empty() && altered.is_empty() && extra.is_empty() && months.is_empty();
    Ok(if whole { 0 } else { exit::PARTLY })
}

impl Findings {
    /// Everything that is there as extra so far, the keys that manifests account for, and what is to be read.
    fn of_manifests(store: &Store) -> crate::Result<(Self, BTreeSet<String>, Vec<Item>)> {
        let mut findings = Self::default();
        let (mut named, mut items) = (BTreeSet::new(), Vec::new());
        let mut take = |key: String, read: crate::Result<Vec<Item>>| {
            let whole = read.is_ok();
            match read {
                Ok(named) => {
                    findings.objects += 1;
                    items.extend(named);
                }
                Err(error) => findings.altered.push(Altered { key: key.clone(), error: exit::sentence(&error) }),
            }
            named.insert(key);
            whole
        };
        let mut unknown = BTreeSet::new();
        for (month, held) in Holdings::of(store)?.months {
            let (key, read) = if held.published {
                let read = manifest::read(store, month);
                let read = read.map(|found| found.map_or(Vec::new(), |(manifest, _)| of(manifest.versions())));
                (manifest::key(month), read)
            } else if held.removed {
                let read = manifest::read_removed(store, month);
                let read = read.map(|found| found.map_or(Vec::new(), |(removed, _)| of(removed.history.iter())));
                (manifest::removed_key(month), read)
            } else {
                continue;
            };
            // Replaced, and there for who still reads it: of a store, rather than of a backup.
            if let Ok(state) = State::read(store, month) {
                let of = |key: &String| sweep::is_of_known_version(month, key, &state);
                unknown.extend(held.objects.iter().map(|object| object.key.clone()).filter(of));
            }
            if !take(key, read.map_err(Into::into)) {
                // What it named cannot be told from what it did not.
                unknown.extend(held.objects.into_iter().map(|object| object.key));
            }
            if held.failed {
                let read = failures::read(store, month).map(|_| Vec::new());
                take(failures::key(month), read.map_err(Into::into));
            }
        }
        let raw = match raw::read(store) {
            // Not of a backup: a store's raw files have no manifest.
            Ok(None) => discover::raw_files(store)?.into_iter().map(|file| file.key).collect(),
            read => {
                take(raw::KEY.into(), read.map(|index| index.unwrap_or_default().files).map_err(Into::into));
                Vec::new()
            }
        };
        named.extend(raw);
        named.extend(unknown);
        named.extend(items.iter().map(|item| item.key.clone()));
        let lock = |key: &String| key.starts_with(".harness-") && key.ends_with(".lock");
        let all = store.list("", None)?.into_iter().map(|object| object.key);
        // The log of the table follows from the manifests: it is of a store, and no backup has one.
        let log = |key: &String| key.strip_prefix(table::LOG).is_some_and(|rest| rest.starts_with('/'));
        findings.extra = all.filter(|key| !lock(key) && !log(key)).collect();
        Ok((findings, named, items))
    }

    fn read(&mut self, store: &Store, items: &[Item]) {
        let bar = bar("verify", items.iter().map(|item| item.bytes).sum());
        let items: Vec<&Item> = items.iter().collect();
        schedule::in_order(
            &items,
            AT_ONCE,
            |&item| (item, look(store, item, true)),
            |(item, read)| {
                bar.steps(item.bytes);
                match read {
                    Ok(()) => {
                        self.objects += 1;
                        self.bytes += item.bytes;
                    }
                    Err(Fault::Missing { .. }) => self.missing.push(item.key.clone()),
                    Err(error) => {
                        self.altered.push(Altered { key: item.key.clone(), error: exit::sentence(&error.into()) })
                    }
                }
                true
            },
        );
        bar.finish();
    }

    /// Holds the months of a backup to those of the store.
    fn compare(&mut self, store: &Store, backup: &Store) -> crate::Result<()> {
        let (here, there) = (Holdings::of(store)?, Holdings::of(backup)?);
        let months: BTreeSet<Month> = here.months.keys().chain(there.months.keys()).copied().collect();
        let current = |store: &Store, month| -> Result<Option<String>, ManifestError> {
            Ok(manifest::read(store, month)?.map(|(manifest, _)| manifest.current.version))
        };
        for month in months {
            let (ours, theirs) = (here.held(month), there.held(month));
            let mut differs = |what, error: String| self.months.push(Differs { month, what, error });
            let at = backup.name();
            match (ours.published, theirs.published) {
                (true, false) => differs(What::NotInBackup, format!("not in the backup: harness backup create {at}")),
                (false, true) if !ours.removed => {
                    let range = format!("{month}..{month}");
                    differs(
                        What::NotInStore,
                        format!("not in the store: harness backup restore {at} --months {range}"),
                    );
                }
                (true, true) => match (current(store, month), current(backup, month)) {
                    (Ok(ours), Ok(theirs)) if ours == theirs => {}
                    (Ok(ours), Ok(theirs)) => {
                        let [ours, theirs] = [ours, theirs].map(|version| version.unwrap_or("none".into()));
                        let what = format!("version {theirs}, {ours} in the store: harness backup create {at}");
                        differs(What::OtherVersion, what);
                    }
                    (Err(error @ ManifestError::Layout { .. }), _) | (_, Err(error @ ManifestError::Layout { .. })) => {
                        differs(What::Unreadable, exit::sentence(&error.into()));
                    }
                    (Err(error), _) | (_, Err(error)) => return Err(error.into()),
                },
                _ => {}
            }
        }
        Ok(())
    }

    fn print(&self, args: &VerifyArgs) {
        let Self { objects, bytes, missing, altered, extra, months } = self;
        missing.iter().for_each(|key| println!("missing  {key}"));
        altered.iter().for_each(|Altered { key, error }| println!("altered  {key}: {error}"));
        extra.iter().for_each(|key| println!("extra    {key}"));
        months.iter().for_each(|Differs { month, error, .. }| println!("{month}  {error}"));
        if !missing.is_empty() || !altered.is_empty() {
            let raw = if missing
                .iter()
                .chain(altered.iter().map(|altered| &altered.key))
                .any(|key| !key.starts_with("processed-data/"))
            {
                " --raw-files"
            } else {
                ""
            };
            println!("hint: harness backup create {} --full{raw} copies these from the store again", args.at);
        }
        let faults = format!("{} missing, {} altered, {} extra", missing.len(), altered.len(), extra.len());
        let faults = if args.against_store { format!("{faults}, {} months differ", months.len()) } else { faults };
        println!("{objects} objects verified, {bytes} bytes; {faults}");
    }
}

fn of<'a>(versions: impl Iterator<Item = &'a Version>) -> Vec<Item> {
    versions.flat_map(Version::items).cloned().collect()
}
