//! The rest of a response's body on its way to a stream, while the request's goes on beside it.

use super::pieces::{data_of, poll_capacity};
use super::side::Side;
use crate::drivers::turn::Turns;
use crate::drivers::upstream::{Client, Link, UploadError};
use crate::exchange::{Failure, Forward, RequestHead};
use crate::upstream::Connection;
use bytes::{Bytes, BytesMut};
use s3cors_http1::body::BodyReader;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncReadExt, AsyncWrite};

/// How much of a body is read at a time, in bytes. As much again may wait in the `h2` crate.
const READ: usize = 64 * 1024;
/// A read of less than this is copied, so that a body that comes in drops does not hold a whole buffer for each.
const WORTH_ITS_BUFFER: usize = 16 * 1024;

impl Side {
    /// Waits until the client takes something. Only then is more read of the response: what is read and not taken is held here.
    async fn await_room(&mut self, link: &mut Link<'_>) -> Result<(), Failure> {
        let body = self.body.as_mut().ok_or(Failure::ClientNotReading)?;
        if body.capacity() == 0 {
            // One byte only: the connection's window is not to be held while an upstream is waited for.
            body.reserve_capacity(1);
        }
        if body.capacity() == 0 {
            self.room(link).await?;
        }
        Ok(())
    }

    /// Sends a piece of the body as the client's window allows. The client may take its time for each part of it.
    async fn send_body(&mut self, mut data: Bytes, ends: bool, link: &mut Link<'_>) -> Result<(), Failure> {
        if data.is_empty() {
            return if ends { self.send_now(data, true).map_err(gone) } else { Ok(()) };
        }
        while !data.is_empty() {
            let body = self.body.as_mut().ok_or(Failure::ClientNotReading)?;
            body.reserve_capacity(data.len());
            let capacity = match body.capacity() {
                0 => self.room(link).await?,
                capacity => capacity,
            };
            let part = data.split_to(capacity.min(data.len()));
            self.send_now(part, ends && data.is_empty()).map_err(gone)?;
        }
        Ok(())
    }

    /// Waits for room in the client's window, while the request's body goes on.
    async fn room(&mut self, link: &mut Link<'_>) -> Result<usize, Failure> {
        loop {
            let upstream = &mut *link.upstream;
            let moved = poll_fn(|context| {
                let Some(body) = &mut self.body else { return Poll::Ready(Err(Failure::ClientNotReading)) };
                match poll_capacity(body, context) {
                    Poll::Ready(room) => Poll::Ready(room.ok_or(Failure::ClientNotReading)),
                    Poll::Pending => self.poll_beside(context, upstream).map(|moved| moved.map(|()| 0)),
                }
            });
            let moved = link.timer.within(link.limits.body_write, moved).await;
            match moved.map_err(|_| Failure::ClientNotReading)?? {
                0 => {}
                room => return Ok(room),
            }
        }
    }

    /// Moves some of the request's body beside the response. An error in it ends the body, not the response: the upstream may have said
    /// already that it does not want the rest.
    fn poll_beside(&mut self, context: &mut Context<'_>, upstream: &mut Connection) -> Poll<Result<(), Failure>> {
        if !self.is_uploading {
            return Poll::Pending;
        }
        let moved = ready!(self.upload.poll_step(context, upstream));
        self.is_uploading = moved.is_ok() && !self.upload.is_done();
        match moved {
            Ok(()) | Err(UploadError::Upstream) => Poll::Ready(Ok(())),
            Err(UploadError::Client) => Poll::Ready(Err(Failure::ClientGone)),
            Err(UploadError::Invalid(_) | UploadError::TooLarge) => {
                // The body can never be whole: the upstream need not wait for its rest.
                let _ = Pin::new(upstream).poll_shutdown(context);
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Reads what is there of a response's body, while the request's goes on; nothing is the end of the connection.
    async fn read_body(
        &mut self,
        buffer: &mut BytesMut,
        reader: &BodyReader,
        (link, status): (&mut Link<'_>, u16),
    ) -> Result<Bytes, Failure> {
        let expected = reader.left().and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
        loop {
            let (limit, late) = if self.is_uploading {
                link.patience_beside(self.upload(), status)
            } else {
                (link.timeouts.read, Failure::UpstreamTimeout)
            };
            let upstream = &mut *link.upstream;
            let moved = poll_fn(|context| {
                // Both in each round: a response that is always there to read does not stop the upload.
                let beside = self.poll_beside(context, upstream);
                if let Poll::Ready(Err(failure)) = beside {
                    return Poll::Ready(Err(failure));
                }
                if buffer.capacity() < WORTH_ITS_BUFFER {
                    buffer.reserve(expected.min(READ));
                }
                let polled = pin!(upstream.read_buf(buffer)).poll(context);
                if let Poll::Ready(read) = polled {
                    return Poll::Ready(read.map(Some).map_err(|_| Failure::UpstreamClosed));
                }
                // A body that is waited for holds no buffer.
                *buffer = BytesMut::new();
                if self.poll_reset(context).is_ready() {
                    return Poll::Ready(Err(Failure::ClientNotReading));
                }
                beside.map(|moved| moved.map(|()| None))
            });
            let Some(length) = link.timer.within(limit, moved).await.map_err(|_| late)?? else { continue };
            if length < WORTH_ITS_BUFFER && buffer.capacity() >= WORTH_ITS_BUFFER {
                let copied = Bytes::copy_from_slice(buffer);
                buffer.clear();
                return Ok(copied);
            }
            return Ok(buffer.split().freeze());
        }
    }

    /// Passes on the rest of a response's body. Returns true if something came after it.
    pub(super) async fn relay_rest<H: RequestHead>(
        &mut self,
        reader: &mut BodyReader,
        forward: &mut Forward<H>,
        (link, status): (&mut Link<'_>, u16),
    ) -> Result<bool, Failure> {
        let (mut buffer, mut has_excess, mut turns) = (BytesMut::new(), false, Turns::default());
        while !reader.has_ended() {
            turns.pass(self.sent).await;
            self.await_room(link).await?;
            let read = self.read_body(&mut buffer, reader, (&mut *link, status)).await?;
            let taken = if read.is_empty() { reader.close().map(|()| (read, false)) } else { data_of(reader, &read) };
            let (data, has_more) = taken.map_err(Failure::of_response_body)?;
            has_excess |= has_more;
            forward.body(&data);
            let sent = self.send_body(data, reader.has_ended(), link).await;
            forward.tally().response_bytes = self.sent;
            sent?;
        }
        Ok(has_excess)
    }
}

fn gone(_: h2::Error) -> Failure {
    Failure::ClientNotReading
}
