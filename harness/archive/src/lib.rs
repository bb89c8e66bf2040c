//! What a store holds: objects and leases, manifests, publishing and sweeping, and what is known of each month. Knows no
//! command, settings, page or running month.

pub mod alive;
pub mod discover;
pub mod failures;
mod footer;
pub mod holdings;
pub mod manifest;
pub mod naming;
pub mod publications;
pub mod publish;
pub mod published;
pub mod remove;
pub mod rollback;
#[cfg(test)]
mod simulation;
pub mod state;
pub mod store;
pub mod survey;
pub mod sweep;
pub mod table;
pub mod withheld;
