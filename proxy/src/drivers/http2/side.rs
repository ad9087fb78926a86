//! A stream in a conversation with an upstream: the request's body, and the way back to the client.

use super::pieces::data_of;
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
use std::task::{Context, Poll};

/// A client's stream.
pub(super) struct Side {
    respond: SendResponse<Bytes>,
    /// The way to the client, once the response's head is sent.
    pub(super) body: Option<SendStream<Bytes>>,
    /// The bytes of the body that were sent.
    pub(super) sent: u64,
    pub(super) upload: Upload,
    /// Set while the request's body goes on beside the response.
    pub(super) is_uploading: bool,
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
    pub(super) fn send_now(&mut self, data: Bytes, ends: bool) -> Result<(), h2::Error> {
        let Some(body) = &mut self.body else { return Ok(()) };
        self.sent += data.len() as u64;
        body.send_data(data, ends)
    }

    pub(super) fn poll_reset(&mut self, context: &mut Context<'_>) -> Poll<()> {
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
            let begun = self.upload.begin(head.take().unwrap_or_default(), link.most_upload, context);
            let stepped = begun.and_then(|()| match self.upload.poll_step(context, link.upstream) {
                Poll::Ready(stepped) => stepped,
                Poll::Pending => Ok(()),
            });
            Poll::Ready(match stepped {
                Ok(()) => Ok(Taken::Yes),
                Err(UploadError::Upstream) => Ok(Taken::No),
                Err(UploadError::Client) => Err(Failure::ClientGone),
                Err(UploadError::TooLarge) => Err(Failure::UploadTooLarge),
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

    fn abandon(&mut self) {
        self.upload.abandon();
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

const INVALID_LINE: Failure = Failure::InvalidResponse(ResponseFault::Line);
