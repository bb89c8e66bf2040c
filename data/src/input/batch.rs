//! A batch of rows of Parquet or Arrow with its columns in the types used here.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array, cast::AsArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, Schema, TimeUnit};

use super::{InputError, clock::Clock, months::Months, names::Names, table::units};
use crate::{collector::Bar, form::Form, symbol::series_root};

/// Where the columns are in a schema.
pub(super) fn find(schema: &Schema, months: &Months<'_>) -> Result<Names, InputError> {
    let fields = schema.fields();
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    let names = Names::find(&names, &months.instrument.form, &months.partition)?;
    // Lists may hold any number of values a row.
    match names.indices().into_iter().map(|index| &fields[index]).find(|field| field.data_type().is_nested()) {
        Some(nested) => Err(InputError::Column {
            column: nested.name().clone(),
            found: format!("type {}", nested.data_type()),
            expected: "one value a row",
        }),
        None => Ok(names),
    }
}

/// One batch.
pub(super) struct Batch {
    time: Int64Array,
    prices: [Prices; 4],
    volume: UInt64Array,
    symbol: Option<Text>,
    /// Where there are no symbols, or symbols of series.
    id: Option<Text>,
    tick: i64,
}

enum Prices {
    /// Units of so many points, read from float32 where that is so.
    Points { values: Float64Array, single: bool, unit: f64 },
    /// Whole numbers of units, each of so many units of 1e-9 points.
    Units { values: Int64Array, unit: i64 },
}

impl Batch {
    /// Of the rows that come next; `named` says whether any row of the file has a symbol.
    pub(super) fn new(
        batch: &RecordBatch,
        months: &Months<'_>,
        named: bool,
        clock: &mut Clock,
    ) -> Result<Self, InputError> {
        let (form, tick, first) = (&months.instrument.form, months.instrument.tick_nanos, months.record);
        let schema = batch.schema();
        let names = find(&schema, months)?;
        let column = |index: usize| (schema.field(index).name().as_str(), batch.column(index));
        let [open, high, low, close] = names.prices.map(|index| prices(column(index), form, tick));
        names.rtype.map_or(Ok(()), |index| of_a_second(column(index)))?;
        let symbol = names.symbol.filter(|_| named).map(|index| Text::new(column(index), false, first)).transpose()?;
        let with_id = symbol.as_ref().is_none_or(Text::has_series);
        let id = names.id.filter(|_| with_id).map(|index| Text::new(column(index), true, first)).transpose()?;
        Ok(Self {
            time: times(column(names.time), form, clock)?,
            prices: [open?, high?, low?, close?],
            volume: volumes(column(names.volume), first)?,
            symbol,
            id,
            tick,
        })
    }

    /// Its rows.
    pub(super) fn rows(&self) -> usize {
        self.time.len()
    }

    /// Symbol and id of a row, as far as they are looked at; an empty symbol is none.
    pub(super) fn instrument(&self, row: usize) -> (Option<&str>, Option<&str>) {
        let symbol = self.symbol.as_ref().and_then(|symbol| symbol.of(row));
        (symbol.filter(|symbol| !symbol.is_empty()), self.id.as_ref().and_then(|id| id.of(row)))
    }

    pub(super) fn bar(&self, row: usize, record: u64) -> Result<Bar, InputError> {
        let nanos = self.time.is_valid(row).then(|| self.time.value(row));
        let nanos = nanos.and_then(|nanos| u64::try_from(nanos).ok()).ok_or_else(|| InputError::Row {
            row: record,
            column: "timestamp".into(),
            found: nanos.map_or_else(|| "null".into(), |nanos| format!("{nanos} ns since 1970")),
            expected: "a time since 1970",
        })?;
        // An absent price or volume is what cleaning counts as absent.
        let price = |prices: &Prices| match prices {
            Prices::Units { values, unit } if values.is_valid(row) => values.value(row).saturating_mul(*unit),
            Prices::Points { values, single, unit } if values.is_valid(row) => {
                units(values.value(row) * unit, *single, self.tick)
            }
            _ => i64::MAX,
        };
        let [open, high, low, close] = self.prices.each_ref().map(price);
        let volume = if self.volume.is_null(row) { 0 } else { self.volume.value(row) };
        Ok(Bar { nanos, open, high, low, close, volume })
    }
}

/// A column and its name.
type Named<'a> = (&'a str, &'a ArrayRef);

/// Record types of other schemas' bars are refused as a DBN file of theirs is.
fn of_a_second(column: Named<'_>) -> Result<(), InputError> {
    const EXPECTED: &str = "32, the type of ohlcv-1s records: download that schema for the same dates";
    let values: Int64Array = typed((column.0, &cast(column, &DataType::Int64, EXPECTED)?))?;
    match values.iter().flatten().find(|&value| value != 32) {
        Some(other) => {
            Err(InputError::Column { column: column.0.to_owned(), found: other.to_string(), expected: EXPECTED })
        }
        None => Ok(()),
    }
}

/// UTC nanoseconds since 1970; what a timestamp without a time zone is, the clock says, and what a whole number, its unit.
fn times(column: Named<'_>, form: &Form, clock: &mut Clock) -> Result<Int64Array, InputError> {
    const EXPECTED: &str = "a timestamp type, UTC; name the unit of whole numbers with --time-unit s, ms, us or ns";
    if let Some(unit) = form.time_unit.filter(|_| column.1.data_type().is_integer()) {
        let values: Int64Array = typed((column.0, &cast(column, &DataType::Int64, EXPECTED)?))?;
        return Ok(values.iter().map(|value| value.map(|value| value.saturating_mul(unit.nanos()))).collect());
    }
    let DataType::Timestamp(_, zone) = column.1.data_type() else { return Err(wrong_type(column, EXPECTED)) };
    let nanos = cast(column, &DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()), EXPECTED)?;
    let nanos: Int64Array = typed((column.0, &cast((column.0, &nanos), &DataType::Int64, EXPECTED)?))?;
    if zone.is_some() { Ok(nanos) } else { Ok(nanos.iter().map(|nanos| nanos.map(|nanos| clock.utc(nanos))).collect()) }
}

fn prices(column: Named<'_>, form: &Form, tick: i64) -> Result<Prices, InputError> {
    const EXPECTED: &str =
        "floating-point points, int64 units of 1e-9 points, or whole numbers whose unit --price-unit names";
    let kind = column.1.data_type();
    let unit = form.price_unit.map(|unit| unit.nanos(tick));
    if kind.is_integer() && (unit.is_some() || *kind == DataType::Int64) {
        let values = typed((column.0, &cast(column, &DataType::Int64, EXPECTED)?))?;
        return Ok(Prices::Units { values, unit: unit.unwrap_or(1) });
    }
    match kind {
        DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => Ok(Prices::Points {
            values: typed((column.0, &cast(column, &DataType::Float64, EXPECTED)?))?,
            single: *kind == DataType::Float32,
            unit: unit.map_or(1.0, |unit| unit as f64 / 1e9),
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
    /// Symbols, or instrument ids as text; `first` is the number of the first row in the file.
    fn new(column: Named<'_>, id: bool, first: u64) -> Result<Self, InputError> {
        let expected = if id { "whole numbers or text" } else { "text" };
        if id && column.1.data_type().is_floating() {
            return Ok(Self { keys: None, values: whole(column, first)? });
        }
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

    /// Whether any of the values names a continuous series.
    fn has_series(&self) -> bool {
        self.values.iter().flatten().any(|symbol| series_root(symbol).is_some())
    }

    fn of(&self, row: usize) -> Option<&str> {
        let at = self.keys.as_ref().map_or(Some(row), |keys| keys[row])?;
        self.values.is_valid(at).then(|| self.values.value(at))
    }
}

/// Ids as pandas leaves them after a merge: whole floats, and NaN where there is none.
fn whole(column: Named<'_>, first: u64) -> Result<StringArray, InputError> {
    const EXPECTED: &str = "a whole number from 0";
    let values: Float64Array = typed((column.0, &cast(column, &DataType::Float64, EXPECTED)?))?;
    let text = |(row, value): (usize, Option<f64>)| match value.filter(|value| !value.is_nan()) {
        Some(value) if value.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&value) => Err(InputError::Row {
            row: first + row as u64,
            column: column.0.to_owned(),
            found: value.to_string(),
            expected: EXPECTED,
        }),
        value => Ok(value.map(|value| (value as u32).to_string())),
    };
    values.iter().enumerate().map(text).collect()
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
