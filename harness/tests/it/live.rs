//! `stream` and `parity`: what is served second by second, beside the batch.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
};

use serde_json::Value;

use crate::{
    gateway::{self, Day, Gateway},
    month::{FILE, harness, outcome, program, refusal, run, signal, store},
};

/// Bytes of a bar's record.
const RECORD: usize = 56;
/// Central midnight after the second session, UTC.
const MIDNIGHT: u64 = 1_378_270_800;

/// A store whose month is made as a stream can know it, and its first two sessions as a DBN file that is not packed.
struct Served {
    folder: tempfile::TempDir,
    raw: Vec<u8>,
    /// Where its records begin.
    records: usize,
    /// What is served of it, as JSON lines.
    log: String,
}

fn served() -> &'static Served {
    static SERVED: OnceLock<Served> = OnceLock::new();
    SERVED.get_or_init(|| {
        let folder = store();
        run(folder.path(), &["--contract", "volume-previous"]);
        let packed = fs::read(folder.path().join("store/raw-data/databento").join(FILE)).unwrap();
        let mut raw = zstd::decode_all(&packed[..]).unwrap();
        let records = gateway::header(&raw);
        let end = raw[records..].chunks(RECORD).position(|record| second(record) >= MIDNIGHT).unwrap();
        raw.truncate(records + end * RECORD);
        fs::write(folder.path().join("days.dbn"), &raw).unwrap();
        let log = stream(folder.path(), &["../days.dbn"]);
        fs::write(folder.path().join("log.jsonl"), &log).unwrap();
        Served { folder, raw, records, log: String::from_utf8(log).unwrap() }
    })
}

fn second(record: &[u8]) -> u64 {
    u64::from_le_bytes(record[8..16].try_into().unwrap()) / 1_000_000_000
}

/// What is served in a folder without a store: nothing is known of the session before.
fn stream(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let alone = folder.join("alone");
    fs::create_dir_all(&alone).unwrap();
    let output = harness(&alone).arg("stream").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A log beside the month.
fn parity(log: &str) -> (Value, i32) {
    let folder = served().folder.path();
    let file = tempfile::NamedTempFile::new_in(folder).unwrap();
    fs::write(file.path(), log).unwrap();
    outcome(folder, &["parity", file.path().to_str().unwrap(), "--month", "2013-09"])
}

#[test]
fn what_is_served_in_each_format_is_what_the_batch_writes() {
    let Served { folder, log, .. } = served();
    let folder = folder.path();
    // Labor Day closes early, at noon: the batch ends there.
    assert_eq!(log.lines().count(), 2 * 27_000);
    assert!(parity(log).0["columns"].as_array().unwrap().len() == 48, "{}", parity(log).0);
    for (format, columns) in [("jsonl", None), ("csv", None), ("arrow", None), ("csv", Some("vwap,close,volume"))] {
        let mut arguments = vec!["../days.dbn", "--format", format];
        arguments.extend(columns.iter().flat_map(|columns| ["--columns", *columns]));
        let name = format!("log.{format}");
        fs::write(folder.join(&name), stream(folder, &arguments)).unwrap();
        let (found, code) = outcome(folder, &["parity", &name, "--month", "2013-09"]);
        assert_eq!((code, &found["served"], &found["batch"]), (0, &54_000.into(), &43_200.into()), "{found}");
        assert_eq!(found["columns"].as_array().unwrap().len(), if columns.is_some() { 3 } else { 48 });
    }
    let said = harness(folder).args(["parity", "log.csv", "--month", "2013-09"]).output().unwrap();
    assert!(String::from_utf8_lossy(&said.stdout).ends_with("equal to the bit\n"));
}

#[test]
fn parity_names_column_row_and_both_values_of_each_difference() {
    // One session: the month is read anew for each difference.
    let lines: Vec<&str> = served().log.lines().filter(|line| line[14..24] == *"2013-09-03").collect();
    // Values: the next one to each, at three rows.
    let columns = [
        "open",
        "high",
        "low",
        "close",
        "volume",
        "vwap",
        "vwap_slope",
        "volume_ratio_30s",
        "distance_from_rth_high",
        "short_range_high",
        "medium_range_low",
        "range_compression_ratio",
        "return_5s",
        "uptick_pct_30s",
        "is_eth",
    ];
    let rows: Vec<serde_json::Map<String, Value>> =
        [5_000, 15_000, 25_000].iter().map(|&row| serde_json::from_str(lines[row]).unwrap()).collect();
    let known: Vec<&str> = columns.into_iter().filter(|column| rows[0].contains_key(*column)).collect();
    assert!(known.len() >= 14, "{known:?}");
    for (number, column) in known.iter().enumerate() {
        let row = &rows[number % rows.len()];
        let at = [5_000, 15_000, 25_000][number % rows.len()];
        let mut changed = row.clone();
        let before = row[*column].as_f64().unwrap();
        let after = if before.fract() == 0.0 { before + 1.0 } else { f64::from((before as f32).next_up()) };
        changed[*column] = after.into();
        let line = Value::from(changed).to_string();
        let mut log = lines.clone();
        log[at] = &line;
        let (found, code) = parity(&log.join("\n"));
        let difference = &found["differences"][0];
        assert_eq!((code, &found["differing"]), (1, &1.into()), "{column}: {found}");
        assert_eq!((&difference["column"], &difference["timestamp"]), (&(*column).into(), &row["timestamp"]));
        assert_eq!(
            (difference["served"].as_f64(), difference["batch"].as_f64().map(|value| value as f32)),
            (Some(after), Some(before as f32))
        );
    }
    // Rows: one missing, one twice, one of another second, one of another contract, one without a value.
    let of = |log: Vec<&str>| parity(&log.join("\n"));
    let time = |row: usize| serde_json::from_str::<Value>(lines[row]).unwrap()["timestamp"].clone();
    let (found, code) = of([&lines[..500], &lines[501..]].concat());
    assert_eq!((code, &found["missing"]["first"][0], &found["missing"]["rows"]), (1, &time(500), &1.into()));
    let (found, code) = of([&lines[..501], &lines[500..]].concat());
    assert_eq!((code, &found["repeated"]["first"][0]), (1, &time(500)));
    let other = lines[0].replace("T12:30:00Z", "T12:29:59Z");
    let (found, code) = of([&lines[..], &[&other]].concat());
    assert_eq!((code, &found["unexpected"]["rows"], &found["differing"]), (1, &1.into(), &0.into()));
    let other = lines[500].replace("ESU3", "ESZ3");
    let (found, code) = of([&lines[..500], &[&other], &lines[501..]].concat());
    assert_eq!(
        (code, &found["differences"][0]["served"], &found["differences"][0]["batch"]),
        (1, &"ESZ3".into(), &"ESU3".into())
    );
    let row: serde_json::Map<String, Value> = serde_json::from_str(lines[2_000]).unwrap();
    let mut without = row.clone();
    without["vwap"] = Value::Null;
    let without = Value::from(without).to_string();
    let (found, code) = of([&lines[..2_000], &[&without], &lines[2_001..]].concat());
    assert_eq!((code, &found["differences"][0]["column"]), (1, &"vwap".into()), "{found}");
}

#[test]
fn what_is_no_log_and_a_month_that_is_not_there_are_refused() {
    let folder = served().folder.path();
    for (name, text, words) in [
        ("empty", "", "it is no log"),
        ("other", "PAR1", "it is no log"),
        ("cut", "{\"timestamp\":\"2013-09-03T12:30:00Z\"", "line 1"),
        (
            "column",
            "{\"timestamp\":\"2013-09-03T12:30:00Z\",\"contract\":\"ESU3\",\"provisional\":false,\"label\":1}",
            "column label",
        ),
        ("time", "{\"timestamp\":\"noon\",\"contract\":\"ESU3\",\"provisional\":false}", "line 1: noon"),
        ("value", "timestamp,contract,provisional,close\n2013-09-03T12:30:00Z,ESU3,false,x\n", "line 2: x"),
    ] {
        fs::write(folder.join(name), text).unwrap();
        let (said, code) = refusal(folder, &["parity", name, "--month", "2013-09"]);
        assert!(code == 3 && said.contains(name) && said.contains(words), "{code} {said}");
    }
    let (said, code) = refusal(folder, &["parity", "log.jsonl", "--month", "2013-10"]);
    assert!(code == 2 && said.contains("2013-10 is not published"), "{code} {said}");
}

/// Lines of a log in order, none of which is there twice.
fn by_time(log: &str) -> BTreeMap<String, &str> {
    let mut lines = BTreeMap::new();
    for line in log.lines() {
        let time = line[14..34].to_owned();
        assert!(lines.insert(time, line).is_none(), "served twice: {line}");
    }
    lines
}

#[test]
fn a_file_that_grows_is_followed_and_a_restart_goes_on_at_the_next_row() {
    let Served { folder, raw, records, log, .. } = served();
    let folder = folder.path().join("growing");
    fs::create_dir_all(&folder).unwrap();
    let mut file = File::create(folder.join("days.dbn")).unwrap();
    file.write_all(&raw[..*records]).unwrap();
    let (mut all, mut served) = (String::new(), 0);
    let count = (raw.len() - records) / RECORD;
    for part in 0..4 {
        let of = |part: usize| records + part * (count / 4) * RECORD + if part == 4 { count % 4 * RECORD } else { 0 };
        let mut child = program(&folder)
            .args(["stream", "days.dbn", "--follow", "--state", "state"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // A record comes in two halves.
        file.write_all(&raw[of(part)..of(part) + 20]).unwrap();
        file.write_all(&raw[of(part) + 20..of(part + 1)]).unwrap();
        file.flush().unwrap();
        // Every row before the last record's second is known to have ended.
        let last = jiff::Timestamp::from_second(second(&raw[of(part + 1) - RECORD..]) as i64).unwrap().to_string();
        let known = log.lines().filter(|line| line[14..34] < *last).count();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        while served < known {
            let from = all.len();
            assert!(lines.read_line(&mut all).unwrap() > 0, "served {served} of {known}");
            assert!(all[from..].ends_with("}\n"));
            served += 1;
        }
        signal(&child, if part % 2 == 0 { "-TERM" } else { "-INT" });
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut lines, &mut rest).unwrap();
        served += rest.lines().count();
        all.push_str(&rest);
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }
    drop(file);
    // What the last signal left out.
    let output = program(&folder).args(["stream", "days.dbn", "--state", "state"]).output().unwrap();
    all.push_str(&String::from_utf8(output.stdout).unwrap());
    assert!(by_time(&all) == by_time(log));
    let (said, code) = refusal(&folder, &["stream", "days.dbn", "--state", "state", "--profile", "rolling"]);
    assert!(code == 2 && said.contains("state of another instrument, profile"), "{code} {said}");
}

#[test]
fn a_day_through_a_gateway_that_drops_the_line_is_served_once_and_whole() {
    let Served { folder, raw, records, log } = served();
    let folder: PathBuf = folder.path().join("gateway");
    fs::create_dir_all(&folder).unwrap();
    // One session, and the evening before it.
    let bars = &raw[*records..];
    let names = gateway::names(raw);
    let gateway = Gateway::start(Day { names, bars: bars.to_vec(), from: 0, drops: 3, speed: None });
    let mut child = program(&folder)
        .args(["stream", "-"])
        .stdin(Stdio::piped())
        .stdout(File::create(folder.join("log.jsonl")).unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let connections = gateway::play(&gateway, &mut child.stdin.take().unwrap());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(connections, 4);
    assert!(said.contains("the gateway says: slow reader"), "{said}");
    let again = said.lines().last().unwrap();
    assert!(again.contains("0 late") && !again.contains(" 0 sent again"), "{again}");
    let found = fs::read_to_string(folder.join("log.jsonl")).unwrap();
    let found = by_time(&found);
    assert!(found.len() > 20_000, "{}", found.len());
    let whole = by_time(log);
    assert!(found.iter().all(|(time, line)| whole.get(time) == Some(line)));
    let last = found.keys().last().unwrap();
    assert_eq!(found.len(), whole.keys().filter(|time| *time <= last).count());
}

#[test]
fn a_contract_of_another_root_and_a_column_that_is_none_are_refused() {
    let folder = served().folder.path().join("alone");
    for (arguments, words) in [
        (["--symbol", "NQZ3"], "expected a contract of ES, such as ESZ5"),
        (["--columns", "label"], "--columns label: expected names of open, high"),
    ] {
        let (said, code) = refusal(&folder, &[&["stream", "../days.dbn"][..], &arguments].concat());
        assert!(code == 2 && said.contains(words), "{code} {said}");
    }
    // The store's months say which contract was front, not which traded most.
    let (said, code) = refusal(served().folder.path(), &["stream", "days.dbn"]);
    assert!(code == 2 && said.contains("volume-previous") && said.contains("--state"), "{code} {said}");
}
