//! Bodies read and written piece by piece.

use std::{
    collections::VecDeque,
    error::Error,
    future::{Future, poll_fn},
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::body::{Body, Bytes, Frame};
use tokio::time::{Sleep, sleep};

/// Reads a body to its end, or until more than `enough` bytes are there.
///
/// # Errors
/// The other side broke off.
pub async fn read<B>(mut body: B, enough: usize) -> io::Result<Bytes>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    let mut bytes = Vec::new();
    while bytes.len() <= enough
        && let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        if let Some(data) = frame.map_err(io::Error::other)?.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes.into())
}

/// A body that takes its time, or ends before its end.
pub struct Pieces {
    left: VecDeque<Bytes>,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    breaks: bool,
}

impl Pieces {
    /// In eight pieces with a pause before each.
    pub fn slow(whole: Bytes, pause: Duration) -> Self {
        let size = whole.len().div_ceil(8).max(1);
        let left = (0..whole.len()).step_by(size).map(|at| whole.slice(at..whole.len().min(at + size))).collect();
        Self { left, pause, waiting: Some(Box::pin(sleep(pause))), breaks: false }
    }

    /// After these bytes the connection is closed.
    pub fn broken(bytes: Bytes) -> Self {
        Self { left: [bytes].into(), pause: Duration::ZERO, waiting: None, breaks: true }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(context));
            self.waiting = (self.left.len() > 1).then(|| Box::pin(sleep(self.pause)));
        }
        Poll::Ready(match self.left.pop_front() {
            Some(piece) => Some(Ok(Frame::data(piece))),
            None if self.breaks => Some(Err(io::ErrorKind::ConnectionReset.into())),
            None => None,
        })
    }
}
