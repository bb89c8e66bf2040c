//! What makes a month wrong: the gate's own list, found once more from the published rows and the raw records, and among
//! the months that are published now.

use data::{
    fault::FaultKind,
    grid::{Grid, Session},
    plausible,
};

use super::{
    finding::{Check, Findings},
    making::Making,
    raw::Raw,
    statistics,
    tape::Tape,
};
use ::statistics::{
    Level, Statistics, Wrong,
    quality::{levels::around, wrong},
};

/// Whatever the statistics say makes the month wrong is an error, and so is what they do not say.
pub fn check(
    statistics: &Statistics,
    tape: &Tape,
    raw: Option<&Raw>,
    levels: &[Level],
    making: &Making,
    findings: &mut Findings,
) {
    let grid = grid(statistics, tape, making);
    let Ok(tick) = making.instrument.tick() else { return };
    let faults = plausible::faults(&grid, raw.map(Raw::view).as_ref(), tick);
    let closes: Vec<f64> =
        grid.sessions.iter().filter_map(|session| Some(tick.points(*grid.close.get(session.rows.end - 1)?))).collect();
    let level = Level::of(statistics.month, &closes);
    let records = raw.map_or(&statistics.records, Raw::records);
    let mut all = statistics.errors.clone();
    for found in wrong::list(&faults, records, level.as_ref(), &around(statistics.month, levels)) {
        // Other neighbours are published by now: the same fault in other words.
        let same = |known: &Wrong| known.kind == found.kind && (found.kind == FaultKind::MonthLevel || *known == found);
        if !all.iter().any(same) {
            all.push(found);
        }
    }
    for Wrong { kind, found, advice } in all {
        findings.error(Check::Data, kind.name(), found, format!("nothing that makes a month wrong: {advice}"));
    }
}

/// The published rows as a grid.
fn grid(statistics: &Statistics, tape: &Tape, making: &Making) -> Grid {
    let ticks = |values: &[i64]| values.iter().map(|&value| i32::try_from(value).unwrap_or(i32::MAX)).collect();
    let [open, high, low, close] = &tape.prices;
    let session = |session: &super::tape::Session| {
        let of = statistics::session(tape, session, making);
        Session {
            date: of.date,
            contract: String::new(),
            first_second: of.open.as_second(),
            rows: session.rows.clone(),
            filled_rows: of.filled_rows as usize,
            early_close: of.early_close,
            late_open: of.late_open,
            volume: of.volume,
        }
    };
    Grid {
        sessions: tape.sessions.iter().map(session).collect(),
        open: ticks(open),
        high: ticks(high),
        low: ticks(low),
        close: ticks(close),
        volume: tape.volume.iter().map(|&volume| u32::try_from(volume).unwrap_or_default()).collect(),
        ..Grid::new(statistics.month)
    }
}
