//! Hostile, malformed and odd documents: what is rejected, with S3's code, and at which line and column an editor shows it; and
//! what is accepted although it looks odd.
//!
//! XML and JSON can be malformed in any way that their grammars do not allow; anyone who may store a document may send these.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod json;
mod mistakes;
mod xml;

use Format::{Json, Xml};
use s3_cors::{Document, DocumentErrors, Format, MAX_DOCUMENT_LENGTH};

const MALFORMED: &str = "MalformedXML";
const INVALID: &str = "InvalidRequest";
const TOO_LONG: &str = "MaxMessageLengthExceeded";

/// Place, code, and a part of S3's message or of the detail.
type Expected = (&'static str, &'static str, &'static str);
type Refused = (&'static str, Format, Vec<u8>, Vec<Expected>);
/// Name, format, document, and what its first rule is (see [`first_rule`]).
type Accepted = (&'static str, Format, Vec<u8>, &'static str);

/// A configuration whose content begins on line 2.
fn root(content: &str) -> Vec<u8> {
    format!("<CORSConfiguration>\n{content}\n</CORSConfiguration>").into()
}

/// A rule that is good but for what is put into it: on line 2, and what is put in begins on line 3.
fn rule(content: &str) -> Vec<u8> {
    root(&format!(
        "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>\n{content}\n</CORSRule>"
    ))
}

const RULE: &str = "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>";

/// A rule that is good but for what is put into it, which begins on line 2.
fn json(members: &str) -> Vec<u8> {
    format!("[{{\"AllowedMethods\": [\"GET\"], \"AllowedOrigins\": [\"*\"],\n{members}\n}}]").into()
}

fn found(errors: &DocumentErrors) -> Vec<(String, &'static str, String)> {
    let show = |error: &s3_cors::DocumentError| {
        let said = format!("{} {}", error.message(), error.detail().unwrap_or_default());
        (error.position().to_string(), error.code().as_str(), said)
    };
    errors.iter().map(show).collect()
}

fn check_refused(cases: Vec<Refused>) {
    let mut failures = Vec::new();
    for (name, format, bytes, expected) in cases {
        let found = match Document::parse(&bytes, format) {
            Ok(_) => Vec::new(),
            Err(errors) => found(&errors),
        };
        let same = found.len() == expected.len()
            && found.iter().zip(&expected).all(|(f, e)| f.0 == e.0 && f.1 == e.1 && f.2.contains(e.2));
        if !same {
            failures.push(format!("{name}:\n   found {found:#?}\n   expected {expected:?}"));
        }
    }
    assert!(failures.is_empty(), "{} of the documents:\n{}", failures.len(), failures.join("\n"));
}

/// Its ID, its origins and its time.
fn first_rule(document: &Document) -> String {
    let rule = document.configuration().rules().first().unwrap();
    let origins: Vec<_> = rule.allowed_origins().iter().map(s3_cors::OriginPattern::as_str).collect();
    let time = rule.max_age_seconds().map(|seconds| seconds.to_string());
    [rule.id().unwrap_or_default().to_owned(), origins.join(" "), time.unwrap_or_default()].join("|")
}

fn check_accepted(cases: Vec<Accepted>) {
    for (name, format, bytes, expected) in cases {
        let document = Document::parse(&bytes, format).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        assert_eq!(first_rule(&document), expected, "{name}");
        let again = document.configuration().to_xml().unwrap();
        assert_eq!(Document::parse(again.as_bytes(), Xml).unwrap().configuration(), document.configuration(), "{name}");
    }
}

#[test]
fn a_document_has_at_most_65_536_bytes() {
    let padded = |mut document: Vec<u8>, length| {
        document.resize(length, b' ');
        document
    };
    let refused = vec![("1:1", TOO_LONG, "65537 bytes")];
    check_accepted(vec![
        ("XML", Xml, padded(root(RULE), MAX_DOCUMENT_LENGTH), "|*|"),
        ("JSON", Json, padded(json("\"ID\": \"a\""), 65_536), "a|*|"),
    ]);
    check_refused(vec![
        ("XML", Xml, padded(root(RULE), 65_537), refused.clone()),
        ("JSON", Json, padded(json("\"ID\": \"a\""), 65_537), refused.clone()),
        ("only its length is looked at", Xml, vec![0xff; 65_537], refused),
    ]);
}
