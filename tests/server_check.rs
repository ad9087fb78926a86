//! `s3cors check --server`: what a server alone would do otherwise with these rules.

use crate::support::process::{Ended, run, run_to_end, s3cors};
use crate::support::rules::Rules;

const TWO_RULES: &str = "<CORSConfiguration><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
    <AllowedHeader>x-amz-*</AllowedHeader></CORSRule><CORSRule><AllowedOrigin>https://app.example</AllowedOrigin>\
    <AllowedMethod>PUT</AllowedMethod><AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader></CORSRule></CORSConfiguration>";

fn checked(server: &str, more: &[&str]) -> Ended {
    let rules = Rules::empty();
    rules.write("photos.xml", TWO_RULES);
    let path = rules.path().to_str().unwrap().to_owned();
    run(&[&["check", "--server", server][..], more, &[&path]].concat())
}

#[test]
fn each_difference_is_told_with_its_rule_and_what_a_page_sees() {
    for (server, said) in [
        ("rgw", "breaks: rule 2 (https://app.example): pages of https://app.example cannot PUT"),
        ("seaweedfs", "opens: all rules: a bucket whose rules are missing is open to every page"),
        ("rustfs", "breaks: rule 1 (x-amz-*): a preflight for a header that x-amz-* stands for is refused"),
        ("garage", "opens: all rules: every page may send what needs a preflight"),
        ("versitygw", "exposes ETag, the storage class and all metadata"),
        ("silo", "by its source; it was not run"),
        ("r2", "breaks: rule 2 (*): a preflight for a header that is not listed by its name is refused"),
        ("minio", "its nearest setting: MINIO_API_CORS_ALLOW_ORIGIN=https://app.example"),
    ] {
        let ended = checked(server, &[]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains(said), "{server}: {}", ended.stdout);
        assert_eq!(checked(server, &["--strict"]).code, Some(1), "{server}: with --strict a difference fails");
    }
}

#[test]
fn as_json_each_difference_has_its_file_kind_and_harm() {
    let ended = checked("rgw", &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let (server, valid) = (&json["server"], &json["valid"]);
    assert_eq!((server["name"].as_str(), server["evidence"].as_str()), (Some("rgw"), Some("run")));
    assert_eq!(valid, true);
    let hidden =
        server["differences"].as_array().unwrap().iter().find(|each| each["kind"] == "first_rule_of_origin").unwrap();
    assert_eq!((hidden["rule"].as_u64(), hidden["harm"].as_str()), (Some(2), Some("breaks")));
    assert!(hidden["file"].as_str().unwrap().ends_with("photos.xml"));
    let without = run(&["check", "--format", "json", "-"]);
    assert!(!without.stdout.contains("\"server\""), "{without:?}");
}

#[test]
fn rules_on_standard_input_are_compared_too_and_an_unknown_server_is_wrong_usage() {
    let ended = run_to_end(s3cors(&["check", "--server", "garage", "-"]), TWO_RULES);
    assert!(ended.stdout.contains("Garage alone would do") && ended.stdout.contains("<stdin>"), "{ended:?}");
    let unknown = checked("amazon", &[]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("silo, minio, rgw"), "{unknown:?}");
}
