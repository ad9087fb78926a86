//! The head of a request.
//!
//! Decides whether a head can be read in one way only; any other is rejected, since a recipient after the proxy could read another
//! request than the proxy did (request smuggling, RFC 9112 §11.2). It does not know sockets, upstreams or what a request is for.
//!
//! httparse reads, `header_line::walk` proves that what it read is all there is, and the rules below judge the parts.

pub use crate::rejection::Rejection;

use crate::body_length::BodyLength;
use crate::header_line::{self, Line, Lines, is_token, strip};
use crate::request_fields::RequestFields;
use crate::request_target::RequestTarget;
use http::Version;
use httparse::{Error, Request, Status};
use std::mem::MaybeUninit;

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
    // httparse would skip it.
    if let Some(b'\r' | b'\n') = bytes.first() {
        return Err(Rejection::RequestLine);
    }
    let mut headers = [const { MaybeUninit::uninit() }; MAX_LINES];
    let mut request = Request::new(&mut []);
    let size = match request.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(Status::Complete(size)) => size,
        Ok(Status::Partial) => return begun(&request).map(|()| None),
        Err(error) => return Err(rejection(error, &request, bytes)),
    };
    let bytes = bytes.get(..size).ok_or(Rejection::RequestLine)?;
    let (method, target, version) = request_line(&request)?;
    let lines = after_request_line(bytes, method, target.whole(), version).ok_or(Rejection::RequestLine)?;
    let mut lines = header_line::walk(lines, request.headers).ok_or(Rejection::HeaderLine)?;
    let fields = RequestFields::read(request.headers, version, &target)?;
    if fields.has_overridden_length {
        lines.hide_length();
    }
    Ok(Some(RequestHead { bytes, method, target, version, lines, fields }))
}

/// The request line's three parts (RFC 9112 §3), each checked.
fn request_line<'b>(request: &Request<'_, 'b>) -> Result<(&'b str, RequestTarget<'b>, Version), Rejection> {
    let method = request.method.ok_or(Rejection::RequestLine)?;
    if method == "CONNECT" {
        return Err(Rejection::Connect);
    }
    let target = RequestTarget::read(request.path.ok_or(Rejection::RequestLine)?)?;
    match request.version {
        Some(0) => Ok((method, target, Version::HTTP_10)),
        Some(1) => Ok((method, target, Version::HTTP_11)),
        _ => Err(Rejection::Version),
    }
}

/// The rest of a head after the request line, if single spaces separate its parts. A line feed alone may end it (RFC 9112 §2.2).
fn after_request_line<'b>(bytes: &'b [u8], method: &str, target: &str, version: Version) -> Option<&'b [u8]> {
    let target_on = strip(bytes, method.as_bytes())?.strip_prefix(b" ")?;
    let version_on = strip(target_on, target.as_bytes())?;
    let end = version_on.strip_prefix(if version == Version::HTTP_11 { b" HTTP/1.1" } else { b" HTTP/1.0" })?;
    end.strip_prefix(b"\r\n").or_else(|| end.strip_prefix(b"\n"))
}

/// Rejects the beginning of a head as soon as its request line is wrong.
#[cold]
fn begun(request: &Request<'_, '_>) -> Result<(), Rejection> {
    match request.method {
        Some("CONNECT") => Err(Rejection::Connect),
        _ if request.version.is_some() => request_line(request).map(|_| ()),
        _ => Ok(()),
    }
}

/// The reason for an error of httparse, given what it had read before.
#[cold]
fn rejection(error: Error, request: &Request<'_, '_>, bytes: &[u8]) -> Rejection {
    let line = match begun(request) {
        Err(rejection @ (Rejection::Connect | Rejection::Target)) => return rejection,
        _ => request_line(request).ok(),
    };
    match error {
        Error::TooManyHeaders => Rejection::TooManyLines,
        // The line ends as one does: then the byte that is wrong is in its target.
        Error::Token | Error::Version if request.method.is_some() && has_version(bytes) => Rejection::Target,
        Error::Version => Rejection::Version,
        Error::HeaderName | Error::HeaderValue => Rejection::HeaderLine,
        Error::NewLine => {
            let has_ended =
                line.and_then(|(method, target, version)| after_request_line(bytes, method, target.whole(), version));
            if has_ended.is_some() { Rejection::HeaderLine } else { Rejection::RequestLine }
        }
        Error::Token | Error::Status => Rejection::RequestLine,
    }
}

/// Returns true if the first line ends with a version.
fn has_version(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")
}
