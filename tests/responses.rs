//! Responses that are not as they should be: what HTTP lets a recipient repair is repaired, over every protocol alike, and what recipients
//! could take for something else is 502.

use crate::support::http::Response;
use crate::support::http2;
use crate::support::process::listening;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::{Served, Upstream};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A proxy whose upstream sends what it is told, and closes.
struct Scene {
    _rules: Rules,
    _upstream: Upstream,
    proxy: Proxy,
    response: Arc<Mutex<Vec<u8>>>,
}

impl Scene {
    fn new(configuration: &str) -> Self {
        let response = Arc::<Mutex<Vec<u8>>>::default();
        let told = Arc::clone(&response);
        let upstream = Upstream::scripted(move |served: &mut Served| {
            served.request();
            let response = told.lock().unwrap().clone();
            served.send(response);
        });
        let rules = Rules::usual();
        let usual = "listen: {address: '127.0.0.1:0', http2: true}\n";
        let proxy = listening(rules.path(), upstream.address, &format!("{usual}{configuration}"));
        Self { _rules: rules, _upstream: upstream, proxy, response }
    }

    /// The status, fields and body of a response, which clients of each protocol get alike.
    fn get(&self, response: impl Into<Vec<u8>>) -> (u16, BTreeMap<String, String>, String) {
        *self.response.lock().unwrap() = response.into();
        let own = ["connection", "transfer-encoding", "x-amz-request-id", "x-amz-id-2", "date"];
        let fields = |response: &Response| {
            let fields = response.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
            fields.filter(|(name, _)| !own.contains(&name.as_str())).collect::<BTreeMap<_, _>>()
        };
        let one = self.proxy.fetch("GET", "/bucket/key", &[]);
        let two = http2::fetch(self.proxy.address, "GET", "/bucket/key", &[]);
        assert_eq!((one.status, fields(&one)), (two.status, fields(&two)));
        let is_ours = one.header("server") == Some("s3cors");
        assert!(is_ours || one.body == two.body, "{one:?} {two:?}");
        (one.status, fields(&one), if is_ours { String::new() } else { one.text() })
    }
}

#[test]
fn a_response_that_can_be_repaired_is_the_same_for_clients_of_every_protocol() {
    let scene = Scene::new("");
    for (response, field, body) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", ("content-length", "2"), "ok"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", ("content-length", "2"), "ok"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2,, 2\r\ncontent-length: 2\r\n\r\nok", ("content-length", "2"), "ok"),
        ("HTTP/1.1 200 OK\nA: b\nContent-Length: 2\n\nok", ("a", "b"), "ok"),
        ("HTTP/1.1 200 OK\r\nA: b\nContent-Length: 2\r\n\nok", ("a", "b"), "ok"),
        ("HTTP/1.1 200 OK\r\nA: one\r\n two\r\n\tthree\r\nContent-Length: 2\r\n\r\nok", ("a", "one two three"), "ok"),
        ("HTTP/1.1 200 OK\r\nA : b\r\nContent-Length\t: 2\r\n\r\nok", ("a", "b"), "ok"),
        ("HTTP/1.1 200 OK\r\nA: b\u{1}c\0d\re\u{7f}f\r\nContent-Length: 2\r\n\r\nok", ("a", "b c d e f"), "ok"),
        ("HTTP/1.1 200\r\nA: b\r\nContent-Length: 2\r\n\r\nok", ("a", "b"), "ok"),
        ("HTTP/1.0 200 OK\r\nA: b\r\n\r\nold", ("a", "b"), "old"),
        ("HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n2    \r\nok\r\n0   \r\n\r\n", ("a", "b"), "ok"),
        (
            "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n2\t;x=y\r\nok\r\n0 \t\r\n\r\n",
            ("a", "b"),
            "ok",
        ),
    ] {
        let (status, fields, received) = scene.get(response);
        assert_eq!((status, received.as_str()), (200, body), "{response:?}");
        assert_eq!(fields.get(field.0).map(String::as_str), Some(field.1), "{response:?}");
    }
}

#[test]
fn a_status_of_three_digits_is_passed_on() {
    let scene = Scene::new("");
    for status in [205, 299, 499, 507, 599, 600, 999] {
        let (received, _, body) = scene.get(format!("HTTP/1.1 {status} Odd\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!((received, body.as_str()), (status, ""), "{status}");
    }
    for response in [
        "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nETag: W/\"x\"\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nETag: W/\"x\"\r\nContent-Length: 12345\r\n\r\n",
    ] {
        let status: u16 = response[9..12].parse().unwrap();
        assert_eq!(scene.get(response).0, status, "{response:?}");
    }
}

#[test]
fn a_response_that_recipients_could_read_differently_is_502() {
    let scene = Scene::new("");
    for lines in [
        "Content-Length: 2, 3\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: \u{b}chunked\r\n",
        ": v\r\nContent-Length: 2\r\n",
        "x-amz-meta-my key: v\r\nContent-Length: 2\r\n",
        "x-amz-meta-gr\u{f6}\u{df}e: v\r\nContent-Length: 2\r\n",
        " A: b\r\nContent-Length: 2\r\n",
        "A: b\r\n \r\nContent-Length: 2\r\n",
        "A\r\nContent-Length: 2\r\n",
    ] {
        let (status, fields, _) = scene.get(format!("HTTP/1.1 200 OK\r\n{lines}\r\nok"));
        assert_eq!((status, fields.get("server").map(String::as_str)), (502, Some("s3cors")), "{lines:?}");
    }
}

#[test]
fn an_object_with_much_metadata_can_be_read() {
    let scene = Scene::new("");
    let lines = |count: usize| (0..count).map(|number| format!("x-amz-meta-{number}: v\r\n")).collect::<String>();
    for (count, status) in [(100, 200), (101, 200), (180, 200), (1999, 200), (2000, 502)] {
        let (received, fields, _) =
            scene.get(format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{}\r\nok", lines(count)));
        assert_eq!(received, status, "{count}");
        let metadata = fields.keys().filter(|name| name.starts_with("x-amz-meta-")).count();
        assert_eq!(metadata, if status == 200 { count } else { 0 });
    }
}

#[test]
fn a_response_head_has_the_size_that_is_configured() {
    let head = |size: usize| {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: \r\n\r\n";
        text.replace("A: ", &format!("A: {}", "v".repeat(size - text.len()))) + "ok"
    };
    for (configuration, most) in [("", 256 * 1024), ("limits: {response_head: 20KiB}\n", 20 * 1024)] {
        let mut scene = Scene::new(configuration);
        assert_eq!(scene.proxy.fetch("GET", "/bucket/none", &[]).status, 502);
        let own = |scene: &Scene, size: usize| {
            *scene.response.lock().unwrap() = head(size).into();
            scene.proxy.fetch("GET", "/bucket/key", &[]).status
        };
        assert_eq!((own(&scene, most), own(&scene, most + 1)), (200, 502), "{configuration}");
        *scene.response.lock().unwrap() = format!("HTTP/1.1 200 OK\r\nA: {}", "v".repeat(2 * most)).into();
        assert_eq!(scene.proxy.fetch("GET", "/bucket/key", &[]).status, 502);
        let codes = scene.proxy.log().into_iter().filter(|line| line["error"] == "HeadTooLarge").count();
        assert!(codes >= 1 || scene.proxy.wait_for_log("upstream failed")["error"] == "HeadTooLarge");
    }
}

#[test]
fn interim_responses_have_a_number() {
    for (configuration, most) in [("", 16), ("limits: {interim: 3}\n", 3)] {
        let scene = Scene::new(configuration);
        for (count, status) in [(1, 200), (most, 200), (most + 1, 502)] {
            // One of them is repaired.
            let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(count).replacen("\r\n", "\n", 2);
            *scene.response.lock().unwrap() = format!("{interim}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").into();
            for version in ["1.1", "1.0"] {
                let mut connection = scene.proxy.connect();
                connection.send(format!("GET /bucket/key HTTP/{version}\r\nHost: h\r\nConnection: close\r\n\r\n"));
                let text = String::from_utf8(connection.rest()).unwrap();
                let shown = if version == "1.1" { count.min(most) } else { 0 };
                assert_eq!(text.matches(" 103 ").count(), shown, "HTTP/{version}, {count}");
                assert!(text.contains(&format!("HTTP/1.1 {status} ")), "HTTP/{version}, {count}: {text}");
            }
            assert_eq!(http2::fetch(scene.proxy.address, "GET", "/bucket/key", &[]).status, status, "HTTP/2, {count}");
        }
    }
}

/// For a client of HTTP/1.0 they are dropped, one after the other, and the proxy must not go on without end.
#[test]
fn endless_interim_responses_take_no_memory() {
    let rules = Rules::usual();
    let upstream = Upstream::scripted(|served: &mut Served| {
        served.request();
        let many = "HTTP/1.1 102 Processing\r\nA: b\r\n\r\n".repeat(1000);
        while served.send(&many) {}
    });
    let mut proxy = Proxy::start(rules.path(), upstream.address);
    let (before, _) = proxy.memory();
    for version in ["1.0", "1.1"] {
        let mut connection = proxy.connect();
        connection.send(format!("GET /bucket/key HTTP/{version}\r\nHost: h\r\nConnection: close\r\n\r\n"));
        assert!(String::from_utf8(connection.rest()).unwrap().contains("HTTP/1.1 502 "), "{version}");
    }
    assert_eq!(proxy.wait_for_log("upstream failed")["error"], "TooManyInterimResponses");
    let (_, most) = proxy.memory();
    assert!(most < before + 20 * 1024, "{before} KiB, then {most}");
}
