//! A client's side of a conversation with an upstream, and the connection that both have.
//!
//! Decides: what a conversation asks of a client, and how long nothing may move before which side is to blame. Must not know: which
//! protocol the client speaks.

use super::request::BodyFraming;
use super::route::ForwardError;
use crate::config::{Limits, Timeouts};
use crate::drivers::timer::Timer;
use crate::exchange::{Failure, Forward, RequestFault, RequestHead, Shown};
use crate::upstream::{Connection, Share};
use bytes::{Bytes, BytesMut};
use s3cors_http1::response_head::ResponseHead;
use std::task::{Context, Poll};
use std::time::Duration;

/// A client's side of a conversation: its request's body, and the way back to it.
pub(in crate::drivers) trait Client {
    /// How the body is framed for the upstream.
    fn framing(&self) -> BodyFraming;

    /// The client's share of the connections to upstreams; `None` for a client that has one request at a time.
    fn share(&self) -> Option<&Share> {
        None
    }

    /// Sends the request's head and the part of the body that is here.
    async fn begin(&mut self, head: BytesMut, link: &mut Link<'_>) -> Result<Taken, Failure>;

    /// The state of the body on its way to the upstream.
    fn upload(&self) -> UploadState;

    /// Reads or writes some of the body. Ready when something moved.
    fn poll_upload(&mut self, context: &mut Context<'_>, upstream: &mut Connection) -> Poll<Result<(), UploadError>>;

    /// Leaves the body where it is: the upstream has responded without it.
    fn abandon(&mut self);

    /// Ready when the client is gone, while only the upstream has something to do.
    fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()>;

    /// Passes on an interim response (RFC 9110 §15.2).
    async fn interim(&mut self, interim: Received<'_>, link: &mut Link<'_>) -> Result<(), ForwardError>;

    /// Passes on the final response. Returns true if nothing is left on the upstream's connection.
    async fn relay<H: RequestHead>(
        &mut self,
        response: Received<'_>,
        shown: Shown,
        forward: &mut Forward<H>,
        link: &mut Link<'_>,
    ) -> Result<bool, ForwardError>;
}

/// The upstream's part in sending a request. If it closes, it may have said why, and that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::drivers) enum Taken {
    Yes,
    No,
}

/// The state of a request's body.
#[derive(Clone, Copy, Debug)]
pub(in crate::drivers) struct UploadState {
    /// The whole body was read and written.
    pub(in crate::drivers) is_done: bool,
    /// The upstream has yet to take what was read.
    pub(in crate::drivers) is_writing: bool,
    /// Bytes were read that cannot be read again.
    pub(in crate::drivers) has_read: bool,
    /// The bytes that were read, without their framing.
    pub(in crate::drivers) received: u64,
}

/// The reason why a request's body did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::drivers) enum UploadError {
    /// The client is gone.
    Client,
    /// The body is not valid.
    Invalid(RequestFault),
    /// The body is larger than it may be.
    TooLarge,
    /// The upstream does not take it.
    Upstream,
}

/// A connection to an upstream, with the limits of those who use it.
pub(in crate::drivers) struct Link<'c> {
    pub(in crate::drivers) upstream: &'c mut Connection,
    pub(in crate::drivers) timer: &'c mut Timer,
    pub(in crate::drivers) timeouts: Timeouts,
    pub(in crate::drivers) limits: Limits,
    /// The most bytes of the request's body that go on.
    pub(in crate::drivers) most_upload: u64,
}

impl Link<'_> {
    /// Returns how long nothing may move before the response is here, and the side to blame then.
    pub(in crate::drivers) const fn patience(&self, upload: UploadState) -> (Duration, Failure) {
        match (upload.is_done, upload.is_writing) {
            (false, false) => (self.limits.body_read, Failure::ClientTimeout),
            (false, true) => (self.timeouts.write, Failure::UpstreamWriteTimeout),
            (true, _) => (self.timeouts.read, Failure::UpstreamTimeout),
        }
    }

    /// The same once a response with this status is on its way. A client that sees an error should stop sending (RFC 9112 §9.3), so only
    /// the upstream owes anything then.
    pub(in crate::drivers) const fn patience_beside(&self, upload: UploadState, status: u16) -> (Duration, Failure) {
        if status >= 300 && !upload.is_writing {
            return (self.timeouts.read, Failure::UpstreamTimeout);
        }
        self.patience(upload)
    }
}

/// The head of a response, with the bytes that it was read from and those that came with it.
#[derive(Clone, Copy)]
pub(in crate::drivers) struct Received<'r> {
    pub(in crate::drivers) head: ResponseHead<'r>,
    pub(in crate::drivers) bytes: &'r Bytes,
}

impl<'r> Received<'r> {
    /// The bytes after the head.
    pub(in crate::drivers) fn rest(&self) -> &'r [u8] {
        self.bytes.get(self.head.bytes().len()..).unwrap_or_default()
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = (&'r [u8], &'r [u8])> + Clone {
        self.head.lines().map(|line| (line.name, line.value))
    }
}
