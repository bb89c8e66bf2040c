//! A server's answers, looked at before object_store does: it tells neither a full disk from a passing fault nor an
//! error in a success from a success.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use object_store::{
    ClientOptions, Error,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
    },
};

/// Answers up to this size are looked into for an error; those of data are larger, those of commands smaller.
const SMALL: u64 = 64 << 10;

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server answered {status}{}{}{}", part(" ", code, ""), part(" (", message, ")"), part("; ", self.advice(), ""))]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// S3's name of the error.
    pub code: String,
    message: String,
    /// How long the server wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// An error and its causes.
pub(super) fn causes<'a>(error: &'a Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |cause| cause.source())
}

/// A text between two others, or nothing.
fn part(before: &str, text: impl AsRef<str>, after: &str) -> String {
    let text = text.as_ref();
    if text.is_empty() { String::new() } else { format!("{before}{text}{after}") }
}

impl Refusal {
    /// The refusal that caused an error.
    pub fn of(error: &Error) -> Option<&Self> {
        causes(error).find_map(|cause| cause.downcast_ref())
    }

    fn new(status: u16, body: &str, retry_after: Option<Duration>) -> Self {
        let of = |tag: &str| {
            let (_, rest) = body.split_once(&format!("<{tag}>"))?;
            rest.split_once(&format!("</{tag}>")).map(|(text, _)| text.trim().chars().take(200).collect())
        };
        Self { status, code: of("Code").unwrap_or_default(), message: of("Message").unwrap_or_default(), retry_after }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self.code.as_str() {
            // A full disk and a method that is not there stay so.
            "XMinioStorageFull" | "InsufficientStorage" | "QuotaExceeded" | "NotImplemented" | "MethodNotAllowed" => {
                false
            }
            // The request was damaged on its way.
            "BadDigest"
            | "XAmzContentSHA256Mismatch"
            | "IncompleteBody"
            | "RequestTimeout"
            | "SlowDown"
            | "InternalError"
            | "OperationAborted"
            | "ConditionalRequestConflict"
            | "WholeObject" => true,
            _ => matches!(self.status, 200..300 | 408 | 429 | 500 | 502..=504),
        }
    }

    /// What to do about it.
    fn advice(&self) -> &'static str {
        match self.code.as_str() {
            "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken" | "NotSignedUp" => {
                "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
            }
            "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
                "the credentials have expired: get new ones and run again"
            }
            "RequestTimeTooSkewed" | "RequestExpired" => "this machine's clock is wrong: set it and run again",
            "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => {
                "the credentials lack a permission for this: `harness doctor` says which"
            }
            "NoSuchBucket" | "InvalidBucketName" => "create the bucket, or correct --store or S3_BUCKET",
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
                "the bucket is in another region: set AWS_DEFAULT_REGION"
            }
            "XMinioStorageFull" | "InsufficientStorage" | "QuotaExceeded" => "the store is full: free some space",
            _ => match self.status {
                301 | 307 => "the bucket is in another region: set AWS_DEFAULT_REGION",
                401 | 403 => "check the credentials and their permissions: `harness doctor`",
                507 => "the store is full: free some space",
                _ => "",
            },
        }
    }
}

/// Whether a right is still held: asked once more when a request is signed and about to be sent. Servers take a signed
/// request for a quarter of an hour, so one that waits longer after that look does nothing.
#[derive(Clone)]
pub struct Still(Arc<dyn Fn() -> bool + Send + Sync>);

impl Still {
    /// A right that is asked for.
    pub fn new(holds: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(holds))
    }

    /// Of what needs no right, or one that nobody takes.
    pub fn always() -> Self {
        Self::new(|| true)
    }

    /// Asks.
    pub fn holds(&self) -> bool {
        (self.0)()
    }

    /// For the options of a request.
    pub fn extensions(&self) -> http::Extensions {
        let mut extensions = http::Extensions::new();
        extensions.insert(self.clone());
        extensions
    }
}

/// Makes clients that look at their answers.
#[derive(Debug, Default)]
pub struct Connector(ReqwestConnector);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Watched(self.0.connect(options)?)))
    }
}

#[derive(Debug)]
struct Watched(HttpClient);

#[async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if request.extensions().get::<Still>().is_some_and(|still| !still.holds()) {
            return Err(HttpError::new(
                HttpErrorKind::Unknown,
                io::Error::other("the lease was lost, nothing was sent"),
            ));
        }
        let ranged = request.headers().contains_key("range");
        let response = self.0.execute(request).await?;
        let status = response.status().as_u16();
        let number = |name: &str| -> Option<u64> { response.headers().get(name)?.to_str().ok()?.parse().ok() };
        let (length, retry_after) = (number("content-length"), number("retry-after").map(Duration::from_secs));
        let refused = |body: &str| HttpError::new(HttpErrorKind::Unknown, Refusal::new(status, body, retry_after));
        match status {
            200 if ranged => Err(refused("<Code>WholeObject</Code><Message>expected a part of the object</Message>")),
            200..300 if length.is_none_or(|length| length > SMALL) => Ok(response),
            200..300 => {
                let (parts, body) = response.into_parts();
                let body = body.bytes().await?;
                match std::str::from_utf8(&body) {
                    Ok(text) if is_error(text) => Err(refused(text)),
                    _ => Ok(HttpResponse::from_parts(parts, body.into())),
                }
            }
            304 | 409 | 412 => Ok(response),
            404 => {
                // No such object is an answer, no such bucket is not.
                let (parts, body) = response.into_parts();
                let body = body.bytes().await?;
                match std::str::from_utf8(&body) {
                    Ok(text) if text.contains("<Code>NoSuchBucket</Code>") => Err(refused(text)),
                    _ => Ok(HttpResponse::from_parts(parts, body.into())),
                }
            }
            _ => {
                let body = response.into_body().bytes().await.unwrap_or_default();
                Err(refused(&String::from_utf8_lossy(&body)))
            }
        }
    }
}

/// Whether the body of a success says that it is none: S3 begins some answers before it knows.
fn is_error(body: &str) -> bool {
    let body = body.trim_start();
    let body = if body.starts_with("<?xml") { body.split_once("?>").map_or("", |(_, rest)| rest) } else { body };
    body.trim_start().starts_with("<Error>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_to_do_and_whether_to_try_again() {
        let body =
            |code: &str| format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>no</Message></Error>");
        let refusal = |status, code| Refusal::new(status, &body(code), None);
        for (status, code, transient, advice) in [
            (403, "InvalidAccessKeyId", false, "AWS_ACCESS_KEY_ID"),
            (400, "ExpiredToken", false, "expired"),
            (403, "RequestTimeTooSkewed", false, "clock"),
            (403, "AccessDenied", false, "doctor"),
            (507, "XMinioStorageFull", false, "free some space"),
            (500, "InternalError", true, "(no)"),
            (503, "SlowDown", true, "503"),
            (200, "InternalError", true, "200"),
            (400, "BadDigest", true, "400"),
            (400, "InvalidArgument", false, "InvalidArgument"),
        ] {
            let refusal = refusal(status, code);
            assert_eq!(refusal.is_transient(), transient, "{code}");
            assert!(refusal.to_string().contains(advice), "{refusal}");
        }
        assert!(is_error(&body("SlowDown")) && !is_error("<CopyObjectResult></CopyObjectResult>") && !is_error("{}"));
    }
}
