//! What the names of the folders around a file say of all its rows, as Hive, Spark and pandas lay tables out:
//! `symbol=ESZ4/part-0.parquet`.

use std::path::Path;

/// What such a folder is called where its rows have no value.
const NONE: &str = "__HIVE_DEFAULT_PARTITION__";

/// Columns and their one value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Partition(Vec<(String, String)>);

impl Partition {
    /// Of a file's path within the folder that is the table.
    pub(super) fn of(path: &Path) -> Self {
        let folders = path.parent().unwrap_or(Path::new("")).iter().map(|folder| folder.to_string_lossy());
        let pair = |folder: std::borrow::Cow<'_, str>| {
            let (name, value) = folder.split_once('=')?;
            let value = if value == NONE { String::new() } else { unescaped(value) };
            Some((unescaped(name), value))
        };
        Self(folders.filter_map(pair).collect())
    }

    /// The value of a column by its name in the table; capitals do not matter. Empty where its rows have none.
    pub(super) fn value(&self, column: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        found.map(|(_, value)| value.as_str())
    }
}

/// With `%20` as the blank it stands for.
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = bytes.get(at..at + 3).filter(|three| three[0] == b'%');
        let byte = escaped.and_then(|three| u8::from_str_radix(std::str::from_utf8(&three[1..]).ok()?, 16).ok());
        plain.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_name_columns_and_their_values() {
        let partition =
            Partition::of(Path::new("year=2024/Symbol=ES%2012-24/x/day=__HIVE_DEFAULT_PARTITION__/a=b.parquet"));
        assert_eq!(partition.value("symbol"), Some("ES 12-24"));
        assert_eq!((partition.value("year"), partition.value("day")), (Some("2024"), Some("")));
        assert_eq!((partition.value("x"), partition.value("a")), (None, None));
        for (text, plain) in [("100%", "100%"), ("%zz", "%zz"), ("%4", "%4"), ("%e9", "\u{fffd}"), ("", "")] {
            assert_eq!(unescaped(text), plain);
        }
    }
}
