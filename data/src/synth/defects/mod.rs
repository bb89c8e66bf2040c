//! What can be wrong with a month, on request: single records, stretches of time, and the file itself.

mod files;
mod records;
mod spans;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub(super) use self::{
    files::damage,
    records::{Window, spoil},
    spans::{Spans, renamed},
};

/// Something that is wrong with a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// A price that is absent (`i64::MAX`).
    AbsentPrice,
    /// A price of zero or below.
    NonPositivePrice,
    /// A price between two ticks.
    OffTick,
    /// A low above the high.
    HighBelowLow,
    /// An open or a close outside of low and high.
    CloseOutside,
    /// The same record twice.
    DuplicateEqual,
    /// Two different records of the same instrument and second: the month cannot be processed.
    DuplicateDifferent,
    /// Two records in the wrong order.
    TimeBackwards,
    /// A timestamp that is not on a whole second.
    SubSecond,
    /// A weekday without a record of any contract.
    MissingDay,
    /// A volume of zero.
    ZeroVolume,
    /// A negative volume read as an unsigned number.
    VolumeOverflow,
    /// A price a tenth away from those around it.
    PriceSpike,
    /// The price of a calendar spread in a record of an outright.
    SpreadLeakage,
    /// A day that ends in the middle of its session.
    HalfDay,
    /// Two hours of a session without a record.
    MissingHours,
    /// An hour of trades at one and the same price.
    StuckPrice,
    /// A day on which every volume is doubled.
    DoubledVolume,
    /// Three days stamped an hour late.
    WrongDst,
    /// A day of prices ten times too large.
    DayTimesTen,
    /// A day of prices ten times too small.
    DayTenth,
    /// A day stamped half a second late.
    ShiftedDay,
    /// A day on which the front contract and the next one have each other's ids.
    ContractMix,
    /// A file of prices ten times too large.
    FileTimesTen,
    /// A file of prices a hundred times too small.
    FileHundredth,
    /// A file whose prices are of another tick.
    WrongTick,
    /// A file with the records of a later month.
    OtherMonth,
    /// A file of another root.
    WrongRoot,
    /// A file without a byte.
    EmptyFile,
    /// A file with a header and no record.
    NoRecords,
    /// A file of one-minute bars by its header.
    WrongSchema,
    /// A file that ends too early.
    Truncated,
    /// A file of several compressed frames, one of them damaged.
    DamagedFrame,
    /// A byte changed in a compressed frame without a checksum, which decodes nevertheless.
    FlippedByte,
    /// A session without a record of the front contract, of which the others have some.
    FrontOutage,
}

/// How much of a month a defect touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::synth) enum Scope {
    /// Single records of the front contract.
    Record,
    /// A stretch of time, or all of it.
    Span,
    /// The bytes of the file.
    File,
}

/// One line of the table: the defect, its name, how much it touches, the cleaning rule that counts it, what it is.
type Line = (Defect, &'static str, Scope, Option<&'static str>, &'static str);

use self::{
    Defect::*,
    Scope::{File, Record, Span},
};

/// Every defect, in order.
const TABLE: [Line; 35] = [
    (AbsentPrice, "absent-price", Record, Some("price_absent"), "a price that is absent"),
    (NonPositivePrice, "non-positive-price", Record, Some("price_not_positive"), "a price of zero or below"),
    (OffTick, "off-tick", Record, Some("price_off_tick"), "a price between two ticks"),
    (HighBelowLow, "high-below-low", Record, Some("high_below_low"), "a low above the high"),
    (CloseOutside, "close-outside", Record, Some("open_close_outside"), "an open or a close outside of low and high"),
    (DuplicateEqual, "duplicate-equal", Record, Some("duplicate_equal"), "the same record twice"),
    (
        DuplicateDifferent,
        "duplicate-different",
        Record,
        None,
        "two records of one second that differ: the month cannot be processed",
    ),
    (TimeBackwards, "time-backwards", Record, Some("time_backwards"), "two records in the wrong order"),
    (SubSecond, "sub-second", Record, Some("sub_second"), "a timestamp that is not on a whole second"),
    (MissingDay, "missing-day", Span, None, "a weekday without a record"),
    (ZeroVolume, "zero-volume", Record, Some("no_trade"), "a record with a volume of zero"),
    (VolumeOverflow, "volume-overflow", Record, Some("out_of_range"), "a negative volume read as unsigned"),
    (PriceSpike, "price-spike", Record, None, "a price a tenth away from its neighbours"),
    (SpreadLeakage, "spread-leakage", Record, None, "a price of a spread under an outright's id"),
    (HalfDay, "half-day", Span, None, "a day that ends in the middle of its session"),
    (MissingHours, "missing-hours", Span, None, "two hours of a session without a record"),
    (StuckPrice, "stuck-price", Span, None, "an hour of trades at one price"),
    (DoubledVolume, "doubled-volume", Span, None, "a day on which every volume is doubled"),
    (WrongDst, "wrong-dst", Span, None, "three days stamped an hour late"),
    (DayTimesTen, "day-times-ten", Span, None, "a day of prices ten times too large"),
    (DayTenth, "day-tenth", Span, None, "a day of prices ten times too small"),
    (ShiftedDay, "shifted-day", Span, None, "a day stamped half a second late"),
    (ContractMix, "contract-mix", Span, None, "a day on which two contracts have each other's ids"),
    (FileTimesTen, "file-times-ten", Span, None, "a file of prices ten times too large"),
    (FileHundredth, "file-hundredth", Span, None, "a file of prices a hundred times too small"),
    (WrongTick, "wrong-tick", Span, None, "a file whose prices are of another tick"),
    (OtherMonth, "other-month", Span, None, "a file with the records of a later month"),
    (WrongRoot, "wrong-root", Span, None, "a file of another root: no session"),
    (EmptyFile, "empty-file", File, None, "a file without a byte, refused"),
    (NoRecords, "no-records", File, None, "a header and no record, refused"),
    (WrongSchema, "wrong-schema", File, None, "one-minute bars by its header, refused"),
    (Truncated, "truncated", File, None, "a file that ends too early, refused"),
    (DamagedFrame, "damaged-frame", File, None, "several compressed frames, one damaged, refused"),
    (FlippedByte, "flipped-byte", File, None, "a byte changed in a frame without a checksum"),
    (FrontOutage, "front-outage", Span, None, "a session without a record of the front contract"),
];

/// Text that names no defect.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("'{0}' is not a defect: expected one of {names}", names = Defect::ALL.map(Defect::name).join(", "))]
pub struct DefectError(String);

impl Defect {
    /// Every kind.
    pub const ALL: [Self; TABLE.len()] = {
        let mut all = [AbsentPrice; TABLE.len()];
        let mut line = 0;
        while line < TABLE.len() {
            all[line] = TABLE[line].0;
            line += 1;
        }
        all
    };

    fn line(self) -> &'static Line {
        &TABLE[self as usize]
    }

    /// Name on the command line and in `truth.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.line().1
    }

    /// The cleaning rule that counts it; none for what no rule can see or what fails the month.
    #[must_use]
    pub fn rule(self) -> Option<&'static str> {
        self.line().3
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.line().4
    }

    /// Whether single records of the front contract are bad, not a stretch of time or the file.
    #[must_use]
    pub fn is_of_records(self) -> bool {
        self.scope() == Record
    }

    pub(super) fn scope(self) -> Scope {
        self.line().2
    }

    /// Whether the record does not survive cleaning.
    pub(super) fn is_dropped(self) -> bool {
        self.scope() == Record && !matches!(self, TimeBackwards | PriceSpike | SpreadLeakage)
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Defect {
    type Err = DefectError;

    fn from_str(text: &str) -> Result<Self, DefectError> {
        Self::ALL.into_iter().find(|defect| defect.name() == text).ok_or_else(|| DefectError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_defect_has_its_line_of_the_table() {
        for (number, defect) in Defect::ALL.into_iter().enumerate() {
            assert_eq!((defect as usize, defect.line().0), (number, defect));
        }
    }
}
