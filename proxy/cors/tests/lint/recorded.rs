//! The profiles against the requests that were recorded of their clients, and the shipped rules against the profiles.

use super::{Rule, json, parse, shown};
use s3_cors::{ClientRequest, Document, Profile, Warning};
use std::collections::BTreeSet;

/// A request on the wire: the client, its method, the headers of its preflight (in older browsers, which ask for Range too), the response
/// headers that it read and that are not safelisted, and the option that it needs.
type Recorded = (&'static str, &'static str, &'static str, &'static str, Option<&'static str>);

const SDK: &str =
    "amz-sdk-invocation-id|amz-sdk-request|authorization|x-amz-content-sha256|x-amz-date|x-amz-user-agent";
const KEYS: Option<&str> = Some("keys (s3://)");

/// From recordings in Chromium 156 (`Profile::evidence`).
const RECORDED: &[Recorded] = &[
    ("aws-sdk-js-v3", "GET", "SDK|x-amz-checksum-mode", "", None),
    ("aws-sdk-js-v3", "HEAD", "SDK", "etag", None),
    ("aws-sdk-js-v3", "PUT", "SDK|content-type|x-amz-checksum-crc32|x-amz-sdk-checksum-algorithm", "", None),
    ("aws-sdk-js-v3", "POST", "SDK|content-type|x-amz-checksum-algorithm", "", None),
    (
        "aws-sdk-js-v3",
        "PUT",
        "SDK|content-type|x-amz-checksum-crc32|x-amz-sdk-checksum-algorithm",
        "etag|x-amz-checksum-crc32",
        None,
    ),
    ("aws-sdk-js-v3", "POST", "SDK|content-type", "", None),
    ("aws-sdk-js-v3", "DELETE", "SDK", "", None),
    ("uppy", "PUT", "content-type", "etag", None),
    ("uppy", "POST", "content-type", "", None),
    ("uppy", "PUT", "", "etag", None),
    ("uppy", "GET", "", "", None),
    ("uppy", "DELETE", "", "", None),
    ("uppy", "POST", "", "etag", Some("a POST policy")),
    ("duckdb-wasm", "HEAD", "range", "", None),
    ("duckdb-wasm", "GET", "range", "", None),
    ("duckdb-wasm", "GET", "range", "content-range", Some("presigned URLs in version 1.29")),
    ("duckdb-wasm", "HEAD", "authorization|range|x-amz-content-sha256|x-amz-date", "", KEYS),
    ("duckdb-wasm", "GET", "authorization|range|x-amz-content-sha256|x-amz-date", "", KEYS),
    ("duckdb-wasm", "PUT", "authorization|content-type|x-amz-content-sha256|x-amz-date", "etag", KEYS),
    ("pdfjs", "GET", "range", "accept-ranges", None),
    ("pdfjs", "GET", "", "content-disposition", Some("a Content-Disposition")),
    ("hls", "GET", "", "", None),
    ("hls", "GET", "range", "", None),
    ("hls", "GET", "cmcd-object|cmcd-request|cmcd-session|cmcd-status", "", Some("cmcd.useHeaders")),
    ("pmtiles", "GET", "range", "etag", None),
    ("range-reader", "HEAD", "", "", None),
    ("range-reader", "GET", "range", "", None),
    ("range-reader", "HEAD", "", "accept-ranges", Some("sql.js-httpvfs")),
    ("range-reader", "GET", "range", "content-range", Some("hyparquet")),
    ("zip.js", "GET", "range", "accept-ranges|content-range", None),
    ("zip.js", "GET", "range", "etag", Some("checkResourceChanges")),
    ("zarrita", "GET", "", "", None),
    ("zarrita", "HEAD", "", "", None),
    ("zarrita", "GET", "range", "", None),
    ("aws4fetch", "GET", "authorization|x-amz-content-sha256|x-amz-date", "", None),
    ("aws4fetch", "PUT", "authorization|content-type|x-amz-content-sha256|x-amz-date", "", None),
    (
        "aws4fetch",
        "GET",
        "authorization|x-amz-content-sha256|x-amz-date|x-amz-security-token",
        "",
        Some("a session token"),
    ),
    ("geotiff", "GET", "range", "", None),
    ("geotiff", "GET", "range", "content-range", Some("Content-Range")),
    ("embed", "GET", "", "", None),
];

fn set(names: &'static str) -> BTreeSet<&'static str> {
    let names = names.split('|').filter(|name| !name.is_empty());
    names.flat_map(|name| if name == "SDK" { SDK } else { name }.split('|')).collect()
}

type Asked = (&'static str, BTreeSet<&'static str>, BTreeSet<&'static str>, Option<&'static str>);

fn asked(request: &ClientRequest) -> Asked {
    let set = |names: &[&'static str]| names.iter().copied().collect();
    (request.method().as_str(), set(request.headers()), set(request.reads()), request.option())
}

#[test]
fn a_profile_is_what_was_recorded() {
    // tus was not recorded: its profile is the protocol's.
    for profile in Profile::ALL.into_iter().filter(|profile| *profile != Profile::Tus) {
        let recorded = RECORDED.iter().filter(|(name, ..)| *name == profile.as_str());
        let recorded: BTreeSet<Asked> =
            recorded.map(|(_, method, headers, reads, option)| (*method, set(headers), set(reads), *option)).collect();
        let described: BTreeSet<Asked> = profile.requests().iter().map(asked).collect();
        assert_eq!(described, recorded, "{profile}");
        let evidence = profile.evidence();
        assert!(!evidence.client.is_empty() && evidence.source.contains("recorded"), "{profile}: {evidence:?}");
    }
}

/// A rule that has what the requests of a profile need, but for one header or method.
fn rule(requests: &[&ClientRequest], without: &str) -> Document {
    let join = |names: BTreeSet<&'static str>| {
        names.into_iter().filter(|name| *name != without).collect::<Vec<_>>().join("|").leak()
    };
    let methods = join(requests.iter().map(|request| request.method().as_str()).collect());
    let headers = join(requests.iter().flat_map(|request| request.headers().iter().copied()).collect());
    let expose = join(requests.iter().flat_map(|request| request.reads().iter().copied()).collect());
    let methods = if methods.is_empty() { "GET" } else { methods };
    parse(&json(&[Rule("https://app.example.com", methods, headers, expose, 60)]))
}

#[test]
fn a_client_works_with_the_headers_of_its_profile_and_with_none_less() {
    for profile in Profile::ALL {
        let all: Vec<_> = profile.requests().iter().collect();
        assert_eq!(rule(&all, "").unserved(profile), [], "{profile}");
        let needed: Vec<_> = profile.requests().iter().filter(|request| request.option().is_none()).collect();
        let about_options = rule(&needed, "").unserved(profile);
        assert!(about_options.iter().all(Warning::is_note), "{profile}: {:?}", shown(&about_options));
        for request in &needed {
            for name in request.headers().iter().chain(request.reads()) {
                let found = rule(&needed, name).unserved(profile);
                let names_it = |warning: &Warning| !warning.is_note() && warning.message().contains(name);
                assert!(found.iter().any(names_it), "{profile} without {name}: {:?}", shown(&found));
            }
        }
        for request in &all {
            for name in request.headers().iter().chain(request.reads()) {
                assert!(!rule(&all, name).unserved(profile).is_empty(), "{profile} without {name}");
            }
        }
    }
}

const SHIPPED: &[(&str, &str, &[&str])] = &[
    (
        "public-read.xml",
        include_str!("../../../../conf/rules/public-read.xml"),
        &["duckdb-wasm", "pdfjs", "hls", "pmtiles", "range-reader", "zip.js", "zarrita", "geotiff", "embed"],
    ),
    (
        "media.json",
        include_str!("../../../../conf/rules/media.json"),
        &["hls", "pdfjs", "pmtiles", "range-reader", "zip.js", "zarrita", "geotiff", "embed"],
    ),
    (
        "uploads.xml",
        include_str!("../../../../conf/rules/uploads.xml"),
        &["aws-sdk-js-v3", "uppy", "aws4fetch", "pdfjs", "pmtiles", "range-reader", "zip.js", "embed"],
    ),
    (
        "environments.xml",
        include_str!("../../../../conf/rules/environments.xml"),
        &["aws-sdk-js-v3", "uppy", "aws4fetch", "pdfjs", "pmtiles", "range-reader", "zip.js", "embed"],
    ),
    ("demo", include_str!("../../../src/cli/demo/rules.xml"), &["aws-sdk-js-v3", "uppy", "range-reader", "zip.js"]),
    (
        "compose",
        include_str!("../../../../deploy/compose/rules/_default.xml"),
        &["aws-sdk-js-v3", "uppy", "range-reader", "zip.js"],
    ),
];

#[test]
fn the_clients_that_shipped_rules_are_for_work_with_them() {
    for (name, text, profiles) in SHIPPED {
        for profile in *profiles {
            let lacking = parse(text).unserved(profile.parse().unwrap());
            let lacking: Vec<_> = lacking.iter().filter(|warning| !warning.is_note()).map(Warning::message).collect();
            assert!(lacking.is_empty(), "{name} for {profile}: {lacking:?}");
        }
    }
}

/// Chromium answers a range from its cache, with the checksum of the whole, and the SDK compares the two.
#[test]
fn no_shipped_rule_shows_a_checksum_to_a_read() {
    for (name, text, _) in SHIPPED {
        for rule in parse(text).configuration().rules() {
            let reads = rule.allowed_methods().iter().any(|method| method.as_str() == "GET");
            let shows = rule.expose_headers().iter().any(|header| header.as_str().starts_with("x-amz-checksum"));
            assert!(!(reads && shows), "{name}: {:?}", rule.id());
        }
    }
}

#[test]
fn a_port_that_is_any_but_the_schemes_own_is_a_note() {
    for (origins, noted) in [
        ("https://app.example.com:*", Some("https://app.example.com")),
        ("http://intra.example.com:*", Some("http://intra.example.com")),
        ("https://app.example.com:*|https://app.example.com", None),
        ("https://app.example.com:*|https://*.example.com", None),
        ("https://app.example.com:8*", None),
        ("http://localhost:*", None),
        ("http://127.0.0.1:*|http://[::1]:*", None),
        ("https://*.example.com", None),
        ("https://app.example.com:8443", None),
        ("capacitor://localhost:*", None),
    ] {
        let notes = parse(&json(&[Rule(origins, "GET", "", "", 60)])).notes();
        let found: Vec<_> = notes.iter().map(|note| format!("{} {}", note.code(), note.message())).collect();
        let expected = noted.map(|origin| {
            format!(
                "DefaultPortNotMatched AllowedOrigin \"{origin}:*\" does not match \"{origin}\": browsers leave out the scheme's own port"
            )
        });
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{origins}");
        assert!(notes.iter().all(Warning::is_note));
    }
}
