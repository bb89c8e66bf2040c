//! Bar by bar as in the batch: all features to the bit, in f64 and f32, in both profiles, whatever was looked at, written down
//! and taken up, or opened from history in between.

use crate::bits;
use crate::tapes::{Ticks, cases, features, for_every_level, month, named, tape};
use kernels::{
    Bar, Break, Error, Series, Stream, Tick,
    features::{FLAG_NAMES, FLOAT_NAMES},
    stream::Row,
};
use ndarray::Array2;
use proptest::{collection::vec, prelude::*, sample::Index};
use proptests::{Profile, Tape};

/// What the batch makes of a session or month.
struct Batch {
    profile: kernels::Profile,
    tick: Tick,
    wide: Array2<f64>,
    narrow: Array2<f32>,
    flags: Array2<i8>,
}

impl Batch {
    fn new(series: &Series<'_>, profile: Profile, tick: Tick) -> Self {
        let (wide, flags) = features(series, profile, tick, 4096);
        let (narrow, _) = features(series, profile, tick, 4096);
        Self { profile: named(profile), tick, wide, narrow, flags }
    }

    /// Holds row `row` of a stream against its own.
    fn compare(&self, row: usize, wide: &Row<f64>, narrow: &Row<f32>) -> Result<(), TestCaseError> {
        for (column, name) in FLOAT_NAMES.iter().enumerate() {
            let (found, expected) = (wide.floats[column], self.wide[[column, row]]);
            let same = found.to_bits() == expected.to_bits();
            prop_assert!(same, "{} row {}: {:e}, the batch {:e}", name, row, found, expected);
            let (found, expected) = (narrow.floats[column], self.narrow[[column, row]]);
            let same = found.to_bits() == expected.to_bits();
            prop_assert!(same, "{} row {}: {:e}, the batch {:e}, in f32", name, row, found, expected);
        }
        for (column, name) in FLAG_NAMES.iter().enumerate() {
            prop_assert_eq!(wide.flags[column], self.flags[[column, row]], "{} row {}", name, row);
        }
        prop_assert_eq!(wide.flags, narrow.flags);
        Ok(())
    }
}

/// What else happens to a stream before a row.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// It goes through bytes.
    Restart,
    /// Another is opened from the rows before.
    Open,
    /// A bar is looked at that is still forming: all its prices are so many ticks away.
    Peek(i32),
}

fn events() -> impl Strategy<Value = Vec<(Index, Event)>> {
    let event = prop_oneof![Just(Event::Restart), Just(Event::Open), (-500..500).prop_map(Event::Peek)];
    vec((any::<Index>(), event), 0..12)
}

/// Pushes all rows of a series and compares them.
fn push(
    stream: &mut Stream,
    series: &Series<'_>,
    history: impl Fn(usize) -> Stream,
    expected: &Batch,
    events: &[(Index, Event)],
) -> Result<(), TestCaseError> {
    for row in 0..series.len() {
        let bar = series.bar(row).unwrap();
        if series.breaks().iter().any(|night| night.row == row) {
            stream.next_session();
        }
        for (_, event) in events.iter().filter(|(at, _)| at.index(series.len()) == row) {
            happens(stream, expected, *event, bar, || history(row))?;
        }
        let forming: Row<f64> = stream.peek(bar).unwrap();
        let narrow = stream.peek(bar).unwrap();
        let formed = stream.push(bar).unwrap();
        expected.compare(row, &formed, &narrow)?;
        let bits = |row: &Row<f64>| row.floats.map(f64::to_bits);
        prop_assert_eq!((bits(&forming), forming.flags), (bits(&formed), formed.flags), "row {}", row);
    }
    Ok(())
}

fn happens(
    stream: &mut Stream,
    expected: &Batch,
    event: Event,
    next: Bar,
    history: impl Fn() -> Stream,
) -> Result<(), TestCaseError> {
    let before = stream.to_bytes();
    match event {
        Event::Restart => *stream = Stream::from_bytes(expected.profile, expected.tick, &before).unwrap(),
        Event::Open => *stream = history(),
        Event::Peek(ticks) => {
            let [open, high, low, close] = [next.open, next.high, next.low, next.close].map(|price| price + ticks);
            let forming = Bar { open, high, low, close, volume: next.volume / 2, ..next };
            let row = stream.peek::<f64>(forming);
            let beyond = matches!(row, Err(Error::Limits { .. }));
            prop_assert!(row.is_ok() || beyond);
        }
    }
    prop_assert!(stream.to_bytes() == before, "{:?} changed what the stream knows", event);
    Ok(())
}

#[test]
fn at_every_level() {
    let ticks = Ticks::of(&bits::tape(2, 3));
    let (series, tick) = (ticks.series(), Tick::from_nanos(100_000_000).unwrap());
    for profile in [Profile::Session, Profile::Rolling] {
        let expected = Batch::new(&series, profile, tick);
        for_every_level(|_| {
            let mut stream = Stream::new(named(profile), tick);
            push(&mut stream, &series, |_| Stream::new(named(profile), tick), &expected, &[]).unwrap();
        });
    }
}

/// ES, GC, and a tick that is no short fraction.
fn ticks() -> impl Strategy<Value = Tick> {
    prop_oneof![Just(250_000_000), Just(100_000_000), Just(5_000), Just(1_234_567_890)]
        .prop_map(|nanos| Tick::from_nanos(nanos).unwrap())
}

/// Up to four sessions, some of a row or a few.
fn sessions() -> impl Strategy<Value = Vec<Tape>> {
    let one = tape(1).prop_map(|tape| {
        let mut first = Tape::default();
        first.push([tape.open[0], tape.high[0], tape.low[0], tape.close[0]], tape.volume[0], tape.second[0]);
        first
    });
    vec(prop_oneof![4 => tape(500), 1 => tape(1), 1 => one], 1..=4)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn session(sessions in sessions(), tick in ticks(), events in events()) {
        let profile = Profile::Session;
        let mut stream = Stream::new(named(profile), tick);
        for tape in sessions {
            stream.next_session();
            let ticks = Ticks::of(&tape);
            match ticks.try_series() {
                Ok(series) => {
                    let opened = |row: usize| {
                        Stream::new(named(profile), tick).open(&ticks.part(0..row).unwrap()).unwrap()
                    };
                    push(&mut stream, &series, opened, &Batch::new(&series, profile, tick), &events)?;
                }
                // More than a series holds: the stream refuses it at a row, where the batch refuses the whole.
                Err(error) => {
                    let bars = (0..tape.len()).filter_map(|row| ticks.part(row..row + 1).unwrap().bar(0));
                    let refused = bars.map(|bar| stream.push::<f32>(bar)).find_map(Result::err);
                    prop_assert_eq!(refused, Some(error));
                }
            }
        }
    }

    #[test]
    fn rolling(tape in month(600), tick in ticks(), events in events()) {
        let ticks = Ticks::of(&tape);
        let series = ticks.try_series();
        prop_assume!(series.is_ok());
        let series = series.unwrap();
        let (profile, mut stream) = (Profile::Rolling, Stream::new(named(Profile::Rolling), tick));
        // The last 1,800 rows are history enough.
        let opened = |row: usize| {
            let from = row.saturating_sub(1800);
            let within = series.breaks().iter().filter(|night| from < night.row && night.row < row);
            let breaks: Vec<Break> = within.map(|night| Break { row: night.row - from, ..*night }).collect();
            let history = ticks.part(from..row).unwrap();
            let mut opened = Stream::new(named(profile), tick).open(&history.with_breaks(&breaks).unwrap()).unwrap();
            if series.breaks().iter().any(|night| night.row == row) {
                opened.next_session();
            }
            opened
        };
        push(&mut stream, &series, opened, &Batch::new(&series, profile, tick), &events)?;
    }
}
