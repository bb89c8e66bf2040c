//! A benchmark against an earlier one.

use std::path::Path;

use base::{
    error::Context,
    exit::{self, Usage},
};

use super::Result;

/// A figure then and now; smaller is better.
#[derive(Clone, Debug, PartialEq)]
struct Figure {
    name: String,
    before: f64,
    now: f64,
}

impl Figure {
    fn ratio(&self) -> f64 {
        self.now / self.before
    }
}

/// Prints the figures of `now` against those in the file; the exit code says whether one regressed.
pub fn compare(path: &Path, now: &Result, tolerance: f64, json: bool) -> crate::Result<u8> {
    let text = std::fs::read(path).map_err(|error| Usage(format!("--against {}: {error}", path.display())))?;
    let before: Result = serde_json::from_slice(&text)
        .map_err(|error| Usage(format!("--against {}: not what bench --json writes: {error}", path.display())))?;
    let figures = figures(&before, now).with_context(|| format!("--against {}", path.display()))?;
    let mut regressed = false;
    let mut lines = format!("{:10} {:>12} {:>12} {:>8}\n", "", "before", "now", "ratio");
    for figure in &figures {
        let slower = figure.ratio() > 1.0 + tolerance;
        regressed |= slower;
        let mark = if slower { "  slower" } else { "" };
        let Figure { name, before, now } = figure;
        lines += &format!("{name:10} {before:>12.3} {now:>12.3} {:>8.2}{mark}\n", figure.ratio());
    }
    // With --json stdout holds the result alone.
    if json {
        eprintln!("{}", lines.trim_end());
    } else {
        println!("\n{}", lines.trim_end());
    }
    Ok(if regressed { exit::REGRESSED } else { 0 })
}

/// What both measured, if they measured the same.
fn figures(before: &Result, now: &Result) -> std::result::Result<Vec<Figure>, Usage> {
    let differ = |what: &str, before: &dyn std::fmt::Display, now: &dyn std::fmt::Display| {
        Err(Usage(format!("{what} was {before} and is {now}: the figures cannot be compared")))
    };
    if before.machine != now.machine {
        return differ("the machine", &before.machine, &now.machine);
    }
    if before.settings != now.settings {
        return differ("the settings", &before.settings, &now.settings);
    }
    if (before.rows, before.jobs) != (now.rows, now.jobs) {
        let of = |result: &Result| format!("{} rows on {} threads", result.rows, result.jobs);
        return differ("the work", &of(before), &of(now));
    }
    let mut figures = vec![
        Figure { name: "cold, s".into(), before: before.cold_seconds, now: now.cold_seconds },
        Figure { name: "warm, s".into(), before: before.warm_seconds, now: now.warm_seconds },
    ];
    for stage in &now.stages {
        if let Some(old) = before.stages.iter().find(|old| old.name == stage.name) {
            figures.push(Figure { name: stage.name.clone(), before: old.ns_per_row, now: stage.ns_per_row });
        }
    }
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{commands::bench::Stage, machine::Machine};

    fn result(decode: f64) -> Result {
        Result {
            schema_version: 1,
            program: "harness".into(),
            machine: Machine::this(),
            settings: serde_json::json!({"chunk_rows": 4096}),
            jobs: 2,
            records: 10,
            rows: 20,
            repeats: 1,
            cold_seconds: 1.0,
            warm_seconds: 0.5,
            rows_per_second: 20.0,
            stages: vec![Stage { name: "decode".into(), ns_per_row: decode, mb_per_second: None, latency: None }],
            chunk_latency: None,
            peak_rss_bytes: None,
        }
    }

    fn compared(before: &Result, now: &Result) -> u8 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("before.json");
        std::fs::write(&path, serde_json::to_vec(before).unwrap()).unwrap();
        compare(&path, now, 0.25, false).unwrap()
    }

    #[test]
    fn a_stage_slower_than_the_tolerance_is_a_regression() {
        assert_eq!(compared(&result(100.0), &result(124.0)), 0);
        assert_eq!(compared(&result(100.0), &result(126.0)), exit::REGRESSED);
        assert_eq!(compared(&result(100.0), &result(10.0)), 0);
    }

    #[test]
    fn other_work_is_not_compared() {
        let other = Result { rows: 21, ..result(1.0) };
        assert!(figures(&result(1.0), &other).unwrap_err().0.contains("20 rows on 2 threads"));
    }
}
