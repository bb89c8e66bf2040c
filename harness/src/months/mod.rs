//! `months`: which there are, their versions, and what can be done with them.

pub mod history;
pub mod list;
pub mod remove;
pub mod rollback;
pub mod survey;

use jiff::Timestamp;

pub use self::survey::known;
#[cfg(test)]
pub use self::{remove::remove as take_out, rollback::run_on as roll_back};

use crate::{
    config::Settings,
    statistics::score::Band,
    store::{Store, StoreError},
};

/// Where raw files are: in the store, unless another place is set.
pub fn raw_store(settings: &Settings, store: &Store) -> Result<Store, StoreError> {
    match settings.text("raw") {
        "" => Ok(store.clone()),
        name => Store::existing(name, settings.access),
    }
}

/// A time to the second.
pub fn time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A score and its band.
fn quality(score: f64) -> String {
    let band = match Band::of(score) {
        Band::High => "high",
        Band::Medium => "medium",
        Band::Low => "low",
    };
    format!("quality {score:.3} {band:6}")
}
