//! The footer of a published Parquet, read from the store.

use bytes::Bytes;
use parquet::file::{
    metadata::{ParquetMetaData, ParquetMetaDataReader},
    reader::Length,
};

use super::{
    manifest::Item,
    store::{Store, StoreError},
};

/// Reads the Parquet footer, which lies in `tail`, and compares rows and columns.
pub fn check(
    store: &Store,
    item: &Item,
    tail: Bytes,
    (rows, expected): (u64, usize),
) -> Result<ParquetMetaData, StoreError> {
    let wrong = |found: String| StoreError::ReadBack {
        store: store.name().to_owned(),
        key: item.key.clone(),
        found,
        expected: format!("{rows} rows in {expected} columns"),
    };
    let metadata = parse(store, item, tail).map_err(|error| wrong(error.to_string()))?;
    let (found, columns) = (metadata.file_metadata().num_rows(), metadata.file_metadata().schema_descr().num_columns());
    if u64::try_from(found) == Ok(rows) && columns == expected {
        Ok(metadata)
    } else {
        Err(wrong(format!("{found} rows in {columns} columns")))
    }
}

/// Reads the footer of an object.
///
/// # Errors
/// There is none, or the store failed.
pub fn read(store: &Store, item: &Item) -> Result<ParquetMetaData, StoreError> {
    let last = || store.range(&item.key, item.bytes.saturating_sub(TAIL)..item.bytes);
    // A part of an object has no checksum to hold it to: what a network altered on its way reads differently the next time.
    let mut tail = last()?;
    for _ in 0..if store.is_remote() { TRIES } else { 0 } {
        let before = std::mem::replace(&mut tail, last()?);
        if before == tail {
            break;
        }
    }
    parse(store, item, tail).map_err(|error| StoreError::ReadBack {
        store: store.name().to_owned(),
        key: item.key.clone(),
        found: error.to_string(),
        expected: "the footer of a Parquet file".into(),
    })
}

/// A footer of a published month is shorter, so it comes with one request.
const TAIL: u64 = 256 << 10;
/// So often two answers may differ.
const TRIES: u32 = 5;

fn parse(store: &Store, item: &Item, tail: Bytes) -> parquet::errors::Result<ParquetMetaData> {
    ParquetMetaDataReader::new().parse_and_finish(&Footer { store, item, tail })
}

/// A published object as the Parquet reader sees it; its tail is here already.
struct Footer<'a> {
    store: &'a Store,
    item: &'a Item,
    tail: Bytes,
}

impl Length for Footer<'_> {
    fn len(&self) -> u64 {
        self.item.bytes
    }
}

impl parquet::file::reader::ChunkReader for Footer<'_> {
    type T = std::io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        self.get_bytes(start, usize::try_from(self.item.bytes - start)?).map(std::io::Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let here = self.item.bytes - self.tail.len() as u64;
        if let Some(start) = start.checked_sub(here).and_then(|start| usize::try_from(start).ok())
            && let Some(end) = start.checked_add(length).filter(|&end| end <= self.tail.len())
        {
            return Ok(self.tail.slice(start..end));
        }
        let read = self.store.range(&self.item.key, start..start + length as u64);
        read.map_err(|error| parquet::errors::ParquetError::External(Box::new(error)))
    }
}
