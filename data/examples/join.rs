//! Joins raw files into one, in the order given: what `process` makes of it must be what `run` makes of the parts.
//!
//! `cargo run --release -p data --example join -- OUT.dbn.zst FILE.dbn.zst ...`. The header is that of the first file, with
//! the symbols of all.

use std::{
    error::Error,
    fs::File,
    io::{self, BufWriter, Read, Write},
};

use dbn::{Metadata, decode::dbn::MetadataDecoder, encode::dbn::MetadataEncoder};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = std::env::args().skip(1);
    let out = paths.next().ok_or("where to? give OUT.dbn.zst and the files to join")?;
    let paths: Vec<String> = paths.collect();
    let mut whole: Option<Metadata> = None;
    for path in &paths {
        let (header, _) = open(path)?;
        match &mut whole {
            Some(whole) => {
                whole.mappings.extend(header.mappings);
                whole.end = header.end;
            }
            None => whole = Some(header),
        }
    }
    let mut zstd = zstd::Encoder::new(BufWriter::with_capacity(1 << 20, File::create(&out)?), 1)?;
    MetadataEncoder::new(&mut zstd).encode(&whole.ok_or("no files")?)?;
    for path in &paths {
        io::copy(&mut open(path)?.1, &mut zstd)?;
    }
    zstd.finish()?.flush()?;
    Ok(())
}

/// The header of a file, and its records.
fn open(path: &str) -> Result<(Metadata, impl Read), Box<dyn Error>> {
    let mut file = zstd::Decoder::new(File::open(path)?)?;
    let mut head = vec![0; 8];
    file.read_exact(&mut head)?;
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    io::copy(&mut file.by_ref().take(length.into()), &mut head)?;
    Ok((MetadataDecoder::new(&head[..]).decode()?, file))
}
