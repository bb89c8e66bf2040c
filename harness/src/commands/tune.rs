//! `tune`: tries settings that change no byte of the output and keeps the fastest that fits.

use std::{path::Path, process::Command};

use base::{
    error::{Class, Context, Met},
    exit::{self, Usage},
};
use serde::Serialize;

use super::bench;
use crate::{cli::TuneArgs, progress::Bar, settings::Settings};

/// Rows of one kernel call that are tried: from what fits the first-level cache to a whole session.
const CHUNK_ROWS: [usize; 5] = [1_024, 2_048, 4_096, 8_192, 27_000];

/// One trial.
#[derive(Clone, Debug, Serialize)]
struct Trial {
    /// Rows of a kernel call.
    chunk_rows: usize,
    /// Threads.
    jobs: usize,
    /// Wall-clock seconds of a month.
    seconds: f64,
    /// Largest resident memory.
    peak_rss_bytes: u64,
    /// Within the targets.
    fits: bool,
}

/// Runs the command.
pub fn run(args: &TuneArgs, settings: &Settings) -> crate::Result<u8> {
    for (name, target) in [("--target-gb", args.target_gb), ("--target-minutes", args.target_minutes)] {
        if target.is_some_and(|target| target.is_nan() || target <= 0.0) {
            return Err(Usage(format!("{name}: expected a number above 0")).into());
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut jobs = vec![1, cores.div_ceil(2), cores];
    jobs.dedup();
    let bar = Bar::new();
    bar.task("tune", (jobs.len() * CHUNK_ROWS.len()) as u64);
    let mut trials = Vec::new();
    for &jobs in &jobs {
        for chunk_rows in CHUNK_ROWS {
            bar.message(&format!("{jobs} jobs, {chunk_rows} rows"));
            trials.push(trial(args, chunk_rows, jobs)?);
            bar.step();
        }
    }
    bar.finish();
    trials.sort_by(|a, b| b.fits.cmp(&a.fits).then(a.seconds.total_cmp(&b.seconds)));
    let best = trials.first().filter(|best| best.fits);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&trials)?);
    } else {
        println!("{:>8} {:>12} {:>10} {:>12}", "jobs", "chunk_rows", "s a month", "peak MiB");
        for trial in &trials {
            let fits = if trial.fits { "" } else { "  misses the target" };
            let Trial { chunk_rows, jobs, seconds, peak_rss_bytes, .. } = trial;
            println!("{jobs:>8} {chunk_rows:>12} {seconds:>10.3} {:>12}{fits}", peak_rss_bytes >> 20);
        }
    }
    let Some(best) = best else {
        eprintln!("no setting meets the target; nothing was written");
        return Ok(exit::PARTLY);
    };
    let path = settings.file();
    write(path, best)?;
    if !args.json {
        println!("\n{}: jobs = {}, chunk_rows = {}", path.display(), best.jobs, best.chunk_rows);
    }
    Ok(0)
}

/// One trial, in a process of its own: its peak of memory is its own.
fn trial(args: &TuneArgs, chunk_rows: usize, jobs: usize) -> crate::Result<Trial> {
    let program = std::env::current_exe().context("this program's own path")?;
    let output = Command::new(program)
        .args(["bench", "--json", "--repeat", &args.repeat.to_string(), "--month", &args.month.to_string()])
        .args(["--chunk-rows", &chunk_rows.to_string(), "--jobs", &jobs.to_string(), "--log-level", "error"])
        .output()
        .context("the benchmark cannot be started")?;
    if !output.status.success() {
        let said = format!("the benchmark failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        return Err(crate::Error::new(Class::Store, said));
    }
    let result: bench::Result = serde_json::from_slice(&output.stdout).context("the benchmark's result")?;
    let peak_rss_bytes = result.peak_rss_bytes.unwrap_or(0);
    let fits = args.target_gb.is_none_or(|target| peak_rss_bytes as f64 <= target * 1e9)
        && args.target_minutes.is_none_or(|target| result.cold_seconds <= target * 60.0);
    Ok(Trial { chunk_rows, jobs, seconds: result.cold_seconds, peak_rss_bytes, fits })
}

/// Sets the two values in the file and leaves the rest of it as it is.
fn write(path: &Path, best: &Trial) -> crate::Result<()> {
    let failed = || format!("{}: cannot be written", path.display());
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(failed),
    };
    let mut document: toml_edit::DocumentMut = text.parse().met_as(Class::Usage).with_context(failed)?;
    document["jobs"] = toml_edit::value(best.jobs as i64);
    document["chunk_rows"] = toml_edit::value(best.chunk_rows as i64);
    std::fs::write(path, document.to_string()).with_context(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("harness.toml");
        let best = Trial { chunk_rows: 2048, jobs: 2, seconds: 1.0, peak_rss_bytes: 1, fits: true };
        write(&path, &best).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "jobs = 2\nchunk_rows = 2048\n");
        std::fs::write(&path, "# Ours\nroot = \"GC\" # gold\nchunk_rows = 9\n").unwrap();
        write(&path, &best).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "# Ours\nroot = \"GC\" # gold\nchunk_rows = 2048\njobs = 2\n");
        std::fs::write(&path, "= nonsense").unwrap();
        assert!(write(&path, &best).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "= nonsense");
    }
}
