//! The head of an operation's request for the upstream, whatever the client spoke.

use crate::exchange::{PlacedSignature, RequestEdits, RequestHead, SignaturePlace};

use bytes::BytesMut;
use std::borrow::Cow;

/// What ends with the client's connection (RFC 9110 §7.6.1), or is written anew.
const END_HERE: [&[u8]; 11] = [
    b"host",
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"http2-settings",
];

/// Writes the head. The body is whole, so its length is stated, also where the client sent it in chunks. `broken` is the signature to
/// break; all else is equal with it and without.
pub(super) fn for_upstream(
    edits: &RequestEdits<'_>,
    head: &impl RequestHead,
    authority: &str,
    body: &[u8],
    broken: Option<&PlacedSignature>,
) -> BytesMut {
    let host = edits.host().or_else(|| head.host()).unwrap_or(authority);
    let text = |place, text| broken.map_or(Cow::Borrowed(text), |signature| signature.broken(place, text));
    let mut out = BytesMut::with_capacity(1024);
    write(&mut out, &[head.method().as_bytes(), b" ", head.path().as_bytes()]);
    if let Some(query) = head.query() {
        write(&mut out, &[b"?", &text(SignaturePlace::Query, query.as_bytes())]);
    }
    write(&mut out, &[b" HTTP/1.1\r\nhost: ", host.as_bytes(), b"\r\n"]);
    let mut has_length = false;
    for (name, value) in head.lines() {
        if ends_here(name, value, head) || edits.removes(name) {
            continue;
        }
        has_length |= name.eq_ignore_ascii_case(b"content-length");
        let is_credential = name.eq_ignore_ascii_case(b"authorization");
        let value = if is_credential { text(SignaturePlace::Authorization, value) } else { value.into() };
        write(&mut out, &[name, b": ", &value, b"\r\n"]);
    }
    edits.for_each_line(|name, [one, two, three]| {
        write(&mut out, &[name, ": ", one, two, three, "\r\n"].map(str::as_bytes));
    });
    if !has_length && !body.is_empty() {
        write(&mut out, &[b"content-length: ", body.len().to_string().as_bytes(), b"\r\n"]);
    }
    write(&mut out, &[b"\r\n"]);
    out
}

/// Whether a line is not for the upstream. The body is here, so there is nothing to expect.
fn ends_here(name: &[u8], value: &[u8], head: &impl RequestHead) -> bool {
    END_HERE.iter().any(|other| name.eq_ignore_ascii_case(other))
        || (name.eq_ignore_ascii_case(b"expect") && value.eq_ignore_ascii_case(b"100-continue"))
        || is_nominated(name, head)
}

fn is_nominated(name: &[u8], head: &impl RequestHead) -> bool {
    let connection = head.lines().filter(|(line, _)| line.eq_ignore_ascii_case(b"connection"));
    let mut options = connection.flat_map(|(_, value)| value.split(|byte| *byte == b','));
    options.any(|option| option.trim_ascii().eq_ignore_ascii_case(name))
}

fn write(out: &mut BytesMut, parts: &[&[u8]]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
