//! Rows as text or as Arrow, each flushed by itself.

use std::{
    fmt::{self, Write as _},
    io::{self, Stdout, Write as _},
    sync::Arc,
};

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int8Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use base::exit::Usage;
use data::{live::LiveRow, training_file::Value};
use kernels::{
    Tick,
    features::{FLAG_NAMES, FLAGS, FLOAT_NAMES, FLOATS},
};

use crate::{cli::StreamFormat, output};

/// A feature that can be written.
pub trait Cell: Value + fmt::Display + Into<f64> {}

impl Cell for f32 {}
impl Cell for f64 {}

/// The columns of prices.
const PRICES: [&str; 4] = ["open", "high", "low", "close"];
/// Nanoseconds of a second.
const NANOS: i64 = 1_000_000_000;

/// A column of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Price(usize),
    Volume,
    Float(usize),
    Flag(usize),
}

impl Column {
    /// All that can be chosen, in order.
    fn all() -> impl Iterator<Item = Self> {
        let bar = (0..PRICES.len()).map(Self::Price).chain([Self::Volume]);
        bar.chain((0..FLOATS).map(Self::Float)).chain((0..FLAGS).map(Self::Flag))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Price(at) => PRICES[at],
            Self::Volume => "volume",
            Self::Float(at) => FLOAT_NAMES[at],
            Self::Flag(at) => FLAG_NAMES[at],
        }
    }
}

/// Names of all columns that can be chosen, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    Column::all().map(Column::name)
}

/// Writes rows to stdout.
pub struct Writer {
    format: StreamFormat,
    columns: Vec<Column>,
    tick: Tick,
    out: Stdout,
    line: String,
    arrow: Option<StreamWriter<Stdout>>,
    begun: bool,
}

impl Writer {
    /// Of these columns, or of all.
    ///
    /// # Errors
    /// A name that no column has.
    pub fn new(format: StreamFormat, chosen: &[String], tick: Tick) -> Result<Self, Usage> {
        let unknown = chosen.iter().find(|name| !names().any(|known| known == name.as_str()));
        if let Some(name) = unknown {
            let known = names().collect::<Vec<_>>().join(", ");
            return Err(Usage(format!("--columns {name}: expected names of {known}")));
        }
        let is_chosen = |column: &Column| chosen.is_empty() || chosen.iter().any(|name| name == column.name());
        let columns = Column::all().filter(is_chosen).collect();
        Ok(Self { format, columns, tick, out: io::stdout(), line: String::new(), arrow: None, begun: false })
    }

    /// Writes a row and flushes it.
    ///
    /// # Errors
    /// Writing failed.
    pub fn write<F: Cell>(&mut self, row: &LiveRow<'_, F>) -> io::Result<()> {
        match self.format {
            StreamFormat::Arrow => return self.batch(row).map_err(io::Error::other),
            StreamFormat::Jsonl => self.json(row),
            StreamFormat::Csv => self.csv(row),
        }
        .map_err(io::Error::other)?;
        self.line.push('\n');
        let mut out = self.out.lock();
        out.write_all(self.line.as_bytes())?;
        out.flush()
    }

    fn json<F: Cell>(&mut self, row: &LiveRow<'_, F>) -> fmt::Result {
        let Self { line, columns, tick, .. } = self;
        line.clear();
        // A symbol has no character that JSON escapes, or it is written as JSON has it.
        let contract = serde_json::Value::from(row.contract);
        write!(
            line,
            "{{\"timestamp\":\"{}\",\"contract\":{contract},\"provisional\":{}",
            output::second(row.second),
            row.provisional
        )?;
        for column in columns {
            write!(line, ",\"{}\":", column.name())?;
            cell(line, *column, row, *tick, "null")?;
        }
        line.write_str("}")
    }

    fn csv<F: Cell>(&mut self, row: &LiveRow<'_, F>) -> fmt::Result {
        let Self { line, columns, tick, begun, .. } = self;
        line.clear();
        if !std::mem::replace(begun, true) {
            line.push_str("timestamp,contract,provisional");
            columns.iter().try_for_each(|column| write!(line, ",{}", column.name()))?;
            line.push('\n');
        }
        write!(line, "{},{},{}", output::second(row.second), row.contract, row.provisional)?;
        for column in columns {
            line.push(',');
            cell(line, *column, row, *tick, "")?;
        }
        Ok(())
    }

    fn batch<F: Cell>(&mut self, row: &LiveRow<'_, F>) -> Result<(), ArrowError> {
        let schema = schema::<F>(&self.columns);
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(TimestampNanosecondArray::from(vec![row.second * NANOS]).with_timezone("UTC")),
            Arc::new(StringArray::from(vec![row.contract])),
            Arc::new(BooleanArray::from(vec![row.provisional])),
        ];
        for column in &self.columns {
            arrays.push(match *column {
                Column::Price(at) => Arc::new(Float64Array::from(vec![self.tick.points(prices(row)[at])])),
                Column::Volume => Arc::new(Int64Array::from(vec![i64::from(row.bar.volume)])),
                Column::Float(at) => F::column(&F::buffer(vec![row.features.floats[at]]), 0, 1),
                Column::Flag(at) => Arc::new(Int8Array::from(vec![row.features.flags[at]])),
            });
        }
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
        let writer = match &mut self.arrow {
            Some(writer) => writer,
            none => none.insert(StreamWriter::try_new(io::stdout(), &schema)?),
        };
        writer.write(&batch)?;
        writer.flush()
    }
}

fn schema<F: Cell>(columns: &[Column]) -> SchemaRef {
    let mut fields = vec![
        Field::new("timestamp", DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), false),
        Field::new("contract", DataType::Utf8, false),
        Field::new("provisional", DataType::Boolean, false),
    ];
    fields.extend(columns.iter().map(|column| {
        let of_type = match column {
            Column::Price(_) => DataType::Float64,
            Column::Volume => DataType::Int64,
            Column::Float(_) => F::TYPE,
            Column::Flag(_) => DataType::Int8,
        };
        Field::new(column.name(), of_type, false)
    }));
    Arc::new(Schema::new(fields))
}

fn prices<F>(row: &LiveRow<'_, F>) -> [i32; 4] {
    [row.bar.open, row.bar.high, row.bar.low, row.bar.close]
}

/// A value as text that reads back to the same bits; `none` where it is not a number.
fn cell<F: Cell>(line: &mut String, column: Column, row: &LiveRow<'_, F>, tick: Tick, none: &str) -> fmt::Result {
    match column {
        Column::Price(at) => write!(line, "{}", tick.points(prices(row)[at])),
        Column::Volume => write!(line, "{}", row.bar.volume),
        Column::Flag(at) => write!(line, "{}", row.features.flags[at]),
        Column::Float(at) => {
            let value = row.features.floats[at];
            if Into::<f64>::into(value).is_finite() { write!(line, "{value}") } else { line.write_str(none) }
        }
    }
}
