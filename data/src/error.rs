//! Why an input is refused.

use jiff::{Timestamp, civil::Date};

use crate::{instrument::InstrumentError, month::Month};

/// An input that cannot be read, or must not be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Which file; the source says why.
    #[error("{path}")]
    File {
        /// Path as given.
        path: String,
        /// What is wrong with it.
        source: Box<InputError>,
    },
    /// The file's first bytes are of no format read here.
    #[error(
        "found {found}; expected DBN version 1 to 3 or CSV (plain, zstd or gzip), Parquet, or an Arrow IPC file or stream"
    )]
    Format {
        /// What it begins with.
        found: String,
    },
    /// A DBN file of another schema.
    #[error("found schema {found}; expected ohlcv-1s, trades or tbbo: download one of them for the same dates")]
    Schema {
        /// The file's schema.
        found: String,
    },
    /// A stream that is read row by row, of another schema.
    #[error(
        "found schema {found}; expected ohlcv-1s: a row is served when its second has ended, so subscribe to ohlcv-1s"
    )]
    NotLive {
        /// The stream's schema.
        found: String,
    },
    /// A trade that belongs to a second of which the bar is complete.
    #[error(
        "record {record}: its ts_recv {nanos} ns lies in a second before that of the trade before it; expected trades in order \
         of ts_recv, as Databento delivers them: download ohlcv-1s, or the trades again"
    )]
    LateTrade {
        /// Number in the file, from 0.
        record: u64,
        /// As read.
        nanos: u64,
    },
    /// Trades of one second in two files: neither has its whole bar.
    #[error(
        "trades of the second of {second} lie in {} and {}, so that neither file has its whole bar; expected each second in \
         one file: download the dates as one file, or split by day", files[0], files[1]
    )]
    SplitSecond {
        /// Names of the two files.
        files: [String; 2],
        /// Start of the second.
        second: Timestamp,
    },
    /// The DBN header does not decode.
    #[error("the DBN header does not decode; expected metadata of version 1 to 3")]
    Header(#[source] Box<dbn::Error>),
    /// A record that is not of its file's schema.
    #[error(
        "record {record}: found {found}; expected a record of the file's schema, of ohlcv-1s 56 bytes, of trades 48, of tbbo 80: \
         the file is damaged, download it again"
    )]
    Record {
        /// Number in the file, from 0.
        record: u64,
        /// What stands there.
        found: String,
    },
    /// A record of a live stream that is neither of the kind before it nor a message of the gateway.
    #[error(
        "record {record}: found {found} in a live stream; expected ohlcv-1s bars of 56 bytes or trades of 48, all of one kind, \
         and symbol mappings, system and error messages between them: record a subscription to ohlcv-1s alone"
    )]
    Subscribed {
        /// Number in the file, from 0.
        record: u64,
        /// What stands there.
        found: String,
    },
    /// The file ends inside a record.
    #[error("record {record}: the file ends after {bytes} of its {length} bytes: it is truncated, download it again")]
    Truncated {
        /// Number in the file, from 0.
        record: u64,
        /// Bytes that are there.
        bytes: usize,
        /// Bytes it has.
        length: usize,
    },
    /// The compressed stream is damaged.
    #[error("record {record}: the compressed stream is damaged or truncated here: download the file again")]
    Compression {
        /// Records read before it.
        record: u64,
        /// What the decompressor said.
        source: std::io::Error,
    },
    /// A time no bar can have.
    #[error("record {record}: time {nanos} ns since 1970; expected a date from 1970 to 2105")]
    Time {
        /// Number in the file, from 0.
        record: u64,
        /// As read.
        nanos: u64,
    },
    /// Time runs back into a month that has been handed over.
    #[error(
        "record {record} lies in {month}, more than a month before records already read; expected records in order of time"
    )]
    Order {
        /// Number in the file, from 0.
        record: u64,
        /// Its month.
        month: Month,
    },
    /// A table, or a folder of files, of more than can be held while its months are not complete, in another order.
    #[error(
        "record {record} lies in {month}, after that month was complete: the records are not in order of time, and more than \
         {limit} of them lie in months that are not complete; expected any order of at most so many, or records in order of \
         time: sort them by time, or give each month a file of its own"
    )]
    Unsorted {
        /// Number in the input, from 0.
        record: u64,
        /// Its month.
        month: Month,
        /// Records that are held.
        limit: u64,
    },
    /// More of something than any market's file has: damaged, or made to fill the memory.
    #[error(
        "more than {limit} {what}, expected no more: the file is damaged, or none of Databento's; download it again"
    )]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The most that is read.
        limit: u64,
    },
    /// Two different records for one contract and second.
    #[error(
        "records {first} and {second_record} of {symbol} are both of {second} and differ; expected one record a second: \
         remove one or download the file again"
    )]
    Conflict {
        /// Symbol or id.
        symbol: String,
        /// The second, UTC.
        second: String,
        /// Number of the first record.
        first: u64,
        /// Number of the other.
        second_record: u64,
    },
    /// A session's prices and volumes are each possible, and their product is not.
    #[error(
        "session of {date}, contract {contract}: a high of {price_ticks} ticks and a volume of {volume}; expected a highest \
         price in ticks that, times all that was traded, is below 2^63: no market trades so much, download the file again"
    )]
    Turnover {
        /// Central trading date.
        date: Date,
        /// Symbol of the front contract.
        contract: String,
        /// The session's highest price, ticks.
        price_ticks: i32,
        /// Contracts traded in it.
        volume: u64,
    },
    /// Two files of one month have different records for one contract and second.
    #[error("{} and {} have different records of {symbol} for {second}: remove one of the files or download it again", files[0], files[1])]
    Parts {
        /// The two files.
        files: [String; 2],
        /// Symbol or id.
        symbol: String,
        /// The second, UTC.
        second: String,
    },
    /// A Parquet or Arrow file without a column that is needed, or with one of a type not understood.
    #[error("column {column}: {found}; expected {expected}")]
    Column {
        /// Column name.
        column: String,
        /// What is there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A row of a Parquet or Arrow file with a value that cannot be right.
    #[error("row {row}: {column} is {found}; expected {expected}")]
    Row {
        /// Number in the file, from 0.
        row: u64,
        /// Column name.
        column: String,
        /// What stands there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A field of a CSV file that cannot be right.
    #[error("line {line}, column {column}: found {found}; expected {expected}")]
    Line {
        /// Number in the file, from 1; the header is the first.
        line: u64,
        /// Column name.
        column: String,
        /// What stands there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A CSV file whose last line has no end: it may be a part of one.
    #[error(
        "line {line}: the file ends inside of it; expected a line feed at its end: the file is truncated, download it again \
         (or add the line feed, if the line is whole)"
    )]
    Unended {
        /// Number in the file, from 1.
        line: u64,
    },
    /// A Parquet or Arrow file of bars that are more than a second long.
    #[error(
        "found bars of {seconds} seconds: all {bars} lie whole multiples of that apart; expected bars of one second: download \
         or aggregate ohlcv-1s"
    )]
    Spacing {
        /// Bars of the file.
        bars: u64,
        /// Seconds between them.
        seconds: u64,
    },
    /// A Parquet or Arrow file whose times have no zone, and are not UTC.
    #[error(
        "column timestamp: has no zone, and as UTC {rows} of {of} rows lie in the break in which the exchange is closed; \
         expected UTC, or the zone of the times: give --input-time-zone {zone}"
    )]
    LocalTime {
        /// Rows in the break.
        rows: u64,
        /// Rows of the file.
        of: u64,
        /// The zone they are likely of.
        zone: String,
    },
    /// Ids without symbols that cannot all be outrights of one root.
    #[error(
        "{month}: instrument id {low} trades at {low_price} and {high} at {high_price}, which are no outrights of one root: \
         calendar spreads, or another root; expected outrights where there are no symbols: download with symbols, or keep \
         the rows of the outrights' ids alone"
    )]
    Mixed {
        /// The month.
        month: Month,
        /// The id with the low price.
        low: String,
        /// Its usual price in points.
        low_price: f64,
        /// An id with a high one.
        high: String,
        /// Its usual price in points.
        high_price: f64,
    },
    /// A Parquet or Arrow file whose offsets and lengths do not fit into it, or whose decoder gives up.
    #[error("the {format} file is damaged: {found}: write or download it again")]
    Damaged {
        /// `Parquet` or `Arrow`.
        format: &'static str,
        /// What is wrong with it.
        found: String,
    },
    /// A file of a batch download is not what the manifest beside it says.
    #[error("found {found}; expected {expected}, by the manifest.json beside it: download it again")]
    Manifest {
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// The file has no records.
    #[error("the file has no records; expected at least one bar")]
    Empty,
    /// The name of a file promises a month that is not in it.
    #[error("{files}: no record of {month} in it; expected some by its name")]
    NoRecords {
        /// The month.
        month: Month,
        /// Its files.
        files: String,
    },
    /// No session of the root can be cut from the records; see [`crate::input::Seen`].
    #[error("found no session of {root}: {found}")]
    NoSession {
        /// Root symbol.
        root: String,
        /// What is there instead, and what to try.
        found: String,
    },
    /// Parquet does not decode.
    #[error("the Parquet file does not decode")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Arrow does not decode.
    #[error("the Arrow file does not decode")]
    Arrow(#[from] arrow_schema::ArrowError),
    /// Reading failed.
    #[error("it cannot be read")]
    Io(#[from] std::io::Error),
    /// The instrument's settings are wrong.
    #[error(transparent)]
    Instrument(#[from] InstrumentError),
    /// What the sink could not take.
    #[error("{0}")]
    Sink(String),
}
