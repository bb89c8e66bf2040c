//! What an instrument id stands for: by the header, and in a live stream by the records that say so.

use std::{
    collections::{HashMap, hash_map::Entry},
    ops::Range,
};

use dbn::Metadata;

use super::super::InputError;
use crate::{
    collector::Name,
    symbol,
    symbology::{MOST_DATES, Symbology},
};

/// Nanoseconds of a UTC day: the header maps symbols by UTC date.
const DAY: u64 = 86_400_000_000_000;
/// Julian day of 1970-01-01.
const EPOCH_JULIAN_DAY: i32 = 2_440_588;
/// Ids that records of a live stream may name: all that a venue lists.
const MOST_IDS: usize = 1 << 17;

/// Instrument id and time to symbol.
pub(super) struct Mapping<'a> {
    root: String,
    header: Symbology,
    /// What lies beside the file names what the file does not.
    beside: &'a Symbology,
    told: HashMap<u32, Told>,
    /// Records that said what an id is.
    messages: u64,
}

/// What a record of a live stream said an id is, from there on.
struct Told {
    message: u64,
    asked: String,
    symbol: String,
}

impl<'a> Mapping<'a> {
    /// Of a header and what lies beside the file; `root` says which series are looked for.
    pub(super) fn new(metadata: &Metadata, beside: &'a Symbology, root: &str) -> Result<Self, InputError> {
        let since_1970 = |julian_day: i32| u64::try_from(julian_day - EPOCH_JULIAN_DAY).unwrap_or(0);
        let mut header = Symbology::default();
        for mapping in &metadata.mappings {
            for interval in &mapping.intervals {
                let from = since_1970(interval.start_date.to_julian_day());
                let to = since_1970(interval.end_date.to_julian_day());
                if !header.add(from..to, &mapping.raw_symbol, &interval.symbol) {
                    return Err(InputError::Limit {
                        what: "dates of one instrument id in the DBN header",
                        limit: MOST_DATES as u64,
                    });
                }
            }
        }
        Ok(Self { root: root.to_owned(), header, beside, told: HashMap::new(), messages: 0 })
    }

    /// Learns from a symbol-mapping record of either layout; `bytes` is without a send time.
    pub(super) fn learn(&mut self, bytes: &[u8]) -> Result<(), InputError> {
        let text = |range: Range<usize>| {
            let bytes = bytes.get(range).unwrap_or_default();
            let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
            String::from_utf8_lossy(&bytes[..end]).into_owned()
        };
        let (asked, symbol) = match bytes.len() {
            80 => (text(16..38), text(38..60)),
            176 => (text(17..88), text(89..160)),
            // The program does not know what it says.
            _ => return Ok(()),
        };
        let id = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        self.messages += 1;
        let told = Told { message: self.messages, asked, symbol };
        let ids = self.told.len();
        match self.told.entry(id) {
            Entry::Occupied(mut known) => *known.get_mut() = told,
            Entry::Vacant(_) if ids >= MOST_IDS => {
                return Err(InputError::Limit { what: "instrument ids in a live stream", limit: MOST_IDS as u64 });
            }
            Entry::Vacant(new) => {
                new.insert(told);
            }
        }
        Ok(())
    }

    /// What the name of an id depends on at a time: the same key, the same name.
    pub(super) fn key(&self, id: u32, nanos: u64) -> u64 {
        match self.told.get(&id) {
            Some(told) => told.message | 1 << 63,
            // Mappings change at most from day to day.
            None => (nanos / DAY) << 32 | u64::from(id),
        }
    }

    /// What an id is called at a time.
    pub(super) fn name(&self, id: u32, nanos: u64) -> (String, Name) {
        let number = id.to_string();
        // A series names no contract.
        let beside = self.beside.symbol(id, nanos).filter(|symbol| symbol::series_root(symbol).is_none());
        let (asked, symbol) = match self.told.get(&id) {
            Some(Told { asked, symbol, .. }) => (asked.as_str(), symbol.as_str()),
            None => match self.header.symbol(id, nanos) {
                Some(symbol) => (symbol, number.as_str()),
                None if beside.is_some() => ("", number.as_str()),
                None if self.knows_nothing() => ("", number.as_str()),
                None => return (number, Name::Unmapped),
            },
        };
        if symbol::series_root(asked) == Some(self.root.as_str()) {
            let symbol = Some(symbol).filter(|symbol| *symbol != number).or(beside);
            return (symbol.unwrap_or(&number).to_owned(), Name::Rolled);
        }
        let symbol = [symbol, asked, beside.unwrap_or_default()];
        let symbol = symbol.into_iter().find(|symbol| !symbol.is_empty() && *symbol != number);
        symbol.map_or((number.clone(), Name::Id), |symbol| (symbol.to_owned(), Name::Symbol))
    }

    /// Whether no id has a name.
    fn knows_nothing(&self) -> bool {
        self.header.is_empty() && self.told.is_empty() && self.beside.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use dbn::{MappingInterval, SType, Schema, SymbolMapping};

    use super::*;

    static NOTHING: LazyLock<Symbology> = LazyLock::new(Symbology::default);

    fn mapping(symbols: &[&str], id: &str, times: usize) -> Result<Mapping<'static>, InputError> {
        mapping_beside(&NOTHING, symbols, id, times)
    }

    fn mapping_beside<'a>(
        beside: &'a Symbology,
        symbols: &[&str],
        id: &str,
        times: usize,
    ) -> Result<Mapping<'a>, InputError> {
        let build = |mappings| {
            Metadata::builder()
                .dataset("GLBX.MDP3")
                .schema(Some(Schema::Ohlcv1S))
                .start(1_381_149_000_000_000_000)
                .stype_in(Some(SType::RawSymbol))
                .stype_out(SType::InstrumentId)
                .mappings(mappings)
                .build()
        };
        let date = build(Vec::new()).start().date();
        let interval = MappingInterval { start_date: date, end_date: date, symbol: id.into() };
        let mappings = symbols
            .iter()
            .map(|symbol| SymbolMapping { raw_symbol: (*symbol).to_owned(), intervals: vec![interval.clone(); times] });
        Mapping::new(&build(mappings.collect()), beside, "ES")
    }

    /// A symbol-mapping record: the id, what was asked for, and the symbol.
    fn message(id: u32, asked: &str, symbol: &str, first: bool) -> Vec<u8> {
        let (length, at) = if first { (80, [16, 38]) } else { (176, [17, 89]) };
        let mut bytes = vec![0; length];
        bytes[4..8].copy_from_slice(&id.to_le_bytes());
        for (text, at) in [asked, symbol].into_iter().zip(at) {
            bytes[at..at + text.len()].copy_from_slice(text.as_bytes());
        }
        bytes
    }

    #[test]
    fn an_id_cannot_have_any_number_of_dates() {
        assert!(mapping(&["ESZ3"], "7", MOST_DATES).is_ok());
        let error = mapping(&["ESZ3"], "7", MOST_DATES + 1).err().map(|error| error.to_string());
        assert!(error.unwrap().contains("more than 16384 dates of one instrument id"));
    }

    #[test]
    fn outside_its_dates_an_id_means_what_it_only_ever_meant() {
        let some = |text: &str, name| (text.to_owned(), name);
        assert_eq!(mapping(&["ESZ3"], "7", 2).unwrap().name(7, 0), some("ESZ3", Name::Symbol));
        let changed = mapping(&["ESZ3", "ESH4", "ESZ3"], "7", 1).unwrap();
        assert_eq!(changed.name(7, 0), some("7", Name::Unmapped));
        assert_eq!(mapping(&["ESZ3"], "7", 1).unwrap().name(8, 0), some("8", Name::Unmapped));
    }

    #[test]
    fn what_was_asked_for_says_what_a_contract_is_called() {
        for (asked, given, id, expected) in [
            // An id is no symbol, whichever side it is on.
            ("7", "7", 7, ("7", Name::Id)),
            ("7", "ESZ3", 7, ("ESZ3", Name::Symbol)),
            // A series of the root is rolled already; one of another root is of no use.
            ("ES.v.0", "7", 7, ("7", Name::Rolled)),
            ("NQ.v.0", "7", 7, ("NQ.v.0", Name::Symbol)),
            ("ES.FUT", "ESZ3", 7, ("7", Name::Id)),
        ] {
            let found = mapping(&[asked], given, 1).unwrap().name(id, 0);
            assert_eq!(found, (expected.0.to_owned(), expected.1), "{asked} {given}");
        }
    }

    #[test]
    fn what_lies_beside_the_file_names_what_the_file_does_not() {
        let beside = Symbology::parse(
            br#"{"result":{"ESZ3":[{"d0":"2013-10-01","d1":"2013-11-01","s":"7"}],
                "ES.v.0":[{"d0":"2013-10-01","d1":"2013-11-01","s":"8"}]}}"#,
        );
        for (asked, given, id, expected) in [
            ("7", "7", 7, ("ESZ3", Name::Symbol)),
            ("ESH4", "7", 7, ("ESH4", Name::Symbol)),
            ("ES.v.0", "7", 7, ("ESZ3", Name::Rolled)),
            ("ESH4", "9", 7, ("ESZ3", Name::Symbol)),
            ("ESH4", "9", 10, ("10", Name::Unmapped)),
            // The name of a series is none of a contract.
            ("8", "8", 8, ("8", Name::Id)),
        ] {
            let found = mapping_beside(&beside, &[asked], given, 1).unwrap().name(id, 0);
            assert_eq!(found, (expected.0.to_owned(), expected.1), "{asked} {given}");
        }
        let bare = mapping_beside(&beside, &[], "", 0).unwrap();
        assert_eq!((bare.name(7, 0), bare.name(10, 0)), (("ESZ3".into(), Name::Symbol), ("10".into(), Name::Unmapped)));
    }

    #[test]
    fn a_live_stream_says_what_an_id_is_from_then_on() {
        for first in [true, false] {
            let mut mapping = mapping(&[], "", 0).unwrap();
            assert_eq!(mapping.name(7, 0), ("7".into(), Name::Id));
            let before = mapping.key(7, 0);
            for (asked, symbol, expected) in [
                ("ES.FUT", "ESZ3", ("ESZ3", Name::Symbol)),
                ("ES.c.0", "ESZ3", ("ESZ3", Name::Rolled)),
                ("ESH4", "7", ("ESH4", Name::Symbol)),
                ("7", "7", ("7", Name::Id)),
            ] {
                mapping.learn(&message(7, asked, symbol, first)).unwrap();
                assert_eq!(mapping.name(7, 0), (expected.0.to_owned(), expected.1));
                assert_ne!(mapping.key(7, 0), before);
            }
            // Others are not what the stream is of.
            assert_eq!(mapping.name(8, 0), ("8".into(), Name::Unmapped));
        }
    }
}
