//! What a file is: by its first bytes, never by its name.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek},
    os::unix::fs::FileExt,
};

use flate2::bufread::MultiGzDecoder;

use super::{InputError, read_up_to};

/// Bytes that are looked at.
const HEAD: usize = 512;
/// What separates the columns of a text.
const DELIMITERS: &[u8] = b",;\t|";

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Dbn,
    Csv,
    Parquet,
    /// An Arrow IPC file, which ends with a list of its batches.
    Arrow,
    /// An Arrow IPC stream, in which they follow each other.
    ArrowStream,
}

impl Content {
    /// As messages and statistics call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Dbn => "dbn",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
            Self::ArrowStream => "arrow stream",
        }
    }
}

/// How its bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Zstandard,
    Gzip,
}

/// A file whose content is known.
pub(super) struct Opened {
    file: File,
    packing: Packing,
    /// What it is.
    pub(super) content: Content,
}

impl Opened {
    /// Looks at a file.
    ///
    /// # Errors
    /// [`InputError::Format`] for what is not read, with what can be done about it.
    pub(super) fn look(file: File) -> Result<Self, InputError> {
        let mut opened = Self { file, packing: Packing::Plain, content: Content::Dbn };
        let mut head = opened.head()?;
        opened.packing = match &head[..] {
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, _, _, _, _, b'D', b'B', b'Z', ..] => {
                return Err(format("a DBZ file, the predecessor of DBN"));
            }
            // Also a frame that Zstandard passes over; what counts follows.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstandard,
            [0x1f, 0x8b, ..] => Packing::Gzip,
            _ => Packing::Plain,
        };
        let is_packed = opened.is_packed();
        if is_packed {
            head = opened.head()?;
        }
        opened.content = content(&head)?;
        if is_packed && !matches!(opened.content, Content::Dbn | Content::Csv) {
            return Err(format(&format!(
                "a file of {} that is compressed as a whole: unpack it",
                opened.content.name()
            )));
        }
        Ok(opened)
    }

    /// Whether its bytes must be unpacked.
    pub(super) fn is_packed(&self) -> bool {
        self.packing != Packing::Plain
    }

    /// The file as it lies there.
    pub(super) fn file(&self) -> io::Result<File> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        Ok(file)
    }

    /// Its bytes unpacked, from the first on; each reader is where it is, whatever others read.
    pub(super) fn reader(&self) -> Result<Box<dyn Read + Send>, InputError> {
        let file = BufReader::with_capacity(1 << 17, Positioned { file: self.file.try_clone()?, at: 0 });
        Ok(match self.packing {
            Packing::Plain => Box::new(file),
            Packing::Gzip => Box::new(MultiGzDecoder::new(file)),
            Packing::Zstandard => {
                // The decoder goes on over several frames. 2^27 bytes is the window a decoder must accept; more is a bomb.
                let mut decoder = zstd::Decoder::with_buffer(file)?;
                decoder.window_log_max(27)?;
                Box::new(decoder)
            }
        })
    }

    fn head(&self) -> Result<Vec<u8>, InputError> {
        let mut head = vec![0; HEAD];
        let read = read_up_to(&mut self.reader()?, &mut head);
        head.truncate(read.map_err(|source| InputError::Compression { record: 0, source })?);
        Ok(head)
    }
}

/// A reader of a file with a place of its own: clones of a file share theirs.
struct Positioned {
    file: File,
    at: u64,
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

fn format(found: &str) -> InputError {
    InputError::Format { found: found.to_owned() }
}

fn content(head: &[u8]) -> Result<Content, InputError> {
    let begin = format!("a file that begins with the bytes {:02x?}", &head[..head.len().min(11)]);
    Err(format(match head {
        [b'D', b'B', b'N', ..] => return Ok(Content::Dbn),
        [b'P', b'A', b'R', b'1', ..] => return Ok(Content::Parquet),
        [b'A', b'R', b'R', b'O', b'W', b'1', 0, 0, ..] => return Ok(Content::Arrow),
        // The marker of a message, and its length.
        [0xff, 0xff, 0xff, 0xff, _, _, _, 0..=0x7f, ..] => return Ok(Content::ArrowStream),
        [] => "an empty file",
        [b'P', b'A', b'R', b'E', ..] => "an encrypted Parquet file: write it without encryption",
        [b'F', b'E', b'A', b'1', ..] => "a Feather file of version 1: write it as version 2, which is Arrow IPC",
        [b'P', b'K', 3 | 5, 4 | 6, ..] => "a zip archive: unpack it (unzip FILE) and give the file or folder in it",
        [b'{' | b'[', ..] => "JSON: download DBN or CSV for the same dates",
        [b'<', ..] => "a web page or XML, most likely the answer of a server instead of the file: download it again",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "text in UTF-16: write it as UTF-8",
        head if is_table(head) => return Ok(Content::Csv),
        head if head.len() > 262 && &head[257..262] == b"ustar" => {
            "a tar archive: unpack it (tar xf FILE) and give the file in it"
        }
        _ => &begin,
    }))
}

/// Whether it begins with a line of text that has several columns.
fn is_table(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_text = |byte: &u8| *byte >= b' ' && *byte != 0x7f || *byte == b'\t' || *byte == b'\r';
    line.iter().all(is_text) && line.iter().any(|byte| DELIMITERS.contains(byte))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn look(bytes: &[u8]) -> Result<(Content, bool), String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Opened::look(file).map(|opened| (opened.content, opened.is_packed())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_is_what_its_first_bytes_say_packed_or_not() {
        let gzip = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let csv = b"ts_event,open\n1,2\n";
        for (bytes, content) in [(&csv[..], Content::Csv), (b"DBN\x03", Content::Dbn)] {
            assert_eq!(look(bytes), Ok((content, false)));
            for packed in [zstd::encode_all(bytes, 1).unwrap(), gzip(bytes)] {
                assert_eq!(look(&packed), Ok((content, true)));
            }
        }
        assert_eq!(look(b"\xef\xbb\xbfTime;Open\r\n"), Ok((Content::Csv, false)));
        assert_eq!(look(b"PAR1 and so on"), Ok((Content::Parquet, false)));
        assert_eq!(look(b"\xff\xff\xff\xff\x78\0\0\0\x10"), Ok((Content::ArrowStream, false)));
        assert!(look(&gzip(b"PAR1 and so on")).unwrap_err().contains("compressed as a whole: unpack it"));
    }

    #[test]
    fn what_is_not_read_is_called_by_its_name_with_what_can_be_done() {
        let mut tar = vec![0; 512];
        tar[..3].copy_from_slice(b"a,b");
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, words) in [
            (&b"PK\x03\x04\x14\0"[..], "a zip archive: unpack it"),
            (b"{\"hd\":{}}", "JSON: download DBN or CSV"),
            (b"<!DOCTYPE html>", "a web page"),
            (b"\xff\xfet\0s\0", "UTF-16"),
            (b"FEA1\0\0\0\0", "Feather"),
            (b"PARE\0\0", "encrypted"),
            (b"", "an empty file"),
            (b"just words\n", "begins with the bytes [6a, 75"),
            (&tar, "a tar archive"),
        ] {
            let said = look(bytes).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
