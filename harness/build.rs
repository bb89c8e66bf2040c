//! Names the sources that a program is built from: `scripts/guide` leaves its verdict for these.

use std::{env, fs, io, path::Path};

/// What decides what the program does, and the guide that says so.
const SOURCES: [&str; 14] = [
    "kernels/src",
    "data/src",
    "harness/archive/src",
    "harness/base/src",
    "harness/report/src",
    "harness/statistics/src",
    "harness/src",
    "Cargo.lock",
    "GUIDE.md",
    "docs/input.md",
    "docs/instruments.md",
    "docs/speed.md",
    "docs/stream.md",
    "scripts/guide",
];

fn main() -> io::Result<()> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..");
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    for source in SOURCES {
        let path = workspace.join(source);
        println!("cargo::rerun-if-changed={}", path.display());
        hash.path(&path)?;
    }
    println!("cargo::rustc-env=HARNESS_SOURCES={:016x}", hash.0);
    Ok(())
}

/// FNV-1a.
struct Fnv(u64);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// Names and contents, in order of name.
    fn path(&mut self, path: &Path) -> io::Result<()> {
        self.bytes(path.file_name().unwrap_or_default().as_encoded_bytes());
        if !path.is_dir() {
            self.bytes(&fs::read(path)?);
            return Ok(());
        }
        let mut entries =
            fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        entries.iter().try_for_each(|entry| self.path(entry))
    }
}
