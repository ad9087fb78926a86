//! HTTP/2 can say what HTTP/1.1 cannot: none of it is a way to the upstream, and no flood of frames is a way to its memory.

use crate::support::eventually;
use crate::support::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, End, Frames, HEADERS, RST_STREAM, fields, frame,
};
use crate::support::http::fetch;
use crate::support::process::{AS_IT_CAME, ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::{Received, Upstream};

const USUAL: [(&str, &str); 4] =
    [(":method", "GET"), (":scheme", "http"), (":path", "/bucket/key"), (":authority", "h")];

/// A proxy that speaks HTTP/2 without TLS before an upstream that keeps every byte.
struct Scene {
    _rules: Rules,
    upstream: Upstream,
    proxy: Proxy,
}

impl Scene {
    fn new() -> Self {
        Self::driven_by("own")
    }

    fn driven_by(driver: &str) -> Self {
        let (rules, upstream) = (Rules::usual(), Upstream::echo());
        let listen = "listen: {address: '127.0.0.1:0', http2: true}\nadmin: 127.0.0.1:0\n";
        let file = ConfigFile::new(&format!("{listen}drivers: {driver}\n{AS_IT_CAME}"));
        let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
        command.arg(rules.path()).args(["--upstream", &format!("http://{}", upstream.address)]);
        let proxy = Proxy::spawn(command);
        Self { _rules: rules, upstream, proxy }
    }

    /// Sends one request on a connection of its own, then another over HTTP/1.1; gives how the first ended, and what arrived of it.
    fn outcome(&self, block: &[(&str, &str)], body: Option<&[u8]>) -> (End, String) {
        let mark = self.upstream.wire().len();
        let mut connection = Frames::open(self.proxy.address);
        let flags = if body.is_some() { END_HEADERS } else { END_HEADERS | END_STREAM };
        let mut bytes = frame(HEADERS, flags, 1, &fields(block));
        if let Some(body) = body {
            bytes.extend(frame(DATA, END_STREAM, 1, body));
        }
        connection.send(&bytes);
        let end = connection.end_of(1);
        let next = "GET /bucket/next HTTP/1.1\r\nHost: s3.example.test\r\n\r\n";
        assert_eq!(fetch(self.proxy.address, "GET", "/bucket/next", &[]).text(), "GET /bucket/next HTTP/1.1");
        let arrived: Vec<u8> = self.upstream.wire().into_iter().skip(mark).flat_map(|(_, bytes)| bytes).collect();
        let arrived = arrived.escape_ascii().to_string().replace("\\r\\n", "\n").replace("\\'", "'");
        let next = next.replace("\r\n", "\n");
        let rest = arrived.strip_suffix(&next).unwrap_or_else(|| panic!("{arrived}"));
        (end, rest.to_owned())
    }
}

/// The usual fields, with this one instead of its namesake.
fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    USUAL.iter().map(|(usual, was)| (*usual, if *usual == name { value } else { *was })).collect()
}

fn without(name: &str) -> Vec<(&'static str, &'static str)> {
    USUAL.into_iter().filter(|(usual, _)| *usual != name).collect()
}

/// The usual fields, and these.
fn and<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&USUAL[..], more].concat()
}

#[test]
fn a_head_that_http_1_1_could_not_hold_or_would_read_in_another_way_is_refused() {
    let mut heads: Vec<_> = [
        ("a", "b\r\nc: d"),
        ("a", "b\nc"),
        ("a", "b\rc"),
        ("a", "b\0"),
        ("a", "b\x01"),
        ("a", "b\x7f"),
        ("a\r\nb", "c"),
        ("a: b", "c"),
        ("a b", "c"),
        ("a\0", "b"),
        ("A", "b"),
        ("", "b"),
        ("connection", "close"),
        ("connection", "x"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "identity"),
        ("keep-alive", "1"),
        ("upgrade", "x"),
        ("proxy-connection", "close"),
        ("te", "gzip"),
        ("host", "i"),
        ("content-length", "3"),
        ("content-length", "-1"),
        ("content-length", "0, 0"),
        (":path", "/other"),
        (":authority", "i"),
        (":method", "PUT"),
        (":status", "200"),
        (":protocol", "websocket"),
        (":x", "y"),
    ]
    .map(|more| and(&[more]))
    .to_vec();
    let instead = [
        (":path", ""),
        (":path", "bucket/key"),
        (":path", "http://other/key"),
        (":path", "/a b"),
        (":path", "/a HTTP/1.1\r\nx: y"),
        (":path", "/a\nb"),
        (":path", "/a\0"),
        (":path", "/<>"),
        (":method", ""),
        (":method", "G T"),
        (":method", "GET / HTTP/1.1\r\nx: y"),
        (":method", "CONNECT"),
        (":scheme", "http://other/?"),
        (":authority", ""),
        (":authority", "u@h"),
        (":authority", "h\r\nx: y"),
        (":authority", "h h"),
        (":authority", "h/path"),
        (":authority", "h?x"),
        (":authority", "h#x"),
        (":authority", "h\\x"),
        (":authority", "[::1"),
    ];
    heads.extend(instead.map(|(name, value)| with(name, value)));
    heads.extend(USUAL.map(|(name, _)| without(name)));
    heads.push(and(&[("content-length", "0"), ("content-length", "0")]));
    heads.push(and(&[("host", "h"), ("host", "h")]));
    let late = [&without(":path")[..], &[("a", "b"), (":path", "/late")]].concat();
    heads.push(late);
    for driver in ["own", "pingora"] {
        let scene = Scene::driven_by(driver);
        for head in &heads {
            let (end, arrived) = scene.outcome(head, None);
            // The status of a refusal, or an error of the protocol: of the stream's or of the connection's.
            let is_refused = matches!(end, End::Answered(Some(400)) | End::Reset(1) | End::GoneAway(1));
            assert!(is_refused && arrived.is_empty(), "{driver} {head:?}: {end:?}, {arrived}");
        }
    }
}

/// Names in lower case and lines in order: the drivers write `Host` and `Content-Length` in other places and cases.
fn normal(arrived: &str) -> Vec<String> {
    let mut lines = arrived.lines().map(str::to_owned).collect::<Vec<_>>();
    for line in &mut lines[1..] {
        if let Some((name, value)) = line.split_once(':') {
            *line = format!("{}:{value}", name.to_ascii_lowercase());
        }
    }
    lines[1..].sort();
    lines
}

#[test]
fn a_head_that_is_right_arrives_in_one_spelling() {
    let scenes = ["own", "pingora"].map(|driver| (driver, Scene::driven_by(driver)));
    let key = "GET /bucket/key HTTP/1.1";
    let usual = format!("{key}\nhost: h\n\n");
    let hosted = [&without(":authority")[..], &[("host", "h")]].concat();
    for (head, arriving) in [
        (and(&[]), usual.clone()),
        (and(&[("host", "h")]), usual.clone()),
        (hosted, usual.clone()),
        (and(&[("te", "trailers")]), usual.clone()),
        (and(&[("trailer", "x")]), usual.clone()),
        (and(&[("proxy-authorization", "x")]), usual.clone()),
        (and(&[("http2-settings", "AAMAAABk")]), usual),
        (and(&[("content-length", "0")]), format!("{key}\nhost: h\ncontent-length: 0\n\n")),
        (and(&[("a", "1"), ("b", ""), ("a", "2")]), format!("{key}\nhost: h\na: 1\na: 2\nb: \n\n")),
        (and(&[("expect", "100-continue")]), format!("{key}\nhost: h\nexpect: 100-continue\n\n")),
        (with(":path", "*"), "GET * HTTP/1.1\nhost: h\n\n".to_owned()),
        (with(":path", "//a/../%2f%2F?b+c"), "GET //a/../%2f%2F?b+c HTTP/1.1\nhost: h\n\n".to_owned()),
        (with(":path", "/\"{}|'"), "GET /\\\"{}|' HTTP/1.1\nhost: h\n\n".to_owned()),
        (with(":method", "TRACE"), "TRACE /bucket/key HTTP/1.1\nhost: h\n\n".to_owned()),
        (with(":method", "get"), "get /bucket/key HTTP/1.1\nhost: h\n\n".to_owned()),
        (with(":scheme", "ftp"), format!("{key}\nhost: h\n\n")),
        (with(":authority", "127.0.0.1:1"), format!("{key}\nhost: 127.0.0.1:1\n\n")),
    ] {
        for (driver, scene) in &scenes {
            let (end, arrived) = scene.outcome(&head, None);
            assert_eq!((end, normal(&arrived)), (End::Answered(Some(200)), normal(&arriving)), "{driver} {head:?}");
        }
    }
}

/// RFC 9113 §8.2.3.
#[test]
fn cookies_that_come_in_crumbs_arrive_in_one_line() {
    let (_, arrived) = Scene::new().outcome(&and(&[("cookie", "a=b"), ("x", "y"), ("cookie", "c=d; e=f")]), None);
    assert_eq!(arrived, "GET /bucket/key HTTP/1.1\nhost: h\nx: y\ncookie: a=b; c=d; e=f\n\n");
}

/// CONNECT asks for a tunnel (RFC 9113 §8.5). 405 is no status of the static table: it comes as a literal.
#[test]
fn no_tunnel_is_opened() {
    let scene = Scene::new();
    let (end, arrived) = scene.outcome(&[(":method", "CONNECT"), (":authority", "h:443")], None);
    assert_eq!((end, arrived.as_str()), (End::Answered(None), ""));
    assert_eq!(scene.proxy.metric("s3cors_http_requests_total{code=\"405\",method=\"other\"}"), Some(1.0));
}

#[test]
fn an_upload_of_another_length_than_was_said_is_never_a_whole_request() {
    let scene = Scene::new();
    for length in ["2", "4", "3, 3", "x", "+3", "18446744073709551616"] {
        let head = [&with(":method", "PUT")[..], &[("content-length", length)]].concat();
        let mut connection = Frames::open(scene.proxy.address);
        connection.send(&frame(HEADERS, END_HEADERS, 1, &fields(&head)));
        connection.send(&frame(DATA, END_STREAM, 1, b"abc"));
        let end = connection.end_of(1);
        assert!(matches!(end, End::Reset(1) | End::Answered(Some(400))), "{length}: {end:?}");
        assert_eq!(fetch(scene.proxy.address, "GET", "/bucket/next", &[]).text(), "GET /bucket/next HTTP/1.1");
    }
    let lines: Vec<_> = scene.upstream.received().iter().map(Received::request_line).collect();
    assert_eq!(lines, vec!["GET /bucket/next HTTP/1.1"; 6]);
}

/// The error code ENHANCE_YOUR_CALM (RFC 9113 §7).
const CALM: u32 = 11;
/// By how much a flood may raise what the process holds, in KiB: it sends up to 1.6 GB.
const MOST_MEMORY: u64 = 16 * 1024;

/// Sends pieces until the other side has had enough; it must have, and still be well.
fn assert_ends(what: &str, scene: &Scene, mut piece: impl FnMut(&mut Frames, u32) -> bool) {
    const MOST: u32 = 100_000;
    let (before, _) = scene.proxy.memory();
    let mut connection = Frames::open(scene.proxy.address);
    let sent = (0..MOST).take_while(|number| piece(&mut connection, *number)).count();
    let end = connection.end_of(u32::MAX);
    println!("{what}: {end:?} after {sent}");
    assert!(sent < MOST as usize, "{what}: everything is taken");
    // What says so may be lost with the connection.
    assert!(matches!(end, End::GoneAway(CALM | 1 | 9) | End::Closed), "{what}: {end:?}");
    assert_eq!(fetch(scene.proxy.address, "GET", "/bucket/next", &[]).status, 200, "{what}: others are served");
    for gauge in ["s3cors_http_requests_in_flight", "s3cors_connections_open"] {
        eventually("nothing is left of it", || scene.proxy.metric(gauge).filter(|left| *left == 0.0));
    }
    let grown = scene.proxy.memory().1.saturating_sub(before);
    assert!(grown < MOST_MEMORY, "{what}: {grown} KiB more");
}

#[test]
fn requests_that_are_reset_at_once_end_the_connection() {
    let scene = Scene::new();
    let head = fields(&USUAL);
    assert_ends("resets", &scene, |connection, number| {
        let stream = number * 2 + 1;
        let reset = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        connection.send(&[frame(HEADERS, END_HEADERS | END_STREAM, stream, &head), reset].concat())
    });
}

#[test]
fn a_head_that_goes_on_without_an_end_ends_the_connection() {
    let scene = Scene::new();
    let large = "b".repeat(16_000);
    for (what, piece) in [
        ("empty frames", Vec::new()),
        ("small headers", fields(&[("a", "b")])),
        ("large headers", fields(&[("a", &large)])),
    ] {
        assert_ends(what, &scene, |connection, number| match number {
            0 => connection.send(&frame(HEADERS, END_STREAM, 1, &fields(&USUAL))),
            _ => connection.send(&frame(CONTINUATION, 0, 1, &piece)),
        });
    }
    // One value that says of itself that it has two gigabytes.
    let endless = [&fields(&USUAL)[..], b"\0\x01a\x7f\xff\xff\xff\xff\x07"].concat();
    assert_ends("an endless value", &scene, |connection, number| match number {
        0 => connection.send(&frame(HEADERS, END_STREAM, 1, &endless)),
        _ => connection.send(&frame(CONTINUATION, 0, 1, large.as_bytes())),
    });
    assert!(scene.upstream.received().iter().all(|request| request.request_line().contains("/bucket/next")));
}
