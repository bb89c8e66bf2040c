//! What the program reads and did not write, by its bytes: for fuzzing, which is no command.

use data::Month;

use crate::{config::Settings, manifest, statistics::Statistics};

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
