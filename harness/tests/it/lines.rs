//! A line that breaks: a proxy closes each connection after so many bytes, and months arrive all the same, going on after the
//! last byte that came.
//!
//! A month of one piece by default; `LINES=24` is the long run, of so many months.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::Value;

use crate::month::{harness, json, names};
use crate::server::Server;

/// Which bytes of a raw file were sent, from where and how many, by its name.
type Sent = Arc<Mutex<BTreeMap<String, Vec<(u64, u64)>>>>;

/// The proxy; its threads end with the process.
struct Line {
    address: SocketAddr,
    sent: Sent,
    breaks: Arc<AtomicUsize>,
}

impl Line {
    fn before(server: &Server, after: usize) -> Self {
        let upstream = server.endpoint().trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, sent, breaks) = (listener.local_addr().unwrap(), Sent::default(), Arc::new(AtomicUsize::new(0)));
        let (kept, counted) = (Arc::clone(&sent), Arc::clone(&breaks));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (upstream, sent, breaks) = (upstream.clone(), Arc::clone(&kept), Arc::clone(&counted));
                thread::spawn(move || one(client, &upstream, after, &sent, &breaks));
            }
        });
        Self { address, sent, breaks }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Lets one request through, and its answer up to so many bytes.
fn one(client: TcpStream, upstream: &str, after: usize, sent: &Sent, breaks: &AtomicUsize) -> Option<()> {
    let mut request = BufReader::new(client.try_clone().ok()?);
    let (head, length, range, path) = head(&mut request)?;
    let mut body = vec![0; length];
    request.read_exact(&mut body).ok()?;
    let mut server = TcpStream::connect(upstream).ok()?;
    server.write_all(head.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes()).ok()?;
    server.write_all(&body).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    let end = answer.len().min(after);
    let mut client = client;
    client.write_all(&answer[..end]).ok()?;
    if end < answer.len() {
        breaks.fetch_add(1, Ordering::SeqCst);
    }
    let begins = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(end, |at| at + 4);
    if let (Some(start), Some(name)) = (range, path.rsplit('/').next().filter(|name| name.ends_with(".zst")))
        && answer.starts_with(b"HTTP/1.1 206")
    {
        let bytes = (end.saturating_sub(begins)) as u64;
        sent.lock().unwrap().entry(name.to_owned()).or_default().push((start, bytes));
    }
    // What was sent arrives before the end does.
    client.shutdown(Shutdown::Write).ok()?;
    let _ = client.read(&mut [0; 16]);
    Some(())
}

/// The head of a request, the length of its body, where its range begins, and its path.
fn head(request: &mut BufReader<TcpStream>) -> Option<(String, usize, Option<u64>, String)> {
    let (mut head, mut length, mut range) = (String::new(), 0, None);
    loop {
        let mut line = String::new();
        if request.read_line(&mut line).ok()? == 0 {
            return None;
        }
        head += &line;
        let lower = line.to_lowercase();
        if let Some(number) = lower.strip_prefix("content-length:") {
            length = number.trim().parse().ok()?;
        }
        if let Some(bytes) = lower.strip_prefix("range: bytes=") {
            range = bytes.split('-').next()?.trim().parse().ok();
        }
        if line == "\r\n" {
            let path = head.split_whitespace().nth(1)?.to_owned();
            return Some((head, length, range, path));
        }
    }
}

/// How often the byte that came most often did.
fn most(sent: &[(u64, u64)]) -> u64 {
    let mut changes: Vec<(u64, i64)> = Vec::new();
    for &(start, bytes) in sent.iter().filter(|(_, bytes)| *bytes > 0) {
        changes.extend([(start, 1), (start + bytes, -1)]);
    }
    changes.sort_unstable();
    let (mut now, mut most) = (0, 0);
    for (_, change) in changes {
        now += change;
        most = most.max(now);
    }
    most as u64
}

#[test]
fn months_arrive_over_a_line_that_breaks() {
    let months = std::env::var("LINES").map_or(1, |months| months.parse::<i32>().unwrap());
    let last = format!("{}-{:02}", 2012 + (months - 1) / 12, (months - 1) % 12 + 1);
    let range = format!("2012-01..{last}");
    let folder = tempfile::tempdir().unwrap();
    let raw = folder.path().join("store/raw-data");
    harness(folder.path()).args(["synth", "--months", &range, "--out", raw.to_str().unwrap()]).assert().success();
    let versions = |results: &Value| -> Vec<String> {
        let results = results.as_array().unwrap();
        results.iter().map(|month| month["version"].as_str().unwrap().to_owned()).collect()
    };
    let expected = versions(&json(harness(folder.path()).args(["run", "--months", &range, "--json"])));
    for after in [700_000, 1_500_000, 3_000_000] {
        let server = Server::start();
        let there = server.folder().join("archive/raw-data");
        fs::create_dir_all(&there).unwrap();
        for name in names(&raw) {
            fs::copy(raw.join(&name), there.join(&name)).unwrap();
        }
        let line = Line::before(&server, after);
        let mut command = harness(folder.path());
        command.envs(server.environment()).env("S3_BUCKET", "bucket/archive").env("AWS_ENDPOINT_URL", line.endpoint());
        command.env("XDG_CACHE_HOME", folder.path().join(format!("cache-{after}")));
        let results = json(command.args(["run", "--months", &range, "--json", "--cache-gb", "0"]));
        assert_eq!(versions(&results), expected, "after {after} bytes");
        let sent = line.sent.lock().unwrap();
        let worst = sent.values().map(|sent| most(sent)).max().unwrap();
        assert!(worst <= 2, "a byte was fetched {worst} times");
        let breaks = line.breaks.load(Ordering::SeqCst);
        assert!(breaks > 0, "no answer was as long as {after} bytes");
        eprintln!(
            "{months} months over a line that breaks after {after} bytes: {breaks} breaks, no byte more than {worst} times"
        );
    }
}
