//! Limits, refusals, targets, uploads and failures, over each protocol.

use super::{Body, Case, Got, Intended, OK, Protocol, Protocols, http2};
use crate::support::h2::Http2;
use crate::support::twins::Plan;

const LARGE: usize = 64 << 20;

#[test]
fn limits_are_the_same() {
    let mut protocols = Protocols::new();
    let value = |length: usize| "v".repeat(length);
    let mut many = Case::get();
    many.lines.extend((0..300).map(|number| (format!("x-{number}"), "v".to_owned())));
    let mut lines = Case::get();
    lines.lines.extend((0..20).map(|number| (format!("x-{number}"), value(1000))));
    for case in [
        Case::get().line("x-amz-meta-a", &value(10)).is(200),
        Case::get().line("x-amz-meta-a", &value(15_000)).is(200),
        Case::get().line("x-amz-meta-a", &value(17_000)).is(431).differing(Intended::UnreadHead),
        Case::get().line("x-amz-meta-a", &value(60_000)).is(431).differing(Intended::UnreadHead),
        Case::new("GET", format!("/bucket/{}", value(20_000))).is(431).differing(Intended::UnreadHead),
        lines.is(431).differing(Intended::UnreadHead),
        many.is(431).differing(Intended::UnreadHead),
    ] {
        protocols.check(&case);
    }
    protocols.finish(7);
}

#[test]
fn refusals_are_the_same() {
    let mut protocols = Protocols::new();
    let preflight = |origin: &str, method: &str| {
        let mut case = Case::new("OPTIONS", "/bucket/key");
        case.lines = vec![("origin".to_owned(), origin.to_owned())];
        case.line("access-control-request-method", method)
    };
    for case in [
        preflight("https://app.example", "PUT").is(200),
        preflight("https://app.example", "DELETE").is(403),
        preflight("https://evil.example", "PUT").is(403),
        preflight("https://app.example", "PUT").line("access-control-request-headers", "x-amz-a,bad header").is(400),
        Case::new("OPTIONS", "/bucket/key").is(403),
        Case::new("CONNECT", "s3.example.test:443").hosted("s3.example.test:443").is(405),
        Case::get().line("host", "other.example.test").is(400),
        Case::get().line("content-length", "3, 3").is(400),
        Case::get().line("content-length", "+3").is(400),
        Case::get().line("content-length", "x").is(400),
        Case::get().line("content-length", "3").line("content-length", "3").is(400),
        Case::get().line("content-length", "18446744073709551616").is(400),
        Case::get().hosted("u@h").is(400),
        Case::get().hosted("h/k").is(400),
        Case::get().hosted("h\\k").is(400),
        Case::get().line("x a", "b").is(400).differing(Intended::StreamError),
        Case::get().line("x-a", "b\u{1}").is(400).differing(Intended::StreamError),
        Case::new("G@T", "/bucket/key").is(400).differing(Intended::StreamError),
    ] {
        protocols.check(&case);
    }
    protocols.finish(18);
}

#[test]
fn targets_are_the_same() {
    let mut protocols = Protocols::new();
    for (method, target, status) in [
        ("GET", &b"/bucket/key"[..], 200),
        ("GET", b"/", 200),
        ("GET", b"*", 200),
        ("OPTIONS", b"*", 403),
        ("DELETE", b"/bucket/key#2", 400),
        ("GET", b"/bucket/key?a#b", 400),
        ("GET", b"/bucket/#", 400),
        ("GET", b"/bucket/<key>", 400),
        ("GET", b"/bucket/`", 400),
        ("GET", b"/bucket/a b", 400),
        ("GET", b"/bucket/a\tb", 400),
        ("GET", b"/bucket/a\x7fb", 400),
        ("GET", "/bucket/gr\u{f6}\u{df}e \u{6f22}".replace(' ', "").as_bytes(), 200),
        ("PUT", "/bucket/\u{1f600}?\u{e9}".as_bytes(), 200),
        ("GET", b"/bucket/\"{}|^'", 200),
        ("GET", b"/bucket/key?\"q\"|{}", 200),
        ("GET", b"/bucket/key?<", 400),
        ("GET", b"//bucket/../%2f%2F?b+c=?&", 200),
        ("GET", b"/bucket/%zz%", 200),
        ("GET", b"/bucket/a\\b", 200),
        ("GET", b"/bucket/[1]", 200),
        ("HEAD", b"/bucket/key#2", 400),
    ] {
        protocols.check(&Case::new(method, target).is(status));
    }
    protocols.finish(22);
}

#[test]
fn uploads_are_the_same() {
    let mut protocols = Protocols::new();
    let early = Plan {
        is_early: true,
        sends: vec!["HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nConnection: close\r\n\r\ndenied".into()],
        ..Plan::default()
    };
    let asking = Plan { asks: true, sends: vec![OK.into()], ..Plan::default() };
    let stopped = Plan { is_early: true, ..Plan::default() };
    for case in [
        Case::put(Body::None).is(200),
        Case::new("POST", "/bucket/key?uploads").is(200),
        Case::new("PATCH", "/bucket/key").is(200),
        Case::new("DELETE", "/bucket/key").is(200),
        Case::put(Body::Whole(b"small".to_vec())).is(200),
        Case::put(Body::Whole(vec![b'x'; 200_000])).is(200),
        Case::put(Body::Whole(Vec::new())).is(200),
        Case::put(Body::Streamed(b"small".to_vec())).is(200),
        Case::put(Body::Streamed(vec![b'x'; 200_000])).is(200),
        Case::put(Body::Streamed(Vec::new())).is(200),
        Case::put(Body::Awaiting(b"awaited".to_vec())).line("expect", "100-continue").planned(asking).is(200),
        Case::put(Body::Stopped(100, b"half".to_vec())).is(408),
        // Without a byte: whether one is read before the response is chance.
        Case::put(Body::Stopped(LARGE, Vec::new())).planned(early).is(403),
        Case::put(Body::Whole(vec![b'x'; LARGE])).planned(stopped).is(504).differing(Intended::LostResponse),
    ] {
        protocols.check(&case);
    }
    protocols.finish(14);
}

#[test]
fn a_host_is_the_same_with_the_port_of_its_scheme_and_in_any_case() {
    let mut protocols = Protocols::new();
    for (protocol, stage) in &mut protocols.stages {
        let authority = &protocols.authority;
        for (host, line, http, https) in [
            ("localhost:80", "localhost", 200, 400),
            ("localhost", "localhost:80", 200, 400),
            ("localhost:443", "localhost", 400, 200),
            ("LocalHost", "localhost", 200, 200),
            ("localhost", "localhost", 200, 200),
            ("localhost:8080", "localhost", 400, 400),
        ] {
            let case = Case::get().hosted(host).line("host", line);
            let (got, _, _) = stage.observe(&case.plan, |address| match protocol {
                Protocol::Http1 => Got::default(),
                Protocol::H2c => http2(Http2::open(address), "http", &case),
                Protocol::H2 => http2(Http2::over_tls(authority, address), "https", &case),
            });
            match protocol {
                Protocol::Http1 => {}
                Protocol::H2c => assert_eq!(got.status, http, "{host} {line}"),
                Protocol::H2 => assert_eq!(got.status, https, "{host} {line}"),
            }
        }
    }
}

#[test]
fn failures_are_the_same() {
    let mut protocols = Protocols::new();
    let closing = |sends: &str| Plan { sends: vec![sends.into()], closes: true, ..Plan::default() };
    for (answer, status) in [
        ("", 502),
        ("HTTP/1.1 20", 502),
        ("HTTP/1.1 200 OK\r\nContent-Le", 502),
        ("SSH-2.0-x\r\n\r\n", 502),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 502),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 502),
        ("HTTP/1.1 101 Switching\r\n\r\n", 502),
        ("HTTP/1.1 099 X\r\n\r\n", 502),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx", 502),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404),
        ("HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n", 304),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204),
        ("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", 200),
    ] {
        for method in ["GET", "HEAD", "PUT"] {
            let body = if method == "PUT" { Body::Whole(b"body".to_vec()) } else { Body::None };
            let status = if method == "HEAD" && answer.ends_with("\r\n\r\nx") { 200 } else { status };
            let case = Case { body, ..Case::new(method, "/bucket/key") };
            protocols.check(&case.answered(answer).planned(closing(answer)).is(status));
        }
    }
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ] {
        let case = Case::get().answered(answer).planned(closing(answer)).is(200);
        protocols.check(&case.differing(Intended::BrokenOff));
    }
    let silent = Plan::default();
    protocols.check(&Case::get().answered("nothing").planned(silent.clone()).is(504));
    protocols.check(&Case::put(Body::Whole(b"body".to_vec())).answered("nothing").planned(silent).is(504));
    protocols.finish(46);
}
