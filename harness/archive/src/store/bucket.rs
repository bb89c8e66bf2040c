//! A store that is a bucket of S3, or of a server that speaks as S3 does.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use object_store::{
    ClientOptions, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum},
    path::Path,
};
use tokio::runtime::Runtime;

use super::{StoreError, answer::Connector, profile, remote::Remote, settings};

/// How a remote store is asked.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// Longest that one request may take.
    pub timeout: Duration,
    /// Retries of a request.
    pub retries: u32,
}

/// The bucket, and what all keys in it begin with.
#[derive(Clone)]
pub struct Bucket {
    /// Its objects.
    pub s3: Arc<dyn Remote>,
    /// With a slash at its end, or empty.
    prefix: String,
    /// The setting that says where the server is, if one does.
    pub endpoint: Option<String>,
}

/// A connection that takes longer is not coming.
pub const CONNECT: Duration = Duration::from_secs(5);
/// A server that sends nothing for so long is gone.
pub const SILENCE: Duration = Duration::from_secs(60);

impl Bucket {
    /// Reaches `s3://bucket/prefix` with the keys, region and endpoint of the environment (its `AWS_` variables) or the
    /// AWS files.
    ///
    /// # Errors
    /// [`StoreError::Access`].
    pub fn open(name: &str, access: Access, environment: &[(String, String)]) -> Result<Self, StoreError> {
        let problem = |problem: String| StoreError::Access { store: name.to_owned(), problem };
        let rest = name.strip_prefix("s3://").unwrap_or_default();
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(StoreError::Name(name.to_owned()));
        }
        settings::check(environment)?;
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };

        let timeouts = ClientOptions::new()
            .with_timeout(access.timeout)
            .with_connect_timeout(CONNECT.min(access.timeout))
            .with_read_timeout(SILENCE.min(access.timeout));
        // We retry ourselves: each try is signed anew, and counted.
        let once = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        let known = environment.iter().filter_map(|(name, value)| Some((name.to_lowercase().parse().ok()?, value)));
        let mut builder = known
            .fold(AmazonS3Builder::new(), |builder, (key, value)| builder.with_config(key, value))
            .with_bucket_name(bucket)
            .with_client_options(timeouts)
            .with_retry(once)
            .with_checksum_algorithm(Checksum::CRC64NVME)
            // Not every server has it, and we delete a few objects at a time.
            .with_disable_bulk_delete(true)
            .with_http_connector(Connector::default());
        let set = |key: AmazonS3ConfigKey| builder.get_config_value(&key);
        let other_keys = [
            AmazonS3ConfigKey::WebIdentityTokenFile,
            AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
            AmazonS3ConfigKey::ContainerCredentialsFullUri,
        ];
        let keys =
            set(AmazonS3ConfigKey::AccessKeyId).is_some() || other_keys.into_iter().any(|key| set(key).is_some());
        let (region, endpoint) = (set(AmazonS3ConfigKey::Region), set(AmazonS3ConfigKey::Endpoint));
        let endpoint = set(AmazonS3ConfigKey::S3Endpoint).or(endpoint);
        let names = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
        let named = |name: &str| environment.iter().find(|(set, _)| set.eq_ignore_ascii_case(name));
        let mut said = names.into_iter().find_map(named).map(|(name, endpoint)| format!("{name} is {endpoint}"));
        let profile =
            profile::read().or_else(|why| if keys { Ok(profile::Profile::default()) } else { Err(problem(why)) })?;
        if let Some((id, secret, session)) = &profile.keys {
            settings::token("aws_access_key_id of the AWS profile", id)?;
            settings::token("aws_secret_access_key of the AWS profile", secret)?;
            let name = "aws_session_token of the AWS profile";
            session.iter().try_for_each(|session| settings::token(name, session))?;
        }
        profile.region.iter().try_for_each(|region| settings::region("region of the AWS profile", region))?;
        if let Some((id, secret, token)) = profile.keys.filter(|_| !keys) {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
            builder = token.into_iter().fold(builder, AmazonS3Builder::with_token);
        }
        if region.is_none() {
            builder = profile.region.into_iter().fold(builder, AmazonS3Builder::with_region);
        }
        if let Some(of_profile) = profile.endpoint.as_ref().filter(|_| endpoint.is_none()) {
            settings::endpoint("endpoint_url of the AWS profile", of_profile)?;
            said = Some(format!("endpoint_url of the AWS profile is {of_profile}"));
        }
        let endpoint = endpoint.or(profile.endpoint);
        if let Some(endpoint) = endpoint {
            let plain = endpoint.starts_with("http://");
            builder = builder.with_endpoint(endpoint).with_allow_http(plain);
        }
        let s3 = builder.build().map_err(|error| problem(error.to_string()))?;
        let given = runtime(name)?.block_on(s3.credentials().get_credential());
        given.map_err(|_| {
            problem("no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE".into())
        })?;
        Ok(Self { s3: Arc::new(s3), prefix, endpoint: said })
    }

    /// One that a test makes up.
    #[cfg(test)]
    pub fn simulated(s3: Arc<dyn Remote>) -> Self {
        Self { s3, prefix: String::new(), endpoint: None }
    }

    /// Where an object lies in the bucket.
    pub fn location(&self, key: &str) -> Path {
        let full = self.full_key(key);
        Path::parse(&full).unwrap_or_else(|_| Path::from(full))
    }

    /// An object's key in the bucket.
    pub fn full_key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The key in this store of a key in the bucket; `None` for another store's.
    pub fn key_of<'a>(&self, full: &'a str) -> Option<&'a str> {
        full.strip_prefix(&self.prefix)
    }
}

/// The variables that say how AWS is reached.
///
/// # Errors
/// [`StoreError::Setting`] for one that is no text.
pub fn environment() -> Result<Vec<(String, String)>, StoreError> {
    let mut found = Vec::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str().filter(|name| name.starts_with("AWS_") && !value.is_empty()) else { continue };
        let value = value.into_string().map_err(|_| StoreError::Setting {
            name: name.to_owned(),
            found: "no text".into(),
            expected: "UTF-8".into(),
        })?;
        found.push((name.to_owned(), value));
    }
    Ok(found)
}

/// The threads that wait for remote stores.
pub fn runtime(name: &str) -> Result<Arc<Runtime>, StoreError> {
    static SHARED: OnceLock<Arc<Runtime>> = OnceLock::new();
    if let Some(shared) = SHARED.get() {
        return Ok(Arc::clone(shared));
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("store").enable_all().build();
    let runtime = runtime.map_err(|source| StoreError::Folder {
        path: name.to_owned(),
        action: "no threads for the store",
        source,
    })?;
    Ok(Arc::clone(SHARED.get_or_init(|| Arc::new(runtime))))
}
