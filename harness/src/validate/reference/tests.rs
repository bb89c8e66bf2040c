//! Labels and features of a few rows by hand.

use std::fs::File;

use arrow_array::{
    RecordBatch,
    cast::AsArray,
    types::{Float64Type, Int64Type, TimestampNanosecondType},
};
use kernels::Profile::{Rolling, Session};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

/// Bars of one price each, and their volumes.
struct Tape {
    time: Vec<i64>,
    prices: Vec<i64>,
    high: Vec<i64>,
    low: Vec<i64>,
    volume: Vec<i64>,
}

impl Tape {
    fn new(prices: Vec<i64>) -> Self {
        let (high, low, volume) = (prices.clone(), prices.clone(), vec![2; prices.len()]);
        Self { time: (0..).take(prices.len()).collect(), prices, high, low, volume }
    }

    fn series(&self) -> Series<'_> {
        let Self { time, prices, high, low, volume } = self;
        Series { time, open: prices, high, low, close: prices, volume }
    }
}

#[test]
fn a_win_with_its_adverse_move_and_its_seconds() {
    let mut tape = Tape::new(vec![100, 100, 100, 105, 100]);
    (tape.low[1], tape.high[3]) = (97, 112);
    let of = |tape: &Tape, i, mode| outcome(&tape.series(), i, mode, Session, 80);
    assert_eq!(of(&tape, 0, 0), Some((3, 2)));
    // quality 2 - 1.5 * 3 / 6, velocity clipped at 2, ten months of decay.
    assert!((weight(Some((3, 2)), 0, 10) - 2.5 * (-0.5_f64).exp()).abs() < 1e-15);
    assert_eq!(weight(None, 0, 0), 1.0);
    // Another 4 ticks are needed in the second mode, and shorts lose at once.
    assert_eq!((of(&tape, 0, 1), of(&tape, 0, 3)), (None, None));
    // Both on one row is a loss; the last row has no entry.
    tape.low[3] = 94;
    assert_eq!((of(&tape, 0, 0), of(&tape, 4, 0)), (None, None));
}

#[test]
fn the_look_ahead_is_900_rows_and_a_gap_ends_it_in_rolling() {
    let long = |at: usize| {
        let mut tape = Tape::new(vec![100; 1000]);
        tape.high[at] = 112;
        outcome(&tape.series(), 0, 0, Session, 80)
    };
    assert_eq!((long(900), long(901)), (Some((0, 899)), None));
    let mut tape = Tape::new(vec![100; 20]);
    tape.prices[9..].fill(200);
    (tape.high, tape.low) = (tape.prices.clone(), tape.prices.clone());
    let labelled = |i, profile| outcome(&tape.series(), i, 0, profile, 80).is_some();
    assert!(labelled(7, Session) && !labelled(7, Rolling));
    // A limit the change does not exceed is no gap.
    assert!(outcome(&tape.series(), 7, 0, Rolling, 100).is_some());
}

#[test]
fn a_look_ahead_ends_at_the_row_before_a_gap_and_a_night_counts_in_rolling() {
    // The target in row 6; the price gaps between rows 6 and 7.
    let mut tape = Tape::new((0..30).map(|row| if row < 7 { 100 } else { 300 }).collect());
    tape.high[6] = 112;
    let of = |tape: &Tape, i| outcome(&tape.series(), i, 0, Rolling, 80);
    assert_eq!(of(&tape, 0), None);
    // One row later it is in time: the rows 7 to 13 are affected.
    (tape.prices[7], tape.high[7], tape.low[7]) = (100, 100, 100);
    assert_eq!(of(&tape, 0), Some((0, 5)));
    // Rows 13 and 14 would enter at 300 and win in row 16.
    tape.high[16] = 312;
    assert_eq!((of(&tape, 13), of(&tape, 14)), (None, Some((0, 1))));
    tape.time[16..].iter_mut().for_each(|time| *time += 63_000);
    assert_eq!(of(&tape, 14), Some((0, 63_001)));
    assert_eq!(weight(of(&tape, 14), 0, 0), 1.0, "quality 2, velocity 0.5");
}

#[test]
fn a_quiet_market() {
    let tape = Tape::new(vec![6400; 1000]);
    let features = Features::new(tape.series(), Session, 250_000_000);
    let values = features.values(999);
    let [ratio, vwap, position, compression] = [0, 4, 12, 16].map(|feature| values[feature]);
    assert_eq!((ratio, vwap), (1.0, 1600.0));
    assert!(position.is_nan() && compression.is_nan() && values[28].is_nan(), "0 by 0");
    // Every row is in a zone; counted ones are 30 apart.
    assert_eq!((values[17], values[18]), (10.0, 30.0));
    // All 300 are tied: their average rank.
    assert!((values[29] - 100.0 * 150.5 / 300.0).abs() < 1e-12);
    assert!(features.values(298)[9].is_nan() && !features.values(299)[9].is_nan());
    assert_eq!(Features::new(tape.series(), Rolling, 250_000_000).values(298)[17], 0.0);
}

#[test]
fn a_market_that_rises_a_tick_a_second() {
    let tape = Tape::new((4000..5000).collect());
    let values = Features::new(tape.series(), Session, 250_000_000).values(999);
    let near = |feature: usize, expected: f64| (values[feature] - expected).abs() < 1e-12;
    // Half of the way since the session's start, growing at half of the price's pace.
    assert!(near(4, 0.25 * 4499.5) && near(6, 0.125));
    assert!(near(7, 0.0) && near(8, 0.25 * 999.0) && near(11, 0.25 * 299.0));
    assert!(near(19, 30.0 / 4969.0) && near(22, 30.0 / 4969.0 - 60.0 / 4939.0));
    assert!(near(24, 0.25) && near(26, 1.0) && near(27, 0.0) && near(32, 100.0) && near(34, 0.0) && near(35, 100.0));
    // In rolling the vwap is over 300 rows and the running low over 1800, of which there are not as many.
    let values = Features::new(tape.series(), Rolling, 250_000_000).values(999);
    assert!((values[4] - 0.25 * (4999.0 - 149.5)).abs() < 1e-12 && values[8].is_nan());
}

#[test]
fn volume_by_hand() {
    let mut tape = Tape::new(vec![100; 40]);
    tape.volume = (0..40).collect();
    let values = Features::new(tape.series(), Session, 250_000_000).values(39);
    // 39 by the mean of 10 to 39; a second more is a contract more, in means of five as well.
    assert!((values[0] - 39.0 / 24.5).abs() < 1e-15);
    assert!(
        (values[1] - 1.0).abs() < 1e-12 && (values[2] - 1.0).abs() < 1e-12 && (values[3] - values[0]).abs() < 1e-12
    );
}

#[test]
fn one_flag_at_any_time() {
    let at = |hour: u32, minute: u32| flags(hour * 3600 + minute * 60).iter().position(|flag| *flag == 1).unwrap();
    let times = [(0, 0), (7, 29), (7, 30), (8, 30), (9, 15), (11, 0), (13, 0), (14, 30), (14, 59), (15, 0)];
    assert_eq!(times.map(|(hour, minute)| at(hour, minute)), [0, 0, 1, 2, 3, 4, 5, 6, 6, 0]);
}

/// A table of `proptests/tests/golden`.
fn golden(name: &str) -> RecordBatch {
    let path = format!("{}/../proptests/tests/golden/{name}.parquet", env!("CARGO_MANIFEST_DIR"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    builder.with_batch_size(20_000).build().unwrap().next().unwrap().unwrap()
}

#[test]
fn rolling_is_that_of_the_pipeline_it_replaces() {
    let (bars, made) = (golden("rolling-bars"), golden("rolling-labels"));
    let column = |name: &str| bars.column_by_name(name).unwrap();
    let [open, high, low, close] = ["open", "high", "low", "close"].map(|name| {
        let points = column(name).as_primitive::<Float64Type>().values().iter();
        points.map(|points| (points * 4.0) as i64).collect::<Vec<_>>()
    });
    let nanos = column("timestamp").as_primitive::<TimestampNanosecondType>().values();
    let time: Vec<i64> = nanos.iter().map(|nanos| nanos / 1_000_000_000).collect();
    let volume = column("volume").as_primitive::<Int64Type>().values();
    let series = Series { time: &time, open: &open, high: &high, low: &low, close: &close, volume };
    assert_eq!(time.len(), 12_600);
    for (mode, (name, ..)) in MODES.iter().enumerate() {
        let labels = made.column_by_name(&format!("label_{name}")).unwrap().as_primitive::<Int64Type>();
        let weights = made.column_by_name(&format!("weight_{name}")).unwrap().as_primitive::<Float64Type>();
        for row in 0..time.len() {
            let found = outcome(&series, row, mode, Rolling, 80);
            assert_eq!(i64::from(found.is_some()), labels.value(row), "{name} row {row}");
            assert!((weight(found, mode, 0) - weights.value(row)).abs() <= 1e-6, "{name} row {row}");
        }
    }
}
