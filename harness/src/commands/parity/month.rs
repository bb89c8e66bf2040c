//! The rows of a training file, by second, in the columns of a log.

use std::{collections::BTreeMap, fmt};

use arrow_array::{Array, ArrayRef, Float32Array, Float64Array, Int8Array, Int64Array};
use arrow_schema::DataType;
use base::error::Class;
use data::training_file::nanoseconds;
use jiff::civil::Date;
use serde::Serialize;

use crate::validate::table::{Source, Table};

const NANOS: i64 = 1_000_000_000;
const TIME: &str = "timestamp";

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
    /// It is no training file, is damaged, or has not all of the columns.
    pub fn read(source: Source, columns: &[String]) -> crate::Result<Self> {
        let table = Table::open(source)?;
        let names: Vec<&str> = std::iter::once(TIME).chain(columns.iter().map(String::as_str)).collect();
        let refused = |found: String| crate::Error::new(Class::Input, format!("{found}: expected a training file"));
        if let Some(column) = names.iter().find(|name| table.type_of(name).is_none()) {
            return Err(refused(format!("no column {column}")));
        }
        let kinds = columns.iter().map(|column| match table.type_of(column) {
            Some(DataType::Float32) => Kind::Single,
            _ => Kind::Other,
        });
        let mut batch = Self { columns: columns.to_vec(), kinds: kinds.collect(), ..Self::default() };
        for group in 0..table.groups() {
            let read = table.named(group, &names)?;
            let column = |name: &String| read.column_by_name(name).and_then(numbers);
            let values: Option<Vec<Vec<f64>>> = columns.iter().map(column).collect();
            let time = read.column_by_name(TIME).and_then(nanoseconds);
            let (Some(values), Some(time)) = (values, time) else {
                return Err(refused("a column of another type".into()));
            };
            let rows = time.iter().enumerate();
            batch.rows.extend(
                rows.map(|(row, nanos)| (nanos.div_euclid(NANOS), values.iter().map(|column| column[row]).collect())),
            );
        }
        Ok(batch)
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
