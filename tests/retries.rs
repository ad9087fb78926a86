//! What is tried again, and what never: a request that the upstream may have carried out.

use crate::support::eventually;
use crate::support::http::request;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Answers once on its first connection, takes one request more there and closes instead of an answer: a server whose idle
/// timeout ends as a request arrives. Every other connection is served.
fn closing_as_a_request_comes() -> Upstream {
    Upstream::scripted(|served| {
        let mut answers = 0;
        while let Some(request) = served.request() {
            if (request.connection == 0 && answers == 1) || !served.send(OK) {
                return;
            }
            answers += 1;
        }
    })
}

#[test]
fn a_request_that_can_be_repeated_is_when_a_kept_connection_turns_out_closed() {
    let large = "x".repeat(100_000);
    for (method, body, status, arrivals) in [
        ("GET", "", 200, 2),
        ("HEAD", "", 200, 2),
        ("DELETE", "", 200, 2),
        ("PUT", "small", 200, 2),
        ("PUT", large.as_str(), 502, 1),
        ("POST", "", 502, 1),
        ("POST", "small", 502, 1),
        ("PATCH", "small", 502, 1),
    ] {
        let case = format!("{method}, {} bytes", body.len());
        let (rules, upstream) = (Rules::usual(), closing_as_a_request_comes());
        let proxy = Proxy::start(rules.path(), upstream.address);
        assert_eq!(proxy.fetch("GET", "/bucket/first", &[]).status, 200);
        // The connection is back in the pool once the request is over.
        eventually("nothing is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 0.0));
        let answer = proxy.connect().send(request(method, "/bucket/second", &[], body)).receive_to(method);
        assert_eq!(answer.status, status, "{case}");
        let second: Vec<_> = upstream.received().into_iter().skip(1).collect();
        assert_eq!(second.len(), arrivals, "{case}");
        assert_eq!(second[0].connection, 0, "{case}");
        assert!(second.iter().all(|request| request.body == body.as_bytes()), "{case}");
        let failed = if status == 200 { 0.0 } else { 1.0 };
        assert_eq!(proxy.metric("s3cors_upstream_errors_total{kind=\"reset\"}"), Some(failed), "{case}");
    }
}

#[test]
fn while_one_address_is_dead_the_other_serves_everything() {
    let (rules, upstream) = (Rules::usual(), Upstream::answering(OK));
    let alive = format!("http://{}", upstream.address);
    let dead = "http://127.0.0.1:1";
    let proxy = Proxy::start_with(rules.path(), dead, &["--upstream", &alive]);
    // Nothing was sent to the dead one, so even what may not be repeated can go to the other.
    for method in ["GET", "PUT", "POST", "DELETE"] {
        for _ in 0..4 {
            let answer = proxy.connect().send(request(method, "/bucket/key", &[], "")).receive();
            assert_eq!((answer.status, answer.text().as_str()), (200, "ok"), "{method}");
        }
    }
    assert_eq!(upstream.received().len(), 16);
    assert_eq!(proxy.metric(&format!("s3cors_upstream_up{{upstream=\"{dead}\"}}")), Some(0.0));
    assert_eq!(proxy.metric(&format!("s3cors_upstream_up{{upstream=\"{alive}\"}}")), Some(1.0));
    assert_eq!(proxy.metric("s3cors_http_requests_total{code=\"200\",method=\"GET\"}"), Some(4.0));
}

#[test]
fn requests_at_the_same_time_do_not_send_each_other_to_the_dead_address() {
    let (rules, upstream) = (Rules::usual(), Upstream::answering(OK));
    let proxy =
        Proxy::start_with(rules.path(), "http://127.0.0.1:1", &["--upstream", &format!("http://{}", upstream.address)]);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let fetch = || (0..30).map(|_| proxy.fetch("GET", "/bucket/key", &[]).status).collect::<Vec<_>>();
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(fetch)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 180]);
}

#[test]
fn a_closed_connection_and_a_dead_address_together_are_no_failure() {
    let (rules, upstream) = (Rules::usual(), closing_as_a_request_comes());
    let alive = format!("http://{}", upstream.address);
    let proxy = Proxy::start_with(rules.path(), &alive, &["--upstream", "http://127.0.0.1:1"]);
    for _ in 0..4 {
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200);
        eventually("nothing is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 0.0));
    }
    assert!(upstream.received().iter().filter(|request| request.connection == 0).count() == 2, "it did close");
}
