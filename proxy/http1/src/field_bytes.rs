//! The bytes of field names and values (RFC 9110 §5.5, §5.6.2).
//!
//! Decides which bytes belong to one, several at a time. It does not know lines.

/// The members of a comma-separated value (RFC 9110 §5.6.1), empty ones included.
pub(crate) fn members(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Returns true for the bytes of a field value or a reason phrase (RFC 9110 §5.5): HTAB, SP, VCHAR, obs-text.
pub(crate) const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

/// The number of bytes at the beginning that are those of a value. Eight are looked at together, as long as there are eight.
#[inline(always)]
pub(crate) fn text_length(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::MAX / 0xff;
    let mut rest = bytes;
    while let Some((eight, after)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let delete = word ^ (EACH * 0x7f);
        // Marks the first byte that is below a space, or that is DEL. A borrow may mark more, but after the first only.
        let controls = (word.wrapping_sub(EACH * 0x20) & !word) | (delete.wrapping_sub(EACH) & !delete);
        let marked = controls & (EACH << 7);
        if marked != 0 {
            rest = rest.get(marked.trailing_zeros() as usize / 8..).unwrap_or_default();
            break;
        }
        rest = after;
    }
    // It is the end of the line, or rarely a tab.
    while let Some((byte, after)) = rest.split_first()
        && is_text(*byte)
    {
        rest = after;
    }
    bytes.len() - rest.len()
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

/// The number of bytes at the beginning that are those of a token. Four are looked up together.
#[inline(always)]
pub(crate) fn token_length(bytes: &[u8]) -> usize {
    let is_token = |byte: u8| TOKENS.get(usize::from(byte)).copied().unwrap_or_default();
    let (mut rest, mut length) = (bytes, 0);
    while let Some(([one, two, three, four], after)) = rest.split_first_chunk()
        && is_token(*one) & is_token(*two) & is_token(*three) & is_token(*four)
    {
        length += 4;
        rest = after;
    }
    while let Some((byte, after)) = rest.split_first()
        && is_token(*byte)
    {
        length += 1;
        rest = after;
    }
    length
}

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
            for before in 0..20 {
                let bytes = [&b"a\tb c\xff\x80defghijklmno\t"[..before], &[byte], b"\0\x7f\x01"].concat();
                assert_eq!(text_length(&bytes), before + usize::from(is_text(byte)), "{byte:#x} after {before}");
            }
            for before in 0..20 {
                let bytes = [&b"aZ09-zA_-x!Q0123-_ab"[..before], &[byte], b"\0 \xff: x"].concat();
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
