//! The head of a request.
//!
//! Decides whether a head can be read in one way only; any other is rejected, since a recipient after the proxy could read another
//! request than the proxy did (request smuggling, RFC 9112 §11.2). It does not know sockets, upstreams or what a request is for.
//!
//! A head is gone through once: each line is found, its bytes are checked, and what it says about the connection is noted.

pub use crate::rejection::Rejection;

use crate::body_length::BodyLength;
use crate::field_bytes::{is_token, token_length};
use crate::header_line::{Line, Lines, NotLines, first_line};
use crate::request_fields::{Found, RequestFields};
use crate::request_target::RequestTarget;
use http::Version;

#[cfg(test)]
mod tests;

/// The most header lines of a head.
pub const MAX_LINES: usize = 256;

/// The meaning of the bytes that came so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one, and is not kept")]
pub enum Classified<'b> {
    /// The beginning of a head that may yet be accepted.
    Incomplete,
    /// Not a head that may be served, whatever follows.
    Rejected(Rejection),
    /// A head that can be read in one way only.
    Head(RequestHead<'b>),
}

/// A request head that can be read in one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHead<'b> {
    bytes: &'b [u8],
    method: &'b str,
    target: RequestTarget<'b>,
    version: Version,
    lines: Lines<'b>,
    fields: RequestFields<'b>,
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
        self.target.whole()
    }

    /// The target without its authority, in two parts: in origin form, if it was in absolute form (RFC 9112 §3.2.2).
    pub fn target_without_authority(&self) -> [&'b str; 2] {
        self.target.without_authority()
    }

    /// The path of the target; `/` for a target that has none.
    pub fn path(&self) -> &'b str {
        self.target.path()
    }

    /// The query of the target, after its first `?`.
    pub fn query(&self) -> Option<&'b str> {
        self.target.query()
    }

    /// HTTP/1.0 or HTTP/1.1.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The header lines, in order, without a `Content-Length` that a transfer coding overrides: it must not be forwarded (RFC 9112
    /// §6.3 item 3).
    pub fn lines(&self) -> impl Iterator<Item = Line<'b>> {
        self.lines.iter()
    }

    /// Hands over the same lines, except for those that go, in as few pieces as there are gaps. Each line ends with CRLF.
    pub fn pieces(&self, goes: impl FnMut(&'b [u8]) -> bool, take: impl FnMut(&'b [u8])) {
        self.lines.pieces(goes, take);
    }

    /// Returns true for the name of a field about the client's connection: one that HTTP defines so, or that a `Connection` option
    /// names (RFC 9110 §7.6.1).
    #[inline]
    pub fn ends_here(&self, name: &[u8]) -> bool {
        self.fields.ends_here(name, &self.lines)
    }

    /// Returns true if there is a `Connection` option other than `close` and `keep-alive`: it may name any field.
    pub fn nominates(&self) -> bool {
        self.fields.nominates
    }

    /// The host that the request is for: the target's authority, else the value of `Host`. Only HTTP/1.0 may have neither.
    pub fn host(&self) -> Option<&'b str> {
        self.target.authority().or(self.fields.host)
    }

    /// Returns true if there is a `Host`, which only HTTP/1.0 may leave out.
    pub fn has_host_line(&self) -> bool {
        self.fields.host.is_some()
    }

    /// The length of the body.
    pub fn body(&self) -> BodyLength {
        self.fields.body
    }

    /// Returns true if further requests may follow on this connection (RFC 9112 §9.3). None may after one whose `Content-Length` is overridden: a
    /// server must close then (RFC 9112 §6.1).
    pub fn keep_alive(&self) -> bool {
        let is_kept = self.version == Version::HTTP_11 || self.fields.keep_alive;
        is_kept && !self.fields.close && !self.fields.has_overridden_length
    }

    /// Returns true if the client waits for `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.fields.expects_continue
    }
}

/// Returns true if bytes can begin a request, by the first of them. A CR may begin an empty line, which a server skips (RFC 9112 §2.2).
pub fn may_begin(bytes: &[u8]) -> bool {
    match bytes {
        [] | [b'\r'] => true,
        [first, ..] => is_token(*first),
    }
}

/// Classifies the beginning of a connection, or what follows a finished exchange on it, after empty lines. Nothing is consumed.
///
/// Each call reads from the first byte. Only a line feed can complete a head: a caller whose new bytes contain none need not call
/// again, and a client that sends single bytes then causes at most one call for each of its lines.
pub fn classify(bytes: &[u8]) -> Classified<'_> {
    match read(bytes) {
        Ok(Some(head)) => Classified::Head(head),
        Ok(None) => Classified::Incomplete,
        Err(why) => Classified::Rejected(why),
    }
}

fn read(bytes: &[u8]) -> Result<Option<RequestHead<'_>>, Rejection> {
    // It begins no line, and would be taken for the end of one.
    if let Some(b'\r' | b'\n') = bytes.first() {
        return Err(Rejection::RequestLine);
    }
    let Some((line, text, rest)) = first_line(bytes) else {
        return begins_request_line(bytes).map(|()| None);
    };
    let (method, target, version) = request_line(text)?;
    let mut found = Found::default();
    let walked = Lines::read(rest, MAX_LINES, |line| found.read(line.name, line.value));
    let Some((mut lines, size)) = walked.map_err(|why| match why {
        NotLines::Invalid => Rejection::HeaderLine,
        NotLines::TooMany => Rejection::TooManyLines,
    })?
    else {
        return Ok(None);
    };
    let fields = found.finish(version, &target)?;
    if fields.has_overridden_length {
        lines.hide_length();
    }
    let bytes = bytes.get(..line.len() + size).unwrap_or_default();
    Ok(Some(RequestHead { bytes, method, target, version, lines, fields }))
}

/// The three parts of a request line (RFC 9112 §3), with single spaces between them.
fn request_line(line: &[u8]) -> Result<(&str, RequestTarget<'_>, Version), Rejection> {
    let (method, rest) = method(line)?;
    let rest = rest.ok_or(Rejection::RequestLine)?;
    let (target, version) = match rest.split_last_chunk() {
        Some((target, b" HTTP/1.1")) => (target, Version::HTTP_11),
        Some((target, b" HTTP/1.0")) => (target, Version::HTTP_10),
        _ => return Err(no_version(rest)),
    };
    let target = str::from_utf8(target).map_err(|_| Rejection::Target)?;
    Ok((method, RequestTarget::read(target)?, version))
}

/// The method at the beginning of a request line, and what comes after its space, if that is here.
fn method(line: &[u8]) -> Result<(&str, Option<&[u8]>), Rejection> {
    let (method, rest) = line.split_at_checked(token_length(line)).ok_or(Rejection::RequestLine)?;
    let method = str::from_utf8(method).map_err(|_| Rejection::RequestLine)?;
    match rest {
        [] => Ok((method, None)),
        [b' ', ..] if method == "CONNECT" => Err(Rejection::Connect),
        [b' ', rest @ ..] if !method.is_empty() => Ok((method, Some(rest))),
        _ => Err(Rejection::RequestLine),
    }
}

/// The reason for which a line does not end with a version: it has another one, or it does not have three parts.
#[cold]
fn no_version(rest: &[u8]) -> Rejection {
    let mut parts = rest.split(|byte| *byte == b' ');
    let two = [parts.next(), parts.next()];
    let is_version = two.iter().flatten().filter(|part| !part.is_empty()).count() == 2 && parts.next().is_none();
    if is_version { Rejection::Version } else { Rejection::RequestLine }
}

/// Rejects the beginning of a request line as soon as it is wrong.
#[cold]
fn begins_request_line(bytes: &[u8]) -> Result<(), Rejection> {
    let (_, Some(rest)) = method(bytes)? else { return Ok(()) };
    let mut parts = rest.splitn(2, |byte| *byte == b' ');
    let (target, version) = (parts.next().unwrap_or_default(), parts.next());
    if target.iter().any(u8::is_ascii_control) {
        return Err(Rejection::RequestLine);
    }
    let begins_so = |line: &&[u8; 9]| version.is_none_or(|version| line.starts_with(version));
    if [b"HTTP/1.1\r", b"HTTP/1.0\r"].iter().any(begins_so) { Ok(()) } else { Err(Rejection::Version) }
}
