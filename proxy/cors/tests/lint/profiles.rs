//! Whether rules let a client work.

use super::{Rule, json, parse};
use s3_cors::Profile;

const APP: &str = "https://app.example.com";
const SDK: &str = "authorization|content-type|x-amz-*|amz-sdk-*";
const SUM: &str = "ETag|x-amz-checksum-crc32";
const TUS: &str = "Tus-Resumable|Upload-*|Content-Type|X-HTTP-Method-Override";

#[test]
fn a_client_works_or_lacks_what_is_named() {
    let cases: &[(&str, &[Rule], &[&str])] = &[
        ("aws-sdk-js-v3", &[Rule(APP, "GET|HEAD|PUT|POST|DELETE", "*", SUM, 60)], &[]),
        ("aws-sdk-js-v3", &[Rule(APP, "GET|HEAD|PUT|POST|DELETE", SDK, SUM, 60)], &[]),
        // Another origin may have less.
        (
            "aws-sdk-js-v3",
            &[Rule("http://localhost:*", "GET", "", "", 60), Rule(APP, "GET|HEAD|PUT|POST|DELETE", SDK, SUM, 60)],
            &[],
        ),
        (
            "aws-sdk-js-v3",
            &[Rule(APP, "GET|HEAD|PUT|POST|DELETE", "*", "ETag", 60)],
            &["cannot upload a part from \"https://app.example.com\": x-amz-checksum-crc32 not exposed"],
        ),
        (
            "aws-sdk-js-v3",
            &[Rule(APP, "GET|HEAD|PUT", "*", SUM, 60)],
            &[
                "cannot begin an upload in parts from \"https://app.example.com\": POST is not allowed",
                "cannot finish an upload in parts from \"https://app.example.com\": POST is not allowed",
                "cannot cancel an upload in parts from \"https://app.example.com\": DELETE is not allowed",
            ],
        ),
        ("uppy", &[Rule(APP, "GET|PUT|POST|DELETE", "Content-Type", "ETag", 60)], &[]),
        (
            "uppy",
            &[Rule(APP, "PUT", "Content-Type", "ETag", 60)],
            &[
                "cannot begin an upload in parts from \"https://app.example.com\": POST is not allowed",
                "cannot list the parts of an upload from \"https://app.example.com\": GET is not allowed",
                "cannot finish an upload in parts from \"https://app.example.com\": POST is not allowed",
                "cannot cancel an upload in parts from \"https://app.example.com\": DELETE is not allowed",
            ],
        ),
        (
            "uppy",
            &[
                Rule("https://*.example.com", "PUT", "", "ETag", 60),
                Rule("https://*.example.com", "GET|POST|DELETE", "*", "ETag", 60),
            ],
            &["cannot upload a file from \"https://*.example.com\": content-type not allowed"],
        ),
        ("tus", &[Rule(APP, "POST|HEAD", TUS, "Location|Upload-Offset|Upload-Length", 60)], &[]),
        (
            "tus",
            &[Rule(APP, "POST|HEAD", TUS, "Upload-Offset|Upload-Length", 60)],
            &["cannot begin an upload from \"https://app.example.com\": location not exposed"],
        ),
        ("duckdb-wasm", &[Rule("*", "GET|HEAD|PUT", "*", "Content-Range|ETag", 60)], &[]),
        (
            "duckdb-wasm",
            &[Rule("*", "GET", "Range", "Content-Range", 60)],
            &[
                "cannot ask for a file's length from \"*\": HEAD is not allowed",
                "with keys (s3://) cannot read a range from \"*\": authorization, x-amz-content-sha256, x-amz-date not allowed",
                "with keys (s3://) cannot write a file from \"*\": PUT is not allowed",
            ],
        ),
        ("pdfjs", &[Rule("*", "GET", "Range", "Accept-Ranges|Content-Disposition", 60)], &[]),
        (
            "pdfjs",
            &[Rule("*", "GET", "Range", "Content-Disposition", 60)],
            &["cannot read a range from \"*\": accept-ranges not exposed"],
        ),
        ("hls", &[Rule("*", "GET", "range|cmcd-*", "", 60)], &[]),
        (
            "hls",
            &[Rule("*", "GET", "", "", 60)],
            &[
                "cannot read a segment that is a range, in older browsers, from \"*\": range not allowed",
                "with cmcd.useHeaders cannot report playback in headers from \"*\": cmcd-object, cmcd-request, cmcd-session, \
                 cmcd-status not allowed",
            ],
        ),
        // A preflight finds the second rule, and the request the first one: it does not name its headers.
        (
            "pmtiles",
            &[Rule(APP, "GET", "", "", 60), Rule(APP, "GET", "range", "ETag", 60)],
            &["cannot read a range from \"https://app.example.com\": etag not exposed"],
        ),
        // The first rule that matches decides, not the one that exposes more.
        (
            "pmtiles",
            &[Rule(APP, "GET", "*", "", 60), Rule(APP, "GET", "range", "ETag", 60)],
            &["cannot read a range from \"https://app.example.com\": etag not exposed"],
        ),
        (
            "pmtiles",
            &[Rule("https://app.example.com/", "GET", "*", "etag", 60)],
            &["cannot read a range from \"https://app.example.com/\": no browser sends this origin"],
        ),
    ];
    for (name, rules, expected) in cases {
        let profile: Profile = name.parse().unwrap();
        let found: Vec<_> =
            parse(&json(rules)).unserved(profile).iter().map(|found| found.message().into_owned()).collect();
        let expected: Vec<_> = expected.iter().map(|expected| format!("{name} {expected}")).collect();
        assert_eq!(found, expected, "{}", json(rules));
    }
}

#[test]
fn a_profile_has_its_name() {
    for profile in Profile::ALL {
        assert_eq!(profile.as_str().parse(), Ok(profile));
        for alias in profile.aliases() {
            assert_eq!(alias.parse(), Ok(profile), "{alias}");
        }
    }
    assert!("zip".parse::<Profile>().is_err());
}

#[test]
fn the_place_is_that_of_the_rule_that_needs_least() {
    let rules = [Rule(APP, "GET", "", "", 60), Rule(APP, "PUT|POST|DELETE|GET", "", "ETag", 60)];
    let places: Vec<_> =
        parse(&json(&rules)).unserved(Profile::Uppy).iter().map(|found| found.position().to_string()).collect();
    assert_eq!(places, ["7:1", "7:1", "7:1"]);
}
