//! The rows of a training file, by second, in the columns of a log.

use std::{collections::BTreeMap, fmt};

use arrow_array::{Array, ArrayRef, Float32Array, Float64Array, Int8Array, Int64Array, TimestampNanosecondArray};
use arrow_schema::DataType;
use base::error::{Class, Met};
use jiff::civil::Date;
use parquet::arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder};
use serde::Serialize;

use crate::validate::table::Source;

const NANOS: i64 = 1_000_000_000;

/// What a file has.
#[derive(Debug, Default)]
pub struct Batch {
    /// Columns of the log that the file has.
    pub columns: Vec<String>,
    /// The type of each.
    pub kinds: Vec<Kind>,
    /// Values by UTC second, in the order of the columns.
    pub rows: BTreeMap<i64, Vec<f64>>,
    /// The front contract of each date, where it is known.
    pub contracts: BTreeMap<Date, String>,
}

/// What a column is of, which says what equal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Single,
    Other,
}

impl Kind {
    /// Whether two values are the same to the bit; what is no number is the same as another such.
    pub fn same(self, a: f64, b: f64) -> bool {
        match self {
            _ if a.is_nan() || b.is_nan() => a.is_nan() && b.is_nan(),
            Self::Single => (a as f32).to_bits() == (b as f32).to_bits(),
            Self::Other => a.to_bits() == b.to_bits(),
        }
    }
}

/// A value as a person reads it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Figure {
    /// `None` where it is not a number.
    Number(Option<f64>),
    Text(String),
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(Some(number)) => write!(f, "{number}"),
            Self::Number(None) => f.write_str("no value"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<f64> for Figure {
    fn from(number: f64) -> Self {
        Self::Number((!number.is_nan()).then_some(number))
    }
}

impl Batch {
    /// Reads some columns of a training file.
    ///
    /// # Errors
    /// It is no training file, or has not all of the columns.
    pub fn read(source: Source, columns: &[String]) -> crate::Result<Self> {
        match source {
            Source::Object(bytes) => Self::of(ParquetRecordBatchReaderBuilder::try_new(bytes), columns),
            Source::File(path) => {
                Self::of(ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path)?), columns)
            }
        }
    }

    fn of<R: parquet::file::reader::ChunkReader + 'static>(
        builder: parquet::errors::Result<ParquetRecordBatchReaderBuilder<R>>,
        columns: &[String],
    ) -> crate::Result<Self> {
        let builder = builder.met_as(Class::Input)?;
        let names: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        let missing = std::iter::once("timestamp").chain(columns.iter().map(String::as_str));
        if let Some(column) = missing.into_iter().find(|column| !names.iter().any(|name| name == column)) {
            return Err(crate::Error::new(Class::Input, format!("no column {column}: expected a training file")));
        }
        let kinds = columns.iter().filter_map(|column| builder.schema().field_with_name(column).ok());
        let kinds = kinds.map(|field| match field.data_type() {
            DataType::Float32 => Kind::Single,
            _ => Kind::Other,
        });
        let kinds = kinds.collect();
        let wanted = names.iter().enumerate().filter(|(_, name)| *name == "timestamp" || columns.contains(name));
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.map(|(at, _)| at));
        let mut rows = BTreeMap::new();
        for batch in builder.with_projection(mask).build().met_as(Class::Input)? {
            let batch = batch.met_as(Class::Input)?;
            let column = |name: &str| batch.column_by_name(name).and_then(numbers);
            let read: Option<Vec<Vec<f64>>> = columns.iter().map(|name| column(name)).collect();
            let time = batch.column_by_name("timestamp");
            let time = time.and_then(|time| time.as_any().downcast_ref::<TimestampNanosecondArray>());
            let (Some(read), Some(time)) = (read, time) else {
                return Err(crate::Error::new(Class::Input, "a column of another type: expected a training file"));
            };
            for (row, nanos) in time.values().iter().enumerate() {
                rows.insert(nanos.div_euclid(NANOS), read.iter().map(|column| column[row]).collect());
            }
        }
        Ok(Self { columns: columns.to_vec(), kinds, rows, contracts: BTreeMap::new() })
    }
}

/// A column of numbers, widened: nothing of an integer or float of a training file is lost.
pub fn numbers(column: &ArrayRef) -> Option<Vec<f64>> {
    let any = column.as_any();
    if let Some(column) = any.downcast_ref::<Float32Array>() {
        return Some(column.values().iter().map(|&value| value.into()).collect());
    }
    if let Some(column) = any.downcast_ref::<Int8Array>() {
        return Some(column.values().iter().map(|&value| value.into()).collect());
    }
    if let Some(column) = any.downcast_ref::<Int64Array>() {
        return Some(column.values().iter().map(|&value| value as f64).collect());
    }
    any.downcast_ref::<Float64Array>().map(|column| column.values().to_vec())
}
