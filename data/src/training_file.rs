//! The output: columns of bars, labels and features as Parquet, one row group a session.

use std::{
    fs::File,
    io::{BufWriter, IntoInnerError},
    marker::PhantomData,
    ops::Range,
    path::Path,
    sync::Arc,
};

use arrow_array::{
    ArrayRef, Float32Array, Float64Array, Int8Array, Int16Array, Int64Array, TimestampMicrosecondArray,
    TimestampNanosecondArray,
};
use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use kernels::{
    Tick,
    features::{FLAG_NAMES, FLAGS, FLOAT_NAMES, FLOATS, Float},
    labels::{MODES, Output, Specification},
};
use ndarray::Array2;
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

use crate::{
    compute::{ModeColumns, SessionColumns, Wins},
    encoding,
    grid::Grid,
};

/// A feature value that can stand in a column.
pub trait Value: Float + Default + ArrowNativeType {
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

/// What the timestamps of a file count. Bars are whole seconds, so both say the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timestamps {
    /// Nanoseconds, as Databento has them.
    #[default]
    Nanoseconds,
    /// Microseconds, which readers of tables take: Delta Lake knows no others.
    Microseconds,
}

impl Timestamps {
    /// How settings and metadata name microseconds; files with nanoseconds say nothing of it, as they did before there was
    /// a choice.
    pub const MICROSECONDS: &str = "us";
    /// Under which key they do.
    pub const SETTING: &str = "timestamp_unit";

    /// The unit of the column.
    #[must_use]
    pub fn unit(self) -> TimeUnit {
        match self {
            Self::Nanoseconds => TimeUnit::Nanosecond,
            Self::Microseconds => TimeUnit::Microsecond,
        }
    }

    /// A column of whole seconds since 1970.
    fn column(self, seconds: impl Iterator<Item = i64>) -> ArrayRef {
        match self {
            Self::Nanoseconds => {
                let times = seconds.map(|second| second * 1_000_000_000);
                Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
            Self::Microseconds => {
                let times = seconds.map(|second| second * 1_000_000);
                Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
        }
    }
}

/// The timestamps of a training file in nanoseconds, whatever its column counts; `None` for another column.
#[must_use]
pub fn nanoseconds(column: &ArrayRef) -> Option<Vec<i64>> {
    let any = column.as_any();
    if let Some(column) = any.downcast_ref::<TimestampNanosecondArray>() {
        return Some(column.values().to_vec());
    }
    let micros = any.downcast_ref::<TimestampMicrosecondArray>()?.values();
    Some(micros.iter().map(|micros| micros.saturating_mul(1000)).collect())
}

/// Columns before the labels: time, four prices, volume.
pub const BARS: usize = 6;
/// All columns with the default labels: bars, label and weight of each mode, features.
pub const COLUMNS: usize = BARS + 2 * MODES.len() + FLOATS + FLAGS;

/// How many columns there are with these labels.
#[must_use]
pub fn columns(labels: &Specification) -> usize {
    BARS + labels.columns().count() + FLOATS + FLAGS
}

/// The Arrow type of an output.
#[must_use]
pub fn type_of(output: Output) -> DataType {
    match output {
        Output::Label | Output::Exit => DataType::Int8,
        Output::Weight | Output::Uniqueness => DataType::Float32,
        Output::Seconds | Output::Mae | Output::Mfe | Output::Move => DataType::Int16,
    }
}

/// The columns in order; the same every month. `F` is the type of the features.
#[must_use]
pub fn schema<F: Value>(labels: &Specification, times: Timestamps) -> SchemaRef {
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, false);
    let mut fields = vec![field("timestamp", DataType::Timestamp(times.unit(), Some("UTC".into())))];
    fields.extend(["open", "high", "low", "close"].map(|name| field(name, DataType::Float64)));
    fields.push(field("volume", DataType::Int64));
    let types = labels.outputs().iter().copied().map(type_of).cycle();
    fields.extend(labels.columns().zip(types).map(|(name, of_type)| field(&name, of_type)));
    fields.extend(FLOAT_NAMES.map(|name| field(name, F::TYPE)));
    fields.extend(FLAG_NAMES.map(|name| field(name, DataType::Int8)));
    Arc::new(Schema::new(fields))
}

/// Turns sessions into row groups; shared by the threads that do.
pub struct Encoder {
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    labels: Arc<Specification>,
    times: Timestamps,
    tick: Tick,
}

/// One session as a row group, ready to be written.
pub struct RowGroup(Vec<ArrowColumnChunk>);

impl Encoder {
    /// Encodes session `number` of the grid. The columns are lent to the encoder and come back.
    ///
    /// # Errors
    /// Encoding failed.
    pub fn encode<F: Value>(
        &self,
        grid: &Grid,
        number: usize,
        columns: SessionColumns<F>,
    ) -> Result<(RowGroup, SessionColumns<F>), ParquetError> {
        let lent = Lent::new(columns);
        let mut chunks = Vec::with_capacity(self.schema.fields().len());
        // Row groups differ to the factory only where columns are encrypted.
        let writers = self.factory.create_column_writers(0)?;
        for ((mut writer, array), field) in
            writers.into_iter().zip(lent.arrays(grid, number, self)).zip(self.schema.fields())
        {
            for leaf in compute_leaves(field, &array)? {
                writer.write(&leaf)?;
            }
            chunks.push(writer.close()?);
        }
        Ok((RowGroup(chunks), lent.back()))
    }
}

/// A Parquet file being written, session after session.
pub struct TrainingFile {
    writer: SerializedFileWriter<BufWriter<File>>,
    encoder: Arc<Encoder>,
    rows: u64,
}

impl TrainingFile {
    /// Creates the file; `metadata` becomes its key-value metadata, in order.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create<F: Value>(
        path: &Path,
        tick: Tick,
        labels: &Arc<Specification>,
        times: Timestamps,
        metadata: &[(String, String)],
    ) -> Result<Self, ParquetError> {
        let schema = schema::<F>(labels, times);
        let mut properties = properties(&schema, metadata)?;
        add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        let parquet_schema = ArrowSchemaConverter::new().convert(&schema)?;
        let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let writer = SerializedFileWriter::new(file, parquet_schema.root_schema_ptr(), Arc::new(properties))?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema));
        Ok(Self {
            writer,
            encoder: Arc::new(Encoder { factory, schema, labels: Arc::clone(labels), times, tick }),
            rows: 0,
        })
    }

    /// What encodes the sessions of this file.
    #[must_use]
    pub fn encoder(&self) -> Arc<Encoder> {
        Arc::clone(&self.encoder)
    }

    /// Appends the next session.
    ///
    /// # Errors
    /// Writing failed.
    pub fn append(&mut self, RowGroup(chunks): RowGroup) -> Result<(), ParquetError> {
        let mut row_group = self.writer.next_row_group()?;
        for chunk in chunks {
            chunk.append_to_row_group(&mut row_group)?;
        }
        self.rows += u64::try_from(row_group.close()?.num_rows()).unwrap_or_default();
        Ok(())
    }

    /// Finishes the file and makes it durable; returns its rows.
    ///
    /// # Errors
    /// Writing failed.
    pub fn finish(self) -> Result<u64, ParquetError> {
        let file = self.writer.into_inner()?.into_inner().map_err(IntoInnerError::into_error)?;
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

/// The columns of a session as buffers that arrays can share.
struct Lent<F> {
    rows: Range<usize>,
    modes: Vec<LentMode>,
    values: Buffer,
    flags: Buffer,
    of: PhantomData<F>,
}

impl<F: Value> Lent<F> {
    fn new(columns: SessionColumns<F>) -> Self {
        let SessionColumns { rows, modes, values, flags } = columns;
        let (values, _) = values.into_raw_vec_and_offset();
        let (flags, _) = flags.into_raw_vec_and_offset();
        Self {
            rows,
            modes: modes.into_iter().map(LentMode::from).collect(),
            values: F::buffer(values),
            flags: Buffer::from_vec(flags),
            of: PhantomData,
        }
    }

    /// The columns in the order of [`schema`].
    fn arrays(&self, grid: &Grid, number: usize, Encoder { labels, times, tick, .. }: &Encoder) -> Vec<ArrayRef> {
        let rows = self.rows.clone();
        let first = grid.sessions[number].first_second;
        let mut arrays: Vec<ArrayRef> = vec![times.column((0..rows.len() as i64).map(|row| first + row))];
        for column in [&grid.open, &grid.high, &grid.low, &grid.close] {
            arrays.push(Arc::new(Float64Array::from_iter_values(
                column[rows.clone()].iter().map(|&price| tick.points(price)),
            )));
        }
        let volume = grid.volume[rows.clone()].iter().map(|&volume| i64::from(volume));
        arrays.push(Arc::new(Int64Array::from_iter_values(volume)));
        for mode in &self.modes {
            arrays.extend(labels.outputs().iter().map(|&output| mode.array(output)));
        }
        arrays.extend((0..FLOAT_NAMES.len()).map(|feature| F::column(&self.values, feature * rows.len(), rows.len())));
        let flag = |flag: usize| ScalarBuffer::new(self.flags.clone(), flag * rows.len(), rows.len());
        arrays.extend((0..FLAG_NAMES.len()).map(|index| Arc::new(Int8Array::new(flag(index), None)) as ArrayRef));
        arrays
    }

    /// The columns again, without a copy once the arrays are gone.
    fn back(self) -> SessionColumns<F> {
        let rows = self.rows.len();
        SessionColumns {
            modes: self.modes.into_iter().map(LentMode::back).collect(),
            values: block(owned(self.values), FLOATS, rows),
            flags: block(owned(self.flags), FLAGS, rows),
            rows: self.rows,
        }
    }
}

/// The columns of a mode; those that are not made are empty.
struct LentMode {
    bytes: [ScalarBuffer<i8>; 2],
    floats: [ScalarBuffer<f32>; 2],
    numbers: [ScalarBuffer<i16>; 4],
    /// Wins, trades, numbers that do not fit.
    rest: (Wins, u64, u64),
}

impl From<ModeColumns> for LentMode {
    fn from(columns: ModeColumns) -> Self {
        let ModeColumns { label, weight, exit, seconds, mae, mfe, moved, uniqueness, wins, trades, saturated } =
            columns;
        Self {
            bytes: [label, exit].map(ScalarBuffer::from),
            floats: [weight, uniqueness].map(ScalarBuffer::from),
            numbers: [seconds, mae, mfe, moved].map(ScalarBuffer::from),
            rest: (wins, trades, saturated),
        }
    }
}

impl LentMode {
    fn array(&self, output: Output) -> ArrayRef {
        let byte = |column: &ScalarBuffer<i8>| Arc::new(Int8Array::new(column.clone(), None)) as ArrayRef;
        let float = |column: &ScalarBuffer<f32>| Arc::new(Float32Array::new(column.clone(), None)) as ArrayRef;
        let number = |column: &ScalarBuffer<i16>| Arc::new(Int16Array::new(column.clone(), None)) as ArrayRef;
        match output {
            Output::Label => byte(&self.bytes[0]),
            Output::Exit => byte(&self.bytes[1]),
            Output::Weight => float(&self.floats[0]),
            Output::Uniqueness => float(&self.floats[1]),
            Output::Seconds => number(&self.numbers[0]),
            Output::Mae => number(&self.numbers[1]),
            Output::Mfe => number(&self.numbers[2]),
            Output::Move => number(&self.numbers[3]),
        }
    }

    fn back(self) -> ModeColumns {
        let [label, exit] = self.bytes.map(|column| owned(column.into_inner()));
        let [weight, uniqueness] = self.floats.map(|column| owned(column.into_inner()));
        let [seconds, mae, mfe, moved] = self.numbers.map(|column| owned(column.into_inner()));
        let (wins, trades, saturated) = self.rest;
        ModeColumns { label, weight, exit, seconds, mae, mfe, moved, uniqueness, wins, trades, saturated }
    }
}

fn owned<T: ArrowNativeType>(buffer: Buffer) -> Vec<T> {
    buffer.into_vec().unwrap_or_else(|shared| shared.typed_data().to_vec())
}

/// `columns` columns of `rows` values each. The buffers hold that many, so nothing is cut or added.
fn block<T: Clone + Default>(mut values: Vec<T>, columns: usize, rows: usize) -> Array2<T> {
    values.resize(columns * rows, T::default());
    Array2::from_shape_vec((columns, rows), values).unwrap_or_default()
}
