//! What `benches/python/kernels.py` measured.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;

/// Its file.
#[derive(Deserialize)]
pub struct Python {
    pub machine: String,
    pub versions: BTreeMap<String, String>,
    pub entries: Vec<Entry>,
}

/// Time of one rival on one tape.
#[derive(Deserialize)]
pub struct Entry {
    pub name: String,
    pub tape: String,
    pub core_ns_per_row: f64,
}

impl Python {
    /// Least core time on a tape among the entries whose name starts so.
    pub fn least(&self, name: &str, tape: &str) -> Option<f64> {
        let of_tape = |entry: &&Entry| entry.name.starts_with(name) && entry.tape.eq_ignore_ascii_case(tape);
        let entries = self.entries.iter().filter(of_tape);
        entries.map(|entry| entry.core_ns_per_row).min_by(f64::total_cmp)
    }
}

/// The file, if it is there.
pub fn read(path: &Path) -> Option<Python> {
    let text = fs::read_to_string(path).inspect_err(|_| eprintln!("LEFT OUT: Python, no {}", path.display())).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}
