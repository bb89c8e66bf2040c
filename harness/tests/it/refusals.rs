//! Bad input and bad usage: a clear sentence, the right exit code, and nothing left behind.

use crate::month;
use std::fs;

use crate::month::{harness, plain, synthetic};

/// Offset of the schema in a DBN header: magic, version, length, dataset.
const SCHEMA: usize = 3 + 1 + 4 + 16;

/// A Zstandard frame that decoders pass over, and what follows it.
fn skippable(rest: &[u8]) -> Vec<u8> {
    [b"\x50\x2a\x4d\x18\x04\0\0\0abcd", rest].concat()
}

/// Runs `process` and `inspect` over bytes and expects exit code 3 and every one of `words` in the message.
fn refused(name: &str, bytes: &[u8], words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), bytes).unwrap();
    let output = harness(folder.path()).args(["inspect", name]).assert().code(3).get_output().clone();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains(name) && message.lines().count() == 1, "{message}");
    fs::write(folder.path().join("out.parquet"), "published before").unwrap();
    let output = harness(folder.path()).args(["process", name, "out.parquet"]).assert().code(3).get_output().clone();
    let message = String::from_utf8(output.stderr).unwrap();
    for word in words.iter().chain(&[name]) {
        assert!(message.contains(word), "'{word}' is missing in: {message}");
    }
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(output.stdout.is_empty());
    assert_eq!(fs::read(folder.path().join("out.parquet")).unwrap(), b"published before");
    let mut left: Vec<String> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    left.retain(|left| left != "cache");
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn what_is_no_input_is_refused_with_what_was_found_and_what_was_expected() {
    refused("empty.dbn", b"", &["empty", "expected DBN"]);
    refused("text.dbn", b"timestamp, open and high\n", &["column open", "not in the file, which has timestamp"]);
    refused("words.dbn", b"timestamp open high\n", &["expected DBN"]);
    refused("job.zip", b"PK\x03\x04\x14\0", &["a zip archive: unpack it"]);
    refused("legacy.dbz", b"\x51\x2a\x4d\x18\x09\0\0\0DBZ\x01", &["DBZ", "expected DBN"]);
    refused("frame.zst", &skippable(&zstd::encode_all(&b"timestamp open\n"[..], 1).unwrap()), &["expected DBN"]);
    refused("text.dbn.zst", &zstd::encode_all(&b"timestamp,open,high\n"[..], 1).unwrap(), &["column low"]);
    refused("bars.parquet", b"PAR1 and nothing more", &["Parquet"]);
    refused("bars.arrow", b"ARROW1\0\0 and nothing more", &["Arrow"]);
}

#[test]
fn another_schema_version_or_an_impossible_header_is_refused() {
    let mut bytes = plain();
    bytes.truncate(1 << 20);
    let mut other = bytes.clone();
    other[SCHEMA..SCHEMA + 2].copy_from_slice(&0_u16.to_le_bytes());
    refused("mbo.dbn", &other, &["schema mbo", "expected ohlcv-1s"]);
    let mut other = bytes.clone();
    other[3] = 9;
    refused("version.dbn", &other, &["9", "expected"]);
    let mut other = bytes;
    other[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    refused("header.dbn", &other, &["expected"]);
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let bytes = plain();
    let header = crate::gateway::header(&bytes);
    refused("none.dbn", &bytes[..header], &["no records"]);
    refused("head.dbn", &bytes[..header - 1], &["expected"]);
    for more in [1, 55, 57, 56 * 1000 + 8] {
        refused("cut.dbn", &bytes[..header + more], &["record", "truncated"]);
    }
    let compressed = fs::read(synthetic()).unwrap();
    refused("cut.dbn.zst", &compressed[..compressed.len() / 2], &["record", "truncated"]);
}

#[test]
fn a_record_that_is_none_is_refused_with_its_number() {
    let mut bytes = plain();
    let header = crate::gateway::header(&bytes);
    bytes.truncate(header + 56 * 5000);
    bytes[header + 56 * 4321] ^= 0xff;
    refused("flipped.dbn", &bytes, &["record 4321", "expected a record of the file's schema"]);
}

#[test]
fn two_different_records_of_one_second_are_named() {
    let mut bytes = plain();
    let header = crate::gateway::header(&bytes);
    bytes.truncate(header + 56 * 2000);
    let mut twin = bytes[header..header + 56].to_vec();
    twin[48] ^= 1; // its volume
    bytes.extend_from_slice(&twin);
    refused("twin.dbn", &bytes, &["records 0 and 2000", "differ"]);
}

#[test]
fn flipped_bits_never_end_in_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = plain();
    bytes.truncate(200_000);
    let compressed = zstd::encode_all(&bytes[..], 1).unwrap();
    for step in 0..40_usize {
        for (name, original) in [("flip.dbn", &bytes), ("flip.dbn.zst", &compressed)] {
            let mut flipped = original.clone();
            let position = if step < 20 { step * 13 } else { step * 7919 } % flipped.len();
            flipped[position] ^= 1 << (step % 8);
            fs::write(folder.path().join(name), flipped).unwrap();
            let output = harness(folder.path()).args(["process", name, "out.parquet"]).output().unwrap();
            let code = output.status.code();
            let message = String::from_utf8_lossy(&output.stderr);
            assert!(code == Some(0) || code == Some(3), "{name}, byte {position}: {code:?} {message}");
        }
    }
}

/// Bars as Parquet and as Arrow IPC, plain and compressed.
fn bars() -> Vec<(&'static str, Vec<u8>)> {
    let batch = month::bars(0, 0.0, 3000);
    let ipc = |compression| {
        let options = arrow_ipc::writer::IpcWriteOptions::default().try_with_compression(compression).unwrap();
        let mut bytes = Vec::new();
        let mut writer =
            arrow_ipc::writer::FileWriter::try_new_with_options(&mut bytes, &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        bytes
    };
    vec![
        ("bars.parquet", month::parquet(std::slice::from_ref(&batch))),
        ("plain.arrow", ipc(None)),
        ("lz4.arrow", ipc(Some(arrow_ipc::CompressionType::LZ4_FRAME))),
        ("zstd.arrow", ipc(Some(arrow_ipc::CompressionType::ZSTD))),
    ]
}

#[test]
fn damaged_bars_never_end_in_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut refused = 0;
    for (name, good) in bars() {
        fs::write(folder.path().join(name), &good).unwrap();
        harness(folder.path()).args(["inspect", name]).assert().success();
        // The metadata lies at the end, and in Arrow also at the beginning.
        for step in 0..60 {
            let position = if step % 2 == 0 { good.len() - 1 - step * 23 } else { step * 11 };
            let mut bytes = good.clone();
            bytes[position] = [0xff, 0x80, 0x7f, 0][step / 2 % 4];
            fs::write(folder.path().join(name), bytes).unwrap();
            for arguments in [&["process", name, "out.parquet"][..], &["inspect", name]] {
                let output = harness(folder.path()).args(arguments).output().unwrap();
                let (code, message) = (output.status.code(), String::from_utf8_lossy(&output.stderr));
                assert!(code == Some(0) || code == Some(3), "{name}, byte {position}: {code:?} {message}");
                assert!(code == Some(0) || message.contains(name) && message.lines().count() == 1, "{message}");
                assert!(!message.contains("the decoder gave up"), "a check is missing: {message}");
                refused += usize::from(code == Some(3));
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn lengths_that_do_not_fit_are_refused_before_anything_is_allocated_for_them() {
    for (name, good) in bars() {
        if name == "bars.parquet" {
            continue;
        }
        let at = |text: &[u8]| good.windows(text.len()).position(|window| window == text);
        if name == "plain.arrow" {
            // The length of the first buffer with as many bytes as the rows need.
            let length = at(&24_000_i64.to_le_bytes()).unwrap();
            let mut bytes = good.clone();
            bytes[length + 5] = 0x40;
            refused("plain.arrow", &bytes, &["the Arrow file is damaged", "a buffer of"]);
        } else {
            // The claim in front of the compressed bytes.
            let claim = at(&24_000_i64.to_le_bytes()).unwrap();
            let mut bytes = good.clone();
            bytes[claim + 7] = 0x20;
            refused(name, &bytes, &["the Arrow file is damaged", "claims to hold 2305843009213"]);
        }
    }
}

#[test]
fn a_file_without_a_session_says_what_is_in_it_and_what_to_set() {
    let folder = tempfile::tempdir().unwrap();
    let input = synthetic();
    for (flags, words) in [
        (["--root", "GC"], &["0 of ", "other_roots_dropped", "ESU3", "root is ES, not GC"][..]),
        (["--tick-size", "999"], &["price_off_tick", "no multiples of 999"]),
    ] {
        let mut command = harness(folder.path());
        let arguments = ["process", input.to_str().unwrap(), "out.parquet"];
        let output = command.args(arguments).args(flags).assert().code(3).get_output().clone();
        let message = String::from_utf8(output.stderr).unwrap();
        for word in words {
            assert!(message.contains(word), "'{word}' is missing in: {message}");
        }
    }
}

#[test]
fn wrong_usage_is_code_2_and_says_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let usage = |arguments: &[&str], word: &str| {
        let output = harness(folder.path()).args(arguments).assert().code(2).get_output().clone();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(word), "'{word}' is missing in: {message}");
    };
    usage(&["process", "absent.dbn", "out.parquet"], "absent.dbn");
    usage(&["process", "a.dbn", "b.parquet", "--tick-size", "nothing"], "tick_size");
    usage(&["process", "a.dbn", "b.parquet", "--profile", "both"], "session or rolling");
    usage(&["process", "a.dbn", "b.parquet", "--time-zone", "Mars/Base"], "Mars/Base");
    usage(&["process", "a.dbn", "b.parquet", "--session-start", "15:00"], "session");
    usage(&["run"], "--month");
    usage(&["run", "--month", "2013-13"], "2013-13");
    usage(&["run", "--months", "2013-10..2013-09"], "2013-09");
    usage(&["run", "--month", "2013-10", "--task-index", "2", "--task-count", "2"], "--task-index");
    usage(&["run", "--month", "2013-10", "--store", "gs://bucket"], "gs://bucket: expected s3://bucket");
    usage(&["run", "--month", "2013-10", "--raw", "s3://"], "s3://: expected s3://bucket");
    usage(&["demo", "--month", "2150-01"], "--month 2150-01: expected 1997-09 to");
    usage(&["demo", "--month", "1970-01"], "--month 1970-01: expected 1997-09 to");
    usage(&["config", "show", "--config", "absent.toml"], "absent.toml");
    usage(&["nothing"], "nothing");
}

#[test]
fn a_wrong_setting_is_named_with_its_source_its_value_and_what_was_expected() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |flags: &[&str], variable: Option<(&str, &str)>, file: &str, words: &[&str]| {
        fs::write(folder.path().join("harness.toml"), file).unwrap();
        let mut command = harness(folder.path());
        command.args(["config", "show"]).args(flags).envs(variable);
        let message = String::from_utf8(command.assert().code(2).get_output().stderr.clone()).unwrap();
        for word in words.iter().chain(&["expected"]) {
            assert!(message.contains(word), "'{word}' is missing in: {message}");
        }
    };
    for (flag, value, setting) in [
        ("--log-level", "banana", "log_level = 'banana' (flag --log-level)"),
        ("--store", "", "store = '' (flag --store)"),
        ("--root", "es", "root = 'es' (flag --root)"),
        ("--tick-size", "0", "tick_size = '0' (flag --tick-size)"),
        ("--time-zone", "Mars/Base", "time_zone = 'Mars/Base' (flag --time-zone)"),
        ("--session-start", "15:00", "session_start = '15:00' (flag --session-start) and session_end"),
        ("--session-start", "24:00", "on the evening before"),
        (
            "--session-breaks",
            "15:00-15:30",
            "session_breaks = '15:00-15:30' (flag --session-breaks): expected breaks within",
        ),
        ("--session-breaks", "noon", "expected breaks within the session, such as '15:15-15:30 until 2021-06-25"),
        ("--session", "night", "session = 'night' (flag --session): expected regular or globex"),
        ("--negative-prices", "yes", "negative_prices = 'yes' (flag --negative-prices)"),
        ("--max-memory-gb", "0", "max_memory_gb = '0' (flag --max-memory-gb)"),
        ("--max-memory-gb", "NaN", "max_memory_gb = 'NaN' (flag --max-memory-gb)"),
        ("--cache-gb", "lots", "cache_gb = 'lots' (flag --cache-gb)"),
        ("--decay-reference", "2013", "decay_reference = '2013' (flag --decay-reference)"),
        ("--instructions", "mmx", "instructions = 'mmx' (flag --instructions)"),
        ("--roll-window", "friday -1..0", "roll_window = 'friday -1..0' (flag --roll-window)"),
    ] {
        refused(&[&format!("{flag}={value}")], None, "", &[setting]);
    }
    for (variable, value, setting) in [
        ("LOG_LEVEL", "banana", "log_level = 'banana' (environment LOG_LEVEL)"),
        ("MAX_MEMORY_GB", "-1", "max_memory_gb = '-1' (environment MAX_MEMORY_GB)"),
        ("S3_TIMEOUT", "soon", "s3_timeout = 'soon' (environment S3_TIMEOUT)"),
        ("S3_RETRY_ATTEMPTS", "1.5", "s3_retry_attempts = '1.5' (environment S3_RETRY_ATTEMPTS)"),
        ("KERNELS_LEVEL", "AVX2", "instructions = 'AVX2' (environment KERNELS_LEVEL)"),
        ("CHUNK_SIZE", "0", "chunk_rows = '0' (environment CHUNK_SIZE)"),
    ] {
        refused(&[], Some((variable, value)), "", &[setting]);
    }
    for (file, setting) in [
        ("jobs = \"two\"", "harness.toml: jobs = \"two\""),
        ("jobs = true", "harness.toml: jobs = true"),
        ("root = 6", "harness.toml: root = 6"),
        ("tick_size = [0.25]", "harness.toml: tick_size"),
        ("max_memory_gb = -2", "max_memory_gb = '-2' (harness.toml)"),
        ("root = ", "harness.toml"),
        ("[feature_ranges]\nbar = [0, 1]", "feature_ranges.bar"),
        ("[feature_ranges]\nbar_range = [1, 0]", "feature_ranges.bar_range"),
        ("feature_ranges = 1", "feature_ranges = 1"),
    ] {
        refused(&[], None, file, &[setting]);
    }
    fs::write(folder.path().join("harness.toml"), "chunks = 2000\n").unwrap();
    let output = harness(folder.path()).args(["config", "show"]).assert().code(2).get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("harness.toml: unknown setting 'chunks'"));
    fs::write(folder.path().join("harness.toml"), "").unwrap();
    harness(folder.path()).args(["config", "show"]).env("LOG_LEVEL", "WARNING").assert().success();
    let run = ["run", "--month", "2013-09"];
    let output = harness(folder.path()).args(run).env("S3_BUCKET", "b").assert().code(4).get_output().clone();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("store s3://b: no credentials: set AWS_ACCESS_KEY_ID"), "{message}");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_code_4() {
    let folder = tempfile::tempdir().unwrap();
    let input = synthetic();
    let arguments = ["process", input.to_str().unwrap(), "absent/out.parquet"];
    let output = harness(folder.path()).args(arguments).assert().code(4).get_output().clone();
    assert!(String::from_utf8(output.stderr).unwrap().contains("absent/out.parquet"));
}

#[test]
fn an_endpoint_that_is_none_is_a_mistake_in_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        &["months", "list"][..],
        &["run", "--month", "2013-09"],
        &["doctor"],
        &["status"],
        &["clean"],
        &["backup", "verify", "s3://b"],
    ] {
        let mut program = harness(folder.path());
        program
            .env("AWS_ENDPOINT_URL", "localhost:9000")
            .env("AWS_ACCESS_KEY_ID", "a")
            .env("AWS_SECRET_ACCESS_KEY", "b");
        let output = program.env("S3_BUCKET", "bucket").args(command).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("AWS_ENDPOINT_URL") && said.contains("http://localhost:9000"), "{command:?}: {said}");
        // `doctor` says it of the store, as one of its checks.
        let code = if command[0] == "doctor" { 4 } else { 2 };
        assert_eq!(output.status.code(), Some(code), "{command:?}: {said}");
    }
}

#[test]
fn a_store_that_takes_nothing_fails_a_run_before_it_computes() {
    let server = crate::server::Server::start();
    let folder = tempfile::tempdir().unwrap();
    let raw = server.folder().join("archive/raw-data");
    fs::create_dir_all(&raw).unwrap();
    fs::copy(synthetic(), raw.join(month::FILE)).unwrap();
    server.break_down(crate::server::Operation::PutObject, "", crate::server::Fault::AccessDenied);
    let mut program = harness(folder.path());
    program.envs(server.environment()).env("S3_BUCKET", "bucket/archive").args(["run", "--month", "2013-09"]);
    let output = program.env("LOG_LEVEL", "debug").assert().code(4).get_output().clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("writable") && said.contains("AccessDenied"), "{said}");
    // Nothing was decoded.
    assert!(month::names(&folder.path().join("cache/harness/columns")).is_empty());
}
