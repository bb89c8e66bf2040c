//! Processor, memory, disk and clock.

use std::{fs, path::Path};

use jiff::Timestamp;

use super::{Check, State};
use crate::{
    cli::DoctorArgs,
    machine::{self, Machine},
    run::cache,
    settings::Settings,
};

/// A disk with less than this is full after a few months.
const LEAST_FREE: u64 = 2_000_000_000;

/// 2026-01-01: this program is not older.
const OLDEST: i64 = 1_767_225_600;

/// Everything about this machine.
pub fn checks(args: &DoctorArgs, settings: &Settings) -> Vec<Check> {
    let machine = Machine::this();
    let processor = format!("{}, kernels on {}, {} cores", machine.processor, machine.instructions, machine.cores);
    let mut checks = vec![Check::new("processor", State::Ok, processor, "")];
    checks.push(memory(machine.memory_bytes, args.min_memory_gb, settings.max_memory_gb));
    let temporary = cache::folder(settings);
    checks.push(writable(&temporary));
    checks.push(disk("free for temporary files", &temporary, None));
    if !settings.text("store").contains("://") {
        checks.push(disk("free for the store", Path::new(settings.text("store")), args.min_disk_gb));
    }
    checks.push(clock());
    checks
}

fn memory(there: Option<u64>, least: Option<f64>, limit: f64) -> Check {
    let Some(bytes) = there else {
        return Check::new("memory", State::Warning, "unknown", "the system does not report how much there is");
    };
    let gigabytes = bytes as f64 / 1e9;
    let found = format!("{gigabytes:.1} GB, of which a run may take {limit} (max_memory_gb)");
    let (state, advice) = match least {
        Some(least) if gigabytes < least => (State::Failed, format!("--min-memory-gb asks for {least}")),
        _ if gigabytes < limit => {
            (State::Warning, format!("set max_memory_gb below {gigabytes:.0}: a run might be killed for its memory"))
        }
        _ => (State::Ok, String::new()),
    };
    Check::new("memory", state, found, advice)
}

/// Whether files can be made there.
fn writable(folder: &Path) -> Check {
    let tried = fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder).map(|_| ()));
    let found = folder.display().to_string();
    match tried {
        Ok(()) => Check::new("temporary files", State::Ok, found, ""),
        Err(error) => Check::new(
            "temporary files",
            State::Failed,
            format!("{found}: {error}"),
            "choose another folder with --temp-dir or PROCESSING_TEMP_DIR",
        ),
    }
}

fn disk(name: &str, folder: &Path, least: Option<f64>) -> Check {
    match machine::free(folder) {
        Err(error) => Check::new(name, State::Warning, format!("{}: {error}", folder.display()), "unknown"),
        Ok(bytes) => {
            let gigabytes = bytes as f64 / 1e9;
            let (state, advice) = match least {
                Some(least) if gigabytes < least => (State::Failed, format!("--min-disk-gb asks for {least}")),
                _ if bytes < LEAST_FREE => {
                    (State::Failed, "free some space: `harness clean --dry-run` lists what can be deleted".into())
                }
                _ => (State::Ok, String::new()),
            };
            Check::new(name, state, format!("{gigabytes:.1} GB in {}", folder.display()), advice)
        }
    }
}

/// A clock that was never set signs requests that every server refuses.
fn clock() -> Check {
    let now = Timestamp::now();
    let state = if now.as_second() >= OLDEST { State::Ok } else { State::Failed };
    Check::new("clock", state, now.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(), "set the clock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_against_what_is_asked_for_and_the_limit_of_a_run() {
        let state = |there: u64, least, limit| memory(Some(there * 1_000_000_000), least, limit).state;
        assert_eq!(state(16, None, 8.0), State::Ok);
        assert_eq!(state(16, Some(16.0), 8.0), State::Ok);
        assert_eq!(state(16, Some(16.1), 8.0), State::Failed);
        assert_eq!(state(4, None, 8.0), State::Warning);
    }

    #[test]
    fn room_is_that_of_the_folder_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let check = |least| disk("disk", &folder.path().join("not/yet"), least);
        assert_eq!(check(None).state, State::Ok);
        assert_eq!(check(Some(1e9)).state, State::Failed);
        assert!(check(Some(1e9)).advice.contains("--min-disk-gb"));
    }
}
