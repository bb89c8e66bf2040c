//! `process`: one file in, one Parquet out.

use crate::month;
use std::{fs, sync::Arc};

use crate::month::{FILE, harness, json, plain, synthetic, synthetic_whole};
use arrow_array::{
    ArrayRef, RecordBatch, TimestampNanosecondArray,
    cast::AsArray,
    types::{Float32Type, Int8Type},
};
use arrow_schema::{DataType, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

#[test]
fn a_month_comes_out_as_truth_says() {
    let folder = tempfile::tempdir().unwrap();
    let statistics =
        json(harness(folder.path()).args(["process", synthetic_whole().to_str().unwrap(), "out.parquet", "--json"]));
    let truth: serde_json::Value =
        serde_json::from_slice(&fs::read(synthetic_whole().with_file_name("truth.json")).unwrap()).unwrap();
    let truth = &truth["months"][0];
    assert_eq!(statistics["records"]["total"], truth["records"]);
    assert_eq!(statistics["records"]["by_instrument"], truth["records_by_symbol"]);
    let of = |list: &serde_json::Value, names: &[&str]| -> Vec<Vec<serde_json::Value>> {
        list.as_array().unwrap().iter().map(|item| names.iter().map(|name| item[name].clone()).collect()).collect()
    };
    let names = ["date", "contract", "rows", "early_close", "late_open"];
    assert_eq!(of(&statistics["sessions"], &names), of(&truth["sessions"], &names));
    let names = ["date", "from", "to"];
    assert_eq!(of(&statistics["rollovers"], &names), of(&truth["rollovers"], &names));
    assert!(!statistics["rollovers"].as_array().unwrap().is_empty(), "September has a roll");
    assert_eq!(statistics["rollovers"][0]["expected"], true);
}

#[test]
fn the_file_has_61_columns_of_the_types_of_the_contract_and_says_how_it_was_made() {
    let folder = tempfile::tempdir().unwrap();
    harness(folder.path()).args(["process", synthetic().to_str().unwrap(), "out.parquet"]).assert().success();
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(fs::File::open(folder.path().join("out.parquet")).unwrap()).unwrap();
    let schema = reader.schema();
    assert_eq!(schema.fields().len(), 61);
    let types: Vec<&DataType> = schema.fields().iter().map(|field| field.data_type()).collect();
    assert_eq!(types[0], &DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())));
    assert!(types[1..5].iter().all(|kind| **kind == DataType::Float64));
    assert_eq!(types[5], &DataType::Int64);
    for mode in 0..6 {
        assert_eq!((types[6 + 2 * mode], types[7 + 2 * mode]), (&DataType::Int8, &DataType::Float32));
    }
    assert!(types[18..54].iter().all(|kind| **kind == DataType::Float32));
    assert!(types[54..].iter().all(|kind| **kind == DataType::Int8));
    assert_eq!(schema.field(6).name(), "label_low_vol_long");
    assert_eq!(schema.field(60).name(), "is_rth_close");

    let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let value = |key: &str| pairs.iter().find(|pair| pair.key == key).unwrap().value.clone().unwrap();
    assert_eq!(value("harness.profile"), "session");
    assert_eq!(value("harness.decay_reference"), "2013-09");
    assert!(value("harness.inputs").contains(FILE));

    let inspected = json(harness(folder.path()).args(["inspect", "out.parquet", "--json"]));
    assert_eq!(inspected["columns"], data::training_file::COLUMNS);
    assert_eq!(inspected["metadata"]["harness.profile"], "session");
}

#[test]
fn the_bytes_do_not_depend_on_chunks_threads_or_when() {
    let folder = tempfile::tempdir().unwrap();
    let input = synthetic();
    let make = |profile: &str, chunk_rows: &str, jobs: &str| {
        let arguments = ["--profile", profile, "--chunk-rows", chunk_rows, "--jobs", jobs];
        harness(folder.path())
            .args(["process", input.to_str().unwrap(), "out.parquet"])
            .args(arguments)
            .assert()
            .success();
        xxhash_rust::xxh3::xxh3_64(&fs::read(folder.path().join("out.parquet")).unwrap())
    };
    for profile in ["session", "rolling"] {
        let expected = make(profile, "4096", "2");
        for (chunk_rows, jobs) in [("1000", "1"), ("100000", "4"), ("1000000", "2")] {
            assert_eq!(make(profile, chunk_rows, jobs), expected, "{profile}, chunks of {chunk_rows}, {jobs} threads");
        }
    }
    assert_ne!(make("session", "4096", "2"), make("rolling", "4096", "2"));
}

#[test]
fn plain_dbn_stdin_and_several_zstd_frames_give_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = plain();
    let (a, b) = bytes.split_at(bytes.len() / 2);
    let frames = [zstd::encode_all(a, 1).unwrap(), zstd::encode_all(b, 1).unwrap()].concat();
    fs::write(folder.path().join("frames.dbn.zst"), frames).unwrap();
    fs::write(folder.path().join("plain.dbn"), &bytes).unwrap();
    let sessions = |command: &mut assert_cmd::Command| json(command)["sessions"].clone();
    let expected =
        sessions(harness(folder.path()).args(["process", synthetic().to_str().unwrap(), "a.parquet", "--json"]));
    let passed_over = [&b"\x50\x2a\x4d\x18\x04\0\0\0abcd"[..], &fs::read(synthetic()).unwrap()].concat();
    fs::write(folder.path().join("skippable.dbn.zst"), passed_over).unwrap();
    for input in ["frames.dbn.zst", "plain.dbn", "skippable.dbn.zst"] {
        assert_eq!(
            sessions(harness(folder.path()).args(["process", input, "b.parquet", "--json"])),
            expected,
            "{input}"
        );
    }
    let mut piped = harness(folder.path());
    assert_eq!(sessions(piped.args(["process", "-", "c.parquet", "--json"]).write_stdin(bytes)), expected);
}

#[test]
fn gaps_in_bars_without_symbols_are_one_line_and_no_part_falls_below_0() {
    let folder = tempfile::tempdir().unwrap();
    // A gap within each of four sessions. Nights are none.
    let mut days: Vec<_> = (0..4)
        .flat_map(|day| [month::bars(day, 0.0, 2000).slice(0, 1000), month::bars(day, 50.0, 2000).slice(1000, 1000)])
        .collect();
    days.push(month::bars(4, 100.0, 2000));
    fs::write(folder.path().join("bars.parquet"), month::parquet(&days)).unwrap();
    let process = ["process", "bars.parquet", "out.parquet"];
    let output = harness(folder.path()).args(process).assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    let gaps: Vec<&str> = text.lines().filter(|line| line.contains("rollover")).collect();
    let dates = "2013-10-07, 2013-10-08, 2013-10-09, 2013-10-10";
    assert_eq!(gaps[0], format!("  rollovers by gaps of price: 4, at {dates}"));
    assert!(gaps.len() == 2 && gaps[1].ends_with(dates), "{text}");
    assert!(text.contains("5 sessions, without symbols"), "{text}");
    let statistics = json(harness(folder.path()).args(process).arg("--json"));
    assert_eq!(statistics["rollovers"].as_array().unwrap().len(), 4);
    assert_eq!(statistics["quality"]["parts"]["rolls"], 0.0);
}

#[test]
fn weights_decay_by_central_months_whatever_the_zone_of_the_session() {
    // 2013-10-01 from 13:45 to 14:35 in Tokyo: midnight in Chicago, between September and October, is at 14:00.
    let folder = tempfile::tempdir().unwrap();
    let bars = month::bars(0, 0.0, 3000);
    let start = 1_380_602_700_i64;
    let times = (start..start + 3000).map(|second| second * 1_000_000_000);
    let times: ArrayRef = Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC"));
    let columns = [&[times], &bars.columns()[1..]].concat();
    let bars = RecordBatch::try_new(bars.schema(), columns).unwrap();
    fs::write(folder.path().join("bars.parquet"), month::parquet(&[bars])).unwrap();
    let tokyo = ["--time-zone", "Asia/Tokyo", "--session-start", "13:30", "--session-end", "15:00"];
    for profile in ["session", "rolling"] {
        let arguments =
            ["process", "bars.parquet", "out.parquet", "--decay-reference", "2013-10", "--profile", profile];
        harness(folder.path()).args(arguments).args(tokyo).assert().success();
        let file = fs::File::open(folder.path().join("out.parquet")).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let rows = builder.with_batch_size(10_000).build().unwrap().next().unwrap().unwrap();
        let label = rows["label_high_vol_short"].as_primitive::<Int8Type>();
        let weight = rows["weight_high_vol_short"].as_primitive::<Float32Type>();
        assert_eq!(rows.num_rows(), 3000);
        let losses = |rows: std::ops::Range<usize>| -> Vec<f32> {
            rows.filter(|&row| label.value(row) == 0).map(|row| weight.value(row)).collect()
        };
        let (september, october) = (losses(0..900), losses(900..3000));
        assert!(september.len() > 100 && september.iter().all(|&weight| weight == (-0.05_f64).exp() as f32));
        assert!(october.len() > 100 && october.iter().all(|&weight| weight == 1.0), "{profile}");
    }
}

#[test]
fn statistics_are_written_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["process", synthetic().to_str().unwrap(), "out.parquet", "--statistics", "s.json"].map(str::to_owned);
    harness(folder.path()).args(arguments).assert().success();
    let statistics: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("s.json")).unwrap()).unwrap();
    assert_eq!(statistics["month"], "2013-09");
    assert_eq!(statistics["modes"].as_object().unwrap().len(), 6);
    assert_eq!(statistics["features"].as_object().unwrap().len(), kernels::features::FEATURES.len());
    assert!(statistics["quality"]["score"].as_f64().unwrap() > 0.9);
}

#[test]
fn every_kind_of_bad_record_is_counted_under_its_rule_and_the_rest_of_the_month_stands() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = "absent-price,non-positive-price,off-tick,high-below-low,close-outside,duplicate-equal,time-backwards,\
                 sub-second,missing-day";
    let arguments = ["synth", "--months", "2013-09..2013-09", "--out", "bad", "--defects", kinds];
    harness(folder.path()).args(arguments).assert().success();
    let input = format!("bad/{FILE}");
    let statistics = json(harness(folder.path()).args(["process", &input, "out.parquet", "--json"]));
    let truth: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("bad/truth.json")).unwrap()).unwrap();
    let truth = &truth["months"][0];
    let dropped = truth["dropped"].as_object().unwrap();
    assert!(dropped.len() >= 7, "{dropped:?}");
    for (rule, count) in dropped {
        assert_eq!(&statistics["records"][rule], count, "{rule}");
    }
    assert!(statistics["records"]["time_backwards"].as_u64().unwrap() > 0);
    let rows = |sessions: &serde_json::Value| -> Vec<(String, u64)> {
        let sessions = sessions.as_array().unwrap().iter();
        sessions
            .map(|session| (session["date"].as_str().unwrap().to_owned(), session["rows"].as_u64().unwrap()))
            .collect()
    };
    assert_eq!(rows(&statistics["sessions"]), rows(&truth["sessions"]));
    let reasons = statistics["quality"]["deductions"].to_string();
    assert!(reasons.contains("weekdays without a session"), "{reasons}");
}

#[test]
fn two_different_records_of_one_second_fail_the_month() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["synth", "--months", "2013-09..2013-09", "--out", "bad", "--defects", "duplicate-different"];
    harness(folder.path()).args(arguments).assert().success();
    let output = harness(folder.path()).args(["process", &format!("bad/{FILE}"), "out.parquet"]).assert().code(3);
    let message = String::from_utf8(output.get_output().stderr.clone()).unwrap();
    assert!(message.contains("differ") && message.contains("ESU3") || message.contains("ESZ3"), "{message}");
}

#[test]
fn bars_that_were_filled_before_are_as_good_as_their_records_and_a_night_is_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let process = |input: &str| json(harness(folder.path()).args(["process", input, "out.parquet", "--json"]));
    let first = process(synthetic().to_str().unwrap());
    fs::rename(folder.path().join("out.parquet"), folder.path().join("filled.parquet")).unwrap();
    let again = process("filled.parquet");
    let count = |statistics: &serde_json::Value, name: &str| statistics["records"][name].as_u64().unwrap();
    let filled: u64 =
        first["sessions"].as_array().unwrap().iter().map(|session| session["filled_rows"].as_u64().unwrap()).sum();
    assert_eq!((count(&again, "filled_before"), count(&again, "no_trade")), (filled, 0));
    assert!(filled > 10_000);
    assert_eq!(again["rollovers"], serde_json::json!([]));
    let sessions = |statistics: &serde_json::Value| statistics["sessions"].as_array().unwrap().len();
    assert_eq!(sessions(&again), sessions(&first));
    let score = |statistics: &serde_json::Value| statistics["quality"]["score"].as_f64().unwrap();
    assert!(score(&again) > 0.95 && score(&again) >= score(&first) - 0.02, "{} {}", score(&again), score(&first));
}
