//! Request targets: origin form, absolute form, `*`, and what only some servers know (RFC 9112 §3.2).
//!
//! Decides which bytes a target may have, and which part of it is authority, path and query. A target is never changed.

use crate::rejection::Rejection;

/// Schemes whose authority some parsers find where others do not: without the slashes, or before a backslash (WHATWG URL, special
/// schemes).
const SPECIAL: [&str; 4] = ["http", "https", "ws", "wss"];

/// The target of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestTarget<'b> {
    whole: &'b str,
    authority: Option<&'b str>,
    resource: &'b str,
}

impl<'b> RequestTarget<'b> {
    /// Reads a target.
    ///
    /// Old clients send S3 keys with bytes that RFC 3986 wants encoded, and sign them as they are: they pass. Not so a fragment, which
    /// some recipients drop and others keep, nor the few bytes that Pingora's parser rejects.
    pub fn read(target: &'b str) -> Result<Self, Rejection> {
        let is_usual = target
            .bytes()
            .fold(true, |all, byte| all & matches!(byte, b'!'..=b'~') & !matches!(byte, b'#' | b'<' | b'>' | b'`'));
        if is_usual && target.starts_with('/') {
            return Ok(Self { whole: target, authority: None, resource: target });
        }
        Self::read_unusual(target)
    }

    #[cold]
    fn read_unusual(target: &'b str) -> Result<Self, Rejection> {
        if target.is_empty() || target.bytes().any(|byte| byte.is_ascii_control() || matches!(byte, b' ' | b'#')) {
            return Err(Rejection::Target);
        }
        let (authority, resource) = if target.starts_with(['/', '?']) {
            (None, target)
        } else if let Some((authority, resource)) = absolute(target)? {
            (Some(authority), resource)
        } else {
            // `*`, or an opaque text such as `h:443`: nothing in it is a path.
            return Ok(Self { whole: target, authority: None, resource: if target == "*" { target } else { "/" } });
        };
        let (path, query) = resource.split_once('?').unwrap_or((resource, ""));
        if path.contains(['<', '>', '`']) || query.contains(['<', '>']) {
            return Err(Rejection::Target);
        }
        Ok(Self { whole: target, authority, resource })
    }

    /// The target as it came.
    pub fn whole(self) -> &'b str {
        self.whole
    }

    /// The authority of one in absolute form.
    pub(crate) fn authority(self) -> Option<&'b str> {
        self.authority
    }

    /// The path; `/` for a target without one.
    pub fn path(self) -> &'b str {
        let path = self.resource.split_once('?').map_or(self.resource, |(path, _)| path);
        if path.is_empty() { "/" } else { path }
    }

    /// The query, after the first `?`.
    pub fn query(self) -> Option<&'b str> {
        self.resource.split_once('?').map(|(_, query)| query)
    }

    /// The target without its authority, in two parts: in origin form, if it was in absolute form.
    pub(crate) fn without_authority(self) -> [&'b str; 2] {
        match self.authority {
            Some(_) if self.resource.starts_with('/') => ["", self.resource],
            Some(_) => ["/", self.resource],
            None => ["", self.whole],
        }
    }
}

/// Authority and path of a target in absolute form (RFC 9112 §3.2.2); `None` for one without an authority.
fn absolute(target: &str) -> Result<Option<(&str, &str)>, Rejection> {
    let Some((scheme, rest)) = target.split_once(':') else { return Ok(None) };
    let is_special = SPECIAL.iter().any(|special| scheme.eq_ignore_ascii_case(special));
    let Some(rest) = rest.strip_prefix("//") else {
        return if is_special { Err(Rejection::Host) } else { Ok(None) };
    };
    let (authority, resource) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let is_named = !is_special || (!authority.is_empty() && has_one_port(authority));
    if !is_scheme(scheme) || !is_named || !is_host(authority.as_bytes()) {
        return Err(Rejection::Host);
    }
    Ok(Some((authority, resource)))
}

/// RFC 3986 §3.1.
fn is_scheme(text: &str) -> bool {
    let may_follow = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(may_follow)
}

/// Returns true for a name or a bracketed address, and at most one port after it (RFC 3986 §3.2.2).
fn has_one_port(authority: &str) -> bool {
    let name = authority.strip_prefix('[').map_or(Some(authority), |literal| Some(literal.split_once(']')?.1));
    name.is_some_and(|name| !name.contains(['[', ']']) && name.bytes().filter(|byte| *byte == b':').count() <= 1)
}

/// The bytes of a host and port (RFC 3986 §3.2.2). Percent-encodings are left out: no DNS name or bucket has one, and parsers differ in
/// whether they decode it.
#[must_use]
pub const fn may_be_in_host(byte: u8) -> bool {
    let is_sub_delimiter = matches!(byte, b'!' | b'$' | b'&'..=b',' | b';' | b'=');
    byte.is_ascii_alphanumeric() || is_sub_delimiter || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':' | b'[' | b']')
}

/// [`may_be_in_host`] for each byte.
#[expect(clippy::indexing_slicing, reason = "the index is below the length, and this runs when it is compiled")]
static HOST_BYTES: [bool; 256] = {
    let (mut table, mut byte) = ([false; 256], 0);
    while byte < 256 {
        table[byte] = may_be_in_host(byte as u8);
        byte += 1;
    }
    table
};

/// Returns true if all bytes are those of a host and port.
pub(crate) fn is_host(text: &[u8]) -> bool {
    text.iter().fold(true, |all, byte| all & (HOST_BYTES.get(usize::from(*byte)) == Some(&true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Rejection::{Host, Target};

    #[test]
    fn the_parts_of_a_target_are_found_in_each_form() {
        for (target, authority, path, query) in [
            ("/", None, "/", None),
            ("/b/k?a?b", None, "/b/k", Some("a?b")),
            ("//h/../%2f%zz", None, "//h/../%2f%zz", None),
            ("/caf\u{e9}?\u{2028}", None, "/caf\u{e9}", Some("\u{2028}")),
            ("/?`", None, "/", Some("`")),
            ("?a", None, "/", Some("a")),
            ("*", None, "*", None),
            ("*x", None, "/", None),
            ("h:443", None, "/", None),
            ("bucket/key?a", None, "/", None),
            ("bucket/<key>", None, "/", None),
            (":x", None, "/", None),
            ("http://h/k?q", Some("h"), "/k", Some("q")),
            ("HTTP://h:80", Some("h:80"), "/", None),
            ("https://[::1]:9000?q", Some("[::1]:9000"), "/", Some("q")),
            ("ftp://a:b:c/k", Some("a:b:c"), "/k", None),
            ("file:///etc/passwd", Some(""), "/etc/passwd", None),
            ("s3:bucket/key", None, "/", None),
        ] {
            let read = RequestTarget::read(target).unwrap_or_else(|why| panic!("{target}: {why}"));
            assert_eq!((read.whole(), read.authority()), (target, authority), "{target}");
            assert_eq!((read.path(), read.query()), (path, query), "{target}");
        }
    }

    #[test]
    fn a_target_that_recipients_read_differently_is_rejected() {
        for (target, why) in [
            ("/key#f", Target),
            ("#", Target),
            ("bucket#f", Target),
            ("http://h/#f", Target),
            ("http://h#f", Target),
            ("/<k>", Target),
            ("/k`", Target),
            ("/?<", Target),
            ("?>", Target),
            ("/caf\u{e9}`", Target),
            ("http://h/`", Target),
            ("http:h/k", Host),
            ("http:/h/k", Host),
            ("ws:h", Host),
            ("http:///k", Host),
            ("https://?q", Host),
            ("http://u@h/", Host),
            ("ftp://u@h/", Host),
            ("http://h%2e/", Host),
            ("http://h\\i/", Host),
            ("http:/\\h/", Host),
            ("http://h:80:90/", Host),
            ("http://[::1/", Host),
            ("http://h]/", Host),
            ("http://[::1]]/", Host),
            ("ht_tp://h/", Host),
            ("://h/", Host),
            ("9x://h/", Host),
        ] {
            assert_eq!(RequestTarget::read(target), Err(why), "{target}");
        }
    }

    #[test]
    fn a_target_without_its_authority_is_in_origin_form() {
        for (target, left) in [
            ("http://h/k?q=http://i", "/k?q=http://i"),
            ("HTTPS://h?q", "/?q"),
            ("http://h", "/"),
            ("/http://h/k", "/http://h/k"),
            ("?q", "?q"),
            ("h:443", "h:443"),
            ("*", "*"),
        ] {
            assert_eq!(RequestTarget::read(target).unwrap().without_authority().concat(), left);
        }
    }
}
