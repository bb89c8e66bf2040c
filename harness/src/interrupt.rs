//! SIGINT and SIGTERM: leave at once. What is finished is published; what is not was never visible.

use std::{path::PathBuf, sync::Mutex};

/// Exit code of an interrupted command.
const INTERRUPTED: i32 = 130;

/// This run's temporary files.
static TEMPORARY: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Names the folder to remove on the way out.
pub fn remove_on_exit(folder: PathBuf) {
    if let Ok(mut temporary) = TEMPORARY.lock() {
        *temporary = Some(folder);
    }
}

/// Begins to listen.
pub fn listen() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        eprintln!("interrupted: what was finished is kept, what was not is not visible; run again to go on");
        if let Ok(mut temporary) = TEMPORARY.lock()
            && let Some(folder) = temporary.take()
        {
            let _ = std::fs::remove_dir_all(folder);
        }
        std::process::exit(INTERRUPTED);
    })
}
