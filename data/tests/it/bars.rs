//! Parquet and Arrow bars as people have them: what is read, and what is refused with the reason.

use std::{fs, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float32Array, Float64Array, Int8Array, Int32Array, Int64Array,
    ListArray, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array, types::Int32Type,
};
use arrow_schema::{Field, Schema};
use data::{Instrument, columns::Columns, contract::Choice, input, session};

/// 2013-10-07 07:30 Central in UTC nanoseconds.
const OPEN: i64 = 1_381_149_000_000_000_000;

fn times(seconds: [i64; 3]) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_iter_values(seconds.map(|second| OPEN + second * 1_000_000_000)))
}

fn points(prices: [f64; 3]) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(prices))
}

/// Three bars with some columns replaced or added.
fn bars(changes: Vec<(&str, ArrayRef)>) -> Vec<(String, ArrayRef)> {
    let prices = || points([1700.0, 1700.25, 1700.5]);
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("timestamp".into(), times([0, 1, 2])),
        ("open".into(), prices()),
        ("high".into(), prices()),
        ("low".into(), prices()),
        ("close".into(), prices()),
        ("volume".into(), Arc::new(Int64Array::from_iter_values([1, 2, 3]))),
    ];
    for (name, array) in changes {
        match columns.iter_mut().find(|(known, _)| known == name) {
            Some(column) => column.1 = array,
            None => columns.push((name.to_owned(), array)),
        }
    }
    columns
}

/// The columns written as Arrow IPC (which also takes two of one name) and read; the error as one sentence.
fn read(columns: &[(String, ArrayRef)], instrument: &Instrument) -> Result<Columns, String> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns.iter().map(|(_, array)| array.clone()).collect()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.arrow");
    let mut writer = arrow_ipc::writer::FileWriter::try_new(fs::File::create(&path).unwrap(), &schema).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let mut months = Vec::new();
    let result = input::read(&path, instrument, &mut |columns| {
        months.push(columns);
        Ok(())
    });
    match result {
        Ok(_) => Ok(months.remove(0)),
        Err(error) => Err(std::error::Error::source(&error).unwrap().to_string()),
    }
}

fn es(changes: Vec<(&str, ArrayRef)>) -> Result<Columns, String> {
    read(&bars(changes), &Instrument::default())
}

#[test]
fn whole_volumes_of_any_type_are_read_and_absent_ones_are_no_trade() {
    let expected = es(vec![]).unwrap();
    assert_eq!(expected.volume, [1, 2, 3]);
    let arrays: [ArrayRef; 4] = [
        Arc::new(Int32Array::from_iter_values([1, 2, 3])),
        Arc::new(UInt64Array::from_iter_values([1, 2, 3])),
        Arc::new(Float32Array::from_iter_values([1.0, 2.0, 3.0])),
        Arc::new(Float64Array::from_iter_values([1.0, 2.0, 3.0])),
    ];
    for array in arrays {
        assert_eq!(es(vec![("volume", array.clone())]).unwrap(), expected, "{}", array.data_type());
    }
    let absent = es(vec![("volume", Arc::new(Float64Array::from(vec![Some(1.0), None, Some(f64::NAN)])))]).unwrap();
    assert_eq!((absent.volume, absent.records.no_trade), (vec![1], 2));
}

#[test]
fn a_volume_that_is_not_whole_is_refused_with_its_row() {
    for (array, found) in [
        (Arc::new(Float64Array::from_iter_values([1.0, 2.0, 1.9])) as ArrayRef, "row 2: volume is 1.9"),
        (Arc::new(Float32Array::from_iter_values([1.0, -2.0, 3.0])), "row 1: volume is -2"),
        (Arc::new(Int64Array::from_iter_values([1, -1, 3])), "row 1: volume is -1"),
        (Arc::new(Float64Array::from_iter_values([f64::INFINITY, 2.0, 3.0])), "row 0: volume is inf"),
    ] {
        let error = es(vec![("volume", array)]).unwrap_err();
        assert!(error.contains(found) && error.contains("expected a whole number"), "{error}");
    }
}

#[test]
fn a_type_that_is_not_understood_is_refused_with_its_column() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>((0..3).map(|id| Some(vec![Some(id)])));
    for (name, array, found) in [
        ("volume", Arc::new(BooleanArray::from(vec![true, false, true])) as ArrayRef, "Boolean"),
        ("volume", Arc::new(StringArray::from(vec!["1", "2", "3"])), "Utf8"),
        ("instrument_id", Arc::new(list), "List"),
        ("symbol", Arc::new(Int64Array::from_iter_values([1, 2, 3])), "Int64"),
        ("open", Arc::new(StringArray::from(vec!["1", "2", "3"])), "Utf8"),
        ("timestamp", Arc::new(Int64Array::from_iter_values([OPEN, OPEN, OPEN])), "--time-unit"),
    ] {
        let error = es(vec![(name, array)]).unwrap_err();
        assert!(error.contains(&format!("column {name}")) && error.contains(found), "{error}");
    }
}

#[test]
fn capitals_do_not_matter_and_two_columns_of_one_name_are_refused() {
    let mut columns = bars(vec![]);
    for (name, _) in &mut columns {
        name[..1].make_ascii_uppercase();
    }
    assert_eq!(read(&columns, &Instrument::default()).unwrap().volume, [1, 2, 3]);
    for second in ["Close", "close"] {
        let mut columns = bars(vec![]);
        columns.push((second.into(), points([1.0, 2.0, 3.0])));
        let error = read(&columns, &Instrument::default()).unwrap_err();
        assert!(error.contains("column close: two columns of that name"), "{error}");
    }
}

#[test]
fn a_row_without_a_time_is_refused_with_its_row() {
    let nulls = TimestampNanosecondArray::from(vec![Some(OPEN), None, Some(OPEN)]);
    let error = es(vec![("timestamp", Arc::new(nulls))]).unwrap_err();
    assert!(error.contains("row 1: timestamp is null") && !error.contains("56 bytes"), "{error}");
    assert!(es(vec![("timestamp", times([0, 1, -1_400_000_000]))]).unwrap_err().contains("row 2: timestamp is -"));
}

#[test]
fn float32_prices_keep_their_tick() {
    let instrument = Instrument { tick_nanos: 100_000_000, ..Instrument::default() };
    let prices: ArrayRef = Arc::new(Float32Array::from_iter_values([1700.1, 1700.3, 1700.7]));
    let named = |name| (name, prices.clone());
    let columns = read(&bars(["open", "high", "low", "close"].map(named).into()), &instrument).unwrap();
    assert_eq!((columns.close, columns.records.price_off_tick), (vec![17_001, 17_003, 17_007], 0));
    let off: ArrayRef = Arc::new(Float32Array::from_iter_values([1700.1, 1700.35, 1700.7]));
    let named = |name| (name, off.clone());
    let columns = read(&bars(["open", "high", "low", "close"].map(named).into()), &instrument).unwrap();
    assert_eq!((columns.close, columns.records.price_off_tick), (vec![17_001, 17_007], 1));
}

#[test]
fn ids_are_whole_numbers_or_text() {
    let arrays: [ArrayRef; 2] =
        [Arc::new(Int32Array::from_iter_values([7, 7, 7])), Arc::new(StringArray::from(vec!["7"; 3]))];
    for array in arrays {
        assert_eq!(es(vec![("instrument_id", array)]).unwrap().contracts[0].symbol, "7");
    }
}

#[test]
fn a_dictionary_of_symbols_is_read_and_an_absent_one_is_none() {
    let of = |keys: [Option<i8>; 3], values: Vec<Option<&str>>| -> ArrayRef {
        let values = Arc::new(StringArray::from(values));
        Arc::new(DictionaryArray::new(Int8Array::from_iter(keys), values))
    };
    let found = |symbols: ArrayRef| es(vec![("symbol", symbols)]).unwrap();
    let names = |columns: &Columns| columns.contracts.iter().map(|one| one.symbol.clone()).collect::<Vec<_>>();
    let columns = found(of([Some(1), Some(0), Some(1)], vec![Some("ESH4"), Some("ESZ3")]));
    assert_eq!((names(&columns), &columns.volume[..]), (vec!["ESZ3".into(), "ESH4".into()], &[1, 3, 2][..]));
    // A key that is absent, one of an entry that is, and no entry at all.
    for symbols in [of([None, None, None], vec![Some("ESZ3")]), of([Some(0); 3], vec![None]), of([None; 3], vec![])] {
        let plain = found(Arc::new(StringArray::from(vec![None::<&str>; 3])));
        assert_eq!(found(symbols).records, plain.records);
    }
}

#[test]
fn a_column_of_lists_is_refused_before_it_is_read() {
    let lists: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1); 9]), None, Some(vec![])]));
    let error = es(vec![("close", lists)]).unwrap_err();
    assert!(error.contains("column close: type List") && error.contains("one value a row"), "{error}");
}

#[test]
fn without_symbols_or_ids_a_gap_of_price_is_a_rollover() {
    // By 20.25 points and by 20, in October, and ten days and eleven before the third Friday of December.
    for (day, expected) in [("2013-10-07", false), ("2013-12-10", true), ("2013-12-09", false)] {
        let midnight = day.parse::<jiff::civil::Date>().unwrap().in_tz("America/Chicago").unwrap();
        let open = midnight.timestamp().as_nanosecond() as i64 + 27_000_000_000_000;
        let seconds = TimestampNanosecondArray::from_iter_values([0, 1, 2].map(|second| open + second * 1_000_000_000));
        let prices = || points([1700.0, 1720.25, 1740.25]);
        let prices = ["open", "high", "low", "close"].map(|name| (name, prices()));
        let columns = es([vec![("timestamp", Arc::new(seconds) as ArrayRef)], prices.into()].concat()).unwrap();
        let instrument = Instrument::default();
        let grid = session::cut_alone(&columns.view(), &instrument, Choice::Volume).unwrap();
        let [gap] = &grid.rollovers[..] else { panic!("{:?}", grid.rollovers) };
        assert!(gap.is_gap());
        assert_eq!((gap.date.to_string(), gap.price_gap, gap.expected), (day.into(), Some(20.25), Some(expected)));
    }
}
