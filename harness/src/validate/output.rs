//! What every published value must be (docs/spec.md 5), whatever it was made from.

use jiff::{SignedDuration, Timestamp, civil::Date};
use kernels::{Profile, labels::Output};

use super::{
    finding::{BrokenRows, Check, Findings, RowRule},
    making::Making,
    table::{Bars, Rows, Table},
    tally::Tally,
    tape::{Session, Tape, ticks},
};
use statistics::feature_ranges::{self, Overrides, Ranges};

const OUTPUT: Check = Check::Output;
/// Seconds of a day: no session has more rows.
const DAY: usize = 86_400;

const fn rule(name: &'static str, expected: &'static str) -> RowRule {
    RowRule { check: OUTPUT, name, expected }
}

const STEP: RowRule = rule("time", "each row one whole second after the row before it");
const GRID: RowRule = rule("price", "a whole number of ticks, above 0 unless the instrument has negative prices");
const OHLC: RowRule = rule("ohlc", "low <= open, close <= high");
const FILLED: RowRule = rule("filled", "without volume all four prices are the previous close");
const VOLUME: RowRule = rule("volume", "0 or more contracts");
const LABEL: RowRule = rule("label", "0 or 1");
const LAST_LABEL: RowRule = rule("label", "0 in a session's last row, which has no entry");
const WEIGHT: RowRule = rule("weight", "a finite number above 0");
const UNIQUENESS: RowRule = rule("uniqueness", "a share from 0 to 1");
const NUMBER: RowRule = rule("trade", "an exit from 0 to 4, seconds from -1, worst and best move from 0");
const INFINITE: RowRule = rule("finite", "no infinite value");
const FLAG: RowRule = rule("flags", "exactly one of the seven flags is 1, the others 0");

/// Metadata, columns, types and row groups; whether rows can be read.
pub fn layout(table: &Table, making: &Making, findings: &mut Findings) -> bool {
    if let Some((found, expected)) = table.layout(&making.labels.specification, (making.float64, making.timestamps)) {
        findings.error(OUTPUT, "schema", found, expected);
        return false;
    }
    if let Some(group) = (0..table.groups()).find(|&group| !(1..=DAY).contains(&table.group_rows(group))) {
        let found = format!("row group {group} has {} rows", table.group_rows(group));
        findings.error(OUTPUT, "row_groups", found, "one session a row group: 1 to 86400 rows");
        return false;
    }
    true
}

/// Row groups are sessions: at most one in each window of a date, in order.
pub fn sessions(tape: &Tape, making: &Making, findings: &mut Findings) {
    let mut before: Option<(Date, i64)> = None;
    for Session { date, rows } in &tape.sessions {
        let (first, last) = (tape.time[rows.start], tape.time[rows.end - 1]);
        let found = format!("{} to {}", utc(first), utc(last));
        let Some((start, _)) = window_of(*date, first, making).filter(|(_, end)| last < *end) else {
            let expected = format!("rows of {date} within a window of its session");
            findings.error(OUTPUT, "row_groups", found, expected);
            continue;
        };
        if let Some((date, _)) = before.replace((*date, start)).filter(|before| *before >= (*date, start)) {
            findings.error(OUTPUT, "row_groups", format!("{found} follows {date}"), "one session a window, in order");
        }
    }
}

/// The windows of a date's sessions, first second and the one after the last: from the session's start, which is on the
/// evening before where it is later than the end, to its end, less the breaks the date has. `None` for a date the time
/// zone cannot place.
pub fn windows(date: Date, making: &Making) -> Option<Vec<(i64, i64)>> {
    let instrument = &making.instrument;
    let (start, end) = (instrument.session_start, instrument.session_end);
    let utc = |date: Date, of_day: u32| {
        let local = date.at(0, 0, 0, 0).checked_add(SignedDuration::from_secs(of_day.into())).ok()?;
        Some(local.to_zoned_datetime(making.zone.clone()).ok()?.timestamp().as_second())
    };
    let over_midnight = start > end;
    // A time of day that the evening has is of the date before.
    let second =
        |of_day: u32| utc(if over_midnight && of_day >= start { date.yesterday().ok()? } else { date }, of_day);
    let (mut windows, mut from) = (Vec::new(), second(start)?);
    for pause in instrument.session_breaks.iter().filter(|pause| pause.until.is_none_or(|until| until >= date)) {
        windows.push((from, second(pause.from)?));
        from = second(pause.to)?;
    }
    windows.push((from, utc(date, end)?));
    Some(windows)
}

/// The window of a date that a UTC second lies in.
pub fn window_of(date: Date, second: i64, making: &Making) -> Option<(i64, i64)> {
    windows(date, making)?.into_iter().find(|(start, end)| (*start..*end).contains(&second))
}

/// The rules for each row of one session.
pub fn rows(rows: &Rows, making: &Making) -> BrokenRows {
    let mut broken = BrokenRows::default();
    bars(&rows.bars, making, &mut broken);
    let at = |row: usize| utc(rows.bars.time[row].div_euclid(1_000_000_000));
    let last = rows.bars.time.len() - 1;
    for (mode, found) in making.labels.specification.modes().iter().zip(&rows.modes) {
        let name = &mode.name;
        let (label, weight, share) = (format!("label_{name}"), format!("weight_{name}"), format!("uniqueness_{name}"));
        for (row, &value) in found.label.iter().enumerate() {
            if !matches!(value, 0 | 1) {
                broken.add(&LABEL, &label, || format!("{value} at {}", at(row)));
            } else if value == 1 && row == last && making.profile == Profile::Session {
                broken.add(&LAST_LABEL, &label, || format!("1 at {}", at(row)));
            }
        }
        for (row, &value) in found.weight.iter().enumerate() {
            if !(value > 0.0 && value.is_finite()) {
                broken.add(&WEIGHT, &weight, || format!("{value} at {}", at(row)));
            }
        }
        for (row, &value) in found.uniqueness.iter().enumerate() {
            if !(0.0..=1.0).contains(&value) {
                broken.add(&UNIQUENESS, &share, || format!("{value} at {}", at(row)));
            }
        }
        for (output, values) in &found.numbers {
            let (least, most) = match output {
                Output::Exit => (0, 4),
                Output::Seconds => (-1, i16::MAX),
                Output::Mae | Output::Mfe => (0, i16::MAX),
                _ => (i16::MIN, i16::MAX),
            };
            for (row, value) in values.iter().enumerate().filter(|(_, value)| !(least..=most).contains(*value)) {
                broken.add(&NUMBER, &format!("{}_{name}", output.name()), || format!("{value} at {}", at(row)));
            }
        }
    }
    for (values, name) in rows.values.iter().zip(feature_ranges::names()) {
        for (row, &value) in values.iter().enumerate() {
            if value.is_infinite() {
                broken.add(&INFINITE, name, || format!("{value} at {}", at(row)));
            }
        }
    }
    for row in 0..=last {
        let flags: Vec<i8> = rows.flags.iter().map(|flag| flag[row]).collect();
        if flags.iter().filter(|&&flag| flag == 1).count() != 1 || flags.iter().any(|flag| !matches!(flag, 0 | 1)) {
            broken.add(&FLAG, "", || format!("{flags:?} at {}", at(row)));
        }
    }
    broken
}

fn bars(bars: &Bars, making: &Making, broken: &mut BrokenRows) {
    let at = |row: usize| utc(bars.time[row].div_euclid(1_000_000_000));
    let tick = making.instrument.tick_nanos;
    // Whole nanoseconds below 2^53 divided once: the number a price of whole ticks has to be.
    let allowed = |price: f64| price > 0.0 || making.instrument.negative_prices;
    let on_grid =
        |price: f64| allowed(price) && (i128::from(ticks(price, tick)) * i128::from(tick)) as f64 / 1e9 == price;
    for row in 0..bars.time.len() {
        let whole = bars.time[row].rem_euclid(1_000_000_000) == 0;
        if !whole || row > 0 && bars.time[row] != bars.time[row - 1] + 1_000_000_000 {
            broken.add(&STEP, "timestamp", || format!("{} ns in row {row} of {}", bars.time[row], at(0)));
        }
        let [open, high, low, close] = [0, 1, 2, 3].map(|column| bars.prices[column][row]);
        for (name, price) in [("open", open), ("high", high), ("low", low), ("close", close)] {
            if !on_grid(price) {
                broken.add(&GRID, name, || format!("{price} at {}", at(row)));
            }
        }
        let found = || format!("{open} {high} {low} {close} at {}", at(row));
        if !(low <= open && open <= high && low <= close && close <= high) {
            broken.add(&OHLC, "", found);
        }
        let volume = bars.volume[row];
        if volume < 0 {
            broken.add(&VOLUME, "volume", || format!("{volume} at {}", at(row)));
        }
        let before = if row > 0 { bars.prices[3][row - 1] } else { open };
        if volume == 0 && [open, high, low, close] != [before; 4] {
            broken.add(&FILLED, "", found);
        }
    }
}

/// The rules for whole columns: win rates, NaN ceilings, ranges. Each column counts over all sessions.
pub fn columns(tally: &Tally, making: &Making, overrides: &Overrides, findings: &mut Findings) {
    for (kind, mode) in making.labels.specification.modes().iter().zip(&tally.modes) {
        let name = &kind.name;
        let rate = mode.wins as f64 / tally.rows.max(1) as f64;
        let (least, most) = making.labels.win_rate(name, making.instrument.least_win_rate());
        if !(least..=most).contains(&rate) {
            let (found, expected) = (format!("label_{name}: {rate:.4}"), format!("{least:.2} to {most:.2}"));
            findings.warning(OUTPUT, "win_rate", found, expected);
        }
    }
    let ranges = Ranges::new(making.profile, making.instrument.scale(), tally.prices(), overrides);
    for (name, feature) in feature_ranges::names().zip(&tally.features) {
        let ceiling = feature_ranges::nan_ceiling(name).unwrap_or(1.0);
        let share = feature.nans as f64 / tally.rows.max(1) as f64;
        if share > ceiling {
            findings.warning(OUTPUT, "nan_share", format!("{name}: {share:.4}"), format!("at most {ceiling}"));
        }
        let values = &feature.values;
        let Some((low, high)) = ranges.of(name).filter(|_| values.count > 0) else { continue };
        if !ranges.contain(name, values.min, values.max) {
            let (found, expected) = (format!("{name}: {} to {}", values.min, values.max), format!("{low} to {high}"));
            // What is usual is not a law of markets: the score counts it. What is far beyond should be looked at.
            let width = high - low;
            if values.min < low - width || values.max > high + width {
                findings.warning(OUTPUT, "range", found, expected);
            } else {
                findings.note(OUTPUT, "range", found, expected);
            }
        }
    }
}

/// The months of the file are those its name or its place says.
pub fn months(tape: &Tape, expected: data::Month, making: &Making, findings: &mut Findings) {
    let of = |second: i64| data::Month::of(making.date(second));
    let ends = [tape.time.first(), tape.time.last()].map(|time| time.copied().and_then(of));
    if ends != [Some(expected); 2] {
        let text = |month: Option<data::Month>| month.map_or("no row".to_owned(), |month| month.to_string());
        let found = format!("rows of {} to {}", text(ends[0]), text(ends[1]));
        findings.error(OUTPUT, "month", found, format!("rows of {expected}"));
    }
}

/// A UTC second as people read it.
pub fn utc(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or_default().to_string()
}
