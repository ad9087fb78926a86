//! Response heads as they leave; what is left out or added is the exchange's decision.

use crate::drivers::date::with_date;
use crate::exchange::{Replying, RequestHead, ResponseEdits, is_cors_header};
use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use s3cors_http1::body_length::is_length;
use s3cors_http1::response_head::ResponseHead;

/// Room for the headers that an upstream's head gets from us in the usual case.
const ADDED: usize = 8;
/// The headers of a reply of our own in the usual case.
const OWN: usize = 14;

/// The head of an upstream's final response for the client. `bytes` are those that `head` was read from. `None` when a line of it is not
/// valid in HTTP/2.
pub(super) fn for_client(edits: &ResponseEdits<'_>, head: &ResponseHead<'_>, bytes: &Bytes) -> Option<Response<()>> {
    let mut headers = lines(head, bytes, ADDED, |name| head.ends_here(name) || edits.removes(name))?;
    if let Some(length) = edits.length() {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    edits.for_each_header(&mut |name: &HeaderName, value: &HeaderValue| {
        headers.insert(name.clone(), value.clone());
    });
    response(edits.status().map_or(head.status(), |status| status.as_u16()), headers)
}

/// An interim response for the client (RFC 9110 §15.2), without headers of ours, for the upstream's connection, for CORS or
/// about a body.
pub(super) fn interim(head: &ResponseHead<'_>, bytes: &Bytes) -> Option<Response<()>> {
    let headers = lines(head, bytes, 0, |name| head.ends_here(name) || is_length(name) || is_cors_header(name))?;
    response(head.status(), headers)
}

/// The head of a reply.
pub(super) fn of_reply<H: RequestHead>(reply: &Replying<H>) -> Response<()> {
    let mut headers = HeaderMap::with_capacity(OWN);
    with_date(|date| {
        reply.for_each_header(date, &mut |name: &HeaderName, value: &HeaderValue| {
            headers.append(name.clone(), value.clone());
        });
    });
    let mut response = Response::new(());
    *response.status_mut() = reply.status();
    *response.headers_mut() = headers;
    response
}

fn response(status: u16, headers: HeaderMap) -> Option<Response<()>> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    *response.headers_mut() = headers;
    Some(response)
}

/// The lines that stay, as a map with room for `more`. The values are not copied.
fn lines(head: &ResponseHead<'_>, bytes: &Bytes, more: usize, goes: impl Fn(&[u8]) -> bool) -> Option<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(head.lines().count() + more);
    for line in head.lines().filter(|line| !goes(line.name)) {
        let name = HeaderName::from_bytes(line.name).ok()?;
        headers.append(name, HeaderValue::from_maybe_shared(bytes.slice_ref(line.value)).ok()?);
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3cors_http1::response_head::{Parsed, parse};

    #[test]
    fn no_header_of_the_upstreams_connection_is_left() {
        let bytes = Bytes::from_static(
            b"HTTP/1.1 103 Early Hints\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=1\r\n\
              Proxy-Connection: x\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\nTrailer: t\r\n\
              Access-Control-Allow-Origin: *\r\nLink: </a>\r\nX-B: 1\r\nlink: </b>\r\n\r\n",
        );
        let Parsed::Head(head) = parse(&bytes) else { panic!("not a head") };
        let response = interim(&head, &bytes).unwrap();
        let left: Vec<_> = response.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(left, [("link", &b"</a>"[..]), ("link", b"</b>"), ("x-b", b"1")]);
        assert_eq!(response.status(), 103);
    }
}
