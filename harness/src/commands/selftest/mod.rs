//! `selftest`: faults as they happen, on this machine, in a folder that is removed again. The program under test is this
//! one, started anew for each fault, so that exit codes are those a script sees.

mod corruption;
mod memory;
mod network;
mod stub;

use std::{
    path::Path,
    process::{Command, Output},
};

use base::{error::Context, exit};
use data::{
    Month, MonthRange,
    synth::{Plan, write_months},
};
use serde::Serialize;

use crate::cli::{SelftestArgs, SelftestKind};

/// One fault and how the program took it.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// What was done to it.
    pub fault: String,
    /// What should come of it.
    pub expected: String,
    /// What came of it.
    pub found: String,
    /// Whether that is the same.
    pub passed: bool,
}

/// Runs the command: code 1 when something is not as it should be.
pub fn run(args: &SelftestArgs) -> crate::Result<u8> {
    let make = || tempfile::Builder::new().prefix("harness-selftest-").tempdir();
    let (folder, _interrupt) = base::interrupt::temporary(make).context("no temporary folder")?;
    let file = month(folder.path())?;
    let trials = match args.kind {
        SelftestKind::Corruption => corruption::trials(folder.path(), &file)?,
        SelftestKind::Memory => memory::trials(folder.path(), &file)?,
        SelftestKind::Network => network::trials(folder.path(), &file)?,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&trials)?);
    } else {
        for Trial { fault, expected, found, passed } in &trials {
            println!("{}  {fault}: {found}", if *passed { "ok    " } else { "FAILED" });
            if !passed {
                println!("        expected {expected}");
            }
        }
    }
    Ok(if trials.iter().all(|trial| trial.passed) { 0 } else { exit::PARTLY })
}

/// A synthetic month; its file's name.
fn month(folder: &Path) -> crate::Result<String> {
    let month: Month = "2013-09".parse()?;
    let months = MonthRange::new(month, month).ok_or_else(|| crate::Error::program("no such month"))?;
    let truth = write_months(&Plan::default(), months, folder, &mut |_| {})?;
    Ok(truth.months[0].file.clone())
}

/// This program in a folder, with settings, caches and credentials of nobody.
fn program(folder: &Path) -> crate::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("this program")?);
    command.current_dir(folder).env_clear().env("XDG_CACHE_HOME", folder.join("cache")).env("LOG_LEVEL", "warn");
    Ok(command)
}

/// How a program ended, in words, and the last line of what it said.
fn said(output: &Output) -> (String, String) {
    let text = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code().map_or("no exit code".to_owned(), |code| format!("exit code {code}"));
    (code, text.lines().last().unwrap_or_default().to_owned())
}
