//! Header lines as they came: `name ":" OWS value OWS CRLF` (RFC 9112 §5).
//!
//! Decides where a line, its name and its value begin and end, and which bytes they may have. It does not know what any field means.
//!
//! A line may end with LF alone (RFC 9112 §2.2). That is told apart, since not every recipient tolerates it. A value that goes on in the
//! next line is not a line.

#[cfg(test)]
mod tests;

/// The number of lines whose places are remembered: more than usual heads have.
const REMEMBERED: usize = 48;

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

/// The header lines of a head, in order. Only [`walk`] makes one, so each line is known to be well formed.
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
            let (whole, text, after) = next_line(self.rest)?;
            self.rest = after;
            let (line, _) = Line::read(whole, text)?;
            if !self.hides_length || !is_length(line.name) {
                return Some(line);
            }
        }
    }
}

fn is_length(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"content-length")
}

impl<'b> Line<'b> {
    /// Reads a line, of which `text` is all but its end. The second value is where its value begins.
    #[inline]
    fn read(whole: &'b [u8], text: &'b [u8]) -> Option<(Self, usize)> {
        let (name, value) = text.split_at_checked(token_length(text))?;
        let value = trim_start(value.strip_prefix(b":")?);
        let begin = text.len() - value.len();
        let value = trim_end(value);
        (!name.is_empty() && is_all_text(value)).then_some((Self { name, value, whole }, begin))
    }
}

/// Reads all lines of a head, to the empty line, and shows each to `each` once. Returns the lines and the number of bytes to the head's
/// end; `None` for the beginning of a head.
#[inline]
pub(crate) fn walk<'b>(
    bytes: &'b [u8],
    most: usize,
    mut each: impl FnMut(Line<'b>),
) -> Result<Option<(Lines<'b>, usize)>, NotLines> {
    let (mut spans, mut count) = ([Span::default(); REMEMBERED], 0);
    let (mut rest, mut total, mut has_crlf) = (bytes, 0, true);
    loop {
        let Some((whole, text, after)) = next_line(rest) else {
            return if begins_line(rest) { Ok(None) } else { Err(NotLines::Invalid) };
        };
        has_crlf &= whole.len() - text.len() == 2;
        if text.is_empty() {
            let (size, lines) = (bytes.len() - after.len(), bytes.len() - rest.len());
            // Where a line ends with LF alone, all of them are searched for.
            let count = if has_crlf { count } else { 0 };
            let bytes = bytes.get(..lines).unwrap_or_default();
            return Ok(Some((Lines { bytes, spans, count, has_crlf, hides_length: false }, size)));
        }
        if total == most {
            return Err(NotLines::TooMany);
        }
        let (line, value) = Line::read(whole, text).ok_or(NotLines::Invalid)?;
        if count == total
            && let Some(place) = spans.get_mut(count)
            && let Some(span) = Span::of(&line, value)
        {
            *place = span;
            count += 1;
        }
        total += 1;
        rest = after;
        each(line);
    }
}

/// Splits bytes after their first line: the line, the same without its end, and what follows.
#[inline]
pub(crate) fn next_line(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (whole, after) = bytes.split_at_checked(memchr::memchr(b'\n', bytes)? + 1)?;
    let text = whole.strip_suffix(b"\r\n").or_else(|| whole.strip_suffix(b"\n"))?;
    Some((whole, text, after))
}

/// Returns true if a line can begin so, or the empty line.
#[cold]
fn begins_line(bytes: &[u8]) -> bool {
    let text = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    match text.split_at_checked(token_length(text)) {
        Some((_, [])) => text.is_empty() || text.len() == bytes.len(),
        Some((name, [b':', value @ ..])) => !name.is_empty() && is_all_text(value),
        _ => false,
    }
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

/// The members of a comma-separated value (RFC 9110 §5.6.1), empty ones included.
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(|member| trim_end(trim_start(member)))
}

/// Returns true for the bytes of a field value or a reason phrase (RFC 9110 §5.5): HTAB, SP, VCHAR, obs-text.
pub(crate) const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// Returns true if all bytes are those of a value. Without an early end, several are compared at once.
#[inline]
pub(crate) fn is_all_text(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |all, byte| all & is_text(*byte))
}

/// Returns true for the bytes of a method or a field name (RFC 9110 §5.6.2).
pub(crate) const fn is_token(byte: u8) -> bool {
    let is_mark = matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~');
    is_mark || byte.is_ascii_alphanumeric()
}

/// [`is_token`] for each byte.
#[expect(clippy::indexing_slicing, reason = "the index is below the length, and this runs when it is compiled")]
static TOKENS: [bool; 256] = {
    let (mut table, mut byte) = ([false; 256], 0);
    while byte < 256 {
        table[byte] = is_token(byte as u8);
        byte += 1;
    }
    table
};

/// The number of bytes at the beginning that are those of a token.
#[inline]
pub(crate) fn token_length(bytes: &[u8]) -> usize {
    let is_token = |byte: &u8| TOKENS.get(usize::from(*byte)).is_some_and(|is_token| *is_token);
    bytes.iter().position(|byte| !is_token(byte)).unwrap_or(bytes.len())
}

/// Without optional whitespace (RFC 9110 §5.6.3) before it.
#[inline]
fn trim_start(mut text: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = text.split_first() {
        text = rest;
    }
    text
}

/// Without optional whitespace after it.
#[inline]
fn trim_end(mut text: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = text.split_last() {
        text = rest;
    }
    text
}
