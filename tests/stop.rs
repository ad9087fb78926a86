//! The end: `/readyz` fails first, what is in flight ends, and the process goes as soon as nothing is left.

use crate::support::http::{Connection, request};
use crate::support::process::configured;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use crate::support::{DEADLINE, eventually};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(1);

/// An upstream that sends the head and half a body, and the rest when told to.
fn slow_upstream() -> (Upstream, Sender<()>) {
    let (go, wait): (Sender<()>, Receiver<()>) = channel();
    let wait = Mutex::new(wait);
    let upstream = Upstream::scripted(move |served| {
        while served.request().is_some() {
            served.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
            if wait.lock().unwrap().recv_timeout(DEADLINE).is_ok() {
                served.send("rest");
            }
        }
    });
    (upstream, go)
}

/// A request whose answer has begun and not ended.
fn in_flight(proxy: &Proxy, upstream: &Upstream) -> Connection {
    let mut connection = proxy.connect();
    connection.send(request("GET", "/bucket/key", &[("Origin", "https://app.example")], ""));
    upstream.only_request();
    connection
}

fn wait_until_refused(proxy: &Proxy) {
    eventually("new connections are refused", || TcpStream::connect(proxy.address).is_err().then_some(()));
}

#[test]
fn a_request_in_flight_ends_and_the_process_right_after_it() {
    let rules = Rules::usual();
    let (upstream, go) = slow_upstream();
    let mut proxy = Proxy::start(rules.path(), upstream.address);
    let mut connection = in_flight(&proxy, &upstream);
    let idle = proxy.connect();
    proxy.signal("TERM");
    wait_until_refused(&proxy);
    assert!(proxy.is_running(), "a request is in flight");
    go.send(()).unwrap();
    let answer = connection.receive();
    let ended = Instant::now();
    assert_eq!((answer.status, answer.text().as_str()), (200, "halfrest"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(proxy.wait_for_exit().code(), Some(0));
    println!("end after the last request: {:?}", ended.elapsed());
    assert!(ended.elapsed() < SOON, "{:?}", ended.elapsed());
    eventually("the end is told", || proxy.log().iter().any(|line| line["message"] == "drained").then_some(()));
    drop(idle);
}

#[test]
fn an_idle_process_ends_within_a_second_whatever_is_connected() {
    for signal in ["TERM", "INT", "QUIT"] {
        let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
        let mut proxy = Proxy::start(rules.path(), upstream.address);
        let mut kept = proxy.connect();
        assert_eq!(kept.send(request("GET", "/bucket/key", &[], "")).receive().status, 200);
        let silent = proxy.connect();
        let asking = Connection::open(proxy.admin);
        eventually("both are counted", || (proxy.metric("s3cors_connections_open") == Some(2.0)).then_some(()));
        let told = Instant::now();
        proxy.signal(signal);
        assert_eq!(proxy.wait_for_exit().code(), Some(0), "{signal}");
        println!("end of an idle process after {signal}: {:?}", told.elapsed());
        assert!(told.elapsed() < SOON, "{signal}: {:?}", told.elapsed());
        assert!(kept.is_closed());
        drop((silent, asking));
    }
}

/// A client cannot know that the process ends: what it sends at that moment is not lost.
#[test]
fn a_request_that_was_on_its_way_is_answered_and_told_to_close() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let mut proxy = Proxy::start(rules.path(), upstream.address);
    let (mut kept, mut fresh) = (proxy.connect(), proxy.connect());
    let get = request("GET", "/bucket/key", &[], "");
    assert_eq!(kept.send(&get).receive().header("connection"), Some("keep-alive"));
    eventually("both are counted", || (proxy.metric("s3cors_connections_open") == Some(2.0)).then_some(()));
    proxy.signal("TERM");
    wait_until_refused(&proxy);
    for connection in [&mut kept, &mut fresh] {
        let answer = connection.send(&get).receive();
        assert_eq!((answer.text().as_str(), answer.header("connection")), ("body", Some("close")));
    }
    assert_eq!(proxy.wait_for_exit().code(), Some(0));
}

#[test]
fn what_outlives_the_drain_time_is_cut() {
    for (drain, least) in [("1s", 1000), ("300ms", 300)] {
        let rules = Rules::usual();
        let (upstream, _go) = slow_upstream();
        let mut proxy = configured(rules.path(), upstream.address, &format!("shutdown: {{drain: {drain}}}\n"));
        let mut connection = in_flight(&proxy, &upstream);
        let told = Instant::now();
        proxy.signal("TERM");
        assert_eq!(proxy.wait_for_exit().code(), Some(0), "{drain}");
        let taken = told.elapsed();
        println!("end of a process with drain {drain}: {taken:?}");
        assert!(taken >= Duration::from_millis(least), "{drain}: what is in flight has its time: {taken:?}");
        assert!(taken < Duration::from_secs(3), "{drain}: {taken:?}");
        assert!(String::from_utf8(connection.rest()).unwrap().ends_with("half"), "cut, not finished");
    }
}

#[test]
fn a_delay_keeps_serving_while_readyz_fails() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let mut proxy = configured(rules.path(), upstream.address, "shutdown: {delay: 1s}\n");
    assert_eq!(proxy.ask("GET", "/readyz").status, 200);
    let told = Instant::now();
    proxy.signal("TERM");
    let not_ready = eventually("readyz fails", || Some(proxy.ask("GET", "/readyz")).filter(|page| page.status == 503));
    assert_eq!(not_ready.text(), "draining\n");
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), "body", "a new connection is still served");
    assert_eq!(proxy.preflight("/bucket/key", "https://app.example", "GET").status, 200);
    assert_eq!(proxy.ask("GET", "/healthz").status, 200, "it lives");
    assert!(told.elapsed() < Duration::from_secs(1), "this was not the delay: {:?}", told.elapsed());
    assert_eq!(proxy.wait_for_exit().code(), Some(0));
    let taken = told.elapsed();
    assert!(taken >= Duration::from_secs(1) && taken < Duration::from_secs(1) + SOON, "{taken:?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let rules = Rules::usual();
    let (upstream, _go) = slow_upstream();
    let mut proxy = configured(rules.path(), upstream.address, "shutdown: {delay: 1h}\n");
    let _connection = in_flight(&proxy, &upstream);
    proxy.signal("TERM");
    eventually("it drains", || (proxy.ask("GET", "/readyz").status == 503).then_some(()));
    let told = Instant::now();
    proxy.signal("INT");
    assert_eq!(proxy.wait_for_exit().code(), Some(130));
    assert!(told.elapsed() < SOON, "{:?}", told.elapsed());
}
