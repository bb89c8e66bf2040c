//! Where the records come from: stdin, a file, or a file that grows.

use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::Path,
    thread,
    time::Duration,
};

use data::input::InputError;

/// How long to wait at the end of a file that grows.
const WAIT: Duration = Duration::from_millis(20);
/// The first bytes of a zstd frame.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Opens an input, unpacked; with `follow` its end is waited at.
///
/// # Errors
/// [`InputError`] naming the file.
pub fn open(path: &Path, follow: bool) -> Result<Box<dyn Read + Send>, InputError> {
    let named = |source: io::Error| {
        let path = path.display().to_string();
        InputError::File { path, source: Box::new(source.into()) }
    };
    let mut reader: Box<dyn Read + Send> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        let file = File::open(path).map_err(named)?;
        if follow { Box::new(Growing(file)) } else { Box::new(file) }
    };
    let mut first = Vec::new();
    reader.by_ref().take(ZSTD.len() as u64).read_to_end(&mut first).map_err(named)?;
    let packed = first == ZSTD;
    let whole = Cursor::new(first).chain(reader);
    Ok(if packed { Box::new(zstd::Decoder::new(whole).map_err(named)?) } else { Box::new(whole) })
}

/// A file whose end is not the end.
struct Growing(File);

impl Read for Growing {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(to)? {
                0 if !to.is_empty() => thread::sleep(WAIT),
                read => return Ok(read),
            }
        }
    }
}
