//! The features of the second that has just ended, one row at a time, with the bits that [`crate::features::Features`] gives
//! for it.

mod bytes;
mod consolidation;
mod extremes;
mod microstructure;
mod past;
mod price_context;
mod range;
mod returns;
mod ring;
mod row;
mod state;
mod sums;
mod volatility;
mod volume;
mod zones;

use std::fmt;

use self::past::Traded;
use self::row::Firsts;
pub use self::row::Row;
use self::state::{Next, State};
use crate::features::bars::Points;
use crate::features::{Carry, FLAGS, FLOATS, Float, LOOK_BACK, flags};
use crate::{Bar, Error, Profile, Series, Tick};

/// Computes the features of a bar from it and the bars before it: nothing looks ahead, and a session or month that is pushed
/// bar by bar has the columns that the batch writes for it, to the bit.
///
/// No call but [`Stream::new`], [`Stream::open`], `clone` and those for bytes takes memory, and each takes a bounded time. A
/// stream holds less than 128 KiB.
///
/// ```
/// use kernels::features::FLOAT_NAMES;
/// use kernels::{Bar, Profile, Stream, Tick};
///
/// let tick = Tick::from_nanos(250_000_000)?; // ES: a quarter of a point
/// let mut stream = Stream::new(Profile::Session, tick);
/// let vwap = FLOAT_NAMES.iter().position(|name| *name == "vwap").unwrap();
///
/// // A random walk of a session's first six minutes, from 08:30:00 on.
/// let (mut state, mut close) = (1_u64, 20_000);
/// for second in 30_600..30_960 {
///     state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
///     let open = close;
///     close += (state >> 33) as i32 % 3 - 1;
///     let (high, low, volume) = (open.max(close), open.min(close), (state >> 40) as u32 % 50);
///     let bar = Bar { open, high, low, close, volume, second };
///
///     let forming = stream.peek::<f32>(bar)?; // changes nothing: ask again when the bar has grown
///     let row = stream.push::<f32>(bar)?;
///     assert_eq!(row.floats[vwap], forming.floats[vwap]);
///     assert!((row.floats[vwap] - 5_000.0).abs() < 90.0); // points
/// }
///
/// // What is written down is taken up later, at the same row and with the same bits.
/// let file = stream.to_bytes();
/// let mut later = Stream::from_bytes(Profile::Session, tick, &file)?;
/// let bar = Bar { open: close, high: close, low: close, close, volume: 0, second: 30_960 };
/// assert_eq!(later.push::<f32>(bar)?.floats[vwap], stream.push::<f32>(bar)?.floats[vwap]);
/// # Ok::<(), kernels::Error>(())
/// ```
#[derive(Clone)]
pub struct Stream {
    profile: Profile,
    tick: Tick,
    points: Points,
    firsts: Firsts,
    follows: Follows,
    state: Box<State>,
}

/// What the next bar follows.
#[derive(Clone, Copy, Debug)]
enum Follows {
    /// Nothing, or a session's last bar.
    Any,
    /// A bar of this second of the day.
    Second(u32),
}

impl Follows {
    fn admits(self, second: u32) -> Result<(), Error> {
        match self {
            // Clocks change at the end of 01:59:59 Central, by an hour.
            Self::Second(7_199) if second == 3_600 || second == 10_800 => Ok(()),
            Self::Second(before) if second != (before + 1) % 86_400 => Err(Error::Order { before, second }),
            Self::Any | Self::Second(_) => Ok(()),
        }
    }
}

impl Stream {
    /// Before the first row of a session (profile `session`) or of a month (`rolling`). Prices come out in points of `tick`.
    #[must_use]
    pub fn new(profile: Profile, tick: Tick) -> Self {
        Self {
            profile,
            tick,
            points: Points::new(tick),
            firsts: Firsts::new(profile),
            follows: Follows::Any,
            state: Box::new(State::new(profile, Carry::start())),
        }
    }

    /// After the last row of `history`, as if nothing but its rows had been pushed: those of the session so far
    /// (profile `session`), or those of the month so far (`rolling`), of which the last 1,800 suffice.
    ///
    /// # Errors
    /// [`Error::Order`] where rows do not follow second by second and the series has no [`crate::Break`].
    ///
    /// ```
    /// use kernels::{Bar, Columns, Profile, Series, Stream, Tick};
    ///
    /// let close: Vec<i32> = (0..600).map(|row| 20_000 + row % 7).collect();
    /// let (volume, second) = (vec![10; 600], (30_600..31_200).collect::<Vec<u32>>());
    /// let (open, high, low) = (&close[..], &close[..], &close[..]);
    /// let history = Series::new(Columns { open, high, low, close: &close, volume: &volume, second: &second })?;
    ///
    /// let mut stream = Stream::new(Profile::Session, Tick::from_nanos(250_000_000)?).open(&history)?;
    /// let bar = Bar { open: 20_001, high: 20_001, low: 20_001, close: 20_001, volume: 3, second: 31_200 };
    /// assert!(!stream.push::<f32>(bar)?.floats[9].is_nan()); // short_range_high, over 300 rows
    /// # Ok::<(), kernels::Error>(())
    /// ```
    pub fn open(mut self, history: &Series<'_>) -> Result<Self, Error> {
        self.follows = Follows::Any;
        let mut breaks = history.breaks().iter().peekable();
        for (row, &second) in history.second().iter().enumerate() {
            if breaks.next_if(|at| at.row == row).is_none() {
                self.follows.admits(second)?;
            }
            self.follows = Follows::Second(second);
        }
        let from = history.len().saturating_sub(LOOK_BACK);
        *self.state = State::new(self.profile, Carry::at(history, from));
        self.take_all((from..history.len()).filter_map(|row| history.bar(row)).map(|bar| Traded::from(&bar)));
        Ok(self)
    }

    /// Takes the bar of the second after the last one and gives its features.
    ///
    /// # Errors
    /// [`Error::Limits`] for a bar that no series may hold, [`Error::Order`] for one that is not of the second after the last,
    /// [`Error::Turnover`] when, in profile `session`, highest price times volume of the session does not fit 63 bits. Then
    /// the stream stays as it was.
    pub fn push<F: Float>(&mut self, bar: Bar) -> Result<Row<F>, Error> {
        let now = self.next_bar(&bar)?;
        let (values, next) = self.state.row(&now, self.points);
        let row = self.row(&bar, &values)?;
        self.state.take(&now, next);
        self.follows = Follows::Second(bar.second);
        Ok(row)
    }

    /// What [`Self::push`] would give for this bar, which may still be forming. Changes nothing.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn peek<F: Float>(&self, bar: Bar) -> Result<Row<F>, Error> {
        let now = self.next_bar(&bar)?;
        let (values, _) = self.state.row(&now, self.points);
        self.row(&bar, &values)
    }

    /// The session is over, and any second may come next. In profile `session` all windows begin anew; in `rolling` they run
    /// on, as the batch's do within a month: with a month begins another stream.
    pub fn next_session(&mut self) {
        self.follows = Follows::Any;
        match self.profile {
            Profile::Session => *self.state = State::new(self.profile, Carry::start()),
            Profile::Rolling => (),
        }
    }

    /// All it knows, to go on later: version, profile, tick, the last rows and a checksum. At most 29 kB.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        bytes::write(self)
    }

    /// A stream that goes on where [`Self::to_bytes`] wrote one.
    ///
    /// # Errors
    /// [`Error::NoState`] for other bytes, [`Error::StateVersion`], [`Error::StateProfile`] and [`Error::StateTick`] for those
    /// of another version, profile or tick, [`Error::StateLength`] when they were cut off or added to, and
    /// [`Error::StateChanged`] when they were changed.
    pub fn from_bytes(profile: Profile, tick: Tick, bytes: &[u8]) -> Result<Self, Error> {
        bytes::read(profile, tick, bytes)
    }

    /// The bar as the windows take it, if it may come next.
    fn next_bar(&self, bar: &Bar) -> Result<Traded, Error> {
        if !bar.is_valid() {
            return Err(Error::Limits { bar: *bar });
        }
        self.follows.admits(bar.second)?;
        if let Some(so_far) = self.state.carry() {
            let volume = so_far.volume.checked_add(i64::from(bar.volume));
            let highest = i64::from(so_far.high.max(bar.high));
            volume.and_then(|volume| volume.checked_mul(highest)).ok_or(Error::Turnover)?;
        }
        Ok(bar.into())
    }

    fn row<F: Float>(&self, bar: &Bar, values: &[f64; FLOATS]) -> Result<Row<F>, Error> {
        let mut row = Row { floats: self.firsts.defined(self.state.past().rows(), values), flags: [0; FLAGS] };
        flags(&[bar.second], row.flags.each_mut().map(std::slice::from_mut))?;
        Ok(row)
    }

    fn take_all(&mut self, rows: impl Iterator<Item = Traded>) {
        for now in rows {
            let (_, next): (_, Next) = self.state.row(&now, self.points);
            self.state.take(&now, next);
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut stream = f.debug_struct("Stream");
        stream.field("profile", &self.profile).field("tick", &self.tick).field("follows", &self.follows);
        stream.field("rows", &self.state.past().rows()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
