//! `months list`: a line for every month that is known, whatever is wrong with it.

use std::collections::BTreeMap;

use archive::{
    failures::Failure,
    state::State,
    store::Store,
    survey::{Line, survey},
};
use base::exit;
use serde::Serialize;

use super::quality;
use crate::{cli::ListArgs, output::time, settings::Settings};
use statistics::score::Reprocess;

/// What is listed.
#[derive(Debug, Serialize)]
struct List<'a> {
    /// The months in order.
    months: &'a [Line],
    /// All of them together.
    totals: Totals,
}

/// The months of a list together.
#[derive(Debug, Serialize)]
struct Totals {
    /// How many there are.
    months: usize,
    /// How many are in each state.
    states: BTreeMap<State, usize>,
    /// Their rows.
    rows: u64,
    /// Lowest quality score; `null` where none has one.
    lowest_score: Option<f64>,
    /// Mean quality score.
    mean_score: Option<f64>,
}

/// Runs the command.
pub fn run(args: &ListArgs, settings: &Settings) -> crate::Result<u8> {
    let store = Store::open(settings.text("store"), settings.access)?;
    let raw = settings.raw_files(&settings.raw_store(&store)?)?;
    let mut lines = survey(&store, &raw, args.months, args.needed)?;
    let shown = |line: &Line| {
        args.below.is_none_or(|below| line.score.is_some_and(|score| score < below))
            && (!args.needed || line.reprocess.as_ref().is_some_and(|reprocess| reprocess.needed))
    };
    lines.retain(shown);
    let totals = Totals::of(&lines);
    let damaged = totals.states.contains_key(&State::Damaged);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&List { months: &lines, totals })?);
    } else {
        lines.iter().for_each(print);
        totals.print();
    }
    Ok(if damaged { exit::PARTLY } else { 0 })
}

fn print(line: &Line) {
    let Line { month, state, rows, score, version, published, earlier, raw, .. } = line;
    match (rows, score, version, published) {
        (Some(rows), Some(score), Some(version), Some(published)) => {
            let (quality, published) = (quality(*score), time(*published));
            println!("{month}  {:9}  {rows:>7} rows  {quality}  {published}  {version}", state.text());
        }
        _ => println!("{month}  {}", state.text()),
    }
    let note = |text: String| println!("         {text}");
    line.wrong.iter().for_each(|wrong| note(wrong.clone()));
    if line.pinned {
        note("rolled back: run keeps it until --force".into());
    }
    if *earlier > 0 {
        let what = if *state == State::Removed { "in the history" } else { "before it" };
        note(format!("{earlier} {} {what}", if *earlier == 1 { "version" } else { "versions" }));
    }
    if let Some(Reprocess { needed: true, reasons, .. }) = &line.reprocess {
        note(format!("reprocess: {}", reasons.join("; ")));
    }
    if let Some(Failure { error, when, exit_code, .. }) = &line.failure {
        note(format!("failed at {} with exit code {exit_code}: {error}", time(*when)));
    }
    if let Some(withheld) = &line.withheld {
        let what = if *state == State::Withheld { "" } else { "a newer version " };
        note(format!("{what}withheld at {}: {}", time(withheld.when), withheld.sentence()));
    }
    if let Some((first, last)) = raw.partial {
        note(format!("partial: its raw files cover {first} to {last}"));
    }
    if raw.files.len() > 1 {
        note(format!("raw files: {}", raw.files.join(", ")));
    }
    for same in &raw.duplicates {
        note(format!("duplicates for the same dates: {}", same.join(", ")));
    }
    line.errors.iter().for_each(|error| note(format!("error: {error}")));
}
impl Totals {
    fn of(lines: &[Line]) -> Self {
        let mut states = BTreeMap::new();
        lines.iter().for_each(|line| *states.entry(line.state).or_default() += 1);
        let scores: Vec<f64> = lines.iter().filter_map(|line| line.score).collect();
        Self {
            months: lines.len(),
            states,
            rows: lines.iter().filter_map(|line| line.rows).sum(),
            lowest_score: scores.iter().copied().reduce(f64::min),
            mean_score: (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64),
        }
    }

    fn print(&self) {
        let Self { months, states, rows, lowest_score, mean_score } = self;
        let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {}", state.text())).collect();
        let states = if states.is_empty() { String::new() } else { format!(": {}", states.join(", ")) };
        let scores = lowest_score.zip(*mean_score);
        let scores = scores
            .map_or_else(String::new, |(lowest, mean)| format!(", quality {mean:.3} on average, {lowest:.3} lowest"));
        println!("{months} {}{states}; {rows} rows{scores}", if *months == 1 { "month" } else { "months" });
    }
}
