//! A stream in a conversation with an upstream: the request's body, and the way back to the client.

use super::pieces::{data_of, poll_capacity};
use super::response;
use super::upload::Upload;
use crate::drivers::upstream::{BodyFraming, Client, ForwardError, Link, Received, Taken, UploadError, UploadState};
use crate::exchange::{Failure, Forward, Replying, RequestHead, ResponseFault, Shown};
use crate::upstream::{Connection, Share};
use bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Response, StatusCode};
use s3cors_http1::body::BodyReader;
use s3cors_http1::body_length::BodyLength;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncReadExt, AsyncWrite};

/// How much of a body is read at a time, in bytes. As much again may wait in the `h2` crate.
const READ: usize = 64 * 1024;
/// A read of less than this is copied, so that a body that comes in drops does not hold a whole buffer for each.
const WORTH_ITS_BUFFER: usize = 16 * 1024;

/// A client's stream.
pub(super) struct Side {
    respond: SendResponse<Bytes>,
    body: Option<SendStream<Bytes>>,
    sent: u64,
    upload: Upload,
    /// Set while the request's body goes on beside the response.
    is_uploading: bool,
    framing: BodyFraming,
    share: Share,
}

impl Side {
    pub(super) fn new(respond: SendResponse<Bytes>, body: RecvStream, length: BodyLength, share: Share) -> Self {
        let framing = if length == BodyLength::Chunked { BodyFraming::Chunked } else { BodyFraming::AsItCame };
        Self { respond, body: None, sent: 0, upload: Upload::new(body, length), is_uploading: false, framing, share }
    }

    /// Takes the body, to be read whole.
    pub(super) fn take_body(&mut self) -> Option<RecvStream> {
        self.upload.take_body()
    }

    /// Sends a reply.
    pub(super) fn reply<H: RequestHead>(&mut self, reply: Replying<H>) {
        self.upload.discard();
        let body = reply.body();
        if self.send_head(response::of_reply(&reply), body.is_empty()).is_err() {
            return;
        }
        let length = body.len();
        if length > 0 {
            // A client that is gone by now has had the head.
            let _ = self.send_now(body, true);
        }
        reply.sent(length);
    }

    /// Tells the client to send its body.
    pub(super) fn send_continue(&mut self) -> Result<(), Failure> {
        let mut interim = Response::new(());
        *interim.status_mut() = StatusCode::CONTINUE;
        self.respond.send_informational(interim).map_err(|_| Failure::ClientGone)
    }

    /// Sends the response's head, which ends the response where it has no body.
    fn send_head(&mut self, head: Response<()>, ends: bool) -> Result<(), h2::Error> {
        self.body = Some(self.respond.send_response(head, ends)?);
        Ok(())
    }

    /// Sends a small piece of the body whatever the client's window is: it leaves together with the head where it can.
    fn send_now(&mut self, data: Bytes, ends: bool) -> Result<(), h2::Error> {
        let Some(body) = &mut self.body else { return Ok(()) };
        self.sent += data.len() as u64;
        body.send_data(data, ends)
    }

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
            Err(UploadError::Invalid(_)) => {
                // The body can never be whole: the upstream need not wait for its rest.
                let _ = Pin::new(upstream).poll_shutdown(context);
                Poll::Ready(Ok(()))
            }
        }
    }

    fn poll_reset(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let reset = match &mut self.body {
            Some(body) => body.poll_reset(context),
            None => self.respond.poll_reset(context),
        };
        reset.map(drop)
    }

    /// Ends the stream as one that is no request.
    pub(super) fn reset(&mut self, reason: Reason) {
        self.upload.discard();
        self.respond.send_reset(reason);
    }

    /// Breaks off a response that was begun. A clean end would make a part of it look like the whole (RFC 9113 §8.1).
    pub(super) fn cut(&mut self, failure: Failure) {
        let reason = if failure.is_client_gone() { Reason::CANCEL } else { Reason::INTERNAL_ERROR };
        match &mut self.body {
            Some(body) => body.send_reset(reason),
            None => self.respond.send_reset(reason),
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
    async fn relay_rest<H: RequestHead>(
        &mut self,
        reader: &mut BodyReader,
        forward: &mut Forward<H>,
        (link, status): (&mut Link<'_>, u16),
    ) -> Result<bool, Failure> {
        let (mut buffer, mut has_excess) = (BytesMut::new(), false);
        while !reader.has_ended() {
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

impl Client for Side {
    fn framing(&self) -> BodyFraming {
        self.framing
    }

    fn share(&self) -> Option<&Share> {
        Some(&self.share)
    }

    /// Most requests are written at once; what is not goes on while a response is waited for.
    async fn begin(&mut self, head: BytesMut, link: &mut Link<'_>) -> Result<Taken, Failure> {
        let mut head = Some(head);
        poll_fn(|context| {
            let begun = self.upload.begin(head.take().unwrap_or_default(), context);
            let stepped = begun.and_then(|()| match self.upload.poll_step(context, link.upstream) {
                Poll::Ready(stepped) => stepped,
                Poll::Pending => Ok(()),
            });
            Poll::Ready(match stepped {
                Ok(()) => Ok(Taken::Yes),
                Err(UploadError::Upstream) => Ok(Taken::No),
                Err(UploadError::Client) => Err(Failure::ClientGone),
                Err(UploadError::Invalid(fault)) => Err(Failure::InvalidRequest(fault)),
            })
        })
        .await
    }

    fn upload(&self) -> UploadState {
        UploadState {
            is_done: self.upload.is_done(),
            is_writing: self.upload.is_writing(),
            has_read: self.upload.has_read(),
            received: self.upload.moved(),
        }
    }

    fn poll_upload(&mut self, context: &mut Context<'_>, upstream: &mut Connection) -> Poll<Result<(), UploadError>> {
        match self.upload.poll_step(context, upstream) {
            // An upstream that does not read is not waited for without a client.
            Poll::Pending => self.poll_reset(context).map(|()| Err(UploadError::Client)),
            ready => ready,
        }
    }

    /// Ready when the client has reset the stream, or is gone.
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_reset(context)
    }

    /// RFC 9113 §8.1.
    async fn interim(&mut self, interim: Received<'_>, _: &mut Link<'_>) -> Result<(), ForwardError> {
        let head = response::interim(&interim.head, interim.bytes).ok_or(ForwardError::Failed(INVALID_LINE))?;
        let sent = self.respond.send_informational(head);
        sent.map_err(|_| ForwardError::Failed(Failure::ClientNotReading))
    }

    async fn relay<H: RequestHead>(
        &mut self,
        response: Received<'_>,
        shown: Shown,
        forward: &mut Forward<H>,
        link: &mut Link<'_>,
    ) -> Result<bool, ForwardError> {
        let Received { head, bytes } = response;
        let mut reader = BodyReader::of_response(head.body(forward.head().method() == "HEAD"));
        let is_until_close = reader.is_until_close();
        self.is_uploading = !self.upload.is_done();
        if !self.is_uploading {
            self.upload.discard();
        }
        let (first, has_excess) = data_of(&mut reader, &bytes.slice(head.bytes().len()..))
            .map_err(|broken| ForwardError::Failed(Failure::of_response_body(broken)))?;
        forward.body(&first);
        let vary = head.lines().filter(|each| each.name.eq_ignore_ascii_case(b"vary")).map(|each| each.value);
        let shown_head = response::for_client(&forward.edits(shown, vary), &head, bytes);
        let shown_head = shown_head.ok_or(ForwardError::Failed(INVALID_LINE))?;
        let (status, ends) = (shown_head.status().as_u16(), reader.has_ended());
        let sent = self.send_head(shown_head, ends && first.is_empty());
        sent.map_err(|_| ForwardError::Failed(Failure::ClientNotReading))?;
        forward.tally().status = status;
        if !first.is_empty() {
            let sent = self.send_now(first, ends);
            forward.tally().response_bytes = self.sent;
            sent.map_err(|_| ForwardError::Cut(Failure::ClientNotReading))?;
        }
        let rest = self.relay_rest(&mut reader, forward, (link, status)).await;
        let is_done = self.upload.is_done();
        // The response has ended: the rest of the body has no reader.
        self.upload.discard();
        let has_more = rest.map_err(ForwardError::Cut)?;
        Ok(!is_until_close && is_done && !has_excess && !has_more)
    }
}

fn gone(_: h2::Error) -> Failure {
    Failure::ClientNotReading
}

const INVALID_LINE: Failure = Failure::InvalidResponse(ResponseFault::Line);
