//! Clients of HTTP/1.0: the probe of a load balancer, an old tool. They get no chunks, no interim response, and an end that they see.

use crate::support::http::request;
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use crate::support::wire::{Scene, arrives, arrives_last};

const CHUNKED: &str = "Transfer-Encoding: chunked\r\nETag: \"e\"\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n";

#[test]
fn a_request_without_a_host_is_a_valid_one_for_the_upstream() {
    let scene = Scene::new();
    let name = if is_own() { "host" } else { "Host" };
    let own = format!("{name}: {}", scene.upstream.address);
    for (method, target) in [("GET", "/"), ("GET", "/bucket/key?a=%2F"), ("DELETE", "/bucket/key"), ("get", "/x")] {
        let arriving = format!("{method} {target} HTTP/1.1\r\n{own}\r\n\r\n");
        scene.check(format!("{method} {target} HTTP/1.0\r\n\r\n"), &arrives_last(&*arriving));
        let kept = format!("{method} {target} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        scene.check(kept, &arrives(&*arriving));
    }
    let named = "GET /bucket/key HTTP/1.0\r\nHost: h\r\n\r\n";
    scene.check(named, &arrives_last(named.replace("1.0", "1.1")));
}

/// What upstreams answer with, and what a client of HTTP/1.0 gets of it.
#[test]
fn nothing_is_chunked_and_the_connection_ends_with_the_body_unless_its_length_was_said() {
    let rules = Rules::usual();
    let upstream = Upstream::scripted(|served| {
        while let Some(request) = served.request() {
            let line = request.request_line();
            let is_head = line.starts_with("HEAD ");
            let (answer, closes) = match line.split(' ').nth(1).unwrap() {
                "/bucket/chunked" => (format!("HTTP/1.1 200 OK\r\n{CHUNKED}"), false),
                "/bucket/interim" => (format!("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n{CHUNKED}"), false),
                "/bucket/until-close" => ("HTTP/1.1 200 OK\r\nETag: \"e\"\r\n\r\nbody".to_owned(), true),
                "/bucket/error" => (format!("HTTP/1.1 403 Forbidden\r\n{CHUNKED}"), false),
                _ => ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"e\"\r\n\r\nbody".to_owned(), false),
            };
            let end = answer.rfind("\"e\"\r\n\r\n").unwrap() + 7;
            if !served.send(if is_head { &answer[..end] } else { &answer }) || closes {
                return;
            }
        }
    });
    let proxy = Proxy::start(rules.path(), upstream.address);
    for (key, status, has_length) in [
        ("chunked", 200, false),
        ("interim", 200, false),
        ("until-close", 200, false),
        ("error", 403, false),
        ("length", 200, true),
    ] {
        for (wish, keeps) in [("", false), ("Connection: keep-alive\r\n", true), ("Connection: close\r\n", false)] {
            for method in ["GET", "HEAD"] {
                let is_head = method == "HEAD";
                let case = format!("{method} {key} {wish:?}");
                let mut connection = proxy.connect();
                connection.send(format!("{method} /bucket/{key} HTTP/1.0\r\nHost: h\r\n{wish}\r\n"));
                let answer = connection.receive_to(method);
                assert_eq!((answer.status, answer.header("transfer-encoding")), (status, None), "{case}");
                assert_eq!(answer.text(), if is_head { "" } else { "body" }, "{case}");
                assert_eq!(answer.header("etag"), Some("\"e\""), "{case}");
                let is_kept = keeps && (has_length || is_head);
                assert_eq!(answer.header("connection"), Some(if is_kept { "keep-alive" } else { "close" }), "{case}");
                if is_kept {
                    connection.send(request("GET", "/bucket/length", &[], ""));
                    assert_eq!(connection.receive().text(), "body", "{case}");
                } else {
                    assert!(connection.is_closed(), "{case}");
                }
            }
        }
    }
}
