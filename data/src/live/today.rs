//! The trading date under way: what each contract has traded, and which seconds have been served.

use std::{collections::BTreeMap, ops::Range};

use serde::{Deserialize, Serialize};

use crate::{
    collector::{Identity, Row},
    grid::SHORT_SECONDS,
    month::Month,
    volumes::{Day, Traded},
    window::Window,
};

/// What is known of a contract on the date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contract {
    pub(super) traded: Traded,
    /// Its latest second, UTC.
    pub(super) time: u32,
    /// Open, high, low and close of that second in ticks.
    pub(super) prices: [i32; 4],
    /// Contracts traded in it.
    pub(super) volume: u32,
}

/// A second that has been served; volume 0 where nothing traded in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Served {
    pub(super) time: u32,
    pub(super) prices: [i32; 4],
    pub(super) volume: u32,
}

/// The session under way, in UTC seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    /// Its first second.
    start: i64,
    /// The second after its last.
    pub(super) end: i64,
    /// The next second to serve.
    pub(super) next: i64,
    /// The latest second in which the front traded.
    traded: Option<i64>,
}

impl Session {
    fn new(span: &Range<i64>) -> Self {
        Self { start: span.start, end: span.end, next: span.start, traded: None }
    }

    /// Whether the batch, where nothing trades any more, ends the session with the last trade.
    pub(super) fn may_close_early(&self) -> bool {
        self.quiet(self.end - 1)
    }

    /// Whether nothing has traded in the 15 minutes up to a second.
    pub(super) fn quiet(&self, second: i64) -> bool {
        second - self.traded.unwrap_or(self.start - 1) >= i64::from(SHORT_SECONDS)
    }

    /// A second is served.
    pub(super) fn serve(&mut self, second: i64, trade: bool) {
        self.next = second + 1;
        if trade {
            self.traded = Some(second);
        }
    }
}

/// A date that has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Today {
    pub(super) window: Window,
    /// In order of delivery month, then symbol.
    #[serde(with = "contracts")]
    pub(super) contracts: BTreeMap<Key, Contract>,
    /// Symbol of the front contract, once a session has begun.
    pub(super) front: Option<String>,
    /// How many of the date's sessions are over.
    over: usize,
    pub(super) session: Option<Session>,
    /// In order of time.
    #[serde(skip)]
    pub(super) served: Vec<Served>,
}

/// Delivery month and symbol of a contract.
pub(super) type Key = (Option<Month>, String);

impl Today {
    pub(super) fn new(window: Window) -> Self {
        let (contracts, served) = (BTreeMap::new(), Vec::new());
        Self { window, contracts, front: None, over: 0, session: None, served }
    }

    /// The session under way, or the next of the date.
    pub(super) fn span(&self) -> Option<&Range<i64>> {
        self.window.spans().get(self.over)
    }

    /// Begins the next session of the date.
    pub(super) fn begin_session(&mut self) {
        self.session = self.span().map(Session::new);
    }

    /// The session under way, or the next one of the date, is over.
    pub(super) fn end_session(&mut self) {
        (self.over, self.session) = (self.over + 1, None);
    }

    /// Whether a contract is the front one.
    pub(super) fn is_front(&self, symbol: &str) -> bool {
        self.front.as_deref() == Some(symbol)
    }

    /// The latest close of the front contract on the date.
    pub(super) fn close(&self) -> Option<i32> {
        let front = self.contracts.values().find(|contract| self.is_front(&contract.traded.symbol))?;
        let [.., close] = front.prices;
        Some(close)
    }

    /// What traded on the date so far.
    pub(super) fn day(&self) -> Day {
        Day {
            date: self.window.date,
            contracts: self.contracts.values().map(|contract| contract.traded.clone()).collect(),
        }
    }

    /// What was served for a second.
    pub(super) fn served(&self, time: u32) -> Option<&Served> {
        self.served.binary_search_by_key(&time, |served| served.time).ok().map(|at| &self.served[at])
    }

    /// Takes a record of a contract, later than those before it.
    pub(super) fn take(&mut self, identity: &Identity, row: &Row) {
        let second = i64::from(row.time);
        let (before, session) = (second < self.window.start(), self.window.has(second));
        let key = (identity.expiry, identity.symbol.clone());
        let contract = self.contracts.entry(key).or_insert_with(|| Contract {
            traded: Traded {
                symbol: identity.symbol.clone(),
                expiry: identity.expiry,
                before: 0,
                session: 0,
                close: None,
                rolled: identity.rolled,
            },
            time: 0,
            prices: [0; 4],
            volume: 0,
        });
        let volume = u64::from(row.volume);
        contract.traded.before += if before { volume } else { 0 };
        contract.traded.session += if session { volume } else { 0 };
        if session {
            contract.traded.close = Some(row.close);
        }
        (contract.time, contract.volume) = (row.time, row.volume);
        contract.prices = [row.open, row.high, row.low, row.close];
    }
}

/// Contracts as a list: keys of JSON are text.
mod contracts {
    use serde::{Deserializer, Serializer};

    use super::{BTreeMap, Contract, Deserialize, Key};

    type Contracts = BTreeMap<Key, Contract>;

    pub(super) fn serialize<S: Serializer>(contracts: &Contracts, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(contracts.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Contracts, D::Error> {
        let list = Vec::<Contract>::deserialize(from)?;
        Ok(list
            .into_iter()
            .map(|contract| ((contract.traded.expiry, contract.traded.symbol.clone()), contract))
            .collect())
    }
}
