//! The corpora of Amazon S3's behaviour: what a case is, and how differences are told. The engine's tests read them, too.

#![allow(dead_code, reason = "what is asked of the engine and what is asked of the program is not the same")]

use serde::Deserialize;
use std::collections::BTreeMap;

const DOCUMENTS: &str = include_str!("../data/documents.json");
const REQUESTS: &str = include_str!("../data/requests.json");

/// Every document, and whether S3 takes it. The number is asserted: a corpus that is empty would pass.
pub fn documents() -> Vec<DocumentCase> {
    let cases: Vec<DocumentCase> = serde_json::from_str(DOCUMENTS).unwrap();
    assert_eq!((cases.len(), cases.iter().filter(|case| case.accept).count()), (72, 26));
    cases
}

/// Every request, and what S3 answers.
pub fn requests() -> Vec<RequestCase> {
    let cases: Vec<RequestCase> = serde_json::from_str(REQUESTS).unwrap();
    assert_eq!(cases.len(), 255);
    cases
}

#[derive(Deserialize)]
pub struct DocumentCase {
    pub id: String,
    pub xml: String,
    pub accept: bool,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    #[serde(default)]
    pub message_alternatives: Vec<String>,
    #[serde(default)]
    pub optional: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Deserialize)]
pub struct RequestCase {
    pub id: String,
    /// The bucket's configuration as XML; none is a bucket without one.
    pub config: Option<String>,
    pub request: Request,
    #[serde(default = "yes")]
    pub bucket_exists: bool,
    /// What the server behind answers: there for actual requests, and for no preflight.
    pub upstream: Option<Answer>,
    pub expect: Expectation,
    #[serde(default)]
    pub optional: bool,
}

#[derive(Deserialize)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
pub struct Expectation {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub header_tokens: BTreeMap<String, Vec<String>>,
    pub absent_headers: Vec<String>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    #[serde(default)]
    pub error_fields: Option<BTreeMap<String, String>>,
}

/// What differs in one case: nothing, when it is right.
pub type Differences = Vec<String>;

#[allow(clippy::needless_pass_by_value, reason = "most of what is compared is made for it")]
pub fn differs<T: PartialEq + std::fmt::Debug>(differences: &mut Differences, what: &str, found: T, expected: T) {
    if found != expected {
        differences.push(format!("{what}: {found:?}, expected {expected:?}"));
    }
}

/// Fails with all the cases that differ. Those whose outcome is not known from S3, or safe to differ in, are only printed.
pub fn report(cases: impl IntoIterator<Item = (String, bool, Differences)>) {
    let mut failures = Vec::new();
    for (id, optional, differences) in cases.into_iter().filter(|(_, _, differences)| !differences.is_empty()) {
        let text = format!("{id}: {}", differences.join("; "));
        if optional { eprintln!("optional, differs: {text}") } else { failures.push(text) }
    }
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}
