//! Errors as S3 words them.

use hyper::{Response, header};
use s3s::Body;

/// An error answer.
pub fn refusal(status: u16, code: &str) -> Response<Body> {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{code}, says the test server.\
         </Message><RequestId>0</RequestId><HostId>0</HostId></Error>"
    );
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, "application/xml");
    answer.body(Body::from(body)).unwrap()
}
