//! The upstream is the judge: what its words mean, and what is done where it does not look at signatures. A stub says what no real server
//! says on demand.

use super::*;

pub fn error(status: &str, code: &str) -> String {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m</Message></Error>");
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nX-Theirs: 1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn an_upstream_that_does_not_judge_signatures_gets_no_writes() {
    for answer in [error("501 Not Implemented", "NotImplemented"), error("404 Not Found", "NoSuchBucket")] {
        let (rules, upstream) = (Rules::empty(), Upstream::answering(answer.clone()));
        let mut proxy = proxy_before(&rules, upstream.address, "");
        let message = "the upstream does not refuse a broken signature: PutBucketCors and DeleteBucketCors are not served; \
                       it must check signatures before it looks at anything else of these requests";
        proxy.wait_for_log(message);
        assert_eq!(proxy.metric(WRITABLE), Some(0.0));
        assert!(proxy.ask("GET", "/status").text().contains("does not refuse a broken signature"));
        let response = CorsWriter::put(proxy.address, "/bucket?cors", &allowing(ORIGIN)).send(proxy.address);
        assert_eq!(Some(response.status.to_string().as_str()), answer.split(' ').nth(1), "relayed: {response:?}");
        assert_eq!(response.header("x-theirs"), Some("1"));
        assert!(!rules.file("bucket.xml").exists());
    }
}

/// Like MinIO: every key but `READER` may; whether a signature is broken shows in its first digit.
fn minio() -> Upstream {
    Upstream::scripted(|served| {
        while let Some(request) = served.request() {
            let authorization = request.header("authorization").unwrap_or_default();
            let is_broken = !authorization.contains("Signature=f");
            let answer = match request.request_line() {
                _ if authorization.contains("Credential=S3CORSPROBE/") => error("403 Forbidden", "InvalidAccessKeyId"),
                _ if is_broken && request.header("x-early").is_none() => {
                    error("403 Forbidden", "SignatureDoesNotMatch")
                }
                _ if authorization.contains("Credential=READER/") => error("403 Forbidden", "AccessDenied"),
                line if line.contains("/missing") => error("404 Not Found", "NoSuchBucket"),
                line if line.starts_with("GET") => error("404 Not Found", "NoSuchCORSConfiguration"),
                _ => error("501 Not Implemented", "NotImplemented"),
            };
            if !served.send(answer) {
                return;
            }
        }
    })
}

/// Signs until the signature begins with the digit that the server above takes for a good one.
fn accepted(writer: &CorsWriter<'_>) -> SignedRequest {
    let mut writer = writer.clone();
    loop {
        let request = writer.sign();
        let good = request.lines.iter().any(|(name, value)| name == "authorization" && value.contains("Signature=f"));
        if good {
            return request;
        }
        writer.at += Duration::from_secs(1);
    }
}

#[test]
fn the_upstream_decides_and_the_same_request_with_a_broken_signature_must_fail() {
    let (rules, upstream) = (Rules::empty(), minio());
    let proxy = proxy_before(&rules, upstream.address, "");
    eventually("writes are served", || (proxy.metric(WRITABLE) == Some(1.0)).then_some(()));
    let put = |target: &'static str| CorsWriter::put(proxy.address, target, &allowing(ORIGIN));
    let get = |target: &'static str| CorsWriter { method: "GET", ..CorsWriter::put(proxy.address, target, "") };
    let early = CorsWriter {
        lines: [put("/bucket?cors").lines, vec![("x-early".into(), "1".into())]].concat(),
        ..put("/bucket?cors")
    };
    for (name, request, status, code_is) in [
        ("nothing to get", accepted(&get("/bucket?cors")), 404, Some("NoSuchCORSConfiguration")),
        ("no permission", accepted(&CorsWriter { key: "READER", ..put("/bucket?cors") }), 403, Some("AccessDenied")),
        ("no bucket", accepted(&put("/missing?cors")), 404, Some("NoSuchBucket")),
        ("a 501 before the signature", accepted(&early), 403, Some("AccessDenied")),
        (
            "reading before the signature",
            accepted(&CorsWriter { method: "GET", ..early.clone() }),
            403,
            Some("AccessDenied"),
        ),
    ] {
        let response = request.send(proxy.address);
        assert_eq!((response.status, code(&response).as_deref()), (status, code_is), "{name}: {response:?}");
        assert!(!rules.file("bucket.xml").exists(), "{name}");
    }
    assert_eq!(proxy.metric(WRITABLE), Some(1.0), "what one request does says nothing about those of others");
}

#[test]
fn a_put_reaches_the_upstream_as_it_came_and_its_broken_twin_after_it() {
    let (rules, upstream) = (Rules::empty(), minio());
    let proxy = proxy_before(&rules, upstream.address, "");
    eventually("writes are served", || (proxy.metric(WRITABLE) == Some(1.0)).then_some(()));
    let request = accepted(&CorsWriter::put(proxy.address, "/bucket?cors", &allowing(ORIGIN)));
    let response = request.send(proxy.address);
    assert_eq!(response.status, 200, "{response:?}");
    let received: Vec<_> = upstream.received().into_iter().filter(|request| !request.body.is_empty()).collect();
    assert_eq!(received.len(), 2, "{received:?}");
    for received in &received {
        assert_eq!(received.body, request.body.as_bytes());
        assert_eq!(received.request_line(), "PUT /bucket?cors HTTP/1.1");
    }
    for (name, value) in &request.lines {
        assert_eq!(received[0].header(name).as_ref(), Some(value), "{name}");
    }
    assert_ne!(received[0].header("authorization"), received[1].header("authorization"));
    // The next write, with a bucket that has rules now, is judged like the first.
    let got = accepted(&CorsWriter { method: "GET", ..CorsWriter::put(proxy.address, "/bucket?cors", "") });
    assert_eq!(got.send(proxy.address).status, 200);
}

#[test]
fn a_bucket_in_the_host_is_one_only_where_the_upstream_sees_that_host() {
    for (config, status) in [("", 200), ("upstream: {url: 'http://127.0.0.1:1', host: s3.internal}\n", 501)] {
        let (rules, upstream) = (Rules::empty(), minio());
        let proxy = proxy_before(&rules, upstream.address, config);
        eventually("writes are served", || (proxy.metric(WRITABLE) == Some(1.0)).then_some(()));
        let mut writer = CorsWriter::put(proxy.address, "/?cors", &allowing(ORIGIN));
        writer.host = "photos.s3.example.test".to_owned();
        let response = accepted(&writer).send(proxy.address);
        assert_eq!(response.status, status, "{config}: {response:?}");
        assert_eq!(rules.file("photos.xml").exists(), status == 200, "{config}");
    }
}

#[test]
fn what_an_upstream_can_do_itself_stays_its_own() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\nX-Theirs: 1\r\nVary: Accept\r\nContent-Length: 2\r\n\r\nok");
    let rules = Rules::empty();
    let proxy = proxy_before(&rules, upstream.address, "");
    for method in ["PUT", "GET", "DELETE"] {
        let body = if method == "PUT" { allowing(ORIGIN) } else { String::new() };
        let writer = CorsWriter { method, ..CorsWriter::put(proxy.address, "/bucket?cors", &body) };
        let response = writer.send(proxy.address);
        assert_eq!((response.status, response.text().as_str()), (200, "ok"), "{method}");
        assert_eq!(response.header("x-theirs"), Some("1"));
    }
    assert!(!rules.file("bucket.xml").exists());
}

#[test]
fn an_upstream_that_is_away_is_a_failure_like_any_other() {
    let gone = Upstream::ok("").kill();
    let proxy = proxy_before(&Rules::empty(), gone, "");
    let response = CorsWriter::put(proxy.address, "/bucket?cors", &allowing(ORIGIN)).send(proxy.address);
    assert_eq!((response.status, code(&response).as_deref()), (502, Some("BadGateway")), "{response:?}");
}
