//! `docs/settings.md`, made from the definitions.

use super::table::{Definition, Group, SETTINGS};
use crate::reference;

#[test]
fn the_reference_page_is_that_of_the_definitions() {
    reference::hold("settings.md", &page());
}

fn page() -> String {
    let mut page = String::from(
        "# Settings\n\nA flag wins over the environment, that over `harness.toml`, that over the default. \
         `harness config show` prints each value in force and where it came from. A command has the flags \
         of the settings that it reads.\n\n\
         In `harness.toml`, numbers and `true` or `false` stand without quotes, everything else with them. \
         It has two tables besides: `[alerts]` ([GUIDE.md](../GUIDE.md#alerts)) and `[feature_ranges]`, which replaces the \
         usual range of a feature: `bar_range = [0, 50]`.\n\n\
         `chunk_rows`, `jobs`, `max_memory_gb`, `temp_dir` and `cache_gb` change no byte of the output, and \
         `feature_ranges` only the statistics. `profile`, `contract`, `decay_reference`, `features_dtype` and those of the \
         instrument do, and are in the file's metadata.\n",
    );
    for group in Group::ALL {
        page += &format!("\n## {}\n", group.title());
        for setting in SETTINGS.iter().filter(|setting| setting.group == group) {
            page += &format!("\n### `{}`\n\n{}\n\n{}\n", setting.name, sources(setting), help(setting));
        }
    }
    page.lines().map(reference::wrap).collect::<Vec<_>>().join("\n") + "\n"
}

/// Flag, variable and default.
fn sources(setting: &Definition) -> String {
    let mut sources = format!("`--{} {}`", setting.flag(), setting.value);
    if let Some(variable) = setting.variable {
        sources += &format!(", environment `{variable}`");
    }
    match setting.default {
        "" => sources + "; not set by default.",
        default => sources + &format!("; default `{default}`."),
    }
}

fn help(setting: &Definition) -> String {
    let (help, unset) = match setting.help.strip_suffix(']').and_then(|help| help.split_once(" [default: ")) {
        Some((help, unset)) => (help, format!(" If not set: {unset}.")),
        None => (setting.help, String::new()),
    };
    let one_of = match setting.choices {
        [] => String::new(),
        choices => format!(" One of `{}`.", choices.join("`, `")),
    };
    format!("{help}.{one_of}{unset}")
}
