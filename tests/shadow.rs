//! Shadow rules: a candidate set decides nothing, and what it would decide otherwise is counted and shown.

use crate::support::eventually;
use crate::support::process::{configured, run};
use crate::support::proxy::Proxy;
use crate::support::rules::{RULES, Rules, allowing};
use crate::support::upstream::Upstream;
use serde_json::{Value, json};

const APP: &str = "https://app.example";
const NEW: &str = "https://new.example";

/// A proxy with these live rules and this candidate set.
fn compared(live: &Rules, candidate: &Rules, upstream: &Upstream) -> Proxy {
    let configuration = format!("rules: {{poll: 1h, shadow: {}}}\n", candidate.path().display());
    configured(live.path(), upstream.address, &configuration)
}

fn shadow(proxy: &Proxy, query: &str) -> Value {
    let page = proxy.ask("GET", &format!("/api/shadow{query}"));
    assert_eq!((page.status, page.header("content-type")), (200, Some("application/json")), "{}", page.text());
    serde_json::from_str(&page.text()).unwrap()
}

fn metric(proxy: &Proxy, bucket: &str, direction: &str) -> Option<f64> {
    proxy.metric(&format!("s3cors_shadow_decisions_total{{bucket=\"{bucket}\",direction=\"{direction}\"}}"))
}

#[test]
fn what_would_change_is_counted_by_direction_and_the_live_rules_decide() {
    let (live, candidate, upstream) = (Rules::usual(), Rules::empty(), Upstream::ok("body"));
    let candidate_rules = RULES.replace(APP, NEW).replace("https://*.preview", "https://*.other-preview");
    candidate.write("bucket.xml", candidate_rules + "\n");
    candidate.write("added.xml", allowing(APP));
    let proxy = compared(&live, &candidate, &upstream);
    for direction in ["allowed_to_denied", "denied_to_allowed", "other_grant"] {
        assert_eq!(metric(&proxy, "bucket", direction), Some(0.0), "known from the start");
    }
    assert_eq!(proxy.preflight("/bucket/key", APP, "PUT").status, 200);
    let example = proxy.preflight("/bucket/key", APP, "PUT");
    assert_eq!(proxy.preflight("/bucket/key", NEW, "GET").status, 403);
    assert_eq!(proxy.preflight("/bucket/key", "https://evil.example", "GET").status, 403);
    assert_eq!(proxy.fetch("GET", "/added/key", &[("Origin", APP)]).cors(), []);
    // Neither is decided by rules.
    proxy.fetch("GET", "/bucket/key", &[]);
    proxy.fetch("POST", "/added/key", &[("Origin", APP), ("Sec-Fetch-Site", "same-origin")]);
    let found = shadow(&proxy, "");
    assert_eq!(found["compared"], 5);
    assert_eq!(
        found["buckets"],
        json!([
            {"bucket": "added", "allowed_to_denied": 0, "denied_to_allowed": 1, "other_grant": 0},
            {"bucket": "bucket", "allowed_to_denied": 2, "denied_to_allowed": 1, "other_grant": 0},
        ])
    );
    let heaviest = &found["changes"][0];
    for (key, value) in [
        ("bucket", json!("bucket")),
        ("origin", json!(APP)),
        ("kind", json!("preflight")),
        ("method", json!("PUT")),
        ("direction", json!("allowed_to_denied")),
        ("reason", json!("origin")),
        ("detail", json!(APP)),
        ("rule", json!("app")),
        ("count", json!(2)),
        ("error", json!(0)),
        ("request_id", json!(example.header("x-amz-request-id"))),
    ] {
        assert_eq!(heaviest[key], value, "{key}: {heaviest}");
    }
    let page = proxy.ask("GET", "/status").text();
    for shown in ["Since ", "5 requests were compared", "<td>denied</td>", "the live rule <code>app</code> grants it"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert_eq!(shadow(&proxy, "?bucket=added&limit=5")["changes"][0]["direction"], "denied_to_allowed");
    assert_eq!(shadow(&proxy, "?bucket=added&limit=0")["changes"], json!([]));
    assert_eq!(metric(&proxy, "bucket", "allowed_to_denied"), Some(2.0));
    assert_eq!(metric(&proxy, "added", "denied_to_allowed"), Some(1.0));
    let decided = "s3cors_decisions_total{bucket=\"bucket\",kind=\"preflight\",outcome=\"allowed\",reason=\"none\"}";
    assert_eq!(proxy.metric(decided), Some(2.0), "the metrics of the live rules are theirs alone");
}

#[test]
fn a_grant_with_other_headers_is_a_change_of_its_own() {
    let (live, candidate, upstream) = (Rules::usual(), Rules::empty(), Upstream::ok(""));
    candidate.write("bucket.xml", RULES.replace("<ExposeHeader>ETag</ExposeHeader>", ""));
    let proxy = compared(&live, &candidate, &upstream);
    assert_eq!(proxy.preflight("/bucket/key", APP, "PUT").header("access-control-expose-headers"), Some("ETag"));
    let change = &shadow(&proxy, "")["changes"][0];
    assert_eq!(
        (&change["direction"], &change["reason"], &change["detail"]),
        (&json!("other_grant"), &json!("none"), &json!("access-control-expose-headers"))
    );
}

#[test]
fn other_rules_on_either_side_begin_the_comparison_again() {
    let (live, candidate, upstream) = (Rules::usual(), Rules::empty(), Upstream::ok(""));
    candidate.write("bucket.xml", allowing(NEW));
    let proxy = compared(&live, &candidate, &upstream);
    let is_changed = |origin| {
        proxy.preflight("/bucket/key", origin, "GET");
        let changes = shadow(&proxy, "")["changes"].as_array().unwrap().clone();
        changes.iter().any(|change| change["origin"] == origin)
    };
    assert!(is_changed(APP) && is_changed(NEW));
    candidate.write("bucket.xml", RULES);
    eventually("the notified change of the candidate is compared", || (!is_changed(APP)).then_some(()));
    assert!(!is_changed(NEW), "nothing differs now");
    live.write("bucket.xml", allowing(NEW));
    eventually("the live change is compared", || is_changed(APP).then_some(()));
    assert_eq!(proxy.preflight("/bucket/key", NEW, "GET").status, 200);
    assert!(metric(&proxy, "bucket", "allowed_to_denied").unwrap() >= 1.0, "a counter goes on");
}

#[test]
fn errors_in_shadow_rules_are_shown_and_stop_nothing() {
    let (live, candidate, upstream) = (Rules::usual(), Rules::empty(), Upstream::ok(""));
    live.write("other.xml", allowing(APP));
    candidate.write("bucket.xml", "<CORSConfiguration/>");
    candidate.write("other.xml", allowing(NEW));
    let mut proxy = compared(&live, &candidate, &upstream);
    let logged = "shadow rules rejected; requests that they would decide are not compared";
    assert!(proxy.wait_for_log(logged)["error"].as_str().unwrap().contains("bucket.xml:1:1: MalformedXML"));
    assert_eq!(proxy.preflight("/bucket/key", APP, "GET").status, 200);
    assert_eq!(proxy.preflight("/other/key", APP, "GET").status, 200);
    let found = shadow(&proxy, "");
    assert_eq!(found["errors"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!((&found["compared"], &found["changes"][0]["bucket"]), (&json!(1), &json!("other")), "{found}");
    assert_eq!(proxy.metric("s3cors_config_last_reload_successful"), Some(1.0));

    let reload = proxy.ask("POST", "/-/reload");
    let report: Value = serde_json::from_str(&reload.text()).unwrap();
    assert_eq!(
        (reload.status, &report["result"], &report["shadow"]["result"]),
        (200, &json!("unchanged"), &json!("rejected"))
    );
    candidate.write("bucket.xml", RULES);
    eventually("the corrected candidate is compared", || {
        proxy.preflight("/bucket/key", APP, "GET");
        let found = shadow(&proxy, "");
        (found["errors"] == json!([]) && found["compared"].as_u64() >= Some(1)).then_some(())
    });
    let changed = || shadow(&proxy, "?bucket=bucket")["changes"].clone();
    assert_eq!(changed(), json!([]));
    candidate.write("bucket.xml", allowing(NEW));
    proxy.signal("HUP");
    eventually("the signal reads the candidate too", || {
        proxy.preflight("/bucket/key", APP, "GET");
        (changed() != json!([])).then_some(())
    });
}

#[test]
fn shadow_rules_that_are_not_there_stop_nothing_and_none_are_no_page() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let nowhere = "rules: {shadow: /nowhere/candidate}\n";
    let proxy = configured(rules.path(), upstream.address, nowhere);
    assert_eq!(proxy.preflight("/bucket/key", APP, "GET").status, 200);
    let found = shadow(&proxy, "");
    assert_eq!((&found["compared"], &found["errors"][0]["file"]), (&json!(0), &json!("/nowhere/candidate")));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let page = proxy.ask("GET", "/api/shadow");
    assert!(page.status == 404 && page.text().contains("rules.shadow"), "{page:?}");
    assert!(!proxy.ask("GET", "/metrics").text().contains("s3cors_shadow"));
}

#[test]
fn check_reads_the_shadow_rules_of_a_configuration_too() {
    let (live, candidate) = (Rules::usual(), Rules::empty());
    candidate.write("bucket.xml", "<CORSConfiguration/>");
    let (live, candidate) = (live.path().display(), candidate.path().display());
    let upstream = "upstream: http://127.0.0.1:9000\n";
    let files = Rules::empty();
    let config = files.config(&format!("{upstream}rules: {{path: {live}, shadow: {candidate}}}\n"));
    let checked = run(&["check", "--config", &config]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.stdout.contains(&format!("{candidate}/bucket.xml:1:1: error: MalformedXML")), "{checked:?}");
    let config = files.config(&format!("{upstream}rules: {{path: {live}}}\n"));
    assert_eq!(run(&["check", "--config", &config]).code, Some(0));
}
