//! Raw files, found by listing: any key under the root whose name is that of the archive's pattern, and DBN under names of
//! one's own, whose header tells its dates.

use std::collections::BTreeSet;

use data::{
    Month, MonthRange,
    input::{self, FileName},
};
use jiff::{Timestamp, civil::Date};

use super::store::{Object, Store, StoreError};

/// Bytes of a file that are read for its header: a block of Zstandard comes before its first byte.
const HEAD: u64 = 1 << 18;
/// What names ids, beside raw files.
pub const SYMBOLOGY: &str = "symbology.json";

/// A raw file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawFile {
    /// Key in the store.
    pub key: String,
    /// Size.
    pub bytes: u64,
    /// Its state, where the store names one.
    pub e_tag: Option<String>,
    /// When it was written there.
    pub modified: Option<Timestamp>,
    /// First and last UTC date it holds, by its name or its header.
    pub dates: (Date, Date),
    /// Month of the first.
    pub first: Month,
    /// Month of the last.
    pub last: Month,
    /// Place of its schema among those that are read: of a month that has several, the first is taken.
    pub schema: usize,
    /// Whether a `symbology.json` lies beside it.
    pub has_symbology: bool,
}

impl RawFile {
    /// File name without its folder.
    pub fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }

    /// Key of its folder, with a slash at its end; empty at the root.
    pub fn folder(&self) -> &str {
        self.key.strip_suffix(self.name()).unwrap_or_default()
    }

    /// It as an object of its store.
    pub fn object(&self) -> Object {
        Object { key: self.key.clone(), bytes: self.bytes, e_tag: self.e_tag.clone(), modified: self.modified }
    }

    /// How many months its name says it holds.
    pub fn months(&self) -> u64 {
        let number = |month: Month| 12 * i64::from(month.year()) + i64::from(month.month());
        (number(self.last) - number(self.first) + 1).max(1).unsigned_abs()
    }

    /// Whether its name says it holds records of a month.
    pub fn holds(&self, month: Month) -> bool {
        (self.first..=self.last).contains(&month)
    }
}

/// Every raw file of the store, in order of name.
pub fn raw_files(store: &Store) -> Result<Vec<RawFile>, StoreError> {
    let objects = store.list("", Some("processed-data"))?;
    let named: BTreeSet<&str> = objects.iter().filter_map(|object| object.key.strip_suffix(SYMBOLOGY)).collect();
    let mut files: Vec<RawFile> = Vec::new();
    for object in &objects {
        let name = object.key.rsplit('/').next().unwrap_or_default();
        let Some((schema, first, last)) = promised(store, object, name)? else { continue };
        let (Some(first_month), Some(last_month)) = (Month::of(first), Month::of(last)) else { continue };
        let Some(schema) = input::SCHEMAS.iter().position(|known| *known == schema) else { continue };
        let Object { key, bytes, e_tag, modified } = object.clone();
        let has_symbology = named.contains(key.strip_suffix(name).unwrap_or_default());
        let (dates, first, last) = ((first, last), first_month, last_month);
        files.push(RawFile { key, bytes, e_tag, modified, dates, first, last, schema, has_symbology });
    }
    files.sort_by(|a, b| (a.name(), &a.key).cmp(&(b.name(), &b.key)));
    Ok(preferred(files))
}

/// Schema and dates of a file by its name, else by its header.
fn promised(store: &Store, object: &Object, name: &str) -> Result<Option<(String, Date, Date)>, StoreError> {
    if let Some(FileName { schema, first, last, .. }) = FileName::of_any_schema(name) {
        return Ok(Some((schema.to_owned(), first, last)));
    }
    let is_dbn = [".dbn", ".dbn.zst"].iter().any(|end| name.ends_with(end));
    if !is_dbn || object.bytes == 0 {
        return Ok(None);
    }
    let head = store.range(&object.key, 0..object.bytes.min(HEAD))?;
    Ok(input::promised(&head).map(|(schema, first, last)| (schema.to_owned(), first, last)))
}

/// Without files of a schema of which bars are made, where all their months have bars, or a better schema.
fn preferred(files: Vec<RawFile>) -> Vec<RawFile> {
    let has_better =
        |file: &RawFile, month: Month| files.iter().any(|other| other.schema < file.schema && other.holds(month));
    let is_of_use = |file: &&RawFile| {
        let mut months = MonthRange::new(file.first, file.last).into_iter().flat_map(MonthRange::iter);
        file.schema == 0 || months.any(|month| !has_better(file, month))
    };
    files.iter().filter(is_of_use).cloned().collect()
}

/// Of files of one name in several folders the one that was written last: a corrected download.
pub fn newest(files: Vec<RawFile>) -> Vec<RawFile> {
    let is_newest = |file: &&RawFile| {
        let same = files.iter().filter(|other| other.name() == file.name());
        same.max_by_key(|other| (other.modified, &other.key)).is_some_and(|newest| newest.key == file.key)
    };
    files.iter().filter(is_newest).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(key: &str, schema: usize, months: (&str, &str), written: i64) -> RawFile {
        let [first, last]: [Month; 2] = [months.0, months.1].map(|month| month.parse().unwrap());
        RawFile {
            key: key.into(),
            bytes: 1,
            e_tag: None,
            modified: Timestamp::from_second(written).ok(),
            dates: (first.first_day(), last.last_day()),
            first,
            last,
            schema,
            has_symbology: false,
        }
    }

    fn keys(files: Vec<RawFile>) -> Vec<String> {
        files.into_iter().map(|file| file.key).collect()
    }

    #[test]
    fn trades_are_taken_for_months_without_bars() {
        let files = vec![
            file("bars", 0, ("2024-10", "2024-10"), 0),
            file("trades", 1, ("2024-10", "2024-10"), 0),
            file("trades of two", 1, ("2024-10", "2024-11"), 0),
            file("quoted", 2, ("2024-11", "2024-11"), 0),
            file("quoted alone", 2, ("2024-12", "2024-12"), 0),
        ];
        assert_eq!(keys(preferred(files)), ["bars", "trades of two", "quoted alone"]);
    }

    #[test]
    fn of_downloads_of_one_name_the_newest_is_the_one_that_was_written_last() {
        let of = |key: &str, written| file(key, 0, ("2024-10", "2024-10"), written);
        let files = vec![of("b/x", 1), of("a/x", 2), of("a/y", 1), of("b/y", 1), of("z", 0)];
        assert_eq!(keys(newest(files)), ["a/x", "b/y", "z"]);
    }
}
