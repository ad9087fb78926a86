//! Warnings against the requests that they speak of.

use super::{configuration, request};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use s3_cors::{
    AllowedMethod, Concern, CorsConfiguration, CorsRequest, CorsRule, Credentials, Document, Format, OriginPattern,
    RuleTable, Warning, WarningCode, evaluate,
};

fn browser_origin() -> impl Strategy<Value = String> {
    let host = select(vec![
        "localhost",
        "a.example",
        "a-b.c_d.example.com",
        "a.vercel.app",
        "x.co.uk",
        "127.0.0.1",
        "10.11.12.13",
        "[::1]",
        "[2001:db8::1]",
        "xn--bcher-kva.example",
        "com",
    ]);
    let port = select(vec!["", ":1", ":3000", ":8443", ":65535"]);
    (select(vec!["http", "https"]), host, port).prop_map(|(scheme, host, port)| format!("{scheme}://{host}{port}"))
}

fn warnings(configuration: &CorsConfiguration) -> Vec<Warning> {
    Document::parse(configuration.to_json().unwrap().as_bytes(), Format::Json).unwrap().warnings()
}

fn of_origin(pattern: &str) -> Vec<Warning> {
    let origins = vec![OriginPattern::parse(pattern).unwrap()];
    let rule = CorsRule::new(origins, vec![AllowedMethod::Get]).unwrap();
    warnings(&CorsConfiguration::new(vec![rule]).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn a_pattern_that_matches_an_origin_of_a_browser_is_not_said_to_match_none(
        origin in browser_origin(), cuts in any::<[Index; 2]>()
    ) {
        let mut cuts = cuts.map(|cut| cut.index(origin.len() + 1));
        cuts.sort_unstable();
        let pattern = format!("{}*{}", &origin[..cuts[0]], &origin[cuts[1]..]);
        for text in [&origin, &pattern] {
            let found = of_origin(text);
            let never = found.iter().find(|warning| warning.code() == WarningCode::OriginNeverMatches);
            prop_assert!(never.is_none(), "{origin} by {text}: {never:?}");
        }
    }

    #[test]
    fn a_rule_that_is_said_to_be_never_reached_changes_no_decision(configuration in configuration(), request in request()) {
        let unreached = |warning: &Warning| match warning.concern() {
            Concern::RuleNeverReached { rule, .. } | Concern::RuleTakenByEarlier { rule, .. } => Some(*rule),
            _ => None,
        };
        let unreached: Vec<_> = warnings(&configuration).iter().filter_map(unreached).collect();
        let rules = configuration.rules().iter().zip(1..);
        let left = rules.filter(|(_, number)| !unreached.contains(number)).map(|(rule, _)| rule.clone());
        let left = CorsConfiguration::new(left.collect()).unwrap();
        let headers = request.headers();
        let asked = CorsRequest::from((&request.method, &headers));
        let grants = [&configuration, &left].map(|configuration| {
            let rules = RuleTable::new(configuration, Credentials::S3);
            format!("{:?}", evaluate(Some(&rules), &asked).grant().map(|grant| grant.allow_origin().clone()))
        });
        prop_assert_eq!(&grants[0], &grants[1], "without the rules {:?}", unreached);
    }
}
