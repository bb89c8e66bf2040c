//! The arguments of `study`.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, Subcommand, ValueEnum};
use kernels::labels::{Direction, MAX_TICKS};

#[derive(Args)]
pub struct StudyArgs {
    #[command(subcommand)]
    pub command: StudyCommand,
}

#[derive(Subcommand)]
pub enum StudyCommand {
    /// Show what every pair of a stop and a target comes to: win rate, expected move, seconds, undecided trades
    Barriers(BarriersArgs),
}

#[derive(Args)]
pub struct BarriersArgs {
    /// Raw bars, a training file, or published months such as 2013-10..2013-12; - for stdin
    pub input: PathBuf,
    /// Stops in ticks, from..to
    #[arg(long, value_name = "TICKS", default_value = "4..20")]
    pub stops: Ticks,
    /// Targets in ticks, from..to
    #[arg(long, value_name = "TICKS", default_value = "8..40")]
    pub targets: Ticks,
    /// Which way trades win
    #[arg(long, value_enum, default_value_t = StudySide::Both)]
    pub side: StudySide,
    /// Write one HTML page with heat maps to this file
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// One side or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StudySide {
    /// Trades that win when the price rises
    Long,
    /// Trades that win when it falls
    Short,
    /// Both of them
    Both,
}

impl StudySide {
    /// The sides with their names.
    pub fn directions(self) -> Vec<(&'static str, Direction)> {
        let both = [("long", Direction::Long), ("short", Direction::Short)];
        match self {
            Self::Long => both[..1].to_vec(),
            Self::Short => both[1..].to_vec(),
            Self::Both => both.to_vec(),
        }
    }
}

/// Most distances of one kind: the pairs then fit a page.
const MOST: usize = 100;

/// Ticks from the first to the last, or one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticks {
    from: u16,
    to: u16,
}

impl Ticks {
    /// All of them.
    pub fn ticks(self) -> Vec<u16> {
        (self.from..=self.to).collect()
    }
}

impl FromStr for Ticks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let ticks = from.parse().ok().zip(to.parse().ok()).map(|(from, to)| Self { from, to });
        let fits = |ticks: &Self| {
            ticks.from > 0
                && ticks.from <= ticks.to
                && ticks.to <= MAX_TICKS
                && usize::from(ticks.to - ticks.from) < MOST
        };
        ticks.filter(fits).ok_or_else(|| format!("expected ticks such as 4..20, from 1 to {MAX_TICKS}, at most {MOST}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_from_one_to_another() {
        let ticks = |text: &str| text.parse::<Ticks>().map(Ticks::ticks);
        assert_eq!(ticks("4..6"), Ok(vec![4, 5, 6]));
        assert_eq!(ticks("9"), Ok(vec![9]));
        assert_eq!(ticks("1..100").map(|all| all.len()), Ok(100));
        for wrong in ["", "0..4", "6..4", "1..101", "4000..4096", "4..", "4-6", "a..b"] {
            assert!(ticks(wrong).is_err(), "{wrong}");
        }
    }
}
