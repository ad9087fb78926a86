//! A client that has its whole request in memory, and keeps the whole response there. Both are small.

use super::client::{Client, Link, Received, Taken, UploadError, UploadState};
use super::conversation::invalid;
use super::request::BodyFraming;
use super::route::ForwardError;
use crate::drivers::wire::{self, poll_read_some};
use crate::exchange::{Failure, Forward, RequestHead, Response, ResponseFault, Shown};
use crate::upstream::{Connection, Share};
use bytes::BytesMut;
use http::{HeaderName, HeaderValue, StatusCode};
use s3cors_http1::body::BodyReader;
use s3cors_http1::body_length::is_length;
use s3cors_http1::response_head::ResponseHead;
use std::future::poll_fn;
use std::task::{Context, Poll};

/// The largest body of a response that is kept, in bytes: a document of the largest size, or an error.
pub(super) const MAX_RESPONSE: usize = 256 * 1024;
/// How much is read at a time.
const READ: usize = 16 * 1024;

/// A request's body, and the response once it is here.
pub(super) struct Memory<'b> {
    body: &'b [u8],
    share: Option<&'b Share>,
    /// The longest response, in bytes.
    most: usize,
    response: Option<Response>,
}

impl<'b> Memory<'b> {
    pub(super) const fn new(body: &'b [u8], share: Option<&'b Share>, most: usize) -> Self {
        Self { body, share, most, response: None }
    }

    /// Takes the response out.
    pub(super) fn into_response(self) -> Result<Response, ForwardError> {
        self.response.ok_or(ForwardError::Failed(Failure::Internal))
    }
}

impl Client for Memory<'_> {
    fn framing(&self) -> BodyFraming {
        BodyFraming::Whole(self.body.len())
    }

    /// The share of the client that has asked for the operation.
    fn share(&self) -> Option<&Share> {
        self.share
    }

    async fn begin(&mut self, head: BytesMut, link: &mut Link<'_>) -> Result<Taken, Failure> {
        let sent = wire::write(link.upstream, &[&head, self.body], link.timer, link.timeouts.write).await;
        Ok(if sent.is_ok() { Taken::Yes } else { Taken::No })
    }

    fn upload(&self) -> UploadState {
        UploadState { is_done: true, is_writing: false, has_read: false, received: self.body.len() as u64 }
    }

    fn poll_upload(&mut self, _: &mut Context<'_>, _: &mut Connection) -> Poll<Result<(), UploadError>> {
        Poll::Ready(Ok(()))
    }

    fn abandon(&mut self) {}

    /// The operation goes on without the client that asked for it.
    fn poll_gone(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }

    async fn interim(&mut self, _: Received<'_>, _: &mut Link<'_>) -> Result<(), ForwardError> {
        Ok(())
    }

    async fn relay<H: RequestHead>(
        &mut self,
        response: Received<'_>,
        _: Shown,
        _: &mut Forward<H>,
        link: &mut Link<'_>,
    ) -> Result<bool, ForwardError> {
        let head = response.head;
        let (status, lines) = kept(&head)?;
        let mut reader = BodyReader::of_response(head.body(false));
        let is_until_close = reader.is_until_close();
        let mut body = BytesMut::new();
        let consumed = take(&mut reader, response.rest(), &mut body, self.most)?;
        let mut is_clean = consumed == response.rest().len();
        while !reader.has_ended() {
            if body.len() > self.most {
                return Err(invalid(ResponseFault::TooLarge));
            }
            let upstream = &mut *link.upstream;
            let read = poll_fn(|context| poll_read_some(upstream, context, READ));
            let read = link.timer.within(link.timeouts.read, read).await;
            let bytes = read.map_err(|_| ForwardError::Failed(Failure::UpstreamTimeout))?.unwrap_or_default();
            if bytes.is_empty() {
                reader.close().map_err(|_| ForwardError::Failed(Failure::UpstreamClosed))?;
            } else {
                is_clean &= take(&mut reader, &bytes, &mut body, self.most)? == bytes.len();
            }
        }
        self.response = Some(Response { status, lines, body: body.freeze() });
        Ok(is_clean && !is_until_close)
    }
}

fn take(reader: &mut BodyReader, bytes: &[u8], body: &mut BytesMut, most: usize) -> Result<usize, ForwardError> {
    if reader.left().is_some_and(|left| left > most as u64) {
        return Err(invalid(ResponseFault::TooLarge));
    }
    reader
        .take(bytes, |data| body.extend_from_slice(data))
        .map_err(|broken| ForwardError::Failed(Failure::of_response_body(broken)))
}

type Kept = (StatusCode, Vec<(HeaderName, HeaderValue)>);

/// The status, and the lines that are not for the upstream's connection or about the length.
fn kept(head: &ResponseHead<'_>) -> Result<Kept, ForwardError> {
    let lines = head.lines().filter(|line| !head.ends_here(line.name) && !is_length(line.name));
    let lines = lines.map(|line| {
        let name = HeaderName::from_bytes(line.name).ok()?;
        Some((name, HeaderValue::from_bytes(line.value).ok()?))
    });
    let lines = lines.collect::<Option<_>>().ok_or(invalid(ResponseFault::Line))?;
    Ok((StatusCode::from_u16(head.status()).map_err(|_| invalid(ResponseFault::Other))?, lines))
}
