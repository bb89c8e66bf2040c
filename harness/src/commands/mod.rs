//! The commands: each reads settings and a store, and prints.

pub mod backup;
pub mod bench;
mod bring;
pub mod clean;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod inspect;
pub mod manual;
pub mod months;
pub mod parity;
pub mod presets;
pub mod process;
pub mod quality;
pub mod report;
pub mod run;
pub mod selftest;
pub mod stream;
pub mod study;
mod summary;
pub mod synth;
pub mod table;
pub mod tune;
