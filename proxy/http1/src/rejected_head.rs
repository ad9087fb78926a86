//! The readable parts of a rejected request head: enough for the reply to name the bucket and to have its CORS headers.
//!
//! Nothing is forwarded by it. Where it reads a head differently from another reader, only the reply is about another bucket.

use crate::field_bytes::is_token;
use http::Version;

/// A head that may be anything.
#[derive(Clone, Copy, Debug)]
pub struct RejectedHead<'b> {
    method: &'b str,
    target: &'b str,
    /// The request line and all after it.
    bytes: &'b [u8],
}

impl<'b> RejectedHead<'b> {
    /// The parts of these bytes, as far as there are any.
    #[must_use]
    pub fn of(bytes: &'b [u8]) -> Self {
        let line = lines(bytes).next().and_then(|line| str::from_utf8(line).ok()).unwrap_or_default();
        let (method, rest) = line.split_once(' ').unwrap_or_default();
        // A target with a raw space in it goes on to the version.
        let target = rest.rsplit_once(" HTTP/").map_or(rest, |(target, _)| target);
        let is_method = !method.is_empty() && method.bytes().all(is_token);
        let (method, target) = if is_method { (method, target) } else { Default::default() };
        Self { method, target, bytes }
    }

    /// Authority and path of the target; one in absolute form has both (RFC 9112 §3.2.2).
    fn parts(&self) -> (Option<&'b str>, &'b str) {
        let target = self.target.split_once(['?', '#']).map_or(self.target, |(path, _)| path);
        match target.split_once("://") {
            Some((scheme, rest)) if !scheme.contains('/') => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            _ => (None, target),
        }
    }

    /// The method; empty where the first line names none.
    #[must_use]
    pub fn method(&self) -> &'b str {
        self.method
    }

    /// The target's authority, else the first `Host` that is text.
    #[must_use]
    pub fn host(&self) -> Option<&'b str> {
        let line = || self.lines().find(|(name, _)| name.eq_ignore_ascii_case(b"host"));
        self.parts().0.or_else(|| line().and_then(|(_, value)| str::from_utf8(value).ok()))
    }

    /// The path of the target, with every byte that may not be there.
    #[must_use]
    pub fn path(&self) -> &'b str {
        self.parts().1
    }

    /// The query of the target.
    #[must_use]
    pub fn query(&self) -> Option<&'b str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// The version at the end of the first line; 0.9 if it is unknown.
    #[must_use]
    pub fn version(&self) -> Version {
        match lines(self.bytes).next().and_then(|line| line.rsplit(|byte| *byte == b' ').next()) {
            Some(b"HTTP/1.1") => Version::HTTP_11,
            Some(b"HTTP/1.0") => Version::HTTP_10,
            _ => Version::HTTP_09,
        }
    }

    /// The lines that have a valid name, up to an empty line: name and value.
    pub fn lines(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> {
        let fields = lines(self.bytes).skip(1).take_while(|line| !line.is_empty());
        fields.filter_map(|line| {
            let (name, value) = line.split_at_checked(memchr::memchr(b':', line)?)?;
            let is_name = !name.is_empty() && name.iter().copied().all(is_token);
            is_name.then(|| (name, value.strip_prefix(b":").unwrap_or_default().trim_ascii()))
        })
    }
}

/// Lines, whether they end with CRLF or LF alone.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_of_a_head_is_read() {
        for (head, method, host, path) in [
            ("GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n", "GET", Some("h"), "/b/k"),
            ("GET /b/k y?q HTTP/1.1\r\n\r\n", "GET", None, "/b/k y"),
            ("GET /b/k#f?q HTTP/1.1\nhost:h\n\n", "GET", Some("h"), "/b/k"),
            ("GET /b/\0\r HTTP/1.1\r\nHost: h\r\n\r\n", "GET", Some("h"), "/b/\0\r"),
            ("PUT http://a/b/k?x HTTP/1.1\r\nHost: h\r\n\r\n", "PUT", Some("a"), "/b/k"),
            ("PUT http://a HTTP/1.1\r\n", "PUT", Some("a"), ""),
            ("GET /b/http://x/ HTTP/1.1\r\n\r\n", "GET", None, "/b/http://x/"),
            ("GET /b/k\r\n\r\nHost: h\r\n", "GET", None, "/b/k"),
            ("GET /b/k HTTP/1.1\r\nHost : h\r\nA\r\nHost: i\r\n\r\n", "GET", Some("i"), "/b/k"),
            ("G\0T /b/k HTTP/1.1\r\n\r\n", "", None, ""),
            ("\x16\x03\x01\x02", "", None, ""),
            ("GET", "", None, ""),
            ("", "", None, ""),
        ] {
            let read = RejectedHead::of(head.as_bytes());
            assert_eq!((read.method(), read.host(), read.path()), (method, host, path), "{head:?}");
        }
        assert_eq!(RejectedHead::of(b"GET /b/\xe9 HTTP/1.1\r\n\r\n").path(), "", "not text");
    }
}
