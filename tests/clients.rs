//! Clients that misbehave: they get what they asked for, and no one else does.

use crate::support::eventually;
use crate::support::http::request;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;

fn start(upstream: &Upstream) -> (Rules, Proxy) {
    let rules = Rules::usual();
    let proxy = Proxy::start(rules.path(), upstream.address);
    (rules, proxy)
}

/// Answers every request with its own target.
fn echo() -> Upstream {
    Upstream::scripted(|served| {
        while let Some(request) = served.request() {
            let line = request.request_line();
            if !served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len())) {
                return;
            }
        }
    })
}

fn until_idle(proxy: &Proxy) {
    eventually("nothing is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 0.0));
}

#[test]
fn a_client_that_goes_away_in_mid_download_leaves_nothing_behind() {
    let upstream = Upstream::scripted(|served| {
        while let Some(request) = served.request() {
            if request.request_line().contains("endless") {
                served.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n");
                while served.send([b'x'; 100_000]) {}
                return;
            }
            served.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
        }
    });
    let (_rules, proxy) = start(&upstream);
    for _ in 0..3 {
        let mut connection = proxy.connect();
        connection.send(request("GET", "/bucket/endless", &[], ""));
        eventually("it is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 1.0));
        drop(connection);
        until_idle(&proxy);
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), "body");
    }
    eventually("no connection stays", || proxy.metric("s3cors_connections_open").filter(|n| *n == 0.0));
    let errors: Vec<_> = proxy.log().into_iter().filter(|line| line["level"] == "ERROR").collect();
    assert!(errors.is_empty(), "no one has to fix what a client broke off: {errors:#?}");
}

#[test]
fn a_request_that_is_not_http_is_refused_and_the_next_one_is_not() {
    let upstream = echo();
    let (_rules, proxy) = start(&upstream);
    let many = format!("GET /b/k HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(300));
    let long = format!("GET /b/k HTTP/1.1\r\nHost: x\r\na: {}\r\n\r\n", "b".repeat(2_000_000));
    for malformed in [
        "\x16\x03\x01\x02\x00\x01\r\n\r\n",
        "GET\r\n\r\n",
        "GET /b/k HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /b/k HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET /b/k HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "GET /b/<k> HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /b/`k HTTP/1.1\r\nHost: x\r\n\r\n",
        "PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        "PUT /b/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\na",
        "PUT /b/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "PUT /b/k HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &many,
        &long,
    ] {
        let shown = malformed.escape_default().take(80).collect::<String>();
        let mut connection = proxy.connect();
        let _ = connection.try_send(malformed);
        let answer = String::from_utf8_lossy(&connection.rest()).into_owned();
        let refused = ["HTTP/1.1 400 ", "HTTP/1.1 431 "].iter().any(|status| answer.starts_with(status));
        assert!(answer.is_empty() || refused, "{shown}: {answer}");
        assert_eq!(proxy.fetch("GET", "/bucket/next", &[]).text(), "GET /bucket/next HTTP/1.1", "after {shown}");
    }
    let received = upstream.received();
    assert!(received.iter().all(|request| request.request_line() == "GET /bucket/next HTTP/1.1"), "{received:#?}");
    until_idle(&proxy);
}

#[test]
fn there_is_no_tunnel_and_a_trace_is_a_request_like_any_other() {
    let upstream = echo();
    let (_rules, proxy) = start(&upstream);
    for target in ["bucket.s3.example.test:443", "/bucket/key"] {
        let mut connection = proxy.connect();
        let answer = connection.send(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")).receive();
        assert_eq!(answer.status, 405, "{target}");
        let _ = connection.try_send(request("GET", "/bucket/tunnelled", &[], ""));
        assert_eq!(connection.rest(), b"", "{target}");
    }
    assert!(upstream.received().is_empty());
    assert_eq!(proxy.fetch("TRACE", "/bucket/key", &[]).text(), "TRACE /bucket/key HTTP/1.1");
}

#[test]
fn no_one_gets_an_answer_that_was_for_somebody_else() {
    // Sends more than it says, leaves off in the middle, or closes: each in turn with honest answers.
    let upstream = Upstream::scripted(|served| {
        while let Some(request) = served.request() {
            let line = request.request_line();
            let sent = match line.split([' ', '-']).nth(1).unwrap() {
                "/bucket/surplus" => served.send(
                    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
                ),
                "/bucket/cut" => {
                    served.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut");
                    return;
                }
                "/bucket/unasked" => served.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil"),
                "/bucket/close" => return,
                _ => served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{line}", line.len())),
            };
            if !sent {
                return;
            }
        }
    });
    let (_rules, proxy) = start(&upstream);
    let mut kept = proxy.connect();
    for round in 0..5 {
        for kind in ["surplus", "cut", "unasked", "close"] {
            let mut connection = proxy.connect();
            connection.send(request("GET", &format!("/bucket/{kind}-{round}"), &[("Connection", "close")], ""));
            let answer = String::from_utf8_lossy(&connection.rest()).into_owned();
            assert!(!answer.contains("evil"), "{kind}: {answer}");
            for number in 0..3 {
                let target = format!("/bucket/honest-{kind}-{round}-{number}");
                let own = format!("GET {target} HTTP/1.1");
                assert_eq!(kept.send(request("GET", &target, &[], "")).receive().text(), own);
                assert_eq!(proxy.fetch("GET", &target, &[]).text(), own);
            }
        }
    }
}

#[test]
fn a_client_that_sends_nothing_more_is_let_go() {
    let upstream = Upstream::ok("body");
    let rules = Rules::usual();
    let config = rules.config("limits: {idle: 1s}");
    let proxy = Proxy::start_with(rules.path(), &format!("http://{}", upstream.address), &["--config", &config]);
    let mut connection = proxy.connect();
    for _ in 0..2 {
        let answer = connection.send(request("GET", "/bucket/key", &[], "")).receive();
        assert_eq!(answer.header("connection"), Some("keep-alive"));
    }
    assert!(connection.is_closed(), "an idle connection is closed after limits.idle");
}

#[test]
fn a_client_that_wants_to_close_gets_its_wish() {
    let upstream = Upstream::ok("body");
    let (_rules, proxy) = start(&upstream);
    for (version, wish, kept) in [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: keep-alive\r\n", true),
    ] {
        for (target, method) in [("/bucket/key", "GET"), ("/bucket/key", "OPTIONS")] {
            let mut connection = proxy.connect();
            connection.send(format!("{method} {target} {version}\r\nHost: x\r\n{wish}\r\n"));
            let answer = connection.receive();
            let case = format!("{method} {version} {wish:?}");
            assert_eq!(answer.header("connection"), Some(if kept { "keep-alive" } else { "close" }), "{case}");
            if kept {
                assert_eq!(connection.send(request("GET", target, &[], "")).receive().text(), "body", "{case}");
            } else {
                assert!(connection.is_closed(), "{case}");
            }
        }
    }
}
