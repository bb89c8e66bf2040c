//! A month published on a server that fails on demand: whatever happens on the way, the same bytes arrive.

use std::{fs, path::Path, sync::Arc};

use super::{
    Trial, program, said,
    stub::{Fault, Stub},
};

/// All of them.
pub fn trials(folder: &Path, file: &str) -> crate::Result<Vec<Trial>> {
    let raw = Arc::new(fs::read(folder.join(file))?);
    let mut expected = None;
    let mut trials = Vec::new();
    for (fault, name) in [
        (None, "a working server"),
        (Some(Fault::Unavailable), "every third answer is 503"),
        (Some(Fault::Reset), "every third connection is cut before the answer"),
        (Some(Fault::Truncated), "every third answer ends in its middle"),
        (Some(Fault::Breaks), "every connection ends after 1,000,000 bytes"),
    ] {
        let stub = Stub::start(fault)?;
        stub.put(&format!("raw-data/{file}"), &raw);
        let output = program(folder)?
            .args(["run", "--month", "2013-09", "--cache-gb", "0", "--store", "s3://bucket"])
            .env("AWS_ENDPOINT_URL", stub.address())
            .env("AWS_ACCESS_KEY_ID", "selftest")
            .env("AWS_SECRET_ACCESS_KEY", "selftest")
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("S3_RETRY_ATTEMPTS", "12")
            .output()?;
        let (code, message) = said(&output);
        let published = stub.object("processed-data/monthly/2013/09/monthly_", ".parquet");
        let same = published.is_some() && expected.get_or_insert_with(|| published.clone()) == &published;
        let injected = stub.injected();
        trials.push(Trial {
            fault: name.to_owned(),
            expected: "exit code 0, and the bytes of a working server".into(),
            found: match (same, &*message) {
                (true, "") => format!("{code}, {injected} faults, the same bytes"),
                (true, message) => format!("{code}, {injected} faults, the same bytes; {message}"),
                (false, message) => format!("{code}, {injected} faults, different bytes or none; {message}"),
            },
            passed: code == "exit code 0" && same && (injected > 0) == fault.is_some(),
        });
    }
    Ok(trials)
}
