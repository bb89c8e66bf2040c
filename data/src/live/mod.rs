//! The rows of a session as its seconds end, from bars as they come: what the batch will write for them, and nothing that
//! looks ahead.

mod error;
mod state;
#[cfg(test)]
mod tests;
mod today;

use jiff::{Timestamp, civil::Date};
use kernels::{Bar, Profile, Stream, Tick, features::Float};

pub use self::error::LiveError;
use self::today::{Served, Today};
use crate::{
    central,
    collector::{self, Identity, Row},
    contract,
    input::Event,
    instrument::Instrument,
    month::Month,
    records::Records,
    symbol::Kind,
    tick_size::TickSize,
    volumes::Volumes,
    window::Windows,
};

/// A row of a second that has ended.
#[derive(Clone, Debug)]
pub struct LiveRow<'a, F> {
    /// UTC second since 1970.
    pub second: i64,
    /// Trading date.
    pub date: Date,
    /// The front contract.
    pub contract: &'a str,
    /// What traded in it, in ticks; nothing where its volume is 0.
    pub bar: Bar,
    /// Nothing has traded in the session for 15 minutes or more: after an early close the batch has no such row, nor those of the quiet
    /// minutes before it.
    pub provisional: bool,
    /// Its features.
    pub features: kernels::stream::Row<F>,
}

/// Takes rows, and says what went wrong with them.
pub type RowSink<'a, F, E> = dyn FnMut(LiveRow<'_, F>) -> Result<(), E> + 'a;

/// What has become of records that made no row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// The same record again, as after a reconnect.
    pub repeated: u64,
    /// Of a second that had been served without it, or of a session that is over.
    pub late: u64,
    /// Of a price, time or volume that no bar has; the batch drops them too.
    pub unclean: u64,
}

/// How the front contract of a date is known before its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Front {
    /// This one, by its symbol.
    Symbol(String),
    /// The one that traded most in the session before, of these dates and those that the stream brings.
    VolumePrevious(Volumes),
}

/// Turns the events of a stream into rows.
///
/// Records of each contract come in order of time, as a gateway sends them; what it sends again after a reconnect is known.
pub struct Live<'a> {
    instrument: &'a Instrument,
    windows: Windows<'a>,
    profile: Profile,
    tick: Tick,
    ticks: TickSize,
    symbol: Option<String>,
    volumes: Volumes,
    stream: Stream,
    /// The month whose sessions the stream's windows span (profile `rolling`).
    month: Option<Month>,
    /// The stream before the seconds since the last trade, which may turn out to be after an early close; only of profile
    /// `rolling`, whose windows go on in the next session.
    settled: Option<Stream>,
    today: Option<Today>,
    /// The first second of which all records are known.
    from: Option<i64>,
    /// The second before which all records are known to have come.
    to: i64,
    /// Where the part of the stream under way no longer repeats what had come before it.
    replayed: i64,
    dropped: Dropped,
}

impl<'a> Live<'a> {
    /// Before the first event.
    ///
    /// # Errors
    /// [`LiveError::Instrument`].
    pub fn new(instrument: &'a Instrument, profile: Profile, front: Front) -> Result<Self, LiveError> {
        let tick = instrument.tick()?;
        let (symbol, volumes) = match front {
            Front::Symbol(symbol) => (Some(symbol), Volumes::default()),
            Front::VolumePrevious(volumes) => (None, volumes),
        };
        Ok(Self {
            instrument,
            windows: Windows::new(instrument)?,
            profile,
            tick,
            ticks: TickSize::new(instrument.tick_nanos),
            symbol,
            volumes,
            stream: Stream::new(profile, tick),
            month: None,
            settled: None,
            today: None,
            from: None,
            to: i64::MIN,
            replayed: i64::MIN,
            dropped: Dropped::default(),
        })
    }

    /// What made no row so far.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// The next second to serve, where a session is under way.
    #[must_use]
    pub fn next_second(&self) -> Option<i64> {
        Some(self.today.as_ref()?.session?.next)
    }

    /// Takes an event and serves the rows that it completes.
    ///
    /// # Errors
    /// [`LiveError`], and those of `sink`.
    pub fn take<F: Float, E: From<LiveError>>(&mut self, event: &Event, sink: &mut RowSink<'_, F, E>) -> Result<(), E> {
        match event {
            Event::Header { from, to } => Ok(self.begin(*from, *to)?),
            Event::Bar { contract, bar, record } => self.bar(contract, bar, *record, sink),
            Event::Said(_) => Ok(()),
        }
    }

    /// A part of the stream begins.
    fn begin(&mut self, from: Option<i64>, to: Option<i64>) -> Result<(), LiveError> {
        self.replayed = self.to;
        let Some(from) = from else { return Ok(()) };
        if self.from.is_none() && self.today.is_none() {
            self.from = Some(from);
        } else if let Some(today) = &self.today
            && let (Some(session), Some(contract)) = (today.session, &today.front)
            && from > self.to.max(session.next)
        {
            let contract = contract.clone();
            return Err(LiveError::Gap { contract, to: utc(self.to.max(session.next)), from: utc(from) });
        }
        self.to = self.to.max(to.unwrap_or(i64::MIN));
        Ok(())
    }

    fn bar<F: Float, E: From<LiveError>>(
        &mut self,
        identity: &Identity,
        bar: &collector::Bar,
        record: u64,
        sink: &mut RowSink<'_, F, E>,
    ) -> Result<(), E> {
        let second = i64::try_from(bar.nanos / 1_000_000_000).unwrap_or(i64::MAX);
        if u32::try_from(second).is_err() {
            let error = crate::error::InputError::Time { record, nanos: bar.nanos };
            return Err(LiveError::from(error).into());
        }
        self.pass(second, sink)?;
        let Kind::Outright { .. } = identity.kind else { return Ok(()) };
        let settings = (self.ticks, self.instrument.negative_prices);
        let Some(row) = collector::clean(bar, settings, record, &mut Records::default()) else {
            self.dropped.unclean += 1;
            return Ok(());
        };
        let Some(today) = &mut self.today else { return Ok(()) };
        // Of a date that is over nothing is kept to compare it with.
        if second < today.window.begin {
            let again = second < self.replayed;
            self.dropped.repeated += u64::from(again);
            self.dropped.late += u64::from(!again);
            return Ok(());
        }
        if known(today, identity, &row)? {
            self.dropped.repeated += 1;
            return Ok(());
        }
        if today.front.is_none() && today.window.has(second) {
            return Err(LiveError::NoFront { date: today.window.date }.into());
        }
        let next = today.session.filter(|_| today.is_front(&identity.symbol)).map(|session| session.next);
        if next.is_some_and(|next| second < next) && today.window.has(second) {
            self.dropped.late += 1;
            return Ok(());
        }
        today.take(identity, &row);
        if next == Some(second) { self.serve(second, Some(&row), sink) } else { Ok(()) }
    }

    /// All seconds before `second` are over, and their records have come: serves those without a trade.
    ///
    /// # Errors
    /// As [`Live::take`].
    pub fn pass<F: Float, E: From<LiveError>>(&mut self, second: i64, sink: &mut RowSink<'_, F, E>) -> Result<(), E> {
        self.to = self.to.max(second);
        let from = *self.from.get_or_insert(second);
        loop {
            let Some(today) = &self.today else {
                let date = self.windows.date(second);
                let window = self.windows.of(date).ok_or_else(|| self.unplaced(date))?;
                self.today = Some(Today::new(window));
                continue;
            };
            let (date, end) = (today.window.date, today.window.end());
            self.sessions(from, second, sink)?;
            // The date is over where another has begun.
            if second < end || self.windows.date(second) <= date {
                return Ok(());
            }
            self.close_date();
        }
    }

    /// Serves what of the date's sessions is over before `second`.
    fn sessions<F: Float, E: From<LiveError>>(
        &mut self,
        from: i64,
        second: i64,
        sink: &mut RowSink<'_, F, E>,
    ) -> Result<(), E> {
        while let Some(today) = &mut self.today
            && let Some(span) = today.span().cloned()
            && second >= span.start
        {
            if today.session.is_none() {
                if span.end <= from {
                    // Over before the input begins.
                    today.end_session();
                    continue;
                }
                if span.start < from {
                    let (date, session, from) = (today.window.date, utc(span.start), utc(from));
                    return Err(LiveError::Begun { date, session, from }.into());
                }
                self.begin_session();
            }
            let next = self.next_second().unwrap_or(span.end);
            for quiet in next..second.min(span.end) {
                self.serve(quiet, None, sink)?;
            }
            if second < span.end {
                return Ok(());
            }
            self.end_session();
        }
        Ok(())
    }

    /// Begins a session at its first second, and chooses the front contract where it is the date's first.
    fn begin_session(&mut self) {
        let Some(today) = &mut self.today else { return };
        let date = today.window.date;
        let month = Month::of(date);
        if self.profile == Profile::Rolling && self.month != month {
            self.stream = Stream::new(self.profile, self.tick);
        } else {
            self.stream.next_session();
        }
        (self.month, self.settled) = (month, None);
        if today.front.is_none() {
            let day = today.day();
            let before = || self.volumes.days(Date::MIN, date.yesterday().unwrap_or(date));
            today.front = self.symbol.clone().or_else(|| contract::ahead(&before(), &day));
        }
        today.begin_session();
    }

    /// The session is over: after an early close its quiet end is not in the windows of the next.
    fn end_session(&mut self) {
        let Some(today) = &mut self.today else { return };
        let quiet = today.session.is_some_and(|session| session.may_close_early());
        if let Some(settled) = self.settled.take().filter(|_| quiet) {
            self.stream = settled;
        }
        today.end_session();
    }

    /// Keeps what traded on the date, for the choice of the next ones.
    fn close_date(&mut self) {
        let Some(today) = self.today.take() else { return };
        if !today.contracts.is_empty() {
            self.volumes.add(&Volumes::of_day(today.day()));
        }
        let back = Month::of(today.window.date).map(|month| {
            let months = std::iter::successors(month.previous(), |month| month.previous());
            months.take(contract::MOST_MONTHS_BACK).last().unwrap_or(month)
        });
        if let Some(first) = back {
            self.volumes.forget_before(first.first_day());
        }
    }

    /// Serves a second: of a trade, or a quiet one.
    fn serve<F: Float, E: From<LiveError>>(
        &mut self,
        second: i64,
        row: Option<&Row>,
        sink: &mut RowSink<'_, F, E>,
    ) -> Result<(), E> {
        let Some(today) = &mut self.today else { return Ok(()) };
        // Nothing is filled from the future: without a trade before, there is no row yet.
        let close = today.close();
        let Some(session) = &mut today.session else { return Ok(()) };
        session.serve(second, row.is_some());
        let (Some(contract), Some(close)) = (&today.front, close) else { return Ok(()) };
        let quiet = row.is_none() && session.may_close_early();
        match self.profile {
            Profile::Rolling if !quiet => self.settled = None,
            Profile::Rolling if self.settled.is_none() => self.settled = Some(self.stream.clone()),
            _ => {}
        }
        let (prices, volume) = match row {
            Some(row) => ([row.open, row.high, row.low, row.close], row.volume),
            None => ([close; 4], 0),
        };
        let [open, high, low, close] = prices;
        let bar = Bar { open, high, low, close, volume, second: central::second_of_day(second) };
        let date = today.window.date;
        let features = self.stream.push(bar).map_err(|source| {
            let contract = contract.clone();
            LiveError::Kernel { date, contract, source }
        })?;
        today.served.push(Served { time: second as u32, prices, volume });
        let provisional = quiet && session.quiet(second);
        sink(LiveRow { second, date, contract, bar, provisional, features })
    }

    fn unplaced(&self, date: Date) -> LiveError {
        let name = self.instrument.time_zone.clone();
        LiveError::Unplaced { date, name }
    }
}

/// Whether a record has come before, or is older than what has.
fn known(today: &Today, identity: &Identity, row: &Row) -> Result<bool, LiveError> {
    let Some(contract) = today.contracts.get(&(identity.expiry, identity.symbol.clone())) else { return Ok(false) };
    if row.time > contract.time {
        return Ok(false);
    }
    let of_front =
        || today.served(row.time).filter(|served| served.volume > 0).map(|served| (served.prices, served.volume));
    let is_front = today.is_front(&identity.symbol);
    let before = match row.time == contract.time {
        true => Some((contract.prices, contract.volume)),
        false if is_front => of_front(),
        false => None,
    };
    let found = (row.values().1, row.volume);
    match before {
        Some(before) if before != found => Err(LiveError::Differs {
            record: row.record,
            contract: identity.symbol.clone(),
            second: utc(row.time.into()),
            found: bar_text(found),
            served: bar_text(before),
        }),
        Some(_) => Ok(true),
        // A second of the session that was served as a quiet one is late, not repeated.
        None if is_front && today.served(row.time).is_some() => Ok(false),
        None => Ok(true),
    }
}

fn bar_text(([open, high, low, close], volume): ([i32; 4], u32)) -> String {
    format!("open {open}, high {high}, low {low}, close {close} ticks, volume {volume}")
}

fn utc(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or_default().to_string()
}
