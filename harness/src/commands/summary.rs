//! What a month came out as, in a few lines for people; every figure is one of its statistics.

use kernels::labels::{Direction, MODES};

use statistics::{Statistics, quality, score::Band};

/// Prints a month.
pub fn print(statistics: &Statistics) {
    let Statistics { month, sessions, records, rollovers, modes, quality, .. } = statistics;
    let rows = statistics.rows();
    let filled: u64 = sessions.iter().map(|session| session.filled_rows).sum();
    let mut contracts: Vec<&str> = sessions.iter().map(|session| session.contract.as_str()).collect();
    contracts.dedup();
    contracts.retain(|contract| !contract.is_empty());
    let contracts = if contracts.is_empty() { "without symbols".to_owned() } else { contracts.join(" ") };
    println!("{month}  {} records -> {rows} rows in {} sessions, {contracts}", records.total, sessions.len());
    for wrong in &statistics.errors {
        println!("  WRONG                    {}", wrong.found);
        println!("                           {}", wrong.advice);
    }
    println!("  seconds without a trade  {:.1} %", 100.0 * filled as f64 / rows.max(1) as f64);
    for session in sessions {
        let close = session.early_close.then_some(("early close", session.close));
        let open = session.late_open.then_some(("late open", session.open));
        for (what, time) in close.into_iter().chain(open) {
            println!("  {what:23}  {}, {time}, {} rows", session.date, session.rows);
        }
    }
    let (by_gap, by_contract): (Vec<_>, Vec<_>) = rollovers.iter().partition(|roll| roll.is_gap());
    for roll in by_contract {
        let gap = roll.price_gap.map_or("unknown".into(), |gap| format!("{gap:+}"));
        let expected = if roll.expected == Some(false) { ", outside the expected window" } else { "" };
        println!("  rollover                 {} {} -> {}, price gap {gap}{expected}", roll.date, roll.from, roll.to);
    }
    if !by_gap.is_empty() {
        let dates: Vec<String> = by_gap.iter().map(|roll| roll.date.to_string()).collect();
        println!("  rollovers by gaps of price: {}, at {}", dates.len(), quality::list(&dates));
    }
    for (rule, count) in records.rules().into_iter().filter(|(_, count)| *count > 0) {
        println!("  dropped {rule:16} {count}");
    }
    if records.unmapped > 0 {
        let (count, volume) = (records.unmapped, records.unmapped_volume);
        println!("  unmapped                 {count} records without a symbol, volume {volume}");
    }
    if records.filled_before > 0 {
        println!("  filled before            {} seconds of the input", records.filled_before);
    }
    if records.in_several_files > 0 {
        println!("  kept once                {} records that several files have", records.in_several_files);
    }
    if records.time_backwards > 0 {
        println!("  sorted time_backwards    {}", records.time_backwards);
    }
    let rate = |name: &str| {
        modes.get(name).and_then(|mode| mode.win_rate).map_or("-".into(), |rate| format!("{:.1}", 100.0 * rate))
    };
    let labels = statistics.labels();
    if labels.is_default() {
        let rates: Vec<String> = MODES.iter().map(|mode| rate(mode.name)).collect();
        let (long, short) = (rates[..3].join(" / "), rates[3..].join(" / "));
        println!("  win rates, %             long {long}   short {short}  (low / normal / high)");
    } else {
        for (side, direction) in [("long", Direction::Long), ("short", Direction::Short)] {
            let modes = labels.specification.modes().iter().filter(|mode| mode.direction == direction);
            let rates: Vec<String> = modes.map(|mode| format!("{} {}", mode.name, rate(&mode.name))).collect();
            if !rates.is_empty() {
                println!("  win rates, %, {side:9}  {}", rates.join("   "));
            }
        }
    }
    let band = match quality.band {
        Band::High => "high",
        Band::Medium => "medium",
        Band::Low => "low",
    };
    println!("  quality                  {:.3}, {}", quality.score, band);
    for deduction in &quality.deductions {
        println!("    -{:<22.3} {}", deduction.amount, deduction.reason);
    }
    for warning in &statistics.warnings {
        println!("  warning                  {warning}");
    }
}
