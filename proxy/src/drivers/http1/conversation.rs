//! One request and its response on one connection to an upstream.
//!
//! Decides: who is to blame when it does not come to its end, and whether either connection can be used again.

use super::heads::{self, Ending, is_modern};
use super::transfer::{Sink, Source, Transfer, TransferError};
use super::wire::{self, poll_read_some};
use super::{BodyLength, Http1Driver, Progress, Timer};
use crate::drivers::route::{Broken, Outcome, Route};
use crate::exchange::{Context, Failure};
use bytes::BytesMut;
use pingora::protocols::Stream;
use s3cors_http1::chunked::Decoder;
use s3cors_http1::request_head::RequestHead;
use s3cors_http1::response_head::{self, Parsed, ResponseHead};
use std::future::poll_fn;
use std::io::ErrorKind;
use std::task::Poll;

/// The longest response head, in bytes.
const MAX_RESPONSE_HEAD: usize = 64 * 1024;
/// How much of a response is read at first: a small one as a whole.
const FIRST_READ: usize = 16 * 1024;
/// How much of the next requests is read while a response is waited for. More is left to the system.
const MAX_AHEAD: usize = 16 * 1024;

/// One request and its response on one connection to an upstream.
pub(super) struct Conversation<'c> {
    pub(super) driver: &'c Http1Driver,
    pub(super) client: &'c mut Stream,
    pub(super) upstream: &'c mut Stream,
    pub(super) timer: &'c mut Timer,
    pub(super) route: &'c Route<'c>,
    pub(super) head: &'c RequestHead<'c>,
    /// The head that the request was rejected with, if this is the second time that it is asked.
    pub(super) rejection: Option<&'c [u8]>,
}

impl Conversation<'_> {
    /// Sends the request and relays the response.
    pub(super) async fn run(
        &mut self,
        mut request: BytesMut,
        rest: &[u8],
        ctx: &mut Context,
        progress: &mut Progress<'_>,
    ) -> Result<Outcome, Broken> {
        let (source, sink) = match self.head.body() {
            BodyLength::None => (Source::Ended, Sink::Plain),
            BodyLength::Length(length) => (Source::Length(length), Sink::Plain),
            BodyLength::Chunked => (Source::Chunked(Decoder::default()), Sink::Chunked),
        };
        let mut upload = Transfer::new(source, sink).beside(rest.len());
        let begun = upload.begin(rest, &mut request);
        progress.request_bytes = upload.moved();
        let (body, consumed) = begun.map_err(|_| invalid_request())?;
        progress.consumed = consumed;
        let write = self.driver.timeouts.write;
        let sent = wire::write(self.upstream, &[&request, body], self.timer, write).await;
        let mut response = match sent {
            Ok(()) => self.first_bytes(&mut upload, progress).await,
            // A server that closes may have said why, and that is read below.
            Err(_) => self.read_more().await,
        };
        if let Ok(bytes) = &response
            && bytes.is_empty()
        {
            response = Err(self.closed(&upload));
        }
        progress.request_bytes = upload.moved();
        let mut response = response?;
        loop {
            let head = match response_head::parse(&response) {
                Parsed::Head(head) => head,
                Parsed::Invalid(_) => return Err(Broken::Failed(Failure::InvalidResponse, "InvalidHTTPHeader")),
                Parsed::Incomplete => {
                    self.complete_head(&mut response).await?;
                    continue;
                }
            };
            if !head.is_interim() {
                let length = head.bytes().len();
                let excess = response.get(length..).unwrap_or_default();
                let status = self.answered(&head, ctx)?;
                if let Some(rejection) = self.rejection {
                    return Box::pin(self.relay_as_head(rejection, &head, excess, ctx, progress)).await;
                }
                if !self.is_asked_again(status, ctx) {
                    return self.relay(&head, excess, upload, ctx, progress).await;
                }
                let is_reusable = head.keep_alive() && excess.is_empty();
                return Ok(Outcome { is_reusable, rejection: Some(response.split_to(length).freeze()) });
            }
            self.pass_interim(&head).await?;
            let length = head.bytes().len();
            response = response.split_off(length);
            if response.is_empty() {
                let first = self.first_bytes(&mut upload, progress).await;
                progress.request_bytes = upload.moved();
                response = first?;
            }
            if response.is_empty() {
                return Err(self.closed(&upload));
            }
        }
    }

    /// Reads more of a response's head, of which something is here.
    async fn complete_head(&mut self, response: &mut BytesMut) -> Result<(), Broken> {
        if response.len() > MAX_RESPONSE_HEAD {
            return Err(Broken::Failed(Failure::InvalidResponse, "HeadTooLarge"));
        }
        let more = self.read_more().await?;
        if more.is_empty() {
            return Err(Broken::Failed(Failure::UpstreamClosed, "ConnectionClosed"));
        }
        response.extend_from_slice(&more);
        Ok(())
    }

    /// Sends an interim response on, to a client that knows such (RFC 9110 §15.2).
    async fn pass_interim(&mut self, head: &ResponseHead<'_>) -> Result<(), Broken> {
        if !is_modern(self.head) {
            return Ok(());
        }
        let out = heads::interim(head);
        let written = wire::write(self.client, &[&out], self.timer, self.driver.limits.body_write).await;
        written.map_err(|_| Broken::Failed(Failure::ClientGone, "WriteError"))
    }

    /// The upstream closed before its response.
    fn closed(&self, upload: &Transfer) -> Broken {
        if self.route.may_be_stale() && !upload.has_read() {
            return Broken::Stale;
        }
        Broken::Failed(Failure::UpstreamClosed, "ConnectionClosed")
    }

    /// Sends the rest of the request's body until the response begins, and waits for it. Nothing is the end of the connection.
    async fn first_bytes(&mut self, upload: &mut Transfer, progress: &mut Progress<'_>) -> Result<BytesMut, Broken> {
        loop {
            let is_uploading = !upload.is_done();
            let (limit, is_waiting_for_client) = match (is_uploading, upload.is_writing()) {
                (true, false) => (self.driver.limits.body_read, true),
                (true, true) => (self.driver.timeouts.write, false),
                (false, _) => (self.driver.timeouts.read, false),
            };
            let (client, upstream) = (&mut *self.client, &mut *self.upstream);
            let ahead = &mut progress.ahead;
            let step = self
                .timer
                .within(
                    limit,
                    poll_fn(|context| {
                        if let Poll::Ready(read) = poll_read_some(upstream, context, FIRST_READ) {
                            return Poll::Ready(Step::Response(read));
                        }
                        if is_uploading {
                            return upload.poll_step(context, client, upstream).map(Step::Upload);
                        }
                        while ahead.len() < MAX_AHEAD {
                            match poll_read_some(client, context, MAX_AHEAD) {
                                Poll::Pending => break,
                                Poll::Ready(Ok(bytes)) if !bytes.is_empty() => ahead.extend_from_slice(&bytes),
                                Poll::Ready(_) => return Poll::Ready(Step::ClientGone),
                            }
                        }
                        Poll::Pending
                    }),
                )
                .await;
            match step {
                Err(_) if is_waiting_for_client => return Err(Broken::Failed(Failure::ClientTimeout, "ReadTimedout")),
                Err(_) => return Err(Broken::Failed(Failure::UpstreamTimeout, "ReadTimedout")),
                Ok(Step::ClientGone) => return Err(Broken::Failed(Failure::ClientGone, "ConnectionClosed")),
                Ok(Step::Response(read)) => return read.map_or_else(|_| Ok(BytesMut::new()), Ok),
                Ok(Step::Upload(Ok(()))) => {}
                Ok(Step::Upload(Err(error))) => match error {
                    TransferError::Malformed => return Err(invalid_request()),
                    TransferError::Read(_) | TransferError::Truncated => {
                        return Err(Broken::Failed(Failure::ClientGone, "ConnectionClosed"));
                    }
                    // A server that closes may have said why.
                    TransferError::Write => return self.read_more().await,
                },
            }
        }
    }

    /// Reads more of the response's head.
    async fn read_more(&mut self) -> Result<BytesMut, Broken> {
        let upstream = &mut *self.upstream;
        let read = poll_fn(|context| poll_read_some(upstream, context, FIRST_READ));
        match self.timer.within(self.driver.timeouts.read, read).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(_)) => Ok(BytesMut::new()),
            Err(_) => Err(Broken::Failed(Failure::UpstreamTimeout, "ReadTimedout")),
        }
    }

    /// Passes on the first bytes of a body that the exchange wants to see and that did not come with the head.
    async fn examine_first(
        &mut self,
        download: &mut Transfer,
        has_excess: &mut bool,
        ctx: &mut Context,
    ) -> Result<(), TransferError> {
        while ctx.examines_body() && download.moved() == 0 && !download.has_ended() {
            let upstream = &mut *self.upstream;
            let read = poll_fn(|context| poll_read_some(upstream, context, FIRST_READ));
            let bytes = self
                .timer
                .within(self.driver.timeouts.read, read)
                .await
                .and_then(|read| read)
                .map_err(TransferError::Read)?;
            if bytes.is_empty() {
                // The transfer reads the end once more, and knows what it means.
                return Ok(());
            }
            let mut out = BytesMut::new();
            let (body, consumed) = download.begin(&bytes, &mut out)?;
            *has_excess |= consumed < bytes.len();
            if download.moved() > 0 {
                self.driver.exchange.examine_body(&bytes, self.head, ctx);
            }
            let written = wire::write(self.client, &[&out, body], self.timer, self.driver.limits.body_write).await;
            written.map_err(|_| TransferError::Write)?;
        }
        Ok(())
    }

    /// Sends the response to the client.
    async fn relay(
        &mut self,
        head: &ResponseHead<'_>,
        first: &[u8],
        upload: Transfer,
        ctx: &mut Context,
        progress: &mut Progress<'_>,
    ) -> Result<Outcome, Broken> {
        let lines = head.lines().map(|line| (line.name, line.value));
        self.driver.exchange.examine_head(lines, self.head, ctx);
        let (source, sink, framing) = heads::framing(head, self.head);
        let is_delimited = sink == Sink::Chunked || matches!(source, Source::Length(_) | Source::Ended);
        let ends_with_close = matches!(source, Source::UntilClose);
        // A response before the request's end: the rest of the body has no reader.
        let is_early = !upload.is_done();
        progress.is_unread = is_early;
        progress.keeps &= is_delimited && !is_early;
        let mut download = Transfer::new(source, sink);
        let ending = Ending { keeps: progress.keeps(), framing };
        let exchange = &self.driver.exchange;
        let mut out = heads::for_client(exchange, head, None, ctx, ending);
        let (body, consumed) =
            download.begin(first, &mut out).map_err(|_| Broken::Failed(Failure::InvalidResponse, "InvalidChunk"))?;
        if download.moved() > 0 {
            exchange.examine_body(first, self.head, ctx);
        }
        let limits = &self.driver.limits;
        let written = wire::write(self.client, &[&out, body], self.timer, limits.body_write).await;
        written.map_err(|_| Broken::Failed(Failure::ClientGone, "WriteError"))?;
        progress.status = head.status();
        let mut has_excess = consumed < first.len();
        let mut run = self.examine_first(&mut download, &mut has_excess, ctx).await;
        if run.is_ok() {
            run = download
                .run(self.upstream, self.client, self.timer, self.driver.timeouts.read, limits.body_write)
                .await;
        }
        progress.response_bytes = download.moved();
        run.map_err(cut)?;
        has_excess |= !download.into_excess().is_empty();
        progress.ahead = prepended(upload.into_excess(), std::mem::take(&mut progress.ahead));
        Ok(Outcome::relayed(head.keep_alive() && !ends_with_close && !is_early && !has_excess))
    }
}

/// What moved.
enum Step {
    Response(std::io::Result<BytesMut>),
    Upload(Result<(), TransferError>),
    ClientGone,
}

const fn invalid_request() -> Broken {
    Broken::Failed(Failure::InvalidRequest, "InvalidChunk")
}

/// What a response that breaks off is to blame on.
fn cut(error: TransferError) -> Broken {
    match error {
        TransferError::Read(error) if error.kind() == ErrorKind::TimedOut => {
            Broken::Cut(Failure::UpstreamTimeout, "ReadTimedout")
        }
        TransferError::Read(_) | TransferError::Truncated => Broken::Cut(Failure::UpstreamClosed, "ConnectionClosed"),
        TransferError::Malformed => Broken::Cut(Failure::InvalidResponse, "InvalidChunk"),
        TransferError::Write => Broken::Cut(Failure::ClientGone, "WriteError"),
    }
}

fn prepended(mut first: BytesMut, then: BytesMut) -> BytesMut {
    if first.is_empty() {
        return then;
    }
    first.extend_from_slice(&then);
    first
}
