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
    let own = "<svg class=\"picture\"";
    let body = body.replace(own, "");
    ["<script", "<img", "<iframe", "<svg", " onerror=\"", " onload=\"", "=\"javascript:"]
        .iter()
        .any(|tag| body.contains(tag))
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
        "3 rules, not all valid",
        "1 of 1 up",
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

/// The words and the colour of a cell of the strip.
fn tile(page: &Response, name: &str) -> (String, String) {
    let html = page.text();
    let (before, after) =
        html.split_once(&format!("<dt>{name}</dt><dd><strong>")).unwrap_or_else(|| panic!("{name}: {html}"));
    let (_, tone) = before.rsplit_once("class=\"tile ").unwrap();
    (after.split_once("</strong>").unwrap().0.to_owned(), tone.split_once('"').unwrap().0.to_owned())
}

/// The heights of the bars of an outcome, in the units of the picture: one for each minute that has some.
fn bars(page: &Response, class: &str) -> Vec<f64> {
    let html = page.text();
    let (_, path) =
        html.split_once(&format!("<path class=\"{class}\" d=\"")).unwrap_or_else(|| panic!("{class}: {html}"));
    let (path, _) = path.split_once('"').unwrap();
    path.split('v').skip(1).map(|bar| bar.split_once('h').unwrap().0.parse().unwrap()).collect()
}

#[test]
fn the_strip_says_how_it_is_in_words_and_colours() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let is = |name: &str, word: &str, tone: &str| {
        eventually(&format!("{name} is {word}"), || {
            (tile(&page(&proxy, ""), name) == (word.to_owned(), tone.to_owned())).then_some(())
        });
    };
    // No one knows yet whether the upstream is there: that is not green.
    is("State", "ready", "neutral");
    is("Upstreams", "1 of 1 up", "neutral");
    is("Rules", "2 rules", "good");
    is("Rejected", "none", "good");
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).status, 200);
    is("State", "ready", "good");
    is("Upstreams", "1 of 1 up", "good");
    for _ in 0..3 {
        proxy.preflight("/bucket/key", "https://evil.example", "PUT");
    }
    proxy.preflight("/none/key", "https://evil.example", "PUT");
    is("Rejected", "4", "warn");
    rules.write("bad.xml", "<Oops/>");
    assert_eq!(proxy.ask("POST", "/-/reload").status, 422);
    is("Rules", "2 rules, not all valid", "bad");
    let address = upstream.kill();
    eventually("the upstream cannot be connected to", || {
        (proxy.fetch("GET", "/bucket/key", &[]).status != 200).then_some(())
    });
    is("State", "upstream down", "bad");
    is("Upstreams", "0 of 1 up", "bad");
    let page = page(&proxy, "");
    assert!(page.text().contains("<title>s3cors: upstream down</title>"), "{}", page.text());
    assert!(text(&page).contains(&format!("Down: http://{address}")), "{}", text(&page));
    // Readiness is about the process: it is asked by what would take it out of service.
    assert_eq!((proxy.ask("GET", "/readyz").status, proxy.ask("GET", "/readyz").text()), (200, "ready\n".into()));
}

#[test]
fn the_last_hour_is_drawn_before_any_request_and_after_each() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let empty = page(&proxy, "");
    for class in ["allowed", "denied", "no-rules", "same-origin"] {
        assert!(bars(&empty, class).is_empty(), "{class}");
    }
    for picture in ["decisions", "durations"] {
        let html = empty.text();
        let svg = format!("role=\"img\" aria-labelledby=\"{picture}-title\" aria-describedby=\"{picture}-summary\"");
        assert!(html.contains(&svg) && html.contains(&format!("<caption id=\"{picture}-table\">")), "{html}");
    }
    let origin = [("Origin", "https://app.example")];
    for _ in 0..6 {
        proxy.preflight("/bucket/key", "https://app.example", "PUT");
    }
    proxy.fetch("GET", "/bucket/key", &origin);
    proxy.preflight("/bucket/key", "https://evil.example", "PUT");
    proxy.fetch("GET", "/bucket/key", &[("Origin", "https://evil.example")]);
    proxy.preflight("/none/key", "https://app.example", "PUT");
    proxy.fetch("GET", "/bucket/key", &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")]);
    let says = "In the last hour: allowed 7, denied 2, no rules 1, same origin 1.";
    let drawn = eventually(says, || Some(page(&proxy, "")).filter(|page| page.text().contains(says)));
    // They may have come in two minutes.
    let tall = ["allowed", "denied", "no-rules", "same-origin"].map(|class| bars(&drawn, class).iter().sum::<f64>());
    assert!(tall[0] > tall[1] && tall[1] > tall[2] && tall[2] > 0.0 && tall[3] > 0.0, "{tall:?}");
    assert!(text(&drawn).contains("All7211"), "{}", text(&drawn));
    let times = text(&drawn);
    let (_, times) = times.split_once("Response timesIn the last hour, of 11 requests: 95th percentile ").unwrap();
    assert!(times.contains("median ") && !times.contains("median none"), "{times}");
    // A bucket that goes takes nothing of the picture away.
    std::fs::remove_file(rules.file("bucket.xml")).unwrap();
    assert_eq!(proxy.ask("POST", "/-/reload").status, 200);
    assert!(page(&proxy, "").text().contains(says));
}

#[test]
fn it_loads_itself_again_as_often_as_the_query_says() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for (query, seconds) in [
        ("", None),
        ("?refresh=10", Some("10")),
        ("?refresh=5", Some("5")),
        ("?refresh=3600", Some("3600")),
        ("?refresh=4", None),
        ("?refresh=3601", None),
        ("?refresh=0", None),
        ("?refresh=10;url=https://evil.example", None),
        ("?refresh=%22%3E%3Cscript%3E", None),
        ("?origin=https://app.example&method=PUT&refresh=60", Some("60")),
    ] {
        let page = page(&proxy, query);
        assert_eq!(page.header("refresh"), seconds, "{query}");
        let (on, off) = ("href=\"status?refresh=10\"", "href=\"status\"");
        let (expected, other) = if seconds.is_some() { (off, on) } else { (on, off) };
        assert!(page.text().contains(expected) && !page.text().contains(other), "{query}");
        assert!(!page.text().contains("http-equiv") && !has_foreign_tags(&page), "{query}");
    }
    // No other page does.
    for target in ["/metrics?refresh=10", "/api/rules?refresh=10", "/readyz?refresh=10", "/?refresh=10"] {
        assert_eq!(proxy.ask("GET", target).header("refresh"), None, "{target}");
    }
    let head = proxy.ask("HEAD", "/status?refresh=10");
    assert_eq!((head.status, head.header("refresh"), head.body.len()), (200, Some("10"), 0));
    let length: usize = head.header("content-length").unwrap().parse().unwrap();
    assert!(length > 5_000, "{length}");
}

#[test]
fn a_rejection_is_a_card_with_its_fix_and_its_age() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    assert!(text(&page(&proxy, "")).contains("No request was rejected."));
    proxy.preflight("/bucket/key", "https://evil.example", "PUT");
    let shown = eventually("it is counted", || {
        Some(page(&proxy, "")).filter(|page| page.text().contains("<li class=\"panel card\">"))
    });
    let html = shown.text();
    let (_, card) = html.split_once("<li class=\"panel card\">").unwrap();
    let (card, _) = card.split_once("</li></ol>").unwrap();
    assert!(card.contains("<time datetime=\"20") && card.contains("just now"), "{card}");
    assert!(card.contains("class=\"copied\"") && card.contains("&lt;CORSRule&gt;"), "{card}");
    let places: Vec<_> =
        ["id=\"state\"", "id=\"hour\"", "id=\"rejections\"", "id=\"explain\"", "id=\"rules\"", "id=\"upstreams\""]
            .iter()
            .map(|section| html.find(section).unwrap_or_else(|| panic!("{section}")))
            .collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(!html.contains("id=\"shadow\""), "there are no shadow rules");
    assert_eq!(html.matches("<form ").count(), 1);
    let fields = ["request_id", "origin", "method", "bucket", "request_headers"]
        .map(|name| html.find(&format!("<input type=\"text\" id=\"{name}\"")).unwrap());
    assert!(fields.is_sorted(), "{fields:?}");
}
