//! The table `[alerts]` of harness.toml: from where on something is an alert, and whom to tell.

use base::exit::Usage;
use serde::Deserialize;

use crate::{channels::Channel, rules::Thresholds};

/// The table `[alerts]` of harness.toml.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Alerts {
    /// From where on something is an alert.
    pub rules: Thresholds,
    /// Ways to tell people.
    pub channels: Vec<Channel>,
}

impl Alerts {
    /// Reads the table.
    ///
    /// # Errors
    /// What is wrong in it.
    pub fn read(value: toml::Value) -> Result<Self, String> {
        let mut alerts: Self =
            value.try_into().map_err(|error: toml::de::Error| format!("alerts: {}", error.message()))?;
        let channels = std::mem::take(&mut alerts.channels).into_iter().enumerate();
        alerts.channels = channels
            .map(|(number, channel)| channel.check(number))
            .collect::<Result<_, Usage>>()
            .map_err(|error| error.to_string())?;
        let mut names: Vec<&str> = alerts.channels.iter().map(|channel| channel.name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("alerts.channels: two are named {}; give each a name", pair[0])),
            None => Ok(alerts),
        }
    }
}
