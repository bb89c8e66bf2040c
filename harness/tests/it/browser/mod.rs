//! A page as a browser shows it: headless Chromium.
#![allow(dead_code)]

pub mod tab;

use std::{path::Path, process::Command};

/// What there was to be seen.
#[derive(Debug)]
pub struct Seen {
    /// Name and drawn marks of each chart that is shown, by the page's own count (`marks.js`).
    pub charts: Vec<(String, usize)>,
    /// What the console had to say.
    pub console: Vec<String>,
}

/// Opens a file in a window so many pixels wide.
pub fn open(page: &Path, width: u32) -> Seen {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("--window-size={width},1200"))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("these tests need a browser: install Debian's package chromium");
    let (page, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && page.contains("data-charts="), "Chromium did not load the page: {log}");
    let charts = page.split("<svg ").skip(1).filter_map(|chart| {
        let of = |name: &str| chart.split('>').next()?.split(&format!("{name}=\"")).nth(1)?.split('"').next();
        Some((of("aria-label")?.to_owned(), of("data-marks")?.parse().unwrap()))
    });
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned);
    Seen { charts: charts.collect(), console: console.collect() }
}
