//! The `symbology.json` beside raw files: it names ids that the files do not.

use std::{fmt, fs, io, path::Path, sync::Arc};

use archive::discover::SYMBOLOGY;
use data::{input::InputError, symbology::Symbology};
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of the largest: every instrument that a venue lists, by day.
pub const MOST: u64 = 1 << 28;

/// What it says, and which one it is.
#[derive(Clone, Debug, Default)]
pub struct Named {
    symbology: Arc<Symbology>,
    /// XXH3-64; `None` where it names nothing.
    checksum: Option<String>,
}

impl Named {
    /// Of its bytes.
    pub fn of(json: &[u8]) -> Self {
        let symbology = Symbology::parse(json);
        let checksum = (!symbology.is_empty()).then(|| format!("{:016x}", xxh3_64(json)));
        Self { symbology: Arc::new(symbology), checksum }
    }

    /// Beside a file, or in a folder that is an input.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn beside(input: &Path) -> Result<Self, InputError> {
        let folder = if input.is_dir() { Some(input) } else { input.parent() };
        let path = folder.unwrap_or(Path::new("")).join(SYMBOLOGY);
        match fs::read(&path) {
            Ok(json) => Ok(Self::of(&json)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(InputError::File { path: path.display().to_string(), source: Box::new(error.into()) }),
        }
    }

    /// What it says.
    pub fn symbology(&self) -> &Symbology {
        &self.symbology
    }

    /// Which one it is; `None` where it names nothing.
    pub fn checksum(&self) -> Option<&str> {
        self.checksum.as_deref()
    }
}

/// For the keys of caches: nothing where nothing is named.
impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checksum.iter().try_for_each(|checksum| write!(f, " {checksum}"))
    }
}
