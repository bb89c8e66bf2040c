//! Settings: flag, environment, harness.toml, default, in this order.

mod alerts;
mod preset;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use data::{
    Instrument, Month,
    breaks::time_of_day,
    contract::Choice,
    form::{self, Form, PriceUnit, TimeUnit},
    instrument::InstrumentError,
};
use kernels::{Level, Profile};
use serde::Serialize;
use tracing::level_filters::LevelFilter;

pub use self::{alerts::Alerts, preset::points};
use crate::{
    archive::store::{Access, Store, StoreError},
    cli::{ConfigArgs, ConfigCommand, SettingFlags},
    exit::Usage,
    statistics::feature_ranges::{self, Overrides},
};

/// Name in harness.toml (and as a flag with dashes), environment variable, default. Of those that a root's preset has, the
/// default is that of ES; they stand after `root` and `session`.
const TABLE: [(&str, Option<&str>, &str); 32] = [
    ("store", Some("S3_BUCKET"), "./store"),
    ("raw", None, ""),
    ("profile", None, "session"),
    ("decay_reference", None, ""),
    ("allow_decay_reference_before_data", None, "false"),
    ("features_dtype", None, "float32"),
    ("contract", None, "volume"),
    ("chunk_rows", Some("CHUNK_SIZE"), "4096"),
    ("jobs", None, "0"),
    ("max_memory_gb", Some("MAX_MEMORY_GB"), "8"),
    ("temp_dir", Some("PROCESSING_TEMP_DIR"), ""),
    ("cache_gb", None, "20"),
    ("root", None, "ES"),
    ("tick_size", None, "0.25"),
    ("negative_prices", None, "false"),
    ("session", None, "regular"),
    ("session_start", None, "07:30:00"),
    ("session_end", None, "15:00:00"),
    ("session_breaks", None, ""),
    ("time_zone", None, "America/Chicago"),
    ("input_time_zone", None, ""),
    ("columns", None, ""),
    ("time_unit", None, ""),
    ("price_unit", None, ""),
    ("gap_points", None, "20"),
    ("roll_window", None, ""),
    ("log_level", Some("LOG_LEVEL"), "info"),
    ("log_format", Some("LOG_FORMAT"), "text"),
    ("log_file", Some("LOG_FILE"), ""),
    ("instructions", Some("KERNELS_LEVEL"), "auto"),
    ("s3_timeout", Some("S3_TIMEOUT"), "600"),
    ("s3_retry_attempts", Some("S3_RETRY_ATTEMPTS"), "5"),
];

/// Where a setting comes from that nobody gave.
const DEFAULT: &str = "default";

/// The table of harness.toml that replaces rows of the usual ranges of features.
const RANGES: &str = "feature_ranges";

/// What is expected of breaks.
const BREAKS: &str = "breaks within the session, such as '15:15-15:30 until 2021-06-25, 16:00-17:00'";

/// The table of harness.toml that says when to tell whom.
const ALERTS: &str = "alerts";

/// What harness.toml says.
#[derive(Default)]
struct FromFile {
    settings: BTreeMap<String, String>,
    ranges: Overrides,
    alerts: Alerts,
}

/// One setting in force.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// Its value as text.
    pub value: String,
    /// Where it came from.
    pub origin: String,
}

/// The settings in force, checked.
#[derive(Clone)]
pub struct Settings {
    table: BTreeMap<String, Setting>,
    file: PathBuf,
    ranges: Overrides,
    alerts: Alerts,
    /// What to select and how to read it.
    pub instrument: Instrument,
    /// Windows at a session's edge.
    pub profile: Profile,
    /// Reference month of the weights, where given.
    pub decay_reference: Option<Month>,
    /// Whether that may lie before months that are made, whose weights then grow.
    pub allow_decay_reference_before_data: bool,
    /// Whether features are float64.
    pub float64: bool,
    /// How the front contract is chosen.
    pub choice: Choice,
    /// Rows of one kernel call.
    pub chunk_rows: usize,
    /// Threads; 0 means all cores.
    pub jobs: usize,
    /// Limit of the decoded columns kept, in bytes.
    pub cache_bytes: u64,
    /// Memory limit in GB.
    pub max_memory_gb: f64,
    /// The instructions the kernels are held to, where given.
    level: Option<Level>,
    /// How a remote store is asked.
    pub access: Access,
    /// What is logged.
    pub log_level: LevelFilter,
    /// Whether log lines are JSON.
    pub log_json: bool,
}

impl Settings {
    /// Resolves every setting and checks it.
    pub fn resolve(flags: &SettingFlags) -> crate::Result<Self> {
        let (path, required) = match &flags.config {
            Some(path) => (path.as_path(), true),
            None => (Path::new("harness.toml"), false),
        };
        Self::of(flags, read_file(path, required)?, path)
    }

    /// Those of the text of a harness.toml.
    pub fn of_text(text: &str) -> crate::Result<Self> {
        let path = Path::new("harness.toml");
        Self::of(&SettingFlags::default(), parse_file(text, path)?, path)
    }

    fn of(flags: &SettingFlags, file: FromFile, path: &Path) -> crate::Result<Self> {
        let FromFile { settings: file, ranges, alerts } = file;
        let mut table = BTreeMap::new();
        for (name, variable, default) in TABLE {
            let (value, origin) = if let Some(value) = flag(flags, name) {
                (value.clone(), format!("flag --{}", name.replace('_', "-")))
            } else if let Some((value, variable)) = variable.map(environment).transpose()?.flatten().zip(variable) {
                let value = if variable == "S3_BUCKET" { bucket(&value) } else { value };
                (value, format!("environment {variable}"))
            } else if let Some(value) = file.get(name) {
                (value.clone(), path.display().to_string())
            } else {
                match preset::of(&table, name).filter(|value| value != default) {
                    Some(value) => (value, format!("preset of {}", table["root"].value)),
                    None => (default.to_owned(), DEFAULT.to_owned()),
                }
            };
            table.insert(name.to_owned(), Setting { value, origin });
        }
        for (name, (low, high)) in &ranges {
            let setting = Setting { value: format!("[{low}, {high}]"), origin: path.display().to_string() };
            table.insert(format!("{RANGES}.{name}"), setting);
        }
        Ok(Self { ranges, alerts, ..Self::check(table, path.to_owned())? })
    }

    fn check(table: BTreeMap<String, Setting>, file: PathBuf) -> crate::Result<Self> {
        let wrong = |name: &str, expected: &str| Usage(format!("{}: expected {expected}", found(&table, name)));
        let one_of = |name: &str, choices: [&str; 2]| {
            let position = choices.iter().position(|choice| *choice == table[name].value);
            position.ok_or_else(|| wrong(name, &choices.join(" or ")))
        };
        let points =
            |name: &str| nanos(&table[name].value).ok_or_else(|| wrong(name, "points with at most 9 decimals"));
        let time = |name: &str| time_of_day(&table[name].value).ok_or_else(|| wrong(name, "a time of day HH:MM[:SS]"));
        one_of("session", preset::SESSIONS)?;
        let number = |name: &str, expected: &str, fits: fn(f64) -> bool| -> Result<f64, Usage> {
            let value: Option<f64> = table[name].value.parse().ok();
            value.filter(|&value| value <= 1e9 && fits(value)).ok_or_else(|| wrong(name, expected))
        };
        let count = |name: &str, least: usize| {
            let value: Option<usize> = table[name].value.parse().ok();
            value
                .filter(|value| (least..=1 << 30).contains(value))
                .ok_or_else(|| wrong(name, &format!("a whole number from {least}")))
        };
        let instrument = Instrument {
            root: table["root"].value.clone(),
            tick_nanos: points("tick_size")?,
            session_start: time("session_start")?,
            session_end: time("session_end")?,
            session_breaks: table["session_breaks"].value.parse().map_err(|_| wrong("session_breaks", BREAKS))?,
            time_zone: table["time_zone"].value.clone(),
            input_time_zone: Some(table["input_time_zone"].value.clone()).filter(|name| !name.is_empty()),
            negative_prices: one_of("negative_prices", ["false", "true"])? == 1,
            form: Form {
                columns: table["columns"].value.parse().map_err(|()| {
                    wrong("columns", &format!("'timestamp=ts,volume=vol' (of {})", form::COLUMNS.join(", ")))
                })?,
                time_unit: optional(&table["time_unit"].value, TimeUnit::ALL.map(|unit| (unit.name(), unit)))
                    .map_err(|expected| wrong("time_unit", &expected))?,
                price_unit: optional(&table["price_unit"].value, PriceUnit::ALL.map(|unit| (unit.name(), unit)))
                    .map_err(|expected| wrong("price_unit", &expected))?,
            },
            gap_nanos: points("gap_points")?,
            rolls: table["roll_window"].value.parse().map_err(|_| {
                wrong("roll_window", "'third-friday -10..0', 'first-day -8..-1' (calendar days around a day of the delivery month) or 'none'")
            })?,
        };
        instrument.check().map_err(|error| match error {
            InstrumentError::Root(_) => wrong("root", "capital letters and digits, such as ES, NQ or 6E"),
            InstrumentError::Tick(error) => wrong("tick_size", &format!("a tick in points, such as 0.25 ({error})")),
            InstrumentError::Gap(_) => wrong("gap_points", "points from 0"),
            InstrumentError::TimeZone { name, .. } => {
                let setting = if name == table["time_zone"].value { "time_zone" } else { "input_time_zone" };
                wrong(setting, "an IANA name such as America/Chicago")
            }
            InstrumentError::Breaks(_) => wrong("session_breaks", BREAKS),
            InstrumentError::Session { .. } => Usage(format!(
                "{} and {}: expected two times of day that differ, the end by 24:00; a start after the end is on the \
                 evening before",
                found(&table, "session_start"),
                found(&table, "session_end")
            )),
        })?;
        let decay_reference = match table["decay_reference"].value.as_str() {
            "" => None,
            month => Some(month.parse::<Month>().map_err(|_| wrong("decay_reference", "a month YYYY-MM"))?),
        };
        if table["store"].value.is_empty() {
            return Err(wrong("store", "s3://bucket/prefix or a local directory").into());
        }
        let log_level = match table["log_level"].value.to_lowercase().as_str() {
            "error" => LevelFilter::ERROR,
            "warn" | "warning" => LevelFilter::WARN,
            "info" => LevelFilter::INFO,
            "debug" => LevelFilter::DEBUG,
            "trace" => LevelFilter::TRACE,
            _ => return Err(wrong("log_level", "error, warn, info, debug or trace").into()),
        };
        let level = match table["instructions"].value.as_str() {
            "auto" => None,
            name => {
                let there = Level::available().map(Level::name).collect::<Vec<_>>().join(", ");
                let level = Level::available().find(|level| level.name() == name);
                Some(level.ok_or_else(|| wrong("instructions", &format!("auto or what this processor has: {there}")))?)
            }
        };
        let access = Access {
            timeout: Duration::from_secs_f64(number("s3_timeout", "seconds above 0", |value| value > 0.0)?),
            retries: count("s3_retry_attempts", 0)?.min(1000) as u32,
        };
        Ok(Self {
            instrument,
            profile: [Profile::Session, Profile::Rolling][one_of("profile", ["session", "rolling"])?],
            decay_reference,
            allow_decay_reference_before_data: one_of("allow_decay_reference_before_data", ["false", "true"])? == 1,
            float64: one_of("features_dtype", ["float32", "float64"])? == 1,
            choice: [Choice::Volume, Choice::VolumePrevious][one_of("contract", ["volume", "volume-previous"])?],
            chunk_rows: count("chunk_rows", 1)?,
            jobs: count("jobs", 0)?,
            max_memory_gb: number("max_memory_gb", "gigabytes above 0", |value| value > 0.0)?,
            cache_bytes: (number("cache_gb", "gigabytes from 0", |value| value >= 0.0)? * 1e9) as u64,
            level,
            access,
            log_level,
            log_json: one_of("log_format", ["text", "json"])? == 1,
            table,
            file,
            ranges: Overrides::new(),
            alerts: Alerts::default(),
        })
    }

    /// Holds the kernels to the instructions that were set.
    pub fn force_level(&self) -> Result<(), Usage> {
        self.level.map_or(Ok(()), Level::force).map_err(|error| Usage(error.to_string()))
    }

    /// Rows that replace those of the usual ranges of features.
    pub fn feature_ranges(&self) -> &Overrides {
        &self.ranges
    }

    /// When to tell whom.
    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// The reference month of the weights: as set, or the last month of what is made.
    ///
    /// # Errors
    /// It lies before some of the `months`, and that was not allowed.
    pub fn reference(&self, last: Month, months: &[Month]) -> Result<Month, Usage> {
        let reference = self.decay_reference.unwrap_or(last);
        self.check_reference(reference, months)?;
        Ok(reference)
    }

    /// Whether the weights of all `months` decay to a reference month: those of later ones would grow, by 5 % a month.
    ///
    /// # Errors
    /// It names the months.
    pub fn check_reference(&self, reference: Month, months: &[Month]) -> Result<(), Usage> {
        let later = || months.iter().filter(|month| **month > reference);
        let Some((first, last)) = later().min().zip(later().max()) else { return Ok(()) };
        let of = if first == last { format!("{first} is") } else { format!("{first}..{last} are") };
        let most = (0.05 * f64::from(last.index() - reference.index())).exp();
        if self.allow_decay_reference_before_data {
            tracing::warn!("{of} after the decay reference {reference}: their weights grow up to {most:.2} times");
            return Ok(());
        }
        Err(Usage(format!(
            "decay reference {reference}: {of} after it, and their weights would grow up to {most:.2} times instead of \
             decaying; set decay_reference to the last month you will train with, or --allow-decay-reference-before-data"
        )))
    }

    /// The same settings over another store and other raw files, whose weights decay to their own last month.
    pub fn at(&self, store: &Path, raw: &Path) -> Self {
        let mut settings = Self { decay_reference: None, ..self.clone() };
        for (name, path) in [("store", store), ("raw", raw)] {
            settings
                .table
                .insert(name.to_owned(), Setting { value: path.display().to_string(), origin: "demo".into() });
        }
        settings
    }

    /// The same folder for temporary files and decoded columns whatever was set.
    pub fn set_temp_dir(&mut self, folder: &Path) {
        let value = folder.display().to_string();
        self.table.insert("temp_dir".into(), Setting { value, origin: "bench".into() });
    }

    /// Where raw files are: in the store, unless another place is set.
    pub fn raw_store(&self, store: &Store) -> Result<Store, StoreError> {
        match self.text("raw") {
            "" => Ok(store.clone()),
            name => Store::existing(name, self.access),
        }
    }

    /// The configuration file that was read, or would be.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A setting as text.
    pub fn text(&self, name: &str) -> &str {
        &self.table[name].value
    }

    /// The settings that decide the output, in a fixed order; for the file's metadata and the manifest.
    pub fn of_output(&self) -> serde_json::Value {
        let profile = match self.profile {
            Profile::Session => "session",
            Profile::Rolling => "rolling",
        };
        serde_json::json!({
            "profile": profile,
            "instrument": self.instrument,
            "contract": self.choice,
            "features_dtype": if self.float64 { "float64" } else { "float32" },
        })
    }
}

/// Prints the settings.
pub fn run(args: &ConfigArgs, settings: &Settings) -> crate::Result<u8> {
    let ConfigCommand::Show { json } = args.command;
    if json {
        println!("{}", serde_json::to_string_pretty(&settings.table)?);
    } else {
        let ranges = settings.ranges.keys().map(|name| format!("{RANGES}.{name}"));
        for name in TABLE.iter().map(|(name, _, _)| (*name).to_owned()).chain(ranges) {
            let Setting { value, origin } = &settings.table[&name];
            println!("{name:33} {value:20} {origin}");
        }
    }
    Ok(0)
}

fn flag<'a>(flags: &'a SettingFlags, name: &str) -> Option<&'a String> {
    match name {
        "store" => flags.store.as_ref(),
        "raw" => flags.raw.as_ref(),
        "profile" => flags.profile.as_ref(),
        "decay_reference" => flags.decay_reference.as_ref(),
        "allow_decay_reference_before_data" => flags.allow_decay_reference_before_data.as_ref(),
        "features_dtype" => flags.features_dtype.as_ref(),
        "contract" => flags.contract.as_ref(),
        "chunk_rows" => flags.chunk_rows.as_ref(),
        "jobs" => flags.jobs.as_ref(),
        "max_memory_gb" => flags.max_memory_gb.as_ref(),
        "temp_dir" => flags.temp_dir.as_ref(),
        "cache_gb" => flags.cache_gb.as_ref(),
        "root" => flags.root.as_ref(),
        "tick_size" => flags.tick_size.as_ref(),
        "negative_prices" => flags.negative_prices.as_ref(),
        "session" => flags.session.as_ref(),
        "session_breaks" => flags.session_breaks.as_ref(),
        "session_start" => flags.session_start.as_ref(),
        "session_end" => flags.session_end.as_ref(),
        "time_zone" => flags.time_zone.as_ref(),
        "columns" => flags.columns.as_ref(),
        "time_unit" => flags.time_unit.as_ref(),
        "price_unit" => flags.price_unit.as_ref(),
        "input_time_zone" => flags.input_time_zone.as_ref(),
        "gap_points" => flags.gap_points.as_ref(),
        "roll_window" => flags.roll_window.as_ref(),
        "log_level" => flags.log_level.as_ref(),
        "log_format" => flags.log_format.as_ref(),
        "log_file" => flags.log_file.as_ref(),
        "instructions" => flags.instructions.as_ref(),
        _ => None,
    }
}

/// A setting as messages name it: what, its value, and where that came from.
fn found(table: &BTreeMap<String, Setting>, name: &str) -> String {
    let Setting { value, origin } = &table[name];
    format!("{name} = '{value}' ({origin})")
}

/// An environment variable; one that is empty is not set.
fn environment(variable: &str) -> Result<Option<String>, Usage> {
    let Some(value) = std::env::var_os(variable).filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = value.into_string();
    text.map(Some).map_err(|value| Usage(format!("{variable} = {value:?} (environment): expected UTF-8")))
}

/// A bucket by its name alone, or with a prefix, as a store.
fn bucket(name: &str) -> String {
    if name.starts_with("s3://") { name.to_owned() } else { format!("s3://{name}") }
}

/// The settings of harness.toml as text, and its tables.
fn read_file(path: &Path, required: bool) -> Result<FromFile, Usage> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => return Ok(Default::default()),
        Err(error) => return Err(Usage(format!("{}: {error}; expected a file of settings", path.display()))),
    };
    parse_file(&text, path)
}

fn parse_file(text: &str, path: &Path) -> Result<FromFile, Usage> {
    let wrong = |what: String| Usage(format!("{}: {what}", path.display()));
    let table: toml::Table = text.parse().map_err(|error| wrong(format!("{error}")))?;
    let mut found = FromFile::default();
    for (name, value) in table {
        if name == RANGES {
            found.ranges = read_ranges(value).map_err(wrong)?;
            continue;
        }
        if name == ALERTS {
            found.alerts = Alerts::read(value).map_err(wrong)?;
            continue;
        }
        let Some((_, _, default)) = TABLE.iter().find(|(known, _, _)| *known == name) else {
            return Err(wrong(format!("unknown setting '{name}'; `harness config show` lists them")));
        };
        let numeric = default.parse::<f64>().is_ok();
        let text = match value {
            toml::Value::Integer(number) if numeric => number.to_string(),
            // Never with an exponent, which exact points do not have.
            toml::Value::Float(number) if numeric => number.to_string(),
            toml::Value::String(text) if !numeric => text,
            toml::Value::Boolean(value) if default.parse::<bool>().is_ok() => value.to_string(),
            // A time of day may stand without quotes.
            toml::Value::Datetime(time) if !numeric => time.to_string(),
            other => {
                let expected = if numeric { "a number" } else { "a text in quotes" };
                return Err(wrong(format!("{name} = {other}: expected {expected}")));
            }
        };
        found.settings.insert(name, text);
    }
    Ok(found)
}

fn read_ranges(value: toml::Value) -> Result<Overrides, String> {
    let toml::Value::Table(table) = value else {
        return Err(format!("{RANGES} = {value}: expected a table of ranges, such as bar_range = [0, 50]"));
    };
    let mut ranges = Overrides::new();
    for (name, value) in table {
        if !feature_ranges::names().any(|known| known == name) {
            return Err(format!("{RANGES}.{name}: expected the name of a feature, such as bar_range"));
        }
        let number = |value: &toml::Value| match value {
            toml::Value::Integer(number) => Some(*number as f64),
            toml::Value::Float(number) => Some(*number),
            _ => None,
        };
        let bounds = value.as_array().and_then(|bounds| match &bounds[..] {
            [low, high] => Some((number(low)?, number(high)?)),
            _ => None,
        });
        let range = bounds.filter(|(low, high)| low <= high && low.is_finite() && high.is_finite());
        let range = range.ok_or(format!("{RANGES}.{name} = {value}: expected [lowest, highest], such as [0, 50]"))?;
        ranges.insert(name, range);
    }
    Ok(ranges)
}

/// One of a few values by its name, none where the text is empty; the names where it is none of them.
fn optional<T: Copy, const N: usize>(text: &str, values: [(&str, T); N]) -> Result<Option<T>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let found = values.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| Some(*value)).ok_or_else(|| values.map(|(name, _)| name).join(", "))
}

/// Decimal points as units of 1e-9 points, exactly.
fn nanos(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<9}").parse().ok()?;
    Some(whole * 1_000_000_000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_exactly() {
        assert_eq!(nanos("0.25"), Some(250_000_000));
        assert_eq!(nanos("0.1"), Some(100_000_000));
        assert_eq!(nanos("20"), Some(20_000_000_000));
        for wrong in ["", ".5", "-1", "1e3", "0.1234567891", "a"] {
            assert_eq!(nanos(wrong), None, "{wrong}");
        }
    }
}
