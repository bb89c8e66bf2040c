//! The table `[labels]`: which trades are labelled. What is wrong in it is named with its line.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use data::labels::{Labels, MULTIPLE, PRESETS, entry_of, output_of, side_of, tie_of};
use kernels::labels::{Distance, Entry, Mode, Multiple, Output, Specification, Tie, Wrong};
use toml_edit::{Document, Item, Table, TableLike, Value};

use base::exit::Usage;

/// The table, and the setting that names a preset or a file with it.
pub(super) const LABELS: &str = "labels";

/// What that setting is where harness.toml has the table itself.
pub(super) const OWN: &str = "[labels]";

/// The labels that a setting names: a preset, or a file.
pub(super) fn named(value: &str) -> Result<Labels, Usage> {
    if let Some(preset) = Labels::preset(value) {
        return Ok(preset);
    }
    let path = Path::new(value);
    let expected = || format!("expected {}, or a file with a table [labels]", PRESETS.join(", "));
    let text =
        std::fs::read_to_string(path).map_err(|error| Usage(format!("labels = {value}: {error}; {}", expected())))?;
    read(&text, path)?.ok_or_else(|| Usage(format!("{value}: no table [labels]; {}", expected())))
}

/// The labels of a TOML file; `None` where it has no such table.
pub(super) fn read(text: &str, path: &Path) -> Result<Option<Labels>, Usage> {
    let wrong = |what: String| Usage(format!("{}: {what}", path.display()));
    let document = Document::parse(text).map_err(|error| wrong(error.to_string()))?;
    let Some(table) = document.as_table().get(LABELS).and_then(Item::as_table) else { return Ok(None) };
    Reader { text }.labels(table).map(Some).map_err(wrong)
}

/// A file and where things are in it.
struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    /// "line 3: stop = 0: expected 1 to 4095 ticks".
    fn wrong(&self, item: &Item, key: &str, expected: &str) -> String {
        let found = item.span().map_or_else(|| item.to_string(), |span| self.text[span].to_owned());
        self.at(Some(item), &format!("{key} = {}: expected {expected}", found.trim()))
    }

    fn at(&self, item: Option<&Item>, what: &str) -> String {
        match item.and_then(Item::span) {
            Some(span) => format!("line {}: {what}", 1 + self.text[..span.start].matches('\n').count()),
            None => what.to_owned(),
        }
    }

    fn labels(&self, table: &Table) -> Result<Labels, String> {
        self.known(table, &["horizon", "entry", "tie", "outputs", "mode"])?;
        let horizon = match table.get("horizon") {
            Some(item) => self.whole(item, "horizon", "1 to 3600 rows")?,
            None => 900,
        };
        let entry = self.choice(table, "entry", Entry::default(), entry_of, "\"next_open\" or \"close\"")?;
        let tie = self.choice(table, "tie", Tie::default(), tie_of, "\"stop\" or \"target\"")?;
        let outputs = match table.get("outputs") {
            Some(item) => self.outputs(item)?,
            None => Specification::default().outputs().to_vec(),
        };
        let tables: Vec<&Table> = match table.get("mode") {
            Some(Item::ArrayOfTables(modes)) => modes.iter().collect(),
            Some(other) => return Err(self.wrong(other, "mode", "tables [[labels.mode]]")),
            None => Vec::new(),
        };
        let (mut modes, mut win_rates) = (Vec::new(), BTreeMap::new());
        for table in &tables {
            let mode = self.mode(table)?;
            if let Some(item) = table.get("win_rate") {
                win_rates.insert(mode.name.to_string(), self.band(item)?);
            }
            modes.push(mode);
        }
        let specification = Specification::new(horizon, entry, tie, &outputs, modes);
        let specification = specification.map_err(|wrong| {
            let Wrong { mode, key, .. } = &wrong;
            let of = mode.map_or(Some(table), |mode| tables.get(mode).copied());
            self.at(of.and_then(|of| of.get(key)), &wrong.to_string())
        })?;
        Ok(Labels { specification: Arc::new(specification), win_rates })
    }

    /// No other keys than these.
    fn known(&self, table: &dyn TableLike, keys: &[&str]) -> Result<(), String> {
        match table.iter().find(|(key, _)| !keys.contains(key)) {
            Some((key, item)) => Err(self.at(Some(item), &format!("{key}: unknown; expected {}", keys.join(", ")))),
            None => Ok(()),
        }
    }

    fn whole(&self, item: &Item, key: &str, expected: &str) -> Result<u16, String> {
        let number = item.as_integer().and_then(|number| u16::try_from(number).ok());
        number.ok_or_else(|| self.wrong(item, key, expected))
    }

    fn choice<T>(
        &self,
        table: &Table,
        key: &str,
        default: T,
        of: fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<T, String> {
        let Some(item) = table.get(key) else { return Ok(default) };
        item.as_str().and_then(of).ok_or_else(|| self.wrong(item, key, expected))
    }

    fn outputs(&self, item: &Item) -> Result<Vec<Output>, String> {
        let names = Output::ALL.map(Output::name).join(", ");
        let expected = format!("a list of {names}");
        let list = item.as_array().ok_or_else(|| self.wrong(item, "outputs", &expected))?;
        list.iter()
            .map(|name| name.as_str().and_then(output_of))
            .collect::<Option<_>>()
            .ok_or_else(|| self.wrong(item, "outputs", &expected))
    }

    fn mode(&self, table: &Table) -> Result<Mode, String> {
        self.known(table, &["name", "side", "stop", "target", "trailing", "win_rate"])?;
        let item = |key: &str| {
            let line = table.span().map_or(0, |span| 1 + self.text[..span.start].matches('\n').count());
            table
                .get(key)
                .ok_or_else(|| format!("line {line}: a mode without {key}: expected name, side, stop and target"))
        };
        let name = item("name")?;
        let text = name.as_str().ok_or_else(|| self.wrong(name, "name", "a text in quotes"))?.to_owned();
        let side = item("side")?;
        let direction = side.as_str().and_then(side_of);
        let trailing = match table.get("trailing") {
            Some(item) => item.as_bool().ok_or_else(|| self.wrong(item, "trailing", "true or false"))?,
            None => false,
        };
        Ok(Mode {
            name: text.into(),
            direction: direction.ok_or_else(|| self.wrong(side, "side", "\"long\" or \"short\""))?,
            stop: self.distance(item("stop")?, "stop")?,
            target: self.distance(item("target")?, "target")?,
            trailing,
        })
    }

    fn distance(&self, item: &Item, key: &str) -> Result<Distance, String> {
        let Some(table) = item.as_table_like() else {
            return self.whole(item, key, "1 to 4095 ticks or { atr = 1.5 }").map(Distance::Ticks);
        };
        self.known(table, &["atr"])?;
        let multiple = table.get("atr").and_then(number).and_then(Multiple::new);
        multiple.map(Distance::Atr).ok_or_else(|| self.wrong(item, key, &format!("{{ atr = .. }}, {MULTIPLE}")))
    }

    fn band(&self, item: &Item) -> Result<(f64, f64), String> {
        let bounds: Option<Vec<f64>> = item.as_array().and_then(|bounds| bounds.iter().map(value).collect());
        match bounds.as_deref() {
            Some(&[least, most]) if (0.0..=1.0).contains(&least) && (least..=1.0).contains(&most) => Ok((least, most)),
            _ => Err(self.wrong(item, "win_rate", "[least, most] from 0 to 1, such as [0.05, 0.5]")),
        }
    }
}

fn number(item: &Item) -> Option<f64> {
    item.as_value().and_then(value)
}

fn value(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|number| number as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
profile = 'session'
[labels]
horizon = 1800
outputs = ['label', 'exit']
[[labels.mode]]
name = 'a'
side = 'long'
stop = 6
target = { atr = 2 }
[[labels.mode]]
name = 'b'
side = 'short'
stop = { atr = 1.5 }
target = 12
trailing = true
win_rate = [0.01, 0.9]
";

    fn refused(from: &str, to: &str) -> String {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        read(&text, Path::new("labels.toml")).unwrap_err().to_string()
    }

    #[test]
    fn a_table_is_a_specification() {
        let labels = read(GOOD, Path::new("labels.toml")).unwrap().unwrap();
        assert_eq!(labels.win_rates, [("b".to_owned(), (0.01, 0.9))].into());
        let specification = &*labels.specification;
        assert_eq!(
            (specification.horizon(), specification.entry(), specification.tie()),
            (1800, Entry::NextOpen, Tie::Stop)
        );
        assert!(specification.columns().eq(["label_a", "exit_a", "label_b", "exit_b"]));
        assert_eq!(specification.modes()[0].target, Distance::Atr(Multiple::new(2.0).unwrap()));
        assert!(
            specification.modes()[1].trailing
                && specification.modes()[1].stop == Distance::Atr(Multiple::new(1.5).unwrap())
        );
        assert_eq!(read("profile = 'session'", Path::new("labels.toml")).unwrap(), None);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_what_was_expected() {
        let cases = [
            ("stop = 6", "stop = 0", "line 8: mode 1: stop = 0: expected 1 to 4095 ticks"),
            ("stop = 6", "stop = -6", "line 8: stop = -6: expected 1 to 4095 ticks or { atr = 1.5 }"),
            ("stop = 6", "stop = 6.5", "line 8: stop = 6.5: expected"),
            (
                "atr = 2 ",
                "atr = 0.0000001 ",
                "line 9: target = { atr = 0.0000001 }: expected { atr = .. }, a multiple above 0",
            ),
            ("atr = 2 ", "atr = inf ", "line 9: target = { atr = inf }: expected"),
            ("atr = 2 ", "ATR = 2 ", "line 9: ATR: unknown; expected atr"),
            ("name = 'b'", "name = 'a'", "line 11: mode 2: name = a: expected another name than mode 1"),
            ("name = 'b'", "name = 'B b'", "line 11: mode 2: name = B b: expected lower-case letters"),
            ("side = 'short'", "side = 'down'", "line 12: side = 'down': expected \"long\" or \"short\""),
            ("side = 'short'\n", "", "line 10: a mode without side"),
            ("'exit'", "'exit', 'exit'", "line 4: outputs = exit twice: expected each output once"),
            ("'label', ", "", "line 4: outputs = a list without label"),
            ("'exit'", "'exits'", "line 4: outputs = ['label', 'exits']: expected a list of label, weight"),
            ("horizon = 1800", "horizon = 3601", "line 3: horizon = 3601: expected 1 to 3600 rows"),
            ("horizon = 1800", "horizon = 70000", "line 3: horizon = 70000: expected 1 to 3600 rows"),
            ("horizon = 1800", "entry = 'open'", "line 3: entry = 'open': expected \"next_open\" or \"close\""),
            ("horizon = 1800", "ticks = 4", "line 3: ticks: unknown; expected horizon, entry"),
            ("trailing = true", "trailing = 1", "line 15: trailing = 1: expected true or false"),
            ("[0.01, 0.9]", "[0.9, 0.01]", "line 16: win_rate = [0.9, 0.01]: expected [least, most]"),
        ];
        for (from, to, expected) in cases {
            let found = refused(from, to);
            assert!(found.starts_with(&format!("labels.toml: {expected}")), "{to}: {found}");
        }
        let many: String =
            (0..65).map(|n| format!("[[labels.mode]]\nname = 'm{n}'\nside = 'long'\nstop = 1\ntarget = 1\n")).collect();
        let found = read(&format!("[labels]\n{many}"), Path::new("labels.toml")).unwrap_err().to_string();
        assert!(found.contains("65 modes: expected 1 to 64 modes"), "{found}");
    }

    #[test]
    fn presets_and_files_are_named() {
        assert!(named("default").unwrap().is_default());
        assert_eq!(named("atr").unwrap().specification.modes().len(), 6);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        assert!(named(path.to_str().unwrap()).unwrap_err().to_string().contains("expected default, atr, or a file"));
        std::fs::write(&path, GOOD).unwrap();
        assert_eq!(named(path.to_str().unwrap()).unwrap().specification.modes().len(), 2);
        std::fs::write(&path, "root = 'ES'").unwrap();
        assert!(named(path.to_str().unwrap()).unwrap_err().to_string().contains("no table [labels]"));
    }
}
