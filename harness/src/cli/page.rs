//! `docs/commands.md`, made from the definitions of the command line.

use base::exit;
use clap::{Arg, Command, CommandFactory};

use super::Cli;
use crate::reference;

#[test]
fn the_reference_page_is_that_of_the_command_line() {
    reference::hold("commands.md", &page());
}

fn page() -> String {
    let command = Cli::command();
    let mut page = String::from(
        "# Commands\n\nResults go to stdout, logs and progress to stderr. `harness COMMAND --help` says the same, \
         with the settings that the command reads ([settings.md](settings.md)). A month is written `2024-10`, a range \
         `2010-07..2025-10`, both ends included.\n\n## Exit codes\n\n",
    );
    page.extend(exit::CODES.iter().map(|(code, meaning)| format!("- `{code}`: {meaning}\n")));
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        write(&mut page, below, "harness");
    }
    page.lines().map(reference::wrap).collect::<Vec<_>>().join("\n") + "\n"
}

/// A command and those below it.
fn write(page: &mut String, command: &Command, above: &str) {
    let name = format!("{above} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    *page += &format!("\n## `{name}`\n\n{about}.\n");
    let arguments: Vec<&Arg> = command.get_arguments().filter(|arg| arg.get_id() != "help").collect();
    if !arguments.is_empty() {
        *page += "\n";
    }
    for arg in arguments {
        let values =
            arg.get_value_names().unwrap_or_default().iter().map(|name| format!(" {name}")).collect::<String>();
        let takes = arg.get_action().takes_values();
        let written = match arg.get_long() {
            Some(long) if takes => format!("--{long}{values}"),
            Some(long) => format!("--{long}"),
            None => values.trim().to_owned(),
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        *page += &format!("- `{written}`: {help}{}{}\n", defaults(arg), choices(arg));
    }
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        write(page, below, &name);
    }
}

fn defaults(arg: &Arg) -> String {
    let values: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if values.is_empty() || !arg.get_action().takes_values() {
        return String::new();
    }
    format!(" [default: {}]", values.join(" "))
}

fn choices(arg: &Arg) -> String {
    let values = arg.get_possible_values();
    if values.is_empty() || !arg.get_action().takes_values() {
        return String::new();
    }
    let names: Vec<&str> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
    format!(" [one of: {}]", names.join(", "))
}
