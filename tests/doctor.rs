//! A signature that does not match: the log says what the client signed and what was sent on, and never the signature.

use crate::support::eventually;
use crate::support::http::request;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::store::{ACCESS_KEY, Store, client};
use crate::support::upstream::Upstream;

const MESSAGE: &str = "the upstream reports a signature mismatch";
const BODY: &str =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error>";

fn mismatches(proxy: &Proxy) -> f64 {
    proxy.metric("s3cors_signature_mismatches_total").unwrap()
}

#[tokio::test]
async fn a_host_that_was_replaced_is_named_as_the_cause() {
    let (rules, store) = (Rules::usual(), Store::start());
    let upstream = format!("http://{}", store.address);
    let preserved = Proxy::start(rules.path(), store.address);
    assert!(client(preserved.address).list_buckets().send().await.is_ok(), "the store takes what is signed right");
    assert_eq!(mismatches(&preserved), 0.0);

    let config = rules.config("upstream: {host: other.test}");
    let mut proxy = Proxy::start_with(rules.path(), &upstream, &["--config", &config]);
    let error = client(proxy.address).list_buckets().send().await.unwrap_err();
    assert_eq!(error.raw_response().map(|answer| answer.status().as_u16()), Some(403));
    let body = error.raw_response().and_then(|answer| answer.body().bytes()).unwrap();
    assert!(String::from_utf8_lossy(body).contains("<Code>SignatureDoesNotMatch</Code>"), "the body passes");
    assert_eq!(mismatches(&proxy), 1.0);

    let line = proxy.wait_for_log(MESSAGE);
    let address = proxy.address.to_string();
    assert_eq!(
        (line["client_host"].as_str(), line["sent_host"].as_str()),
        (Some(address.as_str()), Some("other.test"))
    );
    assert_eq!((line["host_signed"].as_str(), line["level"].as_str()), (Some("yes"), Some("WARN")));
    assert!(line["advice"].as_str().unwrap().contains("set upstream.host to preserve"), "{line}");
    let text = line.to_string();
    assert!(!text.contains(ACCESS_KEY) && !text.contains("Signature="), "{text}");
}

#[tokio::test]
async fn a_wrong_key_is_not_blamed_on_the_host() {
    let (rules, store) = (Rules::usual(), Store::start());
    let mut proxy = Proxy::start(rules.path(), store.address);
    let signed = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=TESTACCESSKEY%2F20260101%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20260101T000000Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host&X-Amz-Signature=";
    // Valid in form, for a day that is neither over nor to come, and wrong.
    let (date, time) = today();
    let target = format!(
        "/bucket/key?{}{}",
        signed.replace("20260101T000000Z", &time).replace("20260101", &date),
        "ab".repeat(32)
    );
    let answer = proxy.fetch("GET", &target, &[("X-Forwarded-Host", "s3.example.test")]);
    assert_eq!((answer.status, answer.element("Code").as_deref()), (403, Some("SignatureDoesNotMatch")), "{answer:?}");
    let line = proxy.wait_for_log(MESSAGE);
    assert_eq!((line["client_host"].as_str(), line["host_signed"].as_str()), (Some("s3.example.test"), Some("yes")));
    assert!(line["advice"].as_str().unwrap().contains("secret key"), "{line}");
    assert!(!line.to_string().contains("abab"), "{line}");
}

/// The date and the time of signing, as Signature Version 4 writes them.
fn today() -> (String, String) {
    let now = aws_sdk_s3::primitives::DateTime::from(std::time::SystemTime::now());
    let text = now.fmt(aws_sdk_s3::primitives::DateTimeFormat::DateTime).unwrap();
    let date: String = text.chars().take(10).filter(char::is_ascii_digit).collect();
    let time: String = text.chars().skip(11).take(8).filter(char::is_ascii_digit).collect();
    (date.clone(), format!("{date}T{time}Z"))
}

#[test]
fn only_the_body_of_a_403_is_looked_at_and_it_passes_unchanged() {
    let rules = Rules::usual();
    let chunked = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{BODY}\r\n0\r\n\r\n", BODY.len());
    let plain = format!("Content-Length: {}\r\n\r\n{BODY}", BODY.len());
    let denied = BODY.replace("SignatureDoesNotMatch", "AccessDenied");
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
        let received = proxy.fetch(method, "/bucket/key", &[]);
        assert_eq!(received.text(), expected, "{answer}");
        assert_eq!(mismatches(&proxy), counted, "{method} {answer}");
    }
}

#[test]
fn many_mismatches_are_all_counted_and_few_are_logged() {
    let (rules, upstream) = (
        Rules::usual(),
        Upstream::answering(format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len())),
    );
    let proxy = Proxy::start(rules.path(), upstream.address);
    let started = std::time::Instant::now();
    let mut connection = proxy.connect();
    for _ in 0..100 {
        assert_eq!(connection.send(request("GET", "/bucket/key", &[], "")).receive().status, 403);
    }
    let most = usize::try_from(started.elapsed().as_secs()).unwrap() + 2;
    assert_eq!(mismatches(&proxy), 100.0);
    eventually("every request is logged", || {
        (proxy.log().iter().filter(|line| line["status"] == 403).count() == 100).then_some(())
    });
    let lines = proxy.log().iter().filter(|line| line["message"] == MESSAGE).count();
    assert!((1..=most).contains(&lines), "{lines} lines");
}
