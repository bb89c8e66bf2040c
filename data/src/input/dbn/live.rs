//! A stream of `ohlcv-1s` as it comes, event by event: what a live gateway sends, or a file that grows.

use std::{collections::HashMap, io::Read, sync::Arc};

use dbn::Schema;
use jiff::{Timestamp, tz::TimeZone};

use super::{ERROR, Kind, SEND_TIME, SYMBOL_MAPPING, SYSTEM, bar, header, mapping::Mapping, stream::Stream};
use crate::{
    collector::{Bar, Identity},
    error::InputError,
    month::Month,
    symbology::Symbology,
};

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;
/// Where the text of a gateway's message begins.
const TEXT: usize = 16;
/// What a gateway says where nothing else has been said for a while.
const HEARTBEAT: &str = "Heartbeat";

/// What a stream brings next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A header: what follows was asked for from one UTC second on, and of a file to before another. A stream that was
    /// interrupted begins anew with one.
    Header {
        /// The first second, where the header says it.
        from: Option<i64>,
        /// The second after the last, of a download.
        to: Option<i64>,
    },
    /// A bar of any instrument.
    Bar {
        /// What it is of.
        contract: Arc<Identity>,
        /// The bar.
        bar: Bar,
        /// Number of its record, from 0.
        record: u64,
    },
    /// What the gateway says: a slow reader, an error.
    Said(String),
}

/// The events of a DBN stream, each as soon as its last byte is there.
pub struct Events<'a, R> {
    stream: Stream<R>,
    root: &'a str,
    symbology: &'a Symbology,
    of_header: Option<OfHeader<'a>>,
}

struct OfHeader<'a> {
    mapping: Mapping<'a>,
    live: bool,
    send_time: usize,
    known: HashMap<u64, Arc<Identity>>,
}

impl<'a, R: Read> Events<'a, R> {
    /// Of a reader of DBN that is not packed; `root` selects contracts, `symbology` names ids that the stream does not.
    pub fn new(reader: R, root: &'a str, symbology: &'a Symbology) -> Self {
        Self { stream: Stream::new(reader), root, symbology, of_header: None }
    }

    fn read(&mut self) -> Result<Option<Event>, InputError> {
        loop {
            let Some(known) = &mut self.of_header else { return self.header().map(Some) };
            let number = self.stream.number();
            let Some(record) = self.stream.record()? else {
                if self.stream.at_header()? {
                    return self.header().map(Some);
                }
                return Ok(None);
            };
            let length = record.len().saturating_sub(known.send_time);
            match (Kind::of(record[1], length), record[1]) {
                (Some(Kind::Bar), _) => {
                    let (id, bar) = bar(record);
                    let contract = known.contract(id, bar.nanos, self.root, number)?;
                    return Ok(Some(Event::Bar { contract, bar, record: number }));
                }
                (None, SYMBOL_MAPPING) if known.live => known.mapping.learn(&record[..length])?,
                (None, ERROR | SYSTEM) if known.live => {
                    let text = text(record.get(TEXT..length).unwrap_or_default());
                    if text != HEARTBEAT {
                        return Ok(Some(Event::Said(text)));
                    }
                }
                (_, kind) => {
                    let found = format!("a record of {} bytes and type {kind:#04x}", record.len());
                    return Err(InputError::Subscribed { record: number, found });
                }
            }
        }
    }

    fn header(&mut self) -> Result<Event, InputError> {
        let metadata = header::read(&mut self.stream)?;
        if let Some(schema) = metadata.schema.filter(|schema| *schema != Schema::Ohlcv1S) {
            return Err(InputError::NotLive { found: schema.to_string() });
        }
        let mapping = Mapping::new(&metadata, self.symbology, self.root)?;
        let send_time = if metadata.ts_out { SEND_TIME } else { 0 };
        self.of_header = Some(OfHeader { mapping, live: metadata.schema.is_none(), send_time, known: HashMap::new() });
        // A start of 0 or of the largest number is none.
        let from = Some(metadata.start).filter(|start| (1..u64::MAX).contains(start));
        let second = |nanos: u64| i64::try_from(nanos.div_ceil(SECOND)).ok();
        Ok(Event::Header {
            from: from.and_then(second),
            to: metadata.end.and_then(|end| second(end.get())).filter(|_| metadata.schema.is_some()),
        })
    }
}

/// Errors name the record that is at fault.
impl<R: Read> Iterator for Events<'_, R> {
    type Item = Result<Event, InputError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

impl OfHeader<'_> {
    /// What an id is at a time.
    fn contract(&mut self, id: u32, nanos: u64, root: &str, record: u64) -> Result<Arc<Identity>, InputError> {
        let key = self.mapping.key(id, nanos);
        if let Some(known) = self.known.get(&key) {
            return Ok(Arc::clone(known));
        }
        let time = Timestamp::from_nanosecond(nanos.into()).ok();
        let month = time.and_then(|time| Month::of(time.to_zoned_datetime(TimeZone::UTC).date()));
        let (symbol, name) = self.mapping.name(id, nanos);
        let identity = Identity::of(&symbol, name, root, month.ok_or(InputError::Time { record, nanos })?);
        // Names change from day to day: what a long stream knew of other days is of no use.
        if self.known.len() >= 1 << 17 {
            self.known.clear();
        }
        Ok(Arc::clone(self.known.entry(key).or_insert_with(|| Arc::new(identity))))
    }
}

/// The text of a message, which zeros follow.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
