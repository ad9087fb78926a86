//! The bytes of field names and values (RFC 9110 §5.5, §5.6.2).
//!
//! Decides which bytes belong to one, several at a time. It does not know lines.

use wide::u8x16;

/// The members of a comma-separated value (RFC 9110 §5.6.1), empty ones included.
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Returns true for the bytes of a field value or a reason phrase (RFC 9110 §5.5): HTAB, SP, VCHAR, obs-text.
pub(crate) const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// The number of bytes at the beginning that are those of a value.
#[inline(always)]
pub(crate) fn text_length(bytes: &[u8]) -> usize {
    // The marked byte ends the line, or is rarely a tab.
    length(bytes, controls, is_text)
}

/// Returns true for a field value (RFC 9110 §5.5).
#[must_use]
pub fn is_value(bytes: &[u8]) -> bool {
    text_length(bytes) == bytes.len()
}

/// The number of bytes at the beginning that are those of a token.
#[inline(always)]
pub(crate) fn token_length(bytes: &[u8]) -> usize {
    // The marked byte ends the token, or is one of the marks that names hardly have.
    length(bytes, unusual, |byte| TOKENS.get(usize::from(byte)).copied().unwrap_or_default())
}

/// The number of bytes at the beginning that belong. Sixteen are looked at together, as long as there are sixteen: `marked` has a bit for
/// each of them that may not belong, and `belongs` is asked about the first of those.
#[inline(always)]
fn length(bytes: &[u8], marked: impl Fn(&[u8; 16]) -> u32, belongs: impl Fn(u8) -> bool) -> usize {
    let mut rest = bytes;
    loop {
        if let Some((sixteen, after)) = rest.split_first_chunk() {
            match marked(sixteen) {
                0 => {
                    rest = after;
                    continue;
                }
                marked => rest = rest.get(marked.trailing_zeros() as usize..).unwrap_or_default(),
            }
        }
        match rest.split_first() {
            Some((byte, after)) if belongs(*byte) => rest = after,
            _ => return bytes.len() - rest.len(),
        }
    }
}

/// A bit for each byte, set for what is below a space and for DEL.
#[inline(always)]
fn controls(sixteen: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*sixteen);
    let is_below_space = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    (is_below_space | bytes.simd_eq(u8x16::splat(0x7f))).to_bitmask()
}

/// A bit for each byte, set for what is neither a letter, a digit nor a hyphen.
#[inline(always)]
fn unusual(sixteen: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*sixteen);
    let is_at_most = |bytes: u8x16, most: u8| bytes.min(u8x16::splat(most)).simd_eq(bytes);
    let is_letter = is_at_most((bytes | u8x16::splat(0x20)) - u8x16::splat(b'a'), b'z' - b'a');
    let is_digit = is_at_most(bytes - u8x16::splat(b'0'), 9);
    (is_letter | is_digit | bytes.simd_eq(u8x16::splat(b'-'))).to_bitmask() ^ 0xffff
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

/// Without optional whitespace (RFC 9110 §5.6.3) around it.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

/// Without optional whitespace before it.
#[inline]
pub(crate) fn trim_start(mut text: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = text.split_first() {
        text = rest;
    }
    text
}

/// Without optional whitespace after it.
#[inline]
pub(crate) fn trim_end(mut text: &[u8]) -> &[u8] {
    while let Some((b' ' | b'\t', rest)) = text.split_last() {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_text_a_token_or_neither() {
        for byte in 0..=255 {
            assert_eq!(is_text(byte), byte == b'\t' || (byte >= b' ' && byte != 0x7f), "{byte:#x}");
            let is_mark = b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(is_token(byte), byte.is_ascii_alphanumeric() || is_mark, "{byte:#x}");
            for before in 0..40 {
                let bytes =
                    [&b"a\tb c\xff\x80defghijklmno\tpqrstuvwxyz 0123456789"[..before], &[byte], b"\0\x7f\x01"].concat();
                assert_eq!(text_length(&bytes), before + usize::from(is_text(byte)), "{byte:#x} after {before}");
                assert_eq!(is_value(&bytes[..=before]), is_text(byte), "{byte:#x} after {before}");
            }
            for before in 0..40 {
                let bytes = [&b"aZ09-zA_-x!Q0123-_abcdefghijklmnopqrstuv"[..before], &[byte], b"\0 \xff: x"].concat();
                assert_eq!(token_length(&bytes), before + usize::from(is_token(byte)), "{byte:#x} after {before}");
            }
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
