//! Damage to the file itself.

use std::{io, ops::Range};

use dbn::Schema;

use super::Defect;

/// Bytes of a record.
const RECORD: usize = 56;
/// Where the header says which schema follows: after prefix, length and dataset.
const SCHEMA: usize = 24;
/// The time within a record.
const TIME: Range<usize> = 8..16;
/// Bytes that are tried one after the other: they lie so far apart, and this is done to each.
const STEP: usize = 977;
const FLIP: u8 = 0x15;
/// Frames of a file that has several.
const FRAMES: usize = 4;

/// What is left of a compressed DBN file.
pub(in crate::synth) fn damage(kind: Defect, file: Vec<u8>) -> io::Result<Vec<u8>> {
    let plain = || zstd::decode_all(&file[..]);
    let compressed = |bytes: &[u8]| zstd::encode_all(bytes, 1);
    match kind {
        Defect::EmptyFile => Ok(Vec::new()),
        Defect::NoRecords => {
            let plain = plain()?;
            let length = plain.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes);
            compressed(&plain[..plain.len().min(8 + length as usize)])
        }
        Defect::WrongSchema => {
            let mut plain = plain()?;
            if let Some(schema) = plain.get_mut(SCHEMA..SCHEMA + 2) {
                schema.copy_from_slice(&(Schema::Ohlcv1M as u16).to_le_bytes());
            }
            compressed(&plain)
        }
        Defect::Truncated => Ok(file[..file.len() * 3 / 5].to_vec()),
        Defect::DamagedFrame => {
            let plain = plain()?;
            let piece = (plain.len() / FRAMES / RECORD + 1) * RECORD;
            let mut bytes = Vec::new();
            for (number, piece) in plain.chunks(piece).enumerate() {
                let begin = bytes.len();
                bytes.extend(compressed(piece)?);
                if number == FRAMES / 2 {
                    bytes[begin..begin + 8].fill(0xff);
                }
            }
            Ok(bytes)
        }
        Defect::FlippedByte => Ok(flipped(&file, &plain()?)),
        _ => Ok(file),
    }
}

/// The first of some bytes from the middle on whose change the decoder does not notice, though it reaches times of records.
fn flipped(file: &[u8], plain: &[u8]) -> Vec<u8> {
    let records = plain.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes) as usize + 8;
    let damages = |bytes: &[u8]| {
        let Ok(found) = zstd::decode_all(bytes) else { return false };
        let pairs = || found[records..].chunks(RECORD).zip(plain[records..].chunks(RECORD));
        // Record and type stay what they are, or the reader refuses the file.
        found.len() == plain.len()
            && found[..records] == plain[..records]
            && pairs().all(|(found, plain)| found[..2] == plain[..2])
            && pairs().any(|(found, plain)| found[TIME] != plain[TIME])
    };
    let mut bytes = file.to_vec();
    for at in (file.len() / 2..file.len()).step_by(STEP) {
        bytes[at] ^= FLIP;
        if damages(&bytes) {
            return bytes;
        }
        bytes[at] ^= FLIP;
    }
    bytes
}
