//! A page that stays open in headless Chromium, spoken to over the pipes of its debugging protocol.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

/// The page; dropping it ends the browser.
pub struct Tab {
    browser: Child,
    commands: File,
    answers: BufReader<File>,
    session: String,
    sent: u64,
    /// What the console had to say, and errors nobody caught.
    pub console: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Tab {
    /// Opens an address in a window so many pixels wide.
    pub fn open(address: &str, width: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["commands", "answers"] {
            assert!(Command::new("mkfifo").arg(path(name)).status().unwrap().success());
        }
        let browser = Command::new("sh")
            .args(["-c", "exec 3<\"$0/commands\" 4>\"$0/answers\" && exec chromium \"$@\""])
            .arg(folder.path())
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", path("profile").display()))
            .arg(format!("--window-size={width},1200"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // In the order the shell opens them: each end waits for the other.
        let commands = OpenOptions::new().write(true).open(path("commands")).unwrap();
        let answers = File::open(path("answers")).unwrap();
        let mut tab = Self {
            browser,
            commands,
            answers: BufReader::new(answers),
            session: String::new(),
            sent: 0,
            console: Vec::new(),
            _folder: folder,
        };
        let target = tab.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let session = tab.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        tab.session = session["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Runtime.enable", "Log.enable", "Page.enable"] {
            tab.call(domain, json!({}));
        }
        tab.call("Page.navigate", json!({"url": address}));
        tab
    }

    /// The value of an expression in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let answer = self.call("Runtime.evaluate", json!({"expression": expression, "returnByValue": true}));
        answer["result"]["value"].clone()
    }

    /// A picture of the page as it is.
    pub fn picture(&mut self, file: &Path) {
        use base64::Engine;
        let answer = self.call("Page.captureScreenshot", json!({"captureBeyondViewport": true}));
        let data = base64::engine::general_purpose::STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
        fs::write(file, data).unwrap();
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.commands.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let mut bytes = Vec::new();
            self.answers.read_until(0, &mut bytes).unwrap();
            let answer: Value = serde_json::from_slice(
                bytes.strip_suffix(&[0]).expect("Chromium is there: install Debian's package chromium"),
            )
            .unwrap();
            match answer["method"].as_str() {
                Some("Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded") => {
                    self.console.push(answer["params"].to_string());
                }
                _ if answer["id"] == self.sent => {
                    assert!(answer["error"].is_null(), "{method}: {answer}");
                    return answer["result"].clone();
                }
                _ => {}
            }
        }
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}
