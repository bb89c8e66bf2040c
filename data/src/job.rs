//! What lies beside the files of a batch download: `manifest.json` and `condition.json`.

use jiff::civil::Date;
use serde::Deserialize;

use crate::month::Month;

/// A file as `manifest.json` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// Its name.
    pub filename: String,
    /// Its bytes.
    pub size: u64,
    /// Its hash: `sha256:` and 64 hexadecimal digits.
    pub hash: String,
}

impl Listed {
    /// SHA-256 in hexadecimal digits; `None` where the hash is of another kind.
    #[must_use]
    pub fn sha256(&self) -> Option<&str> {
        self.hash.strip_prefix("sha256:")
    }
}

/// The files that a `manifest.json` lists; `None` where it is no vendor's.
#[must_use]
pub fn manifest(json: &[u8]) -> Option<Vec<Listed>> {
    #[derive(Deserialize)]
    struct Manifest {
        files: Vec<Listed>,
    }
    serde_json::from_slice::<Manifest>(json).ok().map(|manifest| manifest.files)
}

/// A sentence for every day of a month that a `condition.json` calls anything but available; none where it is no vendor's.
#[must_use]
pub fn conditions(json: &[u8], month: Month) -> Vec<String> {
    #[derive(Deserialize)]
    struct Condition {
        date: Date,
        condition: String,
    }
    let days: Vec<Condition> = serde_json::from_slice(json).unwrap_or_default();
    let other = days.into_iter().filter(|day| day.condition != "available" && Month::of(day.date) == Some(month));
    // What is in a file goes no further than a word.
    let word = |text: &str| text.chars().take(32).filter(|letter| letter.is_ascii_graphic()).collect::<String>();
    other.map(|day| format!("{}: {}, by the vendor's condition.json", day.date, word(&day.condition))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_lists_files_with_size_and_hash() {
        let json = br#"{"job_id":"GLBX-20241101-ABCDE12345","files":[
            {"filename":"a.dbn.zst","size":7,"hash":"sha256:00ff","urls":{"https":"https://","ftp":"ftp://"}},
            {"filename":"b.dbn.zst","size":8,"hash":"md5:00"}]}"#;
        let files = manifest(json).unwrap();
        assert_eq!((files[0].filename.as_str(), files[0].size, files[0].sha256()), ("a.dbn.zst", 7, Some("00ff")));
        assert_eq!(files[1].sha256(), None);
        for other in [&b"{}"[..], b"", b"[]", b"null", br#"{"files":[{"filename":"a"}]}"#] {
            assert_eq!(manifest(other), None);
        }
    }

    #[test]
    fn days_that_are_not_available_are_named_with_the_vendors_word() {
        let json = br#"[{"date":"2024-10-01","condition":"available","last_modified_date":"2024-11-01"},
            {"date":"2024-10-02","condition":"degraded"},{"date":"2024-10-03","condition":"missing"},
            {"date":"2024-11-01","condition":"degraded"}]"#;
        let october = conditions(json, "2024-10".parse().unwrap());
        let of = |date: &str, word: &str| format!("{date}: {word}, by the vendor's condition.json");
        assert_eq!(october, [of("2024-10-02", "degraded"), of("2024-10-03", "missing")]);
        for other in [&b"{}"[..], b"", br#"[{"date":"2024-13-01","condition":"missing"}]"#] {
            assert!(conditions(other, "2024-10".parse().unwrap()).is_empty());
        }
    }
}
