//! The machine this runs on.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// What a figure depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Model of the processor.
    pub processor: String,
    /// Instructions the kernels use.
    #[serde(default)]
    pub instructions: String,
    /// Cores this process may use.
    pub cores: usize,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
}

impl Machine {
    /// The one this runs on.
    pub fn this() -> Self {
        let line = |file: &str, name: &str| {
            let text = std::fs::read_to_string(file).ok()?;
            let line = text.lines().find(|line| line.starts_with(name))?.split_once(':')?.1.trim().to_owned();
            Some(line)
        };
        let kilobytes =
            line("/proc/meminfo", "MemTotal").and_then(|memory| memory.split_whitespace().next()?.parse::<u64>().ok());
        Self {
            processor: line("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.into()),
            instructions: kernels::Level::in_use().to_string(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kilobytes.map(|kilobytes| kilobytes * 1024),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, kernels on {}, {} cores", self.processor, self.instructions, self.cores)?;
        match self.memory_bytes {
            Some(bytes) => write!(f, ", {} GiB", bytes >> 30),
            None => Ok(()),
        }
    }
}

/// Bytes that may still be written to where a folder is or will be.
pub fn free(folder: &Path) -> io::Result<u64> {
    let mut there: PathBuf = std::path::absolute(folder)?;
    while !there.exists() && there.pop() {}
    let room = rustix::fs::statvfs(&there)?;
    Ok(room.f_bavail * room.f_frsize)
}
