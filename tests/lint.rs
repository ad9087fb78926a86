//! What `s3cors check` warns of.

use crate::support::process::{Ended, run};
use crate::support::rules::{Rules, allowing};
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
                      accept-ranges not exposed; hint: add accept-ranges to the exposed headers\nvalid: 0 errors, 1 warning\n";
    for (arguments, code, said) in [
        (&["--strict", "--profile", "hls"][..], 0, "valid: 0 errors, 0 warnings\n"),
        (&["--profile", "hls", "--profile", "pdfjs"], 0, not_served),
        (&["--strict", "--profile", "pdfjs"], 1, "not valid: 0 errors, 1 warning\n"),
    ] {
        let ended = check(arguments, &rules.file("bucket.json"));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(code), ""), "{arguments:?}: {ended:?}");
        assert!(ended.stdout.contains(said), "{arguments:?}: {}", ended.stdout);
    }
    let ended = check(&["--profile", "hsl"], &rules.file("bucket.json"));
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("aws-sdk-js-v3, uppy, tus, duckdb-wasm, pdfjs, hls, pmtiles"), "{}", ended.stderr);
}
