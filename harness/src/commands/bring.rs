//! What the command line names as an input, as a file or a folder here.

use std::{
    fs::{self, File},
    io,
    path::{Component, Path, PathBuf},
};

use archive::store::{self, Object, Store};
use base::{error::Context, exit::Usage, interrupt};
use data::input::InputError;

use crate::settings::Settings;

/// Brings an input into `folder`, where it is not here yet: `-` is stdin, `s3://bucket/key` an object or all objects under a
/// prefix, `http://` and `https://` a file of a web server.
pub fn bring(input: &Path, folder: &Path, settings: &Settings) -> crate::Result<PathBuf> {
    let address = input.to_str().unwrap_or_default();
    if address == "-" {
        return spool(folder);
    }
    if let Some(rest) = address.strip_prefix("s3://") {
        return of_bucket(address, rest, folder, settings);
    }
    if address.starts_with("http://") || address.starts_with("https://") {
        let name = store::web::file_name(address)?;
        let path = folder.join(if name.is_empty() { "input" } else { &name });
        store::web::download(address, settings.access, &path)?;
        return Ok(path);
    }
    Ok(input.to_owned())
}

/// Stdin to a file: Parquet is read from its end.
fn spool(folder: &Path) -> crate::Result<PathBuf> {
    let path = folder.join("stdin");
    let mut file = File::create(&path)?;
    io::copy(&mut io::stdin().lock(), &mut file).context("reading stdin")?;
    Ok(path)
}

fn of_bucket(address: &str, rest: &str, folder: &Path, settings: &Settings) -> crate::Result<PathBuf> {
    let named = rest.trim_end_matches('/').rsplit_once('/').filter(|(_, name)| !name.is_empty());
    let Some((within, name)) = named else {
        return Err(Usage(format!("{address}: expected s3://bucket/key, of a file or of all files under it")).into());
    };
    let store = Store::open(&format!("s3://{within}"), settings.access)?;
    let path = folder.join(name);
    // Not every server answers well when it is asked for an object where it has a folder.
    let objects = store.list(name, None)?;
    if objects.is_empty() {
        let Some(object) = store.find(name)? else {
            let source = io::Error::new(io::ErrorKind::NotFound, "no object with this key, and none under it");
            return Err(InputError::File { path: address.to_owned(), source: Box::new(source.into()) }.into());
        };
        store.download(&object, &path)?;
        return Ok(path);
    }
    if let Some(Object { key, .. }) = objects.iter().find(|object| !is_plain(&object.key)) {
        return Err(Usage(format!("{address}: {key} is not a valid file name here; name its files one by one")).into());
    }
    for object in &objects {
        let path = folder.join(&object.key);
        // Not again where a signal has just removed all.
        interrupt::whole(|| path.parent().map_or(Ok(()), fs::create_dir_all))?;
        store.download(object, &path)?;
    }
    Ok(path)
}

/// Whether a key stays within a folder, as a path.
fn is_plain(key: &str) -> bool {
    !key.ends_with('/') && Path::new(key).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_within_its_folder() {
        for (key, plain) in [("a/b.dbn", true), ("../b", false), ("a/../../b", false), ("/b", false), ("a/", false)] {
            assert_eq!(is_plain(key), plain, "{key}");
        }
    }
}
