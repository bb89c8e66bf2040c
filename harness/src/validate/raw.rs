//! The records a month was made from: found by name and checksum, decoded anew, compared row by row with what is published.

use std::path::Path;

use data::{
    Month,
    columns::ColumnsView,
    records::Records,
    synth::{MonthTruth, TRUTH_FILE, Truth},
};

use super::{
    finding::{BrokenRows, Check, Findings, RowRule},
    front::{self, Day},
    making::Making,
    output::utc,
    tape::Tape,
};
use crate::{
    decode::{self, Decoded},
    discover::RawFile,
    exit,
    manifest::Source,
    raw::Here,
    store::Store,
    training::MonthColumns,
};

const BAR: RowRule = RowRule {
    check: Check::Data,
    name: "raw",
    expected: "the front contract's record of the second, or the close before with volume 0",
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
    pub here: crate::raw::Raw<'a>,
    /// Folder for decoded columns.
    pub folder: &'a Path,
}

/// One month's records.
pub struct Raw {
    columns: MonthColumns,
    decoded: Vec<Decoded>,
    /// The dates and their fronts.
    pub days: Vec<Day>,
    /// What the maker of the files says is in them.
    pub truth: Option<MonthTruth>,
}

impl Archive<'_> {
    /// Decodes the files a month was made from. Where one is not there, a note says so.
    ///
    /// # Errors
    /// A file that is there cannot be read.
    pub fn open(
        &self,
        month: Month,
        sources: &[Source],
        making: &Making,
        findings: &mut Findings,
    ) -> anyhow::Result<Option<Raw>> {
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
            match decode::decode(here, source, &making.instrument, self.folder) {
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
        let days = front::days(&columns.view(), month, making);
        Ok(Some(Raw { columns, decoded, days, truth }))
    }

    /// The file of this name, size and checksum.
    fn find(&self, source: &Source) -> anyhow::Result<Option<(RawFile, Option<Here>)>> {
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
    fn truth(&self, month: Month, file: &RawFile) -> anyhow::Result<Option<MonthTruth>> {
        let folder = file.key.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let Some((json, _)) = self.store.read(&format!("{folder}{TRUTH_FILE}"))? else { return Ok(None) };
        // A file of that name that is none says nothing.
        let months = serde_json::from_slice::<Truth>(&json).map(|truth| truth.months).unwrap_or_default();
        Ok(months.into_iter().find(|truth| truth.month == month && truth.file == file.name()))
    }
}

impl Raw {
    /// The records of all contracts.
    pub fn view(&self) -> ColumnsView<'_> {
        self.columns.view()
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
            let expected = self.session(day);
            let (Some((first, bars)), [published]) = (&expected, &sessions[..]) else {
                let found = format!("{} sessions of {}", sessions.len(), day.date);
                if sessions.len() != usize::from(expected.is_some()) {
                    findings.error(Check::Data, "session", found, format!("{}", usize::from(expected.is_some())));
                }
                continue;
            };
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
        findings.rows(&broken);
    }

    /// SPEC.md 2.5 and 2.6: first second and bars of a date's session.
    fn session(&self, day: &Day) -> Option<(i64, Vec<Bar>)> {
        let view = self.view();
        let contract = &view.contracts[day.front?];
        let mut trades = front::rows(&view, contract, day.start, day.end).peekable();
        let time = |row: usize| i64::from(view.time[row]);
        let first = time(*trades.peek()?);
        let last = time(trades.clone().next_back()?);
        let before = front::rows(&view, contract, day.midnight, day.start).next_back();
        let begin = if before.is_some() { day.start } else { first };
        // A quarter of an hour without a trade at its end is not part of it.
        let end = if day.end - 1 - last >= 900 { last + 1 } else { day.end };
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
