//! The records a month was made from: found by name and checksum, decoded anew, compared row by row with what is published.

use std::{cell::RefCell, collections::BTreeMap, path::Path, rc::Rc};

use archive::{discover::RawFile, manifest::Source, store::Store};
use base::exit;
use data::{
    Month,
    columns::ColumnsView,
    records::Records,
    synth::{MonthTruth, TRUTH_FILE, Truth},
    window::Windows,
};

use super::{
    finding::{BrokenRows, Check, Findings, RowRule},
    front::{self, Day, Trading, Verdict},
    making::Making,
    output::utc,
    tape::Tape,
};
use crate::run::{
    decode::{self, Decoded},
    raw::Here,
    training::MonthColumns,
};

const BAR: RowRule = RowRule {
    check: Check::Data,
    name: "raw",
    expected: "the front contract's record of the second, or the previous close with volume 0",
};

/// Open, high, low, close in ticks, and volume.
type Bar = ([i64; 4], i64);

/// Where raw records are looked for.
pub struct Archive<'a> {
    /// The store of the raw files.
    pub store: &'a Store,
    /// Its raw files.
    pub files: &'a [RawFile],
    /// Where they are opened.
    pub here: crate::run::raw::Raw<'a>,
    /// Folder for decoded columns.
    pub folder: &'a Path,
    /// The trading dates of the months that were looked at.
    pub known: RefCell<Dates>,
}

/// The trading dates of a month under the settings of an instrument; none of a month whose files are not there.
type Dates = BTreeMap<(Month, String), Rc<Vec<Trading>>>;

/// One month's records.
pub struct Raw {
    columns: MonthColumns,
    decoded: Vec<Decoded>,
    /// The dates and their fronts.
    pub days: Vec<Day>,
    /// The trading dates of the months before from which its fronts follow.
    pub earlier: Vec<Trading>,
    /// The front contract of the last session before the month.
    pub before: Option<String>,
    /// The records of the month before, where a roll is so early that its price gap may lie there.
    pub columns_before: Option<MonthColumns>,
    /// What the maker of the files says is in them.
    pub truth: Option<MonthTruth>,
}

impl Archive<'_> {
    /// Decodes the files a month was made from. Where one is not there, a note says so. `before` is what the statistics say
    /// was front in the month before, for an archive that has no records of it.
    ///
    /// # Errors
    /// A file that is there cannot be read.
    pub fn open(
        &self,
        month: Month,
        sources: &[Source],
        making: &Making,
        before: Option<&str>,
        findings: &mut Findings,
    ) -> crate::Result<Option<Raw>> {
        let (mut decoded, mut truth) = (Vec::new(), None);
        for source in sources {
            let Some((file, here)) = self.find(source)? else {
                let found = format!("{} is not among the raw files of {}", source.name, self.store.name());
                findings.note(
                    Check::Data,
                    "raw",
                    found,
                    "the file it was made from: only what is published was checked",
                );
                return Ok(None);
            };
            let here = || here.map_or_else(|| self.here.here(self.store, &file), Ok);
            let named = self.here.named(self.store, &file)?;
            match decode::decode(here, source, &named, &making.instrument, self.folder) {
                Ok(input) => decoded.push(input),
                Err(error) => {
                    findings.error(Check::Data, "raw", exit::sentence(&error), "the records the month was made from");
                    return Ok(None);
                }
            }
            truth = truth.or(self.truth(month, &file)?);
        }
        let holds = decoded.iter().any(|input| input.months.contains(&month));
        if !holds {
            findings.error(Check::Data, "raw", format!("no record of {month}"), "the records the month was made from");
            return Ok(None);
        }
        let columns = MonthColumns::open(&decoded, month, &making.instrument)?;
        let mut days = front::days(&columns.view(), month, making);
        let own = Rc::new(front::trading(&days, columns.view().contracts));
        self.known.borrow_mut().insert(known_as(month, making), Rc::clone(&own));
        let mut earlier: Vec<Trading> = Vec::new();
        let months = std::iter::successors(month.previous(), |month| month.previous()).take(front::MONTHS);
        for month in months {
            let dates = self.dates(month, making)?;
            if dates.is_empty() {
                break;
            }
            earlier.splice(0..0, dates.iter().cloned());
        }
        let given = before.filter(|_| earlier.is_empty());
        let given = given.map(|symbol| (symbol.to_owned(), front::expiry(symbol, month)));
        let mut dates: Vec<Trading> = earlier.iter().chain(own.iter()).cloned().collect();
        let (mut verdicts, doubtful) = front::choose(&dates, making.choice, given.clone());
        if let Some(next) = month.next().filter(|_| doubtful) {
            dates.extend(self.dates(next, making)?.iter().take(front::NEAR).cloned());
            (verdicts, _) = front::choose(&dates, making.choice, given.clone());
        }
        let mut before = given.map(|(symbol, _)| symbol);
        for (date, verdict) in dates.iter().zip(verdicts) {
            let Verdict::Front(symbol) = verdict else { continue };
            match days.iter_mut().find(|day| day.date == date.date) {
                Some(day) => {
                    day.front = columns.view().contracts.iter().position(|contract| contract.symbol == symbol);
                }
                None if date.date < month.first_day() => before = Some(symbol),
                None => {}
            }
        }
        let rolls = front::rolls(&days, columns.view().contracts, before.as_deref());
        let early = rolls.first().is_some_and(|roll| own.iter().take(front::NEAR).any(|day| day.date >= roll.date));
        let mut columns_before = None;
        if let Some(month) = month.previous().filter(|_| early && !earlier.is_empty()) {
            let (inputs, found) = self.columns(month, making)?.unzip();
            columns_before = found;
            decoded.extend(inputs.unwrap_or_default());
        }
        Ok(Some(Raw { columns, decoded, days, earlier, before, columns_before, truth }))
    }

    /// The trading dates of a month by the raw files that hold it; none where there are no files, or none that can be read.
    fn dates(&self, month: Month, making: &Making) -> crate::Result<Rc<Vec<Trading>>> {
        let key = known_as(month, making);
        if let Some(dates) = self.known.borrow().get(&key) {
            return Ok(Rc::clone(dates));
        }
        let mut dates = Vec::new();
        if let Some((decoded, columns)) = self.columns(month, making)? {
            let view = columns.view();
            dates = front::trading(&front::days(&view, month, making), view.contracts);
            decoded.iter().filter(|input| input.months.len() == 1).try_for_each(Decoded::remove)?;
        }
        let dates = Rc::new(dates);
        self.known.borrow_mut().insert(key, Rc::clone(&dates));
        Ok(dates)
    }

    /// The columns of a month by the raw files that hold it, with those beside it where its dates reach into them.
    fn columns(&self, month: Month, making: &Making) -> crate::Result<Option<(Vec<Decoded>, MonthColumns)>> {
        let beyond = Windows::new(&making.instrument)?.beyond_the_files(month);
        let beside = [month.previous(), month.next()].into_iter().zip(beyond);
        let beside: Vec<Month> = beside.filter_map(|(month, span)| month.filter(|_| span.is_some())).collect();
        let mut decoded = Vec::new();
        let wanted = |file: &&RawFile| file.holds(month) || beside.iter().any(|month| file.holds(*month));
        for file in self.files.iter().filter(wanted) {
            let file = self.here.look(self.store, file)?;
            let (source, here) = self.here.source(self.store, &file, &[])?;
            let here = || here.map_or_else(|| self.here.here(self.store, &file), Ok);
            let named = self.here.named(self.store, &file)?;
            match decode::decode(here, &source, &named, &making.instrument, self.folder) {
                Ok(input) => decoded.push(input),
                // What cannot be read is for its own month to say.
                Err(error) if error.class().is_of_one_month() => {}
                Err(error) => return Err(error),
            }
        }
        if !decoded.iter().any(|input| input.months.contains(&month)) {
            return Ok(None);
        }
        let columns = MonthColumns::open(&decoded, month, &making.instrument)?;
        Ok(Some((decoded, columns)))
    }

    /// The file of this name, size and checksum.
    fn find(&self, source: &Source) -> crate::Result<Option<(RawFile, Option<Here>)>> {
        for file in self.files.iter().filter(|file| file.name() == source.name && file.bytes == source.bytes) {
            let file = self.here.look(self.store, file)?;
            let (found, here) = self.here.source(self.store, &file, &[])?;
            if found == *source {
                return Ok(Some((file, here)));
            }
        }
        Ok(None)
    }

    /// What `truth.json` beside a raw file says of a month.
    fn truth(&self, month: Month, file: &RawFile) -> crate::Result<Option<MonthTruth>> {
        let folder = file.key.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let Some((json, _)) = self.store.read(&format!("{folder}{TRUTH_FILE}"))? else { return Ok(None) };
        // A file of that name that is none says nothing.
        let months = serde_json::from_slice::<Truth>(&json).map(|truth| truth.months).unwrap_or_default();
        Ok(months.into_iter().find(|truth| truth.month == month && truth.file == file.name()))
    }
}

/// What the dates of a month are known by.
fn known_as(month: Month, making: &Making) -> (Month, String) {
    (month, format!("{:?}", making.instrument))
}

impl Raw {
    /// The records of all contracts.
    pub fn view(&self) -> ColumnsView<'_> {
        self.columns.view()
    }

    /// The columns themselves.
    pub fn columns(&self) -> &MonthColumns {
        &self.columns
    }

    /// What was read and dropped.
    pub fn records(&self) -> &Records {
        self.columns.records()
    }

    /// Removes the decoded columns that no other month needs.
    pub fn remove(self) -> std::io::Result<()> {
        self.decoded.iter().filter(|input| input.months.len() == 1).try_for_each(Decoded::remove)
    }

    /// Compares every row of every session with the records.
    pub fn compare(&self, tape: &Tape, findings: &mut Findings) {
        let mut broken = BrokenRows::default();
        for day in &self.days {
            let sessions: Vec<_> = tape.sessions.iter().filter(|session| session.date == day.date).collect();
            let expected: Vec<_> = day.windows.iter().filter_map(|&window| self.session(day, window)).collect();
            if sessions.len() != expected.len() {
                let found = format!("{} sessions of {}", sessions.len(), day.date);
                findings.error(Check::Data, "session", found, format!("{}", expected.len()));
                continue;
            }
            for (published, (first, bars)) in sessions.into_iter().zip(&expected) {
                let rows = published.rows.clone();
                let ends = |first: i64, rows: usize| format!("{} rows from {}", rows, utc(first));
                if tape.time[rows.start] != *first || rows.len() != bars.len() {
                    let found = ends(tape.time[rows.start], rows.len());
                    findings.error(Check::Data, "session", found, ends(*first, bars.len()));
                    continue;
                }
                for (row, expected) in rows.zip(bars) {
                    let prices = [0, 1, 2, 3].map(|column| tape.prices[column][row]);
                    let found = (prices, tape.volume[row]);
                    if found != *expected {
                        let text = |(prices, volume): Bar| format!("{prices:?} ticks, volume {volume}");
                        let at = utc(tape.time[row]);
                        broken.add(&BAR, "", || format!("{} at {at}, not {}", text(found), text(*expected)));
                    }
                }
            }
        }
        findings.rows(&broken);
    }

    /// docs/spec.md 2.5 and 2.6: first second and bars of one of a date's sessions.
    fn session(&self, day: &Day, (start, end): (i64, i64)) -> Option<(i64, Vec<Bar>)> {
        let view = self.view();
        let contract = &view.contracts[day.front?];
        let mut trades = front::rows(&view, contract, start, end).peekable();
        let time = |row: usize| i64::from(view.time[row]);
        let first = time(*trades.peek()?);
        let last = time(trades.clone().next_back()?);
        let before = front::rows(&view, contract, day.midnight, start).next_back();
        let begin = if before.is_some() { start } else { first };
        // A quarter of an hour without a trade at its end is not part of it.
        let end = if end - 1 - last >= 900 { last + 1 } else { end };
        let mut close = before.map(|row| i64::from(view.close[row]));
        let mut bars = Vec::new();
        for second in begin..end {
            let bar = match trades.next_if(|&row| time(row) == second) {
                Some(row) => {
                    let prices = [view.open[row], view.high[row], view.low[row], view.close[row]].map(i64::from);
                    close = Some(prices[3]);
                    (prices, view.volume[row].into())
                }
                None => ([close?; 4], 0),
            };
            bars.push(bar);
        }
        Some((begin, bars))
    }
}
