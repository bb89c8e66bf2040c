//! The rows the reference works on.

/// What windows and look-ahead do at a session's edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// They restart with every session: a tape is one session.
    Session,
    /// They run over the whole month: a tape is one month.
    Rolling,
}

/// Rows, one a second but for nights. Prices in ticks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tape {
    /// First price.
    pub open: Vec<i64>,
    /// Highest price.
    pub high: Vec<i64>,
    /// Lowest price.
    pub low: Vec<i64>,
    /// Last price.
    pub close: Vec<i64>,
    /// Contracts traded.
    pub volume: Vec<i64>,
    /// Central second of the day.
    pub second: Vec<u32>,
    /// Timestamp in seconds.
    pub time: Vec<i64>,
}

impl Tape {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Appends a row, one second after the last.
    pub fn push(&mut self, [open, high, low, close]: [i64; 4], volume: i64, second: u32) {
        self.open.push(open);
        self.high.push(high);
        self.low.push(low);
        self.close.push(close);
        self.volume.push(volume);
        self.second.push(second);
        self.time.push(self.time.last().map_or(0, |last| last + 1));
    }

    /// Puts a night of `seconds` before row `row`: it and those after it are so much later.
    pub fn night(&mut self, row: usize, seconds: u32) {
        self.time[row..].iter_mut().for_each(|time| *time += i64::from(seconds));
    }
}
