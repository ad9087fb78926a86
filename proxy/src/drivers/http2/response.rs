//! Response heads as they leave; what is left out or added is the exchange's decision.

use crate::drivers::http1::heads::{is_for_this_hop, is_length};
use crate::exchange::{Context, Exchange, Reply, Whole};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, DATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use pingora::protocols::http::date::get_cached_date;
use s3cors_http1::response_head::ResponseHead;

/// How many headers an upstream's head gets at most from us in the usual case.
const ADDED: usize = 8;
/// How many headers a reply of our own has in the usual case.
const OWN: usize = 14;

/// The head of an upstream's final response for the client. `bytes` are those that `head` was read from. `whole` is what differs in it
/// where the client asked HEAD and the upstream was asked for a part. `None` when a line of it is not valid in HTTP/2.
pub(super) fn for_client(
    exchange: &Exchange,
    head: &ResponseHead<'_>,
    bytes: &Bytes,
    whole: Option<Whole>,
    ctx: &Context,
) -> Option<Response<()>> {
    let vary = head.lines().filter(|each| each.name.eq_ignore_ascii_case(b"vary")).map(|each| each.value);
    let additions = exchange.response_additions(ctx, vary);
    let is_replaced = |name: &[u8]| additions.replaces(name) || whole.is_some_and(|whole| whole.replaces(name));
    let mut headers = lines(head, bytes, ADDED, |name| ends_here(head, name) || is_replaced(name))?;
    if let Some(whole) = whole {
        headers.insert(CONTENT_LENGTH, whole.length().into());
    }
    additions.for_each(|name, value| {
        headers.insert(name.clone(), value.clone());
    });
    response(whole.map_or(head.status(), |_| Whole::STATUS.as_u16()), headers)
}

/// An interim response for the client (RFC 9110 §15.2), without headers of ours, for the upstream's connection or about a body.
pub(super) fn interim(head: &ResponseHead<'_>, bytes: &Bytes) -> Option<Response<()>> {
    let headers = lines(head, bytes, 0, |name| ends_here(head, name) || is_length(name))?;
    response(head.status(), headers)
}

/// The head of the exchange's own reply.
pub(super) fn of_reply(exchange: &Exchange, reply: &Reply, ctx: &Context) -> Response<()> {
    let mut headers = HeaderMap::with_capacity(OWN);
    exchange.reply_headers(reply, ctx, |name, value| {
        headers.append(name.clone(), value.clone());
    });
    if !reply.has_date() {
        headers.insert(DATE, get_cached_date());
    }
    let mut response = Response::new(());
    *response.status_mut() = reply.status;
    *response.headers_mut() = headers;
    response
}

fn response(status: u16, headers: HeaderMap) -> Option<Response<()>> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    *response.headers_mut() = headers;
    Some(response)
}

/// Whether a line of the upstream's ends here: HTTP/2 has no connection-specific headers (RFC 9113 §8.2.2).
fn ends_here(head: &ResponseHead<'_>, name: &[u8]) -> bool {
    is_for_this_hop(head, name)
        || match name.first() {
            Some(b't' | b'T') => name.eq_ignore_ascii_case(b"transfer-encoding"),
            Some(b'u' | b'U') => name.eq_ignore_ascii_case(b"upgrade"),
            _ => false,
        }
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
