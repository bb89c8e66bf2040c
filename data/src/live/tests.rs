//! Rows as their seconds end, beside what the batch writes for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    sync::Arc,
};

use kernels::{
    features::{FLAGS, FLOATS},
    labels::Specification,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{
    compute::{self, Computation},
    contract::{Choice, Fronts},
    input::{self, Events},
    session,
    symbology::Symbology,
    synth::{self, Plan},
};

/// A row as both have it: contract, bar, and the bits of the features.
#[derive(Clone, Debug, PartialEq)]
struct Served {
    contract: String,
    bar: Bar,
    floats: Vec<u64>,
    flags: [i8; FLAGS],
}

/// A value's bits; all that are not numbers are one.
fn bits<F: Float + Into<f64>>(value: F) -> u64 {
    let value: f64 = value.into();
    if value.is_nan() { 0 } else { value.to_bits() | 1 << 63 }
}

/// Some months of a plan, packed, and their events.
fn events(plan: &Plan, months: &[&str]) -> (Vec<Event>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut events = Vec::new();
    let symbology = Symbology::default();
    for month in months {
        let truth = synth::write_month(plan, month.parse().unwrap(), folder.path()).unwrap();
        let packed = fs::File::open(folder.path().join(truth.file)).unwrap();
        let reader = Events::new(zstd::Decoder::new(packed).unwrap(), "ES", &symbology);
        events.extend(reader.map(Result::unwrap));
    }
    (events, folder)
}

/// What the batch makes of a folder of months.
fn batch<F: Float + Into<f64> + Default>(
    folder: &std::path::Path,
    profile: Profile,
    instrument: &Instrument,
) -> BTreeMap<i64, Served> {
    let mut months = BTreeMap::new();
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "zst"));
    for file in files {
        input::read(&file, instrument, &mut |columns| {
            assert!(months.insert(columns.month, columns).is_none());
            Ok(())
        })
        .unwrap();
    }
    let mut volumes = Volumes::default();
    for columns in months.values() {
        volumes.add(&Volumes::of(&columns.view(), instrument).unwrap());
    }
    let mut rows = BTreeMap::new();
    for (&month, columns) in &months {
        let fronts = Fronts::choose(month, &volumes, |month| months.contains_key(&month), Choice::VolumePrevious);
        let grid = session::cut(&columns.view(), instrument, &fronts).unwrap();
        let computation = Computation {
            profile,
            tick: instrument.tick().unwrap(),
            gap_ticks: instrument.gap_ticks(),
            labels: Arc::new(Specification::default()),
            decay_reference: month,
            chunk_rows: 10_000,
        };
        for (number, session) in grid.sessions.iter().enumerate() {
            let columns = compute::session::<F>(&grid, number, &computation, &|_| ()).unwrap();
            for (at, row) in session.rows.clone().enumerate() {
                let bar = Bar {
                    open: grid.open[row],
                    high: grid.high[row],
                    low: grid.low[row],
                    close: grid.close[row],
                    volume: grid.volume[row],
                    second: grid.second[row],
                };
                let floats = (0..FLOATS).map(|column| bits(columns.values[[column, at]])).collect();
                let flags = std::array::from_fn(|flag| columns.flags[[flag, at]]);
                let served = Served { contract: session.contract.clone(), bar, floats, flags };
                assert!(rows.insert(session.first_second + at as i64, served).is_none());
            }
        }
    }
    rows
}

fn live_of(instrument: &Instrument, profile: Profile) -> Live<'_> {
    Live::new(instrument, profile, Front::VolumePrevious(Volumes::default())).unwrap()
}

/// Takes events, and adds the rows by second, none twice.
fn feed<'e, F: Float + Into<f64>>(
    live: &mut Live<'_>,
    events: impl Iterator<Item = &'e Event>,
    rows: &mut BTreeMap<i64, (Served, bool)>,
) -> Result<(), LiveError> {
    for event in events {
        live.take::<F, LiveError>(event, &mut |row| {
            let LiveRow { second, contract, bar, provisional, features, .. } = row;
            let floats = features.floats.iter().map(|&value| bits(value)).collect();
            let served = Served { contract: contract.to_owned(), bar, floats, flags: features.flags };
            assert!(rows.insert(second, (served, provisional)).is_none(), "{second} is served twice");
            Ok(())
        })?;
    }
    Ok(())
}

/// All rows of the batch are served with its bits, and no others but the quiet ones after an early close.
fn assert_equal(batch: &BTreeMap<i64, Served>, live: &BTreeMap<i64, (Served, bool)>, instrument: &Instrument) {
    let windows = Windows::new(instrument).unwrap();
    assert!(batch.len() > 100_000, "{}", batch.len());
    for (second, expected) in batch {
        let (found, _) = live.get(second).unwrap_or_else(|| panic!("{} is missing", utc(*second)));
        assert_eq!(found, expected, "{}", utc(*second));
    }
    let last_of = |date: Date| batch.keys().filter(|second| windows.date(**second) == date).max().copied();
    let mut dates = BTreeMap::new();
    let mut early = 0;
    for (second, (row, provisional)) in live.iter().filter(|(second, _)| !batch.contains_key(second)) {
        let last = dates.entry(windows.date(*second)).or_insert_with_key(|date| last_of(*date));
        let quiet = last.is_none_or(|last| last < *second) && row.bar.volume == 0;
        assert!(quiet, "{} is not in the batch", utc(*second));
        // Fifteen minutes of its session.
        let window = windows.of(windows.date(*second)).unwrap();
        let begins = window.spans().iter().find(|span| span.contains(second)).unwrap().start - 1;
        let since = last.map_or(begins, |last| begins.max(last));
        assert_eq!(*provisional, second - since >= 900, "{}", utc(*second));
        early += 1;
    }
    // The day after Thanksgiving.
    assert!(early > 0);
}

#[test]
fn every_row_of_the_batch_is_served_with_its_bits() {
    let instrument = Instrument::default();
    let (events, folder) = events(&Plan::default(), &["2013-11", "2013-12"]);
    for profile in [Profile::Session, Profile::Rolling] {
        let mut rows = BTreeMap::new();
        feed::<f32>(&mut live_of(&instrument, profile), events.iter(), &mut rows).unwrap();
        assert_equal(&batch::<f32>(folder.path(), profile, &instrument), &rows, &instrument);
        let contracts: BTreeSet<_> = rows.values().map(|(row, _)| row.contract.clone()).collect();
        assert_eq!(contracts.into_iter().collect::<Vec<_>>(), ["ESH4", "ESZ3"]);
    }
}

#[test]
fn a_session_across_midnight_with_a_break_is_served_with_the_bits_of_the_batch() {
    let instrument = Instrument {
        session_start: 17 * 3600,
        session_end: 16 * 3600,
        session_breaks: "15:15-15:30".parse().unwrap(),
        ..Instrument::default()
    };
    let (mut events, folder) = events(&Plan::default(), &["2013-11"]);
    // From the end of the first session on, which began in the month before.
    const FROM: i64 = 1_383_339_600;
    events.retain(|event| matches!(event, Event::Bar { bar, .. } if bar.nanos / 1_000_000_000 >= FROM as u64));
    events.insert(0, Event::Header { from: Some(FROM), to: None });
    for profile in [Profile::Session, Profile::Rolling] {
        let mut live = Live::new(&instrument, profile, Front::Symbol("ESZ3".into())).unwrap();
        let mut rows = BTreeMap::new();
        feed::<f64>(&mut live, events.iter(), &mut rows).unwrap();
        // The windows of profile `rolling` reach back into the rows of that session.
        let after = |second: &i64| *second > FROM + 3 * 86_400;
        let mut batch = batch::<f64>(folder.path(), profile, &instrument);
        batch.retain(|second, _| after(second));
        rows.retain(|second, _| after(second));
        assert_equal(&batch, &rows, &instrument);
    }
}

#[test]
fn without_anything_that_names_the_front_contract_no_row_is_served() {
    let instrument = Instrument::default();
    let mut live = live_of(&instrument, Profile::Session);
    let said = feed::<f32>(&mut live, [one(0, 100, 1)].iter(), &mut BTreeMap::new()).unwrap_err().to_string();
    assert!(said.contains("2013-10-07") && said.contains("--symbol"), "{said}");
}

#[test]
fn what_is_replayed_of_a_date_that_is_over_is_not_late() {
    const OPEN: i64 = 1_381_149_000;
    let (instrument, mut rows) = (Instrument::default(), BTreeMap::new());
    let mut live = Live::new(&instrument, Profile::Session, Front::Symbol("ESZ3".into())).unwrap();
    let header = Event::Header { from: Some(OPEN), to: None };
    feed::<f32>(&mut live, [header.clone(), one(0, 100, 1), one(86_400, 100, 1), one(7, 100, 1)].iter(), &mut rows)
        .unwrap();
    assert_eq!((live.dropped().late, live.dropped().repeated), (1, 0));
    feed::<f32>(&mut live, [header, one(0, 100, 1), one(86_400, 100, 1)].iter(), &mut rows).unwrap();
    assert_eq!((live.dropped().late, live.dropped().repeated), (1, 2));
}

/// The same events, of which some of the front's in the morning come behind those of later seconds, and where these are.
fn with_late_records(events: &[Event], rng: &mut ChaCha8Rng) -> (Vec<Event>, BTreeSet<usize>) {
    let of = |event: &Event| match event {
        Event::Bar { bar, contract, .. } => ((bar.nanos / 1_000_000_000) as i64, contract.symbol == "ESZ3"),
        _ => unreachable!(),
    };
    // 15:00 to 16:30 UTC: each of the sessions has begun, and none is over.
    let may: Vec<usize> = (0..events.len())
        .filter(|&at| of(&events[at]).1 && (54_000..59_400).contains(&(of(&events[at]).0 % 86_400)))
        .collect();
    let held: BTreeSet<usize> = (0..rng.random_range(0..5)).map(|_| may[rng.random_range(0..may.len())]).collect();
    let (mut out, mut late, mut waiting) = (Vec::new(), BTreeSet::new(), Vec::<(i64, &Event)>::new());
    for (at, event) in events.iter().enumerate() {
        let second = of(event).0;
        out.push(event.clone());
        if held.contains(&at) {
            out.pop();
            waiting.push((second + rng.random_range(1..5), event));
        }
        // Not before a record of a later second.
        for (_, event) in waiting.extract_if(.., |(until, _)| second > *until) {
            late.insert(out.len());
            out.push(event.clone());
        }
    }
    (out, late)
}

#[test]
fn reconnects_replays_and_restarts_at_any_row_change_nothing() {
    let instrument = Instrument::default();
    let (events, _folder) = events(&Plan::default(), &["2013-11"]);
    // Three dates, the day before Thanksgiving first.
    let day = |event: &Event| match event {
        Event::Bar { bar, .. } => (1_385_510_400..1_385_776_800).contains(&(bar.nanos / 1_000_000_000)),
        _ => false,
    };
    let events: Vec<Event> = events.into_iter().filter(day).collect();
    let header = |from: i64| Event::Header { from: Some(from), to: None };
    let second = |event: &Event| match event {
        Event::Bar { bar, .. } => (bar.nanos / 1_000_000_000) as i64,
        _ => unreachable!(),
    };
    let begin = header(second(&events[0]));
    for profile in [Profile::Session, Profile::Rolling] {
        for seed in 0..env::var("SEEDS").map_or(20, |seeds| seeds.parse().unwrap()) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            // Some records of the front come seconds too late: the rows are those without them.
            let (events, late) = with_late_records(&events, &mut rng);
            let known = events.iter().enumerate().filter(|(at, _)| !late.contains(at)).map(|(_, event)| event);
            let mut whole = BTreeMap::new();
            feed::<f32>(&mut live_of(&instrument, profile), std::iter::once(&begin).chain(known), &mut whole).unwrap();
            assert!(whole.len() > 50_000);
            let (mut live, mut rows) = (live_of(&instrument, profile), BTreeMap::new());
            let (mut at, mut dropped) = (0, 0);
            feed::<f32>(&mut live, std::iter::once(&begin), &mut rows).unwrap();
            while at < events.len() {
                let to = events.len().min(at + rng.random_range(1..events.len() / 3));
                feed::<f32>(&mut live, events[at..to].iter(), &mut rows).unwrap();
                // Goes on in another process, and the gateway sends again what came before.
                if rng.random_bool(0.5) {
                    dropped += live.dropped().late;
                    let front = Front::VolumePrevious(Volumes::default());
                    live = Live::new(&instrument, profile, front).unwrap().resume(&live.to_bytes()).unwrap();
                }
                at = to.saturating_sub(rng.random_range(0..2_000));
                if to == events.len() {
                    break;
                }
                feed::<f32>(&mut live, std::iter::once(&header(second(&events[at]))), &mut rows).unwrap();
            }
            assert!(rows == whole, "seed {seed}");
            // Each as often as it is sent.
            dropped += live.dropped().late;
            assert!(dropped >= late.len() as u64 && (dropped == 0) == late.is_empty(), "seed {seed}: {dropped}");
        }
    }
}

/// A bar of ESZ3 in the session of 2013-10-07, which begins at 12:30 UTC.
fn one(second: i64, ticks: i64, volume: u64) -> Event {
    let price = ticks * 250_000_000;
    let nanos = (1_381_149_000 + second) as u64 * 1_000_000_000;
    let contract = Identity::of("ESZ3", collector::Name::Symbol, "ES", "2013-10".parse().unwrap());
    let bar = collector::Bar { nanos, open: price, high: price, low: price, close: price, volume };
    Event::Bar { contract: Arc::new(contract), bar, record: second.unsigned_abs() }
}

/// Second, close and volume of each row.
type Rows = Vec<(i64, i32, u32)>;

/// What is served of some bars, and what was dropped.
fn served(events: &[Event]) -> Result<(Rows, Dropped), LiveError> {
    let instrument = Instrument::default();
    let mut live = Live::new(&instrument, Profile::Session, Front::Symbol("ESZ3".into()))?;
    let mut rows = Vec::new();
    for event in events {
        live.take::<f32, LiveError>(event, &mut |row| {
            rows.push((row.second - 1_381_149_000, row.bar.close, row.bar.volume));
            Ok(())
        })?;
    }
    Ok((rows, live.dropped()))
}

#[test]
fn a_second_is_empty_when_a_later_record_of_any_instrument_comes() {
    let Event::Bar { contract, bar, .. } = one(3, 7, 1) else { unreachable!() };
    let other = Identity { symbol: "NQZ3".into(), kind: Kind::Other, ..(*contract).clone() };
    let other = Event::Bar { contract: Arc::new(other), bar, record: 0 };
    let (rows, _) = served(&[one(-5, 100, 1), one(0, 101, 2), other]).unwrap();
    assert_eq!(rows, [(0, 101, 2), (1, 101, 0), (2, 101, 0)]);
    // Its own second has not ended for the others.
    assert_eq!(served(&[one(-5, 100, 1), one(1, 102, 2)]).unwrap().0, [(0, 100, 0), (1, 102, 2)]);
    // Nothing is filled from the future.
    assert_eq!(served(&[one(-43_000, 100, 1), one(1, 102, 2)]).unwrap().0, [(1, 102, 2)]);
}

#[test]
fn a_record_again_is_dropped_a_late_one_too_and_another_for_its_second_is_an_error() {
    let first = [one(-5, 100, 1), one(0, 101, 2), one(3, 102, 2)];
    let again = |event: Event| served(&[&first[..], &[event]].concat());
    let (rows, dropped) = again(one(0, 101, 2)).unwrap();
    assert_eq!((rows.len(), dropped), (4, Dropped { repeated: 1, ..Dropped::default() }));
    let (rows, dropped) = again(one(2, 101, 2)).unwrap();
    assert_eq!((rows.len(), dropped), (4, Dropped { late: 1, ..Dropped::default() }));
    for event in [one(0, 101, 3), one(3, 101, 2)] {
        let said = again(event).unwrap_err().to_string();
        assert!(said.contains("ESZ3 at 2013-10-07T12:30:0") && said.contains("close 101 ticks, volume"), "{said}");
    }
}

#[test]
fn a_session_that_began_before_the_input_and_seconds_that_are_missing_are_errors() {
    let header = |second: i64| Event::Header { from: Some(1_381_149_000 + second), to: None };
    let said = served(&[header(60), one(60, 100, 1)]).unwrap_err().to_string();
    assert!(said.contains("2013-10-07T12:31:00Z") && said.contains("--state"), "{said}");
    let begun = [header(-60), one(-5, 100, 1), one(10, 100, 1)];
    let said = served(&[&begun[..], &[header(20)]].concat()).unwrap_err().to_string();
    assert!(said.contains("ends at 2013-10-07T12:30:11Z and goes on at 2013-10-07T12:30:20Z"), "{said}");
    assert_eq!(served(&[&begun[..], &[header(11)]].concat()).unwrap().0.len(), 11);
}

#[test]
fn a_state_of_other_settings_or_of_other_bytes_is_refused() {
    let instrument = Instrument::default();
    let new = |symbol: &str, profile| Live::new(&instrument, profile, Front::Symbol(symbol.into())).unwrap();
    let bytes = new("ESZ3", Profile::Session).to_bytes();
    let refused = |live: Live<'_>, bytes: &[u8]| live.resume(bytes).err().map(|error| error.to_string()).unwrap();
    assert!(new("ESZ3", Profile::Session).resume(&bytes).is_ok());
    assert!(refused(new("ESH4", Profile::Session), &bytes).contains("--symbol"));
    assert!(refused(new("ESZ3", Profile::Rolling), &bytes).contains("profile"));
    assert!(refused(new("ESZ3", Profile::Session), b"PAR1").contains("another kind of file"));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        refused(new("ESZ3", Profile::Session), &changed);
        refused(new("ESZ3", Profile::Session), &bytes[..at]);
    }
}
