//! What can go wrong between the proxy and one of its sides: who is to blame, and what the client is told.

use super::head::RequestHead;
use super::{Context, Exchange, Reply};
use crate::s3::error::ErrorCode;
use crate::telemetry::{UpstreamErrorKind, printable};
use http::StatusCode;

/// A failure, as client and operator see it. Drivers say which one it is; its consequences are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No upstream's name has resolved.
    Unresolved,
    /// An upstream could not be reached in time.
    ConnectTimeout,
    /// An upstream could not be reached.
    Unreachable,
    /// TLS with an upstream failed.
    UpstreamTls,
    /// An upstream did not respond in time.
    UpstreamTimeout,
    /// An upstream closed the connection.
    UpstreamClosed,
    /// An upstream's response is not valid.
    InvalidResponse,
    /// The client did not send in time.
    ClientTimeout,
    /// The client's request is not valid.
    InvalidRequest,
    /// A byte in the request's target may not be there.
    InvalidTarget,
    /// An HTTP/1.1 request does not say which host it is for.
    NoHost,
    /// The request has more header lines than any driver reads.
    TooManyLines,
    /// CONNECT asks for a tunnel, and S3 has none.
    Connect,
    /// Plain HTTP came where TLS is spoken.
    NotTls,
    /// The client is gone.
    ClientGone,
    /// A fault of the proxy.
    Internal,
}

impl Failure {
    /// S3's own words to a client that is too slow.
    pub(super) const TOO_SLOW: &str =
        "Your socket connection to the server was not read from or written to within the timeout period.";

    /// S3's own words to a client whose head is too large.
    pub(super) const TOO_LARGE: &str =
        "Your request header and query parameters used to make the request exceed the maximum allowed size.";

    /// What the client is told; `None` when it is gone.
    const fn told(self) -> Option<(ErrorCode, &'static str)> {
        Some(match self {
            Self::Unresolved => {
                (ErrorCode::ServiceUnavailable, "The storage server's name does not resolve. Please try again.")
            }
            Self::ConnectTimeout => {
                (ErrorCode::GatewayTimeout, "The storage server could not be reached in time. Please try again.")
            }
            Self::UpstreamTimeout => {
                (ErrorCode::GatewayTimeout, "The storage server did not answer in time. Please try again.")
            }
            Self::Unreachable => (ErrorCode::BadGateway, "The storage server cannot be reached. Please try again."),
            Self::UpstreamTls => (ErrorCode::BadGateway, "The storage server's certificate was not accepted."),
            Self::UpstreamClosed => {
                (ErrorCode::BadGateway, "The storage server closed the connection. Please try again.")
            }
            Self::InvalidResponse => (ErrorCode::BadGateway, "The storage server's answer was not valid HTTP."),
            Self::ClientTimeout => (ErrorCode::RequestTimeout, Self::TOO_SLOW),
            Self::InvalidRequest => (ErrorCode::BadRequest, "The request was not valid HTTP."),
            Self::InvalidTarget => {
                (ErrorCode::InvalidUri, "Couldn't parse the specified URI: it has a byte that must be percent-encoded.")
            }
            Self::NoHost => (ErrorCode::BadRequest, "The Host header is missing, which is required since HTTP/1.1."),
            Self::TooManyLines => (ErrorCode::RequestHeaderSectionTooLarge, Self::TOO_LARGE),
            Self::Connect => {
                (ErrorCode::MethodNotAllowed, "The specified method is not allowed against this resource.")
            }
            Self::NotTls => {
                (ErrorCode::BadRequest, "The request was sent as plain HTTP to an HTTPS port. Please use https://.")
            }
            Self::Internal => (ErrorCode::InternalError, "We encountered an internal error. Please try again."),
            Self::ClientGone => return None,
        })
    }

    /// The status that the client sees; `None` when it is gone.
    #[must_use]
    pub fn status(self) -> Option<StatusCode> {
        self.told().map(|(code, _)| code.status())
    }

    /// Of an upstream's failure, the kind.
    #[must_use]
    pub const fn upstream(self) -> Option<UpstreamErrorKind> {
        match self {
            Self::Unresolved => Some(UpstreamErrorKind::Resolve),
            Self::ConnectTimeout | Self::UpstreamTimeout => Some(UpstreamErrorKind::Timeout),
            Self::Unreachable => Some(UpstreamErrorKind::Connect),
            Self::UpstreamTls => Some(UpstreamErrorKind::Tls),
            Self::UpstreamClosed => Some(UpstreamErrorKind::Reset),
            Self::InvalidResponse => Some(UpstreamErrorKind::Other),
            Self::ClientTimeout | Self::ClientGone | Self::Internal => None,
            Self::InvalidRequest | Self::InvalidTarget | Self::NoHost => None,
            Self::TooManyLines | Self::Connect | Self::NotTls => None,
        }
    }
}

impl Exchange {
    /// Counts and logs a failure, and returns the reply to it, which carries the CORS headers of the decision, so that a script can
    /// read the status. The connection ends with it.
    ///
    /// `error` is the driver's word for the failure: it must not hold bytes of the request.
    pub fn fail(&self, failure: Failure, error: &str, head: &impl RequestHead, ctx: &Context) -> Reply {
        let (request_id, method, bucket) = (ctx.request_id(), head.method(), ctx.label());
        let path = printable(head.path().as_bytes());
        match failure.upstream() {
            Some(kind) => {
                self.metrics.http.upstream_error(kind);
                let kind = kind.as_str();
                tracing::error!(request_id, method, bucket, path = &*path, kind, error, "upstream failed");
            }
            None => {
                tracing::debug!(request_id, method, bucket, path = &*path, ?failure, error, "request failed");
            }
        }
        let (code, message) = failure.told().unwrap_or((ErrorCode::InternalError, ""));
        let reply = self.error_reply(code.status(), code.as_str(), message, &[], ctx);
        Reply { ends_connection: true, ..reply }
    }
}
