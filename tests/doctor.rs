//! A signature that fails: the log names the cause that the proxy can see and what to set, and never the signature.

use crate::support::curl::curl;
use crate::support::eventually;
use crate::support::http::request;
use crate::support::process::s3cors;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::signer::Signer;
use crate::support::store::{ACCESS_KEY, Store, client};
use crate::support::upstream::Upstream;
use serde_json::Value;
use std::time::{Duration, SystemTime};

const MESSAGE: &str = "the upstream rejects a signature";
const BODY: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error>";
const HOST: &str = "s3.example.test";
const KEY: &str = "/bucket/key";

fn mismatches(proxy: &Proxy) -> f64 {
    proxy.metric("s3cors_signature_mismatches_total").unwrap()
}

fn failures(proxy: &Proxy, cause: &str) -> f64 {
    proxy.metric(&format!("s3cors_signature_failures_total{{cause=\"{cause}\"}}")).unwrap()
}

/// The sum over all causes.
fn all_failures(proxy: &Proxy) -> f64 {
    let text = proxy.ask("GET", "/metrics").text();
    let series = text.lines().filter(|line| line.starts_with("s3cors_signature_failures_total{"));
    series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

fn borrowed(lines: &[(String, String)]) -> Vec<(&str, &str)> {
    lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The only line about a cause, which is counted once.
fn diagnosis(proxy: &mut Proxy, cause: &str) -> Value {
    let line = proxy.wait_for_log(MESSAGE);
    assert_eq!((line["cause"].as_str(), line["level"].as_str()), (Some(cause), Some("WARN")), "{line}");
    assert_eq!((failures(proxy, cause), all_failures(proxy)), (1.0, 1.0), "{cause}");
    assert!(line["advice"].as_str().is_some_and(|advice| !advice.is_empty()), "{line}");
    let text = line.to_string();
    assert!(!text.contains(ACCESS_KEY) && !text.contains("Signature=") && !text.contains("X-Amz"), "{text}");
    line
}

fn refusing(body: &str, more: &str) -> Upstream {
    Upstream::answering(format!("HTTP/1.1 403 Forbidden\r\n{more}Content-Length: {}\r\n\r\n{body}", body.len()))
}

/// A store with an object, and a proxy in front of it.
async fn store_with_a_key(rules: &Rules) -> (Store, Proxy) {
    let store = Store::start();
    let proxy = Proxy::start(rules.path(), store.address);
    let client = client(proxy.address);
    client.create_bucket().bucket("bucket").send().await.unwrap();
    client.put_object().bucket("bucket").key("key").body(b"body".to_vec().into()).send().await.unwrap();
    assert_eq!((mismatches(&proxy), all_failures(&proxy)), (0.0, 0.0), "the store takes what is signed right");
    (store, proxy)
}

#[tokio::test]
async fn a_host_that_was_replaced_is_named_as_the_cause() {
    let (rules, store) = (Rules::usual(), Store::start());
    let config = rules.config("upstream: {host: other.test}");
    let mut proxy = Proxy::start_with(rules.path(), &format!("http://{}", store.address), &["--config", &config]);
    let error = client(proxy.address).list_buckets().send().await.unwrap_err();
    assert_eq!(error.raw_response().map(|answer| answer.status().as_u16()), Some(403));
    let body = error.raw_response().and_then(|answer| answer.body().bytes()).unwrap();
    assert!(String::from_utf8_lossy(body).contains("<Code>SignatureDoesNotMatch</Code>"), "the body passes");
    let line = diagnosis(&mut proxy, "host_replaced");
    assert_eq!(mismatches(&proxy), 1.0);
    let address = proxy.address.to_string();
    assert_eq!(
        (line["client_host"].as_str(), line["sent_host"].as_str(), line["host_signed"].as_str()),
        (Some(address.as_str()), Some("other.test"), Some("yes"))
    );
    assert!(line["advice"].as_str().unwrap().contains("set upstream.host to preserve"), "{line}");
}

#[tokio::test]
async fn a_real_store_rejects_what_was_changed_and_the_cause_is_named() {
    let rules = Rules::usual();
    let (store, proxy) = store_with_a_key(&rules).await;
    drop(proxy);
    let with = |lines| Signer { lines, ..Signer::new("GET", HOST) };
    let wrong = Signer { secret: "wrong", ..with(&[]) };
    let (typed, encoded) = (with(&[("content-type", "a/b")]), with(&[("accept-encoding", "identity")]));
    let (hop, public) = (with(&[("connection", "keep-alive")]), Signer::new("GET", "public.example"));
    for (signer, path, changed, added, cause, header) in [
        (&wrong, KEY, "", &[][..], "unknown", None),
        (&wrong, KEY, "", &[("x-forwarded-host", HOST)], "unknown", None),
        (&typed, KEY, "content-type", &[], "header_missing", Some("content-type")),
        (
            &encoded,
            KEY,
            "accept-encoding",
            &[("accept-encoding", "gzip"), ("cdn-loop", "c")],
            "accept_encoding",
            Some("accept-encoding"),
        ),
        (&encoded, KEY, "accept-encoding", &[], "accept_encoding", Some("accept-encoding")),
        (&hop, KEY, "", &[], "hop_by_hop", Some("connection")),
        (
            &public,
            KEY,
            "host",
            &[("host", HOST), ("x-forwarded-host", "public.example")],
            "host_changed_before",
            Some("host"),
        ),
        (
            &with(&[]),
            "/s3/bucket/key",
            "",
            &[("x-forwarded-prefix", "/s3")],
            "path_changed_before",
            Some("x-forwarded-prefix"),
        ),
    ] {
        let mut proxy = Proxy::start(rules.path(), store.address);
        let mut lines = signer.signed(path);
        if !changed.is_empty() && changed != "host" {
            assert_eq!(proxy.fetch("GET", KEY, &borrowed(&lines)).status, 200, "{cause}: unchanged it is right");
        }
        lines.retain(|(name, _)| name != changed);
        let lines = [&borrowed(&lines)[..], added].concat();
        let answer = proxy.fetch("GET", KEY, &lines);
        assert_eq!((answer.status, answer.element("Code").as_deref()), (403, Some("SignatureDoesNotMatch")), "{cause}");
        let line = diagnosis(&mut proxy, cause);
        assert_eq!((line["header"].as_str(), mismatches(&proxy)), (header, 1.0), "{line}");
        let in_front = added.iter().find(|(name, _)| *name == "cdn-loop").map(|(_, value)| *value);
        assert_eq!(line["in_front"].as_str(), in_front, "{line}");
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_and_a_url_that_is_over_are_told_apart() {
    let rules = Rules::usual();
    let (store, proxy) = store_with_a_key(&rules).await;
    drop(proxy);
    let (hour, now) = (Duration::from_secs(3600), SystemTime::now());
    for (at, is_presigned, code, cause, ago) in [
        (now - hour, false, "RequestTimeTooSkewed", "client_clock", 3600),
        (now + hour, false, "RequestTimeTooSkewed", "client_clock", -3600),
        (now + hour, true, "RequestTimeTooSkewed", "client_clock", -3600),
        (now - hour, true, "AccessDenied", "expired", 3600),
    ] {
        let mut proxy = Proxy::start(rules.path(), store.address);
        let signer = Signer { at, ..Signer::new("GET", HOST) };
        let answer = if is_presigned {
            proxy.fetch("GET", &signer.presigned(KEY), &[])
        } else {
            proxy.fetch("GET", KEY, &borrowed(&signer.signed(KEY)))
        };
        assert_eq!((answer.status, answer.element("Code").as_deref()), (403, Some(code)), "{cause} {ago}");
        let line = diagnosis(&mut proxy, cause);
        let measured = line["signed_seconds_ago"].as_i64().unwrap();
        assert!((ago - 5..=ago + 60).contains(&measured), "{measured} for {ago}");
        assert_eq!(mismatches(&proxy), 0.0, "it is no mismatch");
    }
}

#[tokio::test]
async fn a_head_by_a_url_for_get_is_named_though_it_has_no_body() {
    let rules = Rules::usual();
    let (store, proxy) = store_with_a_key(&rules).await;
    let [get, head] = ["GET", "HEAD"].map(|method| Signer::new(method, HOST).presigned(KEY));
    assert_eq!((proxy.fetch("GET", &get, &[]).status, proxy.fetch("HEAD", &head, &[]).status), (200, 200));
    // Who signs a HEAD as such and may not do it has no signature that fails.
    assert_eq!(proxy.fetch("HEAD", KEY, &[]).status, 403);
    assert_eq!(all_failures(&proxy), 0.0);
    let mut proxy = Proxy::start(rules.path(), store.address);
    assert_eq!(proxy.fetch("HEAD", &get, &[]).status, 403);
    let line = diagnosis(&mut proxy, "head_by_get");
    assert!(line["advice"].as_str().unwrap().contains("presigned.head"), "{line}");
}

#[tokio::test]
async fn cookies_that_http_2_has_joined_are_named() {
    let rules = Rules::usual();
    let (store, proxy) = store_with_a_key(&rules).await;
    drop(proxy);
    let config = rules.config("listen: {address: '127.0.0.1:0', http2: true}");
    for cookies in [&[("cookie", "a=1")][..], &[("cookie", "a=1"), ("cookie", "b=2")]] {
        let mut command = s3cors(&["serve", "--config", &config, "--admin", "127.0.0.1:0", "--rules"]);
        command.arg(rules.path()).args(["--upstream", &format!("http://{}", store.address)]);
        let mut proxy = Proxy::spawn(command);
        let host = proxy.address.to_string();
        let lines = Signer { lines: cookies, ..Signer::new("GET", &host) }.signed(KEY);
        let lines: Vec<_> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let url = format!("http://{host}{KEY}");
        let arguments = ["--http2-prior-knowledge", &url].into_iter().chain(lines.iter().flat_map(|line| ["-H", line]));
        let fetched = curl(&arguments.collect::<Vec<_>>(), "");
        assert_eq!(fetched.protocol, "HTTP/2");
        if cookies.len() == 1 {
            assert_eq!((fetched.response.status, all_failures(&proxy)), (200, 0.0), "{fetched:?}");
            continue;
        }
        assert_eq!(fetched.response.element("Code").as_deref(), Some("SignatureDoesNotMatch"), "{fetched:?}");
        assert_eq!(diagnosis(&mut proxy, "cookie_lines")["header"], "cookie");
    }
}

#[test]
fn what_no_store_here_says_is_read_as_others_say_it() {
    let rules = Rules::usual();
    let now = Signer::new("GET", HOST);
    let old = Signer { at: SystemTime::now() - Duration::from_secs(3600), ..Signer::new("GET", HOST) };
    let (date, skewed) = (httpdate(SystemTime::now() + Duration::from_secs(3600)), error("RequestTimeTooSkewed"));
    let denied = error("AccessDenied");
    let repeated = Signer { lines: &[("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")], ..Signer::new("GET", HOST) };
    let minio = "x-minio-error-code: SignatureDoesNotMatch\r\n";
    for (method, target, lines, body, more, cause, counted) in [
        (
            "GET",
            KEY.to_owned(),
            now.signed(KEY),
            skewed.as_str(),
            format!("Date: {date}\r\n"),
            Some("upstream_clock"),
            0.0,
        ),
        ("GET", old.presigned(KEY), vec![], &denied, String::new(), Some("expired"), 0.0),
        ("GET", now.presigned(KEY), vec![], &denied, String::new(), None, 0.0),
        ("GET", now.presigned(KEY), vec![], &denied, format!("Date: {date}\r\n"), Some("expired"), 0.0),
        ("GET", KEY.to_owned(), repeated.signed(KEY), BODY, String::new(), Some("header_repeated"), 1.0),
        ("HEAD", KEY.to_owned(), now.signed(KEY), BODY, minio.to_owned(), Some("unknown"), 1.0),
        ("HEAD", now.presigned(KEY), vec![], BODY, minio.replace("SignatureDoesNotMatch", "AccessDenied"), None, 0.0),
        ("HEAD", KEY.to_owned(), now.signed(KEY), BODY, String::new(), None, 0.0),
    ] {
        // Not as long as it says, where it is the response to a HEAD.
        let upstream = if method == "HEAD" {
            Upstream::answering(format!("HTTP/1.1 403 Forbidden\r\n{more}Content-Length: {}\r\n\r\n", body.len()))
        } else {
            refusing(body, &more)
        };
        let mut proxy = Proxy::start(rules.path(), upstream.address);
        assert_eq!(proxy.fetch(method, &target, &borrowed(&lines)).status, 403);
        match cause {
            Some(cause) => drop(diagnosis(&mut proxy, cause)),
            None => assert_eq!(all_failures(&proxy), 0.0, "{method} {target} {body}"),
        }
        assert_eq!(mismatches(&proxy), counted, "{cause:?}");
    }
}

#[test]
fn a_signed_header_that_did_not_arrive_is_named_where_a_server_says_400() {
    let rules = Rules::usual();
    let minio = "There were headers present in the request which were not signed";
    let garage = "Bad request: signed header `range` is not present";
    let signed = Signer { lines: &[("range", "bytes=0-5")], ..Signer::new("GET", HOST) }.signed(KEY);
    for (code, message, removed, cause) in [
        ("AccessDenied", minio, "range", Some("header_missing")),
        ("InvalidRequest", garage, "range", Some("header_missing")),
        ("AccessDenied", minio, "", None),
        ("InvalidRequest", "Bad request", "range", None),
        ("AccessDenied", "Access Denied", "range", None),
    ] {
        let body = error(code).replace("<Message>m", &format!("<Message>{message}"));
        let head = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n", body.len());
        let upstream = Upstream::answering(head + &body);
        let mut proxy = Proxy::start(rules.path(), upstream.address);
        let lines: Vec<_> = borrowed(&signed).into_iter().filter(|(name, _)| *name != removed).collect();
        let answer = proxy.fetch("GET", KEY, &lines);
        assert_eq!((answer.status, answer.text()), (400, body), "{message}");
        match cause {
            Some(cause) => assert_eq!(diagnosis(&mut proxy, cause)["header"], "range"),
            None => assert_eq!(all_failures(&proxy), 0.0, "{message}"),
        }
        assert_eq!(mismatches(&proxy), 0.0, "{message}");
    }
}

fn error(code: &str) -> String {
    BODY.replace("SignatureDoesNotMatch", code)
}

fn httpdate(time: SystemTime) -> String {
    let time = aws_sdk_s3::primitives::DateTime::from(time);
    time.fmt(aws_sdk_s3::primitives::DateTimeFormat::HttpDate).unwrap().replace(".000", "")
}

#[test]
fn only_the_body_of_a_403_is_looked_at_and_it_passes_unchanged() {
    let rules = Rules::usual();
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len());
    let plain = format!("Content-Length: {}\r\n\r\n{BODY}", BODY.len());
    let denied = error("AccessDenied");
    let late = format!("{}{BODY}", " ".repeat(4096));
    for (method, answer, counted) in [
        ("GET", format!("HTTP/1.1 403 Forbidden\r\n{plain}"), 1.0),
        ("PUT", format!("HTTP/1.1 403 Forbidden\r\n{chunked}"), 1.0),
        ("GET", format!("HTTP/1.1 200 OK\r\n{plain}"), 0.0),
        ("GET", format!("HTTP/1.1 404 Not Found\r\n{plain}"), 0.0),
        ("GET", format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{denied}", denied.len()), 0.0),
        ("GET", format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{late}", late.len()), 0.0),
        ("HEAD", format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n", BODY.len()), 0.0),
    ] {
        let expected = if method == "HEAD" {
            ""
        } else if answer.contains("Denied") {
            &denied
        } else if answer.contains("   ") {
            &late
        } else {
            BODY
        };
        let upstream = Upstream::answering(answer.clone());
        let proxy = Proxy::start(rules.path(), upstream.address);
        let received = proxy.fetch(method, KEY, &[]);
        assert_eq!(received.text(), expected, "{answer}");
        assert_eq!((mismatches(&proxy), all_failures(&proxy)), (counted, counted), "{method} {answer}");
    }
}

#[test]
fn many_failures_are_all_counted_and_each_cause_is_logged_once_a_minute() {
    let (rules, upstream) = (Rules::usual(), refusing(BODY, ""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let started = std::time::Instant::now();
    let mut connection = proxy.connect();
    for attempt in 0..100 {
        let prefix = [("X-Forwarded-Prefix", "/s3")];
        let lines = if attempt % 2 == 0 { &[][..] } else { &prefix };
        assert_eq!(connection.send(request("GET", KEY, lines, "")).receive().status, 403);
    }
    assert_eq!(mismatches(&proxy), 100.0);
    eventually("every request is logged", || {
        (proxy.log().iter().filter(|line| line["status"] == 403).count() == 100).then_some(())
    });
    let most = usize::try_from(started.elapsed().as_secs() / 60).unwrap() + 1;
    for cause in ["unknown", "path_changed_before"] {
        assert_eq!(failures(&proxy, cause), 50.0);
        let lines = proxy.log().iter().filter(|line| line["message"] == MESSAGE && line["cause"] == cause).count();
        assert!((1..=most).contains(&lines), "{lines} lines about {cause}");
    }
}
