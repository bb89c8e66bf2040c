//! `presets`: what is built in for each root. docs/presets.md has the same table, with its sources.

use std::collections::BTreeMap;

use data::{
    breaks::clock,
    preset::{self, Preset},
};
use kernels::Profile;
use serde::Serialize;

use crate::{cli::PresetsArgs, settings::points};
use statistics::feature_ranges::{self, Overrides, Ranges};

/// Heads of the columns and their widths.
const COLUMNS: [(&str, usize); 9] = [
    ("root", 4),
    ("name", 25),
    ("exchange", 8),
    ("tick", 10),
    ("session", 11),
    ("globex breaks", 28),
    ("roll window", 20),
    ("points / percent", 16),
    ("prices", 0),
];

/// One root.
#[derive(Serialize)]
struct Line {
    /// Root symbol.
    root: &'static str,
    /// Name of the product.
    name: &'static str,
    /// Exchange.
    exchange: &'static str,
    /// Minimum price increment in points.
    tick_size: String,
    /// Start of the default session, local time.
    session_start: String,
    /// Its end.
    session_end: String,
    /// Start of the Globex day, local time.
    globex_start: String,
    /// Its end.
    globex_end: String,
    /// Breaks of the Globex day.
    globex_breaks: String,
    /// When rolls are expected.
    roll_window: String,
    /// Points that do what one does in ES.
    points_of_es: String,
    /// Percent of a price that do what one does in ES.
    percent_of_es: f64,
    /// Whether prices of 0 and below are prices.
    negative_prices: bool,
    /// Lowest usual win rate of a mode.
    least_win_rate: f64,
    /// Lowest and highest usual value by feature; those of prices follow from the month.
    ranges: BTreeMap<&'static str, (f64, f64)>,
}

impl Line {
    fn of(preset: &Preset) -> Self {
        let ranges = Ranges::new(Profile::Session, preset.scale(), None, &Overrides::new());
        let (start, end) = preset.session;
        Self {
            root: preset.root,
            name: preset.name,
            exchange: preset.exchange,
            tick_size: points(preset.tick_nanos),
            session_start: clock(start),
            session_end: clock(end),
            globex_start: clock(preset::GLOBEX.0),
            globex_end: clock(preset::GLOBEX.1),
            globex_breaks: preset.globex_breaks().to_string(),
            roll_window: preset.roll_window.map_or("none".into(), |window| window.to_string()),
            points_of_es: points(preset.es_point_nanos),
            percent_of_es: preset.es_percent,
            negative_prices: preset.negative_prices,
            least_win_rate: preset.least_win_rate,
            ranges: feature_ranges::names().filter_map(|name| Some((name, ranges.of(name)?))).collect(),
        }
    }

    fn cells(&self) -> [String; 9] {
        [
            self.root.into(),
            self.name.into(),
            self.exchange.into(),
            self.tick_size.clone(),
            format!("{}-{}", self.session_start, self.session_end),
            if self.globex_breaks.is_empty() { "none".into() } else { self.globex_breaks.clone() },
            self.roll_window.clone(),
            format!("{} / {}", self.points_of_es, self.percent_of_es),
            if self.negative_prices { "any".into() } else { "above 0".into() },
        ]
    }
}

/// Runs the command.
pub fn run(args: &PresetsArgs) -> crate::Result<u8> {
    let lines: Vec<Line> = preset::ALL.iter().map(Line::of).collect();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&lines)?);
        return Ok(0);
    }
    let show = |cells: [&str; 9]| {
        let line: Vec<String> = cells.iter().zip(COLUMNS).map(|(cell, (_, width))| format!("{cell:width$}")).collect();
        println!("{}", line.join("  ").trim_end());
    };
    show(COLUMNS.map(|(head, _)| head));
    lines.iter().for_each(|line| show(line.cells().each_ref().map(String::as_str)));
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_have_the_table() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/presets.md");
        let text = std::fs::read_to_string(path).unwrap();
        let is_row = |line: &&str| line.starts_with("| ") && line.matches(" | ").count() == 8;
        let written: Vec<&str> = text.lines().filter(is_row).skip(1).collect();
        let expected: Vec<String> =
            preset::ALL.iter().map(|preset| format!("| {} |", Line::of(preset).cells().join(" | "))).collect();
        assert_eq!(written, expected);
    }

    #[test]
    fn ranges_are_those_of_es_times_the_points_that_do_the_same() {
        let of = |root: &str| Line::of(preset::of(root).unwrap()).ranges;
        assert_eq!(of("ES")["bar_range"], (0.0, 50.0));
        assert_eq!((of("GC")["bar_range"], of("GC")["return_30s"]), ((0.0, 25.0), (-0.1, 0.1)));
        assert_eq!(of("CL")["distance_from_rth_high"], (-15.0, 0.0));
        assert_eq!(of("NG")["distance_from_vwap_pct"], (-12.5, 12.5));
        assert!(!of("GC").contains_key("vwap"));
    }
}
