//! Settings: flag, environment, harness.toml, default, in this order.

mod alerts;
mod file;
mod flags;
mod labels;
#[cfg(test)]
mod page;
mod preset;
mod table;
mod values;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use archive::{
    discover::{self, RawFile},
    store::{Access, Store, StoreError},
};
use base::exit::Usage;
use data::{
    Instrument, Month,
    breaks::time_of_day,
    contract::Choice,
    form::{self, Form, PriceUnit, TimeUnit},
    instrument::InstrumentError,
    labels::Labels,
    training_file::Timestamps,
};
use kernels::{Level, Profile};
use serde::Serialize;
use tracing::level_filters::LevelFilter;

pub use self::{alerts::Alerts, flags::Flags, preset::points};
use self::{
    file::{FromFile, RANGES},
    labels::{LABELS, OWN},
    table::SETTINGS,
    values::{nanos, optional},
};
use statistics::feature_ranges::Overrides;

/// Where a setting comes from that nobody gave.
const DEFAULT: &str = "default";

/// What is expected of breaks.
const BREAKS: &str = "breaks within the session, such as '15:15-15:30 until 2021-06-25, 16:00-17:00'";

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
    /// Which trades are labelled.
    pub labels: Labels,
    /// Reference month of the weights, where given.
    pub decay_reference: Option<Month>,
    /// Whether that may lie before months that are made, whose weights then grow.
    pub allow_decay_reference_before_data: bool,
    /// Whether of raw files of one name the one that was written last counts alone.
    pub newest: bool,
    /// Whether features are float64.
    pub float64: bool,
    /// What the timestamps count.
    pub timestamps: Timestamps,
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
    pub fn resolve(flags: &Flags) -> crate::Result<Self> {
        let (path, required) = match &flags.config {
            Some(path) => (path.as_path(), true),
            None => (Path::new("harness.toml"), false),
        };
        Self::of(flags, file::read(path, required)?, path)
    }

    /// Those of the text of a harness.toml.
    pub fn of_text(text: &str) -> crate::Result<Self> {
        let path = Path::new("harness.toml");
        Self::of(&Flags::default(), file::parse(text, path)?, path)
    }

    fn of(flags: &Flags, file: FromFile, path: &Path) -> crate::Result<Self> {
        let FromFile { settings: file, ranges, alerts, labels: own } = file;
        let mut table = BTreeMap::new();
        for setting in SETTINGS {
            let (name, variable) = (setting.name, setting.variable);
            let (value, origin) = if let Some(value) = flags.get(name) {
                (value.clone(), format!("flag --{}", setting.flag()))
            } else if let Some((value, variable)) = variable.map(environment).transpose()?.flatten().zip(variable) {
                let value = if variable == "S3_BUCKET" { bucket(&value) } else { value };
                (value, format!("environment {variable}"))
            } else if let Some(value) = file.get(name) {
                (value.clone(), path.display().to_string())
            } else {
                match preset::of(&table, name).filter(|value| value != setting.default) {
                    Some(value) => (value, format!("preset of {}", table["root"].value)),
                    None => (setting.default.to_owned(), DEFAULT.to_owned()),
                }
            };
            table.insert(name.to_owned(), Setting { value, origin });
        }
        for (name, (low, high)) in &ranges {
            let setting = Setting { value: format!("[{low}, {high}]"), origin: path.display().to_string() };
            table.insert(format!("{RANGES}.{name}"), setting);
        }
        let labels = match (table[LABELS].value.as_str(), own) {
            (OWN, Some(own)) => own,
            (value, _) => labels::named(value)?,
        };
        Ok(Self { ranges, alerts, labels, ..Self::check(table, path.to_owned())? })
    }

    fn check(table: BTreeMap<String, Setting>, file: PathBuf) -> crate::Result<Self> {
        let wrong = |name: &str, expected: &str| Usage(format!("{}: expected {expected}", found(&table, name)));
        // One of two: whether it is the second.
        let second =
            |name: &str, choices: [&str; 2]| match choices.iter().position(|choice| *choice == table[name].value) {
                Some(position) => Ok(position == 1),
                None => Err(wrong(name, &choices.join(" or "))),
            };
        let points =
            |name: &str| nanos(&table[name].value).ok_or_else(|| wrong(name, "points with at most 9 decimals"));
        let time = |name: &str| time_of_day(&table[name].value).ok_or_else(|| wrong(name, "a time of day HH:MM[:SS]"));
        second("session", preset::SESSIONS)?;
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
            negative_prices: second("negative_prices", ["false", "true"])?,
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
            profile: if second("profile", ["session", "rolling"])? { Profile::Rolling } else { Profile::Session },
            decay_reference,
            allow_decay_reference_before_data: second("allow_decay_reference_before_data", ["false", "true"])?,
            newest: second("newest", ["false", "true"])?,
            float64: second("features_dtype", ["float32", "float64"])?,
            timestamps: if second("timestamp_unit", ["ns", Timestamps::MICROSECONDS])? {
                Timestamps::Microseconds
            } else {
                Timestamps::Nanoseconds
            },
            choice: if second("contract", ["volume", "volume-previous"])? {
                Choice::VolumePrevious
            } else {
                Choice::Volume
            },
            chunk_rows: count("chunk_rows", 1)?,
            jobs: count("jobs", 0)?,
            max_memory_gb: number("max_memory_gb", "gigabytes above 0", |value| value > 0.0)?,
            cache_bytes: (number("cache_gb", "gigabytes from 0", |value| value >= 0.0)? * 1e9) as u64,
            level,
            access,
            log_level,
            log_json: second("log_format", ["text", "json"])?,
            table,
            file,
            ranges: Overrides::new(),
            labels: Labels::default(),
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

    /// The raw files of a store that count.
    pub fn raw_files(&self, raw: &Store) -> Result<Vec<RawFile>, StoreError> {
        let files = discover::raw_files(raw)?;
        Ok(if self.newest { discover::newest(files) } else { files })
    }

    /// The configuration file that was read, or would be.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Every setting in force, in the order of the reference; the rows of tables after them.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Setting)> {
        let ranges = self.ranges.keys().map(|name| format!("{RANGES}.{name}"));
        let names = SETTINGS.iter().map(|setting| setting.name.to_owned()).chain(ranges);
        names.filter_map(|name| self.table.get_key_value(&name)).map(|(name, setting)| (name.as_str(), setting))
    }

    /// Whether nobody gave a setting.
    pub fn is_default(&self, name: &str) -> bool {
        self.table[name].origin == DEFAULT
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
        let mut settings = serde_json::json!({
            "profile": profile,
            "instrument": self.instrument,
            "contract": self.choice,
            "features_dtype": if self.float64 { "float64" } else { "float32" },
        });
        // Months with the default labels say nothing of them, as they did before there were others.
        if !self.labels.is_default() {
            settings["labels"] = self.labels.to_json();
        }
        if self.timestamps == Timestamps::Microseconds {
            settings[Timestamps::SETTING] = Timestamps::MICROSECONDS.into();
        }
        settings
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
