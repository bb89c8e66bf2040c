//! Uploads in parts that were begun and not finished: no listing shows them, and a bucket charges for them.

use object_store::Error;
use serde::Deserialize;

use super::{Place, Store, StoreError, bucket::Bucket};

/// An upload that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Key it was to have.
    pub key: String,
    id: String,
}

/// S3's answer to `GET ?uploads`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    upload: Vec<Upload>,
    is_truncated: bool,
    next_key_marker: String,
    next_upload_id_marker: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Upload {
    key: String,
    upload_id: String,
}

impl Store {
    /// Uploads in parts under a folder that were not finished. A directory has none: what it has left is in its listing.
    ///
    /// # Errors
    /// Not every server lists them.
    pub fn unfinished(&self, folder: &str) -> Result<Vec<Unfinished>, StoreError> {
        let Place::Bucket(bucket) = &self.place else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut after: Vec<(&str, String)> = Vec::new();
        loop {
            let answer = self.wait(self.ask(|| page(bucket, folder, &after)));
            let answer = answer.map_err(self.failed("listing unfinished uploads of", folder))?;
            found.extend(answer.upload.into_iter().filter_map(|upload| {
                let key = bucket.key_of(&upload.key)?.to_owned();
                Some(Unfinished { key, id: upload.upload_id })
            }));
            if !answer.is_truncated || answer.next_key_marker.is_empty() {
                return Ok(found);
            }
            after = vec![("key-marker", answer.next_key_marker), ("upload-id-marker", answer.next_upload_id_marker)];
        }
    }

    /// Ends an unfinished upload; its parts are gone.
    pub fn abort(&self, upload: &Unfinished) -> Result<(), StoreError> {
        let Place::Bucket(bucket) = &self.place else { return Ok(()) };
        let location = bucket.location(&upload.key);
        match self.wait(self.ask(|| bucket.s3.abort_multipart(&location, &upload.id))) {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed("aborting the upload of", &upload.key)(error)),
        }
    }
}

async fn page(bucket: &Bucket, folder: &str, after: &[(&str, String)]) -> object_store::Result<Answer> {
    let sensible = |source: Box<dyn std::error::Error + Send + Sync>| Error::Generic { store: "S3", source };
    let prefix = bucket.full_key(folder);
    let mut query = vec![("uploads", String::new()), ("prefix", prefix)];
    query.extend(after.iter().cloned());
    let answer = bucket.s3.ask_bucket(query).await?;
    let body = answer.bytes().await.map_err(|error| sensible(error.into()))?;
    quick_xml::de::from_reader(&*body).map_err(|error| sensible(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let xml = "<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
<Bucket>b</Bucket><IsTruncated>false</IsTruncated><Upload><Key>a/b</Key><UploadId>1</UploadId><Initiated>2026</Initiated></Upload>\
<Upload><Key>c</Key><UploadId>2</UploadId></Upload></ListMultipartUploadsResult>";
        let answer: Answer = quick_xml::de::from_str(xml).unwrap();
        let found: Vec<_> = answer.upload.iter().map(|upload| (&*upload.key, &*upload.upload_id)).collect();
        assert_eq!(found, [("a/b", "1"), ("c", "2")]);
        let none: Answer = quick_xml::de::from_str("<ListMultipartUploadsResult/>").unwrap();
        assert!(none.upload.is_empty());
    }
}
