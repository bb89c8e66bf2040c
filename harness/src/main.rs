//! The command line of the training-data pipeline.

#[macro_use]
mod output;

mod allocator;
mod bench;
mod cache;
mod cli;
mod config;
mod decode;
mod demo;
mod discover;
mod exit;
mod feature_ranges;
mod inspect;
mod interrupt;
mod listing;
mod manifest;
mod memory;
mod process;
mod processor;
mod progress;
mod publish;
mod published;
mod quality;
mod report;
mod run;
mod schedule;
mod statistics;
mod store;
mod summary;
mod synth;
mod training;
mod tune;
mod validate;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    allocator::settle();
    if let Some(sentence) = processor::missing() {
        eprintln!("{sentence}");
        return ExitCode::from(exit::USAGE);
    }
    let cli = Cli::parse();
    let done = dispatch(cli);
    interrupt::give_way();
    let done = done.and_then(|code| output::finish().context("stdout").map(|()| code));
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {}", exit::sentence(&error));
            ExitCode::from(exit::code(&error))
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<u8> {
    interrupt::listen()?;
    let settings = config::Settings::resolve(&cli.settings)?;
    progress::start(&settings);
    match cli.command {
        Command::Demo(args) => demo::run(&args, &settings),
        Command::Run(args) => settings.local().and_then(|()| run::run(&args, &settings)),
        Command::Inspect(args) => inspect::run(&args, &settings),
        Command::Synth(args) => synth::run(&args, &settings),
        Command::Process(args) => process::run(&args, &settings),
        Command::Validate(args) => settings.local().and_then(|()| validate::run(&args, &settings)),
        Command::Quality(args) => settings.local().and_then(|()| quality::over_time::run(&args, &settings)),
        Command::Bench(args) => bench::run(&args, &settings),
        Command::Tune(args) => tune::run(&args, &settings),
        Command::Config(args) => config::run(&args, &settings),
    }
}
