//! Origins as S3 sees them: opaque bytes, compared case-sensitively, with at most one `*` in a pattern.
//!
//! S3 parses no URL, knows no default port, drops no trailing slash and folds no case
//! (S3: sd-exact-origin-case, sd-exact-origin-slash, sd-pattern-case).

use crate::wildcard::{TooManyWildcards, Wildcard};
use std::fmt;

/// A valid `AllowedOrigin`: any text with at most one `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginPattern {
    text: Box<str>,
    wildcard: Wildcard,
}

impl OriginPattern {
    /// Accepts any text that has at most one `*`.
    ///
    /// # Errors
    /// [`TooManyWildcards`] when there are two.
    pub fn parse(text: &str) -> Result<Self, TooManyWildcards> {
        Ok(Self { wildcard: Wildcard::parse(text)?, text: text.into() })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is the literal `*`, which grants `*` without credentials. `http*` is not.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.wildcard.is_any()
    }

    /// Whether there is a `*` in it.
    #[must_use]
    pub const fn has_wildcard(&self) -> bool {
        matches!(self.wildcard, Wildcard::Pattern { .. })
    }

    /// The text before and after the `*`; `None` for an exact origin.
    #[must_use]
    pub fn around_wildcard(&self) -> Option<(&str, &str)> {
        self.wildcard.parts()
    }

    /// Whether this origin matches: the `*` stands for any run of bytes, also an empty one, and the parts around it do not overlap
    /// (S3: sd-pattern-match, sd-pattern-empty).
    #[must_use]
    pub fn matches(&self, origin: &[u8]) -> bool {
        self.wildcard.matches(origin)
    }

    pub(crate) const fn wildcard(&self) -> &Wildcard {
        &self.wildcard
    }
}

impl fmt::Display for OriginPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_star_alone_is_any_origin() {
        for (text, any, wildcard) in [
            ("*", true, Some(("", ""))),
            ("http*", false, Some(("http", ""))),
            ("https://*.example", false, Some(("https://", ".example"))),
            ("https://a.example", false, None),
            ("", false, None),
        ] {
            let pattern = OriginPattern::parse(text).unwrap();
            assert_eq!((pattern.is_any(), pattern.around_wildcard()), (any, wildcard), "{text:?}");
            assert_eq!((pattern.has_wildcard(), pattern.as_str()), (wildcard.is_some(), text));
        }
    }

    #[test]
    fn two_wildcards_are_rejected() {
        assert_eq!(OriginPattern::parse("https://*.*"), Err(TooManyWildcards));
    }
}
