//! The published months as one Delta table: its log follows the manifests, whoever publishes, and is mended where it is
//! not; publishing does not wait for it.
//!
//! A few seconds of eight writers by default; `TABLE_POLLS=10000 cargo test --release -p harness --test it -- table::eight`
//! goes on until a reader has looked so often.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::month::{FILE, current, harness, manifest, names, outcome, program, run, signal, start, store, synthetic};
use crate::server::{Fault, Faults, Operation, Server};

const TABLE: &str = "processed-data/monthly";
const US: [&str; 2] = ["--timestamp-unit", "us"];

/// What a reader finds that begins at the first commit.
#[derive(Debug, Default)]
struct Log {
    commits: usize,
    /// Every file that was ever added, in order.
    added: Vec<String>,
    /// The files of each month.
    months: BTreeMap<String, BTreeSet<String>>,
}

impl Log {
    fn read(table: &Path) -> Self {
        let mut log = Self::default();
        while let Ok(text) = fs::read_to_string(table.join(format!("_delta_log/{:020}.json", log.commits))) {
            for line in text.lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                if let Some(path) = line["remove"]["path"].as_str() {
                    log.months.values_mut().for_each(|files| _ = files.remove(path));
                }
                if let Some(path) = line["add"]["path"].as_str() {
                    let month = line["add"]["partitionValues"]["month"].as_str().unwrap();
                    log.added.push(path.to_owned());
                    log.months.entry(month.to_owned()).or_default().insert(path.to_owned());
                }
            }
            log.commits += 1;
        }
        log
    }

    /// The months that it has, each once.
    fn once(&self) -> BTreeSet<&str> {
        let months = self.months.iter().filter(|(_, files)| !files.is_empty());
        months
            .inspect(|(month, files)| assert_eq!(files.len(), 1, "{month}: {files:?}"))
            .map(|(month, _)| &**month)
            .collect()
    }
}

fn table(folder: &Path) -> PathBuf {
    folder.join("store").join(TABLE)
}

fn verify(folder: &Path) -> (Value, i32) {
    outcome(folder, &["table", "verify"])
}

/// A store with a month in microseconds, in two versions.
fn twice() -> tempfile::TempDir {
    let folder = store();
    run(folder.path(), &US);
    run(folder.path(), &[&US[..], &["--profile", "rolling"]].concat());
    folder
}

/// The one file that the table has, by its commits.
fn the_file(folder: &Path) -> String {
    let log = Log::read(&table(folder));
    let files: Vec<&String> = log.months.values().flatten().collect();
    assert_eq!(files.len(), 1, "{log:?}");
    files[0].clone()
}

#[test]
fn each_publication_rollback_and_removal_is_a_commit_and_the_month_is_there_once() {
    let folder = twice();
    let at = folder.path();
    let is_current = || current(at, "data").ends_with(the_file(at));
    assert!(is_current());
    assert_eq!((Log::read(&table(at)).commits, verify(at).1), (2, 0));
    harness(at).args(["months", "rollback", "2013-09"]).assert().success();
    assert!(is_current());
    harness(at).args(["months", "remove", "2013-09"]).assert().success();
    assert_eq!(Log::read(&table(at)).once().len(), 0);
    harness(at).args(["months", "rollback", "2013-09"]).assert().success();
    assert!(is_current());
    assert_eq!((Log::read(&table(at)).commits, verify(at).1), (5, 0));
    // After the tenth comes a checkpoint, and readers are told of it.
    for _ in 0..7 {
        harness(at).args(["months", "rollback", "2013-09"]).assert().success();
    }
    let log = table(at).join("_delta_log");
    assert!(names(&log).contains(&format!("{:020}.checkpoint.parquet", 10)), "{:?}", names(&log));
    let last: Value = serde_json::from_slice(&fs::read(log.join("_last_checkpoint")).unwrap()).unwrap();
    assert_eq!(last["version"], 10);
    // Without the commits that it stands for.
    (0..=10).for_each(|version| fs::remove_file(log.join(format!("{version:020}.json"))).unwrap());
    assert_eq!(verify(at).1, 0);
    harness(at).args(["months", "rollback", "2013-09"]).assert().success();
    assert_eq!((verify(at).0["version"].as_u64(), verify(at).1), (Some(12), 0));
}

#[test]
fn months_with_nanoseconds_are_not_in_the_table_and_named() {
    let folder = store();
    run(folder.path(), &[]);
    assert!(!table(folder.path()).join("_delta_log").exists());
    let (found, code) = verify(folder.path());
    assert_eq!((code, &found["left_out"][0]["month"], found["version"].as_u64()), (0, &"2013-09".into(), None));
    assert_eq!(outcome(folder.path(), &["table", "sync"]).0["outcome"], "empty");
    // The same month in both ways: other bytes, and the same values by the program's own check.
    let first = run(folder.path(), &US);
    assert_eq!(first["outcome"], "published");
    assert_eq!((verify(folder.path()).1, Log::read(&table(folder.path())).once().len()), (0, 1));
    harness(folder.path()).args(["validate", "--month", "2013-09"]).assert().success();
    run(folder.path(), &["--force"]);
    assert_eq!(Log::read(&table(folder.path())).once().len(), 0);
    let (found, code) = verify(folder.path());
    assert_eq!((code, found["left_out"].as_array().unwrap().len()), (0, 1));
    // With features of another type it cannot be beside others, but alone.
    run(folder.path(), &[&US[..], &["--features-dtype", "float64"]].concat());
    assert_eq!((verify(folder.path()).1, Log::read(&table(folder.path())).once().len()), (0, 1));
}

#[test]
fn a_log_that_is_deleted_cut_or_anothers_is_named_and_mended() {
    let foreign = json!({"add": {"path": "2013/09/x.parquet", "partitionValues": {"month": "2013-09"}, "size": 1,
        "modificationTime": 0, "dataChange": true}});
    let key = |version: usize| format!("{TABLE}/_delta_log/{version:020}.json");
    type Harm<'a> = Box<dyn Fn(&Path) + 'a>;
    let harms: [(&str, String, Harm<'_>); 6] = [
        ("missing", format!("{TABLE}/_delta_log"), Box::new(|log| fs::remove_dir_all(log).unwrap())),
        ("missing", key(0), Box::new(|log| fs::remove_file(log.join(format!("{:020}.json", 0))).unwrap())),
        (
            "unreadable",
            key(1),
            Box::new(|log| {
                let path = log.join(format!("{:020}.json", 1));
                let text = fs::read(&path).unwrap();
                fs::write(&path, &text[..text.len() - 20]).unwrap();
            }),
        ),
        (
            "foreign",
            key(2),
            Box::new(|log| fs::write(log.join(format!("{:020}.json", 2)), foreign.to_string()).unwrap()),
        ),
        ("unreadable", key(2), Box::new(|log| fs::write(log.join(format!("{:020}.json", 2)), "").unwrap())),
        (
            "missing",
            format!("{TABLE}/_delta_log/_last_checkpoint"),
            Box::new(|log| fs::write(log.join("_last_checkpoint"), r#"{"version":20,"size":3}"#).unwrap()),
        ),
    ];
    for (kind, key, harm) in harms {
        let folder = twice();
        let at = folder.path();
        harm(&table(at).join("_delta_log"));
        let (found, code) = verify(at);
        assert_eq!((code, &found["log"][0]["kind"], &found["log"][0]["key"]), (1, &kind.into(), &key.clone().into()));
        // Publishing goes on, and leaves what is damaged to who mends it.
        let before = names(&table(at).join("_delta_log"));
        harness(at).args(["months", "rollback", "2013-09"]).assert().success();
        let after = names(&table(at).join("_delta_log"));
        assert!(before == after || before.is_empty(), "{key}: {before:?} {after:?}");
        let (synced, code) = outcome(at, &["table", "sync"]);
        assert_eq!(code, 0, "{key}: {synced}");
        let (found, code) = verify(at);
        assert_eq!((code, &found["months"]), (0, &1.into()), "{key}: {found}");
        // And is written to again.
        let version = found["version"].as_u64();
        harness(at).args(["months", "rollback", "2013-09"]).assert().success();
        let (found, code) = verify(at);
        assert_eq!((code, found["version"].as_u64()), (0, version.map(|version| version + 1)), "{key}: {found}");
        assert_eq!(outcome(at, &["table", "sync"]).0["outcome"], "unchanged");
    }
}

#[test]
fn a_month_that_was_published_and_not_logged_is_logged_when_it_is_looked_at() {
    let folder = twice();
    let at = folder.path();
    let log = table(at).join("_delta_log");
    let behind = |at: &Path| {
        fs::remove_file(log.join(format!("{:020}.json", Log::read(&table(at)).commits - 1))).unwrap();
        let (found, code) = verify(at);
        assert_eq!((code, &found["differs"][0]["what"]), (1, &"other_file".into()), "{found}");
    };
    behind(at);
    assert_eq!(run(at, &[&US[..], &["--profile", "rolling"]].concat())["outcome"], "unchanged");
    assert_eq!(verify(at).1, 0);
    behind(at);
    assert_eq!(outcome(at, &["table", "sync"]).0["outcome"], "mended");
    assert_eq!(verify(at).1, 0);
    // The next publication brings both, in order.
    behind(at);
    let missed = manifest(at)["current"]["data"]["key"].as_str().unwrap().to_owned();
    harness(at).args(["months", "rollback", "2013-09"]).assert().success();
    let added = Log::read(&table(at)).added;
    assert!(missed.ends_with(&added[1]) && current(at, "data").ends_with(&added[2]), "{added:?}");
}

/// A bucket with the month of the tests.
fn bucket() -> (Server, tempfile::TempDir) {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let raw = server.folder().join("archive/raw-data");
    fs::create_dir_all(&raw).unwrap();
    fs::copy(synthetic(), raw.join(FILE)).unwrap();
    (server, folder)
}

fn on(server: &Server, folder: &Path) -> std::process::Command {
    let mut command = program(folder);
    command.envs(server.environment()).env("S3_BUCKET", "bucket/archive").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Publishes the month once more; how long it took, and its puts by whether they are of the log, without what runs tell of
/// themselves.
fn publish(server: &Server, folder: &Path, more: &[&str]) -> (Duration, [u64; 2]) {
    let puts: Arc<[AtomicU64; 2]> = Arc::default();
    server.watch({
        let puts = Arc::clone(&puts);
        move |operation, key| {
            let counted = operation == Operation::PutObject && key.contains(TABLE);
            puts[usize::from(key.contains("_delta_log"))].fetch_add(u64::from(counted), Ordering::SeqCst);
        }
    });
    let began = Instant::now();
    let output =
        on(server, folder).args(["run", "--month", "2013-09", "--json", "--force"]).args(more).output().unwrap();
    let took = began.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(results[0]["outcome"], "published");
    server.unwatched();
    (took, [0, 1].map(|of_log| puts[of_log].load(Ordering::SeqCst)))
}

#[test]
fn a_publication_costs_one_more_put() {
    let (server, folder) = bucket();
    let profile = |name| [&US[..], &["--profile", name]].concat();
    let (_, [others, none]) = publish(&server, folder.path(), &[]);
    assert_eq!(none, 0);
    for name in ["session", "rolling", "session"] {
        let (_, puts) = publish(&server, folder.path(), &profile(name));
        assert_eq!(puts, [others, 1], "{name}");
    }
    let log = Log::read(&server.folder().join("archive").join(TABLE));
    assert_eq!((log.commits, log.added.len()), (3, 3));
}

#[test]
fn publishing_neither_fails_nor_waits_where_the_log_cannot_be_written() {
    let (server, folder) = bucket();
    let profile = |name| [&US[..], &["--profile", name]].concat();
    let (usual, _) = publish(&server, folder.path(), &profile("session"));
    server.break_down(Operation::PutObject, "_delta_log", Fault::AccessDenied);
    publish(&server, folder.path(), &profile("rolling"));
    server.mend();
    // A server that does not answer about the log at all.
    let hangs = Arc::new(AtomicBool::new(true));
    let command = {
        let hangs = Arc::clone(&hangs);
        server.watch(move |_, key| {
            while key.contains("_delta_log") && hangs.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
        });
        let arguments = [&["run", "--month", "2013-09", "--json", "--force"], &profile("session")[..]].concat();
        let began = Instant::now();
        let output = on(&server, folder.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        began.elapsed()
    };
    hangs.store(false, Ordering::SeqCst);
    server.unwatched();
    assert!(
        command < 3 * usual + archive::table::LONGEST + Duration::from_millis(500),
        "{command:?}, usually {usual:?}"
    );
    let synced = on(&server, folder.path()).args(["table", "sync", "--json"]).output().unwrap();
    assert!(synced.status.success(), "{}", String::from_utf8_lossy(&synced.stderr));
    let log = Log::read(&server.folder().join("archive").join(TABLE));
    assert_eq!((log.once().len(), log.added.len()), (1, 3), "{log:?}");

    // In a directory, where a file has the name of its folder.
    let folder = store();
    fs::create_dir_all(table(folder.path())).unwrap();
    fs::write(table(folder.path()).join("_delta_log"), "").unwrap();
    assert_eq!(run(folder.path(), &US)["outcome"], "published");
}

const MONTHS: &str = "2012-01..2013-11";

/// 23 months of a few minutes each.
fn many(raw: &Path) {
    fs::create_dir_all(raw).unwrap();
    for number in 0..23 {
        let (year, month) = (2012 + number / 12, 1 + number % 12);
        let noon = format!("{year}-{month:02}-10T18:00:00Z").parse::<jiff::Timestamp>().unwrap();
        let mut csv = String::from("timestamp,open,high,low,close,volume\n");
        for row in 0..300 {
            let (at, close) = ((noon.as_second() + row) * 1_000_000_000, 1500.0 + (row % 37) as f64 * 0.25);
            writeln!(csv, "{at},{close},{},{},{close},{}", close + 0.5, close - 0.5, 1 + row % 9).unwrap();
        }
        let last = if month == 2 { 28 } else { 30 };
        fs::write(raw.join(format!("glbx-mdp3-{year}{month:02}01-{year}{month:02}{last}.ohlcv-1s.csv")), csv).unwrap();
    }
}

/// What was published a short while ago, by what the manifests say, and what is current.
fn published(table: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut all, mut now) = (BTreeSet::new(), BTreeSet::new());
    for year in names(table).into_iter().filter(|name| name != "_delta_log") {
        for month in names(&table.join(&year)) {
            let manifest = fs::read(table.join(&year).join(month).join("manifest.json")).unwrap();
            let Ok(manifest) = serde_json::from_slice::<Value>(&manifest) else { continue };
            let path = |item: &Value| {
                item["key"].as_str().unwrap().strip_prefix("processed-data/monthly/").unwrap().to_owned()
            };
            now.insert(path(&manifest["current"]["data"]));
            all.insert(path(&manifest["current"]["data"]));
            all.extend(manifest["before"].as_array().into_iter().flatten().map(|before| path(&before["data"])));
        }
    }
    (all, now)
}

/// Eight runs over all months at once, each with settings of its own; some are killed. True until `over`.
fn writers(server: &Server, folder: &Path, over: impl Fn() -> bool) -> u32 {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(26);
    let mut children: Vec<(Child, Option<Instant>)> = Vec::new();
    let (mut begun, mut killed) = (0_u32, 0);
    while !over() || !children.is_empty() {
        while children.len() < 8 && !over() {
            let (of, decay) = (begun % 8, format!("20{}-12", 13 + begun % 5));
            let mut command = on(server, &folder.join(format!("machine-{of}")));
            fs::create_dir_all(folder.join(format!("machine-{of}"))).unwrap();
            command.current_dir(folder.join(format!("machine-{of}"))).stdout(Stdio::null()).stderr(Stdio::null());
            command.args(["run", "--months", MONTHS, "--force", "--jobs", "1", "--decay-reference", &decay]).args(US);
            let until =
                (begun % 3 == 2).then(|| Instant::now() + Duration::from_millis(random.random_range(200..2500)));
            children.push((command.spawn().unwrap(), until));
            begun += 1;
        }
        children.retain_mut(|(child, until)| {
            if until.is_some_and(|until| until < Instant::now()) {
                killed += u32::from(child.try_wait().unwrap().is_none());
                _ = child.kill();
            }
            child.try_wait().unwrap().is_none()
        });
        thread::sleep(Duration::from_millis(10));
    }
    killed
}

#[test]
fn eight_writers_with_faults_and_kills_log_every_publication_once() {
    let polls: Option<u64> = std::env::var("TABLE_POLLS").ok().map(|polls| polls.parse().unwrap());
    let (server, folder) = (Server::with_faults(Faults::passing(26, 0.03)), tempfile::tempdir().unwrap());
    let objects = server.folder().join("archive");
    many(&objects.join("raw-data"));
    let table = objects.join(TABLE);
    let first = on(&server, folder.path()).args(["run", "--months", MONTHS]).args(US).output().unwrap();
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    let sync = || {
        let synced = on(&server, folder.path()).args(["table", "sync", "--json"]).output().unwrap();
        assert!(synced.status.success(), "{}", String::from_utf8_lossy(&synced.stderr));
    };
    sync();
    assert_eq!(Log::read(&table).once().len(), 23);

    let (looked, wrong, ever) = (AtomicU64::new(0), Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    let (began, done) = (Instant::now(), AtomicBool::new(false));
    let over =
        || polls.map_or(began.elapsed() > Duration::from_secs(8), |polls| looked.load(Ordering::SeqCst) >= polls);
    let killed = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let log = Log::read(&table);
                let once = log.months.values().filter(|files| files.len() == 1).count();
                let there = log.months.values().flatten().all(|path| table.join(path).exists());
                if (once, log.months.len(), there) != (23, 23, true) {
                    wrong
                        .lock()
                        .unwrap()
                        .push(format!("at {} commits: {once} months once, files there: {there}", log.commits));
                }
                ever.lock().unwrap().extend(published(&table).0);
                looked.fetch_add(1, Ordering::SeqCst);
            }
        });
        let killed = writers(&server, folder.path(), over);
        done.store(true, Ordering::SeqCst);
        killed
    });
    assert!(wrong.lock().unwrap().is_empty(), "{:?}", wrong.lock().unwrap());
    sync();
    let (last, now) = published(&table);
    let all: Vec<String> =
        ever.into_inner().unwrap().into_iter().chain(last).collect::<BTreeSet<_>>().into_iter().collect();
    let log = Log::read(&table);
    let mut added = log.added.clone();
    added.sort();
    assert_eq!(added, all, "every publication once");
    assert_eq!(log.months.values().flatten().cloned().collect::<BTreeSet<_>>(), now);
    assert!(killed > 0 && all.len() > 46, "{killed} kills, {} publications", all.len());
    eprintln!("{} publications, {} commits, {killed} kills, {} polls", all.len(), log.commits, looked.into_inner());
}

#[test]
fn a_killed_command_leaves_a_log_that_can_be_gone_on_with() {
    let folder = twice();
    let at = folder.path();
    for round in 0..6 {
        let mut child = start(at, &["months", "rollback", "2013-09"]);
        thread::sleep(Duration::from_millis(30 + 12 * round));
        signal(&child, "-KILL");
        child.wait().unwrap();
        outcome(at, &["table", "sync"]);
        assert_eq!(verify(at).1, 0);
        assert!(current(at, "data").ends_with(the_file(at)));
    }
}
