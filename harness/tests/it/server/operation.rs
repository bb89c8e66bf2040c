//! What a request asks for, in S3's own names.

use hyper::{Method, http::request::Parts};

/// An operation of S3; `Other` is what the program has no use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    AbortMultipartUpload,
    CompleteMultipartUpload,
    CopyObject,
    CreateBucket,
    CreateMultipartUpload,
    DeleteObject,
    DeleteObjects,
    GetObject,
    HeadBucket,
    HeadObject,
    ListBuckets,
    ListObjects,
    ListObjectsV2,
    ListParts,
    PutObject,
    UploadPart,
    UploadPartCopy,
    Other,
}

use Operation::*;

impl Operation {
    /// The operation of a request with the bucket in its path.
    pub fn of(request: &Parts) -> Self {
        let (bucket, key) = target(request);
        let asked = |name: &str| query(request).any(|pair| pair.split('=').next() == Some(name));
        let copy = request.headers.contains_key("x-amz-copy-source");
        let part = asked("uploadId");
        match (&request.method, bucket.is_empty(), key.is_empty()) {
            (&Method::GET, true, _) => ListBuckets,
            (&Method::GET, _, true) if asked("list-type") => ListObjectsV2,
            (&Method::GET, _, true) if ["location", "uploads", "versions"].into_iter().any(asked) => Other,
            (&Method::GET, _, true) => ListObjects,
            (&Method::HEAD, false, true) => HeadBucket,
            (&Method::PUT, false, true) => CreateBucket,
            (&Method::POST, false, true) if asked("delete") => DeleteObjects,
            (&Method::GET, _, false) if part => ListParts,
            (&Method::GET, _, false) => GetObject,
            (&Method::HEAD, _, false) => HeadObject,
            (&Method::PUT, _, false) if part && copy => UploadPartCopy,
            (&Method::PUT, _, false) if part => UploadPart,
            (&Method::PUT, _, false) if copy => CopyObject,
            (&Method::PUT, _, false) => PutObject,
            (&Method::POST, _, false) if part => CompleteMultipartUpload,
            (&Method::POST, _, false) if asked("uploads") => CreateMultipartUpload,
            (&Method::DELETE, _, false) if part => AbortMultipartUpload,
            (&Method::DELETE, _, false) => DeleteObject,
            _ => Other,
        }
    }

    /// Whether an object appears, changes or goes under its name.
    pub fn replaces(self) -> bool {
        matches!(self, PutObject | CopyObject | CompleteMultipartUpload | DeleteObject | DeleteObjects)
    }

    /// Whether it needs room.
    pub fn stores(self) -> bool {
        let part = matches!(self, CreateMultipartUpload | UploadPart | UploadPartCopy);
        part || matches!(self, PutObject | CopyObject | CompleteMultipartUpload)
    }
}

/// The pairs after the question mark.
pub fn query(request: &Parts) -> impl Iterator<Item = &str> {
    request.uri.query().unwrap_or_default().split('&')
}

/// Bucket and key of a request, as they are written in its path; empty where there are none.
pub fn target(request: &Parts) -> (&str, &str) {
    request.uri.path().trim_start_matches('/').split_once('/').unwrap_or((request.uri.path().trim_matches('/'), ""))
}
