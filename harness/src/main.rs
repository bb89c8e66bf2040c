//! The command line of the training-data pipeline.

mod cli;
mod config;
mod decode;
mod exit;
#[allow(dead_code)]
mod feature_ranges;
mod month;
mod process;
mod processor;
mod progress;
#[allow(dead_code, unused_imports)]
mod quality;
#[allow(dead_code)]
mod report;
#[allow(dead_code, unused_imports)]
mod statistics;
mod summary;
mod synth;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    if let Some(sentence) = processor::missing() {
        eprintln!("{sentence}");
        return ExitCode::from(exit::USAGE);
    }
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(exit::code(&error))
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<u8> {
    let settings = config::Settings::resolve(&cli.settings)?;
    progress::start_logging(&settings);
    match cli.command {
        Command::Synth(args) => synth::run(&args, &settings),
        Command::Process(args) => process::run(&args, &settings),
        Command::Config(args) => config::run(&args, &settings),
    }
}
