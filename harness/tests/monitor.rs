//! `monitor`: a page, figures, health and alerts, from the store alone.
#![allow(clippy::unwrap_used)]

mod month;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use month::{change, names, plain, program, run, store};
use serde_json::{Value, json};

/// A running monitor; dropping it ends it.
struct Monitor {
    child: Child,
    address: String,
}

impl Monitor {
    fn start(folder: &Path) -> Self {
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

    fn get(&self, path: &str) -> (u16, String, String) {
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
    monitor.until("the alert", |monitor| alerts(monitor) == ["failure_rate"]);
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

/// What Chromium has to say of a page, and a picture of it where `picture` names a file.
fn browse(address: &str, folder: &Path, more: &[&str]) -> (String, String) {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", &profile])
        .args(["--virtual-time-budget=4000", "--hide-scrollbars"])
        .args(more)
        .arg(format!("http://{address}/"))
        .output()
        .expect("chromium is needed for this test: apt-get install chromium");
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_page_shows_months_runs_and_alerts_without_an_error_in_the_console() {
    let folder = store();
    quiet(folder.path());
    fs::write(folder.path().join("store/glbx-mdp3-20130801-20130831.ohlcv-1s.dbn"), &plain()[..100_000]).unwrap();
    month::harness(folder.path()).args(["run", "--months", "2013-08..2013-09"]).assert().code(1);
    // As if it were going on.
    let status = folder.path().join("store/processed-data/status");
    let name = names(&status).into_iter().find(|name| name.starts_with("run-")).unwrap();
    change(&status.join(name), |beat| {
        let now = jiff::Timestamp::now().to_string();
        beat["state"] = json!("running");
        beat["months"] = json!(4);
        beat["renewed"] = json!(now);
        beat["running"] = json!([{"month": "2013-10", "stage": "compute", "since": now, "began": now}]);
    });
    fs::copy(
        folder.path().join("store/raw-data/databento").join(month::FILE),
        folder.path().join("store/raw-data/databento/glbx-mdp3-20131001-20131031.ohlcv-1s.dbn.zst"),
    )
    .unwrap();
    let monitor = Monitor::start(folder.path());
    let (page, console) = browse(&monitor.address, folder.path(), &["--dump-dom"]);
    assert!(!console.contains("CONSOLE"), "{console}");
    for shown in [
        "data-ready=\"yes\"",
        "class=\"high\" data-month=\"2013-09\"",
        "class=\"failed\" data-month=\"2013-08\"",
        "class=\"running\" data-month=\"2013-10\"",
        "data-rule=\"failure_rate\"",
        "2013-10 compute for",
        "<polyline",
    ] {
        assert!(page.contains(shown), "{shown} is missing in {page}");
    }
    if let Ok(pictures) = std::env::var("PICTURES") {
        for (name, more) in [
            ("wide", &["--window-size=1400,1100"][..]),
            ("narrow", &["--window-size=700,1500"]),
            ("wide-dark", &["--window-size=1400,1100", "--blink-settings=preferredColorScheme=0"]),
            ("narrow-dark", &["--window-size=700,1500", "--blink-settings=preferredColorScheme=0"]),
        ] {
            let picture = format!("--screenshot={pictures}/monitor-{name}.png");
            browse(&monitor.address, folder.path(), &[more, &[&picture]].concat());
        }
    }
}
