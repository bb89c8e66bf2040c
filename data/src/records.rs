//! What was read, and what cleaning dropped, by name.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts of one month's records. Every record of the input is counted once: kept, or under the first rule that hit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Records {
    /// Records read.
    pub total: u64,
    /// Records read, by symbol (by instrument id where there is no symbol).
    pub by_instrument: BTreeMap<String, u64>,
    /// Calendar spreads and other combinations of the root.
    pub spreads_dropped: u64,
    /// Symbols of other roots.
    pub other_roots_dropped: u64,
    /// Ids that have no symbol on their date, in an input with symbols. Not cleaning.
    #[serde(default)]
    pub unmapped: u64,
    /// Contracts traded in those records.
    #[serde(default)]
    pub unmapped_volume: u64,
    /// A price is absent (`i64::MAX`).
    pub price_absent: u64,
    /// A price is zero or negative.
    pub price_not_positive: u64,
    /// A price is not a whole number of ticks.
    pub price_off_tick: u64,
    /// A price beyond [`kernels::series::MAX_TICKS`], or a volume beyond 32 bits.
    pub out_of_range: u64,
    /// High below low.
    pub high_below_low: u64,
    /// Open or close outside low..high.
    pub open_close_outside: u64,
    /// Volume 0: not a trade.
    pub no_trade: u64,
    /// A timestamp that is not on a whole second.
    pub sub_second: u64,
    /// A second record, equal to the first, for the same instrument and second.
    pub duplicate_equal: u64,
    /// Records of one file of the month that another has as well: kept once. Not cleaning.
    #[serde(default)]
    pub in_several_files: u64,
    /// Rows of a Parquet or Arrow file that repeat the close before with volume 0: seconds that were filled by who made it.
    /// Not cleaning.
    #[serde(default)]
    pub filled_before: u64,
    /// Records earlier than the one before them: sorted, not dropped.
    pub time_backwards: u64,
    /// Records of a DBN input by publisher id; empty for other inputs, which have none.
    #[serde(default)]
    pub by_publisher: BTreeMap<u16, u64>,
}

impl Records {
    /// Adds the counts of another file of the month.
    pub fn add(&mut self, other: &Self) {
        self.total += other.total;
        for (symbol, count) in &other.by_instrument {
            *self.by_instrument.entry(symbol.clone()).or_default() += count;
        }
        for (publisher, count) in &other.by_publisher {
            *self.by_publisher.entry(*publisher).or_default() += count;
        }
        self.spreads_dropped += other.spreads_dropped;
        self.other_roots_dropped += other.other_roots_dropped;
        self.unmapped += other.unmapped;
        self.unmapped_volume = self.unmapped_volume.saturating_add(other.unmapped_volume);
        self.price_absent += other.price_absent;
        self.price_not_positive += other.price_not_positive;
        self.price_off_tick += other.price_off_tick;
        self.out_of_range += other.out_of_range;
        self.high_below_low += other.high_below_low;
        self.open_close_outside += other.open_close_outside;
        self.no_trade += other.no_trade;
        self.sub_second += other.sub_second;
        self.duplicate_equal += other.duplicate_equal;
        self.in_several_files += other.in_several_files;
        self.filled_before += other.filled_before;
        self.time_backwards += other.time_backwards;
    }

    /// Records dropped by cleaning; spreads, other roots and what has no symbol are selection, not cleaning.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.rules().iter().map(|(_, count)| count).sum()
    }

    /// Records of the symbols and prices asked for: neither dropped nor counted twice.
    #[must_use]
    pub fn kept(&self) -> u64 {
        let not_selected = self.spreads_dropped + self.other_roots_dropped + self.unmapped;
        self.total.saturating_sub(not_selected + self.dropped() + self.in_several_files + self.filled_before)
    }

    /// Every rule that drops a record, with its count.
    #[must_use]
    pub fn rules(&self) -> [(&'static str, u64); 9] {
        [
            ("price_absent", self.price_absent),
            ("price_not_positive", self.price_not_positive),
            ("price_off_tick", self.price_off_tick),
            ("out_of_range", self.out_of_range),
            ("high_below_low", self.high_below_low),
            ("open_close_outside", self.open_close_outside),
            ("no_trade", self.no_trade),
            ("sub_second", self.sub_second),
            ("duplicate_equal", self.duplicate_equal),
        ]
    }
}
