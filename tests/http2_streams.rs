//! What becomes of an HTTP/2 stream whose request or response does not go the usual way, and that others on its connection go on.

use crate::support::frames::{
    DATA, END_HEADERS, END_STREAM, Frame, Frames, GOAWAY, HEADERS, RST_STREAM, WINDOW_UPDATE, fields, frame,
};
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::{Served, Upstream};
use crate::support::{DEADLINE, eventually};
use std::sync::Mutex;
use std::sync::mpsc::channel;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// Error codes (RFC 9113 §7).
const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const CANCEL: u32 = 8;

struct Scene {
    _rules: Rules,
    upstream: Upstream,
    proxy: Proxy,
}

impl Scene {
    fn before(upstream: Upstream) -> Self {
        Self::with(upstream, "")
    }

    fn with(upstream: Upstream, configuration: &str) -> Self {
        let rules = Rules::usual();
        let listen = "listen: {address: '127.0.0.1:0', http2: true}\nadmin: 127.0.0.1:0\n";
        let file = ConfigFile::new(&format!("{listen}{configuration}"));
        let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
        command.arg(rules.path()).args(["--upstream", &format!("http://{}", upstream.address)]);
        Self { _rules: rules, upstream, proxy: Proxy::spawn(command) }
    }

    /// A proxy whose upstream sends this response, and closes.
    fn answering(answer: &'static str) -> Self {
        Self::before(Upstream::scripted(move |served| {
            served.request_head();
            served.send(answer);
        }))
    }

    fn open(&self) -> Frames {
        Frames::open(self.proxy.address)
    }

    fn becomes(&self, series: &str, value: f64) {
        eventually(series, || self.proxy.metric(series).filter(|now| *now == value));
    }
}

/// A request's head, without the end of its stream.
fn head(stream: u32, method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let usual = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "h")];
    frame(HEADERS, END_HEADERS, stream, &fields(&[&usual[..], more].concat()))
}

/// A whole request without a body.
fn get(stream: u32, path: &str) -> Vec<u8> {
    let mut bytes = head(stream, "GET", path, &[]);
    bytes[4] |= END_STREAM;
    bytes
}

fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// The data of a stream, and how it ended: `None` is cleanly.
fn read(frames: &[Frame]) -> (String, Option<u32>) {
    let data = frames.iter().filter(|frame| frame.kind == DATA).flat_map(|frame| frame.payload.clone()).collect();
    let last = frames.last().expect("something comes");
    let code = (!last.ends()).then(|| u32::from_be_bytes(last.payload[..].try_into().unwrap()));
    (String::from_utf8(data).unwrap(), code)
}

#[test]
fn a_response_that_breaks_off_never_ends_cleanly() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
    ] {
        let scene = Scene::answering(answer);
        let mut connection = scene.open();
        connection.send(&get(1, "/bucket/key"));
        let (data, code) = read(&connection.all_of(1));
        assert!("half".starts_with(&data) && code == Some(INTERNAL_ERROR), "{answer:?}: {data:?} {code:?}");
        scene.becomes("s3cors_upstream_errors_total{kind=\"reset\"}", 1.0);
    }
}

#[test]
fn a_response_of_any_framing_ends_with_its_body() {
    for (answer, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", "body"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", ""),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2;x\r\ndy\r\n0\r\nt: v\r\n\r\n", "body"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""),
        ("HTTP/1.1 200 OK\r\n\r\nbody", "body"),
        ("HTTP/1.0 200 OK\r\n\r\n", ""),
    ] {
        for driver in ["own", "pingora"] {
            let upstream = Upstream::scripted(move |served| {
                served.request_head();
                served.send(answer);
            });
            let scene = Scene::with(upstream, &format!("drivers: {driver}\n"));
            let mut connection = scene.open();
            connection.send(&get(1, "/bucket/key"));
            assert_eq!(read(&connection.all_of(1)), (body.to_owned(), None), "{driver} {answer:?}");
        }
    }
}

#[test]
fn a_client_that_resets_its_stream_frees_the_upstream_and_others_go_on() {
    let (gone, is_gone) = channel();
    let gone = Mutex::new(gone);
    let scene = Scene::before(Upstream::scripted(move |served: &mut Served| {
        while let Some(request) = served.request() {
            if request.request_line().contains("/slow") {
                let rest = served.read(1);
                gone.lock().unwrap().send(rest.is_empty()).unwrap();
                return;
            }
            served.send(OK);
        }
    }));
    let mut connection = scene.open();
    connection.send(&get(1, "/bucket/slow"));
    scene.upstream.only_request();
    connection.send(&reset(1, CANCEL));
    assert!(is_gone.recv_timeout(DEADLINE).unwrap(), "the connection to the upstream is closed");
    scene.becomes("s3cors_http_requests_total{code=\"499\",method=\"GET\"}", 1.0);
    connection.send(&get(3, "/bucket/key"));
    assert_eq!(read(&connection.all_of(3)), ("ok".to_owned(), None));
    assert_eq!(scene.proxy.metric("s3cors_upstream_errors_total{kind=\"reset\"}"), Some(0.0));
}

#[test]
fn an_upload_that_is_reset_is_never_a_whole_request() {
    let (whole, is_whole) = channel();
    let whole = Mutex::new(whole);
    let scene = Scene::before(Upstream::scripted(move |served: &mut Served| {
        let Some(request) = served.request_head() else { return };
        whole.lock().unwrap().send(served.body(&request).is_some()).unwrap();
    }));
    for (number, more) in [&[("content-length", "8")][..], &[]].into_iter().enumerate() {
        let mut connection = scene.open();
        connection.send(&[head(1, "PUT", "/bucket/key", more), frame(DATA, 0, 1, b"half")].concat());
        // The head has left, and the half of the body with it.
        eventually("it arrives", || (scene.upstream.received().len() > number).then_some(()));
        connection.send(&reset(1, CANCEL));
        assert!(!is_whole.recv_timeout(DEADLINE).unwrap(), "{more:?}");
    }
    scene.becomes("s3cors_http_requests_total{code=\"499\",method=\"PUT\"}", 2.0);
}

/// RFC 9113 §8.1: a server may respond before the request's end, and asks the client to stop with NO_ERROR.
#[test]
fn a_response_before_the_end_of_an_upload_comes_at_once() {
    let scene = Scene::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied");
    let mut connection = scene.open();
    connection.send(&head(1, "PUT", "/bucket/key", &[("content-length", "8")]));
    assert_eq!(read(&connection.all_of(1)), ("denied".to_owned(), None));
    let next = connection.next_of(1);
    assert_eq!((next.kind, next.payload), (RST_STREAM, NO_ERROR.to_be_bytes().to_vec()));
    scene.becomes("s3cors_http_requests_total{code=\"403\",method=\"PUT\"}", 1.0);
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it() {
    let scene = Scene::before(Upstream::scripted(|served| {
        let Some(request) = served.request_head() else { return };
        served.send("HTTP/1.1 100 Continue\r\nContent-Length: 3\r\nConnection: x\r\nX: y\r\n\r\n");
        served.body(&request);
        served.send(OK);
    }));
    let mut connection = scene.open();
    connection.send(&head(1, "PUT", "/bucket/key", &[("content-length", "4"), ("expect", "100-continue")]));
    let interim = connection.next_of(1);
    assert!(interim.kind == HEADERS && !interim.ends(), "{interim:?}");
    connection.send(&frame(DATA, END_STREAM, 1, b"body"));
    assert_eq!(read(&connection.all_of(1)), ("ok".to_owned(), None));
    let arrived = scene.upstream.only_request();
    assert_eq!(arrived.header("expect").as_deref(), Some("100-continue"));
}

#[test]
fn a_strangers_word_about_the_client_ends_here() {
    let scene = Scene::before(Upstream::answering(OK));
    let mut connection = scene.open();
    let claimed = [("x-forwarded-for", "10.0.0.1"), ("x_forwarded_for", "10.0.0.1"), ("x-forwarded-proto", "https")];
    connection.send(&head(1, "PUT", "/bucket/key", &claimed));
    connection.send(&frame(DATA, END_STREAM, 1, b"body"));
    assert_eq!(read(&connection.all_of(1)), ("ok".to_owned(), None));
    let mut about: Vec<_> = scene.upstream.only_request().headers();
    about.retain(|(name, _)| name.to_ascii_lowercase().starts_with("x"));
    let expected = [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "h")];
    assert_eq!(about, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[test]
fn trailers_are_dropped_with_their_announcement() {
    let scene = Scene::before(Upstream::answering(OK));
    let mut connection = scene.open();
    connection.send(&head(1, "PUT", "/bucket/key", &[("trailer", "x-sum")]));
    connection.send(&frame(DATA, 0, 1, b"body"));
    connection.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &fields(&[("x-sum", "1")])));
    assert_eq!(read(&connection.all_of(1)), ("ok".to_owned(), None));
    let arrived = scene.upstream.only_request();
    assert_eq!(arrived.body, b"body");
    let names: Vec<_> = arrived.headers().into_iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    assert_eq!(names, ["host", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "via", "transfer-encoding"]);
}

#[test]
fn the_first_bytes_reach_the_client_as_soon_as_they_are_here() {
    for (head, first, last) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "a", "b"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", "1\r\nb\r\n0\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n\r\n", "a", "b"),
    ] {
        let (release, released) = channel::<()>();
        let released = Mutex::new(released);
        let scene = Scene::before(Upstream::scripted(move |served| {
            served.request();
            for piece in [head, first] {
                served.send(piece);
                served.wait_until_read();
            }
            // Sends no more before the client has what is here.
            let _ = released.lock().unwrap().recv();
            served.send(last);
        }));
        let mut connection = scene.open();
        connection.send(&get(1, "/bucket/key"));
        assert_eq!(connection.next_of(1).kind, HEADERS, "{head}");
        assert_eq!(connection.next_of(1).payload, b"a", "{head}");
        release.send(()).unwrap();
        assert_eq!(read(&connection.all_of(1)), ("b".to_owned(), None), "{head}");
    }
}

#[test]
fn a_request_that_can_be_repeated_is_when_a_kept_connection_turns_out_closed() {
    for (method, body, end, arrivals) in [("GET", "", 200, 2), ("PUT", "small", 200, 2), ("POST", "small", 502, 1)] {
        let scene = Scene::before(Upstream::scripted(|served| {
            let mut answers = 0;
            while let Some(request) = served.request() {
                if (request.connection == 0 && answers == 1) || !served.send(OK) {
                    return;
                }
                answers += 1;
            }
        }));
        let mut connection = scene.open();
        connection.send(&get(1, "/bucket/first"));
        connection.all_of(1);
        scene.becomes("s3cors_http_requests_in_flight", 0.0);
        let length = body.len().to_string();
        let data = frame(DATA, END_STREAM, 3, body.as_bytes());
        connection.send(&[head(3, method, "/bucket/second", &[("content-length", &length)]), data].concat());
        assert_eq!(read(&connection.all_of(3)).1, None);
        let code = format!("s3cors_http_requests_total{{code=\"{end}\",method=\"{method}\"}}");
        let before = if method == "GET" { 1.0 } else { 0.0 };
        scene.becomes(&code, before + 1.0);
        let second: Vec<_> = scene.upstream.received().into_iter().skip(1).collect();
        assert_eq!(second.len(), arrivals, "{method}");
        assert!(second.iter().all(|request| request.body == body.as_bytes()), "{method}");
    }
}

#[test]
fn a_response_that_its_client_does_not_take_is_held_back_and_others_go_on() {
    const SIZE: usize = 256 * 1024 * 1024;
    let scene = Scene::before(Upstream::scripted(|served| {
        while let Some(request) = served.request() {
            if !request.request_line().contains("/large") {
                served.send(OK);
                continue;
            }
            served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"));
            let piece = vec![b'x'; 64 * 1024];
            while served.send(&piece) {}
        }
    }));
    let (before, _) = scene.proxy.memory();
    let mut connection = scene.open();
    // Each takes its window of 64 KiB; the connection's own is larger.
    connection.send(&frame(WINDOW_UPDATE, 0, 0, &(1_u32 << 30).to_be_bytes()));
    let slow = (0..20).map(|number| number * 2 + 1);
    for stream in slow.clone() {
        connection.send(&get(stream, "/bucket/large"));
    }
    let mut taken = 0;
    while taken < slow.clone().count() * 65_535 {
        let frame = connection.next().expect("more comes");
        taken += if frame.kind == DATA { frame.payload.len() } else { 0 };
    }
    connection.send(&get(101, "/bucket/key"));
    assert_eq!(read(&connection.all_of(101)), ("ok".to_owned(), None));
    let grown = scene.proxy.memory().1.saturating_sub(before);
    assert!(grown < 20 * 1024, "{grown} KiB more for {} streams", slow.count());
    drop(connection);
    scene.becomes("s3cors_http_requests_in_flight", 0.0);
}

#[test]
fn a_client_that_does_not_take_its_response_in_time_is_cut_off() {
    let large = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{}", "x".repeat(1_000_000));
    let scene = Scene::with(Upstream::answering(large), "limits: {body_write: 1s}\n");
    let mut connection = scene.open();
    connection.send(&get(1, "/bucket/large"));
    let (data, code) = read(&connection.all_of(1));
    assert_eq!((data.len(), code), (65_535, Some(CANCEL)));
}

#[test]
fn a_process_that_ends_says_so_and_finishes_what_it_has_begun() {
    let (go, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::scripted(move |served| {
        while served.request().is_some() {
            served.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
            if wait.lock().unwrap().recv_timeout(DEADLINE).is_ok() {
                served.send("rest");
            }
        }
    });
    let mut scene = Scene::before(upstream);
    let (mut connection, mut idle) = (scene.open(), scene.open());
    connection.send(&get(1, "/bucket/key"));
    assert_eq!(connection.next_of(1).kind, HEADERS);
    scene.proxy.signal("TERM");
    while connection.next().expect("it is said").kind != GOAWAY {}
    go.send(()).unwrap();
    assert_eq!(read(&connection.all_of(1)), ("rest".to_owned(), None));
    // A client that says nothing more holds no process up.
    while idle.next().is_some() {}
    assert_eq!(scene.proxy.wait_for_exit().code(), Some(0));
}
