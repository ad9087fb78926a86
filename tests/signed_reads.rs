//! Objects of private buckets that strangers may read: the proxy signs for them (`sign`), and for nothing else.

use crate::support::eventually;
use crate::support::http::{Response, request};
use crate::support::http2;
use crate::support::process::{ConfigFile, anywhere, run, signing, without_keys};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::signer::Signer;
use crate::support::store::{ACCESS_KEY, SECRET_KEY, Store};
use crate::support::upstream::Upstream;

const APP: &str = "https://app.example";
const ORIGIN: (&str, &str) = ("Origin", APP);
const LISTED: &str = "listed object";
const SECRET: &str = "no one may read this";
const SETTINGS: &str = "\
domains: [s3.example.com]
hosts: {app.example/files: {}, cdn.example: {bucket: private}}
sign:
- {bucket: private, prefix: docs/}
- {bucket: private, prefix: versions/, query: drop}
- {bucket: site, index: index.html, error: errors/404.html}
";

/// A store with private buckets, and a proxy before it that may read some of it.
struct Scene {
    proxy: Proxy,
    store: Store,
    rules: Rules,
}

impl Scene {
    fn new() -> Self {
        let (store, rules) = (Store::start(), Rules::empty());
        for (bucket, key, text) in [
            ("private", "docs/a.txt", LISTED),
            ("private", "docs/my file", LISTED),
            ("private", "docs/a%b", LISTED),
            ("private", "docs/deep/b.txt", LISTED),
            ("private", "versions/a.js", LISTED),
            ("private", "secret.txt", SECRET),
            ("private", "docsecret.txt", SECRET),
            ("private", "other/secret.txt", SECRET),
            ("site", "index.html", LISTED),
            ("other", "docs/a.txt", SECRET),
        ] {
            let file = store.file(bucket, key);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        rules.write("_default.xml", allowing(APP));
        let proxy = signing(rules.path(), store.address, SETTINGS);
        Self { proxy, store, rules }
    }

    fn fetch(&self, method: &str, target: &str) -> Response {
        self.proxy.fetch(method, target, &[ORIGIN])
    }

    /// A request as it stands here, and what comes back until the connection ends.
    fn raw(&self, text: &str) -> String {
        let mut connection = self.proxy.connect();
        connection.send(text);
        connection.finish_sending();
        String::from_utf8_lossy(&connection.rest()).into_owned()
    }
}

#[test]
fn objects_below_a_prefix_are_read_without_keys() {
    let scene = Scene::new();
    for key in ["docs/a.txt", "docs/my%20file", "docs/a%25b", "docs/deep/b.txt", "docs%2Fdeep%2fb.txt"] {
        let target = format!("/private/{key}");
        let response = scene.fetch("GET", &target);
        let is_one = !key.starts_with("docs%");
        assert_eq!(response.status, if is_one { 200 } else { 400 }, "{key}: {}", response.text());
        assert_eq!(response.all("access-control-allow-origin").collect::<Vec<_>>(), [APP], "{key}");
        if is_one {
            assert_eq!(response.text(), LISTED, "{key}");
            let head = scene.proxy.connect().send(request("HEAD", &target, &[ORIGIN], "")).receive_to("HEAD");
            assert_eq!((head.status, head.header("content-length")), (200, Some("13")), "{key}");
        }
    }
    let part = scene.proxy.fetch("GET", "/private/docs/a.txt", &[ORIGIN, ("Range", "bytes=0-5")]);
    assert_eq!((part.status, &*part.text()), (206, "listed"));
    let missing = scene.fetch("GET", "/private/docs/missing");
    assert_eq!((missing.status, missing.element("Code").as_deref()), (404, Some("NoSuchKey")));
    for (host, target) in [
        ("private.s3.example.com", "/docs/a.txt"),
        ("cdn.example", "/docs/a.txt"),
        ("app.example", "/files/private/docs/a.txt"),
    ] {
        let response = scene.proxy.fetch("GET", target, &[("Host", host), ORIGIN]);
        assert_eq!((response.status, &*response.text()), (200, LISTED), "{host}{target}");
    }
    let series = "s3cors_signed_reads_total{bucket=\"_default\"}";
    assert!(scene.proxy.metric(series).is_some_and(|count| count > 10.0), "{series}");
}

#[test]
fn a_query_is_refused_or_left_out() {
    let scene = Scene::new();
    for (target, status) in [
        ("/private/docs/a.txt?v=3", 403),
        ("/private/docs/a.txt?", 200),
        ("/private/versions/a.js?v=3", 200),
        ("/private/versions/a.js?v=3&response-content-type=text%2Fhtml", 403),
        ("/private/versions/a.js?versionId=1", 403),
        ("/private/versions/a.js?%61cl", 403),
        ("/private/versions/a.js?x-amz-security-token=x", 403),
    ] {
        let response = scene.fetch("GET", target);
        assert_eq!(response.status, status, "{target}");
        assert_eq!(response.header("access-control-allow-origin"), Some(APP), "{target}");
    }
    let asked = scene.store.asked_since(0);
    assert!(asked.iter().all(|asked| !asked.line.contains('?')), "{asked:?}");
}

/// An upstream with these objects. The real store takes a folder for a fault of its own.
fn objects(objects: &'static [(&'static str, &'static str)]) -> Upstream {
    Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            let line = request.request_line();
            let key = line.split(' ').nth(1).unwrap_or_default();
            let found = objects.iter().find(|(known, _)| *known == key).map(|(_, text)| *text);
            let (status, text) = match found {
                Some(text) if request.header("range").is_some() => ("206 Partial Content", &text[..1]),
                Some(text) => ("200 OK", text),
                None => ("404 Not Found", "<Error><Code>NoSuchKey</Code></Error>"),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", text.len());
            let body = if line.starts_with("HEAD ") { "" } else { text };
            if !served.send(head + body) {
                return;
            }
        }
    })
}

#[test]
fn a_site_has_pages_for_folders_and_errors() {
    let upstream = objects(&[
        ("/site/index.html", "front page"),
        ("/site/errors/404.html", "nothing here"),
        ("/site/sub/index.html", "sub page"),
        ("/site/sub/a.txt", LISTED),
        ("/site//evil.example/index.html", "a page of a stranger"),
    ]);
    let rules = Rules::empty();
    rules.write("_default.xml", allowing(APP));
    let proxy = signing(rules.path(), upstream.address, SETTINGS);
    for (method, target, status, text, location) in [
        ("GET", "/site/", 200, "front page", None),
        ("GET", "/site", 302, "", Some("/site/")),
        ("GET", "/site/index.html", 200, "front page", None),
        ("GET", "/site/sub/", 200, "sub page", None),
        ("GET", "/site/sub", 302, "", Some("/site/sub/")),
        ("GET", "/site/sub/a.txt", 200, LISTED, None),
        ("GET", "/site/missing", 404, "nothing here", None),
        ("GET", "/site/missing/", 404, "nothing here", None),
        ("GET", "/site/sub/a.txt/x", 404, "nothing here", None),
    ] {
        let response = proxy.fetch(method, target, &[ORIGIN]);
        assert_eq!((response.status, &*response.text()), (status, text), "{target}");
        assert_eq!(response.header("location"), location, "{target}");
        assert_eq!(response.all("access-control-allow-origin").collect::<Vec<_>>(), [APP], "{target}");
    }
    for (target, status) in [("/site/", 200), ("/site/sub", 302), ("/site/missing", 404)] {
        let response = proxy.connect().send(request("HEAD", target, &[], "")).receive_to("HEAD");
        assert_eq!(response.status, status, "HEAD {target}");
    }
    // Under a public name the redirect stays below its prefix.
    let moved = proxy.fetch("GET", "/files/site/sub", &[("Host", "app.example")]);
    assert_eq!((moved.status, moved.header("location")), (302, Some("/files/site/sub/")));
    // A path that browsers read as another host's is no redirect.
    for target in ["//evil.example/site/sub", "/site//evil.example"] {
        let response = proxy.fetch("GET", target, &[ORIGIN]);
        assert!(response.header("location").is_none(), "{target}: {response:?}");
    }
}

#[test]
fn the_upstream_sees_its_own_name_and_a_list_of_headers() {
    let upstream = Upstream::ok("body");
    let rules = Rules::empty();
    rules.write("_default.xml", allowing(APP));
    let proxy = signing(rules.path(), upstream.address, SETTINGS);
    let lines = [
        ("Host", "private.s3.example.com"),
        ORIGIN,
        ("Range", "bytes=0-1"),
        ("If-Range", "\"e\""),
        ("If-Match", "\"e\""),
        ("If-None-Match", "\"f\""),
        ("If-Modified-Since", "Tue, 01 Dec 2026 00:00:00 GMT"),
        ("If-Unmodified-Since", "Tue, 01 Dec 2026 00:00:00 GMT"),
        ("Accept", "text/html"),
        ("Accept-Encoding", "gzip"),
        ("Accept-Language", "de"),
        ("Cookie", "session=1"),
        ("Authorization", "Bearer x"),
        ("User-Agent", "browser"),
        ("Referer", "https://app.example/page"),
        ("X-Amz-Security-Token", "stranger"),
        ("x-amz-copy-source", "/private/secret.txt"),
        ("x-amz-date", "20200101T000000Z"),
        ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-server-side-encryption-customer-key", "k"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Original-URL", "/private/secret.txt"),
        ("Expect", "100-continue"),
    ];
    let response = proxy.fetch("GET", "/docs/a.txt", &lines);
    assert_eq!((response.status, &*response.text()), (200, "body"));
    let received = upstream.only_request();
    assert_eq!(received.request_line(), "GET /private/docs/a.txt HTTP/1.1");
    let mut names: Vec<_> = received.headers().into_iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    let expected = [
        "accept",
        "accept-encoding",
        "authorization",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "range",
        "via",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-forwarded-for",
        "x-forwarded-proto",
    ];
    assert_eq!(names, expected);
    assert_eq!(received.header("host"), Some(upstream.address.to_string()));
    let authorization = received.header("authorization").unwrap();
    assert!(authorization.starts_with(&format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/")), "{authorization}");
    let log = eventually("the access line", || proxy.log().into_iter().find(|line| line["path"] == "/docs/a.txt"));
    assert_eq!((log["signer"].as_str(), log["prefix"].as_str()), (Some("here"), Some("docs/")), "{log}");
}

#[test]
fn what_a_client_has_signed_goes_on_as_it_came() {
    let scene = Scene::new();
    let host = scene.proxy.address.to_string();
    let signer = Signer::new("GET", &host);
    let presigned = signer.presigned("/private/secret.txt");
    let fetch = |target: &str| scene.proxy.fetch("GET", target, &[("Host", &host), ORIGIN]);
    assert_eq!(fetch(&presigned).text(), SECRET, "its own keys allow it");
    let lines = signer.signed("/private/docs/a.txt");
    let lines: Vec<_> = lines.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(scene.proxy.fetch("GET", "/private/docs/a.txt", &lines).text(), LISTED);
    // A wrong signature is not replaced by a right one.
    let wrong = Signer { secret: "wrong", ..Signer::new("GET", &host) };
    assert_eq!(fetch(&wrong.presigned("/private/docs/a.txt")).status, 403);
    let broken = scene.proxy.fetch("GET", "/private/docs/a.txt", &[("Authorization", "AWS4-HMAC-SHA256 Credential=x")]);
    assert!((400..404).contains(&broken.status), "{broken:?}");
    let lines = scene.proxy.log();
    assert!(lines.iter().all(|line| line["signer"] != "here"), "{lines:?}");
}

/// Requests that ask for more than is listed, by what they try.
const ATTEMPTS: [(&str, &str, &str); 62] = [
    ("another key", "GET /private/secret.txt", ""),
    ("a key that begins like the prefix", "GET /private/docsecret.txt", ""),
    ("another folder", "GET /private/other/secret.txt", ""),
    ("another bucket with the same prefix", "GET /other/docs/a.txt", ""),
    ("dots", "GET /private/docs/../secret.txt", ""),
    ("encoded dots", "GET /private/docs/%2e%2e/secret.txt", ""),
    ("half encoded dots", "GET /private/docs/.%2E/secret.txt", ""),
    ("an encoded slash after dots", "GET /private/docs/..%2fsecret.txt", ""),
    ("an encoded slash before dots", "GET /private/docs%2f..%2fsecret.txt", ""),
    ("a backslash", "GET /private/docs/..\\secret.txt", ""),
    ("an encoded backslash", "GET /private/docs/..%5csecret.txt", ""),
    ("twice encoded dots", "GET /private/docs/%252e%252e/secret.txt", ""),
    ("twice encoded slashes", "GET /private/docs%252f..%252fsecret.txt", ""),
    ("overlong UTF-8", "GET /private/docs/%c0%ae%c0%ae/secret.txt", ""),
    ("a NUL", "GET /private/secret.txt%00docs/a.txt", ""),
    ("a NUL after dots", "GET /private/docs/..%00/secret.txt", ""),
    ("a line feed", "GET /private/docs/%0a../secret.txt", ""),
    ("path parameters", "GET /private/docs/..;x=/secret.txt", ""),
    ("encoded path parameters", "GET /private/docs/..%3bx/secret.txt", ""),
    ("an empty segment", "GET /private//secret.txt", ""),
    ("an empty segment after the prefix", "GET /private/docs//../secret.txt", ""),
    ("dots that go down first", "GET /private/docs/x\\y/../../secret.txt", ""),
    ("a climb to another bucket", "GET /private/docs/../../other/docs/a.txt", ""),
    ("an encoded climb to another bucket", "GET /private/docs/..%2f..%2fother/docs/a.txt", ""),
    ("a bucket with an encoded slash", "GET /private%2fsecret.txt", ""),
    ("a bucket after two slashes", "GET //private/secret.txt", ""),
    ("the bucket itself", "GET /private/", ""),
    ("the bucket without a slash", "GET /private", ""),
    ("a listing", "GET /private/?list-type=2", ""),
    ("a listing below the prefix", "GET /private?prefix=docs/&list-type=2", ""),
    ("a listing of the service", "GET /", ""),
    ("the folder", "GET /private/docs/", ""),
    ("the folder encoded", "GET /private/docs%2f", ""),
    ("a folder with a listing", "GET /private/docs/?list-type=2", ""),
    ("a site's listing", "GET /site/?list-type=2", ""),
    ("a site's versions", "GET /site/?versions", ""),
    ("a site's policy", "GET /site/?policy", ""),
    ("an ACL", "GET /private/docs/a.txt?acl", ""),
    ("tags", "GET /private/docs/a.txt?tagging", ""),
    ("a torrent", "GET /private/docs/a.txt?torrent", ""),
    ("uploads", "GET /private/versions/?uploads", ""),
    ("a response header", "GET /private/versions/a.js?response-content-type=text/html", ""),
    ("an encoded name", "GET /private/versions/a.js?%72esponse-content-type=text/html", ""),
    ("PUT", "PUT /private/docs/new.txt", "Content-Length: 0\r\n"),
    ("DELETE", "DELETE /private/docs/a.txt", ""),
    ("POST", "POST /private/docs/a.txt?delete", "Content-Length: 0\r\n"),
    ("a lower case method", "get /private/docs/../secret.txt", ""),
    ("a method that overrides", "GET /private/secret.txt", "X-HTTP-Method-Override: GET\r\n"),
    (
        "a URL that overrides",
        "GET /private/secret.txt",
        "X-Original-URL: /private/docs/a.txt\r\nX-Rewrite-URL: /private/docs/a.txt\r\n",
    ),
    ("a copy source", "GET /private/secret.txt", "x-amz-copy-source: /private/docs/a.txt\r\n"),
    ("a range", "GET /private/secret.txt", "Range: bytes=0-\r\n"),
    ("a host that is a bucket", "GET /docs/a.txt", "Host: other.s3.example.com\r\n"),
    ("a host with a dot at its end", "GET /docs/../secret.txt", "Host: private.s3.example.com.\r\n"),
    ("a host with an invalid port", "GET /docs/../secret.txt", "Host: private.s3.example.com:x\r\n"),
    ("an absolute target", "GET http://cdn.example/secret.txt", ""),
    ("an absolute target with dots", "GET http://cdn.example/docs/../secret.txt", ""),
    ("a public name", "GET /secret.txt", "Host: cdn.example\r\n"),
    ("a public name with dots", "GET /docs/%2e%2e/secret.txt", "Host: cdn.example\r\n"),
    ("a public prefix with dots", "GET /files/private/docs/../secret.txt", "Host: app.example\r\n"),
    ("a climb out of a public prefix", "GET /files/../private/secret.txt", "Host: app.example\r\n"),
    ("a hidden header", "GET /private/secret.txt", "Connection: close, x-amz-date\r\n"),
    ("an odd length", "GET /private/secret.txt", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
];

#[test]
fn no_stranger_reads_what_is_not_listed() {
    let scene = Scene::new();
    for (tried, line, lines) in ATTEMPTS {
        let host = if lines.contains("Host:") { "" } else { "Host: s3.internal\r\n" };
        let answer = scene.raw(&format!("{line} HTTP/1.1\r\n{host}{lines}Connection: close\r\n\r\n"));
        for forbidden in [SECRET, "<Contents>", "<Name>", "ListBucketResult", "ListAllMyBuckets", ACCESS_KEY] {
            assert!(!answer.contains(forbidden), "{tried}: {answer}");
        }
        assert!(!answer.starts_with("HTTP/1.1 2"), "{tried}: {answer}");
    }
    let written = scene.store.file("private", "docs/new.txt");
    assert!(!written.exists() && scene.store.file("private", "docs/a.txt").exists());
    // The same over HTTP/2, where a client writes the parts of the head.
    for target in [
        "/private/secret.txt",
        "/private/docs/%2e%2e/secret.txt",
        "/private/docs/..%2fsecret.txt",
        "/private/?list-type=2",
    ] {
        let response = http2::fetch(scene.proxy.address, "GET", target, &[]);
        assert!(response.status >= 400 && !response.text().contains(SECRET), "{target}");
    }
    assert_eq!(scene.fetch("GET", "/private/docs/a.txt").text(), LISTED, "what is listed is still read");
}

#[test]
fn an_upstreams_words_about_our_signature_stay_here() {
    let document =
        format!("<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>{ACCESS_KEY}</AWSAccessKeyId></Error>");
    let refusal = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{document}", document.len());
    let upstream = Upstream::answering(refusal);
    let rules = Rules::empty();
    rules.write("_default.xml", allowing(APP));
    let mut proxy = signing(rules.path(), upstream.address, SETTINGS);
    let response = proxy.fetch("GET", "/private/docs/a.txt", &[ORIGIN]);
    assert_eq!((response.status, response.element("Code").as_deref()), (503, Some("ServiceUnavailable")));
    assert!(!response.text().contains(ACCESS_KEY));
    assert_eq!(response.header("access-control-allow-origin"), Some(APP));
    let line = proxy.wait_for_log("the upstream refuses what is signed here");
    assert_eq!(line["code"], "SignatureDoesNotMatch");
}

#[test]
fn without_credentials_only_what_needs_them_fails() {
    let upstream = Upstream::ok("body");
    let rules = Rules::empty();
    rules.write("_default.xml", allowing(APP));
    let file = ConfigFile::new(&anywhere(SETTINGS));
    let proxy = Proxy::spawn(without_keys(rules.path(), upstream.address, &file));
    let signed = proxy.fetch("GET", "/private/docs/a.txt", &[ORIGIN]);
    assert_eq!((signed.status, signed.element("Code").as_deref()), (503, Some("ServiceUnavailable")));
    assert!(signed.element("Message").is_some_and(|message| message.contains("credentials")), "{signed:?}");
    assert_eq!(signed.header("access-control-allow-origin"), Some(APP));
    assert_eq!(proxy.fetch("GET", "/public/a.txt", &[ORIGIN]).status, 200, "other buckets go on");
    assert_eq!(proxy.preflight("/private/docs/a.txt", APP, "GET").status, 200);
    assert!(upstream.received().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn operators_see_who_reads_what() {
    let scene = Scene::new();
    scene.fetch("GET", "/private/docs/a.txt");
    let page = scene.proxy.ask("GET", "/status").text();
    for part in ["Signed reads", "docs/", "everyone", "available", ACCESS_KEY] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains(SECRET_KEY));
    let query = "/api/explain?bucket=private&origin=https%3A%2F%2Fapp.example&method=GET";
    let explained = scene.proxy.ask("GET", query).text();
    assert!(explained.contains("everyone can read each object below docs/"), "{explained}");
    let metrics = scene.proxy.ask("GET", "/metrics").text();
    assert!(metrics.contains("s3cors_credentials_available 1") && !metrics.contains(SECRET_KEY), "{metrics}");
    let file = ConfigFile::new(SETTINGS);
    let rules = scene.rules.path().to_str().unwrap();
    let told = run(&[
        "explain",
        "--config",
        &file.argument(),
        "--rules",
        rules,
        "--bucket",
        "private",
        "--origin",
        APP,
        "--method",
        "GET",
    ]);
    assert!(told.stdout.contains("veryone can read each object below docs/"), "{told:?}");
}
