//! Splits what a client sent into requests: Pingora serves one, and closes if it is handed more.

use bytes::BytesMut;
use http::Method;
use pingora::http::RequestHeader;
use s3cors_http1::body_length::BodyLength;
use s3cors_http1::chunked::{Decoder, Step};
use s3cors_http1::request_head::{Classified, Rejection, classify};

/// Splits off the bytes after the first request, as far as its end is here. An error rejects the request.
pub(super) fn split_next(bytes: &mut BytesMut) -> Result<BytesMut, Rejection> {
    let request = match classify(bytes) {
        Classified::Head(request) => request,
        Classified::Rejected(rejection) => return Err(rejection),
        // An empty line ends every head: the grammar would have found it.
        Classified::Incomplete => return Err(Rejection::RequestLine),
    };
    // Pingora's parser rejects a few targets that the grammar accepts, with a reply of its own.
    let method = Method::from_bytes(request.method().as_bytes()).map_err(|_| Rejection::RequestLine)?;
    RequestHeader::build_no_case(method, request.target().as_bytes(), None).map_err(|_| Rejection::Target)?;
    let size = size(bytes, request.bytes().len(), request.body());
    let end = size.filter(|size| *size < bytes.len()).unwrap_or(bytes.len());
    Ok(bytes.split_off(end))
}

/// The size of head and body; `None` where a chunked body's end is not here yet.
fn size(bytes: &[u8], head: usize, body: BodyLength) -> Option<usize> {
    match body {
        BodyLength::None => Some(head),
        BodyLength::Length(length) => head.checked_add(usize::try_from(length).ok()?),
        BodyLength::Chunked => chunks(bytes.get(head..)?).and_then(|body| head.checked_add(body)),
    }
}

/// The size of a chunked body, if its end is here.
fn chunks(bytes: &[u8]) -> Option<usize> {
    let (mut decoder, mut read) = (Decoder::default(), 0);
    loop {
        match decoder.next(bytes.get(read..).filter(|rest| !rest.is_empty())?).ok()? {
            Step::Data { framing, data } => read += framing + data,
            Step::More { framing } => read += framing,
            Step::End { framing } => return Some(read + framing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_request_begins_after_the_body_of_the_first() {
        let chunked = "Transfer-Encoding: chunked\r\n";
        for (lines, body, next) in [
            ("", "", ""),
            ("", "", "GET"),
            ("TE: x\r\n", "", "GET"),
            ("Content-Length: 2\r\n", "ab", "GET"),
            ("Content-Length: 9\r\n", "ab", ""),
            (chunked, "0\r\n\r\n", "GET"),
            (chunked, "1\r\nx\r\n", ""),
            (chunked, "x\r\n0\r\n\r\n", ""),
            ("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n", "GET"),
        ] {
            for end in ["\r\n", "\n"] {
                let first = format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n").replace("\r\n", end) + body;
                let mut bytes = BytesMut::from(format!("{first}{next}").as_bytes());
                assert_eq!(split_next(&mut bytes).unwrap(), next, "{first:?}");
                assert_eq!(bytes, first);
            }
        }
    }

    #[test]
    fn a_head_that_either_parser_rejects_is_rejected() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(70_000));
        for (head, why) in [
            ("GET /#f HTTP/1.1\r\nHost: h\r\n\r\n", Rejection::Target),
            ("GET /?\"k\" HTTP/1.1\r\nHost: h\r\n\r\n", Rejection::Target),
            (&*long, Rejection::Target),
            ("GET / HTTP/1.1\r\n\r\n", Rejection::NoHost),
            ("GET / HTTP/1.1\r\n", Rejection::RequestLine),
        ] {
            assert_eq!(split_next(&mut BytesMut::from(head)), Err(why), "{:?}", &head[..20]);
        }
    }
}
