//! The figures of the criteria: of each month where it has its own, else of the archive.

use std::collections::{BTreeMap, BTreeSet};

use archive::{
    discover::RawFile,
    failures,
    holdings::{Held, Holdings, within},
    store::Store,
};
use data::{Month, MonthRange, synth::TRUTH_FILE};
use jiff::{SignedDuration, Timestamp};

use super::{CRITERIA, covered, guide};
use crate::{
    rules::{Rule, Thresholds},
    watch::{
        figures::{Figures, Rolls},
        heartbeat::Heartbeat,
    },
};
use statistics::quality::consistency::unlike;

/// How long a month may take from the arrival of its raw file to its readers.
const DUE: SignedDuration = SignedDuration::from_hours(24);

/// One value of one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The rule it is for.
    pub rule: Rule,
    /// The month, run or disk; or `archive`.
    pub subject: String,
    /// The value, in the rule's unit.
    pub value: f64,
    /// What was counted, or where it was worst, in a few words.
    pub note: String,
    /// It as a sentence.
    pub text: String,
}

/// What there is to look at.
pub struct Sight<'a> {
    /// The store.
    pub store: &'a Store,
    /// What it holds.
    pub holdings: &'a Holdings,
    /// The raw files.
    pub raw: &'a [RawFile],
    /// Figures of the published months.
    pub figures: &'a BTreeMap<Month, Figures>,
    /// The runs it has heard of.
    pub runs: &'a [&'a Heartbeat],
    /// The months that are asked for; none: those that runs were asked for.
    pub asked: Option<MonthRange>,
    /// The alert rules.
    pub thresholds: &'a Thresholds,
    /// When.
    pub at: Timestamp,
}

impl Sight<'_> {
    /// Every reading there is.
    pub fn readings(&self) -> Vec<Reading> {
        let mut readings: Vec<Reading> = self.months().flat_map(|(month, figures)| of_month(month, figures)).collect();
        let archive = [
            self.error_rate(),
            self.rolls(),
            self.availability(),
            self.deviation(),
            self.unlike(),
            self.recovery(),
            Some(self.coverage()),
            documentation(),
        ];
        readings.extend(archive.into_iter().flatten());
        readings
    }

    fn months(&self) -> impl Iterator<Item = (Month, &Figures)> {
        self.figures.iter().map(|(&month, figures)| (month, figures)).filter(|&(month, _)| within(self.asked, month))
    }

    fn held(&self) -> impl Iterator<Item = (Month, &Held)> {
        self.holdings.months.iter().map(|(&month, held)| (month, held)).filter(|&(month, _)| within(self.asked, month))
    }

    /// Share of the months that were tried whose last run failed, as `status` has it.
    fn error_rate(&self) -> Option<Reading> {
        let tried = self.held().filter(|(_, held)| held.published || held.failed).count();
        let failed = self.held().filter(|(_, held)| held.failed).count();
        let text = format!("{failed} of {tried} months that were tried have failed");
        share(Rule::FailureRate, failed, tried, text)
    }

    /// Rolls on the right session: by the truth beside the raw files, and where there is none, in their expected windows.
    /// One that was invented counts as one that is wrong.
    fn rolls(&self) -> Option<Reading> {
        let Rolls { by_truth, found, expected } =
            self.months().fold(Rolls::default(), |all, (_, figures)| all.and(figures.rolls));
        let mut said = Vec::new();
        if by_truth.months > 0 {
            said.push(format!(
                "{} of {} by {TRUTH_FILE}, {} invented",
                by_truth.found, by_truth.happened, by_truth.invented
            ));
        }
        if found > 0 {
            said.push(format!(
                "{expected} of {found} in their expected window, or by the volumes where the root has none"
            ));
        }
        let of = by_truth.happened + by_truth.invented + found;
        share(
            Rule::RollDetection,
            (by_truth.found + expected) as usize,
            of as usize,
            format!("rolls: {}", said.join("; ")),
        )
    }

    /// Of the months asked for whose raw file is there, those that readers find intact, and had in time.
    fn availability(&self) -> Option<Reading> {
        let mut raw: BTreeMap<Month, Option<Timestamp>> = BTreeMap::new();
        for file in self.raw {
            for month in MonthRange::new(file.first, file.last).into_iter().flat_map(MonthRange::iter) {
                let arrived = raw.entry(month).or_default();
                *arrived = (*arrived).max(file.modified);
            }
        }
        let (mut asked, mut there, mut absent, mut late) = (0, 0, Vec::new(), Vec::new());
        // What was there before the archive has no day on which it was due.
        let began = self.figures.values().map(|figures| figures.first_published).min();
        for (month, arrived) in raw {
            let held = self.holdings.held(month);
            let taken_out = held.removed && !held.published;
            let arrived = arrived.filter(|&arrived| began.is_some_and(|began| arrived > began));
            if !within(self.asked, month) || taken_out || self.asked.is_none() && !self.is_asked(month, arrived) {
                continue;
            }
            let found = self.figures.get(&month).filter(|figures| intact(held, figures));
            // One that was never published may be on its way: a run over it has begun, or its file has just come.
            let begun =
                self.runs.iter().filter(|run| (run.first..=run.last).contains(&month)).map(|run| run.began).min();
            if !held.published && arrived.max(begun).is_some_and(|since| since + DUE > self.at) {
                continue;
            }
            asked += 1;
            match found {
                None => absent.push(month),
                Some(figures) if arrived.is_some_and(|arrived| figures.first_published > arrived + DUE) => {
                    late.push(month)
                }
                Some(_) => there += 1,
            }
        }
        let mut text = format!("{there} of {asked} months with a raw file are there, intact and in time");
        for (what, months) in [("not there", absent), ("late", late)] {
            if let Some(first) = months.first() {
                text += &format!("; {what}: {first}");
                if months.len() > 1 {
                    text += &format!(" and {} more", months.len() - 1);
                }
            }
        }
        share(Rule::Availability, there, asked, text)
    }

    /// Whether runs were asked for a month: it lies between the first and the last that any was asked for, or its raw file
    /// has arrived since the last one of them was published.
    fn is_asked(&self, month: Month, arrived: Option<Timestamp>) -> bool {
        let tried = self.held().filter(|(_, held)| held.published || held.failed || held.withheld || held.removed);
        let of_runs = self.runs.iter().flat_map(|run| [run.first, run.last]);
        let asked: BTreeSet<Month> = tried.map(|(month, _)| month).chain(of_runs).collect();
        let (Some(&first), Some(&last)) = (asked.first(), asked.last()) else { return false };
        let latest = self.figures.last_key_value().map(|(_, figures)| figures.first_published);
        (first..=last).contains(&month) || month > last && latest.zip(arrived).is_some_and(|(latest, at)| at > latest)
    }

    fn deviation(&self) -> Option<Reading> {
        let scores: Vec<f64> = self.months().map(|(_, figures)| figures.score).collect();
        let count = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / count;
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        // The sample's; a single month has none.
        let value = if scores.len() > 1 { (squares / (count - 1.0)).sqrt() } else { 0.0 };
        let text = format!("the scores of {count} months deviate by {value:.3}");
        (!scores.is_empty()).then(|| archive(Rule::ScoreDeviation, value, text))
    }

    fn unlike(&self) -> Option<Reading> {
        let months: Vec<_> = self.figures.iter().map(|(&month, figures)| (month, figures.likeness.clone())).collect();
        let mut named: Vec<Month> =
            unlike(&months, &|month| within(self.asked, month)).iter().map(|one| one.month).collect();
        named.dedup();
        let names: Vec<String> = named.iter().map(Month::to_string).collect();
        let text = match names.len() {
            0 => "0 months are unlike the archive".to_owned(),
            many => format!("{many} months are unlike the archive: {}", names.join(", ")),
        };
        (!months.is_empty()).then(|| archive(Rule::MonthsUnlike, names.len() as f64, text))
    }

    /// Of the months that ever failed, those that were published later without a person's flag.
    fn recovery(&self) -> Option<Reading> {
        let records = self.holdings.others.iter().filter_map(|object| failures::recovered(&object.key));
        let records: BTreeMap<Month, bool> = records.filter(|&(month, _)| within(self.asked, month)).collect();
        let failing = |month: Month| self.holdings.held(month).failed && !self.outdated(month);
        let failed: BTreeSet<Month> = self
            .held()
            .filter(|(_, held)| held.failed)
            .map(|(month, _)| month)
            .chain(records.keys().copied())
            .collect();
        let alone = failed.iter().filter(|&&month| !failing(month) && records.get(&month) != Some(&true)).count();
        let helped = failed.iter().filter(|&&month| !failing(month) && records.get(&month) == Some(&true)).count();
        let mut text = format!("{alone} of {} months that failed were published later", failed.len());
        if helped > 0 {
            text += &format!(", {helped} more with --force");
        }
        share(Rule::Recovery, alone, failed.len(), text)
    }

    /// Whether the record of a failure is older than what is published: `clean` has not removed it yet.
    fn outdated(&self, month: Month) -> bool {
        let published = self.figures.get(&month).map(|figures| figures.published);
        let failed = failures::read(self.store, month).ok().flatten().map(|failure| failure.when);
        published.zip(failed).is_some_and(|(published, failed)| published > failed)
    }

    fn coverage(&self) -> Reading {
        let (covered, all) = (covered(self.thresholds), CRITERIA.len());
        let text = format!("{covered} of {all} criteria have a metric and an alert rule in force");
        archive(Rule::Coverage, covered as f64 / all as f64, text)
    }
}

fn documentation() -> Option<Reading> {
    let (passed, text) = guide::verdict()?;
    Some(archive(Rule::Documentation, if passed { 1.0 } else { 0.0 }, text))
}

/// Whether a month's objects are listed with the sizes its manifest names.
fn intact(held: &Held, figures: &Figures) -> bool {
    let listed =
        |(key, bytes): &(String, u64)| held.objects.iter().any(|object| (&object.key, object.bytes) == (key, *bytes));
    held.published && figures.objects.iter().all(listed)
}

fn archive(rule: Rule, value: f64, text: String) -> Reading {
    Reading { rule, subject: "archive".into(), value, note: text.clone(), text }
}

/// A share, where there is a whole.
fn share(rule: Rule, part: usize, whole: usize, text: String) -> Option<Reading> {
    (whole > 0).then(|| archive(rule, part as f64 / whole as f64, text))
}

fn of_month(month: Month, figures: &Figures) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut push = |rule, value: f64, of: &str, text: String| {
        let (subject, note) = (month.to_string(), format!("{month} {of}").trim_end().to_owned());
        readings.push(Reading { rule, subject, value, note, text });
    };
    let quality = match figures.wrong.first() {
        Some(wrong) => format!("{month} is {wrong}; its quality is {:.3}", figures.score),
        None => format!("the quality of {month} is {:.3}", figures.score),
    };
    push(Rule::Quality, figures.score, "", quality);
    let minutes = figures.seconds / 60.0;
    push(Rule::MonthMinutes, minutes, "", format!("{month} took {minutes:.0} minutes"));
    if let Some(bytes) = figures.peak_bytes {
        let value = bytes as f64 / 1e9;
        push(Rule::MemoryGb, value, "", format!("{month} took {value:.1} GB of memory"));
    }
    let by_rate = |a: &(&String, &f64), b: &(&String, &f64)| a.1.total_cmp(b.1);
    let rates = || figures.win_rates.iter().filter(|(mode, _)| !figures.within_band.contains(*mode));
    for (rule, rate) in [(Rule::WinRateLow, rates().min_by(by_rate)), (Rule::WinRateHigh, rates().max_by(by_rate))] {
        if let Some((mode, &value)) = rate {
            let text = format!("{mode} wins {:.1} % in {month}", 100.0 * value);
            push(rule, value, &mode.replace('_', " "), text);
        }
    }
    if let Some((value, feature)) = &figures.windowed_nan {
        let text = format!("{:.1} % of {feature} are NaN in {month}", 100.0 * value);
        push(Rule::NanShare, *value, feature, text);
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::Accuracy;
    use archive::store::Access;
    use statistics::quality::consistency::Likeness;

    fn figures(score: f64, rolls: Rolls) -> Figures {
        Figures {
            version: String::new(),
            tag: None,
            published: Timestamp::UNIX_EPOCH,
            rows: 1,
            score,
            wrong: Vec::new(),
            seconds: 90.0,
            peak_bytes: Some(2_000_000_000),
            win_rates: BTreeMap::from([
                ("low_vol_long".to_owned(), 0.3),
                ("high_vol_long".to_owned(), 0.2),
                ("rare".to_owned(), 0.01),
            ]),
            within_band: BTreeSet::from(["rare".to_owned()]),
            stages: Vec::new(),
            first_published: Timestamp::UNIX_EPOCH,
            objects: Vec::new(),
            windowed_nan: Some((0.03, "atr_300s".into())),
            rolls,
            likeness: Likeness::of(&statistics::fixtures::statistics()),
        }
    }

    fn readings(figures: &BTreeMap<Month, Figures>, asked: Option<MonthRange>) -> BTreeMap<Rule, Reading> {
        let folder = tempfile::tempdir().unwrap();
        let access = Access { timeout: std::time::Duration::from_secs(1), retries: 0 };
        let store = Store::open(folder.path().to_str().unwrap(), access).unwrap();
        let (holdings, thresholds) = (Holdings::default(), Thresholds::default());
        let sight = Sight {
            store: &store,
            holdings: &holdings,
            raw: &[],
            figures,
            runs: &[],
            asked,
            thresholds: &thresholds,
            at: Timestamp::now(),
        };
        let readings = sight.readings();
        let rules: BTreeSet<Rule> = readings.iter().map(|reading| reading.rule).collect();
        rules.into_iter().map(|rule| (rule, super::super::worst(rule, &readings).unwrap().clone())).collect()
    }

    #[test]
    fn the_worst_month_counts_and_the_scores_deviate_as_a_sample_does() {
        let months: MonthRange = "2013-01..2013-04".parse().unwrap();
        let scores = [0.9, 0.8, 1.0, 0.9];
        let found = Accuracy { months: 1, happened: 2, found: 1, invented: 1 };
        let rolls = [
            Rolls { by_truth: found, ..Rolls::default() },
            Rolls { found: 3, expected: 2, ..Rolls::default() },
            Rolls::default(),
            Rolls::default(),
        ];
        let all = months.iter().zip(scores.into_iter().zip(rolls));
        let all: BTreeMap<Month, Figures> = all.map(|(month, (score, rolls))| (month, figures(score, rolls))).collect();
        let found = readings(&all, None);
        let value = |rule: Rule| found[&rule].value;
        assert_eq!((value(Rule::Quality), found[&Rule::Quality].note.as_str()), (0.8, "2013-02"));
        assert_eq!([value(Rule::WinRateLow), value(Rule::WinRateHigh)], [0.2, 0.3]);
        assert_eq!(found[&Rule::WinRateLow].note, "2013-01 high vol long");
        assert_eq!([value(Rule::MonthMinutes), value(Rule::MemoryGb), value(Rule::NanShare)], [1.5, 2.0, 0.03]);
        // 0.1^2 twice over 3 degrees of freedom.
        assert!((value(Rule::ScoreDeviation) - (0.02_f64 / 3.0).sqrt()).abs() < 1e-12, "{found:?}");
        // One of two rolls by the truth and one invented; two of three in their window.
        assert_eq!(value(Rule::RollDetection), 3.0 / 6.0);
        assert_eq!(value(Rule::MonthsUnlike), 0.0);
        let narrow = readings(&all, "2013-03..2013-04".parse().ok());
        assert_eq!(narrow[&Rule::Quality].value, 0.9);
        assert!(!narrow.contains_key(&Rule::RollDetection), "no roll in them");
    }

    #[test]
    fn a_month_unlike_the_archive_is_counted() {
        let months: MonthRange = "2013-01..2013-08".parse().unwrap();
        let mut all: BTreeMap<Month, Figures> =
            months.iter().map(|month| (month, figures(0.9, Rolls::default()))).collect();
        assert_eq!(readings(&all, None)[&Rule::MonthsUnlike].value, 0.0);
        let mut odd = statistics::fixtures::statistics();
        odd.modes.values_mut().for_each(|mode| mode.win_rate = mode.win_rate.map(|rate| rate + 0.3));
        all.get_mut(&"2013-03".parse().unwrap()).unwrap().likeness = Likeness::of(&odd);
        let unlike = &readings(&all, None)[&Rule::MonthsUnlike];
        assert_eq!((unlike.value, unlike.text.as_str()), (1.0, "1 months are unlike the archive: 2013-03"));
    }
}
