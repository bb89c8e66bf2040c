//! Measures everything and writes `benches/RESULTS.md` and `benches/results.svg`.
//!
//! `cargo run --release -p benches --features peers --bin results`
#![allow(clippy::unwrap_used)]

mod chart;
mod markdown;
mod measure;
mod python;

use std::{fs, path::Path};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = python::read(&folder.join("python/results.json"));
    let measured = measure::measure();
    fs::write(folder.join("RESULTS.md"), markdown::page(&measured, python.as_ref())).unwrap();
    fs::write(folder.join("results.svg"), chart::draw(&measured, python.as_ref())).unwrap();
    println!("wrote {}", folder.join("RESULTS.md").display());
}
