//! Which request heads no driver gets.
//!
//! Decides: whether Pingora would refuse a head by itself, with a reply that has neither S3's form nor CORS headers, or would change
//! its target on the way. A head that our own grammar takes has neither fault. It does not know what the exchange decides.

use super::unparsed::is_token;
use crate::exchange::Failure;
use http::{HeaderName, HeaderValue, Method, Version};
use httparse::{Error, Header, Request, Status};
use pingora::http::RequestHeader;
use pingora::protocols::http::authority::validate_request_authority;
use s3cors_http1::body_length::{BodyLength, LengthHeaders};
use s3cors_http1::chunked::{Decoder, Step};
use s3cors_http1::request_head::{Classified, classify};
use std::mem::MaybeUninit;

/// How many header lines Pingora reads.
const MAX_LINES: usize = 256;

/// What is known about a head that may be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It goes on, and nothing is wrong so far.
    Unfinished,
    /// It is whole, and with its body it is so many bytes; `None` where a chunked body's end is not here yet.
    Whole(Option<usize>),
}

/// Whether bytes can begin no request, by the first of them. A CR may begin an empty line (RFC 9112 §2.2).
pub(super) fn begins_no_request(bytes: &[u8]) -> bool {
    match bytes {
        [] | [b'\r'] => false,
        [first, ..] => !is_token(*first),
    }
}

/// Judges a head, or what is here of one.
pub(super) fn judge(head: &[u8]) -> Result<Judged, Failure> {
    if let Classified::Head(request) = classify(head) {
        return Ok(Judged::Whole(size(head, request.bytes().len(), request.body())));
    }
    let mut lines = [const { MaybeUninit::uninit() }; MAX_LINES];
    let mut request = Request::new(&mut []);
    let parsed = request.parse_with_uninit_headers(head, &mut lines);
    if request.method == Some("CONNECT") {
        return Err(Failure::Connect);
    }
    let target = request.path.unwrap_or("/");
    // A fragment is no part of a target (RFC 9112 §3.2): some parsers drop what is after `#`, others keep it.
    if target.contains('#') {
        return Err(Failure::InvalidTarget);
    }
    match parsed {
        Ok(Status::Partial) => Ok(Judged::Unfinished),
        Ok(Status::Complete(length)) => Ok(Judged::Whole(size(head, length, whole(&request, target)?))),
        Err(Error::TooManyHeaders) => Err(Failure::TooManyLines),
        // Pingora would percent-encode what may not be in a target, and the upstream be asked for another one.
        Err(Error::Token | Error::Version) if request.method.is_some() && has_version(head) => {
            Err(Failure::InvalidTarget)
        }
        Err(_) => Err(Failure::InvalidRequest),
    }
}

/// Judges the parts of a head that can be split into them, as Pingora does. Returns what it says about the body's length.
fn whole(request: &Request<'_, '_>, target: &str) -> Result<BodyLength, Failure> {
    let invalid = |_: Box<pingora::Error>| Failure::InvalidRequest;
    let method = request.method.unwrap_or_default();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| Failure::InvalidRequest)?;
    let built = RequestHeader::build_no_case(method, target.as_bytes(), None);
    let mut built = built.map_err(|_| Failure::InvalidTarget)?;
    for Header { name, value } in request.headers.iter() {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Failure::InvalidRequest)?;
        if name == http::header::HOST {
            let value = HeaderValue::from_bytes(value).map_err(|_| Failure::InvalidRequest)?;
            built.append_header(name, value).map_err(invalid)?;
        }
    }
    let version = if request.version == Some(1) { Version::HTTP_11 } else { Version::HTTP_10 };
    // RFC 9112 §3.2: whatever the form of the target.
    if version == Version::HTTP_11 && !built.headers.contains_key(http::header::HOST) {
        return Err(Failure::NoHost);
    }
    validate_request_authority(&built).map_err(invalid)?;
    body(request.headers, version)
}

/// What the lines say about the body's length. A length beside a coding is not read: Pingora drops it, and closes.
fn body(lines: &[Header<'_>], version: Version) -> Result<BodyLength, Failure> {
    let is = |line: &Header<'_>, name: &str| line.name.eq_ignore_ascii_case(name);
    let has_coding = lines.iter().any(|line| is(line, "transfer-encoding"));
    let mut length = LengthHeaders::default();
    for line in lines.iter().filter(|line| !(has_coding && is(line, "content-length"))) {
        length.read(line.name.as_bytes(), line.value).map_err(|_| Failure::InvalidRequest)?;
    }
    length.finish(version).map_err(|_| Failure::InvalidRequest)
}

/// How many bytes head and body have, where that is known by what is here.
fn size(bytes: &[u8], head: usize, body: BodyLength) -> Option<usize> {
    match body {
        BodyLength::None => Some(head),
        BodyLength::Length(length) => head.checked_add(usize::try_from(length).ok()?),
        BodyLength::Chunked => chunks(bytes.get(head..)?).and_then(|body| head.checked_add(body)),
    }
}

/// How many bytes a chunked body has, if its end is here.
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

/// Whether the request line ends as one does: then what is wrong with it is its target.
fn has_version(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.ends_with(b" HTTP/1.1") || line.ends_with(b" HTTP/1.0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Failure::{Connect, InvalidRequest, InvalidTarget, NoHost, TooManyLines};

    #[test]
    fn a_head_that_pingora_would_refuse_or_change_is_refused() {
        let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(256));
        for (head, expected) in [
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", Ok(Judged::Whole(Some(27)))),
            ("GET / HTTP/1.1\r\nHost: h\r\nTE: x\r\n\r\nGET", Ok(Judged::Whole(Some(34)))),
            ("GET / HTTP/1.1\r\nHost: h\r\nTE: x\r\nContent-Length: 2\r\n\r\nab", Ok(Judged::Whole(Some(55)))),
            ("GET / HTTP/1.1\r\nHost: h\r\nTE: x\r\nTransfer-Encoding: chunked\r\n\r\n", Ok(Judged::Whole(None))),
            (
                "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
                Ok(Judged::Whole(Some(60))),
            ),
            ("GET / HTTP/1.0\r\n\r\n", Ok(Judged::Whole(Some(18)))),
            ("GET /", Ok(Judged::Unfinished)),
            ("GET / HTTP/1.1\r\n", Ok(Judged::Unfinished)),
            ("GET / HTTP/1.1\r\n\r\n", Err(NoHost)),
            ("GET http://h/ HTTP/1.1\r\n\r\n", Err(NoHost)),
            ("GET http://h/ HTTP/1.0\r\n\r\n", Ok(Judged::Whole(Some(26)))),
            ("GET http://h/ HTTP/1.1\r\nHost: i\r\n\r\n", Err(InvalidRequest)),
            ("GET /#f HTTP/1.1\r\n", Err(InvalidTarget)),
            ("GET /a b HTTP/1.1\r\n", Err(InvalidTarget)),
            ("GET a\0b HTTP/1.0\r\n", Err(InvalidTarget)),
            ("GET /<k> HTTP/1.1\r\nHost: h\r\n\r\n", Err(InvalidTarget)),
            ("GET / HTTP/1.2\r\n", Err(InvalidRequest)),
            ("GET /\r\n", Err(InvalidRequest)),
            ("SSH-2.0-x\r\n", Err(InvalidRequest)),
            ("CONNECT h:443 HTTP/1.1\r\n", Err(Connect)),
            ("GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n", Err(InvalidRequest)),
            ("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", Err(InvalidRequest)),
            ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", Err(InvalidRequest)),
            ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Err(InvalidRequest)),
            (&many, Err(TooManyLines)),
        ] {
            assert_eq!(judge(head.as_bytes()), expected, "{head:?}");
        }
    }

    #[test]
    fn the_first_byte_tells_what_begins_no_request() {
        for byte in 0..=u8::MAX {
            assert_eq!(begins_no_request(&[byte, b' ']), !is_token(byte), "{byte:#x}");
        }
        assert!(!begins_no_request(b"") && !begins_no_request(b"\r"));
    }
}
