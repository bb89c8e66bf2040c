//! Every setting once: flag, environment variable, key of harness.toml, default, choices and help.

/// Which commands read a setting: their flags are there and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Where months are, and how a server is asked.
    Store,
    /// What bars mean and which are taken.
    Input,
    /// What is made of them.
    Output,
    /// What the work may take of this machine.
    Machine,
    /// What is logged. Every command reads it.
    Log,
}

impl Group {
    /// All of them, in the order of the reference.
    #[cfg(test)]
    pub(super) const ALL: [Self; 5] = [Self::Store, Self::Input, Self::Output, Self::Machine, Self::Log];

    /// Its heading in help and reference.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Store => "Store settings",
            Self::Input => "Input settings",
            Self::Output => "Output settings",
            Self::Machine => "Machine settings",
            Self::Log => "Log settings",
        }
    }

    /// Those that a command reads.
    pub(super) fn of(command: &str) -> &'static [Self] {
        use Group::{Input, Log, Machine, Output, Store};
        match command {
            "run" | "demo" | "bench" | "tune" | "validate" | "config" => &[Store, Input, Output, Machine, Log],
            "process" => &[Input, Output, Machine, Log],
            "study" => &[Store, Input, Output, Machine, Log],
            "inspect" => &[Input, Output, Machine, Log],
            "synth" => &[Input, Log],
            "months" | "stream" | "parity" => &[Store, Input, Output, Log],
            "quality" | "status" | "monitor" | "alerts" | "report" => &[Store, Input, Output, Log],
            "doctor" | "clean" => &[Store, Machine, Log],
            "backup" | "table" => &[Store, Log],
            _ => &[Log],
        }
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition {
    /// Key of harness.toml. The flag is the same with dashes.
    pub(super) name: &'static str,
    pub(super) group: Group,
    /// Environment variable.
    pub(super) variable: Option<&'static str>,
    pub(super) default: &'static str,
    /// What the value is, as help writes it.
    pub(super) value: &'static str,
    /// The only values there are, unless empty.
    pub(super) choices: &'static [&'static str],
    /// One sentence. What an empty default stands for is its last part, in square brackets.
    pub(super) help: &'static str,
}

impl Definition {
    /// The flag without its dashes before it.
    pub(super) fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Whether the value is a number, in harness.toml without quotes.
    pub(super) fn is_number(&self) -> bool {
        self.default.parse::<f64>().is_ok()
    }

    /// Whether the value is true or false, in harness.toml without quotes, and the flag alone says true.
    pub(super) fn is_switch(&self) -> bool {
        self.default.parse::<bool>().is_ok()
    }
}

/// The definition of a setting, with what it has none of.
const fn setting(
    name: &'static str,
    group: Group,
    default: &'static str,
    value: &'static str,
    help: &'static str,
) -> Definition {
    Definition { name, group, variable: None, default, value, choices: &[], help }
}

impl Definition {
    const fn variable(self, variable: &'static str) -> Self {
        Self { variable: Some(variable), ..self }
    }

    const fn choices(self, choices: &'static [&'static str]) -> Self {
        Self { choices, ..self }
    }
}

use Group::{Input, Log, Machine, Output, Store};

/// All settings, in the order in which they are shown.
pub(super) const SETTINGS: &[Definition] = &[
    setting(
        "store",
        Store,
        "./store",
        "PLACE",
        "Store of the raw files and published months: s3://bucket/prefix or a local directory",
    )
    .variable("S3_BUCKET"),
    setting(
        "raw",
        Store,
        "",
        "PLACE",
        "Store of the raw files: s3://bucket/prefix or a local directory [default: the store]",
    ),
    setting("newest", Store, "false", "BOOL", "Of raw files with the same name in several folders, use the newest")
        .choices(&["true", "false"]),
    setting("s3_timeout", Store, "600", "SECONDS", "Timeout of a request to a server, in seconds")
        .variable("S3_TIMEOUT"),
    setting("s3_retry_attempts", Store, "5", "COUNT", "Retries of a failed request to a server")
        .variable("S3_RETRY_ATTEMPTS"),
    setting("root", Input, "ES", "SYMBOL", "Root symbol"),
    setting("tick_size", Input, "0.25", "POINTS", "Minimum price increment; a preset of the root replaces the default"),
    setting(
        "negative_prices",
        Input,
        "false",
        "BOOL",
        "Prices of 0 and below are prices; a preset of the root replaces the default",
    )
    .choices(&["true", "false"]),
    setting(
        "session",
        Input,
        "regular",
        "HOURS",
        "Hours of the root: regular, or globex from 17:00 on the evening before to 16:00 Central",
    )
    .choices(&["regular", "globex"]),
    setting(
        "session_start",
        Input,
        "07:30:00",
        "TIME",
        "Start of the session, local time HH:MM[:SS], on the evening before if it is after the end; a preset of \
         the root replaces the default",
    ),
    setting(
        "session_end",
        Input,
        "15:00:00",
        "TIME",
        "End of the session (exclusive), local time HH:MM[:SS]; a preset of the root replaces the default",
    ),
    setting(
        "session_breaks",
        Input,
        "",
        "BREAKS",
        "When the session pauses, such as '15:15-15:30 until 2021-06-25, 16:00-17:00' [default: those of the root's session]",
    ),
    setting("time_zone", Input, "America/Chicago", "ZONE", "IANA time zone of the session"),
    setting(
        "input_time_zone",
        Input,
        "",
        "ZONE",
        "IANA time zone of times in tables (Parquet, Arrow, CSV) that have none [default: UTC]",
    ),
    setting(
        "columns",
        Input,
        "",
        "NAMES",
        "Column names of tables, such as timestamp=ts,volume=vol [default: the usual names]",
    ),
    setting(
        "time_unit",
        Input,
        "",
        "UNIT",
        "Unit of whole-number times in tables, since 1970 [default: ns in CSV, as the column says elsewhere]",
    )
    .choices(&["s", "ms", "us", "ns"]),
    setting(
        "price_unit",
        Input,
        "",
        "UNIT",
        "Unit of prices in tables; fixed: 1e-9 points [default: points with a decimal point, fixed without]",
    )
    .choices(&["points", "cents", "ticks", "fixed"]),
    setting(
        "contract",
        Input,
        "volume",
        "RULE",
        "Choose the front contract by the volume of the session, or of the previous one",
    )
    .choices(&["volume", "volume-previous"]),
    setting(
        "roll_window",
        Input,
        "",
        "WINDOW",
        "When a roll is expected, in days around a day of the old contract's delivery month, such as 'third-friday -10..0' or 'first-day -8..-1'; none: volumes alone decide [default: that of the root, see `harness presets`]",
    ),
    setting(
        "gap_points",
        Output,
        "20",
        "POINTS",
        "Change of close between two rows above which it is a gap (profile rolling)",
    ),
    setting(
        "profile",
        Output,
        "session",
        "PROFILE",
        "Whether windows restart with each session, or roll over the month",
    )
    .choices(&["session", "rolling"]),
    setting(
        "labels",
        Output,
        "default",
        "FILE",
        "Which trades are labelled: default (six modes in ticks of ES), atr (six modes that mean the same for every \
         instrument), or a TOML file with a table [labels]",
    ),
    setting(
        "decay_reference",
        Output,
        "",
        "YYYY-MM",
        "Month the weights decay to [default: the last month of the range]",
    ),
    setting(
        "allow_decay_reference_before_data",
        Output,
        "false",
        "BOOL",
        "Also build months after the decay reference, whose weights grow",
    )
    .choices(&["true", "false"]),
    setting("features_dtype", Output, "float32", "TYPE", "Type of the feature columns")
        .choices(&["float32", "float64"]),
    setting(
        "timestamp_unit",
        Output,
        "ns",
        "UNIT",
        "Unit of the timestamp column; only months in us are in the table that `harness table` keeps. us becomes the \
         default of new stores with the next major version",
    )
    .choices(&["ns", "us"]),
    setting("chunk_rows", Machine, "4096", "ROWS", "Rows per kernel call; does not change the output")
        .variable("CHUNK_SIZE"),
    setting("jobs", Machine, "0", "COUNT", "Threads, at most four per core; 0: one per core"),
    setting("max_memory_gb", Machine, "8", "GB", "Memory limit").variable("MAX_MEMORY_GB"),
    setting(
        "temp_dir",
        Machine,
        "",
        "DIR",
        "Folder for temporary files and decoded columns [default: the user's cache folder]",
    )
    .variable("PROCESSING_TEMP_DIR"),
    setting("cache_gb", Machine, "20", "GB", "Size limit of the cache of decoded columns; 0 disables it"),
    setting("instructions", Machine, "auto", "LEVEL", "Instruction set of the kernels; does not change the output")
        .variable("KERNELS_LEVEL")
        .choices(&["auto", "baseline", "avx2", "avx512", "neon"]),
    setting("log_level", Log, "info", "LEVEL", "Minimum log level")
        .variable("LOG_LEVEL")
        .choices(&["error", "warn", "info", "debug", "trace"]),
    setting("log_format", Log, "text", "FORMAT", "Log format: text for people, json for programs")
        .variable("LOG_FORMAT")
        .choices(&["text", "json"]),
    setting("log_file", Log, "", "FILE", "Also log to this file, rotated daily [default: none]").variable("LOG_FILE"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Each name once; a default is one of the choices; groups stand together.
    #[test]
    fn definitions_are_sound() {
        let mut group = 0;
        for (index, setting) in SETTINGS.iter().enumerate() {
            assert!(SETTINGS[..index].iter().all(|other| other.name != setting.name), "{}", setting.name);
            let one_of =
                setting.choices.is_empty() || setting.default.is_empty() || setting.choices.contains(&setting.default);
            assert!(one_of, "{}", setting.name);
            assert!(!setting.default.is_empty() || setting.help.ends_with(']'), "{}", setting.name);
            let own = Group::ALL.iter().position(|group| *group == setting.group).unwrap();
            assert!(own >= group, "{}", setting.name);
            group = own;
        }
    }
}
