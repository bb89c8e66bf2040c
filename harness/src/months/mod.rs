//! `months`: which there are, their versions, and what can be done with them.

pub mod history;
pub mod list;
pub mod remove;
pub mod rollback;
pub mod survey;

#[cfg(test)]
pub use self::{remove::remove as take_out, rollback::run_on as roll_back};

use crate::statistics::score::Band;

/// A score and its band.
fn quality(score: f64) -> String {
    let band = match Band::of(score) {
        Band::High => "high",
        Band::Medium => "medium",
        Band::Low => "low",
    };
    format!("quality {score:.3} {band:6}")
}
