//! `synth`: realistic DBN months and what is in them.

use base::error::Context;
use data::synth::{Plan, TRUTH_FILE, write_months};

use crate::{cli::SynthArgs, progress::Bar, settings::Settings};

/// Runs the command.
pub fn run(args: &SynthArgs, settings: &Settings) -> crate::Result<u8> {
    std::fs::create_dir_all(&args.out).with_context(|| format!("{}: cannot create the folder", args.out.display()))?;
    let (seed, defects) = (args.seed, args.defects.clone());
    let plan = Plan { seed, defects, ..Plan::of(settings.instrument.clone()) };
    let bar = Bar::new();
    bar.task("synth", args.months.iter().count() as u64);
    let truth = write_months(&plan, args.months, &args.out, &mut |_| bar.step())?;
    bar.finish();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&truth)?);
        return Ok(0);
    }
    for month in &truth.months {
        println!(
            "{}  {} records, {} sessions, {} rollovers  {}",
            month.month,
            month.records,
            month.sessions.len(),
            month.rollovers.len(),
            month.file
        );
    }
    println!("truth: {}", args.out.join(TRUTH_FILE).display());
    Ok(0)
}
