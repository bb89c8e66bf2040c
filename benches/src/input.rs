//! Input files of a month in the encodings that are read, each checked against the month's DBN first.

use std::{fmt::Write, fs, path::PathBuf};

use data::{
    Instrument,
    columns::Columns,
    input,
    synth::{Plan, write_month},
};
use dbn::{
    FlagSet, Metadata, OhlcvMsg, RecordHeader, Schema, SymbolIndex, TradeMsg,
    decode::{DbnMetadata, DecodeRecord, dbn::Decoder},
    encode::{EncodeRecord, dbn::Encoder},
    rtype,
};

/// A month on disk; gone with this.
pub struct Files {
    folder: tempfile::TempDir,
    dbn: PathBuf,
    text: String,
}

/// A file to read, and what its throughput is counted in.
pub struct File {
    /// What it is.
    pub name: &'static str,
    path: PathBuf,
    /// How much of it there is.
    pub size: Size,
}

/// What a file's throughput is counted in.
#[derive(Clone, Copy)]
pub enum Size {
    /// Bytes of text, unpacked.
    Text(u64),
    /// Records.
    Records(u64),
}

impl Files {
    /// A synthetic month.
    ///
    /// # Panics
    /// It cannot be written.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let truth = write_month(&Plan::default(), "2025-10".parse().unwrap(), folder.path()).unwrap();
        let dbn = folder.path().join(truth.file);
        let mut decoder = Decoder::from_zstd_file(&dbn).unwrap();
        let symbols = decoder.metadata().symbol_map().unwrap();
        let mut text = String::from("ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n");
        while let Some(bar) = decoder.decode_record::<OhlcvMsg>().unwrap() {
            let OhlcvMsg { hd, open, high, low, close, volume } = bar;
            let (time, publisher, id, symbol) =
                (hd.ts_event, hd.publisher_id, hd.instrument_id, symbols.get_for_rec(bar).unwrap());
            writeln!(text, "{time},32,{publisher},{id},{open},{high},{low},{close},{volume},{symbol}").unwrap();
        }
        Self { folder, dbn, text }
    }

    /// The files.
    ///
    /// # Panics
    /// One cannot be written, or is not the month.
    #[must_use]
    pub fn all(&self) -> Vec<File> {
        let text = self.text.as_bytes();
        let file = |name: &'static str, bytes: &[u8]| {
            let path = self.folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            File { name, path, size: Size::Text(text.len() as u64) }
        };
        let mut files = vec![file("csv", text), file("csv.zst", &zstd::encode_all(text, 3).unwrap())];
        let mut expected = read(&self.dbn);
        expected.iter_mut().for_each(|columns| columns.records.by_publisher.clear());
        files.iter().for_each(|file| assert!(read(&file.path) == expected, "{}", file.name));
        files.push(self.trades(&expected));
        files
    }

    /// Trades of the month's bars, the contracts amid each other, not packed: four a bar and no more than its volume.
    fn trades(&self, expected: &[Columns]) -> File {
        let mut decoder = Decoder::from_zstd_file(&self.dbn).unwrap();
        let metadata = Metadata { schema: Some(Schema::Trades), ..decoder.metadata().clone() };
        let mut trades = Vec::new();
        while let Some(bar) = decoder.decode_record::<OhlcvMsg>().unwrap() {
            let (volume, prices) = (bar.volume, [bar.open, bar.high, bar.low, bar.close]);
            let count = volume.min(4);
            for number in 0..count {
                // Of fewer trades than prices the close is the last: the bars are then of those.
                let (price, last) = (prices[number as usize], number + 1 == count);
                let size = if last { volume - (count - 1) * (volume / 4).max(1) } else { (volume / 4).max(1) };
                let received = bar.hd.ts_event + number * 200_000_000;
                let hd = RecordHeader::new::<TradeMsg>(rtype::MBP_0, 1, bar.hd.instrument_id, received);
                let (size, action) = (u32::try_from(size).unwrap(), b'T' as _);
                let (side, flags, depth, ts_recv, ts_in_delta, sequence) = (0, FlagSet::empty(), 0, received, 0, 0);
                trades.push(TradeMsg { hd, price, size, action, side, flags, depth, ts_recv, ts_in_delta, sequence });
            }
        }
        trades.sort_by_key(|trade| trade.ts_recv);
        let path = self.folder.path().join("trades.dbn");
        let mut encoder = Encoder::new(std::io::BufWriter::new(fs::File::create(&path).unwrap()), &metadata).unwrap();
        encoder.encode_records(&trades).unwrap();
        encoder.flush().unwrap();
        let found = read(&path);
        let seconds = |months: &[Columns]| months.iter().map(|month| month.time.clone()).collect::<Vec<_>>();
        let volumes = |months: &[Columns]| months.iter().map(|month| month.volume.clone()).collect::<Vec<_>>();
        assert!(seconds(&found) == seconds(expected) && volumes(&found) == volumes(expected), "trades");
        File { name: "trades", path, size: Size::Records(trades.len() as u64) }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}

impl File {
    /// Reads it.
    pub fn run(&self) -> usize {
        read(&self.path).len()
    }
}

fn read(path: &std::path::Path) -> Vec<Columns> {
    let mut months = Vec::new();
    let mut take = |columns| {
        months.push(columns);
        Ok(())
    };
    input::read(path, &Instrument::default(), &mut take).unwrap();
    months
}
