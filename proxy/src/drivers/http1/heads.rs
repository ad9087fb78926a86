//! Heads as they leave: lines travel as they came, in order and case; what is left out or added is the exchange's decision.

use super::transfer::{Sink, Source};
use crate::exchange::{self, Context, Exchange, Reply, RequestEdits, Whole};
use bytes::BytesMut;
use http::header::HOST;
use http::{StatusCode, Version};
use pingora::protocols::http::date::get_cached_date;
use s3cors_http1::body_length::{ResponseBody, is_bodiless};
use s3cors_http1::chunked::Decoder;
use s3cors_http1::request_head::RequestHead;
use s3cors_http1::response_head::ResponseHead;

/// What a head needs beside its own lines, in bytes: our headers and the connection's.
const ADDED: usize = 1024;
/// The same of a request: a host, and what the upstream is told about the client.
const ADDED_TO_REQUEST: usize = 256;
/// What says how long a body is, which an interim response must not (RFC 9110 §8.6, RFC 9112 §6.1).
const LENGTHS: [&[u8]; 2] = [b"content-length", b"transfer-encoding"];

impl exchange::RequestHead for RequestHead<'_> {
    fn method(&self) -> &str {
        RequestHead::method(self)
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

    /// The grammar knows nothing of signatures, so the exchange has to look at what a `Connection` option names.
    fn is_unambiguous(&self) -> bool {
        !self.nominates()
    }
}

/// The head of a request for the upstream, which is always asked in HTTP/1.1. `authority` is the upstream's own `Host`, for a client
/// of HTTP/1.0 that names none (RFC 9112 §3.2).
pub(super) fn for_upstream(edits: &RequestEdits<'_>, head: &RequestHead<'_>, authority: &str) -> BytesMut {
    let mut out = BytesMut::with_capacity(head.bytes().len() + ADDED_TO_REQUEST);
    // An absolute target holds a host too, and that one counts (RFC 9112 §3.2.2): where another is configured, only the path is left.
    let [root, target] = edits.host().map_or(["", head.target()], |_| head.target_without_authority());
    for part in [edits.method().unwrap_or(head.method()), " ", root, target, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    let unnamed = || (!head.has_host_line()).then(|| head.host().unwrap_or(authority));
    if let Some(host) = edits.host().or_else(unnamed) {
        line(&mut out, HOST.as_str().as_bytes(), host.as_bytes());
    }
    let goes = |name: &[u8]| edits.removes(name) || head.ends_here(name);
    head.pieces(goes, |piece| out.extend_from_slice(piece));
    edits.for_each_line(|name, value| {
        for part in [name, ": ", value[0], value[1], value[2], "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    });
    out.extend_from_slice(b"\r\n");
    out
}

/// How the client's connection goes on after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// Whether further requests may follow.
    pub(super) keeps: bool,
    /// What becomes of the response's framing.
    pub(super) framing: Framing,
}

/// What becomes of the framing of a response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// It is told to the client as the upstream told it.
    AsItCame,
    /// A body that ended with its connection is framed in chunks.
    Chunked,
    /// Chunks are undone for a client of HTTP/1.0.
    Undone,
}

/// How the response to a request comes, and how it is sent on.
pub(super) fn framing(head: &ResponseHead<'_>, request: &RequestHead<'_>) -> (Source, Sink, Framing) {
    let chunked = Source::Chunked(Decoder::default());
    match (head.body(request.method() == "HEAD"), is_modern(request)) {
        (ResponseBody::Absent, _) => (Source::Ended, Sink::Plain, Framing::of_bodiless(head.status(), request)),
        (ResponseBody::Length(length), _) => (Source::Length(length), Sink::Plain, Framing::AsItCame),
        (ResponseBody::Chunked, true) => (chunked, Sink::Chunked, Framing::AsItCame),
        (ResponseBody::Chunked, false) => (chunked, Sink::Plain, Framing::Undone),
        (ResponseBody::UntilClose, true) => (Source::UntilClose, Sink::Chunked, Framing::Chunked),
        (ResponseBody::UntilClose, false) => (Source::UntilClose, Sink::Plain, Framing::AsItCame),
    }
}

impl Framing {
    /// That of a response without a body. One that cannot have a body has no transfer coding either, nor has one to a client that knows
    /// none (RFC 9112 §6.1).
    pub(super) fn of_bodiless(status: u16, request: &RequestHead<'_>) -> Self {
        if is_bodiless(status) || !is_modern(request) { Self::Undone } else { Self::AsItCame }
    }
}

impl Ending {
    /// Writes the end of a head.
    fn write(self, out: &mut BytesMut) {
        let end: &[u8] = if self.keeps { b"connection: keep-alive\r\n\r\n" } else { b"connection: close\r\n\r\n" };
        out.extend_from_slice(end);
    }
}

/// The head of an upstream's final response for the client. `whole` is what differs in it where the client asked HEAD and the upstream
/// was asked for a part.
pub(super) fn for_client(
    exchange: &Exchange,
    head: &ResponseHead<'_>,
    whole: Option<Whole>,
    ctx: &Context,
    ending: Ending,
) -> BytesMut {
    let mut out = BytesMut::with_capacity(head.bytes().len() + ADDED);
    match whole {
        None => status_line(&mut out, head),
        Some(_) => own_status_line(&mut out, Whole::STATUS),
    }
    let vary = head.lines().filter(|each| each.name.eq_ignore_ascii_case(b"vary")).map(|each| each.value);
    let additions = exchange.response_additions(ctx, vary);
    let is_undone = ending.framing == Framing::Undone;
    let goes = |name: &[u8]| {
        is_for_this_hop(head, name)
            || additions.replaces(name)
            || whole.is_some_and(|whole| whole.replaces(name))
            || (is_undone && name.eq_ignore_ascii_case(b"transfer-encoding"))
    };
    head.pieces(goes, |piece| out.extend_from_slice(piece));
    if ending.framing == Framing::Chunked {
        line(&mut out, b"transfer-encoding", b"chunked");
    }
    if let Some(whole) = whole {
        line(&mut out, b"content-length", whole.length().to_string().as_bytes());
    }
    additions.write_lines(|bytes| out.extend_from_slice(bytes));
    ending.write(&mut out);
    out
}

/// An interim response for the client (RFC 9110 §15.2), without headers of ours, for the upstream's connection or about a body: it
/// has none, and a client that believed them would take the final response for it.
pub(super) fn interim(head: &ResponseHead<'_>) -> BytesMut {
    let mut out = BytesMut::with_capacity(head.bytes().len());
    status_line(&mut out, head);
    let goes = |name: &[u8]| is_for_this_hop(head, name) || is_length(name);
    head.pieces(goes, |piece| out.extend_from_slice(piece));
    out.extend_from_slice(b"\r\n");
    out
}

/// Whether a line says how long a body is.
pub(in crate::drivers) fn is_length(name: &[u8]) -> bool {
    LENGTHS.iter().any(|length| name.eq_ignore_ascii_case(length))
}

/// The head of the exchange's own reply.
pub(super) fn of_reply(exchange: &Exchange, reply: &Reply, ctx: &Context, keeps: bool) -> BytesMut {
    let mut out = BytesMut::with_capacity(ADDED);
    own_status_line(&mut out, reply.status);
    exchange.write_reply_lines(reply, ctx, |bytes| out.extend_from_slice(bytes));
    if !reply.has_date() {
        line(&mut out, b"date", get_cached_date().as_bytes());
    }
    Ending { keeps, framing: Framing::AsItCame }.write(&mut out);
    out
}

/// Whether a line of the upstream's ends here, also because its `Connection` names it as one for that connection (RFC 9110 §7.6.1).
pub(in crate::drivers) fn is_for_this_hop(head: &ResponseHead<'_>, name: &[u8]) -> bool {
    exchange::is_removed(name)
        || name.eq_ignore_ascii_case(b"connection")
        || head.nominated().any(|option| option.eq_ignore_ascii_case(name))
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
