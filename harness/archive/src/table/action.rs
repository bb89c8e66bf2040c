//! What the commits of the log say, as the Delta protocol has it: a JSON object a line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What a reader and a writer must know of the protocol: nothing beyond its first version, but that a writer is not to
/// break `appendOnly` and invariants, of which there are none.
pub const PROTOCOL: Protocol = Protocol { min_reader_version: 1, min_writer_version: 2 };

/// Who wrote a commit, up to its version: what does not begin so was written by another program.
const ENGINE: &str = "harness/";

/// One line of a commit, or one row of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// What a reader must know.
    Protocol(Protocol),
    /// What the table is.
    MetaData(MetaData),
    /// A file belongs to it.
    Add(Add),
    /// A file no longer does.
    Remove(Remove),
    /// How far an application has come.
    Txn(Txn),
}

/// Versions of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Protocol {
    /// A reader must know it.
    pub min_reader_version: u32,
    /// A writer must.
    pub min_writer_version: u32,
}

/// What the table is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetaData {
    /// A UUID.
    pub id: String,
    /// Format of the files.
    pub format: Format,
    /// Columns as JSON (`columns.rs`).
    pub schema_string: String,
    /// Those that the files do not hold.
    pub partition_columns: Vec<String>,
    /// Settings of the table.
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
    /// Milliseconds since 1970.
    pub created_time: Option<i64>,
}

/// Format of the files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// `parquet`.
    pub provider: String,
    /// None.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// A file of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Add {
    /// From the folder of the table on, as a URL has it.
    pub path: String,
    /// Values of the columns that it does not hold.
    pub partition_values: BTreeMap<String, Option<String>>,
    /// Bytes.
    pub size: u64,
    /// Milliseconds since 1970.
    pub modification_time: i64,
    /// Whether rows differ by it.
    pub data_change: bool,
    /// Its rows, as JSON.
    pub stats: Option<String>,
}

/// A file that no longer belongs to the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remove {
    /// As it was added.
    pub path: String,
    /// Milliseconds since 1970.
    pub deletion_timestamp: Option<i64>,
    /// Whether rows differ by it.
    #[serde(default)]
    pub data_change: bool,
    /// Whether the next two are there.
    pub extended_file_metadata: Option<bool>,
    /// As it was added.
    pub partition_values: Option<BTreeMap<String, Option<String>>>,
    /// Bytes.
    pub size: Option<u64>,
}

/// How far an application has come: of each month, up to which generation of its manifest it is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Txn {
    /// The application.
    pub app_id: String,
    /// The generation.
    pub version: u64,
    /// Milliseconds since 1970.
    pub last_updated: Option<i64>,
}

/// Who writes commits.
#[derive(Clone, Debug)]
pub struct Author {
    /// Of which run.
    pub run: String,
    /// On which machine.
    pub host: String,
}

/// What a commit did, for people who read the log.
#[derive(Clone, Copy, Debug)]
pub struct Done<'a> {
    /// `PUBLISH`, `REMOVE` or `SYNC`.
    pub operation: &'a str,
    /// More of it; every value must be text.
    pub parameters: &'a [(&'a str, String)],
}

/// A commit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Commit {
    /// What it does.
    pub actions: Vec<Action>,
    /// Whether this program wrote it.
    pub ours: bool,
}

impl Commit {
    /// A commit from its bytes. What is of no kind that this program writes is left out.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut commit = Self::default();
        for (line, text) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if text.trim_ascii().is_empty() {
                continue;
            }
            let wrong = |error: serde_json::Error| format!("line {}: {error}", line + 1);
            let object: Map<String, Value> = serde_json::from_slice(text).map_err(wrong)?;
            if let Some(info) = object.get("commitInfo") {
                commit.ours |= info["engineInfo"].as_str().is_some_and(|engine| engine.starts_with(ENGINE));
            }
            commit.actions.extend(of_object(object).map_err(wrong)?);
        }
        if commit.actions.is_empty() && !commit.ours { Err("it says nothing".into()) } else { Ok(commit) }
    }

    /// Its bytes.
    pub fn bytes(actions: &[Action], author: &Author, done: Done<'_>, millis: i64) -> serde_json::Result<Vec<u8>> {
        let parameters: BTreeMap<&str, &str> =
            done.parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let info = json!({"commitInfo": {
            "timestamp": millis,
            "operation": done.operation,
            "operationParameters": parameters,
            "engineInfo": concat!("harness/", env!("CARGO_PKG_VERSION")),
            "run": author.run,
            "host": author.host,
        }});
        let mut bytes = serde_json::to_vec(&info)?;
        for action in actions {
            bytes.push(b'\n');
            serde_json::to_writer(&mut bytes, action)?;
        }
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// The action of a line or row, if it is of a kind that counts here.
pub fn of_object(object: Map<String, Value>) -> serde_json::Result<Option<Action>> {
    const KNOWN: [&str; 5] = ["protocol", "metaData", "add", "remove", "txn"];
    let known = object.into_iter().find(|(kind, value)| KNOWN.contains(&kind.as_str()) && !value.is_null());
    known.map(|known| serde_json::from_value(Value::Object([known].into_iter().collect()))).transpose()
}
