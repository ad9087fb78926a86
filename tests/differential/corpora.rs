//! The recorded cases of Amazon S3, with both drivers.

use super::{Case, Twins};
use crate::support::corpus::{documents, requests};
use crate::support::rules::Rules;
use std::collections::BTreeMap;

#[test]
fn every_recorded_request() {
    let (rules, mut buckets) = (Rules::empty(), BTreeMap::new());
    let cases = requests();
    for config in cases.iter().filter_map(|case| case.config.as_deref()) {
        let number = buckets.len();
        buckets.entry(config).or_insert_with(|| format!("bucket-{number}"));
    }
    for (config, bucket) in &buckets {
        rules.write(&format!("{bucket}.xml"), config);
    }
    let mut twins = Twins::with(rules, "", &["s3.example.test", "s3-website.example.test"]);
    for case in &cases {
        let bucket = case.config.as_deref().map_or("bucket", |config| &*buckets[config]);
        let request = &case.request;
        let in_host = request.headers.keys().any(|name| name.eq_ignore_ascii_case("host"));
        let rest = request.path.strip_prefix("/bucket").filter(|rest| !in_host && !rest.starts_with('-'));
        let target = rest.map_or_else(|| request.path.clone(), |rest| format!("/{bucket}{rest}"));
        let mut sent = format!("{} {target} HTTP/1.1\r\n", request.method);
        if !in_host {
            sent.push_str("Host: s3.example.test\r\n");
        }
        for (name, value) in &request.headers {
            let domain = value.strip_prefix("bucket.").filter(|_| name.eq_ignore_ascii_case("host"));
            let value = domain.map_or_else(|| value.clone(), |domain| format!("{bucket}.{domain}"));
            sent.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut twin = Case::new(format!("{sent}\r\n"));
        twin.name = case.id.clone();
        if let Some(answer) = &case.upstream {
            let mut text = format!("HTTP/1.1 {} Scripted\r\nContent-Length: 0\r\n", answer.status);
            for (name, value) in &answer.headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            twin.plan.sends = vec![(text + "\r\n").into()];
        }
        twins.check(&twin);
    }
    twins.finish(255, 100, 250);
}

#[test]
fn every_recorded_document() {
    let (rules, accepted) = (Rules::empty(), documents().into_iter().filter(|case| case.accept));
    let accepted: Vec<_> = accepted.collect();
    for (number, case) in accepted.iter().enumerate() {
        rules.write(&format!("bucket-{number}.xml"), &case.xml);
    }
    let mut twins = Twins::with(rules, "", &[]);
    for (number, _) in accepted.iter().enumerate() {
        let head = format!("/bucket-{number}/key HTTP/1.1\r\nHost: h\r\nOrigin: http://www.example.com\r\n");
        twins.check(&Case::new(format!("GET {head}\r\n")));
        twins.check(&Case::new(format!("OPTIONS {head}Access-Control-Request-Method: GET\r\n\r\n")));
    }
    twins.finish(52, 26, 52);
}
