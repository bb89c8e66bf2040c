//! Where a table has its columns.

use super::{InputError, partition::Partition};
use crate::form::Form;

/// The place of each column; capitals do not matter.
pub(super) struct Names {
    pub(super) time: usize,
    pub(super) prices: [usize; 4],
    pub(super) volume: usize,
    pub(super) symbol: Option<usize>,
    pub(super) id: Option<usize>,
    pub(super) rtype: Option<usize>,
}

impl Names {
    /// Finds them among the names of a table; what its partition gives need not be there.
    pub(super) fn find(names: &[&str], form: &Form, partition: &Partition) -> Result<Self, InputError> {
        let there = |own: &str| {
            let name = form.columns.of(own).unwrap_or(own);
            let mut named = names.iter().enumerate().filter(|(_, other)| other.eq_ignore_ascii_case(name));
            match (named.next(), named.next()) {
                (Some((_, one)), Some((_, two))) => Err(InputError::Column {
                    column: name.to_owned(),
                    found: format!("two columns of that name, {one} and {two}"),
                    expected: "one: drop or rename the other",
                }),
                (one, _) => Ok(one.map(|(index, _)| index)),
            }
        };
        let absent = |own: &str| InputError::Column {
            column: form.columns.of(own).unwrap_or(own).to_owned(),
            found: format!("not in the file, which has {}", listed(names)),
            expected: "the columns timestamp, open, high, low, close and volume; --columns says what they are called",
        };
        // One that was given a name must be there, also where it is optional.
        let optional = |own: &str| match there(own)? {
            None if form.columns.of(own).is_some_and(|name| partition.value(name).is_none()) => Err(absent(own)),
            found => Ok(found),
        };
        if there("open")?.is_none() && there("price")?.is_some() && there("size")?.is_some() {
            return Err(InputError::Column {
                column: "open".into(),
                found: "not in the file, whose price and size are those of trades".into(),
                expected: "bars of one second; bars are made of trades in DBN only: download the trades as DBN, or schema \
                           ohlcv-1s, for the same dates",
            });
        }
        let needed = |own: &str| there(own)?.ok_or_else(|| absent(own));
        let time = optional("timestamp")?.map_or_else(|| there("ts_event"), |index| Ok(Some(index)))?;
        Ok(Self {
            time: time.ok_or_else(|| absent("timestamp"))?,
            prices: [needed("open")?, needed("high")?, needed("low")?, needed("close")?],
            volume: needed("volume")?,
            symbol: optional("symbol")?,
            id: optional("instrument_id")?,
            rtype: optional("rtype")?,
        })
    }

    /// All of them.
    pub(super) fn indices(&self) -> Vec<usize> {
        let mut indices = vec![self.time, self.volume];
        indices.extend(self.prices);
        indices.extend(self.symbol);
        indices.extend(self.id);
        indices.extend(self.rtype);
        indices
    }
}

/// The first names of a table, each as far as it says something.
fn listed(names: &[&str]) -> String {
    const NAMED: usize = 12;
    let short = |name: &&str| name.chars().filter(|letter| !letter.is_control()).take(32).collect::<String>();
    let mut listed: Vec<String> = names.iter().take(NAMED).map(short).collect();
    if names.len() > NAMED {
        listed.push(format!("and {} more", names.len() - NAMED));
    }
    listed.join(", ")
}
