//! What a decision and a document cost: `cargo bench -p s3-cors`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot be set up is not run")]

use divan::{Bencher, black_box};
use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, HeaderValue, Method};
use s3_cors::{
    CorsRequest, Credentials, Decision, Document, Format, MAX_DOCUMENT_LENGTH, MAX_REQUEST_HEADERS_LENGTH, RuleTable,
    evaluate,
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

/// The last of a thousand origins in one rule, which are nearly as many as fit.
#[divan::bench]
fn actual_request_against_1000_origins(bencher: Bencher<'_, '_>) {
    let mut xml = String::from("<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod>");
    for number in 0..1000 {
        write!(xml, "<AllowedOrigin>https://app{number}.example</AllowedOrigin>").unwrap();
    }
    xml.push_str("</CORSRule></CORSConfiguration>");
    let document = Document::parse(xml.as_bytes(), Format::Xml).unwrap();
    let table = RuleTable::new(document.configuration(), Credentials::S3);
    let mut request = CorsRequest::new(b"GET");
    request.add_line(b"Origin", b"https://app999.example");
    assert!(evaluate(Some(&table), &request).grant().is_some());
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
