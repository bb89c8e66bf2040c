//! A DBN stream record by record, each as long as its first byte says.
//!
//! The records are read here: the `dbn` crate ends a file that stops inside a record without an error, and a truncated
//! month must never pass for a whole one.

use std::io::{self, Read};

use super::super::{InputError, read_at_least};

/// Bytes held at a time; the longest record has 1020.
const BUFFER: usize = 1 << 18;

/// What is left of a stream.
pub(super) struct Stream<R> {
    reader: R,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    number: u64,
}

impl<R: Read> Stream<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; BUFFER], at: 0, filled: 0, number: 0 }
    }

    /// Number of the record that comes next, from 0.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// What comes next: so many bytes, fewer only where the stream ends.
    fn ahead(&mut self, bytes: usize) -> Result<&[u8], InputError> {
        if self.filled - self.at < bytes {
            self.buffer.copy_within(self.at..self.filled, 0);
            (self.at, self.filled) = (0, self.filled - self.at);
            // No more than is needed is waited for: the second that has just ended must not wait for the next ones.
            let least = bytes - self.filled;
            let read = read_at_least(least, &mut self.reader, &mut self.buffer[self.filled..]);
            self.filled += read.map_err(|source| InputError::Compression { record: self.number, source })?;
        }
        Ok(&self.buffer[self.at..self.filled])
    }

    /// Whether a header comes next: files may be joined. No record begins like one.
    pub(super) fn at_header(&mut self) -> Result<bool, InputError> {
        Ok(self.ahead(4)?.starts_with(b"DBN"))
    }

    /// The next record; `None` at the end and at another header.
    pub(super) fn record(&mut self) -> Result<Option<&[u8]>, InputError> {
        let number = self.number;
        let Some(&words) = self.ahead(1)?.first() else { return Ok(None) };
        if words == b'D' && self.at_header()? {
            return Ok(None);
        }
        let length = 4 * usize::from(words);
        if length < 2 {
            return Err(InputError::Record { record: number, found: "a record of 0 bytes".into() });
        }
        let bytes = self.ahead(length)?.len();
        if bytes < length {
            return Err(InputError::Truncated { record: number, bytes, length });
        }
        let record = self.at..self.at + length;
        (self.at, self.number) = (record.end, number + 1);
        Ok(Some(&self.buffer[record]))
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at == self.filled {
            return self.reader.read(to);
        }
        let read = (&self.buffer[self.at..self.filled]).read(to)?;
        self.at += read;
        Ok(read)
    }
}
