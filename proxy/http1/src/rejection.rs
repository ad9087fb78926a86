//! The reasons to reject the head of a request.

use crate::body_length::Ambiguous;

/// The reason to reject a head: it is not valid, or two recipients could read it differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// The first line is not a method, a target and a version with single spaces between them (RFC 9112 §3).
    RequestLine,
    /// A version other than HTTP/1.0 and HTTP/1.1.
    Version,
    /// CONNECT asks for a tunnel, and there is nothing to tunnel to.
    Connect,
    /// A byte in the target that must be percent-encoded, or a fragment (RFC 9112 §3.2).
    Target,
    /// A line that is not a name, a colon and a value, or that is folded (RFC 9112 §5).
    HeaderLine,
    /// More lines than [`MAX_LINES`](crate::request_head::MAX_LINES).
    TooManyLines,
    /// An HTTP/1.1 request without `Host` (RFC 9112 §3.2).
    NoHost,
    /// More than one `Host`, one that is no host, one that differs from the target's authority, or a target whose authority is
    /// ambiguous.
    Host,
    /// A body length that another recipient could read differently.
    Length(Ambiguous),
    /// A `Connection` option that is not a token, or too many of them (RFC 9110 §7.6.1).
    Connection,
}

impl Rejection {
    /// The names of all reasons.
    pub const REASONS: [&str; 10] = [
        "request_line",
        "version",
        "connect",
        "target",
        "header_line",
        "too_many_lines",
        "no_host",
        "host",
        "length",
        "connection",
    ];

    /// The name of the reason, for a metric.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::RequestLine => "request_line",
            Self::Version => "version",
            Self::Connect => "connect",
            Self::Target => "target",
            Self::HeaderLine => "header_line",
            Self::TooManyLines => "too_many_lines",
            Self::NoHost => "no_host",
            Self::Host => "host",
            Self::Length(_) => "length",
            Self::Connection => "connection",
        }
    }

    /// The reason in a few words.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::RequestLine => "the first line is no request line",
            Self::Version => "a version other than HTTP/1.0 and HTTP/1.1",
            Self::Connect => "CONNECT",
            Self::Target => "an invalid byte in the target",
            Self::HeaderLine => "an invalid header line",
            Self::TooManyLines => "more than 256 header lines",
            Self::NoHost => "no Host",
            Self::Host => "an invalid or ambiguous host",
            Self::Length(ambiguous) => ambiguous.message(),
            Self::Connection => "an invalid Connection option, or too many",
        }
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Rejection {}
