//! A HEAD on a URL that was presigned for GET: the method is part of what is signed, so a server rejects it with 403.
//!
//! Decides: which rejected HEAD is asked again as GET of its first byte, what that second request differs in, and what a client that
//! asked HEAD sees of the response to it. A HEAD that is asked again was rejected, so nothing is asked twice that was served once.

use super::head::RequestHead;
use crate::s3::presigned::is_complete;
use crate::s3::signature::signed_headers;
use http::{HeaderValue, StatusCode};
use s3cors_http1::body_length::BodyLength;

/// What the second request differs in: its method, and a line that it has in addition. It asks for the least that a GET can ask for, as
/// there is no range of no bytes (RFC 9110 §14.1.1).
pub(super) const METHOD: &str = "GET";
pub(super) const RANGE: (&str, [&str; 3]) = ("Range", ["bytes=0-0", "", ""]);

/// Headers with which a HEAD is not asked again. `Authorization` is another signature than that of the URL. `If-Range` makes the range
/// depend on what only the server knows. Other conditions are the server's to judge, with GET as with HEAD: its 304 or 412 is passed on.
const EXCLUDING: [&str; 2] = ["authorization", "if-range"];
/// A range that is the whole. `Range` has no meaning with HEAD (RFC 9110 §14.2), but S3's HeadObject serves it, and DuckDB-Wasm asks so
/// whether a server has ranges: it wants 206, and reads the length. The answer to any other range would not follow from the first byte.
const WHOLE_RANGE: &[u8] = b"bytes=0-";
/// The parameter that asks for one part of an object, which S3 rejects together with a range.
const PART: &str = "partNumber=";
/// The largest length that a signed 64-bit parser on the path reads as the same number, as for other bodies.
const MAX_LENGTH: u64 = i64::MAX as u64;
/// What says how long a body is, or which part of the whole it is.
const OF_THE_BODY: [&[u8]; 3] = [b"content-length", b"transfer-encoding", b"content-range"];
/// What describes a document, beside its length.
const OF_A_DOCUMENT: [&[u8]; 3] = [b"content-type", b"content-encoding", b"content-language"];

/// The response to GET, as a client that asked HEAD sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AsHead {
    /// The head as it came, without the body.
    AsItCame,
    /// The head, with the status and the length of the whole.
    Whole(FullLength),
    /// The response to HEAD: GET was rejected, too, or its response says nothing about the whole.
    Rejected,
}

/// The length of the whole, for a response that was about a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FullLength {
    length: u64,
    /// The response is an error document, and its headers describe that.
    is_document: bool,
    /// The client asked for the whole as a range.
    is_range: bool,
}

impl FullLength {
    /// The status that the client sees.
    pub(super) const fn status(self) -> StatusCode {
        if self.is_range { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK }
    }

    /// `Content-Range`, where the client asked for a range.
    pub(super) fn content_range(self) -> Option<HeaderValue> {
        let Self { length, is_range, .. } = self;
        let last = length.checked_sub(1).filter(|_| is_range)?;
        HeaderValue::try_from(format!("bytes 0-{last}/{length}")).ok()
    }

    /// The length that the client sees.
    pub(super) const fn length(self) -> u64 {
        self.length
    }

    /// Whether the lines with this name, in any case, end here.
    pub(super) fn replaces(self, name: &[u8]) -> bool {
        let is_among = |names: &[&[u8]]| names.iter().any(|each| name.eq_ignore_ascii_case(each));
        is_among(&OF_THE_BODY) || (self.is_document && is_among(&OF_A_DOCUMENT))
    }
}

/// Returns true if a request that was rejected with 403 may be asked again as GET.
pub(super) fn may_retry(head: &impl RequestHead) -> bool {
    head.method() == "HEAD" && matches!(head.body(), BodyLength::None | BodyLength::Length(0)) && may_be_for_get(head)
}

/// Whether a rejected HEAD may have been presigned for GET, and a GET of its first byte says the same as the HEAD would.
fn may_be_for_get(head: &impl RequestHead) -> bool {
    let Some(query) = head.query().filter(|query| is_complete(Some(query))) else { return false };
    let signed = signed_headers(None, Some(query));
    !signed.is_some_and(|names| names.split(';').any(|name| name.eq_ignore_ascii_case("range")))
        && !query.split('&').any(|parameter| parameter.starts_with(PART))
        && EXCLUDING.iter().all(|name| head.value(name).is_none())
        && ranges(head).all(|range| range == WHOLE_RANGE)
        && ranges(head).count() <= 1
}

fn ranges(head: &impl RequestHead) -> impl Iterator<Item = &[u8]> {
    head.lines().filter_map(|(name, value)| name.eq_ignore_ascii_case(RANGE.0.as_bytes()).then_some(value))
}

/// Reads the final response to GET, for the client that sent this head.
pub(super) fn shown<'l>(
    head: &impl RequestHead,
    status: StatusCode,
    lines: impl IntoIterator<Item = (&'l [u8], &'l [u8])>,
) -> AsHead {
    let is_range = ranges(head).next().is_some();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => AsHead::Rejected,
        StatusCode::PARTIAL_CONTENT => match content_range(lines) {
            Stated::Once(Some(length)) if length > 0 => {
                AsHead::Whole(FullLength { length, is_document: false, is_range })
            }
            _ => AsHead::Rejected,
        },
        // No byte satisfies the range of the first one: the object is empty (RFC 9110 §14.1.2), whether or not a header says so. Nor does
        // one satisfy the client's own range, if it has one.
        StatusCode::RANGE_NOT_SATISFIABLE if !is_range => match content_range(lines) {
            Stated::Never | Stated::Once(Some(0)) => {
                AsHead::Whole(FullLength { length: 0, is_document: true, is_range })
            }
            _ => AsHead::Rejected,
        },
        _ => AsHead::AsItCame,
    }
}

/// What the `Content-Range` lines say.
enum Stated {
    Never,
    /// The complete length, where the line is valid and says it.
    Once(Option<u64>),
    Repeatedly,
}

fn content_range<'l>(lines: impl IntoIterator<Item = (&'l [u8], &'l [u8])>) -> Stated {
    let mut lines = lines.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-range"));
    match (lines.next(), lines.next()) {
        (None, _) => Stated::Never,
        (Some((_, value)), None) => Stated::Once(complete_length(value)),
        (Some(_), Some(_)) => Stated::Repeatedly,
    }
}

/// `bytes FIRST-LAST/LENGTH` or `bytes */LENGTH` (RFC 9110 §14.4), the former beginning with the first byte.
fn complete_length(value: &[u8]) -> Option<u64> {
    let (unit, rest) = str::from_utf8(value).ok()?.split_once(' ')?;
    let (range, length) = rest.split_once('/')?;
    let length = number(length)?;
    let is_valid = match range.split_once('-') {
        Some((first, last)) => number(first)? == 0 && number(last)? < length,
        None => range == "*" && length == 0,
    };
    (unit.eq_ignore_ascii_case("bytes") && is_valid).then_some(length)
}

/// Digits only: `parse` would take a sign.
fn number(text: &str) -> Option<u64> {
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_digits && *number <= MAX_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED: &str =
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2Fx&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";

    fn head(query: &str, lines: &[(&str, &str)]) -> http::request::Parts {
        let mut request = http::Request::builder().method("HEAD").uri(format!("/bucket/key?{query}"));
        for (name, value) in lines {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_a_presigned_head_about_the_whole_is_asked_again() {
        let with_range = SIGNED.replace("=host", "=host%3Brange");
        let in_other_order = format!("response-content-type=x&{SIGNED}&x-id=GetObject");
        for (query, lines, asked) in [
            (SIGNED, &[][..], true),
            (in_other_order.as_str(), &[], true),
            ("AWSAccessKeyId=AK&Expires=1&Signature=ab", &[], true),
            (SIGNED, &[("origin", "https://app.example"), ("if-none-match", "\"e\"")], true),
            (SIGNED, &[("authorization", "AWS4-HMAC-SHA256 Credential=AK")], false),
            (SIGNED, &[("range", "bytes=0-")], true),
            (SIGNED, &[("range", "bytes=0-"), ("range", "bytes=0-")], false),
            (SIGNED, &[("range", "bytes=0-"), ("if-range", "\"e\"")], false),
            (SIGNED, &[("range", "bytes=0-0")], false),
            (SIGNED, &[("range", "bytes=0-,5-9")], false),
            (SIGNED, &[("range", "Bytes=0-")], false),
            (SIGNED, &[("range", "")], false),
            (SIGNED, &[("range", "bytes=1-2")], false),
            (SIGNED, &[("range", "bytes=-2")], false),
            (with_range.as_str(), &[("range", "bytes=0-")], false),
            (SIGNED, &[("if-range", "\"e\"")], false),
            (&with_range, &[], false),
            (&format!("{SIGNED}&partNumber=1"), &[], false),
            ("AWSAccessKeyId=AK&Expires=1", &[], false),
            ("X-Amz-Signature=ab", &[], false),
            ("versionId=1", &[], false),
        ] {
            assert_eq!(may_be_for_get(&head(query, lines)), asked, "{query} {lines:?}");
        }
    }

    #[test]
    fn the_response_to_get_becomes_one_to_head() {
        let whole = |length, is_document| AsHead::Whole(FullLength { length, is_document, is_range: false });
        let head = head(SIGNED, &[]);
        for (status, ranges, expected) in [
            (206, &["bytes 0-0/26"][..], whole(26, false)),
            (206, &["Bytes 0-0/1"], whole(1, false)),
            (206, &["bytes 0-1023/4096"], whole(4096, false)),
            (206, &["bytes 0-0/9223372036854775807"], whole(i64::MAX as u64, false)),
            (206, &["bytes 0-0/9223372036854775808"], AsHead::Rejected),
            (206, &["bytes 0-0/*"], AsHead::Rejected),
            (206, &["bytes 0-0/0"], AsHead::Rejected),
            (206, &["bytes 1-1/26"], AsHead::Rejected),
            (206, &["bytes */26"], AsHead::Rejected),
            (206, &["bytes 0-0/+26"], AsHead::Rejected),
            (206, &["bytes 0-0/"], AsHead::Rejected),
            (206, &["0-0/26"], AsHead::Rejected),
            (206, &["bytes 0-0/26", "bytes 0-0/26"], AsHead::Rejected),
            (206, &[], AsHead::Rejected),
            (416, &["bytes */0"], whole(0, true)),
            (416, &[], whole(0, true)),
            (416, &["bytes */26"], AsHead::Rejected),
            (200, &[], AsHead::AsItCame),
            (304, &[], AsHead::AsItCame),
            (404, &[], AsHead::AsItCame),
            (412, &[], AsHead::AsItCame),
            (503, &[], AsHead::AsItCame),
            (401, &[], AsHead::Rejected),
            (403, &["bytes 0-0/26"], AsHead::Rejected),
        ] {
            let lines = ranges.iter().map(|value| (&b"Content-RANGE"[..], value.as_bytes()));
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(shown(&head, status, lines), expected, "{status} {ranges:?}");
        }
    }

    #[test]
    fn the_whole_as_a_range_is_answered_as_one() {
        let head = head(SIGNED, &[("range", "bytes=0-")]);
        let to = |status, range: &'static str| shown(&head, status, [(&b"content-range"[..], range.as_bytes())]);
        let AsHead::Whole(whole) = to(StatusCode::PARTIAL_CONTENT, "bytes 0-0/26") else { panic!("no length") };
        let content_range = whole.content_range().unwrap();
        assert_eq!((whole.status().as_u16(), whole.length()), (206, 26));
        assert_eq!(content_range, "bytes 0-25/26");
        // What the server says where it has no ranges, or nothing is in this one, is what it would have said to HEAD.
        for status in [StatusCode::OK, StatusCode::RANGE_NOT_SATISFIABLE, StatusCode::NOT_FOUND] {
            assert_eq!(to(status, "bytes */0"), AsHead::AsItCame, "{status}");
        }
    }

    #[test]
    fn what_is_about_a_part_or_an_error_document_ends_here() {
        for (name, of_a_part, of_a_document) in [
            ("Content-Length", true, true),
            ("Content-Range", true, true),
            ("transfer-encoding", true, true),
            ("Content-Type", false, true),
            ("ETag", false, false),
            ("x-amz-request-id", false, false),
        ] {
            for (is_document, replaced) in [(false, of_a_part), (true, of_a_document)] {
                assert_eq!(
                    FullLength { length: 1, is_document, is_range: false }.replaces(name.as_bytes()),
                    replaced,
                    "{name} {is_document}"
                );
            }
        }
    }
}
