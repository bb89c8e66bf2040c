//! Trades as Databento delivers them, to bars of one second: held against a straight aggregation, which is written here from
//! the vendor's own words and shares nothing with the program's.

use std::{collections::BTreeMap, ffi::c_char, fs, num::NonZeroU64};

use data::{
    Instrument,
    columns::Columns,
    input::{self, InputInfo},
    records::Records,
};
use dbn::{
    BidAskPair, FlagSet, MappingInterval, Metadata, RecordHeader, SType, Schema, SymbolMapping, TbboMsg, TradeMsg,
    WithTsOut,
    encode::{EncodeRecord, dbn::Encoder},
    rtype,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// 2024-10-01 08:00 Central, UTC nanoseconds.
const START: u64 = 1_727_787_600_000_000_000;
const SECOND: u64 = 1_000_000_000;
const TICK: i64 = 250_000_000;
/// Ids, their symbols and first prices in ticks; of the spread nothing is kept.
const IDS: [(u32, &str, i64); 3] = [(110, "ESZ4", 23_000), (210, "ESH5", 23_200), (310, "ESZ4-ESH5", 200)];

/// A random walk of trades: some in every second, many in one, none in others; exchange and receipt lie in two seconds for
/// some.
fn trades(count: usize) -> Vec<TradeMsg> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut received, mut prices) = (START, IDS.map(|(.., ticks)| ticks));
    let trade = |_| {
        received += match random.random_range(0..100) {
            0 => 3 * SECOND,
            1..20 => 0,
            _ => random.random_range(0..SECOND / 3),
        };
        let which = [0, 0, 0, 0, 1, 2][random.random_range(0..6)];
        prices[which] += random.random_range(-2..=2);
        TradeMsg {
            hd: RecordHeader::new::<TradeMsg>(
                rtype::MBP_0,
                1,
                IDS[which].0,
                received - random.random_range(0..SECOND / 2),
            ),
            price: prices[which] * TICK,
            size: random.random_range(1..50),
            action: b'T' as c_char,
            side: b"ABN"[random.random_range(0..3)] as c_char,
            flags: FlagSet::empty(),
            depth: 0,
            ts_recv: received,
            ts_in_delta: 17,
            sequence: 0,
        }
    };
    (0..count).map(trade).collect()
}

fn quoted(trade: &TradeMsg) -> TbboMsg {
    let RecordHeader { publisher_id, instrument_id, ts_event, .. } = trade.hd;
    let hd = RecordHeader::new::<TbboMsg>(rtype::MBP_1, publisher_id, instrument_id, ts_event);
    let TradeMsg { price, size, action, side, flags, depth, ts_recv, ts_in_delta, sequence, .. } = *trade;
    let levels = [BidAskPair { bid_px: price - TICK, ask_px: price, bid_sz: 9, ask_sz: 9, bid_ct: 3, ask_ct: 3 }];
    TbboMsg { hd, price, size, action, side, flags, depth, ts_recv, ts_in_delta, sequence, levels }
}

fn metadata(schema: Option<Schema>, ts_out: bool, limit: Option<u64>) -> Metadata {
    let build = |mappings| {
        let metadata = Metadata::builder().dataset("GLBX.MDP3").schema(schema).start(START).ts_out(ts_out);
        let metadata = metadata.stype_in(schema.map(|_| SType::Parent)).stype_out(SType::InstrumentId);
        metadata.limit(limit.and_then(NonZeroU64::new)).mappings(mappings).build()
    };
    let date = build(Vec::new()).start().date();
    let interval =
        |id: u32| MappingInterval { start_date: date, end_date: date.next_day().unwrap(), symbol: id.to_string() };
    let mapping =
        |(id, symbol, _): (u32, &str, i64)| SymbolMapping { raw_symbol: symbol.into(), intervals: vec![interval(id)] };
    build(IDS.map(mapping).to_vec())
}

/// A file of these records.
fn dbn<R: dbn::HasRType + dbn::encode::DbnEncodable>(metadata: &Metadata, records: &[R]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, metadata).unwrap();
    encoder.encode_records(records).unwrap();
    bytes
}

fn file(schema: Schema, trades: &[TradeMsg]) -> Vec<u8> {
    let metadata = metadata(Some(schema), false, None);
    match schema {
        Schema::Tbbo => dbn(&metadata, &trades.iter().map(quoted).collect::<Vec<_>>()),
        _ => dbn(&metadata, trades),
    }
}

fn read(bytes: &[u8]) -> Result<(InputInfo, Columns), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trades.dbn");
    fs::write(&path, bytes).unwrap();
    let mut months = Vec::new();
    let result = input::read(&path, &Instrument::default(), &mut |columns| {
        months.push(columns);
        Ok(())
    });
    match result {
        Ok(info) => Ok((info, months.remove(0))),
        Err(error) => Err(std::error::Error::source(&error).unwrap().to_string()),
    }
}

/// Second, open, high, low, close and volume by symbol, as read.
type Bars = BTreeMap<String, Vec<(u64, [i64; 4], u64)>>;

fn bars(columns: &Columns) -> Bars {
    let bar = |row: usize| {
        let prices = [columns.open[row], columns.high[row], columns.low[row], columns.close[row]];
        (columns.time[row].into(), prices.map(i64::from), columns.volume[row].into())
    };
    columns
        .contracts
        .iter()
        .map(|contract| (contract.symbol.clone(), contract.rows.clone().map(bar).collect()))
        .collect()
}

/// "Open, high, low, and close prices and total volume aggregated from trades"; "the inclusive start time of the bar
/// aggregation period based on the ts_recv from trade messages"; "if no trade occurs within the interval, no record".
fn naive(trades: &[TradeMsg]) -> Bars {
    let mut groups: BTreeMap<(String, u64), Vec<&TradeMsg>> = BTreeMap::new();
    for trade in trades {
        let (_, symbol, _) = IDS.iter().find(|(id, ..)| *id == trade.hd.instrument_id).unwrap();
        groups.entry(((*symbol).to_owned(), trade.ts_recv / SECOND)).or_default().push(trade);
    }
    let mut bars = Bars::new();
    for ((symbol, second), group) in groups.into_iter().filter(|((symbol, _), _)| !symbol.contains('-')) {
        let prices: Vec<i64> = group.iter().map(|trade| trade.price / TICK).collect();
        let (high, low) = (*prices.iter().max().unwrap(), *prices.iter().min().unwrap());
        let volume = group.iter().map(|trade| u64::from(trade.size)).sum();
        bars.entry(symbol).or_default().push((second, [prices[0], high, low, prices[prices.len() - 1]], volume));
    }
    bars
}

#[test]
fn trades_are_the_bars_of_a_straight_aggregation() {
    let trades = trades(50_000);
    let expected = naive(&trades);
    assert!(expected.values().all(|bars| bars.len() > 3000));
    // By the exchange's own clock other bars come out.
    let by_exchange: Vec<TradeMsg> =
        trades.iter().map(|trade| TradeMsg { ts_recv: trade.hd.ts_event, ..trade.clone() }).collect();
    assert_ne!(naive(&by_exchange), expected);
    for schema in [Schema::Trades, Schema::Tbbo] {
        let (info, columns) = read(&file(schema, &trades)).unwrap();
        assert_eq!(bars(&columns), expected, "{schema}");
        assert_eq!((info.records, info.limit), (50_000, None));
        let Records { spreads_dropped, total, time_backwards, .. } = columns.records;
        let kept: usize = expected.values().map(Vec::len).sum();
        assert_eq!((total - spreads_dropped, columns.records.dropped(), time_backwards), (kept as u64, 0, 0));
        assert_eq!(columns.records.by_publisher, [(1, total)].into());
    }
}

#[test]
fn a_send_time_behind_every_record_is_gone_over() {
    let trades = trades(2000);
    let metadata = metadata(Some(Schema::Trades), true, None);
    let sent: Vec<WithTsOut<TradeMsg>> =
        trades.iter().map(|trade| WithTsOut::new(trade.clone(), trade.ts_recv + 5)).collect();
    let (_, columns) = read(&dbn(&metadata, &sent)).unwrap();
    assert_eq!(bars(&columns), naive(&trades));
}

#[test]
fn a_live_stream_of_trades_is_read_as_a_download_and_one_of_both_is_refused() {
    let trades = trades(2000);
    let live = metadata(None, false, None);
    let (_, columns) = read(&dbn(&live, &trades)).unwrap();
    assert_eq!(bars(&columns), naive(&trades));
    let mut both = dbn(&live, &trades);
    let mut bar = vec![0; 56];
    (bar[0], bar[1]) = (14, 0x20);
    both.extend(bar);
    let said = read(&both).unwrap_err();
    assert!(said.contains("record 2000: found a record of 56 bytes and type 0x20 in a live stream"), "{said}");
    assert!(said.contains("all of one kind"), "{said}");
}

#[test]
fn a_trade_without_a_size_or_a_price_is_part_of_no_bar_and_counted() {
    let mut trades = trades(2000);
    let expected = naive(&trades);
    let odd = |trade: &TradeMsg, size, price| TradeMsg { size, price, ..trade.clone() };
    // Amid the trades of their seconds, and at prices that would show.
    trades.insert(1000, odd(&trades[1000], 0, 99_999 * TICK));
    trades.insert(500, odd(&trades[500], 7, i64::MAX));
    let spread = |trade: &TradeMsg| u64::from(trade.hd.instrument_id == 310);
    let in_spread = spread(&trades[500]) + spread(&trades[1001]);
    let (_, columns) = read(&file(Schema::Trades, &trades)).unwrap();
    assert_eq!(bars(&columns), expected);
    assert_eq!(columns.records.no_trade + columns.records.price_absent + in_spread, 2);
}

#[test]
fn a_trade_of_a_second_whose_bar_is_complete_is_refused() {
    let mut trades = trades(200);
    trades[150].ts_recv -= 60 * SECOND;
    let said = read(&file(Schema::Trades, &trades)).unwrap_err();
    assert!(said.contains("record 150: its ts_recv") && said.contains("in order of ts_recv"), "{said}");
    // Within its second the order does not matter to the time.
    let mut trades = self::trades(200);
    let same = (1..200).find(|&at| trades[at].ts_recv / SECOND == trades[at - 1].ts_recv / SECOND).unwrap();
    trades[same].ts_recv = trades[same].ts_recv / SECOND * SECOND;
    assert_eq!(bars(&read(&file(Schema::Trades, &trades)).unwrap().1), naive(&trades));
}

#[test]
fn what_is_no_trade_is_refused_in_a_file_of_trades() {
    let mut trades = trades(10);
    trades[3].action = b'A' as c_char;
    for schema in [Schema::Trades, Schema::Tbbo] {
        let said = read(&file(schema, &trades)).unwrap_err();
        assert!(said.contains("record 3: found a record of") && said.contains("download it again"), "{said}");
    }
    // The records of another schema under the header of trades.
    let said = read(&dbn(&metadata(Some(Schema::Trades), false, None), &[quoted(&self::trades(1)[0])])).unwrap_err();
    assert!(said.contains("record 0: found a record of 80 bytes and type 0x01"), "{said}");
}

#[test]
fn a_download_that_ended_at_its_limit_says_so() {
    let trades = trades(100);
    for (limit, found) in [(Some(100), Some(100)), (Some(101), None), (None, None)] {
        let (info, _) = read(&dbn(&metadata(Some(Schema::Trades), false, limit), &trades)).unwrap();
        assert_eq!(info.limit, found);
    }
}

#[test]
fn two_files_that_were_joined_are_read_on() {
    let trades = trades(2000);
    let (before, after) = trades.split_at(1000);
    let cut = after.iter().position(|trade| trade.ts_recv / SECOND != before[999].ts_recv / SECOND).unwrap();
    let (before, after) = trades.split_at(1000 + cut);
    let joined = [file(Schema::Trades, before), file(Schema::Tbbo, after)].concat();
    assert_eq!(bars(&read(&joined).unwrap().1), naive(&trades));
}

#[test]
fn a_second_split_over_two_files_is_refused() {
    let trades = trades(2000);
    let second = |at: usize| trades[at].ts_recv / SECOND;
    let cut = (1000..2000).find(|&at| second(at) == second(at - 1)).unwrap();
    let (before, after) = trades.split_at(cut);
    let (before, after) = (file(Schema::Trades, before), file(Schema::Trades, after));
    let said = read(&[before.clone(), after.clone()].concat()).unwrap_err();
    assert!(said.contains("lie in this file and the one before") && said.contains("split by day"), "{said}");
    let [before, after] = [before, after].map(|file| read(&file).unwrap().0);
    let said = before.splits_no_second(&after).unwrap_err().to_string();
    let expected = jiff::Timestamp::from_second(second(cut) as i64).unwrap();
    assert!(said.contains(&format!("trades of the second of {expected} lie in")), "{said}");
    after.splits_no_second(&before).unwrap();
}
