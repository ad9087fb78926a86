//! Origins as S3 sees them: opaque bytes, compared case-sensitively, with at most one `*` in a pattern.
//!
//! Recorded from S3: no URL parsing, no default port, no trailing slash, no folding of case.

use std::fmt;

/// A valid `AllowedOrigin`: any text with at most one `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginPattern {
    text: Box<str>,
    star: Option<usize>,
}

/// More than one `*` where S3 takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("can not have more than one wildcard")]
pub struct TooManyWildcards;

impl OriginPattern {
    /// Takes any text that has at most one `*`.
    ///
    /// # Errors
    /// [`TooManyWildcards`] when there are two.
    pub fn parse(text: &str) -> Result<Self, TooManyWildcards> {
        Ok(Self { star: only_star(text)?, text: text.into() })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is the literal `*`, which S3 answers with `*` and without credentials. `http*` is not.
    #[must_use]
    pub fn is_any(&self) -> bool {
        &*self.text == "*"
    }

    /// Whether there is a `*` in it.
    #[must_use]
    pub const fn has_wildcard(&self) -> bool {
        self.star.is_some()
    }

    /// The text before and after the `*`; `None` for an exact origin.
    #[must_use]
    pub fn around_wildcard(&self) -> Option<(&str, &str)> {
        self.star.and_then(|star| Some((self.text.get(..star)?, self.text.get(star + 1..)?)))
    }

    /// Whether this origin matches: the `*` stands for any run of bytes, the empty one too, and the parts around it do not overlap.
    #[must_use]
    pub fn matches(&self, origin: &[u8]) -> bool {
        matches(&self.text, self.star, origin)
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The place of the only `*`, if there is one.
pub(crate) fn only_star(text: &str) -> Result<Option<usize>, TooManyWildcards> {
    let star = text.find('*');
    if star == text.rfind('*') { Ok(star) } else { Err(TooManyWildcards) }
}

/// One-wildcard matching, anchored at both ends; origins and header names share it.
pub(crate) fn matches(pattern: &str, star: Option<usize>, candidate: &[u8]) -> bool {
    let pattern = pattern.as_bytes();
    let Some(star) = star else {
        return pattern == candidate;
    };
    let (prefix, suffix) = match (pattern.get(..star), pattern.get(star + 1..)) {
        (Some(prefix), Some(suffix)) => (prefix, suffix),
        _ => return false,
    };
    candidate.len() >= prefix.len() + suffix.len() && candidate.starts_with(prefix) && candidate.ends_with(suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_any_run_and_anchored_at_both_ends() {
        let cases = [
            ("https://*.example", "https://.example", true),
            ("https://*.example", "https://a.b.example", true),
            ("https://*.example", "https://example", false),
            ("https://*.example", "https://a.example.evil", false),
            ("http*://x", "https://x", true),
            ("*", "", true),
            ("*", "null", true),
            ("null", "null", true),
            ("start*end", "startend", true),
            ("aba*ba", "aba", false),
            ("https://A", "https://a", false),
            ("https://a.c", "https://abc", false),
        ];
        for (pattern, origin, expected) in cases {
            let parsed = OriginPattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(origin.as_bytes()), expected, "{pattern} against {origin}");
        }
    }

    #[test]
    fn two_wildcards_are_refused() {
        assert_eq!(OriginPattern::parse("https://*.*"), Err(TooManyWildcards));
        assert_eq!(OriginPattern::parse("**"), Err(TooManyWildcards));
    }
}
