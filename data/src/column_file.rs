//! Decoded columns of one month on disk, memory-mapped on the way back.
//!
//! Layout, all little-endian: the magic, the length of the header as u32, the header as JSON, then six columns of four
//! bytes a row, each starting at a multiple of 64, then XXH3-64 of everything before it. A file that fails its check is
//! rebuilt, never trusted.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use memmap2::Mmap;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::{
    columns::{Columns, ColumnsView, ContractRows},
    month::Month,
    records::Records,
};

/// Name and version of the layout.
const MAGIC: &[u8; 12] = b"HRNSCOLS\x02\0\0\0";
const ALIGN: usize = 64;
const COLUMNS: usize = 6;
/// No header is larger: as many symbols as are read of a month, each with its count and its rows.
const MAX_HEADER: usize = 1 << 26;

/// Why a column file is not used.
#[derive(Debug, thiserror::Error)]
pub enum ColumnFileError {
    /// Reading or writing failed.
    #[error("{path}")]
    Io {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is damaged, or of another layout or machine.
    #[error("{path}: {reason}: it is rebuilt from the input")]
    Damaged {
        /// The file.
        path: String,
        /// What does not hold.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    key: String,
    month: Month,
    rows: usize,
    contracts: Vec<ContractRows>,
    unmapped: Vec<ContractRows>,
    records: Records,
}

/// A mapped column file.
#[derive(Debug)]
pub struct ColumnFile {
    map: Mmap,
    month: Month,
    contracts: Vec<ContractRows>,
    unmapped: Vec<ContractRows>,
    records: Records,
    rows: usize,
    first_column: usize,
}

fn align(offset: usize) -> usize {
    offset.next_multiple_of(ALIGN)
}

/// Writes the columns of a month under a key that names input and settings, to a temporary name first.
///
/// # Errors
/// [`ColumnFileError::Io`].
pub fn write(path: &Path, key: &str, columns: &Columns) -> Result<(), ColumnFileError> {
    let failed = |source: io::Error| ColumnFileError::Io { path: path.display().to_string(), source };
    let header = Header {
        key: key.to_owned(),
        month: columns.month,
        rows: columns.time.len(),
        contracts: columns.contracts.clone(),
        unmapped: columns.unmapped.clone(),
        records: columns.records.clone(),
    };
    let json = serde_json::to_vec(&header).map_err(|error| failed(error.into()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut output =
        Hashed { file: io::BufWriter::with_capacity(1 << 20, file.as_file_mut()), hash: Xxh3::new(), written: 0 };
    let written = || -> io::Result<u64> {
        output.put(MAGIC)?;
        output.put(&u32::try_from(json.len()).map_err(io::Error::other)?.to_le_bytes())?;
        output.put(&json)?;
        output.column(columns.time.iter().map(|value| value.to_le_bytes()))?;
        for prices in [&columns.open, &columns.high, &columns.low, &columns.close] {
            output.column(prices.iter().map(|value| value.to_le_bytes()))?;
        }
        output.column(columns.volume.iter().map(|value| value.to_le_bytes()))?;
        let digest = output.hash.digest();
        output.file.write_all(&digest.to_le_bytes())?;
        output.file.flush()?;
        Ok(digest)
    };
    let mut written = written;
    written().map_err(failed)?;
    drop(output);
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

struct Hashed<W> {
    file: W,
    hash: Xxh3,
    written: usize,
}

impl<W: Write> Hashed<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.written += bytes.len();
        self.file.write_all(bytes)
    }

    fn column(&mut self, values: impl Iterator<Item = [u8; 4]>) -> io::Result<()> {
        self.put(&[0; ALIGN][..align(self.written) - self.written])?;
        let bytes: Vec<u8> = values.flatten().collect();
        self.put(&bytes)
    }
}

impl ColumnFile {
    /// Maps a file and checks all of it; `None` when there is none or it was made from another input or settings.
    ///
    /// # Errors
    /// [`ColumnFileError`]; a damaged file is to be rebuilt.
    pub fn open(path: &Path, key: &str) -> Result<Option<Self>, ColumnFileError> {
        match Self::open_any(path) {
            Ok((found, file)) => Ok((found == key).then_some(file)),
            Err(ColumnFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Maps a file whatever it was made from; also returns its key.
    ///
    /// # Errors
    /// [`ColumnFileError`].
    pub fn open_any(path: &Path) -> Result<(String, Self), ColumnFileError> {
        let failed = |source: io::Error| ColumnFileError::Io { path: path.display().to_string(), source };
        let damaged =
            |reason: &str| ColumnFileError::Damaged { path: path.display().to_string(), reason: reason.to_owned() };
        let file = File::open(path).map_err(failed)?;
        // SAFETY: the file is written once under a temporary name and renamed, never changed in place by this program;
        // its bytes are only ever read as integers, for which every pattern is valid, after the checksum was compared.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
        let start = MAGIC.len() + 4;
        let body = map.len().checked_sub(8).filter(|&body| body >= start).ok_or_else(|| damaged("it is too short"))?;
        if map[..MAGIC.len()] != *MAGIC {
            return Err(damaged("its first bytes are not those of a column file of this version"));
        }
        let stored = u64::from_le_bytes(map[body..].try_into().map_err(|_| damaged("it is too short"))?);
        if xxh3_64(&map[..body]) != stored {
            return Err(damaged("its checksum does not match"));
        }
        let length =
            u32::from_le_bytes(map[MAGIC.len()..start].try_into().map_err(|_| damaged("it is too short"))?) as usize;
        let json = map.get(start..start.saturating_add(length)).filter(|_| length <= MAX_HEADER);
        let json = json.ok_or_else(|| damaged("its header does not fit"))?;
        let header: Header = serde_json::from_slice(json).map_err(|error| damaged(&format!("its header: {error}")))?;
        let Header { key, month, rows, contracts, unmapped, records } = header;
        let first_column = align(start + length);
        let column = |end: usize, _| end.checked_next_multiple_of(ALIGN)?.checked_add(rows.checked_mul(4)?);
        let whole = (0..COLUMNS).try_fold(start + length, column);
        if whole != Some(body) {
            return Err(damaged("its length does not match its rows"));
        }
        let mut next = 0;
        for contract in contracts.iter().chain(&unmapped) {
            if contract.rows.start != next || contract.rows.end < next {
                return Err(damaged("its contracts do not cover its rows"));
            }
            next = contract.rows.end;
        }
        if next != rows {
            return Err(damaged("its contracts do not cover its rows"));
        }
        let file = Self { map, month, contracts, unmapped, records, rows, first_column };
        if cfg!(target_endian = "big") || file.column(0).is_none() {
            return Err(damaged("it cannot be mapped on this machine"));
        }
        Ok((key, file))
    }

    /// What was read and dropped when the file was made.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Rows of all contracts.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Borrows the columns from the mapping.
    #[must_use]
    pub fn view(&self) -> ColumnsView<'_> {
        let unsigned = |index: usize| self.column(index).unwrap_or_default();
        let signed = |index: usize| bytemuck::cast_slice(unsigned(index));
        ColumnsView {
            month: self.month,
            contracts: &self.contracts,
            unmapped: &self.unmapped,
            time: unsigned(0),
            open: signed(1),
            high: signed(2),
            low: signed(3),
            close: signed(4),
            volume: unsigned(5),
        }
    }

    fn column(&self, index: usize) -> Option<&[u32]> {
        let first = self.first_column + index * align(self.rows * 4);
        let bytes = self.map.get(first..first + self.rows * 4)?;
        // A mapping starts at a page and the columns at multiples of 64, so this is only ever refused on odd systems.
        bytemuck::try_cast_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn columns(rows: Vec<[u32; 6]>, split: usize) -> Columns {
        let signed = |index: usize| rows.iter().map(|row| row[index] as i32).collect();
        let unsigned = |index: usize| rows.iter().map(|row| row[index]).collect();
        let contract = |symbol: &str, expiry: &str, rows| ContractRows {
            symbol: symbol.into(),
            expiry: expiry.parse().ok(),
            rows,
        };
        Columns {
            month: "2013-10".parse().unwrap(),
            contracts: vec![contract("ESZ3", "2013-12", 0..split)],
            unmapped: vec![contract("7", "", split..rows.len())],
            records: Records { total: 7, price_absent: 1, ..Records::default() },
            time: unsigned(0),
            open: signed(1),
            high: signed(2),
            low: signed(3),
            close: signed(4),
            volume: unsigned(5),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_mapped(rows in prop::collection::vec(any::<[u32; 6]>(), 0..200), split in any::<prop::sample::Index>()) {
            let split = split.index(rows.len() + 1);
            let columns = columns(rows, split);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("month.columns");
            write(&path, "key", &columns).unwrap();
            let file = ColumnFile::open(&path, "key").unwrap().unwrap();
            let view = file.view();
            prop_assert_eq!(file.records(), &columns.records);
            prop_assert_eq!(view.contracts, columns.contracts.as_slice());
            prop_assert_eq!(view.unmapped, columns.unmapped.as_slice());
            prop_assert_eq!((view.time, view.open, view.high), (columns.time.as_slice(), columns.open.as_slice(), columns.high.as_slice()));
            prop_assert_eq!((view.low, view.close, view.volume), (columns.low.as_slice(), columns.close.as_slice(), columns.volume.as_slice()));
            prop_assert!(ColumnFile::open(&path, "another key").unwrap().is_none());
        }

        #[test]
        fn a_changed_or_missing_byte_is_noticed(at in any::<prop::sample::Index>(), flip in 1u8.., cut in any::<bool>()) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("month.columns");
            write(&path, "key", &columns(vec![[1, 2, 3, 4, 5, 6]; 9], 4)).unwrap();
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
            std::fs::write(&path, &bytes).unwrap();
            prop_assert!(ColumnFile::open(&path, "key").is_err());
        }
    }

    /// A checksum that fits says nothing of who wrote the header.
    #[test]
    fn a_header_that_lies_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("month.columns");
        write(&path, "key", &columns(vec![[1, 2, 3, 4, 5, 6]; 90], 40)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let changed = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len());
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            let mut bytes = bytes.clone();
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            let body = bytes.len() - 8;
            let digest = xxh3_64(&bytes[..body]);
            bytes[body..].copy_from_slice(&digest.to_le_bytes());
            std::fs::write(&path, &bytes).unwrap();
            ColumnFile::open_any(&path).map(|(key, _)| key).map_err(|error| error.to_string())
        };
        assert_eq!(changed(":\"key\"", ":\"yek\""), Ok("yek".into()));
        for (from, to, says) in [
            ("\"rows\":90", "\"rows\":99", "its length does not match its rows"),
            ("\"start\":40", "\"start\":41", "its contracts do not cover its rows"),
            ("\"end\":90", "\"end\":80", "its contracts do not cover its rows"),
            ("\"end\":90", "\"end\":30", "its contracts do not cover its rows"),
            ("\"rows\"", "\"rosw\"", "its header"),
        ] {
            let found = changed(from, to);
            assert!(found.as_ref().is_err_and(|error| error.contains(says)), "{to}: {found:?}");
        }
    }

    #[test]
    fn no_file_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ColumnFile::open(&folder.path().join("none"), "key").unwrap().is_none());
    }
}
