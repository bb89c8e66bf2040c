//! `process`: one file in, one Parquet out, no store.

use std::{path::Path, time::Instant};

use base::{error::Context, exit::Usage, interrupt};
use data::{Month, contract::Fronts, input::InputError, training_file};
use tempfile::NamedTempFile;

use super::{bring::bring, summary};
use crate::{
    cli::ProcessArgs,
    progress::Bar,
    run::{
        cache::Cache,
        decode,
        job::Jobs,
        named::Named,
        training::{self, Decoding, MonthColumns, Prepared, Training},
    },
    settings::Settings,
};
use statistics::{Input, Statistics};

/// Runs the command.
pub fn run(args: &ProcessArgs, settings: &Settings) -> crate::Result<u8> {
    let output = &args.output;
    check_targets(args)?;
    let failed = || format!("{}: cannot be written", output.display());
    let (temporary, _interrupt) = interrupt::temporary(|| beside(output)).with_context(failed)?;
    let cache = Cache::open(settings)?;
    let bar = Bar::new();
    let input = bring(&args.input, cache.temporary(), settings)?;
    let began = Instant::now();
    let jobs = Jobs::of_input(&input)?;
    let (source, named) = (decode::source(&input)?, Named::beside(&input)?);
    let decoded = decode::decode(|| Ok(&input), &source, &named, &settings.instrument, cache.temporary())?;
    let last = decoded.months.last().ok_or(InputError::Empty)?;
    let reference = settings.reference(*last, &decoded.months)?;
    let made_from = training::made_from(vec![source], &[named], settings, reference);
    let decoding = Decoding {
        began,
        seconds: began.elapsed().as_secs_f64(),
        records: decoded.info.records,
        bytes: decoded.info.bytes,
    };
    let inputs = [Input::new(&decoded.info.name, &decoded.info)];
    bar.task("process", training::STEPS * decoded.months.len() as u64);
    let volumes = decoded.volumes(&settings.instrument)?;
    let all = [decoded];
    let there = |month: Month| all[0].months.contains(&month);
    let open = |month: Month| MonthColumns::open(&all, month, &settings.instrument);
    let columns_of = |month: Month| there(month).then(|| open(month)).transpose();
    let training = Training {
        settings,
        made_from: &made_from,
        inputs: &inputs,
        decoding,
        columns_of: &columns_of,
        levels: &|| Ok(Vec::new()),
        reporter: &bar,
    };
    let mut months = all[0].months.iter().map(|&month| {
        let fronts = Fronts::choose(month, &volumes, there, settings.choice);
        let warnings = [jobs.warnings(month), all[0].warnings(month)].concat();
        Ok(Prepared { columns: open(month)?, fronts, warnings })
    });
    let statistics = training.write(temporary.path(), &mut months)?;
    bar.finish();

    // The statistics first: if they cannot be written, what was there before stays.
    if let Some(path) = &args.statistics {
        let failed = || format!("{}: cannot be written", path.display());
        let (file, _interrupt) = interrupt::temporary(|| beside(path)).with_context(failed)?;
        std::fs::write(file.path(), json(&statistics)?).with_context(failed)?;
        persist(file, path).with_context(failed)?;
    }
    persist(temporary, output).with_context(failed)?;
    if args.json {
        println!("{}", String::from_utf8_lossy(&json(&statistics)?));
    } else {
        statistics.iter().for_each(summary::print);
        let rows: u64 = statistics.iter().map(Statistics::rows).sum();
        let columns = training_file::columns(&settings.labels.specification);
        println!("{rows} rows, {columns} columns -> {}", output.display());
    }
    Ok(0)
}

/// Refuses to write over the input, over one file twice, or over what is no file.
fn check_targets(args: &ProcessArgs) -> Result<(), Usage> {
    let same = |a: &Path, b: &Path| {
        let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
        whole(a).is_some_and(|a| Some(a) == whole(b))
    };
    let targets = [Some(&args.output), args.statistics.as_ref()];
    for target in targets.into_iter().flatten() {
        if same(target, &args.input) {
            return Err(Usage(format!("{}: this is the input; choose another name for the output", target.display())));
        }
        if args.input.is_dir() && within(target, &args.input) {
            return Err(Usage(format!("{}: this is inside the input folder; choose another", target.display())));
        }
        if target.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Usage(format!("{}: it is not a regular file; choose another name", target.display())));
        }
    }
    match &args.statistics {
        Some(statistics) if same(statistics, &args.output) => {
            Err(Usage(format!("{}: given both for the Parquet and for the statistics", statistics.display())))
        }
        _ => Ok(()),
    }
}

/// Whether a file is, or would be, in a folder.
fn within(file: &Path, folder: &Path) -> bool {
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    parent.canonicalize().ok().zip(folder.canonicalize().ok()).is_some_and(|(file, folder)| file.starts_with(folder))
}

/// A temporary file in the folder of the file it is to become.
pub(super) fn beside(target: &Path) -> std::io::Result<NamedTempFile> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix(".harness-").tempfile_in(folder)
}

/// Gives the file its name, following a link that stands there.
fn persist(file: NamedTempFile, target: &Path) -> std::io::Result<()> {
    let target = target.canonicalize().unwrap_or_else(|_| target.into());
    let file = file.persist(target).map_err(|error| error.error)?;
    public(&file)?;
    file.sync_all()
}

/// One month is an object, several are an array of them.
fn json(statistics: &[Statistics]) -> crate::Result<Vec<u8>> {
    Ok(match statistics {
        [one] => serde_json::to_vec_pretty(one)?,
        several => serde_json::to_vec_pretty(several)?,
    })
}

/// Temporary files are private; what is handed over has the usual permissions.
fn public(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
