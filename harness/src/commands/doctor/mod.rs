//! `doctor`: whether this machine and its stores will do, before a run finds out.

mod machine;
mod probe;

use std::fmt;

use base::exit;
use serde::Serialize;

use crate::{cli::DoctorArgs, settings::Settings};

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// Works, but not as well as it could.
    Warning,
    /// A run would fail.
    Failed,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it went.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it; empty when nothing.
    pub advice: String,
}

impl Check {
    fn new(name: impl Into<String>, state: State, found: impl Into<String>, advice: impl Into<String>) -> Self {
        let advice = if state == State::Ok { String::new() } else { advice.into() };
        Self { name: name.into(), state, found: found.into(), advice }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "FAILED",
        };
        write!(f, "{state:8} {:24} {}", self.name, self.found)?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, "\n{:33} -> {}", "", self.advice) }
    }
}

/// Runs the command: code 1 when the machine will not do, 4 when a store will not.
pub fn run(args: &DoctorArgs, settings: &Settings) -> crate::Result<u8> {
    let machine = machine::checks(args, settings);
    let stores = probe::stores(settings);
    let failed = |checks: &[Check]| checks.iter().any(|check| check.state == State::Failed);
    let code = match (failed(&stores), failed(&machine)) {
        (true, _) => exit::STORE,
        (_, true) => exit::PARTLY,
        _ => 0,
    };
    let checks: Vec<Check> = machine.into_iter().chain(stores).collect();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&checks)?);
    } else {
        checks.iter().for_each(|check| println!("{check}"));
    }
    Ok(code)
}
