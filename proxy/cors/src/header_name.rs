//! Header names in a rule: `AllowedHeader` and `ExposeHeader`.
//!
//! Names are compared without regard to case (RFC 9110 §5.1; S3: ls-headers-list-mixed-case).

use crate::wildcard::{TooManyWildcards, Wildcard};
use std::fmt;

/// Why a header name is rejected in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidHeaderName {
    /// Two `*` in an `AllowedHeader`.
    #[error("more than one wildcard")]
    TooManyWildcards,
    /// A `*` in an `ExposeHeader`.
    #[error("contains a wildcard")]
    Wildcard,
    /// Something that is no token character (RFC 9110 §5.6.2).
    #[error("contains an invalid character")]
    Character,
}

impl From<TooManyWildcards> for InvalidHeaderName {
    fn from(_: TooManyWildcards) -> Self {
        Self::TooManyWildcards
    }
}

/// A valid `AllowedHeader`: token characters with at most one `*`. It may be empty, as an `ExposeHeader` may.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderPattern {
    text: Box<str>,
    /// In lower case.
    wildcard: Wildcard,
}

impl HeaderPattern {
    /// Accepts a header name with at most one `*`.
    ///
    /// # Errors
    /// [`InvalidHeaderName`] says what S3 rejects in it.
    pub fn parse(text: &str) -> Result<Self, InvalidHeaderName> {
        let wildcard = Wildcard::parse(&text.to_ascii_lowercase())?;
        if !is_token_or_empty(text.as_bytes()) {
            return Err(InvalidHeaderName::Character);
        }
        Ok(Self { text: text.into(), wildcard })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is the literal `*`.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.wildcard.is_any()
    }

    /// Whether this header name matches, in any case.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.wildcard.matches(name.to_ascii_lowercase().as_bytes())
    }

    pub(crate) const fn lower_wildcard(&self) -> &Wildcard {
        &self.wildcard
    }
}

impl fmt::Display for HeaderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A valid `ExposeHeader`: token characters without `*`. It may be empty (S3: ok-expose-empty).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExposedHeader(Box<str>);

impl ExposedHeader {
    /// Accepts a header name.
    ///
    /// # Errors
    /// [`InvalidHeaderName`] says what S3 rejects in it.
    pub fn parse(text: &str) -> Result<Self, InvalidHeaderName> {
        if text.contains('*') {
            return Err(InvalidHeaderName::Wildcard);
        }
        if !is_token_or_empty(text.as_bytes()) {
            return Err(InvalidHeaderName::Character);
        }
        Ok(Self(text.into()))
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExposedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether each byte is in a header name.
const TOKEN_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "below the table's length")]
        {
            table[byte] = is_token_byte(byte as u8);
        }
        byte += 1;
    }
    table
};

/// `tchar` of RFC 9110 §5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

pub(crate) fn is_token_or_empty(bytes: &[u8]) -> bool {
    // All bytes are looked up, without a branch for each: nearly every text is a token.
    bytes.iter().fold(true, |all, byte| all & TOKEN_BYTES.get(usize::from(*byte)).copied().unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowed_header_matches_in_any_case() {
        for (pattern, name, expected) in [
            ("Content-Type", "content-TYPE", true),
            ("x-*-ID", "X-Amz-Id", true),
            ("x-*-ID", "x-id", false),
            ("*", "authorization", true),
            ("", "accept", false),
        ] {
            assert_eq!(HeaderPattern::parse(pattern).unwrap().matches(name), expected, "{pattern} against {name}");
        }
    }

    #[test]
    fn what_is_no_header_name_is_rejected() {
        use InvalidHeaderName::{Character, TooManyWildcards, Wildcard};
        for (text, allowed, exposed) in [
            ("x-*-*", Some(TooManyWildcards), Some(Wildcard)),
            ("x-*", None, Some(Wildcard)),
            ("a b", Some(Character), Some(Character)),
            ("é", Some(Character), Some(Character)),
            ("", None, None),
            ("ETag", None, None),
        ] {
            assert_eq!(HeaderPattern::parse(text).err(), allowed, "{text:?} as AllowedHeader");
            assert_eq!(ExposedHeader::parse(text).err(), exposed, "{text:?} as ExposeHeader");
        }
    }
}
