//! Header lines as they came: `name ":" OWS value OWS CRLF` (RFC 9112 §5).
//!
//! Decides where a line, its name and its value begin and end. It does not know what any field means.
//!
//! httparse reads a head first and vouches for each byte of its names and values. It also tolerates what only some parsers do:
//! lines that end with LF alone (RFC 9112 §2.2). [`walk`] therefore goes over the same bytes again and accepts them only if the
//! slices that httparse returned, with a colon, optional whitespace and CRLF between them, are all the bytes there are.

use httparse::Header;
use memchr::memchr;

/// How many header lines a head may have.
pub const MAX_LINES: usize = 100;

/// One header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'b> {
    /// The field name, in the sender's case.
    pub name: &'b [u8],
    /// The field value, without the whitespace around it.
    pub value: &'b [u8],
    /// All of the line, with its CRLF.
    pub whole: &'b [u8],
}

/// The header lines of a head, in order. Only [`walk`] makes one, so each line is known to be well formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines<'b> {
    rest: &'b [u8],
}

impl<'b> Iterator for Lines<'b> {
    type Item = Line<'b>;

    fn next(&mut self) -> Option<Line<'b>> {
        // No value contains LF, and no name contains a colon: the first of each ends the line and the name.
        let (whole, rest) = self.rest.split_at_checked(memchr(b'\n', self.rest)? + 1)?;
        let text = whole.strip_suffix(b"\r\n")?;
        // Names are too short for memchr to pay.
        let (name, value) = text.split_at_checked(text.iter().position(|byte| *byte == b':')?)?;
        self.rest = rest;
        Some(Line { name, value: trim(value.strip_prefix(b":")?), whole })
    }
}

/// Checks that `bytes` are exactly `headers`, each as a line, and an empty line.
pub(super) fn walk<'b>(bytes: &'b [u8], headers: &[Header<'b>]) -> Option<Lines<'b>> {
    let mut rest = bytes;
    for header in headers {
        let value = trim_start(strip(rest, header.name.as_bytes())?.strip_prefix(b":")?);
        rest = trim_start(strip(value, header.value)?).strip_prefix(b"\r\n")?;
    }
    if rest != b"\r\n" {
        return None;
    }
    Some(Lines { rest: bytes.strip_suffix(rest)? })
}

/// What follows `part`, if `bytes` begin with it: not with equal bytes but with the same ones.
pub(super) fn strip<'b>(bytes: &'b [u8], part: &[u8]) -> Option<&'b [u8]> {
    let (first, rest) = bytes.split_at_checked(part.len())?;
    (part.is_empty() || std::ptr::eq(first, part)).then_some(rest)
}

/// The members of a comma-separated value (RFC 9110 §5.6.1), empty ones included.
pub(super) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Whether a byte may be in a field value or a reason phrase (RFC 9110 §5.5): HTAB, SP, VCHAR, obs-text.
pub(super) fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// Whether a byte may be in a method or a field name (RFC 9110 §5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Without optional whitespace (RFC 9110 §5.6.3) around it.
fn trim(text: &[u8]) -> &[u8] {
    let mut text = trim_start(text);
    while let Some((b' ' | b'\t', rest)) = text.split_last() {
        text = rest;
    }
    text
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = text.split_first() {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<Lines<'_>> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_LINES];
        match httparse::parse_headers(bytes, &mut headers) {
            Ok(httparse::Status::Complete((_, headers))) => walk(bytes, headers),
            other => panic!("httparse reads {bytes:?} as {other:?}"),
        }
    }

    #[test]
    fn a_line_is_read_as_it_came() {
        for (whole, name, value) in [
            ("a: b\r\n", "a", "b"),
            ("a:b\r\n", "a", "b"),
            ("A-b:\t b \t\r\n", "A-b", "b"),
            ("a: b  c\td\r\n", "a", "b  c\td"),
            ("a: b:c: d\r\n", "a", "b:c: d"),
            ("a: \"b, c\"\r\n", "a", "\"b, c\""),
            ("a: caf\u{e9}\r\n", "a", "caf\u{e9}"),
            ("a:\r\n", "a", ""),
            ("a: \t \r\n", "a", ""),
        ] {
            let head = format!("first: 1\r\n{whole}last: 2\r\n\r\n");
            let mut lines = read(head.as_bytes()).unwrap().skip(1);
            let expected = Line { name: name.as_bytes(), value: value.as_bytes(), whole: whole.as_bytes() };
            assert_eq!(lines.next(), Some(expected));
            assert_eq!(lines.next().unwrap().whole, b"last: 2\r\n");
            assert_eq!(lines.next(), None);
        }
        assert_eq!(read(b"\r\n").unwrap().next(), None);
    }

    #[test]
    fn a_line_that_does_not_end_with_cr_lf_is_refused() {
        // httparse accepts each of these.
        for head in ["a: b\n\r\n", "a: b\r\n\n", "a: b\n\n", "\n", "a:\n\r\n", "a: \n\r\n", "a: b \n\r\n"] {
            assert_eq!(read(head.as_bytes()), None, "{head:?}");
        }
    }

    #[test]
    fn bytes_that_httparse_did_not_return_are_refused() {
        let head = b"a: b\r\nc: d\r\n\r\n";
        let mut headers = [httparse::EMPTY_HEADER; MAX_LINES];
        let httparse::Status::Complete((_, headers)) = httparse::parse_headers(head, &mut headers).unwrap() else {
            panic!("incomplete")
        };
        assert!(walk(head, headers).is_some());
        assert_eq!(walk(head, &headers[..1]), None, "a line is missing");
        assert_eq!(walk(head, &headers[1..]), None, "a line is missing");
        let equal = Header { name: "a", value: b"b" };
        assert_eq!(walk(head, &[equal, headers[1]]), None, "equal bytes from somewhere else");
    }

    #[test]
    fn a_list_is_split_at_its_commas() {
        for (value, expected) in [
            ("close", &["close"][..]),
            ("close, keep-alive", &["close", "keep-alive"]),
            (" ,a\t", &["", "a"]),
            ("", &[""]),
        ] {
            let members: Vec<_> = members(value.as_bytes()).collect();
            assert_eq!(members, expected.iter().map(|text| text.as_bytes()).collect::<Vec<_>>(), "{value:?}");
        }
    }
}
