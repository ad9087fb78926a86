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
        ("aws-sdk-js-v3", &[Rule(APP, "GET|HEAD|PUT|POST", "*", SUM, 60)], &[]),
        ("aws-sdk-js-v3", &[Rule(APP, "GET|HEAD|PUT|POST", SDK, SUM, 60)], &[]),
        // Another origin may have less.
        (
            "aws-sdk-js-v3",
            &[Rule("http://localhost:*", "GET", "", "", 60), Rule(APP, "GET|HEAD|PUT|POST", SDK, SUM, 60)],
            &[],
        ),
        (
            "aws-sdk-js-v3",
            &[Rule(APP, "GET|HEAD|PUT|POST", "*", "ETag", 60)],
            &["cannot upload a part from \"https://app.example.com\": x-amz-checksum-crc32 not exposed"],
        ),
        (
            "aws-sdk-js-v3",
            &[Rule(APP, "GET|HEAD|PUT", "*", SUM, 60)],
            &[
                "cannot begin an upload in parts from \"https://app.example.com\": POST is not allowed",
                "cannot finish an upload in parts from \"https://app.example.com\": POST is not allowed",
            ],
        ),
        ("uppy", &[Rule(APP, "PUT", "Content-Type", "ETag", 60)], &[]),
        (
            "uppy",
            &[Rule("https://*.example.com", "PUT", "", "ETag", 60)],
            &["cannot upload a file from \"https://*.example.com\": content-type not allowed"],
        ),
        ("tus", &[Rule(APP, "POST|HEAD", TUS, "Location|Upload-Offset|Upload-Length", 60)], &[]),
        (
            "tus",
            &[Rule(APP, "POST|HEAD", TUS, "Upload-Offset|Upload-Length", 60)],
            &["cannot begin an upload from \"https://app.example.com\": location not exposed"],
        ),
        ("duckdb-wasm", &[Rule("*", "GET|HEAD", "Range", "Content-Range", 60)], &[]),
        (
            "duckdb-wasm",
            &[Rule("*", "GET", "Range", "Content-Range", 60)],
            &["cannot ask for a file's length from \"*\": HEAD is not allowed"],
        ),
        ("pdfjs", &[Rule("*", "GET", "Range", "Accept-Ranges|Content-Range", 60)], &[]),
        (
            "pdfjs",
            &[Rule("*", "GET", "Range", "Content-Range", 60)],
            &["cannot read a range from \"*\": accept-ranges not exposed"],
        ),
        ("hls", &[Rule("*", "GET", "range", "", 60)], &[]),
        (
            "hls",
            &[Rule("*", "GET", "", "", 60)],
            &["cannot read a segment that is a range from \"*\": range not allowed"],
        ),
        // A preflight finds the second rule, and the request the first one: it does not name its headers.
        (
            "pmtiles",
            &[Rule(APP, "GET", "", "", 60), Rule(APP, "GET", "range|if-match", "ETag", 60)],
            &["cannot read a range from \"https://app.example.com\": etag not exposed"],
        ),
        // The first rule that matches decides, not the one that exposes more.
        (
            "pmtiles",
            &[Rule(APP, "GET", "*", "", 60), Rule(APP, "GET", "range|if-match", "ETag", 60)],
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
    }
    assert!("aws-sdk".parse::<Profile>().is_err());
}

#[test]
fn the_place_is_that_of_the_rule_that_needs_least() {
    let rules = [Rule(APP, "GET", "", "", 60), Rule(APP, "PUT", "", "ETag", 60)];
    let places: Vec<_> =
        parse(&json(&rules)).unserved(Profile::Uppy).iter().map(|found| found.position().to_string()).collect();
    assert_eq!(places, ["7:1"]);
}
