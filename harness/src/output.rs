//! `println!` and `eprintln!` for a reader that may have gone, as in `harness config show | head -1`.
//!
//! Those of the standard library panic then. Here the rest of the output is dropped and the work goes on: a run whose
//! output nobody reads is still published, and ends with the code of the work.

use std::{
    fmt,
    io::{self, Write},
    sync::Mutex,
};

use jiff::Timestamp;

/// Why stdout could not be written to, if that was not its reader's leave.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// A line to stdout.
macro_rules! println {
    ($($argument:tt)*) => { $crate::output::line(format_args!($($argument)*)) };
}

/// A line to stderr.
macro_rules! eprintln {
    ($($argument:tt)*) => { $crate::output::message(format_args!($($argument)*)) };
}

/// Prints a line.
pub fn line(text: fmt::Arguments<'_>) {
    keep(writeln!(io::stdout().lock(), "{text}"));
}

/// Prints a text that has its own line ends.
pub fn text(text: &str) {
    keep(io::stdout().lock().write_all(text.as_bytes()));
}

/// A time to the second.
pub fn time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The same of a UTC second since 1970.
pub fn second(second: i64) -> String {
    time(Timestamp::from_second(second).unwrap_or_default())
}

/// Prints a line to stderr; where that fails, there is nobody to tell.
pub fn message(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn keep(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != io::ErrorKind::BrokenPipe
        && let Ok(mut failed) = FAILED.lock()
    {
        failed.get_or_insert(error);
    }
}

/// Whether all that was printed has arrived, or nobody wanted it.
///
/// # Errors
/// The first that writing to stdout met.
pub fn finish() -> io::Result<()> {
    keep(io::stdout().lock().flush());
    FAILED.lock().ok().and_then(|mut failed| failed.take()).map_or(Ok(()), Err)
}
