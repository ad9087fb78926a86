//! Limits on what a client may use: time, memory, connections.

use crate::support::eventually;
use crate::support::http::{Connection, Response, request};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::time::{Duration, Instant};

/// A proxy with these limits, its upstream and its rules.
fn limited(limits: &str) -> (Proxy, Upstream, Rules) {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let config = rules.config(&format!("limits: {{{limits}}}"));
    let url = format!("http://{}", upstream.address);
    let proxy = Proxy::start_with(rules.path(), &url, &["--config", &config]);
    (proxy, upstream, rules)
}

fn error(answer: &Response) -> (u16, Option<String>) {
    assert_eq!(answer.element("RequestId").as_deref(), answer.header("x-amz-request-id"));
    assert_eq!(answer.header("connection"), Some("close"));
    (answer.status, answer.element("Code"))
}

#[test]
fn running_out_of_descriptors_is_logged_once_counted_and_passes() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -n 128; exec \"$@\"", "sh", crate::support::proxy::PROGRAM, "serve"]);
    shell.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--upstream"]);
    shell.arg(format!("http://{}", upstream.address)).arg("--rules").arg(rules.path());
    let proxy = Proxy::spawn(shell);
    let logged = |proxy: &Proxy| proxy.log().iter().filter(|line| line.to_string().contains("Accept() failed")).count();
    let held: Vec<_> = (0..160).map(|_| proxy.connect()).collect();
    // The library tries again every second.
    let started = Instant::now();
    eventually("it has failed more than once", || {
        (logged(&proxy) > 0 && started.elapsed() > Duration::from_millis(2500)).then_some(())
    });
    assert_eq!(logged(&proxy), 1, "{:#?}", proxy.log());
    drop(held);
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200, "it accepts again");
    let failures = proxy.metric("s3cors_accept_failures_total").unwrap();
    assert!(failures > 1.0, "{failures}");
}

#[test]
fn a_head_has_one_deadline_even_if_bytes_keep_arriving() {
    let (proxy, upstream, _rules) = limited("header_read: 600ms");
    let started = Instant::now();
    let mut connection = proxy.connect();
    let head = request("GET", "/bucket/key", &[("x-long", &"y".repeat(500))], "");
    connection.stream().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let mut bytes = head.as_bytes().iter();
    // One byte every 20 ms: the whole head would take ten seconds.
    while !connection.has_input() {
        connection.try_send([*bytes.next().expect("the deadline passes before the head is sent")]).unwrap();
    }
    connection.stream().set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(error(&connection.receive()), (408, Some("RequestTimeout".into())));
    assert!(connection.is_closed());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(upstream.received().is_empty());
    assert_eq!(proxy.metric("s3cors_http_requests_total{code=\"408\",method=\"other\"}"), Some(1.0));
}

#[test]
fn a_client_that_sends_no_byte_is_closed_without_a_response() {
    let (proxy, _upstream, _rules) = limited("header_read: 200ms");
    assert_eq!(proxy.connect().rest(), b"");
}

#[test]
fn a_head_above_the_size_limit_is_rejected_and_one_below_is_not() {
    let (proxy, upstream, _rules) = limited("header_size: 16KiB");
    let long = "x".repeat(15 * 1024);
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[("x-long", &long)]).status, 200);
    let longer = "x".repeat(32 * 1024);
    let mut connection = proxy.connect();
    let _ = connection.try_send(request("GET", "/bucket/key", &[("x-long", &longer)], ""));
    assert_eq!(error(&connection.receive()), (431, Some("RequestHeaderSectionTooLarge".into())));
    assert_eq!(upstream.received().len(), 1);
}

#[test]
fn a_head_may_arrive_in_pieces_and_after_empty_lines() {
    let (proxy, upstream, _rules) = limited("");
    let mut connection = proxy.connect();
    for round in 0..3 {
        let head = request("PUT", &format!("/bucket/{round}"), &[("Content-Length", "4")], "");
        connection.send("\r\n");
        for piece in head.as_bytes().chunks(7) {
            connection.send(piece);
        }
        connection.send("body");
        assert_eq!(connection.receive().status, 200);
    }
    let received = upstream.received();
    assert_eq!(received.iter().map(|request| request.body.as_slice()).collect::<Vec<_>>(), [b"body"; 3]);
}

#[test]
fn connections_above_the_limit_get_slow_down() {
    let (proxy, _upstream, _rules) = limited("connections: 3");
    let open = |proxy: &Proxy| proxy.metric("s3cors_connections_open");
    eventually("the connections of the start are closed", || (open(&proxy) == Some(0.0)).then_some(()));
    let held: Vec<Connection> = (0..3).map(|_| proxy.connect()).collect();
    eventually("three connections are open", || (open(&proxy) == Some(3.0)).then_some(()));
    let mut fourth = proxy.connect();
    let _ = fourth.try_send(request("GET", "/bucket/key", &[], ""));
    assert_eq!(error(&fourth.receive()), (503, Some("SlowDown".into())));
    drop(held);
    eventually("there is room again", || {
        let mut connection = proxy.connect();
        connection.send(request("GET", "/bucket/key", &[], ""));
        (connection.receive().status == 200).then_some(())
    });
}
