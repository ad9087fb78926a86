//! A request's head: whether it is a valid one, and how the upstream is asked for it in HTTP/1.1.
//!
//! Decides: what is malformed (RFC 9113 §8.1.1) beyond what the `h2` crate rejects, and how long the body is. Must not know: streams,
//! upstreams or what the exchange decides.

use crate::exchange::{self, RequestEdits, may_be_in_host};
use bytes::BytesMut;
use http::header::{
    CONTENT_LENGTH, COOKIE, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
};
use http::{HeaderName, HeaderValue, Method, Version, request};
use s3cors_http1::body_length::{BodyLength, LengthHeaders};

/// What a head needs beside its own lines, in bytes.
const ADDED: usize = 256;
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// A request's head.
pub(super) struct Head(request::Parts);

/// Why a request is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rejected {
    /// It is not valid; the reason in a few words.
    Malformed(&'static str),
    /// CONNECT asks for a tunnel, and S3 has none.
    Connect,
}

impl Head {
    pub(super) const fn new(parts: request::Parts) -> Self {
        Self(parts)
    }

    /// How long the body is; `has_body` is whether the stream went on after the head.
    pub(super) fn body(&self, has_body: bool) -> Result<BodyLength, Rejected> {
        if self.0.method == Method::CONNECT {
            return Err(Rejected::Connect);
        }
        self.check_target().map_err(Rejected::Malformed)?;
        self.check_host().map_err(Rejected::Malformed)?;
        let mut length = LengthHeaders::default();
        for value in self.0.headers.get_all(CONTENT_LENGTH) {
            let read = length.read(CONTENT_LENGTH.as_str().as_bytes(), value.as_bytes());
            read.map_err(|ambiguous| Rejected::Malformed(ambiguous.message()))?;
        }
        match length.finish(Version::HTTP_11) {
            // RFC 9113 §8.1.1: without the length, the end of the stream is the end of the body.
            Ok(BodyLength::None) if has_body => Ok(BodyLength::Chunked),
            Ok(stated) => Ok(stated),
            Err(ambiguous) => Err(Rejected::Malformed(ambiguous.message())),
        }
    }

    /// RFC 9113 §8.3.1: `:path` begins with a slash or is an asterisk. No byte in it may end it in HTTP/1.1.
    fn check_target(&self) -> Result<(), &'static str> {
        let target = self.target();
        if !target.starts_with('/') && target != "*" {
            return Err("a :path that is not in origin form");
        }
        let is_visible = target.bytes().fold(true, |all, byte| all & matches!(byte, b'!'..=b'~' | 0x80..));
        if is_visible { Ok(()) } else { Err("a byte in :path that ends a target") }
    }

    /// RFC 9113 §8.3.1: one host, without user information, and the same in `:authority` and `Host`.
    fn check_host(&self) -> Result<(), &'static str> {
        let mut lines = self.0.headers.get_all(HOST).iter();
        let (line, second) = (lines.next().map(HeaderValue::as_bytes), lines.next());
        let authority = self.0.uri.authority().map(|authority| authority.as_str().as_bytes());
        if second.is_some() {
            return Err("more than one Host");
        }
        if authority.zip(line).is_some_and(|(authority, line)| authority != line) {
            return Err("a Host that differs from :authority");
        }
        match authority.or(line) {
            None | Some([]) => Err("no host"),
            Some(host) if !host.iter().copied().all(may_be_in_host) => Err("an invalid host"),
            Some(_) => Ok(()),
        }
    }

    /// The target as it came.
    fn target(&self) -> &str {
        self.0.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str)
    }

    /// Writes the head for an upstream, which is always asked in HTTP/1.1.
    pub(super) fn for_upstream(&self, edits: &RequestEdits<'_>, body: BodyLength) -> BytesMut {
        let lines: usize = self.0.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let host = edits.host().or_else(|| exchange::RequestHead::host(self)).unwrap_or_default();
        let mut out = BytesMut::with_capacity(self.target().len() + host.len() + lines + ADDED);
        let method = edits.method().unwrap_or(self.0.method.as_str());
        for part in [method, " ", self.target(), " HTTP/1.1\r\nhost: ", host, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        for (name, value) in &self.0.headers {
            if !ends_here(name) && !edits.removes(name.as_str().as_bytes()) {
                line(&mut out, name, value.as_bytes());
            }
        }
        self.write_cookies(&mut out);
        edits.for_each_line(|name, value| {
            for part in [name, ": ", value[0], value[1], value[2], "\r\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        });
        if body == BodyLength::Chunked {
            line(&mut out, &TRANSFER_ENCODING, b"chunked");
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    /// RFC 9113 §8.2.3: cookies that came in several lines become one.
    fn write_cookies(&self, out: &mut BytesMut) {
        let mut cookies = self.0.headers.get_all(COOKIE).iter();
        let Some(first) = cookies.next() else { return };
        out.extend_from_slice(b"cookie: ");
        out.extend_from_slice(first.as_bytes());
        for cookie in cookies {
            out.extend_from_slice(b"; ");
            out.extend_from_slice(cookie.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }
}

fn line(out: &mut BytesMut, name: &HeaderName, value: &[u8]) {
    for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Whether a line is not written as it came: it is about this hop (RFC 9110 §7.6.1), or has a place of its own. Trailers are dropped,
/// and their announcement with them.
fn ends_here(name: &HeaderName) -> bool {
    let has_its_place = name == HOST || name == COOKIE;
    let is_hop = name == TE || name == TRAILER || name == PROXY_AUTHENTICATE || name == PROXY_AUTHORIZATION;
    has_its_place || is_hop || name == HTTP2_SETTINGS || name == KEEP_ALIVE || name == PROXY_CONNECTION
}

impl exchange::RequestHead for Head {
    fn method(&self) -> &str {
        self.0.method.as_str()
    }

    fn host(&self) -> Option<&str> {
        exchange::RequestHead::host(&self.0)
    }

    fn path(&self) -> &str {
        self.0.uri.path()
    }

    fn query(&self) -> Option<&str> {
        self.0.uri.query()
    }

    fn version(&self) -> Version {
        Version::HTTP_2
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        exchange::RequestHead::lines(&self.0)
    }

    /// What is ambiguous is rejected by [`Head::body`].
    fn is_unambiguous(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn head(method: &str, target: &str, lines: &[(&str, &str)]) -> Head {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        Head::new(request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_head_has_one_host_one_length_and_a_target_in_origin_form() {
        let malformed = |head: Head| matches!(head.body(true), Err(Rejected::Malformed(_)));
        for (target, lines, is_rejected) in [
            ("http://h/k", &[][..], false),
            ("http://h/k", &[("host", "h")], false),
            ("http://h/k", &[("host", "H")], true),
            ("http://h/k", &[("host", "h:80")], true),
            ("http://h/k", &[("host", "h"), ("host", "h")], true),
            ("http://u@h/k", &[], true),
            ("/k", &[], true),
            ("/k", &[("host", "")], true),
            ("/k", &[("host", "h")], false),
            ("/k", &[("host", "u@h")], true),
            ("/k", &[("host", "h/k")], true),
            ("*", &[("host", "h")], false),
            ("http://h/k", &[("content-length", "3")], false),
            ("http://h/k", &[("content-length", "+3")], true),
            ("http://h/k", &[("content-length", "3, 3")], true),
            ("http://h/k", &[("content-length", "3"), ("content-length", "3")], true),
        ] {
            assert_eq!(malformed(head("PUT", target, lines)), is_rejected, "{target} {lines:?}");
        }
    }

    #[test]
    fn a_body_without_a_length_ends_with_its_stream() {
        for (lines, has_body, expected) in [
            (&[][..], false, BodyLength::None),
            (&[], true, BodyLength::Chunked),
            (&[("content-length", "0")], false, BodyLength::Length(0)),
            (&[("content-length", "3")], true, BodyLength::Length(3)),
        ] {
            assert_eq!(head("PUT", "http://h/k", lines).body(has_body), Ok(expected), "{lines:?} {has_body}");
        }
        assert_eq!(head("CONNECT", "h:443", &[]).body(false), Err(Rejected::Connect));
    }
}
