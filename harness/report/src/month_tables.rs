//! The tables of one month.

use data::grid::Rollover;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    charts::{
        modes as charts,
        sessions::{contracts, filled_share, short_day},
    },
    table::{Cell, Header, Table, table},
    text::{self, NOTHING},
};
use statistics::{Statistics, WinStatistics, feature_ranges};

const TEXT: bool = false;
const NUMBER: bool = true;

/// Rules that drop a record, in words.
const RULES: [(&str, &str); 9] = [
    ("price_absent", "a price is absent"),
    ("price_not_positive", "a price is zero or negative"),
    ("price_off_tick", "a price is not a whole number of ticks"),
    ("out_of_range", "a price or volume is implausibly large"),
    ("high_below_low", "high below low"),
    ("open_close_outside", "open or close outside low to high"),
    ("no_trade", "volume 0"),
    ("sub_second", "timestamp not on a whole second"),
    ("duplicate_equal", "same instrument and second as an equal record"),
];

/// Trading dates.
pub fn sessions(statistics: &Statistics) -> Table {
    let headers = vec![
        ("Date", TEXT),
        ("Contract", TEXT),
        ("First row (UTC)", TEXT),
        ("Last row (UTC)", TEXT),
        ("Rows", NUMBER),
        ("Filled rows", NUMBER),
        ("Filled", NUMBER),
        ("Volume", NUMBER),
        ("Short day", TEXT),
    ];
    let rows = statistics.sessions.iter().map(|session| {
        vec![
            Cell::text(session.date.to_string()),
            Cell::text(named(&session.contract)),
            Cell::text(clock(session.open)),
            Cell::text(clock(session.close)),
            Cell::count(session.rows),
            Cell::count(session.filled_rows),
            Cell::percent(Some(filled_share(session)), 1),
            Cell::count(session.volume),
            Cell::text(short_day(session).map_or("", |(name, _)| name)),
        ]
    });
    table(headers, rows, "No session.")
}

/// Changes of the front contract.
pub fn rollovers(statistics: &Statistics) -> Table {
    let signed = |gap: f64| format!("{}{}", if gap > 0.0 { "+" } else { "" }, text::significant(gap));
    rolls(&statistics.rollovers, |gap| Cell::number(gap, signed))
}

/// Changes of the front contract, of one month or many, with the price gap as `gap` shows it.
pub fn rolls<'a>(rolls: impl IntoIterator<Item = &'a Rollover>, gap: impl Fn(Option<f64>) -> Cell) -> Table {
    let headers = [
        ("Date", TEXT),
        ("Contracts", TEXT),
        ("Price gap, points", NUMBER),
        ("Volume of the old", NUMBER),
        ("Volume of the new", NUMBER),
        ("In the expected window", TEXT),
    ];
    let rows = rolls.into_iter().map(|roll| {
        vec![
            Cell::text(roll.date.to_string()),
            Cell::text(contracts(&roll.from, &roll.to)),
            gap(roll.price_gap),
            Cell::count(roll.volume_from),
            Cell::count(roll.volume_to),
            roll.expected.map_or_else(|| Cell::text(NOTHING), Cell::must),
        ]
    });
    table(headers, rows, "The front contract did not change.")
}

/// Labels and weights.
pub fn modes(statistics: &Statistics) -> Table {
    const PERCENTILES: [Header; 5] =
        [("p25", NUMBER), ("p50", NUMBER), ("p75", NUMBER), ("p90", NUMBER), ("p95", NUMBER)];
    let mut headers = vec![("Mode", TEXT), ("Rows", NUMBER), ("Wins", NUMBER), ("Win rate", NUMBER)];
    headers
        .extend([("Min", NUMBER), ("Mean", NUMBER), ("Std", NUMBER), ("Max", NUMBER)].into_iter().chain(PERCENTILES));
    for _ in ["mae", "seconds"] {
        headers.extend([("Mean", NUMBER)].into_iter().chain(PERCENTILES));
    }
    headers.push(("Checks", TEXT));
    let of_wins = |wins: &WinStatistics| {
        let percentiles = [wins.p25, wins.p50, wins.p75, wins.p90, wins.p95];
        let percentiles =
            percentiles.map(|value| Cell::number(value.map(|value| value as f64), |value| text::fixed(value, 0)));
        std::iter::once(Cell::number(wins.mean, |mean| text::fixed(mean, 2))).chain(percentiles)
    };
    let rows = charts::modes(statistics).into_iter().map(|(name, mode)| {
        let weight = &mode.weight;
        let irregular = !charts::is_usual(statistics, name, mode.win_rate);
        let mut row = vec![
            Cell::text(text::words(name)),
            Cell::count(mode.rows),
            Cell::count(mode.wins),
            Cell::percent(mode.win_rate, 2).faulty_if(irregular),
        ];
        let weights = [
            weight.min,
            weight.mean,
            weight.std,
            weight.max,
            weight.p25,
            weight.p50,
            weight.p75,
            weight.p90,
            weight.p95,
        ];
        row.extend(weights.map(|value| Cell::number(value, |value| text::fixed(value, 3))));
        row.extend(of_wins(&mode.mae).chain(of_wins(&mode.seconds_to_target)));
        let checks = [
            (mode.labels_binary, "a label is neither 0 nor 1"),
            (mode.weights_positive, "a weight is not above 0"),
            (mode.finite, "a weight is not finite"),
        ];
        let failed: Vec<&str> = checks.iter().filter(|(holds, _)| !holds).map(|(_, fault)| *fault).collect();
        let hold = failed.is_empty();
        row.push(Cell::text(if hold { "hold".to_owned() } else { failed.join(", ") }).faulty_if(!hold));
        row
    });
    let groups = vec![
        ("", 1),
        ("Labels", 3),
        ("Weight of all rows", 9),
        ("MAE of wins, ticks", 6),
        ("Seconds to target of wins", 6),
        ("", 1),
    ];
    Table { groups, ..table(headers, rows, "No mode was measured.") }
}

/// Values of the features.
pub fn features(statistics: &Statistics) -> Table {
    let mut headers = vec![("Feature", TEXT), ("NaN share", NUMBER)];
    headers.extend(["Min", "p1", "p50", "p99", "Max", "Mean", "Std", "Outliers"].map(|name| (name, NUMBER)));
    headers.push(("In range", TEXT));
    let known = feature_ranges::names().filter_map(|name| Some((name, statistics.features.get(name)?)));
    let rows = known.map(|(name, feature)| {
        let ceiling = feature_ranges::nan_ceiling(name).unwrap_or(1.0);
        let mut row =
            vec![Cell::text(name), Cell::percent(Some(feature.nan_share), 2).faulty_if(feature.nan_share > ceiling)];
        let values = [feature.min, feature.p1, feature.p50, feature.p99, feature.max, feature.mean, feature.std];
        row.extend(values.map(Cell::significant));
        row.extend([Cell::percent(feature.outliers, 2), Cell::must(feature.in_range)]);
        row
    });
    table(headers, rows, "No feature was measured.")
}

/// What was not used, by rule.
pub fn records(statistics: &Statistics) -> Table {
    let records = &statistics.records;
    let share = |count: u64| count as f64 / records.total.max(1) as f64;
    let row = |rule: &str, meaning: &str, count: u64, what: &str| {
        vec![
            Cell::text(rule),
            Cell::text(meaning),
            Cell::count(count),
            Cell::percent(Some(share(count)), 3),
            Cell::text(what),
        ]
    };
    let mut rows = vec![
        row("spreads_dropped", "calendar spreads of the root", records.spreads_dropped, "not selected"),
        row("other_roots_dropped", "symbols of other roots", records.other_roots_dropped, "not selected"),
        row("unmapped", "ids without a symbol on their date", records.unmapped, "not selected"),
    ];
    rows.extend(records.rules().map(|(rule, count)| {
        let meaning = RULES.iter().find(|(name, _)| *name == rule).map_or("", |(_, meaning)| meaning);
        row(rule, meaning, count, "dropped")
    }));
    rows.push(row("in_several_files", "also in another file of the month", records.in_several_files, "kept once"));
    rows.push(row("filled_before", "the previous close with volume 0", records.filled_before, "filled again"));
    rows.push(row("time_backwards", "earlier than the previous record", records.time_backwards, "sorted"));
    let headers = vec![("Rule", TEXT), ("Meaning", TEXT), ("Records", NUMBER), ("Of all", NUMBER), ("They were", TEXT)];
    table(headers, rows, "")
}

/// Records by symbol.
pub fn instruments(statistics: &Statistics) -> Table {
    let rows = statistics
        .records
        .by_instrument
        .iter()
        .map(|(symbol, count)| vec![Cell::text(symbol.as_str()), Cell::count(*count)]);
    table(vec![("Symbol", TEXT), ("Records", NUMBER)], rows, "No record.")
}

/// Time by stage.
pub fn stages(statistics: &Statistics) -> Table {
    let rows = statistics.performance.stages.iter().map(|stage| {
        vec![
            Cell::text(stage.name.as_str()),
            Cell::number(Some(stage.seconds), |seconds| text::fixed(seconds, 3)),
            Cell::number(stage.ns_per_row, |time| text::fixed(time, 1)),
            // A stage that reads and writes no file has no bytes to speak of.
            Cell::bytes((stage.bytes > 0).then_some(stage.bytes)),
        ]
    });
    let headers = vec![("Stage", TEXT), ("Seconds", NUMBER), ("ns per row", NUMBER), ("Read", NUMBER)];
    table(headers, rows, "No stage was measured.")
}

/// The five parts of the score.
pub fn parts(statistics: &Statistics) -> Table {
    let rows = charts::parts(statistics).into_iter().map(|(name, weight, value)| {
        let number = |value: f64, decimals| Cell::number(Some(value), |value| text::fixed(value, decimals));
        vec![Cell::text(name), number(weight, 2), number(value, 3)]
    });
    table(vec![("Part", TEXT), ("Weight in the score", NUMBER), ("Value", NUMBER)], rows, "")
}

/// What was taken off.
pub fn deductions(statistics: &Statistics) -> Table {
    let rows = statistics.quality.deductions.iter().map(|deduction| {
        let amount = Cell::number(Some(deduction.amount), |amount| text::fixed(-amount, 4));
        vec![Cell::text(charts::part_name(deduction.part)), amount, Cell::text(deduction.reason.as_str())]
    });
    table(vec![("Part", TEXT), ("Off the part", NUMBER), ("Reason", TEXT)], rows, "No deductions.")
}

/// Files read.
pub fn inputs(statistics: &Statistics) -> Table {
    let time = |time: Option<Timestamp>| Cell::text(time.map_or(NOTHING.to_owned(), |time| time.to_string()));
    let rows = statistics.inputs.iter().map(|input| {
        vec![
            Cell::text(input.key.as_str()),
            Cell::bytes(Some(input.bytes)),
            Cell::count(input.records),
            time(input.first),
            time(input.last),
            Cell::text(input.checksum.as_str()),
        ]
    });
    let headers = vec![
        ("File", TEXT),
        ("Size", NUMBER),
        ("Records", NUMBER),
        ("First record", TEXT),
        ("Last record", TEXT),
        ("Checksum", TEXT),
    ];
    table(headers, rows, "No input is recorded.")
}

/// Settings that decide the output, named and written as in `harness.toml`.
pub fn settings(statistics: &Statistics) -> Table {
    let mut flat = Vec::new();
    flatten("", &statistics.settings, &mut flat);
    let rows = flat.into_iter().map(|(name, value)| {
        let (name, value) = as_written(name, value);
        vec![Cell::text(name), Cell::text(value)]
    });
    table(vec![("Setting", TEXT), ("Value", TEXT)], rows, "No setting is recorded.")
}

/// The name a setting has in `harness.toml`, and its value as people write it; others as they are.
fn as_written(name: String, value: String) -> (String, String) {
    let setting = name.strip_prefix("instrument.").unwrap_or(&name);
    let points = |value: &str| value.parse().ok().map(|nanos: i64| format!("{} points", nanos as f64 / 1e9));
    let time = |value: &str| value.parse().ok().map(text::time_of_day);
    let written = match setting {
        "tick_nanos" => ("tick_size", points(&value)),
        "gap_nanos" => ("gap_points", points(&value)),
        "rolls" => ("roll_window", None),
        "session_start" | "session_end" => (setting, time(&value)),
        _ => (setting, None),
    };
    (written.0.to_owned(), written.1.unwrap_or(value))
}

fn flatten(path: &str, value: &Value, flat: &mut Vec<(String, String)>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| flatten(&below(name), value, flat)),
        Value::Null if path.is_empty() => {}
        Value::Null => flat.push((path.to_owned(), NOTHING.to_owned())),
        Value::String(text) => flat.push((path.to_owned(), text.clone())),
        other => flat.push((path.to_owned(), other.to_string())),
    }
}

/// A contract's name; the input need not have any.
fn named(contract: &str) -> &str {
    if contract.is_empty() { NOTHING } else { contract }
}

fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}
