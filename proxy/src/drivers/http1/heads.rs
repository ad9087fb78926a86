//! Heads as they leave: lines travel as they came, in order and case; what is left out or added is the exchange's decision.

use super::transfer::Sink;
use crate::drivers::date::with_date;
use crate::exchange::{self, Identity, Replying, ResponseEdits, TakeHeaders};
use bytes::BytesMut;
use http::{HeaderName, HeaderValue, StatusCode, Version};
use s3_cors::Grant;
use s3cors_http1::body::BodyReader;
use s3cors_http1::body_length::{BodyLength, ResponseBody, is_bodiless, is_length};
use s3cors_http1::request_head::RequestHead;
use s3cors_http1::response_head::ResponseHead;

/// Room for our headers and the connection's, in bytes.
const ADDED: usize = 1024;

impl exchange::RequestHead for RequestHead<'_> {
    fn method(&self) -> &str {
        RequestHead::method(self)
    }

    fn target(&self) -> &str {
        RequestHead::target(self)
    }

    fn host(&self) -> Option<&str> {
        RequestHead::host(self)
    }

    fn path(&self) -> &str {
        RequestHead::path(self)
    }

    fn query(&self) -> Option<&str> {
        RequestHead::query(self)
    }

    fn version(&self) -> Version {
        RequestHead::version(self)
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        RequestHead::lines(self).map(|line| (line.name, line.value))
    }

    fn body(&self) -> BodyLength {
        RequestHead::body(self)
    }

    /// The grammar knows nothing of signatures, so the exchange has to look at what a `Connection` option names.
    fn is_unambiguous(&self) -> bool {
        !self.nominates()
    }

    fn ends_here(&self, name: &[u8]) -> bool {
        RequestHead::ends_here(self, name)
    }

    fn target_without_authority(&self) -> [&str; 2] {
        RequestHead::target_without_authority(self)
    }

    fn has_host_line(&self) -> bool {
        RequestHead::has_host_line(self)
    }

    fn pieces(&self, goes: impl Fn(&[u8]) -> bool, take: impl FnMut(&[u8])) {
        RequestHead::pieces(self, goes, take);
    }
}

/// The end of a response's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// Whether further requests may follow.
    pub(super) keeps: bool,
    /// The change to the response's framing.
    pub(super) framing: Framing,
}

/// The change to the framing of a response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// The client is told of it as the upstream told it.
    AsItCame,
    /// A body that ended with its connection is framed in chunks.
    Chunked,
    /// Chunks are undone for a client of HTTP/1.0.
    Undone,
}

/// The body of a response with this status for the client, and its framing on both sides.
pub(super) fn framing(head: &ResponseHead<'_>, status: u16, request: &RequestHead<'_>) -> (BodyReader, Sink, Framing) {
    let body = head.body(request.method() == "HEAD");
    let (sink, framing) = match (body, is_modern(request)) {
        // One that cannot have a body has no transfer coding either, nor has one to a client that knows none (RFC 9112 §6.1).
        (ResponseBody::Absent, is_modern) if is_bodiless(status) || !is_modern => (Sink::Plain, Framing::Undone),
        (ResponseBody::Absent | ResponseBody::Length(_), _) => (Sink::Plain, Framing::AsItCame),
        (ResponseBody::Chunked, true) => (Sink::Chunked, Framing::AsItCame),
        (ResponseBody::Chunked, false) => (Sink::Plain, Framing::Undone),
        (ResponseBody::UntilClose, true) => (Sink::Chunked, Framing::Chunked),
        (ResponseBody::UntilClose, false) => (Sink::Plain, Framing::AsItCame),
    };
    (BodyReader::of_response(body), sink, framing)
}

/// Writes headers as lines.
struct Lines<'o>(&'o mut BytesMut);

impl TakeHeaders for Lines<'_> {
    fn header(&mut self, name: &HeaderName, value: &HeaderValue) {
        line(self.0, name.as_str().as_bytes(), value.as_bytes());
    }

    fn length(&mut self, length: usize) {
        match length {
            0 => self.0.extend_from_slice(b"content-length: 0\r\n"),
            length => line(self.0, b"content-length", length.to_string().as_bytes()),
        }
    }

    fn identity(&mut self, of: &Identity<'_>) {
        of.write_lines(|bytes| self.0.extend_from_slice(bytes));
    }

    fn grant(&mut self, grant: &Grant) {
        grant.write_lines(|bytes| self.0.extend_from_slice(bytes));
    }
}

impl Ending {
    /// Writes the end of a head.
    fn write(self, out: &mut BytesMut) {
        let end: &[u8] = if self.keeps { b"connection: keep-alive\r\n\r\n" } else { b"connection: close\r\n\r\n" };
        out.extend_from_slice(end);
    }
}

/// The head of an upstream's final response for the client.
pub(super) fn for_client(edits: &ResponseEdits<'_>, head: &ResponseHead<'_>, ending: Ending) -> BytesMut {
    let mut out = BytesMut::with_capacity(head.bytes().len() + ADDED);
    match edits.status() {
        None => status_line(&mut out, head),
        Some(status) => own_status_line(&mut out, status),
    }
    // The framing is told as it is, and an upstream may offer another protocol without naming it in `Connection`.
    let stays = |name: &[u8]| match name.len() {
        7 => name.eq_ignore_ascii_case(b"upgrade"),
        17 => ending.framing != Framing::Undone && name.eq_ignore_ascii_case(b"transfer-encoding"),
        _ => false,
    };
    let goes = |name: &[u8]| (head.ends_here(name) && !stays(name)) || edits.removes(name);
    head.pieces(goes, |piece| out.extend_from_slice(piece));
    if ending.framing == Framing::Chunked {
        line(&mut out, b"transfer-encoding", b"chunked");
    }
    if let Some(length) = edits.length() {
        line(&mut out, b"content-length", length.to_string().as_bytes());
    }
    edits.for_each_header(&mut Lines(&mut out));
    ending.write(&mut out);
    out
}

/// An interim response for the client (RFC 9110 §15.2), without headers of ours, for the upstream's connection, for CORS or about a body:
/// it has none, and a client that believed them would take the final response for it.
pub(super) fn interim(head: &ResponseHead<'_>) -> BytesMut {
    let mut out = BytesMut::with_capacity(head.bytes().len());
    status_line(&mut out, head);
    let goes = |name: &[u8]| head.ends_here(name) || is_length(name) || exchange::is_cors_header(name);
    head.pieces(goes, |piece| out.extend_from_slice(piece));
    out.extend_from_slice(b"\r\n");
    out
}

/// The head of a reply.
pub(super) fn of_reply<H: exchange::RequestHead>(reply: &Replying<H>, keeps: bool) -> BytesMut {
    let mut out = BytesMut::with_capacity(ADDED);
    own_status_line(&mut out, reply.status());
    with_date(|date| reply.for_each_header(date, &mut Lines(&mut out)));
    Ending { keeps, framing: Framing::AsItCame }.write(&mut out);
    out
}

/// The version is the proxy's own (RFC 9110 §2.5), the reason the upstream's.
fn status_line(out: &mut BytesMut, head: &ResponseHead<'_>) {
    let digit = |of: u16| b'0' + (head.status() / of % 10) as u8;
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(&[digit(100), digit(10), digit(1), b' ']);
    out.extend_from_slice(head.reason());
    out.extend_from_slice(b"\r\n");
}

/// That of a response whose status the proxy has decided.
fn own_status_line(out: &mut BytesMut, status: StatusCode) {
    if status == StatusCode::OK {
        return out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
    }
    for part in ["HTTP/1.1 ", status.as_str(), " ", status.canonical_reason().unwrap_or_default(), "\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn line(out: &mut BytesMut, name: &[u8], value: &[u8]) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Whether a client may be sent what HTTP/1.0 does not know: chunks and interim responses.
pub(super) fn is_modern(head: &RequestHead<'_>) -> bool {
    head.version() == Version::HTTP_11
}
