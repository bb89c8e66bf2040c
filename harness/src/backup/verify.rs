//! `backup verify`: everything in a backup against its manifests.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    cli::VerifyArgs,
    config::Settings,
    discover, exit, failures,
    holdings::Holdings,
    manifest::{self, Item, Version},
    schedule,
    store::Store,
};

use super::{Fault, bar, look, raw};

/// Objects that are read at a time.
const AT_ONCE: usize = 2;

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Findings {
    /// Objects read back, manifests included.
    objects: usize,
    /// Their bytes, without those of the manifests.
    bytes: u64,
    missing: Vec<String>,
    altered: Vec<Altered>,
    /// What no manifest names.
    extra: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Altered {
    key: String,
    error: String,
}

/// Runs the command.
pub fn run(args: &VerifyArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::existing(&args.at, settings.access)?;
    let (mut findings, named, items) = Findings::of_manifests(&store)?;
    findings.read(&store, &items);
    findings.extra.retain(|key| !named.contains(key));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        findings.print();
    }
    let whole = findings.missing.is_empty() && findings.altered.is_empty() && findings.extra.is_empty();
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
        findings.extra = all.filter(|key| !lock(key)).collect();
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

    fn print(&self) {
        let Self { objects, bytes, missing, altered, extra } = self;
        missing.iter().for_each(|key| println!("missing  {key}"));
        altered.iter().for_each(|Altered { key, error }| println!("altered  {key}: {error}"));
        extra.iter().for_each(|key| println!("extra    {key}"));
        let faults = format!("{} missing, {} altered, {} extra", missing.len(), altered.len(), extra.len());
        println!("{objects} objects read back as they were written, {bytes} bytes; {faults}");
    }
}

fn of<'a>(versions: impl Iterator<Item = &'a Version>) -> Vec<Item> {
    versions.flat_map(Version::items).cloned().collect()
}
