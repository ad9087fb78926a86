//! The differences that matter for a document.

use super::difference::{Difference, Harm};
use super::hidden_rules::Hidden;
use super::server::KnownServer;
use s3_cors::{AllowedMethod, CorsConfiguration, CorsRule, OriginPattern};

/// The result of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// The differences, the worst first.
    pub differences: Vec<Difference>,
    /// The origins for the server's one setting, where it keeps no rules for a bucket.
    pub origins: Vec<String>,
}

/// Finds what a server alone would do otherwise with these rules.
#[must_use]
pub fn compare(server: KnownServer, rules: &CorsConfiguration) -> Compared {
    let mut found = Finding { rules: rules.rules(), differences: Vec::new() };
    let mut origins = Vec::new();
    match server {
        KnownServer::Minio => origins = found.one_setting(),
        KnownServer::Silo => {
            found.open_without_rules("the global setting, which by default allows every origin, with credentials");
            found.no_reason();
        }
        KnownServer::Rgw => {
            found.first_rule_of_an_origin("is refused");
            found.no_credentials("never sends Access-Control-Allow-Credentials");
            found.no_cors_on_refusals();
            found.no_vary("only where the request has an Origin and a rule allows it");
        }
        KnownServer::Garage => {
            found.open_preflights();
            found.open_errors();
            found.no_credentials("never sends Access-Control-Allow-Credentials");
            found.no_max_age();
            found.no_vary("only with a grant to a named origin");
        }
        KnownServer::Seaweedfs => {
            found.star_with_credentials("the page's own origin, with credentials");
            found.open_without_rules("every origin, with credentials");
            found.first_rule_of_an_origin("gets 200 and half a grant, which the browser takes for a refusal");
            found.no_header_is_every_header();
            found.origin_patterns();
            found.header_patterns("matches * at the end alone", |text| text.find('*') == Some(text.len() - 1));
        }
        KnownServer::Versitygw => {
            found.no_cors_on_refusals();
            found.exposes_metadata();
            found.no_vary("only with a grant");
        }
        KnownServer::Rustfs => {
            found.star_with_credentials(
                "the page's own origin, with credentials, to a request with Authorization, a cookie or a signed digest",
            );
            found.header_patterns("compares names: only * and whole names match", |text| text == "*");
            found.no_credentials("sends Access-Control-Allow-Credentials only to a request that has Authorization, a cookie or a signed digest, which no preflight has");
            found.no_vary("only with a grant to a named origin");
        }
        KnownServer::R2 => {
            found.header_stars();
            found.forms();
        }
    }
    found.differences.sort_by_key(|difference| (difference.harm, difference.rule));
    Compared { differences: found.differences, origins }
}

/// A comparison that goes on.
pub(super) struct Finding<'r> {
    rules: &'r [CorsRule],
    pub(super) differences: Vec<Difference>,
}

pub(super) fn texts<T>(values: &[T], text: impl Fn(&T) -> &str) -> Vec<String> {
    values.iter().map(|value| text(value).to_owned()).collect()
}

/// Returns true for a rule that names origins: those get credentials from S3.
fn names_origins(rule: &CorsRule) -> bool {
    !rule.allowed_origins().iter().any(OriginPattern::is_any)
}

impl Finding<'_> {
    fn add(&mut self, difference: Difference) {
        self.differences.push(difference);
    }

    /// The rules with their numbers, from 1.
    pub(super) fn numbered(&self) -> impl Iterator<Item = (usize, &CorsRule)> {
        (1..).zip(self.rules)
    }

    /// A difference of all rules together.
    fn of_all(&mut self, kind: &'static str, harm: Harm, [s3, server, consequence]: [&str; 3]) {
        self.add(Difference {
            kind,
            harm,
            rule: None,
            about: Vec::new(),
            s3: s3.to_owned(),
            server: server.to_owned(),
            consequence: consequence.to_owned(),
        });
    }

    fn no_vary(&mut self, when: &str) {
        let server = format!("says Vary: Origin {when}");
        self.of_all("vary", Harm::Caches, [
            "says Vary: Origin with each grant; s3cors says it on every response of the bucket",
            &server,
            "a cache that keeps a response without CORS headers serves it to a page of an allowed origin, which then cannot read it",
        ]);
    }

    fn no_reason(&mut self) {
        self.of_all(
            "no_reason",
            Harm::Harmless,
            [
                "refuses a preflight with a document that says why",
                "refuses it with an empty body",
                "developers see no reason in their tools",
            ],
        );
    }

    fn no_cors_on_refusals(&mut self) {
        self.of_all(
            "no_cors_on_refusal",
            Harm::Breaks,
            [
                "sends CORS headers with a 403 too",
                "sends none",
                "a page that is refused, such as with an expired URL, sees \"CORS error\" and cannot read why",
            ],
        );
    }

    fn open_without_rules(&mut self, whom: &str) {
        let server = format!("allows {whom}");
        self.of_all(
            "open_without_rules",
            Harm::Opens,
            [
                "grants nothing in a bucket without rules",
                &server,
                "a bucket whose rules are missing is open to every page",
            ],
        );
    }

    fn open_preflights(&mut self) {
        self.of_all("open_preflights", Harm::Opens, [
            "answers a preflight by the rules",
            "answers each with 200, for every origin, method and header",
            "every page may send what needs a preflight, such as PUT and DELETE; the rules only keep it from reading the response",
        ]);
    }

    fn open_errors(&mut self) {
        self.of_all(
            "open_errors",
            Harm::Opens,
            [
                "sends CORS headers with an error by the rules",
                "lets every origin read an error",
                "any page can tell which objects exist, as far as its request is allowed",
            ],
        );
    }

    fn exposes_metadata(&mut self) {
        self.of_all(
            "exposes_more",
            Harm::Opens,
            [
                "exposes the headers that the rule lists",
                "exposes ETag, the storage class and all metadata of the object besides",
                "a page of an allowed origin reads metadata that the rules do not expose",
            ],
        );
    }

    fn no_max_age(&mut self) {
        let about: Vec<_> =
            self.numbered().filter(|(_, rule)| rule.max_age_seconds().is_some()).map(|(number, _)| number).collect();
        for rule in about {
            self.add(Difference {
                kind: "no_max_age",
                harm: Harm::Harmless,
                rule: Some(rule),
                about: Vec::new(),
                s3: "lets browsers keep a preflight for MaxAgeSeconds".to_owned(),
                server: "says nothing of it".to_owned(),
                consequence: "browsers ask again after 5 seconds".to_owned(),
            });
        }
    }

    fn no_credentials(&mut self, server: &str) {
        let named = self.numbered().filter(|(_, rule)| names_origins(rule));
        let found: Vec<_> = named
            .map(|(number, rule)| Difference {
                kind: "no_credentials",
                harm: Harm::Breaks,
                rule: Some(number),
                about: texts(rule.allowed_origins(), OriginPattern::as_str),
                s3: "lets a named origin send credentials".to_owned(),
                server: server.to_owned(),
                consequence:
                    "a page that fetches with credentials (cookies, client certificates) cannot read the response"
                        .to_owned(),
            })
            .collect();
        self.differences.extend(found);
    }

    fn star_with_credentials(&mut self, server: &str) {
        let open = self.numbered().filter(|(_, rule)| !names_origins(rule));
        let found: Vec<_> = open
            .map(|(number, _)| Difference {
                kind: "star_with_credentials",
                harm: Harm::Opens,
                rule: Some(number),
                about: vec!["*".to_owned()],
                s3: "answers * with *, so that no page may send credentials".to_owned(),
                server: format!("answers {server}"),
                consequence:
                    "every page may send credentials that the browser has for the server, and read the response"
                        .to_owned(),
            })
            .collect();
        self.differences.extend(found);
    }

    /// The rules that stand behind an earlier one of the same origin are never looked at.
    fn first_rule_of_an_origin(&mut self, outcome: &str) {
        let found: Vec<_> = self
            .numbered()
            .filter_map(|(number, rule)| {
                let hidden = Hidden::of(rule, self.rules.get(..number - 1).unwrap_or_default())?;
                Some(Difference {
                    kind: "first_rule_of_origin",
                    harm: Harm::Breaks,
                    rule: Some(number),
                    s3: "goes on to the next rule until one allows the request".to_owned(),
                    server: format!(
                        "looks only at the first rule that has the origin: what only this one allows {outcome}"
                    ),
                    consequence: hidden.consequence(),
                    about: hidden.origins,
                })
            })
            .collect();
        self.differences.extend(found);
    }

    fn forms(&mut self) {
        let found: Vec<_> = self
            .numbered()
            .filter(|(_, rule)| rule.allowed_methods().contains(&AllowedMethod::Post))
            .map(|(number, _)| Difference {
                kind: "no_forms",
                harm: Harm::Breaks,
                rule: Some(number),
                about: vec!["POST".to_owned()],
                s3: "takes uploads by a form".to_owned(),
                server: "has no such operation".to_owned(),
                consequence: "a page can upload by PUT alone".to_owned(),
            })
            .collect();
        self.differences.extend(found);
    }

    /// The one setting of a server that keeps no rules for a bucket.
    fn one_setting(&mut self) -> Vec<String> {
        self.of_all("one_setting", Harm::Opens, [
            "keeps rules for each bucket",
            "has MINIO_API_CORS_ALLOW_ORIGIN, one list of origins for all buckets",
            "each of these origins may use every method with every header, in every bucket, with credentials, and read all headers",
        ]);
        self.of_all(
            "open_errors",
            Harm::Opens,
            [
                "sends CORS headers with an error by the rules",
                "sends them to every origin of the list",
                "the same origins can read every error",
            ],
        );
        self.no_max_age();
        self.rules.iter().flat_map(|rule| texts(rule.allowed_origins(), OriginPattern::as_str)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::Evidence;
    use s3_cors::{Document, Format};

    const REPORT: &str = include_str!("../../../tests/e2e/REPORT.md");
    const ON_REQUEST: &str = include_str!("../../../tests/e2e/ON_REQUEST.md");

    fn rules(json: &str) -> CorsConfiguration {
        Document::parse(json.as_bytes(), Format::Json).unwrap().into_configuration()
    }

    /// The kinds of the differences with their rules.
    fn kinds(server: KnownServer, json: &str) -> Vec<(&'static str, Option<usize>)> {
        compare(server, &rules(json)).differences.iter().map(|found| (found.kind, found.rule)).collect()
    }

    #[test]
    fn the_versions_that_were_run_are_those_of_the_report() {
        for server in KnownServer::ALL {
            let Evidence::Run(version) = server.evidence() else { continue };
            let shown = format!("{} {version}", server.title());
            let is_said = |report: &str| {
                report.lines().any(|line| {
                    line.starts_with("Servers: ") && line.split([':', ',']).any(|each| each.trim() == shown)
                })
            };
            assert!(is_said(REPORT) || is_said(ON_REQUEST), "{shown}");
        }
    }

    const TWO: &str = r#"{"CORSRules": [
        {"AllowedOrigins": ["https://app.example"], "AllowedMethods": ["GET"], "AllowedHeaders": ["x-amz-*"], "MaxAgeSeconds": 600},
        {"AllowedOrigins": ["https://*.example"], "AllowedMethods": ["PUT", "POST"], "AllowedHeaders": ["*"]},
        {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]}"#;

    #[test]
    fn each_server_differs_where_the_rules_meet_what_it_does_otherwise() {
        use KnownServer::{Garage, Minio, R2, Rgw, Rustfs, Seaweedfs, Silo, Versitygw};
        for (server, expected) in [
            (Silo, &[("open_without_rules", None), ("no_reason", None)][..]),
            (Minio, &[("one_setting", None), ("open_errors", None), ("no_max_age", Some(1))]),
            (
                Rgw,
                &[
                    ("no_cors_on_refusal", None),
                    ("no_credentials", Some(1)),
                    ("first_rule_of_origin", Some(2)),
                    ("no_credentials", Some(2)),
                    ("first_rule_of_origin", Some(3)),
                    ("vary", None),
                ],
            ),
            (
                Garage,
                &[
                    ("open_preflights", None),
                    ("open_errors", None),
                    ("no_credentials", Some(1)),
                    ("no_credentials", Some(2)),
                    ("vary", None),
                    ("no_max_age", Some(1)),
                ],
            ),
            (
                Seaweedfs,
                &[
                    ("open_without_rules", None),
                    ("star_with_credentials", Some(3)),
                    ("open_headers", Some(3)),
                    ("first_rule_of_origin", Some(2)),
                    ("first_rule_of_origin", Some(3)),
                ],
            ),
            (Versitygw, &[("exposes_more", None), ("no_cors_on_refusal", None), ("vary", None)]),
            (
                Rustfs,
                &[
                    ("star_with_credentials", Some(3)),
                    ("header_pattern", Some(1)),
                    ("no_credentials", Some(1)),
                    ("no_credentials", Some(2)),
                    ("vary", None),
                ],
            ),
            (R2, &[("header_star", Some(1)), ("header_star", Some(2)), ("no_forms", Some(2))]),
        ] {
            assert_eq!(kinds(server, TWO), expected, "{server}");
        }
    }

    #[test]
    fn a_rule_is_hidden_where_an_earlier_one_has_its_origin_and_allows_less() {
        let document = |first: &str, second: &str| {
            format!(
                r#"{{"CORSRules": [{{"AllowedOrigins": ["{first}"], "AllowedMethods": ["GET"], "AllowedHeaders": ["x-a"]}}, {second}]}}"#
            )
        };
        let put = |origin: &str| format!(r#"{{"AllowedOrigins": ["{origin}"], "AllowedMethods": ["GET", "PUT"]}}"#);
        let with = |header: &str| {
            format!(
                r#"{{"AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"], "AllowedHeaders": ["{header}"]}}"#
            )
        };
        for (first, second, expected) in [
            ("https://a.example", put("https://a.example"), Some("pages of https://a.example cannot PUT")),
            ("https://*.example", put("https://a.example"), Some("pages of https://a.example cannot PUT")),
            // Of a wider pattern, some of the origins are hit.
            ("https://a.example", put("https://*.example"), Some("pages of https://a.example cannot PUT")),
            ("https://a*.example", put("https://*.example"), Some("pages of https://a*.example cannot PUT")),
            ("*", put("https://*.example"), Some("pages of https://*.example cannot PUT")),
            ("https://a.example", put("https://b.example"), None),
            ("*", with("x-b"), Some("pages of https://a.example cannot send x-b")),
            ("https://a.example", with("X-A"), None),
        ] {
            for server in [KnownServer::Rgw, KnownServer::Seaweedfs] {
                let found = compare(server, &rules(&document(first, &second))).differences;
                let found = found.iter().find(|found| found.kind == "first_rule_of_origin");
                assert_eq!(found.map(|found| found.consequence.as_str()), expected, "{server} {first} {second}");
            }
        }
    }

    #[test]
    fn patterns_that_a_server_never_matches_are_told() {
        let document = r#"{"CORSRules": [{"AllowedOrigins": ["https://app-*.example", "https://*.example"], "AllowedMethods": ["GET"],
            "AllowedHeaders": ["x-amz-*", "*-date"]}]}"#;
        let found = compare(KnownServer::Seaweedfs, &rules(document)).differences;
        let of = |kind: &str| found.iter().find(|found| found.kind == kind).unwrap().about.clone();
        assert_eq!(of("origin_pattern"), ["https://app-*.example"]);
        assert_eq!(of("header_pattern"), ["*-date"]);
    }

    #[test]
    fn a_server_with_one_setting_gets_the_origins_of_all_rules() {
        let origins = |server| compare(server, &rules(TWO)).origins;
        assert_eq!(origins(KnownServer::Minio), ["https://app.example", "https://*.example", "*"]);
        assert!(origins(KnownServer::Rgw).is_empty());
    }
}
