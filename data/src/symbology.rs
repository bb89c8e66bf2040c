//! What instrument ids are called, and on which dates: by the header of a file, or by the `symbology.json` beside it.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use jiff::civil::Date;
use serde::Deserialize;

/// Nanoseconds of a UTC day: a symbol changes at most from day to day.
const DAY: u64 = 86_400_000_000_000;
/// Dates of one id: they are looked through for every day of a file.
pub(crate) const MOST_DATES: usize = 1 << 14;

/// Instrument ids to symbols.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbology(HashMap<u32, Symbols>);

/// What one id stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Symbols {
    /// UTC days since 1970, and the symbol on them.
    by_day: Vec<(Range<u64>, String)>,
    /// On all of them the same.
    only_one: bool,
}

impl Symbology {
    /// Reads a `symbology.json`; none where it is no vendor's, or says nothing.
    #[must_use]
    pub fn parse(json: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct File {
            #[serde(alias = "mappings")]
            // In an order of its own: what two names say of one id must not depend on a seed.
            result: BTreeMap<String, Vec<Interval>>,
        }
        #[derive(Deserialize)]
        struct Interval {
            #[serde(alias = "start_date")]
            d0: Date,
            #[serde(alias = "end_date")]
            d1: Date,
            #[serde(alias = "symbol")]
            s: String,
        }
        let mut symbology = Self::default();
        let Ok(File { result }) = serde_json::from_slice(json) else { return symbology };
        for (asked, intervals) in &result {
            for Interval { d0, d1, s } in intervals {
                symbology.add(day(*d0)..day(*d1), asked, s);
            }
        }
        // The order of the file, which a map does not keep, is that of the dates.
        symbology.0.values_mut().for_each(|symbols| symbols.by_day.sort_by_key(|(days, _)| days.start));
        symbology
    }

    /// Whether it names nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds days since 1970 on which two names are of one instrument: either may be the id, depending on what was asked for.
    /// `false` where one id has more dates than any market's.
    pub(crate) fn add(&mut self, days: Range<u64>, asked: &str, given: &str) -> bool {
        let (id, symbol) = match (given.parse(), asked.parse()) {
            (Ok(id), _) => (id, asked),
            (_, Ok(id)) => (id, given),
            _ => return true,
        };
        let Symbols { by_day, only_one } = self.0.entry(id).or_default();
        if by_day.len() == MOST_DATES {
            return false;
        }
        *only_one = by_day.first().is_none_or(|(_, first)| *only_one && first == symbol);
        by_day.push((days, symbol.to_owned()));
        true
    }

    /// What an id is called at a time, UTC nanoseconds since 1970.
    pub(crate) fn symbol(&self, id: u32, nanos: u64) -> Option<&str> {
        let Symbols { by_day, only_one } = self.0.get(&id)?;
        let on_day = by_day.iter().find(|(days, _)| days.contains(&(nanos / DAY)));
        // Outside its dates an id that only ever meant one symbol still means it.
        let only = || by_day.first().filter(|_| *only_one);
        on_day.or_else(only).map(|(_, symbol)| symbol.as_str())
    }
}

/// Days since 1970.
fn day(date: Date) -> u64 {
    let since = date.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24;
    u64::try_from(since).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(date: &str) -> u64 {
        day(date.parse().unwrap()) * DAY
    }

    /// Two names say different things of id 2 on the same dates: one of them holds, each time the same.
    #[test]
    fn names_that_contradict_each_other_are_read_the_same_each_time() {
        let json = br#"{"result":{
            "ESZ3":[{"d0":"2013-10-01","d1":"2013-11-01","s":"2"}],
            "2":[{"d0":"2013-10-01","d1":"2013-10-05","s":"ESH4"}]}}"#;
        let first = Symbology::parse(json);
        assert_eq!(first.symbol(2, nanos("2013-10-02")), Some("ESH4"));
        assert!((0..100).all(|_| Symbology::parse(json) == first));
    }

    #[test]
    fn a_symbology_names_ids_on_their_dates_whichever_side_they_are_on() {
        let symbology = Symbology::parse(
            br#"{"result":{
                "ESZ4":[{"d0":"2024-10-01","d1":"2024-10-03","s":"110"},{"d0":"2024-10-03","d1":"2024-11-01","s":"111"}],
                "ESH5":[{"d0":"2024-10-03","d1":"2024-11-01","s":"110"}],
                "210":[{"d0":"2024-10-01","d1":"2024-11-01","s":"ESM5"}],
                "ES.FUT":[{"d0":"2024-10-01","d1":"2024-11-01","s":""}]},
                "symbols":["ES.FUT"],"stype_in":"raw_symbol","stype_out":"instrument_id","status":0}"#,
        );
        assert_eq!(symbology.symbol(110, nanos("2024-10-02")), Some("ESZ4"));
        assert_eq!(symbology.symbol(110, nanos("2024-10-03")), Some("ESH5"));
        assert_eq!(symbology.symbol(110, nanos("2024-12-01")), None);
        assert_eq!(symbology.symbol(111, nanos("2024-12-01")), Some("ESZ4"));
        assert_eq!(symbology.symbol(210, nanos("2024-10-31")), Some("ESM5"));
        assert_eq!(symbology.symbol(7, nanos("2024-10-31")), None);
        let dated = br#"{"mappings":{"ESZ4":[{"start_date":"2024-10-01","end_date":"2024-11-01","symbol":"110"}]}}"#;
        assert_eq!(Symbology::parse(dated).symbol(110, 0), Some("ESZ4"));
        for other in [&b"{}"[..], b"", br#"{"result":{}}"#, br#"{"result":{"ESZ4":[{"d0":"2024-13-01"}]}}"#] {
            assert!(Symbology::parse(other).is_empty());
        }
    }

    #[test]
    fn an_id_cannot_have_any_number_of_dates() {
        let mut symbology = Symbology::default();
        assert!((0..MOST_DATES).all(|_| symbology.add(0..1, "ESZ4", "7")));
        assert!(!symbology.add(0..1, "ESZ4", "7"));
    }
}
