//! Amazon S3's own behaviour, case by case, through the built program: what the engine decides must also be what is sent.

use crate::support::corpus::{
    Answer, Differences, DocumentCase, Request, RequestCase, differs, documents, report, requests,
};
use crate::support::http::{Connection, Response, request};
use crate::support::proxy::{PROGRAM, Proxy};
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Tells the scripted upstream which case a request belongs to.
const CASE: &str = "x-test-case";

#[test]
fn every_request_is_answered_as_s3_does() {
    let cases = requests();
    let upstream = upstream_of(&cases);
    let (rules, mut buckets) = (Rules::empty(), BTreeMap::new());
    for config in cases.iter().filter_map(|case| case.config.as_deref()) {
        let number = buckets.len();
        buckets.entry(config).or_insert_with(|| format!("bucket-{number}"));
    }
    for (config, bucket) in &buckets {
        rules.write(&format!("{bucket}.xml"), config);
    }
    let domains = ["--domain", "s3-website.example.test"];
    let proxy = Proxy::start_with(rules.path(), &format!("http://{}", upstream.address), &domains);

    let answered = cases.iter().enumerate().map(|(number, case)| {
        let bucket = case.config.as_deref().map_or("bucket", |config| &*buckets[config]);
        (case.id.clone(), case.optional, request_differences(case, &ask(&proxy, number, case, bucket)))
    });
    report(answered);

    let forwarded: BTreeSet<usize> =
        upstream.received().iter().map(|request| number_of(request.header(CASE))).collect();
    let actual = cases.iter().enumerate().filter(|(_, case)| case.upstream.is_some()).map(|(number, _)| number);
    assert_eq!(forwarded, actual.collect(), "actual requests, and no others, reach the upstream");
}

fn number_of(header: Option<String>) -> usize {
    header.unwrap().parse().unwrap()
}

/// Answers each request as its case says.
fn upstream_of(cases: &[RequestCase]) -> Upstream {
    let answer = |answer: &Answer| {
        let mut text = format!("HTTP/1.1 {} Scripted\r\nContent-Length: 0\r\n", answer.status);
        for (name, value) in &answer.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text + "\r\n"
    };
    let answers: Vec<_> = cases.iter().map(|case| case.upstream.as_ref().map(answer)).collect();
    Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            let answer = answers[number_of(request.header(CASE))].as_deref();
            if !served.send(answer.unwrap_or("HTTP/1.1 500 Not To Be Asked\r\nContent-Length: 0\r\n\r\n")) {
                return;
            }
        }
    })
}

/// Sends a case's request for this bucket, which the cases call `bucket`.
fn ask(proxy: &Proxy, number: usize, case: &RequestCase, bucket: &str) -> Response {
    let Request { method, path, headers } = &case.request;
    let in_host = headers.keys().any(|name| name.eq_ignore_ascii_case("host"));
    let rest = path.strip_prefix("/bucket").filter(|rest| !in_host && !rest.starts_with('-'));
    let target = rest.map_or_else(|| path.clone(), |rest| format!("/{bucket}{rest}"));
    let number = number.to_string();
    let renamed = |name: &str, value: &str| match value.strip_prefix("bucket.") {
        Some(domain) if name.eq_ignore_ascii_case("host") => format!("{bucket}.{domain}"),
        _ => value.to_owned(),
    };
    let mut sent: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), renamed(name, value))).collect();
    sent.push((CASE, number));
    let sent: Vec<_> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Connection::open(proxy.address).send(request(method, &target, &sent, "")).receive_to(method)
}

fn request_differences(case: &RequestCase, answer: &Response) -> Differences {
    let (expect, mut differences) = (&case.expect, Differences::new());
    let all = |name: &str| answer.all(name).map(str::to_owned).collect::<Vec<_>>();
    differs(&mut differences, "status", answer.status, expect.status);
    for (name, value) in &expect.headers {
        differs(&mut differences, name, all(name), vec![value.clone()]);
    }
    for name in &expect.absent_headers {
        differs(&mut differences, name, all(name), vec![]);
    }
    for (name, tokens) in &expect.header_tokens {
        let lines = all(name).join(",");
        let found: Vec<_> = lines.split(',').map(str::trim).collect();
        let missing: Vec<_> =
            tokens.iter().filter(|token| !found.iter().any(|f| f.eq_ignore_ascii_case(token))).collect();
        differs(&mut differences, &format!("missing in {name}"), missing, vec![]);
    }
    let mut names: Vec<_> = answer.cors().into_iter().map(|(name, _)| name).collect();
    let lines = names.len();
    names.dedup();
    differs(&mut differences, "lines of Access-Control headers", lines, names.len());

    differs(&mut differences, "code", answer.element("Code"), expect.error_code.clone());
    differs(&mut differences, "message", answer.element("Message"), expect.error_message.clone());
    if expect.error_code.is_some() {
        for name in ["Method", "ResourceType"] {
            let expected = expect.error_fields.as_ref().and_then(|fields| fields.get(name)).cloned();
            differs(&mut differences, name, answer.element(name), expected);
        }
    }
    differences
}

#[test]
fn every_document_is_checked_as_s3_does() {
    let cases = documents();
    let documents = Rules::empty();
    report(cases.into_iter().map(|case| {
        let name = format!("{}.xml", case.id);
        documents.write(&name, &case.xml);
        (case.id.clone(), case.optional, document_differences(&case, &documents.file(&name)))
    }));
}

fn document_differences(case: &DocumentCase, file: &Path) -> Differences {
    let mut differences = Differences::new();
    let checked = Command::new(PROGRAM).args(["check", "--format", "json"]).arg(file).output().unwrap();
    let findings: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    differs(&mut differences, "exit status", checked.status.code(), Some(if case.accept { 0 } else { 1 }));
    differs(&mut differences, "valid", findings["valid"].as_bool(), Some(case.accept));
    let first = &findings["errors"][0];
    differs(&mut differences, "code", first["code"].as_str(), case.error_code.as_deref());
    let message = first["message"].as_str();
    if !message.is_some_and(|message| case.message_alternatives.iter().any(|other| other == message)) {
        differs(&mut differences, "message", message, case.error_message.as_deref());
    }
    if !case.accept {
        differs(&mut differences, "file", first["file"].as_str(), file.to_str());
        differs(&mut differences, "line", first["line"].as_u64().is_some_and(|line| line > 0), true);
    }
    differences
}
