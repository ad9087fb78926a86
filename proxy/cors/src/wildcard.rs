//! Text with at most one `*`, which S3 allows in `AllowedOrigin` and `AllowedHeader`.
//!
//! Decides: what one pattern matches. Must not know: what the text stands for.

/// A text without a `*`, or the parts around the only one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Wildcard {
    Exact(Box<str>),
    Pattern { prefix: Box<str>, suffix: Box<str> },
}

/// More than one `*` where S3 accepts one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than one wildcard")]
pub struct TooManyWildcards;

impl Wildcard {
    pub(crate) fn parse(text: &str) -> Result<Self, TooManyWildcards> {
        match text.split_once('*') {
            None => Ok(Self::Exact(text.into())),
            Some((_, suffix)) if suffix.contains('*') => Err(TooManyWildcards),
            Some((prefix, suffix)) => Ok(Self::Pattern { prefix: prefix.into(), suffix: suffix.into() }),
        }
    }

    /// Whether this is `*` alone.
    pub(crate) fn is_any(&self) -> bool {
        self.parts() == Some(("", ""))
    }

    /// The text before and after the `*`; `None` without one.
    pub(crate) fn parts(&self) -> Option<(&str, &str)> {
        match self {
            Self::Exact(_) => None,
            Self::Pattern { prefix, suffix } => Some((prefix, suffix)),
        }
    }

    /// Whether the text matches: anchored at both ends; the `*` stands for any run of bytes, also an empty one, and prefix and
    /// suffix do not overlap.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => exact.as_bytes() == text,
            Self::Pattern { prefix, suffix } => {
                text.len() >= prefix.len() + suffix.len()
                    && text.starts_with(prefix.as_bytes())
                    && text.ends_with(suffix.as_bytes())
            }
        }
    }
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
            ("", "", true),
            ("", "a", false),
            ("start*end", "startend", true),
            ("aba*ba", "aba", false),
            ("aba*ba", "ababa", true),
            ("https://A", "https://a", false),
            ("https://a.c", "https://abc", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                Wildcard::parse(pattern).unwrap().matches(text.as_bytes()),
                expected,
                "{pattern} against {text}"
            );
        }
    }

    #[test]
    fn two_wildcards_are_rejected() {
        for text in ["https://*.*", "**", "*a*", "***"] {
            assert_eq!(Wildcard::parse(text), Err(TooManyWildcards), "{text}");
        }
    }
}
