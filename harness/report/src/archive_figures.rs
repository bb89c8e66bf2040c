//! Charts of an archive.

use archive::{state::State, survey::Line};
use data::Month;
use kernels::labels::Direction;

use super::{
    archive::{Archive, Entry},
    charts::{
        calendar::{self, Day, Tone},
        heat::{self, Row},
        modes::USUAL_WINS,
        timeline::{Series, Timeline},
    },
    document::Figure,
    month::WIDTHS,
    text,
};
use statistics::{Statistics, Wrong, drift::robust_z, feature_ranges};

const SIZE: (u32, u32) = (640, 240);
const GB: f64 = 1e9;

fn percent(share: f64, decimals: usize) -> String {
    text::percent(share, decimals.saturating_sub(2))
}

fn gigabytes(bytes: f64, decimals: usize) -> String {
    format!("{} GB", text::fixed(bytes / GB, decimals.max(2)))
}

fn seconds(seconds: f64, decimals: usize) -> String {
    format!("{} s", text::fixed(seconds, decimals))
}

/// The calendar of all months, of which some may be running.
pub fn calendar(archive: &Archive, running: &[Month]) -> Figure {
    let day = |entry: &Entry| {
        if running.contains(&entry.line.month) {
            let tip = format!("{} running", entry.line.month);
            return Day { month: entry.line.month, tone: Tone::Running, short: "run".to_owned(), tip };
        }
        day(entry)
    };
    let days: Vec<Day> = archive.months.iter().map(day).collect();
    let reading = "Numbers are quality scores: green from 0.8 (edged below 0.95), amber from 0.6, red below. \
                   failed: the last run failed; held: withheld by a gate; !: a newer version failed or is held; \
                   raw: not run yet; out: removed; \u{2013}: no raw file.";
    Figure::new("Months by quality", reading, calendar::calendar(&days))
}

fn day(Entry { line, statistics, .. }: &Entry) -> Day {
    let (tone, short) = match (line.state, line.score) {
        (State::Published, Some(score)) => {
            let newer = line.failure.is_some() || line.withheld.is_some();
            (Tone::of(score), format!("{}{}", text::fixed(score, 3), if newer { "!" } else { "" }))
        }
        (State::Published | State::Running | State::Damaged, _) => (Tone::Failed, "bad".to_owned()),
        (State::Failed, _) => (Tone::Failed, "failed".to_owned()),
        (State::Withheld, _) => (Tone::Withheld, "held".to_owned()),
        (State::Removed, _) => (Tone::Pending, "out".to_owned()),
        (State::Pending, _) => (Tone::Pending, "raw".to_owned()),
        (State::Gap, _) => (Tone::Nothing, "\u{2013}".to_owned()),
    };
    Day { month: line.month, tone, short, tip: tip(line, statistics.as_ref()) }
}

fn tip(line: &Line, statistics: Option<&Statistics>) -> String {
    let mut said = vec![format!("{} {}", line.month, line.state.text())];
    said.extend(statistics.iter().flat_map(|statistics| &statistics.errors).map(Wrong::sentence));
    said.extend(line.score.map(|score| format!("quality {}", text::fixed(score, 3))));
    said.extend(line.rows.map(|rows| format!("{} rows", text::count(rows))));
    said.extend(statistics.iter().flat_map(|statistics| &statistics.quality.deductions).map(|of| of.reason.clone()));
    said.extend(line.withheld.iter().map(|withheld| format!("withheld: {}", withheld.sentence())));
    said.extend(line.failure.iter().map(|failure| failure.error.clone()));
    said.extend(line.errors.iter().cloned());
    said.join("\n")
}

/// Score of each month.
pub fn scores(archive: &Archive) -> Figure {
    let months = archive.axis();
    let chart = Timeline {
        title: "Quality score by month",
        months: &months,
        size: SIZE,
        usual: Some((0.8, 1.0)),
        least: (0.5, 1.0),
        show: text::fixed,
        decimals: 3,
    };
    let drawing = chart.lines(&[archive.series("", |month| Some(month.quality.score))]);
    Figure::new("Quality score", "The shaded range starts at 0.8; red is below.", drawing)
}

/// The five parts of the score.
pub fn parts(archive: &Archive) -> Figure {
    let months = archive.axis();
    let chart = Timeline {
        title: "Parts of the score by month",
        months: &months,
        size: SIZE,
        usual: None,
        least: (0.5, 1.0),
        show: text::fixed,
        decimals: 3,
    };
    let series = [
        archive.series("modes", |month| Some(month.quality.parts.modes)),
        archive.series("data", |month| Some(month.quality.parts.data)),
        archive.series("features", |month| Some(month.quality.parts.features)),
        archive.series("performance", |month| Some(month.quality.parts.performance)),
        archive.series("rolls", |month| Some(month.quality.parts.rolls)),
    ];
    Figure::new("Parts of the score", "From 0 to 1 for each part.", chart.lines(&series))
}

/// Win rates of the long modes and of the short ones.
pub fn win_rates(archive: &Archive) -> [Figure; 2] {
    let (months, modes) = (archive.axis(), archive.modes());
    let of = |direction: Direction, title: &'static str| -> Figure {
        let chart = Timeline {
            title,
            months: &months,
            size: SIZE,
            usual: Some((*USUAL_WINS.start(), *USUAL_WINS.end())),
            least: (0.0, 0.55),
            show: percent,
            decimals: 4,
        };
        let modes = modes.iter().filter(|mode| mode.direction == direction);
        let series = modes.map(|mode| {
            archive.series(text::words(&mode.name), |month| month.modes.get(&*mode.name).and_then(|mode| mode.win_rate))
        });
        let drawing = chart.lines(&series.collect::<Vec<_>>());
        Figure::new(
            title,
            "Share of the rows labelled 1; the usual range, 5 to 50 %, is shaded; red is outside.",
            drawing,
        )
    };
    [of(Direction::Long, "Win rates, long"), of(Direction::Short, "Win rates, short")]
}

/// Share of the seconds without a trade.
pub fn filled(archive: &Archive) -> Figure {
    let months = archive.axis();
    let chart = Timeline {
        title: "Seconds without a trade by month",
        months: &months,
        size: SIZE,
        usual: Some((0.0, 0.3)),
        least: (0.0, 0.1),
        show: percent,
        decimals: 4,
    };
    let drawing = chart.lines(&[archive.series("", |month| Some(filled_share(month)))]);
    let reading = "Share of the rows filled with the previous close; above the shaded 30 % the score drops.";
    Figure::new("Seconds without a trade", reading, drawing)
}

/// Gaps of price at the rolls.
pub fn roll_gaps(archive: &Archive) -> Figure {
    let months = archive.axis();
    let chart = Timeline {
        title: "Price gap of the rolls",
        months: &months,
        size: SIZE,
        usual: None,
        least: (-1.0, 1.0),
        show: |points, decimals| text::fixed(points, decimals),
        decimals: 2,
    };
    // A month with several rolls shows the largest.
    let largest = |month: &Statistics| {
        let gaps = month.rollovers.iter().filter_map(|roll| roll.price_gap);
        gaps.max_by(|left, right| left.abs().total_cmp(&right.abs()))
    };
    let unexpected =
        |month: &Statistics| largest(month).filter(|_| month.rollovers.iter().any(|roll| roll.expected == Some(false)));
    let series = [archive.series("gap, points", largest), archive.series("outside the expected window", unexpected)];
    Figure::new(
        "Price gap of the rolls",
        "Points between the contracts at each change of the front; the largest of a month.",
        chart.lines(&series),
    )
}

/// Shares of NaN.
pub fn nan_shares(archive: &Archive) -> Figure {
    let months = archive.axis();
    let chart = Timeline {
        title: "Share of NaN by month",
        months: &months,
        size: SIZE,
        usual: None,
        least: (0.0, 0.02),
        show: percent,
        decimals: 4,
    };
    let shares = |month: &Statistics| month.features.values().map(|feature| feature.nan_share).collect::<Vec<_>>();
    let mean = |month: &Statistics| Some(shares(month).iter().sum::<f64>() / month.features.len() as f64);
    let most = |month: &Statistics| shares(month).into_iter().reduce(f64::max);
    let series = [archive.series("mean of the features", mean), archive.series("the feature with the most", most)];
    Figure::new("NaN", "Share of the rows. Windows that are not yet full give NaN.", chart.lines(&series))
}

/// Deviation of each feature's median from the archive's.
pub fn drift(archive: &Archive) -> Figure {
    let rows: Vec<Row> = drifts(archive).collect();
    let months = archive.axis();
    let draw = |(width, class)| (class, heat::heat("Drift of the features", &months, &rows, width));
    let reading = "Robust z of each feature's monthly median against the archive's median: red above, blue below, \
                   coloured from 2, stronger from 3.5, 5 and 10. Features in points follow the price level.";
    Figure {
        title: "Drift of the features",
        reading: reading.to_owned(),
        class: "full",
        drawings: WIDTHS.into_iter().map(draw).collect(),
    }
}

/// Share of a month's rows without a trade.
pub fn filled_share(month: &Statistics) -> f64 {
    let filled: u64 = month.sessions.iter().map(|session| session.filled_rows).sum();
    filled as f64 / month.rows().max(1) as f64
}

/// Robust z of the median of each feature and month.
pub fn drifts(archive: &Archive) -> impl Iterator<Item = Row> {
    feature_ranges::names().map(|name| {
        let Series { values, .. } = archive.series("", |month| month.features.get(name)?.p50);
        Row { name: name.to_owned(), deviations: robust_z(&values) }
    })
}

/// Stages of the months in the order they come.
pub fn stages(archive: &Archive) -> Vec<&str> {
    let mut stages: Vec<&str> = Vec::new();
    for stage in archive.published().flat_map(|(_, month)| &month.performance.stages) {
        if !stages.contains(&stage.name.as_str()) {
            stages.push(&stage.name);
        }
    }
    stages
}

/// Busy seconds of each stage.
pub fn stage_times(archive: &Archive) -> Figure {
    let months = archive.axis();
    let chart = Timeline {
        title: "Busy seconds by stage and month",
        months: &months,
        size: SIZE,
        usual: None,
        least: (0.0, 0.1),
        show: seconds,
        decimals: 3,
    };
    let of = |stage: &&str| {
        archive.series(*stage, |month| {
            month.performance.stages.iter().find(|found| found.name == *stage).map(|found| found.seconds)
        })
    };
    let series: Vec<Series> = stages(archive).iter().map(of).collect();
    let reading = "Busy time of each stage, summed over threads: more than the wall-clock time.";
    Figure::new("Time by stage", reading, chart.bars(&series))
}

/// Nanoseconds a row of each stage.
pub fn ns_per_row(archive: &Archive) -> Figure {
    let months = archive.axis();
    let chart = Timeline {
        title: "Nanoseconds per row by stage and month",
        months: &months,
        size: SIZE,
        usual: None,
        least: (0.0, 1.0),
        show: |time, _| format!("{} ns", text::fixed(time, 0)),
        decimals: 0,
    };
    let of = |stage: &&str| {
        archive.series(*stage, |month| {
            month.performance.stages.iter().find(|found| found.name == *stage).and_then(|found| found.ns_per_row)
        })
    };
    let series: Vec<Series> = stages(archive).iter().map(of).collect();
    Figure::new("Time per row", "Busy nanoseconds per row; for decoding, per record.", chart.lines(&series))
}

/// Seconds on the clock.
pub fn clock(archive: &Archive) -> Figure {
    let months = archive.axis();
    let chart = Timeline {
        title: "Wall-clock seconds by month",
        months: &months,
        size: SIZE,
        usual: None,
        least: (0.0, 0.1),
        show: seconds,
        decimals: 2,
    };
    let drawing = chart.bars(&[archive.series("", |month| Some(month.performance.seconds))]);
    Figure::new("Wall-clock time", "From the start of decoding to the statistics of each month.", drawing)
}

/// Peak memory.
pub fn memory(archive: &Archive) -> Figure {
    let months = archive.axis();
    let chart = Timeline {
        title: "Peak memory by month",
        months: &months,
        size: SIZE,
        usual: None,
        least: (0.0, 0.1 * GB),
        show: gigabytes,
        decimals: 2,
    };
    let drawing =
        chart.lines(&[archive.series("", |month| month.performance.peak_rss_bytes.map(|bytes| bytes as f64))]);
    let reading = "Largest resident memory of the process so far; above 6 and 8 GB the score drops.";
    Figure::new("Peak memory", reading, drawing)
}

/// Repeated operations on the store, if there were any.
pub fn retries(archive: &Archive) -> Option<Figure> {
    if archive.published().all(|(_, month)| month.performance.retries == 0) {
        return None;
    }
    let months = archive.axis();
    let chart = Timeline {
        title: "Retried store operations by month",
        months: &months,
        size: SIZE,
        usual: None,
        least: (0.0, 4.0),
        show: |count, _| text::fixed(count, 0),
        decimals: 0,
    };
    let drawing = chart.bars(&[archive.series("", |month| Some(month.performance.retries as f64))]);
    Some(Figure::new("Retries", "Store operations that were retried.", drawing))
}
