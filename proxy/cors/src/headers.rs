//! Header names: in a rule (`AllowedHeader`, `ExposeHeader`) and in a request (`Access-Control-Request-Headers`).
//!
//! Names are compared without regard to case (RFC 9110 §5.1; recorded from S3 on both sides).

use crate::origin::{TooManyWildcards, matches, only_star};
use http::{HeaderMap, HeaderValue, header::ACCESS_CONTROL_REQUEST_HEADERS};
use std::fmt;

/// The longest `Access-Control-Request-Headers` that is looked at, all its lines together, in bytes.
///
/// S3 takes 8 KB for all headers of a request; a browser's list is a few hundred bytes. More is refused like a header that no
/// rule allows, so that nobody makes us match a megabyte.
pub const MAX_REQUEST_HEADERS_LENGTH: usize = 8 * 1024;

/// The most names of an `Access-Control-Request-Headers` that are looked at: no page sends so many, and each costs a comparison
/// with every pattern of every rule.
pub const MAX_REQUEST_HEADERS: usize = 256;

/// Why a header name is refused in a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeaderName {
    /// Two `*` in an `AllowedHeader`.
    #[error("can not have more than one wildcard")]
    TooManyWildcards,
    /// A `*` in an `ExposeHeader`.
    #[error("contains wildcard")]
    Wildcard,
    /// Something that is no token character (RFC 9110 §5.6.2).
    #[error("contains invalid character")]
    Character,
}

impl From<TooManyWildcards> for InvalidHeaderName {
    fn from(_: TooManyWildcards) -> Self {
        Self::TooManyWildcards
    }
}

/// A valid `AllowedHeader`: token characters with at most one `*`, or nothing at all (recorded: S3 stores an empty one).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderPattern {
    text: Box<str>,
    lower: Box<str>,
    star: Option<usize>,
}

impl HeaderPattern {
    /// Takes a header name with at most one `*`.
    ///
    /// # Errors
    /// [`InvalidHeaderName`] says what S3 refuses in it.
    pub fn parse(text: &str) -> Result<Self, InvalidHeaderName> {
        let star = only_star(text)?;
        if !is_token_or_empty(text.as_bytes()) {
            return Err(InvalidHeaderName::Character);
        }
        Ok(Self { lower: text.to_ascii_lowercase().into(), text: text.into(), star })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this header name matches, in whatever case it is written.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.matches_lower(&name.to_ascii_lowercase())
    }

    pub(crate) fn matches_lower(&self, lower_name: &str) -> bool {
        matches(&self.lower, self.star, lower_name.as_bytes())
    }
}

impl fmt::Display for HeaderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A valid `ExposeHeader`: token characters without `*`, or nothing at all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExposedHeader(Box<str>);

impl ExposedHeader {
    /// Takes a header name.
    ///
    /// # Errors
    /// [`InvalidHeaderName`] says what S3 refuses in it.
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

/// `tchar` of RFC 9110 §5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

fn is_token_or_empty(bytes: &[u8]) -> bool {
    bytes.iter().copied().all(is_token_byte)
}

/// The header names that a request asks for: lower-cased, in its order, duplicates kept, joined with `", "`.
///
/// That is at once what is matched and the value of `Access-Control-Allow-Headers` (recorded), so it is built only once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AskedHeaders {
    joined: String,
    too_long: bool,
}

/// An item of `Access-Control-Request-Headers` that is no header name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MalformedItem(pub(crate) Box<str>);

const SEPARATOR: &str = ", ";

impl AskedHeaders {
    /// Reads the list: several lines are one list, and empty items do not count (RFC 9110 §5.3, §5.6.1.2).
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, MalformedItem> {
        let mut asked = Self::default();
        let (mut length, mut names) = (0, 0);
        for line in headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
            length += line.len();
            if length > MAX_REQUEST_HEADERS_LENGTH {
                return Ok(Self::beyond_the_limit());
            }
            for item in line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                asked.push(item)?;
                names += usize::from(!item.is_empty());
            }
        }
        if names > MAX_REQUEST_HEADERS {
            return Ok(Self::beyond_the_limit());
        }
        asked.joined.make_ascii_lowercase();
        Ok(asked)
    }

    const fn beyond_the_limit() -> Self {
        Self { joined: String::new(), too_long: true }
    }

    fn push(&mut self, item: &[u8]) -> Result<(), MalformedItem> {
        if item.is_empty() {
            return Ok(());
        }
        match std::str::from_utf8(item) {
            Ok(name) if is_token_or_empty(item) => {
                if !self.joined.is_empty() {
                    self.joined.push_str(SEPARATOR);
                }
                self.joined.push_str(name);
                Ok(())
            }
            _ => Err(MalformedItem(String::from_utf8_lossy(item).into())),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.joined.split(',').map(|name| name.strip_prefix(' ').unwrap_or(name)).filter(|name| !name.is_empty())
    }

    /// Whether the list was longer than [`MAX_REQUEST_HEADERS_LENGTH`] or [`MAX_REQUEST_HEADERS`] and so can not be allowed.
    pub(crate) const fn is_too_long(&self) -> bool {
        self.too_long
    }

    /// The value of `Access-Control-Allow-Headers`; `None` for an empty list.
    pub(crate) fn into_value(self) -> Option<HeaderValue> {
        if self.joined.is_empty() {
            return None;
        }
        // Token characters and ", " only, so this can not fail; a header that could not be written is left out.
        HeaderValue::try_from(self.joined).ok()
    }
}

/// The `AllowedHeader`s of one rule, prepared: names by binary search, patterns one by one, `*` at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeaderMatcher {
    any: bool,
    names: Box<[Box<str>]>,
    patterns: Box<[HeaderPattern]>,
}

impl HeaderMatcher {
    pub(crate) fn new(allowed: &[HeaderPattern]) -> Self {
        let (patterns, names): (Vec<_>, Vec<_>) = allowed.iter().cloned().partition(|header| header.star.is_some());
        let mut names: Vec<_> = names.into_iter().map(|header| header.lower).collect();
        names.sort_unstable();
        Self { any: patterns.iter().any(|p| &*p.text == "*"), names: names.into(), patterns: patterns.into() }
    }

    /// Whether a lower-case name is allowed.
    pub(crate) fn allows(&self, lower_name: &str) -> bool {
        self.any
            || self.names.binary_search_by(|name| (**name).cmp(lower_name)).is_ok()
            || self.patterns.iter().any(|pattern| pattern.matches_lower(lower_name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<String, MalformedItem> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_str(line).unwrap());
        }
        AskedHeaders::read(&headers).map(|asked| asked.joined)
    }

    #[test]
    fn asked_headers_are_trimmed_lower_cased_and_keep_order_and_duplicates() {
        assert_eq!(read(&["X-B ,\tx-a, X-b"]).unwrap(), "x-b, x-a, x-b");
        assert_eq!(read(&["x-a", "X-B"]).unwrap(), "x-a, x-b");
        assert_eq!(read(&[",, ,"]).unwrap(), "");
        assert_eq!(read(&["content-type,,expires"]).unwrap(), "content-type, expires");
    }

    #[test]
    fn an_item_that_is_no_token_is_named() {
        assert_eq!(read(&["x-a, Bad Header"]), Err(MalformedItem("Bad Header".into())));
    }

    #[test]
    fn a_list_beyond_the_limits_is_not_matched_at_all() {
        let long = "a".repeat(MAX_REQUEST_HEADERS_LENGTH + 1);
        for (list, too_long) in [
            (long.as_str(), true),
            (&long[1..], false),
            (&"a,".repeat(MAX_REQUEST_HEADERS + 1), true),
            (&"a,,".repeat(MAX_REQUEST_HEADERS), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_str(list).unwrap());
            assert_eq!(AskedHeaders::read(&headers).unwrap().is_too_long(), too_long, "{} bytes", list.len());
        }
    }

    #[test]
    fn a_matcher_takes_names_patterns_and_star() {
        let matcher = |allowed: &[&str]| {
            HeaderMatcher::new(&allowed.iter().map(|text| HeaderPattern::parse(text).unwrap()).collect::<Vec<_>>())
        };
        assert!(matcher(&["Content-Type", "x-*-ID"]).allows("x-amz-id"));
        assert!(matcher(&["x-b", "Content-Type"]).allows("content-type"));
        assert!(!matcher(&["Content-Type", "x-*-ID"]).allows("x-id"));
        assert!(!matcher(&[]).allows("accept"));
        assert!(matcher(&["*"]).allows("authorization"));
    }
}
