//! Pingora's heads, as the exchange reads and edits them.

use crate::drivers::date::with_date;
use crate::exchange::{Replying, RequestEdits, RequestHead, ResponseEdits, is_cors_header};
use crate::telemetry::printable;
use http::header::CONNECTION;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Version};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::protocols::http::authority::raw_target_authority;
use s3cors_http1::body_length::is_length;
use s3cors_http1::hop_by_hop;

/// A request's head. An exchange outlives the hooks that lend it, so it has a copy.
pub(super) struct OwnedHead(pub(super) Box<RequestHeader>);

impl RequestHead for OwnedHead {
    fn method(&self) -> &str {
        self.0.method.as_str()
    }

    fn target(&self) -> &str {
        self.0.uri.path_and_query().map_or("", PathAndQuery::as_str)
    }

    /// In HTTP/2 the target's own (RFC 9113 §8.3.1), otherwise what `Host` says. For an absolute target Pingora keeps the authority
    /// out of the `Uri` and refuses a `Host` that differs, but accepts one without a `Host`, and then gives the upstream the
    /// target's own (RFC 9112 §3.2.2).
    fn host(&self) -> Option<&str> {
        let authority = self.0.uri.authority().map(http::uri::Authority::as_str);
        let header = || self.0.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let target = || raw_target_authority(self.0.raw_path()).authority().and_then(|host| str::from_utf8(host).ok());
        authority.or_else(header).or_else(target)
    }

    /// Not `raw_path`: for a target in absolute form that is the whole of it.
    fn path(&self) -> &str {
        self.0.uri.path()
    }

    fn query(&self) -> Option<&str> {
        self.0.uri.query()
    }

    fn version(&self) -> Version {
        self.0.version
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()))
    }
}

/// Makes a request what the upstream is to see.
pub(super) fn edit_request(edits: &RequestEdits<'_>, request: &mut RequestHeader) -> pingora::Result<()> {
    if let Some(method) = edits.method().and_then(|method| Method::from_bytes(method.as_bytes()).ok()) {
        request.set_method(method);
    }
    while let Some(name) = request.headers.keys().find(|name| edits.removes(name.as_str().as_bytes())).cloned() {
        request.remove_header(&name);
    }
    let mut added = Vec::with_capacity(4);
    edits.for_each_line(|name, value| added.push((name, value.concat())));
    for (name, value) in added {
        // What is to be replaced is removed already. `Via` has entries of other proxies.
        request.append_header(name, value)?;
    }
    if let Some(path) = edits.path(request.uri.path()) {
        let query = request.uri.query().map_or_else(String::new, |query| format!("?{query}"));
        let target = format!("{path}{query}");
        request.set_raw_path(target.as_bytes())?;
    }
    let Some(host) = edits.host() else { return Ok(()) };
    // An absolute target holds a host too, and that one counts (RFC 9112 §3.2.2): only the target's path is left.
    if has_authority(request) {
        let path = request.uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned();
        request.set_raw_path(path.as_bytes())?;
    }
    request.insert_header(http::header::HOST, host)
}

/// Whether the target is in absolute form.
pub(super) fn has_authority(request: &RequestHeader) -> bool {
    raw_target_authority(request.raw_path()).authority().is_some()
}

/// Makes an upstream's head one for the client.
pub(super) fn edit_response(edits: &ResponseEdits<'_>, head: &mut ResponseHeader) {
    remove(head, |name| is_hop_by_hop(name) || edits.removes(name));
    edits.for_each_header(&mut |name: &HeaderName, value: &HeaderValue| add(head, name.clone(), value.clone()));
}

/// Pingora itself reads and writes the others of one connection (RFC 9110 §7.6.1).
fn is_hop_by_hop(name: &[u8]) -> bool {
    let is_pingoras = [b"connection".as_slice(), b"upgrade"].iter().any(|own| name.eq_ignore_ascii_case(own));
    hop_by_hop::is_hop_by_hop(name) && !is_pingoras && !is_length(name)
}

/// Makes an upstream's interim head one for the client (RFC 9110 §15.2): without headers of ours, for the upstream's connection, for CORS
/// or about a body, as on our own drivers.
pub(super) fn edit_interim(head: &mut ResponseHeader) {
    let options: Vec<_> = head.headers.get_all(CONNECTION).iter().cloned().collect();
    let is_nominated = |name: &[u8]| {
        let mut nominated = options.iter().flat_map(|options| options.as_bytes().split(|byte| *byte == b','));
        nominated.any(|option| option.trim_ascii().eq_ignore_ascii_case(name))
    };
    let is_connection = |name: &[u8]| name == CONNECTION.as_str().as_bytes();
    remove(head, |name| {
        let is_hop = is_hop_by_hop(name) || is_connection(name) || is_nominated(name);
        is_hop || is_cors_header(name) || is_length(name)
    });
}

/// Removes all lines of the names that go.
fn remove(head: &mut ResponseHeader, goes: impl Fn(&[u8]) -> bool) {
    while let Some(name) = head.headers.keys().find(|name| goes(name.as_str().as_bytes())).cloned() {
        head.remove_header(&name);
    }
}

/// The head of a reply: without the map that keeps the case of names, because ours are in lower case.
pub(super) fn reply_head(reply: &Replying<OwnedHead>) -> ResponseHeader {
    let (mut parts, ()) = http::Response::new(()).into_parts();
    parts.status = reply.status();
    parts.headers.reserve(14);
    let mut head = parts.into();
    with_date(|date| {
        reply.for_each_header(date, &mut |name: &HeaderName, value: &HeaderValue| {
            add(&mut head, name.clone(), value.clone());
        });
    });
    head
}

/// Adds a line to those of its name.
#[expect(clippy::expect_used, reason = "name and value are typed: there is nothing to refuse")]
fn add(head: &mut ResponseHeader, name: HeaderName, value: HeaderValue) {
    head.append_header(name, value).expect("a typed header can be added");
}

/// A request as Pingora's own log lines name it.
pub(super) fn summary(request: &RequestHeader) -> String {
    format!("{} {}", request.method, printable(request.uri.path().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_is_removed_in_all_its_lines() {
        let mut head = ResponseHeader::build(200, None).unwrap();
        for (name, value) in [
            ("Access-Control-Allow-Origin", "*"),
            ("access-control-allow-origin", "https://a.example"),
            ("Keep-Alive", "timeout=1"),
            ("ETag", "\"e\""),
        ] {
            head.append_header(name, value).unwrap();
        }
        remove(&mut head, |name| is_hop_by_hop(name) || is_cors_header(name));
        assert_eq!(head.headers.len(), 1, "{:?}", head.headers);
    }

    #[test]
    fn an_interim_head_has_no_header_for_cors_the_connection_or_a_body() {
        let mut head = ResponseHeader::build(103, None).unwrap();
        for (name, value) in [
            ("Access-Control-Allow-Origin", "*"),
            ("access-control-allow-origin", "*"),
            ("Connection", "X-Hop, close"),
            ("connection", "x-other"),
            ("X-Hop", "1"),
            ("x-other", "1"),
            ("Keep-Alive", "timeout=1"),
            ("Content-Length", "4"),
            ("Transfer-Encoding", "chunked"),
            ("Link", "</a>"),
            ("Link", "</b>"),
        ] {
            head.append_header(name, value).unwrap();
        }
        edit_interim(&mut head);
        let names: Vec<_> = head.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!((names, head.headers.len()), (vec!["link"], 2));
    }
}
