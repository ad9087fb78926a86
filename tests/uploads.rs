//! Uploads: every byte arrives once, and what a client leaves unfinished hurts no one else.

use crate::support::eventually;
use crate::support::http::request;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::{Received, Upstream};

const ORIGIN: (&str, &str) = ("Origin", "https://app.example");
/// What SDKs send for a body whose signature and checksum follow it: the trailer is part of the body.
const AWS_CHUNKED: &str = "5;chunk-signature=0123\r\nhello\r\n0;chunk-signature=4567\r\nx-amz-checksum-crc32:NhCmhg==\r\n\
    x-amz-trailer-signature:89ab\r\n\r\n";

#[test]
fn a_body_arrives_byte_for_byte_however_its_length_is_said() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let large: String = (0..400_000).map(|number| char::from(b' ' + (number * 7 % 95) as u8)).collect();
    let mut connection = proxy.connect();
    let mut expected = Vec::new();
    for body in ["", "x", "\r\n\r\n0\r\n\r\n", AWS_CHUNKED, &large] {
        let length = body.len().to_string();
        connection.send(request("PUT", "/bucket/length", &[ORIGIN, ("Content-Length", &length)], body));
        assert_eq!(connection.receive().text(), "body");
        connection.send(request("PUT", "/bucket/chunked", &[ORIGIN, ("Transfer-Encoding", "chunked")], ""));
        for piece in body.as_bytes().chunks(70_001) {
            connection.send([format!("{:x};e=1\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
        }
        connection.send("0\r\n\r\n");
        assert_eq!(connection.receive().text(), "body");
        expected.extend([("length", body), ("chunked", body)]);
    }
    let received = upstream.received();
    assert_eq!(received.len(), expected.len());
    for (request, (framing, body)) in received.iter().zip(expected) {
        assert_eq!(request.request_line(), format!("PUT /bucket/{framing} HTTP/1.1"));
        assert!(request.body == body.as_bytes(), "{framing}, {} bytes: {} arrive", body.len(), request.body.len());
        let length = (framing == "length").then(|| body.len().to_string());
        assert_eq!(request.header("content-length"), length);
    }
}

#[test]
fn a_request_that_says_nothing_about_a_body_has_none() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let mut connection = proxy.connect();
    for method in ["POST", "PUT", "DELETE"] {
        connection.send(request(method, "/bucket/key?uploads", &[ORIGIN], ""));
        assert_eq!(connection.receive().text(), "body", "{method}");
        let arrived = upstream.received().pop().unwrap();
        assert_eq!(arrived.request_line(), format!("{method} /bucket/key?uploads HTTP/1.1"));
        assert_eq!((arrived.body.len(), arrived.header("transfer-encoding")), (0, None), "{method}");
    }
}

#[test]
fn what_an_sdk_says_about_its_own_chunks_stays() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let headers = [
        ("Content-Encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    let answer = proxy.connect().send(request("PUT", "/bucket/key", &headers, AWS_CHUNKED)).receive();
    assert_eq!(answer.status, 200);
    let arrived = upstream.only_request();
    assert_eq!(arrived.body, AWS_CHUNKED.as_bytes());
    for (name, value) in headers {
        assert_eq!(arrived.header(name).as_deref(), Some(value));
    }
}

#[test]
fn an_answer_in_mid_upload_is_passed_on_once_and_ends_both_connections() {
    let rules = Rules::usual();
    let upstream = Upstream::scripted(|served| {
        let Some(request) = served.request_head() else { return };
        if request.request_line().starts_with("PUT") {
            served.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied");
        } else {
            served.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
        }
    });
    let config = rules.config("limits: {body_read: 300ms}");
    let proxy = Proxy::start_with(rules.path(), &format!("http://{}", upstream.address), &["--config", &config]);
    for goes_on in [true, false] {
        let mut connection = proxy.connect();
        connection.send(request("PUT", "/bucket/key", &[ORIGIN, ("Content-Length", "100000000")], "the first bytes"));
        let answer = connection.receive();
        assert_eq!((answer.status, answer.text().as_str()), (403, "denied"));
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1));
        // No one takes the rest, so a client that goes on is stopped; one that does not is not waited for.
        while goes_on && connection.try_send([b'x'; 10_000]).is_ok() {}
        assert_eq!(connection.rest(), b"", "goes on: {goes_on}");
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), "body");
    }
    let lines: Vec<_> = upstream.received().iter().map(Received::request_line).collect();
    let (put, get) = ("PUT /bucket/key HTTP/1.1", "GET /bucket/key HTTP/1.1");
    assert_eq!(lines, [put, get, put, get], "no rest of an upload is taken for a request");
}

#[test]
fn a_client_that_stalls_is_told_and_let_go() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let config = rules.config("limits: {body_read: 300ms}");
    let proxy = Proxy::start_with(rules.path(), &format!("http://{}", upstream.address), &["--config", &config]);
    let mut connection = proxy.connect();
    connection.send(request("PUT", "/bucket/key", &[ORIGIN, ("Content-Length", "1000")], "the first bytes"));
    let answer = connection.receive();
    assert_eq!((answer.status, answer.element("Code").as_deref()), (408, Some("RequestTimeout")));
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1));
    assert!(connection.is_closed());
    assert!(upstream.received().is_empty(), "half an upload is no request");
    eventually("nothing is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 0.0));
    for kind in ["timeout", "reset", "other"] {
        let series = format!("s3cors_upstream_errors_total{{kind=\"{kind}\"}}");
        assert_eq!(proxy.metric(&series), Some(0.0), "the upstream is not to blame");
    }
}

#[test]
fn a_client_that_goes_away_in_mid_upload_takes_its_upstream_connection_along() {
    let rules = Rules::usual();
    let upstream = Upstream::scripted(|served| {
        while served.request().is_some() && served.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") {}
    });
    let proxy = Proxy::start(rules.path(), upstream.address);
    assert_eq!(proxy.fetch("GET", "/bucket/warm", &[]).status, 200);
    let mut connection = proxy.connect();
    connection.send(request("PUT", "/bucket/key", &[ORIGIN, ("Content-Length", "1000")], "the first bytes"));
    eventually("the upload is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 1.0));
    drop(connection);
    eventually("nothing is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 0.0));
    let gone = "s3cors_http_requests_total{code=\"499\",method=\"PUT\"}";
    assert_eq!(proxy.metric(gone), Some(1.0));
    assert_eq!(proxy.fetch("GET", "/bucket/after", &[]).status, 200);
    let lines: Vec<_> = upstream.received().iter().map(Received::request_line).collect();
    assert_eq!(lines, ["GET /bucket/warm HTTP/1.1", "GET /bucket/after HTTP/1.1"]);
}
