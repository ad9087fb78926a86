//! Connections to upstreams are bounded, and no client can have so many that others get none.

use crate::support::frames::{END_HEADERS, END_STREAM, Frames, HEADERS, fields, frame};
use crate::support::http::{Connection, request};
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::{PROGRAM, Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::upstream::{Served, Upstream};
use crate::support::{DEADLINE, eventually};
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const ORIGIN: (&str, &str) = ("Origin", "https://app.example");
const OPEN: &str = "s3cors_upstream_connections";
const WAITED: &str = "s3cors_upstream_wait_seconds_count";

/// A proxy that speaks HTTP/1.1 and h2c on one port, before this upstream.
fn before(upstream: &Upstream, rules: &Rules, configuration: &str) -> Proxy {
    let listen = "listen: {address: '127.0.0.1:0', http2: true}\nadmin: 127.0.0.1:0\n";
    let file = ConfigFile::new(&format!("{listen}{configuration}"));
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
    command.arg(rules.path()).args(["--upstream", &format!("http://{}", upstream.address)]);
    Proxy::spawn(command)
}

/// Answers every request but those for keys that begin with `stall`, which get nothing as long as the connection is there.
fn serve_or_stall(served: &mut Served) {
    while let Some(request) = served.request() {
        if request.request_line().contains("/stall") {
            served.read(1);
            return;
        }
        if !served.send(OK) {
            return;
        }
    }
}

/// Asks for objects that never come.
fn stall(proxy: &Proxy, requests: usize) -> Vec<Connection> {
    let ask = |_| {
        let mut connection = proxy.connect();
        connection.send(request("GET", "/bucket/stall", &[], ""));
        connection
    };
    (0..requests).map(ask).collect()
}

/// Streams of one connection that ask for objects that never come.
fn stalled_streams(proxy: &Proxy, streams: u32) -> Frames {
    let mut connection = Frames::open(proxy.address);
    let head = [(":method", "GET"), (":scheme", "http"), (":path", "/bucket/stall"), (":authority", "h")];
    for stream in 0..streams {
        assert!(connection.send(&frame(HEADERS, END_HEADERS | END_STREAM, 2 * stream + 1, &fields(&head))));
    }
    connection
}

fn becomes(proxy: &Proxy, series: &str, value: f64) {
    eventually(&format!("{series} {value}"), || proxy.metric(series).filter(|now| *now == value));
}

#[test]
fn a_request_beyond_the_limit_waits_and_then_gets_503() {
    if !is_own() {
        return;
    }
    let (rules, upstream) = (Rules::usual(), Upstream::scripted(serve_or_stall));
    let limits = "limits: {upstream_connections: 2}\nupstream: {timeouts: {connect: 400ms}}\n";
    let proxy = before(&upstream, &rules, limits);
    assert_eq!((proxy.metric(OPEN), proxy.metric(WAITED)), (Some(0.0), Some(0.0)));
    let stalled = stall(&proxy, 2);
    becomes(&proxy, OPEN, 2.0);
    for method in ["GET", "PUT", "HEAD"] {
        let started = Instant::now();
        let response = proxy.connect().send(request(method, "/bucket/key", &[ORIGIN], "")).receive_to(method);
        assert_eq!(
            (response.status, response.header("access-control-allow-origin")),
            (503, Some(ORIGIN.1)),
            "{method}"
        );
        let code = (method != "HEAD").then_some("SlowDown");
        assert_eq!(response.element("Code").as_deref(), code, "{method}");
        let waited = started.elapsed();
        assert!(waited >= Duration::from_millis(400) && waited < Duration::from_secs(3), "{method}: {waited:?}");
    }
    assert_eq!((proxy.metric(OPEN), proxy.metric(WAITED)), (Some(2.0), Some(3.0)));
    assert_eq!(upstream.received().len(), 2);
    let errors: f64 = ["connect", "timeout", "other"]
        .iter()
        .filter_map(|kind| proxy.metric(&format!("s3cors_upstream_errors_total{{kind=\"{kind}\"}}")))
        .sum();
    assert_eq!(errors, 0.0, "no upstream has failed");
    assert_eq!(proxy.ask("GET", "/readyz").status, 200);
    stalled.into_iter().for_each(Connection::reset);
    becomes(&proxy, OPEN, 0.0);
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200);
}

#[test]
fn a_request_that_waits_gets_the_connection_that_comes_free() {
    if !is_own() {
        return;
    }
    let rules = Rules::usual();
    let (answer, answers) = channel::<()>();
    let answers = Mutex::new(answers);
    let upstream = Upstream::scripted(move |served| {
        while served.request().is_some() {
            if answers.lock().unwrap().recv_timeout(DEADLINE).is_err() || !served.send(OK) {
                return;
            }
        }
    });
    let proxy = before(&upstream, &rules, "limits: {upstream_connections: 1}\n");
    std::thread::scope(|scope| {
        let fetch = || scope.spawn(|| proxy.fetch("GET", "/bucket/key", &[]).status);
        let first = fetch();
        becomes(&proxy, OPEN, 1.0);
        let second = fetch();
        becomes(&proxy, "s3cors_http_requests_in_flight", 2.0);
        let go = |answer: &Sender<()>| answer.send(()).unwrap();
        go(&answer);
        assert_eq!(first.join().unwrap(), 200);
        go(&answer);
        assert_eq!(second.join().unwrap(), 200);
    });
    let connections: Vec<_> = upstream.received().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [0, 0], "the kept connection");
    assert_eq!(proxy.metric(WAITED), Some(1.0));
}

#[test]
fn a_kept_connection_gives_way_to_one_that_is_needed() {
    if !is_own() {
        return;
    }
    let (rules, one, other) = (Rules::usual(), Upstream::answering(OK), Upstream::answering(OK));
    let config = ConfigFile::new("limits: {upstream_connections: 1}\n");
    let (one_url, other_url) = (format!("http://{}", one.address), format!("http://{}", other.address));
    let arguments = ["--upstream", other_url.as_str(), "--config", &config.argument()];
    let proxy = Proxy::start_with(rules.path(), &one_url, &arguments);
    for _ in 0..6 {
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200);
        becomes(&proxy, "s3cors_http_requests_in_flight", 0.0);
        assert_eq!(proxy.metric(OPEN), Some(1.0));
    }
    assert_eq!((one.received().len(), other.received().len()), (3, 3));
    assert_eq!(proxy.metric(WAITED), Some(0.0), "no request has waited");
}

#[test]
fn a_client_with_many_streams_leaves_connections_to_others() {
    if !is_own() {
        return;
    }
    let (rules, upstream) = (Rules::usual(), Upstream::scripted(serve_or_stall));
    let proxy = before(&upstream, &rules, "limits: {upstream_connections: 12}\nupstream: {timeouts: {connect: 20s}}\n");
    let _greedy: Vec<_> = (0..3).map(|_| stalled_streams(&proxy, 100)).collect();
    becomes(&proxy, "s3cors_http_requests_in_flight", 300.0);
    for _ in 0..5 {
        let started = Instant::now();
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200);
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    }
    assert!(proxy.metric(OPEN).unwrap() <= 12.0);
    let held = upstream.received().iter().filter(|request| request.request_line().contains("/stall")).count();
    assert!((6..=8).contains(&held), "three clients have {held} of 12");
}

#[test]
fn with_few_descriptors_floods_leave_data_health_and_admin_their_own() {
    if !is_own() {
        return;
    }
    let (rules, upstream) = (Rules::usual(), Upstream::scripted(serve_or_stall));
    let listen = "listen: {address: '127.0.0.1:0', http2: true, health_path: /healthz}\nadmin: 127.0.0.1:0\n";
    let file = ConfigFile::new(&format!("{listen}upstream: {{health_check: {{interval: 200ms}}}}\n"));
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 256; exec \"$@\"", "sh", PROGRAM, "serve", "--config", &file.argument(), "--rules"]);
    shell.arg(rules.path()).args(["--upstream", &format!("http://{}", upstream.address)]);
    let proxy = Proxy::spawn(shell);
    let warned = proxy.log().iter().any(|line| line["open_files"] == 256 && line["connections"] == 16);
    assert!(warned, "{:#?}", proxy.log());
    let _streams: Vec<_> = (0..5).map(|_| stalled_streams(&proxy, 256)).collect();
    let mut idle: Vec<_> = (0..6).map(|_| proxy.connect()).collect();
    for slow in &mut idle[..3] {
        slow.send("GET /bucket/key HTTP/1.1\r\nHo");
    }
    let _stalled = stall(&proxy, 2);
    becomes(&proxy, "s3cors_http_requests_in_flight", 5.0 * 256.0 + 2.0);
    for _ in 0..10 {
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200);
        assert_eq!(proxy.fetch("GET", "/healthz", &[]).status, 200);
        assert_eq!(proxy.ask("GET", "/readyz").status, 200);
    }
    let failed = proxy.log().iter().filter(|line| line.to_string().contains("Accept() failed")).count();
    assert_eq!(failed, 0, "{:#?}", proxy.log());
    // Far more clients than may connect: they are refused, and operators are not.
    let open = || std::fs::read_dir(format!("/proc/{}/fd", proxy.pid())).unwrap().count();
    let mut most = 0;
    let connect = |_| (proxy.connect(), most = most.max(open())).0;
    let _more: Vec<_> = (0..300).map(connect).collect();
    for path in ["/readyz", "/metrics", "/status"] {
        assert_eq!(proxy.ask("GET", path).status, 200, "{path}");
    }
    assert!(most < 240, "{most} of 256 descriptors");
    let up = format!("s3cors_upstream_up{{upstream=\"http://{}\"}}", upstream.address);
    assert_eq!(proxy.metric(&up), Some(1.0), "the health checks have their own");
}
