//! What is granted, and what is not.

use super::reference::{Answer, answer};
use super::{Request, configuration, header_bytes, request, rule};
use http::header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ORIGIN};
use http::{HeaderMap, Method};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use s3_cors::{
    CorsConfiguration, CorsRequest, Credentials, Decision, Denial, MAX_REPEATED, Reason, RequestKind, ResourceType,
    RuleFinding, RuleTable, Verdict, evaluate, explain,
};
use std::collections::HashSet;

fn decide(configuration: &CorsConfiguration, request: &Request) -> Decision {
    let headers = request.headers();
    evaluate(Some(&RuleTable::new(configuration, Credentials::S3)), &(&request.method, &headers).into())
}

/// The engine's decision in the reference's words.
fn in_words(decision: &Decision) -> Answer {
    match &decision.verdict {
        Verdict::NotCors => Answer::NotCors,
        Verdict::Denied(denial) => Answer::Denied(denial.reason().as_str()),
        Verdict::Granted(grant) => {
            let mut headers = Vec::new();
            grant.for_each_header(|name, value| {
                let name = HEADERS.into_iter().find(|known| name == *known).unwrap();
                headers.push((name, value.as_bytes().to_vec()));
            });
            headers.sort();
            Answer::Granted(headers)
        }
    }
}

const HEADERS: [&str; 6] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_engine_decides_as_the_naive_reference(configuration in configuration(), request in request()) {
        prop_assert_eq!(in_words(&decide(&configuration, &request)), answer(&configuration, &request));
    }

    #[test]
    fn a_table_keeps_its_configuration(configuration in configuration(), other in configuration()) {
        let [table, other_table] = [&configuration, &other].map(|each| RuleTable::new(each, Credentials::S3));
        prop_assert_eq!(table.means_the_same_as(&other_table), configuration == other);
        prop_assert_eq!(table.configuration(), configuration);
    }

    #[test]
    fn an_origin_is_granted_as_star_or_byte_for_byte_and_star_never_with_credentials(
        configuration in configuration(), request in request(), never in any::<bool>(),
    ) {
        let credentials = if never { Credentials::Never } else { Credentials::S3 };
        let table = RuleTable::new(&configuration, credentials);
        let headers = request.headers();
        if let Some(grant) = evaluate(Some(&table), &(&request.method, &headers).into()).grant() {
            let headers = grant.headers();
            let origin = headers[ACCESS_CONTROL_ALLOW_ORIGIN].as_bytes();
            prop_assert_eq!(origin, grant.allow_origin().as_bytes());
            prop_assert!(origin == b"*" || origin == request.origins[0]);
            prop_assert_eq!(headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS), !never && origin != b"*");
        }
    }

    #[test]
    fn no_header_of_a_grant_occurs_twice(configuration in configuration(), request in request()) {
        if let Some(grant) = decide(&configuration, &request).grant() {
            let mut names = Vec::new();
            grant.for_each_header(|name, _| names.push(name.clone()));
            prop_assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
            prop_assert_eq!(grant.headers().len(), names.len());
        }
    }

    #[test]
    fn a_rule_at_the_end_takes_no_grant_away_and_changes_none(
        configuration in configuration(), more in rule(), request in request(),
    ) {
        let before = decide(&configuration, &request);
        let rules = configuration.rules().iter().cloned().chain([more]).collect();
        let after = decide(&CorsConfiguration::new(rules).unwrap(), &request);
        if before.grant().is_some() {
            prop_assert_eq!(in_words(&after), in_words(&before));
        }
    }

    #[test]
    fn an_explanation_says_what_the_decision_says(
        configuration in configuration(), request in request(), has_rules in any::<bool>(),
    ) {
        let table = RuleTable::new(&configuration, Credentials::S3);
        let rules = has_rules.then_some(&table);
        let headers = request.headers();
        let request = CorsRequest::from((&request.method, &headers));
        let decision = evaluate(rules, &request);
        let explanation = explain(rules, &request);
        prop_assert_eq!(in_words(&explanation.decision), in_words(&decision));
        prop_assert_eq!(explanation.decision.detail(), decision.detail());

        let granting = explanation.rules.iter().find(|finding| finding.blamed().is_none()).map(|finding| finding.number);
        match decision.verdict {
            Verdict::Granted(grant) => prop_assert_eq!(granting, Some(grant.rule().number())),
            Verdict::Denied(Denial::Refused { clause, .. }) => {
                prop_assert_eq!(granting, None);
                prop_assert_eq!(explanation.rules.iter().filter_map(RuleFinding::blamed).max(), Some(clause));
                prop_assert!(explanation.nearest().is_some());
            }
            Verdict::NotCors | Verdict::Denied(_) => prop_assert!(explanation.rules.is_empty()),
        }
    }

    #[test]
    fn no_header_bytes_make_the_decision_panic(
        configuration in configuration(),
        method in prop_oneof![Just(Method::OPTIONS), Just(Method::GET)],
        lines in [vec(header_bytes(), 0..3), vec(header_bytes(), 0..3), vec(header_bytes(), 0..3)],
    ) {
        let [origins, asked_methods, asked_headers] = lines;
        let request = Request { method, origins, asked_methods, asked_headers };
        let table = RuleTable::new(&configuration, Credentials::S3);
        let headers = request.headers();
        let asked = CorsRequest::from((&request.method, &headers));
        let explanation = explain(Some(&table), &asked);
        prop_assert_eq!(in_words(&explanation.decision), answer(&configuration, &request));
        prop_assert!(!asked.asked_method().is_empty());
        if let Some(denial) = explanation.decision.denial() {
            prop_assert!(denial.refusal(ResourceType::Object).message.len() < 4096);
            prop_assert!(denial.detail().is_none_or(|detail| detail.chars().count() <= MAX_REPEATED));
        }
    }
}

/// The other properties would all hold of an engine that grants nothing, if nothing that is drawn were ever to be granted.
#[test]
fn what_is_drawn_is_often_granted() {
    let mut runner = TestRunner::deterministic();
    let mut counts = [0; 3];
    for _ in 0..1000 {
        let case = (configuration(), request()).new_tree(&mut runner).unwrap().current();
        match decide(&case.0, &case.1).verdict {
            Verdict::Granted(_) => counts[0] += 1,
            Verdict::Denied(Denial::Refused { .. }) => counts[1] += 1,
            Verdict::NotCors | Verdict::Denied(_) => counts[2] += 1,
        }
    }
    assert!(counts.iter().all(|count| *count > 150), "granted, refused, other: {counts:?}");
}

/// Kind, outcome and reason are three views of one decision and never contradict each other.
#[test]
fn kind_outcome_and_reason_fit_together() {
    let mut runner = TestRunner::deterministic();
    for _ in 0..1000 {
        let (configuration, request) = (configuration(), request()).new_tree(&mut runner).unwrap().current();
        let decision = decide(&configuration, &request);
        let is_options = request.method == Method::OPTIONS;
        assert_eq!(decision.kind == RequestKind::Preflight, is_options, "{request:?}");
        assert_eq!(decision.outcome().is_none(), decision.kind == RequestKind::NoOrigin, "{request:?}");
        assert_eq!(decision.reason() == Reason::None, decision.denial().is_none(), "{request:?}");
        assert_eq!(decision.rule().is_some(), decision.grant().is_some(), "{request:?}");
        assert!(decision.detail().is_none() || decision.denial().is_some(), "{request:?}");
    }
}

#[test]
fn cors_has_no_part_in_a_request_without_an_origin() {
    let mut headers = HeaderMap::new();
    assert!(evaluate(None, &(&Method::GET, &headers).into()).outcome().is_none());
    headers.insert(ORIGIN, http::HeaderValue::from_static(""));
    assert!(evaluate(None, &(&Method::GET, &headers).into()).outcome().is_none());
}
