//! Replies that the proxy makes itself: status, identity, CORS headers and, for an error, S3's document.

use super::failure::Failure;
use crate::s3::error::{ErrorCode, ErrorDocument};
use bytes::Bytes;
use http::header::{DATE, LOCATION};
use http::{HeaderName, HeaderValue, StatusCode};
use s3cors_http1::body_length::is_bodiless;

const XML: &str = ErrorDocument::CONTENT_TYPE;
const TEXT: &str = "text/plain; charset=utf-8";

/// A whole reply, but for the headers that every reply has.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub(super) status: StatusCode,
    /// The body; a reply to HEAD says its length and leaves it out.
    pub(super) body: Bytes,
    /// The body's type.
    pub(super) content_type: &'static str,
    /// Whether the connection must end with it: what follows on it could not be told from a body.
    pub(super) ends_connection: bool,
    /// The header lines of a response that an upstream made, in place of our own.
    pub(super) relayed: Option<Box<[(HeaderName, HeaderValue)]>>,
    /// Header lines beside those that every reply has.
    pub(super) lines: Box<[(HeaderName, HeaderValue)]>,
}

impl Reply {
    /// A reply without a body.
    pub(super) fn empty(status: StatusCode) -> Self {
        let (body, lines) = (Bytes::new(), Box::default());
        Self { status, body, content_type: XML, ends_connection: false, relayed: None, lines }
    }

    /// A reply of one line of text.
    pub(super) fn text(status: StatusCode, line: &str) -> Self {
        Self { body: format!("{line}\n").into(), content_type: TEXT, ..Self::empty(status) }
    }

    /// A redirect.
    pub(super) fn moved(status: StatusCode, location: HeaderValue) -> Self {
        Self { lines: Box::new([(LOCATION, location)]), ..Self::empty(status) }
    }

    /// A document that the client asked for.
    pub(super) fn document(xml: String) -> Self {
        Self { body: xml.into(), ..Self::empty(StatusCode::OK) }
    }

    /// Whether it has a `Date` already.
    pub(super) fn has_date(&self) -> bool {
        self.relayed.iter().flatten().any(|(name, _)| *name == DATE)
    }

    /// Whether its head says how long the body is: not where the status says that there is none (RFC 9110 §8.6).
    pub(super) fn has_length(&self) -> bool {
        !is_bodiless(self.status.as_u16())
    }
}

/// Why a connection gets no exchange: it is refused before there is a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request's head did not end in time.
    HeadTooSlow,
    /// The request's head is larger than it may be.
    HeadTooLarge,
    /// The unfinished heads of all clients take as much memory as they may.
    TooManyHeads,
    /// There are too many connections.
    TooManyConnections,
}

impl Refusal {
    pub(super) const fn code(self) -> ErrorCode {
        match self {
            Self::HeadTooSlow => ErrorCode::RequestTimeout,
            Self::HeadTooLarge => ErrorCode::RequestHeaderSectionTooLarge,
            Self::TooManyHeads | Self::TooManyConnections => ErrorCode::SlowDown,
        }
    }

    /// The reason in words, for the access line.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::HeadTooSlow => "a head that did not end in limits.header_read",
            Self::HeadTooLarge => "a head larger than limits.header_size",
            Self::TooManyHeads => "more memory for unfinished heads than limits.heads",
            Self::TooManyConnections => "more connections than limits.connections",
        }
    }

    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::HeadTooSlow => Failure::TOO_SLOW,
            Self::HeadTooLarge => Failure::TOO_LARGE,
            Self::TooManyHeads | Self::TooManyConnections => Failure::TOO_MANY,
        }
    }
}
