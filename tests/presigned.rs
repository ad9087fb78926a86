//! A HEAD on a URL that was presigned for GET: with `presigned.head: by_get` the upstream is asked for the first byte instead.

use crate::support::curl::curl;
use crate::support::http::{Response, request};
use crate::support::process::{ConfigFile, configured, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::store::{Store, client};
use crate::support::upstream::{Received, Upstream};
use crate::support::{DEADLINE, eventually};
use aws_sdk_s3::presigning::PresigningConfig;
use std::net::SocketAddr;
use std::sync::{Mutex, mpsc};
use std::time::Duration;

const SIGNED: &str =
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2Fx&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";
const BY_GET: &str = "presigned: {head: by_get}";
const ORIGIN: (&str, &str) = ("Origin", "https://app.example");
/// What S3 says to a HEAD whose signature does not match: no body.
const REJECTED: &str =
    "HTTP/1.1 403 Forbidden\r\nx-amz-request-id: FIRST\r\nContent-Type: application/xml\r\nContent-Length: 243\r\n\r\n";
const PART: &str = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/1048576\r\nContent-Length: 1\r\nETag: \"e\"\r\n\
                    Content-Type: video/mp4\r\nAccept-Ranges: bytes\r\nx-amz-request-id: SECOND\r\nx-amz-meta-a: b\r\n\
                    Access-Control-Allow-Origin: *\r\n\r\nx";

/// What a client gets of [`PART`] when it asked HEAD.
const OF_OBJECT: [(&str, &str); 6] = [
    ("accept-ranges", "bytes"),
    ("content-length", "1048576"),
    ("content-type", "video/mp4"),
    ("etag", "\"e\""),
    ("x-amz-meta-a", "b"),
    ("x-amz-request-id", "SECOND"),
];

fn target() -> String {
    format!("/bucket/key?{SIGNED}")
}

/// Rejects each HEAD, and answers anything else so; with nothing, it closes.
fn rejecting(answer: &str) -> Upstream {
    let answer = answer.to_owned();
    Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            let answer = if request.request_line().starts_with("HEAD ") { REJECTED } else { &answer };
            if answer.is_empty() || !served.send(answer) {
                return;
            }
        }
    })
}

fn proxy(upstream: &Upstream, configuration: &str) -> (Rules, Proxy) {
    let rules = Rules::usual();
    let proxy = configured(rules.path(), upstream.address, configuration);
    (rules, proxy)
}

fn results(proxy: &Proxy) -> [f64; 3] {
    ["answered", "rejected", "failed"]
        .map(|result| proxy.metric(&format!("s3cors_presigned_heads_total{{result=\"{result}\"}}")).unwrap())
}

/// Signatures that failed, for any cause.
fn failures(proxy: &Proxy) -> f64 {
    let text = proxy.ask("GET", "/metrics").text();
    let series = text.lines().filter(|line| line.starts_with("s3cors_signature_failures_total{"));
    series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// The headers that an upstream has sent, without those of the proxy.
fn of_upstream(response: &Response) -> Vec<(String, String)> {
    let ours = ["connection", "date", "server", "vary"];
    let lower = response.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut headers: Vec<_> =
        lower.filter(|(name, _)| !ours.contains(&name.as_str()) && !name.starts_with("access-control-")).collect();
    headers.sort();
    headers
}

fn pairs(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_rejected_head_is_asked_again_for_the_first_byte_and_answered_about_the_whole() {
    let upstream = rejecting(PART);
    let (_rules, mut proxy) = proxy(&upstream, BY_GET);
    let target = target();
    let response = proxy.fetch("HEAD", &target, &[ORIGIN, ("X-Custom", "1")]);
    assert_eq!(response.status, 200);
    assert_eq!(of_upstream(&response), pairs(&OF_OBJECT));
    assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example"));
    assert!(response.vary().contains(&"origin".to_owned()), "{response:?}");
    let asked = upstream.received();
    assert_eq!(
        asked.iter().map(Received::request_line).collect::<Vec<_>>(),
        [format!("HEAD {target} HTTP/1.1"), format!("GET {target} HTTP/1.1"),]
    );
    assert_eq!((asked[0].header("range"), asked[1].header("range").as_deref()), (None, Some("bytes=0-0")));
    for name in ["host", "origin", "x-custom"] {
        assert_eq!(asked[0].header(name), asked[1].header(name), "{name}");
    }
    let line = proxy.wait_for_log("request");
    assert_eq!(
        (line["method"].as_str(), line["status"].as_u64(), line["bytes"].as_u64()),
        (Some("HEAD"), Some(200), Some(0))
    );
    assert_eq!(results(&proxy), [1.0, 0.0, 0.0]);
    assert_eq!(proxy.metric("s3cors_http_requests_total{code=\"200\",method=\"HEAD\"}"), Some(1.0));
    assert_eq!(proxy.metric("s3cors_http_requests_total{code=\"206\",method=\"GET\"}"), None);
}

/// DuckDB-Wasm asks so.
#[test]
fn a_head_for_the_whole_as_a_range_is_answered_with_206() {
    for (way, arguments) in WAYS {
        let (rules, upstream) = (Rules::usual(), rejecting(PART));
        let proxy = with_http2(&rules, upstream.address);
        let url = format!("http://{}{}", proxy.address, target());
        let response = head(&url, &[arguments, &["-H", "Range: bytes=0-"]].concat());
        let range = ("content-range", "bytes 0-1048575/1048576");
        let mut expected = pairs(&[&OF_OBJECT[..], &[range]].concat());
        expected.sort();
        assert_eq!((response.status, of_upstream(&response)), (206, expected), "{way}");
        let ranges = |request: &Received| {
            let lines = request.headers().into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("range"));
            lines.map(|(_, value)| value).collect::<Vec<_>>()
        };
        let asked: Vec<_> = upstream.received().iter().map(ranges).collect();
        assert_eq!(asked, [["bytes=0-"], ["bytes=0-0"]], "{way}");
        assert_eq!(results(&proxy), [1.0, 0.0, 0.0], "{way}");
    }
}

#[test]
fn the_client_sees_what_the_response_to_get_says_about_the_whole() {
    let error = "<Error><Code>InvalidRange</Code></Error>";
    let length = error.len();
    let xml =
        format!("Content-Type: application/xml\r\nContent-Length: {length}\r\nx-amz-request-id: SECOND\r\n\r\n{error}");
    let id = ("x-amz-request-id", "SECOND");
    for (answer, status, headers, counted) in [
        // The empty object: the error document is not its content.
        (format!("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */0\r\n{xml}"), 200, vec![("content-length", "0"), id], [1.0, 0.0, 0.0]),
        (format!("HTTP/1.1 416 Range Not Satisfiable\r\n{xml}"), 200, vec![("content-length", "0"), id], [1.0, 0.0, 0.0]),
        // The range is ignored.
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"e\"\r\n\r\nwhole".into(), 200, vec![("content-length", "5"), ("etag", "\"e\"")], [1.0, 0.0, 0.0]),
        // The part comes in chunks.
        ("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/7\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n".into(), 200, vec![("content-length", "7")], [1.0, 0.0, 0.0]),
        // What GET says is what HEAD would have said.
        ("HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n".into(), 304, vec![("etag", "\"e\"")], [1.0, 0.0, 0.0]),
        (format!("HTTP/1.1 404 Not Found\r\n{xml}"), 404, vec![("content-length", "40"), ("content-type", "application/xml"), id], [1.0, 0.0, 0.0]),
    ] {
        let upstream = rejecting(&answer);
        let (_rules, proxy) = proxy(&upstream, BY_GET);
        let mut connection = proxy.connect();
        let response = connection.send(request("HEAD", &target(), &[ORIGIN], "")).receive_to("HEAD");
        assert_eq!((response.status, of_upstream(&response)), (status, pairs(&headers)), "{answer}");
        assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example"), "{answer}");
        assert_eq!(failures(&proxy), 0.0, "{answer}");
        // No byte of the body follows: the next response is read where it begins.
        let next = connection.send(request("GET", "/bucket/next", &[], "")).receive_head();
        assert_eq!(next, answer[9..12].parse::<u16>().unwrap(), "{answer}");
        eventually("it is counted", || (results(&proxy) == counted).then_some(()));
    }
}

#[test]
fn the_client_gets_the_rejection_of_head_when_get_is_no_answer() {
    for answer in [
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nx-amz-request-id: SECOND\r\n\r\nxml",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/*\r\nContent-Length: 1\r\n\r\nx",
    ] {
        let upstream = rejecting(answer);
        let (_rules, proxy) = proxy(&upstream, BY_GET);
        let response = proxy.fetch("HEAD", &target(), &[ORIGIN]);
        let expected = [("content-length", "243"), ("content-type", "application/xml"), ("x-amz-request-id", "FIRST")];
        assert_eq!((response.status, of_upstream(&response)), (403, pairs(&expected)), "{answer}");
        assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example"), "{answer}");
        assert_eq!(upstream.received().len(), 2, "{answer}");
        eventually("it is counted", || (results(&proxy) == [0.0, 1.0, 0.0]).then_some(()));
        // The method is not the cause, as GET was rejected, too.
        let failed = |cause| proxy.metric(&format!("s3cors_signature_failures_total{{cause=\"{cause}\"}}"));
        assert_eq!((failed("head_by_get"), failed("unknown")), (Some(0.0), Some(1.0)), "{answer}");
    }
}

#[test]
fn a_head_about_a_part_is_not_told_to_set_what_is_set() {
    let upstream = rejecting(PART);
    for (configuration, is_advised) in [(BY_GET, false), ("", true)] {
        let (_rules, mut proxy) = proxy(&upstream, configuration);
        assert_eq!(proxy.fetch("HEAD", &target(), &[("Range", "bytes=4-9")]).status, 403);
        let line = proxy.wait_for_log("the upstream rejects a signature");
        let advice = line["advice"].as_str().unwrap();
        assert_eq!(line["cause"], "head_by_get", "{line}");
        assert_eq!(advice.contains("set presigned.head to by_get"), is_advised, "{line}");
        assert_eq!(advice.contains("with Range, If-Range or partNumber"), !is_advised, "{line}");
    }
}

#[test]
fn requests_that_came_together_are_answered_in_turn() {
    let upstream = rejecting(PART);
    let (_rules, proxy) = proxy(&upstream, BY_GET);
    let one = request("HEAD", &target(), &[], "");
    let mut connection = proxy.connect();
    connection.send(one.repeat(3));
    for _ in 0..3 {
        let response = connection.receive_to("HEAD");
        assert_eq!((response.status, response.header("content-length")), (200, Some("1048576")));
    }
    assert_eq!(upstream.received().len(), 6);
}

#[test]
fn nothing_else_is_asked_again() {
    let (presigned, with_range) = (target(), target().replace("=host", "=host%3Brange"));
    for (configuration, method, target, headers, body) in [
        ("", "HEAD", presigned.as_str(), &[][..], ""),
        ("presigned: {head: as_signed}", "HEAD", &presigned, &[], ""),
        (BY_GET, "GET", &presigned, &[], ""),
        (BY_GET, "PUT", &presigned, &[], "body"),
        (BY_GET, "HEAD", &presigned, &[], "body"),
        (BY_GET, "HEAD", "/bucket/key", &[], ""),
        (BY_GET, "HEAD", "/bucket/key?X-Amz-Signature=ab", &[], ""),
        (BY_GET, "HEAD", &presigned, &[("Authorization", "AWS4-HMAC-SHA256 Credential=AK")], ""),
        (BY_GET, "HEAD", &presigned, &[("Range", "bytes=0-9")], ""),
        (BY_GET, "HEAD", &presigned, &[("Range", "bytes=0-"), ("Range", "bytes=0-")], ""),
        (BY_GET, "HEAD", &with_range, &[], ""),
    ] {
        let upstream =
            Upstream::answering(if method == "HEAD" { REJECTED.to_owned() } else { REJECTED.replace("243", "0") });
        let (_rules, proxy) = proxy(&upstream, configuration);
        let case = format!("{configuration} {method} {target} {headers:?} {body}");
        assert_eq!(
            proxy.connect().send(request(method, target, headers, body)).receive_to(method).status,
            403,
            "{case}"
        );
        assert_eq!(upstream.received().len(), 1, "{case}");
        assert_eq!(results(&proxy), [0.0; 3], "{case}");
    }
}

#[test]
fn a_head_that_is_served_is_asked_once() {
    for status in ["200 OK", "404 Not Found", "400 Bad Request"] {
        let upstream = Upstream::answering(format!("HTTP/1.1 {status}\r\nContent-Length: 9\r\n\r\n"));
        let (_rules, proxy) = proxy(&upstream, BY_GET);
        let response = proxy.fetch("HEAD", &target(), &[]);
        assert_eq!(format!("{}", response.status), status[..3]);
        assert_eq!((upstream.received().len(), results(&proxy)), (1, [0.0; 3]));
    }
}

#[test]
fn a_version_2_signature_and_conditions_are_passed_on() {
    let upstream = rejecting("HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n");
    let (_rules, proxy) = proxy(&upstream, BY_GET);
    let target = "/bucket/key?AWSAccessKeyId=AK&Expires=1&Signature=ab";
    assert_eq!(proxy.fetch("HEAD", target, &[("If-None-Match", "\"e\"")]).status, 304);
    let second = upstream.received().pop().unwrap();
    assert_eq!(second.request_line(), format!("GET {target} HTTP/1.1"));
    assert_eq!(second.header("if-none-match").as_deref(), Some("\"e\""));
}

/// A proxy that speaks both protocols on its port.
fn with_http2(rules: &Rules, upstream: SocketAddr) -> Proxy {
    let listen = "listen: {address: '127.0.0.1:0', http2: true}\nadmin: 127.0.0.1:0";
    let file = ConfigFile::new(&format!("{listen}\n{BY_GET}\n"));
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--upstream", &format!("http://{upstream}")]);
    command.arg("--rules").arg(rules.path());
    Proxy::spawn(command)
}

/// The ways to each driver, with the arguments of curl, and a head that few clients send.
const WAYS: [(&str, &[&str]); 3] = [
    ("HTTP/1.1", &["--http1.1"]),
    ("HTTP/2", &["--http2-prior-knowledge"]),
    ("HTTP/1.1 with TE", &["--http1.1", "-H", "TE: trailers"]),
];

fn head(url: &str, arguments: &[&str]) -> Response {
    curl(&[&["--head", "-H", "Origin: https://app.example"], arguments, &[url]].concat(), "").response
}

#[test]
fn every_driver_sends_the_same_response() {
    const OF_REJECTION: [(&str, &str); 3] =
        [("content-length", "243"), ("content-type", "application/xml"), ("x-amz-request-id", "FIRST")];
    let rejection = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nxml";
    for (way, arguments) in WAYS {
        for (answer, status, headers) in
            [(PART, 200, OF_OBJECT.as_slice()), (rejection, 403, &OF_REJECTION), ("", 502, &[])]
        {
            let (rules, upstream) = (Rules::usual(), rejecting(answer));
            let proxy = with_http2(&rules, upstream.address);
            let response = head(&format!("http://{}{}", proxy.address, target()), arguments);
            let case = format!("{way} {answer}");
            assert_eq!(response.status, status, "{case}");
            assert_eq!(response.header("access-control-allow-origin"), Some(ORIGIN.1), "{case}");
            if status != 502 {
                assert_eq!(of_upstream(&response), pairs(headers), "{case}");
            }
            let counted = [200, 403, 502].map(|each| if each == status { 1.0 } else { 0.0 });
            eventually("it is counted", || (results(&proxy) == counted).then_some(()));
            let asked: Vec<_> = upstream.received().iter().map(Received::request_line).collect();
            assert!(asked[0].starts_with("HEAD ") && asked[1].starts_with("GET "), "{case}: {asked:?}");
            // On a kept connection that is closed, a GET is tried once more.
            assert_eq!(asked.len() > 2, status == 502, "{case}: {asked:?}");
            let requests = format!("s3cors_http_requests_total{{code=\"{status}\",method=\"HEAD\"}}");
            assert_eq!(proxy.metric(&requests), Some(1.0), "{case}");
        }
    }
}

#[test]
fn a_large_body_is_not_read() {
    const LARGE: usize = 256 * 1024 * 1024;
    for (way, arguments) in WAYS {
        let (report, sent) = mpsc::channel();
        let report = Mutex::new(report);
        let upstream = Upstream::scripted(move |served| {
            while let Some(request) = served.request() {
                if request.request_line().starts_with("HEAD ") {
                    served.send(REJECTED);
                    continue;
                }
                served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n"));
                let piece = vec![b'x'; 64 * 1024];
                let pieces = (0..LARGE / piece.len()).take_while(|_| served.send(&piece)).count();
                report.lock().unwrap().send(pieces * piece.len()).unwrap();
                return;
            }
        });
        let rules = Rules::usual();
        let proxy = with_http2(&rules, upstream.address);
        let response = head(&format!("http://{}{}", proxy.address, target()), arguments);
        let length = response.header("content-length").map(|length| length.parse::<usize>().unwrap());
        assert_eq!((response.status, length), (200, Some(LARGE)), "{way}");
        let sent = sent.recv_timeout(DEADLINE).unwrap();
        assert!(sent < LARGE / 4, "{way}: {sent} bytes went into buffers before the connection was closed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_checks_signatures_tells_about_its_objects() {
    let store = Store::start();
    let direct = client(store.address);
    direct.create_bucket().bucket("bucket").send().await.unwrap();
    for (key, length) in [("empty", 0), ("small", 1), ("large", 3_000_000)] {
        let put = direct.put_object().bucket("bucket").key(key).content_type("video/mp4");
        put.body(vec![b'x'; length].into()).send().await.unwrap();
    }
    for (way, arguments) in WAYS {
        let rules = Rules::usual();
        let proxy = with_http2(&rules, store.address);
        let lifetime = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
        for (key, length) in [("small", "1"), ("large", "3000000")] {
            let object = client(proxy.address).get_object().bucket("bucket").key(key);
            let url = object.presigned(lifetime.clone()).await.unwrap().uri().to_owned();
            let rejected = head(&url.replace(&proxy.address.to_string(), &store.address.to_string()), &["--http1.1"]);
            assert_eq!(rejected.status, 403, "the store itself");
            let response = head(&url, arguments);
            let expected = (200, Some(length), Some("video/mp4"), None);
            let shown = (
                response.status,
                response.header("content-length"),
                response.header("content-type"),
                response.header("content-range"),
            );
            assert_eq!(shown, expected, "{way} {key}: {response:?}");
            let object = client(store.address).head_object().bucket("bucket").key(key).send().await.unwrap();
            assert_eq!(response.header("etag"), object.e_tag(), "{way} {key}");
        }
        let object = client(proxy.address).get_object().bucket("bucket").key("empty");
        let response = head(object.presigned(lifetime.clone()).await.unwrap().uri(), arguments);
        assert_eq!((response.status, response.header("content-length")), (200, Some("0")), "{way}");
    }
}

#[test]
fn a_second_request_that_gets_no_response_is_a_failure_of_the_upstream() {
    let upstream = rejecting("");
    let (_rules, proxy) = proxy(&upstream, BY_GET);
    let response = proxy.fetch("HEAD", &target(), &[ORIGIN]);
    assert_eq!(response.status, 502);
    assert_eq!(response.header("access-control-allow-origin"), Some("https://app.example"));
    eventually("it is counted", || (results(&proxy) == [0.0, 0.0, 1.0]).then_some(()));
    assert_eq!(proxy.metric("s3cors_upstream_errors_total{kind=\"reset\"}"), Some(1.0));
}

#[test]
fn the_upstreams_connection_is_used_again() {
    let upstream = rejecting(PART);
    let (_rules, proxy) = proxy(&upstream, BY_GET);
    for _ in 0..3 {
        assert_eq!(proxy.fetch("HEAD", &target(), &[]).status, 200);
        eventually("nothing is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 0.0));
    }
    let connections = upstream.received().iter().map(|request| request.connection).max().unwrap() + 1;
    assert_eq!(connections, 1);
}
