//! `months reprocess`: makes months again, each weighted to the month it was weighted to before.

use std::collections::BTreeMap;

use archive::{
    failures,
    holdings::{Held, Holdings},
    manifest,
    store::Store,
    survey::recommended,
};
use data::Month;

use crate::{
    cli::ReprocessArgs,
    commands::run::{Watch, report},
    run::request::RunRequest,
    settings::Settings,
};

/// Runs the command.
pub fn run(args: &ReprocessArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::open(settings.text("store"), settings.access)?;
    let holdings = Holdings::of(&store)?;
    let (mut months, mut references) = (Vec::new(), BTreeMap::new());
    for month in args.months.iter() {
        let known = Known::of(&store, month, holdings.months.get(&month));
        if !args.needed || known.needed {
            months.push(month);
        }
        references.extend(known.reference.map(|reference| (month, reference)));
    }
    if months.is_empty() {
        if args.json {
            println!("[]");
        } else {
            println!("no month of {} needs reprocessing", args.months);
        }
        return Ok(0);
    }
    if settings.decay_reference.is_some() {
        references.clear();
    }
    // Each with its own decay reference where it has one.
    let of = RunRequest::of(args.months);
    let request = RunRequest { months, force: true, dry_run: args.dry_run, references, ..of };
    report(&request, Watch::new(&request, settings), args.json, settings)
}

/// What is known of a month before it is made again.
#[derive(Default)]
struct Known {
    /// It failed, or its statistics recommend it.
    needed: bool,
    /// Month its weights decayed to.
    reference: Option<Month>,
}

impl Known {
    /// What cannot be read is made again: if that is not possible either, the run says why.
    fn of(store: &Store, month: Month, held: Option<&Held>) -> Self {
        let Some(held) = held else { return Self::default() };
        let failure = held.failed.then(|| failures::read(store, month));
        let mut needed = failure.is_some();
        let mut reference = failure.and_then(|read| Some(read.ok()??.decay_reference));
        if held.published {
            match manifest::read(store, month) {
                Ok(Some((manifest, _))) => {
                    needed |= recommended(store, &manifest.current).0.needed;
                    reference = Some(manifest.current.made_from.decay_reference);
                }
                Ok(None) => {}
                Err(_) => needed = true,
            }
        } else if let Ok(Some((removed, _))) = manifest::read_removed(store, month) {
            reference = removed.history.first().map(|version| version.made_from.decay_reference).or(reference);
        }
        Self { needed, reference }
    }
}
