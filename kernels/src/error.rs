//! What can be wrong with a kernel's input.

use std::ops::Range;

use crate::{Bar, Level, Profile};

/// A kernel refuses input it cannot answer exactly.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// A tick that is not positive, or whose fraction of a point does not fit 32 bits.
    #[error("tick of {nanos} units of 1e-9 points: expected a positive fraction of a point that fits 32 bits")]
    Tick {
        /// The tick in units of 1e-9 points.
        nanos: i64,
    },
    /// Columns of different lengths.
    #[error("the columns differ in length")]
    Lengths,
    /// A window of no rows.
    #[error("a window of 0 rows: expected at least 1")]
    Window,
    /// A row whose prices are not ordered or not within the limits of a series.
    #[error(
        "row {row}: expected 1 <= low <= open, close <= high <= {} ticks and a second of the day below 86400",
        crate::series::MAX_TICKS
    )]
    Bar {
        /// Row of the series.
        row: usize,
    },
    /// A bar of a stream whose prices are not ordered or not within the limits of a series.
    #[error(
        "{bar:?}: expected 1 <= low <= open, close <= high <= {} ticks and a second of the day below 86400",
        crate::series::MAX_TICKS
    )]
    Limits {
        /// The bar.
        bar: Bar,
    },
    /// A bar of a stream that is not of the second after the one before it.
    #[error(
        "a bar of second {second} of the day after one of second {before}: expected one for every second; a second without          a trade repeats the close before it with volume 0, and after the last one of a session comes `next_session`"
    )]
    Order {
        /// Second of the day of the bar before.
        before: u32,
        /// Second of the day of the bar.
        second: u32,
    },
    /// A break that is not between two rows of the series, or not after the break before it.
    #[error("a break at row {row} of a series: expected rows from 1 on, in order, each once")]
    Break {
        /// Row of the series.
        row: usize,
    },
    /// Price times volume of the series overflows.
    #[error("highest price times total volume of the series does not fit 63 bits")]
    Turnover,
    /// Rows outside the series, more rows than the scratch space was made for, or an output of another size.
    #[error("rows {rows:?} of a series of {len}: outside it, beyond the chunk size, or not the size of the output")]
    Rows {
        /// The rows asked for.
        rows: Range<usize>,
        /// Rows of the series.
        len: usize,
    },
    /// Bytes that hold no state of a stream.
    #[error("{len} bytes that do not begin as the state of a stream does: expected what `Stream::to_bytes` made")]
    NoState {
        /// How many there are.
        len: usize,
    },
    /// The state of a stream of another version.
    #[error("a stream's state of version {found}: expected version {expected}; open the stream from its rows instead")]
    StateVersion {
        /// Its version.
        found: u32,
        /// The version this library reads and writes.
        expected: u32,
    },
    /// The state of a stream that was cut off, or to which something was added.
    #[error("a stream's state of {found} bytes: expected {expected}; restore it, or open the stream from its rows")]
    StateLength {
        /// Its bytes.
        found: usize,
        /// The bytes it says it has.
        expected: usize,
    },
    /// The state of a stream that was changed since it was written.
    #[error("a stream's state was changed since it was written: restore it, or open the stream from its rows")]
    StateChanged,
    /// The state of a stream of another profile.
    #[error("a stream's state of profile {found:?}: expected {expected:?}")]
    StateProfile {
        /// Its profile.
        found: Profile,
        /// The profile asked for.
        expected: Profile,
    },
    /// The state of a stream of another tick.
    #[error("a stream's state with a tick of {found} units of 1e-9 points: expected {expected}")]
    StateTick {
        /// Its tick in units of 1e-9 points.
        found: i64,
        /// The tick asked for.
        expected: i64,
    },
    /// A level that this processor does not have.
    #[error("this processor does not have {level}: it has {}", available())]
    Level {
        /// The level asked for.
        level: Level,
    },
    /// No level is called so.
    #[error("no level is called {name}: expected baseline, neon, avx2 or avx512")]
    LevelName {
        /// The name.
        name: String,
    },
}

fn available() -> String {
    Level::available().map(Level::name).collect::<Vec<_>>().join(", ")
}
