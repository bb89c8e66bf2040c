//! What a remote store can do: objects, uploads in parts, and requests that object_store does not know.

use std::{sync::OnceLock, time::Duration};

use super::{
    Tag,
    answer::{Connector, Still},
};
use async_trait::async_trait;
use http::{Method, Request, Response, StatusCode, header::IF_MATCH, request::Builder};
use object_store::{
    ClientOptions, Error, ObjectStore, Result,
    aws::AmazonS3,
    client::{HttpClient, HttpConnector, HttpRequestBody, HttpResponseBody},
    multipart::MultipartStore,
    path::Path,
    signer::{SignedUrlOptions, Signer},
};

/// See the module.
#[async_trait]
pub trait Remote: ObjectStore + MultipartStore {
    /// Deletes an object in this state, while a right is held.
    async fn delete_if(&self, location: &Path, expected: &Tag, still: Still) -> Result<()>;

    /// The answer to `GET` of the bucket with these queries.
    async fn ask_bucket(&self, query: Vec<(&str, String)>) -> Result<HttpResponseBody>;
}

/// Long enough to be sent.
const SIGNED_FOR: Duration = Duration::from_secs(300);

/// One for all, which keeps its connections; whether they are encrypted is said by the address.
fn client() -> Result<HttpClient> {
    static CLIENT: OnceLock<HttpClient> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    let client = Connector::default().connect(&ClientOptions::new().with_allow_http(true))?;
    Ok(CLIENT.get_or_init(|| client).clone())
}

/// Sends a request of ours, signed.
async fn send(
    s3: &AmazonS3,
    method: Method,
    location: &Path,
    query: Vec<(&str, String)>,
    with: impl FnOnce(Builder) -> Builder,
) -> Result<Response<HttpResponseBody>> {
    let sensible = |source: Box<dyn std::error::Error + Send + Sync>| Error::Generic { store: "S3", source };
    let options = SignedUrlOptions::default().with_query(query);
    let url = s3.signed_url_opts(method.clone(), location, SIGNED_FOR, &options).await?;
    let client = client()?;
    let request = with(Request::builder().method(method).uri(url.as_str())).body(HttpRequestBody::empty());
    let request = request.map_err(|error| sensible(error.into()))?;
    client.execute(request).await.map_err(|error| sensible(error.into()))
}

#[async_trait]
impl Remote for AmazonS3 {
    async fn delete_if(&self, location: &Path, expected: &Tag, still: Still) -> Result<()> {
        let e_tag = expected.0.clone().unwrap_or_default();
        let with = |request: Builder| request.header(IF_MATCH, e_tag).extension(still);
        let answer = send(self, Method::DELETE, location, Vec::new(), with).await?;
        let source = format!("the server answered {}", answer.status()).into();
        match answer.status() {
            StatusCode::PRECONDITION_FAILED => Err(Error::Precondition { path: location.to_string(), source }),
            status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(()),
            _ => Err(Error::Generic { store: "S3", source }),
        }
    }

    async fn ask_bucket(&self, query: Vec<(&str, String)>) -> Result<HttpResponseBody> {
        send(self, Method::GET, &Path::default(), query, |request| request).await.map(Response::into_body)
    }
}
