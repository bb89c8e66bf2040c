//! `docs/columns.md`, made from the schema and the registries of modes and features.

use data::training_file::{BARS, COLUMNS, schema};
use kernels::{
    features::{Category, FEATURES, Feature, Kind, Unit},
    labels::{Direction, FixedMode, MODES, Specification},
};

#[test]
fn the_reference_page_is_that_of_the_registries() {
    super::hold("columns.md", &page());
}

fn page() -> String {
    let schema = schema::<f32>(&Specification::default(), Default::default());
    let bars: Vec<&str> = schema.fields()[..BARS].iter().map(|field| field.name().as_str()).collect();
    let [time, prices @ .., volume] = &bars[..] else { panic!("{bars:?}") };
    let mut page = format!(
        "# Columns\n\nThe {COLUMNS} columns of a training file in their order, one row a second of the session. \
         [spec.md](spec.md) defines labels and weights in section 3, and the terms of the features in section 4.\n\n\
         ## Bars\n\n- `{time}`: start of the second, UTC, nanoseconds, or microseconds by the \
         setting `timestamp_unit`\n- `{}`: prices in points, float64; the last \
         close where nothing traded\n- `{volume}`: contracts traded, int64; 0 where nothing traded\n",
        prices.join("`, `")
    );
    page += "\n## Labels and weights\n\nFor each mode, `label_<mode>` (int8, 1: the target is reached before the stop and \
             within 900 seconds) and `weight_<mode>` (float32, from 0.25 to 4 before the decay of the month).\n\n";
    page.extend(MODES.iter().map(mode));
    page += "\n## Features\n\nIn this file o, h, l, c and v are open, high, low, close and volume; a number after a comma \
             is a window in rows. A column is NaN before the row that is named, counted from 0 in the session; \
             in profile `rolling`, in the month. Two numbers are the usual range, for ES at 500 to 10,000 points; \
             [quality.md](quality.md) says what follows from it. float32, or float64 by the setting `features_dtype`.\n";
    for category in Category::ALL {
        let of = FEATURES.iter().filter(|feature| feature.kind == Kind::Float(category));
        page += &format!("\n### {}\n\n{}", category.name(), of.map(feature).collect::<String>());
    }
    page +=
        "\n### Time of day\n\nint8, exactly one of them is 1. Central time, whatever the zone of the session is.\n\n";
    let flags = FEATURES.iter().filter(|feature| feature.kind == Kind::Flag);
    page.extend(flags.map(|Feature { name, definition, .. }| format!("- `{name}`: {definition}\n")));
    page.lines().map(super::wrap).collect::<Vec<_>>().join("\n") + "\n"
}

fn mode(mode: &FixedMode) -> String {
    let FixedMode { name, direction, stop, target } = mode;
    let side = match direction {
        Direction::Long => "long",
        Direction::Short => "short",
    };
    format!("- `{name}`: {side}, stop {stop} ticks, target {target} ticks\n")
}

fn feature(feature: &Feature) -> String {
    let Feature { name, unit, first, definition, .. } = feature;
    let usual = match (unit, feature.usual) {
        (Unit::Price, _) => "the month's prices".to_owned(),
        (Unit::Bars, (low, high)) => format!("{low} to {high}, 0 to 1 in `rolling`"),
        (_, (low, high)) => format!("{low} to {high}"),
    };
    let from = match first {
        0 => String::new(),
        first => format!(", from row {first}"),
    };
    format!("- `{name}` ({}, {usual}{from}): {definition}\n", unit.name())
}
