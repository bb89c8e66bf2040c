//! The publishing protocol as the program has it, over a store that a test makes up: every request, and every wait, is a
//! step, and a seed decides whose step is next, how much time passes before it, and what becomes of it. Workers stand still
//! for days, are killed, lose answers; requests arrive late; listings lack what is new; the clock of the store jumps.
//!
//! A few hundred schedules by default; `SCHEDULES=10000 cargo test --release -p archive simulation` is the long run.

mod bucket;
mod log;
mod world;

use std::{cell::RefCell, sync::Arc, thread};

use bytes::Bytes;
use data::Month;
use parquet::{
    data_type::Int32Type,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::{parser::parse_message_type, types::Type},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use self::{bucket::Simulated, world::World};
use crate::{
    manifest::{self, MadeFrom, ManifestError, Removed, State},
    publish::{self, Draft, New, Origin, Part, Published},
    remove, rollback,
    store::Store,
    sweep::{self, GRACE, Plan, Strays},
    table::{Author, Follow, Writer},
};

const WORKERS: usize = 3;
/// Operations of each worker.
const OPERATIONS: usize = 3;

fn month() -> Month {
    "2013-09".parse().unwrap()
}

/// A small Parquet of as many columns as a training file, another for each number.
fn parquet(number: u32) -> Bytes {
    let columns: String =
        (0..data::training_file::COLUMNS).map(|column| format!("required int32 c{column}; ")).collect();
    let schema: Arc<Type> = Arc::new(parse_message_type(&format!("message m {{ {columns} }}")).unwrap());
    let mut bytes = Vec::new();
    let properties = Arc::new(WriterProperties::builder().set_dictionary_enabled(false).build());
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    while let Some(mut column) = group.next_column().unwrap() {
        column.typed::<Int32Type>().write_batch(&[number as i32], None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    bytes.into()
}

/// What one worker does, by its own chance.
fn work(store: &Store, files: &[Bytes], removes: bool, mut random: ChaCha8Rng) {
    for _ in 0..OPERATIONS {
        let file = &files[random.random_range(0..files.len())];
        let done: base::Result<()> = match random.random_range(0..10) {
            0..6 => publish_one(store, file),
            6 => rollback::roll_back(store, month(), None, &InStep::new(store)).map(|_| ()),
            7 if removes => remove::remove(store, month(), &InStep::new(store)).map(|_| ()).map_err(Into::into),
            _ => look(store, random.random()).map_err(Into::into),
        };
        // A store that fails is part of it.
        drop(done);
    }
}

/// Logs on the worker's own thread, so that each request of it is a step like the others.
struct InStep(RefCell<Writer>);

impl InStep {
    fn new(store: &Store) -> Self {
        Self(RefCell::new(writer(store)))
    }
}

fn writer(store: &Store) -> Writer {
    Writer::new(store, Author { run: "simulated".into(), host: String::new() })
}

// A log that cannot be written fails nothing.
impl Follow for InStep {
    fn look(&self, month: Month) {
        drop(self.0.borrow_mut().prepare(month));
    }

    fn published(&self, new: &New) {
        drop(self.0.borrow_mut().published(new.clone()));
    }

    fn removed(&self, removed: &Removed) {
        drop(self.0.borrow_mut().removed(removed.clone()));
    }
}

fn publish_one(store: &Store, file: &Bytes) -> base::Result<()> {
    let found = manifest::read(store, month())?;
    let json = || serde_json::to_vec(&fastrand::u64(..));
    let made_from = MadeFrom {
        program: "0".into(),
        settings: serde_json::json!({"timestamp_unit": "us"}),
        decay_reference: month(),
        inputs: Vec::new(),
        symbology: Vec::new(),
        fronts: None,
    };
    let draft = Draft {
        month: month(),
        data: Part::of_bytes(file.clone()),
        statistics: Part { origin: Origin::Later(&json), bytes: 0, checksum: String::new() },
        rows: 1,
        made_from,
        raw: Vec::new(),
        score: 1.0,
        pinned: false,
        earlier: &[],
    };
    if let Published::New(new) = publish::publish(store, &draft, found)? {
        InStep::new(store).published(&new);
    }
    Ok(())
}

/// As `run` looks at a month that is unchanged, or as `clean` does.
fn look(store: &Store, clean: bool) -> Result<(), ManifestError> {
    if clean {
        let Some(right) = store.exclusive_now(&month().to_string())? else { return Ok(()) };
        return Plan::of(store, month(), &right, true, GRACE)?.carry_out(store, &right);
    }
    match manifest::read(store, month())? {
        Some((manifest, tag)) => sweep::tidy(store, &manifest, &tag),
        None => Ok(()),
    }
}

/// Runs one schedule; what was broken, and how many steps it took.
fn schedule(seed: u64, files: &[Bytes]) -> (Vec<String>, u64) {
    // A month that is removed has no manifest to move on: there time counts, and nowhere else.
    let removes = seed.is_multiple_of(2);
    let world = World::new(seed, WORKERS, !removes);
    let simulated = Arc::new(Simulated::new(Arc::clone(&world), None));
    let sure = Store::simulated(Arc::clone(&simulated) as _, simulated, 2);
    if !removes {
        publish_one(&sure, &files[0]).unwrap();
    }
    let threads: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let (world, files) = (Arc::clone(&world), files.to_vec());
            thread::spawn(move || {
                fastrand::seed(seed ^ (worker as u64 + 1) << 40);
                let simulated = Arc::new(Simulated::new(Arc::clone(&world), Some(worker)));
                let store = Store::simulated(Arc::clone(&simulated) as _, simulated, 2);
                world.begin(worker);
                work(&store, &files, removes, ChaCha8Rng::seed_from_u64(seed.wrapping_mul(31) + worker as u64));
                drop(store);
                world.end(worker);
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    world.settle();
    // Somebody looks at the month, and again when all that was replaced is old.
    let store = sure;
    let last = || -> Result<Vec<String>, ManifestError> {
        for _ in 0..3 {
            world.later();
            let right = store.exclusive(&month().to_string())?;
            Plan::of(&store, month(), &right, true, GRACE)?.carry_out(&store, &right)?;
        }
        let strays = Strays::of(&store, month(), &State::read(&store, month())?, true)?;
        Ok(strays.all().map(|object| format!("an orphan is left: {}", object.key)).collect())
    };
    let mut broken = world.broken();
    match writer(&store).sync() {
        Ok(_) => broken.extend(world.unlogged()),
        Err(error) => broken.push(format!("the log cannot be mended: {error}")),
    }
    match last() {
        Ok(left) => broken.extend(left),
        Err(error) => broken.push(format!("the last look failed: {error}")),
    }
    broken.extend(world.broken());
    (broken, world.steps())
}

#[test]
fn whatever_happens_to_three_workers_the_month_is_whole() {
    let schedules: u64 = std::env::var("SCHEDULES").map_or(300, |schedules| schedules.parse().unwrap());
    let first: u64 = std::env::var("SCHEDULE").map_or(0, |first| first.parse().unwrap());
    let files: Vec<Bytes> = (0..3).map(parquet).collect();
    let (mut steps, mut broken) = (0, Vec::new());
    for seed in first..first + schedules {
        let (found, taken) = schedule(seed, &files);
        steps += taken;
        broken.extend(found.into_iter().map(|what| format!("schedule {seed}: {what}")));
        assert!(broken.len() < 20, "{broken:#?}");
    }
    assert!(broken.is_empty(), "{broken:#?}");
    eprintln!("{schedules} schedules, {steps} steps, 0 violations");
}
