//! No call of a kernel takes memory: all of it is taken at construction, and that knows nothing of the series.
#![allow(clippy::unwrap_used)]

use allocation_counter::measure;
use kernels::features::{Carry, Category, FLAGS, FLOATS, Features};
use kernels::labels::{Entry, Labeller, MODES, Mode, Outcome, Output, Six, Specification, Tie, Trades};
use kernels::window::{extrema::Extrema, rank::Rank, retouch::Retouch, slope::Slope, sum::Sums};
use kernels::{Columns, Profile, Series, Stream, Tick, weights};
use ndarray::{Array2, s};

const CHUNK: usize = 4_096;
/// A session and a month.
const LENGTHS: [usize; 2] = [27_000, 621_000];

/// A zigzag with still stretches and jumps: all branches of the kernels.
struct Tape {
    prices: [Vec<i32>; 4],
    volume: Vec<u32>,
    second: Vec<u32>,
}

impl Tape {
    fn new(rows: usize) -> Self {
        let close = |row: usize| {
            let (step, still) = (row % 2_000, (row / 500).is_multiple_of(3));
            20_000
                + if still { 7 } else { (step.min(2_000 - step) / 3 + row % 5) as i32 }
                + (row / 100_000) as i32 * 500
        };
        let column = |ticks: i32| (0..rows).map(|row| close(row) + ticks).collect();
        Self {
            prices: [column(0), column(2), column(-1), column(0)],
            volume: (0..rows).map(|row| row as u32 % 50).collect(),
            second: (0..rows).map(|row| 27_000 + (row % 27_000) as u32).collect(),
        }
    }

    fn series(&self) -> Series<'_> {
        let [open, high, low, close] = &self.prices;
        Series::new(Columns { open, high, low, close, volume: &self.volume, second: &self.second }).unwrap()
    }
}

fn chunks(rows: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..rows).step_by(CHUNK).map(move |start| start..rows.min(start + CHUNK))
}

#[test]
fn labels_and_weights() {
    for rows in LENGTHS {
        let tape = Tape::new(rows);
        let series = tape.series();
        for profile in [Profile::Session, Profile::Rolling] {
            let mut labeller = Six::new(profile, 80, CHUNK);
            let mut outcomes = [[Outcome::LOSS; CHUNK]; MODES.len()];
            let (mut label, mut weight) = ([0; CHUNK], [0.0; CHUNK]);
            let memory = measure(|| {
                for chunk in chunks(rows) {
                    let len = chunk.len();
                    labeller
                        .outcomes(&series, chunk.clone(), outcomes.each_mut().map(|column| &mut column[..len]))
                        .unwrap();
                    for (mode, outcomes) in MODES.iter().zip(&outcomes) {
                        weights::labels(&outcomes[..len], &mut label[..len]).unwrap();
                        weights::weights(&series, chunk.clone(), mode, &outcomes[..len], 1.0, &mut weight[..len])
                            .unwrap();
                    }
                }
            });
            assert_eq!(memory.count_total, 0, "{rows} rows, {profile:?}");
        }
    }
}

#[test]
fn labels_of_any_specification() {
    let mut modes = Specification::default().modes().to_vec();
    modes.extend(Specification::atr().modes().iter().cloned().map(|mode| Mode { trailing: true, ..mode }));
    let specification = Specification::new(3600, Entry::Close, Tie::Target, &Output::ALL, modes).unwrap();
    for rows in LENGTHS {
        let tape = Tape::new(rows);
        let series = tape.series();
        for profile in [Profile::Session, Profile::Rolling] {
            let mut labeller = Labeller::new(&specification, profile, 80, CHUNK);
            let mut trades = vec![Trades::default(); 12];
            // What comes out takes its memory once.
            labeller.trades(&series, 0..CHUNK, &mut trades).unwrap();
            let memory = measure(|| {
                for chunk in chunks(rows) {
                    labeller.trades(&series, chunk, &mut trades).unwrap();
                }
            });
            assert_eq!(memory.count_total, 0, "{rows} rows, {profile:?}");
        }
    }
}

#[test]
fn features() {
    for rows in LENGTHS {
        let tape = Tape::new(rows);
        let series = tape.series();
        for profile in [Profile::Session, Profile::Rolling] {
            let mut features = Features::new(profile, Tick::from_nanos(250_000_000).unwrap(), CHUNK);
            let mut values = Array2::<f32>::zeros((FLOATS, CHUNK));
            let mut flags = Array2::zeros((FLAGS, CHUNK));
            let memory = measure(|| {
                let mut carry = Carry::start();
                for chunk in chunks(rows) {
                    let part = s![.., ..chunk.len()];
                    for category in Category::ALL {
                        let values = values.slice_mut(s![category.columns(), ..chunk.len()]);
                        features.compute_category_array(category, &series, chunk.clone(), &carry, values).unwrap();
                    }
                    let (values, flags) = (values.slice_mut(part), flags.slice_mut(part));
                    features.compute_array(&series, chunk, &mut carry, values, flags).unwrap();
                }
            });
            assert_eq!(memory.count_total, 0, "{rows} rows, {profile:?}");
        }
    }
}

/// A stream takes none from the row on after which it was opened, sessions that end and bars that are looked at or refused
/// included.
#[test]
fn stream() {
    let (tape, tick) = (Tape::new(LENGTHS[1]), Tick::from_nanos(250_000_000).unwrap());
    let series = tape.series();
    for profile in [Profile::Session, Profile::Rolling] {
        for rows in [0, 1_000, 27_000] {
            let Tape { prices: [open, high, low, close], volume, second } = &tape;
            let history = Columns {
                open: &open[..rows],
                high: &high[..rows],
                low: &low[..rows],
                close: &close[..rows],
                volume: &volume[..rows],
                second: &second[..rows],
            };
            let mut stream = Stream::new(profile, tick).open(&Series::new(history).unwrap()).unwrap();
            let memory = measure(|| {
                for row in rows..series.len() {
                    let bar = series.bar(row).unwrap();
                    if row % 27_000 == 0 {
                        stream.next_session();
                    }
                    assert!(stream.peek::<f64>(bar).is_ok());
                    assert!(stream.push::<f32>(bar).is_ok());
                    assert!(stream.push::<f32>(bar).is_err());
                }
            });
            assert_eq!(memory.count_total, 0, "after {rows} rows, {profile:?}");
        }
        let taken = measure(|| drop(Stream::new(profile, tick)));
        assert!(taken.bytes_total < 128 << 10 && taken.count_total == 1, "{} bytes", taken.bytes_total);
    }
}

#[test]
fn windows() {
    let tape = Tape::new(CHUNK);
    let [_, high, low, close] = &tape.prices;
    for window in [30, 300, 900] {
        let mut extrema = Extrema::new(window, CHUNK);
        let mut retouch = Retouch::new(window, CHUNK);
        let mut rank = Rank::new(window, CHUNK);
        let (mut sums, mut slope) = (Sums::new(CHUNK), Slope::new(CHUNK));
        let memory = measure(|| {
            extrema.set(high, low);
            retouch.set(window, high, low, extrema.high(), extrema.low());
            rank.set(close);
            sums.set(close.iter().copied());
            slope.set(close.iter().map(|&close| close.into()));
            let at = window - 1..CHUNK;
            assert_ne!(sums.over(window, at.clone()).map(i64::from).chain(slope.over(window, at)).max(), None);
        });
        assert_eq!(memory.count_total, 0, "window {window}");
    }
}

/// The counter counts, and what a kernel takes at construction depends on the chunk alone.
#[test]
fn construction() {
    let tick = Tick::from_nanos(250_000_000).unwrap();
    let bytes = |chunk: usize| {
        let features = measure(|| drop(Features::new(Profile::Session, tick, chunk))).bytes_total;
        features + measure(|| drop(Six::new(Profile::Session, 80, chunk))).bytes_total
    };
    assert!(bytes(CHUNK) > 0 && bytes(CHUNK) < 2 << 20, "{} bytes", bytes(CHUNK));
    assert!(bytes(2 * CHUNK) > bytes(CHUNK));
}
