//! The admin listener: what operators, probes and scripts ask, and nothing of CORS.

use crate::support::eventually;
use crate::support::process::configured;
use crate::support::proxy::Proxy;
use crate::support::rules::{RULES, Rules, allowing};
use crate::support::upstream::Upstream;
use serde_json::{Value, json};

const PAGES: [(&str, &str); 8] = [
    ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
    ("/healthz", "text/plain; charset=utf-8"),
    ("/readyz", "text/plain; charset=utf-8"),
    ("/status", "text/html; charset=utf-8"),
    ("/api/rules", "application/json"),
    ("/api/rejections", "application/json"),
    ("/api/explain?bucket=bucket&origin=https://app.example&method=PUT", "application/json"),
    ("/api/learn?bucket=bucket", "application/json"),
];

fn json(proxy: &Proxy, target: &str) -> Value {
    let page = proxy.ask("GET", target);
    assert_eq!(page.status, 200, "{target}: {}", page.text());
    serde_json::from_str(&page.text()).unwrap()
}

#[test]
fn every_page_is_there_for_get_and_head_and_for_no_other_method() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for (target, content_type) in PAGES {
        let page = proxy.ask("GET", target);
        assert_eq!((page.status, page.header("content-type")), (200, Some(content_type)), "{target}");
        assert!(!page.body.is_empty() && page.cors().is_empty(), "{target}: {page:?}");
        assert_eq!(page.header("cache-control"), Some("no-store"), "{target}");
        for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
            let refused = proxy.ask(method, target);
            assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")), "{method} {target}");
            assert!(refused.cors().is_empty(), "{method} {target}");
        }
    }
    let refused = proxy.ask("GET", "/-/reload");
    assert_eq!((refused.status, refused.header("allow")), (405, Some("POST")));
    let home = proxy.ask("GET", "/");
    assert_eq!((home.status, home.header("location")), (302, Some("/status")));
    assert_eq!(proxy.ask("POST", "/").status, 405);
    for target in ["/metrics/", "/api", "/-/", "/bucket/key", "//metrics"] {
        for method in ["GET", "POST"] {
            assert_eq!(proxy.ask(method, target).status, 404, "{method} {target}");
        }
    }
}

#[test]
fn head_has_the_headers_of_get_and_no_body() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for (target, content_type) in PAGES {
        let head = format!("HEAD {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let mut connection = crate::support::http::Connection::open(proxy.admin);
        connection.send(head);
        let answer = connection.receive_to("HEAD");
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(content_type)), "{target}");
        assert!(answer.header("content-length").is_some_and(|length| length != "0"), "{target}: {answer:?}");
        assert_eq!(connection.rest(), b"", "{target}: a body behind the answer to HEAD");
    }
}

#[test]
fn health_is_said_in_a_word() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    assert_eq!(proxy.ask("GET", "/healthz").text(), "ok\n");
    assert_eq!(proxy.ask("GET", "/readyz").text(), "ready\n");
    // A query, as some probes send one against caches, changes nothing.
    assert_eq!(proxy.ask("GET", "/readyz?x=1").status, 200);
}

#[test]
fn the_rules_are_shown_as_they_are_live() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    rules.write("_default.xml", allowing("https://a.example/"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let shown = json(&proxy, "/api/rules");
    assert_eq!((&shown["path"], &shown["errors"]), (&json!(rules.path()), &json!([])));
    let [default, bucket] = shown["buckets"].as_array().unwrap().as_slice() else { panic!("{shown:#}") };
    assert_eq!((&default["bucket"], &bucket["bucket"]), (&json!("_default"), &json!("bucket")));
    assert_eq!(bucket["file"], json!(rules.file("bucket.xml")));
    assert_eq!(bucket["configuration"]["CORSRules"][0]["ID"], "app");
    assert_eq!(bucket["configuration"]["CORSRules"][0]["AllowedMethods"], json!(["GET", "HEAD", "PUT"]));
    let warnings = default["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "an origin with a slash at its end never comes: {warnings:?}");
}

#[test]
fn who_is_turned_away_is_shown_most_often_first_and_escaped() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let hostile = "https://<script>alert('1')</script>&\".example";
    proxy.preflight("/bucket/k", hostile, "GET");
    for _ in 0..2 {
        proxy.preflight("/bucket/k", "https://evil.example", "GET");
    }
    let shown = eventually("all are counted", || Some(json(&proxy, "/api/rejections")).filter(|now| now["total"] == 3));
    let mut rows = shown["rejections"].as_array().unwrap().clone();
    for row in &mut rows {
        let row = row.as_object_mut().unwrap();
        let seen = ["first_seen", "last_seen"].map(|name| row.remove(name).unwrap());
        assert!(seen.iter().all(|seen| seen.as_str().unwrap().ends_with('Z')), "{seen:?}");
        assert_eq!(row.remove("request_id").unwrap().as_str().unwrap().len(), 16);
    }
    let row = |origin: &str, count| {
        json!({
            "bucket": "bucket", "origin": origin, "kind": "preflight", "method": "GET", "reason": "origin", "detail": origin,
            "count": count, "error": 0,
        })
    };
    // CORS has no part in a request of the same origin, so it is not rejected.
    let same_origin = [("Origin", "https://s3.example"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(proxy.fetch("PUT", "/bucket/k", &same_origin).status, 200);
    let series = "s3cors_decisions_total{bucket=\"bucket\",kind=\"actual\",outcome=\"same_origin\",reason=\"none\"}";
    eventually("it is counted", || (proxy.metric(series) == Some(1.0)).then_some(()));
    assert_eq!(json(&proxy, "/api/rejections")["total"], 3);
    assert_eq!(rows, [row("https://evil.example", 2), row(hostile, 1)]);
    for (query, total, rows) in [("limit=1", 3, 1), ("bucket=bucket", 3, 2), ("bucket=none", 0, 0), ("limit=0", 3, 0)] {
        let chosen = json(&proxy, &format!("/api/rejections?{query}"));
        assert_eq!(
            (&chosen["total"], chosen["rejections"].as_array().unwrap().len()),
            (&json!(total), rows),
            "{query}"
        );
    }
    assert_eq!(proxy.ask("GET", "/api/rejections?limit=all").status, 400);
    let page = proxy.ask("GET", "/status").text();
    assert!(page.contains("https://evil.example") && page.contains("bucket.xml"), "{page}");
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script"), "{page}");
    assert!(page.contains("<strong>ready</strong>"), "{page}");
}

#[test]
fn explain_says_what_a_request_would_get_and_why() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let ask = |query: &str| json(&proxy, &format!("/api/explain?{query}"));
    let granted =
        ask("bucket=bucket&origin=https%3A%2F%2Fapp.example&method=PUT&request_headers=Content-Type,x-amz-acl");
    assert_eq!((&granted["allowed"], &granted["rule"], &granted["status"]), (&json!(true), &json!(1), &json!(200)));
    assert_eq!(granted["response_headers"]["access-control-allow-headers"], "content-type, x-amz-acl");
    // What explain says is what a preflight gets.
    let headers = [
        ("Origin", "https://app.example"),
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "Content-Type,x-amz-acl"),
    ];
    for (name, value) in proxy.fetch("OPTIONS", "/bucket/key", &headers).cors() {
        assert_eq!(granted["response_headers"][&name], value, "{name}");
    }
    for (query, outcome, reason) in [
        ("bucket=bucket&origin=https://evil.example&method=PUT", "denied", "origin"),
        ("bucket=bucket&origin=https://app.example&method=DELETE", "denied", "method"),
        ("bucket=bucket&origin=https://app.example&method=PUT&request_headers=x-other", "denied", "header"),
        ("bucket=bucket&origin=https://app.example&method=patch", "denied", "malformed"),
        ("bucket=none&origin=https://app.example&method=PUT", "no_rules", "no_rules"),
        ("origin=https://app.example&method=PUT", "no_rules", "no_rules"),
    ] {
        let denied = ask(query);
        assert_eq!((&denied["outcome"], &denied["reason"]), (&json!(outcome), &json!(reason)), "{query}: {denied:#}");
        assert_eq!(denied["allowed"], false, "{query}");
    }
    for query in ["", "origin=https://app.example", "method=PUT", "origin=a%0Ab&method=PUT"] {
        assert_eq!(proxy.ask("GET", &format!("/api/explain?{query}")).status, 400, "{query:?}");
    }
}

#[test]
fn explain_says_what_a_browser_does_with_the_response() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    rules.write("public.xml", allowing("*"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let app = "origin=https://app.example&method=GET&bucket";
    for (query, allowed, verdict, cause) in [
        (format!("{app}=bucket"), true, "reads", None),
        (format!("{app}=public&credentials=include"), true, "sent_and_blocked", Some("any_origin_with_credentials")),
        (format!("{app}=public&header=Range:%20bytes%3D0-1"), true, "reads", None),
        (format!("{app}=public&header=Range:%20bytes%3D-1"), false, "blocked", Some("not_allowed")),
        (format!("{app}=public&redirect=https://other.example/bucket"), true, "sent_and_blocked", Some("not_allowed")),
        (format!("{app}=bucket&redirect=https://other.example/public"), true, "reads", None),
        (format!("{app}=none&mode=no-cors"), false, "opaque", None),
        (format!("{app}=none&target=https://app.example"), false, "reads", None),
        ("origin=https://app.example&method=TRACE&bucket=bucket".into(), false, "throws", None),
    ] {
        let explained = json(&proxy, &format!("/api/explain?{query}"));
        let browser = &explained["browser"];
        let seen = (&explained["allowed"], &browser["verdict"], &browser["cause"]);
        assert_eq!(seen, (&json!(allowed), &json!(verdict), &json!(cause)), "{query}: {explained:#}");
    }
    let read = json(&proxy, &format!("/api/explain?{app}=public&read=ETag,content-type"));
    assert_eq!(read["browser"]["readable"], json!({ "ETag": false, "content-type": true }), "{read:#}");
    assert_eq!(json(&proxy, "/api/explain?origin=a&method=GET")["browser"], Value::Null, "no browser sends it");
    assert_eq!(proxy.ask("GET", &format!("/api/explain?{app}=bucket&mode=all")).status, 400);
}

#[test]
fn a_denial_is_explained_by_the_request_id_that_its_response_has() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = configured(rules.path(), upstream.address, "observe: {recent: 2}\n");
    let ask = |id: &str| proxy.ask("GET", &format!("/api/explain?request_id={id}"));
    let headers = [
        ("Origin", "https://app.example"),
        ("Access-Control-Request-Method", "PUT"),
        ("Access-Control-Request-Headers", "content-type,x-other"),
    ];
    let denied = proxy.fetch("OPTIONS", "/bucket/a/key?X-Amz-Signature=5ECRET", &headers);
    let id = denied.header("x-amz-request-id").unwrap().to_owned();
    let page = eventually("it is kept", || Some(ask(&id)).filter(|page| page.status == 200)).text();
    assert!(!page.contains("5ECRET"), "{page}");
    let explained: Value = serde_json::from_str(&page).unwrap();
    for (name, value) in [
        ("allowed", json!(false)),
        ("reason", json!("header")),
        ("detail", json!("x-other")),
        ("bucket", json!("bucket")),
        ("method", json!("PUT")),
        ("nearest_rule", json!(1)),
        ("change", json!(["add <AllowedHeader>x-other</AllowedHeader>"])),
    ] {
        assert_eq!(explained[name], value, "{name}: {explained:#}");
    }
    let then = &explained["denial"];
    for (name, value) in [
        ("request_id", json!(id)),
        ("kind", json!("preflight")),
        ("path", json!("/bucket/a/key")),
        ("origin", json!("https://app.example")),
        ("request_headers", json!("content-type,x-other")),
        ("is_whole", json!(true)),
        ("reason", json!("header")),
        ("detail", json!("x-other")),
    ] {
        assert_eq!(then[name], value, "{name}: {then:#}");
    }
    // A request that the rules now allow, and what was decided then.
    rules.write("bucket.xml", RULES.replace(">x-amz-*<", ">*<"));
    assert_eq!(proxy.ask("POST", "/-/reload").status, 200);
    let explained: Value = serde_json::from_str(&ask(&id).text()).unwrap();
    assert_eq!((&explained["allowed"], &explained["denial"]["reason"]), (&json!(true), &json!("header")));
    // Two later ones take its place.
    for _ in 0..2 {
        proxy.preflight("/bucket/k", "https://evil.example", "GET");
    }
    let gone = eventually("it is gone", || Some(ask(&id)).filter(|page| page.status == 404)).text();
    assert!(gone.contains("the last 2 denials"), "{gone}");
}

#[test]
fn requests_to_buckets_without_rules_are_rejections_that_are_explained_and_learned() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let page = |path: &str| serde_json::from_str::<Value>(&proxy.ask("GET", path).text()).unwrap();
    let denied = proxy.preflight("/Bucket/key", "https://app.example", "PUT");
    assert_eq!(denied.status, 403);
    let origin = ("Origin", "https://app.example");
    assert_eq!(proxy.fetch("GET", "/Bucket/key", &[origin]).status, 200);
    // CORS has no part in these.
    assert_eq!(proxy.fetch("GET", "/Bucket/key", &[]).status, 200);
    assert_eq!(proxy.fetch("PUT", "/Bucket/key", &[origin, ("Sec-Fetch-Site", "same-origin")]).status, 200);
    let shown =
        eventually("both are counted", || Some(page("/api/rejections?bucket=Bucket")).filter(|now| now["total"] == 2));
    let rows = shown["rejections"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{shown:#}");
    for row in rows {
        assert_eq!((&row["bucket"], &row["reason"]), (&json!("Bucket"), &json!("no_rules")), "{shown:#}");
    }
    assert_eq!(page("/api/rejections")["total"], 2);
    let explained = page(&format!("/api/explain?request_id={}", denied.header("x-amz-request-id").unwrap()));
    assert_eq!((&explained["reason"], &explained["denial"]["bucket"]), (&json!("no_rules"), &json!("Bucket")));
    assert_eq!(explained["proposal"]["json"]["CORSRules"][0]["AllowedMethods"], json!(["PUT"]));
    assert_eq!(explained["without_rules"]["file"], json!(rules.file("Bucket.xml")));
    assert_eq!(explained["without_rules"]["near"], "bucket");
    for path in ["/api/learn?bucket=Bucket", "/api/learn"] {
        let learned = page(path);
        let learned = if learned["buckets"].is_array() { &learned["buckets"][0] } else { &learned };
        assert_eq!(learned["bucket"], "Bucket", "{path}");
        assert_eq!(
            learned["configuration"]["CORSRules"][0]["AllowedOrigins"],
            json!(["https://app.example"]),
            "{path}"
        );
    }
    let status = proxy.ask("GET", "/status").text();
    assert!(!status.contains("No request was rejected") && status.contains("The bucket has no CORS rules"), "{status}");
    assert!(status.contains("the bucket bucket has rules; did you mean that one?"), "{status}");
    // The metric counts what rules deny.
    let series = "s3cors_rejected_origins_total";
    let metrics = proxy.ask("GET", "/metrics").text();
    assert!(!metrics.lines().any(|line| line.starts_with(series) && !line.ends_with(" 0")), "{metrics}");
    // The log says where the rules would be.
    let line =
        proxy.log().into_iter().find(|line| line["message"] == "a page asks for a bucket that has no rules").unwrap();
    assert_eq!((&line["bucket"], &line["near"]), (&json!("Bucket"), &json!("bucket")), "{line}");
    assert_eq!(line["file"], json!(rules.file("Bucket.xml")), "{line}");
}

#[test]
fn a_denial_that_went_on_is_found_by_the_id_that_the_upstream_gave_it() {
    let rules = Rules::usual();
    let upstream =
        Upstream::answering("HTTP/1.1 200 OK\r\nx-amz-request-id: 17A1B2C3D4E5F607\r\nContent-Length: 0\r\n\r\n");
    // Also where nothing else wants to know it.
    let proxy = configured(rules.path(), upstream.address, "log: {access: false}\n");
    let denied = proxy.fetch("GET", "/bucket/key", &[("Origin", "https://evil.example")]);
    assert_eq!((denied.status, denied.header("x-amz-request-id")), (200, Some("17A1B2C3D4E5F607")));
    let ask = |id: &str| proxy.ask("GET", &format!("/api/explain?request_id={id}"));
    let page = eventually("it is kept", || Some(ask("17A1B2C3D4E5F607")).filter(|page| page.status == 200)).text();
    let then = &serde_json::from_str::<Value>(&page).unwrap()["denial"];
    assert_eq!((&then["kind"], &then["upstream_request_id"]), (&json!("actual"), &json!("17A1B2C3D4E5F607")));
    let own = then["request_id"].as_str().unwrap();
    let text = ask(&format!("{own}&format=text")).text();
    assert!(text.starts_with(&format!("{own} (to the upstream 17A1B2C3D4E5F607) was denied at ")), "{text}");
}

#[test]
fn a_reload_on_demand_says_what_came_of_it() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let file = crate::support::process::ConfigFile::new("rules: {poll: 1h}\n");
    let url = format!("http://{}", upstream.address);
    let proxy = Proxy::start_with(rules.path(), &url, &["--config", &file.argument()]);
    let reload = || {
        let page = proxy.ask("POST", "/-/reload");
        (page.status, serde_json::from_str::<Value>(&page.text()).unwrap())
    };
    assert_eq!(reload(), (200, json!({ "result": "unchanged", "changed": [], "errors": [] })));
    // Said in other words it is still the same.
    rules.write("bucket.xml", RULES.replace("<CORSRule>", "<!-- a rule -->\n<CORSRule>"));
    assert_eq!(reload(), (200, json!({ "result": "unchanged", "changed": [], "errors": [] })));
    rules.write("bucket.xml", "<CORSConfiguration/>");
    let (status, report) = reload();
    assert_eq!((status, &report["result"], &report["changed"]), (422, &json!("rejected"), &json!([])));
    assert_eq!(report["errors"][0]["file"], json!(rules.file("bucket.xml")));
    assert!(report["errors"][0]["message"].as_str().unwrap().contains("bucket.xml:1:1: MalformedXML"), "{report:#}");
}
