//! `process`: one file in, one Parquet out, no store.

use std::{io::Write, path::Path};

use anyhow::Context;
use data::{
    Month,
    training_file::{TrainingFile, Value},
};

use crate::{
    cli::ProcessArgs,
    config::{self, Settings},
    decode::{self, Decoded},
    exit::Usage,
    month,
    progress::Bar,
    summary::{self, MonthSummary},
};

/// Runs the command.
pub fn run(args: &ProcessArgs, settings: &Settings) -> anyhow::Result<u8> {
    let folder = args.output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temp = tempfile::tempdir_in(config::temp_dir(settings, folder)?)?;
    let bar = Bar::new();
    bar.stage("decode", 1);
    let input = if args.input.as_os_str() == "-" { spool(temp.path())? } else { args.input.clone() };
    let decoded = decode::decode(&input, &settings.instrument, temp.path())?;
    bar.step();
    let months = if settings.float64 {
        write::<f64>(&decoded, &decoded.months, settings, &args.output, &bar)?
    } else {
        write::<f32>(&decoded, &decoded.months, settings, &args.output, &bar)?
    };
    bar.finish();
    if let Some(path) = &args.statistics {
        std::fs::write(path, serde_json::to_vec_pretty(&months)?).with_context(|| path.display().to_string())?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&months)?);
    } else {
        months.iter().for_each(MonthSummary::print);
        println!("{} rows, 61 columns -> {}", months.iter().map(|month| month.rows).sum::<usize>(), args.output.display());
    }
    Ok(0)
}

/// Stdin to a file: Parquet is read from its end.
fn spool(folder: &Path) -> anyhow::Result<std::path::PathBuf> {
    let path = folder.join("stdin");
    let mut file = std::fs::File::create(&path)?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file).context("reading stdin")?;
    Ok(path)
}

/// Writes the months of a decoded file as one Parquet, to a temporary name first.
pub fn write<F: Value>(decoded: &Decoded, months: &[Month], settings: &Settings, output: &Path, bar: &Bar) -> anyhow::Result<Vec<MonthSummary>> {
    let last = months.last().ok_or_else(|| Usage("no month to process".into()))?;
    let reference = settings.decay_reference.unwrap_or(*last);
    if reference < *last {
        tracing::warn!("the decay reference {reference} lies before {last}: its weights grow instead of decaying");
    }
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = || format!("{}: cannot be written", output.display());
    let temporary = tempfile::Builder::new().prefix(".harness-").suffix(".parquet").tempfile_in(folder).with_context(failed)?;
    let metadata = metadata(decoded, settings, reference)?;
    let mut file = TrainingFile::create::<F>(temporary.path(), settings.instrument.tick()?, &metadata).with_context(failed)?;
    let mut summaries = Vec::new();
    for &month in months {
        let columns = decoded.open(month)?;
        let mut wins = [0; 6];
        let grid = month::append::<F>(&columns, settings, reference, &mut file, bar, |_, sessions| wins = summary::wins(sessions))?;
        if !grid.sessions.is_empty() || months.len() == 1 {
            summaries.push(MonthSummary::new(grid, columns.records().clone(), wins));
        }
    }
    let rows = file.finish().with_context(failed)?;
    if rows == 0 {
        let root = &settings.instrument.root;
        let name = &decoded.info.name;
        anyhow::bail!(data::input::InputError::File {
            path: name.clone(),
            source: Box::new(data::input::InputError::NoSession { root: root.clone() }),
        });
    }
    let file = temporary.persist(output).map_err(|error| error.error).with_context(failed)?;
    file.sync_all().and_then(|()| file_mode(&file)).with_context(failed)?;
    std::io::stdout().flush()?;
    Ok(summaries)
}

/// Temporary files are private; what is handed over has the usual permissions.
fn file_mode(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

/// What the Parquet file says of its making; nothing in it depends on when or where.
fn metadata(decoded: &Decoded, settings: &Settings, reference: Month) -> anyhow::Result<Vec<(String, String)>> {
    let input = serde_json::json!([{
        "name": decoded.info.name, "bytes": decoded.info.bytes, "checksum": format!("xxh3:{}", decoded.info.checksum),
    }]);
    let of_output = settings.of_output();
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(vec![
        ("harness.version".into(), env!("CARGO_PKG_VERSION").into()),
        ("harness.profile".into(), text(&of_output["profile"])),
        ("harness.instrument".into(), of_output["instrument"].to_string()),
        ("harness.contract".into(), text(&of_output["contract"])),
        ("harness.features_dtype".into(), text(&of_output["features_dtype"])),
        ("harness.decay_reference".into(), reference.to_string()),
        ("harness.inputs".into(), input.to_string()),
    ])
}
