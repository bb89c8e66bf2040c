//! `months remove`: months are taken out of what readers see.

use archive::{
    holdings::{Holdings, within},
    remove::{Outcome, remove},
    rollback::unknown,
    store::Store,
    table::Follower,
};
use base::exit;
use data::Month;
use serde::Serialize;

use crate::{cli::RemoveArgs, settings::Settings};

/// A month that was to be removed.
#[derive(Serialize)]
struct Line {
    /// The month.
    month: Month,
    /// What became of it.
    outcome: Outcome,
    /// Versions that can be rolled back to.
    versions: usize,
    /// Why it was not removed.
    error: Option<String>,
}

/// Runs the command.
pub fn run(args: &RemoveArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::existing(settings.text("store"), settings.access)?;
    let holdings = Holdings::of(&store)?;
    let held = holdings.months.iter().filter(|(_, held)| held.published || held.removed).map(|(&month, _)| month);
    let months: Vec<Month> = held.filter(|&month| within(Some(args.months), month)).collect();
    if months.is_empty() {
        return Err(unknown(&store, args.months.first()).into());
    }
    let follower = Follower::new(&store);
    let (mut lines, mut stopped) = (Vec::new(), None);
    for month in months {
        match remove(&store, month, &follower) {
            Ok((outcome, removed)) => {
                let versions = removed.map_or(0, |removed| removed.history.len());
                lines.push(Line { month, outcome, versions, error: None });
            }
            Err(error) => {
                let error = crate::Error::from(error);
                let sentence = exit::sentence(&error);
                lines.push(Line { month, outcome: Outcome::Failed, versions: 0, error: Some(sentence) });
                if !error.class().is_of_one_month() {
                    stopped = Some(error.context(month.to_string()));
                    break;
                }
            }
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
    } else {
        lines.iter().for_each(Line::print);
    }
    if let Some(error) = stopped {
        return Err(error);
    }
    let failed = lines.iter().any(|line| line.outcome == Outcome::Failed);
    Ok(if failed { exit::PARTLY } else { 0 })
}

impl Line {
    fn print(&self) {
        let Self { month, outcome, versions, error } = self;
        let kept = format!("{versions} {} kept", if *versions == 1 { "version" } else { "versions" });
        match (outcome, error) {
            (_, Some(error)) => println!("{month}  not removed: {error}"),
            (Outcome::RemovedBefore, _) => println!("{month}  already removed, {kept}"),
            _ => println!("{month}  removed, {kept}; harness months rollback {month} brings it back"),
        }
    }
}
