//! A request head, as every driver can show it without copying.

use crate::s3::signature::{checked_headers, is_form_post};
use http::Version;
use std::borrow::Cow;

/// What the exchange reads of a request's head.
pub trait RequestHead {
    /// The method, as it was sent.
    fn method(&self) -> &str;

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

    /// Whether the driver's own grammar has rejected an ambiguous length and an invalid `Host` already.
    fn is_unambiguous(&self) -> bool {
        false
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

impl RequestHead for http::request::Parts {
    fn method(&self) -> &str {
        self.method.as_str()
    }

    fn host(&self) -> Option<&str> {
        self.uri.authority().map(http::uri::Authority::as_str).or_else(|| self.text("host"))
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
