//! What a training file says it was made with: a file is held to its own settings, not to those in force now.

use archive::manifest::MadeFrom;
use data::{Instrument, contract::Choice, labels::Labels, month::Month, training_file::Timestamps};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kernels::Profile;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The settings of the output, understood.
#[derive(Clone, Debug)]
pub struct Making {
    /// What windows do at a session's edge.
    pub profile: Profile,
    /// Root, tick and session.
    pub instrument: Instrument,
    /// Time zone of the session.
    pub zone: TimeZone,
    /// How the front contract was chosen.
    pub choice: Choice,
    /// Whether the features are float64.
    pub float64: bool,
    /// What timestamps count.
    pub timestamps: Timestamps,
    /// Which trades are labelled.
    pub labels: Labels,
    /// Month the weights decay to.
    pub reference: Month,
}

#[derive(Deserialize)]
struct Settings {
    profile: String,
    instrument: Instrument,
    contract: Choice,
    features_dtype: String,
    timestamp_unit: Option<String>,
}

impl Making {
    /// Reads the settings of a manifest or of a file's metadata.
    ///
    /// # Errors
    /// What is missing or not understood.
    pub fn new(made_from: &MadeFrom) -> Result<Self, String> {
        let labels = Labels::of_settings(&made_from.settings)?;
        let settings: Settings =
            serde_json::from_value(made_from.settings.clone()).map_err(|error| error.to_string())?;
        let Settings { profile, instrument, contract, features_dtype, timestamp_unit } = settings;
        instrument.check().map_err(|error| error.to_string())?;
        Ok(Self {
            profile: match profile.as_str() {
                "session" => Profile::Session,
                "rolling" => Profile::Rolling,
                other => return Err(format!("profile {other}")),
            },
            zone: instrument.zone().map_err(|error| error.to_string())?,
            instrument,
            choice: contract,
            float64: match features_dtype.as_str() {
                "float32" => false,
                "float64" => true,
                other => return Err(format!("features_dtype {other}")),
            },
            timestamps: match timestamp_unit.as_deref() {
                None => Timestamps::Nanoseconds,
                Some(Timestamps::MICROSECONDS) => Timestamps::Microseconds,
                Some(other) => return Err(format!("timestamp_unit {other}")),
            },
            labels,
            reference: made_from.decay_reference,
        })
    }

    /// The trading date of a UTC second: the next one from the session's start on, where that is on the evening before.
    pub fn date(&self, second: i64) -> Date {
        let local = self.zone.to_datetime(Timestamp::from_second(second).unwrap_or_default());
        let Instrument { session_start, session_end, .. } = self.instrument;
        let since_midnight = local.duration_since(local.date().at(0, 0, 0, 0)).as_secs();
        let evening = session_start > session_end && since_midnight >= i64::from(session_start);
        if evening { local.date().tomorrow().unwrap_or_default() } else { local.date() }
    }

    /// Largest change of close in ticks that is no gap.
    pub fn gap(&self) -> i64 {
        self.instrument.gap_nanos / self.instrument.tick_nanos
    }
}

/// What a file's metadata says it was made from.
///
/// # Errors
/// What is missing or not understood.
pub fn of_metadata<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<MadeFrom, String> {
    let mut settings = Map::new();
    for (name, text) in pairs.filter_map(|(key, text)| Some((key.strip_prefix("harness.")?, text))) {
        // Objects and arrays are JSON, what is text stands as it is.
        let value = serde_json::from_str(text).ok().filter(|value: &Value| value.is_object() || value.is_array());
        settings.insert(name.to_owned(), value.unwrap_or_else(|| text.into()));
    }
    let mut take = |name: &str| settings.remove(name).ok_or(format!("no harness.{name}"));
    let text = |value: Value| value.as_str().map(str::to_owned).ok_or("a text is none".to_owned());
    let program = text(take("version")?)?;
    let decay_reference = text(take("decay_reference")?)?.parse().map_err(|error| format!("{error}"))?;
    let inputs = serde_json::from_value(take("inputs")?).map_err(|error| format!("harness.inputs: {error}"))?;
    let symbology = take("symbology").ok().map(serde_json::from_value).transpose();
    let symbology = symbology.map_err(|error| format!("harness.symbology: {error}"))?.unwrap_or_default();
    Ok(MadeFrom { program, decay_reference, inputs, symbology, settings: Value::Object(settings), fronts: None })
}
