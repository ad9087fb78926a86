//! A request's head: whether it is a valid one, and its lines in HTTP/1.1.
//!
//! Decides: what is malformed (RFC 9113 §8.1.1) beyond what the `h2` crate rejects, and how long the body is. Must not know: streams,
//! upstreams or what the exchange decides.

use crate::exchange::{self, Failure, RequestFault};
use http::header::{CONTENT_LENGTH, COOKIE, HOST};
use http::{HeaderValue, Method, Version, request};
use s3cors_http1::body_length::{BodyLength, LengthHeaders};
use s3cors_http1::request_target::may_be_in_host;

/// A request's head.
pub(super) struct Head {
    parts: request::Parts,
    body: BodyLength,
}

impl Head {
    /// Reads a head, and returns why the request is not forwarded if it is not; `has_body` is whether the stream went on after the head.
    pub(super) fn read(parts: request::Parts, has_body: bool) -> (Self, Option<Failure>) {
        let mut head = Self { parts, body: BodyLength::None };
        let failure = match head.length(has_body) {
            Ok(body) => {
                head.body = body;
                None
            }
            Err(failure) => Some(failure),
        };
        (head, failure)
    }

    fn length(&self, has_body: bool) -> Result<BodyLength, Failure> {
        if self.parts.method == Method::CONNECT {
            return Err(Failure::Connect);
        }
        let malformed = |why| Failure::InvalidRequest(RequestFault::Head(why));
        self.check_target().map_err(malformed)?;
        self.check_host().map_err(malformed)?;
        let mut length = LengthHeaders::default();
        for value in self.parts.headers.get_all(CONTENT_LENGTH) {
            let read = length.read(CONTENT_LENGTH.as_str().as_bytes(), value.as_bytes());
            read.map_err(|ambiguous| malformed(ambiguous.message()))?;
        }
        match length.finish(Version::HTTP_11) {
            // RFC 9113 §8.1.1: without the length, the end of the stream is the end of the body.
            Ok(BodyLength::None) if has_body => Ok(BodyLength::Chunked),
            Ok(stated) => Ok(stated),
            Err(ambiguous) => Err(malformed(ambiguous.message())),
        }
    }

    /// RFC 9113 §8.3.1: `:path` begins with a slash or is an asterisk. No byte in it may end it in HTTP/1.1.
    fn check_target(&self) -> Result<(), &'static str> {
        let target = exchange::RequestHead::target(self);
        if !target.starts_with('/') && target != "*" {
            return Err("a :path that is not in origin form");
        }
        let is_visible = target.bytes().fold(true, |all, byte| all & matches!(byte, b'!'..=b'~' | 0x80..));
        if is_visible { Ok(()) } else { Err("a byte in :path that ends a target") }
    }

    /// RFC 9113 §8.3.1: one host, without user information, and the same in `:authority` and `Host`.
    fn check_host(&self) -> Result<(), &'static str> {
        let mut lines = self.parts.headers.get_all(HOST).iter();
        let (line, second) = (lines.next().map(HeaderValue::as_bytes), lines.next());
        let authority = self.parts.uri.authority().map(|authority| authority.as_str().as_bytes());
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
}

impl exchange::RequestHead for Head {
    fn method(&self) -> &str {
        self.parts.method.as_str()
    }

    fn target(&self) -> &str {
        exchange::RequestHead::target(&self.parts)
    }

    fn host(&self) -> Option<&str> {
        exchange::RequestHead::host(&self.parts)
    }

    fn path(&self) -> &str {
        self.parts.uri.path()
    }

    fn query(&self) -> Option<&str> {
        self.parts.uri.query()
    }

    fn version(&self) -> Version {
        Version::HTTP_2
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        exchange::RequestHead::lines(&self.parts)
    }

    fn body(&self) -> BodyLength {
        self.body
    }

    /// An ambiguous head is rejected by [`Head::read`].
    fn is_unambiguous(&self) -> bool {
        true
    }

    /// The host is written anew, since it is mostly in `:authority`.
    fn has_host_line(&self) -> bool {
        false
    }

    fn pieces(&self, goes: impl Fn(&[u8]) -> bool, mut take: impl FnMut(&[u8])) {
        for (name, value) in &self.parts.headers {
            if name != COOKIE && !goes(name.as_str().as_bytes()) {
                [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].into_iter().for_each(&mut take);
            }
        }
        // RFC 9113 §8.2.3: cookies that came in several lines become one.
        let mut cookies = self.parts.headers.get_all(COOKIE).iter();
        let Some(first) = cookies.next() else { return };
        [b"cookie: ", first.as_bytes()].into_iter().for_each(&mut take);
        for cookie in cookies {
            [b"; ", cookie.as_bytes()].into_iter().for_each(&mut take);
        }
        take(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn read(method: &str, target: &str, lines: &[(&str, &str)], has_body: bool) -> Result<BodyLength, Failure> {
        let mut request = Request::builder().method(method).uri(target);
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        let (head, failure) = Head::read(request.body(()).unwrap().into_parts().0, has_body);
        failure.map_or(Ok(head.body), Err)
    }

    #[test]
    fn a_head_has_one_host_one_length_and_a_target_in_origin_form() {
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
            let read = read("PUT", target, lines, true);
            assert_eq!(matches!(read, Err(Failure::InvalidRequest(_))), is_rejected, "{target} {lines:?}");
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
            assert_eq!(read("PUT", "http://h/k", lines, has_body), Ok(expected), "{lines:?} {has_body}");
        }
        assert_eq!(read("CONNECT", "h:443", &[], false), Err(Failure::Connect));
    }
}
