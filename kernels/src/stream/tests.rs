use super::*;
use crate::features::{FLOAT_NAMES, Features};
use crate::random::Tape;
use crate::series::MIN_TICKS;
use crate::{Break, Columns};

fn tick() -> Tick {
    Tick::from_nanos(250_000_000).unwrap()
}

fn bars(tape: &Tape) -> Vec<Bar> {
    let series = tape.series();
    (0..series.len()).map(|row| series.bar(row).unwrap()).collect()
}

/// The batch's floats, a column each.
fn batch(tape: &Tape, profile: Profile) -> [Vec<f64>; FLOATS] {
    let series = tape.series();
    let rows = series.len();
    let mut values = [(); FLOATS].map(|()| vec![-7.0; rows]);
    let mut flags = [(); FLAGS].map(|()| vec![7; rows]);
    let (floats, bits) = (values.each_mut().map(Vec::as_mut_slice), flags.each_mut().map(Vec::as_mut_slice));
    Features::new(profile, tick(), rows).compute(&series, 0..rows, &mut Carry::start(), floats, bits).unwrap();
    values
}

/// Holds each row that `stream` gives for `bars` against the batch's of `tape`, from row `row` on.
fn agrees(stream: &mut Stream, bars: &[Bar], expected: &[Vec<f64>; FLOATS], mut row: usize) {
    for &bar in bars {
        let found = stream.push::<f64>(bar).unwrap();
        for ((name, found), expected) in FLOAT_NAMES.iter().zip(found.floats).zip(expected) {
            let expected = expected[row];
            assert_eq!(found.to_bits(), expected.to_bits(), "{name}, row {row}: {found:e}, batch {expected:e}");
        }
        row += 1;
    }
}

#[test]
fn rows_have_the_batchs_bits() {
    for (seed, step) in [(1, 1), (2, 3), (3, 40), (4, 200)] {
        let tape = Tape::walk(seed, 5_000, step);
        for profile in [Profile::Session, Profile::Rolling] {
            agrees(&mut Stream::new(profile, tick()), &bars(&tape), &batch(&tape, profile), 0);
        }
    }
}

/// The first rows with a value, in both profiles, are the batch's.
#[test]
fn a_column_begins_where_its_window_is_full() {
    let tape = Tape::walk(7, 2_000, 3);
    for profile in [Profile::Session, Profile::Rolling] {
        for (feature, values) in crate::features::FEATURES.iter().zip(batch(&tape, profile)) {
            let first = values.iter().position(|value| !value.is_nan());
            assert_eq!(first, Some(feature.first_of(profile)), "{}, {profile:?}", feature.name);
        }
    }
}

#[test]
fn a_bar_that_cannot_come_next_is_refused_and_changes_nothing() {
    let tape = Tape::walk(5, 1_000, 3);
    let bars = bars(&tape);
    for profile in [Profile::Session, Profile::Rolling] {
        let mut stream = Stream::new(profile, tick());
        let first = Bar { high: bars[0].open - 1, ..bars[0] };
        assert_eq!(stream.push::<f32>(first), Err(Error::Limits { bar: first }));
        agrees(&mut stream, &bars[..500], &batch(&tape, profile), 0);
        let state = stream.to_bytes();
        let before = bars[499].second;
        for second in [before, before + 2, before - 1, 0] {
            let late = Bar { second, ..bars[500] };
            let expected = Error::Order { before, second };
            assert_eq!(stream.push::<f32>(late), Err(expected));
            assert!(stream.peek::<f32>(late).is_err());
        }
        let low = Bar { low: MIN_TICKS - 1, ..bars[500] };
        assert_eq!(stream.push::<f32>(low), Err(Error::Limits { bar: low }));
        assert_eq!(stream.to_bytes(), state);
        agrees(&mut stream, &bars[500..], &batch(&tape, profile), 500);
    }
}

#[test]
fn the_second_after_the_last_one_also_over_midnight_and_when_clocks_change() {
    let bar = |second| Bar { open: 5, high: 5, low: 5, close: 5, volume: 1, second };
    for (before, next) in [(86_399, 0), (7_199, 7_200), (7_199, 3_600), (7_199, 10_800)] {
        let mut stream = Stream::new(Profile::Session, tick());
        stream.push::<f32>(bar(before)).unwrap();
        assert!(stream.push::<f32>(bar(next)).is_ok(), "{before}, {next}");
    }
    for (before, second) in [(86_399, 1), (7_200, 3_601), (7_199, 7_201), (3_600, 3_600)] {
        let mut stream = Stream::new(Profile::Rolling, tick());
        stream.push::<f32>(bar(before)).unwrap();
        assert_eq!(stream.push::<f32>(bar(second)), Err(Error::Order { before, second }));
        stream.next_session();
        assert!(stream.push::<f32>(bar(second)).is_ok());
    }
}

#[test]
fn a_session_whose_turnover_does_not_fit_is_refused_where_the_batch_refuses_it() {
    let top = crate::series::MAX_TICKS;
    let bar = |second| Bar { open: top, high: top, low: top, close: top, volume: u32::MAX, second };
    let mut stream = Stream::new(Profile::Session, tick());
    // 2^22 times 512 volumes of 2^32 - 1 fit.
    for second in 0..512 {
        stream.push::<f64>(bar(second)).unwrap();
    }
    assert_eq!(stream.push::<f64>(bar(512)), Err(Error::Turnover));
    stream.next_session();
    assert!(stream.push::<f64>(bar(512)).is_ok());
    let mut rolling = Stream::new(Profile::Rolling, tick());
    assert!((0..3_000).all(|second| rolling.push::<f64>(bar(second)).is_ok()));
}

#[test]
fn a_history_with_a_hole_is_refused() {
    let mut tape = Tape::walk(5, 100, 3);
    tape.second[60..].iter_mut().for_each(|second| *second += 1);
    let open = |series: &Series<'_>| Stream::new(Profile::Rolling, tick()).open(series).map(|stream| stream.to_bytes());
    let before = tape.second[59];
    assert_eq!(open(&tape.series()), Err(Error::Order { before, second: before + 2 }));
    let night = [Break { row: 60, seconds: 2 }];
    assert!(open(&tape.series().with_breaks(&night).unwrap()).is_ok());
    let none = Columns { open: &[], high: &[], low: &[], close: &[], volume: &[], second: &[] };
    let empty = Stream::new(Profile::Rolling, tick()).to_bytes();
    assert_eq!(open(&Series::new(none).unwrap()), Ok(empty));
}

/// A stream of 3,000 rows in bytes.
fn written(profile: Profile) -> Vec<u8> {
    Stream::new(profile, tick()).open(&Tape::walk(6, 3_000, 3).series()).unwrap().to_bytes()
}

fn refused(profile: Profile, tick: Tick, bytes: &[u8]) -> Error {
    Stream::from_bytes(profile, tick, bytes).unwrap_err()
}

#[test]
fn a_state_of_other_settings_is_refused_and_says_which() {
    let bytes = written(Profile::Session);
    let (found, expected) = (Profile::Session, Profile::Rolling);
    assert_eq!(refused(Profile::Rolling, tick(), &bytes), Error::StateProfile { found, expected });
    let other = Tick::from_nanos(100_000_000).unwrap();
    let (found, expected) = (tick().nanos(), other.nanos());
    assert_eq!(refused(Profile::Session, other, &bytes), Error::StateTick { found, expected });
    let mut later = bytes.clone();
    later[8] = 2;
    assert_eq!(refused(Profile::Session, tick(), &later), Error::StateVersion { found: 2, expected: 1 });
    assert_eq!(refused(Profile::Session, tick(), b"kernel32"), Error::NoState { len: 8 });
}

#[test]
fn a_state_that_was_cut_or_changed_anywhere_is_refused() {
    for profile in [Profile::Session, Profile::Rolling] {
        let bytes = written(profile);
        assert!(bytes.len() < 29_000 && Stream::from_bytes(profile, tick(), &bytes).is_ok());
        for len in 0..bytes.len() {
            let error = refused(profile, tick(), &bytes[..len]);
            assert!(matches!(error, Error::StateLength { .. } | Error::NoState { .. }), "{len} bytes: {error}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(
            refused(profile, tick(), &longer),
            Error::StateLength { found: longer.len(), expected: bytes.len() }
        );
        for at in (16..bytes.len()).step_by(3) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            assert_eq!(refused(profile, tick(), &changed), Error::StateChanged, "byte {at}");
        }
    }
}

/// The same bytes with a number of four bytes replaced, and the checksum that belongs to them.
fn forged(bytes: &[u8], at: usize, value: i32) -> Vec<u8> {
    let mut forged = bytes[..bytes.len() - 8].to_vec();
    forged[at..at + 4].copy_from_slice(&value.to_le_bytes());
    forged.extend_from_slice(&bytes::checksum(&forged).to_le_bytes());
    forged
}

/// The checksum is right, and yet no rows lead there: that is refused, not computed with.
#[test]
fn a_state_that_no_rows_lead_to_is_refused() {
    let bytes = written(Profile::Session);
    // Profile, second, turnover, volume, high, low, a row's high, its low.
    for (at, value) in [
        (16, 7),
        (28, 90_000),
        (36, -1),
        (44, -1),
        (48, i32::MAX),
        (52, i32::MIN),
        (52, i32::MAX),
        (56, 0),
        (60, i32::MIN),
    ] {
        let error = refused(Profile::Session, tick(), &forged(&bytes, at, value));
        assert_eq!(error, Error::StateChanged, "{value} at {at}");
    }
}

/// Whatever is in a state, it is refused or goes on without a panic.
#[test]
fn no_state_makes_a_stream_panic() {
    let top = crate::series::MAX_TICKS;
    let (mut taken, mut random) = (0, 1_u64);
    for case in 0..6_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let profile = if case % 2 == 0 { Profile::Session } else { Profile::Rolling };
        let rows = [0, 1, 40, 1_799, 1_800, 2_000][case / 2 % 6];
        let tape = Tape::walk(6, rows, 3);
        let bytes = Stream::new(profile, tick()).open(&tape.series()).unwrap().to_bytes();
        // Half of them in the header, from the second on.
        let places = if case % 4 < 2 { 28..56 } else { 28..bytes.len() - 12 };
        let at = places.start + (random >> 33) as usize % (places.len() - 3);
        let value = [0, 1, -1, i32::MAX, i32::MIN, top, (random >> 20) as i32][(random >> 60) as usize % 7];
        let Ok(mut stream) = Stream::from_bytes(profile, tick(), &forged(&bytes, at, value)) else { continue };
        taken += 1;
        stream.follows = Follows::Any;
        for second in 0..3 {
            let bar = Bar { open: top, high: top, low: 1, close: top, volume: u32::MAX, second };
            assert!(matches!(stream.push::<f64>(bar), Ok(_) | Err(Error::Turnover)));
        }
    }
    assert!(taken > 500, "{taken}");
}

#[test]
fn a_stream_of_prices_below_0_is_saved_and_goes_on() {
    let mut tape = Tape::walk(7, 3_000, 3);
    for column in [&mut tape.open, &mut tape.high, &mut tape.low, &mut tape.close] {
        column.iter_mut().for_each(|price| *price -= 20_100);
    }
    let bars = bars(&tape);
    for profile in [Profile::Session, Profile::Rolling] {
        let mut stream = Stream::new(profile, tick());
        agrees(&mut stream, &bars[..2_500], &batch(&tape, profile), 0);
        let mut again = Stream::from_bytes(profile, tick(), &stream.to_bytes()).unwrap();
        agrees(&mut again, &bars[2_500..], &batch(&tape, profile), 2_500);
    }
}

#[test]
fn a_stream_holds_less_than_128_kib() {
    let bytes = size_of::<Stream>() + size_of::<State>();
    assert!(bytes < 128 << 10, "{bytes} bytes");
}
