//! `process`: one file in, one Parquet out, no store.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::{
    cache::Cache,
    cli::ProcessArgs,
    config::Settings,
    decode,
    exit::Usage,
    interrupt,
    progress::Bar,
    statistics::{Input, Statistics},
    summary,
    training::{self, Clock, MonthColumns},
};

/// Runs the command.
pub fn run(args: &ProcessArgs, settings: &Settings) -> anyhow::Result<u8> {
    let output = &args.output;
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = || format!("{}: cannot be written", output.display());
    let temporary =
        tempfile::Builder::new().prefix(".harness-").suffix(".parquet").tempfile_in(folder).with_context(failed)?;
    let _interrupt = interrupt::removing(temporary.path());
    let cache = Cache::open(settings)?;
    let bar = Bar::new();
    bar.stage("decode", 1);
    let input = if args.input.as_os_str() == "-" { spool(cache.temporary())? } else { args.input.clone() };
    let mut clock = Clock::new();
    let decoded = decode::decode(&input, &settings.instrument, cache.temporary())?;
    clock.stage("decode", decoded.info.records, decoded.info.bytes);
    bar.step();
    let last = decoded.months.last().ok_or_else(|| Usage("no month to process".into()))?;
    let reference = settings.reference(*last);
    let inputs = [decoded];
    let columns =
        inputs[0].months.iter().map(|&month| MonthColumns::open(&inputs, month)).collect::<Result<Vec<_>, _>>()?;
    let made_from = training::made_from(vec![decode::source(&input)?], settings, reference);
    let mut made = training::write(&columns, &made_from, settings, temporary.path(), &bar)?;
    bar.finish();
    made[0].stages.insert(0, clock.stages.remove(0));
    // A stray hour of a neighbouring month is no month of its own.
    made.retain(|month| month.grid.rows() > 0);
    let rows: usize = made.iter().map(|month| month.grid.rows()).sum();
    let input = [Input::new(&inputs[0].info.name, &inputs[0].info)];
    let statistics = made.into_iter().map(|month| month.statistics(&input, settings, &made_from));
    let statistics = statistics.collect::<anyhow::Result<Vec<_>>>()?;

    let file = temporary.persist(output).map_err(|error| error.error).with_context(failed)?;
    public(&file).and_then(|()| file.sync_all()).with_context(failed)?;
    if let Some(path) = &args.statistics {
        std::fs::write(path, json(&statistics)?).with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    if args.json {
        println!("{}", String::from_utf8(json(&statistics)?)?);
    } else {
        statistics.iter().for_each(summary::print);
        println!("{rows} rows, 61 columns -> {}", output.display());
    }
    Ok(0)
}

/// One month is an object, several are an array of them.
fn json(statistics: &[Statistics]) -> anyhow::Result<Vec<u8>> {
    Ok(match statistics {
        [one] => serde_json::to_vec_pretty(one)?,
        several => serde_json::to_vec_pretty(several)?,
    })
}

/// Stdin to a file: Parquet is read from its end.
fn spool(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("stdin");
    let mut file = std::fs::File::create(&path)?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file).context("reading stdin")?;
    Ok(path)
}

/// Temporary files are private; what is handed over has the usual permissions.
fn public(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}
