//! The settings that say how a bucket is reached, looked at before anything is built from them: what is below takes some of
//! them for right and panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use object_store::aws::AmazonS3Builder;
use reqwest::Url;

use super::StoreError;

/// A value that the settings of S3 cannot have; secrets are not shown.
fn wrong(name: &str, value: &str, expected: &str) -> StoreError {
    let secret = ["SECRET", "TOKEN", "KEY"].into_iter().any(|part| name.to_uppercase().contains(part));
    let shown: String = value.chars().take(100).flat_map(char::escape_debug).collect();
    let found = if secret { "its value".to_owned() } else { format!("'{shown}'") };
    StoreError::Setting { name: name.to_owned(), found, expected: expected.to_owned() }
}

/// Where a server is: `http://` or `https://` and a host, and no password.
///
/// # Errors
/// [`StoreError::Setting`].
pub fn endpoint(name: &str, value: &str) -> Result<(), StoreError> {
    let expected = "http:// or https:// with a host and perhaps a port, such as http://localhost:9000";
    let good = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| !host.is_empty())
            && (url.username(), url.password(), url.query(), url.fragment()) == ("", None, None, None)
    };
    let visible = value.bytes().all(|byte| byte.is_ascii_graphic());
    // Parsing forgives what building a request does not.
    let whole = value.starts_with("http://") || value.starts_with("https://");
    let requested = value.parse::<http::Uri>().is_ok();
    match Url::parse(value) {
        Ok(url) if good(&url) && visible && whole && requested => Ok(()),
        _ => Err(wrong(name, value, expected)),
    }
}

/// A region's name.
///
/// # Errors
/// [`StoreError::Setting`].
pub fn region(name: &str, value: &str) -> Result<(), StoreError> {
    let good = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if good && !value.is_empty() { Ok(()) } else { Err(wrong(name, value, "the name of a region, such as us-east-1")) }
}

/// A key or a token: it goes into the head of a request.
///
/// # Errors
/// [`StoreError::Setting`].
pub fn token(name: &str, value: &str) -> Result<(), StoreError> {
    let good = value.bytes().all(|byte| byte.is_ascii_graphic());
    if good && !value.is_empty() {
        Ok(())
    } else {
        Err(wrong(name, value, "ASCII without blanks and control characters"))
    }
}

/// The variables that begin with `AWS_`, each by itself.
///
/// # Errors
/// [`StoreError::Setting`] of the first that cannot be.
pub fn check(environment: &[(String, String)]) -> Result<(), StoreError> {
    for (name, value) in environment {
        match name.to_uppercase().as_str() {
            "AWS_ENDPOINT_URL"
            | "AWS_ENDPOINT"
            | "AWS_ENDPOINT_URL_S3"
            | "AWS_ENDPOINT_URL_STS"
            | "AWS_METADATA_ENDPOINT"
            | "AWS_PROXY_URL"
            | "AWS_CONTAINER_CREDENTIALS_FULL_URI" => endpoint(name, value)?,
            "AWS_REGION" | "AWS_DEFAULT_REGION" => region(name, value)?,
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" => {
                token(name, value)?;
                if !value.starts_with('/') {
                    return Err(wrong(name, value, "a path that begins with /"));
                }
            }
            "AWS_CONDITIONAL_PUT" if value != "etag" => {
                return Err(wrong(
                    name,
                    value,
                    "etag: without conditional writes two workers could overwrite each other",
                ));
            }
            _ => {}
        }
        let Ok(key) = name.to_lowercase().parse() else { continue };
        token(name, value)?;
        // One key alone is half of a pair.
        let others = AmazonS3Builder::new().with_bucket_name("b").with_region("r");
        let others = others.with_access_key_id("id").with_secret_access_key("secret");
        let build = || others.with_config(key, value).build();
        match catch_unwind(AssertUnwindSafe(build)) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(wrong(name, value, &format!("another value ({error})"))),
            Err(_) => return Err(wrong(name, value, "another value")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_keys_and_regions_that_cannot_be_are_named() {
        let one = |name: &str, value: &str| check(&[(name.to_owned(), value.to_owned())]);
        for good in ["http://localhost:9000", "https://s3.example.com", "http://[::1]:9000/", "https://h/path"] {
            assert!(one("AWS_ENDPOINT_URL", good).is_ok(), "{good}");
        }
        for bad in [
            "localhost:9000",
            "",
            "http://",
            "//h",
            "ftp://h",
            "http:h",
            "http://h:99999",
            "http://u:p@h",
            "http://a b",
            // Found by fuzzing: no request can be built of it, and the client panicked.
            "https://s3.example.com/`path",
        ] {
            let message = one("AWS_ENDPOINT_URL", bad).unwrap_err().to_string();
            assert!(message.contains("AWS_ENDPOINT_URL") && message.contains("http://localhost:9000"), "{message}");
        }
        let message = one("AWS_SECRET_ACCESS_KEY", "sesame\n").unwrap_err().to_string();
        assert!(message.contains("AWS_SECRET_ACCESS_KEY") && !message.contains("sesame"), "{message}");
        for (name, value) in [
            ("AWS_REGION", "eu west"),
            ("AWS_CONDITIONAL_PUT", "disabled"),
            ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "perhaps"),
            ("AWS_CHECKSUM_ALGORITHM", "md5"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "x"),
        ] {
            assert!(one(name, value).unwrap_err().to_string().contains(name), "{name}");
        }
        assert!(one("AWS_OF_ANOTHER_PROGRAM", "\u{1}").is_ok());
    }
}
