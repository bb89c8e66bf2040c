//! The statistics object: its layout, and its figures against those of the Parquet.

use jiff::Timestamp;
use kernels::Profile;
use serde_json::Value;

use archive::manifest::{Source, Version};

use super::{
    finding::{Check, Findings},
    making::Making,
    output,
    raw::Raw,
    tally::{Moments, Tally},
    tape::{Session, Tape},
};
use statistics::{
    SCHEMA_VERSION, SessionStatistics, Statistics, feature_ranges,
    quality::{self, Context},
    score::Quality,
};

const STATISTICS: Check = Check::Statistics;
/// Sums in another order differ by a few units in the last place.
const RELATIVE: f64 = 1e-9;

/// Reads the object; it has the fields of its schema and no others.
pub fn read(json: &[u8], findings: &mut Findings) -> Option<Statistics> {
    let expected = format!("an object of schema version {SCHEMA_VERSION} (validate --print-schema)");
    let parsed = serde_json::from_slice::<Value>(json)
        .and_then(|value| Ok((serde_json::from_value::<Statistics>(value.clone())?, value)));
    match parsed {
        Err(error) => findings.error(STATISTICS, "schema", error.to_string(), expected),
        Ok((statistics, _)) if statistics.schema_version != SCHEMA_VERSION => {
            findings.error(STATISTICS, "schema", format!("schema version {}", statistics.schema_version), expected);
        }
        Ok((statistics, value)) => {
            let written = serde_json::to_value(&statistics).unwrap_or_default();
            if let Some(path) = difference(&value, &written) {
                findings.error(STATISTICS, "schema", format!("{path} is not of the schema"), expected);
            }
            return Some(statistics);
        }
    }
    None
}

/// Where two documents differ first.
fn difference(found: &Value, expected: &Value) -> Option<String> {
    match (found, expected) {
        (Value::Object(a), Value::Object(b)) => {
            let name = a.keys().chain(b.keys()).find(|name| a.get(*name) != b.get(*name))?;
            let inner = a.get(name).zip(b.get(name)).and_then(|(a, b)| difference(a, b));
            Some(inner.map_or_else(|| name.clone(), |inner| format!("{name}.{inner}")))
        }
        (a, b) => (a != b).then(String::new),
    }
}

/// Compares what the statistics say with what the manifest and the Parquet say.
pub fn check(
    statistics: &Statistics,
    published: &Version,
    tape: &Tape,
    tally: &Tally,
    making: &Making,
    findings: &mut Findings,
) {
    let profile = match making.profile {
        Profile::Session => "session",
        Profile::Rolling => "rolling",
    };
    equal(findings, "profile", &statistics.profile.as_str(), &profile);
    let inputs: Vec<(u64, String)> =
        statistics.inputs.iter().map(|input| (input.bytes, input.checksum.clone())).collect();
    let source = |source: &Source| (source.bytes, format!("xxh3:{}", source.checksum));
    equal(findings, "inputs", &inputs, &published.made_from.inputs.iter().map(source).collect());
    equal(findings, "score", &published.score, &statistics.quality.score);
    sessions(statistics, tape, making, findings);
    modes(statistics, tally, making, findings);
    features(statistics, tally, findings);
    score(statistics, tape, making, findings);
    for warning in &statistics.warnings {
        findings.note(STATISTICS, "warning", warning.clone(), "nothing unusual; its deduction is in the score");
    }
}

/// Compares the counts of cleaning with those of decoding again.
pub fn records(statistics: &Statistics, raw: &Raw, findings: &mut Findings) {
    equal(findings, "records", &statistics.records, raw.records());
}

fn equal<T: PartialEq + std::fmt::Debug>(findings: &mut Findings, what: &'static str, found: &T, expected: &T) {
    if found != expected {
        findings.error(STATISTICS, what, format!("{found:?}"), format!("{expected:?}"));
    }
}

fn sessions(statistics: &Statistics, tape: &Tape, making: &Making, findings: &mut Findings) {
    equal(findings, "sessions", &statistics.sessions.len(), &tape.sessions.len());
    for (session, published) in statistics.sessions.iter().zip(&tape.sessions) {
        let expected =
            SessionStatistics { contract: session.contract.clone(), ..self::session(tape, published, making) };
        if *session != expected {
            let text = |session: &SessionStatistics| serde_json::json!(session).to_string();
            findings.error(STATISTICS, "sessions", text(session), text(&expected));
        }
    }
}

/// The figures of a session by its rows, which do not name the contract.
pub fn session(tape: &Tape, Session { date, rows }: &Session, making: &Making) -> SessionStatistics {
    let (first, last) = (tape.time[rows.start], tape.time[rows.end - 1]);
    let volumes = &tape.volume[rows.clone()];
    let traded = volumes.iter().position(|&volume| volume > 0).unwrap_or_default();
    let (start, end) = output::window_of(*date, first, making).unwrap_or((first, last + 1));
    SessionStatistics {
        date: *date,
        contract: String::new(),
        open: Timestamp::from_second(first).unwrap_or_default(),
        close: Timestamp::from_second(last).unwrap_or_default(),
        rows: rows.len() as u64,
        filled_rows: volumes.iter().filter(|&&volume| volume == 0).count() as u64,
        // A quarter of an hour without a trade makes a short day.
        early_close: end - 1 - last >= 900,
        late_open: first + traded as i64 - start >= 900,
        volume: volumes.iter().map(|volume| volume.unsigned_abs()).sum(),
        last_price: (tape.prices[3][rows.end - 1] * making.instrument.tick_nanos) as f64 / 1e9,
    }
}

fn modes(statistics: &Statistics, tally: &Tally, making: &Making, findings: &mut Findings) {
    let modes = making.labels.specification.modes();
    equal(findings, "modes", &statistics.modes.len(), &modes.len());
    for (kind, counted) in modes.iter().zip(&tally.modes) {
        let name = &*kind.name;
        let Some(mode) = statistics.modes.get(name) else {
            findings.error(STATISTICS, "modes", format!("no {name}"), "all modes");
            continue;
        };
        if (mode.rows, mode.wins) != (tally.rows, counted.wins) {
            let found = format!("{name}: {} wins of {} rows", mode.wins, mode.rows);
            findings.error(STATISTICS, "modes", found, format!("{} of {}", counted.wins, tally.rows));
        }
        let rate = counted.wins as f64 / tally.rows.max(1) as f64;
        figure(findings, "modes", name, "win_rate", mode.win_rate, Some(rate));
        let weight = &mode.weight;
        moments(findings, "modes", name, [weight.min, weight.max, weight.mean, weight.std], &counted.weights);
        ordered(
            findings,
            "modes",
            name,
            &[weight.min, weight.p25, weight.p50, weight.p75, weight.p90, weight.p95, weight.max],
        );
    }
}

fn features(statistics: &Statistics, tally: &Tally, findings: &mut Findings) {
    equal(findings, "features", &statistics.features.len(), &tally.features.len());
    for (name, counted) in feature_ranges::names().zip(&tally.features) {
        let Some(feature) = statistics.features.get(name) else {
            findings.error(STATISTICS, "features", format!("no {name}"), "all features");
            continue;
        };
        let share = |count: u64| Some(count as f64 / tally.rows.max(1) as f64);
        figure(findings, "features", name, "nan_share", Some(feature.nan_share), share(counted.nans));
        figure(findings, "features", name, "infinite_share", Some(feature.infinite_share), share(counted.infinite));
        moments(findings, "features", name, [feature.min, feature.max, feature.mean, feature.std], &counted.values);
        ordered(findings, "features", name, &[feature.min, feature.p1, feature.p50, feature.p99, feature.max]);
    }
}

/// Smallest, largest, mean and spread.
fn moments(findings: &mut Findings, rule: &'static str, name: &str, found: [Option<f64>; 4], counted: &Moments) {
    let of = |value: f64| (counted.count > 0).then_some(value);
    let expected = [of(counted.min), of(counted.max), of(counted.mean), counted.std()];
    // A mean of both signs may be far smaller than what it is made of; so may a spread.
    let scale = [0.0, 0.0, counted.min.abs().max(counted.max.abs()), counted.max.abs().max(counted.min.abs())];
    for ((figure, scale), (found, expected)) in
        ["min", "max", "mean", "std"].into_iter().zip(scale).zip(found.into_iter().zip(expected))
    {
        if !near(found, expected, scale) {
            findings.error(STATISTICS, rule, format!("{name}: {figure} {}", text(found)), text(expected));
        }
    }
}

fn figure(
    findings: &mut Findings,
    rule: &'static str,
    name: &str,
    figure: &str,
    found: Option<f64>,
    expected: Option<f64>,
) {
    if !near(found, expected, 0.0) {
        findings.error(STATISTICS, rule, format!("{name}: {figure} {}", text(found)), text(expected));
    }
}

fn near(found: Option<f64>, expected: Option<f64>, scale: f64) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= RELATIVE * expected.abs().max(scale),
        (one, another) => one == another,
    }
}

fn text(value: Option<f64>) -> String {
    value.map_or("null".to_owned(), |value| value.to_string())
}

/// Percentiles rise, within the ends.
fn ordered(findings: &mut Findings, rule: &'static str, name: &str, values: &[Option<f64>]) {
    let known: Vec<f64> = values.iter().copied().flatten().collect();
    if !known.is_sorted() {
        findings.error(STATISTICS, rule, format!("{name}: percentiles {known:?}"), "rising values within min and max");
    }
}

/// The score follows from the other figures.
fn score(statistics: &Statistics, tape: &Tape, making: &Making, findings: &mut Findings) {
    let excluded_share = match making.profile {
        Profile::Session => 0.0,
        Profile::Rolling => excluded(tape, making.gap()),
    };
    let least_win_rate = making.instrument.least_win_rate();
    let context = Context { zone: making.zone.clone(), excluded_share, least_win_rate };
    let (found, expected) = (&statistics.quality, quality::assess(statistics, &context));
    let reasons = |quality: &Quality| -> Vec<String> {
        quality.deductions.iter().map(|deduction| format!("-{:.3} {}", deduction.amount, deduction.reason)).collect()
    };
    if (found.score - expected.score).abs() > 1e-6 {
        findings.error(STATISTICS, "score", found.score.to_string(), expected.score.to_string());
    } else if reasons(found) != reasons(&expected) {
        findings.error(STATISTICS, "score", format!("{:?}", reasons(found)), format!("{:?}", reasons(&expected)));
    }
}

/// Share of the rows from one before to five after a gap of price.
fn excluded(tape: &Tape, gap: i64) -> f64 {
    let close = &tape.prices[3];
    let mut out = vec![false; close.len()];
    for row in (1..close.len()).filter(|&row| (close[row] - close[row - 1]).abs() > gap) {
        let end = (row + 6).min(out.len());
        out[row - 1..end].fill(true);
    }
    out.iter().filter(|out| **out).count() as f64 / out.len().max(1) as f64
}
