//! What the program reads and did not write, by its bytes: for fuzzing, which is no command.

use std::time::Duration;

use archive::{
    manifest,
    store::{Access, Store, StoreError},
    table::{self, Action, Commit},
};
use base::exit;
use data::Month;

use crate::settings::Settings;
use statistics::Statistics;

/// A manifest that was found as that of `month`: the keys it names, if it is one.
///
/// # Errors
/// As when a store is read.
pub fn manifest(month: Month, json: &[u8]) -> crate::Result<Vec<String>> {
    let found = manifest::parse(month, json)?;
    let written = manifest::json(&manifest::key(month), &found)?;
    manifest::parse(month, &written)?;
    Ok(found.versions().flat_map(|version| version.items().map(|item| item.key.clone())).collect())
}

/// The paths that a commit of the table's log adds or takes out, or those of a checkpoint.
///
/// # Errors
/// It is none.
pub fn table(bytes: &[u8]) -> Result<Vec<String>, String> {
    let actions = if bytes.starts_with(b"PAR1") {
        table::read_checkpoint(bytes.to_vec().into())?
    } else {
        Commit::parse(bytes)?.actions
    };
    let paths = actions.into_iter().filter_map(|action| match action {
        Action::Add(add) => Some(add.path),
        Action::Remove(remove) => Some(remove.path),
        _ => None,
    });
    Ok(paths.collect())
}

/// The statistics of a month, written again.
///
/// # Errors
/// It is no such object.
pub fn statistics(json: &[u8]) -> crate::Result<Vec<u8>> {
    let statistics: Statistics = serde_json::from_slice(json)?;
    Ok(serde_json::to_vec(&statistics)?)
}

/// The settings of a `harness.toml`: those that decide the output.
///
/// # Errors
/// As at the start of the program.
pub fn configuration(text: &str) -> crate::Result<serde_json::Value> {
    Settings::of_text(text).map(|settings| settings.of_output())
}

/// What is said of a bucket that is asked with these variables. A proxy that refuses keeps the requests on this machine.
pub fn environment(variables: &[(String, String)]) -> String {
    let mut variables = variables.to_vec();
    variables.push(("AWS_PROXY_URL".to_owned(), REFUSES.to_owned()));
    let access = Access { timeout: Duration::from_secs(1), retries: 0 };
    let asked = || -> Result<(), StoreError> {
        let store = Store::in_bucket("s3://bucket/prefix", access, &variables)?;
        store.list("processed-data", None).map(|_| ())
    };
    asked().map_or_else(|error| exit::sentence(&error.into()), |()| String::new())
}

/// Nothing listens on this port.
const REFUSES: &str = "http://127.0.0.1:1";
