//! `s3cors_declines_total`: how many heads the own driver passes to Pingora, and why.

use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;

#[test]
fn a_declined_head_is_counted_by_its_reason() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("ok"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let count = |reason: &str| proxy.metric(&format!("s3cors_declines_total{{reason=\"{reason}\"}}"));
    let get = |lines: &str| format!("GET /bucket/key HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
    for (reason, request) in [
        ("too_many_lines", get(&"a: b\r\n".repeat(120))),
        ("framing", get("").replace("\r\n", "\n")),
        ("method", get("").replace("GET", "TRACE")),
        ("target", get("").replace(" /bucket/key", " *")),
        ("host", get("").replace(": h", ":")),
        ("upgrade", get("Upgrade: h2c\r\n")),
        ("connection", get("Connection: x-private\r\n")),
        ("expect", get("Expect: x\r\n")),
        ("hop_by_hop", get("TE: trailers\r\n")),
    ] {
        assert_eq!(count(reason), Some(0.0), "{reason}: there from the start");
        assert_eq!(proxy.connect().send(request).receive().status, 200, "{reason}");
        assert_eq!(count(reason), Some(if is_own() { 1.0 } else { 0.0 }), "{reason}");
    }
    let before = count("malformed");
    assert_eq!(proxy.connect().send(get("")).receive().status, 200);
    assert_eq!(count("malformed"), before, "the usual head is not declined");
}

#[test]
fn the_drivers_are_named_by_one_key_and_what_only_ours_can_is_an_error_without_them() {
    for (config, status, words) in [
        ("drivers: own", 0, "valid: 0 errors, 0 warnings"),
        ("drivers: pingora", 0, "valid: 0 errors, 0 warnings"),
        ("http1: pingora", 0, "warning: RenamedKey: http1 is called drivers now"),
        ("http1: pingora\ndrivers: own", 1, "drivers is here twice"),
        ("drivers: other", 1, "unknown variant `other`, expected one of own, pingora"),
        ("drivers: pingora\nrules: {api: on}", 1, "rules.api: on needs the drivers of s3cors"),
        ("http1: pingora\npresigned: {head: by_get}", 1, "presigned.head: by_get needs the drivers of s3cors"),
        ("drivers: own\npresigned: {head: by_get}", 0, "valid: 0 errors, 0 warnings"),
    ] {
        let rules = Rules::usual();
        let file = ConfigFile::new(&format!("upstream: http://127.0.0.1:1\n{config}\n"));
        let mut check = s3cors(&["check", "--config", &file.argument()]);
        let output = check.env("S3CORS_RULES", rules.path()).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(status), "{config}: {said}");
        assert!(said.contains(words), "{config}: {said}");
    }
}
