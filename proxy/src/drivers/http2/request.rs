//! A request's head: whether it is a valid one, and its lines in HTTP/1.1.
//!
//! Decides: which failure each fault of a head is, which targets and hosts are valid, and how long the body is. Must not know: streams,
//! upstreams or what the exchange decides.

use super::lines::FieldLines;
use super::rejected::{HeadFault, Note, UNKNOWN_METHOD};
use crate::exchange::{self, Failure, RequestFault};
use http::uri::{Authority, Scheme};
use http::{Method, Version, request};
use s3cors_http1::body_length::{BodyLength, LengthHeaders};
use s3cors_http1::request_head::Rejection;
use s3cors_http1::request_target::{RequestTarget, may_be_in_host};

const CONTENT_LENGTH: &[u8] = b"content-length";
const COOKIE: &[u8] = b"cookie";
const HOST: &[u8] = b"host";

/// A request's head.
pub(super) struct Head {
    /// Method and target, as the `h2` crate has read them.
    parts: request::Parts,
    lines: FieldLines,
    /// The target where it is not the one in `parts`.
    target: Option<Box<str>>,
    body: BodyLength,
    /// Set for a head that names no method.
    is_unnamed: bool,
}

/// The reason why a request is not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rejected {
    pub(super) failure: Failure,
    /// Set where the stream is to be reset (RFC 9113 §8.1.1): the client gets no reply.
    pub(super) is_malformed: bool,
}

impl Head {
    /// Reads a head, and returns why the request is not forwarded if it is not; `has_body` is whether the stream went on after the head.
    pub(super) fn read(parts: request::Parts, note: Note, has_body: bool) -> (Self, Option<Rejected>) {
        let is_unnamed = note.fault.is_some() && parts.method.as_str().as_bytes() == UNKNOWN_METHOD;
        let mut head = Self { parts, lines: note.lines, target: note.target, body: BodyLength::None, is_unnamed };
        let failure = match note.fault.map_or_else(|| head.length(has_body), |fault| Err(failure(fault))) {
            Ok(body) => {
                head.body = body;
                None
            }
            Err(failure) => Some(failure),
        };
        if has_meaning(&head.parts.method) && head.body == BodyLength::None && failure.is_none() {
            // RFC 9110 §8.6: that there is no body is said in HTTP/1.1, and servers of S3 want it to be.
            head.lines.push(CONTENT_LENGTH, b"0");
            head.body = BodyLength::Length(0);
        }
        let is_malformed = matches!(note.fault, Some(HeadFault::Malformed(_)));
        (head, failure.map(|failure| Rejected { failure, is_malformed }))
    }

    fn length(&self, has_body: bool) -> Result<BodyLength, Failure> {
        if self.parts.method == Method::CONNECT {
            return Err(Failure::Connect);
        }
        self.check_target()?;
        self.check_host().map_err(malformed)?;
        let mut length = LengthHeaders::default();
        for value in self.lines.values(CONTENT_LENGTH) {
            length.read(CONTENT_LENGTH, value).map_err(|ambiguous| malformed(ambiguous.message()))?;
        }
        match length.finish(Version::HTTP_11) {
            // RFC 9113 §8.1.1: without the length, the end of the stream is the end of the body.
            Ok(BodyLength::None) if has_body => Ok(BodyLength::Chunked),
            Ok(stated) => Ok(stated),
            Err(ambiguous) => Err(malformed(ambiguous.message())),
        }
    }

    /// RFC 9113 §8.3.1: `:path` begins with a slash or is an asterisk. Beyond that the grammar of HTTP/1.1 judges it, since that is where
    /// it goes.
    fn check_target(&self) -> Result<(), Failure> {
        let Some(target) = &self.target else { return Ok(()) };
        if target.bytes().any(|byte| matches!(byte, 0..=b' ' | 0x7f)) {
            return Err(Failure::InvalidTarget);
        }
        if !target.starts_with('/') && &**target != "*" {
            return Err(malformed("a :path that is not in origin form"));
        }
        RequestTarget::read(target).map(drop).map_err(|rejection| match rejection {
            Rejection::Target => Failure::InvalidTarget,
            other => malformed(other.message()),
        })
    }

    /// The target, in parts. `None` where it is the one in `parts`, or no target.
    fn noted(&self) -> Option<RequestTarget<'_>> {
        self.target.as_deref().and_then(|target| RequestTarget::read(target).ok())
    }

    /// RFC 9113 §8.3.1: one host, without user information, and the same in `:authority` and `Host`.
    fn check_host(&self) -> Result<(), &'static str> {
        let mut lines = self.lines.values(HOST);
        let (line, second) = (lines.next(), lines.next());
        let authority = self.parts.uri.authority().map(|authority| authority.as_str().as_bytes());
        if second.is_some() {
            return Err("more than one Host");
        }
        let port = if self.parts.uri.scheme() == Some(&Scheme::HTTPS) { ":443" } else { ":80" };
        let is_other = |authority, line| !without_port(authority, port).eq_ignore_ascii_case(without_port(line, port));
        if authority.zip(line).is_some_and(|(authority, line)| is_other(authority, line)) {
            return Err("a Host that differs from :authority");
        }
        match authority.or(line) {
            None | Some([]) => Err("no host"),
            Some(host) if !host.iter().copied().all(may_be_in_host) => Err("an invalid host"),
            Some(_) => Ok(()),
        }
    }
}

const fn malformed(why: &'static str) -> Failure {
    Failure::InvalidRequest(RequestFault::Head(why))
}

fn failure(fault: HeadFault) -> Failure {
    match fault {
        HeadFault::Malformed(why) | HeadFault::Length(why) => malformed(why),
        HeadFault::Host => malformed(Rejection::Host.message()),
        HeadFault::Target => Failure::InvalidTarget,
        HeadFault::TooLarge => Failure::HeadTooLarge,
        HeadFault::TooManyLines => Failure::TooManyLines,
        HeadFault::TooSlow => Failure::ClientTimeout,
        HeadFault::TooMany => Failure::TooManyHeads,
    }
}

/// Returns true for a method that means something by its body, also where that is empty.
fn has_meaning(method: &Method) -> bool {
    [Method::PUT, Method::POST, Method::PATCH].contains(method)
}

/// The host without the port that its scheme has by default (RFC 9110 §4.2.3).
fn without_port<'h>(host: &'h [u8], port: &str) -> &'h [u8] {
    host.strip_suffix(port.as_bytes()).unwrap_or(host)
}

impl exchange::RequestHead for Head {
    fn method(&self) -> &str {
        if self.is_unnamed { "" } else { self.parts.method.as_str() }
    }

    fn target(&self) -> &str {
        self.target.as_deref().unwrap_or_else(|| exchange::RequestHead::target(&self.parts))
    }

    fn host(&self) -> Option<&str> {
        self.parts.uri.authority().map(Authority::as_str).or_else(|| self.text("host"))
    }

    fn path(&self) -> &str {
        match &self.target {
            // CONNECT has only a host (RFC 9113 §8.5).
            None if self.parts.method == Method::CONNECT => exchange::RequestHead::host(self).unwrap_or_default(),
            None => self.parts.uri.path(),
            // One that is not valid is shown as far as a reader can.
            Some(target) => {
                self.noted().map_or_else(|| target.split(['?', '#']).next().unwrap_or("/"), RequestTarget::path)
            }
        }
    }

    fn query(&self) -> Option<&str> {
        match &self.target {
            None => self.parts.uri.query(),
            Some(_) => self.noted().and_then(RequestTarget::query),
        }
    }

    fn version(&self) -> Version {
        Version::HTTP_2
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines.iter()
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
        let stays = |(name, _): &(&[u8], &[u8])| *name != COOKIE && !goes(name);
        self.lines.with_lines().filter(stays).for_each(|(_, line)| take(line));
        // RFC 9113 §8.2.3: cookies that came in several lines become one.
        let mut cookies = self.lines.values(COOKIE);
        let Some(first) = cookies.next() else { return };
        [b"cookie: ", first].into_iter().for_each(&mut take);
        for cookie in cookies {
            [b"; ", cookie].into_iter().for_each(&mut take);
        }
        take(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::RequestHead;
    use http::Request;

    fn head(
        method: &str,
        uri: &str,
        lines: &[(&str, &str)],
        mut note: Note,
        has_body: bool,
    ) -> (Head, Option<Rejected>) {
        let request = Request::builder().method(method).uri(uri);
        lines.iter().for_each(|(name, value)| note.lines.push(name.as_bytes(), value.as_bytes()));
        Head::read(request.body(()).unwrap().into_parts().0, note, has_body)
    }

    fn read(method: &str, uri: &str, lines: &[(&str, &str)], has_body: bool) -> Result<BodyLength, Failure> {
        let (head, rejected) = head(method, uri, lines, Note::default(), has_body);
        rejected.map_or(Ok(head.body), |rejected| Err(rejected.failure))
    }

    #[test]
    fn a_head_has_one_host_and_one_length() {
        for (target, lines, is_rejected) in [
            ("http://h/k", &[][..], false),
            ("http://h/k", &[("host", "h")], false),
            ("http://h/k", &[("host", "H")], false),
            ("http://h/k", &[("host", "h:80")], false),
            ("http://h:80/k", &[("host", "h")], false),
            ("https://h/k", &[("host", "h:443")], false),
            ("http://h/k", &[("host", "h:443")], true),
            ("https://h/k", &[("host", "h:80")], true),
            ("http://h/k", &[("host", "h:8080")], true),
            ("http://h/k", &[("host", "i")], true),
            ("http://h/k", &[("host", "h"), ("host", "h")], true),
            ("/k", &[], true),
            ("/k", &[("host", "")], true),
            ("/k", &[("host", "h")], false),
            ("/k", &[("host", "u@h")], true),
            ("/k", &[("host", "h/k")], true),
            ("http://h/k", &[("content-length", "3")], false),
        ] {
            let read = read("PUT", target, lines, true);
            assert_eq!(matches!(read, Err(Failure::InvalidRequest(_))), is_rejected, "{target} {lines:?}");
        }
    }

    #[test]
    fn a_body_without_a_length_ends_with_its_stream() {
        for (method, lines, has_body, expected) in [
            ("GET", &[][..], false, BodyLength::None),
            ("DELETE", &[], false, BodyLength::None),
            ("PUT", &[], false, BodyLength::Length(0)),
            ("POST", &[], false, BodyLength::Length(0)),
            ("PUT", &[], true, BodyLength::Chunked),
            ("PUT", &[("content-length", "0")], false, BodyLength::Length(0)),
            ("PUT", &[("content-length", "3")], true, BodyLength::Length(3)),
        ] {
            assert_eq!(read(method, "http://h/k", lines, has_body), Ok(expected), "{method} {lines:?} {has_body}");
        }
        assert_eq!(read("CONNECT", "h:443", &[], false), Err(Failure::Connect));
    }

    #[test]
    fn a_target_is_judged_by_the_grammar_of_http_1_1() {
        let noted = |target: &str| Note { target: Some(target.into()), ..Note::default() };
        for (target, path, query) in
            [("*", "*", None), ("/caf\u{e9}?\u{2028}", "/caf\u{e9}", Some("\u{2028}")), ("/a|b?\"", "/a|b", Some("\""))]
        {
            let (head, rejected) = head("GET", "http://h/", &[], noted(target), false);
            assert_eq!((head.target(), head.path(), head.query(), rejected), (target, path, query, None));
        }
        for (target, path) in [
            ("/k#2", "/k"),
            ("/k?a#b", "/k"),
            ("/<k>", "/<k>"),
            ("/a b", "/a b"),
            ("k", "k"),
            ("http://i/k", "http://i/k"),
        ] {
            let (head, rejected) = head("GET", "http://h/", &[], noted(target), false);
            assert!(rejected.is_some(), "{target}");
            assert!(head.path() == path || target == "k" || target.starts_with("http"), "{target}: {}", head.path());
        }
    }

    #[test]
    fn a_malformed_head_is_a_stream_error_and_another_fault_has_a_reply() {
        for (fault, failure, is_malformed) in [
            (HeadFault::Malformed("why"), malformed("why"), true),
            (HeadFault::Length("why"), malformed("why"), false),
            (HeadFault::Target, Failure::InvalidTarget, false),
            (HeadFault::TooLarge, Failure::HeadTooLarge, false),
            (HeadFault::TooSlow, Failure::ClientTimeout, false),
        ] {
            let note = Note { target: Some("/b/k".into()), fault: Some(fault), ..Note::default() };
            let (_, rejected) = head("PUT", "http://h/", &[], note, false);
            assert_eq!(rejected, Some(Rejected { failure, is_malformed }));
        }
    }
}
