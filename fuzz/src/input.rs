//! Files of bars, and the column file they become.

use std::{fs, path::PathBuf, sync::LazyLock};

use data::{
    Instrument,
    column_file::ColumnFile,
    columns::{Columns, ColumnsView},
    contract::Choice,
    form::{Form, PriceUnit, TimeUnit},
    input, session,
};
use kernels::{Columns as Series, Series as Checked, series::MAX_TICKS};
use xxhash_rust::xxh3::xxh3_64;

use crate::seeds;

/// A folder in memory: a target reads a file each time.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let within = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = within.join(format!("fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    folder
});

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = FOLDER.join(name);
    fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    path
}

/// DBN. The first byte says how the rest becomes a file: as it is, in a Zstandard frame, or in two; under a name with
/// dates or without.
pub fn dbn(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let frame = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).unwrap_or_default();
    let bytes = match how % 4 {
        0 | 1 => bytes.to_vec(),
        2 => frame(bytes),
        _ => {
            let (a, b) = bytes.split_at(bytes.len() / 2);
            [frame(a), frame(b)].concat()
        }
    };
    let name = if how & 4 == 0 { "bars.dbn" } else { "glbx-mdp3-20131001-20131130.ohlcv-1s.dbn" };
    read(name, &bytes);
}

/// A recorded live stream: bars, and what a gateway says between them. Of each unit the first byte says which record it is,
/// and what follows fills it.
pub fn mapping(bytes: &[u8]) {
    let Some((version, mut rest)) = bytes.split_first() else { return };
    let Ok(mut stream) = seeds::live_header(1 + version % 3) else { return };
    while let [kind, filled @ ..] = rest {
        // A mapping of either layout, a system message, a bar, and one that is given in full.
        let (rtype, length, given) = match kind % 8 {
            0 | 1 => (0x16, 176, 160),
            2 => (0x16, 80, 60),
            3 => (0x17, 80, 4),
            4 => (0x20, 56, 56),
            _ => (0x20, 56, 8),
        };
        let mut record = vec![0; length];
        if rtype == 0x20 {
            record.copy_from_slice(&seeds::BAR);
        }
        let filled = &filled[..filled.len().min(given)];
        // Behind length and type, so that records follow each other.
        let end = length.min(4 + filled.len());
        record[4..end].copy_from_slice(&filled[..end - 4]);
        (record[0], record[1]) = ((length / 4) as u8, rtype);
        stream.extend(record);
        rest = &rest[1 + filled.len()..];
    }
    read("live.dbn", &stream);
}

/// Parquet and Arrow.
pub fn bars(bytes: &[u8]) {
    read("bars", bytes);
}

/// CSV. The first byte says whether it is packed, and in what its numbers count.
pub fn csv(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let packed = if how & 1 == 0 { bytes.to_vec() } else { zstd::bulk::compress(bytes, 1).unwrap_or_default() };
    let time_unit = TimeUnit::ALL.get(usize::from(how >> 1 & 7)).copied();
    let price_unit = PriceUnit::ALL.get(usize::from(how >> 4 & 7)).copied();
    let form = Form { time_unit, price_unit, ..Form::default() };
    read_as("bars.csv", &packed, Instrument { form, ..Instrument::default() });
}

fn read(name: &str, bytes: &[u8]) {
    read_as(name, bytes, Instrument::default());
}

fn read_as(name: &str, bytes: &[u8], instrument: Instrument) {
    let mut months = Vec::new();
    let info = input::read(&file(name, bytes), &instrument, &mut |columns| {
        check(&columns, &instrument);
        months.push(columns.records.total);
        Ok(())
    });
    if let Ok(info) = info {
        // Of trades there are more than bars.
        let bars = months.iter().sum::<u64>();
        assert!(info.records == bars || name.ends_with(".dbn") && info.records > bars);
        assert!(info.first <= info.last);
    }
}

/// What every reader of columns relies on.
fn check(columns: &Columns, instrument: &Instrument) {
    let records = &columns.records;
    assert_eq!(records.by_instrument.values().sum::<u64>(), records.total);
    let view = columns.view();
    let rows: usize = view.contracts.iter().map(|contract| contract.rows.len()).sum();
    assert_eq!(records.kept(), rows as u64, "{records:?}");
    covered(&view);
    for contract in view.contracts {
        assert!(view.time[contract.rows.clone()].is_sorted_by(|a, b| a < b), "{}", contract.symbol);
    }
    for row in 0..view.time.len() {
        let [open, high, low, close] = [view.open[row], view.high[row], view.low[row], view.close[row]];
        assert!(1 <= low && low <= open.min(close) && open.max(close) <= high && high <= MAX_TICKS, "row {row}");
        assert!(view.volume[row] > 0, "row {row}");
    }
    let grid = session::cut_alone(&view, instrument, Choice::Volume);
    let grid = grid.unwrap_or_else(|error| panic!("{error}"));
    for session in &grid.sessions {
        assert_eq!(session.rows.len(), session.filled_rows + traded(&grid.volume[session.rows.clone()]));
    }
    let (open, high, low, close) = (&grid.open, &grid.high, &grid.low, &grid.close);
    let series = Checked::new(Series { open, high, low, close, volume: &grid.volume, second: &grid.second });
    assert!(matches!(series, Ok(_) | Err(kernels::Error::Turnover)), "{series:?}");
}

fn traded(volume: &[u32]) -> usize {
    volume.iter().filter(|&&volume| volume > 0).count()
}

fn covered(view: &ColumnsView<'_>) {
    let end = view.contracts.iter().chain(view.unmapped).fold(0, |next, contract| {
        assert_eq!(contract.rows.start, next);
        contract.rows.end
    });
    let lengths = [view.time.len(), view.open.len(), view.high.len(), view.low.len(), view.close.len()];
    assert!(lengths.iter().all(|&length| length == end) && view.volume.len() == end);
}

/// A column file; where the first byte is odd its checksum is made to fit, so that more than that is looked at.
pub fn column_file(bytes: &[u8]) {
    let Some((repair, bytes)) = bytes.split_first() else { return };
    let mut bytes = bytes.to_vec();
    if repair % 2 == 1
        && let Some(body) = bytes.len().checked_sub(8)
    {
        let digest = xxh3_64(&bytes[..body]);
        bytes[body..].copy_from_slice(&digest.to_le_bytes());
    }
    let Ok((_, found)) = ColumnFile::open_any(&file("month.columns", &bytes)) else { return };
    assert_eq!(found.view().time.len(), found.rows());
    covered(&found.view());
}
