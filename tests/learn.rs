//! Rules learned from what a running proxy denied: they allow just that, and what no rule can allow is said.

use crate::support::process::run;
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;
use serde_json::Value;

const PAGE: &str = "https://page.example";

fn preflight(proxy: &Proxy, target: &str, origin: &str, method: &str, headers: &str) -> u16 {
    let mut lines = vec![("Origin", origin), ("Access-Control-Request-Method", method)];
    lines.extend(Some(("Access-Control-Request-Headers", headers)).filter(|_| !headers.is_empty()));
    proxy.fetch("OPTIONS", target, &lines).status
}

#[test]
fn the_learned_rules_allow_what_was_denied_and_pass_check() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok(""));
    rules.write("photos.xml", allowing("https://app.example"));
    rules.write("files.xml", allowing("https://app.example"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let admin = proxy.admin.to_string();
    let nothing = run(&["learn", "--admin", &admin]);
    assert!(
        nothing.code == Some(1) && nothing.stdout.is_empty() && nothing.stderr.contains("nothing to learn"),
        "{nothing:?}"
    );
    for (origin, method, headers) in [
        (PAGE, "PUT", "content-type,x-amz-date"),
        (PAGE, "PUT", "content-type"),
        (PAGE, "GET", ""),
        (PAGE, "PATCH", ""),
    ] {
        assert_eq!(preflight(&proxy, "/photos/cat.jpg", origin, method, headers), 403, "{method} {headers}");
    }
    preflight(&proxy, "/files/x", "https://other.example", "DELETE", "");

    let learned = run(&["learn", "--admin", &admin, "--bucket", "photos"]);
    assert_eq!(learned.code, Some(0), "{learned:?}");
    for said in [
        "left out PATCH from https://page.example, 1 times: S3 rules cannot allow PATCH",
        "rules for 3 different requests",
    ] {
        assert!(learned.stderr.contains(said), "{said}: {learned:?}");
    }
    assert!(!learned.stdout.contains("other.example") && !learned.stdout.contains('*'), "{learned:?}");
    let (next, upstream) = (Rules::empty(), Upstream::ok(""));
    next.write("photos.xml", &learned.stdout);
    let checked = run(&["check", next.path().to_str().unwrap()]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    let next_proxy = Proxy::start(next.path(), upstream.address);
    for (origin, method, headers, status) in [
        (PAGE, "PUT", "content-type,x-amz-date", 200),
        (PAGE, "PUT", "x-amz-date", 200),
        (PAGE, "GET", "", 200),
        (PAGE, "GET", "content-type", 403),
        (PAGE, "PUT", "x-amz-acl", 403),
        (PAGE, "DELETE", "", 403),
        ("https://page.example.evil.example", "GET", "", 403),
    ] {
        assert_eq!(
            preflight(&next_proxy, "/photos/cat.jpg", origin, method, headers),
            status,
            "{origin} {method} {headers}"
        );
    }

    let all = run(&["learn", "--admin", &admin]).stdout;
    assert!(all.contains("<!-- files -->") && all.contains("<!-- photos -->") && all.contains("DELETE"), "{all}");
    let json = run(&["learn", "--admin", &admin, "--bucket", "photos", "--format", "json"]).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["requests"], &json["bucket"]), (&3.into(), &"photos".into()));
    assert_eq!(json["xml"], *learned.stdout);
    assert_eq!(json["configuration"]["CORSRules"].as_array().unwrap().len(), 2);
    let one = run(&["learn", "--admin", &admin, "--bucket", "photos", "--limit", "1", "--origin", PAGE]);
    assert!(one.stderr.contains("rules for 1 request;") || one.stderr.contains("left out PATCH"), "{one:?}");
    assert_eq!(run(&["learn", "--admin", &admin, "--bucket", "photos", "--min-count", "2"]).code, Some(1));
    assert_eq!(proxy.ask("GET", "/api/learn?min_count=x").status, 400);
}

#[test]
fn the_learned_rules_are_written_as_a_file_for_each_bucket() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok(""));
    rules.write("_default.xml", allowing("https://app.example"));
    for bucket in ["photos", "files"] {
        rules.write(&format!("{bucket}.xml"), allowing("https://app.example"));
    }
    let proxy = Proxy::start(rules.path(), upstream.address);
    let admin = proxy.admin.to_string();
    for target in ["/photos/cat.jpg", "/files/x", "/other/x"] {
        assert_eq!(preflight(&proxy, target, PAGE, "PUT", "content-type"), 403, "{target}");
    }
    // The directory is made, and one below it that is named by nothing else.
    let learned = Rules::empty();
    let directory = learned.file("learned");
    let path = directory.to_str().unwrap();
    let written = run(&["learn", "--admin", &admin, "--rules", path]);
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""), "{written:?}");
    let mut names: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| !name.as_encoded_bytes().starts_with(b"."));
    names.sort();
    assert_eq!(names, ["_default.xml", "files.xml", "photos.xml"], "{written:?}");
    assert!(written.stderr.contains(&format!("photos: wrote {path}/photos.xml")), "{written:?}");
    let checked = run(&["check", path]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(checked.stdout.contains("valid: 0 errors"), "{checked:?}");
    let next = Proxy::start(&directory, upstream.address);
    for target in ["/photos/cat.jpg", "/files/x", "/other/x"] {
        assert_eq!(preflight(&next, target, PAGE, "PUT", "content-type"), 200, "{target}");
    }
    // A document that is there is not lost: learned rules are added to by hand.
    let again = run(&["learn", "--admin", &admin, "--rules", path, "--bucket", "photos"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(
        again.stderr.contains(&format!("{path}/photos.xml")) && again.stderr.contains("a document is there"),
        "{again:?}"
    );
    let live = run(&["learn", "--admin", &admin, "--rules", rules.path().to_str().unwrap()]);
    assert_eq!(live.code, Some(1), "the live rules allow more than what was denied: {live:?}");
    assert!(std::fs::read_to_string(rules.file("photos.xml")).unwrap().contains("https://app.example"));
    let json = run(&["learn", "--admin", &admin, "--rules", path, "--format", "json"]);
    assert_eq!(json.code, Some(2), "files have one form: {json:?}");
}

#[test]
fn what_a_stranger_sends_steers_no_terminal_and_opens_no_wildcard() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok(""));
    rules.write("_default.xml", allowing("https://app.example"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    preflight(&proxy, "/photos/key", "https://*", "GET", "");
    preflight(&proxy, "/photos/key", PAGE, "GET", "*");
    preflight(&proxy, "/photos/key", PAGE, "GET", "a\u{1b}[2J");
    let learned = run(&["learn", "--admin", &proxy.admin.to_string(), "--bucket", "photos"]);
    assert!(learned.code == Some(1) && learned.stdout.is_empty(), "{learned:?}");
    assert!(!learned.stderr.contains('\u{1b}') && learned.stderr.matches("left out").count() >= 2, "{learned:?}");
}
