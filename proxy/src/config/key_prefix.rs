//! Keys as a configuration names them: decoded, and the same key to every server.
//!
//! Decides: which text is the beginning of keys, or a key below it. Must not know: what is served there.

use super::values::ValueError;
use crate::s3::as_written::as_written;
use crate::s3::domain::without_user;
use serde::Deserialize;

/// The longest key, in bytes (S3 user guide, naming objects).
const LONGEST_KEY: usize = 1024;

/// The folder that keys are in, decoded: whole segments and a slash, or no text for the whole bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "The beginning of keys, such as `docs/`."))]
#[serde(try_from = "String")]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// The text that keys begin with.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true for the whole bucket.
    #[must_use]
    pub const fn is_whole_bucket(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole key of an object below it, which may be written with it or without.
    pub(super) fn whole_key(&self, written: &str) -> String {
        if written.starts_with(&self.0) { written.to_owned() } else { format!("{}{written}", self.0) }
    }
}

impl TryFrom<String> for KeyPrefix {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let shown = without_user(&text);
        let named = shown.trim_matches('/');
        let fault = match text.strip_suffix('/') {
            // A template that renders nothing must not mean everything.
            _ if text.is_empty() => Some("an empty prefix; leave the key out for the whole bucket".to_owned()),
            _ if named.is_empty() => {
                Some("keys do not begin with a slash; leave the key out for the whole bucket".into())
            }
            _ if text.starts_with('/') => Some(format!("keys do not begin with a slash; write {named}/")),
            None => Some(format!("a prefix ends in a slash, or it is that of other names too; write {named}/")),
            Some(segments) => fault_of(segments).map(str::to_owned),
        };
        written(text, fault).map(Self)
    }
}

/// The name of the page in each folder.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A name without a slash, such as `index.html`."))]
#[serde(try_from = "String")]
pub(super) struct IndexPage(pub(super) String);

impl TryFrom<String> for IndexPage {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let fault = match text.as_str() {
            "" => Some("an empty name; leave the key out where folders have no page"),
            _ if text.contains('/') => Some("an index document is a name in each folder, without a slash: index.html"),
            _ => fault_of(&text),
        };
        written(text, fault.map(str::to_owned)).map(Self)
    }
}

/// The key of the page in place of a missing one, with the prefix or without.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A key, such as `404.html`."))]
#[serde(try_from = "String")]
pub(super) struct ErrorPage(pub(super) String);

impl TryFrom<String> for ErrorPage {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let fault = match text.as_str() {
            "" => Some("an empty key; leave it out for errors as S3 words them"),
            _ if text.ends_with('/') => Some("an error document is an object: its key does not end in a slash"),
            _ if text.starts_with('/') => Some("keys do not begin with a slash"),
            _ => fault_of(&text),
        };
        written(text, fault.map(str::to_owned)).map(Self)
    }
}

/// The text without a fault, unless it is a placeholder or in quotes.
fn written(text: String, fault: Option<String>) -> Result<String, ValueError> {
    match fault.or_else(|| as_written(&text, &without_user(&text))) {
        Some(fault) => Err(ValueError::new(&text, fault)),
        None => Ok(text),
    }
}

/// Returns the reason if a text is no key that every server reads as this one. Servers decode, split and resolve paths in different orders.
fn fault_of(key: &str) -> Option<&'static str> {
    if key.len() > LONGEST_KEY {
        return Some("a key has at most 1024 bytes");
    }
    if has_escape(key) {
        return Some("a key is written here decoded, without percent-encoding: a space as a space");
    }
    if key.chars().any(char::is_control) {
        return Some("a key here has no control characters");
    }
    if key.contains('\\') {
        return Some("a key here has no backslash: some servers read it as a slash");
    }
    if key.contains(';') {
        return Some("a key here has no semicolon: some servers cut a path there");
    }
    key.split('/').find_map(|segment| match segment {
        "" => Some("a key here has a name between two slashes: some servers merge them"),
        "." | ".." => Some("a key here has no . and .. between its slashes: clients and servers remove them"),
        _ => None,
    })
}

/// Returns true for text that a server may decode.
fn has_escape(text: &str) -> bool {
    let is_escape =
        |bytes: &[u8]| matches!(bytes, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    text.as_bytes().windows(3).any(is_escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_whole_segments_as_text() {
        for text in ["docs/", "a/b/c/", "Vidéo 7/", "100%/", "50% off/", "%zz/", "a b+c/", "..a/", "~home/"] {
            assert_eq!(KeyPrefix::try_from(text.to_owned()).unwrap().as_str(), text);
        }
        for (text, said) in [
            ("", "leave the key out for the whole bucket"),
            ("/", "leave the key out for the whole bucket"),
            ("//", "leave the key out for the whole bucket"),
            ("docs", "write docs/"),
            ("a/b", "write a/b/"),
            ("/docs/", "write docs/"),
            ("/docs", "write docs/"),
            ("a//b/", "between two slashes"),
            ("a//", "between two slashes"),
            ("./", "no . and .."),
            ("a/./b/", "no . and .."),
            ("a/../b/", "no . and .."),
            ("../", "no . and .."),
            ("a\\b/", "no backslash"),
            ("a;b/", "no semicolon"),
            ("a\tb/", "no control characters"),
            ("a\0/", "no control characters"),
            ("a\u{85}/", "no control characters"),
            ("a%20b/", "without percent-encoding"),
            ("a%2F/", "without percent-encoding"),
            ("%2e%2E/", "without percent-encoding"),
            ("%%41/", "without percent-encoding"),
            ("${PREFIX}/", "nothing replaces ${PREFIX}"),
            (&format!("{}/", "a".repeat(1025)), "at most 1024 bytes"),
        ] {
            let error = KeyPrefix::try_from(text.to_owned()).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn an_index_document_is_a_name() {
        assert!(IndexPage::try_from("index.html".to_owned()).is_ok());
        for (text, said) in [
            ("", "leave the key out"),
            ("docs/index.html", "without a slash"),
            ("index.html/", "without a slash"),
            ("..", "no . and .."),
            ("index%2ehtml", "without percent-encoding"),
            ("\"index.html\"", "the quotes are a part of the value"),
        ] {
            let error = IndexPage::try_from(text.to_owned()).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn an_error_document_is_a_key() {
        for text in ["404.html", "docs/404.html"] {
            assert!(ErrorPage::try_from(text.to_owned()).is_ok(), "{text}");
        }
        for (text, said) in [
            ("", "leave it out"),
            ("errors/", "does not end in a slash"),
            ("/404.html", "do not begin with a slash"),
            ("a//404.html", "between two slashes"),
            ("../404.html", "no . and .."),
            ("404%2ehtml", "without percent-encoding"),
        ] {
            let error = ErrorPage::try_from(text.to_owned()).unwrap_err().to_string();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_key_below_a_prefix_is_written_with_it_or_without() {
        let prefix = |text: &str| KeyPrefix(text.to_owned());
        for (above, written, whole) in [
            ("docs/", "404.html", "docs/404.html"),
            ("docs/", "docs/404.html", "docs/404.html"),
            ("docs/", "docs/docs/404.html", "docs/docs/404.html"),
            ("docs/", "docs.html", "docs/docs.html"),
            ("docs/", "errors/404.html", "docs/errors/404.html"),
            ("", "docs/404.html", "docs/404.html"),
        ] {
            assert_eq!(prefix(above).whole_key(written), whole, "{above} {written}");
        }
    }
}
