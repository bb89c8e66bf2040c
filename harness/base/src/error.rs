//! The error of every command: what went wrong, as a sentence, and of which class it is. An error type gets its class by
//! [`Classify`], where it is defined; one without a class does not become an [`Error`], so none is forgotten.

use std::{fmt, io};

use data::{
    column_file::ColumnFileError, input::InputError, instrument::InstrumentError, live::LiveError, month::MonthError,
    synth::SynthError, write::WriteError,
};

/// What an error is a fault of: decides the exit code, and whether a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The command or the configuration.
    Usage,
    /// The raw files of a month.
    Input,
    /// What the store holds of one month.
    Published,
    /// The store or a disk, which may answer for the next month.
    Passing,
    /// A local file that was there: somebody else has removed it. Where it came from, it can be made again.
    Gone,
    /// The store, the disk or the network.
    Store,
    /// The program itself: nothing that it read explains the error.
    Program,
}

impl Class {
    /// Whether it concerns one month alone: other months need not fail.
    pub fn is_of_one_month(self) -> bool {
        matches!(self, Self::Input | Self::Published)
    }

    /// Whether the next month may be spared all the same.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::Passing | Self::Gone | Self::Program)
    }
}

/// An error whose class is known.
pub trait Classify: std::error::Error {
    /// What it is a fault of.
    fn class(&self) -> Class;
}

/// The error of a command.
#[derive(Debug)]
pub struct Error {
    class: Class,
    /// The error and its causes, the outermost first.
    said: Vec<String>,
}

/// The result of a command, or of a part of it.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this class.
    pub fn new(class: Class, said: impl Into<String>) -> Self {
        Self { class, said: vec![said.into()] }
    }

    /// What only a mistake in the program explains.
    pub fn program(said: impl Into<String>) -> Self {
        Self::new(Class::Program, said)
    }

    fn of(class: Class, error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(error), |cause| cause.source());
        Self { class, said: causes.map(ToString::to_string).collect() }
    }

    /// The same, with what was being done before it.
    #[must_use]
    pub fn context(mut self, doing: impl Into<String>) -> Self {
        self.said.insert(0, doing.into());
        self
    }

    /// What it is a fault of.
    pub fn class(&self) -> Class {
        self.class
    }
}

/// It and its causes as one sentence, each said once: many say their cause themselves.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<&str> = None;
        for cause in self.said.iter().map(String::as_str) {
            match before {
                Some(before) if before.ends_with(cause) => continue,
                Some(_) => write!(f, ": {cause}")?,
                None => f.write_str(cause)?,
            }
            before = Some(cause);
        }
        if self.class == Class::Program {
            let version = env!("CARGO_PKG_VERSION");
            write!(
                f,
                "; this is a fault of harness {version} itself, not of the input or the settings: report this message to its \
                 maintainers, with the command and the file that shows it"
            )?;
        }
        Ok(())
    }
}

impl<E: Classify> From<E> for Error {
    fn from(error: E) -> Self {
        Self::of(error.class(), &error)
    }
}

/// Says what was being done when an error came.
pub trait Context<T> {
    /// With these words before it.
    fn context(self, doing: impl Into<String>) -> Result<T>;
    /// The same, worded only for an error.
    fn with_context<S: Into<String>>(self, doing: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, doing: impl Into<String>) -> Result<T> {
        self.map_err(|error| error.into().context(doing))
    }

    fn with_context<S: Into<String>>(self, doing: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|error| error.into().context(doing()))
    }
}

/// Gives a class to an error of another crate, where it is met.
pub trait Met<T> {
    /// It is a fault of this class here.
    fn met_as(self, class: Class) -> Result<T>;
}

impl<T, E: std::error::Error> Met<T> for Result<T, E> {
    fn met_as(self, class: Class) -> Result<T> {
        self.map_err(|error| Error::of(class, &error))
    }
}

/// A local disk: full, read-only, broken; or a file that has gone.
impl Classify for io::Error {
    fn class(&self) -> Class {
        if self.kind() == io::ErrorKind::NotFound { Class::Gone } else { Class::Store }
    }
}

/// Our own values can be written. What is read from outside has an error of its own where it is read.
impl Classify for serde_json::Error {
    fn class(&self) -> Class {
        if self.is_io() { Class::Store } else { Class::Program }
    }
}

/// A local disk, too.
impl Classify for tempfile::PersistError {
    fn class(&self) -> Class {
        self.error.class()
    }
}

impl Classify for std::num::TryFromIntError {
    fn class(&self) -> Class {
        Class::Program
    }
}

impl Classify for InstrumentError {
    fn class(&self) -> Class {
        Class::Usage
    }
}

impl Classify for MonthError {
    fn class(&self) -> Class {
        Class::Usage
    }
}

impl Classify for SynthError {
    fn class(&self) -> Class {
        match self {
            Self::Io { .. } => Class::Store,
            _ => Class::Usage,
        }
    }
}

impl Classify for LiveError {
    fn class(&self) -> Class {
        match self {
            Self::Input(error) => error.class(),
            Self::Instrument(error) => error.class(),
            Self::Unplaced { .. } | Self::NoFront { .. } | Self::State { .. } => Class::Usage,
            Self::Kernel { .. } | Self::Begun { .. } | Self::Gap { .. } | Self::Differs { .. } => Class::Input,
        }
    }
}

impl Classify for InputError {
    fn class(&self) -> Class {
        match self {
            Self::File { source, .. } => source.class(),
            Self::Instrument(_) => Class::Usage,
            Self::Sink(_) => Class::Store,
            Self::Io(source) => of_reading(source),
            _ => Class::Input,
        }
    }
}

/// The error of an input that was there a moment ago: what the system says of it now is no mistake of the command.
pub fn of_found(error: InputError) -> Error {
    let system = match &error {
        InputError::File { source, .. } => match &**source {
            InputError::Io(source) if source.raw_os_error().is_some() => Some(source.kind()),
            _ => None,
        },
        _ => None,
    };
    match system {
        None => error.into(),
        Some(io::ErrorKind::NotFound) => Error::of(Class::Gone, &error),
        Some(_) => Error::of(Class::Passing, &error),
    }
}

/// An input that cannot be read: a decoder's own complaint has no number of the system's.
fn of_reading(error: &io::Error) -> Class {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::IsADirectory | io::ErrorKind::PermissionDenied => Class::Usage,
        _ if error.raw_os_error().is_some() => Class::Passing,
        _ => Class::Input,
    }
}

impl Classify for ColumnFileError {
    fn class(&self) -> Class {
        match self {
            Self::Io { source, .. } => source.class(),
            // Found whole a moment ago, and damaged since: the same as gone.
            Self::Damaged { .. } => Class::Gone,
        }
    }
}

impl Classify for WriteError {
    fn class(&self) -> Class {
        match self {
            Self::Input(error) => error.class(),
            Self::Compute(_) => Class::Program,
            Self::Parquet(error) => of_parquet(error),
        }
    }
}

/// Parquet that is written: what the system says of the file is the disk's, all else is ours.
fn of_parquet(error: &parquet::errors::ParquetError) -> Class {
    let cause = std::error::Error::source(error);
    cause.and_then(|cause| cause.downcast_ref::<io::Error>()).map_or(Class::Program, Classify::class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("writing: {0}")]
    struct Told(#[source] io::Error);

    impl Classify for Told {
        fn class(&self) -> Class {
            Class::Passing
        }
    }

    #[test]
    fn each_cause_is_said_once() {
        let full = || io::Error::other("no space left");
        assert_eq!(Error::from(Told(full())).context("2013-09").to_string(), "2013-09: writing: no space left");
        assert_eq!(Error::from(full()).context("a.parquet").to_string(), "a.parquet: no space left");
    }

    #[test]
    fn an_error_keeps_its_class_and_a_fault_of_the_program_says_what_to_report() {
        let error = Err::<(), _>(Told(io::Error::other("x"))).context("publishing").unwrap_err();
        assert_eq!(error.class(), Class::Passing);
        assert!(!error.to_string().contains("report"), "{error}");
        let error = Error::program("no rows").context("2013-09").to_string();
        assert!(
            error.starts_with("2013-09: no rows; this is a fault of harness") && error.contains("report"),
            "{error}"
        );
    }

    #[test]
    fn a_disk_is_no_input_and_an_input_no_disk() {
        let full = || io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error());
        let eio = io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error());
        let gone = || io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
        let short = io::Error::from(io::ErrorKind::UnexpectedEof);
        let file = |source| InputError::File { path: "a.dbn".into(), source: Box::new(InputError::Io(source)) }.class();
        assert_eq!(full().class(), Class::Store);
        assert_eq!([file(eio), file(gone()), file(short)], [Class::Passing, Class::Usage, Class::Input]);
        let found = |source| of_found(InputError::File { path: "a.dbn".into(), source: Box::new(source) }).class();
        assert_eq!(found(InputError::Io(gone())), Class::Gone);
        assert_eq!(found(InputError::Io(io::ErrorKind::UnexpectedEof.into())), Class::Input);
        assert_eq!(found(InputError::Empty), Class::Input);
        let parquet = |error: parquet::errors::ParquetError| WriteError::from(error).class();
        assert_eq!(parquet(full().into()), Class::Store);
        assert_eq!(parquet(parquet::errors::ParquetError::General("rows".into())), Class::Program);
    }
}
