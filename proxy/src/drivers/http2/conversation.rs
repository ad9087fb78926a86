//! One request and its response between a stream and one connection to an upstream.
//!
//! Decides: who is to blame when it does not come to its end, and whether the connection to the upstream can be used again.

use super::download::{Broke, Download};
use super::stream::{Answer, Asked};
use super::upload::{Upload, UploadError};
use super::{Http2Driver, response};
use crate::drivers::http1::Timer;
use crate::drivers::http1::wire::poll_read_some;
use crate::drivers::route::{Broken, Outcome, Route};
use crate::exchange::{Context, Failure, RequestHead};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use pingora::protocols::Stream;
use s3cors_http1::body_length::ResponseBody;
use s3cors_http1::response_head::{self, Parsed, ResponseHead};
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use tokio::io::AsyncReadExt;

/// The longest response head, in bytes.
const MAX_RESPONSE_HEAD: usize = 64 * 1024;
/// How much of a response is read at first: a small one as a whole.
const FIRST_READ: usize = 16 * 1024;
/// How much of a body is read at a time, in bytes. As much again may wait in the `h2` crate.
const READ: usize = 64 * 1024;
/// A read of less than this is copied, so that a body that comes in drops does not hold a whole buffer for each.
const WORTH_ITS_BUFFER: usize = 16 * 1024;

/// One request and its response on one connection to an upstream.
pub(super) struct Conversation<'c> {
    pub(super) driver: &'c Http2Driver,
    pub(super) asked: Asked<'c>,
    pub(super) answer: &'c mut Answer,
    pub(super) upload: &'c mut Upload,
    pub(super) upstream: &'c mut Stream,
    pub(super) timer: &'c mut Timer,
    pub(super) route: &'c Route<'c>,
}

/// What moved.
enum Moved {
    Response(io::Result<BytesMut>),
    Upload(Result<(), UploadError>),
    ClientGone,
}

impl Conversation<'_> {
    /// Sends the request and relays the response.
    pub(super) async fn run(&mut self, request: BytesMut, ctx: &mut Context) -> Result<Outcome, Broken> {
        let mut request = Some(request);
        // Most requests are written at once; what is not goes on while a response is waited for.
        poll_fn(|context| {
            let begun = self.upload.begin(request.take().unwrap_or_default(), context);
            let stepped = begun.and_then(|()| match self.upload.poll_step(context, self.upstream) {
                // The code below finds it again.
                Poll::Ready(Err(UploadError::Upstream)) | Poll::Pending => Ok(()),
                Poll::Ready(stepped) => stepped,
            });
            Poll::Ready(stepped.map_err(client_failed))
        })
        .await?;
        let mut response = self.first_bytes().await?;
        loop {
            let head = match response_head::parse(&response) {
                Parsed::Head(head) => head,
                Parsed::Invalid(_) => return Err(Broken::Failed(Failure::InvalidResponse, "InvalidHTTPHeader")),
                Parsed::Incomplete => {
                    response = self.complete_head(&response).await?;
                    continue;
                }
            };
            if !head.is_interim() {
                let status = self.answered(&head, ctx)?;
                if let Some(rejection) = self.asked.rejection {
                    return self.relay_as_head(rejection, status, &head, &response, ctx);
                }
                if !self.is_asked_again(status, ctx) {
                    return self.relay(&head, &response, ctx).await;
                }
                let length = head.bytes().len();
                let is_reusable = head.keep_alive() && length == response.len();
                return Ok(Outcome { is_reusable, rejection: Some(response.slice(..length)) });
            }
            self.pass_interim(&head, &response)?;
            response = response.slice(head.bytes().len()..);
            if response.is_empty() {
                response = self.first_bytes().await?;
            }
        }
    }

    /// Sends the rest of the request's body until the response begins, and waits for it.
    async fn first_bytes(&mut self) -> Result<Bytes, Broken> {
        loop {
            let is_uploading = !self.upload.is_done();
            let (limit, is_waiting_for_client) = match (is_uploading, self.upload.is_writing()) {
                (true, false) => (self.driver.limits.body_read, true),
                (true, true) => (self.driver.timeouts.write, false),
                (false, _) => (self.driver.timeouts.read, false),
            };
            let (upstream, upload, answer) = (&mut *self.upstream, &mut *self.upload, &mut *self.answer);
            let moved = poll_fn(|context| {
                if let Poll::Ready(read) = poll_read_some(upstream, context, FIRST_READ) {
                    return Poll::Ready(Moved::Response(read));
                }
                if is_uploading {
                    return upload.poll_step(context, upstream).map(Moved::Upload);
                }
                answer.poll_gone(context).map(|()| Moved::ClientGone)
            });
            match self.timer.within(limit, moved).await {
                Err(_) if is_waiting_for_client => return Err(Broken::Failed(Failure::ClientTimeout, "ReadTimedout")),
                Err(_) => return Err(Broken::Failed(Failure::UpstreamTimeout, "ReadTimedout")),
                Ok(Moved::ClientGone) => return Err(Broken::Failed(Failure::ClientGone, "ConnectionClosed")),
                Ok(Moved::Response(Ok(bytes))) if !bytes.is_empty() => return Ok(bytes.freeze()),
                Ok(Moved::Response(_)) => return Err(self.closed()),
                Ok(Moved::Upload(Ok(()))) => {}
                // A server that closes may have said why.
                Ok(Moved::Upload(Err(UploadError::Upstream))) => {
                    let more = self.read_more().await?;
                    return if more.is_empty() { Err(self.closed()) } else { Ok(more.freeze()) };
                }
                Ok(Moved::Upload(Err(error))) => return Err(client_failed(error)),
            }
        }
    }

    /// Reads more of a response's head, of which something is here.
    async fn complete_head(&mut self, begun: &Bytes) -> Result<Bytes, Broken> {
        if begun.len() > MAX_RESPONSE_HEAD {
            return Err(Broken::Failed(Failure::InvalidResponse, "HeadTooLarge"));
        }
        let more = self.read_more().await?;
        if more.is_empty() {
            return Err(Broken::Failed(Failure::UpstreamClosed, "ConnectionClosed"));
        }
        Ok([&begun[..], &more].concat().into())
    }

    /// Reads more of the response's head; nothing is the end of the connection.
    async fn read_more(&mut self) -> Result<BytesMut, Broken> {
        let upstream = &mut *self.upstream;
        let read = poll_fn(|context| poll_read_some(upstream, context, FIRST_READ));
        match self.timer.within(self.driver.timeouts.read, read).await {
            Ok(read) => Ok(read.unwrap_or_default()),
            Err(_) => Err(Broken::Failed(Failure::UpstreamTimeout, "ReadTimedout")),
        }
    }

    /// Sends an interim response on (RFC 9113 §8.1).
    fn pass_interim(&mut self, head: &ResponseHead<'_>, bytes: &Bytes) -> Result<(), Broken> {
        let interim = response::interim(head, bytes).ok_or(invalid_response())?;
        self.answer.send_interim(interim).map_err(|_| Broken::Failed(Failure::ClientGone, "WriteError"))
    }

    /// The upstream closed before its response.
    fn closed(&self) -> Broken {
        if self.route.may_be_stale() && !self.upload.has_read() {
            return Broken::Stale;
        }
        Broken::Failed(Failure::UpstreamClosed, "ConnectionClosed")
    }

    /// The final response's head is here. Returns its status.
    fn answered(&self, head: &ResponseHead<'_>, ctx: &mut Context) -> Result<StatusCode, Broken> {
        let status = StatusCode::from_u16(head.status()).map_err(|_| invalid_response())?;
        ctx.upstream_answered(status);
        self.route.answered();
        Ok(status)
    }

    /// Sends the response to the client.
    async fn relay(&mut self, head: &ResponseHead<'_>, bytes: &Bytes, ctx: &mut Context) -> Result<Outcome, Broken> {
        let lines = head.lines().map(|line| (line.name, line.value));
        self.driver.exchange.examine_head(lines, self.asked.head, ctx);
        let body = head.body(self.asked.head.method() == "HEAD");
        let ends_with_close = body == ResponseBody::UntilClose;
        // A response before the request's end: the rest of the body has no reader.
        let is_early = !self.upload.is_done();
        self.upload.discard();
        let mut download = Download::new(body);
        let first = download.take(bytes.slice(head.bytes().len()..));
        let first = first.map_err(|_| Broken::Failed(Failure::InvalidResponse, "InvalidChunk"))?;
        let exchange = &self.driver.exchange;
        exchange.examine_body(&first, self.asked.head, ctx);
        let response = response::for_client(exchange, head, bytes, None, ctx).ok_or(invalid_response())?;
        let gone = |_| Broken::Failed(Failure::ClientGone, "WriteError");
        self.answer.send_head(response, download.has_ended() && first.is_empty()).map_err(gone)?;
        if !first.is_empty() {
            self.answer.send_now(first, download.has_ended()).map_err(|_| cut_client())?;
        }
        self.relay_rest(&mut download, ctx).await?;
        Ok(Outcome::relayed(head.keep_alive() && !ends_with_close && !is_early && !download.has_excess))
    }

    async fn relay_rest(&mut self, download: &mut Download, ctx: &mut Context) -> Result<(), Broken> {
        let mut buffer = BytesMut::new();
        while !download.has_ended() {
            let read = self.read_body(&mut buffer, download.expected()).await?;
            let taken = if read.is_empty() { download.closed().map(|()| read) } else { download.take(read) };
            let data = taken.map_err(|broke| match broke {
                Broke::Malformed => Broken::Cut(Failure::InvalidResponse, "InvalidChunk"),
                Broke::Truncated => Broken::Cut(Failure::UpstreamClosed, "ConnectionClosed"),
            })?;
            self.driver.exchange.examine_body(&data, self.asked.head, ctx);
            let limit = self.driver.limits.body_write;
            self.answer.send_body(data, download.has_ended(), self.timer, limit).await.map_err(|_| cut_client())?;
        }
        Ok(())
    }

    /// Reads what is there of the body; nothing is the end of the connection.
    async fn read_body(&mut self, buffer: &mut BytesMut, expected: usize) -> Result<Bytes, Broken> {
        let (upstream, answer) = (&mut *self.upstream, &mut *self.answer);
        let read = poll_fn(|context| {
            if buffer.capacity() < WORTH_ITS_BUFFER {
                buffer.reserve(expected.min(READ));
            }
            let polled = pin!(upstream.read_buf(buffer)).poll(context);
            if polled.is_ready() {
                return polled.map_ok(Some);
            }
            // A body that is waited for holds no buffer.
            *buffer = BytesMut::new();
            answer.poll_gone(context).map(|()| Ok(None))
        });
        match self.timer.within(self.driver.timeouts.read, read).await {
            Err(_) => Err(Broken::Cut(Failure::UpstreamTimeout, "ReadTimedout")),
            Ok(Err(_)) => Err(Broken::Cut(Failure::UpstreamClosed, "ConnectionClosed")),
            Ok(Ok(None)) => Err(cut_client()),
            Ok(Ok(Some(length))) if length < WORTH_ITS_BUFFER && buffer.capacity() >= WORTH_ITS_BUFFER => {
                let copied = Bytes::copy_from_slice(buffer);
                buffer.clear();
                Ok(copied)
            }
            Ok(Ok(Some(_))) => Ok(buffer.split().freeze()),
        }
    }
}

pub(super) const fn invalid_response() -> Broken {
    Broken::Failed(Failure::InvalidResponse, "InvalidHTTPHeader")
}

const fn cut_client() -> Broken {
    Broken::Cut(Failure::ClientGone, "WriteError")
}

/// What an upload that breaks off on the client's side is to blame on. The `h2` crate has reset a stream whose body is not as long as
/// was said: no one is left to reply to.
const fn client_failed(error: UploadError) -> Broken {
    match error {
        UploadError::Client => Broken::Failed(Failure::ClientGone, "ConnectionClosed"),
        UploadError::Length | UploadError::Upstream => Broken::Failed(Failure::InvalidRequest, "InvalidBody"),
    }
}
