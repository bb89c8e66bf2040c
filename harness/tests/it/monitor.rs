//! `monitor`: a page, figures, health and alerts, from the store alone.

use crate::month;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use crate::browser::tab::Tab;
use crate::month::{names, program, run, signal, start, store, wait_for};
use serde_json::{Value, json};

/// A running monitor; dropping it ends it.
pub struct Monitor {
    child: Child,
    address: String,
}

impl Monitor {
    pub fn start(folder: &Path) -> Self {
        let mut command = program(folder);
        command.args(["monitor", "--listen", "127.0.0.1:0", "--interval", "1"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let monitor = Self { child, address: line.trim().strip_prefix("http://").unwrap().to_owned() };
        monitor.until("a first look", |monitor| monitor.get("/healthz").0 == 200);
        monitor
    }

    fn request(&self, method: &str, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let text = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    pub fn get(&self, path: &str) -> (u16, String, String) {
        self.request("GET", path)
    }

    fn status(&self) -> Value {
        serde_json::from_str(&self.get("/api/status").2).unwrap()
    }

    fn until(&self, what: &str, met: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !met(self) {
            assert!(began.elapsed() < Duration::from_secs(60), "{what} did not come");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Only the rules that the tests break.
fn quiet(folder: &Path) {
    fs::write(folder.join("harness.toml"), "[alerts.rules]\ndisk_gb = {}\n").unwrap();
}

#[test]
fn what_is_served_is_right_and_read_only() {
    let folder = store();
    quiet(folder.path());
    run(folder.path(), &[]);
    let monitor = Monitor::start(folder.path());
    let (code, head, page) = monitor.get("/");
    assert!(code == 200 && page.contains("<title>harness</title>") && head.contains("content-security-policy"));
    let (_, head, metrics) = monitor.get("/metrics");
    assert!(head.contains("application/openmetrics-text"));
    let parsed = openmetrics_parser::openmetrics::parse_openmetrics(&metrics).unwrap();
    for family in ["harness_months", "harness_run_up", "harness_month_quality", "harness_month_win_ratio"] {
        assert!(parsed.families.contains_key(family), "{family} is missing in {metrics}");
    }
    assert!(metrics.contains("harness_months{state=\"published\"} 1\n"), "{metrics}");
    let status = monitor.status();
    assert_eq!((&status["status"]["states"], &status["alerts"]), (&json!({"published": 1}), &json!([])));
    assert_eq!(status["figures"]["2013-09"]["win_rates"].as_object().unwrap().len(), 6);
    assert_eq!((monitor.get("/healthz").2.as_str(), monitor.get("/../etc/passwd").0), ("ok\n", 404));
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(monitor.request(method, "/api/status").0, 405);
    }
    assert_eq!(monitor.request("HEAD", "/").2, "");
}

#[test]
fn a_store_that_is_gone_is_no_health() {
    let folder = store();
    quiet(folder.path());
    let monitor = Monitor::start(folder.path());
    fs::remove_dir_all(folder.path().join("store")).unwrap();
    fs::write(folder.path().join("store"), "no folder").unwrap();
    monitor.until("trouble", |monitor| monitor.get("/healthz").0 == 503);
}

#[test]
fn a_store_that_comes_later_is_seen() {
    let folder = store();
    quiet(folder.path());
    fs::rename(folder.path().join("store/raw-data"), folder.path().join("raw")).unwrap();
    fs::remove_dir(folder.path().join("store")).unwrap();
    let monitor = Monitor::start(folder.path());
    assert_eq!(monitor.status()["status"]["months"], json!([]));
    run(folder.path(), &["--raw", "raw"]);
    let seen = |monitor: &Monitor| {
        let status = monitor.status();
        status["figures"]["2013-09"].is_object()
            && status["status"]["runs"].as_array().is_some_and(|runs| runs.len() == 1)
    };
    monitor.until("the month and its run", seen);
}

#[test]
fn a_failure_is_an_alert_until_it_is_mended() {
    let folder = store();
    quiet(folder.path());
    let monitor = Monitor::start(folder.path());
    let alerts = |monitor: &Monitor| -> Vec<Value> {
        monitor.status()["alerts"].as_array().unwrap().iter().map(|alert| alert["rule"].clone()).collect()
    };
    assert!(alerts(&monitor).is_empty());
    let raw = folder.path().join("store/raw-data/databento").join(month::FILE);
    let whole = fs::read(&raw).unwrap();
    fs::write(&raw, &whole[..whole.len() / 2]).unwrap();
    month::harness(folder.path()).args(["run", "--month", "2013-09"]).assert().code(1);
    monitor.until("the alert", |monitor| alerts(monitor) == ["failure_rate", "recovery"]);
    fs::write(&raw, whole).unwrap();
    run(folder.path(), &[]);
    monitor.until("its end", |monitor| alerts(monitor).is_empty());
}

#[test]
fn a_run_serves_the_same_while_it_goes_on_and_a_taken_address_is_told() {
    let folder = store();
    quiet(folder.path());
    let monitor = Monitor::start(folder.path());
    let arguments = ["run", "--month", "2013-09", "--monitor", &monitor.address];
    let (message, code) = month::refusal(folder.path(), &arguments);
    assert!(code == 4 && message.contains("cannot listen there"), "{message}");
    run(folder.path(), &["--monitor", "127.0.0.1:0"]);
}

/// What the run says of itself.
fn beat(folder: &Path) -> Value {
    let status = folder.join("store/processed-data/status");
    let name = names(&status).into_iter().find(|name| name.starts_with("run-")).unwrap();
    serde_json::from_slice(&fs::read(status.join(name)).unwrap()).unwrap()
}

/// The picture of the page, where `PICTURES` names a folder.
fn picture(tab: &mut Tab, name: &str) {
    if let Ok(folder) = std::env::var("PICTURES") {
        tab.picture(&Path::new(&folder).join(format!("monitor-{name}.png")));
    }
}

/// Waits until an expression is true in the page.
fn shows(tab: &mut Tab, expression: &str) {
    let began = Instant::now();
    while tab.value(expression) != json!(true) {
        let mut page = || tab.value("document.body.innerText");
        assert!(began.elapsed() < Duration::from_secs(120), "{expression} is not so in {}", page());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How many months of which this is the beginning the calendar says this of.
fn calendar(month: &str, state: &str) -> String {
    format!(
        "[...document.querySelectorAll('svg[aria-label^=Calendar] .tip title')]\
         .filter(tip => tip.textContent.startsWith('{month}') && tip.textContent.slice(8).startsWith('{state}')).length"
    )
}

#[test]
fn the_page_follows_a_run_its_failure_and_its_recovery() {
    let folder = store();
    quiet(folder.path());
    let damaged = "glbx-mdp3-20130801-20130831.ohlcv-1s.dbn.zst";
    let damaged = folder.path().join("store/raw-data/databento").join(damaged);
    let synth = ["synth", "--months", "2013-06..2013-08", "--out", "store/raw-data/databento"];
    month::harness(folder.path()).args(synth).assert().success();
    let whole = fs::read(&damaged).unwrap();
    fs::write(&damaged, &whole[..whole.len() / 2]).unwrap();

    let monitor = Monitor::start(folder.path());
    let mut tab = Tab::open(&format!("http://{}/", monitor.address), 1400);
    shows(&mut tab, &format!("{} === 4", calendar("2013", "pending")));
    assert_eq!(tab.value("document.querySelectorAll('.alert').length"), 0);

    // Let on only for moments once a month is there, so that the page has time to see it.
    let mut run = start(folder.path(), &["run", "--months", "2013-06..2013-09", "--jobs", "1"]);
    let published = folder.path().join("store/processed-data/monthly/2013");
    wait_for(&mut run, || names(&published).iter().any(|month| published.join(month).join("manifest.json").exists()));
    signal(&run, "-STOP");
    while beat(folder.path())["done"] == 0 {
        signal(&run, "-CONT");
        std::thread::sleep(Duration::from_millis(5));
        signal(&run, "-STOP");
        std::thread::sleep(Duration::from_millis(300));
    }
    let beat = beat(folder.path());
    let finished = beat["done"].as_u64().unwrap() + beat["failed"].as_u64().unwrap();
    assert!(finished < 4 && beat["state"] == "running", "{beat}");
    let progress = "document.querySelector('progress')";
    shows(&mut tab, &format!("{progress}?.value === {finished} && {progress}.max === 4"));
    shows(&mut tab, &format!("{} >= 1", calendar("2013", "published")));
    shows(&mut tab, &format!("{} >= 1", calendar("2013", "running")));
    shows(&mut tab, "document.querySelector('.run.live') !== null");
    picture(&mut tab, "running");
    signal(&run, "-CONT");
    assert_eq!(run.wait().unwrap().code(), Some(1));
    shows(&mut tab, &format!("{progress}.value === 4"));
    shows(&mut tab, &format!("{} === 1", calendar("2013-08", "failed")));
    shows(&mut tab, &format!("{} === 3", calendar("2013", "published")));
    shows(&mut tab, "document.querySelector('.alert')?.dataset.rule === 'failure_rate'");
    picture(&mut tab, "failed");

    fs::write(&damaged, whole).unwrap();
    month::harness(folder.path()).args(["run", "--months", "2013-06..2013-09"]).assert().success();
    shows(&mut tab, &format!("{} === 4", calendar("2013", "published")));
    shows(&mut tab, "document.querySelector('.alert') === null");
    picture(&mut tab, "mended");
    assert_eq!(tab.console, Vec::<String>::new());
}
