//! The command line of the training-data pipeline: a library, so that fuzzing reaches what it reads.

#[macro_use]
mod output;

mod alerts;
mod alive;
mod allocator;
mod backup;
mod bench;
mod cache;
mod channels;
mod clean;
mod cli;
mod commands;
mod config;
mod criteria;
mod deal;
mod decode;
mod demo;
mod discover;
mod doctor;
mod error;
mod exit;
mod failures;
mod fault;
mod feature_ranges;
mod figures;
mod heartbeat;
mod holdings;
mod inspect;
mod interrupt;
mod job;
mod logs;
mod machine;
mod manifest;
mod manual;
mod memory;
mod metrics;
mod monitor;
mod months;
mod naming;
mod outcome;
mod process;
mod progress;
mod publish;
mod published;
mod quality;
mod raw;
mod report;
mod reporter;
mod request;
mod rules;
mod run;
mod schedule;
mod selftest;
#[cfg(test)]
mod simulation;
mod statistics;
mod status;
mod store;
mod summary;
mod sweep;
mod synth;
mod task;
mod training;
mod tune;
pub mod untrusted;
mod validate;
mod volumes;
mod withheld;
mod worker;

use std::process::ExitCode;

use clap::Parser;

pub use crate::error::{Error, Result};
use crate::{
    cli::{Cli, Command},
    error::Context,
};

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    allocator::settle();
    fault::listen();
    let cli = Cli::parse();
    let done = fault::caught(|| dispatch(cli));
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

fn dispatch(cli: Cli) -> Result<u8> {
    interrupt::listen()?;
    let settings = config::Settings::resolve(&cli.settings)?;
    settings.force_level()?;
    logs::start(&settings)?;
    progress::start(&settings);
    match cli.command {
        Command::Demo(args) => demo::run(&args, &settings),
        Command::Run(args) => commands::run::run(&args, &settings),
        Command::Inspect(args) => inspect::run(&args, &settings),
        Command::Synth(args) => synth::run(&args, &settings),
        Command::Process(args) => process::run(&args, &settings),
        Command::Validate(args) => validate::run(&args, &settings),
        Command::Quality(args) => commands::quality::run(&args, &settings),
        Command::Bench(args) => bench::run(&args, &settings),
        Command::Tune(args) => tune::run(&args, &settings),
        Command::Doctor(args) => doctor::run(&args, &settings),
        Command::Months(args) => commands::months::run(&args, &settings),
        Command::Report(args) => report::run(&args, &settings),
        Command::Backup(args) => backup::run(&args, &settings),
        Command::Clean(args) => clean::run(&args, &settings),
        Command::Config(args) => config::run(&args, &settings),
        Command::Completions(args) => manual::completions(&args),
        Command::Man(args) => manual::man(&args),
        Command::Monitor(args) => monitor::run(&args, &settings),
        Command::Alerts(args) => alerts::run(&args, &settings),
        Command::Selftest(args) => selftest::run(&args),
        Command::Status(args) => status::run(&args, &settings),
    }
}
