//! Input files of a month in the encodings that are read, each checked against the month's DBN first.

use std::{fmt::Write, fs, path::PathBuf};

use data::{
    Instrument,
    columns::Columns,
    input,
    synth::{Plan, write_month},
};
use dbn::{
    OhlcvMsg, SymbolIndex,
    decode::{DbnMetadata, DecodeRecord, dbn::Decoder},
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
    /// Bytes of it unpacked.
    pub bytes: u64,
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
            File { name, path, bytes: text.len() as u64 }
        };
        let files = vec![file("csv", text), file("csv.zst", &zstd::encode_all(text, 3).unwrap())];
        let mut expected = read(&self.dbn);
        expected.iter_mut().for_each(|columns| columns.records.by_publisher.clear());
        files.iter().for_each(|file| assert!(read(&file.path) == expected, "{}", file.name));
        files
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
