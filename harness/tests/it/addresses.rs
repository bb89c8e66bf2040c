//! Inputs of `process` and `inspect` that lie elsewhere: in a bucket, on a web server, or come through stdin.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use crate::{
    month::{FILE, harness, refusal, synthetic},
    server::Server,
};

/// The Parquet of the synthetic month as a file here.
fn expected(folder: &std::path::Path) -> Vec<u8> {
    fs::copy(synthetic(), folder.join(FILE)).unwrap();
    harness(folder).args(["process", FILE, "expected.parquet"]).assert().success();
    fs::read(folder.join("expected.parquet")).unwrap()
}

/// Serves files by what is asked for, path and query; a file of which half was promised again is cut off the first time.
fn serve(files: Vec<(&'static str, Vec<u8>)>, mut cuts: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let (asked, from) = asked(&stream);
            let file = files.iter().find(|(name, _)| *name == asked);
            let answer = |stream: &mut TcpStream, head: &str, body: &[u8]| {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\nETag: \"x\"\r\nConnection: close\r\n\r\n");
                let sent = if cuts > 0 { length / 2 } else { length };
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body[..sent]));
            };
            match file {
                None => answer(&mut stream, "404 Not Found", b"<html>\n<body>no such file"),
                Some((name, _)) if name.contains("locked") => answer(&mut stream, "403 Forbidden", b"<html>\nno"),
                Some((_, bytes)) if from > 0 => {
                    let head = format!(
                        "206 Partial Content\r\nContent-Range: bytes {from}-{}/{}",
                        bytes.len() - 1,
                        bytes.len()
                    );
                    answer(&mut stream, &head, &bytes[from..]);
                }
                Some((_, bytes)) => answer(&mut stream, "200 OK", bytes),
            }
            cuts = cuts.saturating_sub(1);
        }
    });
    address
}

/// Path and query of a request, and the byte it goes on from.
fn asked(stream: &TcpStream) -> (String, usize) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let range = lines.find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
    let from = range.and_then(|range| range.split('-').next()?.parse().ok()).unwrap_or(0);
    (first.split(' ').nth(1).unwrap_or_default().to_owned(), from)
}

#[test]
fn a_file_of_a_web_server_is_read_as_one_that_lies_here() {
    let folder = tempfile::tempdir().unwrap();
    let expected = expected(folder.path());
    let bytes = fs::read(synthetic()).unwrap();
    let signed = "/a%20b/glbx-mdp3-20130901-20130930.ohlcv-1s.dbn.zst?X-Amz-Signature=sesame%2F";
    // The connection breaks once, in the middle.
    let server = serve(vec![(signed, bytes), ("/locked.dbn", vec![0; 8])], 1);
    harness(folder.path()).args(["process", &format!("{server}{signed}"), "out.parquet"]).assert().success();
    // The name counts, so the bytes are equal: it is in the file's metadata.
    assert!(fs::read(folder.path().join("out.parquet")).unwrap() == expected);
    harness(folder.path()).args(["inspect", &format!("{server}{signed}")]).assert().success();
    for (address, words, expected) in [
        (format!("{server}/nothing.dbn?key=sesame"), "/nothing.dbn is not there: expected the address of a file", 2),
        (format!("{server}/locked.dbn"), "403 Forbidden", 4),
        ("http://".into(), "expected such as https://host/folder/file.dbn.zst", 2),
    ] {
        let (said, code) = refusal(folder.path(), &["inspect", &address]);
        assert!(said.contains(words) && !said.contains("sesame"), "{said}");
        assert_eq!(code, expected, "{said}");
    }
    let mut program = harness(folder.path());
    let output = program.env("S3_RETRY_ATTEMPTS", "0").args(["inspect", "http://127.0.0.1:1/x.dbn"]).output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn an_object_is_read_as_a_file_and_all_under_a_key_as_a_folder() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let expected = expected(folder.path());
    let job = server.folder().join("raw/GLBX-20131001-ABCDE12345");
    fs::create_dir_all(&job).unwrap();
    fs::copy(synthetic(), job.join(FILE)).unwrap();
    fs::write(job.join("manifest.json"), "{}").unwrap();
    let said = |arguments: &[&str]| {
        let output = harness(folder.path()).envs(server.environment()).args(arguments).output().unwrap();
        (String::from_utf8(output.stderr).unwrap(), output.status.code())
    };
    let object = format!("s3://bucket/raw/GLBX-20131001-ABCDE12345/{FILE}");
    assert_eq!(said(&["process", &object, "out.parquet"]).1, Some(0));
    assert!(fs::read(folder.path().join("out.parquet")).unwrap() == expected);
    for address in ["s3://bucket/raw/GLBX-20131001-ABCDE12345", "s3://bucket/raw/", "s3://bucket/raw"] {
        let (message, code) = said(&["inspect", address]);
        assert_eq!(code, Some(0), "{address}: {message}");
    }
    for (address, words) in [
        ("s3://bucket/raw/nothing.dbn", "no object with this key, and none under it"),
        ("s3://bucket", "expected s3://bucket/key"),
        ("s3://", "expected s3://bucket/key"),
    ] {
        let (message, code) = said(&["process", address, "other.parquet"]);
        assert!(message.contains(words), "{message}");
        assert_eq!(code, Some(2), "{message}");
    }
    assert!(!folder.path().join("other.parquet").exists());
}
