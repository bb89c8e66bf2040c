//! CSV as Databento's own encoder writes it, and as others do: what is read, and what is refused with line and column.

use std::{collections::HashMap, fs, io::Write, sync::LazyLock};

use data::{
    Instrument,
    columns::Columns,
    form::{Form, PriceUnit, TimeUnit},
    input,
    synth::{Plan, write_month},
};
use dbn::{
    OhlcvMsg, Schema, SymbolIndex,
    decode::{DbnMetadata, DecodeRecord, dbn::Decoder},
    encode::{EncodeRecord, EncodeRecordTextExt, csv::EncoderBuilder},
};

/// A synthetic month as DBN: its file, bars with symbols and what is read from it.
struct Month {
    bars: Vec<(OhlcvMsg, String)>,
    read: Columns,
}

static MONTH: LazyLock<Month> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let truth = write_month(&Plan::default(), "2013-10".parse().unwrap(), folder.path()).unwrap();
    let path = folder.path().join(truth.file);
    let mut decoder = Decoder::from_zstd_file(&path).unwrap();
    let symbols = decoder.metadata().symbol_map().unwrap();
    let mut bars = Vec::new();
    while let Some(bar) = decoder.decode_record::<OhlcvMsg>().unwrap() {
        let symbol = symbols.get_for_rec(bar).unwrap();
        bars.push((bar.clone(), symbol.clone()));
    }
    let read = read(&fs::read(path).unwrap(), &Instrument::default()).unwrap();
    Month { bars, read }
});

/// What is read from a file; the error as one sentence.
fn read(bytes: &[u8], instrument: &Instrument) -> Result<Columns, String> {
    let folder = tempfile::tempdir().unwrap();
    // The dates say whose the evening before the first is; that it is DBN they do not.
    let path = folder.path().join("glbx-mdp3-20131001-20131031.ohlcv-1s.dbn");
    fs::write(&path, bytes).unwrap();
    let mut months = Vec::new();
    let result = input::read(&path, instrument, &mut |columns| {
        months.push(columns);
        Ok(())
    });
    let mut months = result.map(|_| months).map_err(|error| std::error::Error::source(&error).unwrap().to_string())?;
    assert_eq!(months.len(), 1);
    let mut columns = months.remove(0);
    columns.records.by_publisher.clear();
    Ok(columns)
}

/// The month's bars by Databento's encoder.
fn csv(pretty: bool, symbols: bool, wanted: impl Fn(&str) -> bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let builder = EncoderBuilder::new(&mut bytes).use_pretty_px(pretty).use_pretty_ts(pretty).write_header(true);
    let mut encoder = builder.schema(Some(Schema::Ohlcv1S)).with_symbol(symbols).build().unwrap();
    for (bar, symbol) in MONTH.bars.iter().filter(|(_, symbol)| wanted(symbol)) {
        if symbols {
            encoder.encode_record_with_sym(bar, Some(symbol)).unwrap();
        } else {
            encoder.encode_record(bar).unwrap();
        }
    }
    drop(encoder);
    bytes
}

fn es(text: &str) -> Result<Columns, String> {
    read(text.as_bytes(), &Instrument::default())
}

fn with(form: Form) -> Instrument {
    Instrument { form, ..Instrument::default() }
}

#[test]
fn what_databentos_encoder_writes_is_the_month_that_its_dbn_is() {
    assert!(MONTH.read.records.spreads_dropped > 0);
    for pretty in [false, true] {
        let plain = csv(pretty, true, |_| true);
        let head =
            String::from_utf8_lossy(&plain[..plain.iter().position(|byte| *byte == b'\n').unwrap()]).into_owned();
        assert_eq!(head, "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol");
        assert_eq!(read(&plain, &Instrument::default()).unwrap(), MONTH.read, "pretty {pretty}");
        let packed = zstd::encode_all(&plain[..], 1).unwrap();
        assert_eq!(read(&packed, &Instrument::default()).unwrap(), MONTH.read, "pretty {pretty}");
    }
}

#[test]
fn without_symbols_the_ids_name_the_contracts() {
    let outright = |symbol: &str| symbol.len() == 4;
    let named = read(&csv(false, true, outright), &Instrument::default()).unwrap();
    let unnamed = read(&csv(true, false, outright), &Instrument::default()).unwrap();
    let ids: HashMap<&str, String> =
        MONTH.bars.iter().map(|(bar, symbol)| (symbol.as_str(), bar.hd.instrument_id.to_string())).collect();
    let volumes = |columns: &Columns, name: &dyn Fn(&str) -> String| {
        let volume = |contract: &data::columns::ContractRows| {
            let rows = contract.rows.clone();
            (name(&contract.symbol), columns.volume[rows.clone()].to_vec(), columns.close[rows].to_vec())
        };
        let mut volumes: Vec<_> = columns.contracts.iter().map(volume).collect();
        volumes.sort();
        volumes
    };
    assert!(named.contracts.len() > 2);
    assert_eq!(volumes(&unnamed, &str::to_owned), volumes(&named, &|symbol| ids[symbol].clone()));
}

#[test]
fn columns_in_any_order_with_others_between_and_any_usual_spelling() {
    let expected = es("timestamp,open,high,low,close,volume,symbol\n\
                       2013-10-07T12:30:00Z,1700.0,1700.25,1700.0,1700.25,3,ESZ3\n")
    .unwrap();
    assert_eq!((expected.time[0], expected.close[0], &expected.contracts[0].symbol[..]), (1_381_149_000, 6801, "ESZ3"));
    for text in [
        "symbol,note,volume,Close,Low,High,Open,ts_event\r\nESZ3,\"a,b\",3,1700.25,1700,1700.25,1700.0,1381149000000000000\r\n",
        "\u{feff}\"Timestamp\";Open;High;Low;Close;Volume;Symbol\n2013-10-07 12:30:00+00:00;1700.0;1700.25;1700;1700.250000000;3.0; esz3\n",
        "timestamp\topen\thigh\tlow\tclose\tvolume\tsymbol\n2013-10-07 12:30:00\t1.7e3\t1700.25\t1700.\t1700.25\t3\tESZ3\n",
        "timestamp,open,high,low,close,volume,symbol,rtype\n1381149000000000000,1700000000000,1700250000000,1700000000000,1700250000000,3,ESZ3,32\n",
    ] {
        let mut found = es(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        found.records.by_instrument = expected.records.by_instrument.clone();
        assert_eq!(found, expected, "{text}");
    }
    // pandas after a merge: whole floats of ids, and a symbol that is empty throughout.
    let ids = es("timestamp,open,high,low,close,volume,symbol,instrument_id\n\
                  2013-10-07T12:30:00Z,1700.0,1700.25,1700.0,1700.25,3,,110.0\n")
    .unwrap();
    assert_eq!(ids.contracts[0].symbol, "110");
    // An absent price is what cleaning counts as absent; one row with a symbol makes the others unmapped.
    let absent = es("timestamp,open,high,low,close,volume,symbol\n\
                     2013-10-07T12:30:00Z,1700.0,,1700.0,1700.25,3,ESZ3\n\
                     2013-10-07T12:30:01Z,1700.0,1700.0,1700.0,1700.0,3,\n")
    .unwrap();
    assert_eq!((absent.records.price_absent, absent.records.unmapped), (1, 1));
}

#[test]
fn names_and_units_of_ones_own_are_read_as_they_are_set() {
    let columns = "timestamp=when,volume=v".parse().unwrap();
    let ticks = Form { columns, time_unit: Some(TimeUnit::Seconds), price_unit: Some(PriceUnit::Ticks) };
    let text = "when,open,high,low,close,v,volume\n1381149000,6800,6801,6800,6801,3,junk\n";
    let found = read(text.as_bytes(), &with(ticks)).unwrap();
    assert_eq!((found.time[0], found.close[0], found.volume[0]), (1_381_149_000, 6801, 3));
    for (unit, prices) in [
        (PriceUnit::Cents, "170000,170025,170000,170025"),
        (PriceUnit::Points, "1700,1700.25,1700,1700.25"),
        (PriceUnit::Fixed, "1700000000000,1700250000000,1700000000000,1700250000000"),
    ] {
        let form = Form { price_unit: Some(unit), time_unit: Some(TimeUnit::Millis), ..Form::default() };
        let text = format!("timestamp,open,high,low,close,volume\n1381149000000,{prices},3\n");
        let found = read(text.as_bytes(), &with(form)).unwrap();
        assert_eq!((found.time[0], found.open[0], found.close[0]), (1_381_149_000, 6800, 6801), "{prices}");
    }
}

#[test]
fn a_symbol_that_is_empty_throughout_falls_back_on_the_id_in_a_text_of_any_length() {
    const ROWS: i64 = 20_000;
    let mut text = "ts_event,open,high,low,close,volume,instrument_id,symbol\n".to_owned();
    for second in 0..ROWS {
        let time = jiff::Timestamp::from_second(1_381_149_000 + second).unwrap();
        text.push_str(&format!("{time},1700.0,1700.25,1700.0,1700.25,3,5602,\n"));
    }
    assert!(text.len() > 1 << 20);
    for text in [text.clone().into_bytes(), zstd::encode_all(text.as_bytes(), 1).unwrap()] {
        let columns = read(&text, &Instrument::default()).unwrap();
        assert_eq!(columns.contracts[0].rows.len() as i64, ROWS);
    }
}

#[test]
fn what_cannot_be_right_is_refused_with_line_and_column() {
    const HEAD: &str = "timestamp,open,high,low,close,volume,symbol\n";
    const GOOD: &str = "2013-10-07T12:30:00Z,1700.0,1700.25,1700.0,1700.25,3,ESZ3\n";
    for (line, words) in [
        (
            "2013-10-07T12:30:01Z,1700.0,1700.x,1700.0,1700.25,3,ESZ3\n",
            &["line 3, column high: found 1700.x; expected a price"][..],
        ),
        (
            "1381149001,1700.0,1700.25,1700.0,1700.25,3,ESZ3\n",
            &["line 3, column timestamp: found 1381149001", "--time-unit"],
        ),
        ("07.10.2013 12:30,1700.0,1700.25,1700.0,1700.25,3,ESZ3\n", &["column timestamp: found 07.10.2013 12:30"]),
        ("1969-10-07T12:30:01Z,1700.0,1700.25,1700.0,1700.25,3,ESZ3\n", &["column timestamp", "since 1970"]),
        (
            "2013-10-07T12:30:01Z,1700.0,1700.25,1700.0,1700.25,-3,ESZ3\n",
            &["column volume: found -3; expected a whole number from 0"],
        ),
        (
            "2013-10-07T12:30:01Z,1700.0,1700.25,1700.0,1700.25,3\n",
            &["line 3", "6 fields", "as many as the header has names"],
        ),
        ("2013-10-07T12:30:01Z,1700.0,1700.25,1700.0,1700.25,3,ESZ3,\n", &["line 3", "8 fields"]),
        ("2013-10-07T12:30:01Z,1700.0,1700.25,1700.0,1700.25,3,\"ESZ3\n", &["line 3, column symbol", "quote"]),
        ("2013-10-07T12:30:01Z,1700.0,1700.25,1700.0,1700.25,3,ES", &["line 3", "the file is truncated"]),
    ] {
        let error = es(&format!("{HEAD}{GOOD}{line}")).unwrap_err();
        for word in words {
            assert!(error.contains(word), "'{word}' is missing in: {error}");
        }
    }
    for (text, words) in [
        (
            "timestamp,open,high,low,volume\n",
            &["column close: not in the file, which has timestamp, open, high, low, volume", "--columns"][..],
        ),
        ("timestamp,open,high,low,close,close,volume\n", &["column close: two columns of that name"]),
        (HEAD, &["no records"]),
        // Trades as Databento writes them.
        (
            "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,depth,price,size,flags,ts_in_delta,sequence,symbol\n",
            &["column open", "price and size are those of trades", "download the trades as DBN, or schema ohlcv-1s"],
        ),
        // Whole points, which are no units of 1e-9 of one.
        (
            "timestamp,open,high,low,close,volume\n2013-10-07T12:30:00Z,1700,1701,1700,1701,3\n",
            &["line 2, column open: found 1700", "--price-unit"],
        ),
        // What the first line decided holds for all.
        (
            "timestamp,open,high,low,close,volume\n1381149000000000000,1700000000000,1700000000000,1700000000000,1700000000000,3\n1381149001000000000,1700.25,1700.25,1700.25,1700.25,3\n",
            &["line 3, column open: found 1700.25; expected a price as in the lines before"],
        ),
        (
            "timestamp,open,high,low,close,volume,rtype\n1381149000000000000,1700.0,1700.0,1700.0,1700.0,3,33\n",
            &["column rtype: found 33", "ohlcv-1s"],
        ),
    ] {
        let error = es(text).unwrap_err();
        for word in words {
            assert!(error.contains(word), "'{word}' is missing in: {error}");
        }
    }
    let missing = Form { columns: "symbol=contract".parse().unwrap(), ..Form::default() };
    let error = read(format!("{HEAD}{GOOD}").as_bytes(), &with(missing)).unwrap_err();
    assert!(error.contains("column contract: not in the file, which has timestamp, open"), "{error}");
}

#[test]
fn bars_of_a_minute_and_exchange_time_without_a_zone_are_refused_as_in_parquet() {
    let text = |times: &mut dyn Iterator<Item = i64>, zone: &str| {
        let mut text = b"timestamp,open,high,low,close,volume\n".to_vec();
        for second in times {
            let time = jiff::Timestamp::from_second(1_381_104_000 + second).unwrap();
            let time = time.to_string().trim_end_matches('Z').to_owned();
            writeln!(text, "{time}{zone},1700.0,1700.25,1700.0,1700.25,3").unwrap();
        }
        String::from_utf8(text).unwrap()
    };
    let minutes = text(&mut (0..400).map(|row| 60 * row), "Z");
    assert!(es(&minutes).unwrap_err().contains("found bars of 60 seconds"));
    let mut local = (0..172_800)
        .step_by(7)
        .filter(|second| second / 3600 % 24 != 16)
        .map(|second| second + i64::from(second % 3 == 0));
    let local = text(&mut local, "");
    assert!(es(&local).unwrap_err().contains("--input-time-zone America/Chicago"));
    let chicago = Instrument { input_time_zone: Some("America/Chicago".into()), ..Instrument::default() };
    assert_eq!(read(local.as_bytes(), &chicago).unwrap().time[0], 1_381_104_001 + 18_000);
}

#[test]
fn a_table_in_order_of_contracts_is_read_over_many_months() {
    let mut text = String::from("timestamp,open,high,low,close,volume,symbol\n");
    for symbol in ["ESZ3", "ESH4"] {
        for month in 1..=6 {
            text += &format!("2013-{month:02}-07T15:30:00Z,1700.0,1700.25,1700.0,1700.25,3,{symbol}\n");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.csv");
    fs::write(&path, text).unwrap();
    let mut months = Vec::new();
    input::read(&path, &Instrument::default(), &mut |columns| {
        months.push((columns.month.to_string(), columns.contracts.len()));
        Ok(())
    })
    .unwrap();
    assert_eq!(months, (1..=6).map(|month| (format!("2013-{month:02}"), 2)).collect::<Vec<_>>());
}
