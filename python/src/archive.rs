//! A store of published months, read: what is committed and nothing else.

use std::{
    collections::hash_map::RandomState,
    error::Error,
    fs,
    hash::BuildHasher,
    path::{Path, PathBuf},
    time::Duration,
};

use archive::{
    holdings::{Holdings, within},
    manifest, published,
    store::{Access, Object, Store},
};
use data::{Month, MonthRange};
use pyo3::prelude::*;

use crate::wrong::{Exception, argument, raised};

/// See `harness_es.Archive`.
#[pyclass(frozen, module = "harness_es._native")]
pub struct Archive {
    store: Store,
}

/// Month, key, size, checksum, rows, and the settings it was made with as JSON.
type Published = (String, String, u64, String, u64, String);

/// The sentence of an error, and of what caused it.
fn failed(error: &(dyn Error + 'static)) -> PyErr {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let mut sentences: Vec<String> = causes.map(ToString::to_string).collect();
    sentences.dedup();
    raised(Exception::Archive, (sentences.join(": "), None, None))
}

fn of_io(action: &str, path: &Path, error: &std::io::Error) -> PyErr {
    raised(Exception::Archive, (format!("{}: {action}: {error}", path.display()), None, None))
}

fn month(text: &str) -> PyResult<Month> {
    text.parse().map_err(argument)
}

fn range(text: Option<&str>) -> PyResult<Option<MonthRange>> {
    text.map(|text| text.parse().map_err(argument)).transpose()
}

#[pymethods]
impl Archive {
    #[new]
    fn new(py: Python<'_>, name: &str, timeout: f64, retries: u32) -> PyResult<Self> {
        let timeout = Duration::try_from_secs_f64(timeout).map_err(argument)?;
        let store = py.detach(|| Store::existing(name, Access { timeout, retries }));
        Ok(Self { store: store.map_err(|error| failed(&error))? })
    }

    #[getter]
    fn is_remote(&self) -> bool {
        self.store.is_remote()
    }

    /// The published months of a range, in order.
    fn months(&self, py: Python<'_>, range: Option<&str>) -> PyResult<Vec<String>> {
        let range = self::range(range)?;
        let holdings = py.detach(|| Holdings::of(&self.store)).map_err(|error| failed(&error))?;
        Ok(holdings.published(range).iter().map(ToString::to_string).collect())
    }

    /// What is published of a range; a month that is removed meanwhile is left out.
    fn published(&self, py: Python<'_>, range: Option<&str>) -> PyResult<Vec<Published>> {
        let range = self::range(range)?;
        py.detach(|| {
            let holdings = Holdings::of(&self.store).map_err(|error| failed(&error))?;
            let mut all = Vec::new();
            for month in holdings.published(range).into_iter().filter(|&month| within(range, month)) {
                let Some((manifest, _)) = manifest::read(&self.store, month).map_err(|error| failed(&error))? else {
                    continue;
                };
                let current = manifest.current;
                let settings = current.made_from.settings.to_string();
                let data = current.data;
                all.push((month.to_string(), data.key, data.bytes, data.checksum, current.rows, settings));
            }
            Ok(all)
        })
    }

    /// The statistics of a month as they were published, which is JSON.
    fn statistics(&self, py: Python<'_>, month: &str) -> PyResult<Option<String>> {
        let month = self::month(month)?;
        py.detach(|| {
            let manifest = manifest::read(&self.store, month).map_err(|error| failed(&error))?;
            let Some((manifest, _)) = manifest else { return Ok(None) };
            let bytes = published::object(&self.store, &manifest.current.statistics).map_err(|error| failed(&error))?;
            Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
        })
    }

    /// An object as a file: where it lies in a directory, or in `cache`, into which it is brought once and compared with its
    /// checksum.
    fn fetch(&self, py: Python<'_>, key: &str, bytes: u64, checksum: &str, cache: PathBuf) -> PyResult<PathBuf> {
        py.detach(|| {
            if let Some(file) = self.store.file(key).map_err(|error| failed(&error))? {
                return Ok(file);
            }
            let file = cache.join(format!("{checksum}.parquet"));
            if fs::metadata(&file).is_ok_and(|found| found.len() == bytes) {
                return Ok(file);
            }
            fs::create_dir_all(&cache).map_err(|error| of_io("the cache cannot be made", &cache, &error))?;
            // Readers of one cache may bring the same object at once: each under a name of its own.
            let number = RandomState::new().hash_one((std::process::id(), key));
            let coming = cache.join(format!("{checksum}.{number:016x}.part"));
            let object = Object { key: key.to_owned(), bytes, e_tag: None, modified: None };
            let brought = self.store.download(&object, &coming);
            let there = match brought {
                Ok(found) if found == checksum => {
                    fs::rename(&coming, &file).map_err(|error| of_io("it cannot be renamed", &coming, &error))
                }
                Ok(found) => {
                    let what = format!("{key} has checksum {found}, expected {checksum}: run the month again");
                    Err(raised(Exception::Archive, (what, None, None)))
                }
                Err(error) => Err(failed(&error)),
            };
            if there.is_err() {
                let _ = fs::remove_file(&coming);
            }
            there.map(|()| file)
        })
    }
}
