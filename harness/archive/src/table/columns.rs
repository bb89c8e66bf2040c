//! The columns of the table as its log writes them, from the footer of a published file.

use parquet::{
    basic::{IntType, LogicalType, TimeUnit, TimestampType, Type as Physical},
    file::metadata::ParquetMetaData,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The column whose value is that of the file: its month.
pub const MONTH: &str = "month";

/// Columns in order, with that of the month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    #[serde(rename = "type")]
    kind: String,
    fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Field {
    name: String,
    #[serde(rename = "type")]
    kind: Value,
    nullable: bool,
    metadata: Map<String, Value>,
}

impl Columns {
    /// Those of a file.
    ///
    /// # Errors
    /// Why it cannot be in the table.
    pub fn of(footer: &ParquetMetaData) -> Result<Self, String> {
        let schema = footer.file_metadata().schema_descr();
        let mut fields = Vec::new();
        for column in schema.columns() {
            let name = column.path().string();
            let kind = match (column.physical_type(), column.logical_type_ref()) {
                (Physical::INT64, Some(LogicalType::Timestamp(TimestampType { unit, .. }))) => match unit {
                    TimeUnit::MICROS => "timestamp",
                    _ => {
                        return Err(format!(
                            "{name} is not in microseconds: set timestamp_unit = \"us\" and run it again"
                        ));
                    }
                },
                (Physical::INT32, Some(LogicalType::Integer(IntType { bit_width: 8, is_signed: true }))) => "byte",
                (Physical::INT32, Some(LogicalType::Integer(IntType { bit_width: 16, is_signed: true }))) => "short",
                (Physical::INT32, None) => "integer",
                (Physical::INT64, None) => "long",
                (Physical::FLOAT, None) => "float",
                (Physical::DOUBLE, None) => "double",
                (physical, _) => return Err(format!("{name} is {physical}, which no column of the table is")),
            };
            fields.push(Field::new(name, kind));
        }
        fields.push(Field::new(MONTH.to_owned(), "string"));
        Ok(Self { kind: "struct".into(), fields })
    }

    /// As the log has them.
    ///
    /// # Errors
    /// It is no such text.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// As the log is to have them.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// These and those of another file that these lack; readers find nulls where a file has no such column.
    ///
    /// # Errors
    /// A column is of two types, and a table has one for each.
    pub fn with(&self, other: &Self) -> Result<Self, String> {
        let mut all = self.clone();
        for field in &other.fields {
            match all.fields.iter().find(|known| known.name == field.name) {
                None => {
                    // That of the month stays the last.
                    let last = all.fields.len().saturating_sub(1);
                    all.fields.insert(last, field.clone());
                }
                Some(known) if known.kind == field.kind => {}
                Some(known) => return Err(format!("{} is {}, {} in the table", field.name, field.kind, known.kind)),
            }
        }
        Ok(all)
    }
}

impl Field {
    fn new(name: String, kind: &str) -> Self {
        Self { name, kind: kind.into(), nullable: true, metadata: Map::new() }
    }
}
