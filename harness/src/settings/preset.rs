//! What a root brings with it where nobody gave another setting.

use std::collections::BTreeMap;

use data::{breaks::clock, preset};

use super::Setting;

/// Hours that a root's preset has.
pub(super) const SESSIONS: [&str; 2] = ["regular", "globex"];

/// Units of 1e-9 points as decimal points.
pub fn points(nanos: i64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What the root and the session that are in force say of a setting that comes after them.
pub(super) fn of(table: &BTreeMap<String, Setting>, name: &str) -> Option<String> {
    // Settings before the root have none.
    let preset = preset::of(&table.get("root")?.value);
    let globex = || table["session"].value == SESSIONS[1];
    let session = || if globex() { Some(preset::GLOBEX) } else { Some(preset?.session) };
    let time = |of_day: u32| format!("{}:00", clock(of_day));
    match name {
        "tick_size" => Some(points(preset?.tick_nanos)),
        "negative_prices" => Some(preset?.negative_prices.to_string()),
        "session_start" => Some(time(session()?.0)),
        "session_end" => Some(time(session()?.1)),
        // The breaks are those of the whole day, not of hours that were given.
        "session_breaks" => {
            let is = |name: &str, of_day: u32| table[name].value == time(of_day);
            let whole = is("session_start", preset::GLOBEX.0) && is("session_end", preset::GLOBEX.1);
            (globex() && whole).then(|| preset.map(|preset| preset.globex_breaks().to_string()))?
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use data::Instrument;

    use super::{super::Settings, *};

    #[test]
    fn points_are_written_as_they_are_read() {
        assert_eq!([250_000_000, 500, 20_000_000_000].map(points), ["0.25", "0.0000005", "20"]);
    }

    fn of(text: &str) -> Settings {
        Settings::of_text(text).unwrap()
    }

    #[test]
    fn a_root_brings_its_preset_and_a_setting_overrides_it() {
        let setting = |text: &str, name: &str| {
            let Setting { value, origin } = of(text).table[name].clone();
            (value, origin)
        };
        let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
        assert_eq!(setting("", "tick_size"), pair("0.25", "default"));
        assert_eq!(of("").instrument, Instrument::default());
        for (text, name, value) in [
            ("root = 'GC'", "tick_size", "0.1"),
            ("root = 'GC'", "session_start", "07:20:00"),
            ("root = 'GC'", "session_end", "12:30:00"),
            ("root = 'CL'", "negative_prices", "true"),
            ("root = '6J'", "tick_size", "0.0000005"),
            ("root = 'ZN'", "tick_size", "0.015625"),
            ("root = 'ES'\nsession = 'globex'", "session_breaks", "15:15-15:30 until 2021-06-25"),
            ("root = 'GC'\nsession = 'globex'", "session_start", "17:00:00"),
            ("root = 'XX'\nsession = 'globex'", "session_end", "16:00:00"),
        ] {
            let root = &text[8..10];
            let origin = format!("preset of {root}");
            assert_eq!(setting(text, name), (value.to_owned(), origin), "{text} {name}");
        }
        assert_eq!(setting("root = 'GC'\ntick_size = 0.2", "tick_size"), pair("0.2", "harness.toml"));
        assert_eq!(setting("root = 'CL'\nnegative_prices = false", "negative_prices"), pair("false", "harness.toml"));
        assert_eq!(setting("root = 'XX'", "session_end"), pair("15:00:00", "default"));
        // Hours that are given have the breaks that are given.
        let given = "root = 'ES'\nsession = 'globex'\nsession_end = '15:15'";
        assert_eq!(setting(given, "session_breaks"), pair("", "default"));
        assert!(of(given).instrument.session_breaks.is_empty());
        let breaks = "root = 'GC'\nsession = 'globex'\nsession_breaks = '07:45-08:30'";
        assert_eq!(of(breaks).instrument.session_breaks.to_string(), "07:45-08:30");
    }
}
