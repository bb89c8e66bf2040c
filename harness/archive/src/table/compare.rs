//! The table held to the manifests: what is wrong with its log, which months it has otherwise, and which it cannot have.

use std::collections::{BTreeMap, BTreeSet};

use base::exit;
use data::Month;
use serde::Serialize;

use super::{
    LOG, ROOT,
    action::{Add, Author},
    error::TableError,
    log::{Fault, FaultKind, path_of},
    snapshot::month_of,
    writer::Writer,
};
use crate::{manifest::ManifestError, publications, store::Store};

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Found {
    /// Version of the table; none where there is no log.
    pub version: Option<u64>,
    /// Files in the table, a month each.
    pub months: usize,
    /// Objects of the log that are missing, damaged, or not of this program.
    pub log: Vec<Fault>,
    /// Months that the table has not as the manifests have them.
    pub differs: Vec<Differs>,
    /// Published months that cannot be in the table.
    pub left_out: Vec<Left>,
}

/// A month that is otherwise in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Differs {
    /// The month; none of a file that is of none.
    pub month: Option<Month>,
    /// How it differs.
    pub what: What,
    /// In words.
    pub error: String,
}

/// How a month differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Published, and not in the table.
    NotInTable,
    /// In the table, and not published.
    NotPublished,
    /// The table has another file of it, or more than one.
    OtherFile,
    /// The file is not there, or of another size.
    NoFile,
    /// Its manifest cannot be read.
    Unreadable,
}

/// A published month that cannot be in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The month.
    pub month: Month,
    /// Why, and what to do.
    pub why: String,
}

/// Compares the table of a store with its manifests.
///
/// # Errors
/// The store failed.
pub fn compare(store: &Store) -> Result<Found, TableError> {
    let mut writer = Writer::new(store, Author { run: String::new(), host: String::new() });
    let log = writer.look()?.clone();
    let sizes: BTreeMap<String, u64> =
        store.list(ROOT, Some("_delta_log"))?.into_iter().map(|object| (object.key, object.bytes)).collect();
    let mut found = Found { log: log.faults.clone(), ..Found::default() };
    if !log.absent {
        found.version = Some(log.snapshot.version);
        found.months = log.snapshot.files.len();
    }
    let mut seen = BTreeSet::new();
    let mut could = false;
    for month in writer.months()? {
        let there: Vec<&Add> = log.snapshot.of_month(month).collect();
        seen.extend(there.iter().map(|add| add.path.clone()));
        let mut differs = |what, error: String| found.differs.push(Differs { month: Some(month), what, error });
        let known = match writer.record(month) {
            Err(TableError::Manifest(error @ ManifestError::Layout { .. })) => {
                differs(What::Unreadable, exit::sentence(&TableError::from(error).into()));
                continue;
            }
            known => known?,
        };
        let item = known.current().and_then(|current| current.data);
        let Some((item, path)) = item.as_ref().and_then(|item| Some((item, path_of(&item.key)?))) else {
            if known.manifest().is_some_and(|manifest| !publications::may_be_in_the_table(&manifest.current)) {
                let why = "its timestamps are nanoseconds: run it again with timestamp_unit = \"us\"".to_owned();
                found.left_out.push(Left { month, why });
            }
            if !there.is_empty() {
                let error = "in the table and not to be: run `harness table sync`";
                found.differs.push(Differs { month: Some(month), what: What::NotPublished, error: error.into() });
            }
            continue;
        };
        could = true;
        match &there[..] {
            [add] if add.path == path && sizes.get(&item.key) != Some(&add.size) => {
                differs(What::NoFile, format!("{} is not there as it was published: run the month again", item.key));
            }
            [add] if add.path == path => {}
            [] => {
                let columns = log.snapshot.columns();
                let why = match (writer.read_columns(item, &item.key), columns) {
                    (Ok(Err(why)), _) => Some(why),
                    (Ok(Ok(of_file)), Some(table)) => table.with(&of_file).err(),
                    (Err(TableError::Store(error)), _) if error.is_of_object() => None,
                    (Err(error), _) => return Err(error),
                    (Ok(Ok(_)), None) => None,
                };
                match why {
                    Some(why) => found.left_out.push(Left { month, why }),
                    // Said once, of the log.
                    None if log.absent => {}
                    None => {
                        let error = "published, and not in the table: run `harness table sync`";
                        differs(What::NotInTable, error.into());
                    }
                }
            }
            others => {
                let others: Vec<&str> = others.iter().map(|add| add.path.as_str()).collect();
                let others = others.join(", ");
                differs(
                    What::OtherFile,
                    format!("{others} in the table, {path} is published: run `harness table sync`"),
                );
            }
        }
    }
    for add in log.snapshot.files.values().filter(|add| !seen.contains(&add.path)) {
        let error = format!("{} is in the table and of no published month: run `harness table sync`", add.path);
        found.differs.push(Differs { month: month_of(add), what: What::NotPublished, error });
    }
    if log.absent && could {
        let (key, error) = (LOG.to_owned(), "there is no log: run `harness table sync`".to_owned());
        found.log.push(Fault { key, kind: FaultKind::Missing, error });
    }
    Ok(found)
}

impl Found {
    /// Whether the table says what the manifests say.
    pub fn is_whole(&self) -> bool {
        self.log.is_empty() && self.differs.is_empty()
    }
}
