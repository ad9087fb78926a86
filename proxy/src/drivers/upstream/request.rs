//! The head of a request for an upstream, which is always asked in HTTP/1.1, whatever the client spoke.

use crate::exchange::{ReadEdits, RequestEdits, RequestHead};
use bytes::BytesMut;

/// Room for a usual head: one that is presigned, with the lines that are added.
const ROOM: usize = 2048;

/// The framing of the body that follows the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::drivers) enum BodyFraming {
    /// As the client's head says it.
    AsItCame,
    /// In chunks: the client's protocol frames by itself.
    Chunked,
    /// The body is here as a whole, so that there is nothing to expect. Its length in bytes is stated.
    Whole(usize),
}

/// Writes the head. `authority` is the upstream's own `Host`: for a client of HTTP/1.0 that sends none (RFC 9112 §3.2), and for what is signed
/// here.
pub(super) fn head(edits: &RequestEdits<'_>, head: &impl RequestHead, authority: &str, body: BodyFraming) -> BytesMut {
    let mut out = BytesMut::with_capacity(ROOM);
    if let Some(read) = edits.signed_read() {
        write_read(&mut out, edits, read, head, authority);
        return out;
    }
    write_request_line(&mut out, edits, head);
    let keeps_host = head.has_host_line();
    let own = if keeps_host { None } else { Some(head.host().unwrap_or(authority)) };
    if let Some(host) = edits.host().or(own) {
        write(&mut out, &[b"host: ", host.as_bytes(), b"\r\n"]);
    }
    let is_framing = |name: &[u8]| body != BodyFraming::AsItCame && name.eq_ignore_ascii_case(b"transfer-encoding");
    let goes = |name: &[u8]| {
        edits.removes(name)
            || head.ends_here(name)
            || is_framing(name)
            || (!keeps_host && name.eq_ignore_ascii_case(b"host"))
    };
    match body {
        BodyFraming::Whole(length) => write_whole(&mut out, edits, head, length, goes),
        BodyFraming::AsItCame | BodyFraming::Chunked => head.pieces(goes, |piece| out.extend_from_slice(piece)),
    }
    write_added(&mut out, edits);
    if body == BodyFraming::Chunked {
        out.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn write_request_line(out: &mut BytesMut, edits: &RequestEdits<'_>, head: &impl RequestHead) {
    let method = edits.method().unwrap_or(head.method()).as_bytes();
    let inner = edits.path(head.path());
    match head.query().filter(|_| edits.breaks_signature() || inner.is_some()) {
        Some(query) => {
            let path = inner.unwrap_or(head.path()).as_bytes();
            write(out, &[method, b" ", path, b"?", &edits.query(query), b" HTTP/1.1\r\n"]);
        }
        // An absolute target holds a host too, and that one counts (RFC 9112 §3.2.2): where another is sent, only the path is left.
        None if inner.is_some() => write(out, &[method, b" ", inner.unwrap_or_default().as_bytes(), b" HTTP/1.1\r\n"]),
        None => {
            let [root, target] = edits.host().map_or(["", head.target()], |_| head.target_without_authority());
            write(out, &[method, b" ", root.as_bytes(), target.as_bytes(), b" HTTP/1.1\r\n"]);
        }
    }
}

/// Writes a read that is signed here. It has no body, and of the client's lines only those that may go along.
fn write_read(
    out: &mut BytesMut,
    edits: &RequestEdits<'_>,
    read: &ReadEdits<'_>,
    head: &impl RequestHead,
    authority: &str,
) {
    write(out, &[head.method().as_bytes(), b" "]);
    read.target().iter().for_each(|part| out.extend_from_slice(part.as_bytes()));
    write(out, &[b" HTTP/1.1\r\nhost: ", authority.as_bytes(), b"\r\n"]);
    for (name, value) in head.lines().filter(|(name, _)| read.takes(name)) {
        write(out, &[name, b": ", value, b"\r\n"]);
    }
    read.sign(authority, |piece| out.extend_from_slice(piece));
    write_added(out, edits);
    out.extend_from_slice(b"\r\n");
}

/// Writes the lines that are added.
fn write_added(out: &mut BytesMut, edits: &RequestEdits<'_>) {
    edits.for_each_line(|name, [one, two, three]| {
        write(out, &[name, ": ", one, two, three, "\r\n"].map(str::as_bytes));
    });
}

/// Writes the lines one by one: with a broken signature nothing else may differ.
fn write_whole(
    out: &mut BytesMut,
    edits: &RequestEdits<'_>,
    head: &impl RequestHead,
    length: usize,
    goes: impl Fn(&[u8]) -> bool,
) {
    let is_expectation =
        |name: &[u8], value: &[u8]| name.eq_ignore_ascii_case(b"expect") && value.eq_ignore_ascii_case(b"100-continue");
    let mut has_length = false;
    for (name, value) in head.lines().filter(|(name, value)| !goes(name) && !is_expectation(name, value)) {
        has_length |= name.eq_ignore_ascii_case(b"content-length");
        write(out, &[name, b": ", &edits.value(name, value), b"\r\n"]);
    }
    if !has_length && length > 0 {
        write(out, &[b"content-length: ", length.to_string().as_bytes(), b"\r\n"]);
    }
}

fn write(out: &mut BytesMut, parts: &[&[u8]]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
