//! Replies that the proxy makes itself: status, identity, CORS headers and, for an error, S3's document.

use super::{Context, Exchange, Failure};
use crate::s3::error::{ErrorCode, ErrorDocument};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, SERVER, VARY};
use http::{HeaderName, HeaderValue, StatusCode};
use s3cors_http1::body_length::is_bodiless;

const SERVER_NAME: HeaderValue = HeaderValue::from_static("s3cors");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");
const XML: &str = ErrorDocument::CONTENT_TYPE;
const TEXT: &str = "text/plain; charset=utf-8";

/// A whole reply, but for the headers that [`Exchange::reply_headers`] adds.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The body; a reply to HEAD says its length and leaves it out.
    pub body: Bytes,
    /// What the body is.
    pub(super) content_type: &'static str,
    /// Whether the connection must end with it: what follows on it could not be told from a body.
    pub ends_connection: bool,
    /// Of a response that an upstream made, its header lines in place of our own.
    pub(super) relayed: Option<Box<[(HeaderName, HeaderValue)]>>,
}

impl Reply {
    /// A reply without a body.
    #[must_use]
    pub const fn empty(status: StatusCode) -> Self {
        Self { status, body: Bytes::new(), content_type: XML, ends_connection: false, relayed: None }
    }

    /// A reply of one line of text.
    pub(super) fn text(status: StatusCode, line: &str) -> Self {
        Self { body: format!("{line}\n").into(), content_type: TEXT, ..Self::empty(status) }
    }

    /// A document that the client asked for.
    pub(super) fn document(xml: String) -> Self {
        Self { body: xml.into(), ..Self::empty(StatusCode::OK) }
    }

    /// Whether it has a `Date` already.
    #[must_use]
    pub fn has_date(&self) -> bool {
        self.relayed.iter().flatten().any(|(name, _)| *name == DATE)
    }

    /// Whether its head says how long the body is: not where the status says that there is none (RFC 9110 §8.6).
    fn has_length(&self) -> bool {
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
    const fn code(self) -> ErrorCode {
        match self {
            Self::HeadTooSlow => ErrorCode::RequestTimeout,
            Self::HeadTooLarge => ErrorCode::RequestHeaderSectionTooLarge,
            Self::TooManyHeads | Self::TooManyConnections => ErrorCode::SlowDown,
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::HeadTooSlow => Failure::TOO_SLOW,
            Self::HeadTooLarge => Failure::TOO_LARGE,
            Self::TooManyHeads | Self::TooManyConnections => "Please reduce your request rate.",
        }
    }
}

impl Exchange {
    /// The reply to a connection that gets no exchange.
    #[must_use]
    pub fn refusal(&self, refusal: Refusal, ctx: &Context) -> Reply {
        let code = refusal.code();
        tracing::debug!(request_id = ctx.request_id(), code = code.as_str(), "refused before there was a request");
        let reply = self.error_reply(code.status(), code.as_str(), refusal.message(), &[], ctx);
        Reply { ends_connection: true, ..reply }
    }

    /// An error, as S3 writes it.
    pub(super) fn error_reply(
        &self,
        status: StatusCode,
        code: &str,
        message: &str,
        details: &[(&'static str, &str)],
        ctx: &Context,
    ) -> Reply {
        let (request_id, host_id) = (ctx.request_id(), self.host_id.as_str());
        let document = ErrorDocument { code, message, details, request_id, host_id };
        Reply { body: document.to_xml().into(), ..Reply::empty(status) }
    }

    /// Hands over each header of a reply, in their order.
    ///
    /// The length is always among them: without it the connection would have to close after the reply.
    pub fn reply_headers(&self, reply: &Reply, ctx: &Context, mut set: impl FnMut(&HeaderName, &HeaderValue)) {
        if reply.has_length() {
            set(&CONTENT_LENGTH, &HeaderValue::from(reply.body.len()));
        }
        if let Some(lines) = &reply.relayed {
            return self.relayed_headers(lines, ctx, set);
        }
        if !reply.body.is_empty() {
            set(&CONTENT_TYPE, &HeaderValue::from_static(reply.content_type));
        }
        set(&SERVER, &SERVER_NAME);
        set(&REQUEST_ID, &ctx.id.value());
        set(&HOST_ID, self.host_id.value());
        self.response_additions(ctx, std::iter::empty()).for_each(set);
    }

    /// Hands over the lines of an upstream's response, with those that every response gets.
    fn relayed_headers(
        &self,
        lines: &[(HeaderName, HeaderValue)],
        ctx: &Context,
        mut set: impl FnMut(&HeaderName, &HeaderValue),
    ) {
        let vary = lines.iter().filter(|(name, _)| *name == VARY).map(|(_, value)| value.as_bytes());
        let additions = self.response_additions(ctx, vary);
        for (name, value) in lines.iter().filter(|(name, _)| !additions.replaces(name.as_str().as_bytes())) {
            set(name, value);
        }
        additions.for_each(set);
    }

    /// Writes the same as lines of HTTP/1.1, in the same order.
    pub fn write_reply_lines(&self, reply: &Reply, ctx: &Context, mut write: impl FnMut(&[u8])) {
        if reply.relayed.is_some() || !reply.has_length() {
            return self.reply_headers(reply, ctx, |name, value| {
                [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].into_iter().for_each(&mut write);
            });
        }
        match reply.body.len() {
            0 => write(b"content-length: 0\r\n"),
            length => {
                write(format!("content-length: {length}\r\ncontent-type: ").as_bytes());
                write(reply.content_type.as_bytes());
                write(b"\r\n");
            }
        }
        write(b"server: s3cors\r\nx-amz-request-id: ");
        write(ctx.request_id().as_bytes());
        write(b"\r\nx-amz-id-2: ");
        write(self.host_id.as_str().as_bytes());
        write(b"\r\n");
        self.response_additions(ctx, std::iter::empty()).write_lines(write);
    }
}
