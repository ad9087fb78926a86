//! Several upstreams: who gets a request, and what becomes of requests when one of them goes and comes back.

use crate::support::eventually;
use crate::support::http::request;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::{Served, Upstream};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// Two ports on loopback addresses that no other test takes ports of: no one else listens there once an upstream is killed.
const FIRST: ([u8; 4], u16) = ([127, 0, 9, 1], 0);
const SECOND: ([u8; 4], u16) = ([127, 0, 9, 2], 0);

/// Answers, but not the requests for `/bucket/hold`, `/bucket/download` and `/bucket/upload`: those stay in the middle.
fn holding(served: &mut Served) {
    while let Some(head) = served.request_head() {
        let line = head.request_line();
        if line.contains("/bucket/download") {
            served.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
        }
        if !line.contains("/bucket/key") {
            served.read(1);
            while !served.read(65536).is_empty() {}
            return;
        }
        served.send(OK);
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn count(upstream: &Upstream, path: &str) -> usize {
    upstream.received().iter().filter(|request| request.request_line().contains(path)).count()
}

fn start(rules: &Rules, first: SocketAddr, second: SocketAddr, config: &str) -> Proxy {
    Proxy::start_with(rules.path(), &url(first), &["--upstream", &url(second), "--config", &rules.config(config)])
}

fn up(proxy: &Proxy, address: SocketAddr) -> f64 {
    proxy.metric(&format!("s3cors_upstream_up{{upstream=\"{}\"}}", url(address))).unwrap()
}

fn get(proxy: &Proxy) -> u16 {
    proxy.fetch("GET", "/bucket/key", &[]).status
}

/// A request ends behind its answer: waits until only so many are left.
fn in_flight(proxy: &Proxy, requests: f64) {
    eventually("requests end", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == requests));
}

fn lines(proxy: &Proxy, message: &str) -> usize {
    proxy.log().iter().filter(|line| line["message"] == message).count()
}

#[test]
fn two_upstreams_share_requests() {
    let (rules, first, second) = (Rules::usual(), Upstream::answering(OK), Upstream::answering(OK));
    let proxy = start(&rules, first.address, second.address, "");
    assert!((0..10).all(|_| get(&proxy) == 200));
    assert_eq!((first.received().len(), second.received().len()), (5, 5));
}

#[test]
fn least_connections_prefers_the_idle_one() {
    let (rules, first, second) = (Rules::usual(), Upstream::at(FIRST.into(), holding), Upstream::answering(OK));
    let proxy = start(&rules, first.address, second.address, "upstream: {balance: least_connections}");
    let mut held = proxy.connect();
    held.send(request("GET", "/bucket/hold", &[], ""));
    eventually("the first has it", || (count(&first, "/bucket/hold") == 1).then_some(()));
    for _ in 0..8 {
        assert_eq!(get(&proxy), 200);
        in_flight(&proxy, 1.0);
    }
    assert_eq!((count(&first, "/bucket/key"), second.received().len()), (0, 8));
    held.reset();
    in_flight(&proxy, 0.0);
    for _ in 0..8 {
        assert_eq!(get(&proxy), 200);
        in_flight(&proxy, 0.0);
    }
    assert_eq!(
        (count(&first, "/bucket/key"), second.received().len()),
        (4, 12),
        "a request that has ended counts no more"
    );
}

#[test]
fn a_killed_one_is_passed_over_and_comes_back() {
    let (rules, first, second) = (Rules::usual(), Upstream::at(FIRST.into(), holding), Upstream::answering(OK));
    let mut proxy = start(&rules, first.address, second.address, "");
    assert!((0..4).all(|_| get(&proxy) == 200));
    let address = first.kill();
    assert!((0..20).all(|_| get(&proxy) == 200));
    assert_eq!((up(&proxy, address), up(&proxy, second.address)), (0.0, 1.0));
    let line = proxy.wait_for_log("the address cannot be connected to; it is passed over for a while");
    assert_eq!((line["upstream"].as_str(), line["level"].as_str()), (Some(url(address).as_str()), Some("WARN")));

    let back = Upstream::at(address, holding);
    eventually("it has requests again", || {
        assert_eq!(get(&proxy), 200);
        (back.received().len() > 2).then_some(())
    });
    assert_eq!(up(&proxy, address), 1.0);
    proxy.wait_for_log("the address answers again");
    for message in ["the address cannot be connected to; it is passed over for a while", "the address answers again"] {
        assert_eq!(lines(&proxy, message), 1, "{message}");
    }
}

/// An address where connections are neither taken nor refused: its queue is full, so the system drops what comes.
fn black_hole() -> (SocketAddr, impl Drop) {
    struct Held(#[expect(dead_code, reason = "kept open")] (tokio::net::TcpListener, Vec<TcpStream>));
    impl Drop for Held {
        fn drop(&mut self) {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SECOND.into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200));
    let queued: Vec<_> = std::iter::from_fn(|| connect().ok()).take(64).collect();
    assert!(queued.len() < 64, "the queue never fills");
    (address, Held((listener, queued)))
}

#[test]
fn one_that_does_not_even_refuse_costs_one_request_its_timeout() {
    let (rules, (hole, _held), second) = (Rules::usual(), black_hole(), Upstream::answering(OK));
    let proxy = start(&rules, hole, second.address, "upstream: {timeouts: {connect: 1s}}");
    let started = Instant::now();
    assert!((0..10).all(|_| get(&proxy) == 200));
    let took = started.elapsed();
    assert!(took > Duration::from_millis(900), "the first was sent there: {took:?}");
    assert!(took < Duration::from_secs(3), "and the other four were not: {took:?}");
}

#[test]
fn an_upstream_that_restarts_between_requests_fails_no_get() {
    let (rules, mut upstream) = (Rules::usual(), Upstream::at(FIRST.into(), holding));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for restart in 0..10 {
        for _ in 0..3 {
            assert_eq!(get(&proxy), 200, "after {restart} restarts");
        }
        in_flight(&proxy, 0.0);
        let address = upstream.kill();
        if restart % 2 == 0 {
            assert_eq!(get(&proxy), 502, "there is no other");
            assert_eq!(up(&proxy, address), 0.0);
        }
        // Had it been passed over for a while, the first requests after its return would fail.
        upstream = Upstream::at(address, holding);
    }
    assert_eq!(get(&proxy), 200);
    assert_eq!(up(&proxy, upstream.address), 1.0);
}

#[test]
fn when_one_is_killed_exactly_the_requests_in_its_middle_fail() {
    let (rules, first, second) =
        (Rules::usual(), Upstream::at(FIRST.into(), holding), Upstream::at(SECOND.into(), holding));
    let proxy = start(&rules, first.address, second.address, "");
    let (mut download, mut upload, mut other) = (proxy.connect(), proxy.connect(), proxy.connect());
    download.send(request("GET", "/bucket/download", &[], ""));
    eventually("the first has the download", || (count(&first, "/bucket/download") == 1).then_some(()));
    other.send(request("GET", "/bucket/download", &[], ""));
    eventually("the second has another", || (count(&second, "/bucket/download") == 1).then_some(()));
    upload.send(request("PUT", "/bucket/upload", &[("Content-Length", "1000000")], &"x".repeat(100_000)));
    eventually("the first has the upload", || (count(&first, "/bucket/upload") == 1).then_some(()));
    first.kill();

    let cut = String::from_utf8(download.rest()).unwrap();
    assert!(cut.starts_with("HTTP/1.1 200") && cut.ends_with("\r\n\r\nhalf"), "{cut:?}");
    assert_eq!(upload.receive_to("PUT").status, 502);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| (0..25).map(|_| get(&proxy)).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 100]);
    assert_eq!(proxy.metric("s3cors_upstream_errors_total{kind=\"reset\"}"), Some(2.0));
    assert_eq!(proxy.metric("s3cors_upstream_errors_total{kind=\"connect\"}"), Some(0.0));
    // The other download goes on.
    in_flight(&proxy, 1.0);
}

#[test]
fn restarts_under_load_fail_nothing_but_what_was_in_flight() {
    const CLIENTS: usize = 4;
    const RESTARTS: usize = 3;
    let (rules, mut first, second) =
        (Rules::usual(), Upstream::at(FIRST.into(), holding), Upstream::at(SECOND.into(), holding));
    let proxy = start(&rules, first.address, second.address, "");
    let has_ended = AtomicBool::new(false);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let load =
            || std::iter::from_fn(|| (!has_ended.load(Ordering::SeqCst)).then(|| get(&proxy))).collect::<Vec<_>>();
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(load)).collect();
        for _ in 0..RESTARTS {
            eventually("the first is under load", || (count(&first, "/bucket/key") > 20).then_some(()));
            let address = first.kill();
            eventually("that is noticed", || (up(&proxy, address) == 0.0).then_some(()));
            first = Upstream::at(address, holding);
        }
        eventually("it is under load again", || (count(&first, "/bucket/key") > 20).then_some(()));
        has_ended.store(true, Ordering::SeqCst);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let failed: Vec<_> = statuses.iter().filter(|status| **status != 200).collect();
    println!("{} of {} requests failed: {failed:?}", failed.len(), statuses.len());
    // Each client has one request on its way when a server is killed, and only one that had never had an answer on its connection
    // is not tried again.
    assert!(failed.len() <= RESTARTS * CLIENTS && failed.iter().all(|status| **status == 502), "{failed:?}");
    assert_eq!(proxy.metric("s3cors_upstream_errors_total{kind=\"reset\"}"), Some(failed.len() as f64));
    assert_eq!(proxy.metric("s3cors_upstream_errors_total{kind=\"connect\"}"), Some(0.0), "the other one took those");
}

#[test]
fn a_host_that_is_configured_is_what_the_upstream_sees_and_not_what_buckets_are_found_by() {
    let (rules, upstream) = (Rules::usual(), Upstream::answering(OK));
    let config = rules.config("upstream: {host: 'minio.internal:9000'}");
    let mut proxy = Proxy::start_with(rules.path(), &url(upstream.address), &["--config", &config]);
    let warning =
        proxy.wait_for_log("upstream.host replaces the client's Host: signatures made for another host will not hold");
    assert_eq!((warning["level"].as_str(), warning["host"].as_str()), (Some("WARN"), Some("minio.internal:9000")));

    for (target, host) in [
        ("/key?x=%2F", "bucket.s3.example.test"),
        ("http://bucket.s3.example.test/key?x=%2F", "bucket.s3.example.test"),
    ] {
        let answer = proxy.fetch("GET", target, &[("hOSt", host), ("Origin", "https://app.example")]);
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("https://app.example")));
        let received = upstream.received().pop().unwrap();
        assert_eq!(received.request_line(), "GET /key?x=%2F HTTP/1.1", "{target}");
        let hosts: Vec<_> =
            received.headers().into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")).collect();
        assert_eq!(hosts.len(), 1, "{hosts:?}");
        assert_eq!(hosts[0].1, "minio.internal:9000");
    }
}

#[test]
fn a_name_that_does_not_resolve_is_logged_once_and_not_with_each_request() {
    let rules = Rules::usual();
    // Never a name (RFC 6761 §6.4).
    let proxy = Proxy::start_with(rules.path(), "http://store.invalid:9000", &[]);
    for _ in 0..5 {
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 503);
    }
    let log = proxy.log();
    let unresolved =
        log.iter().filter(|line| line["message"].as_str().is_some_and(|said| said.contains("not resolve")));
    assert_eq!(unresolved.count(), 1, "{log:#?}");
    assert!(!log.iter().any(|line| line["message"] == "upstream failed"), "{log:#?}");
}
