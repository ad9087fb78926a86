//! A short text without memory of its own: for what is kept of every connection or response.

use std::fmt::{self, Write};

/// A text of at most `N` bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShortText<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> ShortText<N> {
    /// What `text` is as text; empty where it does not fit.
    pub(super) fn of(text: impl fmt::Display) -> Self {
        let mut short = Self { bytes: [0; N], length: 0 };
        if write!(short, "{text}").is_err() {
            short.length = 0;
        }
        short
    }

    /// These bytes; `None` where they do not fit, or are not printable ASCII without spaces.
    pub(super) fn of_token(bytes: &[u8]) -> Option<Self> {
        let mut short = Self { bytes: [0; N], length: bytes.len() };
        short.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        (!bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic)).then_some(short)
    }

    pub(super) fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl<const N: usize> Write for ShortText<N> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.length + part.len();
        self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?.copy_from_slice(part.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_whole_or_not_at_all() {
        let text = |value: &str| ShortText::<4>::of(value).as_str().to_owned();
        assert_eq!([text(""), text("ü12"), text("12345")], ["", "ü12", ""]);
        let token = |bytes: &[u8]| ShortText::<4>::of_token(bytes).map(|token| token.as_str().to_owned());
        assert_eq!(token(b"1234").as_deref(), Some("1234"));
        for bytes in [&b""[..], b"12345", b"1 2", b"1\n", "ü".as_bytes(), b"\xff"] {
            assert_eq!(token(bytes), None, "{bytes:?}");
        }
    }
}
