//! Raw files, found by listing: any key under the root whose name is that of the archive's pattern.

use data::{Month, input};
use jiff::Timestamp;

use super::store::{Object, Store, StoreError};

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
    /// Month of the first date in its name.
    pub first: Month,
    /// Month of the last date in its name.
    pub last: Month,
}

impl RawFile {
    /// File name without its folder.
    pub fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
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
    let mut files: Vec<RawFile> = store
        .list("", Some("processed-data"))?
        .into_iter()
        .filter_map(|object| {
            let name = object.key.rsplit('/').next()?;
            let (first, last) = input::named_dates(name)?;
            let (first, last) = (Month::of(first)?, Month::of(last)?);
            let Object { key, bytes, e_tag, modified } = object;
            Some(RawFile { key, bytes, e_tag, modified, first, last })
        })
        .collect();
    files.sort_by(|a, b| (a.name(), &a.key).cmp(&(b.name(), &b.key)));
    Ok(files)
}
