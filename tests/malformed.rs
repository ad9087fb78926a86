//! Heads that are no HTTP: refused, or passed on in one spelling that no one can read in another way.

use crate::support::proxy::is_own;
use crate::support::wire::Outcome::Refused;
use crate::support::wire::{Scene, arrives, arrives_last};

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
        (
            "Origin: https://app.example\r\nOrigin: https://evil.example",
            "Origin: https://app.example\r\nOrigin: https://evil.example",
        ),
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
        scene.check(format!("{LINE}\r\nHost: h\r\n{ended}{HIDDEN}"), &arrives_last(get("A: b")));
    }
    let spaced = format!("GET /bucket/k ey HTTP/1.1\nHost: h\n\n{HIDDEN}");
    scene.check(spaced, &arrives_last("GET /bucket/k%20ey HTTP/1.1\r\nHost: h\r\n\r\n"));
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
fn what_splits_lines_is_escaped_in_a_target() {
    let scene = Scene::new();
    for (target, arriving) in [
        ("/bucket/a b", "/bucket/a%20b"),
        ("/bucket/k\0y", "/bucket/k%00y"),
        ("/bucket/k\x01y", "/bucket/k%01y"),
        ("/bucket/k\x7fy", "/bucket/k%7Fy"),
        ("/bucket/k\ty", "/bucket/k%09y"),
        ("/bucket/k\ry", "/bucket/k%0Dy"),
        ("/bucket/key ", "/bucket/key%20"),
    ] {
        let request = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        scene.check(request(target), &arrives(request(arriving)));
    }
    for empty_lines in ["\r\n", "\n\n\n"] {
        scene.check(format!("{empty_lines}{}", get("A: b")), &arrives(get("A: b")));
    }
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
