//! Whether the offsets and lengths a Parquet or Arrow file claims fit into it. Checked before a decoder believes any:
//! it would allocate for them, or stop at an assertion.

use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
};

use arrow_ipc::{Block, CompressionType, Message, MessageHeader, RecordBatch, reader::read_footer_length};
use parquet::{arrow::ProjectionMask, file::metadata::ParquetMetaData};

use super::{InputError, pages};

/// Magic, footer length: what an Arrow file ends with.
const ARROW_END: u64 = 10;
/// Magic and padding: what it begins with.
const ARROW_START: u64 = 8;
/// The length in front of a compressed buffer.
const PREFIX: u64 = 8;
/// What the compressed buffers of a batch, all dictionaries together, or a page of every column may hold: thirty million
/// rows of eight columns.
pub(super) const MOST: u64 = 1 << 31;

fn arrow(found: String) -> InputError {
    InputError::Damaged { format: "Arrow", found }
}

/// The first line of what the metadata's verifier says.
fn metadata(part: &str, error: impl ToString) -> InputError {
    arrow(format!("{part}: {}", error.to_string().lines().next().unwrap_or_default()))
}

/// Checks an Arrow IPC file and leaves it at its start.
pub(super) fn check_arrow(file: &mut File) -> Result<(), InputError> {
    let size = file.seek(SeekFrom::End(0))?;
    let end = size.checked_sub(ARROW_END).ok_or_else(|| arrow(format!("it has {size} bytes")))?;
    let mut last = [0; ARROW_END as usize];
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut last)?;
    let length = read_footer_length(last)? as u64;
    let start = end.checked_sub(length).filter(|&start| start >= ARROW_START);
    let start = start.ok_or_else(|| arrow(format!("its footer claims {length} of {size} bytes")))?;
    let footer = read(file, start..end)?;
    let footer = arrow_ipc::root_as_footer(&footer).map_err(|error| metadata("its footer", error))?;
    let mut claims = Claims::default();
    let blocks = footer.dictionaries().into_iter().flatten().map(|block| (block, true));
    let blocks = blocks.chain(footer.recordBatches().into_iter().flatten().map(|block| (block, false)));
    for (number, (block, dictionary)) in blocks.enumerate() {
        claims.add(check_block(file, block, start).map_err(|found| in_block(number, found))?, dictionary)?;
    }
    file.rewind()?;
    Ok(())
}

/// Checks an Arrow IPC stream, message by message, and leaves it at its start.
pub(super) fn check_stream(file: &mut File) -> Result<(), InputError> {
    let size = file.seek(SeekFrom::End(0))?;
    let (mut at, mut claims) = (0, Claims::default());
    for number in 0.. {
        let (end, message) = check_message(file, at, size).map_err(|found| in_block(number, found))?;
        match message {
            Some((claimed, dictionary)) => claims.add(claimed, dictionary)?,
            None if end == size => break,
            None => return Err(arrow(format!("{} bytes follow the mark of its end", size - end))),
        }
        at = end;
    }
    file.rewind()?;
    Ok(())
}

/// Checks the message of a stream at a byte: where it ends, the bytes that its compressed buffers claim to hold, and
/// whether it is a dictionary; nothing is claimed by the mark of the stream's end.
fn check_message(file: &mut File, at: u64, size: u64) -> Result<(u64, Option<(u64, bool)>), InputError> {
    let cut = || arrow(format!("it ends at byte {size} without the mark of a stream's end, as one that was cut off"));
    let within = |from: u64, length: u64| from.checked_add(length).filter(|&to| to <= size).ok_or_else(cut);
    let start = within(at, PREFIX)?;
    let head = read(file, at..start)?;
    let (marker, length) = (&head[..4], u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
    if marker != [0xff; 4] {
        return Err(arrow(format!("a message that begins with the bytes {marker:02x?}")));
    }
    if length == 0 {
        return Ok((start, None));
    }
    let body = within(start, length.into())?;
    let message = read(file, start..body)?;
    let message = arrow_ipc::root_as_message(&message).map_err(|error| metadata("its header", error))?;
    let length = u64::try_from(message.bodyLength()).map_err(|_| arrow("a body of less than no bytes".into()))?;
    let end = within(body, length)?;
    let dictionary = message.header_type() == MessageHeader::DictionaryBatch;
    let batch = match message.header_type() {
        MessageHeader::Schema => return Ok((end, Some((0, false)))),
        _ => of_message(&message)?,
    };
    Ok((end, Some((check_batch(file, &batch, body..end)?, dictionary))))
}

/// What the compressed buffers that are in memory at a time claim to hold.
#[derive(Default)]
struct Claims {
    dictionaries: u64,
}

impl Claims {
    /// A batch is gone when the next one is read; dictionaries stay.
    fn add(&mut self, claimed: u64, dictionary: bool) -> Result<(), InputError> {
        self.dictionaries = self.dictionaries.saturating_add(if dictionary { claimed } else { 0 });
        if claimed.max(self.dictionaries) > MOST {
            return Err(InputError::Limit { what: "bytes in a batch, or in its dictionaries", limit: MOST });
        }
        Ok(())
    }
}

fn in_block(number: usize, error: InputError) -> InputError {
    match error {
        InputError::Damaged { format, found } => {
            InputError::Damaged { format, found: format!("block {number}: {found}") }
        }
        other => other,
    }
}

/// Checks a block; returns the bytes that its compressed buffers claim to hold.
fn check_block(file: &mut File, block: &Block, end: u64) -> Result<u64, InputError> {
    let found = || arrow(format!("{} + {} bytes at {}", block.metaDataLength(), block.bodyLength(), block.offset()));
    let range = |at: i64, length: i64| {
        let (at, length) = (u64::try_from(at).ok()?, u64::try_from(length).ok()?);
        at.checked_add(length).map(|to| at..to)
    };
    let head = range(block.offset(), block.metaDataLength().into()).ok_or_else(found)?;
    let body = i64::try_from(head.end).ok().and_then(|at| range(at, block.bodyLength())).ok_or_else(found)?;
    if head.start < ARROW_START || head.end - head.start < PREFIX || body.end > end {
        return Err(found());
    }
    let head = read(file, head)?;
    // The message follows its length, and since version 5 a marker before that.
    let message = if head[..4] == [0xff; 4] { &head[8..] } else { &head[4..] };
    let message = arrow_ipc::root_as_message(message).map_err(|error| metadata("its header", error))?;
    check_batch(file, &of_message(&message)?, body)
}

/// The batch of a message.
fn of_message<'a>(message: &Message<'a>) -> Result<RecordBatch<'a>, InputError> {
    let batch = match message.header_type() {
        MessageHeader::RecordBatch => message.header_as_record_batch(),
        MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|batch| batch.data()),
        other => return Err(arrow(format!("a message of type {other:?}"))),
    };
    batch.ok_or_else(|| arrow("a message without a batch".into()))
}

fn check_batch(file: &mut File, batch: &RecordBatch<'_>, body: Range<u64>) -> Result<u64, InputError> {
    let mut sum: u64 = 0;
    let rows = batch.length();
    for node in batch.nodes().into_iter().flatten() {
        if node.length() < 0 || !(0..=node.length()).contains(&node.null_count()) {
            return Err(arrow(format!("a column of {} rows, {} of them null", node.length(), node.null_count())));
        }
    }
    if rows < 0 {
        return Err(arrow(format!("a batch of {rows} rows")));
    }
    let codec = batch.compression().map(|compression| compression.codec());
    for buffer in batch.buffers().into_iter().flatten() {
        let (offset, length) = (buffer.offset(), buffer.length());
        let inside = || {
            let (offset, length) = (u64::try_from(offset).ok()?, u64::try_from(length).ok()?);
            let at = body.start.checked_add(offset)?;
            (at.checked_add(length)? <= body.end).then_some((at, length))
        };
        let (at, length) = inside().ok_or_else(|| {
            arrow(format!("a buffer of {length} bytes at {offset} in a body of {}", body.end - body.start))
        })?;
        let Some(codec) = codec.filter(|_| length > 0) else { continue };
        if length < PREFIX {
            return Err(arrow(format!("a compressed buffer of {length} bytes")));
        }
        let mut claimed = [0; PREFIX as usize];
        claimed.copy_from_slice(&read(file, at..at + PREFIX)?);
        let claimed = i64::from_le_bytes(claimed);
        // -1 marks a buffer that is stored as it is.
        if claimed != -1 {
            let holds = u64::try_from(claimed).ok().filter(|&claimed| claimed <= most(codec, length - PREFIX));
            let found = || arrow(format!("a compressed buffer of {length} bytes claims to hold {claimed}"));
            sum = sum.saturating_add(holds.ok_or_else(found)?);
        }
    }
    Ok(sum)
}

/// The most that so many compressed bytes can hold: a byte of LZ4 stands for at most 255, a Zstandard block of four
/// bytes for at most 128 KiB.
fn most(codec: CompressionType, compressed: u64) -> u64 {
    let ratio = if codec == CompressionType::LZ4_FRAME { 255 } else { 1 << 15 };
    compressed.saturating_mul(ratio)
}

fn read(file: &mut File, range: Range<u64>) -> Result<Vec<u8>, InputError> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.seek(SeekFrom::Start(range.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Checks what the footer of a Parquet file says of its column chunks, and what their pages claim to hold in the columns
/// that are `read`.
///
/// # Errors
/// [`InputError::Damaged`], [`InputError::Limit`], and those of reading.
pub fn check_parquet<R: Read + Seek>(
    metadata: &ParquetMetaData,
    file: R,
    read: &ProjectionMask,
) -> Result<(), InputError> {
    let mut file = BufReader::new(file);
    let size = file.seek(SeekFrom::End(0))?;
    let damaged = |found: String| InputError::Damaged { format: "Parquet", found };
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let rows = group.num_rows();
        if rows < 0 {
            return Err(damaged(format!("row group {number} has {rows} rows")));
        }
        let mut together: u64 = 0;
        for (leaf, column) in group.columns().iter().enumerate() {
            let path = || column.column_path().string();
            let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let length = column.compressed_size();
            let range = u64::try_from(start).ok().zip(u64::try_from(length).ok());
            let range = range.filter(|(at, by)| at.checked_add(*by).is_some_and(|end| end <= size));
            let Some((at, by)) = range.filter(|_| column.num_values() >= 0) else {
                return Err(damaged(format!("column {} of row group {number} has {length} bytes at {start}", path())));
            };
            if read.leaf_included(leaf) {
                file.seek(SeekFrom::Start(at))?;
                let largest =
                    pages::largest(&mut file, by, column.compression()).map_err(|error| match error.kind() {
                        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                            damaged(format!("column {} of row group {number}, byte {at}: {error}", path()))
                        }
                        _ => error.into(),
                    })?;
                together = together.saturating_add(largest);
            }
        }
        if together > MOST {
            return Err(InputError::Limit { what: "bytes in a page of each column", limit: MOST });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{io::Cursor, sync::Arc};

    use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    use bytes::Bytes;
    use parquet::{
        arrow::ArrowWriter,
        basic::Compression,
        file::{
            metadata::{ColumnChunkMetaData, ParquetMetaDataReader},
            properties::WriterProperties,
        },
    };

    use super::*;

    #[test]
    fn a_column_chunk_outside_of_the_file_is_refused() {
        let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        let batch = RecordBatch::try_from_iter([("close", values)]).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
        let all = ProjectionMask::all();
        check_parquet(&metadata, &file, &all).unwrap();
        let found =
            |metadata: &ParquetMetaData, file: &File| check_parquet(metadata, file, &all).unwrap_err().to_string();
        let cut = tempfile::tempfile().unwrap();
        cut.set_len(1000).unwrap();
        assert!(found(&metadata, &cut).contains("column close of row group 0"));

        let group = metadata.row_group(0).clone();
        let column = group.column(0).clone().into_builder().set_total_compressed_size(-7).build().unwrap();
        let group = group.into_builder().set_column_metadata(vec![column]).build().unwrap();
        let metadata = metadata.into_builder().set_row_groups(vec![group]).build();
        assert!(found(&metadata, &file).contains("has -7 bytes"));
    }

    #[test]
    fn the_columns_that_are_read_may_not_claim_more_than_2_gib_together() {
        let values = || -> ArrayRef { Arc::new(Int64Array::from_iter_values(0..10)) };
        let batch = RecordBatch::try_from_iter([("open", values()), ("close", values())]).unwrap();
        let mut whole = Vec::new();
        let zstd = Compression::ZSTD(Default::default());
        let properties = WriterProperties::builder().set_compression(zstd).build();
        let mut writer = ArrowWriter::try_new(&mut whole, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(whole)).unwrap();
        // Both columns are this page, which claims 2^31 - 1 bytes and is stored in 65536.
        let page = [0x15, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 0x80, 0x80, 0x08, 0];
        let file = [&page[..], &[0; 65_536]].concat();
        let here = |column: &ColumnChunkMetaData| {
            let column = column.clone().into_builder().set_dictionary_page_offset(None).set_data_page_offset(0);
            column.set_total_compressed_size(file.len() as i64).build().unwrap()
        };
        let group = metadata.row_group(0).clone();
        let columns = group.columns().iter().map(here).collect();
        let group = group.into_builder().set_column_metadata(columns).build().unwrap();
        let schema = metadata.file_metadata().schema_descr_ptr();
        let metadata = metadata.into_builder().set_row_groups(vec![group]).build();
        let found = |mask: &ProjectionMask| check_parquet(&metadata, Cursor::new(&file), mask);
        found(&ProjectionMask::leaves(&schema, [1])).unwrap();
        let error = found(&ProjectionMask::all()).unwrap_err().to_string();
        assert!(error.contains("more than 2147483648 bytes in a page of each column"), "{error}");
    }
}
