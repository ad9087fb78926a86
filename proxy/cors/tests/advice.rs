//! What is proposed for a denial: case by case, and for every denied case of the corpora.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod corpus;

use corpus::{RequestCase, documents, requests};
use s3_cors::{
    CannotAllow, Change, Clause, CorsConfiguration, CorsRequest, Credentials, Decision, Denial, Document, Format,
    MAX_RULES, Place, Reason, RuleTable, Wanted, evaluate, explain, exposable, inspect, smallest_change,
};

fn read(json: &str) -> CorsConfiguration {
    Document::parse(json.as_bytes(), Format::Json).unwrap().into_configuration()
}

fn rule(origins: &str, methods: &str, headers: &str) -> String {
    let list = |text: &str| text.split_whitespace().map(|item| format!("{item:?}")).collect::<Vec<_>>().join(",");
    format!(
        "{{\"AllowedOrigins\":[{}],\"AllowedMethods\":[{}],\"AllowedHeaders\":[{}]}}",
        list(origins),
        list(methods),
        list(headers)
    )
}

fn change(rules: &[String], origin: &str, method: &str, headers: &str) -> Result<Change, CannotAllow> {
    let configuration = read(&format!("[{}]", rules.join(",")));
    smallest_change(Some(&configuration), &Wanted::new(origin, method, Some(headers))?)
}

#[test]
fn a_rule_is_widened_only_where_it_then_allows_nothing_else() {
    let (a, b) = ("https://a.example", "https://b.example");
    let one = |rule: String| vec![rule];
    for (rules, origin, method, headers, place, added) in [
        // Another header, origin or method, and nothing else comes with it.
        (one(rule(a, "PUT", "")), a, "PUT", "x-a", Place::Rule, &["<AllowedHeader>x-a</AllowedHeader>"][..]),
        (
            one(rule(a, "PUT", "x-a")),
            b,
            "PUT",
            "x-a",
            Place::Rule,
            &["<AllowedOrigin>https://b.example</AllowedOrigin>"],
        ),
        (one(rule(a, "PUT GET", "")), a, "DELETE", "", Place::Rule, &["<AllowedMethod>DELETE</AllowedMethod>"]),
        (
            one(rule("https://*.x", "PUT", "X-A")),
            b,
            "PUT",
            "x-a",
            Place::Rule,
            &["<AllowedOrigin>https://b.example</AllowedOrigin>"],
        ),
        // The other values of the rule would come with it.
        (
            one(rule(a, "PUT GET", "")),
            b,
            "PUT",
            "",
            Place::NewRule,
            &["<AllowedOrigin>https://b.example</AllowedOrigin>", "<AllowedMethod>PUT</AllowedMethod>"],
        ),
        (
            one(rule(a, "PUT", "x-a")),
            b,
            "PUT",
            "",
            Place::NewRule,
            &["<AllowedOrigin>https://b.example</AllowedOrigin>", "<AllowedMethod>PUT</AllowedMethod>"],
        ),
        (
            one(rule(a, "PUT GET", "")),
            a,
            "PUT",
            "x-a",
            Place::NewRule,
            &[
                "<AllowedOrigin>https://a.example</AllowedOrigin>",
                "<AllowedMethod>PUT</AllowedMethod>",
                "<AllowedHeader>x-a</AllowedHeader>",
            ],
        ),
        (
            one(rule("https://a.* https://a.example", "PUT", "")),
            a,
            "PUT",
            "x-a",
            Place::NewRule,
            &[
                "<AllowedOrigin>https://a.example</AllowedOrigin>",
                "<AllowedMethod>PUT</AllowedMethod>",
                "<AllowedHeader>x-a</AllowedHeader>",
            ],
        ),
        (
            one(rule(a, "PUT", "x-*")),
            a,
            "PUT",
            "y",
            Place::NewRule,
            &[
                "<AllowedOrigin>https://a.example</AllowedOrigin>",
                "<AllowedMethod>PUT</AllowedMethod>",
                "<AllowedHeader>y</AllowedHeader>",
            ],
        ),
        // A later rule grants x-b, perhaps otherwise: it keeps what it has.
        (
            vec![rule(a, "PUT", ""), rule("*", "PUT", "x-b")],
            a,
            "PUT",
            "x-a x-b".replace(' ', ",").leak(),
            Place::NewRule,
            &[
                "<AllowedOrigin>https://a.example</AllowedOrigin>",
                "<AllowedMethod>PUT</AllowedMethod>",
                "<AllowedHeader>x-a</AllowedHeader>",
                "<AllowedHeader>x-b</AllowedHeader>",
            ],
        ),
    ] {
        let change = change(&rules, origin, method, headers).unwrap();
        let values: Vec<_> = change.added.iter().map(s3_cors::Value::to_xml).collect();
        assert_eq!(
            (change.place, values),
            (place, added.iter().map(|text| (*text).to_owned()).collect()),
            "{rules:?} {origin} {method} {headers}"
        );
        let lines = change.what();
        assert!(
            lines.len() == added.len() && lines.iter().zip(added).all(|(line, value)| line.contains(value)),
            "{lines:?}"
        );
    }
}

#[test]
fn a_bucket_without_a_configuration_gets_a_whole_one() {
    let wanted = Wanted::new("https://a.example", "GET", Some("range")).unwrap();
    let change = smallest_change(None, &wanted).unwrap();
    assert_eq!((change.place, change.rule, change.configuration.rules().len()), (Place::NewDocument, 1, 1));
    assert_eq!(change.what()[0], "add <AllowedOrigin>https://a.example</AllowedOrigin> in rule 1 of a new document");
}

#[test]
fn where_there_is_no_such_change_it_is_said_why() {
    let (a, b) = ("https://a.example", "https://b.example");
    let full = vec![rule(a, "PUT GET", "x-a"); MAX_RULES];
    assert_eq!(change(&full, b, "PUT", "").unwrap_err(), CannotAllow::FullDocument);
    let one_can_be_widened = [&full[1..], &[rule(a, "PUT", "")]].concat();
    assert_eq!(change(&one_can_be_widened, b, "PUT", "").unwrap().rule, MAX_RULES);
    assert_eq!(change(&full, a, "PUT", "x-a").unwrap_err(), CannotAllow::Allowed(1));
    let long: Vec<_> =
        (0..60).map(|number| rule(&format!("https://{number}.{}", "x".repeat(960)), "PUT GET", "")).collect();
    assert_eq!(change(&long, a, "PUT", "").unwrap_err(), CannotAllow::TooLong);
    // A document cannot hold this ID, the library's types can.
    let unwritable = read(&format!("[{}]", full[0])).rules()[0].clone().with_id("\u{1}".to_owned());
    let unwritable = CorsConfiguration::new(vec![unwritable]).unwrap();
    let wanted = Wanted::new(b, "PUT", None).unwrap();
    assert!(matches!(smallest_change(Some(&unwritable), &wanted), Err(CannotAllow::Unwritable(_))));
    for (name, can) in [("ETag", true), ("*", false), ("x-*", false), ("", false), ("a b", false)] {
        assert_eq!(exposable(name).is_ok(), can, "{name}");
    }
}

#[test]
fn a_change_says_what_there_is_to_warn_about_and_was_not_before() {
    let http = "http://b.example";
    for (rules, origin, method, expected) in [
        (vec![rule("https://a.example", "GET", "")], "https://b.example", "GET", &[][..]),
        (vec![rule("https://a.example", "GET", "")], http, "GET", &["InsecureOrigin"]),
        (vec![rule("http://a.example", "GET", "")], http, "GET", &["InsecureOrigin"]),
        (vec![rule("http://a.example", "GET", "")], "https://b.example", "GET", &[]),
        (vec![rule("https://a.example", "GET", "")], "null", "GET", &["OriginNull"]),
        (vec![rule("null", "GET", "")], "null", "HEAD", &[]),
        (vec![rule("https://a.example", "GET", "")], "b.example", "GET", &["OriginNeverMatches"]),
        (
            vec![rule("https://a.example", "GET", "")],
            "https://b.example",
            "PUT",
            &["UploadHeadersNotAllowed", "EtagNotExposed"],
        ),
    ] {
        let change = change(&rules, origin, method, "").unwrap();
        let codes: Vec<_> = change.warnings.iter().map(|warning| warning.code().as_str()).collect();
        assert_eq!(codes, expected, "{rules:?} {origin} {method}");
    }
}

#[test]
fn every_denied_case_of_the_corpora_has_the_right_clause_and_a_change_that_allows_just_it() {
    assert!(
        documents()
            .iter()
            .filter(|case| case.accept)
            .all(|case| Document::parse(case.xml.as_bytes(), Format::Xml).is_ok())
    );
    let (mut changed, mut cannot) = (0, 0);
    for case in requests() {
        let configuration = case.config.as_ref().filter(|_| case.bucket_exists);
        let configuration =
            configuration.map(|xml| Document::parse(xml.as_bytes(), Format::Xml).unwrap().into_configuration());
        let table = configuration.as_ref().map(|configuration| RuleTable::new(configuration, Credentials::S3));
        let decision = evaluate(table.as_ref(), &request(&case));
        let Some(denial) = decision.denial() else { continue };
        clause_is_that_of_the_first_rule_that_fails_last(&case, configuration.as_ref(), &decision);
        match advise(&case, configuration.as_ref()) {
            Ok(change) => {
                changed += 1;
                let after = RuleTable::new(&change.configuration, Credentials::S3);
                assert!(evaluate(Some(&after), &request(&case)).grant().is_some(), "{}: {}", case.id, change.xml);
                allows_nothing_else(&case.id, table.as_ref(), &after, &change);
            }
            Err(why) => {
                cannot += 1;
                // Of the rest S3 says itself that it is malformed, or it has an origin or method that no rule can name.
                let is_plain = denial.reason() != Reason::Malformed && has_plain_parts(&case);
                assert!(!is_plain, "{}: {why}", case.id);
            }
        }
    }
    assert!(changed > 60 && cannot > 10, "{changed} changes, {cannot} that S3 cannot allow");
}

fn request(case: &RequestCase) -> CorsRequest<'_> {
    let mut request = CorsRequest::new(case.request.method.as_bytes());
    for (name, value) in &case.request.headers {
        request.add_line(name.as_bytes(), value.as_bytes());
    }
    request
}

fn header<'c>(case: &'c RequestCase, name: &str) -> Option<&'c str> {
    case.request.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

fn advise(case: &RequestCase, configuration: Option<&CorsConfiguration>) -> Result<Change, CannotAllow> {
    let method = header(case, "access-control-request-method").filter(|method| !method.is_empty());
    let method = method.unwrap_or(&case.request.method);
    let headers = header(case, "access-control-request-headers");
    smallest_change(configuration, &Wanted::new(header(case, "origin").unwrap_or_default(), method, headers)?)
}

fn has_plain_parts(case: &RequestCase) -> bool {
    let method = header(case, "access-control-request-method").unwrap_or(&case.request.method);
    let origin = header(case, "origin").unwrap_or_default();
    ["GET", "PUT", "HEAD", "POST", "DELETE"].contains(&method) && !origin.is_empty() && !origin.contains('*')
}

/// S3 blames the clause that fails in the rule that came furthest; the explanation and the inspection name the same one.
fn clause_is_that_of_the_first_rule_that_fails_last(
    case: &RequestCase,
    configuration: Option<&CorsConfiguration>,
    decision: &Decision,
) {
    let (Some(configuration), Some(Denial::Refused { clause, .. })) = (configuration, decision.denial()) else {
        return;
    };
    let table = RuleTable::new(configuration, Credentials::S3);
    let explained = explain(Some(&table), &request(case));
    let inspected = inspect(configuration, &request(case));
    let furthest = inspected.iter().map(|rule| match rule {
        rule if rule.origin.is_some() => Clause::Origin,
        rule if rule.method.is_some() => Clause::Method,
        _ => Clause::Header,
    });
    assert_eq!(furthest.max(), Some(*clause), "{}", case.id);
    assert_eq!(explained.decision.reason(), Reason::from(*clause), "{}", case.id);
    let nearest = explained.nearest().unwrap();
    assert!(nearest.blamed().is_some(), "{}", case.id);
    for rule in &inspected {
        let origin = rule.origin.as_ref().map(s3_cors::OriginDifference::message);
        assert!(origin.is_none_or(|message| message.starts_with("allows ")), "{}", case.id);
    }
}

/// Of the requests with one part other, none is allowed that was not.
fn allows_nothing_else(id: &str, before: Option<&RuleTable>, after: &RuleTable, change: &Change) {
    let wanted = &change.meaning.wanted;
    let names: Vec<_> = wanted.headers().iter().map(s3_cors::HeaderPattern::as_str).collect();
    let (origin, method, list) = (wanted.origin().as_str(), wanted.method().as_str(), names.join(","));
    let others = [
        (format!("{origin}x"), method, list.clone()),
        (origin.to_uppercase(), method, list.clone()),
        ("https://stranger.test".to_owned(), method, list.clone()),
        (origin.to_owned(), method, format!("{list},x-stranger")),
    ];
    let methods = ["GET", "PUT", "HEAD", "POST", "DELETE"].map(|method| (origin.to_owned(), method, list.clone()));
    for (other_origin, other_method, headers) in others.into_iter().chain(methods) {
        if (other_origin.as_str(), other_method, &headers) == (origin, method, &list) {
            continue;
        }
        let mut request = CorsRequest::new(b"OPTIONS");
        request.add_line(b"origin", other_origin.as_bytes());
        request.add_line(b"access-control-request-method", other_method.as_bytes());
        request.add_line(b"access-control-request-headers", headers.as_bytes());
        let was = before.is_some_and(|before| evaluate(Some(before), &request).grant().is_some());
        let is = evaluate(Some(after), &request).grant().is_some();
        assert_eq!(is, was, "{id}: {other_origin} {other_method} {headers}: {}", change.xml);
    }
}
