//! What the manifests say of a month, as the log is to say it.

use data::Month;

use crate::{
    manifest::{Manifest, ManifestError, Publication, Removed, State},
    naming::Name,
    publications,
    store::Store,
};

/// A month's record.
#[derive(Clone, Debug)]
pub enum Known {
    /// It is published.
    Published(Box<Manifest>),
    /// It was taken out.
    Removed(Box<Removed>),
    /// Nothing is known of it.
    Nothing(Month),
}

impl Known {
    /// Reads it.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn read(store: &Store, month: Month) -> Result<Self, ManifestError> {
        let State { manifest, removed } = State::read(store, month)?;
        Ok(match (manifest, removed) {
            (Some((manifest, _)), _) => Self::Published(Box::new(manifest)),
            (None, Some((removed, _))) => Self::Removed(Box::new(removed)),
            (None, None) => Self::Nothing(month),
        })
    }

    /// The month.
    pub fn month(&self) -> Month {
        match self {
            Self::Published(manifest) => manifest.month,
            Self::Removed(removed) => removed.month,
            Self::Nothing(month) => *month,
        }
    }

    /// Of which generation what it says is: that of the current file, or of the removal.
    pub fn generation(&self) -> u64 {
        match self {
            Self::Published(manifest) => {
                Name::of(manifest.month, &manifest.current.data.key).map_or(0, |name| name.generation)
            }
            Self::Removed(removed) => removed.generation,
            Self::Nothing(_) => 0,
        }
    }

    /// What was published after a generation, the first first.
    pub fn after(&self, generation: u64) -> Vec<Publication> {
        let mut all = match self {
            Self::Published(manifest) => publications::of_manifest(manifest),
            Self::Removed(removed) => publications::of_removed(removed),
            Self::Nothing(_) => Vec::new(),
        };
        all.retain(|publication| publication.generation > generation);
        all.sort_by_key(|publication| publication.generation);
        all
    }

    /// What readers are to see, if it may be in the table.
    pub fn current(&self) -> Option<Publication> {
        match self {
            Self::Published(manifest) => publications::current(manifest),
            _ => None,
        }
    }

    /// Whether the table has, had, or is to have anything of it: a month whose timestamps were always nanoseconds is none
    /// of its business.
    pub fn concerns(&self) -> bool {
        match self {
            Self::Published(manifest) => !manifest.before.is_empty() || publications::current(manifest).is_some(),
            Self::Removed(removed) => !removed.before.is_empty(),
            Self::Nothing(_) => true,
        }
    }

    /// Its manifest, when it is published.
    pub fn manifest(&self) -> Option<&Manifest> {
        match self {
            Self::Published(manifest) => Some(manifest),
            _ => None,
        }
    }
}
