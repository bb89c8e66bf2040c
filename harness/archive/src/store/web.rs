//! A file of a web server, by its address.

use std::{fs::File, io::Write, path::Path};

use futures_util::TryStreamExt;
use object_store::{ClientOptions, Error, ObjectStoreExt, RetryConfig, http::HttpBuilder, path};
use reqwest::Url;

use super::{
    Access, StoreError,
    bucket::{CONNECT, SILENCE, runtime},
    error::innermost,
};

/// Copies what an address `http://` or `https://` names into a file. A line that breaks is followed by one that goes on.
///
/// # Errors
/// It is no address, nothing is there, or it does not come.
pub fn download(address: &str, access: Access, to: &Path) -> Result<(), StoreError> {
    let shown = without_secrets(address)?;
    let failed = |error| match error {
        Error::NotFound { .. } => StoreError::Setting {
            name: shown.clone(),
            found: "not there".into(),
            expected: "the address of a file".into(),
        },
        error => match StoreError::of(&shown, "downloading", "it", access.retries, error) {
            // The page that a server sends with its no says no more than the line before it.
            StoreError::Object { source, .. } => {
                let said = innermost(&source);
                let problem = said.lines().next().unwrap_or_default().trim_end_matches(['.', ':']).to_owned();
                StoreError::Access { store: shown.clone(), problem }
            }
            other => other,
        },
    };
    let unwritable = |source| StoreError::Folder {
        path: to.display().to_string(),
        action: "the download cannot be written",
        source,
    };
    // No time-out for the whole: a month may take long, a silent server may not.
    let options = ClientOptions::new()
        .with_allow_http(true)
        .with_timeout_disabled()
        .with_connect_timeout(CONNECT.min(access.timeout))
        .with_read_timeout(SILENCE.min(access.timeout));
    let retries = RetryConfig { max_retries: access.retries as usize, ..RetryConfig::default() };
    let store = HttpBuilder::new().with_url(address).with_client_options(options).with_retry(retries).build();
    let store = store.map_err(failed)?;
    let mut file = File::create(to).map_err(unwritable)?;
    runtime(&shown)?.block_on(async {
        // All of the address is that of the store, so that nothing of it is written in another way.
        let answer = store.get(&path::Path::default()).await.map_err(failed)?;
        let (expected, mut found) = (answer.meta.size, 0);
        let mut body = answer.into_stream();
        while let Some(bytes) = body.try_next().await.map_err(failed)? {
            found += bytes.len() as u64;
            file.write_all(&bytes).map_err(unwritable)?;
        }
        if found == expected { Ok(()) } else { Err(failed(super::small::short(expected, found))) }
    })
}

/// The name of the file that an address names; empty where it names none.
///
/// # Errors
/// It is no address.
pub fn file_name(address: &str) -> Result<String, StoreError> {
    let url = parse(address)?;
    Ok(url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default().to_owned())
}

/// An address without password and query, which may hold a key.
fn without_secrets(address: &str) -> Result<String, StoreError> {
    let mut url = parse(address)?;
    url.set_query(None);
    url.set_fragment(None);
    // Both succeed for an address with a host.
    let _ = url.set_password(None).and_then(|()| url.set_username(""));
    Ok(url.to_string())
}

fn parse(address: &str) -> Result<Url, StoreError> {
    let url = Url::parse(address).ok().filter(Url::has_host);
    url.ok_or_else(|| StoreError::Setting {
        name: "the address".into(),
        found: format!("'{}'", address.split('?').next().unwrap_or_default()),
        expected: "such as https://host/folder/file.dbn.zst".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_file_and_is_shown_without_its_keys() {
        let address = "https://me:sesame@host:8080/a%20b/glbx-mdp3-20241001.ohlcv-1s.dbn.zst?X-Amz-Signature=sesame#x";
        assert_eq!(file_name(address).unwrap(), "glbx-mdp3-20241001.ohlcv-1s.dbn.zst");
        let shown = without_secrets(address).unwrap();
        assert_eq!(shown, "https://host:8080/a%20b/glbx-mdp3-20241001.ohlcv-1s.dbn.zst");
        assert_eq!(file_name("http://host/").unwrap(), "");
        assert!(parse("http://").unwrap_err().to_string().contains("https://host/folder/file.dbn.zst"));
    }
}
