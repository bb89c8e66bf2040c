//! No environment ends in a panic.

use std::time::Duration;

use base::exit;
use rand::{RngExt, SeedableRng};

use super::{Access, Store};

#[test]
fn no_environment_and_no_endpoint_end_in_a_panic_and_each_error_names_a_setting() {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(4);
    let names = [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT",
        "AWS_ENDPOINT_URL_S3",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
        "AWS_CHECKSUM_ALGORITHM",
        "AWS_CONDITIONAL_PUT",
        "AWS_COPY_IF_NOT_EXISTS",
        "AWS_UNSIGNED_PAYLOAD",
        "AWS_SKIP_SIGNATURE",
        "AWS_S3_EXPRESS",
        "AWS_REQUEST_PAYER",
        "AWS_SERVER_SIDE_ENCRYPTION",
        "AWS_SSE_KMS_KEY_ID",
        "AWS_SSE_CUSTOMER_KEY_BASE64",
        "AWS_METADATA_ENDPOINT",
        "AWS_ENDPOINT_URL_STS",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_ALLOW_HTTP",
        "AWS_TIMEOUT",
        "AWS_PROXY_URL",
        "AWS_USER_AGENT",
        "AWS_DEFAULT_CONTENT_TYPE",
        "AWS_POOL_MAX_IDLE_PER_HOST",
        "AWS_HTTP1_ONLY",
    ];
    let values = [
        "localhost:9000",
        "",
        " ",
        "http://",
        "https://",
        "//host",
        "http:///",
        "http://[::1",
        "http://h:99999",
        "ftp://h",
        "http://u:p@h",
        "http://127.0.0.1:1/a?b#c",
        "http://\u{fc}",
        "\u{0}",
        "a\nb",
        "\r\n",
        "\u{7f}",
        "\u{1F4A5}",
        "true",
        "perhaps",
        "-1",
        "1e99",
        "99999999999999999999",
        "1s",
        "%",
        "%zz",
        "../..",
        "*",
        "http://*",
        "http://127.0.0.1:1",
        "http://127.0.0.1:1//",
        "mailto:a",
        "data:,",
        "file:///etc",
        "http://.",
        "http://..",
        "http:// h",
        "unix:/x",
        "[",
        "]",
        "@",
        ":",
        ":80",
        "localhost",
    ];
    let mut failed = 0;
    for round in 0..1000 {
        let mut environment: Vec<(String, String)> = [
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for _ in 0..random.random_range(1..4) {
            let name = names[random.random_range(0..names.len())];
            let mut value = values[random.random_range(0..values.len())].to_owned();
            if random.random_range(0..4) == 0 {
                value.extend((0..random.random_range(0..9)).map(|_| random.random::<char>()));
            }
            environment.retain(|(known, _)| known != name);
            environment.push((name.to_owned(), value));
        }
        let access = Access { timeout: Duration::from_millis(100), retries: 0 };
        let tried = std::panic::catch_unwind(|| {
            let store = Store::in_bucket("s3://bucket/prefix", access, &environment)?;
            store.list("processed-data", None)?;
            store.read("a").map(|_| ())
        });
        let found = tried.unwrap_or_else(|_| panic!("round {round}: {environment:?}"));
        // Nothing is where it could be asked.
        let error = exit::sentence(&found.unwrap_err().into());
        assert!(environment.iter().any(|(name, _)| error.contains(&**name)), "round {round}: {environment:?}: {error}");
        assert!(!error.contains("'secret'"), "{error}");
        failed += 1;
    }
    assert_eq!(failed, 1000);
}
