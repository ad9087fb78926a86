//! Heads that are no HTTP: refused, or passed on in one spelling that no one can read in another way.

use crate::support::eventually;
use crate::support::proxy::is_own;
use crate::support::rules::Rules;
use crate::support::twins;
use crate::support::upstream::Upstream;
use crate::support::wire::Outcome::Refused;
use crate::support::wire::{Scene, arrives};
use std::time::{Duration, Instant};

const LINE: &str = "GET /bucket/key HTTP/1.1";
const HIDDEN: &str = "GET /bucket/hidden HTTP/1.1\r\nHost: x\r\n\r\n";

fn get(headers: &str) -> String {
    format!("{LINE}\r\nHost: h\r\n{headers}\r\n\r\n")
}

#[test]
fn a_header_that_is_none_is_refused() {
    let scene = Scene::new();
    for header in [
        "A",
        ": b",
        " : b",
        ": ",
        "A : b",
        "A\t: b",
        " A: b",
        "\tA: b",
        "A b: c",
        "A(b): c",
        "A[b]: c",
        "A/b: c",
        "A@b: c",
        "A\"b: c",
        "A=b: c",
        "A{b}: c",
        "Aé: b",
        "A\0: b",
        "A\x01b: c",
        "A\x7f: b",
        "A: b\0c",
        "A: \0",
        "A: b\x01c",
        "A: b\x0bc",
        "A: b\x7fc",
        "A: b\rC: d",
        "A: b\r\r",
        "\r A: b",
        "A: b\r\n c",
        "A: b\r\n\tc",
        "A: b\r\n \r\n",
        "Host: h",
        "Host: i",
        "Host : h",
        "Transfer-Encoding : chunked",
        "Content-Length : 3",
        "Connection: host",
        "A: b\r\n Transfer-Encoding: chunked",
    ] {
        scene.check(get(header), &Refused);
    }
}

#[test]
fn a_header_that_may_be_one_arrives_in_one_spelling() {
    let scene = Scene::new();
    for (header, arriving) in [
        ("A:", if is_own() { "A:" } else { "A: " }),
        ("A: \"b", "A: \"b"),
        ("A: b\nC: d", "A: b\r\nC: d"),
        ("Transfer_Encoding: chunked", "Transfer_Encoding: chunked"),
    ] {
        scene.check(get(header), &arrives(get(arriving)));
    }
    let twice = "Origin: https://app.example\r\nOrigin: https://app.example";
    let answer = scene.proxy.connect().send(get(twice)).receive();
    assert_eq!(answer.cors(), [], "two origins are none");
    // Lines may end in a line feed alone (RFC 9112 §2.2), and an empty line of that kind ends the head.
    scene.check(format!("{LINE}\nHost: h\n\n"), &arrives(format!("{LINE}\r\nHost: h\r\n\r\n")));
    scene.check(
        format!("{LINE}\nHost: h\nContent-Length: 3\n\nabc").replace("GET", "PUT"),
        &arrives(format!("{LINE}\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc").replace("GET", "PUT")),
    );
    for ended in ["A: b\n\n", "A: b\n\r\n"] {
        let first = format!("{LINE}\r\nHost: h\r\n{ended}");
        scene.check_pipelined(first.as_bytes(), get("A: b").as_bytes(), HIDDEN.as_bytes());
    }
    scene.check(format!("GET /bucket/k ey HTTP/1.1\nHost: h\n\n{HIDDEN}"), &Refused);
}

#[test]
fn a_request_line_that_is_none_is_refused() {
    let scene = Scene::new();
    for line in [
        "GET",
        "GET ",
        "GET  HTTP/1.1",
        "GET /bucket/key",
        "GET /bucket/key HTTP/0.9",
        "GET /bucket/key HTTP/1.2",
        "GET /bucket/key HTTP/2.0",
        "GET /bucket/key HTTP/2",
        "GET /bucket/key HTTP/3.0",
        "GET /bucket/key HTTP/11",
        "GET /bucket/key http/1.1",
        "GET /bucket/key HTTP/1.1 ",
        "GET /bucket/key HTTP/1.1 x",
        "GET /bucket/key HTTP/1.1\0",
        "GET /bucket/key HTTP/1.1 HTTP/1.1",
        "GET\t/bucket/key\tHTTP/1.1",
        " GET /bucket/key HTTP/1.1",
        "\rGET /bucket/key HTTP/1.1",
        "G\0T /bucket/key HTTP/1.1",
        "G:T /bucket/key HTTP/1.1",
        "G(T /bucket/key HTTP/1.1",
        "PRI * HTTP/2.0",
        "CONNECT h:443 HTTP/1.1",
        "CONNECT /bucket/key HTTP/1.1",
        "CONNECT http://h/ HTTP/1.1",
    ] {
        scene.check(format!("{line}\r\nHost: h\r\n\r\n"), &Refused);
    }
    for bytes in [
        "GET /bucket/key\r\n\r\n",
        "GET /bucket/key HTTP/1.1\rHost: h\r\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ] {
        scene.check(bytes, &Refused);
    }
    scene.check([&b"GET /bucket/k\xe9y HTTP/1.1\r\nHost: h\r\n\r\n"[..]].concat(), &Refused);
}

#[test]
fn what_may_not_be_in_a_target_is_refused_and_never_changed() {
    let scene = Scene::new();
    let controls = (0..=0x20).chain([0x7f]).map(char::from);
    for byte in controls.filter(|byte| *byte != '\n').chain(['#', '<', '>', '`']) {
        for target in [
            format!("/bucket/k{byte}y"),
            format!("/bucket/key{byte}"),
            format!("/bucket/key?a{byte}b"),
            format!("bucket{byte}key"),
            format!("http://h/bucket{byte}key"),
            format!("*{byte}"),
        ] {
            // Pingora's parser looks for these in paths only, and for two of them in queries.
            let is_passed_on = match byte {
                '<' | '>' => !target.contains("/b"),
                '`' => !target.contains("/b") || target.contains('?'),
                _ => false,
            };
            let sent = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
            scene.check(&sent, &if is_passed_on { arrives(&*sent) } else { Refused });
        }
    }
    for target in ["/bucket/{k}", "/bucket/a|b^c\\\"d\"", "/bucket/ü?é", "bucket/\"k\"", "/bucket/k%00%0d%0A%23"] {
        let sent = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        scene.check(&sent, &arrives(&*sent));
    }
    for empty_lines in ["\r\n", "\n\n\n"] {
        scene.check(format!("{empty_lines}{}", get("A: b")), &arrives(get("A: b")));
    }
}

#[test]
fn a_request_of_http_1_1_names_its_host() {
    let scene = Scene::new();
    for target in ["/bucket/key", "http://h/bucket/key", "*", "bucket/key"] {
        for lines in ["", "A: b\r\n", "X-Host: h\r\nForwarded: host=h\r\n"] {
            for method in ["GET", "HEAD", "OPTIONS"] {
                let sent = format!("{method} {target} HTTP/1.1\r\n{lines}\r\n");
                let answer = scene.proxy.connect().send(sent).rest();
                assert!(answer.starts_with(b"HTTP/1.1 400 "), "{method} {target}: {}", answer.escape_ascii());
            }
        }
    }
    assert!(scene.upstream.received().is_empty());
}

#[test]
fn bytes_that_begin_no_request_end_the_connection_at_once() {
    let scene = Scene::new();
    for bytes in [
        // TLS, an older TLS, SSH, PROXY v1 and v2, PostgreSQL, SOCKS, RDP, a mail client, HTTP/0.9.
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"\x16",
        b"\x80\x2e\x01\x03\x01",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c",
        b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
        b"\x05\x01\x00",
        b"\x03\x00\x00\x13",
        b"EHLO client.example\r\n",
        b"GET /bucket/key\r\n",
        b"GET /bucket/key HTTP/1.2\r\n",
        b"GET /bucket/k\0y HTTP/1.1\r\n",
        b"\r\n\x16\x03\x01",
        b" GET / HTTP/1.1",
    ] {
        let started = Instant::now();
        let answer = scene.proxy.connect().send(bytes).rest();
        let shown = bytes.escape_ascii();
        assert!(started.elapsed() < Duration::from_secs(5), "{shown}: {:?}", started.elapsed());
        assert!(answer.starts_with(b"HTTP/1.1 400 "), "{shown}: {}", answer.escape_ascii());
    }
    assert!(scene.upstream.received().is_empty());
    // A beginning of a request is waited for.
    let mut connection = scene.proxy.connect();
    for piece in ["\r", "\n", "g", "et", " ", "/bucket/key", " HTTP/1.1\r", "\nHost", ": h\r\n\r", "\n"] {
        connection.send(piece);
        connection.stream().set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert!(piece == "\n" || !connection.has_input(), "{piece:?}");
    }
    connection.stream().set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(connection.receive().text(), "get /bucket/key HTTP/1.1");
}

/// Whatever is wrong with a request, the refusal is the proxy's own: for scripts with CORS headers, for operators counted and logged.
#[test]
fn a_refusal_of_a_head_looks_like_every_other_error() {
    let scene = Scene::new();
    let origin = "Origin: https://app.example\r\n";
    let many = "a: b\r\n".repeat(300);
    for (line, lines, status, code) in [
        ("GET /bucket/k y HTTP/1.1", "Host: h\r\n", 400, "InvalidURI"),
        ("GET /bucket/k#y HTTP/1.1", "Host: h\r\n", 400, "InvalidURI"),
        ("PUT /bucket/k\0y HTTP/1.1", "Host: h\r\n", 400, "InvalidURI"),
        ("GET /bucket/<k> HTTP/1.1", "Host: h\r\n", 400, "InvalidURI"),
        ("GET /bucket/key HTTP/1.1", "", 400, "BadRequest"),
        ("GET /bucket/key HTTP/1.2", "Host: h\r\n", 400, "BadRequest"),
        ("GET /bucket/key HTTP/1.1", "Host: h\r\nHost: i\r\n", 400, "BadRequest"),
        ("GET /bucket/key HTTP/1.1", "Host: h\r\nA : b\r\n", 400, "BadRequest"),
        ("GET http://i/bucket/key HTTP/1.1", "Host: h\r\n", 400, "BadRequest"),
        ("GET /bucket/key HTTP/1.1", "Host: h\r\nContent-Length: x\r\n", 400, "BadRequest"),
        ("GET /bucket/key HTTP/1.0", "Transfer-Encoding: chunked\r\n", 400, "BadRequest"),
        ("GET /bucket/key HTTP/1.1", &format!("Host: h\r\n{many}"), 431, "RequestHeaderSectionTooLarge"),
        ("CONNECT /bucket/key HTTP/1.1", "Host: h\r\n", 405, "MethodNotAllowed"),
        ("GET /key HTTP/1.1", "Host: bucket.s3.example.test\r\nA\r\n", 400, "BadRequest"),
    ] {
        let answer = scene.proxy.connect().send(format!("{line}\r\n{origin}{lines}\r\n")).receive();
        assert_eq!((answer.status, answer.element("Code").as_deref()), (status, Some(code)), "{line} {lines}");
        assert_eq!(answer.element("RequestId").as_deref(), answer.header("x-amz-request-id"), "{line}");
        assert_eq!(answer.header("server"), Some("s3cors"), "{line}");
        assert_eq!(answer.header("connection"), Some("close"), "{line}");
        // The rules do not let it CONNECT.
        let granted = (status != 405).then_some("https://app.example");
        assert_eq!(answer.header("access-control-allow-origin"), granted, "{line} {lines}");
        let id = answer.header("x-amz-request-id").unwrap().to_owned();
        let is_its_own = |line: &serde_json::Value| line["target"] == "access" && line["request_id"] == id;
        let logged = eventually("an access line", || scene.proxy.log().into_iter().find(is_its_own));
        assert_eq!((&logged["status"], &logged["bucket"]), (&status.into(), &"bucket".into()), "{logged}");
    }
    let refused = scene.proxy.metric("s3cors_http_requests_total{code=\"400\",method=\"GET\"}");
    assert_eq!(refused, Some(11.0));
    // A reply to HEAD has no body.
    let head = scene.proxy.connect().send(format!("HEAD /bucket/k y HTTP/1.1\r\nHost: h\r\n{origin}\r\n")).rest();
    assert!(head.starts_with(b"HTTP/1.1 400 ") && head.ends_with(b"\r\n\r\n"), "{}", head.escape_ascii());
    assert!(scene.upstream.received().is_empty());
}

#[test]
fn a_head_has_an_end_to_its_size() {
    let scene = Scene::new();
    let headers = |count: usize| (0..count).map(|number| format!("a{number}: b")).collect::<Vec<_>>().join("\r\n");
    scene.check(get(&headers(200)), &arrives(get(&headers(200))));
    for (refused, what) in [
        (get(&headers(300)), "300 headers"),
        (format!("GET /bucket/{} HTTP/1.1\r\nHost: h\r\n\r\n", "a".repeat(1 << 20)), "a target of 1 MiB"),
        (get(&format!("A: {}", "b".repeat(1 << 21))), "a value of 2 MiB"),
        (get(&format!("{}: b", "A".repeat(1 << 21))), "a name of 2 MiB"),
        (format!("{} /bucket/key HTTP/1.1\r\n\r\n", "A".repeat(1 << 21)), "a method of 2 MiB"),
    ] {
        println!("{what}");
        scene.check(refused, &Refused);
    }
}

#[test]
fn headers_that_come_one_by_one_come_to_an_end() {
    let scene = Scene::new();
    let mut connection = scene.proxy.connect();
    connection.send(format!("{LINE}\r\nHost: h\r\n"));
    let sent = (0..100_000).take_while(|number| connection.try_send(format!("a{number}: b\r\n")).is_ok()).count();
    assert!(sent < 100_000);
    let answer = connection.rest();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{}", answer.escape_ascii());
    assert!(scene.upstream.received().is_empty());
}

#[test]
fn the_access_line_says_which_part_of_a_request_is_not_valid() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    for (sent, detail) in [
        ("GET /bucket/a#b HTTP/1.1\r\nHost: h\r\n\r\n".to_owned(), "a byte that may not be in a target"),
        (format!("{LINE}\r\n\r\n"), "no host"),
        (get("A b: c"), "an invalid header line"),
        (get("Host: i"), "an invalid or ambiguous host"),
        (get("Content-Length: 1\r\nContent-Length: 2"), "more than one Content-Length"),
        (get("Transfer-Encoding: gzip"), "a Transfer-Encoding other than chunked"),
        (get("Connection: host"), "a Connection option names a field that decides"),
        (get(&"A: b\r\n".repeat(300)), "too many header lines"),
        (get("Transfer-Encoding: chunked\r\n\r\nx"), "a chunk size that is not 1 to 16 hexadecimal digits"),
    ] {
        let mut proxy = twins::start(&rules, "own", "", upstream.address, &[]);
        proxy.connect().send(&sent).receive();
        let line = proxy.wait_for_log("request");
        let seen = (line["reason"].as_str(), line["detail"].as_str());
        assert_eq!(seen, (Some("malformed"), Some(detail)), "{sent:?}: {line}");
    }
}
