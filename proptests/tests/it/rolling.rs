//! What the Python pipeline wrote, whose profile `rolling` is: `tests/golden/rolling-bars.parquet` are seven sessions of half an
//! hour with nights, gaps of more than 20 points and one of exactly 20, and wins that are open over a night;
//! `rolling-labels.parquet` are its labels and weights, undecayed. Kernels and reference are held to it, each on its own.

use std::{fs::File, path::PathBuf, sync::LazyLock};

use arrow_array::{
    RecordBatch,
    cast::AsArray,
    types::{Float64Type, Int64Type, TimestampNanosecondType},
};
use data::{
    Instrument,
    compute::{self, Computation},
    contract::Choice,
    grid::Grid,
    input, session,
};
use kernels::labels::MODES;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptests::{Profile, Tape, labels};

use crate::tapes::GAP;

const ROWS: usize = 12_600;

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/golden", name].iter().collect()
}

fn table(name: &str) -> RecordBatch {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path(name)).unwrap()).unwrap();
    let table = builder.with_batch_size(ROWS + 1).build().unwrap().next().unwrap().unwrap();
    assert_eq!(table.num_rows(), ROWS);
    table
}

static LABELS: LazyLock<RecordBatch> = LazyLock::new(|| table("rolling-labels.parquet"));

/// Asserts label and weight of a row.
fn compare(row: usize, mode: usize, label: i64, weight: f64) {
    let name = MODES[mode].name;
    let column = |kind: &str| LABELS.column_by_name(&format!("{kind}_{name}")).unwrap();
    assert_eq!(label, column("label").as_primitive::<Int64Type>().value(row), "label_{name} row {row}");
    let expected = column("weight").as_primitive::<Float64Type>().value(row);
    assert!((weight - expected).abs() <= 1e-6, "weight_{name} row {row}: {weight}, not {expected}");
}

/// The bars as the reference takes them, straight from the file.
fn tape() -> Tape {
    let bars = table("rolling-bars.parquet");
    let column = |name: &str| bars.column_by_name(name).unwrap();
    let ticks = |name: &str, row: usize| (column(name).as_primitive::<Float64Type>().value(row) * 4.0) as i64;
    let mut tape = Tape::default();
    for row in 0..ROWS {
        let prices = ["open", "high", "low", "close"].map(|name| ticks(name, row));
        tape.push(prices, column("volume").as_primitive::<Int64Type>().value(row), 0);
        tape.time[row] = column("timestamp").as_primitive::<TimestampNanosecondType>().value(row) / 1_000_000_000;
    }
    tape
}

#[test]
fn the_reference_labels_and_weighs_as_the_pipeline_did() {
    let tape = tape();
    let mut over_a_night = 0;
    for row in 0..ROWS {
        for mode in 0..6 {
            let win = labels::outcome(&tape, row, mode, Profile::Rolling, GAP);
            over_a_night += usize::from(win.is_some_and(|win| win.seconds >= 900));
            compare(row, mode, i64::from(win.is_some()), labels::weight(win, mode, 0));
        }
    }
    assert!(over_a_night > 600, "{over_a_night} wins are open over a night");
}

#[test]
fn the_kernels_label_and_weigh_as_the_pipeline_did_whatever_the_chunk() {
    let instrument = Instrument::default();
    let mut grid: Option<Grid> = None;
    input::read(&path("rolling-bars.parquet"), &instrument, &mut |columns| {
        grid = Some(session::cut_alone(&columns.view(), &instrument, Choice::Volume).unwrap());
        Ok(())
    })
    .unwrap();
    let grid = grid.unwrap();
    assert_eq!((grid.rows(), grid.sessions.len(), grid.breaks().len()), (ROWS, 7, 6));
    for chunk_rows in [4096, 333] {
        let computation = Computation {
            profile: kernels::Profile::Rolling,
            tick: instrument.tick().unwrap(),
            gap_ticks: instrument.gap_ticks(),
            labels: std::sync::Arc::default(),
            decay_reference: grid.month,
            chunk_rows,
        };
        for number in 0..grid.sessions.len() {
            let columns = compute::session::<f32>(&grid, number, &computation, &|_| ()).unwrap();
            for (at, row) in columns.rows.clone().enumerate() {
                for mode in 0..6 {
                    compare(row, mode, columns.modes[mode].label[at].into(), columns.modes[mode].weight[at].into());
                }
            }
        }
    }
}
