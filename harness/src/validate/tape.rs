//! The bars of a training file in whole ticks, session after session: what labels and features are computed again from.

use std::ops::Range;

use data::{Month, input::InputError};
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use rayon::prelude::*;

use super::{
    making::Making,
    table::{Bars, Table},
};

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Trading date of its first row.
    pub date: Date,
    /// Its rows.
    pub rows: Range<usize>,
}

/// The bars of all rows; prices off the grid are rounded to it.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// Row groups in order.
    pub sessions: Vec<Session>,
    /// UTC seconds.
    pub time: Vec<i64>,
    /// Open, high, low, close in ticks.
    pub prices: [Vec<i64>; 4],
    /// Contracts traded.
    pub volume: Vec<i64>,
}

impl Tape {
    /// Reads the bars of all row groups.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn read(table: &Table, making: &Making) -> Result<Self, InputError> {
        let parts: Vec<Bars> =
            (0..table.groups()).into_par_iter().map(|group| table.bars(group)).collect::<Result<_, _>>()?;
        let mut tape = Self::default();
        for Bars { time, prices, volume } in parts {
            let first = tape.time.len();
            tape.time.extend(time.iter().map(|nanos| nanos.div_euclid(1_000_000_000)));
            for (column, prices) in tape.prices.iter_mut().zip(&prices) {
                column.extend(prices.iter().map(|price| ticks(*price, making.instrument.tick_nanos)));
            }
            tape.volume.extend(volume.into_iter().map(|volume| volume.clamp(0, u32::MAX.into())));
            let date = making.date(tape.time.get(first).copied().unwrap_or_default());
            tape.sessions.push(Session { date, rows: first..tape.time.len() });
        }
        Ok(tape)
    }

    /// Some rows, as the reference takes them.
    pub fn rows(&self, rows: Range<usize>) -> proptests::Tape {
        let [open, high, low, close] = self.prices.each_ref().map(|prices| prices[rows.clone()].to_vec());
        let (time, volume) = (self.time[rows.clone()].to_vec(), self.volume[rows].to_vec());
        let zone = central();
        let second = time.iter().map(|&second| second_of_day(&zone, second)).collect();
        proptests::Tape { open, high, low, close, volume, second, time }
    }

    /// The rows of the calendar month session `number` lies in.
    pub fn month_of(&self, number: usize) -> Range<usize> {
        let month = |session: &&Session| Month::of(session.date) == Month::of(self.sessions[number].date);
        let mut of_month = self.sessions.iter().filter(month);
        let first = of_month.next().map_or(0, |session| session.rows.start);
        let own = self.sessions[number].rows.end;
        first..of_month.next_back().map_or(own, |session| session.rows.end.max(own))
    }
}

/// A price in whole ticks, the nearest.
pub fn ticks(price: f64, tick_nanos: i64) -> i64 {
    // Nothing beyond is a price; sums over a month of them must fit.
    let most = f64::from(i32::MAX);
    (price * 1e9 / tick_nanos as f64).round().clamp(-most, most) as i64
}

/// The zone of the flags and of the weights' months.
pub fn central() -> TimeZone {
    // The bundled database always knows it.
    TimeZone::get("America/Chicago").unwrap_or(TimeZone::UTC)
}

fn second_of_day(zone: &TimeZone, second: i64) -> u32 {
    let time = zone.to_datetime(Timestamp::from_second(second).unwrap_or_default()).time();
    u32::try_from(time.duration_since(Time::midnight()).as_secs()).unwrap_or_default()
}

/// Date of a UTC second in a zone.
pub fn local_date(second: i64, zone: &TimeZone) -> Date {
    zone.to_datetime(Timestamp::from_second(second).unwrap_or_default()).date()
}
