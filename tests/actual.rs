//! Actual requests: done whatever the rules say, and answered with the rules' headers only.

use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;

const VARY: [&str; 3] = ["access-control-request-headers", "access-control-request-method", "origin"];

/// MinIO's own CORS, and worse.
const DIRTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nAccess-Control-Allow-Origin: https://evil.example\r\n\
    access-control-allow-origin: *\r\nACCESS-CONTROL-ALLOW-CREDENTIALS: true\r\nAccess-Control-Expose-Headers: *\r\n\
    Access-Control-Allow-Private-Network: true\r\nVary: Origin, Accept-Encoding\r\nETag: \"e\"\r\n\r\nbody";

#[test]
fn whatever_the_upstream_says_about_cors_is_replaced_by_what_the_rules_say() {
    let (rules, upstream) = (Rules::usual(), Upstream::answering(DIRTY));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let granted = proxy.fetch("GET", "/bucket/key", &[("Origin", "https://app.example")]);
    let expected = [
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "GET, HEAD, PUT"),
        ("access-control-allow-origin", "https://app.example"),
        ("access-control-expose-headers", "ETag"),
        ("access-control-max-age", "60"),
    ];
    assert_eq!(granted.cors(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!((granted.status, granted.text().as_str(), granted.header("etag")), (200, "body", Some("\"e\"")));
    for (target, headers) in [
        ("/bucket/key", &[("Origin", "https://evil.example")][..]),
        ("/bucket/key", &[]),
        ("/without-rules/key", &[("Origin", "https://evil.example")]),
        ("/", &[("Origin", "https://evil.example")]),
    ] {
        let answer = proxy.fetch("GET", target, headers);
        assert_eq!((answer.status, answer.cors()), (200, vec![]), "{target} {headers:?}");
    }
}

#[test]
fn vary_is_on_every_answer_of_a_bucket_with_rules_and_merged_with_the_upstreams() {
    let (rules, upstream) = (Rules::usual(), Upstream::answering(DIRTY));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let merged = ["accept-encoding", VARY[0], VARY[1], VARY[2]];
    for headers in [&[][..], &[("Origin", "https://app.example")], &[("Origin", "https://evil.example")]] {
        assert_eq!(proxy.fetch("GET", "/bucket/key", headers).vary(), merged, "{headers:?}");
    }
    assert_eq!(proxy.fetch("GET", "/without-rules/key", &[]).vary(), ["accept-encoding", "origin"]);
}

#[test]
fn the_headers_are_the_same_on_every_status() {
    for status in [
        "200 OK",
        "206 Partial Content",
        "304 Not Modified",
        "404 Not Found",
        "412 Precondition Failed",
        "503 Slow Down",
    ] {
        let upstream = Upstream::answering(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
        let rules = Rules::usual();
        let proxy = Proxy::start(rules.path(), upstream.address);
        let answer = proxy.fetch("GET", "/bucket/key", &[("Origin", "https://pr-1.preview.example")]);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://pr-1.preview.example"), "{status}");
        assert_eq!(answer.vary(), VARY, "{status}");
    }
}

#[test]
fn a_request_that_asks_for_a_method_or_header_that_is_none_is_refused_as_s3_does() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for asked in [("Access-Control-Request-Method", "get"), ("Access-Control-Request-Headers", "a b")] {
        let answer = proxy.fetch("GET", "/bucket/key", &[("Origin", "https://app.example"), asked]);
        assert_eq!((answer.status, answer.element("Code").as_deref()), (400, Some("BadRequest")), "{asked:?}");
        // Without rules there is nothing to ask, and without an Origin no one asks.
        assert_eq!(proxy.fetch("GET", "/without-rules/key", &[("Origin", "https://app.example"), asked]).status, 200);
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[asked]).status, 200);
    }
}
