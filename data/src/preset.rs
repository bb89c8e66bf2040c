//! What is built in for the main futures of CME, CBOT, COMEX and NYMEX. A setting that is given overrides it; docs/presets.md
//! is this table with its sources.
//!
//! Tick sizes are the finest that a root has had since 2010, so that every price since then is on the grid.

use jiff::civil::Date;

use crate::{
    breaks::{Breaks, DailyBreak},
    roll_window::RollWindow,
};

/// The least share of wins of a mode that is usual, where labels are decided within their 15 minutes.
pub const LEAST_WIN_RATE: f64 = 0.05;

/// The Globex day: from 17:00 on the evening before to 16:00 Central.
pub const GLOBEX: (u32, u32) = (17 * 3600, 16 * 3600);

/// How far an instrument moves beside ES.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Points that do what one does in ES.
    pub points: f64,
    /// Percent that do what one does in ES.
    pub percent: f64,
}

impl Scale {
    /// ES itself.
    pub const ES: Self = Self { points: 1.0, percent: 1.0 };
}

/// A root and what is usual for it. Times are Central.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preset {
    /// Root symbol.
    pub root: &'static str,
    /// What it is.
    pub name: &'static str,
    /// Where it is listed.
    pub exchange: &'static str,
    /// Minimum price increment in units of 1e-9 points.
    pub tick_nanos: i64,
    /// The hours of most trading: first second and the one after the last, seconds of the day.
    pub session: (u32, u32),
    /// A break in the Globex day besides the hour before it.
    globex_break: Option<DailyBreak>,
    /// When rolls are expected; `None` where the volumes alone decide.
    pub roll_window: Option<RollWindow>,
    /// What does what a point does in ES, in units of 1e-9 points: ranges in points are as many times those of ES.
    pub es_point_nanos: i64,
    /// How many percent do what one does in ES: ranges in percent of a price are as many times those of ES.
    pub es_percent: f64,
    /// Whether prices of 0 and below are prices.
    pub negative_prices: bool,
    /// The least share of wins of a mode that is usual: few ticks a quarter of an hour are few wins.
    pub least_win_rate: f64,
}

impl Preset {
    /// How far the root moves beside ES.
    #[must_use]
    pub fn scale(&self) -> Scale {
        Scale { points: self.es_point_nanos as f64 / 1e9, percent: self.es_percent }
    }

    /// The breaks of the Globex day.
    #[must_use]
    pub fn globex_breaks(&self) -> Breaks {
        Breaks::new(self.globex_break.as_slice())
    }
}

/// The preset of a root.
#[must_use]
pub fn of(root: &str) -> Option<&'static Preset> {
    ALL.iter().find(|preset| preset.root == root)
}

/// Index futures paused while the day was settled, for the last time on Friday, 2021-06-25.
const SETTLEMENT: DailyBreak =
    DailyBreak { from: 15 * 3600 + 15 * 60, to: 15 * 3600 + 30 * 60, until: Some(Date::constant(2021, 6, 25)) };

/// Index futures: cash trading in New York and the hour before it.
const INDEX: Preset = Preset {
    root: "",
    name: "",
    exchange: "CME",
    tick_nanos: 250_000_000,
    session: (time(7, 30), time(15, 0)),
    globex_break: Some(SETTLEMENT),
    roll_window: Some(RollWindow::third_friday(-10, 0)),
    es_point_nanos: 1_000_000_000,
    es_percent: 1.0,
    negative_prices: false,
    least_win_rate: LEAST_WIN_RATE,
};

/// Metals: from the opening of the former floor to the settlement.
const METAL: Preset = Preset {
    exchange: "COMEX",
    session: (time(7, 20), time(12, 30)),
    globex_break: None,
    roll_window: Some(RollWindow::first_day(-8, -1)),
    ..INDEX
};

/// Energy: likewise.
const ENERGY: Preset = Preset {
    exchange: "NYMEX",
    session: (time(8, 0), time(13, 30)),
    globex_break: None,
    roll_window: Some(RollWindow::first_day(-20, -10)),
    es_percent: 2.0,
    ..INDEX
};

/// Treasuries, which move few ticks in a quarter of an hour.
const TREASURY: Preset = Preset {
    exchange: "CBOT",
    session: (time(7, 20), time(14, 0)),
    globex_break: None,
    roll_window: Some(RollWindow::first_day(-9, 0)),
    least_win_rate: 0.0,
    ..INDEX
};

/// Currencies.
const CURRENCY: Preset = Preset {
    exchange: "CME",
    session: (time(7, 20), time(14, 0)),
    globex_break: None,
    roll_window: Some(RollWindow::third_friday(-10, 3)),
    least_win_rate: 0.0,
    ..INDEX
};

/// Every root that is built in.
#[rustfmt::skip]
pub const ALL: [Preset; 29] = [
    Preset { root: "ES", name: "E-mini S&P 500", ..INDEX },
    Preset { root: "MES", name: "Micro E-mini S&P 500", ..INDEX },
    Preset { root: "NQ", name: "E-mini Nasdaq-100", es_point_nanos: 4_000_000_000, es_percent: 1.5, ..INDEX },
    Preset { root: "MNQ", name: "Micro E-mini Nasdaq-100", es_point_nanos: 4_000_000_000, es_percent: 1.5, ..INDEX },
    Preset { root: "RTY", name: "E-mini Russell 2000", tick_nanos: 100_000_000, es_point_nanos: 500_000_000, es_percent: 1.5, ..INDEX },
    Preset { root: "M2K", name: "Micro E-mini Russell 2000", tick_nanos: 100_000_000, es_point_nanos: 500_000_000, es_percent: 1.5, ..INDEX },
    Preset { root: "YM", name: "E-mini Dow", exchange: "CBOT", tick_nanos: 1_000_000_000, es_point_nanos: 8_000_000_000, ..INDEX },
    Preset { root: "MYM", name: "Micro E-mini Dow", exchange: "CBOT", tick_nanos: 1_000_000_000, es_point_nanos: 8_000_000_000, ..INDEX },
    Preset { root: "GC", name: "Gold", tick_nanos: 100_000_000, es_point_nanos: 500_000_000, ..METAL },
    Preset { root: "MGC", name: "Micro Gold", tick_nanos: 100_000_000, es_point_nanos: 500_000_000, ..METAL },
    Preset { root: "SI", name: "Silver", tick_nanos: 5_000_000, session: (time(7, 25), time(12, 25)), es_point_nanos: 10_000_000, es_percent: 2.0, ..METAL },
    Preset { root: "HG", name: "Copper", tick_nanos: 500_000, session: (time(7, 10), time(12, 0)), es_point_nanos: 1_000_000, es_percent: 1.5, ..METAL },
    Preset { root: "CL", name: "WTI Crude Oil", tick_nanos: 10_000_000, es_point_nanos: 50_000_000, negative_prices: true, ..ENERGY },
    Preset { root: "MCL", name: "Micro WTI Crude Oil", tick_nanos: 10_000_000, es_point_nanos: 50_000_000, negative_prices: true, ..ENERGY },
    Preset { root: "NG", name: "Henry Hub Natural Gas", tick_nanos: 1_000_000, es_point_nanos: 5_000_000, es_percent: 2.5, roll_window: Some(RollWindow::first_day(-14, -4)), ..ENERGY },
    Preset { root: "RB", name: "RBOB Gasoline", tick_nanos: 100_000, es_point_nanos: 2_000_000, roll_window: Some(RollWindow::first_day(-16, -3)), ..ENERGY },
    Preset { root: "HO", name: "NY Harbor ULSD", tick_nanos: 100_000, es_point_nanos: 2_000_000, roll_window: Some(RollWindow::first_day(-16, -3)), ..ENERGY },
    Preset { root: "ZT", name: "2-Year T-Note", tick_nanos: 3_906_250, es_point_nanos: 10_000_000, ..TREASURY },
    Preset { root: "ZF", name: "5-Year T-Note", tick_nanos: 7_812_500, es_point_nanos: 20_000_000, ..TREASURY },
    Preset { root: "ZN", name: "10-Year T-Note", tick_nanos: 15_625_000, es_point_nanos: 30_000_000, ..TREASURY },
    Preset { root: "TN", name: "Ultra 10-Year T-Note", tick_nanos: 15_625_000, es_point_nanos: 30_000_000, ..TREASURY },
    Preset { root: "ZB", name: "U.S. Treasury Bond", tick_nanos: 31_250_000, es_point_nanos: 50_000_000, ..TREASURY },
    Preset { root: "UB", name: "Ultra U.S. Treasury Bond", tick_nanos: 31_250_000, es_point_nanos: 50_000_000, ..TREASURY },
    Preset { root: "6E", name: "Euro FX", tick_nanos: 50_000, es_point_nanos: 500_000, ..CURRENCY },
    Preset { root: "6B", name: "British Pound", tick_nanos: 100_000, es_point_nanos: 500_000, ..CURRENCY },
    Preset { root: "6A", name: "Australian Dollar", tick_nanos: 50_000, es_point_nanos: 500_000, ..CURRENCY },
    Preset { root: "6C", name: "Canadian Dollar", tick_nanos: 50_000, es_point_nanos: 500_000, ..CURRENCY },
    Preset { root: "6J", name: "Japanese Yen", tick_nanos: 500, es_point_nanos: 5_000, ..CURRENCY },
    Preset { root: "SR3", name: "Three-Month SOFR", exchange: "CME", tick_nanos: 2_500_000, es_point_nanos: 10_000_000, roll_window: None, ..TREASURY },
];

/// A time of day in seconds.
const fn time(hour: u32, minute: u32) -> u32 {
    hour * 3600 + minute * 60
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instrument;

    #[test]
    fn es_is_the_default() {
        let (es, default) = (of("ES").unwrap(), Instrument::default());
        assert_eq!(es.tick_nanos, default.tick_nanos);
        assert_eq!(es.session, (default.session_start, default.session_end));
        assert_eq!(
            (es.negative_prices, es.globex_breaks().to_string().as_str()),
            (false, "15:15-15:30 until 2021-06-25")
        );
        assert_eq!((default.scale(), default.least_win_rate()), (Scale::ES, 0.05));
    }

    #[test]
    fn every_preset_can_be_used() {
        for preset in &ALL {
            assert_eq!(of(preset.root), Some(preset), "{} is there twice", preset.root);
            for (session, session_breaks) in [(preset.session, Breaks::default()), (GLOBEX, preset.globex_breaks())] {
                let instrument = Instrument {
                    root: preset.root.into(),
                    tick_nanos: preset.tick_nanos,
                    session_start: session.0,
                    session_end: session.1,
                    session_breaks,
                    ..Instrument::default()
                };
                assert!(instrument.check().is_ok(), "{}", preset.root);
            }
        }
    }

    #[test]
    fn a_root_that_is_not_built_in_goes_by_its_tick() {
        let other = Instrument { root: "XX".into(), tick_nanos: 5_000_000, ..Instrument::default() };
        let scale = Scale { points: 0.02, percent: 1.0 };
        assert_eq!((other.scale(), other.least_win_rate(), other.roll_window()), (scale, 0.05, None));
    }
}
