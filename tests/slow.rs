//! Sides of different speeds: the faster one is held back, and what it would send is not kept in memory instead.

use crate::support::eventually;
use crate::support::http::{Connection, request};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::io::Read;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const CLIENTS: usize = 20;
const SIZE: usize = 64 << 20;
const BLOCK: usize = 64 << 10;
/// What a client reads before it stops.
const READ: usize = 64 << 10;
/// What the process may hold for all of them more than it held before, in KiB: 2 MiB each.
const MOST_MEMORY: u64 = 40 * 1024;
/// As long as nothing moves for this time, nothing will: both sides are on the same machine.
const STILL: Duration = Duration::from_millis(300);

/// Waits until a count has stood still, and gives it.
fn settled(count: &AtomicUsize) -> usize {
    let mut last = (usize::MAX, Instant::now());
    eventually("nothing moves any more", || {
        let now = count.load(Ordering::Relaxed);
        if now != last.0 {
            last = (now, Instant::now());
        }
        (now > 0 && last.1.elapsed() > STILL).then_some(now)
    })
}

#[test]
fn downloads_that_no_one_reads_hold_the_upstream_back() {
    let (rules, sent) = (Rules::usual(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&sent);
    let upstream = Upstream::scripted(move |served| {
        if served.request().is_none() {
            return;
        }
        served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"));
        for _ in 0..SIZE / BLOCK {
            if !served.send([b'x'; BLOCK]) {
                return;
            }
            counted.fetch_add(BLOCK, Ordering::Relaxed);
        }
    });
    let proxy = Proxy::start(rules.path(), upstream.address);
    let (before, _) = proxy.memory();
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| proxy.connect()).collect();
    for client in &mut clients {
        client.send(request("GET", "/bucket/large", &[], ""));
        assert_eq!(client.receive_head(), 200);
        client.unread().read_exact(&mut vec![0; READ]).unwrap();
    }
    let held = settled(&sent);
    let grown = proxy.memory().1.saturating_sub(before);
    println!("{} MiB sent of {}, {grown} KiB more", held >> 20, (CLIENTS * SIZE) >> 20);
    assert!(held < CLIENTS * SIZE / 2, "the upstream could send {held} bytes");
    assert!(grown < MOST_MEMORY, "{grown} KiB more");

    // One that reads on gets all the rest, whatever the others do.
    let rest = std::io::copy(&mut clients[0].unread().take((SIZE - READ) as u64), &mut std::io::sink()).unwrap();
    assert_eq!(rest as usize, SIZE - READ);
}

#[test]
fn uploads_that_the_upstream_does_not_read_hold_the_clients_back() {
    let rules = Rules::usual();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let upstream = Upstream::scripted(move |served| {
        served.request_head();
        // Until the test has seen enough: then the sender is gone.
        let _ = released.lock().unwrap().recv();
    });
    let proxy = Proxy::start(rules.path(), upstream.address);
    let (before, _) = proxy.memory();
    let sent = Arc::new(AtomicUsize::new(0));
    let (proxy_address, mut clients) = (proxy.address, Vec::new());
    for _ in 0..CLIENTS {
        let counted = Arc::clone(&sent);
        clients.push(std::thread::spawn(move || {
            let mut client = Connection::open(proxy_address);
            client.send(request("PUT", "/bucket/large", &[("Content-Length", &SIZE.to_string())], ""));
            for _ in 0..SIZE / BLOCK {
                if client.try_send([b'x'; BLOCK]).is_err() {
                    return;
                }
                counted.fetch_add(BLOCK, Ordering::Relaxed);
            }
        }));
    }
    let held = settled(&sent);
    let grown = proxy.memory().1.saturating_sub(before);
    println!("{} MiB sent of {}, {grown} KiB more", held >> 20, (CLIENTS * SIZE) >> 20);
    assert!(held < CLIENTS * SIZE / 2, "the clients could send {held} bytes");
    assert!(grown < MOST_MEMORY, "{grown} KiB more");
    // Others are served all the while: this one's head arrives, too.
    assert_eq!(proxy.preflight("/bucket/key", "https://app.example", "GET").status, 200);
    drop(proxy);
    drop(release);
    for client in clients {
        client.join().unwrap();
    }
}

#[test]
fn an_upload_that_the_upstream_does_not_read_is_the_upstreams_fault() {
    let rules = Rules::usual();
    let (release, released) = channel::<()>();
    let released = Mutex::new(released);
    let upstream = Upstream::scripted(move |served| {
        served.request_head();
        let _ = released.lock().unwrap().recv();
    });
    let config = rules.config("limits: {body_read: 2s}\nupstream: {timeouts: {write: 300ms}}");
    let proxy = Proxy::start_with(rules.path(), &format!("http://{}", upstream.address), &["--config", &config]);
    let mut client = proxy.connect();
    client.send(request("PUT", "/bucket/large", &[("Content-Length", &SIZE.to_string())], ""));
    let mut sent = 0;
    while sent < SIZE && client.try_send([b'x'; BLOCK]).is_ok() {
        sent += BLOCK;
    }
    assert!(sent < SIZE, "the proxy gives up");
    drop(release);
    eventually("the failure is counted", || {
        proxy.metric("s3cors_upstream_errors_total{kind=\"timeout\"}").filter(|count| *count == 1.0)
    });
    assert_eq!(proxy.metric("s3cors_http_requests_total{code=\"504\",method=\"PUT\"}"), Some(1.0));
}
