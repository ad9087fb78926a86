//! The place of a token in a path.
//!
//! Decides: whether a path has one, what is left without it, how a log shows it, where a redirect to one leads. Must not know: what a
//! token says. Paths are raw, and without what belongs to a public name.

use std::borrow::Cow;

/// The fewest characters after a `~` that no log shows, wherever they are. A token that is cut shorter lacks 90 bits of its tag, which
/// no one can guess.
const SHORTEST_HIDDEN: usize = 40;

/// A path with a token as the first segment of its key: `/BUCKET/~TOKEN/KEY`, or `/~TOKEN/KEY` where the host names the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenPath<'p> {
    /// The bucket with the slash before it; empty where the host names it.
    bucket: &'p str,
    token: &'p str,
    /// The key with the slash before it; empty where the path ends with the token.
    key: &'p str,
}

impl<'p> TokenPath<'p> {
    /// Takes a path apart. A first segment of the key that begins with `~` is the token, valid or not.
    #[must_use]
    pub fn of(path: &'p str, is_in_host: bool) -> Option<Self> {
        let bucket = if is_in_host { 0 } else { 1 + path.strip_prefix('/')?.find('/')? };
        let (bucket, rest) = path.split_at_checked(bucket)?;
        let segment = rest.strip_prefix('/')?;
        let (segment, key) = segment.split_at_checked(segment.find('/').unwrap_or(segment.len()))?;
        let token = after_tilde(segment)?;
        // No valid token has a `%`: the encoded one stays malformed.
        let token = if segment.starts_with('%') { segment } else { token };
        Some(Self { bucket, token, key })
    }

    /// The token's text.
    #[must_use]
    pub const fn token(&self) -> &'p str {
        self.token
    }

    /// The key after the token, as it is written.
    #[must_use]
    pub fn raw_key(&self) -> &'p str {
        self.key.strip_prefix('/').unwrap_or_default()
    }
}

/// A path as logs show it: with `~` in place of the token. A token elsewhere in the path, where only a mistaken client writes it, is
/// hidden too.
#[must_use]
pub fn shown(path: &str, is_in_host: bool) -> Cow<'_, str> {
    match TokenPath::of(path, is_in_host) {
        Some(TokenPath { bucket, key, .. }) => format!("{}/~{}", without_tokens(bucket), without_tokens(key)).into(),
        None => without_tokens(path),
    }
}

/// The path of a redirect to a key below a token. `prefix` is what belongs to the public name; `bucket` is the segment as the request has
/// it, and `None` where the host names the bucket.
#[must_use]
pub fn location(prefix: &str, bucket: Option<&str>, token: &str, raw_key: &str) -> String {
    match bucket {
        Some(bucket) => format!("{prefix}/{bucket}/~{token}/{raw_key}"),
        None => format!("{prefix}/~{token}/{raw_key}"),
    }
}

/// A text as logs show it: with `~` in place of everything that looks like a token. The name of a bucket can be one, where a client
/// resolves a relative URL to the wrong place.
#[must_use]
fn without_tokens(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed("");
    let mut rest = text;
    while let Some((before, after)) = around_token(rest) {
        shown += before;
        shown += "~";
        rest = after;
    }
    shown += rest;
    shown
}

/// The text before and after the first thing that looks like a token.
fn around_token(text: &str) -> Option<(&str, &str)> {
    let is_of_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.match_indices(['~', '%']).find_map(|(at, _)| {
        let (before, rest) = text.split_at_checked(at)?;
        let rest = after_tilde(rest)?;
        let length = rest.bytes().take_while(is_of_token).count();
        Some((before, rest.get(length..)?)).filter(|_| length >= SHORTEST_HIDDEN)
    })
}

/// The text after the `~` at its beginning, which may be encoded: a server decodes it.
fn after_tilde(text: &str) -> Option<&str> {
    ["~", "%7E", "%7e"].into_iter().find_map(|tilde| text.strip_prefix(tilde))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text with the length of a token.
    const TOKEN: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygp";

    #[test]
    fn a_path_with_a_token_is_taken_apart() {
        for (path, is_in_host, expected) in [
            ("/b/~T/k", false, Some(("T", "k"))),
            ("/b/~T/video/7/a%20b", false, Some(("T", "video/7/a%20b"))),
            ("/b/~T/", false, Some(("T", ""))),
            ("/b/~T", false, Some(("T", ""))),
            ("/b/~/k", false, Some(("", "k"))),
            ("/b/~", false, Some(("", ""))),
            ("/b/~T//k", false, Some(("T", "/k"))),
            ("/b/~T/~U/k", false, Some(("T", "~U/k"))),
            ("/b/~T%2Fk", false, Some(("T%2Fk", ""))),
            ("/b/%7ET/k", false, Some(("%7ET", "k"))),
            ("/b/%7e/k", false, Some(("%7e", "k"))),
            ("/%62/~T/k", false, Some(("T", "k"))),
            ("/~b/~T/k", false, Some(("T", "k"))),
            ("/~T/k", true, Some(("T", "k"))),
            ("/~T/b/~U", true, Some(("T", "b/~U"))),
            ("/~T", true, Some(("T", ""))),
            ("/~", true, Some(("", ""))),
            ("/%7ET/k", true, Some(("%7ET", "k"))),
            ("/b/k", false, None),
            ("/b/k/~T", false, None),
            ("/b//~T/k", false, None),
            ("/b/k~T/k", false, None),
            ("/b/%257ET/k", false, None),
            ("/b/%7/k", false, None),
            ("/b/%7\u{e9}", false, None),
            ("/~T/k", false, None),
            ("/b/~T/k", true, None),
            ("/b", false, None),
            ("/", false, None),
            ("/", true, None),
            ("", false, None),
            ("", true, None),
            ("*", true, None),
            ("~T/k", true, None),
        ] {
            let found = TokenPath::of(path, is_in_host);
            assert_eq!(found.map(|found| (found.token(), found.raw_key())), expected, "{path} {is_in_host}");
        }
    }

    #[test]
    fn a_log_has_no_token() {
        for (path, is_in_host, expected) in [
            ("/b/~T/k", false, "/b/~/k"),
            ("/b/~T", false, "/b/~"),
            ("/b/%7ET/k", false, "/b/~/k"),
            ("/~T/k", true, "/~/k"),
            ("/~T", true, "/~"),
            ("/b/k", false, "/b/k"),
            ("/b/~user/~T/k", false, "/b/~/~T/k"),
            ("/b/home/~user/k", false, "/b/home/~user/k"),
            ("*", false, "*"),
            ("", true, ""),
        ] {
            assert_eq!(shown(path, is_in_host), expected, "{path} {is_in_host}");
        }
        // However a client writes it, and where the host names no bucket after all.
        for (path, is_in_host, expected) in [
            ("/b/~TOKEN/k", false, "/b/~/k"),
            ("/b/~TOKENx/k", false, "/b/~/k"),
            ("/b/~x%20TOKEN/k", false, "/b/~/k"),
            ("/b/~TOKEN/~TOKEN/k", false, "/b/~/~/k"),
            ("/b//~TOKEN/k", false, "/b//~/k"),
            ("/b/x/..%2F~TOKEN/k~", false, "/b/x/..%2F~/k~"),
            ("/b/%7E/%7eTOKEN", false, "/b/~/~"),
            ("/~TOKEN/k", false, "/~/k"),
            ("/~TOKEN", false, "/~"),
            ("/b/~TOKEN/k", true, "/b/~/k"),
            ("/s/b/~TOKEN/k", false, "/s/b/~/k"),
            ("/b/a~~%7ETOKEN%/~", false, "/b/a~~~%/~"),
        ] {
            let written = path.replace("TOKEN", TOKEN);
            assert_eq!(shown(&written, is_in_host), expected, "{path} {is_in_host}");
        }
    }

    #[test]
    fn a_redirect_leads_below_the_token() {
        for (prefix, bucket, expected) in [
            ("", Some("b"), "/b/~T/video/a%20b.m3u8"),
            ("/storage", Some("%62"), "/storage/%62/~T/video/a%20b.m3u8"),
            ("", None, "/~T/video/a%20b.m3u8"),
            ("/storage", None, "/storage/~T/video/a%20b.m3u8"),
        ] {
            let location = location(prefix, bucket, "T", "video/a%20b.m3u8");
            assert_eq!(location, expected);
            let inner = location.strip_prefix(prefix).unwrap();
            let found = TokenPath::of(inner, bucket.is_none()).unwrap();
            assert_eq!((found.token(), found.raw_key()), ("T", "video/a%20b.m3u8"));
        }
    }
}
