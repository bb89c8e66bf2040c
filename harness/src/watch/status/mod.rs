//! `status`: how far the months are and whether runs still get on, from what is in the store.

mod snapshot;
mod text;

use std::{collections::BTreeMap, time::Duration};

pub use self::snapshot::{Heard, Snapshot};
use super::figures;
use crate::{cli::StatusArgs, settings::Settings};
use archive::store::Store;
use base::exit;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs the command.
pub fn run(args: &StatusArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::open(settings.text("store"), settings.access)?;
    let mut known = BTreeMap::new();
    loop {
        let mut snapshot = Snapshot::of(&store, settings)?;
        known = figures::of(&store, None, &snapshot.holdings, &known);
        snapshot.look_into(&store, &known)?;
        if args.json {
            let json =
                if args.watch { serde_json::to_string(&snapshot)? } else { serde_json::to_string_pretty(&snapshot)? };
            println!("{json}");
        } else {
            println!("{}", text::of(&snapshot));
        }
        if !args.watch {
            let missed = args.max_error_rate.is_some_and(|most| snapshot.error_rate.is_some_and(|rate| rate > most));
            return Ok(if missed { exit::PARTLY } else { 0 });
        }
        std::thread::sleep(PAUSE);
    }
}
