//! What the wheel computes, timed without Python: `bench.py` holds its own times beside these. Prints core seconds as JSON.
//!
//! Nothing of Python is called, so it links without a Python library:
//! `cargo rustc --release --example rust_time -- -C link-arg=-Wl,--unresolved-symbols=ignore-all`
#![allow(clippy::unwrap_used)]

use std::{fs::File, hint::black_box, sync::Arc, time::Instant};

use _native::{
    bars::Bars,
    compute::{How, features, labels},
    import::{Input, NAMES},
};
use arrow_array::{Array, ArrayRef, Float64Array, Int32Array, Int64Array, UInt32Array, cast::AsArray, types};
use arrow_buffer::Buffer;
use data::labels::Labels;
use kernels::{Profile, Tick};
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (path, repeat) = (arguments.next().unwrap(), arguments.next().unwrap().parse::<usize>().unwrap());
    let points = read(&path);
    let ticks = in_ticks(&points);
    let tick = Tick::from_nanos(250_000_000).unwrap();
    let how = How { profile: Profile::Session, tick, gap_ticks: 80, decay_reference: None, threads: Some(1) };
    let specification = Labels::preset("default").unwrap().specification;
    let mut found = serde_json::Map::new();
    for (form, input) in [("points", &points), ("ticks", &ticks)] {
        let bars = || Bars::new(input, tick, 300).unwrap();
        let best = |work: &dyn Fn()| {
            let one = |_| {
                let begin = Instant::now();
                work();
                begin.elapsed().as_secs_f64()
            };
            (0..repeat).map(one).fold(f64::INFINITY, f64::min)
        };
        let labels = best(&|| drop(black_box(labels(&bars(), &specification, &how).unwrap())));
        let features = best(&|| drop(black_box(features::<f32>(&bars(), &how).unwrap())));
        found.insert(format!("labels, {form}"), labels.into());
        found.insert(format!("features, {form}"), features.into());
    }
    println!("{}", serde_json::Value::from(found));
}

/// The bars of a training file, each column in one piece.
fn read(path: &str) -> Input {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let mask = ProjectionMask::columns(builder.parquet_schema(), NAMES);
    let rows = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap();
    let batches: Vec<_> =
        builder.with_projection(mask).with_batch_size(rows).build().unwrap().map(Result::unwrap).collect();
    let column = |index: usize| {
        let chunks: Vec<ArrayRef> = batches.iter().map(|batch| Arc::clone(batch.column(index))).collect();
        let bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.to_data().buffers()[0].to_vec()).collect();
        let data = chunks[0].to_data().into_builder().len(rows).buffers(vec![Buffer::from_slice_ref(&bytes)]);
        Some(vec![arrow_array::make_array(data.build().unwrap())])
    };
    let index = [0, 1, 2, 3, 4, 5];
    Input { columns: index.map(column), names: NAMES.map(str::to_owned).to_vec() }
}

fn in_ticks(points: &Input) -> Input {
    let mut columns = points.columns.clone();
    for column in &mut columns[1..5] {
        let chunk = &mut column.as_mut().unwrap()[0];
        let prices: &Float64Array = chunk.as_primitive::<types::Float64Type>();
        let ticks: Int32Array = prices.values().iter().map(|price| (price * 4.0) as i32).collect::<Vec<_>>().into();
        *chunk = Arc::new(ticks);
    }
    let chunk = &mut columns[5].as_mut().unwrap()[0];
    let volume: &Int64Array = chunk.as_primitive::<types::Int64Type>();
    let volume: UInt32Array = volume.values().iter().map(|&volume| volume as u32).collect::<Vec<_>>().into();
    *chunk = Arc::new(volume);
    Input { columns, names: points.names.clone() }
}
