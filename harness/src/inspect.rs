//! `inspect`: what is in a file.

use std::{fs::File, path::Path};

use anyhow::Context;
use data::{column_file::ColumnFile, columns::ContractRows, input, records::Records};
use jiff::Timestamp;
use parquet::{
    basic::LogicalType,
    file::reader::{FileReader, SerializedFileReader},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{cli::InspectArgs, config::Settings};

/// Runs the command.
pub fn run(args: &InspectArgs, settings: &Settings) -> anyhow::Result<u8> {
    let found = inspect(&args.file, settings)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print(&found, 0);
    }
    Ok(0)
}

fn inspect(path: &Path, settings: &Settings) -> anyhow::Result<Value> {
    if let Some(found) = training_file(path)? {
        return Ok(found);
    }
    if let Ok((_, file)) = ColumnFile::open_any(path) {
        let view = file.view();
        let times = (view.time.iter().min(), view.time.iter().max());
        return Ok(json!({
            "format": "column file",
            "month": view.month,
            "rows": file.rows(),
            "first": times.0.map(|&second| time(i64::from(second))),
            "last": times.1.map(|&second| time(i64::from(second))),
            "contracts": contracts(view.contracts),
            "records": counts(file.records()),
        }));
    }
    let mut months = Vec::new();
    let info = input::read(path, &settings.instrument, &mut |columns| {
        months.push(json!({
            "month": columns.month,
            "outrights kept": columns.time.len(),
            "contracts": contracts(&columns.contracts),
            "records": counts(&columns.records),
        }));
        Ok(())
    })?;
    Ok(json!({
        "format": info.format,
        "bytes": info.bytes,
        "checksum": format!("xxh3:{}", info.checksum),
        "records": info.records,
        "first": info.first,
        "last": info.last,
        "months": months,
    }))
}

/// A Parquet file of ours; `None` for anything else.
fn training_file(path: &Path) -> anyhow::Result<Option<Value>> {
    let file = File::open(path).map_err(|source| input::InputError::File {
        path: path.display().to_string(),
        source: Box::new(source.into()),
    })?;
    let Ok(reader) = SerializedFileReader::new(file) else { return Ok(None) };
    let metadata = reader.metadata().file_metadata();
    let pairs = metadata.key_value_metadata().into_iter().flatten();
    let ours: serde_json::Map<String, Value> = pairs
        .filter(|pair| pair.key.starts_with("harness."))
        .map(|pair| {
            let text = pair.value.clone().unwrap_or_default();
            // Settings that are objects are shown as such, a version such as 0.1.0 stays text.
            let value = serde_json::from_str(&text).ok().filter(|value: &Value| value.is_object() || value.is_array());
            (pair.key.clone(), value.unwrap_or(Value::String(text)))
        })
        .collect();
    if ours.is_empty() {
        return Ok(None);
    }
    let columns: Vec<String> = metadata
        .schema_descr()
        .columns()
        .iter()
        .map(|column| match column.logical_type_ref() {
            Some(LogicalType::Timestamp { .. }) => format!("{} timestamp", column.name()),
            Some(LogicalType::Integer { .. }) => format!("{} int8", column.name()),
            _ => format!("{} {}", column.name(), column.physical_type()),
        })
        .collect();
    Ok(Some(json!({
        "format": "training file",
        "bytes": path.metadata().context("its size")?.len(),
        "rows": metadata.num_rows(),
        "row groups (sessions)": reader.num_row_groups(),
        "columns": columns.len(),
        "column types": columns,
        "metadata": ours,
    })))
}

#[derive(Serialize)]
struct Contract<'a> {
    symbol: &'a str,
    delivery: Option<data::Month>,
    records: usize,
}

fn contracts(contracts: &[ContractRows]) -> Value {
    let line = |contract: &ContractRows| {
        json!(Contract { symbol: &contract.symbol, delivery: contract.expiry, records: contract.rows.len() })
    };
    contracts.iter().map(line).collect()
}

fn counts(records: &Records) -> Value {
    let mut counts = json!({
        "total": records.total,
        "spreads_dropped": records.spreads_dropped,
        "other_roots_dropped": records.other_roots_dropped,
        "time_backwards": records.time_backwards,
    });
    for (rule, count) in records.rules() {
        counts[rule] = count.into();
    }
    counts
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or_default()
}

/// One line a value, objects indented, lists of objects one line an item.
fn print(value: &Value, indent: usize) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        match value {
            Value::Object(_) => {
                println!("{:indent$}{name}", "");
                print(value, indent + 2);
            }
            Value::Array(items) => {
                println!("{:indent$}{name}", "");
                for item in items {
                    print_item(item, indent + 2);
                }
            }
            Value::String(text) => println!("{:indent$}{name:24} {text}", ""),
            other => println!("{:indent$}{name:24} {other}", ""),
        }
    }
}

fn print_item(item: &Value, indent: usize) {
    match item {
        Value::Object(fields) if fields.values().any(|value| value.is_object() || value.is_array()) => {
            print(item, indent)
        }
        Value::Object(fields) => {
            let words: Vec<String> = fields
                .iter()
                .map(|(name, value)| {
                    format!("{name} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                })
                .collect();
            println!("{:indent$}{}", "", words.join("  "));
        }
        Value::String(text) => println!("{:indent$}{text}", ""),
        other => println!("{:indent$}{other}", ""),
    }
}
