//! Header lines as they came: `name ":" OWS value OWS CRLF` (RFC 9112 §5).
//!
//! Decides where a line, its name and its value begin and end. It does not know what any field means.
//!
//! httparse reads a head first and vouches for each byte of its names and values. It also tolerates what only some parsers do:
//! lines that end with LF alone (RFC 9112 §2.2). `walk` therefore goes over the same bytes again and accepts them only if the
//! slices that httparse returned, with a colon, optional whitespace and CRLF between them, are all the bytes there are.

use httparse::Header;

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

/// The header lines of a head, in order. Only `walk` makes one, so each line is known to be well formed.
///
/// It remembers where each line ends, since a head's lines are gone through more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines<'b> {
    bytes: &'b [u8],
    spans: [Span; MAX_LINES],
    count: usize,
}

/// The sizes of a line and of its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    line: u16,
    name: u16,
}

impl<'b> Lines<'b> {
    /// Each line.
    pub fn iter(&self) -> impl Iterator<Item = Line<'b>> {
        let mut rest = self.bytes;
        self.spans.iter().take(self.count).map_while(move |span| {
            let (whole, after) = rest.split_at_checked(span.line.into())?;
            let (name, value) = whole.split_at_checked(span.name.into())?;
            rest = after;
            Some(Line { name, value: trim(value.strip_prefix(b":")?.strip_suffix(b"\r\n")?), whole })
        })
    }
}

impl<'b> Lines<'b> {
    /// Hands over the lines that stay as they came, in as few pieces as there are gaps.
    pub fn pieces(&self, mut goes: impl FnMut(&Line<'b>) -> bool, mut take: impl FnMut(&'b [u8])) {
        let (mut staying, mut at) = (0, 0);
        for line in self.iter() {
            let after = at + line.whole.len();
            if goes(&line) {
                take(self.bytes.get(staying..at).unwrap_or_default());
                staying = after;
            }
            at = after;
        }
        take(self.bytes.get(staying..).unwrap_or_default());
    }
}

/// Checks that `bytes` are exactly `headers`, each as a line of less than 64 KiB, and an empty line.
pub(crate) fn walk<'b>(bytes: &'b [u8], headers: &[Header<'b>]) -> Option<Lines<'b>> {
    let mut spans = [Span::default(); MAX_LINES];
    let mut rest = bytes;
    for (header, span) in headers.iter().zip(&mut spans) {
        let name = header.name.as_bytes();
        let value = strip(rest, name)?.strip_prefix(b":")?;
        // The usual line has one space there and none before its end.
        let value = trim_start(value.strip_prefix(b" ").unwrap_or(value));
        let after = strip(value, header.value)?;
        let after = after.strip_prefix(b"\r\n").or_else(|| trim_start(after).strip_prefix(b"\r\n"))?;
        *span = Span { line: (rest.len() - after.len()).try_into().ok()?, name: name.len().try_into().ok()? };
        rest = after;
    }
    // With more headers than spans, this is not the end.
    if rest != b"\r\n" {
        return None;
    }
    Some(Lines { bytes: bytes.strip_suffix(rest)?, spans, count: headers.len() })
}

/// What follows `part`, if `bytes` begin with it: not with equal bytes but with the same ones.
pub(crate) fn strip<'b>(bytes: &'b [u8], part: &[u8]) -> Option<&'b [u8]> {
    let (first, rest) = bytes.split_at_checked(part.len())?;
    (part.is_empty() || std::ptr::eq(first, part)).then_some(rest)
}

/// The members of a comma-separated value (RFC 9110 §5.6.1), empty ones included.
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Whether a byte may be in a field value or a reason phrase (RFC 9110 §5.5): HTAB, SP, VCHAR, obs-text.
pub(crate) fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// Whether a byte may be in a method or a field name (RFC 9110 §5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    let is_mark = matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
    is_mark || byte.is_ascii_alphanumeric()
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
            let lines: Vec<_> = read(head.as_bytes()).unwrap().iter().collect();
            let [_, line, last] = lines[..] else { panic!("{lines:?}") };
            assert_eq!(line, Line { name: name.as_bytes(), value: value.as_bytes(), whole: whole.as_bytes() });
            assert_eq!(last.whole, b"last: 2\r\n");
        }
        assert_eq!(read(b"\r\n").unwrap().iter().next(), None);
    }

    #[test]
    fn lines_that_stay_are_handed_over_as_they_came() {
        let lines = read(b"a: 1\r\nB:2\r\nc:  3 \r\nb: 4\r\n\r\n").unwrap();
        for (gone, pieces) in [
            ("x", &["a: 1\r\nB:2\r\nc:  3 \r\nb: 4\r\n"][..]),
            ("a", &["B:2\r\nc:  3 \r\nb: 4\r\n"]),
            ("b", &["a: 1\r\n", "c:  3 \r\n"]),
            ("c", &["a: 1\r\nB:2\r\n", "b: 4\r\n"]),
        ] {
            let mut taken = Vec::new();
            let goes = |line: &Line<'_>| line.name.eq_ignore_ascii_case(gone.as_bytes());
            lines.pieces(goes, |piece| taken.push(str::from_utf8(piece).unwrap()));
            taken.retain(|piece| !piece.is_empty());
            assert_eq!(taken, pieces, "without {gone}");
        }
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
    fn a_line_is_shorter_than_64_kib() {
        for (size, is_read) in [(65_535, true), (65_536, false)] {
            let head = format!("a:{}\r\n\r\n", "b".repeat(size - 4));
            assert_eq!(read(head.as_bytes()).is_some(), is_read, "{size}");
        }
    }

    #[test]
    fn each_byte_is_text_a_token_or_neither() {
        for byte in 0..=255 {
            assert_eq!(is_text(byte), byte == b'\t' || (byte >= b' ' && byte != 0x7f), "{byte:#x}");
            let is_mark = b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token(byte), byte.is_ascii_alphanumeric() || is_mark, "{byte:#x}");
        }
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
