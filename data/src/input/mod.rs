//! Input files, whatever their format, as cleaned columns month by month.

mod bars;
mod batch;
mod clock;
mod content;
mod csv;
mod dbn;
mod file_name;
mod folder;
mod guard;
mod lengths;
mod months;
mod names;
mod no_session;
mod pages;
mod partition;
mod read_ahead;
mod spacing;
mod table;

use std::{
    collections::BTreeSet,
    fs::File,
    io::Read,
    mem,
    path::Path,
    thread::{self, Scope},
};

use jiff::Timestamp;
use xxhash_rust::xxh3::Xxh3;

pub use crate::error::InputError;
pub use dbn::{Event, Events, promised};
pub use file_name::{FileName, SCHEMAS, named_dates};
pub use folder::identify;
pub use guard::{guarded, guarded_footer};
pub use lengths::check_parquet;
pub use no_session::Seen;

use self::{
    content::{Content, Opened},
    months::Months,
    read_ahead::ReadAhead,
};
use crate::{columns::Columns, instrument::Instrument, symbology::Symbology};

/// What was found in an input file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct InputInfo {
    /// Name of the file or folder, without the folder it is in.
    pub name: String,
    /// `dbn`, `csv`, `parquet`, `arrow` or `arrow stream`; several of a folder of several.
    pub format: String,
    /// Size in bytes.
    pub bytes: u64,
    /// XXH3-64 of the file's bytes, 16 hexadecimal digits; of a folder see [`identify`].
    pub checksum: String,
    /// Records in the file: bars, or the trades that bars are made of.
    pub records: u64,
    /// Whether the records are trades, of which bars were made.
    #[serde(default)]
    pub is_trades: bool,
    /// What the download was limited to, where it ended there: what comes after so many records is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Time of the earliest record.
    pub first: Option<Timestamp>,
    /// Time of the latest record.
    pub last: Option<Timestamp>,
}

impl InputInfo {
    /// Looks whether another file of trades goes on within the last second of this one.
    ///
    /// # Errors
    /// [`InputError::SplitSecond`]: each of the two would make a bar of its part, and the bar of both is neither.
    pub fn splits_no_second(&self, next: &Self) -> Result<(), InputError> {
        let second = self.last.filter(|_| self.is_trades && next.is_trades && self.last == next.first);
        let split = |second| InputError::SplitSecond { files: [self, next].map(|file| file.name.clone()), second };
        second.map(split).map_or(Ok(()), Err)
    }
}

/// Takes the finished columns of one month.
pub type Sink<'a> = dyn FnMut(Columns) -> Result<(), InputError> + 'a;

/// Reads one input, a file or a folder of files, and hands over its months in order. At most two months are held in memory
/// at a time, of a table or a folder as many as eight million records make.
///
/// # Errors
/// [`InputError`] naming the file and, where one is at fault, the record.
pub fn read(path: &Path, instrument: &Instrument, sink: &mut Sink<'_>) -> Result<InputInfo, InputError> {
    read_named(path, &Symbology::default(), instrument, sink)
}

/// The same with what lies beside the input: it names ids that the input does not.
///
/// # Errors
/// Those of [`read`].
pub fn read_named(
    path: &Path,
    symbology: &Symbology,
    instrument: &Instrument,
    sink: &mut Sink<'_>,
) -> Result<InputInfo, InputError> {
    let within = |path: &Path| {
        let path = path.display().to_string();
        move |source: InputError| InputError::File { path, source: Box::new(source) }
    };
    let (bytes, checksum) = identify(path).map_err(InputError::from).map_err(within(path))?;
    let members = folder::members(path).map_err(InputError::from).map_err(within(path))?;
    let mut months = Months::new(instrument, symbology, folder::dates(&members), bytes).map_err(within(path))?;
    let is_folder = path.is_dir();
    if is_folder {
        months.is_folder();
    }
    let mut formats = BTreeSet::new();
    thread::scope(|scope| {
        let mut started = members.iter().map(|member| (member, Started::new(scope, &member.path)));
        let mut next = started.next();
        // The next file is unpacked while this one is read.
        while let Some((member, file)) = mem::replace(&mut next, started.next()) {
            months.partition = member.partition.clone();
            match file.and_then(|file| file.read(&mut formats, &mut months, sink)) {
                Ok(()) => {}
                // Of the days of a month some have no trade, and of the parts of a table some have no row.
                Err(InputError::Empty) if is_folder || member.is_of_a_day() => {}
                Err(error) => return Err(within(&member.path)(error)),
            }
        }
        Ok(())
    })?;
    if is_folder && months.record == 0 {
        return Err(within(path)(InputError::Empty));
    }
    months.finish(sink).map_err(within(path))?;
    let time = |nanos: Option<u64>| nanos.and_then(|nanos| Timestamp::from_nanosecond(i128::from(nanos)).ok());
    Ok(InputInfo {
        name: path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned()),
        format: formats.into_iter().collect::<Vec<_>>().join(", "),
        bytes,
        checksum,
        records: if months.trades > 0 { months.trades } else { months.record },
        is_trades: months.trades > 0,
        limit: months.limit,
        first: time(months.first),
        last: time(months.last),
    })
}

/// A file that is open.
struct Started {
    opened: Opened,
    /// What is being unpacked of it, where it is packed.
    unpacked: Option<ReadAhead>,
}

impl Started {
    /// Opens a file; one that is packed is unpacked on a thread of its own.
    fn new<'scope>(scope: &'scope Scope<'scope, '_>, path: &Path) -> Result<Self, InputError> {
        let opened = Opened::look(File::open(path)?)?;
        let packed = if opened.is_packed() { Some(opened.reader()?) } else { None };
        Ok(Self { opened, unpacked: packed.map(|reader| ReadAhead::spawn(scope, reader)) })
    }

    fn read(
        self,
        formats: &mut BTreeSet<&str>,
        months: &mut Months<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<(), InputError> {
        let Self { opened, unpacked } = self;
        formats.insert(opened.content.name());
        let reader = || -> Result<Box<dyn Read>, InputError> {
            match unpacked {
                Some(unpacked) => Ok(Box::new(unpacked)),
                None => Ok(opened.reader()?),
            }
        };
        match opened.content {
            Content::Dbn => dbn::read(reader()?, months, sink),
            Content::Csv => csv::read(reader()?, || opened.reader(), months, sink),
            Content::Parquet => bars::read_parquet(opened.file()?, months, sink),
            Content::Arrow => bars::read_ipc(opened.file()?, months, sink),
            Content::ArrowStream => bars::read_ipc_stream(opened.file()?, months, sink),
        }
    }
}

/// Size and checksum of a file.
///
/// # Errors
/// Reading failed.
pub fn checksum(file: &mut File) -> Result<(u64, String), std::io::Error> {
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((bytes, format!("{:016x}", hash.digest())));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}

/// Fills a buffer; fewer bytes only at the end.
fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, std::io::Error> {
    read_at_least(buffer.len(), reader, buffer)
}

/// Reads into a buffer until so many bytes are there; fewer only at the end, more where they come along.
fn read_at_least(least: usize, reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, std::io::Error> {
    let mut filled = 0;
    while filled < least {
        match reader.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_kilobytes_that_hold_millions_of_records_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let truth =
            crate::synth::write_month(&crate::synth::Plan::default(), "2013-10".parse().unwrap(), folder.path());
        let path = folder.path().join(truth.unwrap().file);
        let plain = zstd::decode_all(&std::fs::read(&path).unwrap()[..]).unwrap();
        let header = 8 + u32::from_le_bytes(plain[4..8].try_into().unwrap()) as usize;
        // The same thousand records over and over: time runs back and nothing follows its twin.
        let mut bomb = zstd::Encoder::new(File::create(&path).unwrap(), 1).unwrap();
        std::io::Write::write_all(&mut bomb, &plain[..header]).unwrap();
        for _ in 0..6000 {
            std::io::Write::write_all(&mut bomb, &plain[header..header + 56_000]).unwrap();
        }
        bomb.finish().unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < 100_000);
        let error = read(&path, &Instrument::default(), &mut |_| Ok(())).unwrap_err();
        let error = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.contains("records in a file of this size"), "{error}");
    }
}
