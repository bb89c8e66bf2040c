//! Bodies read and written by hand.

use std::{future::poll_fn, pin::Pin};

use hyper::body::{Body, Bytes};

/// Reads a body to its end, or until more than `enough` bytes are there.
///
/// # Errors
/// The other side broke off.
pub async fn read<B: Body<Data = Bytes> + Unpin>(mut body: B, enough: usize) -> Result<Bytes, B::Error> {
    let mut bytes = Vec::new();
    while bytes.len() <= enough
        && let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        if let Some(data) = frame?.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes.into())
}
