//! Parquet and Arrow IPC files of bars: timestamp, open, high, low, close, volume and optionally symbol or instrument_id.

use std::{
    fs::File,
    hash::{DefaultHasher, Hash, Hasher},
    io::BufReader,
    sync::Arc,
};

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array, cast::AsArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType, Schema, TimeUnit};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    errors::ParquetError,
};

use super::{InputError, Months, Sink, SymbolCache, guarded, guarded_footer, lengths};
use crate::columns::{Bar, Name};

/// What a batch of rows may fail with.
type Batches<'a> = dyn Iterator<Item = Result<RecordBatch, InputError>> + 'a;

pub(super) fn read_parquet(file: File, months: &mut Months<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    const FORMAT: &str = "Parquet";
    let pages = file.try_clone()?;
    // By Parquet's own types: 2 GiB is the most its text can come to in a batch, which those of Arrow may exceed.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = guarded_footer(FORMAT, || ParquetRecordBatchReaderBuilder::try_new_with_options(file, options))?;
    let columns = Names::find(builder.schema())?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.indices());
    lengths::check_parquet(builder.metadata(), pages, &mask)?;
    let reader = guarded(FORMAT, || builder.with_projection(mask).with_batch_size(1 << 16).build())?;
    let said = |error| match error {
        ArrowError::ParquetError(text) => ParquetError::General(text),
        other => other.into(),
    };
    read(FORMAT, &mut reader.map(|batch| Ok(batch.map_err(said)?)), months, sink)
}

pub(super) fn read_ipc(mut file: File, months: &mut Months<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    const FORMAT: &str = "Arrow";
    lengths::check_arrow(&mut file)?;
    let reader = guarded(FORMAT, || arrow_ipc::reader::FileReader::try_new(BufReader::new(file), None))?;
    read(FORMAT, &mut reader.map(|batch| Ok(batch?)), months, sink)
}

fn read(
    format: &'static str,
    batches: &mut Batches<'_>,
    months: &mut Months<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), InputError> {
    let mut symbols = SymbolCache::default();
    months.filled = true;
    while let Some(batch) = guarded(format, || batches.next().transpose())? {
        let batch = guarded(format, || Batch::new(&batch, months.instrument.tick_nanos, months.record))?;
        for row in 0..batch.time.len() {
            let (bar, name) = batch.bar(row, months.record)?;
            let mut hash = DefaultHasher::new();
            name.hash(&mut hash);
            let kind = match name {
                _ if !batch.named => Name::Id,
                None | Some("") => Name::Unmapped,
                Some(_) => Name::Symbol,
            };
            let owned = || (name.unwrap_or_default().to_owned(), kind);
            months.push(&mut symbols, hash.finish(), &bar, owned, sink)?;
        }
    }
    if months.record == 0 { Err(InputError::Empty) } else { Ok(()) }
}

/// Where the columns are in a schema; capitals do not matter.
struct Names {
    time: usize,
    prices: [usize; 4],
    volume: usize,
    symbol: Option<usize>,
    id: Option<usize>,
}

impl Names {
    fn find(schema: &Schema) -> Result<Self, InputError> {
        let optional = |name: &str| {
            let fields = schema.fields().iter().enumerate();
            let mut named = fields.filter(|(_, field)| field.name().eq_ignore_ascii_case(name));
            match (named.next(), named.next()) {
                (Some((_, one)), Some((_, two))) => Err(InputError::Column {
                    column: name.to_owned(),
                    found: format!("two columns of that name, {} and {}", one.name(), two.name()),
                    expected: "one: drop or rename the other",
                }),
                // Lists may hold any number of values a row.
                (Some((_, one)), None) if one.data_type().is_nested() => Err(InputError::Column {
                    column: name.to_owned(),
                    found: format!("type {}", one.data_type()),
                    expected: "one value a row",
                }),
                (one, _) => Ok(one.map(|(index, _)| index)),
            }
        };
        let absent = |name: &str| InputError::Column {
            column: name.to_owned(),
            found: "not in the file".into(),
            expected: "the columns timestamp, open, high, low, close and volume",
        };
        let needed = |name: &str| optional(name)?.ok_or_else(|| absent(name));
        let time = optional("timestamp")?.map_or_else(|| optional("ts_event"), |index| Ok(Some(index)))?;
        Ok(Self {
            time: time.ok_or_else(|| absent("timestamp"))?,
            prices: [needed("open")?, needed("high")?, needed("low")?, needed("close")?],
            volume: needed("volume")?,
            symbol: optional("symbol")?,
            id: optional("instrument_id")?,
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
    name: Option<Text>,
    named: bool,
    tick: i64,
}

enum Prices {
    /// Points, read from float32 where that is so.
    Points { values: Float64Array, single: bool },
    /// Units of 1e-9 points.
    Units(Int64Array),
}

impl Batch {
    /// `first` is the number of its first row in the file.
    fn new(batch: &RecordBatch, tick: i64, first: u64) -> Result<Self, InputError> {
        let schema = batch.schema();
        let names = Names::find(&schema)?;
        let column = |index: usize| (schema.field(index).name().as_str(), batch.column(index));
        let [open, high, low, close] = names.prices.map(|index| prices(column(index)));
        let name = match (names.symbol, names.id) {
            (Some(index), _) => Some(Text::new(column(index), false)?),
            (None, Some(index)) => Some(Text::new(column(index), true)?),
            (None, None) => None,
        };
        Ok(Self {
            time: times(column(names.time))?,
            prices: [open?, high?, low?, close?],
            volume: volumes(column(names.volume), first)?,
            name,
            named: names.symbol.is_some(),
            tick,
        })
    }

    fn bar(&self, row: usize, record: u64) -> Result<(Bar, Option<&str>), InputError> {
        let nanos = self.time.is_valid(row).then(|| self.time.value(row));
        let nanos = nanos.and_then(|nanos| u64::try_from(nanos).ok()).ok_or_else(|| InputError::Row {
            row: record,
            column: "timestamp".into(),
            found: nanos.map_or_else(|| "null".into(), |nanos| format!("{nanos} ns since 1970")),
            expected: "a time since 1970",
        })?;
        // An absent price or volume is what cleaning counts as absent.
        let price = |prices: &Prices| match prices {
            Prices::Units(values) if values.is_valid(row) => values.value(row),
            Prices::Points { values, single } if values.is_valid(row) => units(values.value(row), *single, self.tick),
            _ => i64::MAX,
        };
        let [open, high, low, close] = self.prices.each_ref().map(price);
        let volume = if self.volume.is_null(row) { 0 } else { self.volume.value(row) };
        let name = self.name.as_ref().and_then(|name| name.of(row));
        Ok((Bar { nanos, open, high, low, close, volume }, name))
    }
}

/// A column and its name.
type Named<'a> = (&'a str, &'a ArrayRef);

/// UTC nanoseconds since 1970; a timestamp without a time zone is UTC.
fn times(column: Named<'_>) -> Result<Int64Array, InputError> {
    const EXPECTED: &str = "a timestamp type, UTC; make one of whole numbers with pandas.to_datetime(column, unit='ns', utc=True) or the like";
    let DataType::Timestamp(_, zone) = column.1.data_type() else { return Err(wrong_type(column, EXPECTED)) };
    let nanos = cast(column, &DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()), EXPECTED)?;
    typed((column.0, &cast((column.0, &nanos), &DataType::Int64, EXPECTED)?))
}

fn prices(column: Named<'_>) -> Result<Prices, InputError> {
    const EXPECTED: &str = "floating-point points, or int64 units of 1e-9 points";
    match column.1.data_type() {
        DataType::Int64 => Ok(Prices::Units(typed(column)?)),
        DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => Ok(Prices::Points {
            values: typed((column.0, &cast(column, &DataType::Float64, EXPECTED)?))?,
            single: *column.1.data_type() == DataType::Float32,
        }),
        _ => Err(wrong_type(column, EXPECTED)),
    }
}

/// Whole numbers of any type; an absent one stays absent, and so does NaN, which is how pandas writes it.
fn volumes(column: Named<'_>, first: u64) -> Result<UInt64Array, InputError> {
    const EXPECTED: &str = "a whole number from 0";
    let bad = |row: usize, found: String| InputError::Row {
        row: first + row as u64,
        column: column.0.to_owned(),
        found,
        expected: EXPECTED,
    };
    let kind = column.1.data_type();
    if kind.is_unsigned_integer() {
        typed((column.0, &cast(column, &DataType::UInt64, EXPECTED)?))
    } else if kind.is_signed_integer() {
        let values: Int64Array = typed((column.0, &cast(column, &DataType::Int64, EXPECTED)?))?;
        let whole = |(row, value): (usize, Option<i64>)| {
            value.map(|value| u64::try_from(value).map_err(|_| bad(row, value.to_string()))).transpose()
        };
        values.iter().enumerate().map(whole).collect()
    } else if kind.is_floating() || kind.is_decimal() {
        let values: Float64Array = typed((column.0, &cast(column, &DataType::Float64, EXPECTED)?))?;
        let whole = |(row, value): (usize, Option<f64>)| match value.filter(|value| !value.is_nan()) {
            Some(value) if value.fract() != 0.0 || !(0.0..1.8e19).contains(&value) => Err(bad(row, value.to_string())),
            value => Ok(value.map(|value| value as u64)),
        };
        values.iter().enumerate().map(whole).collect()
    } else {
        Err(wrong_type(column, "whole numbers"))
    }
}

/// A column of text. A dictionary stays one: written out, a long entry could fill the memory.
struct Text {
    /// By row the place in `values`, where that is not the row itself.
    keys: Option<Vec<Option<usize>>>,
    values: StringArray,
}

impl Text {
    /// Symbols, or instrument ids as text.
    fn new(column: Named<'_>, id: bool) -> Result<Self, InputError> {
        let expected = if id { "whole numbers or text" } else { "text" };
        let (keys, values) = match column.1.as_any_dictionary_opt() {
            Some(dictionary) if !dictionary.values().is_empty() => {
                let keys = dictionary.normalized_keys().into_iter().enumerate();
                let keys = keys.map(|(row, key)| dictionary.keys().is_valid(row).then_some(key));
                (Some(keys.collect()), dictionary.values())
            }
            _ => (None, column.1),
        };
        let kind = match values.data_type() {
            DataType::Dictionary(_, values) => values, // Without entries: every row is null.
            other => other,
        };
        let is_text = kind.is_string() || kind.is_binary() || kind.is_null();
        if is_text || id && kind.is_integer() {
            let values = typed((column.0, &cast((column.0, values), &DataType::Utf8, expected)?))?;
            Ok(Self { keys, values })
        } else {
            Err(wrong_type(column, expected))
        }
    }

    fn of(&self, row: usize) -> Option<&str> {
        let at = self.keys.as_ref().map_or(Some(row), |keys| keys[row])?;
        self.values.is_valid(at).then(|| self.values.value(at))
    }
}

/// Points to units of 1e-9 points. A float that stands for a multiple of `tick` is that multiple: one read from
/// float32 when it lies within half a step of float32 of it, one of float64 within 1e-8 points, which is what sums of
/// ticks lose. Any other is left off the grid for cleaning to count.
fn units(points: f64, single: bool, tick: i64) -> i64 {
    if !points.is_finite() {
        return i64::MAX;
    }
    let nanos = points * 1e9;
    let nearest = ((nanos / tick as f64).round() as i64).saturating_mul(tick);
    let step = f64::from((points as f32).next_up()) - f64::from(points as f32);
    let error = if single { 0.5e9 * step } else { 10.0 };
    // Where float32 has hardly a value a tick, nothing can be told.
    if (nanos - nearest as f64).abs() <= error.min(tick as f64 / 4.0) { nearest } else { nanos.round() as i64 }
}

fn wrong_type((column, array): Named<'_>, expected: &'static str) -> InputError {
    InputError::Column { column: column.to_owned(), found: format!("type {}", array.data_type()), expected }
}

fn cast((column, array): Named<'_>, to: &DataType, expected: &'static str) -> Result<ArrayRef, InputError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, to, &strict).map_err(|error| InputError::Column {
        column: column.to_owned(),
        found: error.to_string(),
        expected,
    })
}

fn typed<T: Array + Clone + 'static>((column, array): Named<'_>) -> Result<T, InputError> {
    let found = Arc::clone(array).as_any().downcast_ref::<T>().cloned();
    found.ok_or_else(|| wrong_type((column, array), "the types of docs/spec.md 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_near_a_tick_is_the_tick_and_another_is_left_off_it() {
        let tick = 100_000_000;
        for ticks in [1, 17_001, 17_003, 68_523, 200_007] {
            let points = f64::from(ticks) / 10.0;
            assert_eq!(units(f64::from(points as f32), true, tick), i64::from(ticks) * tick, "{points}");
            assert_eq!(units(points, false, tick), i64::from(ticks) * tick, "{points}");
            // A float32 step further off is not a tick any more, and what float32 loses is too much for float64.
            let off = (points as f32).next_up().next_up();
            assert_ne!(units(off.into(), true, tick) % tick, 0, "{off}");
        }
        assert_ne!(units(f64::from(1700.1_f32), false, tick) % tick, 0);
        assert_eq!(units((0..1700).map(|_| 0.1).sum(), false, tick), 1700 * tick);
        assert_eq!(units(1700.05, false, tick), 1_700_050_000_000);
        // 1/256 point, and half a millionth.
        assert_eq!(units(110.003_906_25, true, 3_906_250), 110_003_906_250);
        assert_eq!(units(0.006_850_5, false, 500), 6_850_500);
        assert_eq!([f64::NAN, f64::INFINITY, 1e300].map(|points| units(points, false, tick)), [i64::MAX; 3]);
    }
}
