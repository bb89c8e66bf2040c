//! The flags of the settings, made from their definitions.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{
    Arg, ArgMatches, Command, ValueHint,
    builder::{PossibleValue, StringValueParser, TypedValueParser},
    value_parser,
};

use super::table::{Definition, Group, SETTINGS};

/// What the command line says of settings.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// The configuration file.
    pub(super) config: Option<PathBuf>,
    values: BTreeMap<&'static str, String>,
}

impl Flags {
    /// The value of a setting's flag.
    pub(super) fn get(&self, name: &str) -> Option<&String> {
        self.values.get(name)
    }

    /// Adds to each command the flags of the settings that it reads.
    pub fn add(command: Command) -> Command {
        command.mut_subcommands(|below| {
            let groups = Group::of(below.get_name());
            let config = Arg::new(CONFIG)
                .long(CONFIG)
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::FilePath)
                .help("Configuration file [default: ./harness.toml if it exists]")
                .help_heading(Group::Log.title())
                .global(true);
            // What a command calls by the name of a setting is its own.
            let own: Vec<String> = below.get_arguments().filter_map(Arg::get_long).map(str::to_owned).collect();
            let settings = SETTINGS.iter().filter(|setting| groups.contains(&setting.group));
            let settings = settings.filter(|setting| !own.contains(&setting.flag()));
            below.args(settings.map(flag)).arg(config)
        })
    }

    /// What the flags of the command that was given say.
    pub fn of(matches: &ArgMatches) -> Self {
        let Some((_, matches)) = matches.subcommand() else { return Self::default() };
        let value = |name: &str| matches.try_get_one::<String>(name).ok().flatten().cloned();
        let values = SETTINGS.iter().filter_map(|setting| Some((setting.name, value(setting.name)?))).collect();
        Self { config: matches.get_one(CONFIG).cloned(), values }
    }
}

const CONFIG: &str = "config";

fn flag(setting: &Definition) -> Arg {
    let mut arg = Arg::new(setting.name)
        .long(setting.flag())
        .value_name(setting.value)
        .help(help(setting))
        .help_heading(setting.group.title())
        .allow_hyphen_values(setting.name == "roll_window")
        .global(true);
    if !setting.choices.is_empty() {
        arg = arg.value_parser(Choices(setting.choices));
    }
    if setting.is_switch() {
        arg = arg.num_args(0..=1).require_equals(true).default_missing_value("true");
    }
    arg.value_hint(match setting.value {
        "DIR" => ValueHint::DirPath,
        "FILE" | "PLACE" => ValueHint::AnyPath,
        _ => ValueHint::Other,
    })
}

/// Any text; help and completion name these. The check of all settings says what is wrong, wherever it was set.
#[derive(Clone)]
struct Choices(&'static [&'static str]);

impl TypedValueParser for Choices {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &std::ffi::OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(PossibleValue::new)))
    }
}

/// The help of a flag, with default and environment variable.
fn help(setting: &Definition) -> String {
    let mut help = setting.help.to_owned();
    if !setting.default.is_empty() {
        help += &format!(" [default: {}]", setting.default);
    }
    if let Some(variable) = setting.variable {
        help += &format!(" [env: {variable}]");
    }
    help
}
