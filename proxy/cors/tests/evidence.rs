//! What the sources say about S3 names the case that shows it: `(S3: id, id)`. This test finds every such mark and looks the ids up
//! in the corpora of `tests/data`, whose every case says how it is known.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

mod corpus;

use corpus::Evidence;

fn cases() -> HashMap<String, Evidence> {
    let documents = corpus::documents().into_iter().map(|case| (case.id, case.evidence));
    let requests = corpus::requests().into_iter().map(|case| (case.id, case.evidence));
    documents.chain(requests).collect()
}

/// The text of all comments, in one line: a mark may be wrapped.
fn comments(source: &str) -> String {
    let comment =
        |line: &str| line.split_once("//").map(|(_, text)| text.trim_start_matches(['/', '!']).trim().to_owned());
    source.lines().filter_map(comment).collect::<Vec<_>>().join(" ")
}

/// The ids of all marks: `(S3: id, id)`, or after another source, `(RFC 9110 §5.1; S3: id)`.
fn marked(comments: &str) -> Vec<String> {
    let marks = ["(S3: ", "; S3: "].into_iter().flat_map(|start| comments.split(start).skip(1));
    let ids = marks.filter_map(|after| after.split(')').next()).flat_map(|ids| ids.split(','));
    ids.map(|id| id.trim().to_owned()).collect()
}

/// What is wrong with a source's statements about S3.
fn faults(source: &str, cases: &HashMap<String, Evidence>) -> Vec<String> {
    let comments = comments(source);
    let unknown = marked(&comments).into_iter().filter(|id| !cases.contains_key(id));
    let mut faults: Vec<_> = unknown.map(|id| format!("there is no case {id:?}")).collect();
    if comments.contains("(recorded") || comments.contains("recorded)") {
        faults.push("\"recorded\" without the id of a case".to_owned());
    }
    faults
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn every_statement_about_s3_names_cases_that_exist() {
    let cases = cases();
    let mut marks = 0;
    let mut wrong = Vec::new();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let source = fs::read_to_string(&path).unwrap();
        marks += marked(&comments(&source)).len();
        wrong.extend(faults(&source, &cases).into_iter().map(|fault| format!("{}: {fault}", path.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(marks > 40, "only {marks} ids found: are they still written as the test reads them?");
}

/// In the repository the proxy's own sources are held to the same; the packaged crate has none.
#[test]
fn every_statement_of_the_proxy_about_s3_names_cases_that_exist() {
    let proxy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
    if !proxy.join("lib.rs").is_file() {
        return;
    }
    let cases = cases();
    let unknown = |path: PathBuf| {
        let ids = marked(&comments(&fs::read_to_string(&path).unwrap()));
        let unknown: Vec<_> = ids.into_iter().filter(|id| !cases.contains_key(id)).collect();
        (!unknown.is_empty()).then(|| format!("{}: {unknown:?}", path.display()))
    };
    let wrong: Vec<_> = sources(&proxy).into_iter().filter_map(unknown).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_mark_without_a_case_is_found() {
    let cases = cases();
    for (source, expected) in [
        ("/// S3 does (S3: ok-minimal).", 0),
        ("// S3 does (Fetch; S3: ok-minimal,\n    // sd-pattern-match) so", 0),
        ("let x = 1; // (S3: no-such-case)", 1),
        ("/// a (S3: ok-minimal, nor-this) b (S3: nor-that)", 2),
        ("/// S3 does (recorded).", 1),
        ("/// S3 does (recorded: 101 are refused)", 1),
        ("let marks = \"(S3: code)\";", 0),
    ] {
        let found = faults(source, &cases);
        assert_eq!(found.len(), expected, "{source}: {found:?}");
    }
}

/// The strongest evidence is not a minority: most of what is claimed was seen on S3 itself.
#[test]
fn most_cases_were_seen_on_s3() {
    let cases = cases();
    let seen =
        cases.values().filter(|evidence| matches!(evidence, Evidence::AwsRecorded | Evidence::AwsRunTest)).count();
    assert!(2 * seen > cases.len(), "{seen} of {}", cases.len());
}
