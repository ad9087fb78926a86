//! The header names that the lint knows of S3, against S3's model in the crate aws-sdk-s3 that is locked.

use super::{Rule, json, parse, shown};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The source of the locked crate; cargo has it, since the proxy depends on it.
fn source_of_model() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "aws-sdk-s3").unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().join("src/protocol_serde")
}

/// The names of header lines that an operation writes (`.header("…")`) or reads (`.get_all("…")`), in lower case.
fn names_of_model() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in std::fs::read_dir(source_of_model()).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for call in [".header(", ".get_all(", ".get_all_bytes("] {
            let literals = text.split(call).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            names.extend(literals.filter_map(|rest| Some(rest.split_once('"')?.0.to_ascii_lowercase())));
        }
    }
    // What a function of Object Lambda sends to S3 is no header of an object's client; the other is the crate's own.
    names.retain(|name| !name.starts_with("x-amz-fwd-") && name != "expiresstring");
    names
}

const GENERATED: &str = "src/document/lint/names_of_s3.rs";

#[test]
fn the_known_names_are_those_of_s3s_model() {
    let names = names_of_model();
    assert!(names.len() > 100 && names.contains("x-amz-restore-output-path"), "{names:?}");
    let mut text = "//! The header names of S3's requests and responses, in lower case and in order.\n//!\n//! Generated from the crate \
                    aws-sdk-s3: `S3CORS_WRITE=1 cargo test -p s3-cors --test lint model`.\n\npub(super) const OF_S3: &[&str] = &[\n"
        .to_owned();
    for name in &names {
        writeln!(text, "    \"{name}\",").unwrap();
    }
    text.push_str("];\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GENERATED);
    if std::env::var_os("S3CORS_WRITE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "run with S3CORS_WRITE=1");
}

#[test]
fn no_name_of_s3s_model_is_a_misspelling_and_one_letter_less_is() {
    for name in names_of_model() {
        let warned = |name: &str| {
            let document = parse(
                &json(&[Rule("https://a.example.com", "GET", "Range", "Content-Range", 60)])
                    .replace("\"Range", &format!("\"{name}")),
            );
            shown(&document.warnings())
        };
        assert!(!warned(&name).iter().any(|found| found.contains("HeaderMisspelt")), "{name}");
        if name.starts_with("x-amz-") {
            let misspelt = format!("x-amz-{}", &name[7..]);
            assert!(warned(&misspelt).iter().any(|found| found.contains("HeaderMisspelt")), "{misspelt}");
        }
    }
}
