//! The repairs that HTTP lets a recipient make to the head of a response.
//!
//! Decides which heads say one thing although the grammar of [`response_head`](crate::response_head) does not accept how, and writes
//! them in the spelling that it does accept. So there is still one grammar, and every recipient after the proxy sees that spelling:
//! - LF alone ends a line (RFC 9112 §2.2);
//! - a folded line goes on after a space (§5.2);
//! - blanks before a colon are removed (§5.1);
//! - a control character in a value or a reason becomes a space (RFC 9110 §5.5, RFC 9112 §2.2);
//! - a length that is stated more than once, always the same, is stated once (RFC 9112 §6.3, item 5).
//!
//! A name that is no token, and a line that may as well be an end of the head, are not repaired: recipients differ about them.

use crate::field_bytes::{is_text, is_token, members, trim};
use crate::response_head::InvalidResponse;

#[cfg(test)]
mod tests;

/// The length that several values state together; `Some(None)` is one that they do not agree about.
type Stated = Option<Option<u64>>;

/// Writes the repaired head of a response. Returns its size as it came; `None` if its end is not here yet.
///
/// # Errors
/// The reason why the head cannot be repaired. What was written then is to be thrown away.
pub fn repair(bytes: &[u8], mut write: impl FnMut(&[u8])) -> Result<Option<usize>, InvalidResponse> {
    let Some((status, fields)) = split_line(bytes) else { return Err(first_line(bytes)) };
    if !is_status_line(status) {
        return Err(first_line(status));
    }
    let Some(rest) = after_fields(fields) else { return Ok(None) };
    let fields = fields.get(..fields.len() - rest.len()).unwrap_or_default();
    let stated = judge(fields)?;
    clean(status, &mut write);
    let mut has_length = false;
    for line in Fields(fields) {
        match line {
            RawLine::More(text) => {
                write(b" ");
                clean(text, &mut write);
            }
            RawLine::Field(name, _) if is(name, "content-length") && stated.is_some() => {
                if !std::mem::replace(&mut has_length, true) {
                    write(b"\r\n");
                    write(name);
                    write(b": ");
                    digits(stated.flatten().unwrap_or_default(), &mut write);
                }
            }
            RawLine::Field(name, value) => {
                write(b"\r\n");
                write(name);
                write(b": ");
                clean(value, &mut write);
            }
            RawLine::Other(_) => {}
        }
    }
    write(b"\r\n\r\n");
    Ok(Some(bytes.len() - rest.len()))
}

/// Checks each line. Returns the length that all of them state.
fn judge(fields: &[u8]) -> Result<Stated, InvalidResponse> {
    let (mut stated, mut is_folded) = (None, false);
    let mut last: Option<&[u8]> = None;
    let decides = |name: &[u8]| is(name, "content-length") || is(name, "transfer-encoding");
    let is_clean = |value: &[u8]| value.iter().copied().all(is_text);
    for line in Fields(fields) {
        match line {
            RawLine::Other(text) if text.first().is_some_and(|byte| is_blank(*byte)) => {
                return Err(InvalidResponse::Fold);
            }
            RawLine::Other(text) => {
                return Err(if text.contains(&b':') { InvalidResponse::Name } else { InvalidResponse::NoColon });
            }
            RawLine::More(text) => {
                // The first line has none to go on from.
                let name = last.ok_or(InvalidResponse::Fold)?;
                if decides(name) && !is_clean(text) {
                    return Err(InvalidResponse::Control);
                }
                is_folded |= is(name, "content-length");
            }
            RawLine::Field(name, value) => {
                last = Some(name);
                if decides(name) && !is_clean(value) {
                    return Err(InvalidResponse::Control);
                }
                if is(name, "content-length") {
                    stated = agreed(stated, value);
                }
            }
        }
    }
    // A length that is not agreed on, or folded, is written as it came, and the grammar says what is wrong with it.
    Ok(stated.filter(|stated| stated.is_some() && !is_folded))
}

/// The length that these values state, too. A list may have empty members (RFC 9110 §5.6.1.2).
fn agreed(stated: Stated, value: &[u8]) -> Stated {
    members(value).filter(|member| !member.is_empty()).fold(stated, |stated, member| {
        let number = crate::body_length::number(member);
        Some(number.filter(|number| stated.is_none_or(|stated| stated == Some(*number))))
    })
}

/// A line of a head, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RawLine<'b> {
    /// A name without the blanks before its colon, and the value without those around it.
    Field(&'b [u8], &'b [u8]),
    /// The rest of a folded line.
    More(&'b [u8]),
    /// Neither.
    Other(&'b [u8]),
}

/// Goes through the lines of a head, up to the empty one.
struct Fields<'b>(&'b [u8]);

impl<'b> Iterator for Fields<'b> {
    type Item = RawLine<'b>;

    fn next(&mut self) -> Option<RawLine<'b>> {
        let (text, rest) = split_line(self.0)?;
        self.0 = rest;
        match text.first() {
            None => None,
            // A line of blanks alone is the end of the head to some recipients.
            Some(first) if is_blank(*first) && trim(text).is_empty() => Some(RawLine::Other(text)),
            Some(first) if is_blank(*first) => Some(RawLine::More(trim(text))),
            Some(_) => Some(field(text).unwrap_or(RawLine::Other(text))),
        }
    }
}

fn field(text: &[u8]) -> Option<RawLine<'_>> {
    let (name, value) = text.split_at_checked(memchr::memchr(b':', text)?)?;
    let name = trim(name);
    let is_name = !name.is_empty() && name.iter().copied().all(is_token);
    is_name.then(|| RawLine::Field(name, trim(value.strip_prefix(b":").unwrap_or_default())))
}

/// The bytes after the empty line that ends the fields.
fn after_fields(mut fields: &[u8]) -> Option<&[u8]> {
    loop {
        let (text, rest) = split_line(fields)?;
        if text.is_empty() {
            return Some(rest);
        }
        fields = rest;
    }
}

/// The first line without its end, and what follows.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, rest) = bytes.split_at_checked(memchr::memchr(b'\n', bytes)? + 1)?;
    let text = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n"))?;
    Some((text, rest))
}

/// `HTTP-version SP 3DIGIT [SP reason]`.
fn is_status_line(text: &[u8]) -> bool {
    match text {
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', b' ', a, b, c, rest @ ..] => {
            [a, b, c].iter().all(|digit| digit.is_ascii_digit()) && matches!(rest, [] | [b' ', ..])
        }
        _ => false,
    }
}

/// The fault of a first line that is no status line.
fn first_line(text: &[u8]) -> InvalidResponse {
    match text {
        [] => InvalidResponse::Framing,
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', b' ', ..] => InvalidResponse::Malformed,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', ..] => InvalidResponse::Version,
        _ => InvalidResponse::Malformed,
    }
}

/// Writes text with a space for each byte that may not be in it.
fn clean(text: &[u8], write: &mut impl FnMut(&[u8])) {
    for (at, part) in text.split(|byte| !is_text(*byte)).enumerate() {
        if at > 0 {
            write(b" ");
        }
        write(part);
    }
}

fn digits(number: u64, write: &mut impl FnMut(&[u8])) {
    if number > 9 {
        digits(number / 10, write);
    }
    write(&[b'0' + (number % 10) as u8]);
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn is(name: &[u8], known: &str) -> bool {
    name.eq_ignore_ascii_case(known.as_bytes())
}
