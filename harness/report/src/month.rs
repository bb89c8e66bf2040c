//! The report on one month.

use super::{
    charts::{
        modes::{self as charts, Spread},
        sessions as session_charts,
    },
    document::{Document, Figure, Named, Section},
    month_tables as tables,
    prices::SessionPrices,
    table::Cell,
    text::{self, NOTHING},
};
use statistics::{ModeStatistics, Statistics, Wrong};

/// Widths a chart over the whole page is drawn in, with their classes: the page shows the one that fits.
pub const WIDTHS: [(u32, &str); 3] = [(640, "w640"), (960, "w960"), (1320, "w1320")];

/// The report on the month of `statistics`; with charts where the prices are given.
pub fn document(statistics: &Statistics, prices: Option<&[SessionPrices]>) -> Document {
    let mut contracts: Vec<&str> = statistics.sessions.iter().map(|session| session.contract.as_str()).collect();
    contracts.dedup();
    contracts.retain(|contract| !contract.is_empty());
    let contracts = if contracts.is_empty() { NOTHING.to_owned() } else { contracts.join(" -> ") };
    let facts = vec![
        ("Contract", Cell::text(contracts)),
        ("Profile", Cell::text(statistics.profile.as_str())),
        ("Sessions", Cell::count(statistics.sessions.len() as u64)),
        ("Rows", Cell::count(statistics.rows())),
        ("Records read", Cell::count(statistics.records.total)),
        ("Reprocess", Cell::text(reprocess(statistics))),
    ];
    Document {
        kind: "monthly",
        about: "Training data, one row per second".to_owned(),
        title: text::month(statistics.month),
        generated: jiff::Timestamp::now(),
        score: Some(statistics.quality.score),
        facts,
        errors: statistics.errors.iter().map(Wrong::sentence).collect(),
        figures: prices.map_or_else(Vec::new, |prices| figures(statistics, prices)),
        sections: sections(statistics),
        footer: format!("{}, statistics schema {}", statistics.program, statistics.schema_version),
    }
}

fn figures(statistics: &Statistics, prices: &[SessionPrices]) -> Vec<Figure> {
    if statistics.sessions.is_empty() {
        return Vec::new();
    }
    let wide =
        |draw: &dyn Fn(u32) -> String| WIDTHS.iter().map(|&(width, class)| (class, draw(width))).collect::<Vec<_>>();
    let rolled =
        if statistics.rollovers.is_empty() { "" } else { " A thick line marks a change of the front contract." };
    let price = Figure {
        title: "Close over the trading sessions",
        reading: format!("Points, sessions side by side by date, without the hours between them.{rolled}"),
        class: "full",
        drawings: wide(&|width| session_charts::price(statistics, prices, width)),
    };
    let wins = Figure {
        title: "Where labels win",
        reading: WON.to_owned(),
        class: "full",
        drawings: wide(&|width| session_charts::wins(statistics, prices, width)),
    };
    let spread = |title: &str, of: fn(&ModeStatistics) -> Spread| charts::spreads(title, statistics, of);
    let nothing = || "<p class=\"empty\">No feature has a NaN.</p>".to_owned();
    let nans = charts::nan_shares(statistics).unwrap_or_else(nothing);
    vec![
        price,
        wins,
        Figure::new("Win rate by mode", WINS, charts::win_rates(statistics)),
        Figure::new("Seconds without a trade by session", FILLED, session_charts::filled(statistics, charts::WIDTH)),
        Figure::new(
            "Training weight by mode",
            SPREAD,
            spread("Training weight by mode", |mode| Spread::from(&mode.weight)),
        ),
        Figure { class: "tall", ..Figure::new("NaN by feature", NANS, nans) },
        Figure::new(
            "Adverse move of the wins, ticks",
            SPREAD,
            spread("Adverse move of the wins", |mode| Spread::from(&mode.mae)),
        ),
        Figure::new(
            "Seconds from entry to target of the wins",
            SPREAD,
            spread("Seconds to target of the wins", |mode| Spread::from(&mode.seconds_to_target)),
        ),
        Figure::new("Quality by part", SCORE, charts::score(statistics)),
    ]
}

const WINS: &str = "Share of the rows labelled 1. Every bar should end in the shaded range, 5 to 50 %.";

const WON: &str = "Share of the rows labelled 1 per time slice, on the same axis; full colour means every row.";

const FILLED: &str = "Share of the rows filled with the previous close. E marks an early close, L a late open.";

const NANS: &str = "Share of the rows, at most 20 features, only those with any. Windows that are not yet full give NaN; \
                    red is above the feature's ceiling.";

const SCORE: &str = "Score of each part, with its weight in the total. Deductions are listed below.";

const SPREAD: &str = "Box p25 to p75, thick stroke the median, dot the mean, thin strokes p90 and p95.";

fn sections(statistics: &Statistics) -> Vec<Section> {
    let performance = &statistics.performance;
    let fact = |value: Option<f64>, show: &dyn Fn(f64) -> String| value.map_or_else(|| NOTHING.to_owned(), show);
    let took = format!(
        "{} s in total, {} rows per second, peak memory {}, {} retried store operations.{}",
        text::fixed(performance.seconds, 2),
        fact(performance.rows_per_second, &|rate| text::fixed(rate, 0)),
        performance.peak_rss_bytes.map_or_else(|| NOTHING.to_owned(), text::bytes),
        text::count(performance.retries),
        performance.chunk_latency.as_ref().map_or_else(String::new, |latency| {
            let [p50, p90, p99, max] = [latency.p50, latency.p90, latency.p99, latency.max].map(text::duration);
            format!(
                " Half of the chunks took at most {p50}, 90 % at most {p90}, 99 % at most {p99}, the longest {max}."
            )
        })
    );
    let named = |key, folded, table| Named { key, folded, table };
    let quality = Section {
        id: "quality",
        title: "Quality",
        sentences: vec![format!("Reprocess: {}.", reprocess(statistics))],
        list: statistics.quality.reprocess.reasons.clone(),
        tables: vec![
            named("parts", None, tables::parts(statistics)),
            named("deductions", None, tables::deductions(statistics)),
        ],
    };
    let none = || statistics.warnings.is_empty().then(|| "None.".to_owned());
    let warnings = Section {
        id: "warnings",
        title: "Warnings",
        sentences: none().into_iter().collect(),
        list: statistics.warnings.clone(),
        tables: Vec::new(),
    };
    let mut records = Section::new("records", "Records not used", tables::records(statistics));
    records.tables.push(named("instruments", Some("Records by symbol"), tables::instruments(statistics)));
    vec![
        quality,
        warnings,
        Section::new("sessions", "Sessions", tables::sessions(statistics)),
        Section::new("rollovers", "Rollovers", tables::rollovers(statistics)),
        Section::new("modes", "Modes", tables::modes(statistics)),
        Section::new("features", "Features", tables::features(statistics)),
        records,
        Section::new("stages", "Time by stage", tables::stages(statistics)).saying([took]),
        Section::new("inputs", "Inputs", tables::inputs(statistics)),
        Section::new("settings", "Settings", tables::settings(statistics)),
    ]
}

fn reprocess(statistics: &Statistics) -> String {
    let reprocess = &statistics.quality.reprocess;
    if !statistics.errors.is_empty() {
        return "no: the month is wrong".to_owned();
    }
    match (reprocess.needed, reprocess.priority) {
        (false, _) => "not needed".to_owned(),
        (true, Some(priority)) => format!("yes, {} priority", text::priority(priority)),
        (true, None) => "yes".to_owned(),
    }
}
