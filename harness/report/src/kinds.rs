//! What each kind of report on an archive holds.

use archive::state::State;
use jiff::{SignedDuration, Timestamp};

use super::{
    archive::Archive,
    archive_figures as figures, archive_tables as tables,
    document::{Document, Figure, Section},
    table::Cell,
    text,
};

/// What is reported of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The last 24 hours.
    Daily,
    /// The last seven days.
    Weekly,
    /// Everything.
    Final,
    /// Scores, gates, deductions, drift, what to reprocess.
    Quality,
    /// Stage times, time per row, memory, retries.
    Performance,
    /// Nothing but what is added to it: the success criteria.
    Success,
}

/// Above this share of months to be made again they have one cause.
const SYSTEMIC: f64 = 0.20;

/// The report; with charts only where its format has them.
pub fn document(kind: Kind, archive: &Archive, with_charts: bool) -> Document {
    let days = if kind == Kind::Daily { 1 } else { 7 };
    let since = archive.read - SignedDuration::from_hours(24 * days);
    let (title, name) = match kind {
        Kind::Daily => (format!("Daily report, since {}", text::time(since)), "daily"),
        Kind::Weekly => (format!("Weekly report, since {}", text::time(since)), "weekly"),
        Kind::Quality => ("Quality of the archive".to_owned(), "quality"),
        Kind::Performance => ("Performance of the archive".to_owned(), "performance"),
        Kind::Success => ("Success of the archive".to_owned(), "success"),
        Kind::Final => ("The whole archive".to_owned(), "final"),
    };
    let figures = if with_charts && !archive.months.is_empty() { charts(kind, archive) } else { Vec::new() };
    Document {
        kind: name,
        about: format!("Training data in {}, {}", archive.store, text::time(archive.read)),
        title,
        generated: archive.read,
        score: None,
        facts: facts(kind, archive, since),
        errors: archive.errors(),
        figures,
        sections: sections(kind, archive, since),
        footer: concat!("harness ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

fn facts(kind: Kind, archive: &Archive, since: Timestamp) -> Vec<(&'static str, Cell)> {
    let scores = || archive.published().map(|(_, month)| month.quality.score);
    let months = archive.published().count();
    let mean = (months > 0).then(|| scores().sum::<f64>() / months as f64);
    let states = |state| Cell::count(archive.lines(state).count() as u64);
    let rows: u64 = archive.published().map(|(_, month)| month.rows()).sum();
    let range = archive.months.first().zip(archive.months.last());
    let range = range.map_or_else(String::new, |(first, last)| format!("{} to {}", first.line.month, last.line.month));
    let mut facts = vec![("Months", Cell::text(range)), ("Published", states(State::Published))];
    let recent = matches!(kind, Kind::Daily | Kind::Weekly);
    let shown = if recent { since } else { Timestamp::MIN };
    if recent {
        let new = archive.months.iter().filter(|entry| entry.line.published.is_some_and(|time| time >= since));
        facts.push(("Published in this time", Cell::count(new.count() as u64)));
    }
    let wrong = archive.published().filter(|(_, month)| !month.errors.is_empty()).count() as u64;
    facts.push(("Wrong", Cell::count(wrong).faulty_if(wrong > 0)));
    facts.extend([
        ("Failed", Cell::count(archive.failed(shown).count() as u64)),
        ("Withheld", Cell::count(archive.withheld(shown).count() as u64)),
        ("Pending", states(State::Pending)),
        ("Gaps", states(State::Gap)),
    ]);
    if kind == Kind::Performance {
        let performances = || archive.published().map(|(_, month)| &month.performance);
        let seconds: f64 = performances().map(|of| of.seconds).sum();
        facts.extend([
            ("Seconds, sum of the months", Cell::fixed(Some(seconds), 1)),
            ("Longest month, seconds", Cell::fixed(performances().map(|of| of.seconds).reduce(f64::max), 2)),
            ("Peak memory", Cell::bytes(performances().filter_map(|of| of.peak_rss_bytes).max())),
            ("Retries", Cell::count(performances().map(|of| of.retries).sum())),
        ]);
    } else {
        facts.extend([
            ("Mean quality", Cell::fixed(mean, 3)),
            ("Lowest quality", Cell::fixed(scores().reduce(f64::min), 3)),
        ]);
    }
    facts.push(("Rows", Cell::count(rows)));
    facts
}

fn charts(kind: Kind, archive: &Archive) -> Vec<Figure> {
    let mut charts = vec![figures::calendar(archive, &[])];
    let quality = matches!(kind, Kind::Quality | Kind::Final);
    let performance = matches!(kind, Kind::Performance | Kind::Final);
    if quality || !performance {
        charts.push(figures::scores(archive));
        charts.extend(figures::win_rates(archive));
    }
    if quality {
        charts.extend([
            figures::parts(archive),
            figures::filled(archive),
            figures::nan_shares(archive),
            figures::roll_gaps(archive),
            figures::drift(archive),
        ]);
    }
    if performance {
        charts.extend([
            figures::stage_times(archive),
            figures::ns_per_row(archive),
            figures::clock(archive),
            figures::memory(archive),
        ]);
        charts.extend(figures::retries(archive));
    }
    charts
}

fn sections(kind: Kind, archive: &Archive, since: Timestamp) -> Vec<Section> {
    let always = Timestamp::MIN;
    let wrong = || Section::new("wrong", "Wrong", tables::wrong(archive));
    let months = || Section::new("months", "Months", tables::months(archive));
    let failed = |since| Section::new("failed", "Failed", tables::failed(archive, since));
    let withheld = |since| Section::new("withheld", "Withheld", tables::withheld(archive, since));
    let reprocessing =
        || Section::new("reprocessing", "To reprocess", tables::reprocessing(archive)).saying(systemic(archive));
    let win_rates = || Section::new("win_rates", "Win rates", tables::win_rates(archive));
    let performance = || {
        [
            Section::new("stages", "Time by stage", tables::stage_totals(archive)),
            Section::new("performance", "Time and memory by month", tables::performance(archive)),
        ]
    };
    let quality = || {
        let (drift, found) = tables::drift(archive);
        let more = (found > drift.rows.len()).then(|| format!("The {} largest of {found}.", drift.rows.len()));
        vec![
            wrong(),
            Section::new("gates", "Gates", tables::gates(archive)),
            reprocessing(),
            months(),
            win_rates(),
            Section::new("deductions", "Deductions", tables::deductions(archive)),
            Section::new("drift", "Drift", drift).saying(more),
            Section::new("rollovers", "Rollovers", tables::rollovers(archive)),
        ]
    };
    match kind {
        Kind::Daily | Kind::Weekly => vec![
            wrong(),
            Section::new("published", "Published", tables::published(archive, since)),
            failed(since),
            withheld(since),
            reprocessing(),
            win_rates(),
        ],
        Kind::Quality => quality().into_iter().chain([withheld(always)]).collect(),
        Kind::Performance => performance().into(),
        // Its only section needs more than the archive: see `success`.
        Kind::Success => Vec::new(),
        Kind::Final => quality().into_iter().chain([failed(always), withheld(always)]).chain(performance()).collect(),
    }
}

/// Many months to be made again are one fault, not as many.
fn systemic(archive: &Archive) -> Option<String> {
    let months = archive.published().count();
    let needed = archive.published().filter(|(_, month)| month.quality.reprocess.needed).count();
    (needed as f64 > SYSTEMIC * months as f64).then(|| {
        format!(
            "{needed} of {months} published months should be reprocessed, more than {}: look for a common cause, such as a setting \
             or the raw files, before reprocessing them one by one.",
            text::percent(SYSTEMIC, 0)
        )
    })
}
