use super::*;
use crate::observe::Denied;
use s3_cors::{CorsRequest, Credentials, Document, Format, RuleTable, evaluate};
use serde_json::Value;
use std::time::SystemTime;

/// What was denied: origin, method, headers asked for.
type Sent<'s> = (&'s str, &'s str, Option<&'s str>);

fn denied<'d>(bucket: &'d str, (origin, method, headers): Sent<'d>) -> Denied<'d> {
    Denied {
        at: SystemTime::UNIX_EPOCH,
        request_id: "6F1B3A0C9D2E4857",
        upstream_request_id: None,
        label: bucket,
        bucket: Some(bucket),
        is_ambiguous: false,
        kind: RequestKind::Preflight,
        path: "/b/k",
        origin: origin.as_bytes(),
        method: method.as_bytes(),
        request_headers: headers.map(str::as_bytes),
        is_whole: true,
        reason: Reason::Origin,
        detail: Some(origin),
        status: 403,
        was_answered: false,
    }
}

struct Tables(Rejections, RecentDenials);

impl Tables {
    fn of<'d>(places: usize, denials: impl IntoIterator<Item = Denied<'d>>) -> Self {
        let tables = Self(Rejections::new(10), RecentDenials::new(places));
        for denied in denials {
            tables.0.count(&denied);
            tables.1.keep(&denied);
        }
        tables
    }

    fn learned(&self, query: &str) -> Value {
        let (status, _, body) = learned(&self.0, &self.1, query);
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }
}

const SENT: [Sent<'static>; 4] = [
    ("https://a", "PUT", Some("content-type,x-amz-date")),
    ("https://a", "PUT", Some("content-type")),
    ("https://b", "PUT", Some("content-type,x-amz-date")),
    ("https://a", "GET", None),
];

#[test]
fn the_rules_allow_what_was_denied_and_nothing_else() {
    let tables = Tables::of(100, SENT.map(|sent| denied("b", sent)));
    let learned = tables.learned("bucket=b");
    assert_eq!((&learned["requests"], &learned["skipped"]), (&4.into(), &Value::Array(Vec::new())));
    let xml = learned["xml"].as_str().unwrap();
    let document = Document::parse(xml.as_bytes(), Format::Xml).unwrap();
    assert_eq!(serde_json::to_value(document.configuration()).unwrap(), learned["configuration"]);
    let rules = RuleTable::new(document.configuration(), Credentials::S3);
    for origin in ["https://a", "https://b", "https://c", "https://a.b", "null"] {
        for method in ["GET", "PUT", "HEAD", "POST", "DELETE"] {
            for headers in [None, Some("content-type"), Some("content-type,x-amz-date"), Some("x-amz-acl")] {
                let mut request = CorsRequest::new(b"OPTIONS");
                request.add_line(b"origin", origin.as_bytes());
                request.add_line(b"access-control-request-method", method.as_bytes());
                headers
                    .into_iter()
                    .for_each(|headers| request.add_line(b"access-control-request-headers", headers.as_bytes()));
                // A page that may ask for some headers may ask for fewer.
                let names = |list: Option<&str>| {
                    list.into_iter().flat_map(|list| list.split(',')).map(str::to_owned).collect::<HashSet<_>>()
                };
                let is_wanted = SENT.iter().any(|(for_origin, for_method, for_headers)| {
                    (origin, method) == (*for_origin, *for_method) && names(headers).is_subset(&names(*for_headers))
                });
                assert_eq!(
                    evaluate(Some(&rules), &request).grant().is_some(),
                    is_wanted,
                    "{origin} {method} {headers:?}"
                );
            }
        }
    }
}

#[test]
fn what_no_rule_can_allow_is_left_out_and_said() {
    let long = "x-a,".repeat(1_000);
    for (sent, why) in [
        (("https://a", "PATCH", None), "cannot allow PATCH"),
        (("https://a", "get", None), "upper case"),
        (("https://*", "GET", None), "no browser sends"),
        (("", "GET", None), "without an Origin"),
        (("https://a", "GET", Some("a b")), "no header name"),
        (("https://a", "GET", Some("*")), "any text"),
        (("https://a", "GET", Some(&*long)), "too long"),
    ] {
        let learned = Tables::of(100, [denied("b", sent)]).learned("bucket=b");
        let skipped = learned["skipped"].as_array().unwrap();
        assert!(
            learned["xml"].is_null() && learned["configuration"].is_null() && learned["requests"] == 0,
            "{learned}"
        );
        assert!(skipped.len() == 1 && skipped[0]["why"].as_str().unwrap().contains(why), "{sent:?} {why}: {learned}");
    }
}

#[test]
fn of_older_denials_only_those_are_learned_whose_headers_are_known() {
    let actual = Denied { kind: RequestKind::Actual, ..denied("b", ("https://old", "GET", None)) };
    let preflight = denied("b", ("https://old", "PUT", Some("x-a")));
    let learned = Tables::of(1, [actual, preflight, denied("b", SENT[3])]).learned("bucket=b");
    assert_eq!(learned["requests"], 2);
    assert_eq!(learned["skipped"][0]["method"], "PUT");
    assert!(learned["skipped"][0]["why"].as_str().unwrap().contains("observe.recent"), "{learned}");
    assert!(learned["xml"].as_str().unwrap().contains("https://old"), "{learned}");
}

#[test]
fn a_query_selects_and_without_a_bucket_each_has_its_document() {
    let of_default = Denied { label: "_default", ..denied("c", SENT[3]) };
    let without_rules = Denied { label: "_other", reason: Reason::NoRules, ..denied("avatars", SENT[0]) };
    // No server has such a bucket: it would be a document without use.
    let no_bucket = Denied { bucket: Some("wp-login.php?"), origin: b"https://other", ..without_rules };
    let ambiguous = Denied { bucket: None, is_ambiguous: true, origin: b"https://other", ..without_rules };
    let sent = [denied("b", SENT[0]), denied("b", SENT[2]), denied("b", SENT[2]), of_default];
    let tables = Tables::of(100, sent);
    for denied in [&without_rules, &ambiguous, &no_bucket] {
        tables.0.count(denied);
        tables.1.keep(denied);
    }
    for (query, requests) in [
        ("bucket=b", 2),
        ("bucket=b&origin=https://a", 1),
        ("bucket=b&min_count=2", 1),
        ("bucket=b&min_count=3", 0),
        ("bucket=b&limit=1", 1),
        ("bucket=c", 1),
        ("bucket=_default", 1),
        ("bucket=avatars", 1),
        ("bucket=_other", 2),
        ("bucket=none", 0),
    ] {
        let learned = tables.learned(query);
        assert_eq!(learned["requests"], requests, "{query}: {learned}");
    }
    let all = tables.learned("");
    let buckets: Vec<_> =
        all["buckets"].as_array().unwrap().iter().map(|each| each["bucket"].as_str().unwrap()).collect();
    assert_eq!(buckets, ["_default", "avatars", "b"]);
    assert_eq!(Tables::of(1, []).learned("")["buckets"], Value::Array(Vec::new()));
    for wrong in ["min_count=x", "limit=-1"] {
        assert_eq!(learned(&tables.0, &tables.1, wrong).0, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[test]
fn strangers_names_have_a_bounded_number_of_documents() {
    let names: Vec<_> = (0..3 * MAX_WITHOUT_RULES).map(|number| format!("bucket-{number:03}")).collect();
    let of = |name| Denied { label: "_other", reason: Reason::NoRules, ..denied(name, SENT[3]) };
    let frequent = [of("real-bucket"), of("real-bucket"), denied("b", SENT[3])];
    let tables = Tables::of(1_000, names.iter().map(|name| of(name)).chain(frequent));
    let learned = tables.learned("");
    let buckets: Vec<_> = learned["buckets"].as_array().unwrap().iter().map(|each| &each["bucket"]).collect();
    assert_eq!(buckets.len(), MAX_WITHOUT_RULES + 1);
    assert!(buckets.iter().any(|name| *name == "real-bucket") && buckets.iter().any(|name| *name == "b"));
}

#[test]
fn more_than_a_document_holds_keeps_the_most_frequent() {
    // Each has a header of its own, so that each needs a rule.
    let sent: Vec<_> = (0..130).map(|number| (format!("https://{number}"), format!("x-{number}"))).collect();
    let denials = sent.iter().map(|(origin, header)| denied("b", (origin, "PUT", Some(header))));
    let frequent = denied("b", ("https://129", "PUT", Some("x-129")));
    let learned = Tables::of(1_000, denials.chain([frequent])).learned("bucket=b");
    let (allowed, skipped) = (learned["requests"].as_u64().unwrap(), learned["skipped"].as_array().unwrap());
    assert!((75..=100).contains(&allowed) && allowed + skipped.len() as u64 == 130, "{allowed}");
    assert!(skipped[0]["why"].as_str().unwrap().contains("at most 100 rules"));
    assert!(learned["xml"].as_str().unwrap().contains("https://129<"));
}
