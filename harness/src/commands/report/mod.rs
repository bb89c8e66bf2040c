//! `report`: reads what a report needs, and writes it in its format.

mod success;

use std::{collections::BTreeMap, fs, path::Path};

use archive::{
    discover::RawFile,
    holdings::Holdings,
    store::{Object, Store},
};
use base::{
    error::{Class, Context},
    exit::{self, Usage},
};
use data::MonthRange;
use jiff::Timestamp;
use report::{
    archive::Archive,
    document::Document,
    html,
    kinds::{self, Kind},
    month, prices,
    success::Verdict,
};
use statistics::Statistics;

use crate::{
    cli::{ReportArgs, ReportFormat, ReportKind},
    run::cache::Cache,
    settings::Settings,
    watch::{
        criteria::{Reading, Sight},
        figures, heartbeat,
    },
};

/// Runs the command.
pub fn run(args: &ReportArgs, settings: &Settings) -> crate::Result<u8> {
    let format = args.format()?;
    let store = Store::open(settings.text("store"), settings.access)?;
    let raw = settings.raw_store(&store)?;
    let files = settings.raw_files(&raw)?;
    let archive = Archive::read(&store, &files, args.range())?;
    let with_charts = format == ReportFormat::Html;
    let of_archive = |kind| kinds::document(kind, &archive, with_charts);
    let mut document = match args.kind {
        ReportKind::Monthly => of_month(&archive, &store, settings, with_charts)?,
        ReportKind::Daily => of_archive(Kind::Daily),
        ReportKind::Weekly => of_archive(Kind::Weekly),
        ReportKind::Final => of_archive(Kind::Final),
        ReportKind::Quality => of_archive(Kind::Quality),
        ReportKind::Performance => of_archive(Kind::Performance),
        ReportKind::Success => of_archive(Kind::Success),
    };
    let mut missed = false;
    if matches!(args.kind, ReportKind::Final | ReportKind::Success) {
        let criteria = success::lines(&readings(&store, &raw, &files, args.range(), settings)?);
        // The whole archive's report shows them, the report on them is a gate as well.
        missed = args.kind == ReportKind::Success && criteria.iter().any(|line| line.verdict == Verdict::Missed);
        document.sections.insert(0, report::success::section(&criteria));
    }
    let report = match format {
        ReportFormat::Text => document.plain(),
        ReportFormat::Markdown => document.markdown(),
        ReportFormat::Html => html::render(&document),
        ReportFormat::Json => serde_json::to_string_pretty(&document.json())?,
    };
    match &args.out {
        Some(path) => {
            fs::write(path, report + "\n")
                .with_context(|| format!("{}: the report cannot be written", path.display()))?;
            println!("{}", path.display());
        }
        None => println!("{report}"),
    }
    Ok(if document.errors.is_empty() && !missed { 0 } else { exit::PARTLY })
}

/// The figures of the success criteria, of the months of a range or of those that runs were asked for.
fn readings(
    store: &Store,
    raw: &Store,
    files: &[RawFile],
    asked: Option<MonthRange>,
    settings: &Settings,
) -> crate::Result<Vec<Reading>> {
    let (holdings, runs) = (Holdings::of(store)?, heartbeat::all(store)?);
    let figures = figures::of(store, Some(raw), &holdings, &BTreeMap::new());
    let sight = Sight {
        store,
        holdings: &holdings,
        raw: files,
        figures: &figures,
        runs: &runs.iter().collect::<Vec<_>>(),
        asked,
        thresholds: &settings.alerts().rules,
        at: Timestamp::now(),
    };
    Ok(sight.readings())
}

/// The report on the last published month.
fn of_month(archive: &Archive, store: &Store, settings: &Settings, with_charts: bool) -> crate::Result<Document> {
    let Some((line, statistics)) = archive.published().next_back() else {
        let months = archive.errors();
        let why = if months.is_empty() { "run it first, or see `months list`".to_owned() } else { months.join("; ") };
        return Err(Usage(format!("no month to report on is published in {}: {why}", store.name())).into());
    };
    if !with_charts {
        return Ok(month::document(statistics, None));
    }
    let key = line.items.as_ref().map(|[data, _]| data.key.clone()).unwrap_or_default();
    let prices = match store.file(&key)? {
        Some(file) => prices::read(statistics, &file)?,
        None => {
            let cache = Cache::open(settings)?;
            let file = cache.temporary().join("month.parquet");
            let object: Object = store
                .find(&key)?
                .ok_or_else(|| crate::Error::new(Class::Published, format!("{key} is missing: run the month again")))?;
            store.download(&object, &file)?;
            prices::read(statistics, &file)?
        }
    };
    Ok(month::document(statistics, Some(&prices)))
}

/// Writes the report on the month of `statistics`, whose training file is `parquet`, to `html`. A month without
/// sessions has no training file; none is read then.
pub fn write(statistics: &Statistics, parquet: &Path, html: &Path) -> crate::Result<()> {
    let prices = prices::read(statistics, parquet)?;
    let page = html::render(&month::document(statistics, Some(&prices)));
    fs::write(html, page).with_context(|| html.display().to_string())
}
