//! The commands: each reads settings and a store, and prints.

pub mod quality;
