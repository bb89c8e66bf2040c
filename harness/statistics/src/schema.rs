//! The JSON Schema of the statistics, made from their types: one source for what is written and what is promised.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{Statistics, feature_ranges};

/// The schema, draft 2020-12; `docs/statistics.schema.json`.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<Statistics>().to_value()
}

/// Names the modes may have: those of the labels in the settings, the six of the default where they have none.
pub(super) fn modes() -> Value {
    json!({ "pattern": "^[a-z0-9_]+$" })
}

/// Names the features may have.
pub(super) fn features() -> Value {
    json!({ "enum": feature_ranges::names().collect::<Vec<_>>() })
}
