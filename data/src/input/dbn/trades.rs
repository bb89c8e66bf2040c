//! Trades to bars of one second, as Databento makes its own: a trade belongs to the second of its `ts_recv`, a bar begins
//! with its second, and a second without a trade has none. Source: databento.com/docs/schemas-and-data-formats/ohlcv.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{super::InputError, word};
use crate::collector::Bar;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;
/// The price where there is none.
const ABSENT: i64 = i64::MAX;

/// A record of `trades`, or what one of `tbbo` begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trade {
    publisher: u16,
    id: u32,
    price: i64,
    size: u32,
    /// When it was received, UTC nanoseconds.
    received: u64,
}

impl Trade {
    /// Whether a record of that layout is a trade; records of other schemas share it.
    pub(super) fn is_one(record: &[u8]) -> bool {
        record[28] == b'T'
    }

    pub(super) fn of(record: &[u8]) -> Self {
        Self {
            publisher: u16::from_le_bytes([record[2], record[3]]),
            id: u32::from_le_bytes([record[4], record[5], record[6], record[7]]),
            price: i64::from_le_bytes(word(record, 16)),
            size: u32::from_le_bytes([record[24], record[25], record[26], record[27]]),
            received: u64::from_le_bytes(word(record, 32)),
        }
    }

    /// The bar of this trade alone.
    fn bar(&self) -> Bar {
        let Self { price, size, received, .. } = *self;
        let (nanos, volume) = (received - received % SECOND, size.into());
        Bar { nanos, open: price, high: price, low: price, close: price, volume }
    }

    /// Without a price or a size it is part of no bar, and left to cleaning to count.
    fn counts(&self) -> bool {
        self.size > 0 && self.price != ABSENT
    }
}

/// The bars of the second that is not over yet, by publisher and id.
#[derive(Default)]
pub(super) struct Second {
    /// Its start, UTC nanoseconds.
    nanos: u64,
    /// In order of their first trades.
    bars: Vec<((u16, u32), Bar)>,
    places: HashMap<(u16, u32), usize>,
    /// Place of the bar of the latest trade.
    latest: usize,
    /// Start of the last second of the file before, until this file's first trade.
    before: Option<u64>,
}

impl Second {
    /// Before the first trade of a file; the file before it ended in the second that begins at `before`.
    pub(super) fn after(before: Option<u64>) -> Self {
        Self { before, ..Self::default() }
    }

    /// Adds a trade, the file's record of this `number`; bars of a second that is over with it go to `done`, publisher and
    /// id first.
    pub(super) fn add(
        &mut self,
        trade: Trade,
        number: u64,
        mut done: impl FnMut(u16, u32, &Bar) -> Result<(), InputError>,
    ) -> Result<(), InputError> {
        // The division is left to the first trade of a second.
        if trade.received.wrapping_sub(self.nanos) >= SECOND {
            if trade.received < self.nanos {
                return Err(InputError::LateTrade { record: number, nanos: trade.received });
            }
            self.finish(&mut done)?;
            self.nanos = trade.received - trade.received % SECOND;
            if self.before.take() == Some(self.nanos) {
                return Err(InputError::SplitSecond {
                    files: ["this file".to_owned(), "the one before".to_owned()],
                    second: Timestamp::from_nanosecond(self.nanos.into()).unwrap_or_default(),
                });
            }
        }
        if !trade.counts() {
            return done(trade.publisher, trade.id, &trade.bar());
        }
        let key = (trade.publisher, trade.id);
        let is_latest = self.bars.get(self.latest).is_some_and(|(latest, _)| *latest == key);
        if !is_latest {
            let next = self.bars.len();
            self.latest = *self.places.entry(key).or_insert(next);
            if self.latest == next {
                self.bars.push((key, trade.bar()));
                return Ok(());
            }
        }
        let (_, bar) = &mut self.bars[self.latest];
        bar.high = bar.high.max(trade.price);
        bar.low = bar.low.min(trade.price);
        bar.close = trade.price;
        bar.volume += u64::from(trade.size);
        Ok(())
    }

    /// Start of the second, UTC nanoseconds; `None` before the first trade.
    pub(super) fn start(&self) -> Option<u64> {
        (self.nanos > 0).then_some(self.nanos)
    }

    /// Hands over the bars of the second.
    pub(super) fn finish(
        &mut self,
        mut done: impl FnMut(u16, u32, &Bar) -> Result<(), InputError>,
    ) -> Result<(), InputError> {
        self.places.clear();
        self.latest = 0;
        self.bars.drain(..).try_for_each(|((publisher, id), bar)| done(publisher, id, &bar))
    }
}
