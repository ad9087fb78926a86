//! The corpora of Amazon S3's behaviour: what a case is, and how differences are reported. The tests of the library and those of
//! the proxy read them.

#![allow(dead_code, reason = "each test reads the parts that it needs")]

use serde::Deserialize;
use std::collections::BTreeMap;

const DOCUMENTS: &str = include_str!("../data/documents.json");
const REQUESTS: &str = include_str!("../data/requests.json");

/// Every document, and whether S3 accepts it. The number is asserted: an empty corpus would pass.
pub fn documents() -> Vec<DocumentCase> {
    let cases: Vec<DocumentCase> = serde_json::from_str(DOCUMENTS).unwrap();
    assert_eq!((cases.len(), cases.iter().filter(|case| case.accept).count()), (72, 26));
    cases
}

/// Every request, and what S3 responds.
pub fn requests() -> Vec<RequestCase> {
    let cases: Vec<RequestCase> = serde_json::from_str(REQUESTS).unwrap();
    assert_eq!(cases.len(), 255);
    cases
}

/// How it is known what S3 does in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Responses recorded from S3.
    AwsRecorded,
    /// A test of another project that was run against S3.
    AwsRunTest,
    /// A test of a conformance suite for S3 servers.
    ConformanceTest,
    /// A test of a server that is modelled on S3.
    AwsModelledTest,
    /// S3's documentation.
    AwsDoc,
    /// A conclusion from the others, or from a standard.
    Derived,
}

#[derive(Deserialize)]
pub struct DocumentCase {
    pub id: String,
    pub evidence: Evidence,
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
    pub evidence: Evidence,
    /// The bucket's configuration as XML; `None` is a bucket without one.
    pub config: Option<String>,
    pub request: Request,
    #[serde(default = "yes")]
    pub bucket_exists: bool,
    /// What the upstream responds: there for actual requests, not for preflights.
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
#[allow(clippy::print_stderr, reason = "optional cases are printed when they differ")]
pub fn report(cases: impl IntoIterator<Item = (String, bool, Differences)>) {
    let mut failures = Vec::new();
    for (id, optional, differences) in cases.into_iter().filter(|(_, _, differences)| !differences.is_empty()) {
        let text = format!("{id}: {}", differences.join("; "));
        if optional { eprintln!("optional, differs: {text}") } else { failures.push(text) }
    }
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}
