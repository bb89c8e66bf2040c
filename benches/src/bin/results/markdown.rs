//! `RESULTS.md`.

use std::{collections::BTreeMap, fmt::Write, fs, process::Command};

use benches::tape::tapes;
use kernels::{Level, features::FEATURES, labels::MODES};

use crate::{
    measure::{Compared, Measured, Timed},
    python::Python,
};

/// Closer than this is no difference on a shared machine.
const EVEN: f64 = 0.05;

/// Versions of the rivals, as `Cargo.toml` pins them.
const CRATES: &str = "ta-lib 0.8.3, vector-ta 0.3.1";

pub fn page(measured: &Measured, python: Option<&Python>) -> String {
    let mut page = String::from(
        "# How fast the kernels are\n\n\
         Written by `cargo run --release -p benches --features peers --bin results`; do not edit. Each figure is the shortest of\n\
         25 turns in one run, in nanoseconds a row on one thread unless it says otherwise; every result was first compared\n\
         with the reference, every rival's with ours. Ratios above 1: ours is faster. Python's times were measured before, on the same\n\
         rows: core time of the process, the least of its variants.\n\n",
    );
    page.push_str(&machine(measured, python));
    page.push_str("\n![Time of the rivals over ours](results.svg)\n\n");
    required(&mut page, measured, python);
    functions(&mut page, &measured.functions);
    kernels(&mut page, measured);
    levels(&mut page, measured);
    page
}

fn machine(measured: &Measured, python: Option<&Python>) -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let rustc = Command::new("rustc").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let mut text = format!(
        "- Machine: {}, {cores} cores, shared. A copy that no cache holds moves {:.1} GB/s, read and written, on one of them.\n\
         - {}, no flags, kernels on {}; {CRATES}\n",
        model.map_or("unknown processor", |(_, model)| model),
        measured.bandwidth,
        String::from_utf8_lossy(&rustc).trim(),
        Level::in_use(),
    );
    match python {
        Some(python) => {
            let versions: Vec<_> = python.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
            let _ = writeln!(
                text,
                "- Python, measured on {} by `python/kernels.py`: {}",
                python.machine,
                versions.join(", ")
            );
        }
        None => text.push_str("- LEFT OUT: Python, `python/results.json` is not there\n"),
    }
    if !tapes().iter().any(|tape| tape.name == "gc") {
        text.push_str("- LEFT OUT: real gold data is not there\n");
    }
    text.push_str(
        "- Tapes: walks of 27,000 seconds whose deviation a second is 0.3 (calm), 0.7 (normal), 2.4 (violent) and 16 ticks (crash);\n  \
         gc is a session of gold futures, 2013-10-07.\n",
    );
    text
}

fn header(page: &mut String, title: &str, first: &str, columns: &[&str]) {
    let _ =
        writeln!(page, "## {title}\n\n| {first} | {} |\n|---|{}", columns.join(" | "), "---:|".repeat(columns.len()));
}

fn row(page: &mut String, name: &str, cells: impl Iterator<Item = String>) {
    let _ = writeln!(page, "| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
}

fn names() -> Vec<&'static str> {
    tapes().iter().map(|tape| tape.name).collect()
}

fn times(page: &mut String, name: &str, times: &BTreeMap<&'static str, f64>) {
    row(page, name, names().iter().map(|tape| format!("{:.2}", times[tape])));
}

/// What was asked for, and every rival of the whole.
fn required(page: &mut String, measured: &Measured, python: Option<&Python>) {
    header(page, "All columns, and the rivals of the whole", "ns/row, one core", &names());
    let kernel = |name: &str| measured.kernels.iter().find(|kernel| kernel.name == name).unwrap();
    let ratios = |page: &mut String, name: &str, theirs: &dyn Fn(&str) -> Option<f64>, ours: &Timed| {
        row(
            page,
            name,
            names().iter().map(|tape| {
                theirs(tape).map_or("-".into(), |theirs| format!("{theirs:.0}, **{:.1}x**", theirs / ours.times[tape]))
            }),
        );
    };
    let (features, columns) = (FEATURES.len(), FEATURES.len() + 2 * MODES.len());
    let (labels, session) = (kernel("labels and weights"), kernel("features, session"));
    times(page, "**labels and weights, six modes**", &labels.times);
    ratios(page, "straight scan, Rust", &|tape| measured.scan.get(tape).copied(), labels);
    for name in ["labels, Numba scan", "labels, Numba one pass"] {
        ratios(page, name, &|tape| python?.least(name, tape), labels);
    }
    times(page, &format!("**{features} features, `session`**"), &session.times);
    times(page, &format!("**{features} features, `rolling`**"), &kernel("features, rolling").times);
    let expressions = |tape: &str| python?.least("features, Polars", tape);
    let walk = |tape: &str| python?.least("retouches, Numba walk", tape);
    ratios(page, "Polars, and a Numba walk for the retouches", &|tape| Some(expressions(tape)? + walk(tape)?), session);
    ratios(page, "Polars, without the two retouch columns", &expressions, session);
    times(page, &format!("**{columns} columns, `session`**"), &kernel("all columns, session").times);
    let [one, two] = measured.month;
    let _ = writeln!(
        page,
        "\n{columns} columns of 621,000 rows (23 sessions, normal): {one:.1} ms on one thread, {two:.1} ms on two.\n\
         Bar by bar, beside chunks of one row and TA-Lib's streams: [STREAM.md](STREAM.md).\n"
    );
}

fn functions(page: &mut String, functions: &[Compared]) {
    header(page, "The same function", "ns/row, and theirs over ours (within 5 %: even)", &names());
    for Compared { function, contenders } in functions {
        let Some(((_, ours), theirs)) = contenders.split_first() else { continue };
        times(page, &format!("**{function}**"), ours);
        for (name, theirs) in theirs {
            let ratio = |tape: &&str| {
                let ratio = theirs[tape] / ours[tape];
                let verdict = if ratio < 1.0 - EVEN {
                    " loss"
                } else if ratio < 1.0 + EVEN {
                    " even"
                } else {
                    ""
                };
                format!("{:.2}, **{ratio:.2}x**{verdict}", theirs[tape])
            };
            row(page, name, names().iter().map(ratio));
        }
    }
    page.push('\n');
}

/// What each level gains, on the usual market.
fn levels(page: &mut String, measured: &Measured) {
    let names: Vec<&str> = Level::available().map(Level::name).collect();
    let mut columns = names.clone();
    columns.push("widest over the one before");
    page.push('\n');
    header(page, "The same binary at every level", "ns/row, normal", &columns);
    for (name, times) in &measured.levels {
        let gain = match times[..] {
            [.., before, widest] => format!("{:+.1} %", 100.0 * (before / widest - 1.0)),
            _ => "-".into(),
        };
        row(page, name, times.iter().map(|time| format!("{time:.2}")).chain([gain]));
    }
    page.push_str(
        "\nKernels that AVX-512 does not make 3 % faster have no code for it and run on AVX2 there: `kernel!` in their source says\n\
         `avx512` or does not. Differences between levels with the same code are the machine's.\n",
    );
}

/// The roofline: what the memory would allow.
fn kernels(page: &mut String, measured: &Measured) {
    let mut columns = names();
    columns.extend(["bytes read + written", "ns at copy speed", "of copy speed (normal)"]);
    header(page, "Every kernel, and how far it is from the memory's speed", "ns/row", &columns);
    for Timed { name, bytes: [read, written], times } in &measured.kernels {
        let floor = (read + written) as f64 / measured.bandwidth;
        let cells = names().into_iter().map(|tape| format!("{:.2}", times[tape]));
        let roofline =
            [format!("{read} + {written}"), format!("{floor:.2}"), format!("{:.0} %", 100.0 * floor / times["normal"])];
        row(page, name, cells.chain(roofline));
    }
    page.push_str(
        "\nBytes are those of the columns read and written once. A chunk of 4,096 rows stays in the caches between the passes over it,\n\
         and a session's columns in the second: above 100 % a kernel is faster than memory would be. Far below it, it computes. The retouches are bound by jumps that\n\
         depend on the last one, the deviations and scores by roots and divisions, the rank by 300 comparisons a row.\n",
    );
}
