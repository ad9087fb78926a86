//! `s3cors_declines_total`: how many heads the grammar of HTTP/1.1 rejects, and why.

use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;

#[test]
fn a_rejected_head_is_counted_by_its_reason() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("ok"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let count = |reason: &str| proxy.metric(&format!("s3cors_declines_total{{reason=\"{reason}\"}}"));
    let get = |lines: &str| format!("GET /bucket/key HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
    for (reason, status, request) in [
        ("request_line", 400, "\x16\x03\x01".to_owned()),
        ("version", 400, get("").replace("1.1", "1.2")),
        ("connect", 405, get("").replace("GET", "CONNECT")),
        ("target", 400, get("").replace("key", "k#y")),
        ("header_line", 400, get("A : b\r\n")),
        ("too_many_lines", 431, get(&"a: b\r\n".repeat(300))),
        ("no_host", 400, get("").replace("Host", "X-Host")),
        ("host", 400, get("Host: h\r\n")),
        ("length", 400, get("Content-Length: 3, 3\r\n")),
        ("connection", 400, get("Connection: \"x\"\r\n")),
    ] {
        assert_eq!(count(reason), Some(0.0), "{reason}: there from the start");
        assert_eq!(proxy.connect().send(request).receive().status, status, "{reason}");
        assert_eq!(count(reason), Some(1.0), "{reason}");
    }
    // A head that comes in pieces is rejected, and counted, once.
    let mut connection = proxy.connect();
    connection.send("GET /bucket/k#y HTTP/1.1\r\n");
    assert_eq!(connection.receive().status, 400);
    assert_eq!(count("target"), Some(2.0));
    assert!(upstream.received().is_empty());
}

/// Heads that few clients send, and that every driver serves.
#[test]
fn an_odd_but_valid_head_is_served_and_not_counted() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("ok"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let get = |lines: &str| format!("GET /bucket/key HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
    for request in [
        get(""),
        get(&"a: b\r\n".repeat(120)),
        get(&format!("a: {}\r\n", "b".repeat(40_000))),
        get("").replace("\r\n", "\n"),
        get("").replace("GET", "TRACE"),
        get("").replace(" /bucket/key", " *"),
        get("").replace(" /bucket/key", " http://h/bucket/key"),
        get("").replace(": h", ":"),
        get("Upgrade: h2c\r\n"),
        get("Connection: x-private\r\n"),
        get("Expect: x\r\n"),
        get("TE: trailers\r\n"),
    ] {
        assert_eq!(proxy.connect().send(&request).receive().status, 200, "{request}");
    }
    let declined = proxy.ask("GET", "/metrics").text();
    let declined: Vec<_> = declined.lines().filter(|line| line.starts_with("s3cors_declines_total{")).collect();
    assert!(declined.len() == 10 && declined.iter().all(|line| line.ends_with(" 0")), "{declined:?}");
}

#[test]
fn the_drivers_are_named_by_one_key_and_what_only_ours_can_is_an_error_without_them() {
    for (config, status, words) in [
        ("drivers: own", 0, "valid: 0 errors, 0 warnings"),
        ("drivers: pingora", 0, "valid: 0 errors, 0 warnings"),
        ("http1: pingora", 0, "warning: RenamedKey: http1 is called drivers now"),
        ("http1: pingora\ndrivers: own", 1, "drivers is here twice"),
        ("drivers: other", 1, "unknown variant `other`, expected one of own, pingora"),
        ("drivers: pingora\nrules: {api: on}", 1, "rules.api: on needs the drivers of s3cors"),
        ("http1: pingora\npresigned: {head: by_get}", 1, "presigned.head: by_get needs the drivers of s3cors"),
        ("drivers: pingora\nsign: {bucket: site, prefix: docs/}", 1, "sign needs the drivers of s3cors"),
        ("drivers: pingora\ngrants: {ttl: 5m}", 1, "grants needs the drivers of s3cors"),
        ("drivers: own\npresigned: {head: by_get}", 0, "valid: 0 errors, 0 warnings"),
    ] {
        let rules = Rules::usual();
        let file = ConfigFile::new(&format!("upstream: http://127.0.0.1:1\n{config}\n"));
        let mut check = s3cors(&["check", "--config", &file.argument()]);
        let output = check.env("S3CORS_RULES", rules.path()).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(status), "{config}: {said}");
        assert!(said.contains(words), "{config}: {said}");
    }
}
