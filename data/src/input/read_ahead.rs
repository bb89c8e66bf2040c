//! Reads ahead on a thread of its own, so that decompression and parsing overlap.

use std::{
    io::{self, Read},
    sync::mpsc::{self, Receiver},
    thread::Scope,
};

use super::read_up_to;

/// Bytes of a block.
const BLOCK: usize = 1 << 18;
/// Blocks that wait to be read.
const WAITING: usize = 4;

/// The bytes of a reader that another thread reads.
pub(super) struct ReadAhead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    read: usize,
}

impl ReadAhead {
    /// Starts to read; the thread ends with the reader, at its first error, or when this is dropped.
    pub(super) fn spawn<'scope>(scope: &'scope Scope<'scope, '_>, mut reader: impl Read + Send + 'scope) -> Self {
        let (sender, blocks) = mpsc::sync_channel(WAITING);
        scope.spawn(move || {
            loop {
                let mut block = vec![0; BLOCK];
                let read = read_up_to(&mut reader, &mut block);
                let last = !matches!(read, Ok(BLOCK));
                let block = read.map(|read| {
                    block.truncate(read);
                    block
                });
                if sender.send(block).is_err() || last {
                    break;
                }
            }
        });
        Self { blocks, block: Vec::new(), read: 0 }
    }
}

impl Read for ReadAhead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.block.len() {
            // The thread is gone: the end.
            let Ok(block) = self.blocks.recv() else { return Ok(0) };
            (self.block, self.read) = (block?, 0);
        }
        let bytes = (self.block.len() - self.read).min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.block[self.read..][..bytes]);
        self.read += bytes;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_reader_and_its_error_comes_after_them() {
        let bytes: Vec<u8> = (0..3 * BLOCK + 77).map(|byte| (byte % 251) as u8).collect();
        let mut read = Vec::new();
        thread::scope(|scope| ReadAhead::spawn(scope, &bytes[..]).read_to_end(&mut read)).unwrap();
        assert!(read == bytes);

        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::UnexpectedEof.into())
            }
        }
        let mut read = Vec::new();
        let broken = (&bytes[..2 * BLOCK]).chain(Broken);
        let error = thread::scope(|scope| ReadAhead::spawn(scope, broken).read_to_end(&mut read)).unwrap_err();
        assert_eq!((error.kind(), read.len()), (io::ErrorKind::UnexpectedEof, 2 * BLOCK));
    }

    #[test]
    fn who_stops_reading_ends_the_thread() {
        thread::scope(|scope| {
            let mut endless = ReadAhead::spawn(scope, io::repeat(7));
            let mut first = [0];
            endless.read_exact(&mut first).unwrap();
            assert_eq!(first, [7]);
        });
    }
}
