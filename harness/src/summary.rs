//! What a month came out as, in a few lines.

use data::{compute::SessionColumns, grid::Grid};
use kernels::labels::MODES;
use serde::Serialize;

/// The figures of one month.
#[derive(Clone, Debug, Serialize)]
pub struct MonthSummary {
    /// `2013-10`.
    pub month: data::Month,
    /// Rows written.
    pub rows: usize,
    /// Sessions.
    pub sessions: Vec<data::grid::Session>,
    /// Rollovers.
    pub rollovers: Vec<data::grid::Rollover>,
    /// Records read and dropped.
    pub records: data::records::Records,
    /// Share of winning rows by mode.
    pub win_rates: Vec<(&'static str, f64)>,
    /// What a careful user should know.
    pub warnings: Vec<String>,
}

/// Wins of each mode.
pub fn wins<F>(sessions: &[SessionColumns<F>]) -> [usize; 6] {
    std::array::from_fn(|mode| {
        sessions.iter().map(|session| session.outcomes[mode].iter().filter(|outcome| outcome.is_win()).count()).sum()
    })
}

impl MonthSummary {
    /// Sums up a month.
    pub fn new(grid: Grid, records: data::records::Records, wins: [usize; 6]) -> Self {
        let rows = grid.rows();
        let rate = |wins: usize| if rows == 0 { 0.0 } else { wins as f64 / rows as f64 };
        Self {
            month: grid.month,
            rows,
            records,
            win_rates: MODES.iter().zip(wins).map(|(mode, wins)| (mode.name, rate(wins))).collect(),
            sessions: grid.sessions,
            rollovers: grid.rollovers,
            warnings: grid.warnings,
        }
    }

    /// The summary as text, for people.
    pub fn print(&self) {
        let filled: usize = self.sessions.iter().map(|session| session.filled_rows).sum();
        let mut contracts: Vec<&str> = self.sessions.iter().map(|session| session.contract.as_str()).collect();
        contracts.dedup();
        let share = |count: usize| 100.0 * count as f64 / self.rows.max(1) as f64;
        println!("{}  {} records -> {} rows in {} sessions, {}", self.month, self.records.total, self.rows, self.sessions.len(), contracts.join(" "));
        println!("  seconds without a trade  {:.1} %", share(filled));
        for session in self.sessions.iter().filter(|session| session.early_close || session.late_open) {
            let end = if session.early_close { "early close" } else { "late open" };
            println!("  {end:23}  {}, {} rows", session.date, session.rows.len());
        }
        for roll in &self.rollovers {
            let gap = roll.price_gap.map_or("unknown".into(), |gap| format!("{gap:+}"));
            let expected = if roll.expected { "" } else { ", outside the expected window" };
            println!("  rollover                 {} {} -> {}, price gap {gap}{expected}", roll.date, roll.from, roll.to);
        }
        for (rule, count) in self.records.rules().into_iter().filter(|(_, count)| *count > 0) {
            println!("  dropped {rule:16} {count}");
        }
        if self.records.time_backwards > 0 {
            println!("  sorted time_backwards    {}", self.records.time_backwards);
        }
        let rates: Vec<String> = self.win_rates.iter().map(|(_, rate)| format!("{:.1}", 100.0 * rate)).collect();
        println!("  win rates, %             long {}   short {}  (low / normal / high)", rates[..3].join(" / "), rates[3..].join(" / "));
        for warning in &self.warnings {
            println!("  warning                  {warning}");
        }
    }
}
