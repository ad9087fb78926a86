//! `Expect: 100-continue`, which every AWS SDK sends with an upload.

use crate::support::http::{Connection, Response, request};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::{Served, Upstream};

const ORIGIN: (&str, &str) = ("Origin", "https://app.example");
const BODY: &str = "0123456789";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone";

fn start(script: impl Fn(&mut Served) + Send + Sync + 'static) -> (Rules, Upstream, Proxy) {
    let (rules, upstream) = (Rules::usual(), Upstream::scripted(script));
    let proxy = Proxy::start(rules.path(), upstream.address);
    (rules, upstream, proxy)
}

/// Asks for each upload with 100, and takes it.
fn polite(served: &mut Served) {
    while let Some(request) = served.request_head() {
        if request.header("expect").as_deref() == Some("100-continue") {
            served.send(CONTINUE);
            let mut body = Vec::new();
            while body.len() < BODY.len() {
                let more = served.read(BODY.len() - body.len());
                if more.is_empty() {
                    return;
                }
                body.extend(more);
            }
            assert_eq!(body, BODY.as_bytes());
        }
        if !served.send(DONE) {
            return;
        }
    }
}

/// Sends the head of an upload with these headers beside its own.
fn announce(connection: &mut Connection, further: &[(&str, &str)]) {
    let length = BODY.len().to_string();
    let headers = [&[ORIGIN, ("Content-Length", &length), ("Expect", "100-continue")], further].concat();
    connection.send(request("PUT", "/bucket/key", &headers, ""));
}

fn upload(connection: &mut Connection, further: &[(&str, &str)]) -> Response {
    announce(connection, further);
    assert_eq!(connection.receive().status, 100);
    connection.send(BODY).receive()
}

#[test]
fn an_upload_is_asked_for_by_the_upstream_and_its_connection_is_kept() {
    let (_rules, upstream, proxy) = start(polite);
    let mut connection = proxy.connect();
    for _ in 0..3 {
        let answer = upload(&mut connection, &[]);
        assert_eq!((answer.status, answer.text().as_str()), (200, "done"));
        assert_eq!(answer.header("connection"), Some("keep-alive"));
        assert_eq!(connection.send(request("GET", "/bucket/key", &[], "")).receive().text(), "done");
    }
    assert_eq!(upstream.received().len(), 6);
}

#[test]
fn a_client_that_wants_to_close_afterwards_may() {
    let (_rules, _upstream, proxy) = start(polite);
    let mut connection = proxy.connect();
    let answer = upload(&mut connection, &[("Connection", "close")]);
    assert_eq!((answer.status, answer.text().as_str()), (200, "done"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(connection.is_closed());
}

#[test]
fn a_refusal_instead_of_100_closes_for_the_body_may_still_come() {
    let (_rules, upstream, proxy) = start(|served| {
        while served.request_head().is_some()
            && served.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied")
        {}
    });
    let mut connection = proxy.connect();
    announce(&mut connection, &[]);
    let answer = connection.receive();
    assert_eq!((answer.status, answer.text().as_str()), (403, "denied"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1));
    let _ = connection.try_send("GET /bucket/smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(connection.rest(), b"");
    assert_eq!(upstream.received().len(), 1);
}

#[test]
fn a_refusal_of_our_own_closes_and_asks_for_no_body() {
    let (_rules, upstream, proxy) = start(polite);
    let mut connection = proxy.connect();
    announce(&mut connection, &[("Access-Control-Request-Method", "get")]);
    let answer = connection.receive();
    assert_eq!((answer.status, answer.header("connection")), (400, Some("close")));
    let _ = connection.try_send("GET /bucket/smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(connection.rest(), b"");
    assert!(upstream.received().is_empty());
}

#[test]
fn a_client_that_does_not_wait_gets_its_answer_all_the_same() {
    let (_rules, _upstream, proxy) = start(|served| while served.request().is_some() && served.send(DONE) {});
    let mut connection = proxy.connect();
    for _ in 0..2 {
        announce(&mut connection, &[]);
        let answer = connection.send(BODY).receive();
        assert_eq!((answer.status, answer.text().as_str()), (200, "done"));
        assert_eq!(answer.header("connection"), Some("keep-alive"));
    }
}
