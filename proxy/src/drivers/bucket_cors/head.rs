//! The head of an operation's request for the upstream, whatever the client spoke.

use crate::exchange::{RequestEdits, RequestHead};
use bytes::BytesMut;

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

/// Writes the head. The body is whole, so its length is stated, also where the client sent it in chunks. `forged` is the signature to
/// break.
pub(super) fn for_upstream(
    edits: &RequestEdits<'_>,
    head: &impl RequestHead,
    authority: &str,
    body: &[u8],
    forged: Option<&str>,
) -> BytesMut {
    let host = edits.host().or_else(|| head.host()).unwrap_or(authority);
    let mut out = BytesMut::with_capacity(1024);
    write(&mut out, &[head.method().as_bytes(), b" ", head.path().as_bytes()]);
    if let Some(query) = head.query() {
        write(&mut out, &[b"?", &broken(query.as_bytes(), forged)]);
    }
    write(&mut out, &[b" HTTP/1.1\r\nhost: ", host.as_bytes(), b"\r\n"]);
    let mut has_length = false;
    for (name, value) in head.lines() {
        if ends_here(name, value, head) || edits.removes(name) {
            continue;
        }
        has_length |= name.eq_ignore_ascii_case(b"content-length");
        let is_credential = name.eq_ignore_ascii_case(b"authorization");
        write(&mut out, &[name, b": ", &broken(value, forged.filter(|_| is_credential)), b"\r\n"]);
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

/// The text with another first character in its signature.
fn broken<'t>(text: &'t [u8], forged: Option<&str>) -> std::borrow::Cow<'t, [u8]> {
    let at = forged.and_then(|signature| memchr::memmem::rfind(text, signature.as_bytes()));
    let Some(at) = at else { return text.into() };
    let mut text = text.to_vec();
    if let Some(first) = text.get_mut(at) {
        // Another digit of a hexadecimal number, and another of base64.
        *first = if *first == b'0' { b'1' } else { b'0' };
    }
    text.into()
}

fn write(out: &mut BytesMut, parts: &[&[u8]]) {
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn a_signature_is_broken_in_one_place() {
        for (text, signature, expected) in [
            ("Credential=AK/x, Signature=ab", "ab", "Credential=AK/x, Signature=0b"),
            ("ab, Signature=ab", "ab", "ab, Signature=0b"),
            ("cors&X-Amz-Signature=0a", "0a", "cors&X-Amz-Signature=1a"),
            ("cors", "ab", "cors"),
        ] {
            assert_eq!(&*broken(text.as_bytes(), Some(signature)), expected.as_bytes(), "{text}");
            assert_eq!(&*broken(text.as_bytes(), None), text.as_bytes());
        }
    }
}
