//! The whole table from the manifests: where there is no log, and where one cannot be gone on with.

use std::collections::BTreeSet;

use data::Month;
use jiff::Timestamp;

use super::{Outcome, Put, Synced, Writer, add, protocol, removal};
use crate::{
    manifest::ManifestError,
    table::{
        action::{Action, Add, Done},
        columns::Columns,
        error::TableError,
        known::Known,
        snapshot::{logged, month_of},
    },
};

/// As often as others are faster.
const TRIES: u32 = 20;

/// What the log is to say.
#[derive(Default)]
pub struct Whole {
    columns: Option<Columns>,
    files: Vec<Add>,
    generations: Vec<(Month, u64)>,
}

impl Whole {
    /// Of each month what is current, with the columns that most of them have.
    pub fn of(writer: &mut Writer) -> Result<Self, TableError> {
        let (mut whole, mut candidates) = (Self::default(), Vec::new());
        for month in writer.months()? {
            let known = match writer.record(month) {
                Err(TableError::Manifest(error @ ManifestError::Layout { .. })) => {
                    // It says nothing, so what the log says of it stays.
                    tracing::warn!("{month}: {error}");
                    let there = writer.snapshot().of_month(month).cloned();
                    whole.files.extend(there);
                    continue;
                }
                known => known?,
            };
            whole.generations.push((month, known.generation()));
            let Some((current, item)) = known.current().and_then(|current| Some((current.clone(), current.data?)))
            else {
                continue;
            };
            let made_from = known.manifest().map(|manifest| &manifest.current.made_from);
            let name = made_from.map(|made_from| format!("{} {}", made_from.program, made_from.settings));
            match writer.read_columns(&item, &name.unwrap_or_default()) {
                Ok(Ok(columns)) => candidates.extend(add(month, &item, &current).map(|add| (columns, add))),
                Ok(Err(_)) => {}
                // A published file that is not there is the month's fault, and said of it elsewhere.
                Err(TableError::Store(error)) if error.is_of_object() => tracing::warn!("{month}: {error}"),
                Err(error) => return Err(error),
            }
        }
        let of = |columns: &Columns| candidates.iter().filter(|(other, _)| other == columns).count();
        whole.columns = candidates.iter().map(|(columns, _)| columns).max_by_key(|columns| of(columns)).cloned();
        for (columns, add) in candidates {
            if let Some(Ok(all)) = whole.columns.as_ref().map(|table| table.with(&columns)) {
                whole.columns = Some(all);
                whole.files.push(add);
            }
        }
        Ok(whole)
    }

    /// What is given of a month in the place of what was known of it.
    fn replace(&mut self, writer: &mut Writer, known: &Known) -> Result<(), TableError> {
        let month = known.month();
        self.files.retain(|add| month_of(add) != Some(month));
        self.generations.retain(|(other, _)| *other != month);
        self.generations.push((month, known.generation()));
        let Some((current, item)) = known.current().and_then(|current| Some((current.clone(), current.data?))) else {
            return Ok(());
        };
        let Ok(columns) = writer.read_columns(&item, &item.key)? else { return Ok(()) };
        let all = match &self.columns {
            Some(table) if !self.files.is_empty() => table.with(&columns).ok(),
            _ => Some(columns),
        };
        if let Some((all, add)) = all.zip(add(month, &item, &current)) {
            self.columns = Some(all);
            self.files.push(add);
        }
        Ok(())
    }
}

/// Begins the log with what was prepared, or else with what the manifests say now, and with what is `given` of one month;
/// nothing where no month can be in a table. What was published since it was prepared is for who published it to add.
///
/// # Errors
/// [`TableError`].
pub fn begin(writer: &mut Writer, given: Option<Known>) -> Result<Option<Put>, TableError> {
    let mut whole = match writer.take_prepared() {
        Some(prepared) => prepared,
        None => Whole::of(writer)?,
    };
    if let Some(known) = given {
        whole.replace(writer, &known)?;
    }
    if whole.files.is_empty() {
        return Ok(None);
    }
    whole.commit(writer).map(Some)
}

impl Whole {
    /// Commits it over what the log says.
    fn commit(self, writer: &mut Writer) -> Result<Put, TableError> {
        let Self { columns, files, generations } = self;
        let now = Timestamp::now().as_millisecond();
        let mut actions = vec![protocol()];
        if let Some(columns) = &columns {
            actions.push(writer.metadata(columns)?);
        }
        let paths: BTreeSet<&str> = files.iter().map(|add| add.path.as_str()).collect();
        let there = &writer.snapshot().files;
        let gone = there.values().filter(|add| !paths.contains(add.path.as_str()));
        actions.extend(gone.map(|add| Action::Remove(removal(add, now))));
        actions.extend(generations.into_iter().map(|(month, generation)| logged(month, generation, now)));
        let new = files.iter().filter(|add| there.get(&add.path) != Some(add)).cloned();
        actions.extend(new.map(Action::Add));
        writer.commit(actions, Done { operation: "SYNC", parameters: &[("months", files.len().to_string())] })
    }
}

impl Writer {
    /// Makes the log say what the manifests say. A log that is damaged, or that another program wrote to, is gone on with
    /// after a commit that says everything anew and a checkpoint of it: readers begin there.
    ///
    /// # Errors
    /// [`TableError`].
    pub fn sync(&mut self) -> Result<Synced, TableError> {
        for _ in 0..TRIES {
            self.forget();
            self.take_prepared();
            let log = self.look()?;
            let (absent, damaged) = (log.absent, !log.faults.is_empty());
            if absent {
                match begin(self, None)? {
                    Some(Put::Taken) => continue,
                    Some(Put::Made) => return Ok(self.synced(Outcome::Made)),
                    None => return Ok(self.synced(Outcome::Empty)),
                }
            }
            if !damaged {
                self.follow_all()?;
            }
            // What followed month by month may have other columns than most months have.
            let whole = Whole::of(self)?;
            let paths: BTreeSet<&String> = whole.files.iter().map(|add| &add.path).collect();
            if !damaged && paths.iter().copied().eq(self.snapshot().files.keys()) {
                let outcome = if self.commits() > 0 { Outcome::Mended } else { Outcome::Unchanged };
                return Ok(self.synced(outcome));
            }
            if whole.commit(self)? == Put::Made {
                self.checkpoint()?;
                return Ok(self.synced(Outcome::Mended));
            }
        }
        Err(TableError::Busy)
    }

    fn follow_all(&mut self) -> Result<(), TableError> {
        for month in self.months()? {
            match self.record(month) {
                Err(TableError::Manifest(ManifestError::Layout { .. })) => {}
                Err(error) => return Err(error),
                Ok(known) => match self.compare(known) {
                    Err(TableError::Store(error)) if error.is_of_object() => tracing::warn!("{month}: {error}"),
                    done => done?,
                },
            }
        }
        Ok(())
    }

    fn synced(&self, outcome: Outcome) -> Synced {
        let version = self.known_log().filter(|log| !log.absent).map(|log| log.snapshot.version);
        let months = self.snapshot().files.len();
        Synced { outcome, version, commits: self.commits(), months }
    }
}
