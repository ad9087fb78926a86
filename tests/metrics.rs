//! The metrics: names and labels are promises to dashboards, and no request can make more series than there are places.

use crate::support::eventually;
use crate::support::http::request;
use crate::support::process::{configured, run_to_end};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const APP: &str = "https://app.example";

fn text(proxy: &Proxy) -> String {
    proxy.ask("GET", "/metrics").text()
}

/// Every series of a family, its labels as they are written, with its value.
fn family(text: &str, name: &str) -> BTreeMap<String, f64> {
    let series = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')?.split_once("} "));
    series.map(|(labels, value)| (labels.to_owned(), value.parse().unwrap())).collect()
}

fn value(proxy: &Proxy, series: &str) -> f64 {
    proxy.metric(series).unwrap_or_else(|| panic!("no {series}: {}", text(proxy)))
}

/// The counting is done behind the answer.
fn becomes(proxy: &Proxy, series: &str, expected: f64) {
    eventually(&format!("{series} becomes {expected}"), || (proxy.metric(series) == Some(expected)).then_some(()));
}

#[test]
fn what_is_known_beforehand_is_there_with_0_from_the_start() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    rules.write("_service.xml", allowing(APP));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let text = text(&proxy);
    let mut decisions = Vec::new();
    for kind in ["actual", "preflight"] {
        for bucket in ["bucket", "_service"] {
            for (outcome, reason) in [
                ("allowed", "none"),
                ("denied", "origin"),
                ("denied", "method"),
                ("denied", "header"),
                ("denied", "malformed"),
            ] {
                decisions
                    .push(format!("bucket=\"{bucket}\",kind=\"{kind}\",outcome=\"{outcome}\",reason=\"{reason}\""));
            }
        }
        if kind == "actual" {
            let same_origin =
                |bucket| format!("bucket=\"{bucket}\",kind=\"actual\",outcome=\"same_origin\",reason=\"none\"");
            decisions.extend(["bucket", "_service"].map(same_origin));
        }
        for (outcome, reason) in [("no_rules", "no_rules"), ("denied", "malformed")] {
            decisions.push(format!("bucket=\"_other\",kind=\"{kind}\",outcome=\"{outcome}\",reason=\"{reason}\""));
        }
    }
    decisions.sort();
    assert_eq!(family(&text, "s3cors_decisions_total").into_keys().collect::<Vec<_>>(), decisions);
    let labels =
        |name: &str, values: &[&str]| values.iter().map(|value| format!("{name}=\"{value}\"")).collect::<Vec<_>>();
    let others = ["_other", "_service", "bucket"].map(|bucket| format!("bucket=\"{bucket}\",origin=\"_other\""));
    let hits = ["bucket=\"_service\",rule=\"1\"", "bucket=\"bucket\",rule=\"2\"", "bucket=\"bucket\",rule=\"app\""];
    for (name, expected) in [
        ("s3cors_rule_hits_total", hits.map(str::to_owned).to_vec()),
        ("s3cors_rejected_origins_total", others.to_vec()),
        ("s3cors_presigned_heads_total", labels("result", &["answered", "failed", "rejected"])),
        (
            "s3cors_grants_total",
            labels("result", &["expired", "forged", "method", "opened", "outside", "unreadable", "used"]),
        ),
        ("s3cors_signed_reads_total", labels("bucket", &["_other", "_service", "bucket"])),
        ("s3cors_upstream_errors_total", labels("kind", &["connect", "other", "reset", "resolve", "timeout", "tls"])),
        ("s3cors_config_reloads_total", labels("result", &["applied", "rejected", "unchanged"])),
    ] {
        assert_eq!(family(&text, name).keys().cloned().collect::<Vec<_>>(), expected, "{name}");
    }
    for name in family_names(&text).filter(|name| name.ends_with("_total") && !name.starts_with("process_")) {
        let sum: f64 = family(&text, name).values().sum();
        assert_eq!(sum, 0.0, "{name}");
    }
    for (series, expected) in [
        ("s3cors_http_request_bytes_total", 0.0),
        ("s3cors_http_response_bytes_total", 0.0),
        ("s3cors_http_requests_in_flight", 0.0),
        ("s3cors_connections_open", 0.0),
        ("s3cors_log_lines_dropped_total", 0.0),
        ("s3cors_signature_mismatches_total", 0.0),
        ("s3cors_signature_failures_total{cause=\"host_replaced\"}", 0.0),
        ("s3cors_signature_failures_total{cause=\"unknown\"}", 0.0),
        ("s3cors_config_last_reload_successful", 1.0),
        ("s3cors_rules_loaded", 3.0),
        (&format!("s3cors_upstream_up{{upstream=\"http://{}\"}}", upstream.address), 1.0),
        ("s3cors_preflight_duration_seconds_count", 0.0),
        ("s3cors_http_request_duration_seconds_count{method=\"GET\"}", 0.0),
        ("s3cors_upstream_response_seconds_count{method=\"PUT\"}", 0.0),
    ] {
        assert_eq!(value(&proxy, series), expected, "{series}");
    }
    let started = value(&proxy, "s3cors_config_last_reload_success_timestamp_seconds");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!((now - 60.0..=now + 1.0).contains(&started), "{started}");
    let build = family(&text, "s3cors_build_info");
    let (labels, _) = build.first_key_value().unwrap();
    assert!(labels.contains("revision=\"") && labels.contains("rustc=\"") && labels.contains("version=\""), "{labels}");
    assert!(value(&proxy, "process_resident_memory_bytes") > 0.0);
}

fn family_names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
}

#[test]
fn every_decision_is_counted_by_bucket_kind_outcome_and_reason() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    rules.write("_service.xml", allowing(APP));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let (get, put, evil) = ("GET", "PUT", "https://evil.example");
    let asks = "Access-Control-Request-Method";
    let names = "Access-Control-Request-Headers";
    for (method, target, headers, bucket, kind, outcome, reason) in [
        ("OPTIONS", "/bucket/k", &[("Origin", APP), (asks, put)][..], "bucket", "preflight", "allowed", "none"),
        ("OPTIONS", "/bucket/k", &[("Origin", evil), (asks, put)], "bucket", "preflight", "denied", "origin"),
        ("OPTIONS", "/bucket/k", &[("Origin", APP), (asks, "DELETE")], "bucket", "preflight", "denied", "method"),
        (
            "OPTIONS",
            "/bucket/k",
            &[("Origin", APP), (asks, put), (names, "x-other")],
            "bucket",
            "preflight",
            "denied",
            "header",
        ),
        ("OPTIONS", "/bucket/k", &[("Origin", APP), (asks, "get")], "bucket", "preflight", "denied", "malformed"),
        ("OPTIONS", "/none/k", &[("Origin", APP), (asks, put)], "_other", "preflight", "no_rules", "no_rules"),
        ("OPTIONS", "/", &[("Origin", APP), (asks, get)], "_service", "preflight", "allowed", "none"),
        ("GET", "/bucket/k", &[("Origin", APP)], "bucket", "actual", "allowed", "none"),
        ("GET", "/bucket/k", &[("Origin", evil)], "bucket", "actual", "denied", "origin"),
        ("DELETE", "/bucket/k", &[("Origin", APP)], "bucket", "actual", "denied", "method"),
        ("GET", "/bucket/k", &[("Origin", APP), (names, "x-other")], "bucket", "actual", "denied", "header"),
        ("GET", "/bucket/k", &[("Origin", APP), (asks, "get")], "bucket", "actual", "denied", "malformed"),
        ("GET", "/none/k", &[("Origin", APP)], "_other", "actual", "no_rules", "no_rules"),
        ("GET", "/", &[("Origin", evil)], "_service", "actual", "denied", "origin"),
    ] {
        let labels = format!("bucket=\"{bucket}\",kind=\"{kind}\",outcome=\"{outcome}\",reason=\"{reason}\"");
        let before = family(&text(&proxy), "s3cors_decisions_total");
        proxy.fetch(method, target, headers);
        becomes(&proxy, &format!("s3cors_decisions_total{{{labels}}}"), before[&labels] + 1.0);
        let after: f64 = family(&text(&proxy), "s3cors_decisions_total").values().sum();
        assert_eq!(after, before.values().sum::<f64>() + 1.0, "{method} {target} {headers:?}: one, and no other");
    }
    // Where CORS has no part nothing is decided.
    let before: f64 = family(&text(&proxy), "s3cors_decisions_total").values().sum();
    proxy.fetch("GET", "/bucket/k", &[]);
    becomes(&proxy, "s3cors_http_requests_total{code=\"200\",method=\"GET\"}", 6.0);
    assert_eq!(family(&text(&proxy), "s3cors_decisions_total").values().sum::<f64>(), before);
}

#[test]
fn rule_hits_are_by_id_or_number_and_default_rules_are_one_bucket() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    rules.write("_default.xml", allowing(APP));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for (target, origin, series) in [
        ("/bucket/k", APP, "bucket=\"bucket\",rule=\"app\""),
        ("/bucket/k", "https://pr.preview.example", "bucket=\"bucket\",rule=\"2\""),
        ("/one/k", APP, "bucket=\"_default\",rule=\"1\""),
    ] {
        proxy.preflight(target, origin, "GET");
        becomes(&proxy, &format!("s3cors_rule_hits_total{{{series}}}"), 1.0);
    }
    proxy.preflight("/another/k", APP, "GET");
    becomes(&proxy, "s3cors_rule_hits_total{bucket=\"_default\",rule=\"1\"}", 2.0);
    assert!(!text(&proxy).contains("another"), "a bucket that only a request names is no label");
}

#[test]
fn buckets_beyond_the_configured_number_are_shown_as_one() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok(""));
    for number in 0..30 {
        rules.write(&format!("b{number}.xml"), allowing(APP));
    }
    let proxy = configured(rules.path(), upstream.address, "metrics: {buckets: 3}\n");
    let buckets = |text: &str| {
        let labels = family(text, "s3cors_decisions_total").into_keys();
        labels.map(|labels| labels.split('"').nth(1).unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(buckets(&text(&proxy)), BTreeSet::from(["_other".into()]), "none is asked for yet");
    for (number, origin) in [(7, APP), (8, APP), (9, "https://evil.example"), (10, APP), (11, "https://evil.example")] {
        proxy.preflight(&format!("/b{number}/k"), origin, "GET");
        proxy.preflight(&format!("/b{number}/k"), origin, "GET");
    }
    becomes(&proxy, "s3cors_rule_hits_total{bucket=\"_other\",rule=\"_other\"}", 2.0);
    becomes(&proxy, "s3cors_rejected_origins_total{bucket=\"b9\",origin=\"https://evil.example\"}", 2.0);
    becomes(&proxy, "s3cors_rejected_origins_total{bucket=\"_other\",origin=\"https://evil.example\"}", 2.0);
    let now = text(&proxy);
    assert_eq!(buckets(&now), ["_other", "b7", "b8", "b9"].map(str::to_owned).into());
    assert_eq!(family(&now, "s3cors_decisions_total").values().sum::<f64>(), 10.0);
    // The rejections themselves name the bucket.
    assert!(proxy.ask("GET", "/api/rejections").text().contains("b11"), "the bucket is named");
}

#[test]
fn ten_thousand_origins_leave_as_many_series_as_there_are_places() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    for (configuration, places) in
        [("log: {access: false}\n", 50), ("log: {access: false}\nmetrics: {rejected_origins: 3}\n", 3)]
    {
        let proxy = configured(rules.path(), upstream.address, configuration);
        let before = text(&proxy).lines().count();
        let requests = if places == 50 { 2_500 } else { 100 };
        std::thread::scope(|scope| {
            for connection_number in 0..4 {
                let mut connection = proxy.connect();
                scope.spawn(move || {
                    for number in 0..requests {
                        let origin = format!("https://{connection_number}-{number}.evil.example");
                        // Buckets and methods that no one knows make no series either.
                        let target = if number % 2 == 0 { "/bucket/k".into() } else { format!("/b{number}/k") };
                        let headers = [("Origin", origin.as_str()), ("Access-Control-Request-Method", "GET")];
                        let answer = connection.send(request("OPTIONS", &target, &headers, "")).receive();
                        assert_eq!(answer.status, 403);
                    }
                });
            }
        });
        let all = f64::from(requests * 4);
        becomes(&proxy, "s3cors_preflight_duration_seconds_count", all);
        let text = text(&proxy);
        let rejected = family(&text, "s3cors_rejected_origins_total");
        assert_eq!(rejected.len(), places + 2, "the places, and _other of two buckets");
        assert_eq!(rejected.values().sum::<f64>(), all / 2.0, "each is counted once, where there are rules");
        assert_eq!(rejected["bucket=\"bucket\",origin=\"_other\""], all / 2.0 - places as f64);
        // However many came before, one that is rejected more often than they takes a place. Its first requests may be counted as
        // theirs.
        for _ in 0..10 {
            assert_eq!(proxy.preflight("/bucket/k", "https://real.example", "GET").status, 403);
        }
        let rejected = eventually("all are counted", || {
            let rejected = family(&self::text(&proxy), "s3cors_rejected_origins_total");
            (rejected.values().sum::<f64>() == all / 2.0 + 10.0).then_some(rejected)
        });
        assert_eq!(rejected.len(), places + 2);
        assert!(rejected["bucket=\"bucket\",origin=\"https://real.example\""] >= 5.0, "{rejected:?}");
        let heaviest = proxy.ask("GET", "/api/rejections?limit=1").text();
        assert!(heaviest.contains("\"origin\": \"https://real.example\""), "{heaviest}");
        // The places, a method with its status, and nothing else.
        let after = text.lines().count();
        assert!(after <= before + places + 3, "{before} lines became {after}");
    }
}

#[test]
fn methods_that_no_one_knows_are_one_label() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let mut connection = proxy.connect();
    for number in 0..300 {
        let method = format!("ODD{number}");
        assert_eq!(connection.send(request(&method, "/bucket/k", &[], "")).receive().status, 200);
    }
    becomes(&proxy, "s3cors_http_requests_total{code=\"200\",method=\"other\"}", 300.0);
    assert_eq!(family(&text(&proxy), "s3cors_http_requests_total").len(), 1);
}

#[test]
fn connections_and_requests_are_counted_while_they_last() {
    let rules = Rules::usual();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let upstream = Upstream::scripted(move |served| {
        while served.request().is_some() {
            let _ = wait.lock().unwrap().recv();
            served.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
        }
    });
    let proxy = Proxy::start(rules.path(), upstream.address);
    let (open, in_flight) = ("s3cors_connections_open", "s3cors_http_requests_in_flight");
    let mut first = proxy.connect();
    becomes(&proxy, open, 1.0);
    let second = proxy.connect();
    becomes(&proxy, open, 2.0);
    assert_eq!(value(&proxy, in_flight), 0.0);
    first.send(request("PUT", "/bucket/k", &[], "0123456789"));
    becomes(&proxy, in_flight, 1.0);
    go.send(()).unwrap();
    assert_eq!(first.receive().text(), "body");
    becomes(&proxy, in_flight, 0.0);
    becomes(&proxy, "s3cors_http_request_bytes_total", 10.0);
    becomes(&proxy, "s3cors_http_response_bytes_total", 4.0);
    assert_eq!(value(&proxy, open), 2.0, "kept alive, and so still open");
    drop((first, second));
    becomes(&proxy, open, 0.0);
    // A client that goes in the middle leaves nothing behind.
    let mut gone = proxy.connect();
    gone.send(request("GET", "/bucket/k", &[], ""));
    becomes(&proxy, in_flight, 1.0);
    gone.reset();
    becomes(&proxy, in_flight, 0.0);
    becomes(&proxy, open, 0.0);
    becomes(&proxy, "s3cors_http_requests_total{code=\"499\",method=\"GET\"}", 1.0);
}

#[test]
fn an_upstream_that_is_away_is_counted_and_shown() {
    let rules = Rules::usual();
    let proxy = Proxy::start_with(rules.path(), "http://127.0.0.1:1", &[]);
    assert_eq!(proxy.fetch("GET", "/bucket/k", &[]).status, 502);
    becomes(&proxy, "s3cors_upstream_errors_total{kind=\"connect\"}", 1.0);
    becomes(&proxy, "s3cors_upstream_up{upstream=\"http://127.0.0.1:1\"}", 0.0);
    becomes(&proxy, "s3cors_http_requests_total{code=\"502\",method=\"GET\"}", 1.0);
}

#[test]
fn histograms_add_up() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    for _ in 0..5 {
        assert_eq!(proxy.fetch("GET", "/bucket/k", &[]).status, 200);
        assert_eq!(proxy.preflight("/bucket/k", APP, "GET").status, 200);
    }
    for (name, label, count) in [
        ("s3cors_http_request_duration_seconds", "method=\"GET\"", 5.0),
        ("s3cors_http_request_duration_seconds", "method=\"OPTIONS\"", 5.0),
        ("s3cors_upstream_response_seconds", "method=\"GET\"", 5.0),
        ("s3cors_upstream_response_seconds", "method=\"OPTIONS\"", 0.0),
        ("s3cors_preflight_duration_seconds", "", 5.0),
    ] {
        let labelled = |suffix: &str| {
            if label.is_empty() { format!("{name}_{suffix}") } else { format!("{name}_{suffix}{{{label}}}") }
        };
        becomes(&proxy, &labelled("count"), count);
        let text = text(&proxy);
        let buckets: Vec<f64> = text
            .lines()
            .filter(|line| line.starts_with(&format!("{name}_bucket{{")) && line.contains(label))
            .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert!(buckets.len() > 5 && buckets.is_sorted() && buckets.last() == Some(&count), "{name}: {buckets:?}");
        let sum = value(&proxy, &labelled("sum"));
        assert!(if count == 0.0 { sum == 0.0 } else { sum > 0.0 && sum < 5.0 }, "{name} {label}: {sum}");
    }
}

#[test]
fn prometheus_own_linter_finds_nothing_to_say() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    proxy.preflight("/bucket/k", "https://evil.example", "GET");
    proxy.fetch("GET", "/bucket/k", &[("Origin", "https://\"quoted\\back.example")]);
    becomes(&proxy, "s3cors_http_requests_total{code=\"200\",method=\"GET\"}", 1.0);
    let page = proxy.ask("GET", "/metrics");
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let found = Command::new("promtool").arg("--version").output();
    assert!(found.is_ok(), "promtool is needed: apt-get install prometheus");
    let mut linter = Command::new("promtool");
    linter.args(["check", "metrics"]);
    let ended = run_to_end(linter, &page.text());
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""), "{}", page.text());
}
