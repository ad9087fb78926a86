//! Limits on what a client may use: time, memory, connections.

use crate::support::cors_writer::CorsWriter;
use crate::support::eventually;
use crate::support::http::{Connection, Response, request};
use crate::support::process::listening;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::tls::Authority;
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
    let counted =
        |method: &str| proxy.metric(&format!("s3cors_http_requests_total{{code=\"408\",method=\"{method}\"}}"));
    // By its method, once its first line had ended.
    assert_eq!(counted("GET").or_else(|| counted("other")), Some(1.0));
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
    let mut held: Vec<Connection> = (0..3).map(|_| proxy.connect()).collect();
    let upload = request("PUT", "/bucket/key", &[("Content-Length", "9")], "");
    held.iter_mut().for_each(|connection| drop(connection.try_send(&upload)));
    let in_flight = || proxy.metric("s3cors_http_requests_in_flight");
    eventually("three uploads have begun", || (in_flight() == Some(3.0)).then_some(()));
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

/// Each of them is kept as far as it came, until the rest comes or the client's time is over.
#[test]
fn bodies_that_are_kept_whole_share_their_memory() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let settings = "listen: 127.0.0.1:0\nrules: {api: on}\nlimits: {bodies: 1MiB, body_read: 3s}\n";
    let proxy = listening(rules.path(), upstream.address, settings);
    let document = format!("<CORSConfiguration>{}</CORSConfiguration>", " ".repeat(60_000));
    let whole = CorsWriter::put(proxy.address, "/bucket?cors", &document).sign().text();
    let (before, _) = proxy.memory();
    let mut held: Vec<_> = (0..200).map(|_| proxy.connect()).collect();
    held.iter_mut().for_each(|connection| drop(connection.try_send(&whole[..whole.len() - 10])));
    // 16 of 64 KiB fill it.
    let refused = || proxy.metric("s3cors_http_requests_total{code=\"503\",method=\"PUT\"}").unwrap_or_default();
    eventually("the others are refused", || (refused() >= 184.0).then_some(()));
    assert_eq!(refused(), 184.0);
    let (_, most) = proxy.memory();
    assert!(most < before + 30 * 1024, "{before} KiB, then {most}");
    let codes = held.iter_mut().map(|connection| error(&connection.receive()).1.unwrap());
    let codes: Vec<_> = codes.collect();
    let of = |code: &str| codes.iter().filter(|other| *other == code).count();
    assert_eq!((of("SlowDown"), of("RequestTimeout")), (184, 16));
    // What was held is given back.
    let answer = proxy.connect().send(&whole).receive();
    assert_ne!(answer.status, 503, "{answer:?}");
}

const ORIGIN: (&str, &str) = ("Origin", "https://app.example");

/// Bucket and origin are those of the lines that are here.
#[test]
fn a_head_that_is_refused_while_it_is_read_has_the_cors_headers_of_its_bucket() {
    let long = "x".repeat(20_000);
    let whole = request("GET", "/bucket/key", &[ORIGIN, ("x-long", &long)], "");
    let slow = &whole[..whole.find("x-long").unwrap() + 20];
    for (limits, sent, status, code) in [
        ("header_size: 16KiB", whole.as_str(), 431, "RequestHeaderSectionTooLarge"),
        ("header_read: 300ms", slow, 408, "RequestTimeout"),
        ("heads: 10B", slow, 503, "SlowDown"),
    ] {
        let (mut proxy, _upstream, _rules) = limited(limits);
        let mut connection = proxy.connect();
        let _ = connection.try_send(sent);
        let answer = connection.receive();
        assert_eq!(error(&answer), (status, Some(code.into())), "{limits}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1), "{limits}");
        assert_eq!(answer.vary(), ["access-control-request-headers", "access-control-request-method", "origin"]);
        let line = proxy.wait_for_log("request");
        let seen = ["method", "bucket", "path", "cors", "reason"].map(|field| line[field].as_str().unwrap().to_owned());
        assert_eq!(seen, ["GET", "bucket", "/bucket/key", "allowed", "malformed"], "{limits}");
        assert_eq!(line["status"], status, "{limits}");
        let series = format!("s3cors_http_requests_total{{code=\"{status}\",method=\"GET\"}}");
        assert_eq!(proxy.metric(&series), Some(1.0), "{limits}");
    }
}

/// A part of a line may be another origin, or another bucket, than the whole.
#[test]
fn a_line_whose_end_is_missing_says_nothing() {
    let (proxy, _upstream, _rules) = limited("header_read: 300ms");
    for sent in ["GET /bucket/key", "GET /bucket/key HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example"] {
        let mut connection = proxy.connect();
        connection.send(sent);
        let answer = connection.receive();
        assert_eq!((answer.status, answer.cors()), (408, vec![]), "{sent:?}");
    }
}

/// Before its first request, too: a socket that has said nothing takes as much.
#[test]
fn a_connection_counts_from_when_it_is_accepted() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue("s3.example.test"));
    let proxied = "{address: '127.0.0.1:0', proxy_protocol: true}";
    for listener in [authority.listener().as_str(), proxied] {
        let limits = "limits: {connections: 20, header_read: 2s}\n";
        let proxy = listening(rules.path(), upstream.address, &format!("listen: {listener}\n{limits}"));
        let open = || proxy.metric("s3cors_connections_open").unwrap();
        // The beginning of a record of TLS, or of a header.
        let begun = if listener == proxied { &b"PROXY"[..] } else { b"\x16\x03\x01" };
        let started = Instant::now();
        let mut held: Vec<_> = (0..300).map(|_| proxy.connect()).collect();
        held.iter_mut().for_each(|connection| drop(connection.try_send(begun)));
        eventually("those beyond all limits are closed", || (open() <= 120.0 && open() >= 20.0).then_some(()));
        eventually("none outlives the deadline", || (open() == 0.0).then_some(()));
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        drop(held);
    }
}

/// PROXY header, handshake and first head have one deadline together.
#[test]
fn all_that_comes_before_a_request_has_one_deadline() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let settings = "listen: {address: '127.0.0.1:0', proxy_protocol: true}\nlimits: {header_read: 1s}\n";
    let proxy = listening(rules.path(), upstream.address, settings);
    let started = Instant::now();
    let mut connection = proxy.connect();
    connection.stream().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut bytes = b"PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\r\nGET /bucket/key HTTP/1.1\r\n".iter();
    while started.elapsed() < Duration::from_millis(800) {
        // The header takes most of the time.
        if let Some(byte) = bytes.next().filter(|_| !connection.has_input()) {
            connection.try_send([*byte]).unwrap();
        }
    }
    connection.try_send(bytes.as_slice()).unwrap();
    connection.stream().set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(connection.receive().status, 408);
    assert!(started.elapsed() < Duration::from_millis(1700), "{:?}", started.elapsed());
}
