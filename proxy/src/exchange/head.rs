//! A request head, as every driver can show it without copying.

use crate::s3::signature::{checked_headers, is_form_post};
use http::Version;
use http::uri::{Authority, PathAndQuery};
use s3cors_http1::body_length::{BodyLength, LengthHeaders};
use s3cors_http1::hop_by_hop::is_hop_by_hop;
use std::borrow::Cow;

/// What the exchange reads of a request's head.
pub trait RequestHead {
    /// The method, as it was sent.
    fn method(&self) -> &str;

    /// The target that an upstream is asked for.
    fn target(&self) -> &str;

    /// The host that the request is for, with its port: the target's own authority, else `Host` (RFC 9110 §7.1).
    fn host(&self) -> Option<&str>;

    /// The path of the target, without the query.
    fn path(&self) -> &str;

    /// The query of the target.
    fn query(&self) -> Option<&str>;

    /// The version of HTTP; 0.9 where the head names none that is known.
    fn version(&self) -> Version;

    /// The header lines, in order: name and value.
    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])>;

    /// The length of the body; none where it is ambiguous.
    fn body(&self) -> BodyLength {
        let mut length = LengthHeaders::default();
        let is_clear = self.lines().all(|(name, value)| length.read(name, value).is_ok());
        let stated = if is_clear { length.finish(self.version()).ok() } else { None };
        stated.unwrap_or(BodyLength::None)
    }

    /// Returns true if the driver's own grammar has rejected an ambiguous length, an invalid `Host` and odd `Connection` options already.
    fn is_unambiguous(&self) -> bool {
        false
    }

    /// Returns true for the name of a field that is for the client's connection only (RFC 9110 §7.6.1).
    fn ends_here(&self, name: &[u8]) -> bool {
        is_hop_by_hop(name)
    }

    /// The target in two parts, without an authority of its own.
    fn target_without_authority(&self) -> [&str; 2] {
        ["", self.target()]
    }

    /// Returns true if `Host` is among the lines, and stays there for an upstream.
    fn has_host_line(&self) -> bool {
        self.value("host").is_some()
    }

    /// Hands over the lines that stay, as lines of HTTP/1.1 in as few pieces as can be.
    fn pieces(&self, goes: impl Fn(&[u8]) -> bool, mut take: impl FnMut(&[u8])) {
        for (name, value) in self.lines().filter(|(name, _)| !goes(name)) {
            [name, b": ", value, b"\r\n"].into_iter().for_each(&mut take);
        }
    }

    /// The first line with this name, in any case.
    fn value(&self, name: &str) -> Option<&[u8]> {
        self.lines().find_map(|(line, value)| line.eq_ignore_ascii_case(name.as_bytes()).then_some(value))
    }

    /// The first line with this name, where it is text.
    fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(|value| str::from_utf8(value).ok())
    }
}

/// A driver whose head lives longer than the exchange lends it.
impl<T: RequestHead> RequestHead for &T {
    fn method(&self) -> &str {
        (**self).method()
    }

    fn target(&self) -> &str {
        (**self).target()
    }

    fn host(&self) -> Option<&str> {
        (**self).host()
    }

    fn path(&self) -> &str {
        (**self).path()
    }

    fn query(&self) -> Option<&str> {
        (**self).query()
    }

    fn version(&self) -> Version {
        (**self).version()
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        (**self).lines()
    }

    fn body(&self) -> BodyLength {
        (**self).body()
    }

    fn is_unambiguous(&self) -> bool {
        (**self).is_unambiguous()
    }

    fn ends_here(&self, name: &[u8]) -> bool {
        (**self).ends_here(name)
    }

    fn target_without_authority(&self) -> [&str; 2] {
        (**self).target_without_authority()
    }

    fn has_host_line(&self) -> bool {
        (**self).has_host_line()
    }

    fn pieces(&self, goes: impl Fn(&[u8]) -> bool, take: impl FnMut(&[u8])) {
        (**self).pieces(goes, take);
    }
}

impl RequestHead for http::request::Parts {
    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn target(&self) -> &str {
        self.uri.path_and_query().map_or("", PathAndQuery::as_str)
    }

    fn host(&self) -> Option<&str> {
        self.uri.authority().map(Authority::as_str).or_else(|| self.text("host"))
    }

    fn path(&self) -> &str {
        self.uri.path()
    }

    fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    fn version(&self) -> Version {
        self.version
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
    }
}

/// The names of the headers that a signature of the request covers which every server has to check; `None` where there is no such
/// signature. Only these lines must stay as they came.
pub(super) fn checked_names(head: &impl RequestHead) -> Option<Cow<'_, str>> {
    let values = |wanted: &'static str| {
        // An underscore counts as a hyphen: a server that has its headers as CGI variables reads both as one.
        let is_same = |byte: u8, wanted: u8| byte.eq_ignore_ascii_case(&wanted) || (wanted == b'-' && byte == b'_');
        let is = move |name: &[u8]| {
            name.len() == wanted.len()
                && name.iter().zip(wanted.as_bytes()).all(|(byte, wanted)| is_same(*byte, *wanted))
        };
        head.lines().filter(move |(name, _)| is(name)).map(|(_, value)| value)
    };
    if is_form_post(head.method(), head.query(), values("content-type")) {
        return None;
    }
    checked_headers(values("authorization"), head.query())
}
