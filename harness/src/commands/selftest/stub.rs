//! A server for a handful of objects that speaks as much S3 as publishing a month needs, looks at no signature, and fails
//! on demand. Loopback only.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use md5::{Digest, Md5};

/// The one bucket.
const BUCKET: &str = "/bucket";
/// One request in so many fails.
const EVERY: u64 = 3;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 503, and nothing was done.
    Unavailable,
    /// It was done, and nobody is told.
    Reset,
    /// It was done, and half of the answer arrives.
    Truncated,
    /// Every connection ends after so many bytes.
    Breaks,
}

/// Bytes that a connection which breaks lets through.
const BREAK: usize = 1_000_000;

/// The server; its threads end with the process.
pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    objects: Mutex<BTreeMap<String, Arc<Vec<u8>>>>,
    requests: AtomicU64,
    injected: AtomicU64,
}

struct Request {
    method: String,
    /// Key, decoded.
    key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// What the header says, where the body does not follow.
    length: Option<usize>,
}

impl Stub {
    /// Listens on a port of its own.
    pub fn start(fault: Option<Fault>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(stream, fault));
            }
        });
        Ok(Self { address, shared })
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts an object there.
    pub fn put(&self, key: &str, bytes: &Arc<Vec<u8>>) {
        self.shared.objects().insert(key.to_owned(), Arc::clone(bytes));
    }

    /// The object whose key begins and ends so.
    pub fn object(&self, prefix: &str, suffix: &str) -> Option<Arc<Vec<u8>>> {
        let objects = self.shared.objects();
        let found = objects.iter().find(|(key, _)| key.starts_with(prefix) && key.ends_with(suffix));
        found.map(|(_, bytes)| Arc::clone(bytes))
    }

    /// Faults so far.
    pub fn injected(&self) -> u64 {
        self.shared.injected.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Vec<u8>>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One request; a client opens another connection for its next.
    fn serve(&self, stream: TcpStream, fault: Option<Fault>) {
        let Some(request) = stream.try_clone().ok().and_then(|stream| Request::read(stream).ok()) else { return };
        let turn = self.requests.fetch_add(1, Ordering::Relaxed) % EVERY == EVERY - 1;
        let fault = fault.filter(|&fault| turn || fault == Fault::Breaks);
        if fault.is_some_and(|fault| fault != Fault::Breaks) {
            self.injected.fetch_add(1, Ordering::Relaxed);
        }
        let answer = match fault {
            Some(Fault::Unavailable) => Answer::error("503 Service Unavailable", "SlowDown"),
            _ => self.answer(&request),
        };
        let head = request.method == "HEAD";
        let mut text = format!("HTTP/1.1 {}\r\nConnection: close\r\n", answer.status);
        for (name, value) in &answer.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n", answer.length.unwrap_or(answer.body.len()));
        let mut bytes = text.into_bytes();
        if !head {
            bytes.extend_from_slice(&answer.body);
        }
        let end = match fault {
            Some(Fault::Reset) => 0,
            Some(Fault::Truncated) => bytes.len() / 2,
            Some(Fault::Breaks) if bytes.len() > BREAK => {
                self.injected.fetch_add(1, Ordering::Relaxed);
                BREAK
            }
            _ => bytes.len(),
        };
        let mut stream = stream;
        // The client may have gone.
        let _ = stream.write_all(&bytes[..end]);
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut objects = self.objects();
        let there = objects.get(&request.key).cloned();
        match request.method.as_str() {
            "GET" if request.query.contains_key("uploads") => {
                Answer::xml("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
            }
            "GET" if request.query.contains_key("list-type") => list(&objects, &request.query),
            "GET" | "HEAD" => match there {
                Some(bytes) => object(&bytes, request),
                None => Answer::error("404 Not Found", "NoSuchKey"),
            },
            "PUT" => {
                let condition = |name: &str| request.headers.get(name).map(|value| value.trim().to_owned());
                let now = there.as_ref().map(|bytes| tag(bytes));
                let held = match (condition("if-none-match"), condition("if-match")) {
                    (Some(_), _) => now.is_none(),
                    (_, Some(expected)) => now == Some(expected),
                    _ => true,
                };
                if !held {
                    return Answer::error("412 Precondition Failed", "PreconditionFailed");
                }
                let bytes = match request.headers.get("x-amz-copy-source") {
                    Some(source) => {
                        let key = decoded(source).trim_start_matches('/').trim_start_matches("bucket/").to_owned();
                        match objects.get(&key) {
                            Some(bytes) => Arc::clone(bytes),
                            None => return Answer::error("404 Not Found", "NoSuchKey"),
                        }
                    }
                    None => Arc::new(request.body.clone()),
                };
                let tag = tag(&bytes);
                objects.insert(request.key.clone(), bytes);
                let body = format!("<CopyObjectResult><ETag>{tag}</ETag></CopyObjectResult>").into_bytes();
                let body = if request.headers.contains_key("x-amz-copy-source") { body } else { Vec::new() };
                Answer { status: "200 OK", headers: vec![("ETag", tag)], body, length: None }
            }
            "DELETE" => {
                objects.remove(&request.key);
                Answer { status: "204 No Content", headers: vec![], body: vec![], length: None }
            }
            _ => Answer::error("501 Not Implemented", "NotImplemented"),
        }
    }
}

fn object(bytes: &[u8], request: &Request) -> Answer {
    let mut headers = vec![("ETag", tag(bytes)), ("Last-Modified", "Wed, 01 Jan 2025 00:00:00 GMT".to_owned())];
    let length = bytes.len();
    let range = request.headers.get("range").and_then(|range| {
        let (first, last) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
        let first: usize = first.parse().ok()?;
        let last = last.parse().unwrap_or(usize::MAX).min(length.checked_sub(1)?);
        (first <= last).then_some((first, last))
    });
    match range {
        Some((first, last)) => {
            headers.push(("Content-Range", format!("bytes {first}-{last}/{length}")));
            Answer { status: "206 Partial Content", headers, body: bytes[first..=last].to_vec(), length: None }
        }
        None => Answer { status: "200 OK", headers, body: bytes.to_vec(), length: Some(length) },
    }
}

fn list(objects: &BTreeMap<String, Arc<Vec<u8>>>, query: &BTreeMap<String, String>) -> Answer {
    let prefix = query.get("prefix").map_or("", String::as_str);
    let after = query.get("start-after").map_or("", String::as_str);
    let listed = objects.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > after);
    let contents: String = listed
        .map(|(key, bytes)| {
            let (tag, size) = (tag(bytes).replace('"', "&quot;"), bytes.len());
            format!(
                "<Contents><Key>{key}</Key><LastModified>2025-01-01T00:00:00.000Z</LastModified><ETag>{tag}</ETag>\
                 <Size>{size}</Size></Contents>"
            )
        })
        .collect();
    Answer::xml(&format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"))
}

fn tag(bytes: &[u8]) -> String {
    let digits: String = Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{digits}\"")
}

impl Answer {
    fn xml(body: &str) -> Self {
        let headers = vec![("Content-Type", "application/xml".to_owned())];
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}").into_bytes();
        Self { status: "200 OK", headers, body, length: None }
    }

    fn error(status: &'static str, code: &str) -> Self {
        Self { status, ..Self::xml(&format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>")) }
    }
}

impl Request {
    fn read(stream: TcpStream) -> io::Result<Self> {
        let wrong = || io::Error::from(io::ErrorKind::InvalidData);
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut parts = line.split_whitespace();
        let (method, target) = parts.next().zip(parts.next()).ok_or_else(wrong)?;
        let (method, target) = (method.to_owned(), target.to_owned());
        let mut headers = BTreeMap::new();
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(':') {
                Some((name, value)) => _ = headers.insert(name.to_lowercase(), value.trim().to_owned()),
                None => break,
            }
        }
        let length = headers.get("content-length").map_or(Ok(0), |length| length.parse()).map_err(|_| wrong())?;
        let mut body = Vec::new();
        reader.take(length).read_to_end(&mut body)?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let key = decoded(path.strip_prefix(BUCKET).ok_or_else(wrong)?.trim_start_matches('/'));
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let query = pairs.map(|(name, value)| (decoded(name), decoded(value))).collect();
        Ok(Self { method, key, query, headers, body })
    }
}

/// `%2F` and the like as what they stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).filter(|_| *first == b'%');
        match code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
