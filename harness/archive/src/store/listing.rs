//! The objects of a local folder. What cannot be read or named is warned of and left out: one `lost+found` must not
//! hide an archive.

use std::{fs, io, path::Path};

use jiff::Timestamp;
use walkdir::{DirEntry, WalkDir};

use super::Object;

/// Every file under `root/prefix`, with its path from `root` as key, in order of key; without those in a folder named
/// `except`. Symbolic links are followed. A folder that is not there is empty.
///
/// # Errors
/// The folder itself cannot be listed.
pub fn objects(root: &Path, prefix: &str, except: Option<&str>) -> io::Result<Vec<Object>> {
    let enter = |entry: &DirEntry| except.is_none_or(|name| !entry.file_type().is_dir() || entry.file_name() != name);
    let mut objects = Vec::new();
    let entries = WalkDir::new(root.join(prefix)).min_depth(1).follow_links(true).into_iter();
    for entry in entries.filter_entry(enter) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.depth() == 0 => match error.io_error().map(io::Error::kind) {
                Some(io::ErrorKind::NotFound) => return Ok(Vec::new()),
                _ => return Err(error.into()),
            },
            Err(error) => {
                left_out(&error);
                continue;
            }
        };
        if !entry.file_type().is_file() {
            continue;
        }
        let Some(key) = entry.path().strip_prefix(root).ok().and_then(Path::to_str) else {
            tracing::warn!("{}: skipped, its name is not UTF-8", entry.path().display());
            continue;
        };
        match entry.metadata() {
            Ok(metadata) => {
                let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
                objects.push(Object { key: key.to_owned(), bytes: metadata.len(), e_tag: None, modified });
            }
            Err(error) => left_out(&error),
        }
    }
    objects.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(objects)
}

fn left_out(error: &walkdir::Error) {
    let path = error.path().unwrap_or(Path::new(""));
    let gone = error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
    if !gone {
        tracing::warn!("{}: skipped: {error}", path.display());
    } else if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        tracing::warn!("{}: skipped, the link is broken", path.display());
    }
    // Otherwise it was removed while the folder was listed.
}

#[cfg(test)]
mod tests {
    use std::os::unix::{ffi::OsStrExt, fs::symlink};

    use super::*;

    #[test]
    fn what_cannot_be_listed_is_left_out_and_the_rest_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["a/file", "skip/file", "b/skip/file", "odd name %25#7"] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "xy").unwrap();
        }
        fs::write(root.join(std::ffi::OsStr::from_bytes(b"not-\xff-utf8")), "").unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        symlink("..", root.join("a/circle")).unwrap();
        symlink("a", root.join("link")).unwrap();
        let keys = |prefix, except| -> Vec<String> {
            objects(root, prefix, except).unwrap().into_iter().map(|object| object.key).collect()
        };
        assert_eq!(keys("", Some("skip")), ["a/file", "link/file", "odd name %25#7"]);
        assert_eq!(keys("skip", None), ["skip/file"]);
        assert!(keys("absent", None).is_empty());
        assert_eq!(objects(root, "a", None).unwrap()[0].bytes, 2);
    }
}
