//! Upstreams that fail: the client gets an S3 document with the verdict's headers, the operator a metric and a line.

use crate::support::http::{Response, request};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::twins;
use crate::support::upstream::Upstream;
use std::net::{SocketAddr, TcpListener};

const ORIGIN: (&str, &str) = ("Origin", "https://app.example");
const VARY: [&str; 3] = ["access-control-request-headers", "access-control-request-method", "origin"];

fn errors(proxy: &Proxy, kind: &str) -> f64 {
    proxy.metric(&format!("s3cors_upstream_errors_total{{kind=\"{kind}\"}}")).unwrap()
}

fn up(proxy: &Proxy, upstream: &str) -> f64 {
    proxy.metric(&format!("s3cors_upstream_up{{upstream=\"{upstream}\"}}")).unwrap()
}

/// An address where no one listens: not one of the loopback addresses that other tests take ports of.
fn unused_address() -> SocketAddr {
    TcpListener::bind("127.0.9.9:0").unwrap().local_addr().unwrap()
}

/// Asks in every way that matters for a proxy whose upstream fails, and looks at each page.
fn assert_fails(proxy: &Proxy, status: u16, code: &str, kind: &str) {
    let before = errors(proxy, kind);
    let page = proxy.fetch("GET", "/bucket/key?secret", &[ORIGIN]);
    assert_page(&page, status, code);
    assert_eq!(page.header("access-control-allow-origin"), Some(ORIGIN.1));
    assert_eq!(page.header("access-control-expose-headers"), Some("ETag"));
    assert_eq!(page.vary(), VARY);

    let denied = proxy.fetch("GET", "/bucket/key", &[("Origin", "https://evil.example")]);
    assert_page(&denied, status, code);
    assert_eq!((denied.cors(), denied.vary().as_slice()), (vec![], &VARY.map(String::from)[..]));

    let without_rules = proxy.fetch("GET", "/other/key", &[ORIGIN]);
    assert_page(&without_rules, status, code);
    assert_eq!((without_rules.cors(), without_rules.vary()), (vec![], vec![]));

    let mut connection = proxy.connect();
    let head = connection.send(request("HEAD", "/bucket/key", &[ORIGIN], "")).receive_to("HEAD");
    assert_eq!((head.status, head.header("access-control-allow-origin")), (status, Some(ORIGIN.1)));
    assert_eq!(connection.rest(), b"", "HEAD has no body");

    let upload = proxy.connect().send(request("PUT", "/bucket/key", &[ORIGIN], "body")).receive();
    assert_page(&upload, status, code);
    assert_eq!(errors(proxy, kind) - before, 5.0, "{kind}");
}

fn assert_page(page: &Response, status: u16, code: &str) {
    assert_eq!((page.status, page.element("Code").as_deref()), (status, Some(code)), "{page:?}");
    assert_eq!(page.header("content-type"), Some("application/xml"));
    assert_eq!(page.header("content-length").unwrap(), page.body.len().to_string());
    assert!(page.element("Message").is_some_and(|message| !message.is_empty()));
    assert_eq!(page.element("RequestId").as_deref(), page.header("x-amz-request-id"));
    assert_eq!(page.element("HostId").as_deref(), page.header("x-amz-id-2"));
    assert!(page.header("x-amz-request-id").is_some_and(|id| id.len() == 16));
}

#[test]
fn an_upstream_that_refuses_connections_is_502_and_down() {
    let (rules, upstream) = (Rules::usual(), format!("http://{}", unused_address()));
    let mut proxy = Proxy::start_with(rules.path(), &upstream, &[]);
    assert_eq!(up(&proxy, &upstream), 1.0, "until it is tried");
    assert_fails(&proxy, 502, "BadGateway", "connect");
    assert_eq!(up(&proxy, &upstream), 0.0);
    let line = proxy.wait_for_log("upstream failed");
    assert_eq!((line["kind"].as_str(), line["bucket"].as_str()), (Some("connect"), Some("bucket")));
    assert_eq!((line["path"].as_str(), line["level"].as_str()), (Some("/bucket/key"), Some("ERROR")));
}

#[test]
fn an_upstream_that_comes_back_is_up_again() {
    let (rules, address) = (Rules::usual(), unused_address());
    let upstream = format!("http://{address}");
    let proxy = Proxy::start_with(rules.path(), &upstream, &[]);
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 502);
    assert_eq!(up(&proxy, &upstream), 0.0);
    let _back = Upstream::at(address, |served| {
        while served.request().is_some() && served.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") {}
    });
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200);
    assert_eq!(up(&proxy, &upstream), 1.0);
}

#[test]
fn a_name_that_does_not_resolve_is_503_and_no_reason_not_to_start() {
    let rules = Rules::usual();
    let proxy = Proxy::start_with(rules.path(), "http://nonexistent.invalid:9000", &[]);
    assert_eq!(proxy.ask("GET", "/readyz").status, 200);
    let preflight = proxy.preflight("/bucket/key", ORIGIN.1, "PUT");
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (200, Some(ORIGIN.1)));
    assert_eq!(up(&proxy, "http://nonexistent.invalid:9000"), 0.0);
    assert_fails(&proxy, 503, "ServiceUnavailable", "resolve");
}

#[test]
fn an_upstream_that_says_nothing_is_504() {
    let rules = Rules::usual();
    let upstream = Upstream::scripted(|served| while served.request().is_some() {});
    let config = rules.config("upstream: {timeouts: {read: 300ms}}");
    let proxy = Proxy::start_with(rules.path(), &format!("http://{}", upstream.address), &["--config", &config]);
    assert_fails(&proxy, 504, "GatewayTimeout", "timeout");
}

#[test]
fn an_upstream_that_gives_up_before_its_answer_is_502() {
    for half in ["", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"] {
        let rules = Rules::usual();
        let upstream = Upstream::scripted(move |served| {
            served.request();
            served.send(half);
        });
        let proxy = Proxy::start(rules.path(), upstream.address);
        assert_fails(&proxy, 502, "BadGateway", "reset");
        assert_eq!(upstream.received().len(), 5, "{half:?}: on a new connection nothing is tried twice");
    }
}

#[test]
fn an_answer_that_is_not_http_is_502() {
    for nonsense in [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad name: 1\r\n\r\n",
    ] {
        let (rules, upstream) = (Rules::usual(), Upstream::answering(nonsense));
        let proxy = Proxy::start(rules.path(), upstream.address);
        assert_fails(&proxy, 502, "BadGateway", "other");
    }
}

#[test]
fn an_answer_that_breaks_off_in_its_body_is_cut_off_for_the_client_too() {
    for framing in ["Content-Length: 4000\r\n\r\nbody", "Transfer-Encoding: chunked\r\n\r\nff\r\nbody"] {
        let rules = Rules::usual();
        let upstream = Upstream::scripted(move |served| {
            served.request();
            served.send(format!("HTTP/1.1 200 OK\r\n{framing}"));
        });
        let mut proxy = Proxy::start(rules.path(), upstream.address);
        let mut connection = proxy.connect();
        connection.send(request("GET", "/bucket/key", &[ORIGIN], ""));
        let text = String::from_utf8_lossy(&connection.rest()).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200") && head.contains("access-control-allow-origin: https://app.example"));
        assert!(["body", "4\r\nbody\r\n"].contains(&body), "no error page in a body that has begun: {body:?}");
        assert_eq!(errors(&proxy, "reset"), 1.0);
        assert_eq!(proxy.wait_for_log("upstream failed")["kind"], "reset");
    }
}

#[test]
fn the_log_tells_the_faults_of_a_response_apart() {
    let rules = Rules::usual();
    for (response, error, reason) in [
        ("SSH-2.0-x\r\n", "InvalidResponseHead", "not a response head of HTTP/1.1"),
        ("HTTP/2.0 200 OK\r\n\r\n", "InvalidResponseVersion", "a version other than HTTP/1.0 and HTTP/1.1"),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", "InvalidResponseLine", "an empty line before the status line"),
        ("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", "InvalidResponseField", "a header line without a colon"),
        ("HTTP/1.1 200 OK\r\nbad name: 1\r\n\r\n", "InvalidResponseName", "a header name that is not a token"),
        (
            "HTTP/1.1 200 OK\r\n folded: 1\r\n\r\n",
            "InvalidResponseFold",
            "a folded header line that continues nothing, or with nothing",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\0\r\n\r\nx",
            "InvalidResponseValue",
            "a control character in a line about the length of the body",
        ),
        ("HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n", "InvalidStatus", "a status below 100"),
        ("HTTP/1.1 101 X\r\n\r\n", "SwitchingProtocols", "status 101, though no upgrade was requested"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx",
            "InvalidResponseLength",
            "a Content-Length that is not a plain number",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
            "RepeatedResponseLength",
            "more than one Content-Length",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\nx",
            "ResponseLengthTooLarge",
            "a Content-Length above 2^63 - 1",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "RepeatedResponseCoding",
            "more than one Transfer-Encoding",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            "UnknownResponseCoding",
            "a Transfer-Encoding other than chunked",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "ResponseLengthAndCoding",
            "both Content-Length and Transfer-Encoding",
        ),
        (
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "ResponseCodingInHttp10",
            "Transfer-Encoding in an HTTP/1.0 message",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx",
            "InvalidChunkSize",
            "a chunk size that is not 1 to 16 hexadecimal digits",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "ChunkTooLarge",
            "a chunk size above 2^63 - 1",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;\x01\r\n",
            "InvalidChunkExtension",
            "an invalid byte in a chunk extension",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx\r\n\r\n",
            "InvalidTrailer",
            "an invalid trailer line",
        ),
        ("", "ConnectionClosed", "the upstream closed the connection"),
    ] {
        let upstream = Upstream::scripted(move |served| {
            served.request();
            served.send(response);
        });
        let mut proxy = twins::start(&rules, "own", "", upstream.address, &[]);
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[ORIGIN]).status, 502, "{response:?}");
        let line = proxy.wait_for_log("upstream failed");
        assert_eq!((line["error"].as_str(), line["reason"].as_str()), (Some(error), Some(reason)), "{response:?}");
    }
}
