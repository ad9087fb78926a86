//! Preflights: answered from the rules alone.

use crate::support::http::{Connection, request};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;

const VARY: [&str; 3] = ["access-control-request-headers", "access-control-request-method", "origin"];

#[test]
fn the_upstream_is_never_asked_and_may_be_down() {
    let rules = Rules::usual();
    let proxy = Proxy::start_with(rules.path(), "http://127.0.0.1:1", &[]);
    let answer = proxy.preflight("/bucket/key", "https://app.example", "PUT");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(answer.header("content-length"), Some("0"));
    assert_eq!(answer.header("content-type"), None);
    assert_eq!(answer.vary(), VARY);
    assert!(answer.header("x-amz-request-id").is_some() && answer.header("x-amz-id-2").is_some());
}

#[test]
fn a_denied_preflight_is_s3s_document_without_cors_headers_and_with_vary() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let answer = proxy.preflight("/bucket/key", "https://evil.example", "PUT");
    assert_eq!((answer.status, answer.cors()), (403, vec![]));
    assert_eq!(answer.header("content-type"), Some("application/xml"));
    assert_eq!(answer.vary(), VARY);
    assert_eq!(answer.element("Code").as_deref(), Some("AccessForbidden"));
    assert_eq!(answer.element("Method").as_deref(), Some("PUT"));
    assert_eq!(answer.element("ResourceType").as_deref(), Some("OBJECT"));
    assert_eq!(answer.element("RequestId").as_deref(), answer.header("x-amz-request-id"));
    assert_eq!(answer.element("HostId").as_deref(), answer.header("x-amz-id-2"));
    assert!(upstream.received().is_empty());
}

#[test]
fn a_preflight_and_the_request_after_it_share_a_connection() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let mut connection = proxy.connect();
    let origin = ("Origin", "https://app.example");
    for _ in 0..3 {
        let preflight = request("OPTIONS", "/bucket/key", &[origin, ("Access-Control-Request-Method", "GET")], "");
        assert_eq!(connection.send(preflight).receive().status, 200);
        assert_eq!(connection.send(request("GET", "/bucket/key", &[origin], "")).receive().text(), "body");
    }
}

#[test]
fn the_bucket_is_that_of_the_host_or_of_the_path() {
    let rules = Rules::usual();
    let proxy = Proxy::start_with(rules.path(), "http://127.0.0.1:1", &[]);
    for (host, target, status) in [
        ("bucket.s3.example.test", "/key", 200),
        ("BUCKET.S3.example.test:8080", "/", 200),
        ("s3.example.test", "/bucket/key", 200),
        ("anything.test", "/bucket", 200),
        ("other.s3.example.test", "/bucket/key", 403),
        ("s3.example.test", "/", 403),
    ] {
        let headers = [("Host", host), ("Origin", "https://app.example"), ("Access-Control-Request-Method", "GET")];
        assert_eq!(proxy.fetch("OPTIONS", target, &headers).status, status, "{host} {target}");
    }
}

#[test]
fn service_rules_are_for_requests_without_a_bucket() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("<ListAllMyBucketsResult/>"));
    rules.write("_service.xml", crate::support::rules::allowing("https://console.example"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    assert_eq!(proxy.preflight("/", "https://console.example", "GET").status, 200);
    assert_eq!(proxy.preflight("/bucket/key", "https://console.example", "GET").status, 403);
    let list = proxy.fetch("GET", "/", &[("Origin", "https://console.example")]);
    assert_eq!(list.header("access-control-allow-origin"), Some("https://console.example"));
}

#[test]
fn two_origins_are_granted_nothing() {
    let rules = Rules::empty();
    rules.write("_default.xml", crate::support::rules::allowing("*"));
    let proxy = Proxy::start_with(rules.path(), "http://127.0.0.1:1", &[]);
    let headers =
        [("Origin", "https://a.example"), ("Origin", "https://b.example"), ("Access-Control-Request-Method", "GET")];
    assert_eq!(proxy.fetch("OPTIONS", "/b/k", &headers).status, 403);
    let mut connection = Connection::open(proxy.address);
    connection.send(
        b"OPTIONS /b/k HTTP/1.1\r\nHost: x\r\nOrigin: https://\xff\r\nAccess-Control-Request-Method: GET\r\n\r\n",
    );
    assert_eq!(connection.receive().status, 403);
}
