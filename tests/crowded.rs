//! At the limit of connections, clients with nothing to lose give way to new ones.

use crate::support::eventually;
use crate::support::frames::{Frames, GOAWAY, HEADERS, fields, frame};
use crate::support::h2::{Ended, Http2};
use crate::support::http::{Connection, fetch, request};
use crate::support::process::listening;
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::tls::Authority;
use crate::support::upstream::Upstream;
use std::any::Any;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The limit of connections in these tests.
const LIMIT: usize = 20;
/// Far below the time that a silent client has.
const AT_ONCE: Duration = Duration::from_secs(5);

const PLAIN: &str = "{address: '127.0.0.1:0', http2: true, health_path: /-/ready}";
const PROXIED: &str = "{address: '127.0.0.1:0', proxy_protocol: true, health_path: /-/ready}";
const GET: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":path", "/bucket/key"), (":authority", "s3.example.test")];

struct Scene {
    _rules: Rules,
    upstream: Upstream,
    authority: Authority,
    proxy: Proxy,
    /// Requests for `/bucket/wait` go on once it is dropped.
    release: Option<Sender<()>>,
}

impl Scene {
    /// A proxy with this listener and [`LIMIT`]; each client has a minute.
    fn new(listener: impl FnOnce(&Authority) -> String) -> Self {
        let (release, released) = channel::<()>();
        let released = Arc::new(Mutex::new(released));
        let upstream = Upstream::scripted(move |served| {
            while let Some(request) = served.request() {
                if request.request_line().contains("/bucket/wait") {
                    // Ends by an error, once the sender is dropped.
                    let _ = released.lock().unwrap().recv();
                }
                if !served.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody") {
                    return;
                }
            }
        });
        let (rules, authority) = (Rules::usual(), Authority::new());
        authority.install(&authority.issue("s3.example.test"));
        let limits = format!("limits: {{connections: {LIMIT}, header_read: 60s, idle: 60s}}\n");
        let settings = format!("listen: {}\n{limits}", listener(&authority));
        let proxy = listening(rules.path(), upstream.address, &settings);
        Self { _rules: rules, upstream, authority, proxy, release: Some(release) }
    }

    fn plain() -> Self {
        Self::new(|_| PLAIN.to_owned())
    }

    /// Waits until so many connections are open.
    fn wait_for(&self, open: usize) {
        let wanted = Some(f64::from(u32::try_from(open).unwrap()));
        eventually("so many are open", || (self.proxy.metric("s3cors_connections_open") == wanted).then_some(()));
    }

    /// Opens so many connections that are all kept, none of which gives way to another while it is made.
    fn fill<T>(&self, count: usize, mut open: impl FnMut(&Self) -> T) -> Vec<T> {
        self.wait_for(0);
        let held: Vec<T> = (0..count).map(|_| open(self)).collect();
        self.wait_for(count);
        held
    }

    fn address(&self) -> SocketAddr {
        self.proxy.address
    }

    /// A request that waits at the upstream.
    fn in_flight(&self) -> Connection {
        let before = self.upstream.received().len();
        let mut connection = self.proxy.connect();
        connection.send(request("GET", "/bucket/wait", &[], ""));
        eventually("it is at the upstream", || (self.upstream.received().len() > before).then_some(()));
        connection
    }
}

fn silent(scene: &Scene) -> Box<dyn Any> {
    sent(scene, b"")
}

fn sent(scene: &Scene, bytes: &[u8]) -> Box<dyn Any> {
    let mut connection = scene.proxy.connect();
    connection.send(bytes);
    Box::new(connection)
}

fn kept(scene: &Scene) -> Connection {
    let mut connection = scene.proxy.connect();
    assert_eq!(connection.send(request("GET", "/bucket/key", &[], "")).receive().status, 200);
    connection
}

/// A client of HTTP/2 whose request is done.
fn kept_http2(address: SocketAddr) -> Http2 {
    let mut client = Http2::open(address);
    let stream = client.begin(&GET, true);
    assert_eq!(client.answer(stream).status, 200);
    client
}

type Idle = fn(&Scene) -> Box<dyn Any>;

/// New clients are served while such clients hold all places.
fn check_give_way(name: &str, scene: &Scene, idle: Idle, ask: impl Fn(&str) -> u16) {
    println!("{name}");
    let _held = scene.fill(LIMIT, idle);
    let started = Instant::now();
    for target in ["/bucket/key", "/-/ready", "/bucket/key"] {
        assert_eq!(ask(target), 200, "{name}: {target}");
    }
    for target in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(scene.proxy.ask("GET", target).status, 200, "{name}: {target}");
    }
    assert!(started.elapsed() < AT_ONCE, "{name}: {:?}", started.elapsed());
}

#[test]
fn clients_without_a_request_give_way_to_new_ones() {
    let cases: [(&str, Idle); 4] = [
        ("silence", silent),
        ("half a head", |scene| sent(scene, b"GET /bucket/key HTTP/1.1\r\nHost: s3.example")),
        ("kept", |scene| Box::new(kept(scene))),
        ("kept, and half of the next head", |scene| {
            let mut connection = kept(scene);
            connection.send("GET /bucket/key HTTP/1.1\r\n");
            Box::new(connection)
        }),
    ];
    for (name, idle) in cases {
        let scene = Scene::plain();
        check_give_way(name, &scene, idle, |target| fetch(scene.address(), "GET", target, &[]).status);
    }
}

#[test]
fn http2_clients_without_a_request_give_way_to_new_ones() {
    if !is_own() {
        return;
    }
    let cases: [(&str, Idle); 5] = [
        ("half a preface", |scene| sent(scene, b"PRI * HTTP/2.0\r\n")),
        ("the preface without settings", |scene| sent(scene, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
        ("settings", |scene| Box::new(Http2::open(scene.address()))),
        ("half a head", |scene| {
            let mut client = Frames::open(scene.address());
            client.send(&frame(HEADERS, 0, 1, &fields(&GET)));
            Box::new(client)
        }),
        ("a request that is done", |scene| Box::new(kept_http2(scene.address()))),
    ];
    for (name, idle) in cases {
        let scene = Scene::plain();
        check_give_way(name, &scene, idle, |target| fetch(scene.address(), "GET", target, &[]).status);
    }
}

#[test]
fn clients_in_a_handshake_give_way_to_new_ones() {
    let secured = |authority: &Authority| authority.listener().replace("tls:", "health_path: /-/ready, tls:");
    let cases: [(&str, Idle); 2] = [("silence", silent), ("half a hello", |scene| sent(scene, b"\x16\x03\x01"))];
    for (name, idle) in cases {
        let scene = Scene::new(secured);
        check_give_way(name, &scene, idle, |target| scene.authority.connect(scene.address()).get(target));
    }
    let cases: [(&str, Idle); 3] = [
        ("silence", silent),
        ("half a header", |scene| sent(scene, b"PROXY TCP4 ")),
        ("a header alone", |scene| sent(scene, b"PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\r\n")),
    ];
    for (name, idle) in cases {
        let scene = Scene::new(|_| PROXIED.to_owned());
        check_give_way(name, &scene, idle, |target| {
            let mut connection = scene.proxy.connect();
            connection.send("PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\r\n").send(request("GET", target, &[], ""));
            connection.receive().status
        });
    }
}

#[test]
fn a_client_with_a_request_in_flight_never_gives_way() {
    let mut scene = Scene::plain();
    let mut served = vec![scene.in_flight()];
    let _silent: Vec<_> = (1..LIMIT).map(|_| scene.proxy.connect()).collect();
    scene.wait_for(LIMIT);
    // Each takes the place of another.
    let mut newer: Vec<_> = (0..3 * LIMIT).map(|_| kept(&scene)).collect();
    served.push(scene.in_flight());
    newer.clear();
    scene.release = None;
    for connection in &mut served {
        assert_eq!(connection.receive().status, 200);
    }
}

#[test]
fn a_stream_in_flight_keeps_its_connection() {
    if !is_own() {
        return;
    }
    let mut scene = Scene::plain();
    let mut client = Http2::open(scene.address());
    let waiting: Vec<_> = GET.iter().map(|(name, value)| (*name, value.replace("/key", "/wait"))).collect();
    let stream = client.begin(&waiting, true);
    eventually("it is at the upstream", || (!scene.upstream.received().is_empty()).then_some(()));
    let _newer: Vec<_> = (0..2 * LIMIT).map(|_| kept(&scene)).collect();
    scene.release = None;
    let answer = client.answer(stream);
    assert_eq!((answer.status, answer.ended), (200, Ended::Cleanly));
}

/// Its streams that are begun are served (RFC 9113 §6.8).
#[test]
fn an_http2_client_that_gives_way_is_told() {
    if !is_own() {
        return;
    }
    let scene = Scene::plain();
    let mut held = scene.fill(LIMIT, |scene| {
        let mut client = Frames::open(scene.address());
        client.send(&frame(HEADERS, 0x5, 1, &fields(&GET)));
        assert!(!client.all_of(1).is_empty());
        client
    });
    assert_eq!(fetch(scene.address(), "GET", "/bucket/key", &[]).status, 200);
    let mut is_told = false;
    while let Some(frame) = held[0].next() {
        is_told |= frame.kind == GOAWAY;
    }
    assert!(is_told);
}

#[test]
fn one_that_has_sent_nothing_goes_before_one_that_was_served() {
    let scene = Scene::plain();
    let mut served: Vec<_> = (0..LIMIT / 2).map(|_| kept(&scene)).collect();
    let mut silent: Vec<_> = (LIMIT / 2..LIMIT).map(|_| scene.proxy.connect()).collect();
    scene.wait_for(LIMIT);
    let _newer: Vec<_> = silent.iter().map(|_| kept(&scene)).collect();
    assert!(silent.iter_mut().all(|connection| connection.rest().is_empty()));
    for connection in &mut served {
        assert_eq!(connection.send(request("GET", "/bucket/key", &[], "")).receive().status, 200);
    }
}

#[test]
fn new_clients_are_refused_where_all_have_a_request() {
    let mut scene = Scene::plain();
    let mut held = scene.fill(LIMIT, Scene::in_flight);
    for _ in 0..3 {
        let answer = fetch(scene.address(), "GET", "/bucket/key", &[]);
        assert_eq!((answer.status, answer.element("Code").as_deref()), (503, Some("SlowDown")));
    }
    scene.release = None;
    for connection in &mut held {
        assert_eq!(connection.receive().status, 200);
    }
    assert_eq!(fetch(scene.address(), "GET", "/bucket/key", &[]).status, 200);
}

/// However many silent ones there are.
/// Whether nothing has come, not even the end.
fn is_open(connection: &Connection) -> bool {
    let stream = connection.stream();
    stream.set_nonblocking(true).unwrap();
    stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[test]
fn a_flood_of_silent_clients_keeps_no_other_out() {
    let scene = Scene::plain();
    let mut flood = Vec::new();
    for _ in 0..10 {
        flood.extend((0..3 * LIMIT).map(|_| scene.proxy.connect()));
        // One that is accepted later takes the place of the newest, which must not be the client's.
        eventually("the flood has been accepted", || {
            flood.retain(is_open);
            (flood.len() <= LIMIT).then_some(())
        });
        assert_eq!(fetch(scene.address(), "GET", "/bucket/key", &[]).status, 200);
    }
}
