//! Patterns of keys: which objects a setting is about.
//!
//! Decides: what a pattern matches. Must not know: what follows from it.

use super::as_written::as_written;
use super::domain::without_user;
use serde::Deserialize;

/// A pattern of whole keys: `*` is any text, slashes included, and everything else is itself. It has some text of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A pattern of keys, such as `*.m3u8`."))]
#[serde(try_from = "String")]
pub struct KeyPattern(String);

/// The text is not a pattern of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?}: {reason}")]
pub struct InvalidKeyPattern {
    /// The text, without what may be a secret.
    pub value: String,
    /// The reason.
    pub reason: String,
}

impl KeyPattern {
    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if the whole of a decoded key matches. Keys differ by case, and so do patterns.
    #[must_use]
    pub fn matches(&self, key: &str) -> bool {
        matches(&self.0, key)
    }
}

/// Returns true if the whole of a text matches a pattern, in which `*` is any text.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let (Some(first), last) = (parts.next(), parts.next_back()) else { return false };
    let Some(last) = last else { return text == first };
    let inner = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last));
    // The leftmost place of each part leaves the most for those after it.
    inner.is_some_and(|inner| parts.try_fold(inner, |rest, part| Some(rest.split_once(part)?.1)).is_some())
}

impl TryFrom<String> for KeyPattern {
    type Error = InvalidKeyPattern;

    fn try_from(text: String) -> Result<Self, InvalidKeyPattern> {
        let reason = match text.as_str() {
            "" => "an empty pattern matches no key; write one such as *.m3u8",
            // Each key, or each in a folder.
            _ if text.bytes().all(|byte| matches!(byte, b'*' | b'/')) => {
                "this matches every key; write the end that the keys have, such as *.m3u8"
            }
            _ if text.starts_with('/') => "a key does not begin with a slash, and * stands for slashes too",
            _ if text.chars().any(char::is_control) => "a pattern has no control characters",
            _ => match as_written(&text, &without_user(&text)) {
                Some(reason) => return Err(InvalidKeyPattern { value: without_user(&text), reason }),
                None => return Ok(Self(text)),
            },
        };
        Err(InvalidKeyPattern { value: without_user(&text), reason: reason.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> KeyPattern {
        KeyPattern::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_star_is_any_text_and_everything_else_is_itself() {
        for (text, key, matches) in [
            ("*.m3u8", "master.m3u8", true),
            ("*.m3u8", "video/7/master.m3u8", true),
            ("*.m3u8", ".m3u8", true),
            ("*.m3u8", "master.m3u8.ts", false),
            ("*.m3u8", "master.M3U8", false),
            ("*.m3u8", "masterm3u8", false),
            ("*.m3u8", "", false),
            ("video/*/master.*", "video/7/master.m3u8", true),
            ("video/*/master.*", "video/7/audio/master.mpd", true),
            ("video/*/master.*", "video/master.m3u8", false),
            ("video/*/master.*", "x/video/7/master.m3u8", false),
            ("*/list", "a/list", true),
            ("*/list", "list", false),
            ("a*b*b", "ab", false),
            ("a*b*b", "abb", true),
            ("a*ba*a", "abaa", true),
            // No text is counted twice.
            ("aba*ba", "aba", false),
            ("a*a", "a", false),
            ("a*bc*cd", "abcd", false),
            ("a**b", "ab", true),
            ("plain", "plain", true),
            ("plain", "plainer", false),
            ("?.m3u8", "a.m3u8", false),
            ("[ab].m3u8", "a.m3u8", false),
            ("*é.m3u8", "vidé.m3u8", true),
        ] {
            assert_eq!(pattern(text).matches(key), matches, "{text} {key}");
        }
    }

    #[test]
    fn a_pattern_has_text_of_its_own() {
        for (text, said) in [
            ("", "matches no key"),
            ("*", "matches every key"),
            ("**", "matches every key"),
            ("*/*", "matches every key"),
            ("/", "matches every key"),
            ("/video/*.m3u8", "does not begin with a slash"),
            ("*.m3u8\n", "control characters"),
            ("${PATTERN}", "nothing replaces ${PATTERN}"),
            ("'*.m3u8'", "the quotes are a part of the value"),
        ] {
            let error = KeyPattern::try_from(text.to_owned()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?}: ")) && error.contains(said), "{error}");
        }
    }
}
