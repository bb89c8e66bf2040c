//! The output: 61 columns as Parquet, one row group a session.

use std::{fs::File, io::BufWriter, path::Path, sync::Arc};

use arrow_array::{ArrayRef, Float32Array, Float64Array, Int8Array, Int64Array, TimestampNanosecondArray};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use kernels::{
    Tick,
    features::{FLAG_NAMES, FLOAT_NAMES, Float},
    labels::MODES,
};
use parquet::{
    arrow::{
        ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata,
        arrow_writer::{ArrowColumnChunk, ArrowRowGroupWriterFactory, compute_leaves},
    },
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::types::ColumnPath,
};
use rayon::prelude::*;

use crate::{compute::SessionColumns, encoding, grid::Grid};

/// Sessions encoded at a time: enough for every core, few enough for the memory.
const IN_FLIGHT: usize = 8;

/// A feature value that can stand in a column.
pub trait Value: Float + Default {
    /// Its Arrow type.
    const TYPE: DataType;
    /// A column over `rows` values of `buffer` from `first` on, without a copy.
    fn column(buffer: &Buffer, first: usize, rows: usize) -> ArrayRef;
    /// Takes the values as a buffer.
    fn buffer(values: Vec<Self>) -> Buffer;
}

impl Value for f32 {
    const TYPE: DataType = DataType::Float32;
    fn column(buffer: &Buffer, first: usize, rows: usize) -> ArrayRef {
        Arc::new(Float32Array::new(ScalarBuffer::new(buffer.clone(), first, rows), None))
    }
    fn buffer(values: Vec<Self>) -> Buffer {
        Buffer::from_vec(values)
    }
}

impl Value for f64 {
    const TYPE: DataType = DataType::Float64;
    fn column(buffer: &Buffer, first: usize, rows: usize) -> ArrayRef {
        Arc::new(Float64Array::new(ScalarBuffer::new(buffer.clone(), first, rows), None))
    }
    fn buffer(values: Vec<Self>) -> Buffer {
        Buffer::from_vec(values)
    }
}

/// The 61 columns in order; the same every month. `F` is the type of the features.
#[must_use]
pub fn schema<F: Value>() -> SchemaRef {
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, false);
    let mut fields = vec![field("timestamp", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())))];
    fields.extend(["open", "high", "low", "close"].map(|name| field(name, DataType::Float64)));
    fields.push(field("volume", DataType::Int64));
    for mode in &MODES {
        fields.push(field(&format!("label_{}", mode.name), DataType::Int8));
        fields.push(field(&format!("weight_{}", mode.name), DataType::Float32));
    }
    fields.extend(FLOAT_NAMES.map(|name| field(name, F::TYPE)));
    fields.extend(FLAG_NAMES.map(|name| field(name, DataType::Int8)));
    Arc::new(Schema::new(fields))
}

/// A Parquet file being written, month after month.
pub struct TrainingFile {
    writer: SerializedFileWriter<BufWriter<File>>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    tick: Tick,
    rows: u64,
    row_groups: usize,
}

impl TrainingFile {
    /// Creates the file; `metadata` becomes its key-value metadata, in order.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create<F: Value>(path: &Path, tick: Tick, metadata: &[(String, String)]) -> Result<Self, ParquetError> {
        let schema = schema::<F>();
        let mut properties = properties(&schema, metadata)?;
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let parquet_schema = ArrowSchemaConverter::new().convert(&schema)?;
        let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let writer = SerializedFileWriter::new(file, parquet_schema.root_schema_ptr(), Arc::new(properties))?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema));
        Ok(Self { writer, factory, schema, tick, rows: 0, row_groups: 0 })
    }

    /// Appends the sessions of one month, each a row group; the bytes do not depend on the number of threads.
    ///
    /// # Errors
    /// Encoding or writing failed.
    pub fn append<F: Value>(
        &mut self,
        grid: &Grid,
        sessions: Vec<SessionColumns<F>>,
        done: &(dyn Fn() + Sync),
    ) -> Result<(), ParquetError> {
        let mut sessions = sessions.into_iter().enumerate().peekable();
        while sessions.peek().is_some() {
            let batch: Vec<_> = sessions.by_ref().take(IN_FLIGHT).collect();
            let first = self.row_groups;
            let encoded: Vec<Result<Vec<ArrowColumnChunk>, ParquetError>> = batch
                .into_par_iter()
                .enumerate()
                .map(|(offset, (number, session))| {
                    let chunks = self.encode(first + offset, arrays(grid, number, session, self.tick));
                    done();
                    chunks
                })
                .collect();
            for chunks in encoded {
                let mut row_group = self.writer.next_row_group()?;
                for chunk in chunks? {
                    chunk.append_to_row_group(&mut row_group)?;
                }
                self.rows += u64::try_from(row_group.close()?.num_rows()).unwrap_or_default();
                self.row_groups += 1;
            }
        }
        Ok(())
    }

    fn encode(&self, row_group: usize, arrays: Vec<ArrayRef>) -> Result<Vec<ArrowColumnChunk>, ParquetError> {
        let writers = self.factory.create_column_writers(row_group)?;
        let mut columns: Vec<_> = writers.into_iter().zip(arrays).zip(self.schema.fields()).collect();
        columns
            .par_drain(..)
            .map(|((mut writer, array), field)| {
                for leaf in compute_leaves(field, &array)? {
                    writer.write(&leaf)?;
                }
                writer.close()
            })
            .collect()
    }

    /// Finishes the file and makes it durable; returns its rows.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(self) -> Result<u64, ParquetError> {
        let file = self.writer.into_inner()?.into_inner().map_err(|error| ParquetError::External(Box::new(error)))?;
        file.sync_all()?;
        Ok(self.rows)
    }
}

/// Encodings by [`encoding`], zstd level 1, and one minimum and maximum a column chunk: a row group is one session, and
/// nobody looks for less.
fn properties(schema: &Schema, metadata: &[(String, String)]) -> Result<WriterProperties, ParquetError> {
    let pairs = metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect();
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("harness ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(pairs));
    for field in schema.fields() {
        if let Some(encoding) = encoding::of(field.name()) {
            let column = ColumnPath::from(field.name().as_str());
            builder =
                builder.set_column_dictionary_enabled(column.clone(), false).set_column_encoding(column, encoding);
        }
    }
    Ok(builder.build())
}

/// One session's 61 columns in the order of [`schema`].
fn arrays<F: Value>(grid: &Grid, number: usize, session: SessionColumns<F>, tick: Tick) -> Vec<ArrayRef> {
    let SessionColumns { rows, labels, weights, values, flags, .. } = session;
    let first = grid.sessions[number].first_second;
    let times = (0..rows.len() as i64).map(|row| (first + row) * 1_000_000_000);
    let mut arrays: Vec<ArrayRef> =
        vec![Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC"))];
    for column in [&grid.open, &grid.high, &grid.low, &grid.close] {
        arrays.push(Arc::new(Float64Array::from_iter_values(
            column[rows.clone()].iter().map(|&price| tick.points(price)),
        )));
    }
    let volume = grid.volume[rows.clone()].iter().map(|&volume| i64::from(volume));
    arrays.push(Arc::new(Int64Array::from_iter_values(volume)));
    for (labels, weights) in labels.into_iter().zip(weights) {
        arrays.push(Arc::new(Int8Array::from(labels)));
        arrays.push(Arc::new(Float32Array::from(weights)));
    }
    let (values, _) = values.into_raw_vec_and_offset();
    let values = F::buffer(values);
    arrays.extend((0..FLOAT_NAMES.len()).map(|feature| F::column(&values, feature * rows.len(), rows.len())));
    let (flags, _) = flags.into_raw_vec_and_offset();
    let flags = Buffer::from_vec(flags);
    let flag = |flag: usize| ScalarBuffer::new(flags.clone(), flag * rows.len(), rows.len());
    arrays.extend((0..FLAG_NAMES.len()).map(|index| Arc::new(Int8Array::new(flag(index), None)) as ArrayRef));
    arrays
}
