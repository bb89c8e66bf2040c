//! `alerts`: every incident is told once through every channel, and so is its end; a dead channel does not keep the others.

use crate::mail_server;
use crate::month;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use crate::mail_server::Tls;
use crate::month::{harness, outcome, refusal, run, store};
use serde_json::{Value, json};

/// Thresholds that no machine and no synthetic month meets.
const QUIET: &str = "[alerts.rules]\ndisk_gb = {}\nmonth_minutes = {}\ncoverage = {}\n";

fn settings(folder: &Path, text: &str) {
    fs::write(folder.join("harness.toml"), text).unwrap();
}

/// What a file channel was told.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A webhook: bodies and heads of the requests it got.
fn webhook() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                head += &line;
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            (&stream).write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
            sender.send((head, serde_json::from_slice(&body).unwrap())).unwrap();
        }
    });
    (address, receiver)
}

const WAIT: Duration = Duration::from_secs(30);

#[test]
fn a_test_goes_through_every_channel_and_says_which_is_dead() {
    let folder = store();
    let (hook, hooked) = webhook();
    let (port, mailed) = mail_server::start(Tls::Never, &folder.path().join("unused.pem"));
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    settings(
        folder.path(),
        &format!(
            r#"
[[alerts.channels]]
name = "dead"
webhook = "http://{dead}/secret-path"
[[alerts.channels]]
webhook = {{ env = "HOOK" }}
token_env = "HOOK_TOKEN"
[[alerts.channels]]
email = {{ server = "localhost", port = {port}, tls = "none", from = "harness@example.org", to = ["Ops <ops@example.org>"] }}
[[alerts.channels]]
command = ["sh", "-c", "cat > told.json"]
[[alerts.channels]]
name = "broken"
command = ["sh", "-c", "exit 3"]
[[alerts.channels]]
file = "alerts.jsonl"
"#
        ),
    );
    let output = harness(folder.path())
        .args(["alerts", "test", "--json"])
        .env("HOOK", &hook)
        .env("HOOK_TOKEN", "s3cret")
        .assert()
        .code(1)
        .get_output()
        .clone();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors: Vec<(&str, bool)> = told
        .as_array()
        .unwrap()
        .iter()
        .map(|told| (told["channel"].as_str().unwrap(), !told["error"].is_null()))
        .collect();
    let expected =
        [("dead", true), ("webhook", false), ("email", false), ("command", false), ("broken", true), ("file", false)];
    assert_eq!(errors, expected, "{told}");
    let text = told.to_string();
    assert!(!text.contains("secret-path") && !text.contains("s3cret"), "{text}");

    let (head, news) = hooked.recv_timeout(WAIT).unwrap();
    assert!(head.to_lowercase().contains("authorization: bearer s3cret"), "{head}");
    let command = fs::read(folder.path().join("told.json")).unwrap();
    let file = lines(&folder.path().join("alerts.jsonl"));
    for news in [&news, &serde_json::from_slice(&command).unwrap(), &file[0]] {
        assert_eq!(news["alerts"][0]["state"], "test", "{news}");
    }
    let mail = mailed.recv_timeout(WAIT).unwrap();
    assert!(mail.contains("To: Ops <ops@example.org>") && mail.contains("nothing is wrong"), "{mail}");
}

#[test]
fn mail_goes_over_tls_and_no_password_to_a_server_that_is_not_trusted() {
    for (tls, word) in [(Tls::AtOnce, "tls"), (Tls::Starttls, "starttls")] {
        let folder = store();
        let certificate = folder.path().join("server.pem");
        let (port, mailed) = mail_server::start(tls, &certificate);
        let email = format!(
            "email = {{ server = \"localhost\", port = {port}, tls = \"{word}\", user_env = \"U\", password_env = \"P\", \
             from = \"harness@example.org\", to = [\"ops@example.org\"] }}"
        );
        settings(folder.path(), &format!("[[alerts.channels]]\n{email}\n"));
        let test = |trusted: &Path| {
            let mut command = harness(folder.path());
            command.args(["alerts", "test", "--json"]).env("U", "ops").env("P", "s3cret").env("SSL_CERT_FILE", trusted);
            let output = command.output().unwrap();
            let told: Value = serde_json::from_slice(&output.stdout).unwrap();
            (told[0]["error"].clone(), output.status.code().unwrap())
        };
        assert_eq!(test(&certificate), (Value::Null, 0), "{word}");
        let heard = mailed.recv_timeout(WAIT).unwrap();
        // What AUTH PLAIN sends: NUL ops NUL s3cret.
        assert!(heard.contains("AUTH PLAIN AG9wcwBzM2NyZXQ=") && heard.contains("nothing is wrong"), "{heard}");

        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.path().join("other.pem"), other.cert.pem()).unwrap();
        let (error, code) = test(&folder.path().join("other.pem"));
        assert!(error.as_str().unwrap().contains("certificate") && code == 1, "{word}: {error}");
        assert!(mailed.try_recv().is_err(), "{word}");
    }
}

#[test]
fn an_incident_is_told_once_and_its_end_too() {
    let folder = store();
    run(folder.path(), &[]);
    let told = folder.path().join("alerts.jsonl");
    let rules = |quality: &str| {
        settings(folder.path(), &format!("{QUIET}quality = {quality}\n[[alerts.channels]]\nfile = \"alerts.jsonl\"\n"));
        outcome(folder.path(), &["alerts", "check"])
    };
    let (report, code) = rules("{ warning = 0.8 }");
    assert_eq!((code, &report["firing"]), (0, &json!([])), "a good month");
    assert!(lines(&told).is_empty());
    for _ in 0..2 {
        let (report, code) = rules("{ warning = 0.999 }");
        assert_eq!((code, &report["firing"][0]["subject"]), (1, &json!("2013-09")));
    }
    assert_eq!(lines(&told).len(), 1, "told once");
    assert_eq!(rules("{ warning = 0.999, critical = 0.998 }").1, 1);
    assert_eq!(rules("{ warning = 0.5 }").1, 0);
    assert_eq!(rules("{ warning = 0.5 }").1, 0);
    let states: Vec<(Value, Value)> = lines(&told)
        .iter()
        .map(|news| (news["alerts"][0]["state"].clone(), news["alerts"][0]["severity"].clone()))
        .collect();
    let expected = [("firing", "warning"), ("firing", "critical"), ("recovered", "critical")];
    assert_eq!(states, expected.map(|(state, severity)| (json!(state), json!(severity))));
}

#[test]
fn a_channel_that_was_dead_is_told_later() {
    let folder = store();
    run(folder.path(), &[]);
    let channels = "[[alerts.channels]]\nfile = \"alerts.jsonl\"\n[[alerts.channels]]\nname = \"late\"\nfile = \"late/alerts.jsonl\"\n";
    settings(folder.path(), &format!("{QUIET}quality = {{ warning = 0.999 }}\n{channels}"));
    let (report, code) = outcome(folder.path(), &["alerts", "check"]);
    assert_eq!((code, &report["dead_channels"][0]["channel"]), (1, &json!("late")));
    fs::create_dir(folder.path().join("late")).unwrap();
    let (report, _) = outcome(folder.path(), &["alerts", "check"]);
    assert_eq!(report["dead_channels"], json!([]));
    assert_eq!(lines(&folder.path().join("alerts.jsonl")).len(), 1);
    assert_eq!(lines(&folder.path().join("late/alerts.jsonl")).len(), 1);
}

#[test]
fn failures_and_a_run_that_hangs_are_alerts() {
    let folder = store();
    let path = folder.path();
    // No raw files: every month fails.
    harness(path).args(["run", "--months", "2013-01..2013-05"]).assert().code(1);
    settings(path, QUIET);
    let rules = || -> Vec<String> {
        let (report, _) = outcome(path, &["alerts", "check"]);
        let firing = report["firing"].as_array().unwrap();
        let mut rules: Vec<String> = firing.iter().map(|alert| alert["rule"].as_str().unwrap().to_owned()).collect();
        rules.sort();
        rules
    };
    assert_eq!(rules(), ["failed_in_a_row"]);
    let status = path.join("store/processed-data/status");
    let name = month::names(&status).into_iter().find(|name| name.starts_with("run-")).unwrap();
    let ago = |minutes: i64| (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes)).to_string();
    month::change(&status.join(&name), |beat| {
        // Of another machine: nobody here knows whether its process lives.
        beat["process"] = Value::Null;
        beat["state"] = json!("running");
        beat["renewed"] = json!(ago(0));
        beat["failed_in_a_row"] = json!(3);
        beat["progress"] = json!(ago(16));
        beat["memory_bytes"] = json!(9_000_000_000_u64);
    });
    assert_eq!(rules(), ["memory_gb", "stalled_minutes"]);
    month::change(&status.join(name), |beat| beat["renewed"] = json!(ago(1)));
    assert_eq!(rules(), ["lost_runs"]);
}

#[test]
fn a_table_that_is_wrong_is_refused_with_what_is() {
    let folder = store();
    for (table, told) in [
        ("[alerts]\nrule = 1", "rule"),
        ("[alerts.rules]\nqualty = {}", "qualty"),
        ("[alerts.rules]\nquality = { warn = 1 }", "warn"),
        ("[alerts.rules]\nquality = 0.8", "0.8"),
        ("[[alerts.channels]]\nname = \"x\"", "expected one of webhook, email, command and file"),
        ("[[alerts.channels]]\nfile = \"a\"\ncommand = [\"b\"]", "command and file"),
        ("[[alerts.channels]]\ncommand = []", "expected a program"),
        ("[[alerts.channels]]\nfile = \"a\"\n[[alerts.channels]]\nfile = \"b\"", "two are named file"),
        ("[[alerts.channels]]\nemail = { server = \"a\", from = \"nobody\", to = [\"a@b.c\"] }", "'nobody'"),
        (
            "[[alerts.channels]]\nemail = { server = \"a\", tls = \"none\", from = \"a@b.c\", to = [\"a@b.c\"], user_env = \"U\", password_env = \"P\" }",
            "without TLS",
        ),
    ] {
        settings(folder.path(), table);
        let (message, code) = refusal(folder.path(), &["alerts", "check"]);
        assert_eq!(code, 2, "{table}: {message}");
        let output = harness(folder.path()).args(["alerts", "check"]).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains(told), "{table}: {message}");
    }
    settings(folder.path(), "");
    let (message, code) = refusal(folder.path(), &["alerts", "test"]);
    assert!(code == 2 && message.contains("no channels"), "{message}");
}
