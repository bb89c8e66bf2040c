//! `inspect`: what is in a file, and what would come out of it.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use data::{
    Month,
    column_file::ColumnFile,
    columns::ColumnsView,
    contract::Fronts,
    input::{self, InputError, Seen},
    records::Records,
    session,
    volumes::Volumes,
};
use jiff::{Timestamp, civil::Date};
use parquet::{
    basic::{LogicalType, Type},
    file::reader::{FileReader, SerializedFileReader},
    schema::types::ColumnDescriptor,
};
use serde::Serialize;
use serde_json::Value;

use super::bring::bring;
use crate::{
    cli::InspectArgs,
    run::{decode, named::Named},
    settings::Settings,
};

/// Runs the command.
pub fn run(args: &InspectArgs, settings: &Settings) -> crate::Result<u8> {
    let folder = tempfile::tempdir()?;
    let path = bring(&args.file, folder.path(), settings)?;
    let found = inspect(&path, folder.path(), settings)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        found.print();
    }
    Ok(0)
}

fn inspect(path: &Path, folder: &Path, settings: &Settings) -> crate::Result<Found> {
    let instrument = &settings.instrument;
    if let Some(found) = training_file(path)? {
        return Ok(Found::Training(found));
    }
    if let Ok((_, file)) = ColumnFile::open_any(path) {
        let bytes = fs::metadata(path)?.len();
        let fronts = Fronts::alone(file.view().month, &Volumes::of(&file.view(), instrument)?, settings.choice);
        let months = vec![MonthFound::new(file.view(), file.records(), settings, &fronts)?];
        return Ok(Found::Bars(BarsFile { format: "column file".into(), bytes, months, ..BarsFile::default() }));
    }
    // The months around a month decide on its fronts: all are decoded before the first is cut.
    let decoded = decode::decode(|| Ok(path), &decode::source(path)?, &Named::beside(path)?, instrument, folder)?;
    let volumes = decoded.volumes(instrument)?;
    let month = |&month: &Month| {
        let file = decoded.open(month)?;
        let fronts = Fronts::choose(month, &volumes, |month| decoded.months.contains(&month), settings.choice);
        Ok(MonthFound::new(file.view(), file.records(), settings, &fronts)?)
    };
    let months = decoded.months.iter().map(month).collect::<crate::Result<_>>()?;
    let info = decoded.info;
    Ok(Found::Bars(BarsFile {
        format: info.format,
        bytes: info.bytes,
        checksum: Some(format!("xxh3:{}", info.checksum)),
        records: Some(info.records),
        limit: info.limit,
        first: info.first,
        last: info.last,
        months,
    }))
}

#[derive(Serialize)]
#[serde(untagged)]
enum Found {
    Training(TrainingFile),
    Bars(BarsFile),
}

/// A Parquet file of ours.
#[derive(Serialize)]
struct TrainingFile {
    /// `parquet`.
    format: &'static str,
    /// Its size.
    bytes: u64,
    /// Its rows.
    rows: i64,
    /// One a session.
    row_groups: usize,
    /// How many columns it has.
    columns: usize,
    /// Metadata of the file.
    metadata: serde_json::Map<String, Value>,
    /// The columns in order.
    column_types: Vec<ColumnType>,
}

/// A column.
#[derive(Serialize)]
struct ColumnType {
    /// Its name.
    name: String,
    /// Its Arrow type.
    #[serde(rename = "type")]
    kind: String,
}

/// An input, or the columns decoded from one.
#[derive(Default, Serialize)]
struct BarsFile {
    /// What it is.
    format: String,
    /// Its size.
    bytes: u64,
    /// XXH3-64 of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<String>,
    /// Records in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<u64>,
    /// What the download was limited to, where it ended there.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    /// Time of the earliest record.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Timestamp>,
    /// Time of the latest record.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Timestamp>,
    /// The months it holds records of.
    months: Vec<MonthFound>,
}

/// One month, and what would be made of it with the settings in force.
#[derive(Serialize)]
struct MonthFound {
    /// The month.
    month: Month,
    /// Records that cleaning keeps.
    kept: u64,
    /// Records read, and dropped by rule.
    records: Records,
    /// Its contracts.
    contracts: Vec<Contract>,
    /// Its sessions.
    sessions: Vec<SessionFound>,
    /// Why there is none.
    no_session: Option<String>,
}

/// A contract.
#[derive(Serialize)]
struct Contract {
    /// Its symbol.
    symbol: String,
    /// Its delivery month.
    delivery: Option<Month>,
    /// Its records.
    records: usize,
    /// Contracts traded.
    volume: u64,
}

/// A session.
#[derive(Serialize)]
struct SessionFound {
    /// Local trading date.
    date: Date,
    /// Front contract.
    contract: String,
    /// Rows.
    rows: usize,
    /// Share of the rows with a trade.
    traded: f64,
    /// Contracts traded.
    volume: u64,
    /// Nothing traded at the end of the window.
    early_close: bool,
    /// Nothing traded at the start of the window.
    late_open: bool,
}

impl MonthFound {
    fn new(view: ColumnsView<'_>, records: &Records, settings: &Settings, fronts: &Fronts) -> Result<Self, InputError> {
        let contract = |contract: &data::columns::ContractRows| Contract {
            symbol: contract.symbol.clone(),
            delivery: contract.expiry,
            records: contract.rows.len(),
            volume: view.volume[contract.rows.clone()].iter().copied().map(u64::from).sum(),
        };
        let session = |session: &data::grid::Session| SessionFound {
            date: session.date,
            contract: session.contract.clone(),
            rows: session.rows.len(),
            traded: 1.0 - session.filled_rows as f64 / session.rows.len().max(1) as f64,
            volume: session.volume,
            early_close: session.early_close,
            late_open: session.late_open,
        };
        let grid = session::cut(&view, &settings.instrument, fronts)?;
        let why = || Seen::default().and(&view, records).no_session(&settings.instrument).to_string();
        Ok(Self {
            month: view.month,
            kept: view.time.len() as u64,
            records: records.clone(),
            contracts: view.contracts.iter().map(contract).collect(),
            sessions: grid.sessions.iter().map(session).collect(),
            no_session: grid.sessions.is_empty().then(why),
        })
    }
}

/// `None` for anything but a Parquet file of ours.
fn training_file(path: &Path) -> crate::Result<Option<TrainingFile>> {
    let within =
        |source: io::Error| InputError::File { path: path.display().to_string(), source: Box::new(source.into()) };
    let file = File::open(path).map_err(within)?;
    let bytes = file.metadata().map_err(within)?.len();
    let Ok(reader) = input::guarded_footer("Parquet", || SerializedFileReader::new(file)) else { return Ok(None) };
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
    let columns = metadata.schema_descr().columns().iter();
    let column_types: Vec<ColumnType> =
        columns.map(|column| ColumnType { name: column.name().to_owned(), kind: kind(column) }).collect();
    Ok(Some(TrainingFile {
        format: "training file",
        bytes,
        rows: metadata.num_rows(),
        row_groups: reader.num_row_groups(),
        columns: column_types.len(),
        metadata: ours,
        column_types,
    }))
}

/// The type as pandas and Polars call it.
fn kind(column: &ColumnDescriptor) -> String {
    match (column.logical_type_ref(), column.physical_type()) {
        (Some(LogicalType::Timestamp { .. }), _) => "timestamp, UTC".into(),
        (Some(LogicalType::Integer { .. }), _) => "int8".into(),
        (_, Type::FLOAT) => "float32".into(),
        (_, Type::DOUBLE) => "float64".into(),
        (_, other) => other.to_string().to_lowercase(),
    }
}

impl Found {
    fn print(&self) {
        match self {
            Self::Training(file) => file.print(),
            Self::Bars(file) => file.print(),
        }
    }
}

impl TrainingFile {
    fn print(&self) {
        line(0, "format", self.format);
        line(0, "bytes", self.bytes);
        line(0, "rows", self.rows);
        line(0, "sessions", self.row_groups);
        for (name, value) in &self.metadata {
            match value {
                Value::Object(fields) => {
                    fields.iter().for_each(|(field, value)| line(0, &format!("{name}.{field}"), plain(value)))
                }
                Value::Array(items) => items.iter().for_each(|item| line(0, name, plain(item))),
                other => line(0, name, plain(other)),
            }
        }
        line(0, "columns", self.columns);
        for ColumnType { name, kind } in &self.column_types {
            line(2, name, kind);
        }
    }
}

impl BarsFile {
    fn print(&self) {
        line(0, "format", &self.format);
        line(0, "bytes", self.bytes);
        let optional = [
            ("checksum", self.checksum.clone()),
            ("records", self.records.map(|records| records.to_string())),
            ("download limit, reached", self.limit.map(|limit| limit.to_string())),
            ("first", self.first.map(|first| first.to_string())),
            ("last", self.last.map(|last| last.to_string())),
        ];
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .for_each(|(name, value)| line(0, name, value));
        self.months.iter().for_each(MonthFound::print);
    }
}

impl MonthFound {
    fn print(&self) {
        let Self { month, kept, records, contracts, sessions, no_session } = self;
        println!("\n{month}  {} records, {kept} kept", records.total);
        let not_selected = [
            ("spreads", records.spreads_dropped),
            ("other roots", records.other_roots_dropped),
            ("ids without a symbol", records.unmapped),
            ("filled before", records.filled_before),
        ];
        for (what, count) in not_selected.into_iter().filter(|(_, count)| *count > 0) {
            line(2, "not selected", format!("{what} {count}"));
        }
        for (rule, count) in records.rules().into_iter().filter(|(_, count)| *count > 0) {
            line(2, "dropped", format!("{rule} {count}"));
        }
        if records.time_backwards > 0 {
            line(2, "sorted", format!("time_backwards {}", records.time_backwards));
        }
        if !contracts.is_empty() {
            println!("\n  {:12} {:8} {:>10} {:>12}", "contract", "delivery", "records", "volume");
        }
        for Contract { symbol, delivery, records, volume } in contracts {
            let delivery = delivery.map_or_else(|| "-".to_owned(), |month| month.to_string());
            println!("  {:12} {delivery:8} {records:>10} {volume:>12}", named(symbol));
        }
        if let Some(why) = no_session {
            println!("\n  {why}");
            return;
        }
        println!("\n  {:12} {:8} {:>10} {:>12}   traded", "session", "contract", "rows", "volume");
        for SessionFound { date, contract, rows, traded, volume, early_close, late_open } in sessions {
            let short = [("early close", early_close), ("late open", late_open)];
            let short: String = short.iter().filter(|(_, is)| **is).map(|(name, _)| format!("  {name}")).collect();
            let date = date.to_string();
            println!("  {date:12} {:8} {rows:>10} {volume:>12}  {:5.1} %{short}", named(contract), 100.0 * traded);
        }
    }
}

fn line(indent: usize, name: &str, value: impl std::fmt::Display) {
    println!("{:indent$}{name:34} {value}", "");
}

/// A contract's name; the input need not have any.
fn named(symbol: &str) -> &str {
    if symbol.is_empty() { "-" } else { symbol }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name} {}", plain(value))).collect();
            fields.join("  ")
        }
        other => other.to_string(),
    }
}
