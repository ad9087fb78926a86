//! What `s3cors check` warns of, and a running proxy.

use crate::support::eventually;
use crate::support::process::{ConfigFile, Ended, run, run_to_end, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;
use serde_json::{Value, json};
use std::path::Path;

fn check(arguments: &[&str], file: &Path) -> Ended {
    run(&[&["check"], arguments, &[file.to_str().unwrap()]].concat())
}

#[test]
fn check_shows_the_warnings_of_a_document_with_errors() {
    let rules = Rules::empty();
    rules.write(
        "bucket.xml",
        allowing("https://a.example/").replace("</CORSRule>", "<AllowedHeaders>*</AllowedHeaders></CORSRule>"),
    );
    let ended = check(&[], &rules.file("bucket.xml"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for said in ["error: MalformedXML: ", "warning: OriginNeverMatches: ", "not valid: 1 error, 1 warning\n"] {
        assert!(ended.stdout.contains(said), "{said}: {}", ended.stdout);
    }
}

#[test]
fn check_says_whether_a_client_would_work() {
    let rules = Rules::empty();
    rules.write(
        "bucket.json",
        r#"[{"AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"], "AllowedHeaders": ["range"],
             "ExposeHeaders": ["Content-Range"]}]"#,
    );
    let not_served = "bucket.json:1:2: warning: ProfileNotServed: pdfjs cannot read a range from \"https://a.example\": \
                      accept-ranges not exposed; hint: add accept-ranges to the exposed headers\n";
    for (arguments, code, said) in [
        (&["--strict", "--profile", "hls"][..], 0, "valid: 0 errors, 0 warnings\n"),
        (&["--profile", "hls", "--profile", "pdfjs"], 0, not_served),
        (&["--strict", "--profile", "pdfjs"], 1, "not valid: 0 errors, 1 warning\n"),
    ] {
        let ended = check(arguments, &rules.file("bucket.json"));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{arguments:?}: {ended:?}");
        assert!(ended.stdout.contains(said), "{arguments:?}: {}", ended.stdout);
    }
    let ended = check(&["--strict", "--format", "json", "--profile", "hls"], &rules.file("bucket.json"));
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let (notes, warnings) = (found["notes"].as_array().unwrap(), found["warnings"].as_array().unwrap());
    assert!(ended.code == Some(0) && warnings.is_empty() && notes.len() == 1, "a note is no warning: {found:#}");
    assert!(notes[0]["message"].as_str().unwrap().starts_with("hls with cmcd.useHeaders cannot"), "{found:#}");
    let alias = check(&["--profile", "zipjs"], &rules.file("bucket.json"));
    assert!(alias.stdout.contains("zip.js cannot read a range"), "{alias:?}");
    let ended = check(&["--profile", "hsl"], &rules.file("bucket.json"));
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .contains("aws-sdk-js-v3, uppy, tus, duckdb-wasm, pdfjs, hls, pmtiles, range-reader, zip.js, zarrita"),
        "{}",
        ended.stderr
    );
}

/// The lines about likely mistakes in a proxy's log: file, line, column and code.
fn warned(proxy: &Proxy) -> Vec<Value> {
    let lines = proxy.log().into_iter().filter(|line| line["level"] == "WARN" && line["code"].is_string());
    lines.map(|line| json!([line["file"], line["line"], line["column"], line["code"]])).collect()
}

#[test]
fn a_proxy_logs_the_warnings_about_each_document_once() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok(""));
    let likely_mistaken = |name: &str| json!([rules.file(name), 1, 30, "OriginNeverMatches"]);
    rules.write("a.xml", allowing("https://a.example/"));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let mut expected = vec![likely_mistaken("a.xml")];
    eventually("the start's are logged", || (warned(&proxy) == expected).then_some(()));
    for name in ["b.xml", "c.xml"] {
        // The second reload reads all documents again, and the first one's are not repeated.
        rules.write(name, allowing("https://a.example/"));
        assert_eq!(proxy.ask("POST", "/-/reload").status, 200);
        expected.push(likely_mistaken(name));
        eventually("the new document's are logged", || (warned(&proxy) == expected).then_some(()));
    }
    rules.write("a.xml", allowing("https://other.example/"));
    assert_eq!(proxy.ask("POST", "/-/reload").status, 200);
    expected.push(likely_mistaken("a.xml"));
    eventually("the changed document's are logged", || (warned(&proxy) == expected).then_some(()));
    let shown = proxy.ask("GET", "/api/rules").text();
    assert!(shown.contains("1:30: OriginNeverMatches: "), "{shown}");
}

#[test]
fn warnings_about_many_documents_do_not_fill_the_log() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok(""));
    for number in 0..60 {
        rules.write(&format!("b{number}.xml"), allowing("https://a.example/"));
    }
    let proxy = Proxy::start(rules.path(), upstream.address);
    let more = eventually("the rest is counted", || proxy.log().into_iter().find(|line| line["more"].is_number()));
    assert_eq!((&more["more"], warned(&proxy).len()), (&json!(10), 50));
    assert!(more["message"].as_str().unwrap().contains("s3cors check"), "{more}");
}

#[test]
fn what_sign_opens_is_told_by_check_and_at_the_start() {
    let (rules, upstream) = (Rules::empty(), Upstream::ok(""));
    rules.write("named.xml", allowing("https://a.example"));
    rules.write("_default.xml", allowing("*"));
    let whole = "sign: everyone who reaches this proxy can read the whole bucket named";
    let any_page = "sign: everyone can read docs/ of bucket site, and the default rules allow every origin";
    let playlists = "sign: in films, anyone who can choose the key of an object";
    for (text, warnings, notes) in [
        ("sign: [{bucket: named, prefix: docs/}]\n", &[][..], &[][..]),
        ("sign: [{bucket: named}]\n", &[("WholeBucketPublic", whole)], &[]),
        ("sign: [{bucket: site, prefix: docs/}]\n", &[("AnyPageReads", any_page)], &[]),
        ("sign: [{bucket: films, when: granted}]\n", &[], &[("PlaylistOpensFolder", playlists)]),
        ("grants: {ttl: 1h}\n", &[("UnusedGrants", "grants has no effect")], &[]),
        ("upstream: {credentials: {region: x}}\n", &[("UnusedCredentials", "upstream.credentials has no effect")], &[]),
    ] {
        let url = format!("http://{}", upstream.address);
        let text =
            format!("admin: 127.0.0.1:0\nlisten: 127.0.0.1:0\n{text}rules: {{path: '{}'}}\n", rules.path().display());
        let config = ConfigFile::new(&text);
        let with_upstream = |arguments: &[&str]| {
            let mut command = s3cors(arguments);
            command.args(["--config", &config.argument()]).env("S3CORS_UPSTREAM", &url);
            command
        };
        let checked = run_to_end(with_upstream(&["check", "--strict"]), "");
        assert_eq!(checked.code, Some(i32::from(!warnings.is_empty())), "a note is no warning: {text}: {checked:?}");
        let proxy = Proxy::spawn(with_upstream(&["serve"]));
        let log = proxy.log();
        for (kind, level, expected) in [("warning", "WARN", warnings), ("note", "INFO", notes)] {
            let lines = checked.stdout.lines().filter(|line| line.contains(&format!(" {kind}: ")));
            assert_eq!(lines.count(), expected.len(), "{text}: {}", checked.stdout);
            for (code, said) in expected {
                assert!(
                    checked.stdout.contains(&format!(":1:1: {kind}: {code}: {said}")),
                    "{text}: {}",
                    checked.stdout
                );
                let is_it =
                    |line: &&Value| line["level"] == level && line["message"].as_str().unwrap().starts_with(said);
                assert_eq!(log.iter().filter(is_it).count(), 1, "{text}: {log:#?}");
            }
        }
    }
}
