//! Failures between the proxy and one of its sides: who is to blame, and what the client gets.

use super::tls_fault::TlsFault;
use crate::s3::error::ErrorCode;
use crate::telemetry::UpstreamErrorKind;
use s3cors_http1::body::BrokenBody;
use s3cors_http1::chunked::ChunkError;
use s3cors_http1::response_head::InvalidResponse;

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
    UpstreamTls(TlsFault),
    /// All connections to upstreams that there may be have a request.
    Busy,
    /// An upstream did not respond in time.
    UpstreamTimeout,
    /// An upstream did not take a request in time.
    UpstreamWriteTimeout,
    /// An upstream closed the connection.
    UpstreamClosed,
    /// An upstream's response is not valid.
    InvalidResponse(ResponseFault),
    /// The client did not send in time.
    ClientTimeout,
    /// The client's request is not valid.
    InvalidRequest(RequestFault),
    /// The body is larger than `uploads` lets it be.
    UploadTooLarge,
    /// A byte in the request's target may not be there.
    InvalidTarget,
    /// An HTTP/1.1 request does not say which host it is for.
    NoHost,
    /// The request has more header lines than any driver reads.
    TooManyLines,
    /// The head of the request is larger than it may be.
    HeadTooLarge,
    /// The unfinished heads of all clients take as much memory as they may.
    TooManyHeads,
    /// The client's connection has had more requests on their way than go to upstreams at once, for too long.
    TooManyRequests,
    /// The bodies that are kept whole take as much memory as they may.
    TooManyBodies,
    /// CONNECT asks for a tunnel, and S3 has none.
    Connect,
    /// The request has passed through proxies of this name too often.
    Loop,
    /// Plain HTTP came where TLS is spoken.
    NotTls,
    /// The client is gone: it does not send what it announced.
    ClientGone,
    /// The client is gone: it does not take the response.
    ClientNotReading,
    /// A fault of the proxy.
    Internal,
}

/// The part of a request that is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// The head; the reason in a few words.
    Head(&'static str),
    /// The length of its body can be read in more than one way.
    Length,
    /// The host is not one.
    Host,
    /// A `Connection` option names a field that decides.
    HiddenField,
    /// The body's chunks.
    Chunk(ChunkError),
    /// The body is shorter or longer than was said.
    BodyLength,
}

/// The part of a response that is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFault {
    /// The head.
    Head(InvalidResponse),
    /// A line that HTTP/2 cannot carry.
    Line,
    /// The head is too large.
    HeadTooLarge,
    /// There are more interim responses than may be.
    TooManyInterim,
    /// A response that is kept whole is too large.
    TooLarge,
    /// The body's chunks.
    Chunk(ChunkError),
    /// Pingora's word for it.
    Other,
}

impl Failure {
    /// The failure of a request whose body did not come to its end.
    #[must_use]
    pub const fn of_request_body(broken: BrokenBody) -> Self {
        match broken {
            BrokenBody::Malformed(why) => Self::InvalidRequest(RequestFault::Chunk(why)),
            BrokenBody::Truncated => Self::ClientGone,
        }
    }

    /// The failure of a response whose body did not come to its end.
    #[must_use]
    pub const fn of_response_body(broken: BrokenBody) -> Self {
        match broken {
            BrokenBody::Malformed(why) => Self::InvalidResponse(ResponseFault::Chunk(why)),
            BrokenBody::Truncated => Self::UpstreamClosed,
        }
    }

    /// S3's own words to a client that is too slow.
    pub(super) const TOO_SLOW: &str =
        "Your socket connection to the server was not read from or written to within the timeout period.";

    /// S3's own words to a client whose head is too large.
    pub(super) const TOO_LARGE: &str =
        "Your request header and query parameters used to make the request exceed the maximum allowed size.";

    /// S3's own words to clients that ask for too much at once.
    pub(super) const TOO_MANY: &str = "Please reduce your request rate.";

    /// The error that the client gets; `None` when it is gone.
    pub(super) const fn reply(self) -> Option<(ErrorCode, &'static str)> {
        Some(match self {
            Self::Unresolved => {
                (ErrorCode::ServiceUnavailable, "The storage server's name does not resolve. Please try again.")
            }
            Self::ConnectTimeout => {
                (ErrorCode::GatewayTimeout, "The storage server could not be reached in time. Please try again.")
            }
            Self::UpstreamTimeout | Self::UpstreamWriteTimeout => {
                (ErrorCode::GatewayTimeout, "The storage server did not answer in time. Please try again.")
            }
            Self::Unreachable => (ErrorCode::BadGateway, "The storage server cannot be reached. Please try again."),
            Self::UpstreamTls(fault) => (ErrorCode::BadGateway, fault.message()),
            Self::Busy => (ErrorCode::SlowDown, "Please reduce your request rate."),
            Self::UpstreamClosed => {
                (ErrorCode::BadGateway, "The storage server closed the connection. Please try again.")
            }
            Self::InvalidResponse(_) => (ErrorCode::BadGateway, "The storage server's answer was not valid HTTP."),
            Self::ClientTimeout => (ErrorCode::RequestTimeout, Self::TOO_SLOW),
            Self::InvalidRequest(_) => (ErrorCode::BadRequest, "The request was not valid HTTP."),
            Self::InvalidTarget => {
                (ErrorCode::InvalidUri, "Couldn't parse the specified URI: it has a byte that must be percent-encoded.")
            }
            Self::UploadTooLarge => {
                (ErrorCode::EntityTooLarge, "Your proposed upload exceeds the maximum allowed object size.")
            }
            Self::NoHost => (ErrorCode::BadRequest, "The Host header is missing, which is required since HTTP/1.1."),
            Self::TooManyLines | Self::HeadTooLarge => (ErrorCode::RequestHeaderSectionTooLarge, Self::TOO_LARGE),
            Self::TooManyHeads | Self::TooManyBodies | Self::TooManyRequests => (ErrorCode::SlowDown, Self::TOO_MANY),
            Self::Connect => {
                (ErrorCode::MethodNotAllowed, "The specified method is not allowed against this resource.")
            }
            Self::NotTls => {
                (ErrorCode::BadRequest, "The request was sent as plain HTTP to an HTTPS port. Please use https://.")
            }
            Self::Loop => (
                ErrorCode::LoopDetected,
                "The request has come through this proxy several times. Its upstream leads back to it.",
            ),
            Self::Internal => (ErrorCode::InternalError, "We encountered an internal error. Please try again."),
            Self::ClientGone | Self::ClientNotReading => return None,
        })
    }

    /// The status that the client sees; `None` when it is gone.
    #[must_use]
    pub fn status(self) -> Option<http::StatusCode> {
        self.reply().map(|(code, _)| code.status())
    }

    /// Of an upstream's failure, the kind.
    #[must_use]
    pub const fn upstream(self) -> Option<UpstreamErrorKind> {
        match self {
            Self::Unresolved => Some(UpstreamErrorKind::Resolve),
            Self::ConnectTimeout | Self::UpstreamTimeout | Self::UpstreamWriteTimeout => {
                Some(UpstreamErrorKind::Timeout)
            }
            Self::Unreachable => Some(UpstreamErrorKind::Connect),
            Self::UpstreamTls(_) => Some(UpstreamErrorKind::Tls),
            Self::UpstreamClosed => Some(UpstreamErrorKind::Reset),
            Self::InvalidResponse(_) => Some(UpstreamErrorKind::Other),
            Self::Busy | Self::ClientTimeout | Self::ClientGone | Self::ClientNotReading | Self::Internal => None,
            Self::InvalidRequest(_) | Self::InvalidTarget | Self::NoHost | Self::UploadTooLarge => None,
            Self::TooManyLines | Self::HeadTooLarge | Self::TooManyHeads | Self::TooManyRequests => None,
            Self::TooManyBodies | Self::Connect | Self::NotTls | Self::Loop => None,
        }
    }

    /// The part of a request that is not valid, in words.
    #[must_use]
    pub(super) const fn invalid_part(self) -> Option<&'static str> {
        match self {
            Self::InvalidRequest(_) | Self::InvalidTarget | Self::NoHost => Some(self.words().1),
            Self::TooManyLines | Self::HeadTooLarge | Self::TooManyHeads => Some(self.words().1),
            Self::TooManyRequests | Self::TooManyBodies | Self::Connect | Self::NotTls => Some(self.words().1),
            _ => None,
        }
    }

    /// Returns true if no one is left who could get a reply.
    #[must_use]
    pub const fn is_client_gone(self) -> bool {
        matches!(self, Self::ClientGone | Self::ClientNotReading)
    }

    /// The code of the failure in the log, and the reason in words. Neither holds bytes of a request or a response.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unresolved => ("Unresolved", "no upstream's name has resolved"),
            Self::ConnectTimeout => ("ConnectTimedout", "the upstream was not connected to in time"),
            Self::Unreachable => ("ConnectError", "the upstream cannot be connected to"),
            Self::UpstreamTls(fault) => fault.words(),
            Self::Busy => ("UpstreamConnections", "all connections to upstreams that there may be have a request"),
            Self::UpstreamTimeout => ("ReadTimedout", "the upstream did not respond in time"),
            Self::UpstreamWriteTimeout => ("WriteTimedout", "the upstream did not take the request in time"),
            Self::UpstreamClosed => ("ConnectionClosed", "the upstream closed the connection"),
            Self::InvalidResponse(fault) => match fault {
                ResponseFault::Head(why) => why.words(),
                ResponseFault::Line => ("InvalidHTTP2Header", "a header line that HTTP/2 cannot carry"),
                ResponseFault::HeadTooLarge => {
                    ("HeadTooLarge", "the head of the response is larger than limits.response_head")
                }
                ResponseFault::TooManyInterim => {
                    ("TooManyInterimResponses", "more interim responses than limits.interim")
                }
                ResponseFault::TooLarge => ("ResponseTooLarge", "the response is too large to be kept whole"),
                ResponseFault::Chunk(why) => (why.code(), why.message()),
                ResponseFault::Other => ("InvalidResponse", "the response is not valid"),
            },
            Self::ClientTimeout => ("ClientReadTimedout", "the client did not send in time"),
            Self::InvalidRequest(fault) => match fault {
                RequestFault::Head(reason) => ("InvalidRequest", reason),
                RequestFault::Length => ("AmbiguousLength", "ambiguous framing"),
                RequestFault::Host => ("InvalidHost", "invalid host"),
                RequestFault::HiddenField => ("HiddenField", "a Connection option names a field that decides"),
                RequestFault::Chunk(why) => ("InvalidRequestChunk", why.message()),
                RequestFault::BodyLength => ("InvalidBody", "a body of another length"),
            },
            Self::UploadTooLarge => ("EntityTooLarge", "the body is larger than uploads lets it be"),
            Self::InvalidTarget => ("InvalidTarget", "a byte that may not be in a target"),
            Self::NoHost => ("NoHost", "no host"),
            Self::TooManyLines => ("TooManyLines", "too many header lines"),
            Self::HeadTooLarge => ("HeadTooLarge", "the head of the request is too large"),
            Self::TooManyHeads => ("TooManyHeads", "too much memory for unfinished heads"),
            Self::TooManyRequests => ("TooManyRequests", "too many requests of one connection at once"),
            Self::TooManyBodies => ("TooManyBodies", "more memory for whole bodies than limits.bodies"),
            Self::Connect => ("Connect", "CONNECT"),
            Self::Loop => ("LoopDetected", "the upstream leads back here"),
            Self::NotTls => ("NotTls", "plain HTTP where TLS is spoken"),
            Self::ClientGone => ("ClientClosed", "the client closed the connection"),
            Self::ClientNotReading => ("ClientWriteError", "the client does not take the response"),
            Self::Internal => ("Internal", "a fault of the proxy"),
        }
    }
}
