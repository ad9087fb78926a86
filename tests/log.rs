//! The log: one line a request with the promised fields, and nothing in it that a request could forge or should not tell.

use crate::support::eventually;
use crate::support::http::{Connection, request};
use crate::support::process::{ConfigFile, configured, free_address, s3cors};
use crate::support::proxied::{Protocol, Proxied};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::signed::{Content, Signing, digest};
use crate::support::upstream::Upstream;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::{ChildStdout, Command};

const APP: &str = "https://app.example";

/// The access lines, once there are so many.
fn access_lines(proxy: &Proxy, count: usize) -> Vec<Value> {
    eventually("the requests are logged", || {
        let lines: Vec<_> = proxy.log().into_iter().filter(|line| line["target"] == "access").collect();
        (lines.len() >= count).then_some(lines)
    })
}

/// `2026-10-05T07:08:09.123456Z`
fn is_rfc_3339_utc(text: &str) -> bool {
    let shape: String = text.chars().map(|char| if char.is_ascii_digit() { '0' } else { char }).collect();
    shape
        .strip_prefix("0000-00-00T00:00:00.")
        .and_then(|rest| rest.strip_suffix('Z'))
        .is_some_and(|fraction| !fraction.is_empty() && fraction.chars().all(|char| char == '0'))
}

#[test]
fn an_access_line_has_the_promised_fields() {
    let rules = Rules::usual();
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nX-Amz-Request-Id: tx01-a\r\nContent-Length: 4\r\n\r\nbody");
    let proxy = Proxy::start(rules.path(), upstream.address);
    let secret = "X-Amz-Signature=5ec4e7";
    let headers = [("Origin", APP), ("Authorization", "AWS4-HMAC-SHA256 5ec4e7"), ("x-amz-security-token", "5ec4e7")];
    proxy.fetch("GET", &format!("/bucket/a%20key?{secret}"), &headers);
    // A line is written behind its answer: the next request could overtake it.
    access_lines(&proxy, 1);
    let preflight = proxy.preflight("/bucket/key", "https://evil.example", "PUT");
    access_lines(&proxy, 2);
    proxy.fetch("GET", "/without-rules/key", &[]);

    let lines = access_lines(&proxy, 3);
    let [granted, denied, plain] = lines.as_slice() else { panic!("{lines:#?}") };
    let names: BTreeSet<_> = granted.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "bucket bytes client cors duration level message method operation origin path protocol reason request_id \
                    rule signer status target timestamp upstream upstream_request_id upstream_time";
    assert_eq!(names, expected.split(' ').collect());
    for (field, value) in [
        ("level", json!("INFO")),
        ("message", json!("request")),
        ("protocol", json!("HTTP/1.1")),
        ("method", json!("GET")),
        ("operation", json!("GetObject")),
        ("bucket", json!("bucket")),
        ("path", json!("/bucket/a%20key")),
        ("status", json!(200)),
        ("bytes", json!(4)),
        ("upstream", json!(upstream.address)),
        ("upstream_request_id", json!("tx01-a")),
        ("signer", json!("client")),
        ("origin", json!(APP)),
        ("cors", json!("allowed")),
        ("reason", json!("none")),
        ("rule", json!("app")),
    ] {
        assert_eq!(granted[field], value, "{field}");
    }
    assert!(granted["client"].as_str().unwrap().starts_with("127.0.0.1:"), "{granted}");
    let (duration, upstream_time) = (granted["duration"].as_f64().unwrap(), granted["upstream_time"].as_f64().unwrap());
    assert!(0.0 < upstream_time && upstream_time <= duration && duration < 5.0, "{granted}");

    assert_eq!(denied["request_id"].as_str(), preflight.header("x-amz-request-id"));
    let said = ["method", "status", "cors", "reason", "detail", "rule"].map(|field| denied[field].clone());
    assert_eq!(
        said,
        [json!("OPTIONS"), json!(403), json!("denied"), json!("origin"), json!("https://evil.example"), Value::Null]
    );
    for field in ["operation", "upstream", "upstream_time", "upstream_request_id", "tls"] {
        assert_eq!(denied[field], Value::Null, "{field}");
    }
    let said = ["bucket", "origin", "cors", "operation"].map(|field| plain[field].clone());
    assert_eq!(said, [json!("without-rules"), Value::Null, Value::Null, json!("GetObject")]);

    for line in proxy.log() {
        assert!(is_rfc_3339_utc(line["timestamp"].as_str().unwrap()), "{line}");
        assert!(!line.to_string().contains("5ec4e7"), "{line}");
    }
}

#[test]
fn an_access_line_has_the_bucket_itself_whichever_rules_it_gets() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    rules.write("_default.xml", crate::support::rules::allowing(APP));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for (number, (target, bucket)) in [
        ("/bucket/key", "bucket"),
        ("/Other/key", "Other"),
        ("/caf%C3%A9/key", "caf\\xc3\\xa9"),
        ("/", "_service"),
        ("/bucket%2Fkey", "_other"),
    ]
    .into_iter()
    .enumerate()
    {
        proxy.fetch("GET", target, &[]);
        assert_eq!(access_lines(&proxy, number + 1).last().unwrap()["bucket"], bucket, "{target}");
    }
    let long = "b".repeat(2_000);
    proxy.fetch("GET", &format!("/{long}/key"), &[]);
    assert_eq!(access_lines(&proxy, 6).last().unwrap()["bucket"].as_str().unwrap().chars().count(), 257);
}

#[tokio::test]
async fn an_access_line_names_protocol_operation_and_the_upstreams_id_over_every_protocol() {
    let upstream =
        Upstream::answering("HTTP/1.1 200 OK\r\nx-amz-request-id: 17A1B2C3D4E5F607\r\nContent-Length: 4\r\n\r\nbody");
    let scene = Proxied::before(upstream.address);
    for (number, protocol) in Protocol::ALL.into_iter().enumerate() {
        let mut client = scene.client(protocol).await;
        let target = "/bucket/key?partNumber=2&uploadId=u";
        let response = client.send("PUT", target, Signing::Presigned, Content::of_length(3)).await;
        assert_eq!(digest(response).await.1, 4, "{protocol:?}");
        let line = access_lines(&scene.proxy, number + 1).pop().unwrap();
        let said = ["protocol", "tls", "operation", "upstream", "upstream_request_id"].map(|field| line[field].clone());
        let version = if protocol.is_http2() { "HTTP/2.0" } else { "HTTP/1.1" };
        let tls = if protocol.is_tls() { json!("TLSv1.3") } else { Value::Null };
        let expected = [json!(version), tls, json!("UploadPart"), json!(upstream.address), json!("17A1B2C3D4E5F607")];
        assert_eq!(said, expected, "{protocol:?}");
    }
    let mut old = Connection::open(scene.address(Protocol::Http1));
    old.send("GET /bucket/key HTTP/1.0\r\n\r\n");
    assert_eq!(access_lines(&scene.proxy, 5).pop().unwrap()["protocol"], "HTTP/1.0");
}

#[test]
fn the_upstream_that_a_line_names_is_the_one_that_was_tried_last() {
    let (rules, down) = (Rules::usual(), free_address());
    let proxy = Proxy::start(rules.path(), down);
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 502);
    let line = access_lines(&proxy, 1).pop().unwrap();
    let said = ["upstream", "upstream_time", "upstream_request_id"].map(|field| line[field].clone());
    assert_eq!(said, [json!(down), Value::Null, Value::Null]);
}

#[test]
fn what_a_client_writes_is_escaped_and_cut() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let long = [b'a'; 5_000];
    for (origin, logged) in [
        (&b"https://\xff\xfe"[..], "https://\\xff\\xfe".to_owned()),
        (b"a\x1b[31mred", "a\\x1b[31mred".to_owned()),
        (b"\"}, {\"level\": \"ERROR\"", "\"}, {\"level\": \"ERROR\"".to_owned()),
        ("https://ü.example".as_bytes(), "https://\\xc3\\xbc.example".to_owned()),
        (&long, format!("{}…", "a".repeat(256))),
    ] {
        let before = access_lines(&proxy, 0).len();
        let mut connection = proxy.connect();
        connection.send([&b"GET /bucket/key HTTP/1.1\r\nHost: x\r\nOrigin: "[..], origin, b"\r\n\r\n"].concat());
        let status = connection.receive().status;
        // A control character in a header is refused before there is an origin to log.
        if status == 200 {
            assert_eq!(access_lines(&proxy, before + 1).last().unwrap()["origin"], logged);
        } else {
            assert!(status == 400 && origin.contains(&0x1b), "{status} {logged}");
            access_lines(&proxy, before + 1);
        }
    }
}

#[test]
fn text_is_one_line_an_event_without_colours() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = quiet_proxy(&rules, &upstream, "log: {format: text}\n");
    proxy.fetch("GET", "/bucket/key?X-Amz-Signature=5ec4e7", &[("Origin", APP)]);
    let line = eventually("the request is logged", || {
        proxy.log().iter().filter_map(Value::as_str).find(|line| line.contains(" access: ")).map(str::to_owned)
    });
    assert!(is_rfc_3339_utc(line.split(' ').next().unwrap()), "{line}");
    for part in [
        " INFO ",
        "request",
        "method=\"GET\"",
        "path=\"/bucket/key\"",
        "status=200",
        "cors=\"allowed\"",
        "rule=\"app\"",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!line.contains('\x1b') && !line.contains("5ec4e7"), "{line}");
}

/// A proxy whose log does not say that it is ready.
fn quiet_proxy(rules: &Rules, upstream: &Upstream, configuration: &str) -> Proxy {
    let (command, _file, address, admin) = quiet(rules, upstream, configuration);
    Proxy::spawn_at(command, address, admin)
}

/// The command of such a proxy, its configuration file, and its addresses.
fn quiet(rules: &Rules, upstream: &Upstream, configuration: &str) -> (Command, ConfigFile, SocketAddr, SocketAddr) {
    let file = ConfigFile::new(configuration);
    let (address, admin) = (free_address(), free_address());
    let (listen, manage, url) = (address.to_string(), admin.to_string(), format!("http://{}", upstream.address));
    let mut command = s3cors(&["serve", "--listen", &listen, "--admin", &manage, "--upstream", &url]);
    command.arg("--rules").arg(rules.path()).arg("--config").arg(file.path());
    (command, file, address, admin)
}

const DROPPED: &str = "s3cors_log_lines_dropped_total";

/// A proxy whose log no one has read until lines were dropped; the number of requests it has answered meanwhile.
fn stalled_proxy(rules: &Rules, upstream: &Upstream) -> (Proxy, ChildStdout, usize) {
    let (command, _file, address, admin) = quiet(rules, upstream, "");
    let (proxy, output) = Proxy::spawn_unread(command, address, admin);
    assert_eq!(proxy.metric(DROPPED), Some(0.0));
    // Long lines fill the pipe and the queue sooner.
    let (target, origin) = (format!("/bucket/{}", "k".repeat(240)), "o".repeat(240));
    let (mut connection, mut sent) = (proxy.connect(), 0);
    let headers = [("Origin", &*origin), ("Access-Control-Request-Method", "GET")];
    while proxy.metric(DROPPED) == Some(0.0) {
        assert!(sent < 10_000, "no line is dropped");
        for _ in 0..100 {
            assert_eq!(connection.send(request("OPTIONS", &target, &headers, "")).receive().status, 403);
            sent += 1;
        }
    }
    (proxy, output, sent)
}

#[test]
fn a_reader_that_stalls_blocks_no_request_and_costs_whole_lines_that_are_counted() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let (proxy, output, sent) = stalled_proxy(&rules, &upstream);
    proxy.read_log(output);
    // Until there is room again, the line of this request may be dropped, too.
    let mut later = 0;
    eventually("a request is logged again", || {
        later += 1;
        proxy.fetch("GET", "/bucket/later", &[]);
        proxy.log().iter().any(|line| line["path"] == "/bucket/later").then_some(())
    });
    eventually("each request is logged or counted as dropped", || {
        let logged = access_lines(&proxy, 0).len() as f64;
        (logged + proxy.metric(DROPPED).unwrap() == (sent + later) as f64).then_some(())
    });
    assert!(proxy.log().iter().all(Value::is_object), "a line was torn");
}

#[test]
fn a_reader_that_stalls_does_not_keep_the_process_from_ending() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let (mut proxy, _output, _) = stalled_proxy(&rules, &upstream);
    proxy.signal("TERM");
    assert_eq!(proxy.wait_for_exit().code(), Some(0));
}

#[test]
fn the_level_and_the_switch_silence_access_lines_and_errors_stay() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    for configuration in ["log: {level: error}\n", "log: {level: warn}\n", "log: {access: false}\n"] {
        let proxy = quiet_proxy(&rules, &upstream, configuration);
        assert_eq!(proxy.fetch("GET", "/bucket/key", &[("Origin", APP)]).status, 200);
        // Lines come in order: when the error is there, a line about the request would be, too.
        rules.write("bucket.xml", "<");
        eventually("the error is logged", || proxy.log().iter().any(|line| line["level"] == "ERROR").then_some(()));
        let lines = proxy.log();
        assert!(lines.iter().all(|line| line["target"] != "access"), "{configuration}: {lines:#?}");
        let has_info = lines.iter().any(|line| line["level"] == "INFO");
        assert_eq!(has_info, configuration.contains("access"), "{configuration}: {lines:#?}");
        rules.write("bucket.xml", crate::support::rules::RULES);
    }
}

#[test]
fn the_debug_level_still_tells_no_secret() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = configured(rules.path(), upstream.address, "log: {level: debug}\n");
    let headers = [("Origin", APP), ("Authorization", "AWS4-HMAC-SHA256 5ec4e7"), ("x-amz-security-token", "5ec4e7")];
    proxy.fetch("GET", "/bucket/key?X-Amz-Signature=5ec4e7", &headers);
    // Also when it goes wrong.
    let mut broken = proxy.connect();
    broken
        .send("GET /bucket/key?X-Amz-Signature=5ec4e7 HTTP/1.1\r\nHost: x\r\nAuthorization: 5ec4e7\r\nbro ken\r\n\r\n");
    assert_eq!(broken.receive().status, 400);
    access_lines(&proxy, 1);
    proxy.fetch("GET", "/bucket/last", &[]);
    access_lines(&proxy, 2);
    for line in proxy.log() {
        assert!(!line.to_string().contains("5ec4e7"), "{line}");
    }
}
