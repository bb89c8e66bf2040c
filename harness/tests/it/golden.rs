//! The program on the bars whose labels and weights the Python pipeline wrote: `proptests/tests/golden`.

use std::{fs::File, path::Path};

use arrow_array::{
    RecordBatch,
    cast::AsArray,
    types::{Float32Type, Float64Type, Int8Type, Int64Type},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::month::{harness, json};

const MODES: [&str; 6] =
    ["low_vol_long", "normal_vol_long", "high_vol_long", "low_vol_short", "normal_vol_short", "high_vol_short"];

const BARS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../proptests/tests/golden/rolling-bars.parquet");
const LABELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../proptests/tests/golden/rolling-labels.parquet");

fn batches(path: &Path) -> Vec<RecordBatch> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    builder.build().unwrap().map(|batch| batch.unwrap()).collect()
}

/// A column's values, joined.
fn column<T>(batches: &[RecordBatch], name: &str, values: impl Fn(&dyn arrow_array::Array) -> Vec<T>) -> Vec<T> {
    batches.iter().flat_map(|batch| values(batch.column_by_name(name).unwrap().as_ref())).collect()
}

#[test]
fn rolling_writes_the_labels_and_weights_of_the_pipeline_it_replaces() {
    let folder = tempfile::tempdir().unwrap();
    let statistics =
        json(harness(folder.path()).args(["process", BARS, "out.parquet", "--profile", "rolling", "--json"]));
    let (made, golden) = (batches(&folder.path().join("out.parquet")), batches(LABELS.as_ref()));
    for mode in MODES {
        let name = format!("label_{mode}");
        let label: Vec<i64> = column(&made, &name, |column| {
            column.as_primitive::<Int8Type>().values().iter().map(|&label| label.into()).collect()
        });
        let expected = column(&golden, &name, |column| column.as_primitive::<Int64Type>().values().to_vec());
        assert_eq!(expected.len(), 12_600);
        assert!(label == expected, "{name}");
        let name = format!("weight_{mode}");
        let weight = column(&made, &name, |column| column.as_primitive::<Float32Type>().values().to_vec());
        let expected = column(&golden, &name, |column| column.as_primitive::<Float64Type>().values().to_vec());
        for (row, (&weight, expected)) in weight.iter().zip(expected).enumerate() {
            assert!((f64::from(weight) - expected).abs() <= 1e-6, "{name} row {row}: {weight}, not {expected}");
        }
    }
    // The nights are in the seconds: 193 of 3,379 wins are open over one, and 20 hours pass over most of them.
    let of = |mode: &str| statistics["modes"][mode]["seconds_to_target"].clone();
    let long = of("high_vol_long");
    assert_eq!((&long["p50"], &long["p90"], &long["p95"]), (&138.into(), &577.into(), &84_641.into()));
    assert!((long["mean"].as_f64().unwrap() - 51_992_240.0 / 3_379.0).abs() < 1e-9, "{long}");
    assert_eq!(of("high_vol_short")["p95"], 258_064);
}
