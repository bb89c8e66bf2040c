//! Whether a body is the one that was sent, before any of it is stored: s3s-fs 0.14 looks after an object's last byte
//! is in place, and at a part not at all.

use hyper::http::request::Parts;
use s3s::{
    checksum::ChecksumHasher,
    crypto::{Checksum, Sha256},
};

/// S3's name for what is wrong with a body, going by the checksums in the request's head.
pub fn damage(head: &Parts, body: &[u8]) -> Option<&'static str> {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    // Bodies in signed pieces carry their checksums within.
    if header("x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING")) {
        return None;
    }
    let signed = header("x-amz-content-sha256").filter(|hash| hash.len() == 64);
    if signed.is_some_and(|hash| hash != hex(&Sha256::checksum(body))) {
        return Some("XAmzContentSHA256Mismatch");
    }
    let (sha256, crc32) = (header("x-amz-checksum-sha256"), header("x-amz-checksum-crc32"));
    let mut hasher = ChecksumHasher {
        sha256: sha256.map(|_| Default::default()),
        crc32: crc32.map(|_| Default::default()),
        ..Default::default()
    };
    hasher.update(body);
    let found = hasher.finalize();
    let same = found.checksum_sha256.as_deref() == sha256 && found.checksum_crc32.as_deref() == crc32;
    (!same).then_some("BadDigest")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
