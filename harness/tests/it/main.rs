//! Tests that run the binary, and those of its monitor, reports and S3 server in a browser or over HTTP: one binary, so that
//! it is linked once.
#![allow(clippy::unwrap_used)] // clippy.toml exempts #[test] functions only, not their helpers

mod alerts;
mod backup;
mod bars;
mod bench;
mod browser;
mod clean;
mod commands;
mod criteria;
mod defects;
mod dependencies;
mod deploy;
mod downloads;
mod fronts;
mod gate;
mod golden;
mod kills;
mod lines;
mod logs;
mod mail_server;
mod manual;
mod monitor;
mod month;
mod months;
mod older;
mod pauses;
mod presets;
mod process;
mod refusals;
mod reports;
mod roll_window;
mod run;
mod s3;
mod s3_server;
mod schema;
mod selftest;
mod server;
mod soak;
mod status;
mod structure;
mod tampered;
mod undo;
mod validate;
mod vanished;
mod workers;
