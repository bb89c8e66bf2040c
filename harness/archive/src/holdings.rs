//! What a store holds of each month, from one listing of what was published.

use std::collections::BTreeMap;

use data::{Month, MonthRange};

use super::{
    failures, manifest,
    store::{Object, Store, StoreError},
    withheld,
};

/// Folder of all that is made from raw files.
const FOLDER: &str = "processed-data";

/// What is held of one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// It has a manifest: it is published.
    pub published: bool,
    /// What is kept of a removed month; of no account while it is published.
    pub removed: bool,
    /// Its last run failed.
    pub failed: bool,
    /// Its last run with a gate kept it from being published.
    pub withheld: bool,
    /// Everything in its folders, the record of its failure included.
    pub objects: Vec<Object>,
}

/// What is held of all months.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// By month.
    pub months: BTreeMap<Month, Held>,
    /// What lies in no month's folder.
    pub others: Vec<Object>,
}

impl Holdings {
    /// Lists a store.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of(store: &Store) -> Result<Self, StoreError> {
        let mut holdings = Self::default();
        for object in store.list(FOLDER, None)? {
            let Some(month) = month_of(&object.key) else {
                holdings.others.push(object);
                continue;
            };
            let held = holdings.months.entry(month).or_default();
            held.published |= object.key == manifest::key(month);
            held.removed |= object.key == manifest::removed_key(month);
            held.failed |= object.key == failures::key(month);
            held.withheld |= object.key == withheld::key(month);
            held.objects.push(object);
        }
        Ok(holdings)
    }

    /// What is held of a month, which may be nothing.
    pub fn held(&self, month: Month) -> &Held {
        static NOTHING: Held =
            Held { published: false, removed: false, failed: false, withheld: false, objects: Vec::new() };
        self.months.get(&month).unwrap_or(&NOTHING)
    }

    /// The published months of a range, in order.
    pub fn published(&self, range: Option<MonthRange>) -> Vec<Month> {
        let published = self.months.iter().filter(|(_, held)| held.published).map(|(&month, _)| month);
        published.filter(|&month| within(range, month)).collect()
    }
}

/// Whether a month is one of a range; without a range each is.
pub fn within(range: Option<MonthRange>, month: Month) -> bool {
    range.is_none_or(|range| (range.first()..=range.last()).contains(&month))
}

/// The month in whose folder a key lies, or whose failure it records.
pub fn month_of(key: &str) -> Option<Month> {
    let parts: Vec<&str> = key.strip_prefix(FOLDER)?.strip_prefix('/')?.split('/').collect();
    match parts[..] {
        ["failures", name] => name.strip_suffix(".json")?.parse().ok(),
        ["withheld", month, _, ..] => month.parse().ok(),
        ["monthly" | "history", year, month, _, ..] => format!("{year}-{month}").parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::naming;

    #[test]
    fn every_key_belongs_to_its_month() {
        let month: Month = "2013-09".parse().unwrap();
        let attempt = naming::Attempt::after(0);
        let [data, statistics] = naming::keys(&manifest::folder(month), month, "v", attempt);
        let [old, _] = naming::keys(&manifest::history_folder(month), month, "v", attempt);
        let records = [manifest::key(month), manifest::removed_key(month), failures::key(month), withheld::key(month)];
        let keys = [data, statistics, old].into_iter().chain(records).collect::<Vec<_>>();
        assert!(keys.iter().all(|key| month_of(key) == Some(month)), "{keys:?}");
        let others = ["processed-data/monthly/2013/13/a", "processed-data/2013/09/a", "failures/2013-09.json", "a"];
        assert!(others.iter().all(|key| month_of(key).is_none()));
    }
}
