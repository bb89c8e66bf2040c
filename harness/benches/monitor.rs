//! What the monitor costs a run: 200 requests a second to it while 24 synthetic months are made, in turns with none.
//! `cargo bench -p harness --bench monitor`
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const MONTHS: &str = "2013-01..2014-12";
const TURNS: usize = 7;
const RATE: u32 = 200;
const PATHS: [&str; 4] = ["/api/status", "/charts", "/metrics", "/"];

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command.current_dir(folder).env_clear().env("XDG_CACHE_HOME", folder.join("cache")).env("LOG_LEVEL", "error");
    command
}

/// Wall-clock seconds of making all months.
fn run(folder: &Path) -> f64 {
    let began = Instant::now();
    let output = program(folder).args(["run", "--months", MONTHS, "--raw", "raw", "--force"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    began.elapsed().as_secs_f64()
}

/// The monitor and where it listens.
fn monitor(folder: &Path) -> (Child, String) {
    let mut command = program(folder);
    let mut child = command.args(["monitor", "--listen", "127.0.0.1:0"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().strip_prefix("http://").unwrap().to_owned())
}

/// One request on a connection that stays open; bytes of the answer.
fn ask(stream: &mut BufReader<TcpStream>, path: &str) -> usize {
    stream.get_mut().write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    let (mut length, mut first) = (0, true);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert!(!first || line.contains(" 200 "), "{path}: {line}");
        first = false;
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    length
}

/// Asks at an even rate until told to stop; how often and for how many bytes it asked.
fn load(address: &str, stop: &AtomicBool, asked: &AtomicUsize) {
    let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
    let began = Instant::now();
    for number in 0_u32.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        thread::sleep((Duration::from_secs(1) * number / RATE).saturating_sub(began.elapsed()));
        ask(&mut stream, PATHS[number as usize % PATHS.len()]);
        asked.fetch_add(1, Ordering::Relaxed);
    }
}

fn resident(child: &Child) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let made = program(folder.path()).args(["synth", "--months", MONTHS, "--out", "raw"]).output().unwrap();
    assert!(made.status.success());
    run(folder.path());
    let (mut child, address) = monitor(folder.path());
    thread::sleep(Duration::from_secs(15));
    let (mut ratios, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let alone = run(folder.path());
        let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let asking = {
            let (address, stop, asked) = (address.clone(), Arc::clone(&stop), Arc::clone(&asked));
            thread::spawn(move || load(&address, &stop, &asked))
        };
        let began = Instant::now();
        let watched = run(folder.path());
        let rate = asked.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        asking.join().unwrap();
        memory.push(resident(&child));
        println!(
            "alone {alone:.2} s, with {rate:.0} requests/s {watched:.2} s: {:.3} times; the monitor holds {:.1} MB",
            watched / alone,
            memory[memory.len() - 1]
        );
        ratios.push(watched / alone);
    }
    let _ = child.kill();
    let _ = child.wait();
    ratios.sort_by(f64::total_cmp);
    println!(
        "median of {TURNS} turns: {:.3} times; memory of the monitor {:.1} MB after the first, {:.1} MB after the last",
        ratios[TURNS / 2],
        memory[0],
        memory[TURNS - 1]
    );
}
