//! The page: what stands where.

use std::fmt::Write;

use super::{
    charts::{self, Spread},
    prices::SessionPrices,
    session_charts, tables,
    text::{self, NOTHING, escape},
};
use crate::{
    quality::{Band, Priority},
    statistics::{ModeStatistics, Statistics},
};

const STYLE: &str = include_str!("style.css");
const SORT: &str = include_str!("sort.js");
const SCROLL: &str = include_str!("scroll.js");

/// Widths the price chart is drawn in; the page shows the one that fits. Also named in the style.
const PRICE_WIDTHS: [u32; 3] = [640, 960, 1320];

/// The report as HTML.
pub fn render(statistics: &Statistics, prices: &[SessionPrices]) -> anyhow::Result<String> {
    let month = text::month(statistics.month);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Training data, {month}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    page.push_str(&header(statistics, &month));
    page.push_str(&notices("errors", "Errors", &statistics.errors));
    page.push_str(&charts(statistics, prices)?);
    page.push_str(&sections(statistics));
    let _ = writeln!(page, "</main>\n<script>\n{SORT}</script>\n<script>\n{SCROLL}</script>\n</body>\n</html>");
    Ok(page)
}

fn header(statistics: &Statistics, month: &str) -> String {
    let (score, band) = (statistics.quality.score, band(statistics.quality.band));
    let mut contracts: Vec<&str> = statistics.sessions.iter().map(|session| session.contract.as_str()).collect();
    contracts.dedup();
    contracts.retain(|contract| !contract.is_empty());
    let contracts = if contracts.is_empty() { NOTHING.to_owned() } else { contracts.join(" -> ") };
    let facts = [
        ("Contract", contracts),
        ("Profile", statistics.profile.clone()),
        ("Sessions", text::count(statistics.sessions.len() as u64)),
        ("Rows", text::count(statistics.rows())),
        ("Records read", text::count(statistics.records.total)),
        ("Reprocess", reprocess(statistics)),
    ];
    let mut html = format!(
        "<header>\n<div class=\"title\"><div><p class=\"kind\">Training data, one row a second</p><h1>{month}</h1></div>\n\
         <p class=\"badge {band}\"><span class=\"score\">{}</span> <span>quality {band}</span></p></div>\n<dl class=\"facts\">\n",
        text::fixed(score, 3)
    );
    for (name, value) in facts {
        let _ = writeln!(html, "<div><dt>{name}</dt><dd>{}</dd></div>", escape(&value));
    }
    html.push_str("</dl>\n<nav aria-label=\"Sections\">");
    for (id, name) in NAVIGATION {
        let _ = write!(html, "<a href=\"#{id}\">{name}</a> ");
    }
    html.push_str("</nav>\n</header>\n");
    html
}

const NAVIGATION: [(&str, &str); 10] = [
    ("charts", "Charts"),
    ("quality", "Quality"),
    ("warnings", "Warnings"),
    ("sessions", "Sessions"),
    ("rollovers", "Rollovers"),
    ("modes", "Modes"),
    ("features", "Features"),
    ("records", "Records"),
    ("stages", "Time"),
    ("inputs", "Inputs and settings"),
];

fn charts(statistics: &Statistics, prices: &[SessionPrices]) -> anyhow::Result<String> {
    let mut html = String::from("<section id=\"charts\" class=\"charts\">\n<h2>Charts</h2>\n");
    if statistics.sessions.is_empty() {
        html.push_str("<p class=\"empty\">The month has no session, so there is nothing to draw.</p>\n</section>\n");
        return Ok(html);
    }
    let mut price = String::new();
    for width in PRICE_WIDTHS {
        let drawing = session_charts::price(statistics, prices, width)?;
        let _ = writeln!(price, "<div class=\"w{width}\">{drawing}</div>");
    }
    let rolled = if statistics.rollovers.is_empty() { "" } else { " A thick line is a change of the front contract." };
    html.push_str(&figure(
        "Close over the trading sessions",
        &format!("Points, sessions side by side by date, without the hours between them.{rolled}"),
        &price,
        "full",
    ));
    let spread = |title: &str, of: fn(&ModeStatistics) -> Spread| charts::spreads(title, statistics, of);
    let nothing = || "<p class=\"empty\">No feature has a NaN.</p>".to_owned();
    let figures = [
        ("", "Win rate by mode", WINS, charts::win_rates(statistics)?),
        ("", "Seconds without a trade by session", FILLED, session_charts::filled(statistics, charts::WIDTH)?),
        ("", "Training weight by mode", SPREAD, spread("Training weight by mode", |mode| Spread::from(&mode.weight))?),
        ("tall", "NaN by feature", NANS, charts::nan_shares(statistics)?.unwrap_or_else(nothing)),
        (
            "",
            "Adverse move of the wins, ticks",
            SPREAD,
            spread("Adverse move of the wins", |mode| Spread::from(&mode.mae))?,
        ),
        (
            "",
            "Seconds from entry to target of the wins",
            SPREAD,
            spread("Seconds to target of the wins", |mode| Spread::from(&mode.seconds_to_target))?,
        ),
        ("", "Quality by part", SCORE, charts::score(statistics)?),
    ];
    for (class, title, reading, drawing) in figures {
        html.push_str(&figure(title, reading, &drawing, class));
    }
    html.push_str("</section>\n");
    Ok(html)
}

const WINS: &str = "Share of the rows labelled 1. Every bar should end on the shaded ground, 5 to 50 %.";

const FILLED: &str = "Share of the rows filled with the previous close. E marks an early close, L a late open.";

const NANS: &str = "Share of the rows, at most 20 features, only those with any. Windows that are not yet full give NaN; \
                    red is above the feature's ceiling.";

const SCORE: &str = "What each part kept of 1, with its weight in the score. Deductions are listed below.";

const SPREAD: &str = "Box p25 to p75, thick stroke the median, dot the mean, thin strokes p90 and p95.";

fn figure(title: &str, reading: &str, drawing: &str, class: &str) -> String {
    format!(
        "<figure class=\"{class}\">\n<figcaption><h3>{}</h3><p>{}</p></figcaption>\n{drawing}\n</figure>\n",
        escape(title),
        escape(reading)
    )
}

fn sections(statistics: &Statistics) -> String {
    let performance = &statistics.performance;
    let fact = |value: Option<f64>, show: &dyn Fn(f64) -> String| value.map_or_else(|| NOTHING.to_owned(), show);
    let took = format!(
        "<p>{} s in all, {} rows a second, peak memory {}, {} repeated operations on the store.{}</p>\n",
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
    let reasons = &statistics.quality.reprocess.reasons;
    let advice = format!("<p>Reprocess: <strong>{}</strong>.</p>\n{}", escape(&reprocess(statistics)), list(reasons));
    let warnings = if statistics.warnings.is_empty() {
        "<p class=\"empty\">None.</p>\n".into()
    } else {
        list(&statistics.warnings)
    };
    let instruments =
        format!("<details><summary>Records by symbol</summary>\n{}</details>\n", tables::instruments(statistics));
    let parts = format!(
        "<div class=\"pair\"><div>{}</div><div>{}</div></div>\n",
        tables::parts(statistics),
        tables::deductions(statistics)
    );
    let pieces = [
        ("quality", "Quality", format!("{advice}{parts}")),
        ("warnings", "Warnings", warnings),
        ("sessions", "Sessions", tables::sessions(statistics)),
        ("rollovers", "Rollovers", tables::rollovers(statistics)),
        ("modes", "Modes", tables::modes(statistics)),
        ("features", "Features", tables::features(statistics)),
        ("records", "Records not used, by rule", tables::records(statistics) + &instruments),
        ("stages", "Time by stage", took + &tables::stages(statistics)),
        ("inputs", "Inputs", tables::inputs(statistics)),
        ("settings", "Settings", tables::settings(statistics)),
    ];
    let mut html = String::new();
    for (id, title, content) in pieces {
        let _ = write!(html, "<section id=\"{id}\">\n<h2>{title}</h2>\n{content}</section>\n");
    }
    let version = statistics.schema_version;
    let _ = writeln!(html, "<footer><p>{}, statistics schema {version}</p></footer>", escape(&statistics.program));
    html
}

fn notices(class: &str, title: &str, sentences: &[String]) -> String {
    if sentences.is_empty() {
        return String::new();
    }
    format!("<section class=\"{class}\" role=\"alert\">\n<h2>{title}</h2>\n{}</section>\n", list(sentences))
}

fn list(sentences: &[String]) -> String {
    if sentences.is_empty() {
        return String::new();
    }
    let items: Vec<String> = sentences.iter().map(|sentence| format!("<li>{}</li>\n", escape(sentence))).collect();
    format!("<ul>\n{}</ul>\n", items.concat())
}

fn reprocess(statistics: &Statistics) -> String {
    let reprocess = &statistics.quality.reprocess;
    match (reprocess.needed, reprocess.priority) {
        (false, _) => "not needed".to_owned(),
        (true, Some(priority)) => format!("yes, {} priority", priority_name(priority)),
        (true, None) => "yes".to_owned(),
    }
}

fn priority_name(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
    }
}

fn band(band: Band) -> &'static str {
    match band {
        Band::Low => "low",
        Band::Medium => "medium",
        Band::High => "high",
    }
}
