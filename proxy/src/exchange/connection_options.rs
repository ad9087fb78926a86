//! `Connection` options that name a field of the request (RFC 9110 §7.6.1).
//!
//! A field that is named ends at this hop. Decides which fields must not be named: what is believed about a request here must be what the
//! upstream sees, and a named field is one that only we see. No client names such a field by accident.

use super::head::RequestHead;
use crate::s3::signature::signed_headers;

/// Fields that decide what a request is, from whom, when, and for what part. A name with a hyphen at its end stands for all that begin so.
const DECISIVE: [&[u8]; 10] = [
    b"host",
    b"origin",
    b"authorization",
    b"date",
    b"range",
    b"forwarded",
    b"x-amz-",
    b"content-",
    b"if-",
    b"x-forwarded-",
];

/// Returns true if an option names a decisive field or one that the request signs.
pub(super) fn hide_a_field(head: &impl RequestHead) -> bool {
    let values = |name: &'static [u8]| head.lines().filter(move |(line, _)| line.eq_ignore_ascii_case(name));
    let options =
        || values(b"connection").flat_map(|(_, value)| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    if options().any(is_decisive) {
        return true;
    }
    let is_usual =
        |option: &[u8]| [&b""[..], b"close", b"keep-alive"].iter().any(|usual| option.eq_ignore_ascii_case(usual));
    if options().all(is_usual) {
        return false;
    }
    let authorizations = values(b"authorization").map(|(_, value)| str::from_utf8(value).ok());
    let mut signed = authorizations.chain([None]).filter_map(|line| signed_headers(line, head.query()));
    signed
        .any(|names| names.split(';').any(|name| options().any(|option| option.eq_ignore_ascii_case(name.as_bytes()))))
}

fn is_decisive(option: &[u8]) -> bool {
    DECISIVE.iter().any(|field| {
        let length = if field.ends_with(b"-") { field.len() } else { option.len() };
        option.get(..length).is_some_and(|start| start.eq_ignore_ascii_case(field))
    })
}

#[cfg(test)]
mod tests {
    use super::hide_a_field;

    #[test]
    fn an_option_may_name_no_field_that_decides() {
        let signed = "AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=host;x-own;te, Signature=ab";
        let presigned = "/b/k?X-Amz-SignedHeaders=host%3Bx-own&X-Amz-Signature=ab";
        for (option, authorization, target, hides) in [
            ("close", None, "/b/k", false),
            ("keep-alive, TE", None, "/b/k", false),
            ("Upgrade, HTTP2-Settings", Some(signed), "/b/k", false),
            ("x-unknown", Some(signed), "/b/k", false),
            ("", None, "/b/k", false),
            ("Host", None, "/b/k", true),
            ("close, ORIGIN", None, "/b/k", true),
            ("close,\tAuthorization ", None, "/b/k", true),
            ("date", None, "/b/k", true),
            ("dates", None, "/b/k", false),
            ("range", None, "/b/k", true),
            ("x-amz-date", None, "/b/k", true),
            ("X-Amz-Anything", None, "/b/k", true),
            ("x-amz", None, "/b/k", false),
            ("Content-MD5", None, "/b/k", true),
            ("content-length", None, "/b/k", true),
            ("If-Match", None, "/b/k", true),
            ("Forwarded", None, "/b/k", true),
            ("X-Forwarded-For", None, "/b/k", true),
            ("x-own", None, "/b/k", false),
            ("x-own", Some(signed), "/b/k", true),
            ("X-Own", None, presigned, true),
            ("te", Some(signed), "/b/k", true),
        ] {
            for options in [&[option][..], &["close", option]] {
                let mut request = http::Request::get(target);
                for options in options {
                    request = request.header("connection", *options);
                }
                if let Some(authorization) = authorization {
                    request = request.header("authorization", "Basic x").header("authorization", authorization);
                }
                let (head, ()) = request.body(()).unwrap().into_parts();
                assert_eq!(hide_a_field(&head), hides, "{options:?} {authorization:?} {target}");
            }
        }
    }
}
