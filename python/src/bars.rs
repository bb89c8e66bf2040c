//! Bars as the kernels take them: columns of ticks, cut into sessions.

use std::ops::Range;

use arrow_array::{
    Array, ArrayRef,
    cast::AsArray,
    types::{Float64Type, Int64Type, UInt32Type},
};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, TimeUnit};
use data::{Month, session::central_seconds};
use jiff::{Timestamp, tz::TimeZone};
use kernels::{Break, Columns, Error, Profile, Series, Tick};

use crate::{
    import::{COLUMNS, Chunks, Input, NAMES},
    prices,
    wrong::Wrong,
};

/// Bars, one a second within each session.
pub struct Bars {
    open: ScalarBuffer<i32>,
    high: ScalarBuffer<i32>,
    low: ScalarBuffer<i32>,
    close: ScalarBuffer<i32>,
    volume: ScalarBuffer<u32>,
    /// Central second of the day.
    second: Vec<u32>,
    /// In order; their rows cover the columns without a hole.
    pub sessions: Vec<Session>,
    /// Months of profile `rolling`, as ranges of `sessions`.
    months: Vec<Range<usize>>,
}

/// Rows that follow second by second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// UTC second of its first row.
    pub first_second: i64,
    /// Its rows.
    pub rows: Range<usize>,
    /// Central month of its last row.
    pub month: Month,
}

/// What the kernels run over, and which of its rows a piece of work is.
pub struct Part<'a> {
    /// A session, or a month of them.
    pub series: Series<'a>,
    /// The rows of `session` in the series.
    pub rows: Range<usize>,
}

impl Bars {
    /// Checks the columns and cuts them into sessions: where a row is more than `longest` seconds after the one before, a
    /// session begins. A shorter hole is an error.
    ///
    /// # Errors
    /// [`Wrong`] names the first thing that is wrong.
    pub fn new(input: &Input, tick: Tick, longest: u32) -> Result<Self, Wrong> {
        let missing = |name: &str| {
            let found = if input.names.is_empty() { "none".to_owned() } else { input.names.join(", ") };
            Wrong::column(name, format!("it is missing; expected {}, found {found}", NAMES.join(", ")))
        };
        let column = |index: usize| input.columns[index].as_ref().ok_or_else(|| missing(NAMES[index]));
        let columns = (0..COLUMNS).map(column).collect::<Result<Vec<_>, _>>()?;
        let rows = |chunks: &Chunks| chunks.iter().map(|chunk| chunk.len()).sum::<usize>();
        for (column, name) in columns.iter().zip(NAMES) {
            let (found, expected) = (rows(column), rows(columns[0]));
            if found != expected {
                return Err(Wrong::column(name, format!("{found} rows; timestamp has {expected}, expected as many")));
            }
        }
        let sessions = sessions(columns[0], longest)?;
        let price = |index: usize| prices::ticks(NAMES[index], columns[index], tick);
        let [open, high, low, close] = [price(1)?, price(2)?, price(3)?, price(4)?];
        let mut second = Vec::with_capacity(open.len());
        for session in &sessions {
            second.extend(central_seconds(session.first_second, session.rows.len()));
        }
        let mut months: Vec<Range<usize>> = Vec::new();
        for (number, session) in sessions.iter().enumerate() {
            match months.last_mut().filter(|month| sessions[month.start].month == session.month) {
                Some(month) => month.end = number + 1,
                None => months.push(number..number + 1),
            }
        }
        Ok(Self { open, high, low, close, volume: volume(columns[5])?, second, sessions, months })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.open.len()
    }

    /// The last month of all.
    pub fn last_month(&self) -> Option<Month> {
        self.sessions.last().map(|session| session.month)
    }

    /// Where the nights of each month are; none in profile `session`.
    pub fn breaks(&self) -> Vec<Vec<Break>> {
        let of = |month: &Range<usize>| {
            let sessions = &self.sessions[month.clone()];
            let first = sessions[0].rows.start;
            let between = |pair: &[Session]| {
                let end = pair[0].first_second + pair[0].rows.len() as i64 - 1;
                let seconds = u32::try_from(pair[1].first_second - end).unwrap_or(u32::MAX);
                Break { row: pair[1].rows.start - first, seconds }
            };
            sessions.windows(2).map(between).collect()
        };
        self.months.iter().map(of).collect()
    }

    /// What each session is computed in, in order: itself, or the month it lies in, cut by `breaks`.
    ///
    /// # Errors
    /// A row that is no bar.
    pub fn parts<'a>(&'a self, profile: Profile, breaks: &'a [Vec<Break>]) -> Result<Vec<Part<'a>>, Wrong> {
        let mut parts = Vec::with_capacity(self.sessions.len());
        match profile {
            Profile::Session => {
                for session in &self.sessions {
                    parts.push(Part { series: self.series(session.rows.clone())?, rows: 0..session.rows.len() });
                }
            }
            Profile::Rolling => {
                for (month, breaks) in self.months.iter().zip(breaks) {
                    let sessions = &self.sessions[month.clone()];
                    let (first, end) = (sessions[0].rows.start, sessions[sessions.len() - 1].rows.end);
                    let series = self.series(first..end)?.with_breaks(breaks);
                    let series = series.map_err(|error| Wrong::whole(error.to_string()))?;
                    for session in sessions {
                        parts.push(Part { series, rows: session.rows.start - first..session.rows.end - first });
                    }
                }
            }
        }
        Ok(parts)
    }

    fn series(&self, rows: Range<usize>) -> Result<Series<'_>, Wrong> {
        let series = Series::new(Columns {
            open: &self.open[rows.clone()],
            high: &self.high[rows.clone()],
            low: &self.low[rows.clone()],
            close: &self.close[rows.clone()],
            volume: &self.volume[rows.clone()],
            second: &self.second[rows.clone()],
        });
        series.map_err(|error| match error {
            Error::Bar { row } => {
                let row = rows.start + row;
                let [open, high, low, close] = [self.open[row], self.high[row], self.low[row], self.close[row]];
                let found = format!("open {open}, high {high}, low {low}, close {close} in ticks");
                let column = match () {
                    () if low > high => "low",
                    () if !(low..=high).contains(&open) => "open",
                    () => "close",
                };
                Wrong::value(column, row, format!("{found}; expected low <= open, close <= high"))
            }
            Error::Turnover => Wrong::value(
                "volume",
                rows.start,
                "highest price times volume of the rows from here to the end of the session does not fit 63 bits",
            ),
            other => Wrong::whole(other.to_string()),
        })
    }
}

/// Cuts the timestamps into sessions.
fn sessions(chunks: &Chunks, longest: u32) -> Result<Vec<Session>, Wrong> {
    let name = NAMES[0];
    let mut sessions: Vec<(i64, Range<usize>)> = Vec::new();
    let (mut first, mut before) = (0, None);
    for chunk in chunks {
        prices::present(name, first, chunk)?;
        let (times, unit) = times(chunk)?;
        let begins = |row: usize, time: i64, before: Option<i64>| -> Result<i64, Wrong> {
            let wrong = |what: String| Err(Wrong::value(name, row, what));
            if time % unit != 0 {
                return wrong(format!("{time} is not on a whole second; expected bars of one second"));
            }
            let Some(before) = before else { return Ok(time / unit) };
            let gap = (time - before) / unit;
            if gap < 1 {
                return wrong("not after the row before it; expected rows in order of time, each second once".into());
            }
            if gap <= i64::from(longest) {
                return wrong(format!(
                    "{} seconds are missing before it; expected a row for every second of a session (one without a trade \
                     repeats the close before it with volume 0), or more than {longest} seconds to the next session",
                    gap - 1
                ));
            }
            Ok(time / unit)
        };
        for (row, &time) in times.iter().enumerate() {
            if before.and_then(|before: i64| before.checked_add(unit)) != Some(time) {
                let second = begins(first + row, time, before)?;
                sessions.push((second, first + row..first + row));
            }
            before = Some(time);
        }
        first += times.len();
        if let Some((_, rows)) = sessions.last_mut() {
            rows.end = first;
        }
    }
    // Each session ends where the next one begins.
    let starts: Vec<usize> = sessions.iter().map(|(_, rows)| rows.start).skip(1).chain([first]).collect();
    let central = TimeZone::get("America/Chicago").map_err(|error| Wrong::whole(error.to_string()))?;
    let session = |((first_second, rows), end): ((i64, Range<usize>), usize)| {
        let last = first_second + (end - rows.start) as i64 - 1;
        let month = Timestamp::from_second(last).ok().and_then(|last| Month::of(central.to_datetime(last).date()));
        let wrong = || Wrong::value(name, rows.start, "expected a time from 1970 to 2199");
        Ok(Session { first_second, rows: rows.start..end, month: month.ok_or_else(wrong)? })
    };
    sessions.into_iter().zip(starts).map(session).collect()
}

/// The times of a chunk, and how many of their units are a second.
fn times(chunk: &ArrayRef) -> Result<(ScalarBuffer<i64>, i64), Wrong> {
    use arrow_array::types::{
        TimestampMicrosecondType as Micro, TimestampMillisecondType as Milli, TimestampNanosecondType as Nano,
        TimestampSecondType as Whole,
    };
    match chunk.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Ok((chunk.as_primitive::<Nano>().values().clone(), 1_000_000_000))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Ok((chunk.as_primitive::<Micro>().values().clone(), 1_000_000))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => Ok((chunk.as_primitive::<Milli>().values().clone(), 1_000)),
        DataType::Timestamp(TimeUnit::Second, _) => Ok((chunk.as_primitive::<Whole>().values().clone(), 1)),
        DataType::Int64 => Ok((chunk.as_primitive::<Int64Type>().values().clone(), 1_000_000_000)),
        other => Err(Wrong::column(
            NAMES[0],
            format!("{other}; expected timestamps, or nanoseconds since 1970 UTC as int64"),
        )),
    }
}

/// Contracts traded; those of uint32, in one chunk, as they lie in memory.
fn volume(chunks: &Chunks) -> Result<ScalarBuffer<u32>, Wrong> {
    let name = NAMES[5];
    let mut out: Vec<u32> = Vec::new();
    for chunk in chunks {
        prices::present(name, out.len(), chunk)?;
        if *chunk.data_type() == DataType::UInt32 {
            let values = chunk.as_primitive::<UInt32Type>().values();
            if chunks.len() == 1 {
                return Ok(values.clone());
            }
            out.extend_from_slice(values);
            continue;
        }
        macro_rules! whole {
            ($($type:ident),*) => {
                match chunk.data_type() {
                    $(DataType::$type => {
                        for &value in chunk.as_primitive::<paste::$type>().values() {
                            out.push(u32::try_from(value).map_err(|_| beyond(out.len(), &value))?);
                        }
                    })*
                    DataType::Float64 => {
                        for &value in chunk.as_primitive::<Float64Type>().values() {
                            let whole = value as u32;
                            if f64::from(whole) != value {
                                return Err(beyond(out.len(), &value));
                            }
                            out.push(whole);
                        }
                    }
                    other => return Err(Wrong::column(name, format!("{other}; expected whole numbers of contracts"))),
                }
            };
        }
        whole!(Int64, UInt64, Int32, Int16, UInt16, Int8, UInt8);
    }
    Ok(out.into())
}

fn beyond(row: usize, value: &dyn std::fmt::Display) -> Wrong {
    Wrong::value(NAMES[5], row, format!("{value}; expected contracts traded, a whole number from 0 to {}", u32::MAX))
}

/// Arrow's types under the names of their [`DataType`].
mod paste {
    pub use arrow_array::types::{
        Int8Type as Int8, Int16Type as Int16, Int32Type as Int32, Int64Type as Int64, UInt8Type as UInt8,
        UInt16Type as UInt16, UInt64Type as UInt64,
    };
}
