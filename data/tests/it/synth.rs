//! Synthetic months are what their truth says, and what an ordinary month is like.

use std::{collections::HashMap, fs, path::Path};

use data::{
    Instrument, Month,
    synth::{Defect, MonthTruth, Plan, SessionTruth, TRUTH_FILE, Truth, write_month, write_months},
};
use dbn::{
    OhlcvMsg, SType, Schema, UNDEF_PRICE,
    decode::{DbnMetadata, DecodeRecord, dbn::Decoder},
};

const NANOS: u64 = 1_000_000_000;
const TICK: i64 = 250_000_000;

/// A month's truth, its records and the symbol of each instrument id.
struct Made {
    truth: MonthTruth,
    records: Vec<OhlcvMsg>,
    symbols: HashMap<u32, String>,
}

fn make(plan: &Plan, month: &str) -> Made {
    let dir = tempfile::tempdir().unwrap();
    let truth = write_month(plan, month.parse().unwrap(), dir.path()).unwrap();
    let path = dir.path().join(&truth.file);
    let decoder = Decoder::from_zstd_file(&path).unwrap();
    let metadata = decoder.metadata();
    assert_eq!(metadata.dataset, "GLBX.MDP3");
    assert_eq!(metadata.schema, Some(Schema::Ohlcv1S));
    assert_eq!((metadata.stype_in, metadata.stype_out), (Some(SType::Parent), SType::InstrumentId));
    assert_eq!(metadata.symbols, [format!("{}.FUT", plan.instrument.root)]);
    let id = |symbol: &dbn::SymbolMapping| symbol.intervals[0].symbol.parse().unwrap();
    let symbols = metadata.mappings.iter().map(|m| (id(m), m.raw_symbol.clone())).collect();
    let records = decoder.decode_records().unwrap();
    Made { truth, records, symbols }
}

fn plain(month: &str) -> Made {
    make(&Plan::default(), month)
}

fn session<'a>(truth: &'a MonthTruth, date: &str) -> &'a SessionTruth {
    truth.sessions.iter().find(|session| session.date.to_string() == date).unwrap()
}

fn is_full(session: &SessionTruth) -> bool {
    session.rows == 27_000
        && (session.open.to_string().as_str(), session.close.to_string().as_str()) == ("07:30:00", "14:59:59")
        && !session.early_close
        && !session.late_open
}

fn quiet(truth: &MonthTruth) -> f64 {
    let sum = |of: fn(&SessionTruth) -> u64| truth.sessions.iter().map(of).sum::<u64>() as f64;
    1.0 - sum(|s| s.traded_rows) / sum(|s| s.rows)
}

#[test]
fn an_ordinary_month_has_the_figures_of_a_real_one() {
    let made = plain("2025-10");
    let truth = &made.truth;
    assert_eq!(truth.file, "glbx-mdp3-20251001-20251031.ohlcv-1s.dbn.zst");
    assert_eq!(truth.sessions.len(), 23);
    assert!(truth.sessions.iter().all(|session| is_full(session) && session.contract == "ESZ5"));
    assert!((900_000..1_150_000).contains(&truth.records), "{}", truth.records);
    assert!((0.11..0.15).contains(&quiet(truth)), "{}", quiet(truth));
    assert!(truth.rollovers.is_empty() && truth.defects.is_empty() && truth.dropped.is_empty());
    let symbols: Vec<&str> = truth.records_by_symbol.keys().map(String::as_str).collect();
    assert_eq!(symbols, ["ESH6", "ESH6-ESM6", "ESM6", "ESZ5", "ESZ5-ESH6"]);
    assert!((1_000..20_000).contains(&truth.records_by_symbol["ESZ5-ESH6"]));
}

#[test]
fn records_are_in_order_on_the_grid_and_consistent() {
    let made = plain("2025-10");
    assert_eq!(made.records.len() as u64, made.truth.records);
    let key = |record: &OhlcvMsg| (record.hd.ts_event, record.hd.instrument_id);
    assert!(made.records.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])));
    for record in &made.records {
        let spread = made.symbols[&record.hd.instrument_id].contains('-');
        let step = if spread { TICK / 5 } else { TICK };
        let prices = [record.open, record.high, record.low, record.close];
        assert!(prices.iter().all(|price| price % step == 0 && (spread || *price > 0)));
        assert!(prices.iter().all(|price| (record.low..=record.high).contains(price)));
        assert!(record.volume > 0 && record.hd.ts_event.is_multiple_of(NANOS));
        assert_eq!((record.hd.rtype, record.hd.publisher_id), (32, 1));
    }
    let first = jiff::Timestamp::from_second((made.records[0].hd.ts_event / NANOS) as i64).unwrap();
    assert!(first.to_string().starts_with("2025-10-01T00:00"), "{first}");
}

#[test]
fn the_same_plan_gives_the_same_bytes_alone_and_in_a_range() {
    let (alone, range) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let plan = Plan::default();
    let one = write_month(&plan, "2013-04".parse().unwrap(), alone.path()).unwrap();
    let mut done = 0;
    let all = write_months(&plan, "2013-03..2013-04".parse().unwrap(), range.path(), &mut |_| done += 1).unwrap();
    assert_eq!((done, all.months.len()), (2, 2));
    assert_eq!(all.months[1], one);
    let bytes = |dir: &Path| fs::read(dir.join(&one.file)).unwrap();
    assert!(bytes(alone.path()) == bytes(range.path()));
    let text = fs::read_to_string(range.path().join(TRUTH_FILE)).unwrap();
    assert_eq!(serde_json::from_str::<Truth>(&text).unwrap(), all);
    assert_eq!(fs::read_dir(range.path()).unwrap().count(), 3);

    let other = write_month(&Plan { seed: 2, ..plan }, "2013-04".parse().unwrap(), alone.path()).unwrap();
    assert_ne!(other.records, one.records);
}

#[test]
fn volume_moves_to_the_next_contract_on_the_planned_date() {
    let made = plain("2013-12");
    let [roll] = made.truth.rollovers.as_slice() else { panic!("{:?}", made.truth.rollovers) };
    assert_eq!((roll.date.to_string().as_str(), roll.from.as_str(), roll.to.as_str()), ("2013-12-12", "ESZ3", "ESH4"));
    let volume = |second: i64, symbol: &str| -> u64 {
        let day = |record: &&OhlcvMsg| (record.hd.ts_event / NANOS) as i64 / 86_400 == second / 86_400;
        let of = |record: &&OhlcvMsg| made.symbols[&record.hd.instrument_id] == symbol;
        made.records.iter().filter(day).filter(of).map(|record| record.volume).sum()
    };
    let (before, after) = (1_386_720_000, 1_386_806_400); // 11 and 12 December
    assert!(volume(before, "ESZ3") > 2 * volume(before, "ESH4"));
    assert!(volume(after, "ESH4") > 2 * volume(after, "ESZ3"));
    // The old contract is gone after its third Friday; carry separates the two.
    let last = made.records.iter().rfind(|record| made.symbols[&record.hd.instrument_id] == "ESZ3").unwrap();
    assert!(last.hd.ts_event < 1_387_584_000 * NANOS);
    assert!(
        made.records.iter().any(|record| made.symbols[&record.hd.instrument_id] == "ESZ3-ESH4" && record.close < 0)
    );
}

#[test]
fn sessions_keep_their_local_time_when_the_clocks_change() {
    for (month, before, after) in [("2014-03", "2014-03-07", "2014-03-10"), ("2014-11", "2014-10-31", "2014-11-03")] {
        let made = plain(month);
        assert!(made.truth.sessions.iter().filter(|s| !s.early_close && !s.late_open).all(is_full));
        let first_in_utc = |date: &str| {
            let midnight: jiff::Timestamp = format!("{date}T00:00:00Z").parse().unwrap();
            let front = |record: &&OhlcvMsg| made.symbols[&record.hd.instrument_id].len() == 4;
            let at = (midnight.as_second() as u64 + 12 * 3600 + 1800) * NANOS;
            // Records of the two minutes after 12:30 and after 13:30 UTC: the open of the cash session is the busy one.
            let count = |from: u64| {
                let range = from..from + 120 * NANOS;
                made.records
                    .iter()
                    .filter(front)
                    .filter(|r| range.contains(&r.hd.ts_event))
                    .map(|r| r.volume)
                    .sum::<u64>()
            };
            (count(at + 3600 * NANOS), count(at + 7200 * NANOS))
        };
        if month == "2014-03" {
            let (early, late) = first_in_utc(before);
            assert!(late > early, "08:30 is 14:30 UTC before the change");
            let (early, late) = first_in_utc(after);
            assert!(early > late, "08:30 is 13:30 UTC after it");
        } else {
            let (early, late) = first_in_utc(after);
            assert!(late > early, "08:30 is 14:30 UTC after the change");
        }
    }
}

#[test]
fn holidays_close_early_or_altogether_and_some_nights_are_halted() {
    let (november, december) = (plain("2014-11"), plain("2014-12"));
    let thanksgiving = session(&november.truth, "2014-11-27");
    assert!(thanksgiving.early_close && thanksgiving.close.hour() == 11 && thanksgiving.rows <= 16_200);
    let friday = session(&november.truth, "2014-11-28");
    assert!(friday.early_close && friday.close.hour() == 12 && friday.rows <= 17_100);
    assert!(december.truth.sessions.iter().all(|session| session.date.to_string() != "2014-12-25"));
    assert!(session(&december.truth, "2014-12-24").early_close);
    // The same contract has another id in another file.
    let id = |made: &Made| *made.symbols.iter().find(|(_, symbol)| *symbol == "ESZ4").unwrap().0;
    assert_ne!(id(&november), id(&december));

    assert!(november.truth.sessions.iter().chain(&december.truth.sessions).all(|session| !session.late_open));
    let march = plain("2014-03").truth;
    let late: Vec<&SessionTruth> = march.sessions.iter().filter(|session| session.late_open).collect();
    let [late] = late.as_slice() else { panic!("{late:?}") };
    assert_eq!((late.open.hour(), late.close.to_string().as_str()), (9, "14:59:59"));
    assert!(late.rows <= 21_000 && late.traded_rows < late.rows);
}

#[test]
fn every_defect_is_where_the_truth_says() {
    let clean = plain("2014-05");
    let defects: Vec<Defect> =
        Defect::ALL.into_iter().filter(|kind| kind.is_of_records() || *kind == Defect::MissingDay).collect();
    let made = make(&Plan { defects: defects.clone(), ..Plan::default() }, "2014-05");
    assert_eq!(made.truth.records, made.records.len() as u64);
    for defect in &made.truth.defects {
        let Some(number) = defect.record else {
            assert_eq!(defect.kind, Defect::MissingDay);
            let day = defect.ts..defect.ts + 86_400 * NANOS;
            assert!(!made.records.iter().any(|record| day.contains(&record.hd.ts_event)));
            assert!(clean.records.iter().any(|record| day.contains(&record.hd.ts_event)));
            continue;
        };
        let number = number as usize;
        let (bad, before) = (&made.records[number], &made.records[number - 1]);
        assert_eq!(bad.hd.ts_event, defect.ts);
        assert_eq!(Some(&made.symbols[&bad.hd.instrument_id]), defect.symbol.as_ref());
        let prices = [bad.open, bad.high, bad.low, bad.close];
        let same_second = bad.hd.ts_event == before.hd.ts_event && bad.hd.instrument_id == before.hd.instrument_id;
        let holds = match defect.kind {
            Defect::AbsentPrice => prices.contains(&UNDEF_PRICE),
            Defect::NonPositivePrice => prices.iter().any(|price| *price <= 0),
            Defect::OffTick => prices.iter().any(|price| price % TICK != 0),
            Defect::HighBelowLow => bad.high < bad.low,
            Defect::CloseOutside => [bad.open, bad.close].iter().any(|p| !(bad.low..=bad.high).contains(p)),
            Defect::DuplicateEqual => same_second && bad == before,
            Defect::DuplicateDifferent => same_second && bad != before,
            Defect::TimeBackwards => bad.hd.ts_event < before.hd.ts_event,
            Defect::SubSecond => !bad.hd.ts_event.is_multiple_of(NANOS),
            Defect::ZeroVolume => bad.volume == 0,
            Defect::VolumeOverflow => bad.volume > u64::MAX / 2,
            Defect::PriceSpike => prices.iter().any(|price| price.abs_diff(before.close) > before.close as u64 / 20),
            Defect::SpreadLeakage => prices.iter().all(|price| *price < 20 * TICK),
            _ => false,
        };
        assert!(holds, "{defect:?} {bad:?}");
    }
    for kind in defects {
        let places = made.truth.defects.iter().filter(|defect| defect.kind == kind).count();
        assert_eq!(places, if kind == Defect::MissingDay { 1 } else { 3 }, "{kind}");
        assert_eq!(kind.rule().map(|rule| made.truth.dropped[rule]), kind.rule().map(|_| 3));
        assert_eq!(kind.to_string().parse(), Ok(kind));
        assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{kind}\""));
    }
    assert!("close".parse::<Defect>().is_err());
    // One day less; 8 kinds that make a second quiet, 3 of each; nothing else has changed.
    let missing = made.truth.defects.iter().find(|d| d.kind == Defect::MissingDay).unwrap();
    let gone = |s: &&SessionTruth| !made.truth.sessions.iter().any(|other| other.date == s.date);
    let gone: Vec<&SessionTruth> = clean.truth.sessions.iter().filter(gone).collect();
    assert_eq!(gone.len(), 1);
    let midnight = gone[0].date.at(0, 0, 0, 0).in_tz("America/Chicago").unwrap().timestamp();
    assert_eq!(midnight.as_second() as u64 * NANOS, missing.ts);
    let traded = |truth: &MonthTruth| truth.sessions.iter().map(|s| s.traded_rows).sum::<u64>();
    let ahead = clean.truth.sessions.iter().filter(|s| s.date < gone[0].date);
    assert!(ahead.zip(&made.truth.sessions).all(|(a, b)| a.rows == b.rows && a.traded_rows - b.traded_rows <= 24));
    assert!(traded(&made.truth) < traded(&clean.truth));
}

/// The month with one defect of a stretch of time, beside the month without.
fn spoiled(kind: Defect) -> (Made, Made, u64) {
    let made = make(&Plan { defects: vec![kind], ..Plan::default() }, "2014-05");
    let [defect] = made.truth.defects.as_slice() else { panic!("{:?}", made.truth.defects) };
    assert_eq!((defect.kind, defect.record), (kind, None));
    let clean = plain("2014-05");
    assert_eq!((&made.truth.sessions, &made.truth.rollovers), (&clean.truth.sessions, &clean.truth.rollovers));
    assert_eq!(made.truth.records, made.records.len() as u64);
    let ts = defect.ts;
    (clean, made, ts)
}

/// Records of the day that begins at `ts`, of both months; all others are the same.
fn of_day<'a>(clean: &'a Made, made: &'a Made, ts: u64, seconds: u64) -> Vec<(&'a OhlcvMsg, &'a OhlcvMsg)> {
    let within = |record: &&OhlcvMsg| (ts..ts + seconds * NANOS).contains(&record.hd.ts_event);
    let others = |made: &'a Made| made.records.iter().filter(move |record| !within(record));
    assert!(others(clean).eq(others(made)));
    clean.records.iter().filter(within).zip(made.records.iter().filter(within)).collect()
}

#[test]
fn a_stretch_is_missing_where_the_truth_says_and_nothing_else() {
    // From 11:23:45 to midnight; two hours.
    for (kind, seconds) in [(Defect::HalfDay, 45_375), (Defect::MissingHours, 7_200)] {
        let (clean, made, ts) = spoiled(kind);
        let gone = (clean.records.len() - made.records.len()) as u64;
        assert!(of_day(&clean, &made, ts, seconds).is_empty() && gone > 5_000, "{kind}: {gone}");
    }
}

#[test]
fn a_day_is_changed_where_the_truth_says_and_nothing_else() {
    for kind in [
        Defect::StuckPrice,
        Defect::DoubledVolume,
        Defect::DayTimesTen,
        Defect::DayTenth,
        Defect::ShiftedDay,
        Defect::ContractMix,
    ] {
        let (clean, made, ts) = spoiled(kind);
        let pairs = of_day(&clean, &made, ts, if kind == Defect::StuckPrice { 3_600 } else { 86_400 });
        assert!(pairs.len() > 2_000, "{kind}");
        let holds = |(good, bad): &(&OhlcvMsg, &OhlcvMsg)| match kind {
            Defect::StuckPrice => bad.high == bad.low || made.symbols[&bad.hd.instrument_id] != "ESM4",
            Defect::DoubledVolume => bad.volume == 2 * good.volume,
            Defect::DayTimesTen => bad.close == 10 * good.close,
            Defect::DayTenth => bad.close == good.close / 10,
            Defect::ShiftedDay => bad.hd.ts_event == good.hd.ts_event + NANOS / 2,
            // Both contracts have as many records as before, the other one's.
            _ => bad.hd.ts_event >= ts,
        };
        assert!(pairs.iter().all(holds), "{kind}");
        let count = |made: &Made, symbol: &str| {
            let of = |record: &&OhlcvMsg| made.symbols[&record.hd.instrument_id] == symbol;
            let day = |record: &&OhlcvMsg| (ts..ts + 86_400 * NANOS).contains(&record.hd.ts_event);
            made.records.iter().filter(day).filter(of).count()
        };
        let swapped = kind == Defect::ContractMix;
        assert_eq!(count(&clean, "ESM4") == count(&made, "ESU4"), swapped, "{kind}");
        assert_eq!(count(&clean, "ESU4") == count(&made, "ESM4"), swapped, "{kind}");
    }
}

#[test]
fn three_days_are_an_hour_late() {
    let (clean, made, ts) = spoiled(Defect::WrongDst);
    let late = |from: u64| move |record: &&OhlcvMsg| (from..from + 70 * 3600 * NANOS).contains(&record.hd.ts_event);
    let good = clean.records.iter().filter(late(ts)).map(|record| record.hd.ts_event + 3600 * NANOS);
    let bad = made.records.iter().filter(late(ts + 3600 * NANOS)).map(|record| record.hd.ts_event);
    assert!(good.eq(bad) && made.records.is_sorted_by_key(|record| record.hd.ts_event));
}

#[test]
fn a_session_is_without_its_front_contract_alone() {
    let (clean, made, ts) = spoiled(Defect::FrontOutage);
    let session = ts..ts + 27_000 * NANOS;
    let mut left = made.records.iter().peekable();
    let gone: Vec<&OhlcvMsg> =
        clean.records.iter().filter(|record| left.next_if(|next| next == record).is_none()).collect();
    assert!(gone.len() > 1000 && left.next().is_none());
    assert!(gone.iter().all(|record| session.contains(&record.hd.ts_event)));
    assert!(gone.iter().all(|record| clean.symbols[&record.hd.instrument_id] == "ESM4"));
    let within = made.records.iter().filter(|record| session.contains(&record.hd.ts_event));
    assert!(
        within.clone().count() > 0 && within.clone().all(|record| made.symbols[&record.hd.instrument_id] != "ESM4")
    );
}

#[test]
fn a_whole_file_is_wrong() {
    let (clean, made, _) = spoiled(Defect::FileTimesTen);
    assert!(clean.records.iter().zip(&made.records).all(|(good, bad)| bad.close == 10 * good.close));
    let (clean, made, _) = spoiled(Defect::FileHundredth);
    assert!(clean.records.iter().zip(&made.records).all(|(good, bad)| bad.close == good.close / 100));
    let (_, made, _) = spoiled(Defect::WrongTick);
    let off = made.records.iter().filter(|record| record.close % TICK != 0).count();
    assert!(made.records.iter().all(|record| record.close % (TICK * 2 / 5) == 0) && 2 * off > made.records.len());
    let (clean, made, first) = spoiled(Defect::OtherMonth);
    assert_eq!(first, clean.records[0].hd.ts_event + 35 * 86_400 * NANOS);
    assert_eq!(made.records[0].hd.ts_event, first);
    let (clean, made, _) = spoiled(Defect::WrongRoot);
    assert_eq!((clean.truth.records_by_symbol.len(), made.truth.records_by_symbol.len()), (5, 5));
    assert!(made.truth.records_by_symbol.keys().all(|symbol| symbol.replace("NQ", "ES").len() == symbol.len()));
    assert!(made.symbols.values().all(|symbol| symbol.starts_with("NQ") && !symbol.contains("ES")));
}

#[test]
fn bytes_of_a_file_are_wrong() {
    let instrument = Instrument::default();
    let read = |defects: Vec<Defect>| {
        let dir = tempfile::tempdir().unwrap();
        let truth = write_month(&Plan { defects, ..Plan::default() }, "2014-05".parse().unwrap(), dir.path()).unwrap();
        let read = data::input::read(&dir.path().join(&truth.file), &instrument, &mut |_| Ok(()));
        read.map(|info| info.records).map_err(|error| std::error::Error::source(&error).unwrap().to_string())
    };
    let whole = read(Vec::new()).unwrap();
    assert!(whole > 800_000);
    for (kind, words) in [
        (Defect::EmptyFile, "an empty file"),
        (Defect::NoRecords, "the file has no records"),
        (Defect::WrongSchema, "found schema ohlcv-1m"),
        (Defect::Truncated, "truncated"),
        (Defect::DamagedFrame, "the compressed stream is damaged"),
    ] {
        let error = read(vec![kind]).unwrap_err();
        assert!(error.contains(words), "{kind}: {error}");
    }
}

#[test]
fn bad_records_make_seconds_quiet_and_duplicates_do_not() {
    let clean = plain("2014-07").truth;
    let traded = |truth: &MonthTruth| truth.sessions.iter().map(|s| s.traded_rows).sum::<u64>();
    let defects = vec![Defect::AbsentPrice, Defect::SubSecond, Defect::DuplicateEqual, Defect::TimeBackwards];
    let spoiled = make(&Plan { defects, ..Plan::default() }, "2014-07").truth;
    assert_eq!(traded(&clean) - traded(&spoiled), 6);
    assert_eq!(spoiled.records - clean.records, 3);
}

#[test]
fn another_root_is_a_configuration() {
    let instrument = Instrument { root: "GC".into(), tick_nanos: 100_000_000, ..Instrument::default() };
    let plan = Plan { instrument, first_level: 12_000.0, volatility: 0.6, ..Plan::default() };
    let made = make(&plan, "2013-10");
    assert!(made.truth.sessions.iter().all(|session| session.contract == "GCZ3"));
    let outright = |record: &&OhlcvMsg| made.symbols[&record.hd.instrument_id].len() == 4;
    assert!(made.records.iter().filter(outright).all(|record| record.close % 100_000_000 == 0));
    let wrong = Plan { first_level: f64::NAN, ..Plan::default() };
    assert!(write_month(&wrong, Month::new(2013, 10).unwrap(), Path::new("unused")).is_err());
}
