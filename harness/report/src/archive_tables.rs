//! Tables of an archive.

use archive::{failures::Failure, state::State, survey::Line, withheld::Withheld};
use jiff::Timestamp;

use super::{
    archive::Archive,
    archive_figures::{drifts, filled_share, stages},
    charts::modes::{is_usual, part_name},
    month_tables::rolls,
    table::{Cell, Table, table},
    text,
};
use statistics::{Statistics, drift::median, feature_ranges, score::Priority};

const TEXT: bool = false;
const NUMBER: bool = true;

/// Deviations from here on are listed, at most so many.
const DRIFT: f64 = 5.0;
const MOST_DRIFTS: usize = 200;

fn month(line: &Line) -> Cell {
    Cell::text(line.month.to_string())
}

fn when(time: Option<Timestamp>) -> Cell {
    Cell::text(time.map_or_else(|| text::NOTHING.to_owned(), text::time))
}

fn score(score: Option<f64>) -> Cell {
    Cell::fixed(score, 3).faulty_if(score.is_some_and(|score| score < 0.8))
}

/// Whether to make a month again; one that is wrong needs something else.
fn advice(statistics: Option<&Statistics>, priority: Option<Priority>) -> Cell {
    if statistics.is_some_and(|month| !month.errors.is_empty()) {
        return Cell::text("no: it is wrong").faulty_if(true);
    }
    Cell::text(priority.map_or("", text::priority))
}

/// A line for every month.
pub fn months(archive: &Archive) -> Table {
    let headers = [
        ("Month", TEXT),
        ("State", TEXT),
        ("Quality", NUMBER),
        ("Modes", NUMBER),
        ("Data", NUMBER),
        ("Features", NUMBER),
        ("Performance", NUMBER),
        ("Rolls", NUMBER),
        ("Rows", NUMBER),
        ("Sessions", NUMBER),
        ("Filled", NUMBER),
        ("Warnings", NUMBER),
        ("Reprocess", TEXT),
    ];
    let rows = archive.months.iter().map(|entry| {
        let (line, statistics) = (&entry.line, entry.statistics.as_ref());
        let part = |of: fn(&Statistics) -> f64| Cell::fixed(statistics.map(of), 3);
        let count = |of: fn(&Statistics) -> usize| Cell::fixed(statistics.map(|month| of(month) as f64), 0);
        let bad = matches!(line.state, State::Failed | State::Damaged | State::Withheld);
        let priority = statistics.and_then(|month| month.quality.reprocess.priority);
        vec![
            month(line),
            Cell::text(line.state.text()).faulty_if(bad),
            score(line.score),
            part(|month| month.quality.parts.modes),
            part(|month| month.quality.parts.data),
            part(|month| month.quality.parts.features),
            part(|month| month.quality.parts.performance),
            part(|month| month.quality.parts.rolls),
            line.rows.map_or_else(|| Cell::number(None, |_| String::new()), Cell::count),
            count(|month| month.sessions.len()),
            Cell::percent(statistics.map(filled_share), 1),
            count(|month| month.warnings.len()),
            advice(statistics, priority),
        ]
    });
    table(headers, rows, "The store holds no month.")
}

/// Win rates of each month.
pub fn win_rates(archive: &Archive) -> Table {
    let modes = archive.modes();
    let names = modes.iter().map(|mode| (text::words(&mode.name), NUMBER));
    let headers = [("Month".to_owned(), TEXT)].into_iter().chain(names);
    let rows = archive.published().map(|(line, statistics)| {
        let rates = modes.iter().map(|mode| {
            let found = statistics.modes.get(&*mode.name);
            let rate = found.and_then(|mode| mode.win_rate);
            Cell::percent(rate, 2).faulty_if(found.is_some() && !is_usual(statistics, &mode.name, rate))
        });
        [month(line)].into_iter().chain(rates).collect()
    });
    table(headers, rows, "No month is published.")
}

/// Every deduction.
pub fn deductions(archive: &Archive) -> Table {
    let headers = [("Month", TEXT), ("Part", TEXT), ("Off the part", NUMBER), ("Reason", TEXT)];
    let rows = archive.published().flat_map(|(line, statistics)| {
        statistics.quality.deductions.iter().map(move |deduction| {
            vec![
                month(line),
                Cell::text(part_name(deduction.part)),
                Cell::number(Some(deduction.amount), |amount| text::fixed(-amount, 4)),
                Cell::text(deduction.reason.as_str()),
            ]
        })
    });
    table(headers, rows, "No deductions.")
}

/// Months that are wrong, whatever their score, and what to do about each.
pub fn wrong(archive: &Archive) -> Table {
    let rows = archive.published().flat_map(|(line, statistics)| {
        statistics.errors.iter().map(move |wrong| {
            vec![month(line), Cell::text(wrong.found.as_str()).faulty_if(true), Cell::text(wrong.advice.as_str())]
        })
    });
    table([("Month", TEXT), ("Found", TEXT), ("What to do", TEXT)], rows, "No month is wrong.")
}

/// Months to make again, the most urgent first: those that failed, and those whose statistics recommend it.
pub fn reprocessing(archive: &Archive) -> Table {
    let failed = archive.failed(Timestamp::MIN).map(|(line, failure)| (Priority::High, line, failure.error.clone()));
    let weak = archive.published().filter(|(line, of)| line.failure.is_none() && of.quality.reprocess.needed);
    let weak = weak.map(|(line, statistics)| {
        let reprocess = &statistics.quality.reprocess;
        (reprocess.priority.unwrap_or(Priority::Low), line, reprocess.reasons.join("; "))
    });
    let mut all: Vec<(Priority, &Line, String)> = failed.chain(weak).collect();
    all.sort_by_key(|(priority, line, _)| (std::cmp::Reverse(*priority), line.month));
    let rows = all.into_iter().map(|(priority, line, why)| {
        vec![month(line), Cell::text(text::priority(priority)), score(line.score), Cell::text(why)]
    });
    let headers = [("Month", TEXT), ("Priority", TEXT), ("Quality", NUMBER), ("Reasons", TEXT)];
    table(headers, rows, "No month needs reprocessing.")
}

/// What each month should keep, and those that do not.
pub fn gates(archive: &Archive) -> Table {
    type Keeps = fn(&Statistics) -> bool;
    let gates: [(&str, Keeps); 8] = [
        ("not wrong", |month| month.errors.is_empty()),
        ("score of at least 0.8", |month| month.quality.score >= 0.8),
        ("win rates within 5 to 50 %", |month| {
            month.modes.len() == month.labels().specification.modes().len()
                && month.modes.iter().all(|(name, mode)| is_usual(month, name, mode.win_rate))
        }),
        ("labels 0 or 1, weights above 0 and finite", |month| {
            month.modes.values().all(|mode| mode.labels_binary && mode.weights_positive && mode.finite)
        }),
        ("NaN shares within the ceilings", |month| {
            month.features.iter().all(|(name, feature)| {
                feature_ranges::nan_ceiling(name).is_none_or(|ceiling| feature.nan_share <= ceiling)
            })
        }),
        ("features in range", |month| month.features.values().all(|feature| feature.in_range)),
        ("rolls in their windows", |month| month.rollovers.iter().all(|roll| roll.expected != Some(false))),
        ("no warning", |month| month.warnings.is_empty()),
    ];
    let rows = gates.iter().map(|(name, keeps)| {
        let missed: Vec<String> = archive
            .published()
            .filter(|(_, statistics)| !keeps(statistics))
            .map(|(line, _)| line.month.to_string())
            .collect();
        let count = Cell::count(missed.len() as u64).faulty_if(!missed.is_empty());
        vec![Cell::text(*name), count, Cell::text(missed.join(", "))]
    });
    table([("Gate", TEXT), ("Missed by", NUMBER), ("Months", TEXT)], rows, "")
}

/// Changes of the front contract.
pub fn rollovers(archive: &Archive) -> Table {
    rolls(archive.published().flat_map(|(_, month)| &month.rollovers), Cell::significant)
}

/// The medians that lie farthest from the archive's, and how many there are in all.
pub fn drift(archive: &Archive) -> (Table, usize) {
    let mut all = Vec::new();
    for row in drifts(archive) {
        let of = |statistics: &Statistics| statistics.features.get(&row.name).and_then(|feature| feature.p50);
        let usual = median(archive.published().filter_map(|(_, statistics)| of(statistics)));
        for (entry, z) in archive.months.iter().zip(&row.deviations) {
            if let Some(z) = z.filter(|z| z.abs() >= DRIFT) {
                let value = entry.statistics.as_ref().and_then(of);
                all.push((
                    z,
                    vec![
                        Cell::text(row.name.as_str()),
                        month(&entry.line),
                        Cell::significant(value),
                        Cell::significant(usual),
                        Cell::fixed(Some(z), 1),
                    ],
                ));
            }
        }
    }
    all.sort_by(|(left, _), (right, _)| right.abs().total_cmp(&left.abs()));
    let found = all.len();
    let rows = all.into_iter().take(MOST_DRIFTS).map(|(_, row)| row);
    let headers =
        [("Feature", TEXT), ("Month", TEXT), ("Median", NUMBER), ("Archive's median", NUMBER), ("Robust z", NUMBER)];
    (table(headers, rows, "No feature's median is far from the archive's."), found)
}

/// What became current from a time on.
pub fn published(archive: &Archive, since: Timestamp) -> Table {
    let headers = [
        ("Month", TEXT),
        ("Published", TEXT),
        ("Quality", NUMBER),
        ("Rows", NUMBER),
        ("Seconds", NUMBER),
        ("Peak memory", NUMBER),
        ("Retries", NUMBER),
        ("Warnings", NUMBER),
        ("Reprocess", TEXT),
        ("Version", TEXT),
    ];
    let new = archive.published().filter(|(line, _)| line.published.is_some_and(|time| time >= since));
    let rows = new.map(|(line, statistics)| {
        let performance = &statistics.performance;
        vec![
            month(line),
            when(line.published),
            score(line.score),
            Cell::count(statistics.rows()),
            Cell::fixed(Some(performance.seconds), 2),
            Cell::bytes(performance.peak_rss_bytes),
            Cell::count(performance.retries),
            Cell::count(statistics.warnings.len() as u64),
            advice(Some(statistics), statistics.quality.reprocess.priority),
            Cell::text(line.version.clone().unwrap_or_default()),
        ]
    });
    table(headers, rows, "Nothing was published.")
}

/// Months whose last run failed, from a time on.
pub fn failed(archive: &Archive, since: Timestamp) -> Table {
    let rows = archive.failed(since).map(|(_, failure)| {
        let Failure { month, error, exit_code, when, inputs, .. } = failure;
        vec![
            Cell::text(month.to_string()),
            Cell::text(text::time(*when)),
            Cell::count(u64::from(*exit_code)),
            Cell::text(error.as_str()),
            Cell::text(inputs.join(", ")),
        ]
    });
    let headers = [("Month", TEXT), ("When", TEXT), ("Exit code", NUMBER), ("Error", TEXT), ("Raw files", TEXT)];
    table(headers, rows, "No month failed.")
}

/// Months that a gate kept from being published, from a time on.
pub fn withheld(archive: &Archive, since: Timestamp) -> Table {
    let rows = archive.withheld(since).map(|withheld| {
        let Withheld { month, when, score: found, threshold, reasons, .. } = withheld;
        vec![
            Cell::text(month.to_string()),
            Cell::text(text::time(*when)),
            score(Some(*found)),
            Cell::significant(Some(*threshold)),
            Cell::text(reasons.join("; ")),
        ]
    });
    let headers = [("Month", TEXT), ("When", TEXT), ("Quality", NUMBER), ("Threshold", NUMBER), ("Reasons", TEXT)];
    table(headers, rows, "Nothing is withheld.")
}

/// What each month took.
pub fn performance(archive: &Archive) -> Table {
    let stages = stages(archive);
    let first = ["Seconds", "Rows per second", "Peak memory", "Retries", "Chunk p50", "Chunk p99"];
    let headers = [("Month".to_owned(), TEXT)].into_iter().chain(first.map(|name| (name.to_owned(), NUMBER)));
    let headers = headers.chain(stages.iter().map(|stage| (format!("{stage}, s"), NUMBER)));
    let rows = archive.published().map(|(line, statistics)| {
        let performance = &statistics.performance;
        let latency = |of: fn(&statistics::Latency) -> u64| {
            let nanos = performance.chunk_latency.as_ref().map(of);
            Cell::number(nanos.map(|nanos| nanos as f64), |nanos| text::duration(nanos as u64))
        };
        let mut row = vec![
            month(line),
            Cell::fixed(Some(performance.seconds), 2),
            Cell::fixed(performance.rows_per_second, 0),
            Cell::bytes(performance.peak_rss_bytes),
            Cell::count(performance.retries),
            latency(|latency| latency.p50),
            latency(|latency| latency.p99),
        ];
        row.extend(stages.iter().map(|stage| {
            let found = performance.stages.iter().find(|found| found.name == *stage);
            Cell::fixed(found.map(|found| found.seconds), 3)
        }));
        row
    });
    table(headers, rows, "No month is published.")
}

/// What each stage took over all months.
pub fn stage_totals(archive: &Archive) -> Table {
    let rows = stages(archive).into_iter().map(|stage| {
        let found = || {
            let months = archive.published().map(|(_, month)| &month.performance.stages);
            months.filter_map(|stages| stages.iter().find(|found| found.name == stage))
        };
        let ns = || found().filter_map(|stage| stage.ns_per_row);
        vec![
            Cell::text(stage),
            Cell::count(found().count() as u64),
            Cell::fixed(Some(found().map(|stage| stage.seconds).sum()), 2),
            Cell::fixed(ns().reduce(f64::min), 1),
            Cell::fixed(median(ns()), 1),
            Cell::fixed(ns().reduce(f64::max), 1),
        ]
    });
    let headers = [
        ("Stage", TEXT),
        ("Months", NUMBER),
        ("Seconds in all", NUMBER),
        ("ns per row, least", NUMBER),
        ("ns per row, median", NUMBER),
        ("ns per row, most", NUMBER),
    ];
    table(headers, rows, "No month is published.")
}
