//! The command line of the training-data pipeline: a library, so that fuzzing reaches what it reads.

#[macro_use]
mod output;

mod allocator;
mod channels;
mod cli;
mod commands;
mod fault;
mod logs;
mod machine;
mod monitor;
mod progress;
#[cfg(test)]
mod reference;
mod reporter;
mod rules;
mod run;
mod settings;
pub mod untrusted;
mod validate;
mod watch;

use std::process::ExitCode;

pub use base::{Error, Result};
use base::{error::Context, exit, interrupt};
use clap::{ArgMatches, FromArgMatches};

use crate::{
    cli::{Cli, Command},
    commands::{
        backup, bench, clean, config, demo, doctor, inspect, manual, months, parity, presets, process, report,
        selftest, stream, study, synth, table, tune,
    },
    settings::{Flags, Settings},
    watch::{alerts, status},
};

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    allocator::settle();
    fault::listen();
    let matches = cli::command().get_matches();
    let done = fault::caught(|| dispatch(&matches));
    interrupt::give_way();
    logs::finish();
    let done = done.and_then(|code| output::finish().context("stdout").map(|()| code));
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {}", exit::sentence(&error));
            ExitCode::from(exit::code(&error))
        }
    }
}

fn dispatch(matches: &ArgMatches) -> Result<u8> {
    // Clap has checked the arguments by the same definitions.
    let cli = Cli::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
    interrupt::listen()?;
    let settings = Settings::resolve(&Flags::of(matches))?;
    settings.force_level()?;
    logs::start(&settings)?;
    progress::start(&settings);
    match cli.command {
        Command::Demo(args) => demo::run(&args, &settings),
        Command::Run(args) => commands::run::run(&args, &settings),
        Command::Inspect(args) => inspect::run(&args, &settings),
        Command::Synth(args) => synth::run(&args, &settings),
        Command::Process(args) => process::run(&args, &settings),
        Command::Stream(args) => stream::run(&args, &settings),
        Command::Parity(args) => parity::run(&args, &settings),
        Command::Study(args) => study::run(&args, &settings),
        Command::Validate(args) => validate::run(&args, &settings),
        Command::Quality(args) => commands::quality::run(&args, &settings),
        Command::Bench(args) => bench::run(&args, &settings),
        Command::Tune(args) => tune::run(&args, &settings),
        Command::Doctor(args) => doctor::run(&args, &settings),
        Command::Months(args) => months::run(&args, &settings),
        Command::Report(args) => report::run(&args, &settings),
        Command::Backup(args) => backup::run(&args, &settings),
        Command::Table(args) => table::run(&args, &settings),
        Command::Clean(args) => clean::run(&args, &settings),
        Command::Config(args) => config::run(&args, &settings),
        Command::Presets(args) => presets::run(&args),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
        Command::Monitor(args) => monitor::run(&args, &settings),
        Command::Alerts(args) => alerts::run(&args, &settings),
        Command::Selftest(args) => selftest::run(&args),
        Command::Status(args) => status::run(&args, &settings),
    }
}
