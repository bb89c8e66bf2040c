//! The status in a few lines for people.

use std::fmt::Write;

use archive::{alive::Process, state::State};
use jiff::Timestamp;

use super::{Heard, Snapshot, snapshot::Run};
use crate::{output, watch::heartbeat};

/// All of it.
pub fn of(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    write(&mut text, snapshot).map_or_else(|error| error.to_string(), |()| text.trim_end().to_owned())
}

fn write(text: &mut String, snapshot: &Snapshot) -> std::fmt::Result {
    let Snapshot { store, at, states, error_rate, months, .. } = snapshot;
    writeln!(text, "{store} at {}", output::time(*at))?;
    let count = |state| states.get(&state).copied().unwrap_or(0);
    // Those that a person looks for are there at 0 as well.
    let always = [State::Published, State::Running, State::Failed, State::Pending];
    let shown = State::ALL.into_iter().filter(|state| always.contains(state) || count(*state) > 0);
    let counts: Vec<String> = shown.map(|state| format!("{} {}", count(state), state.text())).collect();
    writeln!(text, "months      {}", counts.join(", "))?;
    for (month, wrong) in &snapshot.wrong {
        for wrong in wrong {
            writeln!(text, "wrong       {month}: {}", wrong.strip_prefix("wrong: ").unwrap_or(wrong))?;
        }
    }
    if let Some(rate) = error_rate {
        writeln!(text, "error rate  {:.1} % of the months tried", 100.0 * rate)?;
    }
    for run in snapshot.current() {
        write_run(text, run)?;
    }
    for month in months {
        let word = if month.state == State::Damaged { "damaged" } else { "failed" };
        if let Some(error) = &month.error {
            writeln!(text, "{word:11} {}: {error}", month.month)?;
        } else if month.state == State::Failed {
            writeln!(text, "{word:11} {}: for an unknown reason", month.month)?;
        }
    }
    Ok(())
}

fn write_run(text: &mut String, Run { heard, beat }: &Run) -> std::fmt::Result {
    let state = match (heard, beat.state) {
        (Heard::Live, _) => format!("running for {}", ago(beat.began)),
        (Heard::Lost, _) if beat.process.as_ref().is_some_and(Process::is_dead) => {
            format!("lost: its process ended without a last heartbeat, the previous was {} ago", ago(beat.renewed))
        }
        (Heard::Lost, _) => format!("lost: no heartbeat for {}", ago(beat.renewed)),
        (Heard::Over, heartbeat::State::Interrupted) => format!("interrupted {} ago", ago(beat.renewed)),
        (Heard::Over, heartbeat::State::Stopped) => format!("stopped by an error {} ago", ago(beat.renewed)),
        (Heard::Over, _) => format!("ended {} ago", ago(beat.renewed)),
    };
    writeln!(
        text,
        "run         {}..{} on {} (process {}, {}), {state}",
        beat.first, beat.last, beat.host, beat.pid, beat.version
    )?;
    let mut parts = vec![format!("{} of {} done, {} failed", beat.done, beat.months, beat.failed)];
    if let Some(rate) = beat.months_per_hour {
        parts.push(format!("{rate:.0} months/h"));
    }
    if let Some(left) = beat.seconds_left {
        parts.push(format!("{} left", duration(left)));
    }
    if let Some(memory) = beat.memory_bytes.filter(|_| *heard == Heard::Live).or(beat.peak_memory_bytes) {
        parts.push(format!("{:.2} GB of memory", memory as f64 / 1e9));
    }
    parts.push(format!("{} retries", beat.retries));
    writeln!(text, "            {}", parts.join(", "))?;
    for running in &beat.running {
        writeln!(text, "            {}  {:8} for {}", running.month, running.stage, ago(running.since))?;
    }
    if let Some(error) = &beat.last_error {
        writeln!(text, "            last error {} ago, {}: {}", ago(error.when), error.month, error.error)?;
    }
    Ok(())
}

fn ago(since: Timestamp) -> String {
    duration(Timestamp::now().duration_since(since).as_secs_f64().max(0.0))
}

/// Seconds to two units.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
