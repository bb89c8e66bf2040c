//! A month within a limit, and a limit that is too small for it.

use std::path::Path;

use serde_json::Value;

use super::{Trial, program, said};

/// The limit that holds a synthetic month.
const LIMIT_GB: f64 = 0.5;

/// All of them.
pub fn trials(folder: &Path, file: &str) -> crate::Result<Vec<Trial>> {
    let limit = |gigabytes: &str, fault: &str| -> crate::Result<_> {
        let arguments = ["process", file, "out.parquet", "--json", "--max-memory-gb", gigabytes];
        let output = program(folder)?.args(arguments).output()?;
        Ok((output, fault.to_owned()))
    };
    let (output, fault) = limit(&LIMIT_GB.to_string(), "a limit of 0.5 GB")?;
    let statistics: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let held = statistics["performance"]["peak_rss_bytes"].as_u64();
    let within = held.is_some_and(|held| held as f64 <= LIMIT_GB * 1e9);
    let (code, message) = said(&output);
    let fits = Trial {
        fault,
        expected: "exit code 0, and no more memory than that".into(),
        found: match held {
            Some(held) => format!("{code}, {:.3} GB held at most", held as f64 / 1e9),
            None => format!("{code}; {message}"),
        },
        passed: code == "exit code 0" && within,
    };
    let (output, fault) = limit("0.05", "a limit of 0.05 GB")?;
    let (code, message) = said(&output);
    let needed = message.split("one month needs ").nth(1).and_then(|rest| rest.split(';').next());
    let refused = Trial {
        fault,
        expected: "exit code 2, and how much is needed".into(),
        found: format!("{code}; {message}"),
        passed: code == "exit code 2" && needed.is_some(),
    };
    let needed = needed.unwrap_or("8").to_owned();
    let (output, fault) = limit(&needed, "the limit that was asked for")?;
    let (code, message) = said(&output);
    let enough = Trial {
        fault: format!("{fault}, {needed} GB"),
        expected: "exit code 0".into(),
        found: format!("{code}{}", if message.is_empty() { String::new() } else { format!("; {message}") }),
        passed: code == "exit code 0",
    };
    Ok(vec![fits, refused, enough])
}
