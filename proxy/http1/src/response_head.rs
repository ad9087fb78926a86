//! What an upstream's response head says.
//!
//! Decides whether a response head can be read in one way only; any other is an error of the upstream (502), since the client
//! behind a tolerant proxy could read another response than the proxy did (response splitting). What a recipient may repair is
//! repaired before, by `repaired_head`. It does not know the request, sockets or what the exchange changes.
//!
//! A head is gone through once: each line is found, its bytes are checked, and what it says about the connection is noted.

use crate::body_length::{Ambiguous, BodyLength, LengthHeaders, ResponseBody, response_body};
use crate::field_bytes::{members, text_length};
use crate::field_name::is_named;
use crate::header_line::{Line, Lines, NotLines, first_line};
use crate::hop_by_hop::is_hop_by_hop;
use http::Version;

#[cfg(test)]
mod tests;

/// The most header lines of a head. An object may have some hundred lines of metadata, and one that could be written must be readable.
pub const MAX_LINES: usize = 2000;

/// The first bytes of every head.
const START: &[u8] = b"HTTP/1.";

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
    /// A byte that may not be where it is, or a folded line. Where it cannot be repaired either, the first line is no status line.
    Malformed,
    /// A version other than HTTP/1.0 and HTTP/1.1.
    Version,
    /// A line without a colon.
    NoColon,
    /// A field name that is not a token (RFC 9110 §5.1).
    Name,
    /// A folded line that has nothing to go on from or with (RFC 9112 §2.2, §5.2).
    Fold,
    /// A control character in a line about the body's length.
    Control,
    /// More than [`MAX_LINES`] header lines.
    TooManyLines,
    /// A line that does not end with exactly CRLF, or an empty line first.
    Framing,
    /// A status below 100. Those above 599 have no class, and a client takes them for errors (RFC 9110 §15).
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
            Self::Version => ("InvalidResponseVersion", "a version other than HTTP/1.0 and HTTP/1.1"),
            Self::NoColon => ("InvalidResponseField", "a header line without a colon"),
            Self::Name => ("InvalidResponseName", "a header name that is not a token"),
            Self::Fold => ("InvalidResponseFold", "a folded header line that continues nothing, or with nothing"),
            Self::Control => ("InvalidResponseValue", "a control character in a line about the length of the body"),
            Self::TooManyLines => ("TooManyResponseLines", "more than 2000 header lines"),
            Self::Framing => ("InvalidResponseLine", "an empty line before the status line"),
            Self::Status => ("InvalidStatus", "a status below 100"),
            Self::SwitchingProtocols => ("SwitchingProtocols", "status 101, though no upgrade was requested"),
            Self::Length(ambiguous) => (ambiguous.code(), ambiguous.message()),
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

    /// 100 to 999, never 101.
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

    /// Returns true for the name of a field about the upstream's own connection: one that HTTP defines so, or that a `Connection` option
    /// names (RFC 9110 §7.6.1).
    pub fn ends_here(&self, name: &[u8]) -> bool {
        let Options { has_hop_by_hop, nominates, .. } = self.options;
        let is_of_this_hop = || is_hop_by_hop(name) || self.nominated().any(|option| option.eq_ignore_ascii_case(name));
        // The usual head has at most a `Connection` of its own.
        is_named(name, b"connection") || ((has_hop_by_hop || nominates) && is_of_this_hop())
    }

    /// Returns true if there is a `Keep-Alive`.
    pub fn has_keep_alive_line(&self) -> bool {
        self.options.has_keep_alive_line
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
    // It begins no line, and would be taken for the end of one.
    if let Some(b'\r' | b'\n') = bytes.first() {
        return Err(InvalidResponse::Framing);
    }
    let Some((line, text, rest)) = first_line(bytes) else {
        let begins_so = START.starts_with(bytes) || bytes.starts_with(START);
        return if begins_so { Ok(None) } else { Err(InvalidResponse::Malformed) };
    };
    let StatusLine { version, status, reason } = status_line(text).ok_or(InvalidResponse::Malformed)?;
    let mut found = Found::default();
    let walked = Lines::read(rest, MAX_LINES, |line| found.read(line.name, line.value));
    let Some((lines, size)) = walked.map_err(|why| match why {
        NotLines::Invalid => InvalidResponse::Malformed,
        NotLines::TooMany => InvalidResponse::TooManyLines,
    })?
    else {
        return Ok(None);
    };
    if line.len() - text.len() != 2 || !lines.has_crlf() {
        return Err(InvalidResponse::Framing);
    }
    let status = match status {
        101 => return Err(InvalidResponse::SwitchingProtocols),
        100..=999 => status,
        _ => return Err(InvalidResponse::Status),
    };
    let (options, stated) = found.finish(version).map_err(InvalidResponse::Length)?;
    let bytes = bytes.get(..line.len() + size).unwrap_or_default();
    Ok(Some(ResponseHead { bytes, version, status, reason, lines, options, stated }))
}

struct StatusLine<'b> {
    version: Version,
    status: u16,
    reason: &'b [u8],
}

/// `HTTP-version SP 3DIGIT SP [reason]` (RFC 9112 §4).
///
/// Some servers leave the second space out when they give no reason. That says nothing else in any parser, so it is accepted.
fn status_line(line: &[u8]) -> Option<StatusLine<'_>> {
    let (start, after) = line.split_first_chunk::<12>()?;
    let (version, digits) = match start {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b' ', digits @ ..] => (Version::HTTP_11, digits),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0', b' ', digits @ ..] => (Version::HTTP_10, digits),
        _ => return None,
    };
    let reason = if after.is_empty() { after } else { after.strip_prefix(b" ")? };
    let is_valid = digits.iter().all(u8::is_ascii_digit) && text_length(reason) == reason.len();
    let status = digits.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit & 0x0f));
    is_valid.then_some(StatusLine { version, status, reason })
}

/// The connection options that matter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Options {
    close: bool,
    keep_alive: bool,
    nominates: bool,
    has_keep_alive_line: bool,
    /// Set if there is a field about the connection beside `Connection`.
    has_hop_by_hop: bool,
}

/// The meaning of the lines that were read so far.
#[derive(Default)]
struct Found {
    options: Options,
    length: LengthHeaders,
    ambiguous: Option<Ambiguous>,
}

impl Found {
    /// Reads a line. Most are told by the length of their name.
    #[inline]
    fn read(&mut self, name: &[u8], value: &[u8]) {
        match name.len() {
            10 if is_named(name, b"connection") => self.read_connection(value),
            2 | 7 | 10 | 14 | 16..=19 => {
                self.options.has_hop_by_hop |= is_hop_by_hop(name);
                self.options.has_keep_alive_line |= is_named(name, b"keep-alive");
                if let Err(why) = self.length.read(name, value) {
                    self.ambiguous.get_or_insert(why);
                }
            }
            _ => {}
        }
    }

    fn read_connection(&mut self, value: &[u8]) {
        for option in members(value) {
            let (close, keep_alive) =
                (option.eq_ignore_ascii_case(b"close"), option.eq_ignore_ascii_case(b"keep-alive"));
            self.options.close |= close;
            self.options.keep_alive |= keep_alive;
            self.options.nominates |= !close && !keep_alive;
        }
    }

    fn finish(self, version: Version) -> Result<(Options, BodyLength), Ambiguous> {
        match self.ambiguous {
            Some(why) => Err(why),
            None => Ok((self.options, self.length.finish(version)?)),
        }
    }
}
