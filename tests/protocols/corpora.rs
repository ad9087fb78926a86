//! The recorded cases of Amazon S3, over each protocol.

use super::{Case, Protocols};
use crate::support::corpus::{documents, requests};
use crate::support::rules::Rules;
use crate::support::twins::Plan;
use std::collections::BTreeMap;

#[test]
fn every_recorded_request_has_one_outcome() {
    let (rules, mut buckets) = (Rules::empty(), BTreeMap::new());
    let cases = requests();
    for config in cases.iter().filter_map(|case| case.config.as_deref()) {
        let number = buckets.len();
        buckets.entry(config).or_insert_with(|| format!("bucket-{number}"));
    }
    for (config, bucket) in &buckets {
        rules.write(&format!("{bucket}.xml"), config);
    }
    let mut protocols = Protocols::with(rules, &["s3.example.test", "s3-website.example.test"]);
    for case in &cases {
        let bucket = case.config.as_deref().map_or("bucket", |config| &*buckets[config]);
        let request = &case.request;
        let in_host = request.headers.keys().any(|name| name.eq_ignore_ascii_case("host"));
        let rest = request.path.strip_prefix("/bucket").filter(|rest| !in_host && !rest.starts_with('-'));
        let target = rest.map_or_else(|| request.path.clone(), |rest| format!("/{bucket}{rest}"));
        let mut asked = Case::new(&request.method, target);
        asked.lines.clear();
        for (name, value) in &request.headers {
            if name.eq_ignore_ascii_case("host") {
                let domain = value.strip_prefix("bucket.");
                asked.host = domain.map_or_else(|| value.clone(), |domain| format!("{bucket}.{domain}"));
            } else {
                asked.lines.push((name.to_ascii_lowercase(), value.clone()));
            }
        }
        asked.name = case.id.clone();
        if let Some(answer) = &case.upstream {
            let mut text = format!("HTTP/1.1 {} Scripted\r\nContent-Length: 0\r\n", answer.status);
            for (name, value) in &answer.headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            asked.plan = Plan { sends: vec![(text + "\r\n").into()], ..Plan::default() };
        }
        protocols.check(&asked);
    }
    protocols.finish(255);
}

#[test]
fn every_recorded_document_means_the_same() {
    let (rules, accepted) = (Rules::empty(), documents().into_iter().filter(|case| case.accept));
    let accepted: Vec<_> = accepted.collect();
    for (number, case) in accepted.iter().enumerate() {
        rules.write(&format!("bucket-{number}.xml"), &case.xml);
    }
    let mut protocols = Protocols::with(rules, &[]);
    for (number, _) in accepted.iter().enumerate() {
        for method in ["GET", "OPTIONS"] {
            let mut case = Case::new(method, format!("/bucket-{number}/key"));
            case.lines = vec![("origin".to_owned(), "http://www.example.com".to_owned())];
            if method == "OPTIONS" {
                case = case.line("access-control-request-method", "GET");
            }
            protocols.check(&case);
        }
    }
    protocols.finish(52);
}
