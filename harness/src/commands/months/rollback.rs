//! `months rollback`: an earlier version becomes the current one again.

use archive::{
    rollback::{Outcome, Rollback, roll_back},
    store::Store,
    table::Follower,
};

use crate::{cli::RollbackArgs, settings::Settings};

/// Runs the command.
pub fn run(args: &RollbackArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::existing(settings.text("store"), settings.access)?;
    let done = roll_back(&store, args.month, args.to.as_deref(), &Follower::new(&store))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&done)?);
        return Ok(0);
    }
    let Rollback { month, outcome, version, replaced } = &done;
    match (outcome, replaced) {
        (Outcome::Unchanged, _) => println!("{month}  unchanged: {version} is current"),
        (Outcome::RolledBack, Some(replaced)) => {
            println!("{month}  rolled back to {version}; {replaced} is in the history, run keeps this until --force")
        }
        (Outcome::RolledBack, None) => println!("{month}  published again as {version}; run keeps this until --force"),
    }
    Ok(0)
}
