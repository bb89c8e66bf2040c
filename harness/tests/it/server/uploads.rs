//! What s3s-fs 0.14 does not know of multipart uploads: it answers 403 to one that is over, and begins to write
//! before it looks for the parts, which ends the upload.

use std::path::Path;

use hyper::http::request::Parts;

use super::operation::{Operation, query};

/// Why a request cannot be done to its upload, as S3 says it.
pub fn problem(root: &Path, operation: Operation, head: &Parts, body: &[u8]) -> Option<(u16, &'static str)> {
    let id = query(head).find_map(|pair| pair.strip_prefix("uploadId="))?;
    if !root.join(format!(".upload-{id}.json")).exists() {
        return Some((404, "NoSuchUpload"));
    }
    let body = String::from_utf8_lossy(if operation == Operation::CompleteMultipartUpload { body } else { b"" });
    let parts = body.split("<PartNumber>").skip(1).filter_map(|rest| rest.split('<').next());
    let lost = parts.map(|number| root.join(part(id, number.trim()))).any(|part| !part.exists());
    lost.then_some((400, "InvalidPart"))
}

/// Loses the part that a request has just stored.
pub fn lose(root: &Path, head: &Parts) {
    let asked = |name: &str| query(head).find_map(|pair| pair.strip_prefix(name)).unwrap_or_default();
    std::fs::remove_file(root.join(part(asked("uploadId="), asked("partNumber=")))).unwrap();
}

fn part(id: &str, number: &str) -> String {
    format!(".upload_id-{id}.part-{number}")
}
