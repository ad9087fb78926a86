//! Our own driver between random clients and a random upstream: requests and responses of every framing, pipelined, cut anywhere, and
//! in a second test an upstream that breaks off, sends too much, closes or responds too early.
//!
//! `S3CORS_TEST_LOOP_SECONDS` says for how long each of the two tests runs, `S3CORS_TEST_LOOP_SEED` with which numbers.

use super::planned::{Fault, Framing, Planned};
use crate::support::messages::{Message, request, responses};
use crate::support::rules::Rules;
use crate::support::strict;
use crate::support::twins::start;
use crate::support::upstream::{Served, Upstream};
use crate::support::{DEADLINE, eventually};
use fastrand::Rng;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const CLIENTS: u64 = 4;

/// What clients and upstream know of each other.
#[derive(Default)]
struct World {
    planned: Mutex<HashMap<String, Arc<Planned>>>,
    next: AtomicU64,
    /// What the upstream received and no one sent.
    wrong: Mutex<Vec<String>>,
    exact: AtomicU64,
    failed: AtomicU64,
}

impl World {
    fn plan(&self, rng: &mut Rng, may_fail: bool, is_last: bool) -> Arc<Planned> {
        let id = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        let planned = Arc::new(Planned::new(&id, rng, may_fail, is_last));
        self.planned.lock().unwrap().insert(id, Arc::clone(&planned));
        planned
    }

    fn of(&self, target: &str) -> Option<Arc<Planned>> {
        self.planned.lock().unwrap().get(target.strip_prefix("/bucket/")?).cloned()
    }

    fn is_wrong(&self, what: &str, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(500)];
        self.wrong.lock().unwrap().push(format!("{what}: {}", bytes.escape_ascii()));
    }
}

/// Serves one connection of the upstream. A second parser reads what comes, strictly.
fn serve(served: &mut Served, world: &World) {
    let mut bytes = Vec::new();
    loop {
        let Some(planned) = receive(served, world, &mut bytes) else { return };
        let goes_on = planned.answer.pieces().all(|piece| served.send(piece)) && !planned.answer.closes;
        if planned.answer.fault == Some(Fault::Excess) && !served.read(1).is_empty() {
            world.is_wrong("a request follows a response that left bytes on its connection", &bytes);
        }
        if !goes_on || planned.answer.fault.is_some() {
            return;
        }
    }
}

/// Reads one request, and only its head where the plan is to respond too early.
fn receive(served: &mut Served, world: &World, bytes: &mut Vec<u8>) -> Option<Arc<Planned>> {
    loop {
        if let Some(head) = strict::request(bytes) {
            let target = String::from_utf8_lossy(&head.target).into_owned();
            let Some(planned) = world.of(&target) else {
                world.is_wrong("not planned", bytes);
                return None;
            };
            if planned.answer.fault == Some(Fault::Early) {
                return Some(planned);
            }
            if let Some((message, size)) = request(bytes) {
                let is_same = head.method == planned.method.as_bytes() && message.body == planned.body;
                if !is_same {
                    world.is_wrong("not as it was sent", bytes);
                }
                bytes.drain(..size);
                return Some(planned);
            }
        } else if bytes.windows(4).any(|four| four == b"\r\n\r\n") {
            world.is_wrong("not a strict head", bytes);
            return None;
        }
        let more = served.read(64 * 1024);
        if more.is_empty() {
            return None;
        }
        bytes.extend_from_slice(&more);
    }
}

/// A client's connection with a few requests, which may be sent before the responses to those before them.
fn converse(address: SocketAddr, world: &World, rng: &mut Rng, may_fail: bool) {
    let count = rng.usize(1..5);
    let planned: Vec<_> = (0..count).map(|number| world.plan(rng, may_fail, number + 1 == count)).collect();
    let mut stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let sent: Vec<u8> = planned.iter().flat_map(|planned| planned.sent.clone()).collect();
    for piece in super::planned::pieces(&sent, rng) {
        // A connection that has ended need not take the rest.
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{}", bytes.escape_ascii());
    }
    judge(world, &planned, &bytes, may_fail);
}

/// Each response is exactly that of its request, in order, or a failure of ours that ends the connection, or a beginning.
fn judge(world: &World, planned: &[Arc<Planned>], bytes: &[u8], may_fail: bool) {
    let methods: Vec<_> = planned.iter().map(|planned| planned.method).collect();
    let (answered, read) = responses(bytes, &methods, true);
    let case = || {
        let sent: Vec<_> = planned.iter().map(ToString::to_string).collect();
        format!("{}\n{}", sent.join("\n"), bytes[..bytes.len().min(3000)].escape_ascii())
    };
    let mut waiting = planned.iter();
    let mut has_ended = false;
    for answer in &answered {
        if !answer.is_final() {
            let id = waiting.as_slice().first().map(|planned| planned.id.as_str());
            assert_eq!(answer.value("x-id"), id, "an interim response of another exchange: {}", case());
            continue;
        }
        assert!(!has_ended, "a response after the last: {}", case());
        let planned = waiting.next().unwrap_or_else(|| panic!("more responses than requests: {}", case()));
        if answer.value("server") == Some("s3cors") {
            assert!(may_fail && [400, 408, 502, 504].contains(&answer.status()), "{}", case());
            (has_ended, _) = (true, world.failed.fetch_add(1, Ordering::Relaxed));
            continue;
        }
        assert!(is_of(answer, planned), "not the response of {planned}: {}", case());
        has_ended = !answer.is_whole;
        let counter = if answer.body == planned.answer.body { &world.exact } else { &world.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        assert!(may_fail || (answer.is_whole && answer.body == planned.answer.body), "{}", case());
    }
    // A failing upstream's connection may take a client's along; otherwise each request has its response.
    assert!(may_fail || waiting.len() == 0, "{} without a response: {}", waiting.len(), case());
    assert!(read == bytes.len() || may_fail, "{}", case());
}

fn is_of(answer: &Message, planned: &Planned) -> bool {
    let expected = &planned.answer;
    let is_bounded = expected.framing != Framing::Close && !planned.is_old;
    let is_body = if answer.is_whole && is_bounded {
        answer.body == expected.body
    } else {
        expected.body.starts_with(&answer.body)
    };
    answer.value("x-id") == Some(&planned.id) && answer.status() == expected.status && is_body
}

/// Runs clients for a time, and returns how many exchanges were exact and how many failed cleanly.
fn run(may_fail: bool) -> (u64, u64) {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let duration = Duration::from_secs(setting("S3CORS_TEST_LOOP_SECONDS").unwrap_or(2));
    let seed = setting("S3CORS_TEST_LOOP_SEED").unwrap_or(1);
    let world = Arc::new(World::default());
    let of_upstream = Arc::clone(&world);
    let upstream = Upstream::scripted(move |served| serve(served, &of_upstream));
    let (rules, configuration) = (Rules::usual(), "log: {access: false}\nlimits: {body_read: 5s}\n");
    let mut proxy = start(&rules, "own", configuration, upstream.address, &[]);
    let (started, address) = (Instant::now(), proxy.address);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let world = &world;
            scope.spawn(move || {
                let mut rng = Rng::with_seed(seed * CLIENTS + client);
                while started.elapsed() < duration {
                    converse(address, world, &mut rng, may_fail);
                }
            });
        }
    });
    assert!(proxy.is_running());
    eventually("nothing is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 0.0));
    let wrong = world.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{} wrong requests upstream: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    let counts = (world.exact.load(Ordering::Relaxed), world.failed.load(Ordering::Relaxed));
    println!("{} exchanges are exact, {} failed cleanly", counts.0, counts.1);
    counts
}

#[test]
fn every_exchange_is_exact_where_the_upstream_keeps_to_the_rules() {
    let (exact, failed) = run(false);
    assert!(exact > 100 && failed == 0, "{exact}, {failed}");
}

#[test]
fn a_failing_upstream_gives_no_client_bytes_of_other_exchanges() {
    let (exact, failed) = run(true);
    assert!(exact > 100 && failed > 20, "{exact}, {failed}");
}
