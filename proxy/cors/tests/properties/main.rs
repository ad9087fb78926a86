//! What holds for every configuration and every request, not only for those that someone thought of.
//!
//! Texts are drawn from small sets, so that rules and requests meet often: of what is drawn at random, nothing would ever match.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod advice;
mod decisions;
mod documents;
mod reference;
mod vary;
mod warnings;

use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use s3_cors::{AllowedMethod, CorsConfiguration, CorsRule, ExposedHeader, HeaderPattern, OriginPattern};

/// A request as far as CORS looks at it; a list is the lines of one header.
#[derive(Clone, Debug)]
struct Request {
    method: Method,
    origins: Vec<Vec<u8>>,
    asked_methods: Vec<Vec<u8>>,
    asked_headers: Vec<Vec<u8>>,
}

impl Request {
    fn headers(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        let mut add = |name: HeaderName, lines: &[Vec<u8>]| {
            for line in lines {
                map.append(name.clone(), HeaderValue::from_bytes(line).unwrap());
            }
        };
        add(ORIGIN, &self.origins);
        add(ACCESS_CONTROL_REQUEST_METHOD, &self.asked_methods);
        add(ACCESS_CONTROL_REQUEST_HEADERS, &self.asked_headers);
        map
    }
}

fn origin_pattern() -> impl Strategy<Value = OriginPattern> {
    let known = select(vec![
        "*",
        "",
        "null",
        "https://a.example",
        "https://*.example",
        "http*://a.example",
        "https://*",
        "*.example",
        "https://A.example",
        "aba*ba",
        "https://a.example:*",
        "https://*a.example",
    ]);
    let any = "[ -)+-~]{0,6}\\*?[ -)+-~é€]{0,6}";
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => any].prop_map(|text| OriginPattern::parse(&text).unwrap())
}

fn header_pattern() -> impl Strategy<Value = HeaderPattern> {
    let known = select(vec!["*", "", "X-A", "x-*", "*-Id", "x-*-ID", "Content-Type", "x-a*", "authorization"]);
    let any = "[a-zA-Z0-9!#$%&'+.^_`|~-]{0,4}\\*?[a-zA-Z0-9-]{0,3}";
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => any].prop_map(|text| HeaderPattern::parse(&text).unwrap())
}

fn exposed_header() -> impl Strategy<Value = ExposedHeader> {
    select(vec!["ETag", "", "x-amz-request-id", "etag"]).prop_map(|text| ExposedHeader::parse(text).unwrap())
}

fn rule() -> impl Strategy<Value = CorsRule> {
    // Every character that can stand in XML, with those that need care in one of the forms drawn often.
    let id = option::of("([ \t\r\n<>&\"'\\]{}/\\\\a]|[\u{20}-\u{d7ff}]|[\u{10000}-\u{10ffff}]){0,8}");
    let methods = vec(select(AllowedMethod::ALL.to_vec()), 1..4);
    let max_age = option::of(prop_oneof![4 => -1_i64..100_000, 1 => any::<i64>()]);
    let lists = (vec(origin_pattern(), 1..4), methods, vec(header_pattern(), 0..4), vec(exposed_header(), 0..3));
    (id, lists, max_age).prop_map(|(id, (origins, methods, headers, expose), max_age)| {
        let rule = CorsRule::new(origins, methods).unwrap().with_id(id).with_max_age_seconds(max_age);
        rule.with_allowed_headers(headers).with_expose_headers(expose)
    })
}

fn configuration() -> impl Strategy<Value = CorsConfiguration> {
    vec(rule(), 1..6).prop_map(|rules| CorsConfiguration::new(rules).unwrap())
}

fn method() -> impl Strategy<Value = Method> {
    let all = [Method::OPTIONS, Method::OPTIONS, Method::GET, Method::PUT, Method::HEAD, Method::POST, Method::DELETE];
    prop_oneof![8 => select(all.to_vec()), 1 => select(vec![Method::PATCH, Method::TRACE, Method::from_bytes(b"get").unwrap()])]
}

/// Lines that rules and requests meet in; sometimes none, several, or bytes that only a hostile client sends.
fn lines(known: Vec<&'static str>, usual: f64) -> impl Strategy<Value = Vec<Vec<u8>>> {
    let known = select(known).prop_map(|text| text.as_bytes().to_vec());
    let one = option::weighted(usual, known.clone()).prop_map(|line| line.into_iter().collect());
    prop_oneof![30 => one, 1 => vec(known, 0..3), 1 => vec(header_bytes(), 0..2)]
}

/// All bytes that a header's value may have (RFC 9110 §5.5; every parser rejects the controls).
fn header_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![Just(b'\t'), b' '..=b'~', 0x80_u8..=0xff];
    vec(byte, 0..24)
}

fn request() -> impl Strategy<Value = Request> {
    let origins = vec![
        "https://a.example",
        "https://a.example",
        "http://a.example",
        "https://.example",
        "https://b.a.example",
        "null",
        "aba",
        "ababa",
        "https://a.example:8443",
        "https://A.example",
        "",
        "https://a.example, https://b.example",
    ];
    let methods =
        vec!["GET", "GET", "PUT", "PUT", "HEAD", "HEAD", "POST", "DELETE", "PATCH", "TRACE", "get", "", "GET, PUT"];
    let headers = vec![
        "x-a",
        "x-a",
        "x-id",
        "content-type",
        "X-A,content-type",
        "x-a , x-b",
        "",
        ",, ,",
        "x-amz-id",
        "x-id, x--id",
        "authorization",
        "x-a,,x-a",
        "bad header",
        "x-\u{e9}",
    ];
    let asked = (lines(methods, 0.8), lines(headers, 0.5));
    (method(), lines(origins, 0.97), asked).prop_map(|(method, origins, (asked_methods, asked_headers))| Request {
        method,
        origins,
        asked_methods,
        asked_headers,
    })
}
