//! Compares the counts on standard input, one JSON object a line as gungraun writes them, with `benches/instructions.txt`.
#![allow(clippy::unwrap_used)]

use std::{fs, io::stdin, path::Path, process::ExitCode};

use benches::{
    kernels,
    tape::{MARKETS, ROWS},
};
use serde_json::Value;

/// More than this is growth.
const LIMIT: f64 = 0.03;

fn main() -> ExitCode {
    let accept = std::env::args().any(|argument| argument == "--accept");
    let names: Vec<String> =
        kernels(Box::leak(Box::new(MARKETS[1].walk(1)))).into_iter().map(|kernel| kernel.name).collect();
    let counts: Vec<(String, u64)> = stdin().lines().map(|line| count(&line.unwrap(), &names)).collect();
    assert_eq!(counts.len(), names.len(), "not every kernel was counted");

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt");
    if accept {
        let text: String = counts.iter().map(|(name, count)| format!("{count:>10}  {name}\n")).collect();
        fs::write(&path, text).unwrap();
    }
    let baseline = fs::read_to_string(&path).unwrap();
    println!("{:32}{:>12}{:>12}{:>9}{:>10}", "instructions", "baseline", "now", "change", "a row");
    let mut grown = Vec::new();
    for (name, count) in &counts {
        let before = baseline.lines().filter_map(|line| line.trim().split_once("  ")).find(|(_, other)| other == name);
        let Some(before) = before.map(|(before, _)| before.parse::<u64>().unwrap()) else {
            grown.push(format!("{name} is not in the baseline"));
            continue;
        };
        let change = *count as f64 / before as f64 - 1.0;
        let row = *count as f64 / ROWS as f64;
        println!("{name:32}{before:>12}{count:>12}{:>+8.2} %{row:>9.1}", 100.0 * change);
        if change > LIMIT {
            grown.push(format!("{name} grew by {:.2} %", 100.0 * change));
        }
    }
    if grown.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("{}\nmeant so: benches/instructions.sh --accept", grown.join("\n"));
    ExitCode::FAILURE
}

/// Name and instructions of a benchmark, whose id ends with the kernel's number.
fn count(line: &str, names: &[String]) -> (String, u64) {
    let summary: Value = serde_json::from_str(line).unwrap();
    let number: usize = summary["id"].as_str().unwrap().rsplit('_').next().unwrap().parse().unwrap();
    let new = &summary["profiles"][0]["data"]["parts"][0]["metrics"]["Ir"]["values"]["new"];
    (names[number].clone(), new.as_u64().unwrap())
}
