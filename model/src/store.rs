//! What is in the store.

/// Objects by number: an attempt's Parquet and statistics, which go together here, or the copies it makes for the history.
pub type Objects = u32;

/// Attempts: the one that published the month before, and one of each worker.
pub const ATTEMPTS: u8 = 4;

/// The object of a number.
pub const fn bit(number: u8) -> Objects {
    1 << number
}

/// A version as a manifest has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// Its content.
    pub version: u8,
    /// Its object.
    pub object: u8,
}

/// The manifest, and what is kept of a removal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Manifest {
    /// One more with each commit.
    pub generation: u8,
    /// Who wrote it last: with the generation, its tag.
    pub writer: u8,
    /// None of a month that was removed.
    pub current: Option<Version>,
    /// Versions before.
    pub history: Vec<Version>,
}

impl Manifest {
    /// Its state as a conditional request names it.
    pub fn tag(&self) -> (u8, u8) {
        (self.generation, self.writer)
    }

    /// The versions it names.
    pub fn versions(&self) -> impl Iterator<Item = Version> {
        self.current.into_iter().chain(self.history.iter().copied())
    }

    /// The objects it names.
    pub fn objects(&self) -> Objects {
        self.versions().fold(0, |objects, version| objects | bit(version.object))
    }
}
