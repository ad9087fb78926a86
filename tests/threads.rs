//! Several threads: connections are spread over them, and what is kept for upstreams serves all of them.

use crate::support::eventually;
use crate::support::http::{Connection, request};
use crate::support::process::ConfigFile;
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::tls::{Authority, tls_server};
use crate::support::upstream::Upstream;
use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

/// A proxy with so many threads, and with this in its configuration.
fn with_threads(threads: usize, upstream: &str, more: &str, rules: &Rules) -> Proxy {
    let config = ConfigFile::new(&format!("threads: {threads}\n{more}"));
    Proxy::start_with(rules.path(), upstream, &["--config", &config.argument()])
}

/// The time that each thread for clients has run, in nanoseconds (proc(5), `/proc/[pid]/schedstat`).
fn run_times(proxy: &Proxy) -> BTreeMap<String, u64> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", proxy.pid())).unwrap();
    let of_clients = tasks.filter_map(|task| {
        let folder = task.unwrap().path();
        let name = read_to_string(folder.join("comm")).unwrap().trim().to_owned();
        let time = read_to_string(folder.join("schedstat")).unwrap();
        name.starts_with("proxy").then(|| (name, time.split(' ').next().unwrap().parse().unwrap()))
    });
    of_clients.collect()
}

/// The thread that serves a connection: it runs while requests come on it, and the others wait.
fn thread_of(proxy: &Proxy, connection: &mut Connection) -> String {
    let before = run_times(proxy);
    for _ in 0..50 {
        assert_eq!(connection.send(request("GET", "/bucket/key", &[], "")).receive().status, 200);
    }
    let ran = run_times(proxy).into_iter().map(|(name, time)| (time - before.get(&name).unwrap_or(&0), name));
    ran.max().unwrap().1
}

#[test]
fn each_connection_goes_to_the_thread_with_the_fewest() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = with_threads(3, &format!("http://{}", upstream.address), "", &rules);
    // One at a time: each is at its thread before the next one comes.
    let open = || {
        let mut connection = proxy.connect();
        assert_eq!(connection.send(request("GET", "/bucket/key", &[], "")).receive().status, 200);
        connection
    };
    let mut connections: Vec<_> = (0..6).map(|_| open()).collect();
    let mut on: BTreeMap<String, usize> = BTreeMap::new();
    for connection in &mut connections {
        *on.entry(thread_of(&proxy, connection)).or_default() += 1;
    }
    assert_eq!(on.values().copied().collect::<Vec<_>>(), [2, 2, 2], "{on:?}");
}

#[test]
fn one_thread_accepts_and_serves() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = with_threads(1, &format!("http://{}", upstream.address), "", &rules);
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200);
    assert_eq!(run_times(&proxy).len(), 1);
}

/// Serves requests with bodies, and counts the connections.
fn counting_tls_server(authority: &Authority, body: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    let address = tls_server(&authority.issue("127.0.0.1"), move |stream| {
        counter.fetch_add(1, Ordering::SeqCst);
        let mut stream = BufReader::new(stream);
        let mut length = 0;
        let mut line = String::new();
        while stream.read_line(&mut line).is_ok_and(|read| read > 0) {
            if let Some(given) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = given.trim().parse().unwrap();
            }
            if line == "\r\n" {
                stream.read_exact(&mut vec![0; length]).unwrap();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let writer = stream.get_mut();
                [head.as_str(), body].iter().for_each(|part| writer.write_all(part.as_bytes()).unwrap());
                writer.flush().unwrap();
                length = 0;
            }
            line.clear();
        }
    });
    (address, count)
}

#[test]
fn a_thread_borrows_a_kept_connection_before_it_opens_one() {
    if !is_own() {
        return;
    }
    let (rules, authority) = (Rules::usual(), Authority::new());
    let body: &str = "x".repeat(300_000).leak();
    let plain = Upstream::ok(body);
    let (secured, opened) = counting_tls_server(&authority, body);
    let trusted = format!("upstream: {{tls: {{ca_file: '{}'}}}}\n", authority.file());
    for (url, more) in [(format!("http://{}", plain.address), ""), (format!("https://{secured}"), &trusted)] {
        let proxy = with_threads(2, &url, more, &rules);
        let mut connections = [proxy.connect(), proxy.connect()];
        for turn in 0..10 {
            for (connection, (method, sent)) in connections.iter_mut().zip([("GET", ""), ("PUT", body)]) {
                let response = connection.send(request(method, "/bucket/key", &[], sent)).receive();
                assert_eq!((response.status, response.body.len()), (200, body.len()), "{url} {turn} {method}");
                // Kept before the next request comes.
                eventually("nothing is in flight", || {
                    proxy.metric("s3cors_http_requests_in_flight").filter(|count| *count == 0.0)
                });
                assert_eq!(proxy.metric("s3cors_upstream_connections"), Some(1.0), "{url} {turn} {method}");
            }
        }
    }
    assert!(plain.received().iter().all(|request| request.connection == 0), "a second connection was opened");
    assert_eq!(opened.load(Ordering::SeqCst), 1);
}

#[test]
fn limits_hold_for_all_threads_together() {
    let rules = Rules::usual();
    for limits in
        ["limits: {connections: 4}\n", "limits: {upstream_connections: 4}\nupstream: {timeouts: {connect: 200ms}}\n"]
    {
        if limits.contains("upstream") && !is_own() {
            continue;
        }
        let (end, ended) = channel::<()>();
        let ended = Mutex::new(ended);
        let upstream = Upstream::scripted(move |served| {
            served.request_head();
            // Until the sender is gone.
            let _ = ended.lock().unwrap().recv();
        });
        let proxy = with_threads(3, &format!("http://{}", upstream.address), limits, &rules);
        let ask = || {
            let mut connection = proxy.connect();
            connection.send(request("GET", "/bucket/key", &[], ""));
            connection
        };
        let _held: Vec<_> = (0..4).map(|_| ask()).collect();
        eventually("all are in flight", || {
            proxy.metric("s3cors_http_requests_in_flight").filter(|count| *count == 4.0)
        });
        let refused = ask().receive();
        assert_eq!((refused.status, refused.element("Code").as_deref()), (503, Some("SlowDown")), "{limits}");
        drop(end);
    }
}
