use super::Rejection::{Absent, Denied, Expired, Mismatch, Skewed, Unsaid};
use super::*;
use std::time::UNIX_EPOCH;

/// 2026-01-01T00:00:00Z.
const NOW: u64 = 1_767_225_600;
const HOST: &str = "s3.example";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn head(method: &str, query: &str, lines: &[(&str, &str)]) -> http::request::Parts {
    let request = http::Request::builder().method(method).uri(format!("http://{HOST}/bucket/key?{query}"));
    let request = lines.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

/// The cause of a rejection and its header, where the upstream's clock is right.
fn cause(rejection: Rejection, head: &http::request::Parts, sent: Option<&str>) -> Option<(Cause, Option<String>)> {
    let rejected = Rejected::new(head, sent, (at(NOW), Some(at(NOW))));
    rejected.cause(rejection).map(|(cause, header)| (cause, header.map(str::to_owned)))
}

fn authorization(names: &str) -> String {
    format!("AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, SignedHeaders={names}, Signature=ab")
}

#[test]
fn a_change_on_the_way_is_seen() {
    let usual = ("x-amz-date", "20260101T000000Z");
    for (names, lines, sent, expected) in [
        ("host;x-amz-date", &[usual][..], None, (Cause::Unknown, None)),
        ("host;x-amz-date", &[usual], Some(HOST), (Cause::Unknown, None)),
        ("host;x-amz-date", &[usual], Some("minio:9000"), (Cause::HostReplaced, Some("host"))),
        ("x-amz-date", &[usual], Some("minio:9000"), (Cause::Unknown, None)),
        ("x-amz-date", &[usual, ("x-forwarded-host", "public.example")], None, (Cause::Unknown, None)),
        ("host", &[("x-forwarded-host", "public.example")], None, (Cause::HostChangedBefore, Some("host"))),
        ("host", &[("x-forwarded-host", "public.example, s3.example")], None, (Cause::HostChangedBefore, Some("host"))),
        ("host", &[("x-forwarded-host", "s3.example:8443")], None, (Cause::HostChangedBefore, Some("host"))),
        ("host", &[("x-forwarded-host", "S3.example")], None, (Cause::Unknown, None)),
        ("host", &[("x-forwarded-host", "")], None, (Cause::Unknown, None)),
        ("host", &[("x-forwarded-prefix", "/s3")], None, (Cause::PathChangedBefore, Some("x-forwarded-prefix"))),
        ("host", &[("x-replaced-path", "/s3/k")], None, (Cause::PathChangedBefore, Some("x-replaced-path"))),
        ("host", &[("x-envoy-original-path", "/")], None, (Cause::PathChangedBefore, Some("x-envoy-original-path"))),
        ("accept-encoding;host", &[("accept-encoding", "identity")], None, (Cause::Unknown, None)),
        (
            "accept-encoding;host",
            &[("accept-encoding", "gzip")],
            None,
            (Cause::AcceptEncoding, Some("accept-encoding")),
        ),
        ("accept-encoding;host", &[], None, (Cause::AcceptEncoding, Some("accept-encoding"))),
        ("host", &[("accept-encoding", "gzip, br"), ("cf-ray", "1")], None, (Cause::Unknown, None)),
        ("host;traceparent", &[("traceparent", "00-ab-cd-01")], None, (Cause::TraceContext, Some("traceparent"))),
        ("host;traceparent", &[], None, (Cause::HeaderMissing, Some("traceparent"))),
        ("host;X-B3-SpanId", &[("x-b3-spanid", "ab")], None, (Cause::TraceContext, Some("X-B3-SpanId"))),
        ("host", &[("traceparent", "00-ab-cd-01")], None, (Cause::Unknown, None)),
        ("content-type;host", &[], None, (Cause::HeaderMissing, Some("content-type"))),
        ("content-type;host", &[("content-type", "")], None, (Cause::Unknown, None)),
        ("Content-Type;Host", &[("content-type", "a/b")], None, (Cause::Unknown, None)),
        (
            "host;x-amz-meta-a",
            &[("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")],
            None,
            (Cause::HeaderRepeated, Some("x-amz-meta-a")),
        ),
        ("host", &[("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")], None, (Cause::Unknown, None)),
        ("cookie;host", &[("cookie", "a=1"), ("cookie", "b=2")], None, (Cause::CookieLines, Some("cookie"))),
        ("cookie;host", &[("cookie", "a=1; b=2")], None, (Cause::Unknown, None)),
        ("connection;host", &[("connection", "close")], None, (Cause::HopByHop, Some("connection"))),
        ("host;te", &[], None, (Cause::HopByHop, Some("te"))),
        // Nothing is in this list of names, so nothing is missing.
        (";", &[], None, (Cause::Unknown, None)),
        // What contradicts the signature comes before what only shows a change.
        ("content-type;host", &[("x-forwarded-host", "a")], Some("minio:9000"), (Cause::HostReplaced, Some("host"))),
        ("content-type;host", &[("x-forwarded-host", "a")], None, (Cause::HeaderMissing, Some("content-type"))),
    ] {
        let authorization = authorization(names);
        let head = head("GET", "", &[lines, &[("authorization", authorization.as_str())]].concat());
        let (found, header) = cause(Mismatch, &head, sent).unwrap();
        assert_eq!((found, header.as_deref()), expected, "{names} {lines:?} {sent:?}");
    }
}

#[test]
fn a_request_that_lacks_a_header_is_no_failed_signature_where_every_signed_one_arrived() {
    for (names, lines, expected) in [
        ("host;range", &[][..], Some((Cause::HeaderMissing, Some("range")))),
        ("accept-encoding;host", &[], Some((Cause::AcceptEncoding, Some("accept-encoding")))),
        ("host;range", &[("range", "bytes=0-1")], None),
        // S3 says the same of a header that came without being signed.
        ("host", &[("x-amz-meta-a", "1")], None),
    ] {
        let authorization = authorization(names);
        let head = head("GET", "", &[lines, &[("authorization", authorization.as_str())]].concat());
        let found = cause(Absent, &head, Some("minio:9000"));
        assert_eq!(found.as_ref().map(|(cause, header)| (*cause, header.as_deref())), expected, "{names} {lines:?}");
    }
}

#[test]
fn a_list_of_signed_headers_is_read_as_far_as_a_head_has_lines() {
    for (names, expected) in [(99, Cause::HeaderMissing), (100, Cause::Unknown), (20_000, Cause::Unknown)] {
        let authorization = authorization(&("host;".repeat(names) + "x-missing"));
        let head = head("GET", "", &[("authorization", &authorization)]);
        assert_eq!(cause(Mismatch, &head, None).unwrap().0, expected, "{names}");
    }
}

#[test]
fn without_a_list_of_signed_headers_only_a_form_does_not_sign_its_host() {
    let sent = Some("minio:9000");
    for (lines, expected) in [
        (&[("authorization", "AWS AK:signature")][..], Cause::HostReplaced),
        (&[], Cause::HostReplaced),
        (&[("content-type", "multipart/form-data; boundary=b")], Cause::Unknown),
    ] {
        assert_eq!(cause(Mismatch, &head("POST", "", lines), sent).unwrap().0, expected, "{lines:?}");
    }
}

#[test]
fn a_rejection_for_its_time_names_the_clock_that_differs() {
    const MINUTE: u64 = 60;
    let presigned =
        |signed: &str| format!("X-Amz-Date={signed}&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=ab");
    let (past, now, future) = ("20251231T230000Z", "20260101T000000Z", "20260101T010000Z");
    for (rejection, query, date, upstream, expected) in [
        (Skewed, "", Some(past), Some(NOW), Some(Cause::ClientClock)),
        (Skewed, "", Some(future), None, Some(Cause::ClientClock)),
        (Skewed, "", Some(now), Some(NOW + 20 * MINUTE), Some(Cause::UpstreamClock)),
        (Skewed, "", Some(now), None, Some(Cause::UpstreamClock)),
        (Skewed, "", None, Some(NOW), Some(Cause::ClientClock)),
        (Skewed, &presigned(future), None, Some(NOW), Some(Cause::ClientClock)),
        (Expired, &presigned(past), None, Some(NOW), Some(Cause::Expired)),
        (Expired, "", None, None, Some(Cause::Expired)),
        (Denied, &presigned(past), None, Some(NOW), Some(Cause::Expired)),
        (Denied, &presigned(past), None, None, Some(Cause::Expired)),
        (Denied, &presigned(now), None, Some(NOW + 61), Some(Cause::Expired)),
        (Denied, &presigned(now), None, Some(NOW + 60), None),
        (Denied, &presigned(future), None, Some(NOW), Some(Cause::ClientClock)),
        (Denied, &presigned(now), None, Some(NOW - 16 * MINUTE), Some(Cause::UpstreamClock)),
        (Denied, "", Some(past), Some(NOW), Some(Cause::ClientClock)),
        (Denied, "", Some(now), Some(NOW), None),
        (Denied, "", None, Some(NOW), None),
        (Denied, "AWSAccessKeyId=AK&Expires=1767225599&Signature=ab", None, Some(NOW), Some(Cause::Expired)),
    ] {
        let lines: Vec<_> = date.map(|date| ("x-amz-date", date)).into_iter().collect();
        let head = head("GET", query, &lines);
        let rejected = Rejected::new(&head, None, (at(NOW), upstream.map(at)));
        let found = rejected.cause(rejection).map(|(cause, _)| cause);
        assert_eq!(found, expected, "{rejection:?} {query} {date:?} {upstream:?}");
    }
}

#[test]
fn a_head_that_fails_is_a_failed_signature_only_where_something_shows_it() {
    let authorization = authorization("content-type;host");
    let signed = [("authorization", authorization.as_str()), ("x-amz-date", "20260101T000000Z")];
    let late = [("authorization", authorization.as_str()), ("x-amz-date", "20251231T230000Z")];
    let whole = [&signed[..], &[("content-type", "a/b")]].concat();
    let url = "X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";
    let old = url.replace("20260101T", "20251231T");
    for (rejection, query, lines, sent, expected) in [
        (Unsaid, url, &[][..], None, Some(Cause::HeadByGet)),
        (Unsaid, "AWSAccessKeyId=AK&Expires=1767225700&Signature=ab", &[], None, Some(Cause::HeadByGet)),
        (Unsaid, url, &[], Some("minio:9000"), Some(Cause::HostReplaced)),
        (Unsaid, &old, &[], None, Some(Cause::Expired)),
        (Unsaid, "", &signed, None, Some(Cause::HeaderMissing)),
        (Unsaid, "", &late, None, Some(Cause::ClientClock)),
        (Unsaid, "", &whole, None, None),
        (Unsaid, "", &whole, Some("minio:9000"), Some(Cause::HostReplaced)),
        (Unsaid, "", &[], Some("minio:9000"), None),
        (Mismatch, url, &[], None, Some(Cause::HeadByGet)),
        (Mismatch, "", &whole, None, Some(Cause::Unknown)),
        (Denied, url, &[], None, None),
    ] {
        let found = cause(rejection, &head("HEAD", query, lines), sent).map(|(cause, _)| cause);
        assert_eq!(found, expected, "{rejection:?} {query} {lines:?} {sent:?}");
    }
}

#[test]
fn what_stands_in_front_is_named_as_it_names_itself() {
    for (lines, expected) in [
        (&[("via", "1.1 varnish"), ("cdn-loop", "fastly")][..], Some("fastly")),
        (&[("via", "1.1 google")], Some("1.1 google")),
        (&[("cf-ray", "8a")], Some("cloudflare")),
        (&[], None),
    ] {
        let head = head("GET", "", lines);
        let rejected = Rejected::new(&head, None, (at(NOW), None));
        assert_eq!(rejected.in_front(), expected.map(str::as_bytes), "{lines:?}");
    }
}

#[test]
fn a_setting_that_is_on_is_not_advised() {
    const URL: &str = "X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";
    let part = format!("{URL}&partNumber=1");
    for (query, lines, as_signed, by_get) in [
        (URL, &[][..], Cause::HeadByGet, Cause::Unknown),
        (URL, &[("range", "bytes=4-9")], Cause::HeadByGet, Cause::HeadByGet),
        (URL, &[("if-range", "\"e\"")], Cause::HeadByGet, Cause::HeadByGet),
        (&part, &[], Cause::HeadByGet, Cause::HeadByGet),
    ] {
        let head = head("HEAD", query, lines);
        for (configured, expected) in [(PresignedHead::AsSigned, as_signed), (PresignedHead::ByGet, by_get)] {
            let mut rejected = Rejected::new(&head, None, (at(NOW), Some(at(NOW))));
            rejected.presigned_head = configured;
            let found = rejected.cause(Rejection::Unsaid).map(|(cause, _)| cause);
            assert_eq!(found, Some(expected), "{configured:?} {query} {lines:?}");
        }
    }
    assert!(advice(Cause::HeadByGet, PresignedHead::AsSigned).contains("set presigned.head to by_get"));
    assert!(!advice(Cause::HeadByGet, PresignedHead::ByGet).contains("set presigned.head"));
}

#[test]
fn the_age_of_a_signature_is_told_by_the_upstreams_clock() {
    for (date, upstream, expected) in [
        ("20260101T000000Z", Some(NOW + 90), Some(90)),
        ("20260101T000000Z", Some(NOW - 90), Some(-90)),
        ("20251231T235900Z", None, Some(60)),
        ("x", None, None),
    ] {
        let head = head("GET", "", &[("x-amz-date", date)]);
        let rejected = Rejected::new(&head, None, (at(NOW), upstream.map(at)));
        assert_eq!(rejected.signed_seconds_ago(), expected, "{date} {upstream:?}");
    }
}

#[test]
fn a_query_that_was_changed_after_signing_is_seen() {
    const SIGNED: &str = "X-Amz-Credential=AK%2Fx&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";
    for (query, expected) in [
        (SIGNED.to_owned(), Cause::Unknown),
        (format!("{SIGNED}&x-id=GetObject&response-content-type=text%2Fplain"), Cause::Unknown),
        (format!("{SIGNED}&utm_source=mail"), Cause::QueryChanged),
        (format!("fbclid=x&{SIGNED}"), Cause::QueryChanged),
        (SIGNED.replace('&', "&amp;"), Cause::Unknown),
        (SIGNED.replacen('&', "&amp;", 1), Cause::QueryChanged),
        (SIGNED.replace("%2F", "/"), Cause::QueryChanged),
        ("utm_source=mail".to_owned(), Cause::Unknown),
    ] {
        assert_eq!(cause(Mismatch, &head("GET", &query, &[]), None), Some((expected, None)), "{query}");
    }
}
