//! A month damaged in several ways: each is refused with code 3 and leaves no output, and the clean one is processed.

use std::{fs, path::Path};

use base::error::Context;

use super::{Trial, program, said};

/// All of them.
pub fn trials(folder: &Path, file: &str) -> crate::Result<Vec<Trial>> {
    let whole = fs::read(folder.join(file)).context("the synthetic month")?;
    let middle = whole.len() / 2;
    let flipped = {
        let mut bytes = whole.clone();
        bytes[middle] ^= 0x55;
        bytes
    };
    let zeroed = {
        let mut bytes = whole.clone();
        bytes[middle..middle + 4096].fill(0);
        bytes
    };
    let mut trials = vec![trial(folder, file, "nothing", &whole, 0)?];
    for (fault, bytes) in [
        ("the second half is missing", &whole[..middle]),
        ("the last byte is missing", &whole[..whole.len() - 1]),
        ("one byte in the middle is changed", &flipped),
        ("4096 bytes in the middle are 0", &zeroed),
        ("the first hundred bytes are missing", &whole[100..]),
        ("it is text", b"not a month\n".as_slice()),
        ("it is empty", b""),
    ] {
        trials.push(trial(folder, file, fault, bytes, 3)?);
    }
    Ok(trials)
}

fn trial(folder: &Path, file: &str, fault: &str, bytes: &[u8], expected: i32) -> crate::Result<Trial> {
    let here = folder.join("trial");
    let _ = fs::remove_dir_all(&here);
    fs::create_dir(&here)?;
    fs::write(here.join(file), bytes)?;
    let output = program(&here)?.args(["process", file, "out.parquet"]).output()?;
    let (code, message) = said(&output);
    let left = here.join("out.parquet").exists();
    let found = format!("{code}, {}", if left { "an output" } else { "no output" });
    let wanted = format!("exit code {expected}, {}", if expected == 0 { "an output" } else { "no output" });
    let passed = found == wanted && (expected == 0 || message.contains(file));
    let found = if message.is_empty() { found } else { format!("{found}; {message}") };
    Ok(Trial { fault: fault.to_owned(), expected: wanted, found, passed })
}
