//! No client of HTTP/2 takes more than its share: of windows, of memory, of connections to upstreams, of work.

use crate::support::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, End, Frames, HEADERS, RST_STREAM, WINDOW_UPDATE, fields, frame,
};
use crate::support::h2::{Ended, Http2};
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::{Served, Upstream};
use crate::support::{DEADLINE, eventually};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// Frames that the other tests do not send.
const PRIORITY: u8 = 2;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
/// Error codes (RFC 9113 §7).
const CALM: u32 = 11;
const REFUSED: u32 = 7;

struct Scene {
    _rules: Rules,
    upstream: Upstream,
    proxy: Proxy,
    /// Requests that wait at the upstream go on once it is dropped.
    _release: Sender<()>,
}

impl Scene {
    /// A proxy before an upstream that reads no body of `/bucket/stall`, answers `/bucket/wait` at the end of the test, sends
    /// `/bucket/large` without an end, and answers all others.
    fn new(configuration: &str) -> Self {
        let (release, released) = channel();
        let (released, rules) = (Arc::new(Mutex::new(released)), Rules::usual());
        let upstream = Upstream::scripted(move |served| serve(served, &released));
        let listen = "listen: {address: '127.0.0.1:0', http2: true}\nadmin: 127.0.0.1:0\n";
        let file = ConfigFile::new(&format!("{listen}{configuration}"));
        let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
        command.arg(rules.path()).args(["--upstream", &format!("http://{}", upstream.address)]);
        Self { _rules: rules, upstream, proxy: Proxy::spawn(command), _release: release }
    }

    fn becomes(&self, series: &str, value: f64) {
        eventually(series, || self.proxy.metric(series).filter(|now| *now == value));
    }
}

fn serve(served: &mut Served, released: &Mutex<Receiver<()>>) {
    while let Some(request) = served.request_head() {
        let line = request.request_line();
        if line.contains("/stall") || line.contains("/wait") {
            // The sender is dropped at the end.
            let _ = released.lock().map(|released| released.recv());
            return;
        }
        if line.contains("/large") {
            served.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            let chunk = [b"10000\r\n", &[b'x'; 0x10000][..], b"\r\n"].concat();
            while served.send(&chunk) {}
            return;
        }
        if served.body(&request).is_none() || !served.send(OK) {
            return;
        }
    }
}

fn head<'a>(method: &'a str, path: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "h")];
    [&usual[..], more].concat()
}

#[test]
fn uploads_that_their_upstreams_do_not_read_stop_no_other() {
    for stalled in [2, 20, 90] {
        let scene = Scene::new("");
        let (before, _) = scene.proxy.memory();
        let mut connection = Http2::open(scene.proxy.address);
        let length = (1_u32 << 30).to_string();
        let put = head("PUT", "/bucket/stall", &[("content-length", &length)]);
        let streams: Vec<_> = (0..stalled).map(|_| connection.begin(&put, false)).collect();
        // Each sends what its window takes, until nothing is taken any more.
        let mut sent = 0;
        loop {
            let more: usize = streams.iter().map(|stream| connection.fill(*stream)).sum();
            sent += more;
            if more == 0 && !connection.read_within(Duration::from_millis(300)) {
                break;
            }
        }
        for _ in 0..3 {
            let stream = connection.begin(&head("PUT", "/bucket/key", &[("content-length", "70000")]), false);
            assert_eq!(connection.upload(stream, &[b'y'; 70_000], true), 70_000, "beside {stalled}");
            assert_eq!(connection.answer(stream).text(), "ok", "beside {stalled}");
        }
        let grown = scene.proxy.memory().1.saturating_sub(before);
        println!("{stalled} stalled uploads: {} KiB sent, {grown} KiB more", sent >> 10);
        assert!(grown < 64 * 1024, "{stalled}: {grown} KiB more");
    }
}

#[test]
fn a_connection_that_was_blocked_has_its_usual_windows_again() {
    let scene = Scene::new("");
    let mut connection = Http2::open(scene.proxy.address);
    for _ in 0..3 {
        let put = head("PUT", "/bucket/stall", &[("content-length", "1000000000")]);
        let streams: Vec<_> = (0..12).map(|_| connection.begin(&put, false)).collect();
        while streams.iter().map(|stream| connection.fill(*stream)).sum::<usize>() > 0
            || connection.read_within(Duration::from_millis(200))
        {}
        for stream in streams {
            connection.send(&frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
        }
        let stream = connection.begin(&head("PUT", "/bucket/key", &[]), false);
        assert_eq!(connection.upload(stream, &vec![b'y'; 8 << 20], true), 8 << 20);
        assert_eq!(connection.answer(stream).text(), "ok");
    }
    scene.becomes("s3cors_http_requests_in_flight", 0.0);
}

#[test]
fn a_download_that_its_client_does_not_take_is_not_read() {
    let scene = Scene::new("");
    let (before, _) = scene.proxy.memory();
    // Streams without a window.
    let mut connection = Http2::with_window(scene.proxy.address, 0);
    let streams: Vec<_> = (0..100).map(|_| connection.begin(&head("GET", "/bucket/large", &[]), true)).collect();
    for stream in &streams {
        while !connection.is_answered(*stream) && connection.read() {}
    }
    let settled = Instant::now();
    while settled.elapsed() < Duration::from_millis(500) {
        std::thread::yield_now();
    }
    let grown = scene.proxy.memory().1.saturating_sub(before);
    println!("100 downloads without a window: {grown} KiB more");
    assert!(grown < 12 * 1024, "{grown} KiB more");
    connection.send(&frame(WINDOW_UPDATE, 0, streams[0], &100_000_u32.to_be_bytes()));
    let mut taken = 0;
    while taken < 100_000 && connection.read() {
        taken = connection.data_of(streams[0]);
    }
    assert_eq!(taken, 100_000, "it goes on with its window");
}

#[test]
fn one_connection_has_only_so_many_requests_at_upstreams_and_the_others_wait() {
    let scene = Scene::new("");
    let mut connection = Http2::open(scene.proxy.address);
    let wait: Vec<_> = (0..150).map(|_| connection.begin(&head("GET", "/bucket/wait", &[]), true)).collect();
    scene.becomes("s3cors_http_requests_in_flight", 150.0);
    eventually("the first are forwarded", || (scene.upstream.received().len() >= 100).then_some(()));
    assert_eq!(scene.upstream.received().len(), 100);
    // What the proxy replies to itself waits for no one, and neither does another client.
    let preflight = [("origin", "https://app.example"), ("access-control-request-method", "PUT")];
    let stream = connection.begin(&head("OPTIONS", "/bucket/key", &preflight), true);
    assert_eq!(connection.answer(stream).status, 200);
    assert_eq!(scene.proxy.fetch("GET", "/bucket/key", &[]).status, 200);
    // A turn that is free is the next one's.
    let next = connection.begin(&head("GET", "/bucket/key", &[]), true);
    for stream in wait {
        connection.send(&frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
    }
    assert_eq!(connection.answer(next).text(), "ok");
}

/// The frames of a flood, by number.
type Piece = Box<dyn Fn(u32) -> Vec<u8>>;

/// Sends these frames. Returns the end of the connection, and the number of frames that were taken.
fn flood(scene: &Scene, piece: impl Fn(u32) -> Vec<u8>) -> (End, u32) {
    const MOST: u32 = 200_000;
    let mut connection = Frames::open(scene.proxy.address);
    let get = frame(HEADERS, END_HEADERS, 1, &fields(&head("PUT", "/bucket/stall", &[])));
    connection.send(&get);
    let sent = (0..MOST).take_while(|number| connection.send(&piece(*number))).count();
    (connection.end_of(u32::MAX), sent as u32)
}

#[test]
fn a_flood_of_frames_that_carry_nothing_ends_its_connection() {
    let scene = Scene::new("");
    let get = fields(&head("GET", "/bucket/wait", &[]));
    let (before, _) = scene.proxy.memory();
    let floods: [(&str, Piece); 8] = [
        ("PING", Box::new(|_| frame(PING, 0, 0, &[0; 8]))),
        ("SETTINGS", Box::new(|_| frame(SETTINGS, 0, 0, &[]))),
        ("SETTINGS that change", Box::new(|n| frame(SETTINGS, 0, 0, &[0, 4, 0, 0, (n >> 8) as u8, n as u8]))),
        ("PRIORITY", Box::new(|n| frame(PRIORITY, 0, n * 2 + 3, &[0, 0, 0, 0, 1]))),
        ("WINDOW_UPDATE", Box::new(|_| frame(WINDOW_UPDATE, 0, 0, &1_u32.to_be_bytes()))),
        ("empty DATA", Box::new(|_| frame(DATA, 0, 1, &[]))),
        ("unknown frames", Box::new(|_| frame(0xfa, 0, 0, &[0; 8]))),
        (
            "requests that are cancelled",
            Box::new(move |n| {
                let stream = n * 2 + 3;
                let reset = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
                [frame(HEADERS, END_HEADERS | END_STREAM, stream, &get), reset].concat()
            }),
        ),
    ];
    for (what, piece) in floods {
        let (end, sent) = flood(&scene, piece);
        println!("{what}: {end:?} after {sent}");
        // What says so may be lost with the connection.
        assert!(matches!(end, End::GoneAway(CALM) | End::Closed), "{what}: {end:?} after {sent}");
        assert!(sent < 100_000, "{what}: {sent} are taken");
    }
    assert_eq!(scene.proxy.fetch("GET", "/bucket/key", &[]).status, 200);
    let grown = scene.proxy.memory().1.saturating_sub(before);
    println!("floods: {grown} KiB more");
    assert!(grown < 16 * 1024, "{grown} KiB more");
}

#[test]
fn a_client_that_pings_and_one_that_acknowledges_every_piece_is_served() {
    let scene = Scene::new("");
    let mut connection = Http2::with_window(scene.proxy.address, 65_535);
    for _ in 0..200 {
        connection.send(&frame(PING, 0, 0, &[0; 8]));
    }
    let stream = connection.begin(&head("GET", "/bucket/large", &[]), true);
    let mut acknowledged = 0;
    while acknowledged < 64 << 20 {
        assert!(connection.read(), "after {acknowledged}");
        // Twice for each 4 KiB, as the most eager clients do.
        while connection.data_of(stream) >= acknowledged + 4096 {
            acknowledged += 4096;
            let size = 4096_u32.to_be_bytes();
            connection.send(&[frame(WINDOW_UPDATE, 0, 0, &size), frame(WINDOW_UPDATE, 0, stream, &size)].concat());
        }
    }
    let next = connection.begin(&head("GET", "/bucket/key", &[]), true);
    assert_eq!(connection.answer(next).text(), "ok");
}

#[test]
fn a_head_that_does_not_end_has_a_deadline_and_the_reply_of_its_bucket() {
    let scene = Scene::new("limits: {header_read: 600ms}\n");
    let started = Instant::now();
    let mut connection = Http2::open(scene.proxy.address);
    let block = fields(&head("GET", "/bucket/key", &[("origin", "https://app.example")]));
    connection.send(&frame(HEADERS, END_STREAM, 1, &block));
    let answer = connection.answer(1);
    assert_eq!((answer.status, answer.ended), (408, Ended::Cleanly), "{answer:?}");
    assert!(answer.text().contains("<Code>RequestTimeout</Code>"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    while connection.read() {}
    assert!(started.elapsed() < Duration::from_secs(5), "the connection ends");
    scene.becomes("s3cors_http_requests_total{code=\"408\",method=\"GET\"}", 1.0);
    scene.becomes("s3cors_connections_open", 0.0);

    // So does one of which not even a frame is whole.
    let mut connection = Http2::open(scene.proxy.address);
    connection.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block)[..block.len()]);
    assert_eq!(connection.answer(1).status, 408);
    scene.becomes("s3cors_connections_open", 0.0);
}

/// A field that the table keeps takes a byte in each request that has it.
#[test]
fn requests_that_are_too_many_are_refused_however_large_a_byte_makes_them() {
    const OPEN: u32 = 256;
    const MORE: u32 = 150;
    let scene = Scene::new("");
    let mut connection = Frames::open(scene.proxy.address);
    let (block, large) = (fields(&head("GET", "/bucket/wait", &[])), fields(&[("x-a", "v".repeat(3000))]));
    let request = |number: u32| {
        let more = if number == 0 { [b"\x40", &large[1..]].concat() } else { vec![0xbe; 10] };
        frame(HEADERS, END_STREAM | END_HEADERS, number * 2 + 1, &[&block[..], &more].concat())
    };
    let (before, _) = scene.proxy.memory();
    connection.send(&(0..OPEN + MORE).flat_map(request).collect::<Vec<_>>());
    let mut refused = Vec::new();
    while refused.len() < MORE as usize {
        let frame = connection.next().expect("all are refused that are too many");
        if frame.kind == RST_STREAM {
            assert_eq!(frame.payload, REFUSED.to_be_bytes());
            refused.push(frame.stream);
        }
    }
    assert!(refused.iter().all(|stream| *stream > 2 * OPEN), "{refused:?}");
    let grown = scene.proxy.memory().1.saturating_sub(before);
    println!("{OPEN} requests of 30 KiB: {grown} KiB more");
    assert!(grown < 64 * 1024, "{grown} KiB more");
    // The connection goes on once there is room.
    connection.send(&frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes()));
    let next = 2 * (OPEN + MORE) + 1;
    let preflight = [("origin", "https://app.example"), ("access-control-request-method", "GET")];
    let preflight = fields(&head("OPTIONS", "/bucket/key", &preflight));
    connection.send(&frame(HEADERS, END_STREAM | END_HEADERS, next, &preflight));
    let end = connection.end_of(next);
    assert!(matches!(end, End::Answered(_)), "{end:?}");
}

#[test]
fn unfinished_heads_of_all_clients_share_one_budget() {
    let scene = Scene::new("limits: {heads: 1MiB}\n");
    let (before, _) = scene.proxy.memory();
    let mut held = Vec::new();
    for _ in 0..60 {
        let mut connection = Frames::open(scene.proxy.address);
        let large = "v".repeat(16_000);
        connection.send(&frame(HEADERS, END_STREAM, 1, &fields(&head("GET", "/bucket/key", &[]))));
        for _ in 0..3 {
            connection.send(&frame(CONTINUATION, 0, 1, &fields(&[("x-a", &large)])));
        }
        held.push(connection);
    }
    let slow_down = "s3cors_http_requests_total{code=\"503\",method=\"GET\"}";
    eventually("some are refused", || scene.proxy.metric(slow_down).filter(|count| *count > 20.0));
    let grown = scene.proxy.memory().1.saturating_sub(before);
    println!("60 unfinished heads: {grown} KiB more");
    assert!(grown < 16 * 1024, "{grown} KiB more");
}

#[test]
fn a_head_that_is_too_large_has_a_document_and_the_headers_of_its_bucket() {
    let scene = Scene::new("");
    let large = "v".repeat(1000);
    for (count, origin_at) in [(70, 0), (70, 70), (200, 0)] {
        let mut more: Vec<_> = (0..count).map(|number| (format!("x-{number}"), large.clone())).collect();
        more.insert(origin_at, ("origin".to_owned(), "https://app.example".to_owned()));
        let mut head: Vec<_> =
            head("GET", "/bucket/key", &[]).iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        head.append(&mut more);
        let mut connection = Http2::open(scene.proxy.address);
        let stream = connection.begin(&head, true);
        let answer = connection.answer(stream);
        assert_eq!((answer.status, answer.ended), (431, Ended::Cleanly), "{count}");
        assert!(answer.text().contains("<Code>RequestHeaderSectionTooLarge</Code>"), "{count}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"), "{count}");
        // The connection goes on.
        let next = connection
            .begin(&[(":method", "GET"), (":scheme", "http"), (":path", "/bucket/key"), (":authority", "h")], true);
        assert_eq!(connection.answer(next).text(), "ok", "{count}");
    }
    scene.becomes("s3cors_http_requests_total{code=\"431\",method=\"GET\"}", 3.0);
    let lines = eventually("they are logged", || {
        let lines: Vec<_> = scene.proxy.log().into_iter().filter(|line| line["status"] == 431).collect();
        (lines.len() == 3).then_some(lines)
    });
    assert!(lines.iter().all(|line| line["bucket"] == "bucket" && line["path"] == "/bucket/key"), "{lines:#?}");
}

#[test]
fn a_malformed_request_is_counted_and_logged_and_its_stream_alone_ends() {
    let scene = Scene::new("");
    let mut connection = Http2::open(scene.proxy.address);
    let more: [(&str, &str); 5] =
        [("A", "b"), ("a b", "c"), ("connection", "close"), ("te", "gzip"), (":path", "/other")];
    for (number, more) in more.into_iter().enumerate() {
        let stream = connection.begin(&head("GET", "/bucket/key", &[("origin", "https://app.example"), more]), true);
        assert_eq!(connection.answer(stream).ended, Ended::Reset(1), "{more:?}");
        scene.becomes("s3cors_http_requests_total{code=\"400\",method=\"GET\"}", number as f64 + 1.0);
        let next = connection.begin(&head("GET", "/bucket/key", &[]), true);
        assert_eq!(connection.answer(next).text(), "ok", "{more:?}");
    }
    let lines = eventually("they are logged", || {
        let lines: Vec<_> = scene.proxy.log().into_iter().filter(|line| line["status"] == 400).collect();
        (lines.len() == 5).then_some(lines)
    });
    assert!(lines.iter().all(|line| line["origin"] == "https://app.example"), "{lines:#?}");
}

#[test]
fn a_byte_at_a_time_is_read_like_the_whole() {
    let scene = Scene::new("");
    let mut connection = Frames::open(scene.proxy.address);
    let put = frame(HEADERS, 0, 1, &fields(&head("PUT", "/bucket/key#2", &[])));
    let rest = frame(CONTINUATION, END_HEADERS, 1, &fields(&[("x", "y")]));
    let get = frame(HEADERS, END_HEADERS | END_STREAM, 3, &fields(&head("GET", "/bucket/key", &[])));
    let data = [frame(PING, 0, 0, &[0; 8]), put, rest, frame(DATA, END_STREAM, 1, b"body"), get].concat();
    for byte in data {
        assert!(connection.send(&[byte]));
    }
    assert_eq!(connection.end_of(1), End::Answered(Some(400)));
    assert_eq!(connection.end_of(3), End::Answered(Some(200)));
}

#[test]
fn frames_between_those_of_a_head_end_the_connection() {
    let scene = Scene::new("");
    let block = fields(&head("GET", "/bucket/key", &[]));
    let open = frame(HEADERS, END_STREAM, 1, &block);
    for (what, then) in [
        ("PING", frame(PING, 0, 0, &[0; 8])),
        ("HEADERS", frame(HEADERS, END_HEADERS | END_STREAM, 3, &block)),
        ("another stream's CONTINUATION", frame(CONTINUATION, END_HEADERS, 3, b"")),
        ("DATA", frame(DATA, END_STREAM, 1, b"x")),
    ] {
        let mut connection = Frames::open(scene.proxy.address);
        connection.send(&[open.clone(), then].concat());
        assert_eq!(connection.end_of(1), End::GoneAway(1), "{what}");
    }
    let mut connection = Frames::open(scene.proxy.address);
    connection.send(&frame(CONTINUATION, END_HEADERS, 1, b""));
    assert_eq!(connection.end_of(1), End::GoneAway(1));
    let mut connection = Frames::open(scene.proxy.address);
    connection.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xbe]));
    assert_eq!(connection.end_of(1), End::GoneAway(9), "COMPRESSION_ERROR");
    drop(TcpStream::connect_timeout(&scene.proxy.address, DEADLINE).unwrap());
}
