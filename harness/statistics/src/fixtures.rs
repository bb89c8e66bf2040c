//! A small month for tests, here and in other crates.

use std::{collections::BTreeMap, sync::Arc};

use data::{
    compute::{self, Computation, SessionColumns},
    contract::{Choice, Fronts},
    grid::Grid,
    input::InputInfo,
    preset::Scale,
    records::Records,
    volumes::Volumes,
};
use jiff::civil::Date;
use kernels::{Profile, Tick, labels::Specification};

use crate::{
    Head, Input, Measurable, Measured, Performance, Stage, Statistics,
    quality::{self, Context},
};

/// A month of two sessions of ten rows, quiet at 1600 points but for one row 5 ticks higher: nothing wins.
pub fn grid() -> Grid {
    let mut grid = Grid::new("2013-10".parse().unwrap());
    for (number, date) in [Date::constant(2013, 10, 7), Date::constant(2013, 10, 8)].into_iter().enumerate() {
        grid.sessions.push(data::grid::Session {
            date,
            contract: "ESZ3".into(),
            first_second: 1_381_149_000 + 86_400 * number as i64,
            rows: 10 * number..10 * number + 10,
            filled_rows: 1 + number,
            early_close: number == 1,
            late_open: false,
            volume: 70,
        });
    }
    grid.close = vec![6400; 20];
    grid.close[15] = 6405;
    (grid.open, grid.high, grid.low) = (grid.close.clone(), grid.close.clone(), grid.close.clone());
    grid.volume = vec![7; 20];
    grid.second = (0..20).map(|row| 27_000 + row % 10).collect();
    grid
}

/// Its columns, session by session.
pub fn columns(grid: &Grid) -> Vec<SessionColumns<f32>> {
    let computation = Computation {
        profile: Profile::Session,
        tick: tick(),
        gap_ticks: 80,
        labels: Arc::default(),
        decay_reference: grid.month,
        chunk_rows: 4,
    };
    (0..grid.sessions.len()).map(|number| compute::session(grid, number, &computation, &|_| ()).unwrap()).collect()
}

/// A measured month without anything wrong but what its few rows imply.
pub fn statistics() -> Statistics {
    of(&columns(&grid()))
}

pub(crate) fn tick() -> Tick {
    Tick::from_nanos(250_000_000).unwrap()
}

pub(crate) fn measured(sessions: &[SessionColumns<f32>]) -> Measured {
    f32::measure(&grid(), sessions, Profile::Session, &Specification::default(), (tick(), Scale::ES), &BTreeMap::new())
}

pub(crate) fn of(sessions: &[SessionColumns<f32>]) -> Statistics {
    let first = "2013-10-07T00:00:00Z".parse().ok();
    let last = "2013-10-08T23:59:59Z".parse().ok();
    let info = InputInfo {
        name: "a.dbn".into(),
        format: "dbn".into(),
        bytes: 9,
        checksum: "00ff".into(),
        records: 20,
        is_trades: false,
        limit: None,
        first,
        last,
    };
    let head = Head {
        month: "2013-10".parse().unwrap(),
        profile: "session".into(),
        settings: serde_json::json!({"contract": "volume"}),
        inputs: vec![Input::new("raw/a.dbn", &info)],
    };
    let records = Records { total: 20, ..Records::default() };
    let stages = vec![Stage::new("decode", 0.5, 20, 9), Stage::new("compute", 0.0, 0, 0)];
    let performance = Performance::new(2.0, 20, stages, Some(1_000_000), 0);
    let context = Context { zone: jiff::tz::TimeZone::UTC, excluded_share: 0.0, least_win_rate: 0.05 };
    let (grid, volumes) = (grid(), Volumes::default());
    let fronts = Fronts::alone(grid.month, &volumes, Choice::Volume);
    let mut statistics = Statistics::new(head, records, (&fronts, &grid, tick()), measured(sessions), performance);
    quality::judge(&mut statistics, &[], &[], &context);
    statistics
}
