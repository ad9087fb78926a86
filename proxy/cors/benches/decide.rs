//! What a decision and a document cost: `cargo bench -p s3-cors`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up is not run")]

use divan::{Bencher, black_box};
use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, HeaderValue, Method};
use s3_cors::{
    AllowedMethod, CorsConfiguration, CorsRequest, CorsRule, Credentials, Decision, Document, Format, HeaderPattern,
    MAX_DOCUMENT_LENGTH, MAX_REQUEST_HEADERS_LENGTH, OriginPattern, RuleTable, evaluate,
};
use std::fmt::Write;

fn main() {
    divan::main();
}

/// A hundred rules, each for another site, that allow a PUT with any of the headers.
fn table(headers: &[&str]) -> RuleTable {
    let mut xml = String::from("<CORSConfiguration>");
    for number in 1..=100 {
        write!(
            xml,
            "<CORSRule><AllowedOrigin>https://*.site{number}.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>"
        )
        .unwrap();
        for header in headers {
            write!(xml, "<AllowedHeader>{header}</AllowedHeader>").unwrap();
        }
        xml.push_str("<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>600</MaxAgeSeconds></CORSRule>");
    }
    xml.push_str("</CORSConfiguration>");
    let document = Document::parse(xml.as_bytes(), Format::Xml).unwrap();
    RuleTable::new(document.configuration(), Credentials::S3)
}

fn preflight(origin: &str, headers: &str) -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert(ORIGIN, HeaderValue::try_from(origin).unwrap());
    map.insert(ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("PUT"));
    map.insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::try_from(headers).unwrap());
    map
}

fn decide(table: &RuleTable, headers: &HeaderMap) -> Decision {
    evaluate(Some(table), &CorsRequest::from((&Method::OPTIONS, black_box(headers))))
}

/// As the SDK for browsers asks when it uploads a part.
const UPLOAD: &str = "authorization,content-type,x-amz-content-sha256,x-amz-date,x-amz-user-agent";
const UPLOAD_ALLOWED: [&str; 3] = ["authorization", "content-type", "x-amz-*"];

#[divan::bench(args = [1, 50, 100])]
fn preflight_granted_by_rule(bencher: Bencher<'_, '_>, number: usize) {
    let table = table(&UPLOAD_ALLOWED);
    let headers = preflight(&format!("https://app.site{number}.example"), UPLOAD);
    bencher.bench(|| decide(&table, &headers).grant().unwrap().headers());
}

#[divan::bench]
fn preflight_denied_by_100_rules(bencher: Bencher<'_, '_>) {
    let table = table(&UPLOAD_ALLOWED);
    let headers = preflight("https://app.elsewhere.example", UPLOAD);
    bencher.bench(|| decide(&table, &headers));
}

/// A table whose rules allow so many origins each, all different.
fn table_of(rules: usize, origins: usize, origin: impl Fn(usize, usize) -> String) -> RuleTable {
    let rule = |rule: usize| {
        let origins = (0..origins).map(|number| OriginPattern::parse(&origin(rule, number)).unwrap()).collect();
        let headers = UPLOAD_ALLOWED.map(|name| HeaderPattern::parse(name).unwrap()).to_vec();
        let methods = vec![AllowedMethod::Put, AllowedMethod::Get];
        CorsRule::new(origins, methods).unwrap().with_allowed_headers(headers).with_max_age_seconds(600)
    };
    let configuration = CorsConfiguration::new((0..rules).map(rule).collect()).unwrap();
    RuleTable::new(&configuration, Credentials::S3)
}

fn exact(rule: usize, number: usize) -> String {
    format!("https://app{number}.site{rule}.example")
}

fn pattern(rule: usize, number: usize) -> String {
    format!("https://*.app{number}.site{rule}.example")
}

/// Decides on a request whose origin is the last one of the table, and that gets a grant.
fn granted(bencher: Bencher<'_, '_>, table: &RuleTable, origin: &str, asked: Option<&str>) {
    let mut request = CorsRequest::new(if asked.is_some() { b"OPTIONS" } else { b"GET" });
    request.add_line(b"Origin", origin.as_bytes());
    if let Some(asked) = asked {
        request.add_line(b"Access-Control-Request-Method", b"PUT");
        request.add_line(b"Access-Control-Request-Headers", asked.as_bytes());
    }
    assert!(evaluate(Some(table), &request).grant().is_some());
    bencher.bench(|| evaluate(Some(table), black_box(&request)));
}

/// Rules, and origins of each.
const SIZES: [(usize, usize); 4] = [(1, 1), (1, 10), (1, 10_000), (100, 100)];

#[divan::bench(args = SIZES)]
fn actual_request_by_the_last_origin(bencher: Bencher<'_, '_>, (rules, origins): (usize, usize)) {
    granted(bencher, &table_of(rules, origins, exact), &exact(rules - 1, origins - 1), None);
}

#[divan::bench(args = SIZES)]
fn actual_request_by_the_last_pattern(bencher: Bencher<'_, '_>, (rules, origins): (usize, usize)) {
    let origin = pattern(rules - 1, origins - 1).replace('*', "www");
    granted(bencher, &table_of(rules, origins, pattern), &origin, None);
}

#[divan::bench(args = SIZES)]
fn preflight_by_the_last_origin(bencher: Bencher<'_, '_>, (rules, origins): (usize, usize)) {
    granted(bencher, &table_of(rules, origins, exact), &exact(rules - 1, origins - 1), Some(UPLOAD));
}

#[divan::bench(args = SIZES)]
fn actual_request_by_no_origin(bencher: Bencher<'_, '_>, (rules, origins): (usize, usize)) {
    let table = table_of(rules, origins, exact);
    let mut request = CorsRequest::new(b"GET");
    request.add_line(b"Origin", b"https://app0.elsewhere.example");
    bencher.bench(|| evaluate(Some(&table), black_box(&request)));
}

/// The most that one request can cost: as many names as fit, each of which only the last pattern of every rule allows, and a last
/// one that none does.
#[divan::bench]
fn hostile_request_headers_against_100_rules_of_5_patterns(bencher: Bencher<'_, '_>) {
    let patterns = ["a*1", "a*2", "a*3", "a*4", "a*"];
    let mut xml = String::from("<CORSConfiguration>");
    for _ in 0..100 {
        xml.push_str("<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>");
        for pattern in patterns {
            write!(xml, "<AllowedHeader>{pattern}</AllowedHeader>").unwrap();
        }
        xml.push_str("</CORSRule>");
    }
    xml.push_str("</CORSConfiguration>");
    let document = Document::parse(xml.as_bytes(), Format::Xml).unwrap();
    let table = RuleTable::new(document.configuration(), Credentials::S3);
    let headers = preflight("https://app.example", &format!("{}b", "a,".repeat(MAX_REQUEST_HEADERS_LENGTH / 2 - 1)));
    bencher.bench(|| decide(&table, &headers));
}

/// One rule with as many origins as fit, on one line.
fn full_document(origin: &str, before: &str, after: &str) -> String {
    let count = (MAX_DOCUMENT_LENGTH - before.len() - after.len()) / origin.len();
    format!("{before}{}{after}", origin.repeat(count))
}

#[divan::bench]
fn xml_of_64_kib(bencher: Bencher<'_, '_>) {
    let before = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod>";
    let after = "</CORSRule></CORSConfiguration>";
    let text = full_document("<AllowedOrigin>https://app.example</AllowedOrigin>", before, after);
    bencher.bench(|| Document::parse(black_box(text.as_bytes()), Format::Xml).unwrap());
}

#[divan::bench]
fn json_of_64_kib(bencher: Bencher<'_, '_>) {
    let before = "[{\"AllowedMethods\":[\"GET\"],\"AllowedOrigins\":[";
    let text = full_document("\"https://app.example\",", before, "\"\"]}]");
    bencher.bench(|| Document::parse(black_box(text.as_bytes()), Format::Json).unwrap());
}

/// Errors are listed with their places, and a document can hold thousands of them.
#[divan::bench]
fn xml_of_64_kib_full_of_errors(bencher: Bencher<'_, '_>) {
    let text = full_document("<a/>", "<CORSConfiguration>", "</CORSConfiguration>");
    bencher.bench(|| Document::parse(black_box(text.as_bytes()), Format::Xml).unwrap_err());
}
