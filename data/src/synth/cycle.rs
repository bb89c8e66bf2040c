//! What differs from root to root in a month that is made up: prices, how much they move, which delivery months are listed,
//! and when one takes the place of the other.

use jiff::civil::Date;

use crate::{
    Instrument, Month,
    roll_window::Anchor::{self, FirstDay, ThirdFriday},
};

/// The letters of the delivery months, January first.
pub(super) const CODES: [u8; 12] = *b"FGHJKMNQUVXZ";

/// A root's prices and contracts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cycle {
    root: &'static str,
    /// Price in June 2010, points.
    level: f64,
    /// Growth of the price a year, as a logarithm.
    pub growth: f64,
    /// Volatility in ticks relative to that of ES.
    pub volatility: f64,
    /// Letters of the delivery months with much trading.
    months: &'static [u8],
    /// First day on which the next contract has most of the volume, by the delivery month.
    roll: (Anchor, i16),
    /// Last day of trading.
    last: (Anchor, i16),
}

const INDEX: ((Anchor, i16), (Anchor, i16)) = ((ThirdFriday, -8), (ThirdFriday, 0));
const METAL: ((Anchor, i16), (Anchor, i16)) = ((FirstDay, -4), (FirstDay, 26));
const CRUDE: ((Anchor, i16), (Anchor, i16)) = ((FirstDay, -15), (FirstDay, -11));
const GAS: ((Anchor, i16), (Anchor, i16)) = ((FirstDay, -9), (FirstDay, -4));
const NOTE: ((Anchor, i16), (Anchor, i16)) = ((FirstDay, -4), (FirstDay, 19));
const CURRENCY: ((Anchor, i16), (Anchor, i16)) = ((ThirdFriday, -6), (ThirdFriday, -4));

#[rustfmt::skip]
const ALL: [Cycle; 22] = [
    cycle("ES", 1_100.0, 0.119, 1.0, b"HMUZ", INDEX),
    cycle("NQ", 1_850.0, 0.17, 2.5, b"HMUZ", INDEX),
    cycle("RTY", 650.0, 0.085, 1.9, b"HMUZ", INDEX),
    cycle("YM", 10_000.0, 0.095, 2.0, b"HMUZ", INDEX),
    cycle("GC", 1_220.0, 0.06, 1.2, b"GJMQZ", METAL),
    cycle("SI", 18.5, 0.05, 1.1, b"HKNUZ", METAL),
    cycle("HG", 3.0, 0.03, 1.2, b"HKNUZ", METAL),
    cycle("CL", 75.0, 0.0, 2.0, &CODES, CRUDE),
    cycle("NG", 4.7, -0.02, 1.4, &CODES, GAS),
    cycle("RB", 2.1, 0.0, 4.0, &CODES, GAS),
    cycle("HO", 2.1, 0.0, 4.0, &CODES, GAS),
    cycle("ZT", 109.0, 0.0, 0.3, b"HMUZ", NOTE),
    cycle("ZF", 117.0, 0.0, 0.45, b"HMUZ", NOTE),
    cycle("ZN", 119.0, 0.0, 0.4, b"HMUZ", NOTE),
    cycle("TN", 125.0, 0.0, 0.5, b"HMUZ", NOTE),
    cycle("ZB", 125.0, 0.0, 0.4, b"HMUZ", NOTE),
    cycle("UB", 130.0, 0.0, 0.5, b"HMUZ", NOTE),
    cycle("6E", 1.22, 0.0, 1.5, b"HMUZ", CURRENCY),
    cycle("6B", 1.5, 0.0, 1.1, b"HMUZ", CURRENCY),
    cycle("6A", 0.85, 0.0, 1.5, b"HMUZ", CURRENCY),
    cycle("6C", 0.96, 0.0, 1.2, b"HMUZ", CURRENCY),
    cycle("6J", 0.011, 0.0, 1.3, b"HMUZ", CURRENCY),
];

const fn cycle(
    root: &'static str,
    level: f64,
    growth: f64,
    volatility: f64,
    months: &'static [u8],
    (roll, last): ((Anchor, i16), (Anchor, i16)),
) -> Cycle {
    Cycle { root, level, growth, volatility, months, roll, last }
}

impl Cycle {
    /// That of a root; one that is not known, or is a tenth of another contract, moves and rolls as ES does.
    pub fn of(root: &str) -> Self {
        *ALL.iter().find(|cycle| cycle.root == root).unwrap_or(&ALL[0])
    }

    /// Price in June 2010 in ticks of an instrument, of which one that is not known has as many as ES.
    pub fn first_level(&self, instrument: &Instrument) -> f64 {
        let tick = if self.root == instrument.root { instrument.tick_nanos as f64 / 1e9 } else { 0.25 };
        self.level / tick
    }

    /// The letter of a delivery month that is listed.
    pub fn code(&self, month: Month) -> Option<char> {
        let code = *CODES.get(usize::try_from(month.month() - 1).ok()?)?;
        self.months.contains(&code).then(|| char::from(code))
    }

    /// First date on which the contract after the one of a delivery month has most of the volume.
    pub fn roll(&self, delivery: Month) -> Option<Date> {
        self.roll.0.plus(delivery, self.roll.1)
    }

    /// Last day of trading of a delivery month.
    pub fn last(&self, delivery: Month) -> Option<Date> {
        self.last.0.plus(delivery, self.last.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset;

    #[test]
    fn rolls_that_are_made_up_lie_in_the_windows_of_the_presets() {
        for preset in &preset::ALL {
            let (cycle, Some(window)) = (Cycle::of(preset.root), preset.roll_window) else { continue };
            let months = "2010-06..2025-10".parse::<crate::MonthRange>().unwrap();
            for delivery in months.iter().filter(|month| cycle.root == preset.root && cycle.code(*month).is_some()) {
                let (roll, last) = (cycle.roll(delivery).unwrap(), cycle.last(delivery).unwrap());
                assert!(window.contains(roll, delivery) && roll < last, "{} {delivery}: {roll}", preset.root);
            }
        }
    }
}
