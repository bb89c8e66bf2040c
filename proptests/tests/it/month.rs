//! A whole synthetic month, from the DBN file on: every value against the reference, and the same bytes however it is cut.

use std::{
    ops::Range,
    sync::{Arc, LazyLock},
    time::Duration,
};

use crate::tapes::{GAP, named};
use data::{
    Instrument, Month,
    compute::{self, Computation, SessionColumns},
    contract::Choice,
    grid::Grid,
    input, session,
    synth::{Plan, write_month},
    training_file::TrainingFile,
    write::{Precision, Watch},
};
use kernels::{
    Stream,
    features::{FLAG_NAMES, FLOAT_NAMES},
};
use proptests::{Profile, Tape, exact::ulps, features::Reference, labels};
use rayon::prelude::*;

/// 23 sessions of 27,000 rows.
const MONTH: &str = "2025-10";
const ROWS: usize = 621_000;
const REFERENCE: &str = "2026-05";
const MONTHS_TO_REFERENCE: i32 = 7;

static GRID: LazyLock<Grid> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let month: Month = MONTH.parse().unwrap();
    let truth = write_month(&Plan::default(), month, folder.path()).unwrap();
    let mut grid = None;
    input::read(&folder.path().join(&truth.file), &Instrument::default(), &mut |columns| {
        grid = Some(session::cut_alone(&columns.view(), &Instrument::default(), Choice::Volume).unwrap());
        Ok(())
    })
    .unwrap();
    grid.unwrap()
});

fn computation(profile: Profile, chunk_rows: usize) -> Computation {
    let instrument = Instrument::default();
    Computation {
        profile: named(profile),
        tick: instrument.tick().unwrap(),
        gap_ticks: instrument.gap_ticks(),
        labels: Arc::default(),
        decay_reference: REFERENCE.parse().unwrap(),
        chunk_rows,
    }
}

fn tape(rows: Range<usize>) -> Tape {
    let mut tape = Tape::default();
    for row in rows.clone() {
        let prices = [GRID.open[row], GRID.high[row], GRID.low[row], GRID.close[row]];
        tape.push(prices.map(i64::from), GRID.volume[row].into(), GRID.second[row]);
    }
    for session in &GRID.sessions {
        for row in session.rows.clone().filter(|row| rows.contains(row)) {
            tape.time[row - rows.start] = session.first_second + (row - session.rows.start) as i64;
        }
    }
    tape
}

/// Compares the columns of one session with the rows `start..` of `tape`.
fn compare(columns: &SessionColumns<f32>, tape: &Tape, start: usize, profile: Profile) {
    let reference = Reference::new(tape, profile, (1, 4));
    for row in 0..columns.rows.len() {
        let i = start + row;
        for (feature, expected) in reference.numbers(i).into_iter().enumerate() {
            let value = columns.values[[feature, row]];
            assert!(expected.admits_f32(value), "{} row {i}: {value:e}, expected {expected:?}", FLOAT_NAMES[feature]);
        }
        for (flag, expected) in reference.flags(i).into_iter().enumerate() {
            assert_eq!(columns.flags[[flag, row]], expected, "{} row {i}", FLAG_NAMES[flag]);
        }
        for mode in 0..6 {
            let win = labels::outcome(tape, i, mode, profile, GAP);
            assert_eq!(columns.modes[mode].label[row], i8::from(win.is_some()), "mode {mode} row {i}");
            let weight = labels::weight(win, mode, MONTHS_TO_REFERENCE) as f32;
            assert!(ulps(columns.modes[mode].weight[row], weight) <= 1, "mode {mode} row {i}");
        }
    }
}

fn columns(profile: Profile) -> Vec<SessionColumns<f32>> {
    assert_eq!(GRID.rows(), ROWS);
    let computation = computation(profile, 4096);
    (0..GRID.sessions.len()).map(|number| compute::session(&GRID, number, &computation, &|_| ()).unwrap()).collect()
}

#[test]
fn every_value_of_a_month_in_session() {
    columns(Profile::Session).par_iter().for_each(|session| {
        compare(session, &tape(session.rows.clone()), 0, Profile::Session);
    });
}

#[test]
fn every_value_of_a_month_in_rolling() {
    let month = tape(0..ROWS);
    columns(Profile::Rolling).par_iter().for_each(|session| {
        // Nothing looks back farther than 1800 rows and a window of 300, nor ahead farther than 900: a part will do.
        let start = session.rows.start.saturating_sub(2200);
        let end = (session.rows.end + 1000).min(ROWS);
        compare(session, &tape_of(&month, start..end), session.rows.start - start, Profile::Rolling);
    });
}

#[test]
fn bar_by_bar_a_month_has_the_same_bits() {
    for profile in [Profile::Session, Profile::Rolling] {
        let mut stream = Stream::new(named(profile), computation(profile, 1).tick);
        for session in columns(profile) {
            let series = GRID.series(session.rows.clone()).unwrap();
            stream.next_session();
            for row in 0..series.len() {
                let live = stream.push::<f32>(series.bar(row).unwrap()).unwrap();
                for (column, name) in FLOAT_NAMES.iter().enumerate() {
                    let (live, written) = (live.floats[column], session.values[[column, row]]);
                    assert!(live.to_bits() == written.to_bits(), "{name} row {row}: {live:e}, written {written:e}");
                }
                let written = session.flags.column(row);
                assert!(
                    written.iter().eq(&live.flags),
                    "{FLAG_NAMES:?} row {row}: {:?}, written {written}",
                    live.flags
                );
            }
        }
    }
}

fn tape_of(month: &Tape, rows: Range<usize>) -> Tape {
    Tape {
        open: month.open[rows.clone()].to_vec(),
        high: month.high[rows.clone()].to_vec(),
        low: month.low[rows.clone()].to_vec(),
        close: month.close[rows.clone()].to_vec(),
        volume: month.volume[rows.clone()].to_vec(),
        second: month.second[rows.clone()].to_vec(),
        time: month.time[rows].to_vec(),
    }
}

/// Hears nothing.
struct Nobody;

impl Watch for Nobody {
    fn chunk(&self, _: Duration) {}
    fn computed(&self, _: Duration) {}
    fn encoded(&self, _: Duration) {}
}

#[test]
fn the_file_is_the_same_to_the_byte_for_every_chunk_size_and_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.parquet");
    for profile in [Profile::Session, Profile::Rolling] {
        let mut first: Option<Vec<u8>> = None;
        for (chunk_rows, threads) in [
            (4096, 2),
            (1000, 1),
            (1000, 4),
            (4096, 1),
            (4096, 4),
            (100_000, 1),
            (100_000, 2),
            (ROWS, 1),
            (ROWS, 2),
            (ROWS, 4),
        ] {
            let computation = computation(profile, chunk_rows);
            let mut file =
                TrainingFile::create::<f32>(&path, computation.tick, &computation.labels, Default::default(), &[])
                    .unwrap();
            f32::month(&mut file, &GRID, &computation, threads, &Nobody).unwrap();
            assert_eq!(file.finish().unwrap(), ROWS as u64);
            let bytes = std::fs::read(&path).unwrap();
            match &first {
                None => first = Some(bytes),
                Some(first) => assert!(*first == bytes, "{profile:?}, chunks of {chunk_rows}, {threads} threads"),
            }
        }
    }
}
