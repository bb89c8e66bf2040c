//! Parquet and Arrow IPC files of bars: timestamp, open, high, low, close, volume and optionally symbol or instrument_id.

use std::{
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    io::BufReader,
    sync::Arc,
};

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Schema, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{InputError, Months, Sink, SymbolCache};
use crate::columns::Bar;

pub(super) fn read_parquet(file: File, months: &mut Months<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let columns = Names::find(builder.schema())?;
    let mask = parquet::arrow::ProjectionMask::roots(builder.parquet_schema(), columns.indices());
    let reader = builder.with_projection(mask).with_batch_size(1 << 16).build()?;
    read(reader, months, sink)
}

pub(super) fn read_ipc(
    reader: BufReader<File>,
    months: &mut Months<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), InputError> {
    read(arrow_ipc::reader::FileReader::try_new(reader, None)?, months, sink)
}

fn read(
    batches: impl Iterator<Item = Result<RecordBatch, arrow_schema::ArrowError>>,
    months: &mut Months<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), InputError> {
    let mut symbols = SymbolCache::default();
    for batch in batches {
        let batch = Batch::new(&batch?)?;
        for row in 0..batch.time.len() {
            let (bar, name) = batch.bar(row, months.record)?;
            let mut hash = DefaultHasher::new();
            name.hash(&mut hash);
            let owned = || (name.unwrap_or_default().to_owned(), batch.named);
            months.push(&mut symbols, hash.finish(), &bar, owned, sink)?;
        }
    }
    if months.record == 0 { Err(InputError::Empty) } else { Ok(()) }
}

/// Where the columns are in a schema.
struct Names {
    time: usize,
    prices: [usize; 4],
    volume: usize,
    symbol: Option<usize>,
    id: Option<usize>,
}

impl Names {
    fn find(schema: &Schema) -> Result<Self, InputError> {
        let position = |names: &[&str]| schema.fields().iter().position(|field| names.contains(&field.name().as_str()));
        let needed = |names: &[&str]| {
            position(names).ok_or_else(|| InputError::Column {
                column: names[0].to_owned(),
                found: "not in the file".into(),
                expected: "the columns timestamp, open, high, low, close and volume",
            })
        };
        Ok(Self {
            time: needed(&["timestamp", "ts_event"])?,
            prices: [needed(&["open"])?, needed(&["high"])?, needed(&["low"])?, needed(&["close"])?],
            volume: needed(&["volume"])?,
            symbol: position(&["symbol"]),
            id: position(&["instrument_id"]),
        })
    }

    fn indices(&self) -> Vec<usize> {
        let mut indices = vec![self.time, self.volume];
        indices.extend(self.prices);
        indices.extend(self.symbol);
        indices.extend(self.id);
        indices
    }
}

/// One batch with its columns in the types used here.
struct Batch {
    time: Int64Array,
    prices: [Prices; 4],
    volume: UInt64Array,
    name: Option<StringArray>,
    named: bool,
}

enum Prices {
    /// Points.
    Points(Float64Array),
    /// Units of 1e-9 points.
    Units(Int64Array),
}

impl Batch {
    fn new(batch: &RecordBatch) -> Result<Self, InputError> {
        let schema = batch.schema();
        let names = Names::find(&schema)?;
        let column = |index: usize| (schema.field(index).name().as_str(), batch.column(index));
        let (_, time) = column(names.time);
        let time = match time.data_type() {
            DataType::Timestamp(_, zone) => {
                let nanos =
                    cast("timestamp", time, &DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()), "timestamps")?;
                cast("timestamp", &nanos, &DataType::Int64, "timestamps")?
            }
            other => {
                let found = format!("type {other}");
                return Err(InputError::Column {
                    column: "timestamp".into(),
                    found,
                    expected: "a timestamp type, UTC",
                });
            }
        };
        let price = |index: usize| {
            let (name, array) = column(index);
            match array.data_type() {
                DataType::Int64 => Ok(Prices::Units(typed(name, array)?)),
                DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
                    Ok(Prices::Points(typed(name, &cast(name, array, &DataType::Float64, "points")?)?))
                }
                other => Err(InputError::Column {
                    column: name.to_owned(),
                    found: format!("type {other}"),
                    expected: "floating-point points, or int64 units of 1e-9 points",
                }),
            }
        };
        let (_, volume) = column(names.volume);
        let name = match (names.symbol, names.id) {
            (Some(index), _) | (None, Some(index)) => {
                Some(typed("symbol", &cast("symbol", column(index).1, &DataType::Utf8, "text")?)?)
            }
            (None, None) => None,
        };
        let [open, high, low, close] = names.prices;
        Ok(Self {
            time: typed("timestamp", &time)?,
            prices: [price(open)?, price(high)?, price(low)?, price(close)?],
            volume: typed("volume", &cast("volume", volume, &DataType::UInt64, "whole numbers")?)?,
            name,
            named: names.symbol.is_some(),
        })
    }

    fn bar(&self, row: usize, record: u64) -> Result<(Bar, Option<&str>), InputError> {
        let nanos = if self.time.is_null(row) { -1 } else { self.time.value(row) };
        let nanos = u64::try_from(nanos)
            .map_err(|_| InputError::Record { record, found: "a row without a time since 1970".into() })?;
        // An absent price or volume is what cleaning counts as absent.
        let price = |prices: &Prices| match prices {
            Prices::Units(array) if array.is_valid(row) => array.value(row),
            Prices::Points(array) if array.is_valid(row) => units(array.value(row)),
            _ => i64::MAX,
        };
        let [open, high, low, close] = self.prices.each_ref().map(price);
        let volume = if self.volume.is_null(row) { 0 } else { self.volume.value(row) };
        let name = self.name.as_ref().filter(|name| name.is_valid(row)).map(|name| name.value(row));
        Ok((Bar { nanos, open, high, low, close, volume }, name))
    }
}

/// Points to units of 1e-9 points; a millionth of a point is the finest grid a float price is trusted on.
fn units(points: f64) -> i64 {
    let millionths = points * 1e6;
    let rounded = millionths.round();
    if !points.is_finite() {
        i64::MAX
    } else if (millionths - rounded).abs() <= 1e-2 && rounded.abs() < 9e15 / 1e3 {
        rounded as i64 * 1000
    } else {
        (points * 1e9).round() as i64
    }
}

fn cast(column: &str, array: &ArrayRef, to: &DataType, expected: &'static str) -> Result<ArrayRef, InputError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, to, &strict).map_err(|error| InputError::Column {
        column: column.to_owned(),
        found: error.to_string(),
        expected,
    })
}

fn typed<T: Array + Clone + 'static>(column: &str, array: &ArrayRef) -> Result<T, InputError> {
    Arc::clone(array).as_any().downcast_ref::<T>().cloned().ok_or_else(|| InputError::Column {
        column: column.to_owned(),
        found: format!("type {}", array.data_type()),
        expected: "the types of SPEC.md 1",
    })
}
