//! A client of HTTP/1.1 in a conversation with an upstream.

use super::heads::{self, Ending, is_modern};
use super::transfer::{Sink, Transfer, TransferError};
use super::{Progress, wire};
use crate::drivers::turn::Turns;
use crate::drivers::upstream::{BodyFraming, Client, ForwardError, Link, Received, Taken, UploadError, UploadState};
use crate::drivers::wire::poll_read_some;
use crate::exchange::{Failure, Forward, RequestFault, RequestHead as Head, Shown};
use crate::upstream::Connection;
use bytes::BytesMut;
use pingora::protocols::Stream;
use s3cors_http1::body::{BodyReader, BrokenBody};
use s3cors_http1::body_length::BodyLength;
use s3cors_http1::request_head::RequestHead;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::AsyncWrite;

/// How much is read at a time of a body that is looked at.
const FIRST_READ: usize = 16 * 1024;
/// How much of the next requests is read while a response is waited for. More is left to the system.
const MAX_AHEAD: usize = 16 * 1024;

/// A client in a conversation.
pub(super) struct Side<'c, 's> {
    stream: &'c mut Stream,
    head: &'c RequestHead<'c>,
    /// The bytes that came with the head.
    rest: &'c [u8],
    upload: Transfer,
    /// Set if the rest of the body is not passed on.
    is_stopped: bool,
    progress: &'c mut Progress<'s>,
}

impl<'c, 's> Side<'c, 's> {
    pub(super) fn new(
        stream: &'c mut Stream,
        head: &'c RequestHead<'c>,
        rest: &'c [u8],
        progress: &'c mut Progress<'s>,
    ) -> Self {
        let upload = Transfer::new(BodyReader::of_request(BodyLength::None), Sink::Plain);
        Self { stream, head, rest, upload, is_stopped: false, progress }
    }

    /// Passes on the first bytes of a body that the exchange wants to see and that did not come with the head.
    async fn examine_first<H: Head>(
        &mut self,
        download: &mut Transfer,
        forward: &mut Forward<H>,
        link: &mut Link<'_>,
        status: u16,
    ) -> Result<bool, Failure> {
        let mut has_excess = false;
        while forward.examines_body() && download.moved() == 0 && !download.has_ended() {
            let bytes = self.read_beside(link, status).await?;
            if bytes.is_empty() {
                // The transfer reads the end once more, and knows what it means.
                break;
            }
            let mut out = BytesMut::new();
            let (body, consumed) = download.begin(&bytes, &mut out).map_err(|error| cause(&error))?;
            has_excess |= consumed < bytes.len();
            if download.moved() > 0 {
                forward.body(&bytes);
            }
            let written = wire::write(self.stream, &[&out, body], link.timer, link.limits.body_write).await;
            written.map_err(|_| Failure::ClientNotReading)?;
        }
        Ok(has_excess)
    }

    /// Reads some of the response while the request's body goes on.
    async fn read_beside(&mut self, link: &mut Link<'_>, status: u16) -> Result<BytesMut, Failure> {
        loop {
            let (limit, late) = self.patience(link, status);
            let is_uploading = self.is_uploading();
            let (stream, upload, upstream) = (&mut *self.stream, &mut self.upload, &mut *link.upstream);
            let moved = poll_fn(|context| {
                if let Poll::Ready(read) = poll_read_some(upstream, context, FIRST_READ) {
                    return Poll::Ready(Ok(read));
                }
                if is_uploading { upload.poll_step(context, stream, upstream).map(Err) } else { Poll::Pending }
            });
            match link.timer.within(limit, moved).await.map_err(|_| late)? {
                Ok(read) => return read.map_err(|_| Failure::UpstreamClosed),
                Err(moved) => self.uploaded(moved, link.upstream).await?,
            }
        }
    }

    /// Passes on the rest of a response, and meanwhile the rest of the request: an upstream may begin its response early to keep the
    /// connection alive, and read on. What the client still sends once the response has ended has no reader.
    async fn run_both(&mut self, download: &mut Transfer, link: &mut Link<'_>, status: u16) -> Result<(), Failure> {
        let mut turns = Turns::default();
        while self.is_uploading() && !download.is_done() {
            turns.pass(download.moved() + self.upload.moved()).await;
            let (limit, late) = if download.is_writing() {
                (link.limits.body_write, Failure::ClientNotReading)
            } else {
                self.patience(link, status)
            };
            let (stream, upload, upstream) = (&mut *self.stream, &mut self.upload, &mut *link.upstream);
            // Both in each round: neither half waits for the other, however much it has to move.
            let moved = poll_fn(|context| {
                let down = download.poll_step(context, upstream, stream);
                let up = upload.poll_step(context, stream, upstream);
                if down.is_pending() && up.is_pending() { Poll::Pending } else { Poll::Ready((down, up)) }
            });
            let (down, up) = link.timer.within(limit, moved).await.map_err(|_| late)?;
            if let Poll::Ready(Err(error)) = down {
                return Err(cause(&error));
            }
            if let Poll::Ready(moved) = up {
                self.uploaded(moved, link.upstream).await?;
            }
        }
        let limits = (link.timeouts.read, link.limits.body_write);
        download.run(link.upstream, self.stream, link.timer, limits).await.map_err(|error| cause(&error))
    }

    /// The client has ended its sending side. What it had sent before is served.
    fn finished(&mut self) {
        let progress = &mut *self.progress;
        progress.has_finished = true;
        progress.keeps &= !progress.ahead.is_empty() || progress.consumed < self.rest.len();
    }

    fn is_uploading(&self) -> bool {
        !self.is_stopped && !self.upload.is_done()
    }

    fn patience(&self, link: &Link<'_>, status: u16) -> (Duration, Failure) {
        if self.is_uploading() {
            link.patience_beside(self.upload(), status)
        } else {
            (link.timeouts.read, Failure::UpstreamTimeout)
        }
    }

    /// Some of the request's body moved beside the response. An error in it ends the body, not the response: the upstream may have said
    /// already that it does not want the rest, and the client have believed it.
    async fn uploaded(&mut self, moved: Result<(), TransferError>, upstream: &mut Connection) -> Result<(), Failure> {
        let Err(error) = moved else { return Ok(()) };
        self.is_stopped = true;
        match error {
            TransferError::Read(error) if error.kind() != ErrorKind::UnexpectedEof => return Err(Failure::ClientGone),
            // A body that can never be whole: the upstream need not wait for its rest.
            TransferError::Read(_) | TransferError::Broken(_) | TransferError::TooLarge => {
                poll_fn(|context| {
                    // An upstream that is slow to take it sees the end of the connection instead.
                    let _ = Pin::new(&mut *upstream).poll_shutdown(context);
                    Poll::Ready(())
                })
                .await;
            }
            TransferError::Write => {}
        }
        Ok(())
    }
}

impl Client for Side<'_, '_> {
    fn framing(&self) -> BodyFraming {
        BodyFraming::AsItCame
    }

    async fn begin(&mut self, mut head: BytesMut, link: &mut Link<'_>) -> Result<Taken, Failure> {
        let length = self.head.body();
        let sink = if length == BodyLength::Chunked { Sink::Chunked } else { Sink::Plain };
        self.upload =
            Transfer::new(BodyReader::of_request(length), sink).beside(self.rest.len()).limited(link.most_upload);
        let begun = self.upload.begin(self.rest, &mut head);
        let (body, consumed) = begun.map_err(|error| match error {
            TransferError::Broken(broken) => Failure::of_request_body(broken),
            TransferError::TooLarge => Failure::UploadTooLarge,
            TransferError::Read(_) | TransferError::Write => Failure::ClientGone,
        })?;
        self.progress.consumed = consumed;
        let sent = wire::write(link.upstream, &[&head, body], link.timer, link.timeouts.write).await;
        Ok(if sent.is_ok() { Taken::Yes } else { Taken::No })
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
        self.upload.poll_step(context, self.stream, upstream).map_err(|error| upload_error(&error))
    }

    fn abandon(&mut self) {
        self.upload = Transfer::new(BodyReader::of_request(self.head.body()), Sink::Plain);
        self.is_stopped = true;
    }

    /// Keeps the bytes of the client's next requests.
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while !self.progress.has_finished && self.progress.ahead.len() < MAX_AHEAD {
            match poll_read_some(self.stream, context, MAX_AHEAD) {
                Poll::Pending => break,
                Poll::Ready(Ok(bytes)) if !bytes.is_empty() => self.progress.ahead.extend_from_slice(&bytes),
                Poll::Ready(Err(error)) if error.kind() != ErrorKind::UnexpectedEof => return Poll::Ready(()),
                // The client sends nothing more, and may still read: TCP and TLS can end one direction alone. A client that closed
                // both looks the same, and is noticed when it is written to.
                Poll::Ready(_) => self.finished(),
            }
        }
        Poll::Pending
    }

    /// Only to a client that knows such.
    async fn interim(&mut self, interim: Received<'_>, link: &mut Link<'_>) -> Result<(), ForwardError> {
        if !is_modern(self.head) {
            return Ok(());
        }
        let out = heads::interim(&interim.head);
        let written = wire::write(self.stream, &[&out], link.timer, link.limits.body_write).await;
        written.map_err(|_| ForwardError::Failed(Failure::ClientNotReading))
    }

    async fn relay<H: Head>(
        &mut self,
        response: Received<'_>,
        shown: Shown,
        forward: &mut Forward<H>,
        link: &mut Link<'_>,
    ) -> Result<bool, ForwardError> {
        let (head, first) = (&response.head, response.rest());
        let vary = head.lines().filter(|each| each.name.eq_ignore_ascii_case(b"vary")).map(|each| each.value);
        let edits = forward.edits(shown, vary);
        let status = edits.status().map_or(head.status(), |status| status.as_u16());
        let (reader, sink, framing) = heads::framing(head, status, self.head);
        let (is_until_close, has_length) = (reader.is_until_close(), reader.left().is_some());
        // A response before the request's end may end before it too, and the rest of the body then has no reader.
        let is_early = !self.upload.is_done();
        self.progress.is_unread = is_early;
        self.progress.keeps &= (sink == Sink::Chunked || has_length) && !is_early;
        let mut download = Transfer::new(reader, sink);
        let mut out = heads::for_client(&edits, head, Ending { keeps: self.progress.keeps(), framing });
        let begun = download.begin(first, &mut out);
        let (body, consumed) = begun.map_err(|error| ForwardError::Failed(cause(&error)))?;
        if download.moved() > 0 {
            forward.body(first);
        }
        let written = wire::write(self.stream, &[&out, body], link.timer, link.limits.body_write).await;
        written.map_err(|_| ForwardError::Failed(Failure::ClientNotReading))?;
        forward.tally().status = status;
        let mut has_excess = consumed < first.len();
        let examined = self.examine_first(&mut download, forward, link, status).await;
        let run = match examined {
            Ok(excess) => {
                has_excess |= excess;
                self.run_both(&mut download, link, status).await
            }
            Err(failure) => Err(failure),
        };
        forward.tally().response_bytes = download.moved();
        run.map_err(ForwardError::Cut)?;
        has_excess |= !download.into_excess().is_empty();
        let excess = self.upload.take_excess();
        self.progress.ahead = prepended(excess, std::mem::take(&mut self.progress.ahead));
        self.progress.is_unread = !self.upload.is_done();
        Ok(!is_until_close && self.upload.is_done() && !has_excess)
    }
}

/// The failure that a response which breaks off is to blame on.
fn cause(error: &TransferError) -> Failure {
    match error {
        TransferError::Read(error) if error.kind() == ErrorKind::TimedOut => Failure::UpstreamTimeout,
        TransferError::Read(_) => Failure::UpstreamClosed,
        TransferError::Broken(broken) => Failure::of_response_body(*broken),
        // A response has no limit.
        TransferError::TooLarge => Failure::Internal,
        TransferError::Write => Failure::ClientNotReading,
    }
}

/// The reason why a request's body does not arrive.
const fn upload_error(error: &TransferError) -> UploadError {
    match error {
        TransferError::Broken(BrokenBody::Malformed(why)) => UploadError::Invalid(RequestFault::Chunk(*why)),
        TransferError::Read(_) | TransferError::Broken(BrokenBody::Truncated) => UploadError::Client,
        TransferError::TooLarge => UploadError::TooLarge,
        TransferError::Write => UploadError::Upstream,
    }
}

fn prepended(mut first: BytesMut, then: BytesMut) -> BytesMut {
    if first.is_empty() {
        return then;
    }
    first.extend_from_slice(&then);
    first
}
