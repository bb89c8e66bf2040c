//! What `stream` wrote.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
    path::Path,
};

use arrow_array::{Array, StringArray, TimestampNanosecondArray};
use arrow_ipc::reader::StreamReader;
use base::error::{Class, Context};
use jiff::Timestamp;
use serde_json::Value;

use super::month::numbers;
use crate::commands::stream;

/// Columns that are no numbers.
const NAMED: [&str; 3] = ["timestamp", "contract", "provisional"];

/// A log, read whole.
#[derive(Debug, Default)]
pub struct Log {
    /// Its columns of numbers.
    pub columns: Vec<String>,
    /// In the order in which they were served.
    pub rows: Vec<Row>,
}

/// A row that was served.
#[derive(Clone, Debug)]
pub struct Row {
    /// UTC second since 1970.
    pub second: i64,
    /// The contract it is of.
    pub contract: String,
    /// In the order of the columns.
    pub values: Vec<f64>,
    /// Whether it may be after an early close.
    pub quiet: bool,
}

impl Log {
    /// Reads a file of any of the formats.
    ///
    /// # Errors
    /// It is none that `stream` wrote; the line or row is named.
    pub fn read(path: &Path) -> crate::Result<Self> {
        Self::of(path).with_context(|| path.display().to_string())
    }

    fn of(path: &Path) -> crate::Result<Self> {
        let mut file = File::open(path).map_err(|error| crate::Error::new(Class::Usage, error.to_string()))?;
        let mut first = [0];
        let read = file.read(&mut first)?;
        file.rewind()?;
        let log = match &first[..read] {
            b"{" => Self::json(BufReader::new(file)),
            b"t" => Self::csv(BufReader::new(file)),
            [0xff] => Self::arrow(file),
            _ => Err(wrong("it is no log", "JSON lines, CSV or an Arrow stream that `stream` wrote")),
        }?;
        match log.columns.iter().find(|name| !stream::names().any(|known| known == name.as_str())) {
            Some(column) => Err(wrong(&format!("column {column}"), "columns that `stream` writes")),
            None => Ok(log),
        }
    }

    fn json(lines: impl BufRead) -> crate::Result<Self> {
        let mut log = Self::default();
        for (number, line) in lines.lines().enumerate() {
            let at = |found: &str| wrong(&format!("line {}: {found}", number + 1), "a row that `stream` wrote");
            let line = line?;
            let row: serde_json::Map<String, Value> =
                serde_json::from_str(&line).map_err(|error| at(&error.to_string()))?;
            if log.rows.is_empty() {
                log.columns = row.keys().filter(|name| !NAMED.contains(&name.as_str())).cloned().collect();
            }
            if row.len() != log.columns.len() + NAMED.len() {
                return Err(at(&format!("{} columns, {} before", row.len(), log.columns.len() + NAMED.len())));
            }
            let text = |name: &str| row.get(name).and_then(Value::as_str);
            let number = |name: &String| match row.get(name) {
                Some(Value::Null) => Ok(f64::NAN),
                Some(value) => value.as_f64().ok_or_else(|| at(&format!("{name} is {value}"))),
                None => Err(at(&format!("no {name}"))),
            };
            let time = text("timestamp").ok_or_else(|| at("no timestamp"))?;
            let second = second(time).ok_or_else(|| at(time))?;
            let values = log.columns.iter().map(number).collect::<crate::Result<_>>()?;
            let quiet = row.get("volume").and_then(Value::as_f64).is_none_or(|volume| volume == 0.0);
            log.rows.push(Row { second, contract: text("contract").unwrap_or_default().to_owned(), values, quiet });
        }
        Ok(log)
    }

    fn csv(lines: impl BufRead) -> crate::Result<Self> {
        let mut log = Self::default();
        for (number, line) in lines.lines().enumerate() {
            let line = line?;
            let at = |found: &str| wrong(&format!("line {}: {found}", number + 1), "a row that `stream` wrote");
            let fields: Vec<&str> = line.split(',').collect();
            let Some((names, values)) = fields.split_first_chunk::<3>() else { return Err(at("too few columns")) };
            if number == 0 {
                if *names != NAMED {
                    return Err(at("another header"));
                }
                log.columns = values.iter().map(|name| (*name).to_owned()).collect();
                continue;
            }
            if values.len() != log.columns.len() {
                return Err(at(&format!(
                    "{} columns, {} in the header",
                    fields.len(),
                    log.columns.len() + NAMED.len()
                )));
            }
            let value = |text: &&str| match *text {
                "" => Ok(f64::NAN),
                text => text.parse().map_err(|_| at(text)),
            };
            let values = values.iter().map(value).collect::<crate::Result<Vec<f64>>>()?;
            let second = second(names[0]).ok_or_else(|| at(names[0]))?;
            let quiet = log.quiet(&values);
            log.rows.push(Row { second, contract: names[1].to_owned(), values, quiet });
        }
        Ok(log)
    }

    fn arrow(file: File) -> crate::Result<Self> {
        let refused =
            |error: arrow_schema::ArrowError| wrong(&error.to_string(), "an Arrow stream that `stream` wrote");
        let mut log = Self::default();
        for batch in StreamReader::try_new(BufReader::new(file), None).map_err(refused)? {
            let batch = batch.map_err(refused)?;
            let names = batch.schema_ref().fields().iter().map(|field| field.name().clone());
            log.columns = names.filter(|name| !NAMED.contains(&name.as_str())).collect();
            let column = |name: &str| batch.column_by_name(name);
            let values: Option<Vec<Vec<f64>>> = log.columns.iter().map(|name| column(name).and_then(numbers)).collect();
            let time = column("timestamp").and_then(|time| time.as_any().downcast_ref::<TimestampNanosecondArray>());
            let contract = column("contract").and_then(|contract| contract.as_any().downcast_ref::<StringArray>());
            let (Some(values), Some(time), Some(contract)) = (values, time, contract) else {
                return Err(wrong("columns of other types", "an Arrow stream that `stream` wrote"));
            };
            for (row, nanos) in time.values().iter().enumerate() {
                let values: Vec<f64> = values.iter().map(|column| column[row]).collect();
                let (second, quiet) = (nanos.div_euclid(1_000_000_000), log.quiet(&values));
                log.rows.push(Row { second, contract: contract.value(row).to_owned(), values, quiet });
            }
        }
        Ok(log)
    }

    /// Whether nothing traded in a row; without its volume nobody knows.
    fn quiet(&self, values: &[f64]) -> bool {
        let volume = self.columns.iter().position(|name| name == "volume");
        volume.is_none_or(|at| values[at] == 0.0)
    }
}

fn second(time: &str) -> Option<i64> {
    time.parse::<Timestamp>().ok().map(Timestamp::as_second)
}

fn wrong(found: &str, expected: &str) -> crate::Error {
    crate::Error::new(Class::Input, format!("{found}; expected {expected}"))
}
