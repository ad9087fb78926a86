//! What an upstream's response head says.
//!
//! Decides whether a response head can be read in one way only; any other is an error of the upstream (502), since the client
//! behind a tolerant proxy could read another response than the proxy did (response splitting). It does not know the request,
//! sockets or what the exchange changes.
//!
//! httparse reads, `header_line::walk` proves that what it read is all there is, and the rules below judge the parts.

use crate::body_length::{Ambiguous, BodyLength, LengthHeaders, ResponseBody, response_body};
use crate::header_line::{self, Line, Lines, members};
use http::Version;
use httparse::{Header, Response, Status};
use std::mem::MaybeUninit;

#[cfg(test)]
mod tests;

/// The most header lines of a head.
const MAX_LINES: usize = 100;

/// What the bytes that came so far are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one, and is not kept")]
pub enum Parsed<'b> {
    /// The beginning of a head.
    Incomplete,
    /// Not a response that may be forwarded, whatever follows.
    Invalid(InvalidResponse),
    /// A head that can be read in one way only.
    Head(ResponseHead<'b>),
}

/// Why a response head is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvalidResponse {
    /// httparse rejects it: a byte that may not be where it is, an unknown version, a folded line.
    Malformed,
    /// More than 100 header lines.
    TooManyLines,
    /// A line that does not end with exactly CRLF, or an empty line first.
    Framing,
    /// A status outside 100 to 599 (RFC 9110 §15).
    Status,
    /// 101: no upgrade was asked for, as requests with `Upgrade` are not sent by this loop.
    SwitchingProtocols,
    /// A body length that another parser could read differently.
    Length(Ambiguous),
}

impl InvalidResponse {
    /// The code for the log, and the reason in a few words.
    #[must_use]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed => ("InvalidResponseHead", "not a response head of HTTP/1.1"),
            Self::TooManyLines => ("TooManyResponseLines", "more than 100 header lines"),
            Self::Framing => ("InvalidResponseLine", "a line that does not end with CRLF"),
            Self::Status => ("InvalidStatus", "a status outside 100 to 599"),
            Self::SwitchingProtocols => ("SwitchingProtocols", "status 101, though no upgrade was requested"),
            Self::Length(ambiguous) => ("AmbiguousResponseLength", ambiguous.message()),
        }
    }
}

/// A response head that can be read in one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseHead<'b> {
    bytes: &'b [u8],
    version: Version,
    status: u16,
    reason: &'b [u8],
    lines: Lines<'b>,
    options: Options,
    stated: BodyLength,
}

impl<'b> ResponseHead<'b> {
    /// The whole head, with its empty line; the body begins after it.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// HTTP/1.0 or HTTP/1.1.
    pub fn version(&self) -> Version {
        self.version
    }

    /// 100 to 599, never 101.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason phrase, often empty.
    pub fn reason(&self) -> &'b [u8] {
        self.reason
    }

    /// The header lines, in order.
    pub fn lines(&self) -> impl Iterator<Item = Line<'b>> + Clone {
        self.lines.iter()
    }

    /// Hands over the lines that stay as they came, in as few pieces as there are gaps.
    pub fn pieces(&self, goes: impl FnMut(&'b [u8]) -> bool, take: impl FnMut(&'b [u8])) {
        self.lines.pieces(goes, take);
    }

    /// Whether another response follows to the same request (RFC 9110 §15.2).
    pub fn is_interim(&self) -> bool {
        self.status < 200
    }

    /// What `Connection` says beside `close` and `keep-alive`: names of headers for the upstream's own connection (RFC 9110 §7.6.1).
    pub fn nominated(&self) -> impl Iterator<Item = &'b [u8]> {
        let lines = self.options.nominates.then(|| self.lines.iter()).into_iter().flatten();
        lines.filter(|line| line.name.eq_ignore_ascii_case(b"connection")).flat_map(|line| members(line.value))
    }

    /// How the body ends, if this responds to a HEAD request or to another.
    pub fn body(&self, to_head: bool) -> ResponseBody {
        response_body(self.stated, to_head, self.status)
    }

    /// Whether the server keeps the connection open once the body has ended (RFC 9112 §9.3); a body that lasts until the server
    /// closes leaves none to keep.
    ///
    /// A 204 with `Transfer-Encoding` is never kept. A server must not send it (RFC 9112 §6.1), and one that does may well send
    /// chunks after it, which the next request on this connection would take for its response.
    pub fn keep_alive(&self) -> bool {
        let by_version = self.version == Version::HTTP_11 || self.options.keep_alive;
        let chunks_may_follow = self.status == 204 && self.stated == BodyLength::Chunked;
        by_version && !self.options.close && !chunks_may_follow
    }
}

/// Reads the head of a response. Nothing is consumed.
///
/// Each call reads from the first byte. Only a line feed can complete a head: a caller whose new bytes contain none need not call
/// again.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    match read(bytes) {
        Ok(Some(head)) => Parsed::Head(head),
        Ok(None) => Parsed::Incomplete,
        Err(why) => Parsed::Invalid(why),
    }
}

fn read(bytes: &[u8]) -> Result<Option<ResponseHead<'_>>, InvalidResponse> {
    // httparse would skip it.
    if let Some(b'\r' | b'\n') = bytes.first() {
        return Err(InvalidResponse::Framing);
    }
    let mut headers = [const { MaybeUninit::uninit() }; MAX_LINES];
    let mut response = Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    let size = match config.parse_response_with_uninit_headers(&mut response, bytes, &mut headers) {
        Ok(Status::Complete(size)) => size,
        Ok(Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(InvalidResponse::TooManyLines),
        Err(_) => return Err(InvalidResponse::Malformed),
    };
    let bytes = bytes.get(..size).ok_or(InvalidResponse::Framing)?;
    let StatusLine { version, status, reason, rest } = status_line(bytes).ok_or(InvalidResponse::Framing)?;
    let lines = header_line::walk(rest, response.headers).filter(Lines::has_crlf).ok_or(InvalidResponse::Framing)?;
    let status = match status {
        101 => return Err(InvalidResponse::SwitchingProtocols),
        100..=599 => status,
        _ => return Err(InvalidResponse::Status),
    };
    let (options, stated) = judge(response.headers, version)?;
    Ok(Some(ResponseHead { bytes, version, status, reason, lines, options, stated }))
}

struct StatusLine<'b> {
    version: Version,
    status: u16,
    reason: &'b [u8],
    rest: &'b [u8],
}

/// `HTTP-version SP 3DIGIT SP [reason] CRLF` (RFC 9112 §4), read here since httparse drops a reason that is not ASCII.
///
/// Some servers leave the second space out when they give no reason. That says nothing else in any parser, so it is accepted.
fn status_line(bytes: &[u8]) -> Option<StatusLine<'_>> {
    let (line, rest) = bytes.split_at_checked(memchr::memchr(b'\n', bytes)? + 1)?;
    let (start, after) = line.strip_suffix(b"\r\n")?.split_first_chunk::<12>()?;
    let (version, digits) = match start {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b' ', digits @ ..] => (Version::HTTP_11, digits),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0', b' ', digits @ ..] => (Version::HTTP_10, digits),
        _ => return None,
    };
    let reason = if after.is_empty() { after } else { after.strip_prefix(b" ")? };
    let is_valid = digits.iter().all(u8::is_ascii_digit) && reason.iter().copied().all(header_line::is_text);
    let status = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit & 0x0f));
    is_valid.then_some(StatusLine { version, status, reason, rest })
}

/// The connection options that matter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Options {
    close: bool,
    keep_alive: bool,
    nominates: bool,
}

fn judge(headers: &[Header<'_>], version: Version) -> Result<(Options, BodyLength), InvalidResponse> {
    let mut options = Options::default();
    let mut length = LengthHeaders::default();
    for Header { name, value } in headers {
        length.read(name.as_bytes(), value).map_err(InvalidResponse::Length)?;
        if name.eq_ignore_ascii_case("connection") {
            for option in members(value) {
                let (close, keep_alive) =
                    (option.eq_ignore_ascii_case(b"close"), option.eq_ignore_ascii_case(b"keep-alive"));
                options.close |= close;
                options.keep_alive |= keep_alive;
                options.nominates |= !close && !keep_alive;
            }
        }
    }
    Ok((options, length.finish(version).map_err(InvalidResponse::Length)?))
}
