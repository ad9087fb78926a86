//! Header lines as they came: `name ":" OWS value OWS CRLF` (RFC 9112 §5).
//!
//! Decides where a line, its name and its value begin and end, and which bytes they may have. It does not know what any field means.
//!
//! A line may end with LF alone (RFC 9112 §2.2). That is told apart, since not every recipient tolerates it. A value that goes on in the
//! next line is not a line.

use crate::field_bytes::{text_length, token_length, trim_end, trim_start};

#[cfg(test)]
mod tests;

/// The number of lines whose places are remembered: more than usual heads have.
const REMEMBERED: usize = 32;

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

/// The reason why bytes are not header lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotLines {
    /// A line is not a name, a colon and a value.
    Invalid,
    /// There are more lines than there may be.
    TooMany,
}

/// The header lines of a head, in order. Only `Lines::read` makes one, so each line is known to be well formed.
///
/// The parts of the first lines are remembered, since a head's lines are gone through more than once. The others are searched for: that is
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

/// The place of a line's parts: the size of its name, where its value begins and ends, and the size of it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    name: u16,
    value: u16,
    end: u16,
    whole: u16,
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
        let (mut rest, mut staying) = (self.bytes, self.bytes);
        for Line { name, whole, .. } in (LineIter { hides_length: false, ..self.iter() }) {
            let after = rest.get(whole.len()..).unwrap_or_default();
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
                let (whole, after) = self.rest.split_at_checked(span.whole.into())?;
                self.rest = after;
                let name = whole.get(..span.name.into())?;
                Some(Line { name, value: whole.get(span.value.into()..span.end.into())?, whole })
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
            let Next::Line(line, ..) = next(self.rest) else { return None };
            self.rest = self.rest.get(line.whole.len()..)?;
            if !self.hides_length || !is_length(line.name) {
                return Some(line);
            }
        }
    }
}

fn is_length(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"content-length")
}

/// The next line of a head.
enum Next<'b> {
    /// A line, where in it the value begins, and the size of its end.
    Line(Line<'b>, usize, usize),
    /// The empty line that ends the head, by its size.
    End(usize),
    /// The beginning of a line.
    Incomplete,
    Invalid,
}

/// Reads the line that bytes begin with: a name, a colon and a value.
#[inline(always)]
fn next(bytes: &[u8]) -> Next<'_> {
    let Some((name, rest)) = bytes.split_at_checked(token_length(bytes)) else { return Next::Invalid };
    let [b':', value @ ..] = rest else { return no_name(name, rest) };
    if name.is_empty() {
        return Next::Invalid;
    }
    let value = trim_start(value);
    let begin = bytes.len() - value.len();
    let length = text_length(value);
    let end = match value.get(length..).unwrap_or_default() {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] => 1,
        [] | [b'\r'] => return Next::Incomplete,
        _ => return Next::Invalid,
    };
    let whole = bytes.get(..begin + length + end).unwrap_or_default();
    Next::Line(Line { name, value: trim_end(value.get(..length).unwrap_or_default()), whole }, begin, end)
}

/// The meaning of a line without a colon after its name.
fn no_name<'b>(name: &[u8], rest: &[u8]) -> Next<'b> {
    match (name, rest) {
        ([], [b'\r', b'\n', ..]) => Next::End(2),
        ([], [b'\n', ..]) => Next::End(1),
        (_, []) | ([], [b'\r']) => Next::Incomplete,
        _ => Next::Invalid,
    }
}

impl<'b> Lines<'b> {
    /// Reads all lines of a head, to the empty line, and shows each to `each` once. The second value is the number of bytes to the head's
    /// end; `None` is the beginning of a head.
    #[inline]
    pub(crate) fn read(
        bytes: &'b [u8],
        most: usize,
        mut each: impl FnMut(Line<'b>),
    ) -> Result<Option<(Self, usize)>, NotLines> {
        let mut lines =
            Self { bytes, spans: [Span::default(); REMEMBERED], count: 0, has_crlf: true, hides_length: false };
        let (mut rest, mut total) = (bytes, 0);
        loop {
            let (line, value, end) = match next(rest) {
                Next::Line(line, value, end) => (line, value, end),
                Next::End(size) => {
                    lines.has_crlf &= size == 2;
                    if !lines.has_crlf {
                        // All of them are searched for.
                        lines.count = 0;
                    }
                    let end = bytes.len() - rest.len();
                    lines.bytes = bytes.get(..end).unwrap_or_default();
                    return Ok(Some((lines, end + size)));
                }
                Next::Incomplete => return Ok(None),
                Next::Invalid => return Err(NotLines::Invalid),
            };
            if total == most {
                return Err(NotLines::TooMany);
            }
            lines.has_crlf &= end == 2;
            if lines.count == total
                && let Some(place) = lines.spans.get_mut(total)
                && let Some(span) = Span::of(&line, value)
            {
                *place = span;
                lines.count += 1;
            }
            total += 1;
            rest = rest.get(line.whole.len()..).unwrap_or_default();
            each(line);
        }
    }
}

/// Splits bytes after their first line: the line, the same without its end, and what follows.
pub(crate) fn first_line(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (whole, after) = bytes.split_at_checked(memchr::memchr(b'\n', bytes)? + 1)?;
    let text = whole.strip_suffix(b"\r\n").or_else(|| whole.strip_suffix(b"\n"))?;
    Some((whole, text, after))
}

impl Span {
    /// `None` for a line of 64 KiB or more.
    #[inline]
    fn of(line: &Line<'_>, value: usize) -> Option<Self> {
        let whole = u16::try_from(line.whole.len()).ok()?;
        // The others are smaller.
        let [name, value, end] = [line.name.len(), value, value + line.value.len()].map(|size| size as u16);
        Some(Self { name, value, end, whole })
    }
}
