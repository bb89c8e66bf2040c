//! One published month: manifest, both objects, and what they say.

use archive::{
    manifest::{self, Item, ManifestError, Version},
    published::{self, PublishedError},
    store::Store,
};
use base::exit;
use bytes::Bytes;
use data::Month;
use serde::Serialize;

use super::{
    data::Sample,
    file::Request,
    finding::{Check, Finding, Findings},
    making::Making,
    raw::Archive,
    rollover::{self, Accuracy},
    statistics,
    table::{Source, Table},
    wrong,
};
use ::statistics::{Statistics, feature_ranges::Overrides};

/// What the checks of a month, or of a file, came to.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The month; `null` for a file.
    pub month: Option<Month>,
    /// Rows of the Parquet.
    pub rows: u64,
    /// Rows of which labels, weights and features were computed anew.
    pub computed_anew: u64,
    /// Whether the raw records were there to compare with.
    pub raw: bool,
    /// Rolls found and rolls that happened, where that is known.
    pub rolls: Accuracy,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Exit code of the error that kept it from being looked at whole; 0 without one.
    pub stopped_by: u8,
}

/// The months of a store.
pub struct Months<'a> {
    /// Where they are published.
    pub store: &'a Store,
    /// Where their raw files are.
    pub archive: Archive<'a>,
    /// What to look at.
    pub checks: &'a [Check],
    /// What `data` computes anew.
    pub sample: Sample,
    /// Ranges of features that replace the usual ones.
    pub overrides: &'a Overrides,
}

impl Months<'_> {
    /// Checks one month; whatever is wrong with it is in the report.
    pub fn report(&self, month: Month) -> Report {
        let state = || manifest::read(self.store, month).ok().flatten().map(|(_, tag)| tag);
        let before = state();
        let report = self.look(month);
        // What was replaced while it was looked at is looked at again.
        if report.findings.is_empty() || state() == before { report } else { self.look(month) }
    }

    fn look(&self, month: Month) -> Report {
        let mut findings = Findings::new(Some(month));
        let mut report = Report { month: Some(month), ..Report::default() };
        if let Err(error) = self.check(month, &mut report, &mut findings) {
            findings.error(Check::Output, "store", exit::sentence(&error), "a store and temporary files that work");
            report.stopped_by = exit::code(&error);
        }
        report.findings = findings.into_inner();
        report
    }

    fn wants(&self, check: Check) -> bool {
        self.checks.contains(&check)
    }

    fn check(&self, month: Month, report: &mut Report, findings: &mut Findings) -> crate::Result<()> {
        let Some(version) = self.manifest(month, findings)? else { return Ok(()) };
        let making = match Making::new(&version.made_from) {
            Ok(making) => making,
            Err(error) => {
                findings.error(Check::Output, "manifest", error, "the settings the month was made with");
                return Ok(());
            }
        };
        let (parquet, json) = (
            self.object(&version.data, Check::Output, findings)?,
            self.object(&version.statistics, Check::Statistics, findings)?,
        );
        let statistics = json.and_then(|json| statistics::read(&json, findings));
        if let Some(statistics) = statistics.as_ref().filter(|statistics| statistics.month != month) {
            findings.error(Check::Statistics, "month", statistics.month.to_string(), month.to_string());
        }
        let before = statistics.as_ref().and_then(|statistics| statistics.fronts.month_before.as_deref());
        let wants_raw = [Check::Data, Check::Rollover, Check::Statistics].iter().any(|&check| self.wants(check));
        let raw = match wants_raw {
            true => self.archive.open(month, &version.made_from.inputs, &making, before, findings)?,
            false => None,
        };
        report.raw = raw.is_some();

        let request = Request {
            checks: self.checks,
            sample: self.sample,
            overrides: self.overrides,
            month: Some(month),
            made_from: Some(&version.made_from),
            making: &making,
        };
        let table = parquet.and_then(|bytes| self.open(bytes, &version, findings));
        let wants_rows = [Check::Output, Check::Data, Check::Statistics].iter().any(|&check| self.wants(check));
        let read = table.filter(|_| wants_rows).and_then(|table| request.read(&table, findings));
        if let Some(read) = &read {
            (report.rows, report.computed_anew) = (read.tally.rows, read.compared);
            if let Some(raw) = raw.as_ref().filter(|_| self.wants(Check::Data)) {
                raw.compare(&read.tape, findings);
            }
        }
        if let Some(statistics) = &statistics {
            if let Some(read) = read.as_ref().filter(|_| self.wants(Check::Statistics)) {
                statistics::check(statistics, &version, &read.tape, &read.tally, &read.making, findings);
            }
            if let Some(read) = read.as_ref().filter(|_| self.wants(Check::Data)) {
                let levels = published::levels(self.store, month);
                wrong::check(statistics, &read.tape, raw.as_ref(), &levels, &read.making, findings);
            }
            if let Some(raw) = raw.as_ref().filter(|_| self.wants(Check::Statistics)) {
                statistics::records(statistics, raw, findings);
            }
            if self.wants(Check::Rollover) {
                let before = self.before(month)?;
                report.rolls = rollover::check(statistics, before.as_ref(), raw.as_ref(), &making, findings);
            }
        }
        if let Some(raw) = raw {
            raw.remove()?;
        }
        Ok(())
    }

    /// The current version, named by a manifest that is this month's.
    fn manifest(&self, month: Month, findings: &mut Findings) -> crate::Result<Option<Version>> {
        let key = manifest::key(month);
        let manifest = match manifest::read(self.store, month) {
            Ok(Some((manifest, _))) => manifest,
            Ok(None) => {
                let objects = self.store.list(&manifest::folder(month), None)?.len();
                findings.error(
                    Check::Output,
                    "manifest",
                    format!("no {key}, {objects} other objects"),
                    "a published month",
                );
                return Ok(None);
            }
            Err(error @ ManifestError::Layout { .. }) => {
                findings.error(Check::Output, "manifest", exit::sentence(&error.into()), "a manifest");
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let current = manifest.current;
        if current.data.checksum != current.version {
            let found = format!("it names {} with checksum {}", current.version, current.data.checksum);
            findings.error(Check::Output, "manifest", found, &current.version);
        }
        for old in &manifest.history {
            for item in [&old.data, &old.statistics] {
                let size = self.store.size(&item.key)?;
                if size != Some(item.bytes) {
                    let found = size.map_or("is not there".to_owned(), |size| format!("has {size} bytes"));
                    let expected = format!("{} bytes, to roll back to", item.bytes);
                    findings.warning(Check::Output, "history", format!("{} {found}", item.key), expected);
                }
            }
        }
        Ok(Some(current))
    }

    /// A whole object that is what the manifest says.
    fn object(&self, item: &Item, check: Check, findings: &mut Findings) -> crate::Result<Option<Bytes>> {
        match published::object(self.store, item) {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(PublishedError::Changed { key, found, expected }) => {
                findings.error(check, "checksum", format!("{key} has {found}"), expected);
            }
            Err(PublishedError::Store(error)) => return Err(error.into()),
            Err(error) => findings.error(check, "object", error.to_string(), "the object the manifest names"),
        }
        Ok(None)
    }

    fn open(&self, bytes: Bytes, version: &Version, findings: &mut Findings) -> Option<Table> {
        match Table::open(Source::Object(bytes)) {
            Ok(table) => {
                if table.rows() != version.rows {
                    let found = format!("{} rows", table.rows());
                    findings.error(Check::Output, "rows", found, format!("{}, as the manifest", version.rows));
                }
                Some(table)
            }
            Err(error) => {
                findings.error(Check::Output, "readable", error.to_string(), "a Parquet file");
                None
            }
        }
    }

    /// The statistics of the month before, where it is published; what is wrong with it is its own finding.
    fn before(&self, month: Month) -> crate::Result<Option<Statistics>> {
        let Some(before) = month.previous() else { return Ok(None) };
        let manifest = match manifest::read(self.store, before) {
            Ok(found) => found,
            Err(ManifestError::Layout { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(manifest.and_then(|(manifest, _)| published::statistics(self.store, &manifest.current).ok()))
    }
}
