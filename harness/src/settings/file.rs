//! harness.toml as text by setting, and its tables.

use std::{collections::BTreeMap, path::Path};

use base::exit::Usage;
use data::labels::Labels;

use super::{
    alerts::Alerts,
    labels::{self, LABELS, OWN},
    table::SETTINGS,
};
use statistics::feature_ranges::{self, Overrides};

/// The table of harness.toml that replaces rows of the usual ranges of features.
pub(super) const RANGES: &str = "feature_ranges";

/// The table of harness.toml that says when to tell whom.
const ALERTS: &str = "alerts";

/// What harness.toml says.
#[derive(Default)]
pub(super) struct FromFile {
    pub(super) settings: BTreeMap<String, String>,
    pub(super) ranges: Overrides,
    pub(super) alerts: Alerts,
    /// Its own table of labels.
    pub(super) labels: Option<Labels>,
}

/// The settings of harness.toml as text, and its tables.
pub(super) fn read(path: &Path, required: bool) -> Result<FromFile, Usage> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => return Ok(Default::default()),
        Err(error) => return Err(Usage(format!("{}: {error}; expected a file of settings", path.display()))),
    };
    parse(&text, path)
}

pub(super) fn parse(text: &str, path: &Path) -> Result<FromFile, Usage> {
    let wrong = |what: String| Usage(format!("{}: {what}", path.display()));
    let table: toml::Table = text.parse().map_err(|error| wrong(format!("{error}")))?;
    let mut found = FromFile::default();
    for (name, value) in table {
        if name == RANGES {
            found.ranges = read_ranges(value).map_err(wrong)?;
            continue;
        }
        if name == ALERTS {
            found.alerts = Alerts::read(value).map_err(wrong)?;
            continue;
        }
        if name == LABELS && value.is_table() {
            found.labels = labels::read(text, path)?;
            found.settings.insert(name, OWN.to_owned());
            continue;
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            return Err(wrong(format!("unknown setting '{name}'; `harness config show` lists them")));
        };
        let numeric = setting.is_number();
        let text = match value {
            toml::Value::Integer(number) if numeric => number.to_string(),
            // Never with an exponent, which exact points do not have.
            toml::Value::Float(number) if numeric => number.to_string(),
            toml::Value::String(text) if !numeric => text,
            toml::Value::Boolean(value) if setting.is_switch() => value.to_string(),
            // A time of day may stand without quotes.
            toml::Value::Datetime(time) if !numeric => time.to_string(),
            other => {
                let expected = if numeric { "a number" } else { "a quoted string" };
                return Err(wrong(format!("{name} = {other}: expected {expected}")));
            }
        };
        found.settings.insert(name, text);
    }
    Ok(found)
}

fn read_ranges(value: toml::Value) -> Result<Overrides, String> {
    let toml::Value::Table(table) = value else {
        return Err(format!("{RANGES} = {value}: expected a table of ranges, such as bar_range = [0, 50]"));
    };
    let mut ranges = Overrides::new();
    for (name, value) in table {
        if !feature_ranges::names().any(|known| known == name) {
            return Err(format!("{RANGES}.{name}: expected the name of a feature, such as bar_range"));
        }
        let number = |value: &toml::Value| match value {
            toml::Value::Integer(number) => Some(*number as f64),
            toml::Value::Float(number) => Some(*number),
            _ => None,
        };
        let bounds = value.as_array().and_then(|bounds| match &bounds[..] {
            [low, high] => Some((number(low)?, number(high)?)),
            _ => None,
        });
        let range = bounds.filter(|(low, high)| low <= high && low.is_finite() && high.is_finite());
        let range = range.ok_or(format!("{RANGES}.{name} = {value}: expected [lowest, highest], such as [0, 50]"))?;
        ranges.insert(name, range);
    }
    Ok(ranges)
}
