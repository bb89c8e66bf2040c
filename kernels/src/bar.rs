//! One row of a series: what traded in a second.

/// The highest price a series may hold, in ticks. It keeps every windowed sum of squares inside 64 bits.
pub const MAX_TICKS: i32 = 1 << 22;

/// The lowest price a series may hold, in ticks: crude oil has been below 0. A true range times 300 fits 31 bits.
pub const MIN_TICKS: i32 = -(1 << 20);

/// What traded in one second. A second without a trade repeats the close before it in all four prices, with volume 0.
///
/// ```
/// use kernels::Bar;
///
/// let bar = Bar { open: 20_000, high: 20_003, low: 19_999, close: 20_001, volume: 7, second: 30_600 };
/// assert!(bar.is_valid());
/// assert!(!Bar { close: 20_004, ..bar }.is_valid());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// First price, in ticks.
    pub open: i32,
    /// Highest price, in ticks.
    pub high: i32,
    /// Lowest price, in ticks.
    pub low: i32,
    /// Last price, in ticks.
    pub close: i32,
    /// Contracts traded.
    pub volume: u32,
    /// Exchange-local (Central) second of the day, `0..86_400`.
    pub second: u32,
}

impl Bar {
    /// Whether `MIN_TICKS <= low <= open, close <= high <= MAX_TICKS` and the second is one of the day.
    #[must_use]
    #[inline]
    pub fn is_valid(&self) -> bool {
        let Self { open, high, low, close, second, .. } = *self;
        let ordered = low <= open && open <= high && low <= close && close <= high;
        ordered && low >= MIN_TICKS && high <= MAX_TICKS && second < 86_400
    }
}
