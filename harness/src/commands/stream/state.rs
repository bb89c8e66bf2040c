//! The state of a stream in a file.

use std::{fs, io, path::Path};

use base::error::Context;

use crate::commands::process::beside;

/// Reads it; `None` where there is no file yet.
pub fn read(path: &Path) -> crate::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{}: cannot be read", path.display())),
    }
}

/// Writes it in place of the one before, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> crate::Result<()> {
    let written = || -> io::Result<()> {
        let file = beside(path)?;
        fs::write(file.path(), bytes)?;
        file.as_file().sync_data()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    written().with_context(|| format!("{}: cannot be written", path.display()))
}
