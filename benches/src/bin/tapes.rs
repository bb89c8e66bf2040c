//! Writes the walks as Arrow files of bars, `tapes FOLDER`, for `harness process` and then `benches/python/kernels.py`.
#![allow(clippy::unwrap_used)]

use std::{fs::File, path::PathBuf, sync::Arc};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampNanosecondArray};
use arrow_ipc::writer::FileWriter;
use benches::tape::{MARKETS, Tape};
use kernels::Tick;

/// 2025-01-07, 00:00 in Chicago, in UTC seconds.
const MIDNIGHT: i64 = 1_736_229_600;

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/tapes".into()));
    std::fs::create_dir_all(&folder).unwrap();
    for market in MARKETS {
        let path = folder.join(format!("{}.arrow", market.name));
        let batch = bars(&market.walk(1));
        let mut writer = FileWriter::try_new(File::create(&path).unwrap(), &batch.schema()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        println!("{}", path.display());
    }
}

fn bars(tape: &Tape) -> RecordBatch {
    let series = tape.series();
    let nanos = series.second().iter().map(|&second| (MIDNIGHT + i64::from(second)) * 1_000_000_000);
    let points = |column: &[i32], tick: Tick| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(column.iter().map(|&ticks| tick.points(ticks))))
    };
    RecordBatch::try_from_iter([
        ("timestamp", Arc::new(TimestampNanosecondArray::from_iter_values(nanos).with_timezone("UTC")) as ArrayRef),
        ("open", points(series.open(), tape.tick)),
        ("high", points(series.high(), tape.tick)),
        ("low", points(series.low(), tape.tick)),
        ("close", points(series.close(), tape.tick)),
        ("volume", Arc::new(Int64Array::from_iter_values(series.volume().iter().map(|&volume| volume.into())))),
    ])
    .unwrap()
}
