//! Connections to upstreams that stay open: what is read on them comes at once, and none is used that the upstream has given up.

use crate::support::http::request;
use crate::support::process::{ConfigFile, configured, s3cors};
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::tls::{Authority, tls_server};
use crate::support::upstream::Upstream;
use crate::support::{DEADLINE, eventually};
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const REQUESTS: usize = 21;

/// Waits until the connection of the last request is back in the pool.
fn settle(proxy: &Proxy) {
    eventually("nothing is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 0.0));
}

/// The median of the time that a small response takes, on one connection of the client.
fn median(proxy: &Proxy) -> Duration {
    let mut connection = proxy.connect();
    let mut times: Vec<_> = (0..REQUESTS)
        .map(|_| {
            let started = Instant::now();
            let response = connection.send(request("GET", "/bucket/key", &[], "")).receive();
            assert_eq!(response.text(), "ok");
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[REQUESTS / 2]
}

/// Responses as Ceph RGW sends them: in small parts, each in a write of its own, and with Nagle's algorithm.
const PARTS: [&[&str]; 3] = [
    &["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "ok"],
    &["HTTP/1.1 200 OK\r\n", "Content-Length: 2\r\n\r\nok"],
    &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\nok\r\n0\r\n\r\n"],
];

fn before(upstream: &str, address: SocketAddr, tls: &str, rules: &Rules) -> Proxy {
    let config = ConfigFile::new(&format!("upstream: {{tls: {{{tls}}}}}\n"));
    Proxy::start_with(rules.path(), &format!("{upstream}://{address}"), &["--config", &config.argument()])
}

#[test]
fn a_response_in_two_writes_takes_no_delayed_acknowledgement() {
    if !is_own() {
        return;
    }
    let (rules, authority) = (Rules::usual(), Authority::new());
    for parts in PARTS {
        let plain =
            Upstream::scripted(
                move |served| {
                    while served.request().is_some() && parts.iter().all(|part| served.send(part)) {}
                },
            );
        let secured = tls_server(&authority.issue("127.0.0.1"), move |stream| {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while stream.read_line(&mut line).is_ok_and(|length| length > 0) {
                if line.ends_with("\r\n\r\n") {
                    for part in parts {
                        if stream.get_mut().write_all(part.as_bytes()).and_then(|()| stream.get_mut().flush()).is_err()
                        {
                            return;
                        }
                    }
                    line.clear();
                }
            }
        });
        let trusted = format!("ca_file: '{}'", authority.file());
        for (scheme, address, tls) in [("http", plain.address, ""), ("https", secured, &trusted)] {
            let median = median(&before(scheme, address, tls, &rules));
            assert!(median < Duration::from_millis(10), "{scheme} {parts:?}: {median:?}");
        }
    }
}

#[test]
fn a_kept_connection_ends_before_the_upstream_ends_it() {
    if !is_own() {
        return;
    }
    for (field, connections) in [
        ("", [0, 0, 0]),
        ("Keep-Alive: timeout=60, max=100\r\n", [0, 0, 0]),
        ("Keep-Alive: timeout=nonsense\r\n", [0, 0, 0]),
        ("keep-alive: max=100, Timeout=1\r\n", [0, 0, 1]),
        ("Keep-Alive: timeout=0\r\n", [0, 1, 2]),
    ] {
        let (rules, response) = (Rules::usual(), OK.replace("Content", &format!("{field}Content")));
        let upstream = Upstream::answering(response);
        let proxy = Proxy::start(rules.path(), upstream.address);
        for pause in [0, 0, 1_100] {
            // The time that the upstream says must pass.
            std::thread::sleep(Duration::from_millis(pause));
            let response = proxy.fetch("GET", "/bucket/key", &[]);
            assert_eq!((response.text().as_str(), response.header("keep-alive")), ("ok", None), "{field:?}");
            settle(&proxy);
        }
        let used: Vec<_> = upstream.received().iter().map(|request| request.connection).collect();
        assert_eq!(used, connections, "{field:?}");
    }
}

#[test]
fn an_upstream_that_vanishes_behind_a_kept_connection_is_504_in_time_and_holds_no_other_request() {
    if !is_own() {
        return;
    }
    for method in ["GET", "PUT"] {
        let rules = Rules::usual();
        // The first two connections answer once, and then get not a packet more, as if the cable were cut.
        let (begun, both) = channel();
        let both = std::sync::Mutex::new(both);
        let (over, until_over) = channel::<()>();
        let until_over = std::sync::Mutex::new(until_over);
        let upstream = Upstream::scripted(move |served| {
            let Some(first) = served.request() else { return };
            if first.connection < 2 {
                begun.send(()).unwrap();
                if first.connection == 0 {
                    let both = both.lock().unwrap();
                    both.recv_timeout(DEADLINE).unwrap();
                    both.recv_timeout(DEADLINE).unwrap();
                }
                served.send(OK);
                served.receive_nothing_more();
                // The proxy must not see the end of the connection before the test is over: then the sender is gone.
                let _ = until_over.lock().unwrap().recv();
                return;
            }
            while served.send(OK) && served.request().is_some() {}
        });
        let times = "upstream: {timeouts: {connect: 1s, write: 1s}, keepalive: {user_timeout: 1s}}\n";
        let proxy = configured(rules.path(), upstream.address, times);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200));
            }
        });
        settle(&proxy);
        let started = Instant::now();
        let response = proxy.connect().send(request(method, "/bucket/key", &[], "")).receive();
        assert_eq!((response.status, response.element("Code").as_deref()), (504, Some("GatewayTimeout")), "{method}");
        assert!(started.elapsed() < Duration::from_secs(5), "{method}: {:?}", started.elapsed());
        assert_eq!(proxy.metric("s3cors_upstream_errors_total{kind=\"timeout\"}"), Some(1.0), "{method}");
        // The other connection led to the same machine.
        let started = Instant::now();
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200, "{method}");
        assert!(started.elapsed() < Duration::from_millis(900), "{method}: {:?}", started.elapsed());
        drop(over);
    }
}

#[test]
fn a_user_timeout_below_the_write_timeout_is_an_error_with_its_place() {
    let rules = Rules::usual();
    for (text, place) in [
        ("upstream:\n  url: http://a\n  keepalive:\n    user_timeout: 59s\n", Some(":4:19: ")),
        (
            "upstream:\n  url: http://a\n  keepalive:\n    user_timeout: 2s\n  timeouts:\n    write: 3s\n",
            Some(":4:19: "),
        ),
        ("upstream: {url: 'http://a', keepalive: {user_timeout: 3s}, timeouts: {write: 3s}}\n", None),
        ("upstream: {url: 'http://a', timeouts: {write: 5m}}\n", None),
    ] {
        let config = ConfigFile::new(text);
        let mut check = s3cors(&["check", "--config", &config.argument()]);
        check.arg(rules.path());
        let checked = crate::support::process::run_to_end(check, "");
        assert_eq!(checked.code, Some(i32::from(place.is_some())), "{text}: {checked:?}");
        if let Some(place) = place {
            assert!(checked.stdout.contains(place) && checked.stdout.contains("timeouts.write"), "{}", checked.stdout);
        }
    }
}
