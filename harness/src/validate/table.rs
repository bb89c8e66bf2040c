//! A training file as its reader gets it: metadata, columns and types as docs/spec.md 5 lists them, one row group at a time.

use std::{
    fs::File,
    io::{Cursor, Read, Seek},
    path::PathBuf,
    sync::Arc,
};

use arrow_array::{
    Array, ArrayRef, Float32Array, Float64Array, Int8Array, Int16Array, Int64Array, RecordBatch, UInt64Array,
};
use arrow_schema::DataType;
use bytes::Bytes;
use data::{
    input::{self, InputError},
    training_file::{self, BARS, Timestamps},
};
use kernels::{
    features::{FLAGS, FLOATS},
    labels::{Output, Specification},
};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    errors::ParquetError,
    file::reader::ChunkReader,
};

use statistics::feature_ranges;

/// Where the bytes are.
#[derive(Clone, Debug)]
pub enum Source {
    /// An object of the store, read whole.
    Object(Bytes),
    /// A file.
    File(PathBuf),
}

/// A training file, opened.
pub struct Table {
    source: Source,
    metadata: ArrowReaderMetadata,
}

/// Bars of one row group as they stand there.
#[derive(Clone, Debug, Default)]
pub struct Bars {
    /// UTC nanoseconds.
    pub time: Vec<i64>,
    /// Open, high, low, close in points.
    pub prices: [Vec<f64>; 4],
    /// Contracts traded; one beyond 63 bits is -1.
    pub volume: Vec<i64>,
}

/// One row group as it stands there.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// Its bars.
    pub bars: Bars,
    /// By mode.
    pub modes: Vec<Mode>,
    /// The features that are numbers.
    pub values: Vec<Vec<f64>>,
    /// The time flags.
    pub flags: Vec<Vec<i8>>,
}

/// The columns of one mode; those that are no output are empty.
#[derive(Clone, Debug, Default)]
pub struct Mode {
    /// 0 or 1.
    pub label: Vec<i8>,
    /// Training weights.
    pub weight: Vec<f32>,
    /// How much of each trade is its own.
    pub uniqueness: Vec<f32>,
    /// What else is said of the trades: whole numbers.
    pub numbers: Vec<(Output, Vec<i16>)>,
}

/// Names of the columns in order.
pub fn names(labels: &Specification) -> Vec<String> {
    let bars = ["timestamp", "open", "high", "low", "close", "volume"].map(String::from);
    bars.into_iter().chain(labels.columns()).chain(feature_ranges::names().map(String::from)).collect()
}

/// Types a column may have.
fn types(column: usize, labels: &Specification, (float64, times): (bool, Timestamps)) -> Vec<DataType> {
    let time = |zone: &str| DataType::Timestamp(times.unit(), Some(zone.into()));
    let outputs = labels.outputs();
    let of_labels = outputs.len() * labels.modes().len();
    match column {
        0 => vec![time("UTC"), time("+00:00")],
        1..5 => vec![DataType::Float64],
        5 => vec![DataType::UInt64, DataType::Int64],
        _ if column < BARS + of_labels => match outputs[(column - BARS) % outputs.len()] {
            Output::Label | Output::Exit => vec![DataType::Int8],
            Output::Weight | Output::Uniqueness => vec![DataType::Float32],
            Output::Seconds | Output::Mae | Output::Mfe | Output::Move => vec![DataType::Int16],
        },
        _ if column < BARS + of_labels + FLOATS => vec![if float64 { DataType::Float64 } else { DataType::Float32 }],
        _ => vec![DataType::Int8],
    }
}

impl Table {
    /// Reads the footer.
    ///
    /// # Errors
    /// It is no Parquet file, or a damaged one.
    pub fn open(source: Source) -> Result<Self, InputError> {
        let metadata = match &source {
            Source::Object(bytes) => load(bytes.clone(), Cursor::new(bytes))?,
            Source::File(path) => load(File::open(path)?, File::open(path)?)?,
        };
        Ok(Self { source, metadata })
    }

    /// Rows in all.
    pub fn rows(&self) -> u64 {
        u64::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or_default()
    }

    /// Row groups.
    pub fn groups(&self) -> usize {
        self.metadata.metadata().num_row_groups()
    }

    /// Rows of a row group.
    pub fn group_rows(&self, group: usize) -> usize {
        usize::try_from(self.metadata.metadata().row_group(group).num_rows()).unwrap_or_default()
    }

    /// Key-value metadata.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.metadata.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        pairs.map(|pair| (pair.key.as_str(), pair.value.as_deref().unwrap_or_default()))
    }

    /// What differs from the columns in their order, with their types: found and expected; `None` when nothing does. Also
    /// given are whether features are float64, and what timestamps count.
    pub fn layout(&self, labels: &Specification, of: (bool, Timestamps)) -> Option<(String, String)> {
        let fields = self.metadata.schema().fields();
        let names = names(labels);
        if let Some((number, (field, name))) =
            fields.iter().zip(&names).enumerate().find(|(_, (field, name))| field.name() != *name)
        {
            return Some((format!("column {number} is {}", field.name()), name.clone()));
        }
        let columns = training_file::columns(labels);
        if fields.len() != columns {
            return Some((format!("{} columns", fields.len()), format!("{columns} columns")));
        }
        let types = |number: usize| types(number, labels, of);
        let wrong = |(number, field): &(usize, &Arc<arrow_schema::Field>)| !types(*number).contains(field.data_type());
        let (number, field) = fields.iter().enumerate().find(wrong)?;
        let expected: Vec<String> = types(number).iter().map(ToString::to_string).collect();
        Some((format!("{} is {}", field.name(), field.data_type()), expected.join(" or ")))
    }

    /// The bars of a row group.
    ///
    /// # Errors
    /// The file is damaged there, or a value is null.
    pub fn bars(&self, group: usize) -> Result<Bars, InputError> {
        bars(self.read(group, &self.first(BARS))?.columns())
    }

    /// All columns of a row group, whose layout has been found right.
    ///
    /// # Errors
    /// As [`Table::bars`].
    pub fn whole(&self, group: usize, labels: &Specification) -> Result<Rows, InputError> {
        let batch = self.read(group, &self.first(training_file::columns(labels)))?;
        let columns = batch.columns();
        let mut rows = Rows { bars: bars(columns)?, ..Rows::default() };
        let (labelled, features) = columns[BARS..].split_at(columns.len() - BARS - FLOATS - FLAGS);
        for columns in labelled.chunks(labels.outputs().len()) {
            rows.modes.push(mode(labels.outputs(), columns)?);
        }
        for column in &features[..FLOATS] {
            rows.values.push(floats(column)?);
        }
        for column in &features[FLOATS..] {
            rows.flags.push(typed::<Int8Array>(column)?.values().to_vec());
        }
        Ok(rows)
    }

    /// The type of a column; `None` where there is none of this name.
    pub fn type_of(&self, name: &str) -> Option<&DataType> {
        self.metadata.schema().field_with_name(name).ok().map(|field| field.data_type())
    }

    /// The columns of these names of a row group, in the order of the file.
    ///
    /// # Errors
    /// As [`Table::bars`].
    pub fn named(&self, group: usize, names: &[&str]) -> Result<RecordBatch, InputError> {
        let fields = self.metadata.schema().fields().iter().enumerate();
        let columns = fields.filter(|(_, field)| names.contains(&field.name().as_str())).map(|(number, _)| number);
        self.read(group, &ProjectionMask::roots(self.metadata.parquet_schema(), columns))
    }

    /// The first so many columns.
    fn first(&self, columns: usize) -> ProjectionMask {
        ProjectionMask::leaves(self.metadata.parquet_schema(), 0..columns)
    }

    /// Some columns of a row group as one batch.
    fn read(&self, group: usize, columns: &ProjectionMask) -> Result<RecordBatch, InputError> {
        let batch = match &self.source {
            Source::Object(bytes) => batch(bytes.clone(), self.metadata.clone(), group, columns),
            Source::File(path) => batch(File::open(path)?, self.metadata.clone(), group, columns),
        }?;
        let null = batch.columns().iter().zip(batch.schema_ref().fields()).find(|(column, _)| column.null_count() > 0);
        match null.map(|(_, field)| field.name()) {
            Some(name) => Err(damaged(format!("{name} has nulls in row group {group}"))),
            None => Ok(batch),
        }
    }
}

fn damaged(found: String) -> InputError {
    InputError::Damaged { format: "Parquet", found }
}

/// The footer, and whether it and the `pages` of the same file claim no more than there is.
fn load<R: ChunkReader + Send + 'static>(
    reader: R,
    pages: impl Read + Seek,
) -> Result<ArrowReaderMetadata, InputError> {
    let metadata =
        input::guarded_footer("Parquet", move || ArrowReaderMetadata::load(&reader, ArrowReaderOptions::new()))?;
    input::check_parquet(metadata.metadata(), pages, &ProjectionMask::all())?;
    Ok(metadata)
}

fn batch<R: ChunkReader + 'static>(
    reader: R,
    metadata: ArrowReaderMetadata,
    group: usize,
    columns: &ProjectionMask,
) -> Result<RecordBatch, InputError> {
    let read = || -> Result<RecordBatch, ParquetError> {
        let rows = usize::try_from(metadata.metadata().row_group(group).num_rows())?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(reader, metadata)
            .with_projection(columns.clone())
            .with_row_groups(vec![group])
            .with_batch_size(rows.max(1))
            .build()?;
        let schema = Arc::clone(&arrow_array::RecordBatchReader::schema(&reader));
        let batches = reader.collect::<Result<Vec<RecordBatch>, _>>()?;
        let batch = batches.into_iter().next().unwrap_or_else(|| RecordBatch::new_empty(schema));
        match batch.num_rows() == rows {
            true => Ok(batch),
            false => Err(ParquetError::General(format!("{} rows, the footer says {rows}", batch.num_rows()))),
        }
    };
    input::guarded("Parquet", read)
}

fn bars(columns: &[ArrayRef]) -> Result<Bars, InputError> {
    let [time, open, high, low, close, volume, ..] = columns else { return Err(damaged("no bars".into())) };
    let [open, high, low, close] = [open, high, low, close].map(floats);
    let volume = match volume.as_any().downcast_ref::<UInt64Array>() {
        Some(volume) => volume.values().iter().map(|&volume| i64::try_from(volume).unwrap_or(-1)).collect(),
        None => typed::<Int64Array>(volume)?.values().to_vec(),
    };
    let time = training_file::nanoseconds(time).ok_or_else(|| damaged("timestamp is of another type".into()))?;
    Ok(Bars { time, prices: [open?, high?, low?, close?], volume })
}

/// The columns of one mode.
fn mode(outputs: &[Output], columns: &[ArrayRef]) -> Result<Mode, InputError> {
    let mut mode = Mode::default();
    for (&output, column) in outputs.iter().zip(columns) {
        match output {
            Output::Label => mode.label = typed::<Int8Array>(column)?.values().to_vec(),
            Output::Weight => mode.weight = typed::<Float32Array>(column)?.values().to_vec(),
            Output::Uniqueness => mode.uniqueness = typed::<Float32Array>(column)?.values().to_vec(),
            Output::Exit => {
                let exits = typed::<Int8Array>(column)?.values().iter().map(|&exit| exit.into()).collect();
                mode.numbers.push((output, exits));
            }
            Output::Seconds | Output::Mae | Output::Mfe | Output::Move => {
                mode.numbers.push((output, typed::<Int16Array>(column)?.values().to_vec()));
            }
        }
    }
    Ok(mode)
}

fn floats(column: &ArrayRef) -> Result<Vec<f64>, InputError> {
    match column.as_any().downcast_ref::<Float64Array>() {
        Some(column) => Ok(column.values().to_vec()),
        None => Ok(typed::<Float32Array>(column)?.values().iter().map(|&value| value.into()).collect()),
    }
}

fn typed<A: Array + 'static>(column: &ArrayRef) -> Result<&A, InputError> {
    let wrong = || damaged(format!("a column of type {}", column.data_type()));
    column.as_any().downcast_ref::<A>().ok_or_else(wrong)
}
