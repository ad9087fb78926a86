//! Which request heads our own HTTP/1.1 loop takes.
//!
//! Decides whether a head can be read in one way only. Any other is declined before a byte is consumed, and Pingora's parser gets
//! it with all its bytes: to decline costs speed, never correctness, so each doubt is a reason to. It does not know sockets,
//! upstreams or what the exchange decides.
//!
//! httparse reads, `header_line::walk` proves that what it read is all there is, and the rules below judge the parts.

use super::body_length::{Ambiguous, BodyLength, LengthHeaders};
use super::header_line::{self, Line, Lines, MAX_LINES, members, strip};
use http::Version;
use httparse::{Request, Status};
use std::mem::MaybeUninit;

#[cfg(test)]
mod tests;

/// What the bytes that came so far are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one, and is not kept")]
pub enum Classified<'b> {
    /// The beginning of a head that may yet be taken.
    Incomplete,
    /// Not for this loop, whatever follows.
    Declined(Decline),
    /// A head that can be read in one way only.
    Head(RequestHead<'b>),
}

/// Why a head is declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decline {
    /// An empty line comes first (RFC 9112 §2.2 lets a server skip it).
    EmptyLine,
    /// httparse rejects it: a byte that may not be where it is, an unknown version, a folded line.
    Malformed,
    /// More than 100 header lines.
    TooManyLines,
    /// A line that does not end with exactly CRLF or is 64 KiB long, or a request line with more than single spaces in it.
    Framing,
    /// CONNECT, TRACE and PRI, in any case: their meaning reaches beyond one request and its response.
    Method,
    /// A target that is not in origin form (RFC 9112 §3.2.1), or has a byte outside visible ASCII, or a `#`.
    Target,
    /// No host, more than one, or one that is no host (RFC 9112 §3.2).
    Host,
    /// A body length that another parser could read differently.
    Length(Ambiguous),
    /// `Upgrade` or `HTTP2-Settings`: the connection may change its protocol.
    Upgrade,
    /// A `Connection` option other than `close` and `keep-alive` names fields that only this hop may see (RFC 9110 §7.6.1).
    Connection,
    /// An expectation other than one `100-continue` on HTTP/1.1 (RFC 9110 §10.1.1).
    Expect,
    /// A field about this hop alone: `TE`, `Trailer`, `Keep-Alive`, `Proxy-*` (RFC 9110 §7.6.1). Browsers and S3 clients do not
    /// send them on HTTP/1.1, so a loop that never forwards them needs no rule for what to do with them.
    HopByHop,
}

impl Decline {
    /// Each reason, as [`reason`](Self::reason) names it.
    pub const REASONS: [&str; 12] = [
        "empty_line",
        "malformed",
        "too_many_lines",
        "framing",
        "method",
        "target",
        "host",
        "length",
        "upgrade",
        "connection",
        "expect",
        "hop_by_hop",
    ];

    /// The name of the reason, for the metric.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::EmptyLine => "empty_line",
            Self::Malformed => "malformed",
            Self::TooManyLines => "too_many_lines",
            Self::Framing => "framing",
            Self::Method => "method",
            Self::Target => "target",
            Self::Host => "host",
            Self::Length(_) => "length",
            Self::Upgrade => "upgrade",
            Self::Connection => "connection",
            Self::Expect => "expect",
            Self::HopByHop => "hop_by_hop",
        }
    }
}

/// A request head that can be read in one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHead<'b> {
    bytes: &'b [u8],
    method: &'b str,
    target: &'b str,
    version: Version,
    lines: Lines<'b>,
    fields: Fields<'b>,
    body: BodyLength,
}

impl<'b> RequestHead<'b> {
    /// The whole head, with its empty line; the body begins after it.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// The method, in the client's case: methods are case-sensitive.
    pub fn method(&self) -> &'b str {
        self.method
    }

    /// The target as it came.
    pub fn target(&self) -> &'b str {
        self.target
    }

    /// The target before its first `?`.
    pub fn path(&self) -> &'b str {
        self.target.split_once('?').map_or(self.target, |(path, _)| path)
    }

    /// The target after its first `?`.
    pub fn query(&self) -> Option<&'b str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// HTTP/1.0 or HTTP/1.1.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The header lines, in order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'b>> {
        self.lines.iter()
    }

    /// Hands over the lines that stay as they came, in as few pieces as there are gaps.
    pub fn pieces(&self, goes: impl FnMut(&Line<'b>) -> bool, take: impl FnMut(&'b [u8])) {
        self.lines.pieces(goes, take);
    }

    /// What `Host` says; only HTTP/1.0 may leave it out.
    pub fn host(&self) -> Option<&'b str> {
        self.fields.host
    }

    /// How long the body is.
    pub fn body(&self) -> BodyLength {
        self.body
    }

    /// Whether the client wants to send another request on this connection (RFC 9112 §9.3).
    pub fn keep_alive(&self) -> bool {
        !self.fields.close && (self.version == Version::HTTP_11 || self.fields.keep_alive)
    }

    /// Whether the client waits for `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.fields.expects_continue
    }
}

/// Classifies the beginning of a connection, or what follows a finished exchange on it. Nothing is consumed.
///
/// Each call reads from the first byte. Only a line feed can complete a head: a caller whose new bytes contain none need not call
/// again, and a client that sends single bytes then causes at most one call for each of its lines.
pub fn classify(bytes: &[u8]) -> Classified<'_> {
    match read(bytes) {
        Ok(Some(head)) => Classified::Head(head),
        Ok(None) => Classified::Incomplete,
        Err(why) => Classified::Declined(why),
    }
}

fn read(bytes: &[u8]) -> Result<Option<RequestHead<'_>>, Decline> {
    // httparse would skip it.
    if let Some(b'\r' | b'\n') = bytes.first() {
        return Err(Decline::EmptyLine);
    }
    let mut headers = [const { MaybeUninit::uninit() }; MAX_LINES];
    let mut request = Request::new(&mut []);
    let size = match request.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(Status::Complete(size)) => size,
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Decline::TooManyLines),
        Err(_) => return Err(Decline::Malformed),
    };
    let bytes = bytes.get(..size).ok_or(Decline::Framing)?;
    let (method, target, version) = request_line(&request)?;
    let lines = after_request_line(bytes, method, target, version).ok_or(Decline::Framing)?;
    let lines = header_line::walk(lines, request.headers).ok_or(Decline::Framing)?;
    let (fields, body) = judge(request.headers, version)?;
    Ok(Some(RequestHead { bytes, method, target, version, lines, fields, body }))
}

/// The request line's three parts (RFC 9112 §3), each checked.
fn request_line<'b>(request: &Request<'_, 'b>) -> Result<(&'b str, &'b str, Version), Decline> {
    let version = match request.version {
        Some(0) => Version::HTTP_10,
        Some(1) => Version::HTTP_11,
        _ => return Err(Decline::Malformed),
    };
    let method = request.method.ok_or(Decline::Malformed)?;
    if ["CONNECT", "TRACE", "PRI"].iter().any(|name| method.eq_ignore_ascii_case(name)) {
        return Err(Decline::Method);
    }
    // Old clients send S3 keys with bytes that RFC 3986 wants encoded, and sign them as they are: visible ASCII passes, byte for byte.
    // Not so what is no part of any target (a fragment: some parsers drop what is after `#`, others keep it) and what Pingora rejects.
    let target = request.path.ok_or(Decline::Malformed)?;
    let is_visible = target
        .bytes()
        .fold(true, |all, byte| all & matches!(byte, b'!'..=b'~') & !matches!(byte, b'#' | b'<' | b'>' | b'`'));
    if !target.starts_with('/') || !is_visible {
        return Err(Decline::Target);
    }
    Ok((method, target, version))
}

/// What follows the request line, if single spaces separate its parts and CRLF ends it.
fn after_request_line<'b>(bytes: &'b [u8], method: &str, target: &str, version: Version) -> Option<&'b [u8]> {
    let target_on = strip(bytes, method.as_bytes())?.strip_prefix(b" ")?;
    let version_on = strip(target_on, target.as_bytes())?;
    version_on.strip_prefix(if version == Version::HTTP_11 { b" HTTP/1.1\r\n" } else { b" HTTP/1.0\r\n" })
}

/// What the header lines that matter for the connection say, apart from the body's length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Fields<'b> {
    host: Option<&'b str>,
    close: bool,
    keep_alive: bool,
    expects_continue: bool,
}

fn judge<'b>(headers: &[httparse::Header<'b>], version: Version) -> Result<(Fields<'b>, BodyLength), Decline> {
    let mut fields = Fields::default();
    let mut length = LengthHeaders::default();
    for header in headers {
        length.read(header.name.as_bytes(), header.value).map_err(Decline::Length)?;
        fields.read(header.name, header.value)?;
    }
    if version == Version::HTTP_11 && fields.host.is_none() {
        return Err(Decline::Host);
    }
    // RFC 9110 §10.1.1: a server ignores it in an HTTP/1.0 request, an upstream may not.
    if version == Version::HTTP_10 && fields.expects_continue {
        return Err(Decline::Expect);
    }
    Ok((fields, length.finish(version).map_err(Decline::Length)?))
}

impl<'b> Fields<'b> {
    fn read(&mut self, name: &str, value: &'b [u8]) -> Result<(), Decline> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        match name.len() {
            4 if is("host") => self.read_host(value),
            6 if is("expect") => self.read_expect(value),
            10 if is("connection") => self.read_connection(value),
            7 if is("upgrade") => Err(Decline::Upgrade),
            14 if is("http2-settings") => Err(Decline::Upgrade),
            2 if is("te") => Err(Decline::HopByHop),
            7 if is("trailer") => Err(Decline::HopByHop),
            10 if is("keep-alive") => Err(Decline::HopByHop),
            6.. if name
                .as_bytes()
                .first_chunk()
                .is_some_and(|first: &[u8; 6]| first.eq_ignore_ascii_case(b"proxy-")) =>
            {
                Err(Decline::HopByHop)
            }
            _ => Ok(()),
        }
    }

    fn read_host(&mut self, value: &'b [u8]) -> Result<(), Decline> {
        let host = str::from_utf8(value).ok().filter(|host| !host.is_empty() && host.bytes().all(may_be_in_host));
        match (self.host, host) {
            (None, Some(_)) => self.host = host,
            _ => return Err(Decline::Host),
        }
        Ok(())
    }

    fn read_expect(&mut self, value: &[u8]) -> Result<(), Decline> {
        if self.expects_continue || !value.eq_ignore_ascii_case(b"100-continue") {
            return Err(Decline::Expect);
        }
        self.expects_continue = true;
        Ok(())
    }

    fn read_connection(&mut self, value: &[u8]) -> Result<(), Decline> {
        for option in members(value) {
            if option.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if option.eq_ignore_ascii_case(b"keep-alive") {
                self.keep_alive = true;
            } else {
                return Err(Decline::Connection);
            }
        }
        Ok(())
    }
}

/// As `may_be_in_host` of the exchange: the grammar stands by itself, so that it can be fuzzed without the proxy.
const fn may_be_in_host(byte: u8) -> bool {
    let is_sub_delimiter = matches!(byte, b'!' | b'$' | b'&'..=b',' | b';' | b'=');
    byte.is_ascii_alphanumeric() || is_sub_delimiter || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'[' | b']')
}
