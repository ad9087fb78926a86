//! Public names with the beginning of a path: the storage on an application's own origin, and what it may not do there.

use crate::support::http::{Response, request};
use crate::support::process::configured;
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;

const APP: &str = "https://app.example";
const HOST: &str = "app.example";
const PREFIX: &str = "hosts: {app.example/storage: {upstream_host: 'minio:9000'}}";
const SIGNS: &str = "AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=cookie;host;origin, Signature=ab";

fn proxy(upstream: &Upstream, settings: &str) -> (Rules, Proxy) {
    let rules = Rules::empty();
    rules.write("photos.xml", allowing(APP));
    let proxy = configured(rules.path(), upstream.address, settings);
    (rules, proxy)
}

fn ask(proxy: &Proxy, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    let headers = [&[("Host", HOST)], headers].concat();
    proxy.connect().send(request(method, target, &headers, "")).receive_to(method)
}

/// The values of all lines of a name.
fn values<'r>(response: &'r Response, name: &'r str) -> Vec<&'r str> {
    response.all(name).collect()
}

fn answering(status: &str, lines: &[(&str, &str)]) -> Upstream {
    let lines: String = lines.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    Upstream::answering(format!("HTTP/1.1 {status}\r\n{lines}Content-Length: 0\r\n\r\n"))
}

#[test]
fn the_beginning_of_a_path_is_taken_off_before_everything_else() {
    for (target, arrives, host, is_granted) in [
        ("/storage/photos/a/key?x=/storage", "/photos/a/key?x=/storage", "minio:9000", true),
        ("/storage/photos", "/photos", "minio:9000", true),
        ("/storage/photos/storage/k", "/photos/storage/k", "minio:9000", true),
        ("/storage/mail/k", "/mail/k", "minio:9000", false),
        ("/storage", "/", "minio:9000", false),
        ("/storage?list-type=2", "/?list-type=2", "minio:9000", false),
        ("http://app.example/storage/photos/k?y", "/photos/k?y", "minio:9000", true),
        ("/storage/../photos/k", "/../photos/k", "minio:9000", false),
        ("/storage//photos/k", "//photos/k", "minio:9000", false),
        ("/storage/photos/%2e%2e/mail/k", "/photos/%2e%2e/mail/k", "minio:9000", false),
        ("/photos/storage/k", "/photos/storage/k", HOST, true),
        ("/storagex/photos/k", "/storagex/photos/k", HOST, false),
        ("/%73torage/photos/k", "/%73torage/photos/k", HOST, false),
    ] {
        let upstream = Upstream::ok("body");
        let (_rules, proxy) = proxy(&upstream, PREFIX);
        let response = ask(&proxy, "GET", target, &[("Origin", APP)]);
        assert_eq!((response.status, !response.cors().is_empty()), (200, is_granted), "{target}");
        let arrived = upstream.only_request();
        assert_eq!(arrived.request_line(), format!("GET {arrives} HTTP/1.1"), "{target}");
        assert_eq!(arrived.header("host").as_deref(), Some(host), "{target}");
    }
}

#[test]
fn a_preflight_below_a_prefix_is_judged_by_the_buckets_rules() {
    let upstream = Upstream::ok("body");
    let (_rules, proxy) = proxy(&upstream, PREFIX);
    for (target, status) in [("/storage/photos/k", 200), ("/storage/mail/k", 403), ("/storage/photos", 200)] {
        let headers = [("Origin", APP), ("Access-Control-Request-Method", "GET")];
        assert_eq!(ask(&proxy, "OPTIONS", target, &headers).status, status, "{target}");
    }
    assert!(upstream.received().is_empty());
}

#[test]
fn a_redirect_to_the_storage_itself_leads_below_the_prefix() {
    for (status, location, expected) in [
        ("307 Temporary Redirect", "/photos/a/?x=1", "/storage/photos/a/?x=1"),
        ("301 Moved Permanently", "http://minio:9000/photos/k", "/storage/photos/k"),
        ("302 Found", "https://app.example/photos/k", "https://app.example/storage/photos/k"),
        ("303 See Other", "https://elsewhere.example/done", "https://elsewhere.example/done"),
        ("201 Created", "http://minio:9000/photos/k", "/storage/photos/k"),
        ("200 OK", "/photos", "/photos"),
    ] {
        let upstream = answering(status, &[("Location", location)]);
        let (_rules, proxy) = proxy(&upstream, PREFIX);
        let response = ask(&proxy, "GET", "/storage/photos/a", &[]);
        assert_eq!(values(&response, "location"), [expected], "{status} {location}");
        assert_eq!(values(&ask(&proxy, "GET", "/photos/a", &[]), "location"), [location], "without the prefix");
    }
}

/// A stranger's object must not act as the application.
#[test]
fn objects_on_an_applications_origin_are_in_a_sandbox() {
    for (content_type, policies) in [
        ("text/html; charset=utf-8", &["default-src 'none'", "sandbox"][..]),
        ("image/svg+xml", &["default-src 'none'", "sandbox"]),
        ("application/xml", &["default-src 'none'", "sandbox"]),
        ("image/png", &["default-src 'none'"]),
        ("application/pdf", &["default-src 'none'"]),
    ] {
        let own = ("Content-Security-Policy", "default-src 'none'");
        let upstream = answering("200 OK", &[("Content-Type", content_type), own, ("X-Content-Type-Options", "other")]);
        let (_rules, proxy) = proxy(&upstream, PREFIX);
        let response = ask(&proxy, "GET", "/storage/photos/k", &[]);
        assert_eq!(values(&response, "content-security-policy"), policies, "{content_type}");
        assert_eq!(values(&response, "x-content-type-options"), ["nosniff"], "{content_type}");
    }
    let upstream = answering("404 Not Found", &[("Content-Type", "text/html")]);
    let (_rules, proxy) = proxy(&upstream, PREFIX);
    assert_eq!(values(&ask(&proxy, "GET", "/storage/photos/k", &[]), "content-security-policy"), ["sandbox"]);
}

/// nginx chooses by a path that it has decoded, normalized and merged the slashes of, and passes on the one that came.
#[test]
fn no_way_around_the_prefix_leads_out_of_the_sandbox() {
    let own =
        |setting: &str| format!("hosts: {{app.example/storage: {{upstream_host: minio}}, app.example: {{{setting}}}}}");
    for (settings, is_sandboxed) in [
        (PREFIX.to_owned(), true),
        (own(""), true),
        (own("bucket: photos"), true),
        (own("sandbox: off"), false),
        ("hosts: {app.example/storage: {sandbox: off}}".to_owned(), false),
        ("hosts: {app.example: {bucket: photos}}".to_owned(), false),
        ("hosts: {other.example/storage: {}}".to_owned(), false),
    ] {
        let upstream = answering("200 OK", &[("Content-Type", "text/html")]);
        let (_rules, proxy) = proxy(&upstream, &settings);
        for path in [
            "/photos/..%2fstorage/k",
            "//storage/photos/k",
            "/%73torage/photos/k",
            "/storage%2fphotos/k",
            "/STORAGE/photos/k",
        ] {
            let response = ask(&proxy, "GET", path, &[("Cookie", "session=1")]);
            assert_eq!(
                values(&response, "content-security-policy").contains(&"sandbox"),
                is_sandboxed,
                "{settings} {path}"
            );
            assert_eq!(
                values(&response, "x-content-type-options").contains(&"nosniff"),
                is_sandboxed,
                "{settings} {path}"
            );
            let sent = upstream.received().pop().unwrap();
            assert_eq!(sent.header("cookie").is_none(), is_sandboxed, "{settings} {path}");
        }
        // A plain path elsewhere is as without the entry.
        let response = ask(&proxy, "GET", "/photos/storage/k", &[("Cookie", "session=1")]);
        assert!(values(&response, "content-security-policy").is_empty(), "{settings}");
        assert!(upstream.received().pop().unwrap().header("cookie").is_some(), "{settings}");
    }
}

#[test]
fn no_object_becomes_a_service_worker_of_the_application() {
    for (settings, status) in [
        (PREFIX, 403),
        ("hosts: {app.example/storage: {sandbox: off}}", 200),
        ("hosts: {app.example: {sandbox: on}}", 403),
        ("hosts: {app.example: {bucket: photos}}", 200),
    ] {
        let upstream = Upstream::ok("body");
        let (_rules, proxy) = proxy(&upstream, settings);
        let response = ask(&proxy, "GET", "/storage/photos/sw.js", &[("Service-Worker", "script")]);
        assert_eq!(response.status, status, "{settings}");
        if status == 403 {
            assert!(response.text().contains("<Code>AccessDenied</Code>"));
            assert!(upstream.received().is_empty());
        }
    }
}

#[test]
fn what_is_the_applications_does_not_reach_the_storage() {
    let upstream = Upstream::ok("body");
    let (_rules, proxy) = proxy(&upstream, PREFIX);
    for (authorization, cookie_arrives, authorization_arrives) in [
        ("Bearer secret", false, false),
        ("Basic secret", false, false),
        ("AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=host, Signature=ab", false, true),
        ("AWS AK:c2ln", false, true),
        (SIGNS, true, true),
    ] {
        let headers = [("Cookie", "session=1"), ("Cookie", "more=2"), ("Authorization", authorization)];
        ask(&proxy, "GET", "/storage/photos/k", &headers);
        let elsewhere = [&[("Host", "other.example")], &headers[..]].concat();
        proxy.connect().send(request("GET", "/photos/k", &elsewhere, "")).receive();
        let received = upstream.received();
        let [.., inside, outside] = &received[..] else { panic!("{received:?}") };
        let arrives = |name| inside.headers().iter().any(|(each, _)| each.eq_ignore_ascii_case(name));
        assert_eq!(
            (arrives("cookie"), arrives("authorization")),
            (cookie_arrives, authorization_arrives),
            "{authorization}"
        );
        assert!(outside.header("cookie").is_some() && outside.header("authorization").is_some());
    }
}

#[test]
fn an_origin_that_is_not_signed_ends_here() {
    let presigned =
        "/photos/k?X-Amz-Algorithm=a&X-Amz-Credential=AK%2Fx&X-Amz-SignedHeaders=host%3Borigin&X-Amz-Signature=ab";
    for (settings, target, authorization, arrives) in [
        ("", "/photos/k", None, false),
        ("", "/photos/k", Some("AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=host, Signature=ab"), false),
        ("", "/photos/k", Some(SIGNS), true),
        ("", presigned, None, true),
        ("", "/photos/k?x=origin", None, false),
        ("upstream: {origin: drop}", "/photos/k", None, false),
        ("upstream: {origin: preserve}", "/photos/k", None, true),
    ] {
        let upstream = Upstream::ok("body");
        let (_rules, proxy) = proxy(&upstream, settings);
        let mut headers = vec![("Origin", APP)];
        headers.extend(authorization.map(|value| ("Authorization", value)));
        let response = ask(&proxy, "GET", target, &headers);
        assert_eq!(response.header("access-control-allow-origin"), Some(APP), "{settings} {target}");
        let origin = upstream.only_request().header("origin");
        assert_eq!(origin.as_deref(), arrives.then_some(APP), "{settings} {target} {authorization:?}");
    }
}

#[test]
fn a_download_that_its_reader_alone_may_keep_is_one_for_all_signatures() {
    const QUERY: &str =
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2Fx&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";
    let on = "presigned: {no_vary_search: on}";
    for (settings, method, query, status, own, cache_control, is_set) in [
        (on, "GET", QUERY, "200 OK", None, Some("private"), true),
        (on, "GET", QUERY, "206 Partial Content", None, Some("private"), true),
        (on, "GET", QUERY, "304 Not Modified", None, Some("private"), true),
        (on, "GET", QUERY, "200 OK", Some("max-age=60, private"), Some("max-age=60, private"), true),
        (on, "GET", QUERY, "200 OK", Some("public, max-age=60"), Some("public, max-age=60"), false),
        (on, "GET", QUERY, "200 OK", Some("max-age=60"), Some("max-age=60"), false),
        (on, "GET", QUERY, "200 OK", Some("no-store"), Some("no-store"), false),
        (on, "GET", QUERY, "404 Not Found", None, None, false),
        (on, "GET", "X-Amz-Signature=ab", "200 OK", None, None, false),
        (on, "GET", "versionId=1", "200 OK", None, None, false),
        (on, "PUT", QUERY, "200 OK", None, None, false),
        ("", "GET", QUERY, "200 OK", None, None, false),
    ] {
        let case = format!("{settings} {method} {query} {status} {own:?}");
        let upstream = answering(status, &own.map(|value| ("Cache-Control", value)).into_iter().collect::<Vec<_>>());
        let (_rules, proxy) = proxy(&upstream, settings);
        let response = ask(&proxy, method, &format!("/photos/k?{query}"), &[("Origin", APP)]);
        assert_eq!(response.header("cache-control"), cache_control, "{case}");
        let value = values(&response, "no-vary-search");
        assert_eq!(value.len(), usize::from(is_set), "{case}");
        for value in value {
            assert!(value.starts_with("params=(\"X-Amz-Algorithm\" ") && value.ends_with(')'), "{value}");
            for of_object in ["response-", "versionId", "partNumber"] {
                assert!(!value.contains(of_object), "{value}");
            }
        }
    }
}

/// Both drivers read a prefix alike: this one is for Pingora's, where the rest of the file runs with ours.
#[test]
fn the_query_and_the_host_of_an_absolute_target_follow_the_prefix() {
    let upstream = Upstream::ok("body");
    let driver = if is_own() { "own" } else { "pingora" };
    let (_rules, proxy) = proxy(&upstream, &format!("drivers: {driver}\n{PREFIX}"));
    ask(&proxy, "GET", "http://app.example/storage/photos/k?a=b", &[]);
    let arrived = upstream.only_request();
    assert_eq!(
        (arrived.request_line().as_str(), arrived.header("host").as_deref()),
        ("GET /photos/k?a=b HTTP/1.1", Some("minio:9000"))
    );
}
