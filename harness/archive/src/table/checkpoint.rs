//! A table at a version in one Parquet, so that a reader need not read all commits: a row an action, a column a kind of it.

use std::{collections::BTreeMap, sync::Arc};

use arrow_array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, StructArray,
    builder::{ListBuilder, MapBuilder, MapFieldNames, StringBuilder},
};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field, Fields};
use bytes::Bytes;
use data::input;
use parquet::{
    arrow::ArrowWriter,
    file::reader::{FileReader, SerializedFileReader},
    record,
};
use serde_json::{Map, Number, Value};

use super::action::{self, Action, Add, MetaData, Protocol, Remove, Txn};

/// A checkpoint of these actions.
///
/// # Errors
/// It cannot be encoded.
pub fn write(actions: &[Action]) -> Result<Bytes, String> {
    let batch = batch(actions).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let written = ArrowWriter::try_new(&mut bytes, batch.schema(), None)
        .and_then(|mut writer| writer.write(&batch).and_then(|()| writer.close()));
    written.map_err(|error| error.to_string())?;
    Ok(bytes.into())
}

/// The actions of a checkpoint, whoever wrote it.
///
/// # Errors
/// What is wrong with it.
pub fn read(bytes: Bytes) -> Result<Vec<Action>, String> {
    let rows = input::guarded("Parquet", || -> Result<_, parquet::errors::ParquetError> {
        SerializedFileReader::new(bytes)?.get_row_iter(None)?.collect::<Result<Vec<_>, _>>()
    });
    let rows = rows.map_err(|error| error.to_string())?;
    let mut actions = Vec::new();
    for row in rows {
        actions.extend(action::of_object(object(&row)).map_err(|error| error.to_string())?);
    }
    Ok(actions)
}

/// A row as a line of a commit has it. What is null is left out.
fn object(row: &record::Row) -> Map<String, Value> {
    let values = row.get_column_iter().map(|(name, field)| (name.clone(), value(field)));
    values.filter(|(_, value)| !value.is_null()).collect()
}

fn value(field: &record::Field) -> Value {
    use record::Field as F;
    match field {
        F::Bool(value) => (*value).into(),
        F::Byte(value) => (*value).into(),
        F::Short(value) => (*value).into(),
        F::Int(value) => (*value).into(),
        F::Long(value) => (*value).into(),
        F::Float(value) => Number::from_f64(f64::from(*value)).map_or(Value::Null, Value::Number),
        F::Double(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
        F::Str(value) => value.as_str().into(),
        F::Group(row) => Value::Object(object(row)),
        F::ListInternal(list) => list.elements().iter().map(value).collect(),
        F::MapInternal(map) => {
            let pairs = map.entries().iter().filter_map(|(key, of)| Some((value(key).as_str()?.to_owned(), value(of))));
            Value::Object(pairs.collect())
        }
        // Statistics of other writers, of which nothing is needed.
        _ => Value::Null,
    }
}

/// Columns of one kind of action: its fields in order.
type Group = Vec<(&'static str, ArrayRef)>;

fn batch(actions: &[Action]) -> Result<RecordBatch, ArrowError> {
    macro_rules! of {
        ($kind:ident) => {
            actions
                .iter()
                .map(|action| if let Action::$kind(found) = action { Some(found) } else { None })
                .collect::<Vec<_>>()
        };
    }
    let (txn, add, remove) = (of!(Txn), of!(Add), of!(Remove));
    let (metadata, protocol) = (of!(MetaData), of!(Protocol));
    let columns = [
        ("txn", group(&txn, txns(&txn))?),
        ("add", group(&add, adds(&add))?),
        ("remove", group(&remove, removes(&remove))?),
        ("metaData", group(&metadata, metadatas(&metadata)?)?),
        ("protocol", group(&protocol, protocols(&protocol))?),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
}

/// The struct column of a kind; null in the rows of others.
fn group<T>(rows: &[Option<&T>], group: Group) -> Result<ArrayRef, ArrowError> {
    let there = NullBuffer::from(rows.iter().map(Option::is_some).collect::<Vec<_>>());
    let field = |(name, column): &(&'static str, ArrayRef)| Field::new(*name, column.data_type().clone(), true);
    let fields: Fields = group.iter().map(field).collect();
    let columns = group.into_iter().map(|(_, column)| column).collect();
    Ok(Arc::new(StructArray::try_new(fields, columns, Some(there))?))
}

/// A column of texts, numbers or truths: in the rows of a kind, what `of` says.
fn text<T>(rows: &[Option<&T>], of: impl Fn(&T) -> Option<&str>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| row.and_then(&of)).collect::<StringArray>())
}

fn long<T>(rows: &[Option<&T>], of: impl Fn(&T) -> Option<i64>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| row.and_then(&of)).collect::<Int64Array>())
}

fn truth<T>(rows: &[Option<&T>], of: impl Fn(&T) -> Option<bool>) -> ArrayRef {
    Arc::new(rows.iter().map(|row| row.and_then(&of)).collect::<BooleanArray>())
}

fn number(value: u64) -> Option<i64> {
    i64::try_from(value).ok()
}

fn protocols(rows: &[Option<&Protocol>]) -> Group {
    let of = |of: fn(&Protocol) -> u32| -> ArrayRef {
        let versions = rows.iter().map(|row| row.and_then(|row| i32::try_from(of(row)).ok()));
        Arc::new(versions.collect::<Int32Array>())
    };
    vec![("minReaderVersion", of(|row| row.min_reader_version)), ("minWriterVersion", of(|row| row.min_writer_version))]
}

fn txns(rows: &[Option<&Txn>]) -> Group {
    vec![
        ("appId", text(rows, |row| Some(&row.app_id))),
        ("version", long(rows, |row| number(row.version))),
        ("lastUpdated", long(rows, |row| row.last_updated)),
    ]
}

fn adds(rows: &[Option<&Add>]) -> Group {
    vec![
        ("path", text(rows, |row| Some(&row.path))),
        ("partitionValues", maps(rows, |row| Some(optional(&row.partition_values)))),
        ("size", long(rows, |row| number(row.size))),
        ("modificationTime", long(rows, |row| Some(row.modification_time))),
        ("dataChange", truth(rows, |row| Some(row.data_change))),
        ("stats", text(rows, |row| row.stats.as_deref())),
    ]
}

fn removes(rows: &[Option<&Remove>]) -> Group {
    vec![
        ("path", text(rows, |row| Some(&row.path))),
        ("deletionTimestamp", long(rows, |row| row.deletion_timestamp)),
        ("dataChange", truth(rows, |row| Some(row.data_change))),
        ("extendedFileMetadata", truth(rows, |row| row.extended_file_metadata)),
        ("partitionValues", maps(rows, |row| row.partition_values.as_ref().map(optional))),
        ("size", long(rows, |row| row.size.and_then(number))),
    ]
}

fn metadatas(rows: &[Option<&MetaData>]) -> Result<Group, ArrowError> {
    let formats: Vec<_> = rows.iter().map(|row| row.map(|row| &row.format)).collect();
    let format = vec![
        ("provider", text(&formats, |format| Some(&format.provider))),
        ("options", maps(&formats, |format| Some(always(&format.options)))),
    ];
    let element = Field::new("element", DataType::Utf8, true);
    let mut partitions = ListBuilder::new(StringBuilder::new()).with_field(element);
    for row in rows {
        row.iter().flat_map(|row| &row.partition_columns).for_each(|column| partitions.values().append_value(column));
        partitions.append(row.is_some());
    }
    Ok(vec![
        ("id", text(rows, |row| Some(&row.id))),
        ("format", group(&formats, format)?),
        ("schemaString", text(rows, |row| Some(&row.schema_string))),
        ("partitionColumns", Arc::new(partitions.finish())),
        ("configuration", maps(rows, |row| Some(always(&row.configuration)))),
        ("createdTime", long(rows, |row| row.created_time)),
    ])
}

/// Pairs of texts, of which the second may be null.
type Pairs<'a> = Vec<(&'a str, Option<&'a str>)>;

fn optional(map: &BTreeMap<String, Option<String>>) -> Pairs<'_> {
    map.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect()
}

fn always(map: &BTreeMap<String, String>) -> Pairs<'_> {
    map.iter().map(|(key, value)| (key.as_str(), Some(value.as_str()))).collect()
}

/// A column of maps from text to text.
fn maps<T>(rows: &[Option<&T>], of: impl Fn(&T) -> Option<Pairs<'_>>) -> ArrayRef {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in rows {
        let pairs = row.and_then(&of);
        for (key, value) in pairs.iter().flatten() {
            maps.keys().append_value(key);
            maps.values().append_option(*value);
        }
        // As many keys as values, so it cannot fail.
        _ = maps.append(pairs.is_some());
    }
    Arc::new(maps.finish())
}

#[cfg(test)]
mod tests {
    use super::{
        super::snapshot::{Snapshot, logged},
        *,
    };

    #[test]
    fn a_checkpoint_reads_as_it_was_written() {
        let month: data::Month = "2013-09".parse().unwrap();
        let values = BTreeMap::from([("month".to_owned(), Some(month.to_string())), ("x".to_owned(), None)]);
        let format = action::Format { provider: "parquet".into(), options: BTreeMap::new() };
        let path = |name: &str| format!("2013/09/{name}.parquet");
        let add = Add {
            path: path("a"),
            partition_values: values.clone(),
            size: 7,
            modification_time: 1,
            data_change: true,
            stats: Some(r#"{"numRecords":3}"#.into()),
        };
        let remove = Remove {
            path: path("b"),
            deletion_timestamp: Some(2),
            data_change: true,
            extended_file_metadata: Some(true),
            partition_values: Some(values),
            size: Some(8),
        };
        let actions = vec![
            Action::Protocol(action::PROTOCOL),
            Action::MetaData(MetaData {
                id: "id".into(),
                format,
                schema_string: "{}".into(),
                partition_columns: vec!["month".into()],
                configuration: BTreeMap::from([("a".into(), "b".into())]),
                created_time: Some(5),
            }),
            logged(month, 3, 4),
            Action::Remove(remove),
            Action::Add(add),
        ];
        let read = read(write(&actions).unwrap()).unwrap();
        let of = |actions: &[Action]| {
            let mut snapshot = Snapshot::default();
            actions.iter().cloned().for_each(|action| snapshot.apply(action));
            snapshot
        };
        assert_eq!(of(&read), of(&actions));
        assert!(super::read(Bytes::from_static(b"PAR1")).is_err());
    }
}
