//! How long a body is has to be said once and plainly, or proxy and upstream may see two different requests in the same bytes.

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};

/// Whether somebody could read a request's length in another way.
///
/// Pingora takes a length that is said twice (`3, 3`; `3` and `03`) and passes it on as it came, which nobody may (RFC 9110 §8.6);
/// and of several transfer codings it undoes the last and drops the names of the others (RFC 9112 §6.1).
pub(super) fn is_ambiguous(headers: &HeaderMap) -> bool {
    let is_length = |value: &[u8]| !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let is_chunked = |value: &[u8]| value.eq_ignore_ascii_case(b"chunked");
    is_unclear(headers, CONTENT_LENGTH, is_length) || is_unclear(headers, TRANSFER_ENCODING, is_chunked)
}

/// Whether a header is there more than once, or says something else.
fn is_unclear(headers: &HeaderMap, name: http::HeaderName, is_clear: impl Fn(&[u8]) -> bool) -> bool {
    let mut values = headers.get_all(name).iter();
    values.next().is_some_and(|value| !is_clear(value.as_bytes())) || values.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_said_once_and_plainly() {
        for (headers, ambiguous) in [
            (&[][..], false),
            (&[("content-length", "0")], false),
            (&[("content-length", "003")], false),
            (&[("content-length", "3, 3")], true),
            (&[("content-length", "+3")], true),
            (&[("content-length", "")], true),
            (&[("content-length", "3"), ("content-length", "3")], true),
            (&[("transfer-encoding", "chunked")], false),
            (&[("transfer-encoding", "Chunked")], false),
            (&[("transfer-encoding", "gzip, chunked")], true),
            (&[("transfer-encoding", "chunked, chunked")], true),
            (&[("transfer-encoding", "identity"), ("transfer-encoding", "chunked")], true),
        ] {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            assert_eq!(is_ambiguous(&map), ambiguous, "{headers:?}");
        }
    }
}
