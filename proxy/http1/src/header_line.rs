//! Header lines as they came: `name ":" OWS value OWS CRLF` (RFC 9112 §5).
//!
//! Decides where a line, its name and its value begin and end. It does not know what any field means.
//!
//! httparse reads a head first and vouches for each byte of its names and values: there is no control character in them. `walk` goes
//! over the same bytes again and accepts them only if the slices that httparse returned, with a colon, optional whitespace and the end
//! of a line between them, are all the bytes there are. That end may be LF alone (RFC 9112 §2.2); it is told apart, since not every
//! recipient tolerates it.

use httparse::Header;

#[cfg(test)]
mod tests;

/// The number of lines whose places are remembered: more than usual heads have.
const REMEMBERED: usize = 100;

/// One header line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'b> {
    /// The field name, in the sender's case.
    pub name: &'b [u8],
    /// The field value, without the whitespace around it.
    pub value: &'b [u8],
    /// All of the line, with its CRLF or LF.
    pub whole: &'b [u8],
}

/// The header lines of a head, in order. Only `walk` makes one, so each line is known to be well formed.
///
/// The ends of the first lines are remembered, since a head's lines are gone through more than once. The others are searched for: that is
/// slower, but needs no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines<'b> {
    bytes: &'b [u8],
    spans: [Span; REMEMBERED],
    /// The number of lines that are remembered.
    count: usize,
    /// Set if each line ends with CRLF.
    has_crlf: bool,
    hides_length: bool,
}

/// The sizes of a line and of its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    line: u16,
    name: u16,
}

impl<'b> Lines<'b> {
    /// Each line.
    #[inline]
    pub fn iter(&self) -> LineIter<'_, 'b> {
        LineIter { spans: self.spans(), rest: self.bytes, hides_length: self.hides_length }
    }

    /// Hides each `Content-Length`. All other lines are searched for then, so that usual heads pay nothing for this.
    pub(crate) fn hide_length(&mut self) {
        self.count = 0;
        self.hides_length = true;
    }

    /// Returns true if each line ends with CRLF, none with LF alone.
    pub(crate) fn has_crlf(&self) -> bool {
        self.has_crlf
    }

    /// Hands over the lines that stay as they came, in as few pieces as there are gaps; `goes` is asked by the name of each. An LF alone
    /// becomes CRLF: a sender must write that (RFC 9112 §2.2), and then all recipients see the same lines.
    pub fn pieces(&self, mut goes: impl FnMut(&'b [u8]) -> bool, mut take: impl FnMut(&'b [u8])) {
        let rewrites = !self.has_crlf || self.hides_length;
        let mut spans = self.spans();
        // Not by the iterator over lines, which finds values, too.
        let (mut rest, mut staying) = (self.bytes, self.bytes);
        while let Some((line, name)) = spans.next().map_or_else(|| sizes(rest), |span| Some(span.sizes())) {
            let Some((whole, after)) = rest.split_at_checked(line) else { break };
            let name = whole.get(..name).unwrap_or_default();
            if goes(name) || (self.hides_length && is_length(name)) {
                take(staying.get(..staying.len() - rest.len()).unwrap_or_default());
                staying = after;
            } else if rewrites {
                take(whole.trim_ascii_end());
                take(b"\r\n");
                staying = after;
            }
            rest = after;
        }
        take(staying);
    }

    fn spans(&self) -> std::slice::Iter<'_, Span> {
        self.spans.get(..self.count).unwrap_or_default().iter()
    }
}

/// Goes through the lines of a head.
#[derive(Clone, Debug)]
pub struct LineIter<'l, 'b> {
    spans: std::slice::Iter<'l, Span>,
    rest: &'b [u8],
    hides_length: bool,
}

impl<'b> Iterator for LineIter<'_, 'b> {
    type Item = Line<'b>;

    #[inline]
    fn next(&mut self) -> Option<Line<'b>> {
        match self.spans.next() {
            Some(span) => {
                let (whole, after) = self.rest.split_at_checked(span.line.into())?;
                self.rest = after;
                Line::of(whole, span.name.into(), whole.strip_suffix(b"\r\n")?)
            }
            None if self.rest.is_empty() => None,
            None => self.search(),
        }
    }
}

impl<'b> LineIter<'_, 'b> {
    /// The next line of those that are not remembered.
    #[cold]
    fn search(&mut self) -> Option<Line<'b>> {
        loop {
            let (line, name) = sizes(self.rest)?;
            let (whole, after) = self.rest.split_at_checked(line)?;
            self.rest = after;
            // No value ends with a CR of its own: httparse accepts none.
            let text = whole.strip_suffix(b"\r\n").or_else(|| whole.strip_suffix(b"\n"))?;
            let line = Line::of(whole, name, text)?;
            if !self.hides_length || !is_length(line.name) {
                return Some(line);
            }
        }
    }
}

/// The sizes of the line that `bytes` begin with, and of its name. No name has a colon, and no line a line feed but its last.
#[cold]
fn sizes(bytes: &[u8]) -> Option<(usize, usize)> {
    Some((memchr::memchr(b'\n', bytes)? + 1, memchr::memchr(b':', bytes)?))
}

fn is_length(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"content-length")
}

impl<'b> Line<'b> {
    /// The line with this text, whose name has this size.
    #[inline]
    fn of(whole: &'b [u8], name: usize, text: &'b [u8]) -> Option<Self> {
        let (name, value) = text.split_at_checked(name)?;
        Some(Self { name, value: trim(value.strip_prefix(b":")?), whole })
    }
}

/// Checks that `bytes` are exactly `headers`, each as a line, and an empty line.
pub(crate) fn walk<'b>(bytes: &'b [u8], headers: &[Header<'b>]) -> Option<Lines<'b>> {
    let mut spans = [Span::default(); REMEMBERED];
    let (mut rest, mut count, mut has_crlf) = (bytes, 0, true);
    let mut remembers = true;
    for header in headers {
        let name = header.name.as_bytes();
        let value = strip(rest, name)?.strip_prefix(b":")?;
        // The usual line has one space there and none before its end.
        let value = trim_start(value.strip_prefix(b" ").unwrap_or(value));
        let after = strip(value, header.value)?;
        let after = match after.strip_prefix(b"\r\n").or_else(|| trim_start(after).strip_prefix(b"\r\n")) {
            Some(after) => after,
            None => {
                has_crlf = false;
                trim_start(after).strip_prefix(b"\n")?
            }
        };
        let span = Span::of(rest.len() - after.len(), name.len());
        if remembers
            && let Some(place) = spans.get_mut(count)
            && let Some(span) = span
        {
            *place = span;
            count += 1;
        } else {
            remembers = false;
        }
        rest = after;
    }
    has_crlf &= rest == b"\r\n";
    if !has_crlf && rest != b"\r\n" && rest != b"\n" {
        return None;
    }
    // Where a line ends with LF alone, all of them are searched for.
    let count = if has_crlf { count } else { 0 };
    Some(Lines { bytes: bytes.strip_suffix(rest)?, spans, count, has_crlf, hides_length: false })
}

impl Span {
    /// `None` for a line of 64 KiB or more.
    fn of(line: usize, name: usize) -> Option<Self> {
        Some(Self { line: line.try_into().ok()?, name: name.try_into().ok()? })
    }

    fn sizes(self) -> (usize, usize) {
        (self.line.into(), self.name.into())
    }
}

/// Returns the bytes after `part`, if `bytes` begin with it: with the very same bytes, not with equal ones.
pub(crate) fn strip<'b>(bytes: &'b [u8], part: &[u8]) -> Option<&'b [u8]> {
    let (first, rest) = bytes.split_at_checked(part.len())?;
    (part.is_empty() || std::ptr::eq(first, part)).then_some(rest)
}

/// The members of a comma-separated value (RFC 9110 §5.6.1), empty ones included.
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Returns true for the bytes of a field value or a reason phrase (RFC 9110 §5.5): HTAB, SP, VCHAR, obs-text.
pub(crate) fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// Returns true for the bytes of a method or a field name (RFC 9110 §5.6.2).
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
