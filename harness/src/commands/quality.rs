//! `quality`: the scores of the published months, held to a threshold and to each other. Every figure is one of the
//! statistics.

use std::{collections::BTreeMap, io::IsTerminal, thread, time::Duration};

use archive::{
    failures::{self, FailureError},
    holdings::month_of,
    manifest, published,
    store::Store,
};
use base::exit::{self, Usage};
use data::Month;
use serde::Serialize;

use crate::{cli::QualityArgs, progress::Bar, settings::Settings};
use statistics::{
    Statistics, Wrong,
    quality::{
        consistency::{Likeness, Unlike, unlike},
        list,
        trend::{RECENT, Trend},
    },
    score::{Band, Priority, Quality, Reprocess},
};

/// Share of the months to make again beyond which it is one fault of them all.
const SYSTEMIC: f64 = 0.2;
/// Time between two looks of `--watch`.
const REFRESH: Duration = Duration::from_secs(5);

/// The quality of an archive.
#[derive(Debug, Serialize)]
struct Archive {
    /// Least score of the gate.
    threshold: f64,
    /// Months with their scores, in order.
    months: Vec<Scored>,
    /// Months without statistics to look at.
    absent: Vec<Absent>,
    /// Months that miss the gate, those that are wrong included.
    under: Vec<Month>,
    /// Where the scores go.
    trend: Option<Trend>,
    /// What is unlike the archive.
    unlike: Vec<Unlike>,
    /// Months to make again, the most urgent first; none where it is one fault of them all.
    reprocess: Vec<Recommendation>,
    /// More than a fifth of the months should be made again.
    systemic: Option<Systemic>,
}

/// A month and its score.
#[derive(Debug, Serialize)]
struct Scored {
    /// The month.
    month: Month,
    /// Its version.
    version: String,
    /// What makes it wrong, and what to do about it.
    wrong: Vec<String>,
    /// Its score and deductions.
    quality: Quality,
}

/// A month without statistics.
#[derive(Debug, Serialize)]
struct Absent {
    /// The month.
    month: Month,
    /// Whether it was asked for by name.
    wanted: bool,
    /// Why there are none.
    reason: String,
}

/// A month to reprocess.
#[derive(Clone, Debug, Serialize)]
struct Recommendation {
    /// The month.
    month: Month,
    /// How urgent it is.
    priority: Priority,
    /// Why.
    reasons: Vec<String>,
}

/// One fault of many months.
#[derive(Debug, Serialize)]
struct Systemic {
    /// How many should be reprocessed.
    months: usize,
    /// Their share of the published months.
    share: f64,
    /// What most of them have.
    reason: String,
}

/// Runs the command.
pub fn run(args: &QualityArgs, settings: &Settings) -> crate::Result<u8> {
    if !(0.0..=1.0).contains(&args.threshold) {
        return Err(Usage(format!("--threshold {}: expected a score from 0 to 1", args.threshold)).into());
    }
    let store = Store::open(settings.text("store"), settings.access)?;
    loop {
        let archive = Archive::read(args, &store)?;
        if args.watch && std::io::stdout().is_terminal() {
            // Clears the screen.
            println!("\x1b[2J\x1b[H");
        }
        if args.json {
            println!("{}", serde_json::to_string_pretty(&archive)?);
        } else {
            archive.print();
        }
        if !args.watch {
            return Ok(if archive.passes() { 0 } else { exit::PARTLY });
        }
        thread::sleep(REFRESH);
    }
}

impl Archive {
    fn read(args: &QualityArgs, store: &Store) -> crate::Result<Self> {
        let there = published::months(store)?;
        let all = args.months.or_else(|| data::MonthRange::new(*there.first()?, *there.last()?));
        let all = all.ok_or_else(|| Usage(format!("no month is published in {}: check --store", store.name())))?;
        let (mut months, mut absent, mut likenesses) = (Vec::new(), Vec::new(), Vec::new());
        let bar = Bar::new();
        bar.task("quality", there.len() as u64);
        let wanted = |month: Month| (all.first()..=all.last()).contains(&month);
        let failed = failed(store)?;
        for &month in &there {
            match one(store, month) {
                Ok((version, found)) => {
                    if wanted(month) {
                        let mut quality = found.quality.clone();
                        if let Some(error) = failed.get(&month) {
                            let reasons = [vec![error.clone()], quality.reprocess.reasons].concat();
                            quality.reprocess = Reprocess::because(reasons, Priority::High);
                        }
                        let wrong = found.errors.iter().map(Wrong::sentence).collect();
                        months.push(Scored { month, version, wrong, quality });
                    }
                    likenesses.push((month, Likeness::of(&found)));
                }
                Err(error) if error.class().is_of_one_month() => {
                    absent.push(Absent { month, wanted: true, reason: exit::sentence(&error) });
                }
                Err(error) => return Err(error),
            }
            bar.step();
        }
        bar.finish();
        absent.retain(|absent| wanted(absent.month));
        let missing = all.iter().filter(|month| !there.contains(month));
        let by_name = args.months.is_some();
        absent.extend(missing.map(|month| {
            let reason = failed.get(&month).map_or("not published", String::as_str).to_owned();
            Absent { month, wanted: by_name, reason }
        }));
        absent.sort_by_key(|absent| absent.month);
        let mut archive = Self {
            threshold: args.threshold,
            under: months
                .iter()
                .filter(|one| one.quality.score < args.threshold || !one.wrong.is_empty())
                .map(|one| one.month)
                .collect(),
            trend: Trend::new(&months.iter().map(|one| (one.month, one.quality.score)).collect::<Vec<_>>()),
            unlike: unlike(&likenesses, &wanted),
            reprocess: Vec::new(),
            systemic: None,
            months,
            absent,
        };
        archive.recommend();
        Ok(archive)
    }

    /// Who should be made again: by priority, or all at once.
    fn recommend(&mut self) {
        let weak = self.months.iter().filter(|one| one.quality.reprocess.needed).map(|one| Recommendation {
            month: one.month,
            priority: one.quality.reprocess.priority.unwrap_or(Priority::Low),
            reasons: one.quality.reprocess.reasons.clone(),
        });
        let absent = self.absent.iter().map(|absent| Recommendation {
            month: absent.month,
            priority: Priority::High,
            reasons: vec![absent.reason.clone()],
        });
        let mut needed: Vec<Recommendation> = weak.chain(absent).collect();
        needed.sort_by_key(|one| (std::cmp::Reverse(one.priority), one.month));
        let of = (self.months.len() + self.absent.len()).max(1);
        let share = needed.len() as f64 / of as f64;
        if share > SYSTEMIC && needed.len() > 1 {
            self.systemic = Some(Systemic { months: needed.len(), share, reason: most_common(&needed) });
        } else {
            self.reprocess = needed;
        }
    }

    /// Whether no month misses the gate.
    fn passes(&self) -> bool {
        self.under.is_empty() && !self.absent.iter().any(|absent| absent.wanted)
    }

    fn print(&self) {
        let Self { threshold, months, absent, under, trend, unlike, reprocess, systemic } = self;
        let band = |wanted: Band| months.iter().filter(|one| one.quality.band == wanted).count();
        let ends =
            months.first().zip(months.last()).map(|(first, last)| format!(" from {} to {}", first.month, last.month));
        println!(
            "{} months{}: {} high, {} medium, {} low",
            months.len(),
            ends.unwrap_or_default(),
            band(Band::High),
            band(Band::Medium),
            band(Band::Low)
        );
        for Absent { month, reason, .. } in absent {
            println!("  {month}  no statistics: {reason}");
        }
        let wrong = months.iter().filter(|one| !one.wrong.is_empty()).count();
        if wrong > 0 {
            println!("wrong, whatever the score: {wrong} of these, see the reasons");
        }
        println!(
            "gate {threshold}: {}",
            if under.is_empty() { "none below it".into() } else { format!("{} below it", under.len()) }
        );
        for Scored { month, quality, wrong, .. } in months.iter().filter(|one| under.contains(&one.month)) {
            println!("  {month}  {:.3}", quality.score);
            wrong.iter().for_each(|wrong| println!("    {wrong}"));
            for deduction in &quality.deductions {
                println!("    -{:<6.3} {}", deduction.amount, deduction.reason);
            }
        }
        if let Some(Trend { slope_per_year, recent, before }) = trend {
            let slope =
                slope_per_year.map_or("no trend with one month".to_owned(), |slope| format!("{slope:+.4} a year"));
            let before = before.map_or(String::new(), |before| format!(", {before:.3} before"));
            println!("trend: {slope}; mean of the last {RECENT} months {recent:.3}{before}");
        }
        let recent: Vec<Month> = months.iter().rev().take(RECENT).map(|one| one.month).collect();
        let mut all: Vec<Month> = unlike.iter().map(|one| one.month).collect();
        all.dedup();
        let late = all.iter().filter(|month| recent.contains(month)).count();
        println!("consistency: {} months unlike the archive, {late} of the last {RECENT}", all.len());
        for Unlike { month, figure, value, low, high } in unlike {
            println!("  {month}  {figure} {value:.4}, usually {low:.4} to {high:.4}");
        }
        if let Some(Systemic { months, share, reason }) = systemic {
            println!("reprocess: one systemic fault, {months} months ({:.0} %): {reason}", 100.0 * share);
            return;
        }
        println!("reprocess: {} months", reprocess.len());
        for Recommendation { month, priority, reasons } in reprocess {
            println!("  {month}  {:7} {}", format!("{priority:?}").to_lowercase(), list(reasons));
        }
    }
}

/// The current version of a month and its statistics.
fn one(store: &Store, month: Month) -> crate::Result<(String, Statistics)> {
    let Some((manifest, _)) = manifest::read(store, month)? else {
        return Err(published::PublishedError::Missing { key: manifest::key(month) }.into());
    };
    let statistics = published::statistics(store, &manifest.current);
    match statistics {
        Err(published::PublishedError::Store(error)) => Err(error.into()),
        found => Ok((manifest.current.version, found?)),
    }
}

/// Why months failed at their last run, published before or not.
fn failed(store: &Store) -> crate::Result<BTreeMap<Month, String>> {
    let objects = store.list(failures::FOLDER, None)?;
    let months = objects.iter().filter_map(|object| month_of(&object.key));
    let errors = months.map(|month| {
        let error = match failures::read(store, month) {
            Ok(failure) => failure?.error,
            Err(FailureError::Store(error)) => return Some(Err(error.into())),
            Err(error) => exit::sentence(&error.into()),
        };
        Some(Ok((month, format!("the last run failed: {error}"))))
    });
    errors.flatten().collect()
}

/// The first words of the reason most of the months have.
fn most_common(needed: &[Recommendation]) -> String {
    let words = |reason: &str| reason.split([' ', ':']).next().unwrap_or_default().to_owned();
    let mut counts: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for recommendation in needed {
        let mut kinds: Vec<(String, &str)> =
            recommendation.reasons.iter().map(|reason| (words(reason), reason.as_str())).collect();
        kinds.dedup_by(|a, b| a.0 == b.0);
        for (kind, reason) in kinds {
            counts.entry(kind).or_insert((0, reason)).0 += 1;
        }
    }
    let most = counts.into_values().max_by_key(|(count, _)| *count);
    most.map_or_else(String::new, |(count, reason)| format!("{count} of them such as \"{reason}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use statistics::score::Reprocess;

    /// Months with these scores, those under 0.7 to be made again.
    fn archive(scores: &[f64]) -> Archive {
        let range: data::MonthRange = "2013-01..2016-12".parse().unwrap();
        let scored = |(month, &score): (Month, &f64)| {
            let needed = score < 0.7;
            let priority = needed.then_some(if score < 0.5 { Priority::High } else { Priority::Medium });
            let reasons = needed.then(|| format!("score {score:.3} is below 0.7")).into_iter().collect();
            let reprocess = Reprocess { needed, priority, reasons };
            Scored {
                month,
                version: String::new(),
                wrong: Vec::new(),
                quality: Quality { score, reprocess, ..Quality::default() },
            }
        };
        let mut archive = Archive {
            threshold: 0.8,
            months: range.iter().zip(scores).map(scored).collect(),
            absent: Vec::new(),
            under: Vec::new(),
            trend: None,
            unlike: Vec::new(),
            reprocess: Vec::new(),
            systemic: None,
        };
        archive.recommend();
        archive
    }

    #[test]
    fn months_are_recommended_by_priority_then_time() {
        let months: Vec<(String, Priority)> = archive(&[0.9, 0.6, 0.9, 0.4, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9])
            .reprocess
            .iter()
            .map(|one| (one.month.to_string(), one.priority))
            .collect();
        assert_eq!(months, [("2013-04".to_owned(), Priority::High), ("2013-02".to_owned(), Priority::Medium)]);
    }

    #[test]
    fn more_than_a_fifth_of_the_months_is_one_fault() {
        let scores = |weak: usize| [vec![0.6; weak], vec![0.9; 10 - weak]].concat();
        assert_eq!((archive(&scores(2)).reprocess.len(), archive(&scores(2)).systemic.is_none()), (2, true));
        let systemic = archive(&scores(3));
        let fault = systemic.systemic.unwrap();
        assert_eq!((systemic.reprocess.len(), fault.months), (0, 3));
        assert_eq!(fault.reason, "3 of them such as \"score 0.600 is below 0.7\"");
    }
}
