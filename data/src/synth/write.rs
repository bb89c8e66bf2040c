//! The file: DBN metadata, records, zstd.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    num::NonZeroU64,
    path::Path,
};

use dbn::{
    MappingInterval, Metadata, OhlcvMsg, SType, Schema, SymbolMapping,
    encode::{EncodeRecord, dbn::Encoder},
};
use jiff::tz::TimeZone;

use super::{
    SynthError,
    calendar::{file_bounds, unix},
    contracts::Listing,
};
use crate::Month;

/// Compression level: a month is made for a test or a demonstration, not to be kept.
const ZSTD_LEVEL: i32 = 1;
const DBN_VERSION: u8 = 3;
const DATASET: &str = "GLBX.MDP3";
const NANOS: u64 = 1_000_000_000;

/// Name of a month's file, as Databento names it.
pub(super) fn file_name(month: Month) -> String {
    let (first, last) = (month.first_day().strftime("%Y%m%d"), month.last_day().strftime("%Y%m%d"));
    format!("glbx-mdp3-{first}-{last}.ohlcv-1s.dbn.zst")
}

/// Writes a month's file.
pub(super) fn dbn_file(
    path: &Path,
    root: &str,
    month: Month,
    listing: &Listing,
    records: &[OhlcvMsg],
) -> Result<(), SynthError> {
    let metadata = metadata(root, month, listing)?;
    let failed = |source| SynthError::Dbn { path: path.to_owned(), source };
    atomically(path, |file| {
        let zstd = zstd::Encoder::new(file, ZSTD_LEVEL).map_err(|source| SynthError::io(path, source))?;
        let mut encoder = Encoder::new(zstd.auto_finish(), &metadata).map_err(failed)?;
        encoder.encode_records(records).map_err(failed)?;
        encoder.flush().map_err(failed)
    })
}

/// Writes a text file.
pub(super) fn text_file(path: &Path, text: &str) -> Result<(), SynthError> {
    atomically(path, |file| file.write_all(text.as_bytes()).map_err(|source| SynthError::io(path, source)))
}

/// Writes a file again with its bytes changed.
pub(super) fn changed(path: &Path, change: impl FnOnce(Vec<u8>) -> io::Result<Vec<u8>>) -> Result<(), SynthError> {
    let failed = |source| SynthError::io(path, source);
    let bytes = fs::read(path).and_then(change).map_err(failed)?;
    atomically(path, |file| file.write_all(&bytes).map_err(failed))
}

/// Writes to a temporary name and renames: a file of the final name is complete.
fn atomically(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), SynthError>,
) -> Result<(), SynthError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    let failed = |source| SynthError::io(path, source);
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&name).map_err(failed)?);
    write(&mut file)?;
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    fs::rename(&name, path).map_err(failed)
}

/// Metadata of a request for one parent over whole days in UTC.
fn metadata(root: &str, month: Month, listing: &Listing) -> Result<Metadata, SynthError> {
    let (start, end) = file_bounds(month)?;
    let (start, end) = (start as u64 * NANOS, end as u64 * NANOS);
    let build = |start: u64, end: u64, mappings| {
        Metadata::builder()
            .version(DBN_VERSION)
            .dataset(DATASET)
            .schema(Some(Schema::Ohlcv1S))
            .start(start)
            .end(NonZeroU64::new(end))
            .stype_in(Some(SType::Parent))
            .stype_out(SType::InstrumentId)
            .symbols(vec![format!("{root}.FUT")])
            .mappings(mappings)
            .build()
    };
    // dbn does not re-export its date type; its metadata makes one of a timestamp.
    let date = |nanos: u64| build(nanos, end, Vec::new()).start().date();
    let mut mappings = Vec::with_capacity(listing.contracts.len());
    for contract in &listing.contracts {
        let expired = unix(contract.expiry.tomorrow()?, 0, &TimeZone::UTC)? as u64 * NANOS;
        mappings.push(SymbolMapping {
            raw_symbol: contract.symbol.clone(),
            intervals: vec![MappingInterval {
                start_date: date(start),
                end_date: date(expired.min(end)),
                symbol: contract.id.to_string(),
            }],
        });
    }
    Ok(build(start, end, mappings))
}
