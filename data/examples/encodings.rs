//! What each column of a training file takes in each encoding: bytes a row and nanoseconds a row, with zstd level 1.
//!
//! `cargo run --release -p data --example encodings FILE.parquet`. The table in `training_file/encoding.rs` follows from it.

use std::{error::Error, fs::File, sync::Arc, time::Instant};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Schema};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, Encoding, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties},
    schema::types::ColumnPath,
};

/// Times each encoding is run; the fastest counts.
const REPEATS: usize = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("which file? give a Parquet of a month")?;
    let groups = ParquetRecordBatchReaderBuilder::try_new(File::open(&path)?)?.metadata().num_row_groups();
    let mut sessions = Vec::new();
    for group in 0..groups {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path)?)?.with_row_groups(vec![group]);
        let batches = reader.with_batch_size(1 << 20).build()?.collect::<Result<Vec<RecordBatch>, _>>()?;
        sessions.extend(batches);
    }
    let encodings: [(&str, Option<Encoding>); 4] = [
        ("dictionary", None),
        ("plain", Some(Encoding::PLAIN)),
        ("split", Some(Encoding::BYTE_STREAM_SPLIT)),
        ("delta", Some(Encoding::DELTA_BINARY_PACKED)),
    ];
    let schema = sessions.first().ok_or("the file has no rows")?.schema();
    println!("{:28} {}", "column", encodings.map(|(name, _)| format!("{name:>24}")).concat());
    println!("bytes a row and nanoseconds a row, first without compression, then with zstd level 1\n");
    for (index, field) in schema.fields().iter().enumerate() {
        let only = Arc::new(Schema::new(vec![Arc::clone(field)]));
        let mut line = format!("{:28}", field.name());
        let whole = matches!(field.data_type(), DataType::Int8 | DataType::Int64 | DataType::Timestamp(..));
        for (_, encoding) in encodings {
            if encoding == Some(Encoding::DELTA_BINARY_PACKED) && !whole {
                continue;
            }
            let mut cells = Vec::new();
            for level in [0, 1] {
                cells.push(
                    measure(&sessions, index, &only, encoding, level).map_or_else(
                        |_| format!("{:>12}", "-"),
                        |(bytes, nanos)| format!(" {bytes:>6.3} {nanos:>5.1}"),
                    ),
                );
            }
            line += &format!(" | {}", cells.concat());
        }
        println!("{line}");
    }
    Ok(())
}

/// Bytes and nanoseconds a row.
fn measure(
    sessions: &[RecordBatch],
    index: usize,
    schema: &Arc<Schema>,
    encoding: Option<Encoding>,
    level: i32,
) -> Result<(f64, f64), Box<dyn Error>> {
    let column = ColumnPath::from(schema.field(0).name().as_str());
    let compression =
        if level == 0 { Compression::UNCOMPRESSED } else { Compression::ZSTD(ZstdLevel::try_new(level)?) };
    let mut properties = WriterProperties::builder().set_compression(compression);
    if let Some(encoding) = encoding {
        properties =
            properties.set_column_dictionary_enabled(column.clone(), false).set_column_encoding(column, encoding);
    }
    properties = properties.set_statistics_enabled(EnabledStatistics::Chunk);
    let properties = properties.build();
    let rows: usize = sessions.iter().map(RecordBatch::num_rows).sum();
    let (mut bytes, mut best) = (0, f64::INFINITY);
    for _ in 0..REPEATS {
        let start = Instant::now();
        let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(schema), Some(properties.clone()))?;
        for session in sessions {
            writer.write(&RecordBatch::try_new(Arc::clone(schema), vec![Arc::clone(session.column(index))])?)?;
            writer.flush()?;
        }
        bytes = writer.into_inner()?.len();
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok((bytes as f64 / rows as f64, 1e9 * best / rows as f64))
}
