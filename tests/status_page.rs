//! `/status`: what it shows to people, and that it stays a page, whatever others send.

use crate::support::eventually;
use crate::support::http::Response;
use crate::support::process::configured;
use crate::support::proxy::Proxy;
use crate::support::rules::{RULES, Rules, allowing};
use crate::support::upstream::Upstream;
use s3_cors::{CorsConfiguration, CorsRule, Document, Format};

/// The largest page, in bytes.
const LARGEST: usize = 200_000;
/// A text that would be part of the page if one place forgot to escape it.
const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&";
const HOSTILE_ENCODED: &str = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%3Cimg%20src=x%20onerror=alert(2)%3E'%26";

fn page(proxy: &Proxy, query: &str) -> Response {
    let page = proxy.ask("GET", &format!("/status{query}"));
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")), "{query}");
    page
}

/// The text of a page, without tags: what people read.
fn text(page: &Response) -> String {
    let html = page.text();
    let (_, body) = html.split_once("<body>").unwrap();
    let mut text = String::new();
    for part in body.split('<') {
        text.push_str(part.split_once('>').map_or("", |(_, after)| after));
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// The tags of a page, by name: a foreign text that is one would be among them.
fn has_foreign_tags(page: &Response) -> bool {
    let html = page.text();
    let (_, body) = html.split_once("<body>").unwrap();
    ["<script", "<img", "<iframe", "<svg", " onerror=\"", "=\"javascript:"].iter().any(|tag| body.contains(tag))
}

#[test]
fn a_browser_may_do_nothing_with_the_page_but_show_it_and_send_its_forms() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let page = page(&proxy, "");
    let policy = page.header("content-security-policy").unwrap();
    let (style, others): (Vec<_>, Vec<_>) = policy.split("; ").partition(|part| part.starts_with("style-src "));
    assert_eq!(others, ["default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"]);
    assert!(matches!(style.as_slice(), [style] if style.starts_with("style-src 'sha256-")), "{style:?}");
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let html = page.text();
    for asset in ["<script", "<link", "<img", " src=", " style=", "@import", "url("] {
        assert!(!html.contains(asset), "{asset}");
    }
    // The JSON and the metrics are shown with nothing at all.
    for target in ["/api/rules", "/metrics", "/nothing"] {
        let policy = proxy.ask("GET", target).header("content-security-policy").unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("style-src"), "{target}: {policy}");
    }
}

#[test]
fn it_shows_rules_with_hits_warnings_errors_notes_and_upstreams() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    rules.write("_default.xml", allowing("https://a.example/"));
    rules.write("notes.txt", "");
    let proxy = Proxy::start(rules.path(), upstream.address);
    for _ in 0..3 {
        assert_eq!(proxy.preflight("/bucket/k", "https://app.example", "PUT").status, 200);
    }
    eventually("they are counted", || text(&page(&proxy, "")).contains("content-type3").then_some(()));
    rules.write("bucket.xml", RULES.replace("</CORSConfiguration>", "<Oops/></CORSConfiguration>"));
    let reload = proxy.ask("POST", "/-/reload");
    assert_eq!(reload.status, 422);
    let page = page(&proxy, "");
    let text = text(&page);
    for shown in [
        "ready",
        "rejected at ",
        "2 buckets have rules",
        // The most used comes first.
        &format!("bucket from {}", rules.file("bucket.xml").display()),
        "1 app",
        "https://app.example",
        "GET, HEAD, PUT",
        "x-amz-*, content-type3",
        "Warning: 1:30: OriginNeverMatches",
        // The error with its place, and the last good rules are still there.
        "Not everything is live.",
        &format!("{}:1:464: MalformedXML", rules.file("bucket.xml").display()),
        "its name does not end in .xml or .json",
        &format!("http://{}", upstream.address),
        &upstream.address.to_string(),
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let places = ["bucket from ", "_default from "].map(|bucket| text.find(bucket).unwrap());
    assert!(places[0] < places[1], "{text}");
}

#[test]
fn a_rejection_says_why_in_words_and_what_would_allow_it() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = configured(rules.path(), upstream.address, "observe: {recent: 4}\n");
    let preflight = |origin: &str, method: &str, headers: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", method),
            ("Access-Control-Request-Headers", headers),
        ];
        proxy.fetch("OPTIONS", "/bucket/a/key", &headers).header("x-amz-request-id").unwrap().to_owned()
    };
    preflight("https://evil.example", "GET", "content-type");
    preflight("https://app.example", "DELETE", "content-type");
    preflight("https://app.example", "PUT", "content-type,x-one,x-two");
    let id = preflight("https://x.preview.example", "GET", "x-one");
    let says = |what: &str| eventually(what, || text(&page(&proxy, "")).contains(what).then_some(()));
    says("No rule allows the origin https://evil.example: rule ");
    says("Rule 1 (app) allows the origin, but not the method DELETE.");
    says("Rule 1 (app) allows the origin and the method, but not the headers x-one, x-two.");
    says("Rule 2 allows the origin and the method, but not the header x-one.");
    // What would allow it is there as a rule, and so is what it means.
    says("The rule that would allow it");
    says("<AllowedMethod>DELETE</AllowedMethod>");
    says("<AllowedHeader>x-two</AllowedHeader>");
    // The request id leads to its explanation.
    assert!(page(&proxy, "").text().contains(&format!("href=\"status?request_id={id}#answer\"")));
    let answer = text(&page(&proxy, &format!("?request_id={id}")));
    assert!(answer.contains(&format!("The request {id}, preflight for /bucket/a/key, was denied at ")), "{answer}");
    assert!(answer.contains("Denied: GET from https://x.preview.example to the bucket bucket"), "{answer}");
    // The reasons are those of the live rules.
    rules.write("bucket.xml", RULES.replace("https://app.example", "https://evil.example").replace(">x-amz-*<", ">*<"));
    assert_eq!(proxy.ask("POST", "/-/reload").status, 200);
    says("Refused for its origin https://evil.example. Now allowed: Rule 1 allows it.");
}

#[test]
fn one_rule_is_proposed_for_all_requests_of_a_row() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for names in ["content-type,x-one", "x-two", "x-one"] {
        let headers = [
            ("Origin", "https://evil.example"),
            ("Access-Control-Request-Method", "PUT"),
            ("Access-Control-Request-Headers", names),
        ];
        assert_eq!(proxy.fetch("OPTIONS", "/bucket/key", &headers).status, 403);
    }
    let shown = eventually("all are counted", || {
        let text = text(&page(&proxy, ""));
        text.contains("Together, those that are still kept ask for content-type, x-one, x-two.").then_some(text)
    });
    for name in ["content-type", "x-one", "x-two"] {
        assert!(shown.contains(&format!("<AllowedHeader>{name}</AllowedHeader>")), "{name}: {shown}");
    }
}

/// A page that sends more than one request is repaired with one document.
#[test]
fn one_change_is_proposed_for_all_that_an_origin_was_refused() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let origin = "https://mine.example";
    assert_eq!(proxy.preflight("/bucket/key", origin, "PUT").status, 403);
    let alone = page(&proxy, &format!("?bucket=bucket&origin={origin}&method=PUT"));
    assert!(!text(&alone).contains("all that this origin was refused"), "one request is all");
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[("Origin", origin)]).status, 200);
    let id = proxy.preflight("/bucket/key", origin, "PUT").header("x-amz-request-id").unwrap().to_owned();
    // Another page's, and one that no rule can allow.
    proxy.preflight("/bucket/key", "https://stranger.example", "DELETE");
    proxy.preflight("/bucket/key", origin, "PATCH");
    for query in [format!("?bucket=bucket&origin={origin}&method=PUT"), format!("?request_id={id}")] {
        let shown = eventually("both are counted", || {
            let text = text(&page(&proxy, &query));
            text.contains("The rule that would allow all that this origin was refused: GET, PUT").then_some(text)
        });
        let (_, whole) = shown.split_once("The whole document with all of it").unwrap();
        let end = whole.find("</CORSConfiguration>").unwrap() + "</CORSConfiguration>".len();
        rules.write("bucket.xml", &whole[..end]);
        let document = Document::parse(&whole.as_bytes()[..end], Format::Xml).unwrap();
        assert!(!whole[..end].contains("stranger") && !whole[..end].contains("PATCH"), "{whole}");
        let of_origin = |rule: &CorsRule| rule.allowed_origins().iter().any(|own| own.as_str() == origin);
        let new = document.configuration().rules().iter().filter(|rule| of_origin(rule)).cloned().collect();
        let new = CorsConfiguration::new(new).unwrap().to_xml().unwrap();
        assert_eq!(Document::parse(new.as_bytes(), Format::Xml).unwrap().warnings(), [], "{new}");
    }
    eventually("the page works", || (proxy.preflight("/bucket/key", origin, "PUT").status == 200).then_some(()));
    let read = proxy.fetch("GET", "/bucket/key", &[("Origin", origin)]);
    assert_eq!(read.header("access-control-allow-origin"), Some(origin));
    let shown = text(&page(&proxy, &format!("?bucket=bucket&origin={origin}&method=DELETE")));
    assert!(!shown.contains("all that this origin was refused"), "what is allowed now is no longer refused");
}

#[test]
fn the_form_explains_a_request_and_says_what_is_wrong_with_what_was_asked() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let long = "x".repeat(1025);
    for (query, says) in [
        (
            "bucket=bucket&origin=https://app.example&method=PUT&request_headers=x-amz-acl",
            "Allowed: PUT from https://app.example",
        ),
        ("bucket=bucket&origin=https://app.example&method=PUT", "access-control-allow-originhttps://app.example"),
        (
            "bucket=bucket&origin=https://evil.example&method=PUT",
            "No rule allows the origin https://evil.example: rule ",
        ),
        ("bucket=bucket&origin=https://app.example&method=DELETE", "1 appyesnoyes"),
        ("bucket=bucket&origin=http://app.example&method=PUT", "the page's scheme is http"),
        ("bucket=bucket&origin=https://app.example&method=DELETE", "The whole document with that rule<?xml"),
        ("bucket=bucket&origin=https://app.example&method=PATCH", "PATCH"),
        ("bucket=bucket&origin=https://app.example&method=put", "Allowed: PUT from"),
        ("bucket=bucket&origin=https://app.example&method=patch", "It is no CORS request that a browser sends."),
        ("bucket=none&origin=https://app.example&method=PUT", "The bucket has no CORS rules"),
        ("bucket=bucket&origin=https://evil.example&method=PUT", "in the browser: the request is not sent"),
        // A field that was left empty is not asked about.
        (
            "bucket=&origin=https://app.example&method=PUT&request_headers=",
            "to such a request: https://app.example without a bucket",
        ),
        ("origin=&method=PUT", "Origin of the page is missing"),
        ("origin=https://app.example", "Method is missing"),
        ("request_id=", "Origin of the page is missing"),
        ("request_id=0000000000000000", "There is no request with this id among the last 10000 denials"),
        ("origin=a%0Ab&method=PUT", "cannot be sent in a header"),
        (&format!("origin={long}&method=PUT"), "Origin of the page is too long"),
    ] {
        let says = says.replace("to such a request: https://app.example", "Denied: PUT from https://app.example");
        let answer = text(&page(&proxy, &format!("?{query}")));
        let (_, answer) = answer.split_once("Answer").unwrap_or_else(|| panic!("{query}: {answer}"));
        assert!(answer.contains(&says), "{query}: {answer}");
    }
    let filled = page(&proxy, "?bucket=bucket&origin=https://app.example&method=PUT").text();
    for value in [
        "name=\"origin\" value=\"https://app.example\"",
        "name=\"method\" value=\"PUT\"",
        "name=\"bucket\" value=\"bucket\"",
    ] {
        assert!(filled.contains(value), "{value}: {filled}");
    }
    for nothing in ["", "?", "?x=1"] {
        assert!(!text(&page(&proxy, nothing)).contains("Answer"), "{nothing:?}");
    }
}

#[test]
fn a_foreign_text_is_shown_and_never_part_of_the_page() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok(""));
    let id = HOSTILE.replace('&', "&amp;").replace('<', "&lt;");
    rules.write("bucket.xml", RULES.replace("<ID>app</ID>", &format!("<ID>{id}</ID>")));
    rules.write("<script>.txt", "");
    rules.write("<img src=x>.xml", allowing("https://a.example"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    rules.write("other.xml", "<script>alert(1)</script>");
    assert_eq!(proxy.ask("POST", "/-/reload").status, 422);
    for (origin, method, names) in [
        (HOSTILE, "GET", "x-a"),
        ("javascript:alert(1)", "GET", "x-a"),
        ("https://app.example", HOSTILE, "x-a"),
        ("https://app.example", "GET", HOSTILE),
    ] {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", method),
            ("Access-Control-Request-Headers", names),
            ("Host", "<script>"),
            ("x-amz-request-id", HOSTILE),
        ];
        assert_ne!(proxy.fetch("OPTIONS", "/bucket/<script>", &headers).status, 200);
        assert_ne!(proxy.fetch("OPTIONS", &format!("/bucket/{HOSTILE_ENCODED}"), &headers[..3]).status, 200);
    }
    let shown = eventually("all are counted", || {
        let page = page(&proxy, "");
        (page.text().matches("href=\"status?request_id=").count() >= 3).then_some(page)
    });
    assert!(!has_foreign_tags(&shown), "{}", shown.text());
    let shown = text(&shown);
    for says in [HOSTILE, "<script>.txt", "<img src=x>.xml"] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    for field in ["origin", "method", "bucket", "request_headers", "request_id", "x"] {
        let query = format!("?origin=o&method=m&{field}={HOSTILE_ENCODED}&{HOSTILE_ENCODED}={HOSTILE_ENCODED}");
        let answer = page(&proxy, &query);
        assert!(!has_foreign_tags(&answer), "{field}: {}", answer.text());
    }
}

#[test]
fn the_page_is_bounded_whatever_there_is_to_show() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok(""));
    let many: String = (0..20)
        .map(|n| {
            format!(
                "<CORSRule><ID>{}</ID><AllowedOrigin>https://{}{n}.example/</AllowedOrigin><AllowedMethod>PUT</AllowedMethod></CORSRule>",
                "&amp;".repeat(300),
                "a".repeat(300)
            )
        })
        .collect();
    for n in 0..2_000 {
        let text = if n % 100 == 0 {
            format!("<CORSConfiguration>{many}</CORSConfiguration>")
        } else {
            allowing("https://a.example")
        };
        rules.write(&format!("bucket-{n:04}.xml"), text);
        rules.write(&format!("passed-over-{n}-{}.txt", "&".repeat(100)), "");
    }
    let proxy = Proxy::start(rules.path(), upstream.address);
    for n in 0..60 {
        rules.write(&format!("bad-{n}.xml"), "<CORSConfiguration><Oops/><Oops/></CORSConfiguration>");
        proxy.preflight("/bucket-0000/k", &format!("https://{}{n}", "\"".repeat(290)), "PUT");
    }
    assert_eq!(proxy.ask("POST", "/-/reload").status, 422);
    let longest = format!("https://{}", "%22".repeat(1_000));
    let query = format!("?bucket=bucket-0000&origin={longest}&method=PUT&request_headers={}", "%22".repeat(1_000));
    let page = page(&proxy, &query);
    assert!(page.body.len() < LARGEST, "{} bytes", page.body.len());
    let text = text(&page);
    for place in ["/api/rules", "/api/rejections"] {
        assert!(text.contains(&format!(" more: {place}")), "{place}");
    }
    println!("the page with 2,000 buckets has {} bytes", page.body.len());
}
